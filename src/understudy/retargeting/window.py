"""Where on the stage the performer stands, and when: windows that follow a driver out of frame, fades when he leaves.

The generator paints one square frame. A driver who walks farther than the reference ever did would be cut off at the
edge of that square, which nobody sees in the finished video; so the square moves with him, and only as far as needed.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.poses.pose import (
    BODY,
    FEET,
    LEFT_ELBOW,
    LEFT_SHOULDER,
    LEFT_WRIST,
    NOSE,
    RIGHT_EAR,
    RIGHT_ELBOW,
    RIGHT_SHOULDER,
    RIGHT_WRIST,
    Pose,
)

FADE_SECONDS = 0.3
"""in which the performer appears or vanishes when the driver was not found"""
SETTLE_SECONDS = 0.5
"""over which the window starts and stops moving"""
MARGIN = 1 / 20
"""of the frame kept free around joints: clothes and shoes reach beyond them"""
CROWN = 1.0
"""the top of the head, with hair, lies beyond the middle of the face as far as that lies from the neck"""
HAND = 0.75
"""of the forearm, which a stretched hand prolongs"""


def window_path(pose: Pose, fps: Fraction, *, margin: float = MARGIN) -> npt.NDArray[np.int64]:
    """How far the generator's window moves for every frame, so that the whole body is inside it.

    Args:
        pose: aligned driving poses in the generator's frame, `pose.size_hw` its size.
        fps: of the poses.
        margin: share of the frame kept free around the joints; crown and fingertips need none.

    Returns:
        (T, 2) whole pixels x, y: window's top left corner; 0 throughout when the body never leaves the frame. It begins
        to move before the body would be cut. A body too large for the frame is centred in it, as far as
        the frames around allow.
    """
    path = np.zeros((len(pose), 2), np.int64)
    if len(pose) == 0:
        return path
    points, seen, free = _outermost(pose, margin)
    reach = max(1, round(float(fps) * SETTLE_SECONDS))
    for axis, size in ((0, pose.size_hw[1]), (1, pose.size_hw[0])):
        values, around = points[..., axis], free * size
        anyone = seen.any(axis=1)
        at_most = np.where(anyone, np.where(seen, values - around, np.inf).min(axis=1), 0)
        highest = np.where(anyone, np.where(seen, values + around, -np.inf).max(axis=1), size - 1)
        at_least = highest - (size - 1)
        # Too large for the frame, or for the margins: as near to the middle as the frames around allow, and never
        # farther out than where one end has its room
        nearest, farthest = np.minimum(at_least, at_most), np.maximum(at_least, at_most)
        fits, middle = at_least <= at_most, (at_most + at_least) / 2
        onwards = envelope(np.maximum(np.where(fits, at_least, middle), 0), reach)
        backwards = envelope(np.maximum(-np.where(fits, at_most, middle), 0), reach)
        path[:, axis] = np.rint(np.clip(onwards - backwards, nearest, farthest))
    return path


def _outermost(pose: Pose, margin: float) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Joints, crown and fingertips (T, N, 2), whether they are known (T, N), and the room that each needs (N,)."""
    body, known = slice(BODY.start, FEET.stop), pose.confidence > 0
    points, seen = [pose.xy[:, body]], [known[:, body]]
    head = slice(NOSE, RIGHT_EAR + 1)
    weight = known[:, head, None].astype(np.float32)
    face = (pose.xy[:, head] * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1)
    neck = (pose.xy[:, LEFT_SHOULDER] + pose.xy[:, RIGHT_SHOULDER]) / 2
    points.append((face + CROWN * (face - neck))[:, None])
    seen.append((known[:, head].any(axis=1) & known[:, LEFT_SHOULDER] & known[:, RIGHT_SHOULDER])[:, None])
    for elbow, wrist in ((LEFT_ELBOW, LEFT_WRIST), (RIGHT_ELBOW, RIGHT_WRIST)):
        points.append((pose.xy[:, wrist] + HAND * (pose.xy[:, wrist] - pose.xy[:, elbow]))[:, None])
        seen.append((known[:, elbow] & known[:, wrist])[:, None])
    joints = body.stop - body.start
    return np.concatenate(points, axis=1), np.concatenate(seen, axis=1), np.array([margin] * joints + [0.0] * 3)


def envelope(needed: npt.NDArray[np.float64], reach: int) -> npt.NDArray[np.float64]:
    """A smooth curve that is nowhere below `needed` (T,): maximum, then mean, over the same window."""
    width = 2 * reach + 1
    padded = np.pad(needed, 2 * reach, mode="edge")
    highest = np.lib.stride_tricks.sliding_window_view(padded, width).max(axis=1)
    smooth: npt.NDArray[np.float64] = np.lib.stride_tricks.sliding_window_view(highest, width).mean(axis=1)
    return smooth


def presence(found: npt.NDArray[np.bool_], fps: Fraction) -> npt.NDArray[np.float32]:
    """How visible the performer is in every frame, (T,) in [0, 1], from whether the driver was there, (T,) bool.

    Always 1 where the driver was found. Where he was not, the performer fades out within 0.3 s and in again before he
    returns, rather than popping; a gap shorter than both fades never gets to 0.
    """
    steps = max(1.0, float(fps) * FADE_SECONDS)
    return np.clip(1 - distance_to_nearest(found)[0] / steps, 0, 1).astype(np.float32)


def held(pose: Pose, found: npt.NDArray[np.bool_]) -> Pose:
    """The poses with that of the nearest frame that has one wherever there is none, to fade over."""
    nearest = distance_to_nearest(found)[1]
    return Pose(pose.xy[nearest], pose.confidence[nearest], pose.size_hw)


def distance_to_nearest(found: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """For every frame: frames to the nearest one that was found, and its index (itself if there is none at all)."""
    frames = np.arange(len(found))
    there = np.flatnonzero(found)
    if len(there) == 0:
        return np.full(len(found), np.inf), frames
    after = np.clip(np.searchsorted(there, frames), 0, len(there) - 1)
    before = np.clip(after - 1, 0, None)
    nearest = np.where(np.abs(there[before] - frames) <= np.abs(there[after] - frames), there[before], there[after])
    return np.abs(nearest - frames).astype(float), nearest
