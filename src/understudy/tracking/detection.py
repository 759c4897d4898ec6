"""What a tracker says of one frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Detection:
    """One person in one frame."""

    xy: npt.NDArray[np.float32]
    """(133, 2) pixels of the frame that was looked at, whole numbers at pixel centres, COCO-WholeBody order"""
    confidence: npt.NDArray[np.float32]
    """(133,) in [0, 1]; 0 = not seen"""
    mask: npt.NDArray[np.uint8] | None
    """(H, W) coarse matte of the person in that frame, 255 inside; None where the tracker makes none"""


class Tracker(Protocol):
    """Follows one person through consecutive frames, given one at a time and in order."""

    name: str
    version: str

    def __call__(self, frame: npt.NDArray[np.uint8]) -> Detection | None:
        """(H, W, 3) RGB in; None where nobody is found."""

    def forget(self) -> None:
        """The next frame is of another shot: where the person was says nothing of where it is."""

    def close(self) -> None: ...
