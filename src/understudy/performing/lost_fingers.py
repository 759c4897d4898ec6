"""Hands whose fingers are lost for a moment: they go on bending as before and after, or a hand would jump straight."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from understudy.conditioning.bent_hands import fingertips, rotated, tip_of_hand, tracked
from understudy.conditioning.limb_warps import HAND, LOWER_ARMS, LowerArm
from understudy.poses.pose import Pose
from understudy.recipes import recipe

Doubles = npt.NDArray[np.float64]

HELD = 0.6
"""seconds in which a bend that is no longer seen gives way to a straight hand, and one that will be seen begins"""
GUESSED = 0.1
"""confidence of the fingertips that are put there: seen, but hardly"""


def fingers_held(pose: Pose, fps: Fraction, played_by: str) -> Pose:
    """Fingertips of index, middle and ring finger where any of them is lost near to moments at which all are seen.

    What is held is the hand relative to its forearm. Frames without the forearm stay as they are.

    Args:
        pose: (T, 133) of a driver.
        played_by: name of a recipe; of one that plays no hands nothing is held.

    Returns:
        The same pose where nothing is to be held.
    """
    if recipe(played_by).landmarks == "body":
        return pose
    xy, confidence = pose.xy, pose.confidence
    for arm in LOWER_ARMS:
        held = _held(pose, arm, HELD * float(fps))
        if held is None:
            continue
        (frames, tips), points = held, fingertips(arm.fingers)
        if xy is pose.xy:
            xy, confidence = xy.copy(), confidence.copy()
        xy[frames[:, None], points] = tips[:, None]
        confidence[frames[:, None], points] = GUESSED
    return pose if xy is pose.xy else Pose(xy, confidence, pose.size_hw)


def _held(pose: Pose, arm: LowerArm, reach: float) -> tuple[npt.NDArray[np.intp], Doubles] | None:
    """Frames in which a hand's tip is to be put somewhere, and where (N, 2); None if there are none.

    Args:
        reach: frames.
    """
    known = pose.confidence > 0
    forearm_seen = known[:, [arm.elbow, arm.wrist]].all(axis=1)
    seen = forearm_seen & tracked(known, arm.fingers)
    lost = np.flatnonzero(forearm_seen & ~seen)
    there = np.flatnonzero(seen)
    if not len(lost) or not len(there):
        return None
    wrist = pose.xy[:, arm.wrist].astype(np.float64)
    forearm = wrist - pose.xy[:, arm.elbow]
    angle = np.arctan2(forearm[:, 1], forearm[:, 0])
    hand = tip_of_hand(pose.xy, known, arm.fingers, wrist, HAND * forearm) - wrist
    after = np.searchsorted(there, lost)
    total, mixed = np.zeros(len(lost)), np.zeros((len(lost), 2))
    for place in (after - 1, after):
        exists = (place >= 0) & (place < len(there))
        frame = there[np.clip(place, 0, len(there) - 1)]
        share = np.where(exists, np.clip(1 - np.abs(lost - frame) / reach, 0, 1), 0)
        total += share
        mixed += share[:, None] * rotated(hand[frame], angle[lost] - angle[frame])
    near = total > 0
    lost, total, mixed = lost[near], total[near], mixed[near]
    if not len(lost):
        return None
    by_hand = np.minimum(total, 1)[:, None]
    tips = by_hand * mixed / total[:, None] + (1 - by_hand) * HAND * forearm[lost]
    return lost, wrist[lost] + tips
