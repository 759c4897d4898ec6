"""Light from one room to another: in the right direction, gently, and never beyond its bounds."""

import numpy as np
import pytest

from filmed_shot import room_of
from understudy.compositing.light import LEAST, MOST, MOST_COLOUR, MOST_LIFT, Light

ROOM = room_of((60, 80))


def test_the_same_room_changes_nothing():
    light = Light.from_to(ROOM, ROOM)
    np.testing.assert_allclose([*light.gain, *light.offset], [1, 1, 1, 0, 0, 0], atol=1e-6)
    cutout = np.full((8, 8, 4), 200, np.uint8)
    np.testing.assert_array_equal(light.on(cutout), cutout)


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.5])
def test_a_darker_room_makes_darker_and_a_brighter_one_brighter_but_by_less(factor):
    there = np.clip(ROOM * factor, 0, 255).astype(np.uint8)
    gain = np.array(Light.from_to(ROOM, there).gain)
    assert (np.abs(np.log(gain)) < abs(np.log(factor))).all()
    assert ((gain > 1) == (factor > 1)).all()


def test_a_warmer_room_makes_warmer():
    warm = np.clip(ROOM * (1.15, 1.0, 0.75), 0, 255).astype(np.uint8)
    red, green, blue = Light.from_to(ROOM, warm).gain
    assert red > green > blue


def test_whatever_the_rooms_are_it_stays_within_bounds():
    rng = np.random.default_rng(0)
    rooms = [np.full((9, 9, 3), colour, np.uint8) for colour in (0, 255, (255, 0, 0), (0, 0, 40))]
    rooms += [rng.integers(0, 256, (50, 50, 3), dtype=np.uint8), ROOM]
    for here in rooms:
        for there in rooms:
            light = Light.from_to(here, there)
            most = MOST_COLOUR**2
            assert all(LEAST / most <= gain <= MOST * most for gain in light.gain)
            assert all(abs(offset) <= MOST_LIFT * most for offset in light.offset)


def test_a_cutout_stays_one():
    rng = np.random.default_rng(1)
    alpha = rng.integers(0, 256, (30, 30, 1), dtype=np.uint8)
    cutout = np.concatenate([(rng.uniform(0, 1, (30, 30, 3)) * alpha).astype(np.uint8), alpha], axis=2)
    for light in (Light((1.3, 1.2, 1.1), (12, 12, 12)), Light((0.7, 0.8, 0.9), (-12, -12, -12))):
        lit = light.on(cutout)
        np.testing.assert_array_equal(lit[..., 3:], alpha)
        assert (lit[..., :3] <= alpha).all() and not lit[alpha[..., 0] == 0].any()
    opaque = np.full((2, 2, 4), (100, 100, 100, 255), np.uint8)
    assert Light((1.2, 1.0, 0.9), (0, 5, 0)).on(opaque)[0, 0].tolist() == [120, 105, 90, 255]
