"""Global pose normalisation on hand-solved cases: equations 7 to 9, and where they break."""

from fractions import Fraction

import numpy as np
import pytest

from understudy.poses.pose import (
    LEFT_ANKLE,
    LEFT_EAR,
    LEFT_HIP,
    LEFT_SHOULDER,
    NOSE,
    POINTS,
    RIGHT_ANKLE,
    RIGHT_EAR,
    RIGHT_HIP,
    RIGHT_SHOULDER,
    Pose,
)
from understudy.poses.similarity import Similarity
from understudy.retargeting.alignment import BodyStatistics, body_statistics
from understudy.retargeting.global_normalization import (
    BEYOND,
    MOST_STRETCH,
    GroundStatistics,
    ground_position,
    ground_statistics,
    kept_on_ground,
    normalization,
)

FPS = Fraction(25)
ANKLES = [LEFT_ANKLE, RIGHT_ANKLE]
OWN_BODY, THEIR_BODY = BodyStatistics((100.0, 90.0), 20.0), BodyStatistics((300.0, 200.0), 40.0)


def people(ankles, heights, x=100.0, size_hw=(1000, 1000)):
    """Upright people. ankles: y of both, (T,) or of left and right, (T, 2); heights: ankles to nose, (T,)."""
    ankles = np.asarray(ankles, float)
    ankles = np.stack([ankles, ankles], axis=1) if ankles.ndim == 1 else ankles
    heights = np.broadcast_to(np.asarray(heights, float), len(ankles))
    floor = ankles.mean(axis=1)
    xy, confidence = np.zeros((len(ankles), POINTS, 2)), np.zeros((len(ankles), POINTS))
    for point, side, share in (
        (NOSE, 0, 1.0), (LEFT_EAR, 0.02, 1.0), (RIGHT_EAR, -0.02, 1.0), (LEFT_SHOULDER, 0.12, 0.85),
        (RIGHT_SHOULDER, -0.12, 0.85), (LEFT_HIP, 0.06, 0.5), (RIGHT_HIP, -0.06, 0.5),
    ):  # fmt: skip
        xy[:, point] = np.stack([x + side * heights, floor - share * heights], axis=1)
        confidence[:, point] = 1
    for column, (point, side) in enumerate(((LEFT_ANKLE, 0.05), (RIGHT_ANKLE, -0.05))):
        xy[:, point] = np.stack([x + side * heights, ankles[:, column]], axis=1)
        confidence[:, point] = 1
    return Pose(xy.astype(np.float32), confidence.astype(np.float32), size_hw)


def without(pose, points, frames):
    """The same, but `points` are not seen in `frames`, and lie anywhere."""
    xy, confidence = pose.xy.copy(), pose.confidence.copy()
    for point in points:
        xy[frames, point], confidence[frames, point] = 7.0, 0
    return Pose(xy, confidence, pose.size_hw)


def walk(seconds, near, far, period=6.0):
    """Ankles of somebody who goes to and fro between two positions, and the height that belongs there."""
    phase = 2 * np.pi * np.arange(round(seconds * FPS)) / float(FPS) / period
    ankles = (near + far) / 2 + (near - far) / 2 * np.sin(phase)
    return ankles, ankles - 100  # horizon at 100, camera as high as the nose


def placed(driving, reference, *, printed=False):
    """The driver in the reference's frame, by statistics of both."""
    own, theirs = (ground_statistics(pose, FPS, printed=printed) for pose in (driving, reference))
    how = normalization(driving, FPS, (body_statistics(driving), own), (body_statistics(reference), theirs),
                        printed=printed)  # fmt: skip
    return how, how.apply_to_pose(driving, reference.size_hw)


# -- as printed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("positions", "close", "far"),
    [
        # median 180, close 20 below it: 0.7 of that leaves everything above 166
        pytest.param([180, 180, 200, 150, 170, 167, 190, 195, 180], 200, 167, id="the farthest within alpha"),
        pytest.param([180, 180, 200, 166, 170, 171, 190, 195, 180], 200, 170, id="alpha itself is outside"),
        pytest.param([180] * 9, 180, 180, id="never moves"),
        pytest.param([180] * 5 + [200] * 3 + [90], 200, 200, id="nobody between median and alpha"),
        pytest.param([190, 195, 200, 192, 198, 196, 100, 101, 102], 200, 190, id="a second group is too far away"),
    ],
)
def test_close_and_far_as_printed(positions, close, far):
    heights = np.asarray(positions) * 2.0 + np.arange(len(positions)) / 100
    found = ground_statistics(people(positions, heights), FPS, printed=True)
    assert (found.close, found.far) == pytest.approx((close, far))
    for end, height in ((close, found.close_height), (far, found.far_height)):
        assert height == pytest.approx(heights[positions.index(end)], abs=1e-3)


@pytest.mark.parametrize(
    ("y", "translation", "scale"),
    [
        pytest.param(200, 360, 2.0, id="close"),
        pytest.param(160, 300, 1.5, id="far"),
        pytest.param(170, 315, 1.625, id="a quarter of the way"),
        pytest.param(120, 240, 1.0, id="beyond far it goes on"),
    ],
)
def test_equations_7_and_8(y, translation, scale):
    own = GroundStatistics(close=200, far=160, close_height=150, far_height=120)
    theirs = GroundStatistics(close=360, far=300, close_height=300, far_height=180)
    driving = people([[y - 6, y + 6]], [100], x=110)
    how = normalization(driving, FPS, (OWN_BODY, own), (THEIR_BODY, theirs), printed=True)
    assert (how.translation[0], how.scale[0]) == pytest.approx((translation, scale))
    pose = how.apply_to_pose(driving, (512, 512))
    # the ground is the axis: the ankles' mean y is what translation gave, and the rest is scaled about it
    assert pose.xy[0, ANKLES, 1] == pytest.approx([translation - 6 * scale, translation + 6 * scale])
    assert pose.xy[0, NOSE] == pytest.approx([300 + scale * 10, translation - scale * 100])
    assert pose.size_hw == (512, 512)
    np.testing.assert_array_equal(pose.confidence, driving.confidence)


def test_somebody_who_never_moves_in_depth_has_one_scale_and_one_place():
    driving, reference = people([180] * 30, 100), people([360] * 30, 300)
    for printed in (True, False):
        how, pose = placed(driving, reference, printed=printed)
        np.testing.assert_allclose(how.scale, 3)
        np.testing.assert_allclose(pose.xy[:, ANKLES, 1], 360)
        np.testing.assert_allclose(pose.xy[:, NOSE, 1], 60)


# -- where it breaks -------------------------------------------------------------------------------------------


def test_half_the_size_and_elsewhere():
    """Seen by a camera that halves everything and shifts it, somebody comes out exactly where he was."""
    ankles, heights = walk(12, 500, 400)
    reference = people(ankles, heights, x=600)
    driving = Similarity(0.5, (-200, 30)).of_pose(reference, (1000, 1000))
    for printed in (True, False):
        how, pose = placed(driving, reference, printed=printed)
        np.testing.assert_allclose(how.scale, 2, rtol=1e-3)
        shown = pose.confidence > 0
        np.testing.assert_allclose(pose.xy[shown], reference.xy[shown], atol=1.5)


def jumping(ankles, heights, lift, every=50, length=14):
    frames = np.arange(len(ankles))
    share = np.clip(frames % every / length, 0, 1)
    return people(ankles, heights), people(ankles - 4 * lift * share * (1 - share), heights)


def test_a_jump_stays_a_jump():
    """He jumps by a fifth of his height, and so does the clone; as printed he would run away and shrink instead."""
    ankles, heights = 200 + np.sin(np.arange(300) / 20), np.full(300, 100.0)
    standing, driving = jumping(ankles, heights, lift=20)
    reference = people(*walk(12, 700, 500))
    np.testing.assert_allclose(ground_position(driving, FPS), ground_position(standing, FPS), atol=1)
    how, pose = placed(driving, reference)
    assert np.ptp(how.scale) < 0.2 and np.ptp(how.translation) < 25  # 600 high, and he sways by 2 of 100
    lift = (how.translation - pose.xy[:, ANKLES, 1].mean(axis=1)).max()
    assert lift == pytest.approx(20 * how.scale.mean(), rel=0.05)
    assert np.ptp(placed(driving, reference, printed=True)[0].scale) > 0.5


def test_a_kick_does_not_move_the_ground():
    both = np.full((300, 2), 200.0)
    both[100:115, 0] -= 60
    np.testing.assert_allclose(ground_position(people(both, 100), FPS), 200)
    assert ground_position(people(both, 100), FPS, printed=True).min() == 170


def test_who_stands_on_one_leg_for_long_stands_where_that_foot_is():
    both = np.full((300, 2), 200.0)
    both[100:200, 0] -= 60  # for four seconds
    np.testing.assert_allclose(ground_position(people(both, 100), FPS), 200)


def test_a_walk_is_followed():
    ankles, heights = walk(12, 500, 400)
    off = ground_position(people(ankles, heights), FPS) - ankles
    assert np.abs(off).max() < 8 and np.abs(off).mean() < 1.5


def test_one_wrong_frame_changes_nothing():
    ankles, heights = walk(12, 500, 400)
    wrong = ankles.copy()
    wrong[[20, 90, 91, 200]] = 990, 20, 15, 900
    clean, found = (ground_statistics(people(y, heights), FPS) for y in (ankles, wrong))
    assert (found.close, found.far) == pytest.approx((clean.close, clean.far), abs=1)
    assert ground_statistics(people(wrong, heights), FPS, printed=True).close == 990


def test_a_second_group_below_the_median_counts():
    """Two thirds at the front, a third at the back; eq. 9 takes the front's own sway for the whole way."""
    ankles = np.concatenate([195 + 4 * np.sin(np.arange(200)), 100 + np.sin(np.arange(100))])
    pose = people(ankles, ankles - 50)
    assert ground_statistics(pose, FPS).far == pytest.approx(101, abs=2)
    assert ground_statistics(pose, FPS, printed=True).far > 190


def test_frames_without_ankles_take_the_place_of_their_neighbours():
    ankles, heights = walk(12, 500, 400)
    whole = people(ankles, heights)
    gappy = without(whole, ANKLES, slice(40, 50))
    gappy = without(gappy, [LEFT_ANKLE], slice(120, 130))
    for printed in (True, False):
        expected, found = (ground_position(pose, FPS, printed=printed) for pose in (whole, gappy))
        np.testing.assert_allclose(found, expected, atol=3)
    np.testing.assert_allclose(
        ground_position(gappy, FPS, printed=True)[40:50], np.interp(np.arange(40, 50), [39, 50], ankles[[39, 50]])
    )
    assert ground_statistics(gappy, FPS).close == pytest.approx(ground_statistics(whole, FPS).close, abs=1)


def test_feet_beyond_the_pictures_edge_are_guesses():
    ankles, heights = walk(12, 500, 400)
    whole = people(ankles, heights, size_hw=(480, 640))
    position = ground_position(whole, FPS, printed=True)
    assert ankles.max() > 495 and position.max() < 480


@pytest.mark.parametrize(
    ("points", "frames", "known"),
    [
        pytest.param(ANKLES, slice(None), False, id="no ankles at all"),
        pytest.param([RIGHT_ANKLE], slice(None), False, id="one ankle"),
        pytest.param(ANKLES, slice(0, 95), False, id="ankles in a twentieth"),
        pytest.param(ANKLES, slice(0, 80), True, id="ankles in a fifth"),
        pytest.param([NOSE], slice(None), True, id="from behind"),
        pytest.param([NOSE, LEFT_EAR], slice(None), False, id="no head"),
    ],
)
def test_clips_that_say_nothing_about_the_floor(points, frames, known):
    pose = without(people([200] * 100, 100), points, frames)
    for printed in (True, False):
        found = ground_statistics(pose, FPS, printed=printed)
        assert (found is not None) is known
        assert not known or found.close_height == pytest.approx(100, abs=0.2)


def test_no_frames_say_nothing():
    assert ground_statistics(people(np.zeros(0), 100), FPS) is None
    assert len(ground_position(people(np.zeros(0), 100), FPS)) == 0


def test_who_stands_still_is_not_sent_over_the_whole_floor():
    """The reference walks over 200 pixels, the driver sways by 2: his clone sways, in the middle."""
    driving = people(200 + np.sin(np.arange(300) / 15), 100)
    reference = people(*walk(12, 700, 500))
    how, _ = placed(driving, reference)
    assert how.translation.mean() == pytest.approx(600, abs=8)
    assert np.ptp(how.translation) <= MOST_STRETCH * how.scale.mean() * 2
    assert np.ptp(placed(driving, reference, printed=True)[0].translation) > 150


def test_who_walks_stays_where_the_reference_was_seen_and_as_tall():
    ankles, heights = walk(12, 500, 400)
    _, pose = placed(people(ankles, heights), people([300] * 100, 150))
    np.testing.assert_allclose(pose.xy[:, ANKLES, 1], 300, atol=8)
    np.testing.assert_allclose(pose.xy[:, ANKLES, 1].mean(1) - pose.xy[:, NOSE, 1], 150, rtol=0.08)


def test_nobody_leaves_the_floor_by_far():
    """Somebody spends a tenth of the time far behind everything else: he goes half a way beyond, and not smaller."""
    ankles = np.concatenate([np.tile(walk(6, 500, 480)[0], 2), np.full(30, 100.0)])
    driving = people(ankles, ankles / 2)
    how, _ = placed(driving, people(*walk(12, 700, 500)))
    own, theirs = (ground_statistics(pose, FPS) for pose in (driving, people(*walk(12, 700, 500))))
    assert how.translation.min() == pytest.approx(theirs.far - BEYOND * (theirs.close - theirs.far), abs=1)
    assert how.scale[-10:] == pytest.approx(theirs.far_height / own.far_height)


def test_noise_of_the_tracker_stays_as_small_as_it_is():
    ankles, heights = walk(12, 500, 400)
    noise = np.random.default_rng(0).normal(0, 2, (len(ankles), 2))
    reference = people(*walk(12, 500, 400))
    _, clean = placed(people(ankles, heights), reference)
    _, noisy = placed(people(ankles[:, None] + noise, heights), reference)
    off = (noisy.xy - clean.xy)[:, ANKLES, 1]
    assert off.std() < 3 and abs(off.mean()) < 2


def test_changed_legs_stay_on_the_ground():
    before = people([[200, 190], [200, 200], [150, 160]], 100)
    longer = before.xy.copy()
    longer[:, ANKLES, 1] += [[12, 11], [12, 12], [12, 13]]
    after = kept_on_ground(Pose(longer, before.confidence, before.size_hw), before)
    np.testing.assert_allclose(after.xy[:, ANKLES, 1].max(axis=1), [200, 200, 160])
    np.testing.assert_allclose(after.xy[:, NOSE, 1], before.xy[:, NOSE, 1] - [12, 12, 13])
    blind = without(before, ANKLES, slice(None))
    assert kept_on_ground(blind, blind) is blind
