"""A driver filmed in several shots, or with a zoom that jumps, brought to the size and place of its first shot.

One alignment is made for a whole clip (Aberman et al. 2018, section 4), which takes for granted that one camera films
it from one place. Where all limbs are longer or shorter at once, that was not so; from there on the poses are scaled
back about the feet, so that the person goes on where it stood.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.poses.pose import (
    BODY,
    LEFT_ANKLE,
    LEFT_HIP,
    RIGHT_ANKLE,
    RIGHT_HIP,
    Pose,
)
from understudy.poses.similarity import Similarity
from understudy.retargeting.alignment import LENGTH_QUANTILE
from understudy.retargeting.pose_metrics import Descriptor, descriptor

Floats = npt.NDArray[np.floating[Any]]

JUMP = 1.2
"""factor by which the limbs of one frame are longer or shorter than those of the frame before: more than half of a
dancer's limbs never change that much in one frame, while a zoom changes all alike"""
SPREAD = 3
"""frames over which poses that were smoothed over a jump spread it; no shot is shorter, but slips of the tracker are"""
SHARED = 6
"""limbs seen in two frames, without which nothing is said of their size"""
SAME_POSE = 0.95
"""mean cosine between the limbs of two frames from which on their lengths can be compared one by one: a cut to another
moment shows limbs that are foreshortened in another way"""
AROUND = 50
"""frames on each side of a cut whose longest limbs are compared where the two poses differ"""
_ANCHORS = ([LEFT_ANKLE, RIGHT_ANKLE], [LEFT_HIP, RIGHT_HIP])


@dataclass(frozen=True)
class SizeJump:
    """Where another shot begins."""

    frame: int
    """the first of the new size"""
    factor: float
    """by which the person is larger than before"""
    before: int
    """the last frame of the old size that shows somebody"""


def size_jumps(pose: Pose) -> list[SizeJump]:
    """Where all limbs of the person are longer or shorter from one frame to the next, in order.

    Frames without anybody are passed over. Changes by less than `JUMP` are the body's own, or a zoom that is slow.
    """
    limbs = descriptor(pose)
    length = np.linalg.norm(limbs.displacement, axis=-1)
    limbs = Descriptor(limbs.displacement, limbs.seen & (length > 1))
    shown = np.flatnonzero(limbs.seen.sum(axis=1) >= SHARED)
    found: list[SizeJump] = []
    for before, frame in pairwise(shown):
        change = _change(limbs, int(before), int(frame))
        if not 1 / JUMP <= change <= JUMP:
            begun = found[-1].before if found and before - found[-1].frame < SPREAD else int(before)
            if begun != before:
                found.pop()
            found.append(SizeJump(int(frame), _change(limbs, begun, int(frame)), begun))
    return [replace(one, factor=_factor(limbs, one)) for one in found if _is_cut(one, shown)]


def _is_cut(jump: SizeJump, shown: npt.NDArray[np.intp]) -> bool:
    """Whether the size stays changed, with frames enough on both sides to tell."""
    fewest = min((shown <= jump.before).sum(), (shown >= jump.frame).sum())
    return bool(fewest >= SPREAD) and not 1 / JUMP <= jump.factor <= JUMP


def as_one_shot(pose: Pose) -> Pose:
    """The poses as if the camera of the first shot had filmed them all; the same object where there is but one shot.

    Args:
        pose: T frames in pixels; the result may reach beyond its frame.
    """
    jumps = size_jumps(pose)
    if not jumps:
        return pose
    xy = pose.xy.copy()
    back = Similarity(1.0, (0.0, 0.0))
    ends = [*(jump.frame for jump in jumps[1:]), len(pose)]
    for jump, end in zip(jumps, ends, strict=True):
        here = _anchor(pose, jump)
        there = xy[jump.before, here].mean(axis=0)
        x, y = (float(value) for value in pose.xy[jump.frame, here].mean(axis=0))
        back = Similarity.pinned(back.scale / jump.factor, (x, y), (float(there[0]), float(there[1])))
        xy[jump.before + 1 : end] = back.of_points(pose.xy[jump.before + 1 : end])
    return Pose(xy, pose.confidence, pose.size_hw)


def _change(limbs: Descriptor, before: int, after: int) -> float:
    """How much longer the limbs are that both frames show: the median; 1 where they are too few."""
    both = limbs.seen[before] & limbs.seen[after]
    if both.sum() < SHARED:
        return 1.0
    length = np.linalg.norm(limbs.displacement[[before, after]][:, both], axis=-1)
    return float(np.exp(np.median(np.log(length[1] / length[0]))))


def _factor(limbs: Descriptor, jump: SizeJump) -> float:
    """As `_change` where the pose is the same, else by how long each limb becomes on either side."""
    both = limbs.seen[jump.before] & limbs.seen[jump.frame]
    one, two = limbs.displacement[jump.before][both], limbs.displacement[jump.frame][both]
    cosine = (one * two).sum(axis=-1) / (np.linalg.norm(one, axis=-1) * np.linalg.norm(two, axis=-1))
    if both.any() and cosine.mean() >= SAME_POSE:
        return jump.factor
    old = _longest(limbs, slice(max(0, jump.before - AROUND + 1), jump.before + 1))
    new = _longest(limbs, slice(jump.frame, jump.frame + AROUND))
    known = (old > 0) & (new > 0)
    return float(np.median(new[known] / old[known])) if known.any() else jump.factor


def _longest(limbs: Descriptor, frames: slice) -> Floats:
    """(12,) how long each limb is in some frames when nothing foreshortens it; 0 where it is not seen."""
    length = np.linalg.norm(limbs.displacement[frames], axis=-1)
    seen = limbs.seen[frames]
    return np.array(
        [
            np.quantile(length[seen[:, limb], limb], LENGTH_QUANTILE) if seen[:, limb].any() else 0.0
            for limb in range(length.shape[1])
        ]
    )


def _anchor(pose: Pose, jump: SizeJump) -> npt.NDArray[np.intp]:
    """The points whose middle stays where it is: ankles or hips seen on both sides, else what is seen of the body."""
    both = (pose.confidence[jump.before] > 0) & (pose.confidence[jump.frame] > 0)
    for joints in _ANCHORS:
        if both[joints].all():
            return np.array(joints)
    return np.flatnonzero(both[BODY]) + BODY.start
