"""Metadata in the pictures of other programs: JPEG and WebP, whole, cut off, with other parts before and after."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

import understudy
from understudy.marks import xmp
from understudy.marks.statement import VOCABULARY

SAID = f'<x:xmpmeta><a Iptc4xmpExt:DigitalSourceType="{VOCABULARY}trainedAlgorithmicMedia"/></x:xmpmeta>'
OTHER = f'<a Iptc4xmpExt:DigitalSourceType="{VOCABULARY}digitalCapture"/>'
HEADER = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
EXIF = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"


def picture(kind, **options):
    stream = io.BytesIO()
    Image.fromarray(np.full((24, 33, 3), 90, np.uint8)).save(stream, kind, **options)
    return stream.getvalue()


def segment(content, marker=0xE1):
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg(*segments):
    """One of Pillow's, with segments after its first marker."""
    plain = picture("JPEG")
    return plain[:2] + b"".join(segments) + plain[2:]


def chunk(name, content):
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def webp(*chunks):
    """One of Pillow's, with chunks after the last."""
    content = picture("WEBP")[8:] + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def found(folder, content):
    (folder / "given").write_bytes(content)
    return xmp.found_in(folder / "given")


@pytest.mark.parametrize("packet", [SAID, SAID + " "], ids=["odd" if len(SAID) % 2 else "even", "one more"])
def test_what_pillow_writes_and_reads_is_found(tmp_path, packet):
    assert found(tmp_path, picture("WEBP", xmp=packet.encode())) == packet
    content = jpeg(segment(HEADER + packet.encode()))
    assert found(tmp_path, content) == packet
    assert Image.open(io.BytesIO(content)).info["xmp"] == packet.encode()


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_pictures_without_it_have_none(tmp_path, kind):
    assert found(tmp_path, picture(kind)) is None


@pytest.mark.parametrize(
    "segments",
    [
        [segment(EXIF), segment(HEADER + SAID.encode())],
        [segment(HEADER + SAID.encode()), segment(HEADER + OTHER.encode())],
        [segment(EXTENDED + b"0" * 40 + OTHER.encode()), segment(HEADER + SAID.encode())],
        [segment(HEADER + OTHER.encode(), marker=0xE2), segment(HEADER + SAID.encode())],
        [segment(HEADER[:9]), segment(b""), b"\xff\x01", b"\xff\xff\xff" + segment(HEADER + SAID.encode())],
    ],
    ids=["EXIF before", "the first of two", "extended before", "not APP1", "short, alone, filled up"],
)
def test_the_first_segment_of_xmp_counts(tmp_path, segments):
    assert found(tmp_path, jpeg(*segments)) == SAID


def test_what_comes_after_the_picture_has_begun_is_none_of_it(tmp_path):
    plain = picture("JPEG")
    scan = plain.rindex(b"\xff\xda")
    assert found(tmp_path, plain[:scan] + segment(HEADER + SAID.encode()) + plain[scan:]) == SAID
    assert found(tmp_path, plain + segment(HEADER + SAID.encode())) is None
    assert found(tmp_path, plain[:2] + b"\xff\xd9" + segment(HEADER + SAID.encode())) is None


def test_the_first_chunk_of_xmp_counts_and_after_an_odd_one_comes_a_filler(tmp_path):
    chunks = chunk(b"EXIF", b"odd"), chunk(b"XMP ", SAID.encode()), chunk(b"XMP ", OTHER.encode())
    assert found(tmp_path, webp(*chunks)) == SAID


@pytest.mark.parametrize("content", [jpeg(segment(HEADER + SAID.encode())), webp(chunk(b"XMP ", SAID.encode()))])
def test_cut_anywhere_it_is_whole_or_not_there(tmp_path, content):
    ends = content.index(SAID.encode()) + len(SAID)
    told = {end: found(tmp_path, content[:end]) for end in range(len(content) + 1)}
    assert {end for end, packet in told.items() if packet == SAID} == set(range(ends, len(content) + 1))
    assert set(told.values()) == {None, SAID}


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8\xff\xe1\0\0" + HEADER, b"\xff\xd8\xff\xe1\0\1" + HEADER, b"\xff\xd8\xff\xe1\xff\xff" + HEADER,
        b"\xff\xd8\xff" + b"\0" * 50, b"\xff\xd8\xff\xff\xff\xff", b"RIFF\0\0\0\0WEBPXMP \xff\xff\xff\xff<a/>",
        b"RIFF\0\0\0\0WEBPVP8 \xff\xff\xff\xff", b"RIFF\0\0\0\0WEBP",
    ],
)  # fmt: skip
def test_lengths_that_are_none_end_the_look(tmp_path, content):
    assert found(tmp_path, content) is None


def test_few_parts_and_few_bytes_are_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(xmp, "MOST_PARTS", 20)
    last, chunked = segment(HEADER + SAID.encode()), chunk(b"XMP ", SAID.encode())
    assert found(tmp_path, jpeg(*[segment(b"")] * 19, last)) == SAID
    assert found(tmp_path, jpeg(*[segment(b"")] * 20, last)) is None
    assert found(tmp_path, jpeg(b"\xff" * 20, last)) is None
    assert found(tmp_path, webp(*[chunk(b"none", b"")] * 18, chunked)) == SAID
    assert found(tmp_path, webp(*[chunk(b"none", b"")] * 19, chunked)) is None
    monkeypatch.setattr(xmp, "MOST_BYTES", len(SAID) - 1)
    assert found(tmp_path, webp(chunked)) is None


def test_the_source_type_may_stand_in_a_resource():
    assert xmp.source_type('<a:DigitalSourceType\n rdf:resource="http://x/y"/>') == "http://x/y"
    assert xmp.source_type("DigitalSourceType" + " " * xmp.MOST_BYTES) is None  # and at once


@pytest.mark.parametrize("sandbox", [True, False])
def test_verify_says_it_of_both(tmp_path, sandbox):
    files = {
        "said.jpg": jpeg(segment(EXIF), segment(HEADER + SAID.encode())),
        "said.webp": webp(chunk(b"XMP ", SAID.encode())),
        "camera.jpg": jpeg(segment(HEADER + OTHER.encode())),
        "plain.jpg": jpeg(),
        "cut.jpg": jpeg(segment(HEADER + SAID.encode()))[:120],
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    marks = understudy.verify([tmp_path / name for name in files], sandbox=sandbox).files
    verdicts = [one.verdict for one in marks]
    assert verdicts == ["generated", "generated", "otherwise", "unmarked", "unmarked"]
    assert "metadata (XMP): trainedAlgorithmicMedia" in str(marks[0])
