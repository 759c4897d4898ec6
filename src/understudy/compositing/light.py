"""The light of one room brought to somebody who was filmed in another, gently."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

UInt8Array = npt.NDArray[np.uint8]

BRIGHTNESS, CONTRAST, COLOUR = 0.4, 0.25, 0.3
"""shares of the difference between both rooms that are taken over: what a room shows is not only its light, as one with
a dark wall and one with a bright one may be lit alike"""
LEAST, MOST = 0.75, 1.3
"""times as bright, and as full of contrast, as it was"""
MOST_COLOUR = 1.08
"""times that a colour may be stronger or weaker beside the others"""
MOST_LIFT = 12.0
"""grey levels by which black may become lighter, or what is a little lighter than black, black"""
LUMA = np.array([0.2126, 0.7152, 0.0722])


@dataclass(frozen=True)
class Light:
    """A straight line for each colour: `gain * value + offset`, values 0 to 255."""

    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """of red, green and blue"""
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @classmethod
    def from_to(cls, here: UInt8Array, there: UInt8Array) -> Light:
        """What makes somebody filmed in one room look a little as if in another.

        Mean brightness, its spread and the balance of colours are compared, each by its share and within limits.

        Args:
            here: (H, W, 3) RGB, where somebody was filmed, without them.
            there: (h, w, 3) RGB, where they are to stand.
        """
        (mean_here, spread_here), (mean_there, spread_there) = _measured(here), _measured(there)
        bright = _held(float(LUMA @ mean_there) / max(float(LUMA @ mean_here), 1.0), BRIGHTNESS, LEAST, MOST)
        contrast = _held(spread_there / max(spread_here, 1.0), CONTRAST, LEAST, MOST)
        balance_here, balance_there = (mean / max(float(LUMA @ mean), 1.0) for mean in (mean_here, mean_there))
        gains = np.array(
            [
                _held(float(b) / max(float(a), 0.05), COLOUR, 1 / MOST_COLOUR, MOST_COLOUR)
                for a, b in zip(balance_here, balance_there, strict=True)
            ]
        )
        gains /= float(LUMA @ gains)
        # brightness changes everything; contrast leaves the middle of the room as it is
        slope = float(np.clip(bright * contrast, LEAST, MOST))
        middle = float(LUMA @ mean_here)
        lifted = float(np.clip((bright - slope) * middle, -MOST_LIFT, MOST_LIFT))
        return cls(_three(slope * gains), _three(lifted * gains))

    def on(self, cutout: UInt8Array) -> UInt8Array:
        """A cutout in this light: (H, W, 4) premultiplied uint8 in and out; its alpha stays."""
        if self == Light():
            return cutout
        alpha = cutout[..., 3:].astype(np.float32)
        colours = cutout[..., :3] * np.asarray(self.gain, np.float32) + alpha * (
            np.asarray(self.offset, np.float32) / 255
        )
        lit = np.empty_like(cutout)
        lit[..., :3] = np.clip(colours + 0.5, 0, alpha)
        lit[..., 3] = cutout[..., 3]
        return lit


def _measured(room: UInt8Array) -> tuple[npt.NDArray[np.float64], float]:
    """(3,) mean colour, and how far apart dark and bright are, of a room blurred so that textures do not count."""
    small = cv2.resize(room, (48, 48), interpolation=cv2.INTER_AREA).astype(np.float64)
    return small.mean(axis=(0, 1)), float((small @ LUMA).std())


def _held(ratio: float, share: float, least: float, most: float) -> float:
    return float(np.clip(max(ratio, 1e-3) ** share, least, most))


def _three(values: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
