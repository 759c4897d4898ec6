"""Bones of the VMC protocol as points: forward kinematics by hand."""

import math

import numpy as np
import pytest

from understudy.poses import pose as p
from understudy.streaming.osc import Message, OscError
from understudy.streaming.vmc import FINGERS, PHALANGES, PIXELS, USUAL, VmcPoses, places, rotation

NONE, STRAIGHT = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)
HALF = math.sqrt(0.5)
AROUND_Z, AROUND_Y = (0.0, 0.0, HALF, HALF), (0.0, HALF, 0.0, HALF)
"""a quarter turn"""


def bone(name, position=NONE, turned=STRAIGHT, what="Bone"):
    return Message(f"/VMC/Ext/{what}/Pos", (name, *map(float, position), *map(float, turned)))


END = Message("/VMC/Ext/T", (1.0,))


@pytest.fixture
def vmc():
    put = []
    receive = VmcPoses(put.append)
    receive.put = put
    return receive


def at(pose, point):
    """Metres in Unity's world."""
    x, y = pose.xy[0, point]
    return (640 - x) / PIXELS, (660 - y) / PIXELS


def test_a_quarter_turn_of_every_axis():
    assert rotation(np.array(STRAIGHT)) == pytest.approx(np.eye(3))
    assert rotation(np.array(AROUND_Z)) @ (1, 0, 0) == pytest.approx((0, 1, 0))
    assert rotation(np.array(AROUND_Y)) @ (1, 0, 0) == pytest.approx((0, 0, -1))
    assert rotation(np.array((HALF, 0, 0, HALF))) @ (0, 1, 0) == pytest.approx((0, 0, 1))


def test_an_arm_by_hand(vmc):
    vmc(
        [
            bone("Hips", (0, 1, 0)),
            bone("Spine", (0, 0.5, 0)),
            bone("LeftUpperArm", (-0.2, 0, 0), AROUND_Z),  # hangs from the spine: all between is not sent
            bone("LeftLowerArm", (-0.3, 0, 0), AROUND_Z),
            bone("LeftHand", (-0.25, 0, 0)),
            END,
        ]
    )
    (pose,) = vmc.put
    # turned by a quarter, -x points to -y; by two quarters to +x
    assert at(pose, p.LEFT_SHOULDER) == pytest.approx((-0.2, 1.5), abs=1e-4)
    assert at(pose, p.LEFT_ELBOW) == pytest.approx((-0.2, 1.2), abs=1e-4)
    assert at(pose, p.LEFT_WRIST) == pytest.approx((0.05, 1.2), abs=1e-4)
    assert pose.confidence[0, [p.LEFT_SHOULDER, p.LEFT_ELBOW, p.LEFT_WRIST]].tolist() == [1, 1, 1]
    assert (pose.confidence > 0).sum() == 3


def test_the_left_of_who_faces_the_camera_is_on_the_right_of_the_picture(vmc):
    vmc([bone("Hips", (0, 1, 0)), bone("LeftUpperLeg", (-0.1, 0, 0)), bone("RightUpperLeg", (0.1, 0, 0)), END])
    xy = vmc.put[0].xy[0]
    assert xy[p.LEFT_HIP] == pytest.approx([670, 360]) and xy[p.RIGHT_HIP] == pytest.approx([610, 360])


def test_the_root_moves_and_turns_all_of_it(vmc):
    vmc([bone("root", (2, 0.5, 0), AROUND_Y, what="Root"), bone("Hips", (0, 1, 0)), bone("LeftUpperLeg", (-0.1, 0, 0))])
    vmc([Message("/VMC/Ext/OK", (1,))])
    assert at(vmc.put[0], p.LEFT_HIP) == pytest.approx((2, 1.5), abs=1e-4)  # it looks to a side: its hip is behind


def test_a_body_of_usual_proportions_where_only_rotations_are_sent(vmc):
    vmc([*(bone(name) for name in USUAL), END])
    pose = vmc.put[0]
    assert at(pose, p.LEFT_ANKLE) == pytest.approx((-0.09, 0.95 - 0.03 - 0.42 - 0.42), abs=1e-4)
    assert at(pose, p.RIGHT_WRIST) == pytest.approx((0.03 + 0.14 + 0.27 + 0.25, 0.95 + 0.34 + 0.1), abs=1e-4)
    assert at(pose, p.NOSE) == pytest.approx((0, 0.95 + 0.34 + 0.14 + 0.1 + 0.04), abs=1e-4)
    assert pose.confidence[0, [*range(17), p.LEFT_BIG_TOE]].tolist() == [1.0] * 18
    assert not pose.confidence[0, [p.LEFT_HEEL, p.LEFT_SMALL_TOE, 30, 95]].any()


def test_usual_lengths_of_bones_that_are_not_sent_are_bridged():
    found = places({name: (np.zeros(3), np.eye(3)) for name in ("Hips", "Spine", "Head")}, (np.zeros(3), np.eye(3)))
    assert found["Head"][0] == pytest.approx((0, 0.95 + 0.1 + 0.12 + 0.12 + 0.14 + 0.1, 0))


def test_a_larger_head_has_its_nose_farther_before_it(vmc):
    vmc([*(bone(name, 2 * np.array(place)) for name, place in USUAL.items()), END])
    assert at(vmc.put[0], p.NOSE)[1] == pytest.approx(2 * (0.95 + 0.34 + 0.14 + 0.1 + 0.04), abs=1e-4)


def test_fingers_are_there_where_all_are_sent(vmc):
    fingers = [
        bone(f"Right{finger}{part}", (0.08 if part == "Proximal" else 0.03, 0, 0))
        for finger in FINGERS
        for part in PHALANGES
    ]
    vmc([bone("Hips", (0, 1, 0)), bone("RightHand", (0.7, 0, 0)), *fingers, END])
    hand = slice(p.RIGHT_HAND.start, p.RIGHT_HAND.stop)
    assert vmc.put[0].confidence[0, hand].all()
    index = [at(vmc.put[0], p.RIGHT_HAND.start + joint)[0] for joint in (0, 5, 6, 7, 8)]
    assert index == pytest.approx([0.7, 0.78, 0.81, 0.84, 0.855], abs=1e-4)
    other = VmcPoses(got := [])
    other._put = got.append
    other([bone("Hips", (0, 1, 0)), bone("RightHand", (0.7, 0, 0)), *fingers[1:], END])
    assert not got[0].confidence[0, hand].any()


def test_without_time_a_frame_ends_when_a_bone_comes_again(vmc):
    for number in range(3):
        vmc([bone("Hips", (number, 1, 0)), bone("LeftFoot", (0, -0.9, 0))])
    assert [at(pose, p.LEFT_ANKLE)[0] for pose in vmc.put] == pytest.approx([0, 1], abs=1e-4)
    vmc([END])
    vmc([END])  # nothing new came
    assert len(vmc.put) == 3


def test_what_else_is_sent_is_passed_over(vmc):
    vmc([Message("/VMC/Ext/Blend/Val", ("A", 1.0)), bone("Tail", (0, 1, 0)), bone("root", what="Root"), END])
    assert not vmc.put


@pytest.mark.parametrize(
    "arguments",
    [
        ("Hips", 0.0, 1.0, 0.0),
        (1.0, 0.0, 1.0, 0.0, *STRAIGHT),
        ("Hips", math.nan, 1.0, 0.0, *STRAIGHT),
        ("Hips", 0.0, math.inf, 0.0, *STRAIGHT),
        ("Hips", 0.0, 1e30, 0.0, *STRAIGHT),
        ("Hips", 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        ("Hips", 0.0, 1.0, 0.0, 9.0, 0.0, 0.0, 1.0),
        ("Hips", "0", 1.0, 0.0, *STRAIGHT),
        ("Hips", b"0", 1.0, 0.0, *STRAIGHT),
        (),
    ],
)
def test_a_bone_that_makes_no_sense_is_refused(vmc, arguments):
    for what in ("Bone", "Root"):
        with pytest.raises(OscError):
            vmc([bone("LeftFoot", (0, 1, 0)), Message(f"/VMC/Ext/{what}/Pos", arguments)])
        vmc([END])
    assert not vmc.put
