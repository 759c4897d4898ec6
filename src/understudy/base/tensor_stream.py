"""Arrays as safetensors files: one that grows, row by row, read as a memory map; and several that are there.

The safetensors layout is 8 bytes of header length, the JSON header, the data. Of an array that grows the header holds
the shape, which is known only at the end: it is written padded with spaces (which the format allows) and overwritten on
`close`.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from understudy.base.stored import whole
from understudy.errors import UnderstudyError

HEADER_BYTES = 512
DTYPES = {
    "BOOL": np.bool_, "F16": np.float16, "F32": np.float32, "F64": np.float64, "I8": np.int8, "I16": np.int16,
    "I32": np.int32, "I64": np.int64, "U8": np.uint8, "U16": np.uint16, "U32": np.uint32, "U64": np.uint64,
}  # fmt: skip
_NAMES: dict[np.dtype[Any], str] = {np.dtype(dtype): name for name, dtype in DTYPES.items()}


def write_tensors(path: Path, tensors: Mapping[str, npt.NDArray[Any]], texts: Mapping[str, str]) -> None:
    """Writes arrays and texts as one file: the same ones as the same bytes, with nothing else put beside it meanwhile.

    The package safetensors writes the texts in an order that differs each time, and into a temporary file of its own,
    which a kill leaves behind.

    Args:
        tensors: in C order; the larger their numbers the further in front, so that each begins where such a number may.
    """
    header: dict[str, Any] = {"__metadata__": dict(texts)}
    ordered = sorted(tensors, key=lambda name: (-tensors[name].itemsize, name))
    end = 0
    for name in ordered:
        array = tensors[name]
        begin, end = end, end + array.nbytes
        header[name] = {"dtype": _NAMES[array.dtype], "shape": list(array.shape), "data_offsets": [begin, end]}
    told = json.dumps(header, separators=(",", ":")).encode()
    told = told.ljust(-(-len(told) // 8) * 8)
    with open(path, "wb") as stream:
        stream.write(len(told).to_bytes(8, "little") + told)
        for name in ordered:
            stream.write(tensors[name].reshape(-1).view(np.uint8).data)


class TensorStream:
    """Writes `(rows, *row_shape)` under `name`. Not atomic: meant for a folder that appears as a whole.

    Example:
        with TensorStream(folder / "flow.safetensors", "flow", (64, 64, 2), np.float16) as stream:
            for row in rows:
                stream.append(row)
    """

    def __init__(self, path: str | os.PathLike[str], name: str, row_shape: tuple[int, ...], dtype: npt.DTypeLike):
        self.rows = 0
        self._name = name
        self._row_shape = row_shape
        self._dtype: np.dtype[Any] = np.dtype(dtype)
        self._stream = open_stream(path)

    def append(self, row: npt.NDArray[Any]) -> None:
        """Adds one row of `row_shape`; other number types are converted."""
        if row.shape != self._row_shape:
            raise ValueError(f"a row of {self._name} must be {self._row_shape}, not {row.shape}")
        self._stream.write(np.ascontiguousarray(row, self._dtype).tobytes())
        self.rows += 1

    def close(self) -> None:
        """Writes the header; without it the file is not readable, on purpose."""
        if self._stream.closed:
            return
        close_stream(self._stream, {self._name: (self._dtype, (self.rows, *self._row_shape))})

    def __enter__(self) -> TensorStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._stream.close()


def open_stream(path: str | os.PathLike[str]) -> BinaryIO:
    """A new file with room for the header, to which arrays are written one behind the other."""
    stream = open(path, "wb")  # noqa: SIM115 - closed by close_stream()
    stream.write(b"\0" * (8 + HEADER_BYTES))
    return stream


def close_stream(stream: BinaryIO, written: Mapping[str, tuple[npt.DTypeLike, tuple[int, ...]]]) -> None:
    """Writes the header and closes the file.

    Args:
        stream: of `open_stream`.
        written: number type and shape of every array by its name, in the order in which they were written.
    """
    header: dict[str, Any] = {}
    end = 0
    for name, (dtype, shape) in written.items():
        begin, end = end, end + math.prod(shape) * np.dtype(dtype).itemsize
        header[name] = {"dtype": _NAMES[np.dtype(dtype)], "shape": list(shape), "data_offsets": [begin, end]}
    stream.seek(0)
    stream.write(HEADER_BYTES.to_bytes(8, "little"))
    stream.write(json.dumps(header).encode().ljust(HEADER_BYTES))
    stream.close()


def map_tensor(
    path: str | os.PathLike[str], name: str, error: type[UnderstudyError] = UnderstudyError
) -> npt.NDArray[Any]:
    """The named array of a safetensors file as a read-only memory map (an empty array when it has no rows).

    Raises:
        error: missing, cut off, or no such array in it.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        with open(path, "rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 2 <= length <= min(1 << 20, size - 8):
                raise error(f"{path} is not a safetensors file, or it is cut off")
            entry = json.loads(stream.read(length))[name]
        dtype, shape = np.dtype(DTYPES[entry["dtype"]]), tuple(whole(side) for side in entry["shape"])
        first, last = (whole(offset) for offset in entry["data_offsets"])
    except OSError as cause:
        raise error(f"cannot read {path}: {cause.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError) as cause:
        raise error(f"{path} has no readable array {name!r} ({cause})") from None
    count = math.prod(shape) * dtype.itemsize
    if last - first != count or 8 + length + last > size:
        raise error(f"{path} is cut off: {name} needs {count} bytes and the file has {size}")
    if count == 0:
        return np.zeros(shape, dtype)
    return np.memmap(path, dtype, "r", 8 + length + first, shape)
