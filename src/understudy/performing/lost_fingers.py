"""Hands whose fingers are lost for a moment: they go on bending as before and after, or a hand would jump straight."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from understudy.conditioning.bent_hands import FINGERTIPS
from understudy.conditioning.limb_warps import HAND, LOWER_ARMS, LowerArm, with_made_up_points
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
        points = [arm.fingers.start + finger for finger in FINGERTIPS]
        held = _held(pose, arm, points, HELD * float(fps))
        if held is None:
            continue
        frames, tips = held
        if xy is pose.xy:
            xy, confidence = xy.copy(), confidence.copy()
        xy[np.ix_(frames, points)] = tips[:, None]
        confidence[np.ix_(frames, points)] = GUESSED
    return pose if xy is pose.xy else Pose(xy, confidence, pose.size_hw)


def _held(pose: Pose, arm: LowerArm, points: list[int], reach: float) -> tuple[npt.NDArray[np.intp], Doubles] | None:
    """Frames in which a hand's tip is to be put somewhere, and where (N, 2); None if there are none.

    Args:
        reach: frames.
    """
    forearm_seen = (pose.confidence[:, [arm.elbow, arm.wrist]] > 0).all(axis=1)
    seen = forearm_seen & (pose.confidence[:, points] > 0).all(axis=1)
    lost = np.flatnonzero(forearm_seen & ~seen)
    there = np.flatnonzero(seen)
    if not len(lost) or not len(there):
        return None
    forearm = (pose.xy[:, arm.wrist] - pose.xy[:, arm.elbow]).astype(np.float64)
    after = np.searchsorted(there, lost)
    total, mixed = np.zeros(len(lost)), np.zeros((len(lost), 2))
    for place in (after - 1, after):
        known = (place >= 0) & (place < len(there))
        frame = there[np.clip(place, 0, len(there) - 1)]
        share = np.where(known, np.clip(1 - np.abs(lost - frame) / reach, 0, 1), 0)
        made_up, _ = with_made_up_points(pose.xy[frame], pose.confidence[frame])
        hand = (made_up[:, arm.tip] - pose.xy[frame, arm.wrist]).astype(np.float64)
        total += share
        mixed += share[:, None] * _turned(hand, forearm[frame], forearm[lost])
    near = total > 0
    lost, total, mixed = lost[near], total[near], mixed[near]
    if not len(lost):
        return None
    by_hand = np.minimum(total, 1)[:, None]
    tips = by_hand * mixed / total[:, None] + (1 - by_hand) * HAND * forearm[lost]
    return lost, pose.xy[lost, arm.wrist] + tips


def _turned(hands: Doubles, by: Doubles, to: Doubles) -> Doubles:
    """(N, 2) hands turned as their forearms (N, 2) are between two moments."""
    angle = np.arctan2(to[:, 1], to[:, 0]) - np.arctan2(by[:, 1], by[:, 0])
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = hands.T
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=1)
