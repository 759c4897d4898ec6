"""Driving poses made worse in measured doses, in the four ways in which detectors fail on footage from the wild.

Ren et al. 2020, figure 4, show what their method makes of joints that were not found, misplaced, or stretched, and of
sides taken for each other. Here each of these is a dose, so that the error of a clone can be drawn against it. Dose 0
gives back every number unchanged. The same generator state makes the same draws at every dose: what is lost or swapped
at a small dose is so at every larger one as well, and jitter and stretching only grow.

Points that no detector loses by themselves go with the joint of the body they hang on: a hand with its wrist, a foot
with its ankle, the 68 points of the face with the nose.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from understudy.poses.pose import (
    BODY,
    EXCHANGED,
    FACE,
    LEFT_ANKLE,
    LEFT_EAR,
    LEFT_ELBOW,
    LEFT_EYE,
    LEFT_HAND,
    LEFT_HIP,
    LEFT_KNEE,
    LEFT_SHOULDER,
    LEFT_WRIST,
    NOSE,
    POINTS,
    RIGHT_ANKLE,
    RIGHT_EAR,
    RIGHT_ELBOW,
    RIGHT_EYE,
    RIGHT_HAND,
    RIGHT_HIP,
    RIGHT_KNEE,
    RIGHT_SHOULDER,
    RIGHT_WRIST,
    Pose,
)
from understudy.retargeting.alignment import body_statistics

LOST_FOR = 5
"""frames: mean length of the runs for which a joint is lost or not, a fifth of a second"""
SWAPPED_FOR = 8
"""frames: mean length of the runs in which the sides are taken for each other or not"""
STRETCHED_FOR = 25
"""frames: mean time for which limbs keep their wrong lengths"""

CARRIER = np.arange(POINTS)
"""(133,) the joint of the body that a point hangs on; itself for the 17 of the body"""
CARRIER[FACE], CARRIER[LEFT_HAND], CARRIER[RIGHT_HAND] = NOSE, LEFT_WRIST, RIGHT_WRIST
CARRIER[17:20], CARRIER[20:23] = LEFT_ANKLE, RIGHT_ANKLE

_HIPS_MIDDLE, _NECK = POINTS, POINTS + 1
LIMBS: tuple[tuple[int, int], ...] = (
    (_HIPS_MIDDLE, _NECK),
    (_NECK, NOSE),
    (_NECK, LEFT_SHOULDER),
    (LEFT_SHOULDER, LEFT_ELBOW),
    (LEFT_ELBOW, LEFT_WRIST),
    (_NECK, RIGHT_SHOULDER),
    (RIGHT_SHOULDER, RIGHT_ELBOW),
    (RIGHT_ELBOW, RIGHT_WRIST),
    (_HIPS_MIDDLE, LEFT_HIP),
    (LEFT_HIP, LEFT_KNEE),
    (LEFT_KNEE, LEFT_ANKLE),
    (_HIPS_MIDDLE, RIGHT_HIP),
    (RIGHT_HIP, RIGHT_KNEE),
    (RIGHT_KNEE, RIGHT_ANKLE),
)
"""what is stretched, parents before children; 133 is the hips' middle, where everything hangs, and 134 the neck"""
_HEAD = (LEFT_EYE, RIGHT_EYE, LEFT_EAR, RIGHT_EAR)
_SWAPPED = np.arange(POINTS)
_SWAPPED[: FACE.start] = EXCHANGED[: FACE.start]
_SWAPPED[FACE.stop :] = EXCHANGED[FACE.stop :]


def dropped(pose: Pose, share: float, rng: np.random.Generator) -> Pose:
    """Joints lost, each by itself, for runs of some frames.

    Args:
        share: of all joints of all frames that are lost, on average; 1 leaves nobody.
        rng: decides which.

    Raises:
        ValueError: a share outside [0, 1].
    """
    _check_share(share)
    joints = BODY.stop
    first = _run_starts(rng, len(pose), joints, LOST_FOR)
    lost = np.take_along_axis(rng.random((len(pose), joints)), first, axis=0) < share
    return Pose(pose.xy, np.where(lost[:, CARRIER], 0, pose.confidence), pose.size_hw)


def jittered(pose: Pose, deviation: float, rng: np.random.Generator) -> Pose:
    """Every joint misplaced, in every frame anew, by normally distributed errors.

    Args:
        deviation: standard deviation of x and of y, as a share of the torso's length (see `BodyStatistics`).
        rng: draws the errors.

    Raises:
        ValueError: a deviation below 0.
        PoseError: no frame shows a torso.
    """
    if not 0 <= deviation < np.inf:
        raise ValueError(f"deviation must be at least 0, not {deviation}")
    error = rng.standard_normal((len(pose), BODY.stop, 2))
    if deviation == 0:
        return pose
    pixels = deviation * body_statistics(pose).torso_length
    return Pose(pose.xy + (pixels * error[:, CARRIER]).astype(np.float32), pose.confidence, pose.size_hw)


def swapped(pose: Pose, share: float, rng: np.random.Generator) -> Pose:
    """Left and right taken for each other - body, feet and hands, not the face's 68 points - for runs of frames.

    Args:
        share: of the frames, on average; 1 swaps all.
        rng: decides which.

    Raises:
        ValueError: a share outside [0, 1].
    """
    _check_share(share)
    first = _run_starts(rng, len(pose), 1, SWAPPED_FOR)
    wrong = np.take_along_axis(rng.random((len(pose), 1)), first, axis=0) < share
    xy = np.where(wrong[..., None], pose.xy[:, _SWAPPED], pose.xy)
    return Pose(xy, np.where(wrong, pose.confidence[:, _SWAPPED], pose.confidence), pose.size_hw)


def stretched(pose: Pose, factor: float, rng: np.random.Generator) -> Pose:
    """Each limb too long or too short by a given factor, left and right apart; what hangs on it moves along.

    Which limbs are too long is drawn anew about once a second, for all of them at once. The hips' middle stays. A limb
    with an end that is not seen keeps its length.

    Args:
        factor: 0.2 makes every limb either 1.2 times as long or 1.2 times shorter.
        rng: decides which.

    Raises:
        ValueError: a factor below 0.
    """
    if not 0 <= factor < np.inf:
        raise ValueError(f"factor must be at least 0, not {factor}")
    first = _run_starts(rng, len(pose), 1, STRETCHED_FOR)
    longer = np.take_along_axis(rng.random((len(pose), len(LIMBS))), first, axis=0) < 0.5
    if factor == 0:
        return pose
    change = np.where(longer, factor, 1 / (1 + factor) - 1)
    xy, seen = _with_middles(pose)
    moved = np.zeros_like(xy)
    for limb, (parent, child) in enumerate(LIMBS):
        whole = (seen[:, parent] & seen[:, child])[:, None]
        along = change[:, limb, None] * (xy[:, child] - xy[:, parent])
        moved[:, child] = moved[:, parent] + np.where(whole, along, 0)
    moved[:, _HEAD] = moved[:, [NOSE]]
    return Pose(pose.xy + moved[:, CARRIER].astype(np.float32), pose.confidence, pose.size_hw)


def _with_middles(pose: Pose) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """(T, 135, 2) pixels and (T, 135) whether seen: the points, the hips' middle, and the neck."""
    xy, seen = pose.xy.astype(np.float64), pose.confidence > 0
    pairs = [[LEFT_HIP, RIGHT_HIP], [LEFT_SHOULDER, RIGHT_SHOULDER]]
    middles = [xy[:, pair].mean(axis=1, keepdims=True) for pair in pairs]
    both = [seen[:, pair].all(axis=1, keepdims=True) for pair in pairs]
    return np.concatenate([xy, *middles], axis=1), np.concatenate([seen, *both], axis=1)


def _run_starts(rng: np.random.Generator, frames: int, columns: int, mean: int) -> npt.NDArray[np.intp]:
    """(T, columns) the frame in which the run that holds a frame began; runs last `mean` frames on average."""
    begins = rng.random((frames, columns)) < 1 / mean
    begins[:1] = True
    return np.maximum.accumulate(np.where(begins, np.arange(frames)[:, None], 0), axis=0)


def _check_share(share: float) -> None:
    if not 0 <= share <= 1:
        raise ValueError(f"share must lie in [0, 1], not {share}")
