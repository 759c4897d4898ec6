"""A triangle rasteriser in numpy: all triangles of a frame at once, with a z-buffer.

Triangles are cut into rows and rows into samples by `np.repeat`, so that the cost is that of the covered samples
and no loop runs over triangles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

EMPTY = np.iinfo(np.int64).max
_DEPTH_STEPS = float(1 << 22)
_TRIANGLE_BITS = 20


@dataclass(frozen=True)
class Samples:
    """The visible samples of a drawn figure.

    Attributes:
        rows, columns: (N,) where they lie in the grid of samples.
        triangles: (N,) which triangle is seen there.
    """

    rows: npt.NDArray[np.int32]
    columns: npt.NDArray[np.int32]
    triangles: npt.NDArray[np.int32]


def rasterise(
    corners: npt.NDArray[np.float32],
    depth: npt.NDArray[np.float32],
    numbers: npt.NDArray[np.int32],
    size_hw: tuple[int, int],
) -> Samples:
    """Finds which triangle is nearest at every sample.

    Args:
        corners: (F, 3, 2) x, y of the triangles' corners; samples lie at whole numbers.
        depth: (F, 3) distance of the corners, positive, below 64.
        numbers: (F,) the name of each triangle in the answer, below 2**20.
        size_hw: grid of samples; what lies outside is cut off.
    """
    height, width = size_hw
    x, y = corners[..., 0], corners[..., 1]
    order = np.argsort(y, axis=1)
    x, y = np.take_along_axis(x, order, 1), np.take_along_axis(y, order, 1)
    first = np.maximum(np.ceil(y[:, 0]), 0).astype(np.int32)
    last = np.minimum(np.ceil(y[:, 2]) - 1, height - 1).astype(np.int32)
    count = np.maximum(last - first + 1, 0)
    triangle = np.repeat(np.arange(len(x), dtype=np.int32), count)
    row = _counted(first, count)
    # the long edge from the top to the bottom corner, and the bent one over the middle corner
    with np.errstate(divide="ignore", invalid="ignore"):
        long_slope = (x[:, 2] - x[:, 0]) / (y[:, 2] - y[:, 0])
        upper_slope = (x[:, 1] - x[:, 0]) / (y[:, 1] - y[:, 0])
        lower_slope = (x[:, 2] - x[:, 1]) / (y[:, 2] - y[:, 1])
    y_row = row.astype(np.float32)
    below = y_row - y[triangle, 0]
    one = x[triangle, 0] + below * long_slope[triangle]
    past = y_row - y[triangle, 1]
    other = x[triangle, 1] + past * np.where(past < 0, upper_slope[triangle], lower_slope[triangle])
    start = np.maximum(np.ceil(np.minimum(one, other)), 0).astype(np.int32)
    stop = np.minimum(np.ceil(np.maximum(one, other)), width).astype(np.int32)
    count = np.maximum(stop - start, 0)
    plane = planes(corners, depth[..., None])[..., 0]
    begin = plane[0][triangle] * start + plane[1][triangle] * y_row + plane[2][triangle]
    along = _counted(np.zeros_like(count), count)
    z = np.repeat(begin, count) + np.repeat(plane[0][triangle], count) * along
    pixel = np.repeat(row * np.int64(width) + start, count) + along
    number = np.repeat(numbers[triangle].astype(np.int64), count)
    key = ((z * np.float32(_DEPTH_STEPS / 64)).astype(np.int64) << _TRIANGLE_BITS) | number
    nearest = np.full(height * width, EMPTY, np.int64)
    np.minimum.at(nearest, pixel, key)
    seen = np.flatnonzero(nearest != EMPTY)
    rows, columns = np.divmod(seen.astype(np.int32), np.int32(width))
    return Samples(rows, columns, (nearest[seen] & ((1 << _TRIANGLE_BITS) - 1)).astype(np.int32))


def _counted(start: npt.NDArray[np.int32], count: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """start[0], start[0] + 1, ... (count[0] of them), start[1], ..."""
    ends = np.cumsum(count)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total, dtype=np.int32) + np.repeat(start - (ends - count).astype(np.int32), count)


def planes(corners: npt.NDArray[np.float32], values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Coefficients (3, F, A) of value = a * x + b * y + c through values (F, 3, A) at corners (F, 3, 2)."""
    edge_1, edge_2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = edge_1[:, 0] * edge_2[:, 1] - edge_1[:, 1] * edge_2[:, 0]
    inverse = (1 / np.where(np.abs(area) < 1e-6, 1e-6, area))[:, None]
    rise_1, rise_2 = values[:, 1] - values[:, 0], values[:, 2] - values[:, 0]
    a = (rise_1 * edge_2[:, 1:] - rise_2 * edge_1[:, 1:]) * inverse
    b = (rise_2 * edge_1[:, :1] - rise_1 * edge_2[:, :1]) * inverse
    c = values[:, 0] - a * corners[:, 0, :1] - b * corners[:, 0, 1:]
    return np.stack([a, b, c])
