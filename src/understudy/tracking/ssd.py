"""Single-shot detectors, as BlazeFace is (Bazarevsky et al. 2019, arXiv 1907.05047): boxes about anchors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from understudy.tracking.litert import sigmoid

Floats = npt.NDArray[np.float32]

SURE = 0.5
"""score from which on a box counts"""
SAME = 0.3
"""intersection over union from which on two boxes are of one thing"""


@dataclass(frozen=True)
class Found:
    """One thing in the picture that the detector was shown, in shares of its sides."""

    box: Floats
    """(4,) left, top, right, bottom"""
    points: Floats
    """(K, 2)"""
    score: float


def anchors(grids: Sequence[tuple[int, int]]) -> Floats:
    """(N, 2) middles of the anchors of square grids, (cells a side, anchors a cell) each, row by row."""
    each = []
    for cells, count in grids:
        along = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        y, x = np.meshgrid(along, along, indexing="ij")
        each.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), count, axis=0))
    return np.concatenate(each)


def decoded(boxes: Floats, logits: Floats, middles: Floats, side: int) -> list[Found]:
    """Everything that was found, the surest first; boxes of one thing are averaged by their scores.

    Args:
        boxes: (N, 4 + 2 K) middle, width and height, then points, in pixels about the anchors.
        logits: (N, 1).
        middles: (N, 2) of the anchors.
        side: pixels of the square picture.
    """
    scores = sigmoid(logits[:, 0])
    kept = np.flatnonzero(scores >= SURE)
    kept = kept[np.argsort(-scores[kept], kind="stable")]
    raw, about, scores = boxes[kept] / side, middles[kept], scores[kept]
    middle, half = raw[:, :2] + about, raw[:, 2:4] / 2
    corners = np.concatenate([middle - half, middle + half], axis=1)
    points = raw[:, 4:].reshape(len(kept), (boxes.shape[1] - 4) // 2, 2) + about[:, None]
    found, left = [], np.arange(len(kept))
    while len(left):
        alike = _overlaps(corners[left[0]], corners[left]) > SAME
        alike[0] = True  # a box without an area overlaps nothing, not even itself
        group = left[alike]
        weight = scores[group] / scores[group].sum()
        found.append(Found(weight @ corners[group], np.tensordot(weight, points[group], 1), float(scores[group[0]])))
        left = left[~alike]
    return found


def _overlaps(box: Floats, others: Floats) -> Floats:
    """Intersection over union of (4,) with each of (N, 4)."""
    shared = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    both = np.prod(np.maximum(shared, 0), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    return np.asarray(both / np.maximum(np.prod(box[2:] - box[:2]) + areas - both, 1e-12), np.float32)
