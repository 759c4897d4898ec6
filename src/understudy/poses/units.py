"""Coordinates of pose files into pixels: some are shares of the picture, and some files mix the two."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from understudy.errors import PoseError
from understudy.poses.pose import BODY, FACE, FEET, LEFT_HAND, RIGHT_HAND

PARTS = {
    "body": slice(BODY.start, FEET.stop),
    "face": FACE,
    "left hand": LEFT_HAND,
    "right hand": RIGHT_HAND,
}
LARGEST_SHARE = 2
"""Coordinates up to this are shares of the picture, with room for what lies beyond: no person fits into two pixels."""
_ENOUGH = 3
"""Points of one part that are seen, from which on it can be told that they are not pixels."""

_log = logging.getLogger(__name__)
_Table = npt.NDArray[np.float64]


def turn_into_pixels(tables: Sequence[_Table], size_hw: tuple[int, int], path: Path) -> None:
    """Marks what is not seen, and turns shares of the picture into pixels, in place; says so where parts differ.

    Every part of the body is in one of the two all through a clip.

    Args:
        tables: (133, 3) of every person in every frame: x, y, confidence.
        size_hw: of the picture in pixels.
        path: for messages.

    Raises:
        PoseError: one part is now in shares, now in pixels; or shares run from -1 to 1.
    """
    if not tables:
        return
    stack = np.stack(tables)
    placeless = (stack[..., :2] == 0).all(axis=-1) | (stack[..., :2] == -1).all(axis=-1)
    stack[placeless | (stack[..., 2] <= 0)] = 0
    in_shares = {name: _is_share(stack[:, points], name, path) for name, points in PARTS.items()}
    shares = [name for name, share in in_shares.items() if share]
    pixels = [name for name, share in in_shares.items() if share is False]
    if shares and pixels:
        _say_mixture(shares, pixels, size_hw, path)
    for name in shares:
        stack[:, PARTS[name], :2] *= (size_hw[1], size_hw[0])
    for table, one in zip(tables, stack, strict=True):
        table[:] = one


def _is_share(part: _Table, name: str, path: Path) -> bool | None:
    """Whether a part, (tables, points, 3), is in shares of the picture; None where it is never seen."""
    seen = part[..., 2] > 0
    if not seen.any():
        return None
    small = np.where(seen, np.abs(part[..., :2]).max(axis=-1), 0).max(axis=-1) <= LARGEST_SHARE
    if small[seen.any(axis=-1)].all():
        if (part[seen][:, :2] < -0.1).any(axis=-1).mean() > 0.1:
            raise PoseError(
                f"{path} has coordinates from -1 to 1: write them in pixels or from 0 to 1 (OpenPose: --keypoint_scale "
                "0)"
            )
        return True
    told = seen.sum(axis=-1) >= _ENOUGH
    if (small & told).any():
        raise PoseError(
            f"{path} gives the {name} of {(small & told).sum()} people as shares of the picture (0 to 1) and of "
            f"{(~small).sum()} in pixels: write all of them in one unit"
        )
    return False


def _say_mixture(shares: list[str], pixels: list[str], size_hw: tuple[int, int], path: Path) -> None:
    height, width = size_hw
    what = f"{' and '.join(shares)} as shares of the picture (0 to 1) and {' and '.join(pixels)} in pixels"
    if max(size_hw) <= LARGEST_SHARE:  # a stand-in for a size that nobody knows
        raise PoseError(f"{path} gives {what}, and does not say how large the picture is: write all in pixels")
    _log.warning("%s gives %s: each is taken as it is, in a picture of %dx%d", path, what, width, height)
