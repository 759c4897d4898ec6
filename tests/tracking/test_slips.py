"""Each kind of a tracker's slips is mended exactly, and what a body can do is left alone."""

import json
import logging
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from filmed_dancer import filmed_dancer

from tiny import tiny_performance
from understudy.performance import HEADER_FILE, Performance
from understudy.poses import pose as p
from understudy.poses.pose import Pose
from understudy.poses.slip import SHOWN, Slip
from understudy.synthetic.dances import FPS, dance_poses
from understudy.tracking import given, passes
from understudy.tracking.blazepose import BlazePoseTracker
from understudy.tracking.detection import Detection
from understudy.tracking.gaps import fill_gaps
from understudy.tracking.slips import body_heights, mend_slips
from understudy.tracking.track import track
from understudy.verbs.inspect import inspect

HEIGHT = 300
ARMS, LEGS, HEAD = (range(5, 11, 2), range(11, 17, 2), range(1, 5, 2))
FEET = range(17, 20)


def standing(frames=60):
    """Somebody 300 pixels tall who sways a little, seen from the front; hands sit at the wrists."""
    place = {
        p.NOSE: (0, 0), 1: (8, -5), 3: (15, 0), 5: (32, 50), 7: (60, 110), 9: (75, 165), 11: (18, 150), 13: (30, 220),
        15: (32, 290), 17: (40, 300), 18: (45, 300), 19: (28, 295),
    }  # fmt: skip
    xy = np.zeros((frames, p.POINTS, 2), np.float32)
    confidence = np.zeros((frames, p.POINTS), np.float32)
    for point, (x, y) in place.items():
        for side, named in ((1, point), (-1, p.EXCHANGED[point])):
            xy[:, named] = 200 + side * x, 60 + y
            confidence[:, named] = 0.9 - 0.1 * (side > 0)
    for wrist, hand in ((p.LEFT_WRIST, p.LEFT_HAND), (p.RIGHT_WRIST, p.RIGHT_HAND)):
        xy[:, hand] = xy[:, wrist, None] + np.stack([np.zeros(21), np.arange(21)], axis=1)
        confidence[:, hand] = 1
    xy[..., 0] += 6 * np.sin(np.arange(frames) / 6)[:, None]
    return Pose(xy, confidence, (480, 400))


def changed(pose, change):
    xy, confidence = pose.xy.copy(), pose.confidence.copy()
    change(xy, confidence)
    return Pose(xy, confidence, pose.size_hw)


def exchanged(pose, frames, lefts):
    def change(xy, confidence):
        for left in lefts:
            right = p.EXCHANGED[left]
            for array in (xy, confidence):
                array[frames, left], array[frames, right] = array[frames, right], array[frames, left].copy()

    return changed(pose, change)


def same(one, other):
    np.testing.assert_array_equal(one.xy, other.xy)
    np.testing.assert_array_equal(one.confidence, other.confidence)


@pytest.mark.parametrize(
    ("frames", "lefts"),
    [
        pytest.param([20], [*ARMS, *LEGS, *HEAD, *FEET], id="all for a frame"),
        pytest.param(list(range(20, 32)), [*ARMS, *LEGS, *HEAD, *FEET], id="all for twelve frames"),
        pytest.param([20, 21, 22, 40], ARMS, id="arms twice"),
        pytest.param([20, 22, 24], [*LEGS, *FEET], id="legs, to and fro"),
        pytest.param([20, 21], [5, 11, *HEAD], id="the trunk alone"),
    ],
)
def test_exchanged_sides_get_their_places_back(frames, lefts):
    truth = standing()
    mended, slips = mend_slips(exchanged(truth, frames, lefts), Fraction(30))
    same(mended, truth)
    assert [(slip.kind, slip.done, slip.count) for slip in slips] == [("sides exchanged", "mended", len(frames))]
    assert [first for first, _ in slips[0].frames] == [
        f for before, f in zip([-1, *frames[:-1]], frames, strict=True) if f != before + 1
    ]


@pytest.mark.parametrize(
    ("frames", "changes"),
    [
        pytest.param(range(8), ((8, 8),), id="from the start"),
        pytest.param(range(50, 60), ((50, 50),), id="to the end"),
        pytest.param(range(10, 45), ((10, 10), (45, 45)), id="for more than a second"),
    ],
)
def test_sides_that_stay_exchanged_are_kept_and_listed(frames, changes):
    handless = changed(standing(100 if len(frames) > 30 else 60), lambda _, confidence: confidence[:, 91:].fill(0))
    pose = exchanged(handless, list(frames), [*ARMS, *LEGS, *HEAD, *FEET])
    mended, slips = mend_slips(pose, Fraction(30))
    same(mended, pose)
    assert [(slip.kind, slip.done, slip.frames) for slip in slips] == [
        ("sides change places and stay", "kept", changes)
    ]


def _hands(pose, frames, left, right):
    def change(xy, confidence):
        for array in (xy, confidence):
            old = array[frames].copy()
            array[frames, p.LEFT_HAND], array[frames, p.RIGHT_HAND] = old[:, left], old[:, right]

    return changed(pose, change)


def test_hands_go_to_the_wrist_they_sit_at():
    truth, frames = standing(), slice(10, 15)
    swapped = _hands(truth, frames, p.RIGHT_HAND, p.LEFT_HAND)
    mended, slips = mend_slips(swapped, Fraction(30))
    same(mended, truth)
    assert list(map(str, slips)) == ["hands at the wrong wrist, mended: frames 10-14"]
    only = changed(swapped, lambda _, confidence: confidence.__setitem__((slice(None), p.LEFT_HAND), 0))
    mended, _ = mend_slips(only, Fraction(30))
    np.testing.assert_array_equal(mended.xy[frames, p.LEFT_HAND], truth.xy[frames, p.LEFT_HAND])
    assert not mended.confidence[frames, p.RIGHT_HAND].any()


def test_of_two_hands_at_one_wrist_the_stranger_is_dropped():
    truth = standing()
    mended, slips = mend_slips(_hands(truth, slice(10, 12), p.LEFT_HAND, p.LEFT_HAND), Fraction(30))
    assert slips[0].frames == ((10, 11),)
    assert not mended.confidence[10:12, p.RIGHT_HAND].any()
    np.testing.assert_array_equal(mended.xy[:, p.LEFT_HAND], truth.xy[:, p.LEFT_HAND])


def test_hands_that_meet_are_left_alone():
    together = standing()
    shift = 200 - together.xy[:, p.LEFT_WRIST, 0] + 8

    def change(xy, _):
        xy[:, p.LEFT_WRIST, 0] += shift
        xy[:, p.RIGHT_WRIST, 0] -= shift
        xy[:, p.LEFT_HAND], xy[:, p.RIGHT_HAND] = xy[:, [p.RIGHT_WRIST]], xy[:, [p.LEFT_WRIST]]

    pose = changed(together, change)
    mended, slips = mend_slips(pose, Fraction(30))
    same(mended, pose)
    assert slips == ()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_joints_that_leap_away_are_filled_in(count):
    truth, frames = standing(), slice(30, 30 + count)
    pose = changed(truth, lambda xy, _: xy.__setitem__((frames, p.RIGHT_WRIST), xy[frames, p.RIGHT_WRIST] - (90, 60)))
    mended, slips = mend_slips(pose, Fraction(30))
    assert not mended.confidence[frames, p.RIGHT_WRIST].any()
    assert list(map(str, slips)) == [
        f"joints leap away, mended: {'frame 30' if count == 1 else f'frames 30-{29 + count}'}"
    ]
    filled, status = fill_gaps(mended, Fraction(30))
    assert np.linalg.norm(filled.xy - truth.xy, axis=-1).max() < 1
    assert (status == 2).all()


def test_a_foot_goes_with_its_ankle():
    leap = changed(standing(), lambda xy, _: xy.__setitem__((30, p.LEFT_ANKLE), xy[30, p.LEFT_ANKLE] + (90, -60)))
    mended, _ = mend_slips(leap, Fraction(30))
    np.testing.assert_array_equal(np.flatnonzero(mended.confidence[30, :23] == 0), [p.LEFT_ANKLE, 17, 18, 19])


def test_a_limb_that_is_too_long_tells_where_a_slow_camera_leaves_doubt():
    truth = standing()
    leap = changed(truth, lambda xy, _: xy.__setitem__((30, p.LEFT_WRIST), xy[30, p.LEFT_WRIST] + (30, 60)))
    mended, slips = mend_slips(leap, Fraction(10))
    assert [slip.frames for slip in slips] == [((30, 30),)]
    bent = changed(truth, lambda xy, _: xy.__setitem__((30, p.LEFT_WRIST), xy[30, p.LEFT_ELBOW] + (40, -30)))
    mended, slips = mend_slips(bent, Fraction(10))  # a fast fist may do that
    same(mended, bent)
    assert slips == ()


def test_a_body_that_leaps_away_is_filled_in_unless_it_stays_long():
    truth = standing()

    def leapt(frames):
        return changed(truth, lambda xy, _: xy.__setitem__(frames, xy[frames] + (140, 0)))

    mended, slips = mend_slips(leapt(slice(20, 25)), Fraction(30))
    assert list(map(str, slips)) == ["the whole body leaps away, mended: frames 20-24"]
    assert not mended.found[20:25].any()
    filled, status = fill_gaps(mended, Fraction(30))
    assert np.linalg.norm(filled.xy - truth.xy, axis=-1)[truth.confidence > 0].max() < 2
    np.testing.assert_array_equal(np.flatnonzero(status == 1), range(20, 25))

    long = leapt(slice(20, 40))
    mended, slips = mend_slips(long, Fraction(30))
    same(mended, long)
    assert list(map(str, slips)) == ["the whole body leaps away, kept: frames 20-39"]
    once = leapt(slice(20, None))  # a cut of the camera
    mended, slips = mend_slips(once, Fraction(30))
    same(mended, once)
    assert slips == ()


def turning(turns_a_second, fps, frames=120):
    """The same person, turning about the upright axis: the sides' places are shares of what they are from the front."""
    pose = standing(frames)
    share = np.cos(2 * np.pi * turns_a_second * (np.arange(frames) + 0.3) / fps)[:, None]
    return changed(pose, lambda xy, _: xy[..., 0].__setitem__(slice(None), 200 + (xy[..., 0] - 200) * share))


def crossing(steps_a_second, fps, frames=120):
    """Legs that cross and open again, as far apart on the other side."""
    pose = standing(frames)
    share = np.cos(np.pi * steps_a_second * (np.arange(frames) + 0.3) / fps)[:, None]
    legs = [13, 14, 15, 16, *range(17, 23)]

    def change(xy, _):
        xy[:, legs, 0] = 200 + (xy[:, legs, 0] - 200) * share

    return changed(pose, change)


@pytest.mark.parametrize(
    ("pose", "fps"),
    [
        pytest.param(turning(0.5, 30), 30, id="a slow turn"),
        pytest.param(turning(1.5, 10), 10, id="a turn before a slow camera"),
        pytest.param(turning(3, 30), 30, id="a pirouette"),
        pytest.param(turning(3, 60), 60, id="a pirouette before a fast camera"),
        pytest.param(crossing(2, 30), 30, id="crossing legs"),
        pytest.param(crossing(5, 30), 30, id="legs that cross five times a second"),
        pytest.param(crossing(4, 15), 15, id="crossing legs before a slow camera"),
        pytest.param(crossing(4, 5), 5, id="legs that seem to leap to each other's place"),
        pytest.param(standing(1), 30, id="one frame"),
        pytest.param(Pose(np.zeros((9, 133, 2)), np.zeros((9, 133)), (9, 9)), 30, id="nobody"),
        *[pytest.param(dance_poses(number), FPS, id=f"dance {number}") for number in range(8)],
    ],
)
def test_what_a_body_can_do_is_left_alone(pose, fps):
    mended, slips = mend_slips(pose, Fraction(fps))
    assert slips == ()
    same(mended, pose)


def test_in_a_dance_slips_are_mended_and_nothing_else_is_touched():
    truth = dance_poses(3)
    height = body_heights(truth, FPS)
    assert 150 < np.median(height) < 256
    tremble = np.random.default_rng(0).normal(0, 0.004, truth.xy.shape) * height[:, None, None]
    truth = Pose(truth.xy + tremble, truth.confidence, truth.size_hw)
    wrong = [40, 41, 42, 100, 180, 181, 260]
    bad = exchanged(truth, wrong, [*ARMS, *LEGS, *FEET])
    mended, slips = mend_slips(bad, FPS)
    body = slice(0, 23)
    before, after = (np.linalg.norm((one.xy - truth.xy)[wrong, body], axis=-1).mean() for one in (bad, mended))
    assert after < before / 4
    rest = np.setdiff1d(np.arange(len(truth)), wrong)
    np.testing.assert_array_equal(mended.xy[rest], truth.xy[rest])
    assert {slip.kind for slip in slips} == {"sides exchanged"}


def test_a_rate_must_be_above_zero():
    with pytest.raises(ValueError, match="fps must be above 0"):
        mend_slips(standing(), Fraction(0))


def test_a_line_names_few_ranges_and_counts_the_rest():
    wrong = np.arange(60) % 3 == 0
    words = str(Slip.of("joints leap away", "mended", wrong))
    assert words.startswith("joints leap away, mended: frames 0, 3, 6, ")
    assert words.endswith(f", {3 * (SHOWN - 1)}, and {20 - SHOWN} more times")


def test_headers_hold_slips_and_older_ones_have_none(tmp_path):
    performance = tiny_performance(tmp_path / "me.performance")
    file = performance.path / HEADER_FILE
    content = json.loads(file.read_text())
    assert content["slips"] == []
    del content["slips"]
    file.write_text(json.dumps(content))
    older = Performance.load(performance.path)
    assert older.header.slips == ()
    assert "slips" not in str(inspect(performance.path, tmp_path / "sheet.png"))
    slips = (Slip("sides exchanged", "mended", ((2, 4), (9, 9))),)
    file.write_text(
        json.dumps(content | {"slips": [{"kind": "sides exchanged", "done": "mended", "frames": [[2, 4], [9, 9]]}]})
    )
    assert Performance.load(performance.path).header == replace(older.header, slips=slips)
    lines = inspect(performance.path, tmp_path / "s.png").lines
    assert ["slips", "sides exchanged, mended: frames 2-4, 9"] in [line.split(maxsplit=1) for line in lines]


def _exchanging(detection, right):
    """What a tracker says that takes left for right."""
    order = list(p.EXCHANGED)
    return Detection(detection.xy[order], detection.confidence[order], detection.mask) if right else detection


def test_track_mends_what_its_tracker_got_wrong_and_inspect_lists_it(tmp_path, monkeypatch, caplog):
    filmed = filmed_dancer(tmp_path)
    right = track(filmed.video, tmp_path / "right.performance", size=64)
    assert right.header.slips == ()

    class Slipping(BlazePoseTracker):
        seen = -1

        def __call__(self, frame):
            self.seen += 1
            return _exchanging(super().__call__(frame), self.seen in (6, 7))

    monkeypatch.setattr(passes, "BlazePoseTracker", Slipping)
    with caplog.at_level(logging.INFO):
        mended = track(filmed.video, tmp_path / "slipped.performance", size=64)
    body = slice(5, 17)
    assert np.abs(mended.poses.xy[:, body] - right.poses.xy[:, body]).max() < 0.01
    said = [record.getMessage() for record in caplog.records if "slipped" in record.getMessage()]
    assert len(said) == 1
    assert "mended (sides exchanged in 2 frames)" in said[0]
    assert "understudy inspect" in said[0]
    assert "sides exchanged, mended: frames 6-7" in str(inspect(mended.path, tmp_path / "sheet.png"))


def test_given_poses_are_kept_and_their_slips_listed(tmp_path, monkeypatch, caplog):
    filmed = filmed_dancer(tmp_path)
    bad = exchanged(filmed.pose, [6, 7], [*ARMS, *LEGS])
    monkeypatch.setattr(given, "given_poses", lambda *_: bad)
    with caplog.at_level(logging.INFO):
        made = track(filmed.video, tmp_path / "given.performance", size=64, poses="poses.json", smooth=False)
    np.testing.assert_allclose(
        made.header.crop.inverse.of_pose(made.poses, bad.size_hw).xy[:, :17], bad.xy[:, :17], atol=0.1
    )
    assert [str(slip) for slip in made.header.slips] == ["sides exchanged, kept: frames 6-7"]
    assert "are kept so (sides exchanged in 2 frames)" in caplog.text
