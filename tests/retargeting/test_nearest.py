from __future__ import annotations

import numpy as np
import pytest

from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity
from understudy.retargeting.nearest import MISSING_LIMB, nearest_frames, nearest_frames_by_limbs, warp_distances
from understudy.retargeting.pose_metrics import Descriptor, descriptor, pose_to_pose


def random_pose(rng: np.random.Generator, frames: int, missing: float = 0.2) -> Pose:
    seen = rng.random((frames, 18)) >= missing
    return Pose.from_openpose18(rng.random((frames, 18, 2)) * 256, seen.astype(float), (256, 256))


def naive(driving: Pose, reference: Pose) -> tuple[list[int], list[float]]:
    xy, confidence = driving.openpose18()
    other_xy, other_confidence = reference.openpose18()
    frames, distances = [], []
    for points, sure in zip(xy, confidence, strict=True):
        best = (2, np.inf, -1)  # (shares too few, distance, frame): smallest wins
        for frame, (other, other_sure) in enumerate(zip(other_xy, other_confidence, strict=True)):
            both = (sure > 0) & (other_sure > 0)
            if both.any():
                apart = float(np.linalg.norm(points[both] - other[both], axis=1).mean())
                best = min(best, (int(both.sum() < (sure > 0).sum() / 2), apart, frame))
        frames.append(best[2])
        distances.append(best[1] if best[2] >= 0 else np.nan)
    return frames, distances


@pytest.mark.parametrize("missing", [0.0, 0.3, 0.8], ids=["all seen", "some missing", "most missing"])
@pytest.mark.parametrize("frames_at_once", [1, 7, 1000])
def test_equals_a_naive_loop_in_any_block_size(missing: float, frames_at_once: int) -> None:
    rng = np.random.default_rng(3)
    driving, reference = random_pose(rng, 23, missing), random_pose(rng, 31, missing)
    found = nearest_frames(driving, reference, frames_at_once=frames_at_once)
    frames, distances = naive(driving, reference)
    assert found.frame.tolist() == frames
    np.testing.assert_allclose(found.distance, distances, rtol=1e-4)


def test_a_clip_is_its_own_nearest() -> None:
    pose = random_pose(np.random.default_rng(0), 20, missing=0)
    found = nearest_frames(pose, pose)
    assert found.frame.tolist() == list(range(20))
    assert not found.distance.any()


def test_one_joint_in_the_right_place_does_not_beat_a_whole_pose() -> None:
    xy = np.zeros((2, 18, 2))
    xy[1] = 5
    confidence = np.zeros((2, 18))
    confidence[0, 0] = confidence[1] = 1
    reference = Pose.from_openpose18(xy, confidence, (64, 64))
    driving = Pose.from_openpose18(np.zeros((1, 18, 2)), np.ones((1, 18)), (64, 64))
    assert nearest_frames(driving, reference).frame.tolist() == [1]
    assert nearest_frames(driving, reference[:1]).frame.tolist() == [0]


def test_nobody_has_no_nearest_frame() -> None:
    rng = np.random.default_rng(0)
    driving = random_pose(rng, 2, missing=1.1)
    found = nearest_frames(driving, random_pose(rng, 3))
    assert found.frame.tolist() == [-1, -1]
    assert np.isnan(found.distance).all()
    assert nearest_frames(random_pose(rng, 1), driving[:0]).frame.tolist() == [-1]


def test_unaligned_sizes_are_refused() -> None:
    driving = random_pose(np.random.default_rng(0), 2)
    with pytest.raises(
        ValueError, match=r"align the driver first: its frame is \(64, 64\), the reference's \(256, 256\)"
    ):
        nearest_frames(Similarity(0.25, (0, 0)).of_pose(driving, (64, 64)), driving)


@pytest.mark.parametrize("frames_at_once", [1, 7, 1000])
def test_nearest_by_limbs_is_equation_7_in_any_block_size(frames_at_once: int) -> None:
    rng = np.random.default_rng(5)
    driving, reference = random_pose(rng, 23, 0.1), random_pose(rng, 31, 0.1)
    here, there = descriptor(driving), descriptor(reference)
    mean = pose_to_pose(here, there)
    shared = here.seen.astype(int) @ there.seen.T.astype(int)
    ranked = np.where(shared < here.seen.sum(axis=1, keepdims=True) / 2, 1e6 + mean, mean)
    found = nearest_frames_by_limbs(driving, reference, frames_at_once=frames_at_once)
    assert found.frame.tolist() == np.nanargmin(ranked, axis=1).tolist()
    np.testing.assert_allclose(found.distance, mean[np.arange(23), found.frame], rtol=1e-5)
    wherever = Similarity.shifted(40, -7).of_pose(reference, reference.size_hw)
    assert nearest_frames_by_limbs(wherever, reference).frame.tolist() == list(range(31))


def limb(vector: tuple[float, float], seen: bool = True) -> Descriptor:
    """One frame in which one limb points somewhere and all others hang down by 10 pixels."""
    displacement = np.full((1, 12, 2), (0, 10), np.float32)
    displacement[0, 4] = vector
    shown = np.ones((1, 12), bool)
    shown[0, 4] = seen
    return Descriptor(displacement, shown)


@pytest.mark.parametrize(
    ("here", "there", "distance"),
    [
        pytest.param(limb((0, 10)), limb((0, 10)), 0, id="the same"),
        pytest.param(limb((0, 10)), limb((0, 4)), 6, id="shorter in the picture"),
        pytest.param(limb((0, 10)), limb((10, 0)), 0.25 * np.sqrt(200), id="turned: counts by its weight"),
        pytest.param(limb((0, 10)), limb((8, 0)), 2 + 0.25 * np.sqrt(164 - 4), id="both"),
        pytest.param(limb((0, 10)), limb((0, 10), seen=False), MISSING_LIMB, id="not filmed"),
        pytest.param(limb((0, 10), seen=False), limb((9, 9)), 0, id="not asked for"),
    ],
)
def test_warping_costs_length_in_full_and_turning_by_its_weight(here: Descriptor, there: Descriptor, distance) -> None:
    assert warp_distances(here, there, swing=0.25)[0, 0] == pytest.approx(distance / 12, rel=1e-5)
