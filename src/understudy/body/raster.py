"""A triangle rasteriser in numpy: all triangles of a frame at once, with a z-buffer.

Triangles are cut into rows and rows into samples by `np.repeat`, so that the cost is that of the covered samples
and no loop runs over triangles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Whole = npt.NDArray[np.intp]

_EMPTY = np.iinfo(np.int64).max
_DEPTH_STEPS = np.float32(1 << 20)
"""per metre"""
_TRIANGLE_BITS = 20
_SLIVER = 0.3
"""square samples: twice the area of a triangle that is flat to the eye"""


@dataclass(frozen=True)
class Samples:
    """The visible samples of a drawn figure.

    Attributes:
        box: top, left, bottom, right (the last two not included) of the samples that triangles may touch; even.
        places: (N,) numbers of the covered samples within the box, row by row.
        triangles: (N,) which triangle is seen there.
    """

    box: tuple[int, int, int, int]
    places: Whole
    triangles: Whole

    @property
    def size_hw(self) -> tuple[int, int]:
        """Rows and columns of the box."""
        return self.box[2] - self.box[0], self.box[3] - self.box[1]

    def rows_and_columns(self) -> tuple[Floats, Floats]:
        """(N,) each, in the whole grid of samples."""
        rows, columns = np.divmod(self.places.astype(np.int32), np.int32(max(1, self.size_hw[1])))
        return (rows + np.int32(self.box[0])).astype(np.float32), (columns + np.int32(self.box[1])).astype(np.float32)


def rasterise(corners: Floats, depth: Floats, size_hw: tuple[int, int]) -> Samples:
    """Finds which triangle is nearest at every sample.

    Args:
        corners: (F, 3, 2) x, y of the triangles' corners; samples lie at whole numbers. F is below 2**20.
        depth: (F, 3) distance of the corners in metres, positive.
        size_hw: even grid of samples; what lies outside is cut off.
    """
    top, left, bottom, right = box = _box(corners, size_hw)
    height, width = bottom - top, right - left
    if height <= 0 or width <= 0:
        return Samples((0, 0, 0, 0), np.zeros(0, np.intp), np.zeros(0, np.intp))
    x, y = corners[..., 0] - np.float32(left), corners[..., 1] - np.float32(top)
    order = np.argsort(y, axis=1)
    x, y = np.take_along_axis(x, order, 1), np.take_along_axis(y, order, 1)
    first = np.maximum(np.ceil(y[:, 0]), 0).astype(np.int32)
    last = np.minimum(np.ceil(y[:, 2]) - 1, height - 1).astype(np.int32)
    count = np.maximum(last - first + 1, 0)
    triangle = np.repeat(np.arange(len(x)), count)
    row = _counted(first, count)
    table = np.empty((len(x), 8), np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        for column, (one, two) in enumerate(((0, 2), (0, 1), (1, 2))):
            table[:, column] = (x[:, two] - x[:, one]) / (y[:, two] - y[:, one])
    table[:, 3], table[:, 4] = x[:, 0] - y[:, 0] * table[:, 0], y[:, 1]
    table[:, 5] = x[:, 1]
    plane = planes(np.stack([x, y], axis=-1), np.take_along_axis(depth, order, 1)[..., None])[..., 0]
    table[:, 6], table[:, 7] = plane[1], plane[2]
    spans = table.take(triangle, axis=0)
    y_row = row.astype(np.float32)
    # the long edge from the top to the bottom corner, and the bent one over the middle corner
    long_edge = spans[:, 3] + y_row * spans[:, 0]
    past = y_row - spans[:, 4]
    bent_edge = spans[:, 5] + past * np.where(past < 0, spans[:, 1], spans[:, 2])
    start = np.maximum(np.ceil(np.minimum(long_edge, bent_edge)), 0).astype(np.int32)
    stop = np.minimum(np.ceil(np.maximum(long_edge, bent_edge)), width).astype(np.int32)
    count = np.maximum(stop - start, 0)
    across = plane[0].take(triangle)
    begin = spans[:, 7] + y_row * spans[:, 6] + start * across
    span = np.repeat(np.arange(len(count)), count)
    along = _counted(np.zeros_like(count), count)
    z = begin.take(span) + across.take(span) * along
    key = (z * _DEPTH_STEPS).astype(np.int64)
    key <<= _TRIANGLE_BITS
    key |= triangle.take(span)
    nearest = np.full(height * width, _EMPTY, np.int64)
    np.minimum.at(nearest, (row * np.int32(width) + start).take(span) + along, key)
    places = np.flatnonzero(nearest != _EMPTY)
    return Samples(box, places, nearest.take(places) & ((1 << _TRIANGLE_BITS) - 1))


def _box(corners: Floats, size_hw: tuple[int, int]) -> tuple[int, int, int, int]:
    """The even box round all corners, within the grid."""
    if len(corners) == 0:
        return 0, 0, 0, 0
    low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    left, top = (max(int(value) // 2 * 2 - 2, 0) for value in low)
    right, bottom = (int(value) // 2 * 2 + 4 for value in high)
    return top, left, min(bottom, size_hw[0]), min(right, size_hw[1])


def _counted(start: npt.NDArray[np.int32], count: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """start[0], start[0] + 1, ... (count[0] of them), start[1], ..."""
    ends = np.cumsum(count, dtype=np.int32)
    total = int(ends[-1]) if len(ends) else 0
    return np.asarray(np.arange(total, dtype=np.int32) + np.repeat(start - (ends - count), count), np.int32)


def planes(corners: Floats, values: Floats) -> Floats:
    """Coefficients (3, F, A) of value = a * x + b * y + c through values (F, 3, A) at corners (F, 3, 2)."""
    edge_1, edge_2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = edge_1[:, 0] * edge_2[:, 1] - edge_1[:, 1] * edge_2[:, 0]
    inverse = (1 / np.where(np.abs(area) < 1e-6, 1e-6, area))[:, None]
    rise_1, rise_2 = values[:, 1] - values[:, 0], values[:, 2] - values[:, 0]
    a = (rise_1 * edge_2[:, 1:] - rise_2 * edge_1[:, 1:]) * inverse
    b = (rise_2 * edge_1[:, :1] - rise_1 * edge_2[:, :1]) * inverse
    c = values[:, 0] - a * corners[:, 0, :1] - b * corners[:, 0, 1:]
    return np.stack([a, b, c])


def interpolated(corners: Floats, values: Floats, triangles: Whole, x: Floats, y: Floats) -> list[Floats]:
    """Values (A arrays of (N,)) at points x, y within triangles, linear between the corners' values (F, 3, A).

    Slivers seen edge-on, whose slopes are beyond measure, take one value all over.
    """
    a, b, c = planes(corners, values)
    edge_1, edge_2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    sliver = np.abs(edge_1[:, 0] * edge_2[:, 1] - edge_1[:, 1] * edge_2[:, 0]) < _SLIVER
    a[sliver], b[sliver], c[sliver] = 0.0, 0.0, values[sliver].mean(axis=1)
    table = np.concatenate([a, b, c], axis=1).take(triangles, axis=0)
    count = values.shape[2]
    return [table[:, value] * x + table[:, count + value] * y + table[:, 2 * count + value] for value in range(count)]
