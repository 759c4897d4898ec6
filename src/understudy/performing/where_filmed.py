"""Back from the reference's frame to the driver's picture: the place and size at which a clone takes his place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from understudy.poses.pose import BODY, FEET, LEFT_ANKLE, RIGHT_ANKLE, Pose
from understudy.poses.similarity import Similarity

Floats = npt.NDArray[np.float64]
ANKLES = [LEFT_ANKLE, RIGHT_ANKLE]
SEEN = 0.1
"""confidence from which an ankle counts"""


def ways_back(placed: Pose, driving: Pose) -> Floats:
    """The similarity of every frame that leads from poses that were placed back to where they were filmed.

    Poses are placed by one scale and one shift a frame, and their sides may have been exchanged, so that this undoes it
    exactly, whichever way of placing it was.

    Args:
        placed: T poses, in the reference's pixels, before anything was done to their limbs.
        driving: the same T poses as filmed, in pixels of the driver's picture.

    Returns:
        (T, 3) scale, x and y of the shift; frames that show fewer than two points take theirs from those around them.
    """
    ways, away = _fitted(placed, driving)
    exchanged, away_exchanged = _fitted(placed.sides_exchanged(), driving)
    return exchanged if away_exchanged < away else ways


def feet_on_feet(ways: Floats, played: Pose, driving: Pose, inside: tuple[float, float, float, float]) -> Floats:
    """The same ways back, moved up or down so that the clone's lower ankle is as low as the driver's.

    Limbs of another length reach farther than the driver's do, or less far. Frames in which the driver's ankles are
    outside of his picture move as their neighbours in time do, and none moves if they never are inside.

    Args:
        ways: (T, 3), see `ways_back`.
        played: what the clone plays, in the pixels that the ways lead from.
        driving: the driver's poses, in pixels of his picture.
        inside: left, top, right and bottom of what was filmed, in the same pixels.
    """
    xy = driving.xy[:, ANKLES]
    seen = (driving.confidence[:, ANKLES] > SEEN) & (played.confidence[:, ANKLES] > 0)
    seen &= ((xy >= inside[:2]) & (xy <= inside[2:])).all(axis=2)
    both = seen.all(axis=1)
    if not both.any():
        return ways
    clone = ways[:, :1] * played.xy[:, ANKLES, 1] + ways[:, 2:]
    lower = xy[..., 1].max(axis=1) - clone.max(axis=1)
    frames = np.arange(len(ways))
    moved = ways.copy()
    moved[:, 2] += np.interp(frames, frames[both], lower[both])
    return moved


def way(ways: Floats, moment: int) -> Similarity:
    """One of them."""
    scale, x, y = (float(value) for value in ways[moment])
    return Similarity(scale, (x, y))


def moved_poses(ways: Floats, poses: Pose, size_hw: tuple[int, int]) -> Pose:
    """Every pose by its own way."""
    xy = poses.xy * ways[:, None, :1] + ways[:, None, 1:]
    return Pose(xy.astype(np.float32), poses.confidence, size_hw)


def _fitted(placed: Pose, driving: Pose) -> tuple[Floats, float]:
    """(T, 3) of least squares, and how many pixels away it leaves points, on average."""
    points = slice(BODY.start, FEET.stop)
    here, there = (pose.xy[:, points].astype(np.float64) for pose in (placed, driving))
    seen = (placed.confidence[:, points] > 0) & (driving.confidence[:, points] > 0)
    weight = seen[..., None] / np.maximum(seen.sum(axis=1), 1)[:, None, None]
    middle_here, middle_there = ((xy * weight).sum(axis=1) for xy in (here, there))
    from_here, from_there = here - middle_here[:, None], there - middle_there[:, None]
    spread = (from_here**2 * weight).sum(axis=(1, 2))
    known = (seen.sum(axis=1) >= 2) & (spread > 1e-6)
    scale = (from_here * from_there * weight).sum(axis=(1, 2)) / np.maximum(spread, 1e-6)
    known &= scale > 0
    if not known.any():
        return np.tile([1.0, 0.0, 0.0], (len(here), 1)), np.inf
    ways = np.column_stack([scale, middle_there - scale[:, None] * middle_here])
    left = np.linalg.norm(from_there - scale[:, None, None] * from_here, axis=2)[seen & known[:, None]].mean()
    frames = np.arange(len(ways))
    return np.column_stack([np.interp(frames, frames[known], one[known]) for one in ways.T]), float(left)
