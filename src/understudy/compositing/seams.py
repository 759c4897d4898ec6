"""What is copied from elsewhere, made one with what is around it: gradients are copied, colours follow.

Pérez et al. 2003 ("Poisson Image Editing", equations 2 to 7), for copies from many places at once as in Darabi et al.
2012 ("Image Melding"): between two pixels that were taken from different places stands the mean of what both places
say. Weights make it forgive: where a wall ends in something red that nobody can continue, the step stays, instead of a
red glow all over the wall.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import splu

UInt8Array = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

MOST_PIXELS = 200_000
"""pixels of holes for which the equations are solved at once: half a second, and 200 MB"""
FORGIVEN = 30.0
"""grey levels of a step that no place explains, at which it counts half"""
STAYS = 1e-5
"""weight of the colours as they were copied: an anchor where a hole reaches the picture's edges all around"""
SIDES = ((0, 1), (0, -1), (1, 0), (-1, 0))
"""rows down and columns to the right"""


def correction(picture: UInt8Array, holes: Bools, filled: Floats, places: Places) -> Floats:
    """What has to be added to a filled hole, so that neither its rim nor the seams within are seen.

    Args:
        picture: (H, W, 3); what it shows in the holes is not looked at.
        holes: (H, W), true where it was filled.
        filled: (H, W, 3) 0-255, the picture outside the holes.
        places: (N, 2) row and column that each pixel of the holes was copied from, in the order of `np.nonzero`.

    Returns:
        (H, W, 3) float32, 0 outside the holes.
    """
    added = np.zeros(filled.shape, np.float32)
    y, x = np.nonzero(holes)
    if not len(y) or holes.all():
        return added
    shown = np.where(holes[..., None], 0, picture).astype(np.float32)
    number = np.full(holes.shape, -1, np.intp)
    number[y, x] = np.arange(len(y))
    diagonal, goal = np.full(len(y), STAYS), STAYS * filled[y, x].astype(np.float64)
    rows, columns, values = [np.arange(len(y))], [np.arange(len(y))], []
    for side in SIDES:
        beside_y, beside_x = y + side[0], x + side[1]
        there = np.flatnonzero(_inside(beside_y, beside_x, holes.shape))
        at, beside = (y[there], x[there]), (beside_y[there], beside_x[there])
        within = holes[beside]
        from_there = places[np.where(within, number[beside], 0)]
        step = _wanted_step(shown, holes, places[there], from_there, within, np.array(side))
        strange = np.abs(filled[beside] - filled[at] - step).max(axis=1)
        weight = 1 / (1 + np.square(strange / FORGIVEN)).astype(np.float64)
        diagonal[there] += weight
        goal[there] -= weight[:, None] * step
        goal[there[~within]] += weight[~within, None] * filled[beside][~within]
        rows.append(there[within])
        columns.append(number[beside][within])
        values.append(-weight[within])
    entries = np.concatenate([diagonal, *values]), (np.concatenate(rows), np.concatenate(columns))
    matrix = sparse.csc_matrix(entries, shape=(len(y), len(y)))
    solved = splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve(goal)
    added[y, x] = solved - filled[y, x]
    return added


def _wanted_step(
    shown: Floats, holes: Bools, from_here: Places, from_there: Places, within: Bools, side: Places
) -> Floats:
    """(N, 3) from pixels to those beside them: the mean of what the places of both say, 0 where neither knows.

    Args:
        from_here, from_there: (N, 2) where both were copied from.
        within: (N,) whether the pixels beside were copied, too.
    """
    there_too = _known(holes, from_here) & _known(holes, from_here + side)
    here_too = within & _known(holes, from_there) & _known(holes, from_there - side)
    total = np.zeros((len(from_here), 3), np.float32)
    total[there_too] += _seen(shown, (from_here + side)[there_too]) - _seen(shown, from_here[there_too])
    total[here_too] += _seen(shown, from_there[here_too]) - _seen(shown, (from_there - side)[here_too])
    said = there_too.astype(np.float32) + here_too
    return np.asarray(total / np.maximum(said, 1)[:, None])


def _seen(shown: Floats, places: Places) -> Floats:
    return np.asarray(shown[places[:, 0], places[:, 1]])


def _known(holes: Bools, places: Places) -> Bools:
    """(N,) whether the picture shows something there."""
    inside = _inside(places[:, 0], places[:, 1], holes.shape)
    inside[inside] = ~holes[places[inside, 0], places[inside, 1]]
    return inside


def _inside(y: Places, x: Places, shape: tuple[int, ...]) -> Bools:
    return np.asarray((y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1]))
