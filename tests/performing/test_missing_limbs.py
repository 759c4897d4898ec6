"""Drivers cut at the knees, the hips or the waist: what the clone does below, and that whole drivers are left alone."""

import logging
from fractions import Fraction

import numpy as np
import pytest

from tiny import STANDING, tiny_performance
from tiny_actor import cutting_actor, drawing_actor, tiny_actor
from understudy import perform
from understudy.compositing.backgrounds import REFERENCE, Background
from understudy.media.reading import VideoReader, read_image
from understudy.performance import Performance
from understudy.performing import framing as frames
from understudy.performing.driver import Driver
from understudy.performing.framing import LowerEdge, framing_at, lower_edge
from understudy.performing.missing_limbs import faded_out, missing_of, say_missing, without_missing
from understudy.performing.perform import Part, composed, framing_of, in_picture, part_for, perform_to_file
from understudy.performing.standing import ANKLES, HIPS, KNEES, SHOULDERS, WRISTS, stance_of, standing
from understudy.poses.edges import filmed_until
from understudy.poses.pose import FEET, LEFT_HAND, NOSE, RIGHT_HAND, Pose
from understudy.retargeting.alignment import body_statistics
from understudy.retargeting.cut_off import CutOff, cut_off

FPS = Fraction(25)
SIZE = 200
CHOICES = ["stand", "crop", "fade"]
BELOW = {"waist": [*HIPS, *KNEES, *ANKLES], "hips": [*KNEES, *ANKLES], "knees": ANKLES}


def dancing(count=60, crouch=0.0, walk=0.0, jump=0.0):
    """A figure that sways, crouches by `crouch` of its height in the middle, walks by `walk` and jumps at the end."""
    xy = np.repeat(STANDING[None] * SIZE, count, 0)
    time = np.arange(count) / count
    xy[..., 0] += (3 * np.sin(7 * time) + walk * SIZE * time)[:, None]
    down = crouch * SIZE * np.exp(-(((time - 0.5) / 0.12) ** 2)) - jump * SIZE * np.exp(-(((time - 0.9) / 0.03) ** 2))
    xy[..., 1] += down[:, None]
    return Pose.from_openpose18(xy.astype(np.float32), np.ones((count, 18), np.float32), (SIZE, SIZE))


def without(pose, points, share=0.0):
    """The pose with points that are seen in a share of the frames only, its first ones."""
    confidence = pose.confidence.copy()
    confidence[round(share * len(pose)) :, points] = 0
    return Pose(pose.xy, confidence, pose.size_hw)


def changed(performance, pose):
    return Performance(performance.path, performance.header, pose, performance.status)


@pytest.fixture
def whole(tmp_path):
    return tiny_performance(tmp_path / "dance.performance", 2, frames=24)


def cut(performance, below, share=0.0):
    return changed(performance, without(performance.poses, BELOW[below], share))


STANCE_ACTOR = tiny_actor()
BODY_OF_200 = body_statistics(dancing())


def actor_of_200(**changes):
    """An actor without kept poses whose reference is the standing figure in 200 pixels."""
    return drawing_actor(body=BODY_OF_200, working_size=SIZE, **changes)


# -- What is missing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("below", BELOW)
def test_what_is_never_shown_is_missing_wherever_the_picture_ends(below):
    assert cut_off(without(dancing(), BELOW[below])) == CutOff(below, below, 0.0)


@pytest.mark.parametrize(
    ("share", "bottom", "found"),
    [
        (0.0, None, "hips"),
        (0.4, 125.0, "hips"),
        (0.4, None, ""),
        (0.4, 190.0, ""),
        (0.8, 125.0, ""),
    ],
    ids=["never", "come and go at the edge", "edge unknown", "far from the edge", "nearly always there"],
)
def test_what_comes_and_goes_is_missing_at_the_pictures_edge_alone(share, bottom, found):
    assert cut_off(without(dancing(), BELOW["hips"], share), bottom).below == found


def test_frames_without_anybody_say_nothing():
    pose = dancing()
    pose.confidence[10:] = 0
    assert not cut_off(pose, 125.0)
    assert not cut_off(without(pose, slice(None)))


def test_one_leg_behind_the_other_is_not_missing():
    assert not cut_off(without(dancing(), [KNEES[0], ANKLES[0]]), 190.0)


def test_arms_are_told_apart():
    assert cut_off(without(dancing(), WRISTS)).arms == "forearms"
    assert cut_off(without(dancing(), [*WRISTS, 7, 8])).arms == "arms"


# -- Who shows everything is left alone --------------------------------------------------------------------------


@pytest.mark.parametrize("choice", CHOICES)
def test_a_driver_who_shows_everything_is_played_as_he_is(tmp_path, whole, choice, caplog):
    for made in (drawing_actor, cutting_actor):
        actor = made()
        before, after = part_for(actor, whole), part_for(actor, whole, choice)
        for name in ("xy", "confidence"):
            np.testing.assert_array_equal(getattr(before.pose, name), getattr(after.pose, name))
        np.testing.assert_array_equal(before.window, after.window)
        assert after.ends is None and after.fading is None
    driver, clear = Driver(whole), Background("transparent")
    perform_to_file(actor, driver, tmp_path / "before", background=clear)
    perform_to_file(actor, driver, tmp_path / "after", background=clear, missing_limbs=choice)
    pictures = [sorted((tmp_path / name).glob("*.png")) for name in ("before", "after")]
    assert len(pictures[0]) == len(whole)
    for one, other in zip(*pictures, strict=True):
        np.testing.assert_array_equal(read_image(one), read_image(other))
    with caplog.at_level(logging.INFO):
        say_missing(whole, choice)
    assert not caplog.records


# -- Standing ----------------------------------------------------------------------------------------------------


def steps(pose, points):
    return np.linalg.norm(np.diff(pose.xy[:, points], axis=0), axis=-1).max()


@pytest.mark.parametrize("below", BELOW)
def test_feet_stand_still_on_the_floor_while_the_driver_sways_and_crouches(whole, below):
    actor = actor_of_200()
    driving = dancing(crouch=0.1)
    if below == "knees":  # which would be driven below the hips' place
        driving.xy[:, KNEES, 1] = 0.7 * SIZE
    stance = stance_of(actor)
    posed = without_missing(changed(whole, without(driving, BELOW[below])), CutOff(below), actor.body).poses
    stood = standing(posed, below, stance, FPS)
    assert (stood.confidence[:, [*HIPS, *KNEES, *ANKLES]] > 0).all()
    np.testing.assert_allclose(stood.xy[:, ANKLES, 1], stance.floor, atol=1.5)
    assert np.ptp(stood.xy[:, ANKLES, 0], axis=0).max() < 1
    assert steps(stood, KNEES) < 6 and steps(stood, HIPS) < 6
    assert (stood.xy[:, KNEES, 1] > stood.xy[:, HIPS, 1]).all()
    np.testing.assert_array_equal(stood.xy[:, NOSE, 0], posed.xy[:, NOSE, 0])
    moved = stood.xy[..., 1] - posed.xy[..., 1]
    assert np.ptp(moved[:, [NOSE, *SHOULDERS]]) < 1e-3, "all of the clip moves by the same"


def test_legs_come_along_with_a_walk_without_a_jump():
    actor = actor_of_200()
    stood = standing(without(dancing(walk=0.6), BELOW["hips"]), "hips", stance_of(actor), FPS)
    apart = stood.xy[:, ANKLES, 0].mean(axis=1) - stood.xy[:, HIPS, 0].mean(axis=1)
    assert np.abs(apart).max() < 0.25 * SIZE * 0.3 and np.ptp(stood.xy[:, ANKLES, 0]) > 0.4 * SIZE
    assert steps(stood, ANKLES) < 4


def test_a_jump_leaves_the_floor():
    actor = actor_of_200()
    stance = stance_of(actor)
    stood = standing(without(dancing(jump=0.1), BELOW["hips"]), "hips", stance, FPS)
    lifted = stance.floor - stood.xy[:, ANKLES, 1].max(axis=1)
    assert lifted[:40].max() < 1.5 and lifted.max() > 0.05 * SIZE


def test_knees_that_the_driver_shows_are_his_and_gaps_are_bridged():
    actor = actor_of_200()
    driving = without(dancing(), ANKLES)
    driving.xy[:, KNEES[0], 0] += 12
    driving.confidence[20:25, KNEES] = 0
    driving.xy[20:25, KNEES] = 0
    stood = standing(driving, "knees", stance_of(actor), FPS)
    aside = stood.xy[:, KNEES[0], 0] - stood.xy[:, HIPS[0], 0]
    assert steps(stood, KNEES) < 4
    np.testing.assert_allclose(aside[:20], (driving.xy[:, KNEES[0], 0] - driving.xy[:, HIPS[0], 0])[:20], atol=0.5)


def test_arms_never_shown_hang_and_arms_that_leave_come_down_without_a_jump():
    stance = stance_of(actor_of_200())
    hanging = standing(without(dancing(), [*WRISTS, 7, 8]), "", stance, FPS)
    assert (hanging.confidence[:, WRISTS] > 0).all()
    assert (hanging.xy[:, WRISTS, 1] > hanging.xy[:, SHOULDERS, 1] + 0.15 * SIZE).all()
    raised = dancing()
    raised.xy[:, WRISTS, 1] -= 0.3 * SIZE
    leaving = standing(without(raised, [*WRISTS, *BELOW["hips"]], 0.5), "hips", stance, FPS)
    assert leaving.xy[-1, WRISTS[0], 1] > leaving.xy[0, WRISTS[0], 1] + 0.2 * SIZE
    assert steps(leaving, WRISTS) < 0.12 * SIZE


def test_nobody_is_made_up_where_nobody_is():
    driving = without(dancing(), BELOW["hips"])
    driving.confidence[5:9] = 0
    stood = standing(driving, "hips", stance_of(actor_of_200()), FPS)
    assert not stood.confidence[5:9].any() and stood.confidence[9:, KNEES].all()


@pytest.mark.parametrize("facing", [1.0, -1.0])
def test_the_stance_is_taken_from_frames_in_which_the_reference_stands(facing):
    kept = dancing(crouch=0.1)
    kept.xy[:, KNEES, 0] += np.linspace(0, 30, 60)[:, None]  # straight in the first frames
    if facing < 0:
        kept = kept.sides_exchanged()
    lifted = kept.xy.copy()
    lifted[::2, ANKLES[0], 1] -= 40
    weights = {"xy": lifted, "confidence": kept.confidence, "moment": np.arange(60)}
    actor = actor_of_200(weights=weights, config=STANCE_ACTOR.config)
    actor = drawing_actor(body=BODY_OF_200, working_size=actor.size, weights=weights)
    stance = stance_of(actor, facing)
    assert np.abs(np.diff(stance.xy[ANKLES, 1])) < 2, "never the frames with a lifted foot"
    assert np.abs(stance.xy[KNEES, 0] - stance.xy[HIPS, 0]).max() < 0.06 * SIZE
    assert not stance.seen[FEET].any() and stance.seen[ANKLES].all()
    assert facing * (stance.xy[HIPS[0], 0] - stance.xy[HIPS[1], 0]) > 0


def test_a_driver_without_hips_is_played(tmp_path, whole):
    """Alignment needs hips; they are guessed below the shoulders."""
    actor, driving = drawing_actor(), cut(whole, "waist")
    for choice in CHOICES:
        part = part_for(actor, driving, choice)
        assert (part.pose.confidence[:, HIPS] > 0).all()
        trunk = part.pose.xy[:, HIPS].mean(axis=1) - part.pose.xy[:, SHOULDERS].mean(axis=1)
        np.testing.assert_allclose(trunk[:, 1], actor.body.torso_length, rtol=0.2)
        assert np.abs(trunk[:, 0]).max() < 1


# -- Framed at the cut -------------------------------------------------------------------------------------------


def test_the_picture_ends_where_the_drivers_does():
    pose = dancing()
    framing = framing_at(LowerEdge(trunks=1.2, share=0.3), [pose], (SIZE, SIZE), REFERENCE)
    assert framing.moved is not None and framing.room_moves
    neck, hips = (np.median(pose.xy[:, points, 1]) for points in (SHOULDERS, HIPS))
    cut_at = neck + 1.2 * (hips - neck)
    shown = framing.moved.of_points(np.array([[0.0, cut_at]]))[0, 1]
    np.testing.assert_allclose(shown, SIZE - 0.5, atol=1.5)
    assert 1 < framing.moved.scale <= frames.MOST_ENLARGED
    corners = framing.moved.back(np.array([[-0.5, -0.5], [SIZE - 0.5, SIZE - 0.5]]))
    assert corners.min() >= -0.51 and corners.max() <= SIZE - 0.49, "nothing beyond the picture is shown"


def test_it_is_never_enlarged_to_a_blur(caplog):
    pose = dancing()
    high = Pose(pose.xy - np.float32([0, 30]), pose.confidence, pose.size_hw)
    with caplog.at_level(logging.INFO):
        framing = framing_at(LowerEdge(trunks=0.6, share=0.9), [high], (SIZE, SIZE), REFERENCE)
    assert framing.moved is not None and framing.moved.scale == frames.MOST_ENLARGED
    assert "of which 2.0 are sensible: it ends lower" in caplog.text


def test_the_lowest_cut_of_several_counts_and_the_drivers_room_stays():
    pose = dancing()
    higher = Pose(pose.xy - np.float32([0, 20]), pose.confidence, pose.size_hw)
    edge = LowerEdge(1.2, 0.3)
    alone, both = (framing_at(edge, some, (SIZE, SIZE), Background("driving")) for some in ([pose], [higher, pose]))
    assert alone.moved is not None and both.moved is not None
    bottom = [one.moved.back(np.array([[0.0, SIZE - 0.5]]))[0, 1] for one in (alone, both)]
    np.testing.assert_allclose(bottom[0], bottom[1], atol=1e-6)
    room = np.arange(SIZE * SIZE * 3, dtype=np.uint32).astype(np.uint8).reshape(SIZE, SIZE, 3)
    assert both.of_room(room) is room and frames.Framing().of_room(room) is room


def test_people_far_apart_stay_in_the_picture():
    pose = dancing()
    left, right = (Pose(pose.xy + np.float32([x, 0]), pose.confidence, pose.size_hw) for x in (-55, 55))
    framing = framing_at(LowerEdge(0.8, 0.9), [left, right], (SIZE, SIZE), REFERENCE)
    assert framing.moved is not None
    for one in (left, right):
        shoulders = framing.moved.of_points(one.xy[:, SHOULDERS, 0].reshape(-1, 1).repeat(2, axis=1))[:, 0]
        assert shoulders.min() > 0 and shoulders.max() < SIZE - 1


def test_where_a_drivers_picture_ends(whole):
    driving = cut(whole, "hips")
    edge = lower_edge(driving, missing_of(driving))
    assert edge is not None and frames.SPAN["hips"][0] <= edge.trunks <= frames.SPAN["hips"][1]
    assert lower_edge(whole, CutOff()) is None


@pytest.mark.parametrize("background", ["reference", "black", "transparent"])
def test_person_and_room_move_together(whole, background):
    actor, driving = drawing_actor(), cut(whole, "hips")
    part = part_for(actor, driving, "crop")
    behind = Background.of(background)
    framing = framing_of(actor, part, behind)
    assert framing.moved is not None and framing.moved.scale > 1
    stage = next(behind.frames(actor.original_size_hw, FPS, reference=actor.background, driving=lambda: None))
    shot = next(iter(actor.painted(iter_moments(part))))
    shown = composed(actor, part, 0, shot, stage.copy(), framing)
    assert shown.shape == stage.shape
    empty = framing.of_room(stage)
    painted = np.argwhere((shown != empty).any(axis=-1))
    joints = framing.moved.of_points(in_picture(actor, part.pose).xy[0, SHOULDERS])
    assert len(painted) and np.abs(painted[:, ::-1][:, None] - joints).sum(-1).min() < 4


def iter_moments(part: Part):
    from understudy.recipes.parts.player import moments

    return moments(part.in_window)


# -- Faded out ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("below", BELOW)
def test_the_clone_fades_out_before_the_cut_and_arms_stay(below):
    pose = without(dancing(1), BELOW[below])
    if below == "waist":
        pose.confidence[:, HIPS] = 1  # guessed by then
    xy, seen = pose.xy[0], pose.confidence[0] > 0
    full = np.full((SIZE, SIZE, 4), 200, np.uint8)
    shown = faded_out(full, xy, seen, CutOff(below))[..., 3].astype(int)

    def at(point):
        x, y = np.rint(point).astype(int)
        return shown[y, x]

    ends = [xy[KNEES[0]], xy[KNEES[1]]] if below == "knees" else [xy[HIPS].mean(axis=0)]
    assert all(at(end) <= 8 for end in ends)
    assert at(xy[SHOULDERS].mean(axis=0)) == 200 and at(xy[NOSE]) == 200
    assert all(at(wrist) > 150 for wrist in xy[WRISTS])
    column = shown[:, round(float(ends[0][0]))]
    down = column[round(float(xy[SHOULDERS[0], 1])) : round(float(ends[0][1]))]
    assert (np.diff(down) <= 0).all() and np.abs(np.diff(down)).max() < 40, "softly"
    assert faded_out(full, xy, seen, CutOff()) is full


def test_legs_that_come_and_go_are_left_out_throughout(whole):
    pose = whole.poses
    header_edge = filmed_until(whole.header.crop, whole.header.original_size_hw)
    low = Pose(pose.xy + np.float32([0, header_edge - pose.xy[:, HIPS, 1].max() - 2]), pose.confidence, pose.size_hw)
    driving = changed(whole, without(low, [*KNEES, *ANKLES], 0.4))
    missing = missing_of(driving)
    assert missing.below == "hips" and missing.never == ""
    part = part_for(drawing_actor(), driving, "fade")
    assert part.fading == missing and not part.pose.confidence[:, [*KNEES, *ANKLES]].any()
    stood = part_for(drawing_actor(), driving, "stand")
    assert stood.fading is None and stood.pose.confidence[:, [*KNEES, *ANKLES]].all()
    kept = part_for(drawing_actor(), driving)
    assert kept.pose.confidence[:8, KNEES].all() and not kept.pose.confidence[12:, KNEES].any()


# -- The whole way -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("below", BELOW)
@pytest.mark.parametrize("choice", CHOICES)
def test_videos_of_one_and_of_several(tmp_path, whole, below, choice):
    driver = Driver(cut(whole, below))
    actors = [drawing_actor(), cutting_actor(reference_name="you.mp4")]
    perform(actors[0], driver.performance, tmp_path / "one.mp4", missing_limbs=choice, compare=True)
    assert VideoReader(tmp_path / "one.mp4").info.size_hw == actors[0].original_size_hw
    for layout in ("side-by-side", "stage"):
        perform(actors, driver.performance, tmp_path / f"{layout}.mp4", layout=layout, missing_limbs=choice)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("stand", "the clone's legs stand on the reference's floor and its arms hang; choose "
                  "`missing_limbs='crop'` or `missing_limbs='fade'` for another way"),
        ("crop", "the picture ends where the driver's does and its arms hang; choose "
                 "`missing_limbs='stand'` or `missing_limbs='fade'` for another way"),
        ("fade", "the clone fades out there and arms are left out; choose "
                 "`missing_limbs='stand'` or `missing_limbs='crop'` for another way"),
    ],
)  # fmt: skip
def test_one_line_says_what_is_done_and_the_other_choices(whole, caplog, choice, said):
    pose = without(whole.poses, [*BELOW["hips"], *WRISTS, 7, 8, *np.r_[LEFT_HAND, RIGHT_HAND]])
    with caplog.at_level(logging.INFO):
        say_missing(changed(whole, pose), choice)
    assert [record.getMessage() for record in caplog.records] == [
        f"tiny2.mp4 does not show the body below the hips and arms: {said}"
    ]
