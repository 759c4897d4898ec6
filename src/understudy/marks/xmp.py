"""XMP metadata that says how a file came to be (ISO 16684-1; IPTC Photo Metadata "Digital Source Type").

Editors and catalogues read it, and every remux or upload may drop it; nothing in it is signed.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr

from understudy.marks.statement import PROGRAM, Statement

PNG_KEYWORD = "XML:com.adobe.xmp"
TAG = "xmp"
"""name of the tag in Matroska and WebM, which have no place of their own for it"""
MOST_BYTES = 1 << 20
MOST_PARTS = 10_000
"""of a JPEG or WebP file that are looked at"""
PNG_BEGINS, JPEG_BEGINS = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
"""of a box with XMP (XMP specification part 3, MPEG-4)"""
_SEGMENT = b"http://ns.adobe.com/xap/1.0/\0"
"""with which a JPEG's segment of XMP begins (the same, JPEG)"""
_APP1, _END_OF_IMAGE, _START_OF_SCAN = 0xE1, 0xD9, 0xDA
_ALONE = {0x01, *range(0xD0, 0xD9)}
"""markers of a JPEG file that no length follows"""
_BEGIN, _END = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>', '<?xpacket end="r"?>'
_SOURCE_TYPE = re.compile(r"""DigitalSourceType(?:\s+rdf:resource)?\s*(?:=\s*["']|>\s*)(?P<type>[^"'<\s]+)""")


def packet(statement: Statement) -> str:
    """The metadata as one packet of XML."""
    return (
        f'{_BEGIN}<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        f"xmp:CreatorTool={quoteattr(f'{PROGRAM} {statement.version}')} "
        f"Iptc4xmpExt:DigitalSourceType={quoteattr(statement.source_type)}>"
        f'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{escape(statement.comment)}</rdf:li></rdf:Alt>'
        f"</dc:description></rdf:Description></rdf:RDF></x:xmpmeta>{_END}"
    )


def append_box(file: Path, xmp: str) -> None:
    """Adds a packet to an MP4 or QuickTime file, as a last box, which moves nothing else."""
    data = xmp.encode()
    with open(file, "ab") as stream:
        stream.write(struct.pack(">I4s", 24 + len(data), b"uuid") + _UUID + data)


def source_type(xmp: str) -> str | None:
    """The IPTC's address for how a file came to be, from a packet of anybody's; None if it does not say."""
    found = _SOURCE_TYPE.search(xmp)
    return found["type"] if found else None


def found_in(file: Path) -> str | None:
    """The packet in a PNG, JPEG, WebP, MP4 or QuickTime file; None without one, and for files of other kinds."""
    with open(file, "rb") as stream:
        head = stream.read(12)
        stream.seek(0)
        if head.startswith(PNG_BEGINS):
            return _in_png(stream)
        if head.startswith(JPEG_BEGINS):
            return _in_jpeg(stream)
        return _in_webp(stream) if is_webp(head) else _in_boxes(stream)


def is_webp(head: bytes) -> bool:
    """Whether these are the first twelve bytes of a WebP file."""
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _in_png(stream: BinaryIO) -> str | None:
    stream.seek(len(PNG_BEGINS))
    while len(head := stream.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        if name != b"iTXt" or length > MOST_BYTES:
            stream.seek(length + 4, 1)
            continue
        keyword, _, rest = stream.read(length).partition(b"\0")
        stream.seek(4, 1)
        if keyword == PNG_KEYWORD.encode():  # then whether it is compressed, how, its language and keyword
            text = rest[2:].split(b"\0", 2)[-1]
            return (_inflated(text) if rest[:1] == b"\1" else text).decode(errors="replace")
    return None


def _inflated(text: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(text, MOST_BYTES)
    except zlib.error:
        return b""


def _in_jpeg(stream: BinaryIO) -> str | None:
    """Before the picture itself, where the standard has it; what does not fit into one segment is not put together."""
    at = 2
    for _ in range(MOST_PARTS):
        stream.seek(at)
        head = stream.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (_START_OF_SCAN, _END_OF_IMAGE):
            return None
        if head[1] == 0xFF:  # filled up with it
            at += 1
        elif head[1] in _ALONE:
            at += 2
        else:
            length = int.from_bytes(head[2:], "big")  # its own two bytes are counted
            if length < 2:
                return None
            if head[1] == _APP1 and stream.read(min(len(_SEGMENT), length - 2)) == _SEGMENT:
                return _whole(stream, length - 2 - len(_SEGMENT))
            at += 2 + length
    return None


def _in_webp(stream: BinaryIO) -> str | None:
    at = 12
    for _ in range(MOST_PARTS):
        stream.seek(at)
        head = stream.read(8)
        if len(head) < 8:
            return None
        name, length = struct.unpack("<4sI", head)
        if name == b"XMP ":
            return _whole(stream, length) if length <= MOST_BYTES else None
        at += 8 + length + length % 2  # chunks begin at even places
    return None


def _whole(stream: BinaryIO, length: int) -> str | None:
    """So many bytes as text; None where the file ends before: half an address would be another."""
    data = stream.read(length)
    return data.decode(errors="replace") if len(data) == length else None


def _in_boxes(stream: BinaryIO) -> str | None:
    """Of the boxes of the file itself; those within others are not looked at."""
    for name, length in boxes(stream):
        if name == b"uuid" and 16 <= length <= MOST_BYTES and stream.read(16) == _UUID:
            return stream.read(length - 16).decode(errors="replace")
    return None


def boxes(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Name and length of the content of each box of a file, where the stream then stands; ends where there is none."""
    size, at = stream.seek(0, 2), 0
    while at + 8 <= size:
        stream.seek(at)
        length, name = struct.unpack(">I4s", stream.read(8))
        begun = 8
        if length == 1 and at + 16 <= size:
            length, begun = struct.unpack(">Q", stream.read(8))[0], 16
        if length < begun:  # 0: up to the end; else it is no box
            return
        yield name, length - begun
        at += length
