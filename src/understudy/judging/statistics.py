"""Statistics of yes-or-no votes: how sure a share is, whether it differs from one half, how far judges agree."""

from __future__ import annotations

import math
from collections.abc import Iterable


def wilson(successes: int, total: int) -> tuple[float, float]:
    """95 % score interval of a share (Wilson 1927): within [0, 1], and good for few votes and for shares of 0 and 1.

    Returns:
        (low, high); (0, 1) when there are no votes.
    """
    from scipy.stats import binomtest

    if total == 0:
        return 0.0, 1.0
    interval = binomtest(successes, total).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def difference(first: tuple[int, int], second: tuple[int, int]) -> tuple[float, float, float]:
    """First share minus second with its 95 % interval (Newcombe 1998, method 10: from the two Wilson intervals).

    Args:
        first: (successes, total), total above 0.
        second: the same.

    Returns:
        (difference, low, high), within [-1, 1].
    """
    (k, n), (j, m) = first, second
    p, q = k / n, j / m
    (p_low, p_high), (q_low, q_high) = wilson(k, n), wilson(j, m)
    low = p - q - math.hypot(p - p_low, q_high - q)
    high = p - q + math.hypot(p_high - p, q - q_low)
    return p - q, max(-1.0, low), min(1.0, high)


def sign_test(first: int, second: int) -> float:
    """Two-sided exact sign test: how likely a split at least as uneven would be if both were preferred equally often.

    Returns:
        p in (0, 1]; 1 when there are no votes.
    """
    from scipy.stats import binomtest

    return float(binomtest(first, first + second).pvalue) if first + second else 1.0


def agreement(items: Iterable[tuple[int, int]]) -> float | None:
    """How often two judges of the same item answer the same; 0.5 is what coins would do.

    Args:
        items: for each item how many chose one answer and how many the other.

    Returns:
        Mean over the items with at least two votes, in [0, 1]; None when there are none.
    """
    shares = [
        (k * (k - 1) + j * (j - 1)) / ((k + j) * (k + j - 1)) for k, j in items if k + j >= 2
    ]  # equal pairs over all pairs
    return sum(shares) / len(shares) if shares else None
