"""Turned squares of a picture: what each of BlazePose's networks is shown, and where in the picture its points lie."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

UInt8Array = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]
"""(N, 2) pixels of the picture, its edges at 0 and its width and height"""

RIGHT_ANGLE = math.pi / 2
MIDDLE = 0.5
"""of a pixel"""
_BORDERS = {"black": cv2.BORDER_CONSTANT, "nearest": cv2.BORDER_REPLICATE}


@dataclass(frozen=True)
class Region:
    """A turned rectangle, pixels of the picture (edges at 0 and W), radians (clockwise as it is seen)."""

    x: float
    y: float
    """its middle"""
    width: float
    height: float
    rotation: float = 0.0

    @property
    def turn(self) -> Points:
        """(2, 2), from its own axes to those of the picture."""
        cos, sin = math.cos(self.rotation), math.sin(self.rotation)
        return np.array([[cos, -sin], [sin, cos]])

    def shifted_square(self, down: float, scale: float) -> Region:
        """Moved by a share of its height along its own down axis, then a square on the longer side times `scale`."""
        step = down * self.height
        side = scale * max(self.width, self.height)
        x, y = self.x - step * math.sin(self.rotation), self.y + step * math.cos(self.rotation)
        return Region(x, y, side, side, self.rotation)

    def to_picture(self, shares: npt.NDArray[np.floating]) -> Points:
        """(N, 2) shares of its sides, 0 to 1 inside, to points of the picture."""
        along = (np.asarray(shares, np.float64) - 0.5) * (self.width, self.height)
        return np.asarray(along @ self.turn.T + (self.x, self.y))

    def to_shares(self, points: Points) -> Points:
        """What `to_picture` undoes."""
        return np.asarray((points - (self.x, self.y)) @ self.turn / (self.width, self.height) + 0.5)

    def cut(
        self,
        picture: UInt8Array,
        size_wh: tuple[int, int],
        beyond: Literal["black", "nearest"],
        low: float = 0.0,
        middle: float = MIDDLE,
    ) -> Floats:
        """What it shows, read bilinearly and rounded to whole grey levels as the networks learnt it.

        Args:
            picture: (H, W, 3).
            size_wh: pixels to be made.
            beyond: what lies outside of the picture: black, or as the nearest pixel.
            low: what black becomes; white becomes 1.
            middle: of a pixel; 0 as MediaPipe takes it, which then reads everything half a pixel off.

        Returns:
            (height, width, 3).
        """
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        matrix = self.matrix(size_wh, middle)
        read = cv2.warpAffine(picture, matrix, size_wh, flags=flags, borderMode=_BORDERS[beyond])
        return np.asarray(read * np.float32((1 - low) / 255) + np.float32(low), np.float32)

    def laid_back(
        self,
        mask: UInt8Array,
        picture_hw: tuple[int, int],
        beyond: Literal["black", "nearest"] = "black",
        middle: float = MIDDLE,
    ) -> UInt8Array:
        """A mask of this region, (h, w), in the whole picture, (H, W); outside 0, or as its nearest pixel."""
        matrix = self.matrix((mask.shape[1], mask.shape[0]), middle)
        laid = cv2.warpAffine(mask, matrix, picture_hw[::-1], flags=cv2.INTER_LINEAR, borderMode=_BORDERS[beyond])
        return np.asarray(laid, np.uint8)

    def matrix(self, size_wh: tuple[int, int], middle: float) -> Points:
        """(2, 3), from pixel numbers of what is cut to pixel numbers of the picture."""
        along = self.turn * (self.width / size_wh[0], self.height / size_wh[1])
        start = self.to_picture(np.zeros(2)) + along @ (middle, middle) - middle
        return np.column_stack([along, start])


def direction(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating], upright: float) -> float:
    """Rotation of somebody in whom `b - a` points at `upright` radians (0 = right, pi / 2 = up) if not turned."""
    return wrapped(upright - math.atan2(-(b[1] - a[1]), b[0] - a[0]))


def wrapped(angle: float) -> float:
    """The same angle in [-pi, pi)."""
    return (angle + math.pi) % (2 * math.pi) - math.pi


def around_pair(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating], scale: float, rotation: float) -> Region:
    """The square about a circle with its middle at `a` and its rim at `b`, times `scale`."""
    side = 2 * float(np.hypot(*(b - a))) * scale
    return Region(float(a[0]), float(a[1]), side, side, rotation)


def bounding(points: Points, rotation: float, turned: bool = False) -> Region:
    """The smallest upright box of points, with a rotation; `turned`: the smallest box that is turned so."""
    whole = Region(0.0, 0.0, 1.0, 1.0, rotation if turned else 0.0)
    inside = points @ whole.turn
    low, high = inside.min(axis=0), inside.max(axis=0)
    middle = whole.turn @ ((low + high) / 2)
    width, height = high - low
    return Region(float(middle[0]), float(middle[1]), float(width), float(height), rotation)


def resembles(one: Region, other: Region, points: Points, most: Likeness) -> bool:
    """Whether a region is so near another that it may stand for it, and the other holds all of its points."""
    shift = (np.array([one.x, one.y]) - (other.x, other.y)) @ other.turn
    inner = replace(other, width=other.width * most.inside, height=other.height * most.inside)
    shares = inner.to_shares(points)
    return bool(
        abs(wrapped(one.rotation - other.rotation)) <= most.rotation
        and (np.abs(shift) <= (most.shift * other.width, most.shift * other.height)).all()
        and abs(one.width - other.width) <= most.size * other.width
        and abs(one.height - other.height) <= most.size * other.height
        and ((shares >= 0) & (shares <= 1)).all()
    )


@dataclass(frozen=True)
class Likeness:
    """How far two regions of one thing may be apart: radians, and shares of a side."""

    rotation: float
    shift: float
    size: float
    inside: float
    """share of the other's sides within which the points lie"""
