"""Where several performers stand: panels next to each other, or all of them on one stage, and who is in front.

Pure geometry in numbers; what is painted where comes from the cut-outs themselves, so hair and skirts count too.
Whole numbers are pixel centres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from understudy.poses.similarity import Similarity
from understudy.retargeting.window import envelope

Floats = npt.NDArray[np.float64]

WIDEST = 4096
"""pixels: the widest H.264 that players and phones commonly decode"""
MARGIN = 0.02
"""of the stage's height, kept free around everybody"""
RARE = 0.005
"""Share of frames: an outermost position that is reached in fewer is taken for a speck, not for a hand."""
FEET_SECONDS = 1.0
"""The feet's height is their lowest within this time, so that a jump brings nobody to the back."""
PASSING = 0.01
"""of the stage's height by which feet must be lower before somebody passes in front, so that order does not flicker"""


def panel_sizes(pictures_hw: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sizes of pictures side by side: as high as the first, in their own shapes, even, and together not too wide."""
    height = pictures_hw[0][0]
    together = sum(w / h for h, w in pictures_hw)
    height = min(height, int(WIDEST / together))
    height = max(2, height - height % 2)
    return [(height, max(2, 2 * round(w * height / h / 2))) for h, w in pictures_hw]


@dataclass(frozen=True)
class Reach:
    """How far somebody gets in the whole dance, in pixels of a stage of one height, and from where."""

    centre: float
    """x: half of the time to the left of it"""
    ground: float
    """y of the feet, half of the time higher"""
    width: float
    """median over time of the painted person's width"""
    left: float
    """from the centre, above 0"""
    right: float
    up: float
    """from the ground, above 0"""
    down: float


def reach(boxes: Floats, scale: float, fps: Fraction) -> Reach | None:
    """Measures one performer; None if nothing of them is ever seen.

    Args:
        boxes: (T, 4) left, top, right, bottom of what is painted, in the performer's own picture; NaN where nothing is.
        scale: stage pixels for a pixel of that picture.
        fps: of the boxes.
    """
    seen = ~np.isnan(boxes[:, 0])
    if not seen.any():
        return None
    left, top, right, bottom = (scale * boxes[seen]).T
    centre = float(np.median((left + right) / 2))
    ground = float(np.median(scale * _standing(boxes[:, 3], fps)))
    return Reach(
        centre=centre,
        ground=ground,
        width=float(np.median(right - left)),
        left=max(0.0, centre - float(np.quantile(left, RARE))),
        right=max(0.0, float(np.quantile(right, 1 - RARE)) - centre),
        up=max(0.0, ground - float(np.quantile(top, RARE))),
        down=max(0.0, float(np.quantile(bottom, 1 - RARE)) - ground),
    )


def _standing(bottom: Floats, fps: Fraction) -> Floats:
    """(T,) heights of the feet as if nobody ever jumped; the nearest frame's where nobody is seen."""
    there = np.flatnonzero(~np.isnan(bottom))
    filled = np.interp(np.arange(len(bottom)), there, bottom[there])
    return envelope(filled, max(1, round(float(fps) * FEET_SECONDS / 2)))


def needed_width(reaches: Sequence[Reach | None], height: int) -> float:
    """Pixels: how wide a stage must be for nobody to be made smaller for want of room at the sides."""
    there = [found for found in reaches if found is not None]
    if not there:
        return 0.0
    return _fitting(there, len(reaches), height) * _row(there, len(reaches)) + 2 * MARGIN * height


def _row(there: Sequence[Reach], count: int) -> float:
    """Width of a row of `count`, each with the reach of whoever reaches farthest, without standing in each other."""
    outside = max(one.left for one in there) + max(one.right for one in there)
    return outside + (count - 1) * max(one.width for one in there)


def _fitting(there: Sequence[Reach], count: int, height: int, width: float = np.inf) -> float:
    """The common factor, at most 1, by which everybody shrinks to fit."""
    free = 1 - 2 * MARGIN
    high = max(one.up for one in there) + max(one.down for one in there)
    return min(1.0, free * height / max(high, 1.0), (width - 2 * MARGIN * height) / max(_row(there, count), 1.0))


def stage_spots(
    reaches: Sequence[Reach | None], pictures_hw: Sequence[tuple[int, int]], stage_hw: tuple[int, int]
) -> tuple[list[Similarity], float]:
    """Places everybody on one stage, in the order given from left to right.

    Everybody keeps the share of the picture's height that they have in their own picture, so people filmed whole are
    about equally large whatever the cameras' resolutions; who is small there is small here. The middles of the dances
    are spread evenly over the width, and everybody's feet stand on the ground that the first performer's stand on in
    their own picture. If somebody would be cut, or stand in somebody else most of the time, all shrink by one factor.

    Args:
        reaches: as `reach` measures them with `scale` = stage height / picture height.
        pictures_hw: sizes of the performers' own pictures.
        stage_hw: size of the stage.

    Returns:
        A spot for each, from pixels of the own picture to pixels of the stage; and the factor by which all were made
        smaller (1 = not).
    """
    height, width = stage_hw
    margin = MARGIN * height
    there = [found for found in reaches if found is not None]
    if not there:
        return [Similarity(height / h, (0.0, 0.0)) for h, _ in pictures_hw], 1.0
    factor = max(_fitting(there, len(reaches), height, width), 0.01)
    up, down = (factor * max(getattr(one, way) for one in there) for way in ("up", "down"))
    # the picture's edges lie half a pixel beyond the centres of its outermost pixels
    ground = max(min(there[0].ground, height - 0.5 - margin - down), margin + up - 0.5)
    share = width / len(reaches)
    first = max(share / 2, margin + factor * max(one.left for one in there)) - 0.5
    last = width - 0.5 - max(share / 2, margin + factor * max(one.right for one in there))
    spots = []
    for found, (h, _), x in zip(reaches, pictures_hw, np.linspace(first, last, len(reaches)), strict=True):
        placed = Similarity(factor, (0.0, 0.0))
        if found is not None:
            placed = Similarity.pinned(factor, (found.centre, found.ground), (float(x), ground))
        spots.append(placed @ Similarity(height / h, (0.0, 0.0)))  # reaches are measured at the stage's height
    return spots, factor


def painting_order(
    bottoms: Sequence[Floats], spots: Sequence[Similarity], fps: Fraction, height: int
) -> npt.NDArray[np.int64]:
    """Who is painted when, from the back to the front: whose feet are lower in the picture is nearer.

    Where feet are level, who was given first is in front; somebody must clearly pass for the order to change.

    Args:
        bottoms: for each performer (T,) the lowest painted row in their own picture; NaN where nothing is.
        spots: where they stand, as `stage_spots` gives them.
        fps: of the bottoms.
        height: of the stage.

    Returns:
        (T, N) numbers of the performers.
    """
    feet = [
        np.full(len(bottom), -np.inf)
        if np.isnan(bottom).all()
        else spot.of_points(np.column_stack([np.zeros(len(bottom)), _standing(bottom, fps)]))[:, 1]
        for bottom, spot in zip(bottoms, spots, strict=True)
    ]
    lowest = np.stack(feet, axis=1)
    order: list[int] = list(range(len(spots)))[::-1]
    table = np.empty(lowest.shape, np.int64)
    for moment, at in enumerate(lowest):
        for _ in order:  # as many rounds as the longest way through the row
            for place in range(len(order) - 1):
                behind, before = order[place], order[place + 1]
                if at[behind] > at[before] + PASSING * height:
                    order[place], order[place + 1] = before, behind
        table[moment] = order
    return table
