"""The one 2-D similarity: values worked out by hand, what OpenCV does to pixels, and that nobody writes it again."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from understudy.poses.pose import Pose
from understudy.poses.similarity import IDENTITY, Similarity, edge_to_edge

HALVED_AND_MOVED = Similarity(0.5, (3.0, -1.0))
TRIPLED = Similarity(3.0, (0.25, 10.0))
POINTS = np.array([(0.0, 0.0), (1.0, 0.0), (-7.5, 4.0)])


def test_values_by_hand() -> None:
    assert HALVED_AND_MOVED.of_points(POINTS).tolist() == [[3.0, -1.0], [3.5, -1.0], [-0.75, 1.0]]
    assert HALVED_AND_MOVED.of_points((10, 20)).tolist() == [8.0, 9.0]
    assert HALVED_AND_MOVED.matrix.tolist() == [[0.5, 0.0, 3.0], [0.0, 0.5, -1.0]]
    assert HALVED_AND_MOVED.matrix.dtype == np.float64
    assert HALVED_AND_MOVED.inverse == Similarity(2.0, (-6.0, 2.0))
    assert Similarity.shifted(2, -3) == Similarity(1.0, (2.0, -3.0))
    assert Similarity.pinned(2.0, (10.0, 1.0), (5.0, 7.0)) == Similarity(2.0, (-15.0, 5.0))


def test_identity_changes_nothing() -> None:
    assert IDENTITY.of_points(POINTS).tolist() == POINTS.tolist()
    assert IDENTITY.inverse == IDENTITY @ IDENTITY == Similarity.resized(1) == Similarity.shifted(0, 0) == IDENTITY
    assert HALVED_AND_MOVED @ IDENTITY == IDENTITY @ HALVED_AND_MOVED == HALVED_AND_MOVED


def test_composition_goes_from_right_to_left() -> None:
    assert Similarity(1.5, (9.25, 7.0)) == TRIPLED @ HALVED_AND_MOVED
    assert Similarity(1.5, (3.125, 4.0)) == HALVED_AND_MOVED @ TRIPLED
    both = (TRIPLED @ HALVED_AND_MOVED).of_points(POINTS)
    assert both.tolist() == TRIPLED.of_points(HALVED_AND_MOVED.of_points(POINTS)).tolist()


def test_the_ways_back_agree() -> None:
    one = Similarity(1.7, (-30.0, 12.5))
    np.testing.assert_allclose(one.inverse.of_points(one.of_points(POINTS)), POINTS, atol=1e-12)
    np.testing.assert_allclose(one.back(one.of_points(POINTS)), POINTS, atol=1e-12)
    relative, composed = one.relative_to(TRIPLED), one @ TRIPLED.inverse
    assert relative.scale == pytest.approx(composed.scale)
    assert relative.translation_xy == pytest.approx(composed.translation_xy)
    assert one.relative_to(one) == IDENTITY


def test_matrices_and_back() -> None:
    assert Similarity.from_matrix(TRIPLED.matrix) == TRIPLED
    assert Similarity.from_matrix(TRIPLED.matrix.astype(np.float32)) == TRIPLED
    for matrix in ([[1, 0.1, 0], [0, 1, 0]], [[1, 0, 0], [0, 2, 0]], [[0, -1, 0], [1, 0, 0]]):
        with pytest.raises(ValueError, match="not one scale and a translation"):
            Similarity.from_matrix(np.array(matrix))
    with pytest.raises(ValueError, match=r"a matrix of \(2, 3\), not \(3, 3\)"):
        Similarity.from_matrix(np.eye(3))


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_only_scales_above_0_have_a_way_back(scale: float) -> None:
    with pytest.raises(ValueError, match="needs a scale above 0"):
        Similarity(scale, (0.0, 0.0))


def test_points_keep_their_precision_and_their_shape() -> None:
    for given, kept in ((np.float32, np.float32), (np.float64, np.float64), (np.int16, np.float64)):
        points = np.ones((2, 3, 2), given)
        assert TRIPLED.of_points(points).dtype == TRIPLED.back(points).dtype == kept
        assert TRIPLED.of_points(points).shape == (2, 3, 2)
    with pytest.raises(ValueError, match=r"points must be \(\.\.\., 2\), not \(5, 3\)"):
        TRIPLED.of_points(np.zeros((5, 3)))


def test_poses_move_and_keep_their_confidence() -> None:
    rng = np.random.default_rng(0)
    pose = Pose(rng.uniform(0, 90, (4, 133, 2)), rng.uniform(0, 1, (4, 133)), (90, 90))
    moved = TRIPLED.of_pose(pose, (300, 200))
    np.testing.assert_allclose(moved.xy, 3 * pose.xy + (0.25, 10), rtol=1e-6)
    assert moved.size_hw == (300, 200) and moved.confidence is pose.confidence


@pytest.mark.parametrize(("size", "resized"), [(64, 32), (32, 64), (60, 20), (20, 60), (48, 36), (36, 48)])
def test_resizing_edge_to_edge_is_what_opencv_does_to_centres_of_pixels(size: int, resized: int) -> None:
    """A picture of positions, resized: each pixel of the outcome then says where it came from."""
    columns, rows = np.meshgrid(np.arange(size, dtype=np.float32), np.arange(size, dtype=np.float32))
    way = cv2.INTER_LINEAR if size % resized else cv2.INTER_AREA  # whole blocks of pixels have their middles as mean
    came_from = cv2.resize(np.dstack([columns, rows]), (resized, resized), interpolation=way)
    there = np.stack(np.meshgrid(np.arange(resized), np.arange(resized)), axis=-1)
    inside = slice(1 + resized // size, -1 - resized // size)  # OpenCV repeats the border instead of going beyond it
    back = Similarity.resized(resized / size).of_points(came_from)
    np.testing.assert_allclose(back[inside, inside], there[inside, inside], atol=1e-4)


@pytest.mark.parametrize("ratio", [0.5, 2.0, 1 / 3, 0.37, 5.3])
def test_edges_stay_edges(ratio: float) -> None:
    resized = Similarity.resized(ratio)
    assert resized.translation_xy == ((ratio - 1) / 2,) * 2
    assert resized.of_points((-0.5, 99.5)) == pytest.approx([-0.5, 100 * ratio - 0.5])
    np.testing.assert_allclose(edge_to_edge(POINTS, ratio), resized.of_points(POINTS), atol=1e-12)
    across = edge_to_edge(POINTS, shrink=np.array([1 / ratio, 1.0]))
    np.testing.assert_allclose(across[:, 0], resized.of_points(POINTS)[:, 0], atol=1e-12)
    assert across[:, 1].tolist() == POINTS[:, 1].tolist()
    assert resized.inverse.scale == pytest.approx(Similarity.resized(1 / ratio).scale)
    assert resized.inverse.translation_xy == pytest.approx(Similarity.resized(1 / ratio).translation_xy)


DISGUISES = re.compile(
    r"\((ratio|scale|factor|zoom|shrink|step|finer|\w+ / \w+) - 1\) / 2"  # half of what a side grows by
    r"|(scale|ratio|shrink|zoom) / 2 - 0\.5|/ 2 - 0\.25"
    r"|\+ 0\.5\)+ ?[*/] ?[\w.() /\[\]]+ - 0\.5"  # from the edge, and back to it
    r"|\(ratio, \(0(\.0)?, 0(\.0)?\)"  # ... forgotten
)


def test_the_half_pixel_of_a_resized_picture_is_written_once() -> None:
    root = Path(__file__).parents[2]
    found = [
        f"{path.relative_to(root)}: {match.group()}"
        for folder in ("src", "benchmarks")
        for path in sorted((root / folder).rglob("*.py"))
        for match in DISGUISES.finditer(re.sub(r'""".*?"""', "", path.read_text(), flags=re.DOTALL))
    ]
    assert found == ["src/understudy/poses/similarity.py: + 0.5) * ratio / shrink - 0.5"]
