import math
from fractions import Fraction

import numpy as np
import pytest

from understudy.poses.pose import LEFT_ANKLE, LEFT_WRIST, NOSE, POINTS, Pose
from understudy.poses.similarity import Similarity
from understudy.tracking.smoothing import OneEuro, OneEuroFilter, person_height, smooth_pose

SIZE_HW = (480, 640)
FPS = Fraction(30)


def still(frames: int, height: float = 200) -> np.ndarray:
    """Everything at (300, 100) but the ankle, which gives the person's height."""
    xy = np.full((frames, POINTS, 2), (300.0, 100.0), np.float32)
    xy[:, LEFT_ANKLE, 1] += height
    return xy


def as_pose(xy: np.ndarray, confidence: np.ndarray | None = None) -> Pose:
    return Pose(xy, np.ones(xy.shape[:2], np.float32) if confidence is None else confidence, SIZE_HW)


def paper_filter(x: np.ndarray, rate: float, min_cutoff: float, beta: float, derivative_cutoff: float) -> np.ndarray:
    """The paper's algorithm for one scalar signal, line by line, as the thing to compare with."""

    def weight(cutoff: float) -> float:
        return 1 / (1 + (1 / (2 * math.pi * cutoff)) * rate)

    result, speed = [x[0]], 0.0
    for value in x[1:]:
        speed += weight(derivative_cutoff) * ((value - result[-1]) * rate - speed)
        result.append(result[-1] + weight(min_cutoff + beta * abs(speed)) * (value - result[-1]))
    return np.array(result)


def test_filter_is_the_papers_for_movement_along_one_axis() -> None:
    x = np.cumsum(np.random.default_rng(1).normal(0, 3, 60))
    xy = np.stack([x, np.zeros(60)], axis=-1)[:, None].astype(np.float32)
    step = OneEuroFilter(FPS, 200.0, OneEuro(1.5, 10, 0.8))
    ours = np.stack([step(frame, np.ones(1, bool)) for frame in xy])[:, 0, 0]
    assert np.allclose(ours, 200 * paper_filter(x / 200, 30.0, 1.5, 10, 0.8), atol=1e-3)


def test_rest_becomes_calm_and_movement_is_not_late() -> None:
    rng = np.random.default_rng(0)
    truth = still(150)
    t = np.arange(150) / 30
    truth[:, LEFT_WRIST, 0] += 60 * np.sin(2 * np.pi * t)
    noisy = truth + rng.normal(0, 0.6, truth.shape).astype(np.float32)
    error = np.abs(smooth_pose(as_pose(noisy), FPS).xy - truth)[10:-10]
    before = np.abs(noisy - truth)[10:-10]
    assert error[:, NOSE].mean() < 0.5 * before[:, NOSE].mean()
    assert error[:, LEFT_WRIST].mean() < 1.5

    step = OneEuroFilter(FPS, 200.0)
    one_way = np.stack([step(frame, np.ones(POINTS, bool)) for frame in noisy])
    assert error[:, LEFT_WRIST].mean() < 0.6 * np.abs(one_way - truth)[10:-10, LEFT_WRIST].mean()


def test_clips_are_smoothed_forwards_and_backwards_with_the_settings_given() -> None:
    xy = still(30) + np.cumsum(np.random.default_rng(0).normal(0, 2, (30, POINTS, 2)), axis=0).astype(np.float32)
    settings = OneEuro(0.4, 3.0, 2.0)

    def one_way(frames: np.ndarray) -> np.ndarray:
        step = OneEuroFilter(FPS, person_height(as_pose(xy)), settings)
        return np.stack([step(frame, np.ones(POINTS, bool)) for frame in frames])

    expected = (one_way(xy) + one_way(xy[::-1])[::-1]) / 2
    np.testing.assert_allclose(smooth_pose(as_pose(xy), FPS, settings).xy, expected, atol=1e-3)
    assert np.abs(smooth_pose(as_pose(xy), FPS).xy - expected).max() > 0.5


def test_movement_is_smoothed_alike_in_every_direction() -> None:
    along = np.cumsum(np.random.default_rng(2).normal(0, 4, 40))
    turn = np.array([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]])
    level = np.stack([along, 0.3 * along[::-1]], axis=-1)

    def smoothed(points: np.ndarray) -> np.ndarray:
        step = OneEuroFilter(FPS, 200.0)
        return np.stack([step(point[None].astype(np.float32), np.ones(1, bool))[0] for point in points])

    np.testing.assert_allclose(smoothed(level @ turn.T), smoothed(level) @ turn.T, atol=1e-3)


def test_nothing_is_dragged_across_missing_frames() -> None:
    xy = still(20)
    xy[10:] += 150
    confidence = np.ones((20, POINTS), np.float32)
    confidence[8:10] = 0
    smoothed = smooth_pose(as_pose(xy, confidence), FPS)
    assert np.array_equal(smoothed.xy, xy)
    assert np.array_equal(smoothed.confidence, confidence)


def test_one_missing_joint_does_not_restart_the_others() -> None:
    rng = np.random.default_rng(0)
    xy = still(40) + rng.normal(0, 1, (40, POINTS, 2)).astype(np.float32)
    confidence = np.ones((40, POINTS), np.float32)
    whole = smooth_pose(as_pose(xy), FPS)
    confidence[20, LEFT_WRIST] = 0
    holed = smooth_pose(as_pose(xy, confidence), FPS)
    others = np.arange(POINTS) != LEFT_WRIST
    assert np.array_equal(holed.xy[:, others], whole.xy[:, others])
    assert np.array_equal(holed.xy[20, LEFT_WRIST], xy[20, LEFT_WRIST])


@pytest.mark.parametrize("scale", [0.25, 4.0])
def test_the_result_scales_with_the_picture(scale: float) -> None:
    xy = still(30) + np.random.default_rng(0).normal(0, 3, (30, POINTS, 2)).astype(np.float32)
    small = Similarity(scale, (0, 0)).of_pose(smooth_pose(as_pose(xy), FPS), SIZE_HW)
    assert np.allclose(smooth_pose(as_pose(xy * scale), FPS).xy, small.xy, rtol=1e-4, atol=1e-3)


def test_twice_the_rate_gives_the_same_curve() -> None:
    def at(rate: int) -> np.ndarray:
        xy = still(2 * rate + 1)
        xy[:, LEFT_WRIST, 0] += (50 * np.sin(np.pi * np.arange(2 * rate + 1) / rate)).astype(np.float32)
        return smooth_pose(as_pose(xy), Fraction(rate)).xy[:, LEFT_WRIST, 0]

    assert np.abs(at(120)[::2] - at(60)).max() < 1.0


@pytest.mark.parametrize(
    "pose",
    [
        pytest.param(as_pose(still(0)), id="no frames"),
        pytest.param(as_pose(still(1)), id="one frame"),
        pytest.param(as_pose(still(5), np.zeros((5, POINTS))), id="nobody"),
        pytest.param(as_pose(np.zeros((5, POINTS, 2))), id="all points in one place"),
    ],
)
def test_clips_with_nothing_to_smooth(pose: Pose) -> None:
    assert np.array_equal(smooth_pose(pose, FPS).xy, pose.xy)


def test_switched_off() -> None:
    xy = still(30) + np.random.default_rng(0).normal(0, 3, (30, POINTS, 2)).astype(np.float32)
    assert np.array_equal(smooth_pose(as_pose(xy), FPS, OneEuro(min_cutoff=math.inf)).xy, xy)


def test_person_height_ignores_points_not_seen() -> None:
    xy = still(3, height=200)
    confidence = np.ones((3, POINTS), np.float32)
    xy[:, LEFT_WRIST] = 5000
    confidence[:, LEFT_WRIST] = 0
    assert person_height(as_pose(xy, confidence)) == 200


@pytest.mark.parametrize("settings", [(0, 1, 1), (1, -1, 1), (1, 1, 0)])
def test_senseless_settings(settings: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="cutoffs must be above 0 Hz"):
        OneEuro(*settings)


def test_senseless_rate() -> None:
    with pytest.raises(ValueError, match="fps and unit must be above 0"):
        OneEuroFilter(Fraction(0), 1.0)
