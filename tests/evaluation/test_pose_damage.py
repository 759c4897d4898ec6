"""Damaged poses, against values worked out by hand."""

import numpy as np
import pytest

from understudy.errors import PoseError
from understudy.evaluation import pose_damage
from understudy.poses import pose as p
from understudy.poses.pose import Pose

DAMAGES = [pose_damage.dropped, pose_damage.jittered, pose_damage.swapped, pose_damage.stretched]
PLACES = {
    p.NOSE: (50, 10), p.LEFT_EYE: (52, 8), p.RIGHT_EYE: (48, 8), p.LEFT_EAR: (54, 9), p.RIGHT_EAR: (46, 9),
    p.LEFT_SHOULDER: (60, 30), p.RIGHT_SHOULDER: (40, 30), p.LEFT_ELBOW: (70, 45), p.RIGHT_ELBOW: (30, 45),
    p.LEFT_WRIST: (80, 60), p.RIGHT_WRIST: (20, 60), p.LEFT_HIP: (55, 70), p.RIGHT_HIP: (45, 70),
    p.LEFT_KNEE: (56, 100), p.RIGHT_KNEE: (44, 100), p.LEFT_ANKLE: (57, 130), p.RIGHT_ANKLE: (43, 130),
}  # fmt: skip
"""someone of a torso of 40 pixels who faces the camera"""


def standing(frames: int = 1) -> Pose:
    """All points of a hand, a foot or a face a pixel to the right of what they hang on."""
    xy = np.zeros((frames, p.POINTS, 2), np.float32)
    for joint, place in PLACES.items():
        xy[:, joint] = place
    for points, carrier in (
        (p.FACE, p.NOSE), (p.LEFT_HAND, p.LEFT_WRIST), (p.RIGHT_HAND, p.RIGHT_WRIST),
        (slice(17, 20), p.LEFT_ANKLE), (slice(20, 23), p.RIGHT_ANKLE),
    ):  # fmt: skip
        xy[:, points] = xy[:, [carrier]] + (1, 0)
    return Pose(xy, np.full((frames, p.POINTS), 0.75, np.float32), (160, 100))


def rng():
    return np.random.default_rng(3)


class Scripted:
    """Stands in for a generator: hands out what it is given, broadcast to what is asked for."""

    def __init__(self, *arrays):
        self.arrays = list(arrays)

    def random(self, shape):
        return np.broadcast_to(self.arrays.pop(0), shape)

    standard_normal = random


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda d: d.__name__)
def test_dose_0_changes_nothing_exactly(damage):
    noise = np.random.default_rng(0)
    xy = noise.normal(50, 30, (40, p.POINTS, 2)).astype(np.float32)
    pose = Pose(xy, noise.random((40, p.POINTS)).astype(np.float32), (160, 100))
    same = damage(pose, 0.0, rng())
    assert np.array_equal(same.xy, pose.xy) and np.array_equal(same.confidence, pose.confidence)
    assert same.size_hw == pose.size_hw


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda d: d.__name__)
def test_the_same_generator_gives_the_same_damage_and_the_given_pose_stays(damage):
    pose = standing(30)
    before = pose.xy.copy(), pose.confidence.copy()
    one, again = damage(pose, 0.3, rng()), damage(pose, 0.3, rng())
    other = damage(pose, 0.3, np.random.default_rng(4))
    assert np.array_equal(one.xy, again.xy) and np.array_equal(one.confidence, again.confidence)
    assert not (np.array_equal(one.xy, other.xy) and np.array_equal(one.confidence, other.confidence))
    assert np.array_equal(pose.xy, before[0]) and np.array_equal(pose.confidence, before[1])


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda d: d.__name__)
def test_a_clip_without_frames_is_none_afterwards(damage):
    if damage is pose_damage.jittered:
        with pytest.raises(PoseError, match="none of 0 frames"):
            damage(standing(0), 0.1, rng())
    else:
        assert len(damage(standing(0), 0.1, rng())) == 0


def test_a_joint_is_lost_in_runs_and_takes_along_what_hangs_on_it():
    begins = np.ones((6, 17))
    begins[[0, 2, 4]] = 0  # three runs of two frames
    value = np.ones((6, 17))
    value[2, p.LEFT_WRIST] = 0.1  # the second run of the left wrist
    value[3, p.RIGHT_KNEE] = 0.1  # not the first frame of a run: is not looked at
    value[4, p.NOSE] = 0.29
    out = pose_damage.dropped(standing(6), 0.3, Scripted(begins, value))
    lost = np.zeros((6, p.POINTS), bool)
    lost[2:4, p.LEFT_WRIST] = lost[2:4, p.LEFT_HAND] = True
    lost[4:6, p.NOSE] = lost[4:6, p.FACE] = True
    assert np.array_equal(out.confidence, np.where(lost, 0, np.float32(0.75)))
    assert np.array_equal(out.xy, standing(6).xy)


@pytest.mark.parametrize("share", [0.1, 0.4, 0.8])
def test_as_many_joints_are_lost_as_asked_for(share):
    lost = pose_damage.dropped(standing(4000), share, rng()).confidence[:, p.BODY] == 0
    assert lost.mean() == pytest.approx(share, abs=0.015)
    runs = (lost[1:] & ~lost[:-1]).sum() + lost[0].sum()
    assert lost.sum() / runs == pytest.approx(pose_damage.LOST_FOR / (1 - share), rel=0.05)


def test_a_larger_dose_loses_and_swaps_more_of_the_same():
    pose = standing(200)
    few, many = (pose_damage.dropped(pose, share, rng()).confidence == 0 for share in (0.1, 0.3))
    assert (few <= many).all() and few.sum() < many.sum()
    few, many = ((pose_damage.swapped(pose, share, rng()).xy != pose.xy).any((1, 2)) for share in (0.2, 0.5))
    assert (few <= many).all() and few.sum() < many.sum()


def test_with_dose_1_nobody_is_left_or_every_frame_is_swapped():
    assert not pose_damage.dropped(standing(5), 1.0, rng()).found.any()
    out = pose_damage.swapped(standing(5), 1.0, rng())
    assert (out.xy[:, p.LEFT_WRIST] == (20, 60)).all()


def test_a_swapped_frame_has_left_on_the_right_but_for_the_face():
    pose = standing(3)
    confidence = pose.confidence.copy()
    confidence[:, p.LEFT_KNEE] = 0.25
    pose = Pose(pose.xy, confidence, pose.size_hw)
    out = pose_damage.swapped(pose, 0.5, Scripted([[0], [0], [0]], [[0.9], [0.4], [0.5]]))
    assert np.array_equal(out.xy[[0, 2]], pose.xy[[0, 2]])
    exchanged = pose.sides_exchanged()
    kept = slice(0, p.FACE.start), slice(p.FACE.stop, None)
    for points in kept:
        assert np.array_equal(out.xy[1, points], exchanged.xy[1, points])
        assert np.array_equal(out.confidence[1, points], exchanged.confidence[1, points])
    assert np.array_equal(out.xy[1, p.FACE], pose.xy[1, p.FACE])
    assert tuple(out.xy[1, p.LEFT_ANKLE]) == (43, 130) and out.confidence[1, p.RIGHT_KNEE] == 0.25
    assert tuple(out.xy[1, p.LEFT_HAND.start]) == (21, 60) and tuple(out.xy[1, p.NOSE]) == (50, 10)


def test_jitter_is_a_share_of_the_torso():
    error = np.zeros((1, 17, 2))
    error[0, p.RIGHT_WRIST] = (1, -2)
    out = pose_damage.jittered(standing(), 0.1, Scripted(error))  # the torso is 40 pixels long
    assert tuple(out.xy[0, p.RIGHT_WRIST]) == (24, 52)
    assert tuple(out.xy[0, p.RIGHT_HAND.start]) == (25, 52)
    untouched = [i for i in range(p.POINTS) if i != p.RIGHT_WRIST and not p.RIGHT_HAND.start <= i < p.RIGHT_HAND.stop]
    assert np.array_equal(out.xy[0, untouched], standing().xy[0, untouched])
    errors = pose_damage.jittered(standing(2000), 0.05, rng()).xy[:, p.BODY] - standing(2000).xy[:, p.BODY]
    assert errors.std(axis=(0, 1)) == pytest.approx([2, 2], rel=0.03)


def test_a_stretched_limb_moves_what_hangs_on_it():
    only = np.ones((1, len(pose_damage.LIMBS)))
    only[0, pose_damage.LIMBS.index((p.LEFT_SHOULDER, p.LEFT_ELBOW))] = 0  # drawn longer; all others shorter
    out = pose_damage.stretched(standing(), 0.25, Scripted(np.zeros((1, 1)), only))
    neck = np.array([50, 70 - 40 / 1.25])
    shoulder = neck + np.array([10, 0]) / 1.25
    elbow = shoulder + 1.25 * np.array([10, 15])
    wrist = elbow + np.array([10, 15]) / 1.25
    for joint, place in ((p.LEFT_SHOULDER, shoulder), (p.LEFT_ELBOW, elbow), (p.LEFT_WRIST, wrist)):
        assert out.xy[0, joint] == pytest.approx(place, abs=1e-4)
    assert out.xy[0, p.LEFT_HAND] == pytest.approx(np.tile(wrist + np.array([1, 0]), (21, 1)), abs=1e-4)
    nose = neck + np.array([0, -20]) / 1.25
    assert out.xy[0, p.NOSE] == pytest.approx(nose, abs=1e-4)
    for joint in (p.LEFT_EYE, p.RIGHT_EAR):
        assert out.xy[0, joint] == pytest.approx(nose + np.subtract(PLACES[joint], PLACES[p.NOSE]), abs=1e-4)
    knee = np.array([50, 70]) + np.array([-5, 0]) / 1.25 + np.array([-1, 30]) / 1.25
    assert out.xy[0, p.RIGHT_KNEE] == pytest.approx(knee, abs=1e-4)
    assert out.xy[0, p.BODY][[p.LEFT_HIP, p.RIGHT_HIP]].mean(axis=0) == pytest.approx([50, 70], abs=1e-4)
    assert np.array_equal(out.confidence, standing().confidence)


def test_a_limb_whose_end_is_not_seen_keeps_its_length():
    pose = standing()
    confidence = pose.confidence.copy()
    confidence[0, p.LEFT_ELBOW] = 0
    pose = Pose(pose.xy, confidence, pose.size_hw)
    out = pose_damage.stretched(pose, 0.5, rng())
    moved = out.xy[0] - pose.xy[0]
    assert moved[p.LEFT_WRIST] == pytest.approx(moved[p.LEFT_SHOULDER], abs=1e-4)
    assert np.abs(moved[p.LEFT_SHOULDER]).max() > 1


def test_all_limbs_change_their_lengths_at_once():
    out = pose_damage.stretched(standing(500), 0.2, rng())
    changes = np.abs(np.diff(out.xy[:, p.BODY], axis=0)).max(axis=(1, 2)) > 1e-3
    assert changes.sum() == pytest.approx(500 / pose_damage.STRETCHED_FOR, abs=10)


@pytest.mark.parametrize(
    ("damage", "dose", "message"),
    [
        (pose_damage.dropped, 1.5, r"share must lie in \[0, 1\], not 1.5"),
        (pose_damage.dropped, float("nan"), r"not nan"),
        (pose_damage.swapped, -0.1, r"share must lie in \[0, 1\], not -0.1"),
        (pose_damage.jittered, -1, "deviation must be at least 0, not -1"),
        (pose_damage.stretched, float("inf"), "factor must be at least 0, not inf"),
    ],
    ids=["too much lost", "nan", "below 0", "jitter", "stretch"],
)
def test_impossible_doses_are_refused(damage, dose, message):
    with pytest.raises(ValueError, match=message):
        damage(standing(), dose, rng())


def test_jitter_needs_a_torso():
    pose = standing()
    blind = Pose(pose.xy, np.zeros_like(pose.confidence), pose.size_hw)
    with pytest.raises(PoseError, match="none of 1 frames shows both shoulders"):
        pose_damage.jittered(blind, 0.1, rng())
