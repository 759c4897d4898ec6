from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from understudy.covering.coverage import coverage
from understudy.covering.measure import measure
from understudy.errors import PoseError, UsageError
from understudy.poses.pose import DESCRIPTOR_LIMB_NAMES, DESCRIPTOR_LIMBS, LEFT_HIP, RIGHT_HIP, Pose
from understudy.poses.similarity import Similarity
from understudy.retargeting.pose_metrics import LIMBS, Descriptor, descriptor, pose_to_pose, pose_to_sequence

RIGHT_UPPER_ARM = DESCRIPTOR_LIMB_NAMES.index("right upper arm")
FPS = Fraction(10)


def random_descriptor(seed: int, frames: int, missing: float = 0.25) -> Descriptor:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(0, 30, (frames, LIMBS, 2)).astype(np.float32)
    return Descriptor(vectors, rng.random((frames, LIMBS)) >= missing)


def one_limb(*vectors: tuple[float, float]) -> Descriptor:
    """Frames that show nothing but the right upper arm."""
    displacement = np.zeros((len(vectors), LIMBS, 2), np.float32)
    displacement[:, RIGHT_UPPER_ARM] = vectors
    seen = np.zeros((len(vectors), LIMBS), bool)
    seen[:, RIGHT_UPPER_ARM] = True
    return Descriptor(displacement, seen)


def naive_eq7(a: Descriptor, b: Descriptor, i: int, j: int) -> float:
    distances = [
        np.linalg.norm(a.displacement[i, limb] - b.displacement[j, limb])
        for limb in range(LIMBS)
        if a.seen[i, limb] and b.seen[j, limb]
    ]
    return float(np.mean(distances)) if distances else np.nan


def naive_eq8(a: Descriptor, b: Descriptor, i: int) -> float:
    distances = []
    for limb in range(LIMBS):
        there = [j for j in range(len(b.seen)) if b.seen[j, limb]]
        if a.seen[i, limb] and there:
            distances.append(min(np.linalg.norm(a.displacement[i, limb] - b.displacement[j, limb]) for j in there))
    return float(np.mean(distances)) if distances else np.nan


def test_descriptor_by_hand() -> None:
    xy = np.zeros((1, 18, 2))
    xy[0, 2], xy[0, 5] = (40, 50), (60, 50)  # shoulders, so that the neck is (50, 50)
    xy[0, 3], xy[0, 8] = (30, 80), (45, 110)
    confidence = np.zeros((1, 18))
    confidence[0, [2, 3, 5, 8]] = 1
    found = descriptor(Pose.from_openpose18(xy, confidence, (128, 100)))
    seen = [name for name, seen in zip(DESCRIPTOR_LIMB_NAMES, found.seen[0], strict=True) if seen]
    assert seen == ["right side of the trunk", "right shoulder", "right upper arm", "left shoulder"]
    # the longer side is 128 pixels, so one pixel counts for two of a 256 frame
    assert found.displacement[0, RIGHT_UPPER_ARM].tolist() == [-20, 60]
    assert found.displacement[0, DESCRIPTOR_LIMB_NAMES.index("right side of the trunk")].tolist() == [-10, 120]


def test_descriptor_does_not_depend_on_place(stick_people) -> None:  # type: ignore[no-untyped-def]
    pose = stick_people([{"right upper arm": 40}])
    moved = Similarity.shifted(37, -12).of_pose(pose, pose.size_hw)
    np.testing.assert_allclose(descriptor(pose).displacement, descriptor(moved).displacement, atol=1e-4)


def test_descriptor_does_not_depend_on_resolution(stick_people) -> None:  # type: ignore[no-untyped-def]
    pose = stick_people([{"right upper arm": 40}])
    small = Similarity(0.5, (0, 0)).of_pose(pose, (128, 128))
    np.testing.assert_allclose(descriptor(pose).displacement, descriptor(small).displacement, atol=1e-4)


def test_pose_to_pose_by_hand() -> None:
    a, b = one_limb((3, 4)), one_limb((0, 0), (3, 4), (6, 8))
    np.testing.assert_allclose(pose_to_pose(a, b), [[5, 0, 5]])
    both = random_descriptor(0, 1, missing=0)
    other = Descriptor(both.displacement.copy(), both.seen)
    other.displacement[0, :3] += (8, 6)  # three of the twelve limbs, 10 pixels each
    np.testing.assert_allclose(pose_to_pose(both, other), [[3 * 10 / 12]], rtol=1e-5)


def test_pose_to_sequence_takes_each_limb_from_another_frame(stick_people) -> None:  # type: ignore[no-untyped-def]
    """Fig. 5 (c): both arms raised is covered by a reference that raises one at a time; eq. 7 would not say so."""
    right, left = {"right upper arm": 170, "right forearm": 170}, {"left upper arm": 170, "left forearm": 170}
    reference, both = descriptor(stick_people([right, left])), descriptor(stick_people([right | left]))
    found = pose_to_sequence(both, reference)
    assert found.distance[0] == pytest.approx(0, abs=1e-4)
    assert pose_to_pose(both, reference).min() > 8
    assert found.frame[0, RIGHT_UPPER_ARM] == 0
    assert found.frame[0, DESCRIPTOR_LIMB_NAMES.index("left upper arm")] == 1


@pytest.mark.parametrize("missing", [0.0, 0.3, 0.95], ids=["all seen", "some missing", "most missing"])
def test_equals_naive_loops(missing: float) -> None:
    a, b = random_descriptor(1, 9, missing), random_descriptor(2, 14, missing)
    expected = [[naive_eq7(a, b, i, j) for j in range(14)] for i in range(9)]
    np.testing.assert_allclose(pose_to_pose(a, b), expected, rtol=1e-4)
    np.testing.assert_allclose(pose_to_sequence(a, b).distance, [naive_eq8(a, b, i) for i in range(9)], rtol=1e-4)


@pytest.mark.parametrize("frames_at_once", [1, 7, 64, 1000])
def test_blocks_do_not_change_the_result(frames_at_once: int) -> None:
    a, b = random_descriptor(3, 50), random_descriptor(4, 80)
    for blocked, whole in zip(
        pose_to_sequence(a, b, frames_at_once=frames_at_once), pose_to_sequence(a, b, frames_at_once=50), strict=True
    ):
        np.testing.assert_array_equal(blocked, whole)


def test_nearest_frame_is_the_frame_of_the_distance() -> None:
    a, b = random_descriptor(5, 20), random_descriptor(6, 30)
    found = pose_to_sequence(a, b)
    for i, limb in np.argwhere(a.seen):
        j = found.frame[i, limb]
        assert b.seen[j, limb]
        apart = np.linalg.norm(a.displacement[i, limb] - b.displacement[j, limb])
        assert found.limb_distance[i, limb] == pytest.approx(apart, rel=1e-4)


def test_limbs_not_seen_and_limbs_never_filmed_are_told_apart() -> None:
    driving, reference = random_descriptor(7, 3, missing=0), random_descriptor(8, 4, missing=0)
    driving.seen[0, 2] = False
    reference.seen[:, 5] = False
    found = pose_to_sequence(driving, reference)
    assert np.isnan(found.limb_distance[0, 2])
    assert np.isinf(found.limb_distance[:, 5]).all()
    assert found.frame[0, 2] == -1
    assert (found.frame[:, 5] == -1).all()
    assert np.isfinite(found.distance).all()
    np.testing.assert_allclose(found.distance[0], np.delete(found.limb_distance[0], [2, 5]).mean(), rtol=1e-5)


def test_identity_is_covered(stick_people) -> None:  # type: ignore[no-untyped-def]
    pose = stick_people([{"right upper arm": angle} for angle in range(0, 180, 9)])
    found = measure(pose, pose, FPS)
    np.testing.assert_allclose(found.distance, 0, atol=1e-4)
    assert found.share_of_frames == 0
    assert found.worst == () == found.shots
    assert set(found.share_per_limb.values()) == {0.0}


def test_the_same_motion_elsewhere_and_larger_is_covered(stick_people) -> None:  # type: ignore[no-untyped-def]
    pose = stick_people([{"right upper arm": angle} for angle in range(0, 180, 9)])
    driving = Similarity(2.5, (100.0, 40.0)).of_pose(pose, (1080, 1920))
    np.testing.assert_allclose(measure(pose, driving, FPS).distance, 0, atol=1e-3)


def test_shares_and_worst_frames(stick_people) -> None:  # type: ignore[no-untyped-def]
    still = stick_people([{}] * 4)
    driving = stick_people([{}] * 10 + [{"left forearm": 90}] * 6 + [{"left forearm": 60}] * 4 + [{}] * 20)
    found = measure(still, driving, FPS)
    assert found.share_of_frames == pytest.approx(10 / 40)
    assert found.share_per_limb["left forearm"] == pytest.approx(10 / 40)
    assert found.share_per_limb["right forearm"] == 0
    assert [worst.frame for worst in found.worst] == [10, 15]  # half a second apart
    worst = found.worst[0]
    assert worst.seconds == 1.0
    assert [DESCRIPTOR_LIMB_NAMES[limb] for limb in worst.uncovered] == ["left forearm"]
    assert worst.distance == pytest.approx(28 * np.sqrt(2) / 12, rel=1e-3)  # a 28 pixel forearm turned by 90 degrees
    assert worst.reference_distance == pytest.approx(worst.distance, rel=1e-4)
    assert worst.reference_frame in range(4)


def test_gamma_is_the_threshold(stick_people) -> None:  # type: ignore[no-untyped-def]
    still, driving = stick_people([{}]), stick_people([{}, {"left forearm": 30}])
    apart = 2 * 28 * np.sin(np.radians(15))
    assert measure(still, driving, FPS, gamma=apart - 0.1).share_of_frames == 0.5
    assert measure(still, driving, FPS, gamma=apart + 0.1).share_of_frames == 0


def test_a_limb_at_gamma_itself_is_covered(stick_people) -> None:  # type: ignore[no-untyped-def]
    still, driving = stick_people([{}]), stick_people([{}, {"left forearm": 30}])
    farthest = float(np.nanmax(measure(still, driving, FPS).limb_distance))
    found = measure(still, driving, FPS, gamma=farthest)
    assert found.share_of_frames == 0 and found.worst == () == found.shots


def test_the_driver_is_scaled_as_asked(stick_people, write_stick_performance) -> None:  # type: ignore[no-untyped-def]
    """Hips a quarter wider than the reference's, all else alike: by hips he is made smaller, by the body he stays."""
    reference = stick_people([{}] * 3)
    xy = reference.xy.copy()
    middle = xy[:, [LEFT_HIP, RIGHT_HIP]].mean(axis=1, keepdims=True)
    xy[:, [LEFT_HIP, RIGHT_HIP]] = middle + 1.25 * (xy[:, [LEFT_HIP, RIGHT_HIP]] - middle)
    driving = Pose(xy, reference.confidence, reference.size_hw)
    clips = write_stick_performance("me", reference), write_stick_performance("dance", driving)
    for scale_by, scale in (("hips", 0.8), ("body", 1.0)):
        for found in (measure(reference, driving, FPS, scale_by=scale_by), coverage(*clips, scale_by=scale_by)):
            assert found.alignment.scale == pytest.approx(scale, rel=0.02)
    assert (coverage(*clips).gamma, coverage(*clips, gamma=3.5).gamma) == (8.0, 3.5)


def test_frames_without_anybody_are_left_out(stick_people) -> None:  # type: ignore[no-untyped-def]
    driving = stick_people([{}, {}, {"left forearm": 90}, {"left forearm": 90}])
    confidence = driving.confidence.copy()
    confidence[:2] = 0
    found = measure(stick_people([{}]), Pose(driving.xy, confidence, driving.size_hw), FPS)
    assert found.compared.tolist() == [False, False, True, True]
    assert found.share_of_frames == 1
    assert np.isnan(found.distance[:2]).all()
    assert found.shots[0].share == 1


def test_reference_without_legs(stick_people) -> None:  # type: ignore[no-untyped-def]
    pose = stick_people([{}] * 5)
    confidence = pose.confidence.copy()
    confidence[:, 13:17] = 0  # knees and ankles
    found = measure(Pose(pose.xy, confidence, pose.size_hw), pose, FPS)
    assert [DESCRIPTOR_LIMB_NAMES[limb] for limb in found.never_filmed] == [
        "right thigh",
        "right shin",
        "left thigh",
        "left shin",
    ]
    assert found.share_of_frames == 1
    np.testing.assert_allclose(found.distance, 0, atol=1e-4)
    assert [shot.what for shot in found.shots] == [
        "Film the whole body: the reference never shows the right thigh, right shin, left thigh and left shin"
    ]
    assert found.worst


def test_summary_is_plain_text(stick_people) -> None:  # type: ignore[no-untyped-def]
    found = measure(stick_people([{}]), stick_people([{}] * 3 + [{"left forearm": 90}]), FPS, reference_name="me.mp4")
    lines = found.summary().splitlines()
    assert lines[0].startswith(
        "25% of the driver's 4 frames show a limb as me.mp4 never shows it (farther than 8 pixels"
    )
    assert lines[1] == "most often missed: left forearm 25%"
    assert lines[2] == "to cover this driver, film (left and right are the person's own):"
    assert lines[3].startswith("  1. Left forearm straight out to the side, horizontally (about 90 degrees")
    assert lines[4] == "with all of these filmed, 0% of the frames would still have a gap"


@pytest.mark.parametrize("gamma", [0.0, -1.0, float("nan")])
def test_gamma_must_be_positive(gamma: float) -> None:
    with pytest.raises(UsageError, match="`gamma` must be above 0 pixels"):
        coverage("a.mp4", "b.mp4", gamma=gamma)


def test_report_must_be_a_web_page() -> None:
    with pytest.raises(UsageError, match=r"name it report\.html, not report\.pdf"):
        coverage("a.mp4", "b.mp4", "report.pdf")


def test_drivers_without_a_torso_are_refused(stick_people) -> None:  # type: ignore[no-untyped-def]
    pose = stick_people([{}])
    nobody = Pose(pose.xy, np.zeros_like(pose.confidence), pose.size_hw)
    with pytest.raises(PoseError, match="none of 1 frames shows both shoulders and both hips"):
        measure(pose, nobody, FPS)


def test_performance_folders_are_taken(stick_people, write_stick_performance, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    reference = write_stick_performance("me", stick_people([{}] * 3))
    driving = write_stick_performance("dance", stick_people([{}, {"left forearm": 90}]))
    found = coverage(reference.path, driving)
    assert (found.reference, found.driving, found.fps) == ("me.mp4", "dance.mp4", Fraction(10))
    assert found.share_of_frames == 0.5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dance.performance", "me.performance"]


def test_limbs_are_twelve() -> None:
    assert len(DESCRIPTOR_LIMBS) == len(DESCRIPTOR_LIMB_NAMES) == LIMBS == 12
