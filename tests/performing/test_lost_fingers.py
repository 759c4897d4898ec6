"""A hand whose fingers are lost for a moment neither jumps straight nor back."""

from fractions import Fraction

import numpy as np
import pytest

from understudy.conditioning.bent_hands import FINGERTIPS
from understudy.conditioning.limb_warps import LOWER_ARMS, with_made_up_points
from understudy.performing.lost_fingers import fingers_held
from understudy.poses.pose import Pose

FPS = Fraction(10)  # a bend is held for six frames
ARMS = pytest.mark.parametrize("arm", LOWER_ARMS, ids=["right", "left"])


def turned(angle, length):
    return length * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])


def waving(arm, bends, forearms=None):
    """(T, 133): a forearm of 20 pixels with a hand of 8, bent by so many degrees; None where its fingers are lost."""
    frames = len(bends)
    forearms = [0.0] * frames if forearms is None else forearms
    xy, confidence = np.zeros((frames, 133, 2), np.float32), np.zeros((frames, 133), np.float32)
    for t, (bend, forearm) in enumerate(zip(bends, forearms, strict=True)):
        xy[t, arm.elbow] = 40
        xy[t, arm.wrist] = 40 + turned(forearm, 20)
        confidence[t, [arm.elbow, arm.wrist]] = 1
        if bend is not None:
            xy[t, arm.fingers] = xy[t, arm.wrist] + turned(forearm + bend, 8)
            confidence[t, arm.fingers] = 1
    return Pose(xy, confidence, (80, 80))


def bends_of(pose, arm):
    """(T,) degrees by which hands are seen to bend."""
    points, _ = with_made_up_points(pose.xy, pose.confidence)
    hand, forearm = points[:, arm.tip] - points[:, arm.wrist], points[:, arm.wrist] - points[:, arm.elbow]
    return np.degrees(np.arctan2(hand[:, 1], hand[:, 0]) - np.arctan2(forearm[:, 1], forearm[:, 0]))


@ARMS
def test_between_two_moments_a_hand_goes_from_one_bend_to_the_other(arm):
    pose = waving(arm, [40, None, None, None, 20])
    found = bends_of(fingers_held(pose, FPS, "limb-warp"), arm)
    assert found[0] == pytest.approx(40, abs=0.1) and found[4] == pytest.approx(20, abs=0.1)
    assert (np.diff(found) < 0).all() and np.abs(np.diff(found)).max() < 8
    assert found[2] == pytest.approx(30, abs=0.5)
    assert bends_of(pose, arm)[2] == pytest.approx(0, abs=0.1)  # as it was


@ARMS
def test_a_hand_that_stays_lost_becomes_straight_within_the_time(arm):
    pose = waving(arm, [None] * 9 + [60] + [None] * 9)
    found = bends_of(fingers_held(pose, FPS, "copy-then-refine"), arm)
    assert found[[0, 1, 2, 3, 15, 16, 17, 18]] == pytest.approx([0] * 8, abs=0.1)
    assert np.abs(np.diff(found)).max() < 20 and (np.diff(found[3:10]) > 0).all() and (np.diff(found[9:16]) < 0).all()
    np.testing.assert_allclose(found[:9], found[:9:-1], atol=1e-3)


@ARMS
def test_a_bend_goes_along_with_the_forearm(arm):
    pose = waving(arm, [40, None, None, 40], forearms=[0, 60, 120, 180])
    held = fingers_held(pose, FPS, "limb-warp")
    points, _ = with_made_up_points(held.xy, held.confidence)
    for t, forearm in ((1, 60), (2, 120)):
        np.testing.assert_allclose(points[t, arm.tip] - points[t, arm.wrist], turned(forearm + 40, 8), atol=0.05)


@ARMS
def test_what_is_seen_and_who_has_no_forearm_stays_as_it_is(arm):
    pose = waving(arm, [40, None, 30, None])
    pose.confidence[1, arm.elbow] = 0
    held = fingers_held(pose, FPS, "limb-warp")
    for t in (0, 1, 2):
        np.testing.assert_array_equal(held.xy[t], pose.xy[t])
        np.testing.assert_array_equal(held.confidence[t], pose.confidence[t])
    put = [arm.fingers.start + finger for finger in FINGERTIPS]
    assert np.flatnonzero(held.confidence[3] != pose.confidence[3]).tolist() == put
    assert not pose.xy[3, put].any()  # a copy was changed


@ARMS
def test_nothing_is_held_where_nothing_is_lost_or_seen_or_played(arm):
    for bends, recipe in (([40, 30], "limb-warp"), ([None, None], "limb-warp"), ([40, None], "everybody-dance-now")):
        pose = waving(arm, bends)
        assert fingers_held(pose, FPS, recipe) is pose
