from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from understudy.evaluation.metrics import (
    IDENTICAL_DB,
    face_box,
    joint_distance,
    mse,
    pck,
    person_box,
    psnr,
    psnr_of,
    rmse,
    ssim,
    temporal_error,
    visible_before,
)
from understudy.poses import pose as p


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


def test_mse_and_psnr_known_values() -> None:
    a, b = grey(100), grey(104)
    assert mse(a, b) == 16
    assert psnr(a, b) == pytest.approx(10 * np.log10(255**2 / 16))
    assert psnr(grey(0), grey(255)) == pytest.approx(0)
    half = a.copy()
    half[:, :5] = 104
    assert psnr(half, a, (0, 0, 5, 8)) == psnr(b, a)


def test_psnr_of_identical_pictures_is_finite() -> None:
    assert psnr(grey(7), grey(7)) == IDENTICAL_DB
    assert psnr_of(1e-9) == IDENTICAL_DB


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (24, 30, 3), dtype=np.uint8)


def test_ssim_is_1_for_identical_pictures_alone(noise: np.ndarray) -> None:
    assert ssim(noise, noise) == pytest.approx(1, abs=1e-5)
    for level in (0, 9, 200, 255):  # flat: nothing but rounding to divide by
        assert ssim(grey(level), grey(level)) == pytest.approx(1, abs=1e-3)
    assert -0.2 < ssim(noise, noise[::-1]) < 0.2
    assert ssim(noise, 255 - noise) < -0.5


def test_ssim_of_flat_pictures_is_its_luminance_term() -> None:
    a, b, c1 = 50.0, 80.0, (0.01 * 255) ** 2
    assert ssim(grey(50), grey(80)) == pytest.approx((2 * a * b + c1) / (a * a + b * b + c1), rel=1e-5)


def test_ssim_in_a_box_sees_the_box_alone(noise: np.ndarray) -> None:
    damaged = noise.copy()
    damaged[:, 20:] = 0
    assert ssim(noise, damaged, (0, 0, 10, 24)) == pytest.approx(1, abs=1e-5)
    assert ssim(noise, damaged, (24, 2, 28, 6)) < 0.1
    assert ssim(noise, damaged, (0, 0, 30, 24)) == pytest.approx(ssim(noise, damaged), rel=1e-4)
    with pytest.raises(ValueError, match="holds no pixel"):
        ssim(noise, damaged, (40, 0, 50, 10))


def head(**points: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Pose with some points seen, by their names in `understudy.pose`."""
    xy, confidence = np.zeros((p.POINTS, 2), np.float32), np.zeros(p.POINTS, np.float32)
    for name, place in points.items():
        xy[getattr(p, name)], confidence[getattr(p, name)] = place, 0.9
    return xy, confidence


SHOULDERS = {"LEFT_SHOULDER": (70.0, 80.0), "RIGHT_SHOULDER": (30.0, 80.0)}


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        pytest.param(
            {"LEFT_EAR": (60, 40), "RIGHT_EAR": (40, 40)}, (23, 13, 79, 69), id="ears: 2.8 x 20 around the middle"
        ),
        pytest.param(
            {"LEFT_EAR": (52, 40), "NOSE": (48, 40), **SHOULDERS}, (23, 6, 79, 62), id="profile: 1.4 x 40, and higher"
        ),
        pytest.param({"LEFT_EAR": (10, 5), "RIGHT_EAR": (30, 5)}, (0, 0, 49, 34), id="cut at the edge"),
        pytest.param({"NOSE": (50, 40), **SHOULDERS}, None, id="a nose alone"),
        pytest.param({}, None, id="nothing seen"),
        pytest.param({"LEFT_EAR": (60, -30), "RIGHT_EAR": (40, -30)}, None, id="outside"),
    ],
)
def test_face_box(points: dict[str, tuple[float, float]], expected: tuple[int, int, int, int] | None) -> None:
    assert face_box(*head(**points), (100, 100)) == expected


def shifted_pair(dx: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A picture, the same moved dx pixels to the right, and the backward flow between the two."""
    before = np.random.default_rng(1).integers(0, 256, (16, 20, 3), dtype=np.uint8)
    backward = np.zeros((16, 20, 2), np.float32)
    backward[..., 0] = -dx
    return before, np.roll(before, dx, axis=1), backward


def test_temporal_error_is_0_where_motion_explains_all() -> None:
    before, after, backward = shifted_pair(3)
    visible = visible_before(backward, -backward)
    assert not visible[:, :3].any()  # came in over the edge
    assert visible[:, 3:].all()
    assert temporal_error(before, after, backward, visible) == 0
    still = np.zeros_like(backward)
    assert temporal_error(before, after, still, visible) > 50
    assert temporal_error(before, after, backward, visible, (0, 0, 3, 16)) is None


def test_temporal_error_is_the_mean_of_the_visible_part() -> None:
    before, still = grey(100), np.zeros((8, 10, 2), np.float32)
    after = before.copy()
    after[:, :5] = 106
    everywhere = np.ones((8, 10), bool)
    assert temporal_error(before, after, still, everywhere) == 3
    assert temporal_error(before, after, still, everywhere, (0, 0, 5, 8)) == 6
    right_half = everywhere.copy()
    right_half[:, :5] = False
    assert temporal_error(before, after, still, right_half) == 0


def test_where_the_two_flows_disagree_nothing_was_visible() -> None:
    backward = np.zeros((10, 10, 2), np.float32)
    forward = backward.copy()
    forward[4:6, 4:6] = (3, 0)  # what was here has gone, and something behind it appears
    visible = visible_before(backward, forward)
    assert not visible[4:6, 4:6].any()
    assert visible.sum() == 96


def joints(*places: tuple[float, float]) -> np.ndarray:
    return np.array(places, np.float32)


def test_joint_distance_is_in_pixels_of_a_256_frame_over_joints_seen_in_both() -> None:
    true, made = joints((0, 0), (10, 10), (50, 50)), joints((3, 4), (10, 10), (0, 0))
    seen = np.array([1, 1, 1], np.float32)
    lost = np.array([1, 1, 0], np.float32)
    assert joint_distance(made, lost, true, seen, (256, 256)) == 2.5
    assert joint_distance(made, lost, true, seen, (128, 128)) == 5.0
    assert joint_distance(made, 0 * seen, true, seen, (256, 256)) is None


def test_pck_counts_lost_joints_as_wrong() -> None:
    true = joints((0, 0), (10, 10), (50, 50), (0, 0))
    made = joints((6, 8), (10, 21), (50, 50), (0, 0))
    wanted = np.array([1, 1, 1, 0], np.float32)
    assert pck(made, np.array([1, 1, 0, 1], np.float32), true, wanted, 100) == pytest.approx(1 / 3)
    assert pck(made, wanted, true, wanted, 110) == 1
    assert pck(made, wanted, true, 0 * wanted, 100) is None


def test_torchmetrics_is_imported_only_when_needed() -> None:
    code = (
        "import sys, understudy.evaluation.measuring\n"
        "sys.exit(bool({'torchmetrics', 'torchvision', 'mediapipe'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
