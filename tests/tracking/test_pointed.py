"""Pointing at one of several people: who is meant, and that they are followed past the others."""

import numpy as np
import pytest
from filmed_duo import filmed_duo

from understudy.errors import UsageError
from understudy.poses import pose as p
from understudy.poses.pose import POINTS, Pose
from understudy.tracking.pointed import pointed_at, track_pointed


def standing(x, frames=4, gone=()):
    """Somebody 100 pixels high and 40 wide whose middle is at (x, 100)."""
    xy = np.zeros((frames, POINTS, 2), np.float32)
    xy[:, p.LEFT_SHOULDER], xy[:, p.RIGHT_ANKLE] = (x - 20, 50), (x + 20, 150)
    confidence = np.zeros((frames, POINTS), np.float32)
    confidence[:, [p.LEFT_SHOULDER, p.RIGHT_ANKLE]] = 1
    confidence[list(gone)] = 0
    return Pose(xy, confidence, (200, 300))


def test_who_stands_there_or_nearest_is_meant():
    people = [standing(60), standing(90), standing(240)]
    assert pointed_at(people, (45.0, 100.0), 0) == 0
    assert pointed_at(people, (74.0, 100.0), 0) == 0  # in both boxes: 60 is nearer
    assert pointed_at(people, (76.0, 100.0), 0) == 1
    assert pointed_at(people, (280.0, 100.0), 99) == 2  # 20 pixels beside, in the last frame
    with pytest.raises(UsageError, match="nobody was found where you pointed"):
        pointed_at(people, (290.0, 100.0), 0)  # 30 pixels are more than a quarter of the height


def test_who_is_not_there_then_is_not_meant():
    people = [standing(60, gone=[1]), standing(240)]
    assert pointed_at(people, (60.0, 100.0), 0) == 0
    with pytest.raises(UsageError, match="a clear frame"):
        pointed_at(people, (60.0, 100.0), 1)
    with pytest.raises(UsageError):
        pointed_at([], (60.0, 100.0), 0)


def test_whoever_was_pointed_at_is_followed_past_the_other(tmp_path):
    truth = filmed_duo(tmp_path / "duo.mp4")
    height, width = truth[0].size_hw
    last = len(truth[0]) - 1
    x, y = truth[1].xy[last, [p.LEFT_HIP, p.RIGHT_HIP]].mean(axis=0)
    at = (float(x) / width, float(y) / height)
    found = track_pointed(tmp_path / "duo.mp4", tmp_path / "one.performance", at, 1e3, landmarks="body")
    filmed = found.header.crop.inverse.of_pose(found.poses, found.header.original_size_hw)
    far = [np.abs(filmed.xy[[0, last], p.LEFT_HIP] - one.xy[[0, last], p.LEFT_HIP]).max() for one in truth]
    assert far[1] < 12 < far[0]
