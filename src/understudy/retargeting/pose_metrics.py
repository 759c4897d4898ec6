"""The pose metrics of Aberman et al. 2018, section 4: how far one pose's limbs are from another's, eqs. 7 and 8."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from understudy.poses.pose import DESCRIPTOR_LIMBS, FloatArray, Pose

LIMBS = len(DESCRIPTOR_LIMBS)
UNIT_FRAME = 256
"""Displacements are given in pixels of a frame whose longer side has this many pixels, as in the paper."""
FRAMES_AT_ONCE = 16
"""driving frames compared at a time: keeps the working arrays in the processor's cache, and memory small"""


class Descriptor(NamedTuple):
    """Skeleton descriptors of T frames: where each limb ends as seen from where it begins."""

    displacement: FloatArray
    """(T, 12, 2) x to the right, y down, in pixels of a 256 frame; without meaning where not seen"""
    seen: npt.NDArray[np.bool_]
    """(T, 12) true where both ends of the limb are seen"""


def descriptor(pose: Pose) -> Descriptor:
    """The 12-limb descriptor of section 4, in the order of `pose.DESCRIPTOR_LIMBS`.

    It does not change when the person moves about in the frame. Its unit is a pixel of a frame whose longer side is
    256, whatever the size of `pose`'s frame, so that the paper's threshold gamma = 8 keeps its meaning.
    """
    xy, confidence = pose.openpose18()
    start, end = np.array(DESCRIPTOR_LIMBS).T
    unit = np.float32(UNIT_FRAME / max(pose.size_hw))
    return Descriptor((xy[:, end] - xy[:, start]) * unit, np.minimum(confidence[:, start], confidence[:, end]) > 0)


def pose_to_pose(a: Descriptor, b: Descriptor) -> FloatArray:
    """Eq. 7: the mean over limbs of the distance between the limbs of each frame of `a` and each frame of `b`.

    Returns:
        (len(a), len(b)) in pixels of a 256 frame, over the limbs seen in both; nan where they share none. Meant for a
        few frames against many: for 10,000 against 10,000 this matrix is 400 MB.
    """
    shared = a.seen.astype(np.float32) @ b.seen.T.astype(np.float32)
    total = np.zeros_like(shared)
    for limb in range(LIMBS):
        apart = np.square(a.displacement[:, limb, :1] - b.displacement[:, limb, 0])
        apart += np.square(a.displacement[:, limb, 1:] - b.displacement[:, limb, 1])
        np.sqrt(apart, out=apart)
        total += np.where(a.seen[:, limb, None] & b.seen[:, limb], apart, 0)
    distance: FloatArray = np.where(shared > 0, total / np.maximum(shared, 1), np.float32(np.nan))
    return distance


class SequenceDistance(NamedTuple):
    """How far the limbs of T driving frames are from the nearest ones of a reference."""

    distance: FloatArray
    """(T,) eq. 8: mean over limbs, in pixels of a 256 frame; nan where there is no limb to compare"""
    limb_distance: FloatArray
    """(T, 12) nan where the limb is not seen; infinite where no frame of the reference shows that limb"""
    frame: npt.NDArray[np.intp]
    """(T, 12) the reference frame with the nearest such limb; -1 where there is none"""


def pose_to_sequence(
    driving: Descriptor, reference: Descriptor, *, frames_at_once: int = FRAMES_AT_ONCE
) -> SequenceDistance:
    """Eq. 8: for each limb of each driving frame, the nearest limb of the same name in the whole reference.

    A limb that the driving frame does not show is left out of its mean; so is one that no reference frame shows, which
    would make it infinite (`limb_distance` says so instead). Exact: every pair is compared, in blocks.
    """
    frames = len(driving.seen)
    limb_distance = np.full((frames, LIMBS), np.nan, np.float32)
    nearest = np.full((frames, LIMBS), -1, np.intp)
    for limb in range(LIMBS):
        here = np.flatnonzero(driving.seen[:, limb])
        there = np.flatnonzero(reference.seen[:, limb])
        if not len(there):
            limb_distance[here, limb] = np.inf
            continue
        best, apart = _nearest(driving.displacement[here, limb], reference.displacement[there, limb], frames_at_once)
        limb_distance[here, limb] = apart
        nearest[here, limb] = there[best]
    counted = np.isfinite(limb_distance)
    total = np.where(counted, limb_distance, 0).sum(axis=1)
    count = counted.sum(axis=1)
    distance = np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
    return SequenceDistance(distance, limb_distance, nearest)


def _nearest(points: FloatArray, among: FloatArray, points_at_once: int) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """For each of (N, 2) points the index of the nearest of (M, 2), and its distance."""
    x, y = np.ascontiguousarray(among[:, 0]), np.ascontiguousarray(among[:, 1])
    best = np.empty(len(points), np.intp)
    apart = np.empty(len(points), np.float32)
    for start in range(0, len(points), points_at_once):
        block = points[start : start + points_at_once]
        squared = np.square(block[:, :1] - x)
        squared += np.square(block[:, 1:] - y)
        index = squared.argmin(axis=1)
        best[start : start + points_at_once] = index
        apart[start : start + points_at_once] = np.sqrt(np.take_along_axis(squared, index[:, None], axis=1)[:, 0])
    return best, apart
