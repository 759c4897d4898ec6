"""Truth: the person truly doing what a clone was asked to do, seen in the reference's square."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from understudy.media.reading import VideoReader
from understudy.performance import Crop, Performance
from understudy.poses.pose import Pose
from understudy.tracking.crop import crop_of, cut

UInt8Array = npt.NDArray[np.uint8]
Square = tuple[int, int, int]


@dataclass(frozen=True)
class Truth:
    """A true clip, cut with the reference's crop, so that every method is compared at the same place and size."""

    video: Path
    performance: Performance
    """the clip, tracked; its crop is its own"""
    square: Square
    """(left, top, side) in pixels of the video: the reference's"""
    size: int
    """pixels: side S of the pictures that are compared"""

    @property
    def fps(self) -> Fraction:
        return self.performance.fps

    def __len__(self) -> int:
        return len(self.performance)

    @property
    def pose(self) -> Pose:
        """The tracked poses in pixels of the S x S square."""
        scale, translation_xy = self._from_own_crop()
        return self.performance.poses.transformed(scale, translation_xy, (self.size, self.size))

    def frames(self) -> Iterator[UInt8Array]:
        """(S, S, 3) RGB, room and all."""
        header = self.performance.header
        with VideoReader(self.video, start=header.start, end=header.end, say_notes=False) as reader:
            for _, frame in zip(range(len(self)), reader, strict=False):
                yield cut(frame, self.square, self.size)

    def mattes(self) -> Iterator[UInt8Array]:
        """(S, S), 255 where the person is."""
        scale, (x, y) = self._from_own_crop()
        matrix = np.array([[scale, 0, x], [0, scale, y]])
        for matte in self.performance.mattes():
            yield np.asarray(cv2.warpAffine(matte, matrix, (self.size, self.size), flags=cv2.INTER_AREA), np.uint8)

    def _from_own_crop(self) -> tuple[float, tuple[float, float]]:
        own, wanted = self.performance.header.crop, crop_of(self.square, self.size)
        scale = wanted.scale / own.scale
        x, y = (w - scale * o for w, o in zip(wanted.translation_xy, own.translation_xy, strict=True))
        return scale, (x, y)


def square_of(crop: Crop, working_size: int) -> Square:
    """The square (left, top, side) in original pixels that a crop takes to `working_size` pixels."""
    side = round(working_size / crop.scale)
    to_centre = crop.scale / 2 - 0.5
    left, top = (round((to_centre - t) / crop.scale) for t in crop.translation_xy)
    return left, top, side
