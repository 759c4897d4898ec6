from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from understudy.body.skeleton import (
    CANONICAL_BODY,
    INDEX,
    forward_kinematics,
    lowest_sole,
    rest_positions,
)
from understudy.errors import UsageError
from understudy.synthetic.motion import Motion, choreography

SEEDS = (0, 3, 8)


def placed(motion: Motion) -> np.ndarray:
    """(T, joints, 3) metres in the room, as an average body does the motion."""
    world, position = forward_kinematics(motion.rotations, motion.grip, rest_positions(CANONICAL_BODY))
    shift = motion.path * CANONICAL_BODY.leg
    shift[:, 1] -= lowest_sole(world, position, CANONICAL_BODY)
    return position + shift[:, None]


def bend(places: np.ndarray, *joints: str) -> np.ndarray:
    """(T,) degrees by which the limb is bent at the second of three joints; 0 = straight."""
    first, second, third = (places[:, INDEX[joint]] for joint in joints)
    one, two = second - first, third - second
    cosine = (one * two).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(two, axis=1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_choreography_is_made_of_rotations_and_is_the_same_again(seed: int) -> None:
    motion = choreography(seed, 3, 30)
    assert len(motion) == 90 and motion.fps == Fraction(30)
    identity = motion.rotations @ np.swapaxes(motion.rotations, -1, -2)
    np.testing.assert_allclose(identity, np.broadcast_to(np.eye(3), identity.shape), atol=1e-4)
    assert (np.linalg.det(motion.rotations) > 0).all()
    assert motion.grip.min() >= 0 and motion.grip.max() <= 1
    again = choreography(seed, 3, 30)
    assert np.array_equal(motion.rotations, again.rotations) and np.array_equal(motion.path, again.path)
    assert not np.array_equal(motion.rotations, choreography(seed + 100, 3, 30).rotations)


@pytest.mark.parametrize("fps", [Fraction(15), Fraction(30000, 1001), Fraction(60)], ids=str)
def test_any_rate_samples_the_same_dance(fps: Fraction) -> None:
    fine, motion = placed(choreography(4, 4, 120)), placed(choreography(4, 4, fps))
    assert len(motion) == round(4 * fps)
    nearest = np.minimum(np.round(np.arange(len(motion)) / float(fps) * 120).astype(int), len(fine) - 1)
    assert np.abs(fine[nearest] - motion).max() < 0.06


@pytest.mark.parametrize("seed", SEEDS)
def test_joints_bend_as_joints_do(seed: int) -> None:
    motion = choreography(seed, 20, 15)
    places = placed(motion)
    for side in ("left", "right"):
        assert bend(places, f"{side}_thigh", f"{side}_shin", f"{side}_foot").max() < 140
        assert bend(places, f"{side}_upper_arm", f"{side}_forearm", f"{side}_hand").max() < 150
        # knees bend backwards only: the knee lies in front of the line from hip to ankle, in the thigh's frame
        shin = motion.rotations[:, INDEX[f"{side}_shin"]]
        assert shin[:, 2, 1].min() > -0.02
    turn = motion.rotations[:, INDEX["neck"]] @ motion.rotations[:, INDEX["head"]]
    assert np.degrees(np.arctan2(turn[:, 0, 2], turn[:, 2, 2])).max() < 80


@pytest.mark.parametrize("seed", SEEDS)
def test_movements_are_smooth_and_standing_feet_stay(seed: int) -> None:
    motion = choreography(seed, 20, 30)
    places = placed(motion)
    acceleration = np.linalg.norm(np.diff(places, 2, axis=0), axis=-1) * 900
    assert acceleration.max() < 200
    speed = np.linalg.norm(np.diff(places, axis=0), axis=-1) * 30
    balls = [INDEX["left_toes"], INDEX["right_toes"]]
    standing = (places[1:, balls, 1] < 0.032) & (places[:-1, balls, 1] < 0.032)
    assert standing.any(axis=1).mean() > 0.6
    assert np.median(speed[:, balls][standing]) < 0.06
    assert np.abs(motion.path[:, [0, 2]]).max() < 0.5
    assert motion.path[:, 1].min() == 0


def test_a_long_choreography_goes_everywhere() -> None:
    motion = choreography(2, 60, 10)
    places = placed(motion)
    heading = np.unwrap(np.arctan2(motion.rotations[:, 0, 0, 2], motion.rotations[:, 0, 2, 2]))
    assert heading.max() - heading.min() > 2 * np.pi - 0.6
    assert (np.cos(heading) > 0.5).mean() > 0.45, "rather to the camera"
    for one, two in (("upper_arm", "forearm"), ("forearm", "hand"), ("thigh", "shin"), ("shin", "foot")):
        for side in ("left", "right"):
            limb = places[:, INDEX[f"{side}_{two}"], :2] - places[:, INDEX[f"{side}_{one}"], :2]
            sectors = np.unique(np.floor(np.arctan2(limb[:, 1], limb[:, 0]) / (np.pi / 6)))
            assert len(sectors) >= (9 if "arm" in two + one else 3), (side, one)
    hands = np.linalg.norm(places[:, INDEX["left_hand"]] - places[:, INDEX["right_hand"]], axis=1)
    assert hands.max() > 1.2 and hands.min() < 0.2, "outstretched, and together or crossed"
    knees = bend(places, "left_thigh", "left_shin", "left_foot")
    assert knees.min() < 25 and knees.max() > 70


def test_a_length_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="a choreography of 0 seconds has no frame: ask for more than 0"):
        choreography(1, 0)
