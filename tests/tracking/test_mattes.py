"""Where mattes come from: whose mask is taken, and how a video of mattes is fitted to the picture."""

import numpy as np
import pytest

from clips import write_clip
from understudy.errors import MediaError
from understudy.tracking import mattes
from understudy.tracking.detection import Detection, Mask

HERE = np.array([[10.0, 10], [12, 20], [14, 30]], np.float32)
LEFT, RIGHT = (np.where(np.arange(64) < 32, *sides).astype(np.uint8) * np.ones((64, 1), np.uint8)
               for sides in ((255, 0), (0, 255)))  # fmt: skip


class Follower:
    """Stands in for MediaPipe's pose network: finds the mask it is told, or nobody."""

    mask: "np.ndarray | None" = None
    found = True

    def __call__(self, frame):
        mask = None if self.mask is None else Mask(self.mask)
        return Detection(np.zeros((133, 2)), np.zeros(133), mask) if self.found else None

    def close(self):
        self.found = None


class Anybody(Follower):
    def __call__(self, frame):
        return np.full((64, 64), 77, np.uint8)


@pytest.mark.parametrize(
    ("mask", "found", "expected"),
    [
        pytest.param(LEFT, True, LEFT, id="this person's mask"),
        pytest.param(RIGHT, True, None, id="somebody else's"),
        pytest.param(None, True, None, id="no mask"),
        pytest.param(LEFT, False, None, id="nobody found"),
    ],
)
def test_a_mask_counts_when_it_covers_the_person(monkeypatch, mask, found, expected):
    monkeypatch.setattr(mattes, "BlazePoseTracker", type("Told", (Follower,), {"mask": mask, "found": found}))
    monkeypatch.setattr(mattes, "SelfieSegmenter", Anybody)
    segmenter = mattes.CropSegmenter()
    taken = segmenter(np.zeros((64, 64, 3), np.uint8), HERE)
    assert np.array_equal(taken, np.full((64, 64), 77) if expected is None else expected)
    segmenter.close()


def bars(count, size_hw=(96, 128)):
    """Mattes of an upright bar that moves on by eight pixels of 128 a frame."""
    height, width = size_hw
    for number in range(count):
        picture = np.zeros((height, width, 3), np.uint8)
        picture[:, (8 * number) * width // 128 : (8 * number + 16) * width // 128] = 255
        yield picture


def left_edges(given, count):
    """In pixels of the whole picture, of a working square of (8, 16, 64) shown as 32 pixels."""
    for _ in range(count):
        row = given(np.zeros((32, 32, 3), np.uint8), None)[0][16]
        yield 8 + 2 * int(np.flatnonzero(row > 127)[0])


@pytest.mark.parametrize("size_hw", [(96, 128), (48, 64), (192, 256)], ids=["as large", "half as large", "twice"])
def test_a_video_of_mattes_is_cut_like_the_picture_whatever_its_size(tmp_path, size_hw):
    path = write_clip(tmp_path / "mattes.mp4", list(bars(8, size_hw)), 10)
    given = mattes.GivenMatte(path, (8, 16, 64), (96, 128), None, None, False, 0)
    assert list(left_edges(given, 7)) == pytest.approx([8, 8, 16, 24, 32, 40, 48], abs=2)
    given.close()


def test_a_video_of_mattes_begins_and_ends_with_the_part_that_is_tracked(tmp_path):
    path = write_clip(tmp_path / "mattes.mp4", list(bars(8)), 10)
    given = mattes.GivenMatte(path, (8, 16, 64), (96, 128), 0.3, 0.6, False, 0)
    assert list(left_edges(given, 3)) == pytest.approx([24, 32, 40], abs=2)
    given.check_end()
    assert list(left_edges(given, 1)) == pytest.approx([40], abs=2)  # a frame more is held
    with pytest.raises(MediaError, match="shorter than the video"):
        list(left_edges(given, 1))


def test_a_matte_of_another_shape_is_refused(tmp_path):
    path = write_clip(tmp_path / "mattes.mp4", list(bars(2, (96, 96))), 10)
    with pytest.raises(MediaError, match="is 96x96 and the video 128x96: a matte must have the shape of its video"):
        mattes.GivenMatte(path, (8, 16, 64), (96, 128), None, None, False, 0)
