"""Pictures: round trips, sizes told before decoding, damage named."""

from __future__ import annotations

import os
import re
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

import clips
from understudy.errors import MediaError
from understudy.media.images import (
    announced_size_hw,
    check_size,
    composite,
    decoded_image,
    encoded_image,
    image_array,
    is_image,
    read_image,
    write_image,
)


def picture(channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (20, 31, channels), np.uint8)


def test_png_round_trip(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", picture())
    assert np.array_equal(read_image(tmp_path / "a.png"), picture())
    assert os.listdir(tmp_path) == ["a.png"]


def test_alpha_lies_over_the_stated_colour(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", picture(4))
    shown = read_image(tmp_path / "a.png", (10, 200, 30))
    assert np.array_equal(shown, composite(picture(4), (10, 200, 30)))
    alpha = picture(4)[:, :, 3:] / 255
    assert np.abs(shown - (picture(4)[:, :, :3] * alpha + (1 - alpha) * (10, 200, 30))).max() <= 0.51


def test_grey_and_jpeg(tmp_path: Path) -> None:
    grey = picture()[:, :, 0]
    write_image(tmp_path / "grey.png", grey)
    assert np.array_equal(read_image(tmp_path / "grey.png"), np.repeat(grey[:, :, None], 3, axis=2))
    smooth = cv2.GaussianBlur(picture(), (0, 0), 4)
    write_image(tmp_path / "a.jpg", smooth)
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - smooth).mean() < 3


def test_sixteen_bits_are_converted(tmp_path: Path) -> None:
    deep = picture().astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "deep.png"), deep[:, :, ::-1])
    assert np.array_equal(read_image(tmp_path / "deep.png"), picture())


def test_sixteen_bits_go_to_the_nearest_of_eight(tmp_path: Path) -> None:
    deep = np.arange(0, 65536, 16, dtype=np.uint16).reshape(64, 64)
    cv2.imwrite(str(tmp_path / "deep.png"), deep)
    assert np.array_equal(read_image(tmp_path / "deep.png")[..., 0], np.round(deep / 257))


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    smooth = cv2.GaussianBlur(picture(), (0, 0), 4)
    write_image(tmp_path / "a.jpg", smooth)
    data = (tmp_path / "a.jpg").read_bytes()
    orientation = b"II*\x00\x08\x00\x00\x00\x01\x00" + struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0) + bytes(4)
    segment = b"Exif\x00\x00" + orientation
    (tmp_path / "b.jpg").write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:])
    turned = read_image(tmp_path / "b.jpg")
    assert turned.shape == (31, 20, 3)
    assert np.abs(turned.astype(int) - np.rot90(read_image(tmp_path / "a.jpg"), -1)).max() <= 1


def _png(width: int, height: int, data: bytes = zlib.compress(b"")) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, b"IDAT" + data)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_a_chunk_that_announces_more_than_is_there_is_not_given_to_a_decoder(tmp_path, monkeypatch):
    whole = encoded_image(Path("a.png"), np.full((4, 5, 3), 7, np.uint8))
    at = whole.index(b"IDAT") - 4
    length = int.from_bytes(whole[at : at + 4], "big")
    (tmp_path / "a.png").write_bytes(whole[:at] + (length + 100).to_bytes(4, "big") + whole[at + 4 :])
    (tmp_path / "b.png").write_bytes(whole + b"more")
    assert (read_image(tmp_path / "b.png") == 7).all()
    monkeypatch.setattr(cv2, "imdecode", lambda *arguments: pytest.fail("OpenCV was asked"))
    with pytest.raises(MediaError, match=re.escape("a.png is damaged or cut off: it cannot be decoded")):
        read_image(tmp_path / "a.png")
    with pytest.raises(ValueError, match="damaged or too large"):
        decoded_image(np.fromfile(tmp_path / "a.png", np.uint8))


@pytest.mark.parametrize(("height", "width", "read"), [(8192, 8192, True), (8193, 9, False), (9, 8193, False),
                                                       (0, 9, False), (9, 0, False), (1, 1, True)])  # fmt: skip
def test_sides_of_up_to_8192_pixels_are_read(height: int, width: int, read: bool) -> None:
    if read:
        check_size(Path("a.png"), height, width)
        return
    with pytest.raises(MediaError, match=f"a.png has frames of {width}x{height} pixels; at most 8192x8192 are read"):
        check_size(Path("a.png"), height, width)


def _jpeg(width: int, height: int) -> bytes:
    frame = struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    scan = b"\xff\xda" + struct.pack(">H", 12) + b"\x03\x01\0\x02\x11\x03\x11\0\x3f\0"  # up to here Pillow 12 reads on
    return b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + bytes(14) + b"\xff\xc0" + frame + scan


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.png", _png(30000, 30000), "30000x30000 pixels; at most 8192x8192"),
        ("a.jpg", _jpeg(60000, 60000), "60000x60000 pixels; at most 8192x8192"),
        ("a.png", _png(10, 10), "damaged or cut off"),
        ("a.png", _png(10, 10)[:30], "damaged or cut off"),
        ("a.png", _png(0, 10), "damaged or cut off"),
        ("a.jpg", _jpeg(10, 10)[:25], "damaged or cut off"),
        ("a.png", b"hello", "not a PNG or JPEG"),
        ("a.png", b"", "not a PNG or JPEG"),
        ("a.gif", b"GIF89a\x05\x00\x05\x00", "not a PNG or JPEG"),
        ("a.png", None, "cannot read"),
    ],
    ids=["huge-png", "huge-jpeg", "cut", "cut-header", "no-width", "cut-jpeg", "text", "empty", "gif", "missing"],
)
def test_bad_pictures_give_one_line(tmp_path: Path, name: str, data: bytes | None, words: str) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(MediaError, match=words) as caught:
        read_image(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "image", "words"),
    [
        ("a.bmp", picture(), "written as .png or .jpg"),
        ("a.jpg", picture(4), "JPEG holds no transparency"),
        ("a.png", picture().astype(np.float32), "not float32"),
        ("a.png", picture(2), r"not uint8 of shape \(20, 31, 2\)"),
        ("a.png", np.zeros((0, 5, 3), np.uint8), r"not uint8 of shape \(0, 5, 3\)"),
    ],
)
def test_wrong_pictures_are_refused(tmp_path: Path, name: str, image: np.ndarray, words: str) -> None:
    with pytest.raises(MediaError, match=words):
        write_image(tmp_path / name, image)
    assert os.listdir(tmp_path) == []


def test_other_markers_of_a_jpeg_are_no_frames(tmp_path: Path) -> None:
    """Tables (C4), extensions (C8) and conditioning (CC) share the range of the markers that say a size."""
    others = b"".join(b"\xff" + bytes([marker]) + struct.pack(">H", 12) + b"\x77" * 10 for marker in (0xC4, 0xC8, 0xCC))
    data = _jpeg(31, 20)
    (tmp_path / "a.jpg").write_bytes(data[:20] + others + data[20:])
    assert announced_size_hw(tmp_path / "a.jpg") == (20, 31)


def test_a_gif_announces_its_height_and_width(tmp_path: Path) -> None:
    assert announced_size_hw(clips.write_gif(tmp_path / "a.gif")) == clips.SIZE_HW


def test_a_gif_is_as_large_as_its_screen_whatever_its_first_frame_says(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    frame = b"," + struct.pack("<HHHH", 0, 0, 60_000, 60_000) + b"\0"
    path.write_bytes(b"GIF89a" + struct.pack("<HH", 40, 30) + b"\0\0\0" + frame)
    assert announced_size_hw(path) == (30, 40)
    path.write_bytes(b"GIF89a\x28")
    assert announced_size_hw(path) is None


def test_sizes_and_kinds_by_the_first_bytes(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", picture())
    write_image(tmp_path / "a.jpg", picture())
    for name in ("a.png", "a.jpg"):
        assert announced_size_hw(tmp_path / name) == (20, 31)
        assert is_image(tmp_path / name)
    (tmp_path / "a.png").rename(tmp_path / "no_suffix")
    assert is_image(tmp_path / "no_suffix")
    (tmp_path / "text").write_text("hello")
    assert not is_image(tmp_path / "text") and announced_size_hw(tmp_path / "text") is None
    assert not is_image(tmp_path / "missing.png") and not is_image(tmp_path)


def test_jpegs_whose_size_comes_late(tmp_path: Path) -> None:
    """Behind filling bytes, or behind more than a megabyte of a camera's own notes."""
    write_image(tmp_path / "a.jpg", picture())
    data = (tmp_path / "a.jpg").read_bytes()
    notes = b"\xff\xe3" + struct.pack(">H", 60_002) + bytes(60_000)
    for between in (b"\xff\xff\xff", notes * 20):
        (tmp_path / "b.jpg").write_bytes(data[:2] + between + data[2:])
        assert announced_size_hw(tmp_path / "b.jpg") == (20, 31)
        assert np.array_equal(read_image(tmp_path / "b.jpg"), read_image(tmp_path / "a.jpg"))


@pytest.mark.parametrize("channels", [(), (3,), (4,)])
def test_a_picture_among_arrays_comes_back_as_it_was(channels):
    picture = np.random.default_rng(0).integers(0, 256, (7, 9, *channels)).astype(np.uint8)
    data = image_array(picture)
    assert data.ndim == 1 and np.array_equal(decoded_image(data), picture)
    for damaged in (data[:0], data[:20], data[: len(data) // 2], np.zeros(50, np.uint8)):
        with pytest.raises(ValueError, match="a picture is damaged"):
            decoded_image(damaged)


def test_a_picture_among_arrays_that_is_too_large_is_not_decoded(monkeypatch):
    data = image_array(np.zeros((1, 8193), np.uint8))
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(ValueError, match="too large"):
        decoded_image(data)
