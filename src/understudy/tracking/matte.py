"""Mattes at working size: a coarse mask refined against the picture, or a green screen keyed out."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from understudy.tracking.background import masked_median
from understudy.tracking.guided_filter import guided_by_grey

UInt8Array = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]

SPECK_SHARE = 0.005
"""of the largest piece of a matte: smaller ones are dropped"""
CORE_DEPTH = 6 / 256
"""of the working size: what lies deeper inside a mask is the person even where it looks like the room"""
FLAT = 1e-2
"""variance of the brightness, whose range is 1, below which a window of the guided filter has no edge to settle on"""
MIN_SAMPLES = 5
MAX_NOISE = 16.0
"""grey levels; a room that strays more from its median moves"""


def refine(frame: UInt8Array, coarse: UInt8Array, room: StillRoom | None = None) -> UInt8Array:
    """Settles the edge of a coarse mask on the picture, and drops what is plainly room or too small to be a limb.

    What settles it is a guided filter (He et al. 2010, "Guided Image Filtering"), with the frame's brightness as guide.
    It is gentle on purpose: the tracker's masks are better than the ragged edges that a wide window gives.

    Args:
        frame: (S, S, 3) RGB.
        coarse: (S, S), 255 inside.
        room: what is known of the room behind the person, when the camera stands still.

    Returns:
        (S, S) uint8 with an edge about two pixels soft.
    """
    if room is not None:
        coarse = room.without_room(frame, coarse)
    guide = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)
    mask = coarse.astype(np.float32) / np.float32(255)
    soft = guided_by_grey(guide, mask, max(1, len(frame) // 256), FLAT)
    return without_specks(contrast(soft, 0.25, 0.75))


def without_specks(matte: UInt8Array, share: float = SPECK_SHARE) -> UInt8Array:
    """A matte or a label map (H, W) without separate pieces below that share of the largest."""
    count, labels, statistics, _ = cv2.connectedComponentsWithStats((matte > 0).astype(np.uint8))
    if count <= 2:
        return matte
    areas = statistics[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return np.where((areas >= share * areas.max())[labels], matte, 0).astype(np.uint8)


@dataclass(frozen=True)
class StillRoom:
    """The room as a camera that does not move sees it, at working size."""

    background: UInt8Array
    """(S, S, 3) RGB"""
    unknown: UInt8Array
    """(S, S), not 0 where the person always stood in front"""
    noise: float
    """grey levels by which 95 % of the room's pixels stray from it at most"""

    def without_room(self, frame: UInt8Array, coarse: UInt8Array) -> UInt8Array:
        """Takes from the outer parts of a mask what looks just like the room; its core stays, like or not."""
        difference = _strongest(cv2.absdiff(cv2.GaussianBlur(frame, (5, 5), 0), self.background))
        difference[self.unknown > 0] = 255
        low, high = max(2.0, 0.7 * self.noise), max(6.0, 1.5 * self.noise)
        differs = np.clip((difference - np.float32(low)) * np.float32(255 / (high - low)), 0, 255).astype(np.uint8)
        differs = cv2.morphologyEx(differs, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        reach = max(2, round(len(frame) * CORE_DEPTH))
        core = cv2.erode(coarse, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
        kept: UInt8Array = cv2.multiply(coarse, cv2.max(differs, cv2.blur(core, (3, 3))), scale=1 / 255)
        return kept


def still_room(frames: UInt8Array, masks: UInt8Array) -> StillRoom | None:
    """What samples of a clip say of the room; None when the camera moves, so that nothing can be said.

    Args:
        frames: (N, S, S, 3) RGB.
        masks: (N, S, S), above 0 where the person may be.
    """
    if len(frames) < MIN_SAMPLES:
        return None
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    people = np.stack([cv2.dilate((mask > 25).astype(np.uint8), kernel) for mask in masks])
    background, unknown = masked_median(frames, people)
    background = np.asarray(cv2.GaussianBlur(background, (5, 5), 0), np.uint8)
    strays = []
    for frame, person in zip(frames, people, strict=True):
        visible = (person == 0) & (unknown == 0)
        if visible.any():
            difference = _strongest(cv2.absdiff(cv2.GaussianBlur(frame, (5, 5), 0), background))
            strays.append(float(np.percentile(difference[visible], 95)))
    if not strays or np.median(strays) > MAX_NOISE:
        return None
    return StillRoom(background, unknown, float(np.median(strays)))


def _strongest(colours: npt.NDArray[np.generic]) -> UInt8Array:
    """Of (H, W, 3) the largest channel: as `max(axis=2)`, which takes fifteen times as long."""
    red, green, blue = cv2.split(colours)
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)


def contrast(values: FloatArray, low: float, high: float) -> UInt8Array:
    """`low` becomes 0 and `high` 255: the faint halo of a filtered mask goes, its inside is solid."""
    matte: UInt8Array = np.clip((values - low) * (255 / (high - low)) + 0.5, 0, 255).astype(np.uint8)
    return matte
