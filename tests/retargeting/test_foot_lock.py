"""Feet that stand stay where they landed, and nothing else is touched."""

import math

import numpy as np
import pytest

from understudy.poses import pose as p
from understudy.poses.pose import Pose
from understudy.retargeting.foot_lock import FADE_SECONDS, LEGS, MOST, FootLock

HEIGHT, STEP = 100.0, 0.05
LEFT, RIGHT = [p.LEFT_ANKLE, p.LEFT_HEEL, p.LEFT_BIG_TOE], [p.RIGHT_ANKLE, p.RIGHT_HEEL, p.RIGHT_BIG_TOE]


def standing(left=(40.0, 90.0), right=(60.0, 90.0), toes=True):
    """Somebody with both feet there, as one pose; knees 25 pixels above them."""
    xy, confidence = np.zeros((1, 133, 2), np.float32), np.zeros((1, 133), np.float32)
    xy[0, [p.LEFT_HIP, p.RIGHT_HIP]] = (45, 40), (55, 40)
    for leg, (x, y) in zip(LEGS, (left, right), strict=True):
        xy[0, list(leg)] = (x, y - 25), (x, y - 3), (x - 2, y), (x + 2, y), (x + 2, y)
        confidence[0, list(leg[: 5 if toes else 2])] = 1
    confidence[0, [p.LEFT_HIP, p.RIGHT_HIP]] = 1
    return Pose(xy, confidence, (100, 100))


def stood(lock, **where):
    """After a second of standing."""
    for _ in range(20):
        out = lock(standing(**where), STEP)
    return out


@pytest.mark.parametrize("toes", [True, False])
def test_a_standing_foot_stays_where_it_landed_and_the_knee_goes_half_of_the_way(toes):
    lock = FootLock(HEIGHT)
    assert np.array_equal(stood(lock, toes=toes).xy, standing().xy)
    came = standing(left=(40.2, 90.1), toes=toes)
    out = lock(came, STEP)
    feet = LEFT if toes else [p.LEFT_ANKLE]
    assert lock.standing == (True, True)
    assert out.xy[0, feet] == pytest.approx(standing().xy[0, feet], abs=1e-4)
    assert out.xy[0, p.LEFT_KNEE] - came.xy[0, p.LEFT_KNEE] == pytest.approx([-0.1, -0.05], abs=1e-4)
    untouched = [point for point in range(133) if point not in LEGS[0]]
    assert np.array_equal(out.xy[0, untouched], came.xy[0, untouched])
    assert np.array_equal(out.confidence, came.confidence) and out.size_hw == (100, 100)


def test_who_flies_is_as_they_came():
    lock = FootLock(HEIGHT)
    for number in range(20):  # two body heights a second
        came = standing(left=(40 + 10 * number, 90), right=(60 + 10 * number, 80))
        assert np.array_equal(lock(came, STEP).xy, came.xy)
    assert lock.standing == (False, False)


def test_a_foot_that_leaves_comes_back_to_itself_little_by_little():
    lock = FootLock(HEIGHT)
    stood(lock)
    lock(standing(left=(41.0, 90)), 0.2)  # 0.05 body heights a second: it slid by one pixel
    for number in (1, 2, 3):
        came = standing(left=(41 + 20 * number, 90))
        moved = (lock(came, STEP).xy - came.xy)[0, p.LEFT_ANKLE]
        assert moved == pytest.approx([-math.exp(-number * STEP / FADE_SECONDS), 0], abs=1e-3)
    assert lock.standing == (False, True)


def test_a_foot_that_steps_slowly_is_not_held_back_by_more_than_allowed():
    lock = FootLock(HEIGHT)
    stood(lock)
    for number in range(1, 60):  # a tenth of a body height a second
        came = standing(left=(40 + 0.5 * number, 90))
        moved = (lock(came, STEP).xy - came.xy)[0, p.LEFT_ANKLE]
    assert moved == pytest.approx([-MOST * HEIGHT, 0], abs=1e-3)


def test_a_foot_that_is_held_still_in_the_air_is_not_standing():
    lock = FootLock(HEIGHT)
    stood(lock, left=(40.0, 70.0))
    assert lock.standing == (False, True)


def test_a_foot_lands_only_when_it_is_slow_and_leaves_only_when_it_is_quick():
    lock = FootLock(HEIGHT)
    between = 0.2 * HEIGHT * STEP  # body heights a second: between the two
    for number in range(40):
        lock(standing(left=(40 + between * number, 90)), STEP)
    assert lock.standing == (False, True)
    lock = FootLock(HEIGHT)
    stood(lock)
    for number in range(5):
        lock(standing(left=(40 + between * number, 90)), STEP)
    assert lock.standing == (True, True)


def test_another_way_to_see_a_foot_is_no_step_and_nothing_is_remembered_over_a_leap():
    lock = FootLock(HEIGHT)
    stood(lock)
    came = standing(left=(40.4, 90), toes=False)  # the ankle alone is seen: three pixels above heel and toe
    moved = (lock(came, STEP).xy - came.xy)[0, p.LEFT_ANKLE]
    assert np.abs(moved).max() < 0.01
    stood(lock)
    lock.begin()
    came = standing(left=(40.5, 90))
    assert np.array_equal(lock(came, STEP).xy, came.xy)


def test_who_has_no_feet_is_as_they_came():
    nobody = Pose(np.zeros((1, 133, 2), np.float32), np.zeros((1, 133), np.float32), (10, 10))
    assert np.array_equal(FootLock(0.0)(nobody, 0.0).xy, nobody.xy)
