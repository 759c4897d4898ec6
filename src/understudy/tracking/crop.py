"""The one static square of a clip that holds the whole person."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.poses import pose as p
from understudy.poses.edges import FOOT_LENGTH, HAND_LENGTH
from understudy.poses.pose import FloatArray, Pose
from understudy.poses.similarity import Similarity

MARGIN = 0.06
"""of the half side, around everything the person reaches"""
MIN_CONFIDENCE = 0.3
MIN_SIDE = 16
HEAD_RADIUS = 0.7
"""of the distance from the neck to the middle of the face: how far hair and chin reach from there"""
LEAST_HEAD_RADIUS = 0.35
"""of the trunk: at least so far, since of somebody who looks down the face is near the neck, and the hair is not"""

DANCING_MARGIN = 0.1
"""of the half side, around everything that somebody who stands still could reach: for steps and small jumps"""
ARM_REACH, LEG_REACH, UPRIGHT_REACH = 1.7, 2.0, 4.6
"""of the trunk: from shoulder to fingers, from hip to toes, from an ankle to the fingers of a raised hand"""

_HEAD = [p.NOSE, p.LEFT_EYE, p.RIGHT_EYE, p.LEFT_EAR, p.RIGHT_EAR]
_ARMS = ((p.LEFT_ELBOW, p.LEFT_WRIST), (p.RIGHT_ELBOW, p.RIGHT_WRIST))
_SHINS = ((p.LEFT_KNEE, p.LEFT_ANKLE), (p.RIGHT_KNEE, p.RIGHT_ANKLE))
_THIGHS = ((p.LEFT_HIP, p.LEFT_KNEE), (p.RIGHT_HIP, p.RIGHT_KNEE))
_UPPER_ARMS = ((p.LEFT_SHOULDER, p.LEFT_ELBOW), (p.RIGHT_SHOULDER, p.RIGHT_ELBOW))
_HIPS = (p.LEFT_HIP, p.RIGHT_HIP)
THIGH, SHIN, UPPER_ARM, SHOULDERS = 1.0, 0.98, 0.68, 0.85
"""lengths over the trunk's, mid-shoulder to mid-hip, of an average body"""


def person_square(poses: Pose) -> tuple[int, int, int]:
    """The square (left, top, side), in original pixels, that holds the person in nearly all frames.

    It is centred on what the person reaches (the 0.5th to the 99.5th percentile over the clip) rather than on the
    trunk, so that the person fills as many of the working pixels as the motion allows. It may reach beyond the
    picture, although what lies there is not counted as the person's reach. All three are multiples of 4, so that the
    picture can be halved twice before the square is cut out: see `media.squares`.

    Raises:
        ValueError: no frame has a body joint.
    """
    low, high = reach(poses)
    seen = np.isfinite(low[:, 0])
    if not seen.any():
        raise ValueError("no frame has a body joint, so there is nothing to centre on")
    return _square(
        np.percentile(low[seen], 0.5, axis=0), np.percentile(high[seen], 99.5, axis=0), MARGIN, poses.size_hw
    )


def dancing_square(pose: Pose) -> tuple[int, int, int]:
    """The square of one picture, as `person_square`, with room for what the limbs could do and do not in the picture.

    Arms and legs may point anywhere, as far as the picture goes: a person who stands fills 0.7 of the height.

    Args:
        pose: of one moment.

    Raises:
        ValueError: there is no body joint.
    """
    low, high = reach(pose)
    if not np.isfinite(low).all():
        raise ValueError("the picture has no body joint, so there is nothing to centre on")
    shoulders, hips = [p.LEFT_SHOULDER, p.RIGHT_SHOULDER], [p.LEFT_HIP, p.RIGHT_HIP]
    (xy,), (seen,) = pose.xy, _counted(pose.confidence)
    low_xy, high_xy = low[0], high[0]
    trunk = _trunk(xy, seen)
    for joints, length in ((shoulders, ARM_REACH), (hips, LEG_REACH)):
        if seen[joints].any():
            from_here = xy[joints][seen[joints]]
            low_xy = np.minimum(low_xy, from_here.min(0) - length * trunk)
            high_xy = np.maximum(high_xy, from_here.max(0) + length * trunk)
    ankles = [p.LEFT_ANKLE, p.RIGHT_ANKLE]
    if seen[ankles].any():  # whoever crouches can stand up
        low_xy[1] = min(low_xy[1], xy[ankles, 1][seen[ankles]].max() - UPRIGHT_REACH * trunk)
    return _square(low_xy, high_xy, DANCING_MARGIN, pose.size_hw)


def _trunk(xy: FloatArray, seen: npt.NDArray[np.bool_]) -> float:
    """How long the trunk would be if it did not lean towards the camera: what the longest limb but one says."""
    neck, pelvis = (xy[list(pair)].mean(axis=0) for pair in ((p.LEFT_SHOULDER, p.RIGHT_SHOULDER), _HIPS))
    whole = bool(seen[[p.LEFT_SHOULDER, p.RIGHT_SHOULDER, *_HIPS]].all())
    lengths = [float(np.linalg.norm(neck - pelvis))] if whole else [0.0]
    across = ((p.LEFT_SHOULDER, p.RIGHT_SHOULDER),)
    for pairs, share in ((_THIGHS, THIGH), (_SHINS, SHIN), (_UPPER_ARMS, UPPER_ARM), (across, SHOULDERS)):
        lengths += [float(np.linalg.norm(xy[a] - xy[b])) / share for a, b in pairs if seen[a] and seen[b]]
    return sorted(lengths)[max(0, len(lengths) - 2)] if whole else max(lengths)


def _square(
    low_xy: npt.NDArray[np.floating[Any]],
    high_xy: npt.NDArray[np.floating[Any]],
    margin: float,
    size_hw: tuple[int, int],
) -> tuple[int, int, int]:
    """(left, top, side), multiples of 4, about a box as far as it lies in the picture."""
    height, width = size_hw
    low_xy, high_xy = np.maximum(low_xy, 0), np.minimum(high_xy, [width - 1, height - 1])
    side = max(MIN_SIDE, 4 * round(float((high_xy - low_xy).max()) * (1 + margin) / 4))
    left, top = 4 * np.round((low_xy + high_xy + 1 - side) / 8).astype(int)
    return int(left), int(top), side


def _counted(confidence: FloatArray) -> npt.NDArray[np.bool_]:
    """Which points are sure enough; where none is, which are seen at all."""
    sure = np.asarray(confidence > MIN_CONFIDENCE)
    return sure if sure.any() else np.asarray(confidence > 0)


def reach(poses: Pose) -> tuple[FloatArray, FloatArray]:
    """How far hair, fingers and shoes of a person reach.

    Returns:
        (T, 2) smallest and largest x and y of the person per frame; infinite where nothing is seen."""
    xy, seen = poses.xy, _counted(poses.confidence)
    points, masks, radii = [xy], [seen], [np.zeros(seen.shape, np.float32)]

    def add(centre: FloatArray, visible: npt.NDArray[np.bool_], radius: FloatArray) -> None:
        points.append(centre[:, None])
        masks.append(visible[:, None])
        radii.append(radius[:, None])

    shoulders = [p.LEFT_SHOULDER, p.RIGHT_SHOULDER]
    face = np.einsum("tjc,tj->tc", xy[:, _HEAD], seen[:, _HEAD]) / np.maximum(seen[:, _HEAD].sum(1), 1)[:, None]
    neck_to_face = np.linalg.norm(face - xy[:, shoulders].mean(1), axis=1)
    hips = [p.LEFT_HIP, p.RIGHT_HIP]
    upright = seen[:, shoulders].all(1) & seen[:, hips].all(1)
    trunk = np.linalg.norm(xy[:, shoulders].mean(1) - xy[:, hips].mean(1), axis=1)
    least = LEAST_HEAD_RADIUS * (np.median(trunk[upright]) if upright.any() else 0)
    radius_of_head = np.maximum(HEAD_RADIUS * neck_to_face, least).astype(np.float32)
    add(face, np.asarray(seen[:, _HEAD].any(1) & seen[:, shoulders].all(1), np.bool_), radius_of_head)
    for elbow, wrist in _ARMS:
        fingers = xy[:, wrist] + HAND_LENGTH * (xy[:, wrist] - xy[:, elbow])
        add(fingers, seen[:, elbow] & seen[:, wrist], np.zeros(len(xy), np.float32))
    for knee, ankle in _SHINS:
        shin = np.linalg.norm(xy[:, knee] - xy[:, ankle], axis=1)
        add(xy[:, ankle], seen[:, knee] & seen[:, ankle], FOOT_LENGTH * shin)

    every, visible = np.concatenate(points, axis=1), np.concatenate(masks, axis=1)[..., None]
    radius = np.concatenate(radii, axis=1)[..., None]
    low = np.where(visible, every - radius, np.inf).min(axis=1)
    high = np.where(visible, every + radius, -np.inf).max(axis=1)
    return low, high


def crop_of(square: tuple[int, int, int], size: int) -> Similarity:
    """The transform that takes original pixels of the square (left, top, side) to `size` x `size` working pixels."""
    left, top, side = square
    return Similarity.resized(size / side) @ Similarity.shifted(-left, -top)
