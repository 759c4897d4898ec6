from dataclasses import replace

import cv2
import numpy as np
import pytest

from understudy.media.squares import cut
from understudy.poses import pose as p
from understudy.poses.pose import Pose
from understudy.tracking.crop import MARGIN, crop_of, dancing_square, person_square

SIZE_HW = (400, 600)


def standing(frames=40, x=300.0, top=100.0, height=200.0):
    """A person with arms down, as 17 joints; nose at `top`, ankles `height` below."""
    xy = np.zeros((frames, p.POINTS, 2), np.float32)
    confidence = np.zeros((frames, p.POINTS), np.float32)
    places = {
        p.NOSE: (0, 0), p.LEFT_EAR: (0.05, 0), p.RIGHT_EAR: (-0.05, 0),
        p.LEFT_SHOULDER: (0.1, 0.15), p.RIGHT_SHOULDER: (-0.1, 0.15), p.LEFT_ELBOW: (0.12, 0.35),
        p.RIGHT_ELBOW: (-0.12, 0.35), p.LEFT_WRIST: (0.13, 0.5), p.RIGHT_WRIST: (-0.13, 0.5), p.LEFT_HIP: (0.07, 0.5),
        p.RIGHT_HIP: (-0.07, 0.5), p.LEFT_KNEE: (0.07, 0.75), p.RIGHT_KNEE: (-0.07, 0.75), p.LEFT_ANKLE: (0.07, 1),
        p.RIGHT_ANKLE: (-0.07, 1),
    }  # fmt: skip
    for point, (right, down) in places.items():
        xy[:, point] = x + right * height, top + down * height
        confidence[:, point] = 1
    return Pose(xy, confidence, SIZE_HW)


def test_the_square_holds_head_hands_and_feet_with_a_margin():
    left, top, side = person_square(standing())
    assert top < 100 - 0.15 * 200 * 0.6  # the top of the head is above the nose
    assert top + side > 300 + 0.05 * 200  # the feet are below the ankles
    assert left + side / 2 == pytest.approx(300, abs=2)
    assert 200 * 1.15 < side < 200 * (1 + 0.5)


def test_outstretched_hands_lie_within_the_square_though_their_points_are_not_tracked():
    poses = standing()
    for elbow, wrist, side in ((p.LEFT_ELBOW, p.LEFT_WRIST, 1), (p.RIGHT_ELBOW, p.RIGHT_WRIST, -1)):
        poses.xy[:, elbow], poses.xy[:, wrist] = (300 + side * 75, 130), (300 + side * 130, 130)
    left, _, side = person_square(poses)
    assert left < 300 - 130 - 0.7 * 55 and left + side > 300 + 130 + 0.7 * 55


@pytest.mark.parametrize("x", [301.0, 302.0, 303.5])
@pytest.mark.parametrize("height", [3.0, 37.0, 201.0])
def test_squares_can_be_halved_twice_and_are_never_tiny(x, height):
    square = person_square(standing(x=x, height=height))
    assert all(length % 4 == 0 for length in square)
    assert square[2] >= 16


def test_a_wandering_person_is_held_throughout():
    poses = standing(100)
    poses.xy[..., 0] += np.linspace(-150, 150, 100)[:, None]
    left, _, side = person_square(poses)
    assert left < 150 - 26
    assert left + side > 450 + 26
    assert side == pytest.approx((300 + 2 * 26) * (1 + MARGIN), rel=0.05)


def test_one_wild_frame_in_a_long_clip_does_not_widen_it():
    poses = standing(400)
    usual = person_square(poses)
    poses.xy[7, p.LEFT_WRIST] = 590, 20
    assert person_square(poses) == usual


def test_frames_and_points_that_are_not_seen_do_not_count():
    poses = standing()
    poses.xy[3] = 0
    poses.confidence[3] = 0
    poses.xy[:, p.LEFT_HAND] = 590
    assert person_square(poses) == person_square(standing())


def test_what_lies_beyond_the_picture_does_not_count():
    poses = standing(top=-20.0, height=400.0)
    _, top, side = person_square(poses)
    assert top < 0
    assert side < (380 + 20) * (1 + MARGIN) + 4


def test_a_photograph_has_room_for_arms_that_hang_in_it():
    poses = standing(1)  # the trunk is 70 long, the arms are raised to 1.5 times that
    left, top, side = dancing_square(poses)
    assert top < 130 - 1.5 * 70 and top + side > 200 + 1.8 * 70
    assert left < 280 - 1.5 * 70 and left + side > 320 + 1.5 * 70
    assert 0.62 < 240 / side < 0.78  # of 240 from hair to soles


def test_the_room_about_a_photograph_ends_with_the_picture():
    poses = replace(standing(1, x=110.0, top=15.0, height=360.0), size_hw=(400, 220))
    assert 400 <= dancing_square(poses)[2] <= 400 * 1.1 + 4


def test_a_point_that_is_hardly_seen_gives_no_room():
    usual = dancing_square(standing(1))
    poses = standing(1)
    poses.xy[:, p.LEFT_ANKLE], poses.confidence[:, p.LEFT_ANKLE] = (20, 20), 0.02
    assert dancing_square(poses)[2] <= usual[2]


def test_whoever_crouches_can_stand_up():
    """Trunk and thighs point at the camera; the shins say how long they are."""
    poses = standing(1)
    for point in range(p.LEFT_KNEE):
        poses.xy[0, point, 1] = 180 + 0.4 * (poses.xy[0, point, 1] - 100)
    _, top, side = dancing_square(poses)
    assert top < 300 - 240 and top + side > 300


def test_a_head_alone_is_a_photograph_too():
    poses = standing(1)
    poses.confidence[:, p.LEFT_SHOULDER :] = 0
    left, top, side = dancing_square(poses)
    assert left < 290 and left + side > 310 and top < 100 < top + side


@pytest.mark.parametrize("square", [person_square, dancing_square])
def test_nobody_is_a_mistake(square):
    poses = standing(1)
    poses.confidence[:] = 0
    with pytest.raises(ValueError, match="nothing to centre on"):
        square(poses)


@pytest.mark.parametrize(
    ("square", "size"),
    [((10, 20, 64), 64), ((-30, 40, 200), 64), ((100, 50, 60), 128), ((5, 9, 333), 32)],
    ids=["one to one", "beyond the edge", "enlarged", "much smaller"],
)
def test_the_crop_says_where_a_pixel_of_the_picture_lands(square, size):
    frame = np.zeros((260, 400), np.uint8)
    x, y = square[0] + square[2] // 2 + 3, square[1] + square[2] // 2 - 5
    cv2.circle(frame, (x, y), max(2, square[2] // 20), 255, -1)
    working = cut(frame, square, size).astype(float)
    rows, columns = np.mgrid[:size, :size]
    found = np.array([(working * columns).sum(), (working * rows).sum()]) / working.sum()
    crop = crop_of(square, size)
    expected = np.array([x, y]) * crop.scale + crop.translation_xy
    np.testing.assert_allclose(found, expected, atol=0.12)
