"""Hands that bend at the wrist, where fingers are tracked: a forearm's own transform cannot say what its hand does."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.poses.pose import LEFT_HAND, RIGHT_HAND, Pose

Floats = npt.NDArray[np.float32]
Points = npt.NDArray[np.floating[Any]]

FINGERTIPS = (8, 12, 16)
"""of index, middle and ring finger among a hand's 21 points"""
BEND = 0.35
"""of the hand's length: so far on both sides of a wrist, skin goes over from the forearm's transform to the hand's"""
MOST_BEND = 70.0
"""degrees to which a wrist bends to the eye. What seems to bend farther points at the camera or away, and of that the
picture says less the farther it is: up to half a turn, where it is straight again, so that it never jumps"""


def fingertips(hand: slice) -> list[int]:
    """Those of index, middle and ring finger among 133 points."""
    return [hand.start + finger for finger in FINGERTIPS]


def tracked(seen: npt.NDArray[np.bool_], hand: slice) -> npt.NDArray[np.bool_]:
    """(...) whether the fingertips that a hand's direction is taken from are seen, from (..., 133 or more)."""
    return np.asarray(seen[..., fingertips(hand)].all(axis=-1))


def shows_fingers(pose: Pose) -> bool:
    """Whether any frame has a hand whose direction is known."""
    seen = pose.confidence > 0
    return bool(tracked(seen, RIGHT_HAND).any() or tracked(seen, LEFT_HAND).any())


def tip_of_hand(xy: Points, seen: npt.NDArray[np.bool_], hand: slice, wrist: Points, straight: Points) -> Points:
    """(..., 2) the end of a hand: the middle of its fingertips, or straight on from the forearm where they are lost.

    Args:
        xy, seen: (..., 133, 2) and (..., 133).
        hand: its points among them.
        wrist: (..., 2).
        straight: (..., 2) from the wrist on, as long as a hand whose fingers are lost.
    """
    tips = xy[..., fingertips(hand), :].mean(axis=-2)
    along = tips - wrist
    turn = np.arctan2(
        straight[..., 0] * along[..., 1] - straight[..., 1] * along[..., 0], (straight * along).sum(axis=-1)
    )
    most = np.radians(MOST_BEND)
    eased = np.sign(turn) * np.minimum(np.abs(turn), most * (np.pi - np.abs(turn)) / (np.pi - most))
    return wrist + np.where(tracked(seen, hand)[..., None], rotated(along, eased - turn), straight)


def rotated(vectors: Points, angles: Points) -> Points:
    """(..., 2) vectors (..., 2) turned by angles (...) in radians, from x towards y."""
    cos, sin = np.cos(angles), np.sin(angles)
    x, y = vectors[..., 0], vectors[..., 1]
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)


def past_the_wrist(grid_xy: Floats, elbow: Points, wrist: Points, tip: Points) -> Floats:
    """(H, W) from 0 on the forearm to 1 on the hand, for places (H, W, 2) about an arm.

    Half-way lies the line through the wrist that halves the bend, so that neither side is folded over the other.
    """
    forearm, hand = wrist - elbow, tip - wrist
    on = forearm / max(float(np.linalg.norm(forearm)), 1e-6) + hand / max(float(np.linalg.norm(hand)), 1e-6)
    far = (grid_xy - wrist) @ (on / max(float(np.linalg.norm(on)), 1e-6))
    return np.asarray(np.clip(0.5 + far / (2 * BEND * max(float(np.linalg.norm(hand)), 1.0)), 0, 1), np.float32)
