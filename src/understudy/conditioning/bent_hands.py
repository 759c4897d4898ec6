"""Hands that bend at the wrist, where fingers are tracked: a forearm's own transform cannot say what its hand does."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Points = npt.NDArray[np.floating[Any]]

FINGERTIPS = (8, 12, 16)
"""of index, middle and ring finger among a hand's 21 points"""
BEND = 0.35
"""of the hand's length: so far on both sides of a wrist, skin goes over from the forearm's transform to the hand's"""


def tracked(seen: npt.NDArray[np.bool_], hand: slice) -> npt.NDArray[np.bool_]:
    """(...) whether the fingertips that a hand's direction is taken from are seen, from (..., 133 or more)."""
    return np.asarray(seen[..., [hand.start + finger for finger in FINGERTIPS]].all(axis=-1))


def tip_of_hand(xy: Points, seen: npt.NDArray[np.bool_], hand: slice, straight: Points) -> Points:
    """(..., 2) the middle of the fingertips, or `straight` on from the forearm where they are lost."""
    tips = xy[..., [hand.start + finger for finger in FINGERTIPS], :].mean(axis=-2)
    return np.where(tracked(seen, hand)[..., None], tips, straight)


def past_the_wrist(grid_xy: Floats, elbow: Points, wrist: Points, tip: Points) -> Floats:
    """(H, W) from 0 on the forearm to 1 on the hand, for places (H, W, 2) about an arm.

    Half-way lies the line through the wrist that halves the bend, so that neither side is folded over the other.
    """
    forearm, hand = wrist - elbow, tip - wrist
    on = forearm / max(float(np.linalg.norm(forearm)), 1e-6) + hand / max(float(np.linalg.norm(hand)), 1e-6)
    length = float(np.linalg.norm(on))
    if length < 1e-3:  # folded back on the forearm
        on, length = hand, max(float(np.linalg.norm(hand)), 1e-6)
    far = (grid_xy - wrist) @ (on / length)
    return np.asarray(np.clip(0.5 + far / (2 * BEND * max(float(np.linalg.norm(hand)), 1.0)), 0, 1), np.float32)
