"""Which reference frame to show for every driving frame, chosen along the whole sequence instead of one by one.

A frame that is nearest by a hair may lie anywhere in the reference, and a clone put together from nearest frames
flickers. Here every change of frame has a price, and the cheapest path through all candidates is found exactly, by
dynamic programming (Viterbi 1967).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float32]


def nearest_candidates(distance: Floats, count: int) -> Frames:
    """For each row of (T, K) distances the `count` smallest, (T, min(count, K)) indices in no order."""
    count = min(count, distance.shape[1])
    if count == distance.shape[1]:
        return np.broadcast_to(np.arange(count), distance.shape)
    return np.argpartition(distance, count - 1, axis=1)[:, :count]


def cheapest_path(
    candidates: Frames, distance: Floats, price: Callable[[Frames, Frames], npt.NDArray[np.floating[Any]]]
) -> Frames:
    """The sequence of reference frames with the least sum of distances and prices of change.

    Args:
        candidates: (T, C) the reference frames that may be shown for each driving frame.
        distance: (T, C) from the driving frame to each of them, finite.
        price: given (A,) frames before and (B,) frames after, the (A, B) prices of going from one to the other.

    Returns:
        (T,) indices of reference frames.
    """
    moments = len(candidates)
    if not moments:
        return np.zeros(0, np.intp)
    came_from = np.zeros(candidates.shape, np.intp)
    total = distance[0].astype(np.float64)
    for t in range(1, moments):
        through = total[:, None] + price(candidates[t - 1], candidates[t])
        came_from[t] = through.argmin(axis=0)
        total = through.min(axis=0) + distance[t]
    path = np.empty(moments, np.intp)
    place = int(total.argmin())
    for t in range(moments - 1, -1, -1):
        path[t] = candidates[t, place]
        place = int(came_from[t, place])
    return path
