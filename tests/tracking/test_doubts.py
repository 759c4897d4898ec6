"""Where tracked joints deserve a look: what is wrong is named with its frames, and what bodies do is not."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from tiny import tiny_performance
from understudy.performance.fixes import add
from understudy.poses import pose as p
from understudy.poses.edits import ExchangeSides, Interpolate, Move, apply_edits
from understudy.poses.pose import Pose
from understudy.synthetic.dances import FPS, dance_poses
from understudy.tracking import doubts as module
from understudy.tracking.doubts import MOST, doubtful, doubts

RATE = Fraction(FPS)


@pytest.fixture(scope="module")
def dance():
    """Twelve seconds of somebody made up, of whom every joint is surely seen."""
    pose = dance_poses(3)
    return Pose(pose.xy, (pose.confidence > 0).astype(np.float32), pose.size_hw)


def leaping(pose, frames, points, by):
    xy = pose.xy.copy()
    xy[np.ix_(frames, points)] += by
    return Pose(xy, pose.confidence, pose.size_hw)


def unsure(pose, frames, points, confidence):
    changed = pose.confidence.copy()
    changed[np.ix_(frames, points)] = confidence
    return Pose(pose.xy, changed, pose.size_hw)


def test_a_dance_is_in_order(dance):
    assert doubtful(dance, RATE) == ()


@pytest.mark.parametrize("frames", [[60], [60, 61, 62]])
@pytest.mark.parametrize("joint", [p.LEFT_WRIST, p.RIGHT_ANKLE])
def test_a_joint_that_leaps_away_and_back_is_named(dance, frames, joint):
    found = doubtful(leaping(dance, frames, [joint], (0, 60)), RATE)
    mine = [one for one in found if one.reason.startswith("leaping away and back")]
    assert len(mine) == 1
    assert joint in mine[0].points
    assert frames[0] - 2 <= mine[0].first <= frames[0]
    assert frames[-1] <= mine[0].last <= frames[-1] + 2
    assert {"left": "left wrist", "right": "right ankle"}[("left", "right")[joint == p.RIGHT_ANKLE]] in mine[0].reason
    assert mine[0].weight > 1


def test_a_joint_that_stays_where_it_went_did_not_leap(dance):
    found = doubtful(leaping(dance, list(range(60, len(dance))), [p.LEFT_WRIST], (0, 30)), RATE)
    assert not [one for one in found if one.reason.startswith("leaping")]


@pytest.mark.parametrize(("which", "name"), [("arms", "arms"), ("legs", "legs")])
@pytest.mark.parametrize("last", [80, 81])
def test_sides_that_are_exchanged_for_a_moment_are_named(dance, which, name, last):
    found = doubtful(apply_edits(dance, [ExchangeSides(80, last, which)]), RATE)
    mine = [one for one in found if one.reason == f"left and right seem to be exchanged: {name}"]
    assert [(one.first, one.last) for one in mine] == [(80, last)]
    assert set(mine[0].points) <= {7, 8, 9, 10, 13, 14, 15, 16}


def test_a_limb_that_is_longer_than_ever_is_named(dance):
    shoulder, elbow = dance.xy[50:53, p.LEFT_SHOULDER], dance.xy[50:53, p.LEFT_ELBOW]
    xy = dance.xy.copy()
    direction = (elbow - shoulder) / np.linalg.norm(elbow - shoulder, axis=-1, keepdims=True)
    xy[50:53, p.LEFT_ELBOW] = shoulder + 150 * direction
    found = doubtful(Pose(xy, dance.confidence, dance.size_hw), RATE)
    mine = [one for one in found if "longer than ever" in one.reason and "left shoulder to left elbow" in one.reason]
    assert [(one.first, one.last) for one in mine] == [(50, 52)]
    assert {p.LEFT_SHOULDER, p.LEFT_ELBOW} <= set(mine[0].points)


@pytest.mark.parametrize(
    ("frames", "confidence", "named"),
    [
        pytest.param(range(40, 50), 0.1, [(40, 49)], id="unsure for a while"),
        pytest.param(range(40, 50), 0.0, [(40, 49)], id="lost for a while"),
        pytest.param(range(40, 42), 0.1, [], id="shorter than anybody notices"),
        pytest.param(range(40, 50), 0.3, [], id="sure enough"),
        pytest.param(range(20, 110), 0.0, [], id="out of sight for seconds"),
    ],
)
def test_what_the_tracker_is_not_sure_of_is_named(dance, frames, confidence, named):
    found = doubtful(unsure(dance, list(frames), [p.RIGHT_ELBOW, p.RIGHT_WRIST], confidence), RATE)
    assert [(one.first, one.last) for one in found] == named
    for one in found:
        assert one.points == (p.RIGHT_ELBOW, p.RIGHT_WRIST)
        assert one.reason == "the tracker is not sure of right elbow, right wrist"


def test_a_joint_of_which_the_tracker_is_never_sure_is_not_named_all_the_time(dance):
    confidence = np.full(len(dance), 0.15)
    confidence[::20] = 0.25
    changed = dance.confidence.copy()
    changed[:, p.RIGHT_WRIST] = confidence
    assert doubtful(Pose(dance.xy, changed, dance.size_hw), RATE) == ()


def test_there_are_never_more_than_can_be_looked_at_and_the_worst_stay(dance):
    long = Pose.concatenate([dance] * 3)
    pose = long
    for frame in range(20, len(long) - 20, 12):
        pose = leaping(pose, [frame], [p.LEFT_WRIST], (0, 40))
    pose = leaping(pose, [500], [p.RIGHT_WRIST], (0, 200))
    found = doubtful(pose, RATE)
    assert len(found) == MOST
    assert list(found) == sorted(found, key=lambda one: (one.first, one.last, one.points))
    assert any(one.first <= 500 <= one.last and p.RIGHT_WRIST in one.points for one in found)


def test_nobody_and_nothing_are_no_trouble(dance):
    gone = Pose(dance.xy, dance.confidence * 0, dance.size_hw)
    assert doubtful(gone, RATE) == doubtful(dance[:0], RATE) == ()
    for few in range(1, 4):
        doubtful(dance[:few], RATE)
        doubtful(dance[:few], Fraction(1, 2))


def test_what_was_put_right_is_no_longer_named(tmp_path, monkeypatch):
    performance = tiny_performance(tmp_path / "me.performance", frames=60, size=256)
    assert doubts(performance) == ()
    x, y = performance.poses.xy[30, p.LEFT_WRIST].tolist()
    wrong = add(performance, Move(30, p.LEFT_WRIST, x, y + 60))
    assert [p.LEFT_WRIST in one.points and one.first <= 30 <= one.last for one in doubts(wrong)].count(True) >= 1
    assert doubts(add(wrong, Interpolate((p.LEFT_WRIST,), 29, 31))) == ()
    fewer = replace(performance.poses, confidence=performance.poses.confidence * 0)
    monkeypatch.setattr(performance, "poses", fewer)
    assert module.doubts(performance) == ()
