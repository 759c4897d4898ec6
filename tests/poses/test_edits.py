"""Corrections of joints: each by values worked out by hand."""

import numpy as np
import pytest

from understudy.poses import pose as p
from understudy.poses.edits import (
    GROUPS,
    KINDS,
    POINT_NAMES,
    Delete,
    ExchangeSides,
    Interpolate,
    Move,
    apply_edits,
    checked,
    content,
    named,
    points_of,
    read_edit,
    unseen_ends,
)
from understudy.poses.pose import EXCHANGED, POINTS, Pose

T = 6


@pytest.fixture
def pose():
    """Point n lies at (10 n + t, n) in frame t, and all are seen half."""
    t, n = np.mgrid[:T, :POINTS]
    return Pose(np.stack([10.0 * n + t, n], -1), np.full((T, POINTS), 0.5), (2000, 2000))


def others(pose, points):
    return np.setdiff1d(np.arange(POINTS), points)


def test_a_wrist_takes_its_hand_along_and_nothing_else(pose):
    before = pose.xy.copy()
    moved = apply_edits(pose, [Move(2, p.LEFT_WRIST, 100.0, 50.0)])
    # the wrist lay at (92, 9): it and its hand go by (8, 41)
    np.testing.assert_array_equal(moved.xy[2, p.LEFT_WRIST], (100, 50))
    np.testing.assert_array_equal(moved.xy[2, 91], (912 + 8, 91 + 41))
    np.testing.assert_array_equal(moved.xy[2, p.LEFT_HAND] - before[2, p.LEFT_HAND], np.tile([8, 41], (21, 1)))
    rest = others(moved, [p.LEFT_WRIST, *range(91, 112)])
    np.testing.assert_array_equal(moved.xy[:, rest], before[:, rest])
    np.testing.assert_array_equal(np.delete(moved.xy, 2, 0), np.delete(before, 2, 0))
    assert moved.confidence[2, p.LEFT_WRIST] == 1
    assert (moved.confidence != 0.5).sum() == 1
    np.testing.assert_array_equal(pose.xy, before)  # the pose given stays as it is


@pytest.mark.parametrize(
    ("joint", "along"),
    [
        pytest.param(p.RIGHT_WRIST, range(112, 133), id="right hand"),
        pytest.param(p.LEFT_ANKLE, (17, 18, 19), id="left foot"),
        pytest.param(p.RIGHT_ANKLE, (20, 21, 22), id="right foot"),
        pytest.param(p.LEFT_ELBOW, (), id="an elbow alone"),
        pytest.param(95, (), id="a finger alone"),
    ],
)
def test_what_goes_along_with_what(pose, joint, along):
    moved = apply_edits(pose, [Move(0, joint, 0.0, 0.0)])
    changed = np.flatnonzero((moved.xy[0] != pose.xy[0]).any(-1))
    assert sorted(changed) == sorted([joint, *along])


def test_a_hand_stays_where_nobody_knows_how_far_its_wrist_moves(pose):
    pose.confidence[1, p.LEFT_WRIST] = 0
    moved = apply_edits(pose, [Move(1, p.LEFT_WRIST, 5.0, 6.0)])
    np.testing.assert_array_equal(moved.xy[1, p.LEFT_WRIST], (5, 6))
    assert moved.confidence[1, p.LEFT_WRIST] == 1
    np.testing.assert_array_equal(moved.xy[1, p.LEFT_HAND], pose.xy[1, p.LEFT_HAND])


def test_deleted_points_are_not_seen_and_a_wrist_goes_with_its_hand(pose):
    gone = apply_edits(pose, [Delete((p.NOSE, p.RIGHT_WRIST), 1, 3)])
    points = [p.NOSE, p.RIGHT_WRIST, *range(112, 133)]
    assert (gone.confidence[1:4][:, points] == 0).all()
    assert (gone.confidence[1:4][:, others(gone, points)] == 0.5).all()
    assert (gone.confidence[[0, 4, 5]] == 0.5).all()


@pytest.mark.parametrize(
    ("which", "points"),
    [
        pytest.param("arms", [7, 8, 9, 10, *range(91, 133)], id="arms"),
        pytest.param("legs", [13, 14, 15, 16, *range(17, 23)], id="legs"),
        pytest.param("shoulders", [5, 6], id="shoulders"),
        pytest.param("hips", [11, 12], id="hips"),
        pytest.param("all", [n for n in range(POINTS) if EXCHANGED[n] != n], id="all"),
    ],
)
def test_sides_change_places(pose, which, points):
    pose.confidence[:] = np.arange(POINTS) / POINTS
    there = apply_edits(pose, [ExchangeSides(2, 3, which)])
    changed = np.flatnonzero((there.xy[2] != pose.xy[2]).any(-1))
    assert sorted(changed) == points
    for n in points:
        np.testing.assert_array_equal(there.xy[2:4, n], pose.xy[2:4, EXCHANGED[n]])
        np.testing.assert_array_equal(there.confidence[2:4, n], pose.confidence[2:4, EXCHANGED[n]])
    for t in (0, 1, 4, 5):
        np.testing.assert_array_equal(there.xy[t], pose.xy[t])
    back = apply_edits(there, [ExchangeSides(2, 3, which)])
    np.testing.assert_array_equal(back.xy, pose.xy)


def test_left_and_right_are_those_of_the_person(pose):
    there = apply_edits(pose, [ExchangeSides(0, 0, "arms")])
    np.testing.assert_array_equal(there.xy[0, p.LEFT_WRIST], (100, 10))  # where the right one, point 10, was
    np.testing.assert_array_equal(there.xy[0, 91], (1120, 112))


def test_points_run_evenly_between_two_frames_that_hold(pose):
    pose.xy[1, p.NOSE], pose.xy[5, p.NOSE] = (10, 20), (50, 0)
    pose.xy[2:5, p.NOSE] = 777
    pose.confidence[2:5, p.NOSE] = 0
    pose.confidence[5, p.NOSE] = 0.25
    run = apply_edits(pose, [Interpolate((p.NOSE,), 1, 5)])
    np.testing.assert_array_equal(run.xy[1:6, p.NOSE], [(10, 20), (20, 15), (30, 10), (40, 5), (50, 0)])
    np.testing.assert_array_equal(run.confidence[:, p.NOSE], [0.5, 0.5, 0.25, 0.25, 0.25, 0.25])
    np.testing.assert_array_equal(run.xy[:, 1:], pose.xy[:, 1:])


def test_an_interpolated_wrist_takes_its_hand_along(pose):
    pose.xy[2, p.LEFT_WRIST] += 40  # leapt away from (92, 9), and its hand with it
    pose.xy[2, p.LEFT_HAND] += 40
    pose.confidence[1, 100] = 0  # a finger that is not seen where the run begins
    run = apply_edits(pose, [Interpolate((p.LEFT_WRIST,), 1, 3)])
    np.testing.assert_array_equal(run.xy[2, p.LEFT_WRIST], (92, 9))
    np.testing.assert_array_equal(run.xy[2, 91], (912, 91))  # between its own places
    np.testing.assert_array_equal(run.xy[2, 100], (1002, 100))  # by the wrist's step
    np.testing.assert_array_equal(run.xy[2, p.RIGHT_HAND], pose.xy[2, p.RIGHT_HAND])


def test_what_is_not_seen_at_both_ends_is_left_alone_and_named(pose):
    pose.confidence[4, p.NOSE] = 0
    edit = Interpolate((p.NOSE, p.LEFT_EYE), 1, 4)
    assert unseen_ends(pose, edit) == (p.NOSE,)
    assert unseen_ends(pose, Move(0, 0, 0.0, 0.0)) == ()
    run = apply_edits(pose, [edit])
    np.testing.assert_array_equal(run.xy[:, p.NOSE], pose.xy[:, p.NOSE])
    np.testing.assert_array_equal(run.confidence[:, p.NOSE], pose.confidence[:, p.NOSE])


def test_later_corrections_build_on_earlier_ones(pose):
    two = [Move(0, p.NOSE, 0.0, 0.0), Interpolate((p.NOSE,), 0, 2)]
    np.testing.assert_array_equal(apply_edits(pose, two).xy[1, p.NOSE], (1, 0))  # between (0, 0) and (2, 0)
    np.testing.assert_array_equal(apply_edits(pose, [two[0], Delete((p.NOSE,), 0, 5)]).confidence[:, 0], 0)
    exchanged = [Move(0, p.LEFT_WRIST, 1.0, 2.0), ExchangeSides(0, 0, "arms")]
    np.testing.assert_array_equal(apply_edits(pose, exchanged).xy[0, p.RIGHT_WRIST], (1, 2))


EVERY = [
    Move(3, 9, 1.5, -2.0), Delete((0, 5), 1, 1), ExchangeSides(0, 5, "legs"), Interpolate((7, 9), 2, 4),
]  # fmt: skip


def test_every_kind_comes_back_from_json():
    import json

    assert {type(edit) for edit in EVERY} == set(KINDS.values())
    for edit in EVERY:
        again = read_edit(json.loads(json.dumps(content(edit))), T)
        assert again == edit
        assert type(again) is type(edit)


def move(**changes):
    return {"kind": "move", "frame": 0, "point": 0, "x": 1.0, "y": 2.0} | changes


def delete(**changes):
    return {"kind": "delete", "points": [0], "first": 0, "last": 1} | changes


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        pytest.param(move(frame=T), "6 is no whole number from 0 to 5", id="frame beyond the end"),
        pytest.param(move(frame=-1), "-1 is no whole", id="frame before the start"),
        pytest.param(move(frame=1.0), "1.0 is no whole", id="frame as a float"),
        pytest.param(move(frame=True), "True is no whole", id="frame as a truth"),
        pytest.param(move(point=133), "133 is no whole number from 0 to 132", id="no such point"),
        pytest.param(move(point="left_wrist"), "no whole", id="point by name"),
        pytest.param(move(x=float("nan")), "nan is no number", id="not a number"),
        pytest.param(move(y=float("inf")), "inf is no number", id="infinite"),
        pytest.param(move(y="3"), "'3' is no number", id="text for a number"),
        pytest.param(move(x=2e6), "more than 1000000 pixels away", id="far away"),
        pytest.param(move(x=10**400), "is no number", id="a number of 400 digits"),
        pytest.param(move(also=1), "with .*also", id="a field too many"),
        pytest.param({"kind": "move", "frame": 0}, "of the kind 'move' with", id="fields missing"),
        pytest.param({"kind": "paint"}, "the kind 'paint'", id="another kind"),
        pytest.param({"kind": ["move"]}, "is no text", id="kind is a list"),
        pytest.param({"frame": 0}, "is no correction", id="no kind"),
        pytest.param([1], "is no correction", id="a list"),
        pytest.param(delete(points=[]), "are no points", id="no points"),
        pytest.param(delete(points=5), "are no points", id="a number for points"),
        pytest.param(delete(points="face"), "are no points", id="text for points"),
        pytest.param(delete(points=[3, 3]), "names a point twice", id="a point twice"),
        pytest.param(delete(points=[*range(133), 0]), "are no points", id="too many points"),
        pytest.param(delete(first=2, last=1), "frame 1 lies before frame 2", id="last before first"),
        pytest.param({**delete(), "kind": "interpolate"}, "nothing lies between", id="nothing between"),
        pytest.param({"kind": "exchange", "first": 0, "last": 0, "which": "ears"}, "'ears' are no sides", id="sides"),
        pytest.param({"kind": "exchange", "first": 0, "last": 0, "which": {}}, "are no sides", id="sides as a dict"),
    ],
)
def test_what_is_no_correction_is_refused(stored, message):
    with pytest.raises(ValueError, match=message):
        read_edit(stored, T)


def test_what_python_gives_is_checked_and_made_plain():
    assert checked(Delete([3, 4], 0, 1), T) == Delete((3, 4), 0, 1)
    with pytest.raises(ValueError, match="no whole"):
        checked(Move(9, 0, 0.0, 0.0), T)


def test_points_have_names():
    assert len(set(POINT_NAMES)) == len(POINT_NAMES) == POINTS
    for point, name in enumerate(POINT_NAMES):
        assert points_of([name]) == (point,)
        mirrored = name.replace("left", "*").replace("right", "left").replace("*", "right")
        if not name.startswith("face"):
            assert EXCHANGED[point] == POINT_NAMES.index(mirrored)
    assert points_of(["left_wrist", " Right Foot", 0, "132"]) == (9, 20, 21, 22, 0, 132)
    assert points_of(["left_arm", "left_wrist"]) == (5, 7, 9)
    assert points_of(["face", "left_hand_0"]) == (*range(23, 91), 91)
    for wrong in ("wrist", "133", "-1", "", "²", 133, 1.5):
        with pytest.raises(ValueError, match="is no point: take nose"):
            points_of([wrong])


def test_points_are_called_by_the_groups_that_they_are():
    assert named((9, 20, 21, 22)) == "left wrist, right foot"
    assert named(GROUPS["all"]) == "all"
    assert str(Move(3, 9, 320.0, 240.5)) == "left wrist to 320, 240.5 in frame 3"
    assert str(Delete((7,), 2, 2)) == "left elbow deleted in frame 2"
    assert str(ExchangeSides(1, 4, "arms")) == "left and right arms exchanged in frames 1-4"
    assert str(ExchangeSides(1, 4, "all")) == "left and right exchanged in frames 1-4"
    assert str(Interpolate((7,), 2, 9)) == "left elbow interpolated between frames 2 and 9"
