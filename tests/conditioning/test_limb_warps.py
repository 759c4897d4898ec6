"""What one limb's transform does along it, across it and to the trunk's width; its use is in the recipe's tests."""

import numpy as np
import pytest

from tiny import STANDING
from understudy.conditioning import limb_warps as warps
from understudy.poses.pose import LEFT_EAR, LEFT_EYE, NOSE, RIGHT_EAR, RIGHT_EYE, Pose

SIZE = 64
FOREARM = [part.name for part in warps.PARTS].index("right forearm")


def points(**moved):
    """The standing figure with joints (OpenPose-18 numbers) moved by shares of the side: (139, 2) pixels."""
    xy = STANDING.copy()
    for joint, shift in moved.items():
        xy[int(joint[1:])] += shift
    pose = Pose.from_openpose18((xy[None] * SIZE).astype(np.float32), np.ones((1, 18), np.float32), (SIZE, SIZE))
    return warps.with_made_up_points(pose.xy, pose.confidence)[0][0]


def moved(transform, place):
    return transform[:, :2] @ place + transform[:, 2]


def test_what_lies_beside_a_limb_lies_as_far_beside_it_after_a_turn():
    """The forearm swings by a quarter: skin three pixels to its side stays three pixels to the same side."""
    here = points(j4=(-0.08, -0.11))
    there = points()
    transform = warps.part_transforms(here, there, SIZE)[FOREARM]
    elbow, wrist = warps.PARTS[FOREARM].joints
    for place, to in ((elbow, there[elbow]), (wrist, there[wrist])):
        np.testing.assert_allclose(moved(transform, here[place]), to, atol=1e-3)
    along, target = ((pose[wrist] - pose[elbow]) / np.linalg.norm(pose[wrist] - pose[elbow]) for pose in (here, there))
    beside, wanted = (3 * np.array([-direction[1], direction[0]]) for direction in (along, target))
    np.testing.assert_allclose(moved(transform, here[elbow] + beside) - there[elbow], wanted, atol=1e-3)


@pytest.mark.parametrize(("longer", "stretch"), [(2.0, 2.0), (2.4, 2.4), (3.0, warps.MOST_STRETCH)])
def test_a_limb_is_drawn_out_by_no_more_than_would_smear(longer, stretch):
    elbow, wrist = warps.PARTS[FOREARM].joints
    short, long = points(), points()
    short[wrist] = short[elbow] + (0, 10)
    long[wrist] = long[elbow] + (0, 10 * longer)
    out = warps.part_transforms(short, long, SIZE)[FOREARM]
    back = warps.part_transforms(long, short, SIZE)[FOREARM]
    np.testing.assert_allclose(out[:, :2] @ (0, 1), (0, stretch), atol=1e-4)
    np.testing.assert_allclose(back[:, :2] @ (0, 1), (0, 1 / stretch), atol=1e-4)
    np.testing.assert_allclose(out[:, :2] @ (1, 0), (1, 0), atol=1e-4)  # its thickness stays


def test_a_trunk_that_turns_changes_its_width_and_not_its_height():
    front = points()
    side = points(j2=(0.09, 0), j5=(-0.09, 0), j8=(0.045, 0), j11=(-0.045, 0))  # shoulders and hips a tenth as wide
    transform = warps.part_transforms(side, front, SIZE)[warps.TRUNK]
    height = np.linalg.norm(front[warps.NECK] - front[warps.PELVIS])
    mean_width = (0.2 + 0.1) / 2 * SIZE  # of shoulders and hips
    depth = warps.DEPTH * height
    np.testing.assert_allclose(transform[:, :2] @ (0, 1), (0, 1), atol=1e-3)
    np.testing.assert_allclose(
        transform[:, :2] @ (1, 0), (np.hypot(mean_width, depth) / np.hypot(0.1 * mean_width, depth), 0), rtol=1e-3
    )
    for end in (warps.NECK, warps.PELVIS):
        np.testing.assert_allclose(moved(transform, side[end]), front[end], atol=1e-3)


def turned_head(angle):
    """One frame of 133 points with a head seen from `angle` degrees beside its front, ears 0.15 apart, and confidence.

    Across, down and forward from the middle of the ears; heads of the same build as those the guesses are fitted to.
    """
    head = {
        NOSE: (0, 0.02, 0.125), LEFT_EYE: (0.0375, -0.02, 0.085), RIGHT_EYE: (-0.0375, -0.02, 0.085),
        LEFT_EAR: (0.075, 0, 0), RIGHT_EAR: (-0.075, 0, 0), warps.LEFT_JAW: (0.07, 0.02, 0), 5: (0.2, 0.2, -0.01),
        warps.RIGHT_JAW: (-0.07, 0.02, 0), 6: (-0.2, 0.2, -0.01),
    }  # fmt: skip
    xy, confidence = np.zeros((133, 2), np.float32), np.zeros(133, np.float32)
    for index, (across, down, forward) in head.items():
        xy[index] = 100 * (np.cos(angle) * across + np.sin(angle) * forward) + 100, 100 * down + 100
        confidence[index] = 1
    return xy, confidence


@pytest.mark.parametrize("angle", np.radians([-60, -30, 0, 30, 60]))
@pytest.mark.parametrize(
    ("lost", "within"),
    [
        ((LEFT_EAR, warps.LEFT_JAW, warps.RIGHT_JAW), 0.5),
        ((RIGHT_EAR, warps.LEFT_JAW, warps.RIGHT_JAW), 0.5),
        ((LEFT_EAR, LEFT_EYE), 1.5),
        ((RIGHT_EAR, RIGHT_EYE, warps.RIGHT_JAW), 7.6),  # an ear alone is half an ear's distance off
        ((LEFT_EAR, RIGHT_EAR), 2.5),
        ((LEFT_EAR, RIGHT_EAR, warps.LEFT_JAW), 4.0),
    ],
)
def test_a_lost_ear_hardly_moves_the_middle_of_the_ears(angle, lost, within):
    xy, confidence = turned_head(angle)
    whole, _ = warps.with_made_up_points(xy, confidence)
    xy[list(lost)], confidence[list(lost)] = 0, 0
    points, seen = warps.with_made_up_points(xy, confidence)
    assert seen[[warps.EARS, warps.CROWN]].all()
    assert np.linalg.norm(points[warps.EARS] - whole[warps.EARS]) < within


def test_each_frame_of_a_sequence_takes_the_best_guess_that_it_has():
    frames = [turned_head(0.4) for _ in range(3)]
    xy, confidence = (np.stack(values) for values in zip(*frames, strict=True))
    confidence[1, LEFT_EAR] = 0
    confidence[2] = 0
    points, seen = warps.with_made_up_points(xy, confidence)
    assert seen[:, warps.EARS].tolist() == [True, True, False]
    one, _ = warps.with_made_up_points(xy[1], confidence[1])
    np.testing.assert_allclose(points[1], one)
