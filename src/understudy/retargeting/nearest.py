"""The reference frame whose pose is nearest to a driving pose, by mean joint distance.

As a clone this is the baseline that every learnt actor has to beat: it can only show frames that were filmed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from understudy.poses.pose import FloatArray, Pose
from understudy.retargeting.pose_metrics import Descriptor, descriptor, pose_to_pose

FRAMES_AT_ONCE = 32
"""driving frames compared at a time: keeps the working arrays in the processor's cache, and memory small"""
TOO_FEW_SHARED = 1e6
"""pixels added to a reference frame that shares fewer than half of the driving frame's joints"""

MISSING_LIMB = 40.0
"""pixels of a 256 frame: what a limb that the reference frame does not show counts when frames are warped"""


@dataclass(frozen=True, eq=False)
class Nearest:
    """For each of T driving frames, the nearest of the reference frames."""

    frame: npt.NDArray[np.intp]
    """(T,) index into the reference; -1 where no reference frame shares a joint with the driving frame"""
    distance: npt.NDArray[np.float32]
    """(T,) mean distance in pixels over the joints seen in both; nan where `frame` is -1"""


def nearest_frames(driving: Pose, reference: Pose, *, frames_at_once: int = FRAMES_AT_ONCE) -> Nearest:
    """Compares each driving pose with all reference poses over the 18 OpenPose joints.

    A reference frame that shares fewer than half of the driving frame's joints is only taken when no frame shares
    more: one joint in the right place is no match. On equal distance the earlier frame is taken.

    Args:
        driving: poses already aligned to the reference's frame.
        reference: poses of the reference, of the same `size_hw`.

    Raises:
        ValueError: the frames differ in size, so that the poses were not aligned.
    """
    if driving.size_hw != reference.size_hw:
        raise ValueError(f"align the driver first: its frame is {driving.size_hw}, the reference's {reference.size_hw}")
    xy, confidence = driving.openpose18()
    reference_xy, reference_confidence = reference.openpose18()
    seen, reference_seen = confidence > 0, reference_confidence > 0
    frame = np.full(len(driving), -1, np.intp)
    distance = np.full(len(driving), np.nan, np.float32)
    if not len(reference):
        return Nearest(frame, distance)
    columns = [(np.ascontiguousarray(x), np.ascontiguousarray(y)) for x, y in reference_xy.transpose(1, 2, 0)]
    for start in range(0, len(driving), frames_at_once):
        block = slice(start, start + frames_at_once)
        total = np.zeros((len(xy[block]), len(reference)), np.float32)
        shared = seen[block].astype(np.float32) @ reference_seen.T.astype(np.float32)
        for joint, (x, y) in enumerate(columns):
            apart = np.square(xy[block, joint, :1] - x)
            apart += np.square(xy[block, joint, 1:] - y)
            np.sqrt(apart, out=apart)
            apart *= reference_seen[:, joint]
            apart *= seen[block, joint, None]
            total += apart
        mean = np.where(shared > 0, total / np.maximum(shared, 1), np.inf)
        too_few = shared < seen[block].sum(axis=1, keepdims=True) / 2
        best = (mean + too_few * np.float32(TOO_FEW_SHARED)).argmin(axis=1)
        best_distance = np.take_along_axis(mean, best[:, None], axis=1)[:, 0]
        found = np.isfinite(best_distance)
        frame[block] = np.where(found, best, -1)
        distance[block] = np.where(found, best_distance, np.nan)
    return Nearest(frame, distance)


def nearest_frames_by_limbs(driving: Pose, reference: Pose, *, frames_at_once: int = FRAMES_AT_ONCE) -> Nearest:
    """As `nearest_frames`, by the mean distance between limbs (Aberman et al. 2018, eq. 7) wherever the person stands.

    Distances are in pixels of a 256 frame; a reference frame that shares fewer than half of the limbs is again only
    taken when none shares more.
    """
    here, there = descriptor(driving), descriptor(reference)
    frame = np.full(len(driving), -1, np.intp)
    distance = np.full(len(driving), np.nan, np.float32)
    if not len(reference):
        return Nearest(frame, distance)
    for start in range(0, len(driving), frames_at_once):
        block = slice(start, start + frames_at_once)
        mean, ranked = limb_distances(Descriptor(here.displacement[block], here.seen[block]), there)
        best = ranked.argmin(axis=1)
        best_distance = np.take_along_axis(mean, best[:, None], axis=1)[:, 0]
        found = np.isfinite(best_distance)
        frame[block] = np.where(found, best, -1)
        distance[block] = np.where(found, best_distance, np.nan)
    return Nearest(frame, distance)


def limb_distances(driving: Descriptor, reference: Descriptor) -> tuple[FloatArray, FloatArray]:
    """Eq. 7 between all frames of both, (T, K), infinite where they share no limb; and the same to rank by."""
    mean = pose_to_pose(driving, reference)
    mean[np.isnan(mean)] = np.inf
    shared = driving.seen.astype(np.float32) @ reference.seen.T.astype(np.float32)
    too_few = shared < driving.seen.sum(axis=1, keepdims=True) / 2
    return mean, mean + too_few * np.float32(TOO_FEW_SHARED)


def warp_distances(driving: Descriptor, reference: Descriptor, swing: float = 0.5) -> FloatArray:
    """How hard it is to warp each reference frame into each driving pose: (T, K), the mean over limbs.

    A limb that changes its length in the picture also changes what it shows, which no warp can do; one that only
    swings can be turned. So eq. 7's distance is split in two, and the swing counts for less.

    Args:
        swing: weight of the swing, in [0, 1]; 1 is close to eq. 7.
    """
    total = np.zeros((len(driving.seen), len(reference.seen)), np.float32)
    for limb in range(driving.seen.shape[1]):
        here, there = driving.displacement[:, limb], reference.displacement[:, limb]
        length = np.linalg.norm(here, axis=1)[:, None], np.linalg.norm(there, axis=1)[None]
        squared = np.square(here[:, :1] - there[:, 0]) + np.square(here[:, 1:] - there[:, 1])
        change = np.abs(length[0] - length[1])
        turned = np.sqrt(np.maximum(squared - np.square(change), 0))
        both = driving.seen[:, limb, None] & reference.seen[:, limb]
        missing = driving.seen[:, limb, None] & ~reference.seen[:, limb]
        total += np.where(both, change + swing * turned, np.where(missing, MISSING_LIMB, 0)).astype(np.float32)
    return np.asarray(total / driving.seen.shape[1], np.float32)
