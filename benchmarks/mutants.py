"""Damaged files out of whole ones: bytes, JSON, words and tensors, changed by chance that a seed repeats."""

from __future__ import annotations

import copy
import json
import random
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.base.files import _content_hash

Chance = random.Random
Span = tuple[int, int]
"""first byte and the one behind the last"""
Arrays = dict[str, npt.NDArray[Any]]

MOST_EDITS = 3
_BLOCK = 64
"""bytes: the longest block that is overwritten, put in or taken out, but for one case in four, which is any length"""
_BOXES_OF_BOXES = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"meta", b"iprp", b"ipco", b"udta")

# -- bytes -----------------------------------------------------------------------------------------------------


def damaged(data: bytes, chance: Chance, spans: Sequence[Span] = ()) -> bytes:
    """One to three changes of bytes, the first of them within one of the spans (anywhere, where there are none)."""
    spans = [span for span in spans if span[1] > span[0]] or [(0, len(data))]
    for _ in range(chance.randint(1, MOST_EDITS)):
        data = chance.choice(_BYTE_EDITS)(data, chance, chance.choice(spans))
        spans = [(first, min(last, len(data))) for first, last in spans if first < len(data)] or [(0, len(data))]
    return data


def _within(chance: Chance, span: Span) -> int:
    return chance.randrange(span[0], max(span[1], span[0] + 1))


def _block(data: bytes, chance: Chance, span: Span) -> Span:
    first = _within(chance, span)
    most = max(1, len(data) - first)
    length = chance.randint(1, most if chance.random() < 0.25 else min(most, _BLOCK))
    return first, first + length


def _flipped(data: bytes, chance: Chance, span: Span) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8) if data else 0):
        changed[min(_within(chance, span), len(data) - 1)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _overwritten(data: bytes, chance: Chance, span: Span) -> bytes:
    first, last = _block(data, chance, span)
    filled = chance.choice([b"\0", b"\xff", b"\x7f", None])
    block = chance.randbytes(last - first) if filled is None else filled * (last - first)
    return data[:first] + block + data[last:]


def _inserted(data: bytes, chance: Chance, span: Span) -> bytes:
    first = _within(chance, span)
    return data[:first] + chance.randbytes(chance.randint(1, _BLOCK)) + data[first:]


def _deleted(data: bytes, chance: Chance, span: Span) -> bytes:
    first, last = _block(data, chance, span)
    return data[:first] + data[last:]


def _doubled(data: bytes, chance: Chance, span: Span) -> bytes:
    first, last = _block(data, chance, span)
    place = _within(chance, (0, len(data)))
    return data[:place] + data[first:last] + data[place:]


def _truncated(data: bytes, chance: Chance, span: Span) -> bytes:
    return data[: _within(chance, span)]


def _number(data: bytes, chance: Chance, span: Span) -> bytes:
    """Some bytes become a number at the end of what they can hold: lengths, counts and offsets lie everywhere."""
    width, first = chance.choice([1, 2, 4, 4, 8]), _within(chance, span)
    top = 1 << 8 * width
    value = chance.choice([0, 1, 2, top - 1, top // 2, top // 2 - 1, len(data), len(data) - 1, chance.randrange(top)])
    order = chance.choice(["big", "little"])
    return data[:first] + (value % top).to_bytes(width, order) + data[first + width :]


def _swapped(data: bytes, chance: Chance, span: Span) -> bytes:
    one, two = sorted([_block(data, chance, span), _block(data, chance, (0, len(data)))])
    if one[1] > two[0]:
        return _doubled(data, chance, span)
    return data[: one[0]] + data[slice(*two)] + data[one[1] : two[0]] + data[slice(*one)] + data[two[1] :]


_BYTE_EDITS: tuple[Callable[[bytes, Chance, Span], bytes], ...] = (
    _flipped, _overwritten, _inserted, _deleted, _doubled, _truncated, _number, _number, _swapped,
)  # fmt: skip


def spans_of(data: bytes) -> dict[str, list[Span]]:
    """Header, index and packets of a video or picture, by its first bytes; a kind that has no index has none here."""
    size = len(data)
    if data[4:8] == b"ftyp":
        boxes = _boxes(data, 0, size)
        packets = [span for name, span in boxes if name == b"mdat"]
        return {"header": [(0, 64)], "index": [s for n, s in boxes if n not in (b"mdat", b"ftyp")], "packets": packets}
    if data[:4] == b"\x1a\x45\xdf\xa3":
        return _parted(data, b"\x1f\x43\xb6\x75", b"\x1c\x53\xbb\x6b")
    if data[:4] == b"RIFF":
        return _parted(data, b"movi", b"idx1")
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        chunks = png_chunks(data)
        heads = [(at, at + 8) for _, at, _ in chunks]
        return {"header": [(0, 41)], "index": heads, "packets": [(at + 8, end) for _, at, end in chunks]}
    if data[:1] == b"\x47" and size % 188 == 0:  # a transport stream: the head of each packet is its only index
        heads = [(at, at + 12) for at in range(0, size, 188)]
        return {"header": [(0, 3 * 188)], "index": heads, "packets": [(0, size)]}
    return {"header": [(0, min(size, 64))], "index": [], "packets": [(min(size, 64), size)]}


def _boxes(data: bytes, start: int, end: int) -> list[tuple[bytes, Span]]:
    """Boxes of MP4's kind, each with its head, and those within the ones that hold others."""
    found: list[tuple[bytes, Span]] = []
    while start + 8 <= end:
        length, name = struct.unpack(">I4s", data[start : start + 8])
        if length < 8:
            break
        found.append((name, (start, min(start + length, end))))
        if name in _BOXES_OF_BOXES:
            found += _boxes(data, start + 8, min(start + length, end))
        start += length
    return found


def _parted(data: bytes, packets: bytes, index: bytes) -> dict[str, list[Span]]:
    first = data.find(packets)
    first = first if first >= 0 else min(len(data), 256)
    last = data.rfind(index)
    last = last if last > first else len(data)
    return {"header": [(0, first)], "index": [(last, len(data))], "packets": [(first, last)]}


def png_chunks(data: bytes) -> list[tuple[bytes, int, int]]:
    """Name of each chunk of a PNG file, where it begins, and the end of what it holds, before its checksum."""
    chunks, at = [], 8
    while at + 12 <= len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        if at + 12 + length > len(data):
            break
        chunks.append((name, at, at + 8 + length))
        at += 12 + length
    return chunks


def with_png_checksums(data: bytes) -> bytes:
    """The same with the checksum that each chunk should have."""
    changed = bytearray(data)
    for _, at, end in png_chunks(data):
        changed[end : end + 4] = struct.pack(">I", zlib.crc32(data[at + 4 : end]))
    return bytes(changed)


# -- JSON and words --------------------------------------------------------------------------------------------

_RAW = ("[" * 100_000 + "]" * 100_000, '{"a":' * 50_000 + "0" + "}" * 50_000, "1e400", "-1e400", "9" * 5000, "-0.0")
"""what Python would not write: put in as text"""
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 255, 2**31, 2**32 - 1, 2**63, -(2**63), 2**64, 10**30, 0.5, -0.5, 1e-320, 1e17,
    1e308, -1e308, float("nan"), float("inf"), float("-inf"), "", "x", "0", "-1", "nan", "1/0", "30/0", "1e9",
    "1e99999999", "-1e-99999999", "9" * 5000, "a\nb", "\x1b[2J", "\x9b2J", "\u202e", "\ud800", "../../x", "/", ".",
    "x" * 100_000, [], {}, [[]], [[0]], {"": 0}, [0] * 1000, [None], ["x"], [1, 2], [1, 2, 3],
)  # fmt: skip


def damaged_json(content: Any, chance: Chance) -> str:
    """The text of JSON in which one to three things are missing, doubled, or are something else."""
    content = copy.deepcopy(content)
    raw: dict[str, str] = {}
    for _ in range(chance.randint(1, MOST_EDITS)):
        holder, key = _somewhere(content, chance)
        if holder is None:
            content = _other(content, chance, raw)
        else:
            _edit(holder, key, chance, raw)
    text = json.dumps(content)
    return re.sub(r'"@raw (\d+)@"', lambda found: raw[found[1]], text)


def _somewhere(content: Any, chance: Chance) -> tuple[Any, Any]:
    """A container and one of its keys, at any depth; (None, None) for the whole."""
    holder, key, here = None, None, content
    while isinstance(here, dict | list) and here and (holder is None or chance.random() < 0.75):
        if holder is None and chance.random() < 0.03:
            return None, None
        holder = here
        key = chance.choice(list(here)) if isinstance(here, dict) else chance.randrange(len(here))
        here = here[key]
    return holder, key


def _edit(holder: Any, key: Any, chance: Chance, raw: dict[str, str]) -> None:
    what = chance.random()
    if what < 0.2:
        del holder[key]
    elif what < 0.3 and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(chance.choice(holder)))
    elif what < 0.3:
        holder[chance.choice(["", "x" * 1000, "\x1b[31m", key + "x", key.upper()])] = holder.pop(key)
    elif what < 0.4:
        other = chance.choice(list(holder)) if isinstance(holder, dict) else chance.randrange(len(holder))
        holder[key] = copy.deepcopy(holder[other])
    else:
        holder[key] = _other(holder[key], chance, raw)


def _other(value: Any, chance: Chance, raw: dict[str, str]) -> Any:
    what = chance.random()
    if what < 0.1:
        raw[name := str(len(raw))] = chance.choice(_RAW)
        return f"@raw {name}@"
    if what < 0.35 and isinstance(value, int | float) and not isinstance(value, bool):
        return chance.choice([-value, value + 1, value * 2, value * 1e9, value / 1e9, str(value), [value], value // 1])
    if what < 0.35 and isinstance(value, str) and value:
        return chance.choice([value + "x", value[:-1], value * 2, value[::-1], [value], {value: value}])
    if what < 0.4 and isinstance(value, list):
        return value * chance.choice([0, 2, 50])
    if what < 0.45:
        return [value] if chance.random() < 0.5 else {"a": value}
    return copy.deepcopy(chance.choice(_VALUES))


def damaged_words(text: str, chance: Chance) -> str:
    """A text of lines and words in which one to three are missing, doubled, exchanged, or something else."""
    for _ in range(chance.randint(1, MOST_EDITS)):
        lines = text.splitlines(keepends=True) or [""]
        number, what = chance.randrange(len(lines)), chance.random()
        if what < 0.15:
            del lines[number]
        elif what < 0.25:
            lines.insert(chance.randrange(len(lines)), lines[number])
        elif what < 0.35:
            other = chance.randrange(len(lines))
            lines[number], lines[other] = lines[other], lines[number]
        elif what < 0.4:
            lines.insert(number, lines[number] * chance.choice([10, 1000, 5000]))
        else:
            words = re.split(r"(\s+)", lines[number])
            words[chance.randrange(len(words))] = _word(chance)
            lines[number] = "".join(words)
        text = "".join(lines)
    return text


def _word(chance: Chance) -> str:
    value = chance.choice([one for one in _VALUES if isinstance(one, str | int | float)])
    return chance.choice([str(value), "{", "}", "1e999", "-1e999", "0x10", "1_0", "\u0661", "9" * 400])


# -- tensors ---------------------------------------------------------------------------------------------------


def damaged_tensors(data: bytes, chance: Chance) -> bytes:
    """A safetensors file, damaged in one of four ways; in three of them the stored hash is that of the new content."""
    way = chance.random()
    header, begin = _header(data)
    if way < 0.15:
        return damaged(data, chance, [(0, 8), (8, begin), (begin, len(data))])
    if way < 0.4:
        return rehashed(_with_header(damaged_json(header, chance), data[begin:], chance))
    metadata = header.get("__metadata__", {})
    if way < 0.7 and "understudy" in metadata:
        inner = damaged_json(json.loads(metadata["understudy"]), chance)
        changed = header | {"__metadata__": metadata | {"understudy": inner}}
        return rehashed(_with_header(json.dumps(changed), data[begin:]))
    from safetensors.numpy import load, save

    arrays = load(data)
    for _ in range(chance.randint(1, MOST_EDITS)):
        _change_array(arrays, chance)
    return rehashed(save(arrays, metadata=metadata or None))


def _header(data: bytes) -> tuple[dict[str, Any], int]:
    begin = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:begin]), begin


def _with_header(text: str, content: bytes, chance: Chance | None = None) -> bytes:
    head = text.encode("utf-8", "surrogatepass")
    length = len(head) if chance is None or chance.random() < 0.9 else chance.choice([0, 1, 2**32, 2**63, 2**64 - 1])
    return length.to_bytes(8, "little") + head + content


def rehashed(data: bytes) -> bytes:
    """The same with the hash of what is in it, where it can be read at all: what the hash kept away comes through."""
    from safetensors import SafetensorError
    from safetensors.numpy import load, save

    try:
        metadata = dict(_header(data)[0].get("__metadata__") or {})
        arrays = load(data)
        if "understudy" not in metadata:
            return data
        metadata["sha256"] = _content_hash(arrays, metadata["understudy"])
        return save(arrays, metadata=metadata)
    except (SafetensorError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return data


def _change_array(arrays: Arrays, chance: Chance) -> None:
    if not arrays:
        return
    name = chance.choice(sorted(arrays))
    array = arrays[name]
    what = chance.randrange(8)
    if what == 0:
        del arrays[name]
    elif what == 1:
        arrays[name + "x"] = array if chance.random() < 0.5 else arrays.pop(name)
    elif what == 2:
        arrays[name] = _as(array, chance.choice([np.uint8, np.int8, np.int64, np.float16, np.float32, np.float64]))
    elif what == 3:
        flat = array.reshape(-1)
        shapes = [(-1,), (1, *array.shape), (*array.shape, 1), array.shape[::-1]]
        arrays[name] = flat.reshape(chance.choice(shapes)) if flat.size else np.zeros((0, 3), array.dtype)
    elif what == 4:
        arrays[name] = array[:0] if array.ndim and chance.random() < 0.5 else np.zeros((), array.dtype)
    elif what == 5 and array.ndim:
        arrays[name] = np.concatenate([array, array]) if chance.random() < 0.5 else array[: max(1, len(array) - 1)]
    else:
        arrays[name] = _with_odd_numbers(array, chance)


def _as(array: npt.NDArray[Any], dtype: type) -> npt.NDArray[Any]:
    with np.errstate(all="ignore"):
        return array.astype(dtype)


def _with_odd_numbers(array: npt.NDArray[Any], chance: Chance) -> npt.NDArray[Any]:
    changed = array.copy()
    if changed.dtype.kind == "f":
        top = float(np.finfo(changed.dtype).max)
        value: float = chance.choice([float("nan"), float("inf"), float("-inf"), top, -top, 0.0, -1.0])
    elif changed.dtype.kind in "iu":
        value = chance.choice([np.iinfo(changed.dtype).max, np.iinfo(changed.dtype).min, 0, 1])
    else:
        return changed
    if chance.random() < 0.3:
        changed[...] = value
    elif changed.size:
        changed.reshape(-1)[[chance.randrange(changed.size) for _ in range(3)]] = value
    return changed
