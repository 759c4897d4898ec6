"""Boxes that follow a person: nothing is cut, they are tight, calm, and alike for who is learnt and who is played."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from understudy.poses.pose import BODY, FACE, FEET, LEFT_ANKLE, LEFT_HAND, LEFT_WRIST, RIGHT_ANKLE, RIGHT_HAND
from understudy.retargeting.person_box import Boxes, person_boxes, shown_points
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import landmark_paths, render
from understudy.synthetic.scene import make_scene

FPS = Fraction(12)
LEGS = [13, 14, 15, 16, *range(FEET.start, FEET.stop)]


def coming_closer(seed: int, seconds: float):
    """A dance that is carried across the floor and towards the camera."""
    motion = choreography(seed, seconds, FPS)
    path = motion.path.copy()
    path[:, 0] += np.linspace(-0.7, 0.7, len(path))
    path[:, 2] += np.linspace(-1.5, 0.5, len(path))
    return dataclasses.replace(motion, path=path)


@pytest.fixture(scope="module")
def danced():
    """Points (T, 133, 2) and whether each is in the picture (T, 133)."""
    xy = landmark_paths(make_person(3), choreography(3, 6, FPS), make_scene(3, (256, 192)))
    return xy.astype(np.float64), np.ones(xy.shape[:2], bool)


def share_outside(boxes: Boxes, mattes: np.ndarray) -> float:
    y, x = np.mgrid[: mattes.shape[1], : mattes.shape[2]]
    outside = 0.0
    for (cx, cy), height, matte in zip(boxes.centre_xy, boxes.height, mattes, strict=True):
        away = (np.abs(x - cx) > height * boxes.aspect / 2) | (np.abs(y - cy) > height / 2)
        outside += float(matte[away].sum())
    return outside / float(mattes.sum())


def filled(boxes: Boxes, mattes: np.ndarray) -> float:
    """Mean share of the box that the person spans along the side that is fuller."""
    spans = []
    for height, matte in zip(boxes.height, mattes, strict=True):
        rows, columns = np.nonzero(matte > 30)
        spans.append(max(np.ptp(rows) + 1, (np.ptp(columns) + 1) / boxes.aspect) / height)
    return float(np.mean(spans))


@pytest.mark.parametrize("body_only", [False, True], ids=["all points", "body joints"])
@pytest.mark.parametrize("aspect", [0.5, 1.0])
def test_nothing_is_cut_and_little_is_wasted(filmed, body_only: bool, aspect: float) -> None:
    xy, seen, mattes = filmed
    if body_only:
        seen = seen.copy()
        seen[:, BODY.stop :] = False
    boxes = person_boxes(xy, seen, FPS, aspect)
    assert share_outside(boxes, mattes) < 0.001
    assert filled(boxes, mattes) > 0.75


@pytest.fixture(scope="module")
def filmed():
    """Two made-up people, one of whom crosses the floor and comes closer: points, seen, exact mattes."""
    frames = [
        rendered
        for seed, motion in ((2, choreography(52, 2, FPS)), (5, coming_closer(55, 3)))
        for rendered in render(make_person(seed), motion, make_scene(seed, (192, 144)))
    ]
    xy, confidence = np.stack([one.xy for one in frames]), np.stack([one.confidence for one in frames])
    return xy, confidence > 0.1, np.stack([one.matte for one in frames])


def test_boxes_move_calmly(danced) -> None:
    xy, seen = danced
    shaken = xy + np.random.default_rng(0).normal(0, 1.5, xy.shape)
    boxes = person_boxes(shaken, seen, FPS, 0.5)
    across, high = np.ptp(shaken, axis=1).T
    raw = np.maximum(high, across / 0.5)

    def restlessness(values: np.ndarray) -> float:
        return float(np.abs(np.diff(values, 2)).mean())

    assert restlessness(boxes.height) < 0.5 * restlessness(raw)
    assert restlessness(boxes.centre_xy[:, 1]) < 0.5 * restlessness(shaken[:, BODY, 1].mean(1))


def test_boxes_scale_and_move_with_the_person(danced) -> None:
    xy, seen = danced
    boxes, moved = person_boxes(xy, seen, FPS, 0.5), person_boxes(2.5 * xy + [30, -7], seen, FPS, 0.5)
    np.testing.assert_allclose(moved.height, 2.5 * boxes.height)
    np.testing.assert_allclose(moved.centre_xy, 2.5 * boxes.centre_xy + [30, -7])


def test_frames_without_a_person_hold_the_nearest_box(danced) -> None:
    xy, seen = danced[0].copy(), danced[1].copy()
    seen[15:57] = False
    xy[15:57] = -1e5
    boxes = person_boxes(xy, seen, FPS, 0.5)
    whole = person_boxes(*danced, FPS, 0.5)
    np.testing.assert_allclose(boxes.height[22:29], boxes.height[22])  # half a second after and before the hold changes
    np.testing.assert_allclose(boxes.height[:9], whole.height[:9], rtol=0.05)
    assert whole.height.min() < boxes.height[22] < whole.height.max()


@pytest.mark.parametrize("frames", [0, 1, 7])
def test_a_clip_without_anybody_has_boxes_of_a_pixel(frames: int) -> None:
    boxes = person_boxes(np.zeros((frames, 133, 2)), np.zeros((frames, 133), bool), FPS, 0.5)
    assert len(boxes) == frames and (boxes.height == 1).all() and not boxes.centre_xy.any()
    assert boxes.to_box((256, 128)).shape == (frames, 2, 3)


def test_one_wild_joint_does_not_blow_up_the_box(danced) -> None:
    xy, seen = danced[0].copy(), danced[1]
    xy[30, LEFT_WRIST] += [900, 500]
    xy[50, LEFT_ANKLE] -= [0, 2000]
    boxes, whole = person_boxes(xy, seen, FPS, 0.5), person_boxes(*danced, FPS, 0.5)
    np.testing.assert_allclose(boxes.height, whole.height, rtol=0.25)


def test_joints_that_are_lost_for_a_while_keep_their_room(danced) -> None:
    xy, seen = danced[0].copy(), danced[1].copy()
    seen[24:48, LEGS] = False
    xy[24:48, LEGS] = 0
    boxes, whole = person_boxes(xy, seen, FPS, 0.5), person_boxes(*danced, FPS, 0.5)
    assert np.abs(boxes.height / whole.height - 1).mean() < 0.1
    np.testing.assert_allclose(boxes.height, whole.height, rtol=0.35)


def test_a_driver_without_legs_is_as_large_as_the_person_who_was_learnt(danced) -> None:
    xy, seen = danced
    half = seen.copy()
    half[:, LEGS] = False
    whole = person_boxes(xy, seen, FPS, 0.75)
    alone = person_boxes(xy, half, FPS, 0.75)
    alike = person_boxes(xy, half, FPS, 0.75, shown_points(seen))
    assert alone.height.mean() < 0.85 * whole.height.mean()
    assert alike.height.mean() == pytest.approx(whole.height.mean(), rel=0.12)


def test_a_driver_of_whom_more_is_seen_is_as_large_as_well(danced) -> None:
    xy, seen = danced
    half = seen.copy()
    half[:, LEGS] = False
    learnt = person_boxes(xy, half, FPS, 0.75)
    played = person_boxes(xy, seen, FPS, 0.75, shown_points(half))
    np.testing.assert_allclose(played.height, learnt.height, rtol=0.05)


def test_points_that_are_hardly_ever_seen_are_not_shown(danced) -> None:
    seen = danced[1].copy()
    seen[:, FACE] = False
    seen[3:, LEFT_HAND] = False
    seen[10:, RIGHT_HAND] = False
    seen[5:8] = False  # nobody there: these do not count
    shown = shown_points(seen)
    assert shown.shape == (133,) and shown[BODY].all() and shown[RIGHT_HAND].all()
    assert not shown[FACE].any() and not shown[LEFT_HAND].any()
    assert not shown_points(np.zeros((4, 133), bool)).any()


@pytest.mark.parametrize("joints", [range(5), [5, 6, 7, 9], [LEFT_ANKLE, RIGHT_ANKLE, 13]], ids=str)
def test_a_few_joints_are_enough(danced, joints) -> None:
    xy, some = danced[0], np.zeros_like(danced[1])
    some[:, list(joints)] = True
    boxes = person_boxes(xy, some, FPS, 0.5)
    points = xy[:, list(joints)]
    width = boxes.height * boxes.aspect
    assert (np.abs(points[..., 0] - boxes.centre_xy[:, None, 0]) <= width[:, None] / 2).all()
    assert (np.abs(points[..., 1] - boxes.centre_xy[:, None, 1]) <= boxes.height[:, None] / 2).all()


def test_transforms_put_edges_on_edges() -> None:
    boxes = Boxes(np.array([[9.5, 19.5], [50.0, 50.0]]), np.array([40.0, 10.0]), 0.5)
    transforms = boxes.to_box((80, 40))
    assert transforms.shape == (2, 2, 3) and transforms.dtype == np.float32
    first = transforms[0].astype(float)
    np.testing.assert_allclose(first @ [-0.5, -0.5, 1], [-0.5, -0.5])  # the box from 0 to 20 by 0 to 40 pixels
    np.testing.assert_allclose(first @ [19.5, 39.5, 1], [39.5, 79.5])
    np.testing.assert_allclose(transforms[1].astype(float) @ [50, 50, 1], [19.5, 39.5])
