"""How alike two body maps are: SSBS, SSIS, DPBS and DPIS of Gafni et al. 2021, section 4.

The first letters say of what: SS of label maps that a human parser gives of both pictures, DP of surface maps' indices.
Made for the true frame and the generated one by the same network, they measure whether body and clothes came out in the
right places, whatever their colours.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.uint8]


def binary_similarity(made: Map, true: Map) -> float:
    """SSBS of label maps, DPBS of surface indices: intersection over union of where anybody is at all.

    Args:
        made, true: (H, W), 0 = nobody.

    Returns:
        0 to 1, 1 for the same outline; NaN where both show nobody.
    """
    return _overlap(made > 0, true > 0)


def index_similarity(made: Map, true: Map) -> float:
    """SSIS of label maps, DPIS of surface indices: intersection over union of every part, its mean over the parts.

    Parts that neither shows do not count; one that only one of them shows counts as 0.

    Args:
        made, true: (H, W), 0 = nobody, else the number of a part.

    Returns:
        0 to 1, 1 for the same map; NaN where both show nobody.
    """
    parts = np.union1d(made, true)
    overlaps = [_overlap(made == part, true == part) for part in parts[parts > 0]]
    return float(np.mean(overlaps)) if overlaps else float("nan")


def mean_intersection_over_union(pairs: Iterable[tuple[Map, Map]], parts: int) -> npt.NDArray[np.float64]:
    """(parts,) IoU of each part over all pixels of many maps together, as parsers are measured; NaN where it never is.

    Args:
        pairs: (guessed, true) maps (H, W).
        parts: how many numbers there are, 0 included.
    """
    counts = np.zeros((parts, parts), np.int64)
    for made, true in pairs:
        both = true.astype(np.int64).ravel() * parts + made.ravel()
        counts += np.bincount(both, minlength=parts * parts).reshape(parts, parts)
    hit = np.diag(counts).astype(np.float64)
    union = counts.sum(axis=0) + counts.sum(axis=1) - hit
    return np.where(union > 0, hit / np.maximum(union, 1), np.nan)


def _overlap(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> float:
    union = int((one | other).sum())
    return float((one & other).sum() / union) if union else float("nan")
