"""Where the filmed picture ends within a square around the person, and which hands and feet it cuts off.

The square may reach beyond the picture. What lies there was never filmed: it is not learnt from, and not measured.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.poses import pose as p
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity

Box = tuple[int, int, int, int]
"""left, top, right, bottom: whole pixels, right and bottom not included"""

HAND_LENGTH = 0.7
"""of the forearm, which hands prolong where their own points are not tracked"""
FOOT_LENGTH = 0.25
"""of the shin, around the ankle, where toes are not tracked"""
_ROUNDING = 1e-6
"""pixels: an edge is where the arithmetic puts it to within this"""
ENDS: tuple[tuple[int, int, slice], ...] = (
    (p.LEFT_ELBOW, p.LEFT_WRIST, p.LEFT_HAND),
    (p.RIGHT_ELBOW, p.RIGHT_WRIST, p.RIGHT_HAND),
    (p.LEFT_KNEE, p.LEFT_ANKLE, slice(p.LEFT_BIG_TOE, p.LEFT_BIG_TOE + 3)),
    (p.RIGHT_KNEE, p.RIGHT_ANKLE, slice(p.RIGHT_BIG_TOE, p.RIGHT_BIG_TOE + 3)),
)
"""hands and feet: the joint before, the joint that they hang on, and their own points"""


def filmed_box(crop: Similarity, original_size_hw: tuple[int, int], size: int) -> Box:
    """The part of a square that the clip's picture fills.

    Args:
        crop: from pixels of the picture to those of the square.
        original_size_hw: of the picture.
        size: side of the square, pixels.
    """
    height, width = original_size_hw
    edges = crop.of_points(np.array([[-0.5, -0.5], [width - 0.5, height - 0.5]])) + 0.5
    (left, top), (right, bottom) = np.clip(edges, 0, size)
    first, last = (math.ceil(edge - _ROUNDING) for edge in (left, top))
    return first, last, math.floor(right + _ROUNDING), math.floor(bottom + _ROUNDING)


def filmed_until(crop: Similarity, original_size_hw: tuple[int, int]) -> float:
    """y of the picture's lower edge, in pixels of the square: what is below was not filmed."""
    return float(crop.of_points(np.array([[0.0, original_size_hw[0] - 0.5]]))[0, 1])


def cut_off_ends(pose: Pose, filmed: Box) -> npt.NDArray[np.bool_]:
    """Which hands and feet reach beyond what was filmed.

    Args:
        pose: T frames.
        filmed: in pixels of the pose's frame.

    Returns:
        (T, 4), in the order of `ENDS`; false where it is not known where one is.
    """
    beyond = np.zeros((len(pose), len(ENDS)), bool)
    for end, (inner, outer, _) in enumerate(ENDS):
        seen = (pose.confidence[:, [inner, outer]] > 0).all(axis=1)
        along = pose.xy[:, outer] - pose.xy[:, inner]
        below = np.linalg.norm(along, axis=1, keepdims=True) * [0, 1]
        tip = pose.xy[:, outer] + (HAND_LENGTH * along if end < 2 else FOOT_LENGTH * below)
        beyond[:, end] = seen & _outside(tip, filmed)
    return beyond


def without_cut_ends(pose: Pose, filmed: Box, least: float) -> Pose:
    """The pose without the hands and feet that the picture's edge cuts off, as if they were not seen there.

    Args:
        least: share of the frames showing it in which one must be whole; else it is kept, since what is cut off is then
            all that there is of it.
    """
    cut = cut_off_ends(pose, filmed)
    confidence = pose.confidence.copy()
    for end, (_, outer, points) in enumerate(ENDS):
        shown = pose.confidence[:, outer] > 0
        if cut[:, end].any() and (shown & ~cut[:, end]).sum() >= least * shown.sum():
            confidence[cut[:, end], outer] = 0
            confidence[cut[:, end], points] = 0
    return Pose(pose.xy, confidence, pose.size_hw)


def _outside(xy: npt.NDArray[Any], filmed: Box) -> npt.NDArray[np.bool_]:
    left, top, right, bottom = filmed
    before, beyond = xy < [left - 0.5, top - 0.5], xy > [right - 0.5, bottom - 0.5]
    return np.asarray(before.any(axis=1) | beyond.any(axis=1), np.bool_)
