"""Statistics of yes-or-no votes: how sure a share is, whether it differs from one half, how far judges agree."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

Z95 = 1.959963984540054
"""standard normal quantile of 0.975"""


def wilson(successes: int, total: int, z: float = Z95) -> tuple[float, float]:
    """Score interval of a share (Wilson 1927); stays within [0, 1] and holds for few votes and for shares of 0 and 1.

    Returns:
        (low, high); (0, 1) when there are no votes.
    """
    if total == 0:
        return 0.0, 1.0
    share = successes / total
    centre = share + z * z / (2 * total)
    reach = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    low = 0.0 if successes == 0 else (centre - reach) / scale
    high = 1.0 if successes == total else (centre + reach) / scale
    return low, high


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
    total = first + second
    tail = sum(math.comb(total, k) for k in range(min(first, second) + 1))
    return float(min(Fraction(1), Fraction(2 * tail, 2**total)))


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
