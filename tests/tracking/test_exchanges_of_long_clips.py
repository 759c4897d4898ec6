"""Each end of an exchange is judged by the frames about it, however long the clip: as by all of it, and as cheaply."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from understudy.tracking import exchanges
from understudy.tracking.exchanges import AROUND, _is_clear, _is_sudden, _near


@pytest.mark.parametrize("seed", range(4))
def test_what_is_near_says_the_same_as_the_whole_clip(seed):
    rng = np.random.default_rng(seed)
    xy = np.cumsum(rng.normal(0, 0.02, (60, 2, 2, 2)), axis=0) + np.array([0.0, 0.4])[:, None, None]
    frames = np.cumsum(rng.integers(1, 3, 60)).astype(np.intp)
    judged = set()
    for (a, b), exchanged in product([(0, 3), (1, 2), (5, 9), (20, 50), (57, 60), (58, 59)], (True, False)):
        seen = xy.copy()
        if exchanged:
            seen[a:b] = xy[a:b, ::-1]
        for end in (one for one in (a, b) if 0 < one < len(xy)):
            near = _near(seen, frames, end, (a, b))
            for fps in (Fraction(10), Fraction(30)):
                clear = _is_clear(seen, frames, end, (a, b), fps)
                assert _is_clear(*near, fps) == clear
                judged.add(clear)
            assert _is_sudden(*near) == _is_sudden(seen, frames, end, (a, b))
    assert judged == {True, False}


def test_no_more_is_looked_at_in_a_longer_clip(monkeypatch):
    looked_at = []
    clear = exchanges._is_clear
    monkeypatch.setattr(exchanges, "_is_clear", lambda xy, *rest: looked_at.append(len(xy)) or clear(xy, *rest))
    from understudy.poses.pose import Pose
    from understudy.synthetic.dances import FPS, dance_poses

    pose = dance_poses(1)
    xy, confidence = pose.xy.copy(), pose.confidence.copy()
    other = Pose(xy, confidence, pose.size_hw).sides_exchanged()
    for first in range(20, len(xy) - 3, 40):
        xy[first : first + 3] = other.xy[first : first + 3]
    exchanges.exchange_sides(Pose(xy, confidence, pose.size_hw), FPS, np.full(len(xy), 200.0))
    assert looked_at and max(looked_at) <= 6 * AROUND
