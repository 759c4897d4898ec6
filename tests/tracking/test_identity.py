from fractions import Fraction

import numpy as np
import pytest

from understudy.poses import pose as p
from understudy.poses.pose import Pose
from understudy.tracking.identity import same_person

FPS = Fraction(30)


def walk(xs, trunk=60.0, lost=()):
    """A trunk 60 pixels long whose middle is at each x."""
    xs = np.asarray(xs, float)
    xy = np.zeros((len(xs), p.POINTS, 2), np.float32)
    confidence = np.zeros((len(xs), p.POINTS), np.float32)
    corners = ((p.LEFT_SHOULDER, 1, -1), (p.RIGHT_SHOULDER, -1, -1), (p.LEFT_HIP, 1, 1), (p.RIGHT_HIP, -1, 1))
    for point, side, down in corners:
        xy[:, point, 0] = xs + side * np.asarray(trunk) / 4
        xy[:, point, 1] = 200 + down * np.asarray(trunk) / 2
        confidence[:, point] = 1
    confidence[list(lost)] = 0
    return Pose(xy, confidence, (400, 1000))


@pytest.mark.parametrize(
    ("poses", "other"),
    [
        pytest.param(walk(np.linspace(100, 400, 50)), [], id="one walker"),
        pytest.param(walk([100] * 30 + [700] * 10), range(30, 40), id="jump at the end"),
        pytest.param(walk([700] * 10 + [100] * 30), range(10), id="jump at the start"),
        pytest.param(walk([100] * 20 + [700] * 10 + [110] * 15), range(20, 30), id="there and back"),
        pytest.param(walk([100] * 20 + [300] * 20, lost=range(15, 25)), [], id="moved on while unseen"),
        pytest.param(walk([100] * 20 + [900] * 10, lost=range(18, 22)), range(22, 30), id="too far while unseen"),
        pytest.param(walk([100] * 30, trunk=[60.0] * 20 + [20.0] * 10, lost=[19]), range(20, 30), id="another size"),
        pytest.param(walk([100] * 30, trunk=[60.0] * 20 + [20.0] * 10), [], id="a bow seen from the front"),
        pytest.param(walk([100] * 10 + [700] * 10 + [110] * 25), range(10, 20), id="there before the longest run too"),
        pytest.param(walk([100] * 110 + [900] * 10, lost=range(20, 110)), range(110, 120), id="waited for in vain"),
        pytest.param(walk([100] * 110 + [700] * 10, lost=range(20, 110)), [], id="as far as a second's sprint"),
        pytest.param(walk([100] * 3, lost=range(3)), [], id="nobody"),
    ],
)
def test_frames_of_somebody_else_are_dropped(poses, other):
    kept, dropped = same_person(poses, FPS)
    np.testing.assert_array_equal(np.flatnonzero(dropped), list(other))
    np.testing.assert_array_equal(kept.found, poses.found & ~dropped)
    np.testing.assert_array_equal(kept.xy, poses.xy)
