"""Errors between a generated frame and the true one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def rmse(a: npt.NDArray[Any], b: npt.NDArray[Any], box_xyxy: tuple[int, int, int, int] | None = None) -> float:
    """Root of the mean squared difference over pixels and channels, on RGB values 0-255.

    Args:
        a: (..., H, W, 3), values 0-255, any number type; leading axes (time) are averaged over as well.
        b: as `a`.
        box_xyxy: left, top, right, bottom in pixels, right and bottom excluded; cut at the frame's edge.

    Raises:
        ValueError: shapes differ, or the box holds no pixel of the frame.

    Example:
        >>> rmse(np.zeros((4, 4, 3)), np.full((4, 4, 3), 5))
        5.0
    """
    if a.shape != b.shape or a.ndim < 3 or a.shape[-1] != 3:
        raise ValueError(f"need two RGB pictures (..., H, W, 3) of one size, not {a.shape} and {b.shape}")
    if box_xyxy is not None:
        left, top, right, bottom = (max(0, edge) for edge in box_xyxy)
        a, b = a[..., top:bottom, left:right, :], b[..., top:bottom, left:right, :]
    if not a.size:
        raise ValueError(f"the box {box_xyxy} holds no pixel of the frame")
    difference = np.subtract(a, b, dtype=np.float32)
    return float(np.sqrt(np.mean(np.square(difference, out=difference), dtype=np.float64)))


def person_box(matte: npt.NDArray[Any], margin: int = 0) -> tuple[int, int, int, int]:
    """The box around the person, for `rmse`.

    Args:
        matte: (H, W), or (T, H, W) for one box around all frames; bool, or uint8 0-255 where 128 and more is person.
        margin: pixels added on each side, as far as the frame goes.

    Returns:
        left, top, right, bottom in pixels; right and bottom excluded.

    Raises:
        ValueError: the matte shows nobody.
    """
    if matte.ndim not in (2, 3):
        raise ValueError(f"a matte is (H, W) or (T, H, W), not {matte.shape}")
    person = matte if matte.dtype == np.bool_ else matte >= 128
    if person.ndim == 3:
        person = person.any(axis=0)
    rows, columns = np.flatnonzero(person.any(axis=1)), np.flatnonzero(person.any(axis=0))
    if not len(rows):
        raise ValueError("the matte shows nobody, so there is no box around the person")
    height, width = person.shape
    return (
        max(0, int(columns[0]) - margin),
        max(0, int(rows[0]) - margin),
        min(width, int(columns[-1]) + 1 + margin),
        min(height, int(rows[-1]) + 1 + margin),
    )
