"""Which of several warped frames to show at every place: the nearest one, unless the others contradict it.

One frame warped into a pose shows more than the person: a ball before the knee goes along with the knee, a shirt's hem
that a thigh was cut out of goes along with the thigh, and what another limb hid is made up. Each of these is in one
frame and not in others that were filmed at other times. So several frames are warped into the same pose, and every
place takes one of them. Taking their mean instead would double prints and blur faces.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.retargeting.pose_metrics import UNIT_FRAME

Floats = npt.NDArray[np.float32]

STEP = 2
"""pixels: choices are made on a grid this coarse"""
ODD_WITHIN = 6.0
"""pixels of 256: standard deviation of the neighbourhood in which frames are compared. Prints and seams, which lie a
few pixels apart in any two of them, are no contradiction, a ball is"""
SMOOTH = 2.0
"""pixels of 256: standard deviation over which neighbours choose alike"""
MADE_UP = 60.0
"""RGB levels that a contradiction is worth as much as: showing what was not filmed but made up from around"""
PER_PIXEL = 4.0
"""RGB levels for each pixel (of 256, mean over limbs) by which a frame needs more warping than the nearest one"""
SECOND = 10.0
"""RGB levels by which others must be better than the nearest frame, so that it is one frame wherever it can be"""
HELD = 0.5
"""share of the moment before in what is weighed now: choices that change at every frame flicker"""


class Agreement:
    """Chooses moment after moment; make a new one for another sequence.

    Args:
        size: S, pixels.
        softness: RGB levels of advantage over which one frame gives way to another.
    """

    def __init__(self, size: int, softness: float) -> None:
        self.size, self.softness = size, softness
        self.before: Floats | None = None
        """(K, S/2, S/2) `fault` of the moment before; None at the beginning"""

    def shown(self, sources: Floats, filmed: Floats, distances: npt.NDArray[Any]) -> Floats:
        """One picture of the sources of one moment.

        Args:
            sources: (K, S, S, 4) premultiplied, 0-255, the nearest first.
            filmed: (K, S, S) in [0, 1]: 1 where a source shows what was filmed, 0 where it was made up from around.
            distances: (K,) how much warping each needs, pixels of 256.

        Returns:
            (S, S, 4) premultiplied, 0-255.
        """
        share = shares(self.fault(sources, filmed, distances), self.softness)
        full = (self.size, self.size)
        return np.asarray(
            sum(cv2.resize(one, full)[..., None] * source for one, source in zip(share, sources, strict=True)),
            np.float32,
        )

    def fault(self, sources: Floats, filmed: Floats, distances: npt.NDArray[Any]) -> Floats:
        """(K, S/2, S/2) RGB levels: what speaks against each source at every place. Arguments as of `shown`."""
        fault = self._contradiction(sources) + MADE_UP * (1 - self._coarse(filmed))
        fault += PER_PIXEL * np.asarray(distances - distances.min(), np.float32)[:, None, None]
        fault[1:] += SECOND
        fault = self._smoothed(fault, SMOOTH)
        if self.before is not None:
            fault = HELD * self.before + (1 - HELD) * fault
        self.before = fault
        return fault

    def _contradiction(self, sources: Floats) -> Floats:
        """(K, S/2, S/2): RGB and alpha levels between each source and what most of them show there."""
        around = self._smoothed(self._coarse(sources), ODD_WITHIN)
        apart = around - _median(around)
        return np.asarray(np.sqrt(np.einsum("khwc,khwc->khw", apart, apart)), np.float32)

    def _coarse(self, pictures: Floats) -> Floats:
        side = self.size // STEP
        return np.stack([cv2.resize(one, (side, side), interpolation=cv2.INTER_AREA) for one in pictures])

    def _smoothed(self, pictures: Floats, deviation: float) -> Floats:
        deviation *= self.size / UNIT_FRAME / STEP
        return np.stack([cv2.GaussianBlur(one, (0, 0), deviation) for one in pictures])


def _median(values: Floats) -> Floats:
    """Over the first axis; of up to four, what is left without the least and the largest, in a tenth of the time."""
    count = len(values)
    if count > 4:
        return np.asarray(np.median(values, axis=0), np.float32)
    if count < 3:
        return np.asarray(values.mean(axis=0), np.float32)
    inner = values.sum(axis=0) - values.max(axis=0) - values.min(axis=0)
    return np.asarray(inner / np.float32(count - 2), np.float32)


def logits_of(fault: Floats, softness: float) -> Floats:
    """(K, ...) of the choice between the sources: 0 for the best, below it by one for every `softness` levels."""
    return np.asarray((fault.min(axis=0) - fault) / softness, np.float32)


def shares(fault: Floats, softness: float) -> Floats:
    """(K, ...) how much of each source is shown where: a softmax, with `softness` levels for its temperature."""
    share = np.exp(logits_of(fault, softness))
    return np.asarray(share / share.sum(axis=0), np.float32)
