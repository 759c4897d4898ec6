from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tiny import tiny_poses
from understudy.base.files import write_json
from understudy.evaluation import prediction
from understudy.evaluation.prediction import LIMBS, PER_FRAME, WITHIN_LIMBS, correlations, coverage_of, predictors
from understudy.poses.pose import DESCRIPTOR_LIMB_NAMES, LEFT_WRIST, Pose
from understudy.poses.similarity import Similarity

FPS = Fraction(10)
T, SIZE = 120, 128


@pytest.fixture
def reference() -> Pose:
    return tiny_poses(60, SIZE, 0)


@pytest.fixture
def driving() -> Pose:
    return tiny_poses(T, SIZE, 1)


def test_a_reference_predicts_no_trouble_for_itself(reference: Pose) -> None:
    found = predictors(reference, reference, FPS)
    assert not found.coverage.any() and not found.limbs.any() and not found.nearest_frame.any()
    assert not found.worst_limb.any() and not found.unseen.any()
    assert np.isnan(found.speed[0]) and (found.speed[1:] > 0).all()


def test_speed_is_in_pixels_of_a_256_frame_a_second(reference: Pose) -> None:
    standing = Pose(
        np.repeat(reference.xy[:1], 4, axis=0), np.repeat(reference.confidence[:1], 4, axis=0), (SIZE, SIZE)
    )
    standing.xy[2:, :, 0] += 3
    assert predictors(standing, standing, FPS).speed[1:] == pytest.approx([0, 3 * 2 * 10, 0], abs=1e-3)


def test_unseen_joints(driving: Pose, reference: Pose) -> None:
    confidence = driving.confidence.copy()
    confidence[0] = 0
    confidence[1, LEFT_WRIST] = 0
    found = predictors(reference, Pose(driving.xy, confidence, driving.size_hw), FPS)
    assert found.unseen[:3] == pytest.approx([1, 1 / 18, 0], abs=1e-6)
    assert np.isnan([found.coverage[0], found.worst_limb[0], found.nearest_frame[0], found.speed[1]]).all()
    assert np.isnan(found.limbs[1, DESCRIPTOR_LIMB_NAMES.index("left forearm")])


def test_errors_that_follow_coverage_correlate_with_it(driving: Pose, reference: Pose) -> None:
    predicted = predictors(reference, driving, FPS)
    rng = np.random.default_rng(0)
    errors = list(3 * predicted.coverage)
    errors[4] = None
    found = correlations(predicted, errors, predicted.limbs**2, FPS)
    assert list(found) == [*PER_FRAME.values(), LIMBS, WITHIN_LIMBS]
    assert found[PER_FRAME["coverage"]].mean == pytest.approx(1)
    assert found[LIMBS].mean == pytest.approx(1)
    assert found[WITHIN_LIMBS].mean == pytest.approx(1)
    assert found[PER_FRAME["unseen"]].mean is None  # nothing is ever unseen
    unrelated = correlations(predicted, list(rng.normal(size=T)), None, FPS)
    assert abs(unrelated[PER_FRAME["coverage"]].mean) < 0.3
    assert LIMBS not in unrelated


def test_differences_between_limbs_do_not_count_within_limbs() -> None:
    rng = np.random.default_rng(0)
    scale = np.arange(1, 13)
    distance, near = scale * rng.uniform(1, 1.5, (T, 12)), scale * rng.uniform(1, 1.5, (T, 12))
    blank = np.full(T, np.nan, np.float32)
    predicted = prediction.Predictors(blank, distance.astype(np.float32), blank, blank, blank)
    found = correlations(predicted, [None] * T, near, FPS)
    assert found[LIMBS].low > 0.8
    assert found[WITHIN_LIMBS].low < 0 < found[WITHIN_LIMBS].high


def test_the_results_hold_the_distances_and_the_correlations(driving: Pose, reference: Pose, tmp_path) -> None:
    hidden = reference.confidence.copy()
    hidden[:, LEFT_WRIST] = 0
    never = Pose(reference.xy, hidden, reference.size_hw)
    found = coverage_of(never, driving, FPS, {"ours": [1.0] * T, "nearest-neighbour": list(range(T))}, gamma=5.0)
    assert set(found.correlations) == {"ours", "nearest-neighbour"}
    assert found.share_of_frames == 1  # a forearm that was never filmed is beyond every gamma
    assert found.limbs["left forearm"] == [None] * T
    assert len(found.distance) == len(found.limbs["right thigh"]) == T
    write_json(tmp_path / "coverage.json", found.distance)
    whole = coverage_of(reference, reference, FPS, {})
    assert (whole.share_of_frames, whole.correlations, whole.gamma) == (0, {}, 8)


def test_the_share_beyond_gamma_is_one_of_the_frames_that_show_somebody(driving: Pose, reference: Pose) -> None:
    seen = driving.confidence.copy()
    seen[: T // 2] = 0
    half = Pose(driving.xy, seen, driving.size_hw)
    assert coverage_of(reference, half, FPS, {}, gamma=1e-6).share_of_frames == 1
    assert coverage_of(reference, half[: T // 2], FPS, {}).share_of_frames == 0


def test_poses_must_be_aligned_first(driving: Pose, reference: Pose) -> None:
    with pytest.raises(ValueError, match="align the driver first"):
        predictors(reference, Similarity(2, (0, 0)).of_pose(driving, (256, 256)), FPS)
