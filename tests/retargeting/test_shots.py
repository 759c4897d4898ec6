"""Several shots of one driver, as one camera would have filmed them."""

import logging
from fractions import Fraction

import numpy as np
import pytest

from tiny import tiny_performance
from tiny_actor import tiny_actor
from understudy.covering.measure import measure
from understudy.performance import Performance
from understudy.performing.perform import aligned_poses
from understudy.poses.pose import LEFT_ANKLE, LEFT_HIP, LEFT_KNEE, RIGHT_ANKLE, RIGHT_HIP, RIGHT_KNEE, Pose
from understudy.retargeting.shots import as_one_shot, size_jumps
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import landmark_paths
from understudy.synthetic.scene import make_scene
from understudy.tracking.smoothing import smooth_pose, smooth_shots

SIZE, FPS, FRAMES = 256, Fraction(25), 75
FEET = [LEFT_ANKLE, RIGHT_ANKLE]
SEEDS = range(3)


def dance(seed: int) -> Pose:
    xy = landmark_paths(make_person(seed), choreography(seed, FRAMES / 25, FPS), make_scene(seed, (SIZE, SIZE)))
    return Pose(np.asarray(xy, np.float32), np.ones(xy.shape[:2], np.float32), (SIZE, SIZE))


def zoomed(
    pose: Pose, begin: int, factor: float, centre: tuple[float, float] = (90, 60), end: int | None = None
) -> Pose:
    """As a phone's editor does: some frames enlarged about a point of the picture."""
    xy = pose.xy.copy()
    xy[begin:end] = centre + factor * (xy[begin:end] - centre)
    return Pose(xy, pose.confidence, pose.size_hw)


def worst(one: Pose, two: Pose) -> float:
    """Share of the person's height."""
    height = float(np.ptp(two.xy[..., 1]))
    return float(np.linalg.norm(one.xy - two.xy, axis=-1).max()) / height


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("factor", [0.5, 0.75, 1.35, 2.0])
def test_a_zoom_that_jumps_is_undone(seed: int, factor: float) -> None:
    filmed = dance(seed)
    cut = zoomed(filmed, 31, factor)
    (jump,) = size_jumps(cut)
    assert (jump.frame, jump.before) == (31, 30) and jump.factor == pytest.approx(factor, rel=0.03)
    restored = as_one_shot(cut)
    np.testing.assert_array_equal(restored.xy[:31], filmed.xy[:31])
    assert worst(restored, filmed) < 0.05, "what the person moved from one frame to the next, and the jump's error"
    feet = restored.xy[30:32, FEET].mean(axis=1)
    assert np.abs(feet[0] - feet[1]).max() < 1e-3, "the feet go on where they stood"


def test_back_and_forth_is_undone_too() -> None:
    filmed = dance(1)
    cut = zoomed(filmed, 20, 1.5, end=50)
    first, second = size_jumps(cut)
    assert (first.frame, second.frame) == (20, 50) and first.factor * second.factor == pytest.approx(1, rel=0.05)
    assert worst(as_one_shot(cut), filmed) < 0.06


def test_a_cut_to_another_moment_is_measured_by_the_longest_limbs() -> None:
    """Half the limbs point elsewhere there, so single frames say little of the camera."""
    one, two = dance(2), dance(2)
    other = zoomed(Pose(two.xy[40:], two.confidence[40:], two.size_hw), 0, 1.6)
    (jump,) = size_jumps(Pose.concatenate([one[:20], other]))
    assert jump.frame == 20 and jump.factor == pytest.approx(1.6, rel=0.12)


@pytest.mark.parametrize("seed", range(8))
def test_what_the_body_does_is_no_cut(seed: int) -> None:
    pose = dance(seed)
    assert size_jumps(pose) == [] and as_one_shot(pose) is pose
    walk = pose.xy * np.linspace(1, 2.5, FRAMES)[:, None, None]  # towards the camera
    assert size_jumps(Pose(walk.astype(np.float32), pose.confidence, pose.size_hw)) == []


def test_frames_without_anybody_are_passed_over() -> None:
    pose = zoomed(dance(0), 30, 1.5)
    pose.confidence[[0, 1, 28, 29, 30, 31]] = 0
    (jump,) = size_jumps(pose)
    assert (jump.before, jump.frame) == (27, 32)


@pytest.mark.parametrize("begin,end", [(0, 1), (40, 41), (73, None)], ids=["first", "one between", "last"])
def test_a_slip_of_the_tracker_is_no_cut(begin: int, end: int | None) -> None:
    assert size_jumps(zoomed(dance(0), begin, 1.6, end=end)) == []


def test_without_feet_the_hips_stay() -> None:
    pose = zoomed(dance(0), 30, 1.5)
    pose.confidence[:, FEET[0]] = 0
    hips = as_one_shot(pose).xy[29:31, [LEFT_HIP, RIGHT_HIP]].mean(axis=1)
    np.testing.assert_allclose(hips[0], hips[1], atol=1e-3)
    pose.confidence[:, [RIGHT_HIP, LEFT_KNEE, RIGHT_KNEE]] = 0
    assert np.isfinite(as_one_shot(pose).xy).all()


def test_a_jump_that_smoothing_has_spread_is_one() -> None:
    smoothed = smooth_pose(zoomed(dance(1), 30, 1.6), FPS)
    (jump,) = size_jumps(smoothed)
    assert 28 <= jump.before < jump.frame <= 33 and jump.factor == pytest.approx(1.6, rel=0.1)


def test_smoothing_does_not_reach_over_a_cut() -> None:
    cut = zoomed(dance(1), 30, 1.6)
    alone = smooth_pose(cut[:30], FPS), smooth_pose(cut[30:], FPS)
    np.testing.assert_array_equal(smooth_shots(cut, FPS).xy, Pose.concatenate(alone).xy)
    plain = dance(1)
    np.testing.assert_array_equal(smooth_shots(plain, FPS).xy, smooth_pose(plain, FPS).xy)


@pytest.mark.parametrize("way", ["similarity", "ground"])
def test_an_actor_plays_all_shots_at_one_size(tmp_path, way: str, caplog) -> None:
    caplog.set_level(logging.ERROR)
    made = tiny_performance(tmp_path / "d.performance", 1, frames=FRAMES)
    actor = tiny_actor().normalizing_by(way)

    def played(pose: Pose) -> Pose:
        performance = Performance(made.path, made.header, pose, made.status)
        return aligned_poses(actor, performance)

    filmed = dance(1)
    plain, cut = played(filmed), played(zoomed(filmed, 30, 1.5))
    heights = [np.ptp(pose.xy[..., 1], axis=1) for pose in (plain, cut)]
    np.testing.assert_allclose(heights[1], heights[0], rtol=0.08)


def test_coverage_is_not_shaken_by_a_zoom() -> None:
    reference, driving = dance(1), dance(2)
    plain = measure(reference, driving, FPS)
    cut = measure(reference, zoomed(driving, 30, 1.6), FPS)
    assert cut.share_of_frames == pytest.approx(plain.share_of_frames, abs=0.08)
