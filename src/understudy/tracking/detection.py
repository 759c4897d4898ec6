"""What a tracker says of one frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Mask:
    """A coarse matte of the person as a network gives it, and where it lies in the frame that was looked at."""

    values: npt.NDArray[np.uint8]
    """(h, w), 255 inside"""
    matrix: npt.NDArray[np.float64] = field(default_factory=lambda: np.eye(2, 3))
    """(2, 3), from its pixel numbers to those of the frame"""

    def laid(self, picture_hw: tuple[int, int], onward: npt.NDArray[np.float64] | None = None) -> npt.NDArray[np.uint8]:
        """(H, W), 0 where it says nothing, read once, whatever it goes through on its way.

        Args:
            picture_hw: of the frame, or of what `onward` leads to.
            onward: (2, 3), from the frame's pixel numbers to those of another picture; None: the frame itself.
        """
        matrix = self.matrix
        if onward is not None:
            matrix = onward[:, :2] @ matrix
            matrix[:, 2] += onward[:, 2]
        return np.asarray(cv2.warpAffine(self.values, matrix, picture_hw[::-1], flags=cv2.INTER_LINEAR), np.uint8)


@dataclass(frozen=True)
class Detection:
    """One person in one frame."""

    xy: npt.NDArray[np.float32]
    """(133, 2) pixels of the frame that was looked at, whole numbers at pixel centres, COCO-WholeBody order"""
    confidence: npt.NDArray[np.float32]
    """(133,) in [0, 1]; 0 = not seen"""
    mask: Mask | None
    """None where the tracker makes none"""


class Tracker(Protocol):
    """Follows one person through consecutive frames, given one at a time and in order."""

    name: str
    version: str

    def __call__(self, frame: npt.NDArray[np.uint8]) -> Detection | None:
        """(H, W, 3) RGB in; None where nobody is found."""

    def forget(self) -> None:
        """The next frame is of another shot: where the person was says nothing of where it is."""

    def close(self) -> None: ...
