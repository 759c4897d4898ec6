"""Mattes at working size: a coarse mask refined against the picture, or a green screen keyed out."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from understudy.errors import MediaError

UInt8Array = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]


def guided_filter(guide: FloatArray, image: FloatArray, radius: int, epsilon: float) -> FloatArray:
    """Smooths `image` but keeps the edges of `guide` (He et al. 2010, "Guided Image Filtering", eqs. 5, 6, 8).

    Args:
        guide: (H, W) in [0, 1].
        image: (H, W) in [0, 1].
        radius: of the box window, pixels.
        epsilon: guide variance (its range is 1) below which a window counts as flat.

    Returns:
        (H, W), about the range of `image`.
    """
    window = (2 * radius + 1, 2 * radius + 1)

    def mean(values: FloatArray) -> FloatArray:
        return cv2.boxFilter(values, -1, window, borderType=cv2.BORDER_REFLECT)

    guide_mean, image_mean = mean(guide), mean(image)
    covariance = mean(guide * image) - guide_mean * image_mean
    variance = mean(guide * guide) - guide_mean * guide_mean
    a = covariance / (variance + np.float32(epsilon))
    b = image_mean - a * guide_mean
    return mean(a) * guide + mean(b)


def refine(frame: UInt8Array, coarse: UInt8Array) -> UInt8Array:
    """Pulls the edge of a coarse mask to the edges of the picture.

    Args:
        frame: (S, S, 3) RGB.
        coarse: (S, S), 255 inside.

    Returns:
        (S, S) uint8 with an edge about two pixels soft.
    """
    radius = max(2, frame.shape[0] // 64)
    guide = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)
    soft = guided_filter(guide, coarse.astype(np.float32) / np.float32(255), radius, 1e-4)
    return _contrast(soft, 0.15, 0.85)


def _contrast(values: FloatArray, low: float, high: float) -> UInt8Array:
    """`low` becomes 0 and `high` 255: the faint halo of a filtered mask goes, its inside is solid."""
    matte: UInt8Array = np.clip((values - low) * (255 / (high - low)) + 0.5, 0, 255).astype(np.uint8)
    return matte


@dataclass(frozen=True)
class GreenScreen:
    """A screen of one colour, found in the border of the picture."""

    chroma: tuple[float, float]
    """Cr and Cb of the screen, 0 to 255, as OpenCV's YCrCb has them"""
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
        chroma = cv2.cvtColor(border[None], cv2.COLOR_RGB2YCrCb)[0, :, 1:].astype(np.float32)
        strong = chroma[np.linalg.norm(chroma - 128, axis=1) > 25]
        if len(strong):
            bins, _, _ = np.histogram2d(strong[:, 0], strong[:, 1], bins=32, range=((0, 256), (0, 256)))
            peak = np.array(np.unravel_index(bins.argmax(), bins.shape)) * 8 + 4
            screen = strong[np.linalg.norm(strong - peak, axis=1) < 24]
            if len(screen) > len(chroma) / 3:
                centre = np.median(screen, axis=0)
                spread = float(np.percentile(np.linalg.norm(screen - centre, axis=1), 95))
                return cls((float(centre[0]), float(centre[1])), spread)
        raise MediaError("no green or blue screen along the border of the picture: use --matte auto")

    def key(self, frame: UInt8Array) -> tuple[UInt8Array, UInt8Array]:
        """(S, S, 3) RGB to its matte (S, S) and the same frame with the screen's tint taken off the person."""
        chroma = cv2.cvtColor(frame, cv2.COLOR_RGB2YCrCb)[..., 1:].astype(np.float32) - 128
        screen = np.float32(self.chroma) - 128
        strength = float(np.linalg.norm(screen))
        distance = np.linalg.norm(chroma - screen, axis=2)
        low = max(2 * self.spread, 0.15 * strength)
        matte = _contrast(distance / np.float32(strength), low / strength, min(0.95, low / strength + 0.45))
        along = np.clip(chroma @ (screen / strength), 0, None)  # the part of each pixel's colour that is the screen's
        clean = chroma - along[..., None] * (screen / strength)
        luma = cv2.cvtColor(frame, cv2.COLOR_RGB2YCrCb)[..., 0]
        ycc = np.dstack([luma, np.clip(clean + 128.5, 0, 255).astype(np.uint8)])
        despilled = cv2.cvtColor(ycc, cv2.COLOR_YCrCb2RGB)
        return matte, np.where((matte > 0)[..., None], despilled, frame)
