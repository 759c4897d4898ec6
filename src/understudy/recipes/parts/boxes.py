"""The part of a square picture that holds the person: what lies beyond it need not be computed."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt


class Box(NamedTuple):
    """A part of a picture: rows and columns, pixels."""

    top: int
    left: int
    bottom: int
    right: int

    def at(self, scale: float = 1.0) -> tuple[slice, slice]:
        """Its rows and columns, in another size of the picture."""
        top, left, bottom, right = (round(edge * scale) for edge in self)
        return slice(top, bottom), slice(left, right)


def box_about(alpha: npt.NDArray[Any], room: int = 0, multiple: int = 2) -> Box | None:
    """All of a picture (S, S) that is not 0 and `room` pixels more, its edges at multiples; None if nothing is.

    Args:
        multiple: a divisor of S.
    """
    left, top, width, height = cv2.boundingRect((alpha > 0).astype(np.uint8))
    if not width:
        return None
    begins = (max(0, begin - room) // multiple * multiple for begin in (top, left))
    sides = zip((top + height, left + width), alpha.shape, strict=True)
    ends = (min(side, -(-(end + room) // multiple) * multiple) for end, side in sides)
    return Box(*begins, *ends)
