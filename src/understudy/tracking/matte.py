"""Mattes at working size: a coarse mask refined against the picture, or a green screen keyed out."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from understudy.errors import MediaError
from understudy.tracking.background import masked_median

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
    It is gentle on purpose: MediaPipe's masks are better than the ragged edges that a wide window gives.

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
    soft = np.asarray(cv2.ximgproc.guidedFilter(guide, mask, max(1, len(frame) // 256), FLAT), np.float32)
    return _without_specks(_contrast(soft, 0.25, 0.75))


def _without_specks(matte: UInt8Array) -> UInt8Array:
    count, labels, statistics, _ = cv2.connectedComponentsWithStats((matte > 0).astype(np.uint8))
    if count <= 2:
        return matte
    areas = statistics[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return np.where((areas >= SPECK_SHARE * areas.max())[labels], matte, 0).astype(np.uint8)


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
        difference = cv2.absdiff(cv2.GaussianBlur(frame, (5, 5), 0), self.background).max(axis=2)
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
            difference = cv2.absdiff(cv2.GaussianBlur(frame, (5, 5), 0), background).max(axis=2)
            strays.append(float(np.percentile(difference[visible], 95)))
    if not strays or np.median(strays) > MAX_NOISE:
        return None
    return StillRoom(background, unknown, float(np.median(strays)))


def _contrast(values: FloatArray, low: float, high: float) -> UInt8Array:
    """`low` becomes 0 and `high` 255: the faint halo of a filtered mask goes, its inside is solid."""
    matte: UInt8Array = np.clip((values - low) * (255 / (high - low)) + 0.5, 0, 255).astype(np.uint8)
    return matte


@dataclass(frozen=True)
class GreenScreen:
    """A screen of one colour, found in the border of the picture."""

    chroma: tuple[float, float]
    """Cr and Cb of the screen, 0 to 255, as OpenCV's YCrCb has them"""
    luma: float
    """its brightness, 0 to 255"""
    spread: float
    """how far the screen itself strays from that, in the same units"""

    @classmethod
    def found_in(cls, frame: UInt8Array) -> GreenScreen:
        """Takes the commonest strong colour along the left, right and upper border of a whole (H, W, 3) RGB frame.

        Raises:
            MediaError: less than a third of the border has one strong colour.
        """
        height, width = frame.shape[:2]
        band = max(2, min(height, width) // 20)
        border = np.concatenate(
            [frame[:band].reshape(-1, 3), frame[:, :band].reshape(-1, 3), frame[:, -band:].reshape(-1, 3)]
        )
        ycc = cv2.cvtColor(border[None], cv2.COLOR_RGB2YCrCb)[0].astype(np.float32)
        coloured = ycc[np.linalg.norm(ycc[:, 1:] - 128, axis=1) > 25]
        strong = coloured[:, 1:]
        if len(strong):
            bins, _, _ = np.histogram2d(strong[:, 0], strong[:, 1], bins=32, range=((0, 256), (0, 256)))
            peak = np.array(np.unravel_index(bins.argmax(), bins.shape)) * 8 + 4
            near = np.linalg.norm(strong - peak, axis=1) < 24
            screen = strong[near]
            if len(screen) > len(ycc) / 3:
                centre = np.median(screen, axis=0)
                spread = float(np.percentile(np.linalg.norm(screen - centre, axis=1), 95))
                return cls((float(centre[0]), float(centre[1])), float(np.median(coloured[near, 0])), spread)
        raise MediaError("no green or blue screen along the border of the picture: use `matte='auto'`")

    def key(self, frame: UInt8Array) -> tuple[UInt8Array, UInt8Array]:
        """(S, S, 3) RGB to its matte (S, S) and the same frame with the screen's tint taken off the person."""
        ycc = cv2.cvtColor(frame, cv2.COLOR_RGB2YCrCb)
        luma, chroma = ycc[..., 0], ycc[..., 1:].astype(np.float32) - 128
        screen = np.array(self.chroma, np.float32) - 128
        strength = float(np.linalg.norm(screen))
        lit = np.clip(np.float32(self.luma) / np.maximum(luma, 1), 1, 3)[..., None]  # shadows on the screen are screen
        distance = np.linalg.norm(chroma * lit - screen, axis=2)
        low = max(2 * self.spread, 0.15 * strength)
        matte = _contrast(distance / np.float32(strength), low / strength, min(0.95, low / strength + 0.45))
        along = np.clip(chroma @ (screen / strength), 0, None)  # the part of each pixel's colour that is the screen's
        clean = chroma - along[..., None] * (screen / strength)
        despilled = cv2.cvtColor(
            np.dstack([luma, np.clip(clean + 128.5, 0, 255).astype(np.uint8)]), cv2.COLOR_YCrCb2RGB
        )
        return _without_specks(matte), np.where((matte > 0)[..., None], despilled, frame)
