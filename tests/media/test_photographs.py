"""Photographs as people have them."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageCms

import clips
from understudy.errors import MediaError
from understudy.media.images import read_image
from understudy.media.photographs import is_photograph, read_photograph


def smooth(height=24, width=40):
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 6, y * 10, 255 - x * 5], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "avif", "bmp", "tiff"])
def test_common_formats(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(smooth()).save(path, **({"quality": 95} if suffix in ("jpg", "webp", "avif") else {}))
    assert is_photograph(path)
    assert np.abs(read_photograph(path).astype(int) - smooth()).mean() < 4
    path.rename(tmp_path / "nameless")
    assert is_photograph(tmp_path / "nameless")


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize(
    ("orientation", "stored"),
    [
        (1, lambda shown: shown),
        (2, lambda shown: shown[:, ::-1]),
        (3, lambda shown: shown[::-1, ::-1]),
        (6, lambda shown: np.rot90(shown, 1)),
        (8, lambda shown: np.rot90(shown, -1)),
    ],
)
def test_the_exif_tag_turns_it(tmp_path, suffix, orientation, stored):
    picture = Image.fromarray(np.ascontiguousarray(stored(smooth())))
    exif = picture.getexif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{suffix}"
    picture.save(path, exif=exif, **({} if suffix == "png" else {"quality": 95}))
    assert np.abs(read_photograph(path).astype(int) - smooth()).mean() < 4


def test_transparency_is_laid_over_grey(tmp_path):
    shown = np.dstack([smooth(), np.zeros((24, 40), np.uint8)])
    shown[:, 20:, 3] = 255
    Image.fromarray(shown).save(tmp_path / "a.png")
    read = read_photograph(tmp_path / "a.png")
    assert (read[:, :20] == 128).all() and np.array_equal(read[:, 20:], smooth()[:, 20:])


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "CMYK", "I;16"])
def test_other_modes_become_rgb(tmp_path, mode):
    grey = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (24, 1))
    picture = Image.fromarray(grey)
    if mode == "I;16":
        picture = Image.fromarray(grey.astype(np.uint16) * 257)
    elif mode == "P":
        picture = Image.fromarray(np.repeat(grey[..., None], 3, 2)).quantize(64)
    elif mode == "CMYK":
        picture = Image.fromarray(np.repeat(grey[..., None], 3, 2)).convert("CMYK")
    else:
        picture = picture.convert(mode)
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    picture.save(path)
    read = read_photograph(path)
    assert read.shape == (24, 40, 3) and read.dtype == np.uint8
    assert read[:, 2:5].mean() < 60 and read[:, -5:-2].mean() > 195


def test_a_profile_is_converted(tmp_path):
    """In a Lab profile the same numbers are other colours."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    plain = Image.fromarray(smooth())
    plain.save(tmp_path / "plain.png", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert np.abs(read_photograph(tmp_path / "plain.png").astype(int) - smooth()).max() <= 2
    plain.save(tmp_path / "odd.png", icc_profile=profile)  # a profile for other channels is left alone
    assert np.array_equal(read_photograph(tmp_path / "odd.png"), smooth())
    plain.save(tmp_path / "damaged.png", icc_profile=b"no profile")
    assert np.array_equal(read_photograph(tmp_path / "damaged.png"), smooth())


def test_of_an_animation_the_first_picture_is_taken(tmp_path, caplog):
    first, second = Image.fromarray(smooth()), Image.fromarray(255 - smooth())
    first.save(tmp_path / "a.webp", save_all=True, append_images=[second], lossless=True)
    assert np.array_equal(read_photograph(tmp_path / "a.webp"), smooth())
    assert "animated: its first picture is taken" in caplog.text


def test_videos_and_gifs_are_no_photographs(tmp_path):
    assert not is_photograph(clips.write_clip(tmp_path / "a.mp4", 3))
    assert not is_photograph(clips.write_gif(tmp_path / "a.gif"))
    assert not is_photograph(tmp_path) and not is_photograph(tmp_path / "gone.jpg")


@pytest.mark.parametrize(
    ("name", "words"),
    [("cut.jpg", "damaged or cut off"), ("text.jpg", "no picture of a kind"), ("empty.png", "no picture of a kind"),
     ("gone.jpg", "cannot read"), ("huge.png", "30000x2 pixels; at most 8192x8192"),
     ("a.heic", "pip install pillow-heif")],
)  # fmt: skip
def test_what_cannot_be_read_is_one_line(tmp_path: Path, monkeypatch, name, words):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = tmp_path / name
    if name == "cut.jpg":
        Image.fromarray(smooth(200, 200)).save(path)
        path.write_bytes(path.read_bytes()[:700])
    elif name == "huge.png":
        Image.new("RGB", (30000, 2)).save(path)
    elif name != "gone.jpg":
        path.write_bytes({"text.jpg": b"hello", "empty.png": b"", "a.heic": b"\0\0\0\x18ftypheic" + bytes(8)}[name])
    with pytest.raises(MediaError, match=words) as caught:
        read_photograph(path)
    assert "\n" not in str(caught.value)


def test_heic_is_read_by_its_package(tmp_path, monkeypatch):
    called = []
    fake = SimpleNamespace(register_heif_opener=lambda: called.append(True))
    monkeypatch.setitem(sys.modules, "pillow_heif", fake)
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(8))
    assert is_photograph(tmp_path / "a.heic")
    with pytest.raises(MediaError):
        read_photograph(tmp_path / "a.heic")
    assert called


def test_it_reads_what_the_other_reader_reads(tmp_path):
    Image.fromarray(smooth()).save(tmp_path / "a.jpg", quality=95)
    difference = read_photograph(tmp_path / "a.jpg").astype(int) - read_image(tmp_path / "a.jpg")
    assert np.abs(difference).max() <= 3
