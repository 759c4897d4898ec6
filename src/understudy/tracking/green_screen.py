"""A green or blue screen behind a person: where it is, and what before it is not screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from understudy.errors import MediaError
from understudy.tracking.matte import contrast, without_specks

UInt8Array = npt.NDArray[np.uint8]

STRONGER = 0.18
"""share of its own level by which green or blue has to surpass the two other channels: skin, wood, brick and sand are
reddish, and pale walls do not come to it; a badly lit screen does"""
DARKEST = 25
"""level of that channel below which a picture is too dark to tell"""
ALIKE = 24
"""distance of Cr and Cb within which colours are one screen's"""
LEAST = 0.15
"""share of the square around the person that the screen fills at least; clothes do not"""
PIECE = 0.02
"""share of that square from which a patch of the screen's colour is a piece of the screen"""


@dataclass(frozen=True)
class GreenScreen:
    """A screen of one colour."""

    chroma: tuple[float, float]
    """Cr and Cb of the screen, 0 to 255, as OpenCV's YCrCb has them"""
    luma: float
    """its brightness, 0 to 255"""
    spread: float
    """how far the screen itself strays from that, in the same units"""

    @classmethod
    def found_in(cls, pictures: Iterable[UInt8Array]) -> GreenScreen:
        """The screen of the pictures that show most of it, of those the brightest: a clip may begin in the dark.

        Args:
            pictures: (S, S, 3) RGB, squares around the person.

        Raises:
            MediaError: in none of them a green or blue of one kind fills enough of the square.
        """
        found = [one for picture in pictures if (one := _commonest(picture)) is not None]
        if not found:
            raise MediaError("no green or blue screen behind the person: use `matte='auto'`")
        most = max(share for share, _ in found)
        return max((screen for share, screen in found if share > 0.9 * most), key=lambda screen: screen.luma)

    def key(self, frame: UInt8Array) -> tuple[UInt8Array, UInt8Array]:
        """(S, S, 3) RGB to its matte (S, S) and the same frame with the screen's tint taken off the person."""
        ycc = cv2.cvtColor(frame, cv2.COLOR_RGB2YCrCb)
        luma, chroma = ycc[..., 0], ycc[..., 1:].astype(np.float32) - 128
        screen = np.array(self.chroma, np.float32) - 128
        strength = float(np.linalg.norm(screen))
        lit = np.clip(np.float32(self.luma) / np.maximum(luma, 1), 1, 3)[..., None]  # shadows on the screen are screen
        distance = np.linalg.norm(chroma * lit - screen, axis=2)
        low = max(2 * self.spread, 0.15 * strength)
        matte = contrast(distance / np.float32(strength), low / strength, min(0.95, low / strength + 0.45))
        along = np.clip(chroma @ (screen / strength), 0, None)  # the part of each pixel's colour that is the screen's
        clean = chroma - along[..., None] * (screen / strength)
        despilled = cv2.cvtColor(
            np.dstack([luma, np.clip(clean + 128.5, 0, 255).astype(np.uint8)]), cv2.COLOR_YCrCb2RGB
        )
        return without_specks(matte), np.where((matte > 0)[..., None], despilled, frame)

    def sheet(self, matte: UInt8Array) -> UInt8Array:
        """(S, S): 255 within the outline of the screen, what stands before it included, 0 beside and below it.

        Args:
            matte: (S, S), of `key`.
        """
        screen = cv2.morphologyEx((matte < 64).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        count, labels, statistics, _ = cv2.connectedComponentsWithStats(screen)
        least = PIECE * matte.size
        pieces = [label for label in range(1, count) if statistics[label, cv2.CC_STAT_AREA] >= least]
        within = np.zeros(matte.shape, np.uint8)
        if pieces:
            edges, _ = cv2.findContours(
                np.isin(labels, pieces).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
            )
            cv2.fillConvexPoly(within, cv2.convexHull(np.concatenate(edges)), 255)
        # The pixels on its edge are half of what is beside it, and would be left as a line
        return np.asarray(cv2.erode(within, np.ones((3, 3), np.uint8), iterations=2), np.uint8)


def _commonest(picture: UInt8Array) -> tuple[float, GreenScreen] | None:
    """The share of a picture that its commonest green or blue fills, and the screen that this would be."""
    ycc = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb).reshape(-1, 3).astype(np.float32)
    strong = ycc[_green_or_blue(picture).ravel()]
    if len(strong) < LEAST * len(ycc):
        return None
    bins, _, _ = np.histogram2d(strong[:, 1], strong[:, 2], bins=32, range=((0, 256), (0, 256)))
    peak = np.array(np.unravel_index(bins.argmax(), bins.shape)) * 8 + 4
    screen = strong[np.linalg.norm(strong[:, 1:] - peak, axis=1) < ALIKE]
    if len(screen) < LEAST * len(ycc):
        return None
    luma, *centre = np.median(screen, axis=0)
    spread = float(np.percentile(np.linalg.norm(screen[:, 1:] - centre, axis=1), 95))
    return len(screen) / len(ycc), GreenScreen((float(centre[0]), float(centre[1])), float(luma), spread)


def _green_or_blue(picture: UInt8Array) -> npt.NDArray[np.bool_]:
    red, green, blue = (picture[..., channel].astype(np.float32) for channel in range(3))
    is_green = (green > DARKEST) & (green - np.maximum(red, blue) > STRONGER * green)
    is_blue = (blue > DARKEST) & (blue - np.maximum(red, green) > STRONGER * blue)
    return np.asarray(is_green | is_blue)
