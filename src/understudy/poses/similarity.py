"""The 2-D similarity: one scale for both axes and a shift, from the pixels of one frame to those of another.

Crops, alignments, places on a stage and changes of size are all one of these, so that composing them and going back
stand here and nowhere else. Whole numbers are pixel centres: a frame of n pixels has its edges at -0.5 and n - 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.poses.pose import Pose

XY = tuple[float, float]


def edge_to_edge(position: Any, ratio: Any = 1, shrink: Any = 1) -> Any:
    """Where positions lie once their picture is resized by `ratio / shrink`, its edges staying edges, as OpenCV does.

    `Similarity.resized` is made of this. All may be numbers, arrays or tensors, so that each axis may have its own
    ratio; and it measures from the edge, which in single precision rounds in another way than a matrix does.

    Example:
        >>> edge_to_edge(np.array([-0.5, 0.0, 1.0]), 2)  # the left edge, and the middles of the first two pixels
        array([-0.5,  0.5,  2.5])
    """
    return (position + 0.5) * ratio / shrink - 0.5


@dataclass(frozen=True)
class Similarity:
    """`out = scale * in + translation`, x to the right and y down.

    Composed like functions: `(a @ b).of_points(xy)` is `a.of_points(b.of_points(xy))`.

    Example:
        >>> to_half = Similarity.resized(0.5)
        >>> to_half
        Similarity(scale=0.5, translation_xy=(-0.25, -0.25))
        >>> to_half @ Similarity.shifted(-10, -20)  # cut out from (10, 20) on, then shrunk
        Similarity(scale=0.5, translation_xy=(-5.25, -10.25))

    Raises:
        ValueError: a scale that is not above 0.
    """

    scale: float
    """pixels of the outcome for one pixel"""
    translation_xy: XY
    """pixels of the outcome: where the origin goes"""

    def __post_init__(self) -> None:
        if not 0 < self.scale < float("inf"):
            raise ValueError(f"a similarity needs a scale above 0, not {self.scale}")

    @staticmethod
    def resized(ratio: float) -> Similarity:
        """From a picture to the same picture resized edge to edge: the translation is (ratio - 1) / 2 on both axes."""
        edge = edge_to_edge(0.0, ratio)
        return Similarity(ratio, (edge, edge))

    @staticmethod
    def shifted(x: float, y: float) -> Similarity:
        """Everything moved by so many pixels."""
        return Similarity(1.0, (float(x), float(y)))

    @staticmethod
    def pinned(scale: float, here: XY, there: XY) -> Similarity:
        """The one of this scale that takes the point `here` to the point `there`."""
        return Similarity(scale, (there[0] - scale * here[0], there[1] - scale * here[1]))

    @staticmethod
    def from_matrix(matrix: npt.NDArray[Any]) -> Similarity:
        """The similarity that a `(2, 3)` matrix is.

        Raises:
            ValueError: another shape, or a matrix that turns, mirrors, shears or stretches.
        """
        if np.shape(matrix) != (2, 3):
            raise ValueError(f"a similarity has a matrix of (2, 3), not {np.shape(matrix)}")
        (scale, right, x), (down, scale_y, y) = np.asarray(matrix, np.float64).tolist()
        if right or down or scale != scale_y:
            raise ValueError(f"not one scale and a translation: {np.asarray(matrix).tolist()}")
        return Similarity(scale, (x, y))

    def __matmul__(self, before: Similarity) -> Similarity:
        """`before`, and then this one."""
        (x, y), (own_x, own_y) = before.translation_xy, self.translation_xy
        return Similarity(self.scale * before.scale, (self.scale * x + own_x, self.scale * y + own_y))

    @property
    def inverse(self) -> Similarity:
        """The way back."""
        x, y = self.translation_xy
        return Similarity(1 / self.scale, (-x / self.scale, -y / self.scale))

    def relative_to(self, other: Similarity) -> Similarity:
        """From where `other` leads to where this one leads, both from the same frame.

        It is `self @ other.inverse` with fewer roundings.
        """
        scale = self.scale / other.scale
        (x, y), (other_x, other_y) = self.translation_xy, other.translation_xy
        return Similarity(scale, (x - scale * other_x, y - scale * other_y))

    @property
    def matrix(self) -> npt.NDArray[np.float64]:
        """`(2, 3)`, as `cv2.warpAffine` takes it."""
        x, y = self.translation_xy
        return np.array([[self.scale, 0.0, x], [0.0, self.scale, y]])

    def of_points(self, xy: npt.ArrayLike) -> npt.NDArray[Any]:
        """Points `(..., 2)` moved, in the precision they come in; whole numbers in double precision."""
        points, translation = self._alike(xy)
        return np.asarray(points * points.dtype.type(self.scale) + translation)

    def back(self, xy: npt.ArrayLike) -> npt.NDArray[Any]:
        """The points `(..., 2)` that go to `xy`: `inverse.of_points(xy)` with fewer roundings."""
        points, translation = self._alike(xy)
        return np.asarray((points - translation) / points.dtype.type(self.scale))

    def _alike(self, xy: npt.ArrayLike) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """The points as floats, and the translation in their precision."""
        points = np.asarray(xy)
        if points.dtype.kind != "f":
            points = points.astype(np.float64)
        if points.shape[-1:] != (2,):
            raise ValueError(f"points must be (..., 2), not {points.shape}")
        return points, np.asarray(self.translation_xy, points.dtype)

    def of_pose(self, pose: Pose, size_hw: tuple[int, int]) -> Pose:
        """The pose in the frame that this leads to, of which `size_hw` is the size; the confidence stays."""
        return Pose(self.of_points(pose.xy), pose.confidence, size_hw)


IDENTITY = Similarity(1.0, (0.0, 0.0))
