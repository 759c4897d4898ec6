"""Means and correlations over the frames of a clip, with 95 % intervals that know that neighbours are not independent.

Frames are resampled in blocks of about a second (circular block bootstrap: Politis and Romano 1992), which keeps what
neighbours have in common. A resample is a row of counts, how often each frame was drawn, so that every statistic here
is a weighted one, computed for all resamples at once; and statistics of two methods use the same rows (paired).

Measured on made-up series of 100 to 1000 frames at 25 a second (AR(1)), the intervals hold the true mean in 95 % of the
cases when frames are independent, in 91-94 % when they forget with a time constant of 5 frames, in 86-92 % with 10,
and in 73-83 % with 20: where errors change slowly they are too narrow.

A clip has few blocks, for which percentile intervals are too narrow; the percentiles are moved outwards as Hesterberg
2015 ("What Teachers Should Know About the Bootstrap", section 5) does for small samples, with blocks for observations.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.evaluation.results import Summary

RESAMPLES = 1000
SEED = 20180827
LEVEL = 0.95
FEWEST_BLOCKS = 3
AT_ONCE = 100
"""resamples ranked at a time: bounds the memory of a correlation over a long clip"""

Doubles = npt.NDArray[np.float64]
Values = Sequence[float | None] | npt.NDArray[np.floating[Any]]


def block_of(fps: Fraction) -> int:
    """Frames in a block: about one second."""
    return max(1, round(fps))


def mean_interval(values: Values, block: int, note: str = "") -> Summary:
    """Mean over the frames that have a value.

    Args:
        values: one a frame; None or nan where there is none.
        block: frames, of `block_of`.
        note: handed on to the summary.
    """
    numbers = _numbers(values)
    known = np.isfinite(numbers)
    if not known.any():
        return Summary(None, None, None, note or "no frame has a value")
    counts = _counts(len(numbers), block)
    total = counts @ np.where(known, numbers, 0)
    return _summary(float(numbers[known].mean()), _ratio(total, counts @ known), len(numbers), block, note)


def ratio_interval(values: Values, base: Values, block: int) -> Summary:
    """Mean of `values` over mean of `base`, on the frames that have both; resampled together.

    Two methods on the same frames err on the same frames, so this is much tighter than two separate intervals.

    Raises:
        ValueError: the two differ in length.
    """
    above, below = _numbers(values), _numbers(base)
    if len(above) != len(below):
        raise ValueError(f"a ratio needs two values a frame, not {len(above)} and {len(below)}")
    known = np.isfinite(above) & np.isfinite(below)
    if not known.any():
        return Summary(None, None, None, "no frame has both values")
    above, below = np.where(known, above, 0), np.where(known, below, 0)
    if not below.sum() > 0:
        return Summary(None, None, None, "what it is divided by is 0 in every frame")
    counts = _counts(len(above), block)
    return _summary(float(above.sum() / below.sum()), _ratio(counts @ above, counts @ below), len(above), block)


def spearman_interval(
    predictor: npt.NDArray[np.floating[Any]], error: npt.NDArray[np.floating[Any]], block: int
) -> Summary:
    """Spearman's rank correlation, where both have a value.

    Args:
        predictor: (T,) one a frame, or (T, K) for K of them, pooled; nan where there is none. Infinity is a value.
        error: as `predictor`.
        block: frames, of `block_of`; the K of one frame stay together.

    Raises:
        ValueError: shapes differ.
    """
    x, y = np.asarray(predictor, np.float64), np.asarray(error, np.float64)
    if x.shape != y.shape or x.ndim not in (1, 2):
        raise ValueError(f"a correlation needs two of one shape (T,) or (T, K), not {x.shape} and {y.shape}")
    known = ~(np.isnan(x) | np.isnan(y))
    frame = np.nonzero(known)[0]
    x, y = x[known], y[known]
    if len(x) < 3 or np.ptp(_places(x)) == 0 or np.ptp(_places(y)) == 0:
        return Summary(None, None, None, "fewer than three values, or all of them equal")
    counts = _counts(len(known), block)
    rho = np.concatenate([_weighted_spearman(x, y, rows[:, frame]) for rows in _parts(counts)])
    (whole,) = _weighted_spearman(x, y, np.ones((1, len(x))))
    return _summary(float(whole), rho, len(known), block)


def _weighted_spearman(x: Doubles, y: Doubles, counts: Doubles) -> Doubles:
    """(B,) rank correlation when value i occurs counts[b, i] times; nan where that leaves nothing to correlate."""
    total = counts.sum(axis=1, keepdims=True)
    centre = (total + 1) / 2
    rank_x, rank_y = _weighted_ranks(x, counts) - centre, _weighted_ranks(y, counts) - centre
    product = (counts * rank_x * rank_y).sum(axis=1)
    size = np.sqrt((counts * rank_x**2).sum(axis=1) * (counts * rank_y**2).sum(axis=1))
    return _ratio(product, size)


def _weighted_ranks(values: Doubles, counts: Doubles) -> Doubles:
    """(B, n) mid-ranks from 1 on: equal values, and the copies of one value, share the mean of their places."""
    places = _places(values)
    order = np.argsort(places, kind="stable")
    first = np.flatnonzero(np.diff(places[order], prepend=-1))
    each = np.add.reduceat(counts[:, order], first, axis=1)
    ranks: Doubles = (each.cumsum(axis=1) - (each - 1) / 2)[:, places]
    return ranks


def _places(values: Doubles) -> npt.NDArray[np.intp]:
    """(n,) from 0 on, equal for equal values."""
    return np.unique(values, return_inverse=True)[1].reshape(-1)


def _parts(counts: Doubles) -> list[Doubles]:
    return [counts[start : start + AT_ONCE] for start in range(0, len(counts), AT_ONCE)]


def _numbers(values: Values) -> Doubles:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _ratio(above: Doubles, below: Doubles) -> Doubles:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _summary(estimate: float, resampled: Doubles, frames: int, block: int, note: str = "") -> Summary:
    resampled = resampled[np.isfinite(resampled)]
    if frames < 2 or len(resampled) < RESAMPLES / 2:
        return Summary(estimate, None, None, note or "too few frames for an interval")
    if frames < FEWEST_BLOCKS * block:
        short = f"rough interval: {frames} frames are few for blocks of {block}"
        note = f"{note}; {short}" if note else short
    tail = _tail(frames / _fitted(frames, block))
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return Summary(estimate, float(low), float(high), note)


def _tail(blocks: float) -> float:
    """The share to cut off on each side, so that the interval of so many blocks is as wide as Student's."""
    freedom = max(1.0, blocks - 1)
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    # Student's quantile, Cornish-Fisher expansion (Abramowitz and Stegun 26.7.5): off by 1 % at 3 degrees of freedom
    student = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    student += (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    return NormalDist().cdf(-student * (blocks / freedom) ** 0.5)


def _fitted(frames: int, block: int) -> int:
    """Blocks of a clip that has no three of them are shortened: of one block no interval can be had."""
    return max(1, min(block, frames // FEWEST_BLOCKS))


@lru_cache(maxsize=8)
def _counts(frames: int, block: int) -> Doubles:
    """(RESAMPLES, frames) how often each resample holds each frame; every row sums up to `frames`."""
    block = _fitted(frames, block)
    needed = -(-frames // block)
    starts = np.random.default_rng(SEED).integers(0, frames, (RESAMPLES, needed, 1))
    drawn = ((starts + np.arange(block)) % frames).reshape(RESAMPLES, -1)[:, :frames]
    row = np.arange(RESAMPLES)[:, None] * frames
    counts = np.bincount((drawn + row).ravel(), minlength=RESAMPLES * frames)
    return counts.reshape(RESAMPLES, frames).astype(np.float64)
