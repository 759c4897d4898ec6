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
from understudy.media.squares import cut
from understudy.performance import Crop, Performance
from understudy.poses.edges import Box, filmed_box
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity
from understudy.tracking.crop import crop_of

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
        return self._from_own_crop().of_pose(self.performance.poses, (self.size, self.size))

    @property
    def filmed(self) -> Box:
        """The part of the square that the picture fills."""
        return filmed_box(crop_of(self.square, self.size), self.performance.header.original_size_hw, self.size)

    def frames(self) -> Iterator[UInt8Array]:
        """(S, S, 3) RGB, room and all."""
        header = self.performance.header
        with VideoReader(
            self.video,
            start=header.start,
            end=header.end,
            say_notes=False,
            rotate=header.rotate,
            double_rate=header.double_rate,
        ) as reader:
            for _, frame in zip(range(len(self)), reader, strict=False):
                yield cut(frame, self.square, self.size)

    def mattes(self) -> Iterator[UInt8Array]:
        """(S, S), 255 where the person is."""
        matrix = self._from_own_crop().matrix
        for matte in self.performance.mattes():
            yield np.asarray(cv2.warpAffine(matte, matrix, (self.size, self.size), flags=cv2.INTER_AREA), np.uint8)

    def _from_own_crop(self) -> Similarity:
        """From the clip's working pixels to those of the square, by way of the video's."""
        return crop_of(self.square, self.size).relative_to(self.performance.header.crop)


def square_of(crop: Crop, working_size: int) -> Square:
    """The square (left, top, side) in original pixels that a crop takes to `working_size` pixels."""
    side = round(working_size / crop.scale)
    left, top = crop.back(Similarity.resized(crop.scale).translation_xy)  # the first pixel goes where it would uncut
    return round(left), round(top), side
