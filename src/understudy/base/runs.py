"""Runs of frames in which something is so."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def runs(flags: npt.ArrayLike) -> list[tuple[int, int]]:
    """(first, stop) of every run of true values, in order; `stop` is the first behind it.

    Args:
        flags: (T,) true where it is so.

    Example:
        >>> runs([False, True, True, False, True])
        [(1, 3), (4, 5)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], np.asarray(flags, bool), [False]])))
    return [(int(first), int(stop)) for first, stop in zip(edges[::2], edges[1::2], strict=True)]
