"""What one limb's transform does along it, across it and to the trunk's width; its use is in the recipe's tests."""

import numpy as np
import pytest

from tiny import STANDING
from understudy.conditioning import limb_warps as warps
from understudy.conditioning import turning
from understudy.conditioning.bent_hands import past_the_wrist
from understudy.poses.pose import (
    LEFT_ANKLE,
    LEFT_BIG_TOE,
    LEFT_EAR,
    LEFT_ELBOW,
    LEFT_EYE,
    LEFT_HAND,
    LEFT_HEEL,
    LEFT_SHOULDER,
    LEFT_WRIST,
    NOSE,
    RIGHT_ANKLE,
    RIGHT_BIG_TOE,
    RIGHT_EAR,
    RIGHT_ELBOW,
    RIGHT_EYE,
    RIGHT_HAND,
    RIGHT_HEEL,
    RIGHT_SHOULDER,
    RIGHT_WRIST,
    Pose,
)

SIZE = 64
ALL_SEEN = np.ones(141, np.bool_)
FOREARM = [part.name for part in warps.PARTS].index("right forearm")


def points(**moved):
    """The standing figure with joints (OpenPose-18 numbers) moved by shares of the side: (141, 2) pixels."""
    xy = STANDING.copy()
    for joint, shift in moved.items():
        xy[int(joint[1:])] += shift
    pose = Pose.from_openpose18((xy[None] * SIZE).astype(np.float32), np.ones((1, 18), np.float32), (SIZE, SIZE))
    return warps.with_made_up_points(pose.xy, pose.confidence)[0][0]


def moved(transform, place):
    return transform[:, :2] @ place + transform[:, 2]


def test_what_lies_beside_a_limb_lies_as_far_beside_it_after_a_turn():
    """The forearm swings by a quarter: skin three pixels to its side stays three pixels to the same side."""
    here = points(j4=(-0.08, -0.11))
    there = points()
    transform = warps.part_transforms(here, there, ALL_SEEN, SIZE)[FOREARM]
    elbow, wrist = warps.PARTS[FOREARM].joints
    for place, to in ((elbow, there[elbow]), (wrist, there[wrist])):
        np.testing.assert_allclose(moved(transform, here[place]), to, atol=1e-3)
    along, target = ((pose[wrist] - pose[elbow]) / np.linalg.norm(pose[wrist] - pose[elbow]) for pose in (here, there))
    beside, wanted = (3 * np.array([-direction[1], direction[0]]) for direction in (along, target))
    np.testing.assert_allclose(moved(transform, here[elbow] + beside) - there[elbow], wanted, atol=1e-3)


@pytest.mark.parametrize(("longer", "stretch"), [(2.0, 2.0), (2.4, 2.4), (3.0, warps.MOST_STRETCH)])
def test_a_limb_is_drawn_out_by_no_more_than_would_smear(longer, stretch):
    elbow, wrist = warps.PARTS[FOREARM].joints
    short, long = points(), points()
    short[wrist] = short[elbow] + (0, 10)
    long[wrist] = long[elbow] + (0, 10 * longer)
    out = warps.part_transforms(short, long, ALL_SEEN, SIZE)[FOREARM]
    back = warps.part_transforms(long, short, ALL_SEEN, SIZE)[FOREARM]
    np.testing.assert_allclose(out[:, :2] @ (0, 1), (0, stretch), atol=1e-4)
    np.testing.assert_allclose(back[:, :2] @ (0, 1), (0, 1 / stretch), atol=1e-4)
    np.testing.assert_allclose(out[:, :2] @ (1, 0), (1, 0), atol=1e-4)  # its thickness stays


def test_a_trunk_that_turns_changes_its_width_and_not_its_height():
    front = points()
    side = points(j2=(0.09, 0), j5=(-0.09, 0), j8=(0.045, 0), j11=(-0.045, 0))  # shoulders and hips a tenth as wide
    ends = warps.part_transforms(side, front, ALL_SEEN, SIZE)[[warps.TRUNK, warps.HIPS]]
    depth = turning.DEPTH * np.linalg.norm(front[warps.NECK] - front[warps.PELVIS])
    for transform, end, width in zip(ends, (warps.NECK, warps.PELVIS), (0.2 * SIZE, 0.1 * SIZE), strict=True):
        np.testing.assert_allclose(transform[:, :2] @ (0, 1), (0, 1), atol=1e-3)
        wider = np.hypot(width, depth) / np.hypot(0.1 * width, depth)
        np.testing.assert_allclose(transform[:, :2] @ (1, 0), (wider, 0), rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(moved(transform, side[end]), front[end], atol=1e-3)


def test_shoulders_that_tilt_take_the_chest_along_and_leave_the_hips():
    """Seen from the front, where the trunk's depth hides a fifth of the tilt at most."""
    level, tilted = points(), points(j2=(0, -0.04), j5=(0, 0.04))
    shoulders, hips = warps.part_transforms(level, tilted, ALL_SEEN, SIZE)[[warps.TRUNK, warps.HIPS]]
    right, left = (moved(shoulders, level[joint]) - tilted[joint] for joint in (RIGHT_SHOULDER, LEFT_SHOULDER))
    untilted = 0.04 * SIZE
    assert 0 < right[1] < 0.3 * untilted and 0 > left[1] > -0.3 * untilted
    np.testing.assert_allclose(hips[:, :2], np.eye(2), atol=1e-3)
    # between them it is a mixture along the spine
    grid = np.linspace(level[warps.NECK], level[warps.PELVIS], 5)[None].astype(np.float32)
    grid[..., 0] += 8
    near = warps.distances_to_parts(level, grid)
    transforms = warps.part_transforms(level, tilted, ALL_SEEN, SIZE)
    lifted = (warps.Blending(grid, near, (warps.TRUNK,), 0.5, level).places(transforms) - grid)[0, :, 1]
    assert (np.diff(np.abs(lifted)) < 0).all() and abs(lifted[0]) > 0.5 and abs(lifted[-1]) < 1e-3


def test_a_tilt_of_shoulders_seen_from_the_side_is_none():
    side = points(j2=(0.098, -0.02), j5=(-0.098, 0.02))
    linear = warps.part_transforms(points(), side, ALL_SEEN, SIZE)[warps.TRUNK][:, :2]
    back = warps.part_transforms(side, points(), ALL_SEEN, SIZE)[warps.TRUNK][:, :2]
    for one in (linear, back):
        assert abs(one[1, 0]) < 0.15  # pixels down for each pixel aside


def test_a_back_stands_in_for_a_chest_without_being_mirrored():
    front, behind = points(), points(j2=(0.2, 0), j5=(-0.2, 0), j8=(0.1, 0), j11=(-0.1, 0))
    ends = warps.part_transforms(front, behind, ALL_SEEN, SIZE)[[warps.TRUNK, warps.HIPS]]
    np.testing.assert_allclose(ends[:, :, :2], [np.eye(2)] * 2, atol=1e-3)


def test_from_the_side_a_trunk_reaches_half_its_depth_beyond_its_middle_line():
    across = dict(j2=(0.1, 0), j5=(-0.1, 0), j8=(0.05, 0), j11=(-0.05, 0))
    side, front = points(**across), points()
    height = np.linalg.norm(front[warps.NECK] - front[warps.PELVIS])
    assert warps.trunk_beyond(side) == pytest.approx(turning.DEPTH * height / 2, rel=1e-3)
    width = 0.15 * SIZE
    assert warps.trunk_beyond(front) == pytest.approx((np.hypot(width, turning.DEPTH * height) - width) / 2, rel=1e-3)


@pytest.mark.parametrize("pair", [(RIGHT_EAR, LEFT_EAR), (RIGHT_EYE, LEFT_EYE)])
def test_a_head_stays_upright_while_its_neck_bends(pair):
    upright, bent = head(neck=(0, 30)), head(neck=(-20, 20))
    seen = np.isin(np.arange(141), pair)
    rotation = turned_by(upright, bent, seen)
    assert abs(rotation) < np.radians(16)  # of 45 that the neck bends
    assert turned_by(upright, bent, np.zeros(141, np.bool_)) == pytest.approx(np.radians(45), abs=1e-4)


def test_a_head_that_is_laid_aside_is_turned_with_its_ears_and_keeps_its_size():
    angle = np.radians(30)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    upright = head(neck=(0, 30))
    laid = upright @ rotation.T * 1.5
    up = tuple(one[warps.EARS] - one[warps.NECK] for one in (upright, laid))
    np.testing.assert_allclose(turning.head_turn(upright, laid, ALL_SEEN, up), rotation, atol=1e-5)


def test_the_back_of_a_head_is_not_turned_upside_down():
    face, back = head(neck=(0, 30)), head(neck=(0, 30))
    back[[RIGHT_EAR, LEFT_EAR]] = back[[LEFT_EAR, RIGHT_EAR]]
    assert turned_by(face, back, ALL_SEEN) == pytest.approx(0, abs=1e-5)


def head(neck):
    """A head seen from the front, its ears 20 pixels apart, over a neck: (141, 2)."""
    found = np.zeros((141, 2), np.float32)
    for joint, place in {RIGHT_EAR: (-10, 0), LEFT_EAR: (10, 0), RIGHT_EYE: (-5, -1), LEFT_EYE: (5, -1)}.items():
        found[joint] = place
    found[warps.NECK] = neck
    return found


def turned_by(wanted, filmed, seen):
    up = tuple(one[warps.EARS] - one[warps.NECK] for one in (wanted, filmed))
    linear = turning.head_turn(wanted, filmed, seen, up)
    return abs(np.arctan2(linear[1, 0], linear[0, 0]))


def turned_head(angle):
    """One frame of 133 points with a head seen from `angle` degrees beside its front, ears 0.15 apart, and confidence.

    Across, down and forward from the middle of the ears; heads of the same build as those the guesses are fitted to.
    """
    head = {
        NOSE: (0, 0.02, 0.125), LEFT_EYE: (0.0375, -0.02, 0.085), RIGHT_EYE: (-0.0375, -0.02, 0.085),
        LEFT_EAR: (0.075, 0, 0), RIGHT_EAR: (-0.075, 0, 0), warps.LEFT_JAW: (0.07, 0.02, 0), 5: (0.2, 0.2, -0.01),
        warps.RIGHT_JAW: (-0.07, 0.02, 0), 6: (-0.2, 0.2, -0.01),
    }  # fmt: skip
    xy, confidence = np.zeros((133, 2), np.float32), np.zeros(133, np.float32)
    for index, (across, down, forward) in head.items():
        xy[index] = 100 * (np.cos(angle) * across + np.sin(angle) * forward) + 100, 100 * down + 100
        confidence[index] = 1
    return xy, confidence


@pytest.mark.parametrize("angle", np.radians([-60, -30, 0, 30, 60]))
@pytest.mark.parametrize(
    ("lost", "within"),
    [
        ((LEFT_EAR, warps.LEFT_JAW, warps.RIGHT_JAW), 0.5),
        ((RIGHT_EAR, warps.LEFT_JAW, warps.RIGHT_JAW), 0.5),
        ((LEFT_EAR, LEFT_EYE), 1.5),
        ((RIGHT_EAR, RIGHT_EYE, warps.RIGHT_JAW), 7.6),  # an ear alone is half an ear's distance off
        ((LEFT_EAR, RIGHT_EAR), 2.5),
        ((LEFT_EAR, RIGHT_EAR, warps.LEFT_JAW), 4.0),
    ],
)
def test_a_lost_ear_hardly_moves_the_middle_of_the_ears(angle, lost, within):
    xy, confidence = turned_head(angle)
    whole, _ = warps.with_made_up_points(xy, confidence)
    xy[list(lost)], confidence[list(lost)] = 0, 0
    points, seen = warps.with_made_up_points(xy, confidence)
    assert seen[[warps.EARS, warps.CROWN]].all()
    assert np.linalg.norm(points[warps.EARS] - whole[warps.EARS]) < within


def test_each_frame_of_a_sequence_takes_the_best_guess_that_it_has():
    frames = [turned_head(0.4) for _ in range(3)]
    xy, confidence = (np.stack(values) for values in zip(*frames, strict=True))
    confidence[1, LEFT_EAR] = 0
    confidence[2] = 0
    points, seen = warps.with_made_up_points(xy, confidence)
    assert seen[:, warps.EARS].tolist() == [True, True, False]
    one, _ = warps.with_made_up_points(xy[1], confidence[1])
    np.testing.assert_allclose(points[1], one)


def wholebody(**unseen):
    """All of 133 points, at places that differ, and their confidence; some of them lost."""
    xy = np.random.default_rng(0).uniform(0, SIZE, (133, 2)).astype(np.float32)
    confidence = np.ones(133, np.float32)
    for points_lost in unseen.values():
        confidence[points_lost] = 0
    return xy, confidence


@pytest.mark.parametrize(
    ("hand", "elbow", "wrist", "tip"),
    [
        (RIGHT_HAND, RIGHT_ELBOW, RIGHT_WRIST, warps.RIGHT_TIP),
        (LEFT_HAND, LEFT_ELBOW, LEFT_WRIST, warps.LEFT_TIP),
    ],
)
def test_a_hand_ends_where_its_fingers_do_if_they_are_seen(hand, elbow, wrist, tip):
    xy, confidence = wholebody()
    fingers = [hand.start + finger for finger in (8, 12, 16)]
    xy[fingers] += xy[wrist] + 0.4 * (xy[wrist] - xy[elbow]) - xy[fingers].mean(axis=0)  # nearly straight on
    points, seen = warps.with_made_up_points(xy, confidence)
    np.testing.assert_allclose(points[tip], xy[fingers].mean(axis=0), rtol=1e-4)
    assert seen[tip]
    points, seen = warps.with_made_up_points(*wholebody(finger=hand.start + 12))
    np.testing.assert_allclose(points[tip], xy[wrist] + 0.5 * (xy[wrist] - xy[elbow]), rtol=1e-5)
    assert seen[tip] and not warps.with_made_up_points(*wholebody(wrist=wrist))[1][tip]


@pytest.mark.parametrize(
    ("heel", "ankle", "back"),
    [(RIGHT_HEEL, RIGHT_ANKLE, warps.RIGHT_BACK), (LEFT_HEEL, LEFT_ANKLE, warps.LEFT_BACK)],
)
def test_a_foot_ends_at_its_heel_or_where_that_is_lost_at_its_ankle(heel, ankle, back):
    xy, confidence = wholebody()
    points, seen = warps.with_made_up_points(xy, confidence)
    np.testing.assert_array_equal(points[back], xy[heel])
    lost, seen_without = warps.with_made_up_points(*wholebody(heel=heel))
    np.testing.assert_array_equal(lost[back], xy[ankle])
    assert seen[back] and seen_without[back]
    assert not warps.with_made_up_points(*wholebody(both=[heel, ankle]))[1][back]


def test_heels_and_soles_are_the_foots():
    """The heel of one foot is nearer to that foot than to the other one beside it."""
    where = {RIGHT_ANKLE: (20, 40), RIGHT_HEEL: (30, 44), RIGHT_BIG_TOE: (8, 46)}
    where |= {LEFT_ANKLE: (40, 40), LEFT_HEEL: (42, 44), LEFT_BIG_TOE: (44, 50)}
    xy, confidence = np.full((133, 2), 10, np.float32), np.ones(133, np.float32)
    for joint, place in where.items():
        xy[joint] = place
    names = [part.name for part in warps.PARTS]
    points, _ = warps.with_made_up_points(xy, confidence)
    at_heel = warps.distances_to_parts(points, np.array([[where[RIGHT_HEEL]]], np.float32))[:, 0, 0]
    assert at_heel[names.index("right foot")] == 0 and at_heel[names.index("left foot")] > 8


ARMS = pytest.mark.parametrize("arm", warps.LOWER_ARMS, ids=["right", "left"])


def reaching(arm, turn, longer=1.0):
    """The standing figure with fingers that turn by so many degrees at the wrist: (141, 2) pixels."""
    xy = points()
    straight = xy[arm.tip] - xy[arm.wrist]
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    xy[arm.tip] = xy[arm.wrist] + longer * np.array([[cos, -sin], [sin, cos]]) @ straight
    return xy


@ARMS
def test_a_hand_turns_about_its_wrist_and_takes_nothing_along(arm):
    here, there = reaching(arm, 50), reaching(arm, -20)
    transforms = warps.part_transforms(here, there, ALL_SEEN, SIZE)
    for joint in (arm.wrist, arm.tip):
        np.testing.assert_allclose(moved(transforms[arm.hand], here[joint]), there[joint], atol=1e-3)
    np.testing.assert_allclose(transforms[arm.forearm], [[1, 0, 0], [0, 1, 0]], atol=1e-4)
    (other,) = (one for one in warps.LOWER_ARMS if one != arm)
    np.testing.assert_allclose(transforms[other.hand], transforms[other.forearm], atol=1e-5)


@ARMS
def test_a_hand_whose_fingers_are_lost_in_both_goes_on_as_its_forearm(arm):
    """A foreshortened one, too, which the hand's own rule would draw out less."""
    lost = [wholebody(finger=arm.fingers.start + 12), wholebody(finger=arm.fingers.start + 16)]
    lost[1][0][arm.wrist] = (lost[1][0][arm.elbow] * 2 + lost[1][0][arm.wrist]) / 3
    here, there = (warps.with_made_up_points(*one)[0] for one in lost)
    transforms = warps.part_transforms(here, there, ALL_SEEN, SIZE)
    np.testing.assert_array_equal(transforms[arm.hand], transforms[arm.forearm])


@ARMS
@pytest.mark.parametrize("turns", [(70, 0), (0, 70)])
def test_a_hand_whose_fingers_are_seen_in_one_pose_alone_is_shown_whole(arm, turns):
    """The other's is straight: that is where it is looked up, or where it is shown."""
    here, there = (reaching(arm, turn) for turn in turns)
    transforms = warps.part_transforms(here, there, ALL_SEEN, SIZE)
    for joint in (arm.wrist, arm.tip):
        np.testing.assert_allclose(moved(transforms[arm.hand], here[joint]), there[joint], atol=1e-3)


@ARMS
def test_a_hand_is_pinned_to_where_its_forearm_has_the_wrist(arm):
    """Also where the forearm is drawn out by as much as a limb may be, which leaves the filmed wrist behind."""
    here, there = reaching(arm, 30), reaching(arm, 0)
    there[arm.wrist] = there[arm.elbow] + 0.1 * (there[arm.wrist] - there[arm.elbow])
    transforms = warps.part_transforms(here, there, ALL_SEEN, 8)
    by_forearm = moved(transforms[arm.forearm], here[arm.wrist])
    assert np.linalg.norm(by_forearm - there[arm.wrist]) > 1
    np.testing.assert_allclose(moved(transforms[arm.hand], here[arm.wrist]), by_forearm, atol=1e-3)


@ARMS
@pytest.mark.parametrize(
    ("seeming", "bend"), [(0, 0), (40, 40), (-40, -40), (69, 69), (70, 70), (125, 35), (-125, -35), (179, 70 / 110)]
)
def test_what_seems_to_bend_farther_than_a_wrist_points_at_the_camera(arm, seeming, bend):
    """It is straight again at half a turn, whichever way it went, and as long as it seems."""
    xy, confidence = np.zeros((133, 2), np.float32), np.ones(133, np.float32)
    xy[arm.elbow], xy[arm.wrist] = (10, 30), (30, 30)
    angle = np.radians(seeming)
    xy[arm.fingers] = xy[arm.wrist] + 8 * np.array([np.cos(angle), np.sin(angle)])
    points, _ = warps.with_made_up_points(xy, confidence)
    expected = xy[arm.wrist] + 8 * np.array([np.cos(np.radians(bend)), np.sin(np.radians(bend))])
    np.testing.assert_allclose(points[arm.tip], expected, atol=1e-4)


@ARMS
def test_a_fist_is_drawn_out_by_a_quarter_at_most_and_a_flat_hand_foreshortened_as_far_as_any_limb(arm):
    hand, fist = reaching(arm, 0), reaching(arm, 0, longer=0.5)

    def length(wanted, filmed):
        transform = warps.part_transforms(wanted, filmed, ALL_SEEN, 8)[
            arm.hand
        ]  # nothing is short in so small a picture
        return np.linalg.norm(moved(transform, wanted[arm.tip]) - moved(transform, wanted[arm.wrist]))

    drawn_out = np.linalg.norm(hand[arm.tip] - hand[arm.wrist]) / length(hand, fist)
    assert drawn_out == pytest.approx(1.25, abs=1e-4)
    assert length(fist, hand) == pytest.approx(np.linalg.norm(hand[arm.tip] - hand[arm.wrist]), abs=1e-3)


@ARMS
def test_an_arm_bends_at_the_wrist(arm):
    """Of a bent hand, fingertips are looked up where they were filmed, and the forearm is where it was."""
    here, there = reaching(arm, 60), reaching(arm, 0)
    parts = (arm.forearm - 1, arm.forearm)
    half = (here[arm.elbow] + here[arm.wrist]) / 2
    grid = np.stack([here[arm.tip], here[arm.wrist], half])[None].astype(np.float32)
    near = warps.distances_to_parts(here, grid) / 4
    transforms = warps.part_transforms(here, there, ALL_SEEN, SIZE)
    places = warps.Blending(grid, near, parts, 0.3, here).places(transforms)[0]
    np.testing.assert_allclose(places, [there[arm.tip], there[arm.wrist], half], atol=0.1)
    straight = warps.Blending(grid, near, (*parts, warps.HEAD), 0.3, here).places(transforms)[0]
    np.testing.assert_allclose(straight, places, atol=0.3)  # whoever else takes part
    alone = warps.Blending(grid, near, (arm.forearm - 1,), 0.3, here).places(transforms)[0]
    np.testing.assert_allclose(alone, grid[0], atol=0.1)  # an upper arm by itself has no hand


def test_forearm_gives_way_to_hand_about_the_line_that_halves_the_bend():
    elbow, wrist, tip = np.float32([[0, 0], [20, 0], [20, 10]])  # bent by a right angle
    line = np.float32([[20 + step, -step] for step in (-9, -3, 0, 3, 9)])  # along which both are as near
    np.testing.assert_allclose(past_the_wrist(line[None], elbow, wrist, tip)[0], 0.5, atol=1e-6)
    about = np.stack([elbow, wrist, tip])[None]
    np.testing.assert_allclose(past_the_wrist(about, elbow, wrist, tip)[0], [0, 0.5, 1], atol=1e-6)
    # Straight on: from .35 of the hand's length before the wrist to as far behind it
    along = np.float32([[x, 5] for x in (16.4, 16.6, 18.25, 20, 23.4, 23.6)])
    expected = [0, 0.1 / 7, 0.25, 0.5, 6.9 / 7, 1]
    np.testing.assert_allclose(past_the_wrist(along[None], elbow, wrist, np.float32([30, 0]))[0], expected, atol=1e-5)


def test_of_a_hand_folded_back_on_its_forearm_neither_is_in_front():
    elbow, wrist, tip = np.float32([[0, 0], [20, 0], [10, 0]])
    assert past_the_wrist(np.float32([[[15, 1], [20, 0], [24, 0]]]), elbow, wrist, tip)[0] == pytest.approx([0.5] * 3)
    nowhere = past_the_wrist(np.float32([[[5, 5]]]), wrist, wrist, wrist)
    assert np.isfinite(nowhere).all()
