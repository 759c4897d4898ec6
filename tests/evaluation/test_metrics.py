from __future__ import annotations

import numpy as np
import pytest

from understudy.evaluation.metrics import person_box, rmse


def grey(value: float, dtype: type = np.uint8) -> np.ndarray:
    return np.full((8, 10, 3), value, dtype)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        pytest.param(grey(100), grey(100), 0.0, id="identical"),
        pytest.param(grey(0), grey(255), 255.0, id="black and white"),
        pytest.param(grey(10), grey(13), 3.0, id="unsigned numbers do not wrap"),
        pytest.param(grey(10.5, np.float32), grey(10), 0.5, id="float and uint8"),
    ],
)
def test_rmse_known_values(a: np.ndarray, b: np.ndarray, expected: float) -> None:
    assert rmse(a, b) == pytest.approx(expected)
    assert rmse(b, a) == pytest.approx(expected)


def test_rmse_weighs_pixels_and_channels_alike() -> None:
    a = grey(0)
    b = a.copy()
    b[0, 0, 1] = 90
    assert rmse(a, b) == pytest.approx(90 / np.sqrt(a.size))
    assert rmse(np.stack([a, a]), np.stack([a, b])) == pytest.approx(90 / np.sqrt(2 * a.size))


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((2, 1, 4, 3), 50.0),
        ((0, 0, 2, 1), 0.0),
        ((2, 1, 6, 3), 50 / np.sqrt(2)),
        ((-9, -9, 99, 99), 50 * np.sqrt(4 / 80)),
    ],
    ids=["on it", "beside it", "half on it", "cut at the edge"],
)
def test_rmse_in_a_box(box: tuple[int, int, int, int], expected: float) -> None:
    a, b = grey(0), grey(0)
    b[1:3, 2:4] = 50
    assert rmse(a, b, box) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("a", "b", "box", "message"),
    [
        (grey(0), grey(0)[:4], None, r"not \(8, 10, 3\) and \(4, 10, 3\)"),
        (grey(0)[..., 0], grey(0)[..., 0], None, r"not \(8, 10\) and \(8, 10\)"),
        (grey(0), grey(0), (5, 5, 5, 8), r"the box \(5, 5, 5, 8\) holds no pixel"),
        (grey(0), grey(0), (-5, 0, -1, 8), "holds no pixel"),
    ],
    ids=["sizes differ", "not RGB", "empty box", "box outside"],
)
def test_rmse_errors(a: np.ndarray, b: np.ndarray, box: tuple[int, int, int, int] | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rmse(a, b, box)


@pytest.mark.parametrize(
    ("margin", "expected"),
    [(0, (3, 1, 6, 3)), (1, (2, 0, 7, 4)), (50, (0, 0, 10, 8))],
    ids=["tight", "margin", "margin cut at the edge"],
)
@pytest.mark.parametrize("as_bool", [False, True], ids=["uint8", "bool"])
def test_person_box(margin: int, expected: tuple[int, int, int, int], as_bool: bool) -> None:
    matte = np.zeros((8, 10), np.uint8)
    matte[1:3, 3:6] = 200
    matte[7, 9] = 100  # a faint halo is not the person
    assert person_box(matte > 127 if as_bool else matte, margin) == expected


def test_person_box_around_all_frames() -> None:
    mattes = np.zeros((2, 8, 10), np.uint8)
    mattes[0, 1, 1] = mattes[1, 5, 7] = 255
    assert person_box(mattes) == (1, 1, 8, 6)


def test_person_box_errors() -> None:
    with pytest.raises(ValueError, match="shows nobody"):
        person_box(np.zeros((4, 4), np.uint8))
    with pytest.raises(ValueError, match=r"not \(4,\)"):
        person_box(np.zeros(4))
