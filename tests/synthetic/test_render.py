from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np
import pytest

from understudy.body.labels import LABEL
from understudy.body.mesh import PART
from understudy.body.skeleton import JOINTS
from understudy.errors import UsageError
from understudy.poses import pose as p
from understudy.poses.similarity import Similarity
from understudy.synthetic.motion import Motion, choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import Rendered, landmark_paths, render
from understudy.synthetic.scene import Scene, _Canvas, make_scene

SIZE = (320, 240)


def film(person: int, motion: Motion, scene: int = 1, size: tuple[int, int] = SIZE) -> list[Rendered]:
    return list(render(make_person(person), motion, make_scene(scene, size)))


def every(motion: Motion, step: int) -> Motion:
    return motion[::step]


@pytest.fixture(scope="module")
def dance() -> list[Rendered]:
    return film(4, choreography(4, 1.5, 30)[20:])


def standing() -> Motion:
    """One frame of standing straight with the arms out, facing the camera."""
    rotations = np.tile(np.eye(3, dtype=np.float32), (1, len(JOINTS), 1, 1))
    return Motion(rotations, np.zeros((1, 3), np.float32), np.zeros((1, 2), np.float32), Fraction(30))


def test_a_frame_is_the_same_again() -> None:
    motion = choreography(9, 0.1, 30)
    for one, two in zip(film(9, motion), film(9, motion), strict=True):
        for name in ("frame", "xy", "confidence", "parts", "matte", "flow"):
            assert np.array_equal(getattr(one, name), getattr(two, name)), name


def test_shapes_and_types(dance: list[Rendered]) -> None:
    first = dance[0]
    assert first.frame.shape == (*SIZE, 3) and first.frame.dtype == np.uint8
    assert first.xy.shape == (133, 2) and first.xy.dtype == np.float32
    assert first.confidence.shape == (133,) and first.confidence.dtype == np.float32
    assert first.parts.shape == first.matte.shape == SIZE
    assert first.flow.shape == (*SIZE, 2) and not first.flow.any()


def test_joints_lie_on_their_parts(dance: list[Rendered]) -> None:
    wanted = {
        p.NOSE: {"face"},
        p.LEFT_EYE: {"face"},
        p.LEFT_SHOULDER: {"left upper arm", "torso", "neck"},
        p.RIGHT_ELBOW: {"right upper arm", "right forearm"},
        p.LEFT_WRIST: {"left forearm", "left hand"},
        p.RIGHT_HIP: {"right thigh", "hips", "torso", "skirt"},
        p.LEFT_KNEE: {"left thigh", "left shin", "skirt"},
        p.RIGHT_KNEE: {"right thigh", "right shin", "skirt"},
        p.LEFT_ANKLE: {"left shin", "left foot"},
        p.RIGHT_BIG_TOE: {"right foot"},
    }
    seen = right = 0
    for rendered in dance:
        for point, names in wanted.items():
            if rendered.confidence[point] == 1:
                column, row = np.round(rendered.xy[point]).astype(int)
                seen += 1
                right += rendered.parts[row, column] in {PART[name] for name in names}
    assert seen > 5 * len(dance)
    assert right > 0.96 * seen


def test_matte_and_parts_agree(dance: list[Rendered]) -> None:
    for rendered in dance:
        assert np.array_equal(rendered.parts > 0, rendered.matte >= 128)
        soft = (rendered.matte > 0) & (rendered.matte < 255)
        assert 0 < soft.sum() < 0.35 * (rendered.matte > 0).sum()
        assert len(np.unique(rendered.matte)) > 20, "anti-aliased"


def test_flow_brings_the_frame_before_to_this_one(dance: list[Rendered]) -> None:
    row, column = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    moved = still = 0.0
    for before, now in pairwise(dance):
        assert not now.flow[now.parts == 0].any()
        x, y = column + now.flow[..., 0], row + now.flow[..., 1]
        warped = cv2.remap(before.frame, x, y, cv2.INTER_LINEAR)
        # the same part of the body must have been seen there: not hidden by another
        there = cv2.remap(before.parts, x, y, cv2.INTER_NEAREST)
        inside = cv2.erode((now.matte == 255).astype(np.uint8), np.ones((3, 3))).astype(bool) & (there == now.parts)
        assert inside.sum() > 0.6 * (now.parts > 0).sum()
        moved += np.abs(warped.astype(int) - now.frame)[inside].mean()
        still += np.abs(before.frame.astype(int) - now.frame)[inside].mean()
    assert moved / (len(dance) - 1) < 2.5
    assert moved < 0.35 * still


def test_two_people_do_the_same_motion_each_on_the_floor() -> None:
    motion = every(choreography(6, 3, 30), 9)
    for person in (2, 11):
        made = make_person(person)
        scene = make_scene(3, SIZE)
        xy = landmark_paths(made, motion, scene)
        floor = scene.camera.project([(0, 0, -0.8), (0, 0, 0.9)])[:, 1]
        feet = xy[:, p.FEET, 1].max(axis=1)
        grounded = motion.path[:, 1] == 0
        assert grounded.mean() > 0.5
        assert (feet[grounded] > floor[0] - 6).all() and (feet[grounded] < floor[1] + 2).all()
    one, two = (landmark_paths(make_person(person), motion, make_scene(3, SIZE)) for person in (2, 11))
    limbs = [(p.LEFT_ELBOW, p.LEFT_WRIST), (p.RIGHT_SHOULDER, p.RIGHT_ELBOW), (p.LEFT_HIP, p.LEFT_KNEE)]
    for start, stop in limbs:  # the same directions up to perspective
        first, second = one[:, stop] - one[:, start], two[:, stop] - two[:, start]
        length = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
        far = np.sqrt(length) > 12
        assert ((first * second).sum(1) / length)[far].min() > 0.95


def test_a_path_is_walked_in_leg_lengths() -> None:
    """Somebody with longer legs goes farther in the same motion."""
    motion, scene = standing(), make_scene(1, SIZE)
    aside = Motion(motion.rotations, np.array([[0.4, 0, 0]], np.float32), motion.grip, motion.fps)
    short, long = make_person(3), make_person(0)
    assert long.body.leg > 1.08 * short.body.leg
    ways = []
    for person in (short, long):
        moved = landmark_paths(person, aside, scene) - landmark_paths(person, motion, scene)
        ways.append(moved[0, [p.LEFT_HIP, p.RIGHT_HIP], 0].mean())
    assert ways[1] / ways[0] == pytest.approx(long.body.leg / short.body.leg, rel=0.02)


def test_left_is_the_persons_left_and_the_face_turns_away() -> None:
    front = film(1, standing())[0]
    assert front.xy[p.LEFT_WRIST, 0] > front.xy[p.LEFT_SHOULDER, 0] > front.xy[p.RIGHT_SHOULDER, 0]
    assert front.xy[p.LEFT_EYE, 0] > front.xy[p.NOSE, 0] > front.xy[p.RIGHT_EYE, 0]
    assert front.xy[p.FACE][0, 0] < front.xy[p.FACE][16, 0], "the jaw begins at the person's right"
    assert front.xy[p.LEFT_HAND][12, 0] > front.xy[p.LEFT_HAND][0, 0], "fingers lie beyond the wrist"
    assert (front.confidence[p.FACE] > 0).mean() > 0.85
    for toes, outwards in (((p.LEFT_BIG_TOE, p.LEFT_SMALL_TOE), 1), ((p.RIGHT_BIG_TOE, p.RIGHT_SMALL_TOE), -1)):
        big, small = front.xy[list(toes), 0]
        assert outwards * (small - big) > 1, "big toes are on the inside"
    motion = standing()
    motion.rotations[:, 0] = np.diag([-1, 1, -1])
    back = film(1, motion)[0]
    assert not back.confidence[p.FACE].any() and not back.confidence[: p.LEFT_EAR].any()
    assert back.xy[p.LEFT_WRIST, 0] < back.xy[p.RIGHT_WRIST, 0]
    assert back.confidence[p.LEFT_ELBOW] == 1


def test_the_camera_shows_the_whole_person() -> None:
    for seed in range(4):
        rendered = film(seed, standing(), seed, (256, 256))[0]
        rows, columns = np.nonzero(rendered.matte)
        assert 0.66 < (rows.max() - rows.min()) / 256 < 0.88
        assert rows.max() < 250 and columns.min() > 0 and columns.max() < 255
        assert (rendered.confidence > 0).mean() > 0.85


def test_what_leaves_the_picture_is_not_seen() -> None:
    motion = standing()
    motion.path[:, 0] = 1.6
    rendered = film(1, motion)[0]
    outside = (rendered.xy[:, 0] > SIZE[1]).nonzero()[0]
    assert len(outside) > 10 and not rendered.confidence[outside].any()
    motion.path[:, 0] = 9.0
    gone = film(1, motion)[0]
    assert not gone.matte.any() and not gone.parts.any() and not gone.confidence.any()


def test_a_tiny_scene_is_refused() -> None:
    with pytest.raises(UsageError, match="a scene of 200x40 pixels is too small for a person: ask for at least 64x64"):
        make_scene(1, (40, 200))


@pytest.mark.parametrize("size", [(64, 64), (121, 97), (200, 301)], ids=str)
def test_any_size_works(size: tuple[int, int]) -> None:
    rendered = film(3, choreography(3, 0.07, 30), 3, size)[-1]
    assert rendered.frame.shape == (*size, 3) and (rendered.matte > 0).mean() > 0.02


@pytest.mark.parametrize("seed", [1, 6])
def test_the_real_tracker_finds_them_where_they_are(seed: int) -> None:
    from understudy.tracking.blazepose import BlazePoseTracker

    motion = every(choreography(seed, 10, 30), 10)
    tracker = BlazePoseTracker("body")
    errors, found, swapped = [], 0, 0
    for rendered in film(seed, motion, seed, (384, 288)):
        detection = tracker(rendered.frame)
        if detection is None:
            continue
        found += 1
        both = (detection.confidence[p.BODY] > 0) & (rendered.confidence[p.BODY] > 0)
        errors.append(np.linalg.norm(detection.xy[p.BODY] - rendered.xy[p.BODY], axis=1)[both].mean())
        shoulders = [xy[p.LEFT_SHOULDER, 0] - xy[p.RIGHT_SHOULDER, 0] for xy in (detection.xy, rendered.xy)]
        swapped += rendered.confidence[p.NOSE] == 1 and abs(shoulders[1]) > 25 and shoulders[0] * shoulders[1] < 0
    tracker.close()
    assert found >= 0.95 * len(motion)
    assert np.median(errors) < 0.025 * 0.72 * 384, "2.5 % of the person's height"
    assert swapped <= 0.03 * len(motion)


def at_twice_the_size(scene: Scene) -> Scene:
    camera = scene.camera
    centre = Similarity.resized(2).of_points(camera.centre_xy).tolist()
    larger = replace(camera, focal=2 * camera.focal, centre_xy=(centre[0], centre[1]))
    height, width = (2 * side for side in scene.size_hw)
    return replace(scene, camera=larger, size_hw=(height, width), background=np.zeros((height, width, 3), np.uint8))


def test_the_same_person_at_twice_the_size_stands_in_the_same_place() -> None:
    scene = make_scene(1, SIZE)
    small, large = (next(iter(render(make_person(4), standing(), one))) for one in (scene, at_twice_the_size(scene)))
    halved = cv2.resize(large.matte, SIZE[::-1], interpolation=cv2.INTER_AREA)
    middles = [[moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]]
               for moments in map(cv2.moments, (small.matte, halved))]  # fmt: skip
    np.testing.assert_allclose(middles[0], middles[1], atol=0.08)
    np.testing.assert_allclose(Similarity.resized(2).of_points(small.xy), large.xy, atol=1e-3)


def test_rooms_are_painted_where_the_camera_sees_them() -> None:
    """At twice the size first: pixel x of the picture is made of 2 x and 2 x + 1."""
    camera = make_scene(1, SIZE).camera
    canvas = _Canvas(camera, SIZE)
    for row, column in ((100, 60), (250, 200)):
        quarters = canvas.rays[2 * row : 2 * row + 2, 2 * column : 2 * column + 2].reshape(-1, 3)
        seen = camera.project(camera.position + 3 * quarters)[:, :2].mean(axis=0)
        np.testing.assert_allclose(seen, (column, row), atol=0.01)
    corners = np.array([(-0.4, 0.6, 0.0), (0.4, 0.6, 0.0), (0.4, 1.4, 0.0), (-0.4, 1.4, 0.0)])
    canvas.polygon(corners, (255, 255, 255))
    moments = cv2.moments(cv2.resize(canvas.image[..., 0], SIZE[::-1], interpolation=cv2.INTER_AREA))
    painted = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    exact = cv2.moments(camera.project(corners)[:, None, :2])
    np.testing.assert_allclose(painted, (exact["m10"] / exact["m00"], exact["m01"] / exact["m00"]), atol=0.1)


def test_labels_are_of_the_same_pixels_as_parts_and_change_sides_with_the_person():
    """Hands, shoes, hair and clothes lie where the body's parts say; the left hand is on the person's left."""
    person, scene = make_person(2), make_scene(1, (256, 160))
    shown = next(render(person, choreography(1, 0.1, 30), scene))
    assert ((shown.labels > 0) == (shown.parts > 0)).all()
    for label, part in (("left hand", "left hand"), ("right shoe", "right foot")):
        assert ((shown.labels == LABEL[label]) == (shown.parts == PART[part])).all()
    trunk = shown.labels[shown.parts == PART["torso"]]
    assert set(np.unique(trunk)) <= {LABEL["upper clothes"], LABEL["pants"], LABEL["skirt"]}
    head = shown.labels[shown.parts == PART["face"]]
    assert set(np.unique(head)) == {LABEL["face"], LABEL["hair"]}
    columns = {side: np.nonzero(shown.labels == LABEL[f"{side} shoe"])[1].mean() for side in ("left", "right")}
    assert columns["left"] > columns["right"]  # who faces the camera has the left on the picture's right
