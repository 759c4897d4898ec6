"""Turned squares: where their points lie, what they show, and when one stands for another."""

import math

import numpy as np
import pytest

from understudy.tracking.regions import (
    RIGHT_ANGLE,
    Likeness,
    Region,
    around_pair,
    bounding,
    direction,
    resembles,
    wrapped,
)


def gradient(height=40, width=60):
    """What lies right is redder by 4 a pixel, what lies low is greener by 5."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = 4 * np.arange(width)
    picture[..., 1] = 5 * np.arange(height)[:, None]
    return picture


def test_shares_and_points_turn_into_each_other():
    region = Region(100, 50, 40, 20, RIGHT_ANGLE)  # turned clockwise: its own right is the picture's down
    np.testing.assert_allclose(region.to_picture(np.array([[0.5, 0.5], [1.0, 0.5]])), [[100, 50], [100, 70]], atol=1e-9)
    points = np.array([[3.0, 4.0], [100.0, 61.0]])
    np.testing.assert_allclose(region.to_picture(region.to_shares(points)), points)


def test_the_whole_picture_is_shown_as_it_is():
    picture = gradient()
    whole = Region(30, 20, 60, 40)
    np.testing.assert_allclose(whole.cut(picture, (60, 40), "black") * 255, picture, atol=1e-3)
    low = whole.cut(picture, (60, 40), "black", low=-1)
    np.testing.assert_allclose((low + 1) * 127.5, picture, atol=1e-3)
    mask = np.random.default_rng(0).integers(0, 256, (40, 60), np.uint8)
    np.testing.assert_array_equal(whole.laid_back(mask, (40, 60)), mask)


@pytest.mark.parametrize(("middle", "off"), [(0.5, 0.0), (0.0, 0.25)])
def test_a_pixel_of_the_crop_is_read_at_its_middle(middle, off):
    """Half as large: pixel 0 covers 0 to 2 of the picture, and what lies there is pixels 0 and 1 in equal shares."""
    picture = gradient()
    half = Region(30, 20, 60, 40).cut(picture, (30, 20), "nearest", middle=middle) * 255
    expected = 4 * (2 * np.arange(30) + 0.5)
    np.testing.assert_allclose(half[10, :, 0], expected - 8 * off, atol=0.51)


def test_beyond_the_picture_it_is_black_or_goes_on():
    picture = np.full((20, 20, 3), 200, np.uint8)
    beside = Region(30, 10, 20, 20)
    assert not beside.cut(picture, (8, 8), "black")[:, 2:].any()
    np.testing.assert_allclose(beside.cut(picture, (8, 8), "nearest"), 200 / 255, atol=1e-6)


def test_a_mask_is_laid_where_it_was_cut():
    region = Region(50, 60, 40, 40, 0.4)
    laid = region.laid_back(np.full((64, 64), 255, np.uint8), (100, 120)) > 127
    y, x = np.nonzero(laid)
    assert (x.mean() + 0.5, y.mean() + 0.5) == pytest.approx((50, 60), abs=0.2)
    assert laid.sum() == pytest.approx(1600, rel=0.03)


def test_directions():
    up, right = (np.array([0.0, 0.0]), np.array([0.0, -5.0])), (np.array([0.0, 0.0]), np.array([5.0, 0.0]))
    assert direction(*up, RIGHT_ANGLE) == pytest.approx(0)
    assert direction(*right, RIGHT_ANGLE) == pytest.approx(RIGHT_ANGLE), "turned clockwise by a right angle"
    assert direction(*right, 0.0) == pytest.approx(0)
    assert wrapped(math.pi) == pytest.approx(-math.pi) and wrapped(-4.0) == pytest.approx(2 * math.pi - 4)
    region = around_pair(np.array([10.0, 20.0]), np.array([10.0, 16.0]), 1.25, 0.0)
    assert (region.x, region.y, region.width) == (10, 20, 10)


def test_a_square_is_shifted_along_its_own_down_axis():
    moved = Region(10, 20, 4, 8, RIGHT_ANGLE).shifted_square(0.5, 2)
    assert (moved.x, moved.y, moved.width, moved.height) == pytest.approx((6, 20, 16, 16))


def test_boxes_about_points():
    points = np.array([[1.0, 2.0], [5.0, 10.0]])
    box = bounding(points, 0.3)
    assert (box.x, box.y, box.width, box.height, box.rotation) == (3, 6, 4, 8, 0.3)
    diagonal = bounding(np.array([[0.0, 0.0], [2.0, 2.0], [1.0, 1.0]]), math.pi / 4, turned=True)
    assert (diagonal.x, diagonal.y) == pytest.approx((1, 1))
    assert (diagonal.width, diagonal.height) == pytest.approx((8**0.5, 0), abs=1e-9)


@pytest.mark.parametrize(
    ("one", "same"),
    [
        (Region(102, 100, 50, 50, 0.1), True),
        (Region(120, 100, 50, 50, 0.0), False),
        (Region(100, 100, 80, 80, 0.0), False),
        (Region(100, 100, 50, 50, 2 * math.pi - 0.1), True),
        (Region(100, 100, 50, 50, 1.0), False),
    ],
)
def test_what_stands_for_another(one, same):
    inside = np.array([[90.0, 95.0], [110.0, 120.0]])
    assert resembles(one, Region(100, 100, 50, 50), inside, Likeness(0.5, 0.2, 0.4, 0.9)) is same
    outside = np.array([[124.0, 100.0]])
    assert not resembles(one, Region(100, 100, 50, 50), outside, Likeness(0.5, 0.2, 0.4, 0.9))
