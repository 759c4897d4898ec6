"""Pictures as they are shown: turned as the file says, and further as it is asked for."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

import clips
from understudy.media.info import BY_DEGREES, TURNS, turned_further
from understudy.media.reading import VideoReader, probe


@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
def test_rotation_is_applied(tmp_path: Path, rotation: int) -> None:
    stored = np.zeros((48, 64, 3), np.uint8)
    stored[:24, :32] = (250, 20, 20)
    stored[24:, 32:] = (20, 20, 250)
    path = clips.write_clip(tmp_path / "turned.mp4", [stored] * 3, rotation=rotation)
    frame = next(iter(VideoReader(path)))
    expected = np.rot90(stored, rotation // 90)  # both count anticlockwise
    assert frame.shape == expected.shape
    assert np.abs(frame.astype(int) - expected).mean() < 8
    info = probe(path)
    assert info.rotation == -rotation % 360
    assert info.size_hw == expected.shape[:2]
    small = next(iter(VideoReader(path, long_side=32)))
    assert small.shape == (expected.shape[0] // 2, expected.shape[1] // 2, 3)


@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
@pytest.mark.parametrize("rotate", [90, 180, 270])
def test_what_is_asked_for_turns_further(tmp_path: Path, rotation: int, rotate: int) -> None:
    pictures = [np.roll(clips.numbered(k), 5 * k, 1) for k in range(8)]
    path = clips.write_clip(tmp_path / "turned.mp4", pictures, 10, rotation=rotation)
    with VideoReader(path, start=0.2, long_side=60) as plain, VideoReader(path, start=0.2, rotate=rotate) as turned:
        whole = list(VideoReader(path, start=0.2))
        assert plain.rotate == 0 and turned.rotate == rotate
        for before, after in zip(whole, turned, strict=True):
            np.testing.assert_array_equal(after, np.rot90(before, -rotate // 90))
    small = VideoReader(path, long_side=60, rotate=rotate)
    assert next(iter(small)).shape[:2] == small.size_hw == (plain.size_hw if rotate == 180 else plain.size_hw[::-1])
    info, before = probe(path, rotate), probe(path)
    assert info.rotation == (before.rotation + rotate) % 360 and info.stored_hw == before.stored_hw
    assert info.size_hw == turned.size_hw


def test_turning_a_mirrored_picture_further_is_another_of_the_eight_ways() -> None:
    picture = np.arange(6).reshape(2, 3)
    shown = {
        "none": picture, "clockwise": np.rot90(picture, -1), "half": np.rot90(picture, 2),
        "anticlockwise": np.rot90(picture), "mirror": picture[:, ::-1], "flip": picture[::-1],
        "transpose": picture.T, "transverse": np.rot90(picture, 2).T,
    }  # fmt: skip
    assert shown.keys() == TURNS.keys()
    for turn, before in shown.items():
        for degrees in BY_DEGREES:
            after = shown[turned_further(turn, degrees)]
            np.testing.assert_array_equal(after, np.rot90(before, -degrees // 90), err_msg=f"{turn}, {degrees}")


def test_a_rotation_in_the_tags_is_applied(tmp_path: Path) -> None:
    """What files have that were made before the display matrix was."""
    path = tmp_path / "tagged.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.height, stream.width = clips.SIZE_HW
        stream.metadata["rotate"] = "90"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(clips.numbered(5), format="rgb24")))
        container.mux(stream.encode(None))
    assert (probe(path).rotation, probe(path).size_hw) == (90, clips.SIZE_HW[::-1])
    shown = next(iter(VideoReader(path)))
    assert np.abs(shown.astype(int) - np.rot90(clips.numbered(5), -1)).mean() < 8
