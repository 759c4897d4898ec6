"""The first pass with a stand-in for the tracker: places in the whole picture, masks, samples, regions."""

import numpy as np
import pytest

from clips import number_of, numbered, write_clip
from understudy.media.reading import VideoReader
from understudy.performance import Crop
from understudy.poses import pose as p
from understudy.tracking.detection import Detection, Mask
from understudy.tracking.observe import SAMPLES, View, look_long_side, observe

SEEN = p.LEFT_WRIST


class Pointing:
    """Sees a left wrist at one place of whatever it is shown, guesses the rest far off, and misses some frames."""

    def __init__(self, place=(10.0, 7.0), misses=()):
        self.place, self.misses, self.shown = place, misses, []

    def __call__(self, frame):
        self.shown.append(frame.copy())
        if len(self.shown) - 1 in self.misses:
            return None
        xy, confidence = np.full((p.POINTS, 2), 999, np.float32), np.zeros(p.POINTS, np.float32)
        xy[SEEN], confidence[SEEN] = self.place, 0.8
        return Detection(xy, confidence, Mask(np.full(frame.shape[:2], len(self.shown), np.uint8)))


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        # the middle of a pixel of the half-size frame lies between two of the whole one
        pytest.param(None, (20.5, 14.5), id="the whole frame, shrunk by two"),
        pytest.param((32, 12, 64, 60), (52.5, 26.5), id="a part of it"),
    ],
)
def test_points_come_back_in_pixels_of_the_whole_picture(tmp_path, region, expected):
    clip = write_clip(tmp_path / "a.mp4", [numbered(k, (96, 128)) for k in range(4)])
    tracker = Pointing(misses=(2,))
    found = observe(VideoReader(clip, long_side=64), tracker, region)
    assert found.poses.size_hw == (96, 128) and len(found.poses) == 4
    assert found.poses.xy[[0, 1, 3], SEEN].tolist() == [list(expected)] * 3
    assert found.poses.confidence[:, SEEN].tolist() == pytest.approx([0.8, 0.8, 0, 0.8])
    others = np.arange(p.POINTS) != SEEN
    assert not found.poses.xy[:, others].any() and not found.poses.confidence[:, others].any()
    masks = list(found.masks)
    assert [None if mask is None else int(mask.values[0, 0]) for mask in masks] == [1, 2, None, 4]
    assert masks[0].values.shape == tracker.shown[0].shape[:2] == ((48, 64) if region is None else (30, 32))
    found.masks.close()


def test_samples_are_spread_over_the_clip_and_come_with_their_masks(tmp_path):
    clip = write_clip(tmp_path / "a.mp4", 3 * SAMPLES + 5)
    found = observe(VideoReader(clip), Pointing(), None)
    numbers = [number_of(sample.frame) for sample in found.samples]
    assert numbers == list(range(2, 3 * SAMPLES + 5, 3)) == [sample.number for sample in found.samples]
    assert [int(sample.mask.values[0, 0]) for sample in found.samples] == [number + 1 for number in numbers]


def test_a_view_is_cut_to_the_working_square_where_its_pixels_lie():
    """A bright pixel of the view, seen through the crop, lies where its place in the whole picture goes."""
    view = View.of((48, 64), (96, 128), (32, 12, 64, 60))
    mask = np.zeros((30, 32), np.uint8)
    mask[9:12, 14:17] = 255
    crop = Crop(0.5, (-10.25, -4.25))
    working = view.to_working(mask, crop, 32).astype(float)
    rows, columns = np.mgrid[:32, :32]
    middle = np.array([(working * columns).sum(), (working * rows).sum()]) / working.sum()
    whole = view.to_original(np.array([[15.0, 10.0]], np.float32))[0]
    np.testing.assert_allclose(middle, whole * crop.scale + crop.translation_xy, atol=0.05)


@pytest.mark.parametrize(
    ("original_hw", "region", "side"),
    [
        pytest.param((1080, 1920), None, 640, id="the longer side becomes 640"),
        pytest.param((1080, 1920), (0, 0, 960, 800), 1280, id="the region's longer side does"),
        pytest.param((480, 640), (0, 0, 100, 100), 640, id="nothing is enlarged"),
    ],
)
def test_frames_are_read_as_large_as_the_tracker_looks_at(original_hw, region, side):
    assert look_long_side(original_hw, region) == side
