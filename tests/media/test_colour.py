"""Pictures as they are meant to look: turned, and in the colours that the file stands for."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

import clips
from understudy.media.colour import RgbConverter
from understudy.media.info import TURNS
from understudy.media.reading import VideoReader


@pytest.mark.parametrize("turn", TURNS)
def test_the_eight_ways_to_show_a_picture_are_those_of_their_matrices(turn: str) -> None:
    stored = np.random.default_rng(0).integers(0, 256, (6, 10, 3), np.uint8)
    a, b, c, d = TURNS[turn]
    y, x = np.mgrid[:6, :10]
    across, down = a * x + c * y, b * x + d * y
    across, down = across - across.min(), down - down.min()
    expected = np.zeros((down.max() + 1, across.max() + 1, 3), np.uint8)
    expected[down, across] = stored
    convert = RgbConverter(expected.shape[:2], turn, (0, 0, 0))
    frame = av.VideoFrame.from_ndarray(stored, format="rgb24")
    assert np.array_equal(convert(frame), expected)


def test_ten_bits_are_converted(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "deep.mp4", 6, pixel_format="yuv420p10le", codec="libx264")
    reader = VideoReader(path)
    assert reader.info.pixel_format == "yuv420p10le"
    assert clips.numbers_of(reader) == list(range(6))


@pytest.mark.parametrize(("curve", "long_side"), [(16, None), (18, 32)], ids=["PQ", "HLG, shrunk"])
def test_hdr_is_converted_and_said(tmp_path: Path, curve: int, long_side: int | None) -> None:
    colours = [(128, 128, 128), (230, 230, 230), (200, 120, 90), (60, 140, 80), (50, 70, 190)]
    path = clips.write_clip(
        tmp_path / "hdr.mkv", [clips.hdr_frame(colour, curve) for colour in colours], codec="libx265",
        pixel_format="yuv420p10le", colour=(9, 1, 9, curve), array_format="rgb48le",
        options={"x265-params": "log-level=none", "crf": "5"},
    )  # fmt: skip
    reader = VideoReader(path, long_side=long_side)
    shown = [frame[16, 16] for frame in reader]
    assert np.abs(np.array(shown).astype(int) - colours).max() <= 12, shown
    assert reader.notes == [f"{path} is HDR: converted to BT.709, what is brighter than paper white is clipped"]


def test_wide_colours_are_converted(tmp_path: Path) -> None:
    green = np.full((64, 64, 3), (110, 160, 100), np.uint8)
    path = clips.write_clip(tmp_path / "wide.mp4", [green] * 2, colour=(9, 1, 9, 14), options={"crf": "5"})
    to_709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
    expected = np.clip(to_709 @ (green[0, 0] / 255) ** 2.4, 0, 1) ** (1 / 2.4) * 255
    assert np.abs(next(iter(VideoReader(path)))[20, 20] - expected).max() <= 12


@pytest.mark.parametrize("background", [(0, 0, 0), (10, 200, 30)])
def test_gif_lies_over_the_stated_colour(tmp_path: Path, background: tuple[int, int, int]) -> None:
    path = clips.write_gif(tmp_path / "a.gif", 12, hundredths=10)
    reader = VideoReader(path, alpha_background=background)
    frames = list(reader)
    assert reader.fps == 10 and len(frames) == reader.expected_frames == 12
    assert tuple(frames[3][20, 5]) == background
    assert tuple(frames[3][20, 60]) == (255, 0, 0)
    small = next(iter(VideoReader(path, alpha_background=background, long_side=32)))
    assert small.shape == (24, 32, 3) and tuple(small[10, 2]) == background


def test_untagged_small_video_is_taken_as_bt601(tmp_path: Path) -> None:
    red = np.zeros((48, 64, 3), np.uint8)
    red[:] = (255, 0, 0)
    path = clips.write_clip(tmp_path / "old.mp4", [red] * 2, options={"crf": "1"})  # swscale's own default: BT.601
    assert np.abs(next(iter(VideoReader(path)))[20, 20].astype(int) - (255, 0, 0)).max() <= 4


@pytest.mark.parametrize(("size_hw", "green"), [((718, 64), 0), ((720, 64), 24), ((64, 1278), 0), ((64, 1280), 24)])
def test_untagged_video_is_taken_as_bt709_from_720_lines_or_1280_columns_on(
    tmp_path: Path, size_hw: tuple[int, int], green: int
) -> None:
    """Red as BT.601 has it, Y 81, Cb 90, Cr 240, has some green in BT.709."""
    red = np.zeros((*size_hw, 3), np.uint8)
    red[:] = (255, 0, 0)
    path = clips.write_clip(tmp_path / "large.mp4", [red], options={"crf": "1", "preset": "ultrafast"})
    assert np.abs(next(iter(VideoReader(path)))[20, 20].astype(int) - (255, green, 0)).max() <= 4
