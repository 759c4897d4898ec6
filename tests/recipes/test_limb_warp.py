"""Limb by limb: transforms that carry joints to joints, layers that add up, and a clone near the truth."""

import itertools
import json
from dataclasses import asdict, replace

import cv2
import numpy as np
import pytest

from tiny import STANDING, session_for, tiny_performance
from understudy.conditioning import limb_warps as warps
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity
from understudy.recipes import limb_warp as recipe
from understudy.recipes import nearest_neighbour
from understudy.recipes.parts import source_choice
from understudy.recipes.parts.kept_frames import KeptPictures, kept_poses
from understudy.recipes.parts.limb_layers import back_to_front, cut, from_around, thicknesses
from understudy.recipes.parts.player import moments

ALL_SEEN = np.ones(141, np.bool_)
SIZE = 64
SMALL = recipe.Config(size=SIZE)


def figure(**moved):
    """One frame of the standing figure in SIZE pixels; joints (OpenPose-18 numbers) moved by shares of the side."""
    xy = STANDING.copy()
    for joint, shift in moved.items():
        xy[int(joint[1:])] += shift
    return Pose.from_openpose18((xy[None] * SIZE).astype(np.float32), np.ones((1, 18), np.float32), (SIZE, SIZE))


def points_of(pose):
    points, seen = warps.with_made_up_points(pose.xy, pose.confidence)
    return points[0], seen[0]


def drawn(pose):
    """A grey body, a red right arm and a green left arm over it, with their matte: (SIZE, SIZE, 4)."""
    xy, _ = pose.openpose18()
    picture = np.zeros((SIZE, SIZE, 4), np.uint8)
    for colour, width, chain in (
        ((90, 90, 90), 6, (8, 9, 10)), ((90, 90, 90), 6, (11, 12, 13)), ((90, 90, 90), 14, (1, 8)),
        ((90, 90, 90), 14, (1, 11)), ((90, 90, 90), 8, (1, 0)), ((220, 30, 30), 4, (2, 3, 4)),
        ((30, 220, 30), 4, (5, 6, 7)),
    ):  # fmt: skip
        for a, b in itertools.pairwise(chain):
            ends = [tuple(round(float(v)) for v in xy[0, joint]) for joint in (a, b)]
            cv2.line(picture, *ends, (*colour, 255), width)
    return picture


@pytest.fixture(scope="module")
def me(tmp_path_factory):
    return tiny_performance(tmp_path_factory.mktemp("warp") / "me.performance", 1, frames=10, size=SIZE)


def gathered(reference, folder, **limits):
    return recipe.RECIPE.learn(session_for("limb-warp", SMALL, reference, folder, **limits))


def played(trained, pose, method=recipe, config=SMALL):
    return list(method.player(config, trained.weights, trained.statistics).play(moments(pose)))


def over_flat(trained, cutout):
    return cutout[..., :3] + (1 - cutout[..., 3:] / np.float32(255)) * trained.statistics["flat_colour"]


@pytest.mark.parametrize("preset", [recipe.paper, recipe.fast, recipe.preview])
def test_every_preset_survives_json(preset):
    assert recipe.RECIPE.read_config(json.loads(json.dumps(asdict(preset())))) == preset()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": 50}, "multiple of 4 of at least 32 pixels, not 50"),
        ({"size": 16}, "multiple of 4 of at least 32 pixels, not 16"),
        ({"candidates": 0}, "candidates must be at least 1, not 0"),
        ({"fade": -1}, "fade must be at least 0, not -1"),
        ({"sources": 0}, "sources must be at least 1, not 0"),
        ({"choice": 0.0}, "choice must be above 0, not 0"),
        ({"softness": 0.0}, "softness must be above 0, not 0"),
    ],
)
def test_contradictions_in_a_config(values, message):
    with pytest.raises(ValueError, match=message):
        recipe.Config(**values)


def test_transforms_carry_the_ends_of_limbs_to_each_other():
    here, _ = points_of(figure(j4=(-0.1, -0.2), j9=(0.05, -0.02)))
    there, _ = points_of(figure())
    *transforms, hips, _, _ = warps.part_transforms(here, there, ALL_SEEN, SIZE)
    np.testing.assert_allclose(hips[:, :2] @ here[warps.PELVIS] + hips[:, 2], there[warps.PELVIS], atol=1e-3)
    for part, transform in zip(warps.PARTS, transforms, strict=True):
        if "foot" in part.name:
            continue  # the figure has none
        for joint in part.joints:
            np.testing.assert_allclose(transform[:, :2] @ here[joint] + transform[:, 2], there[joint], atol=1e-3)


def test_the_same_pose_needs_no_warp():
    points, _ = points_of(figure())
    grid = warps.picture_grid(SIZE, 4)
    near = warps.distances_to_parts(points, grid)
    blending = warps.Blending(grid, near, (0, 1, 2, 3), 0.5, points)
    places = blending.places(warps.part_transforms(points, points, ALL_SEEN, SIZE))
    np.testing.assert_allclose(places, grid, atol=1e-3)


def test_a_limb_that_points_at_the_camera_is_not_drawn_out_without_end():
    here, _ = points_of(figure())
    there, _ = points_of(figure(j4=(0.03, -0.11)))  # wrist on the elbow
    place = [part.name for part in warps.PARTS].index("right forearm")
    stretch = np.linalg.norm(warps.part_transforms(here, there, ALL_SEEN, SIZE)[place, :, :2], ord=2)
    assert 1 / warps.MOST_STRETCH <= stretch <= warps.MOST_STRETCH


def test_distances_are_to_segments():
    points, _ = points_of(figure())
    middle = (points[6] + points[8]) / 2  # of the right upper arm
    near = warps.distances_to_parts(points, middle[None, None])[:, 0, 0]
    assert near.argmin() == 2 and near[2] == pytest.approx(0, abs=1e-3)


def test_hidden_feet_leave_the_rest():
    _, seen = points_of(figure())
    names = [part.name for part, there in zip(warps.PARTS, warps.parts_seen(seen), strict=True) if not there]
    assert names == ["right foot", "left foot"]


def test_an_arm_before_the_chest_is_cut_out_and_the_chest_is_whole_without_it():
    pose = figure(j3=(0.05, 0.0), j4=(0.2, -0.09))  # the right forearm lies across the chest
    picture, (points, seen) = drawn(pose), points_of(pose)
    layers = cut(picture, points, warps.parts_seen(seen), thicknesses([(picture, points)], SIZE))
    by_parts = {layer.parts: layer.picture for layer in layers}
    assert [layer.parts for layer in layers][2:] == [warps.GROUPS[n] for n in ("trunk", "right arm", "left arm")]
    x, y = ((points[8] + points[10]) / 2).round().astype(int)  # of the forearm
    arm, trunk = by_parts[warps.GROUPS["right arm"]][y, x], by_parts[warps.GROUPS["trunk"]][y, x]
    assert arm[0] > 180 and arm[3] > 200
    assert trunk[3] > 200 and abs(int(trunk[0]) - int(trunk[1])) < 60


@pytest.mark.parametrize("above", ["right arm", "left arm"])
def test_of_crossed_arms_the_one_whose_outline_goes_on_is_in_front_and_the_other_is_made_up_there(above):
    """The same figure twice as large, forearms crossed before the chest."""
    pose = figure(j3=(0, -0.02), j4=(0.27, -0.15), j6=(0, -0.02), j7=(-0.27, -0.15))
    pose = Similarity.resized(2).of_pose(pose, (2 * SIZE, 2 * SIZE))
    joints = np.rint(pose.openpose18()[0][0]).astype(int)
    picture = np.zeros((2 * SIZE, 2 * SIZE, 4), np.uint8)
    arms = {"right arm": ((220, 30, 30, 255), (2, 3, 4)), "left arm": ((30, 220, 30, 255), (5, 6, 7))}
    cv2.rectangle(picture, joints[2] - 4, joints[11] + 4, (90, 90, 90, 255), -1)
    for _, (colour, chain) in sorted(arms.items(), key=lambda arm: arm[0] == above):
        for a, b in itertools.pairwise(chain):
            cv2.line(picture, joints[a], joints[b], colour, 9)
    (points, seen), crossing = points_of(pose), ((joints[3] + joints[4] + joints[6] + joints[7]) / 4).astype(int)
    thickness = np.full(len(warps.PARTS), 5, np.float32)
    layers = {layer.parts: layer for layer in cut(picture, points, warps.parts_seen(seen), thickness)}
    assert list(layers)[-1] == warps.GROUPS[above]
    x, y = crossing
    for name, (colour, _) in arms.items():
        layer = layers[warps.GROUPS[name]]
        assert layer.filmed[y, x] > 200 if name == above else layer.filmed[y, x] < 55
        assert layer.picture[y, x, 3] > 200 and np.abs(layer.picture[y, x].astype(int) - colour).max() < 70


def test_layers_put_together_again_are_the_picture():
    pose = figure()
    picture, (points, seen) = drawn(pose), points_of(pose)
    shown = np.zeros((SIZE, SIZE, 4), np.float32)
    for layer in cut(picture, points, warps.parts_seen(seen), thicknesses([(picture, points)], SIZE)):
        shown = layer.picture + (1 - layer.picture[..., 3:] / np.float32(255)) * shown
    inside = picture[..., 3] > 0
    assert np.abs(shown[inside] - picture[inside]).mean() < 6
    assert shown[~inside].max() <= 1


def test_who_hides_whom():
    front, behind = figure(), figure().sides_exchanged()
    assert back_to_front(points_of(front)[0])[-2:] == ["right arm", "left arm"]
    assert back_to_front(points_of(behind)[0])[:2] == ["right arm", "left arm"]
    assert back_to_front(points_of(figure(j10=(0, 0.05)))[0])[:2] == ["left leg", "right leg"]
    assert back_to_front(points_of(figure(j13=(0, 0.05)))[0])[:2] == ["right leg", "left leg"]


def test_holes_take_the_colours_around_them():
    rgb = np.full((SIZE, SIZE, 3), (200, 100, 50), np.float32)
    weight = np.ones((SIZE, SIZE), np.float32)
    rgb[20:30, 20:30], weight[20:30, 20:30] = 0, 0
    whole = from_around(rgb, weight, SIZE)
    np.testing.assert_allclose(whole[25, 25], (200, 100, 50), atol=12)
    weight[:10], weight[44:], weight[:, :8], weight[:, 50:] = 0, 0, 0, 0
    whole = from_around(rgb, weight, SIZE)
    part = from_around(rgb[10:44, 8:50], weight[10:44, 8:50], SIZE)
    np.testing.assert_allclose(part[4:-4, 4:-4], whole[14:40, 12:46], atol=1)


def test_a_frame_filmed_at_another_time_must_be_nearer_by_more_than_the_price_of_a_jump():
    arms_up = {"j4": (0.0, -0.02)}
    kept = Pose(
        np.concatenate([figure().xy, figure(**arms_up).xy]), np.ones((2, 133), np.float32), (SIZE, SIZE)
    )  # one pixel apart in one limb, filmed 100 frames apart
    dance = Pose(np.tile(kept.xy, (3, 1, 1)), np.ones((6, 133), np.float32), (SIZE, SIZE))
    one = replace(SMALL, sources=1)

    def path(config, filmed_at):
        return source_choice.chosen_frames(config, dance, kept, np.array(filmed_at)).frames[0].tolist()

    assert path(replace(one, jump=0.0), [0, 100]) == [0, 1, 0, 1, 0, 1]
    assert len(set(path(one, [0, 100]))) == 1
    assert path(one, [0, 1]) == [0, 1, 0, 1, 0, 1]


def test_the_frames_of_one_moment_were_filmed_at_different_times(me, tmp_path):
    kept = tiny_performance(tmp_path / "long.performance", 3, frames=40, size=SIZE).poses
    dance = kept[5:20]
    chosen = source_choice.chosen_frames(replace(SMALL, apart=4), dance, kept, np.arange(40))
    assert chosen.frames.shape == chosen.distances.shape == (4, 15)
    apart = np.abs(chosen.frames[:, None] - chosen.frames[None]) + 100 * np.eye(4, dtype=int)[..., None]
    assert apart.min() > 4
    assert chosen.frames[0].tolist() == list(range(5, 20))
    assert (chosen.distances[0] == 0).all() and (chosen.distances[1:] > 0).all()


def test_of_fewer_frames_than_sources_there_is_one_source_each(me, tmp_path):
    kept = figure()
    chosen = source_choice.chosen_frames(SMALL, kept, kept, np.zeros(1))
    assert chosen.frames.tolist() == [[0]]


def test_mixtures_are_shares_of_one():
    path = np.array([4, 4, 4, 9, 9, 9])
    assert recipe.mixture(path, 1, 0) == {4: 1}
    assert recipe.mixture(path, 0, 1) == {4: 1}
    assert recipe.mixture(path, 2, 1) == {4: 0.75, 9: 0.25}
    for moment in range(6):
        assert sum(recipe.mixture(path, moment, 2).values()) == pytest.approx(1)


def test_its_own_poses_are_answered_nearly_with_its_own_frames(me, tmp_path):
    trained = gathered(me, tmp_path, max_steps=1, max_minutes=1)
    assert trained.record["steps"] == 0
    pose = kept_poses(trained.weights, SIZE)
    true = played(trained, pose, nearest_neighbour, nearest_neighbour.Config(size=SIZE))
    shown = played(trained, pose)
    assert len(shown) == len(me) and shown[0].shape == (SIZE, SIZE, 4) and shown[0].dtype == np.uint8
    assert np.abs([over_flat(trained, one) - it for one, it in zip(shown, true, strict=True)]).mean() < 4


def test_it_brings_the_alpha_that_was_filmed_whatever_colour_stands_behind(me, tmp_path):
    """Keyed, a person in nearly the colour behind would be full of holes."""
    trained = gathered(me, tmp_path)
    pose = kept_poses(trained.weights, SIZE)
    pictures = KeptPictures(trained.weights, SIZE, range(len(me)))
    frames = played(trained, pose, config=replace(SMALL, sources=1, jump=0.0))
    for index, cutout in enumerate(frames):
        matte = pictures[index][..., 3]
        assert cutout[..., 3][cv2.erode(matte, np.ones((7, 7))) > 250].mean() > 250
        assert not cutout[cv2.dilate(matte, np.ones((7, 7))) == 0].any()
        assert (cutout[..., :3] <= cutout[..., 3:]).all()


def test_a_pose_never_filmed_is_nearer_than_the_nearest_frame(me, tmp_path):
    """The whole figure stands elsewhere: warped, it goes along, which no filmed frame does."""
    trained = gathered(me, tmp_path)
    pose = kept_poses(trained.weights, SIZE)
    moved = Similarity.shifted(8, 0).of_pose(pose, (SIZE, SIZE))
    still = played(trained, pose, nearest_neighbour, nearest_neighbour.Config(size=SIZE))
    for config in (SMALL, replace(SMALL, layers=False), replace(SMALL, jump=0.0), replace(SMALL, sources=1, fade=2)):
        for shown, true in zip(played(trained, moved, config=config), still, strict=True):
            assert np.abs(over_flat(trained, shown)[:, 8:] - true[:, :-8]).mean() < 6


def test_nobody_and_nothing(me, tmp_path):
    trained = gathered(me, tmp_path)
    nobody = Pose(np.zeros((2, 133, 2)), np.zeros((2, 133)), (SIZE, SIZE))
    frames = played(trained, nobody)
    assert len(frames) == 2 and not np.array(frames).any()
    assert played(trained, nobody[:0]) == []
