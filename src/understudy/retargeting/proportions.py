"""Limb lengths of the reference for the driver's poses: what one scale a video cannot do.

Aberman et al. 2018 name it as a limit of their alignment that both people need similar proportions. Here every limb
of the aligned driver keeps its direction and its foreshortening, and takes the reference's length.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from understudy.poses.pose import (
    FACE,
    LEFT_ANKLE,
    LEFT_ELBOW,
    LEFT_HAND,
    LEFT_HIP,
    LEFT_KNEE,
    LEFT_SHOULDER,
    LEFT_WRIST,
    RIGHT_ANKLE,
    RIGHT_ELBOW,
    RIGHT_HAND,
    RIGHT_HIP,
    RIGHT_KNEE,
    RIGHT_SHOULDER,
    RIGHT_WRIST,
    Pose,
)
from understudy.retargeting.alignment import Alignment, BodyStatistics

MOST_CHANGE = 1.4
"""People's limbs differ by less than this factor at the same overall size; a larger one is a tracking error."""
FRAMES_AT_ONCE = 4096
"""poses computed in double precision at a time: each is by itself, and an hour of them would be most of the memory"""
HEAD = slice(0, 5)
LEFT_FOOT, RIGHT_FOOT = slice(17, 20), slice(20, 23)

# Per limb, from the trunk outwards: joint nearer to the trunk, joint farther, and the limb's two places (right, left)
# in `BodyStatistics.limb_lengths`, whose order is that of `pose.DESCRIPTOR_LIMBS`
THIGHS, SHINS, TRUNK, SHOULDERS, UPPER_ARMS, FOREARMS = (1, 4), (2, 5), (0, 3), (6, 9), (7, 10), (8, 11)
CHAINS = (
    (RIGHT_HIP, RIGHT_KNEE, THIGHS), (RIGHT_KNEE, RIGHT_ANKLE, SHINS),
    (LEFT_HIP, LEFT_KNEE, THIGHS), (LEFT_KNEE, LEFT_ANKLE, SHINS),
    (RIGHT_SHOULDER, RIGHT_ELBOW, UPPER_ARMS), (RIGHT_ELBOW, RIGHT_WRIST, FOREARMS),
    (LEFT_SHOULDER, LEFT_ELBOW, UPPER_ARMS), (LEFT_ELBOW, LEFT_WRIST, FOREARMS),
)  # fmt: skip
FOLLOWERS = (
    (LEFT_ANKLE, LEFT_FOOT), (RIGHT_ANKLE, RIGHT_FOOT), (LEFT_WRIST, LEFT_HAND), (RIGHT_WRIST, RIGHT_HAND),
)  # fmt: skip


def fit_limbs(pose: Pose, alignment: Alignment, driving: BodyStatistics, reference: BodyStatistics) -> Pose:
    """Gives the limbs of aligned driving poses the reference's lengths.

    The hips stay where alignment put them; trunk, shoulders, arms and legs grow or shrink outwards from there, both
    sides alike, each by one factor for the whole clip (so that a limb that points at the camera stays short). Head,
    hands and feet keep their size and go along.

    Args:
        pose: (T, 133) driving poses, already aligned: in pixels of the reference's frame.
        alignment: the one that aligned them.
        driving: the driver's statistics before alignment.
        reference: the reference's.

    Returns:
        Poses of the same frame and confidence.
    """
    if len(pose) > FRAMES_AT_ONCE:
        starts = range(0, len(pose), FRAMES_AT_ONCE)
        return Pose.concatenate(
            [fit_limbs(pose[start : start + FRAMES_AT_ONCE], alignment, driving, reference) for start in starts]
        )
    xy = pose.xy.astype(np.float64)
    seen = pose.confidence > 0
    shift = np.zeros_like(xy)

    def factor(limb: tuple[int, int]) -> float:
        own = [alignment.scale * driving.limb_lengths[place] for place in limb]
        theirs = [reference.limb_lengths[place] for place in limb]
        if min(*own, *theirs) <= 0:
            return 1.0
        return float(np.clip(sum(theirs) / sum(own), 1 / MOST_CHANGE, MOST_CHANGE))

    def middle(left: int, right: int) -> npt.NDArray[np.float64]:
        return (xy[:, left] + xy[:, right]) / 2

    neck = middle(LEFT_SHOULDER, RIGHT_SHOULDER)
    corners = seen[:, [LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP]].all(axis=1, keepdims=True)
    neck_shift = (factor(TRUNK) - 1) * (neck - middle(LEFT_HIP, RIGHT_HIP)) * corners
    for points in (HEAD, FACE):
        shift[:, points] = neck_shift[:, None]
    for shoulder in (LEFT_SHOULDER, RIGHT_SHOULDER):
        shift[:, shoulder] = neck_shift + (factor(SHOULDERS) - 1) * (xy[:, shoulder] - neck) * corners
    for near, far, limb in CHAINS:
        along = (xy[:, far] - xy[:, near]) * (seen[:, near] & seen[:, far])[:, None]
        shift[:, far] = shift[:, near] + (factor(limb) - 1) * along
    for joint, points in FOLLOWERS:
        shift[:, points] = shift[:, joint, None]
    return Pose((xy + shift).astype(np.float32), pose.confidence, pose.size_hw)
