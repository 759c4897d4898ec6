"""Whose a colour is: learnt from what is surely a part's, unknown where nothing is."""

import numpy as np
import pytest

from understudy.conditioning.limb_warps import GROUPS, PARTS
from understudy.recipes.parts.limb_colours import LEAST, OTHER_SIDE, UNKNOWN, LimbColours

SHIRT, SKIN, GREEN = (200, 30, 80), (205, 160, 130), (30, 200, 40)
TRUNK, FOREARM, SHIN = 0, [part.name for part in PARTS].index("right forearm"), 7
SIDE = 40


def parted(colour_of_arm=SKIN, noise=4):
    """Trunk above, forearm below, and between the two a strip of which nothing is sure."""
    random = np.random.default_rng(0)
    picture = np.full((SIDE, SIDE, 4), 255, np.uint8)
    picture[:20, :, :3], picture[20:, :, :3] = SHIRT, colour_of_arm
    picture[..., :3] = np.clip(picture[..., :3] + random.normal(0, noise, (SIDE, SIDE, 3)), 0, 255)
    near = np.full((len(PARTS), SIDE, SIDE), 9, np.float32)
    down = np.arange(SIDE, dtype=np.float32)[:, None] / 10
    near[TRUNK], near[FOREARM] = down, 3.9 - down
    return picture, near


def likely(colours, colour, part, group):
    """Of one pixel, to which `part` is the nearest one of its group."""
    near = np.full((len(PARTS), 1, 1), 9, np.float32)
    near[part] = 0
    return float(colours.log_likelihoods(np.array([[[*colour, 255]]], np.uint8), near)[group][0, 0])


def test_a_colour_is_likelier_where_it_was_seen():
    colours = LimbColours([parted()])
    for colour, part, other in (
        (SHIRT, (TRUNK, "trunk"), (FOREARM, "right arm")),
        (SKIN, (FOREARM, "right arm"), (TRUNK, "trunk")),
    ):
        assert likely(colours, colour, *part) - likely(colours, colour, *other) > 3
    never = likely(colours, GREEN, TRUNK, "trunk"), likely(colours, GREEN, FOREARM, "right arm")
    assert never[0] == pytest.approx(never[1]) == pytest.approx(np.log(UNKNOWN / (12 * 32 * 32)), rel=1e-3)


def test_what_has_the_same_colour_is_not_told_apart():
    colours = LimbColours([parted(SHIRT)])
    assert abs(likely(colours, SHIRT, TRUNK, "trunk") - likely(colours, SHIRT, FOREARM, "right arm")) < 0.3


def test_what_was_hardly_seen_is_not_known():
    picture, near = parted()
    colours = LimbColours([(picture, near)])
    assert colours.known.nonzero()[0].tolist() == [TRUNK, FOREARM, OTHER_SIDE[FOREARM]]
    assert np.isnan(likely(colours, SKIN, SHIN, "right leg"))
    assert set(colours.log_likelihoods(picture, near)) == set(GROUPS)
    picture[20:, LEAST // 7 - 2 :, 3] = 0  # seven rows are surely the arm's
    assert colours.known[FOREARM] and not LimbColours([(picture, near)]).known[FOREARM]


def test_pixels_between_two_parts_teach_nothing():
    """Those near the middle, and those of the arm that lie beside the trunk's line, are green."""
    picture, near = parted()
    unsure = (near[TRUNK] > 0.75) & (near[FOREARM] > 0.75)
    picture[unsure, :3] = GREEN
    colours = LimbColours([(picture, near)])
    assert likely(colours, GREEN, TRUNK, "trunk") == pytest.approx(np.log(UNKNOWN / (12 * 32 * 32)), rel=1e-3)
    crossed = near.copy()
    crossed[TRUNK] = 0.5  # an arm before the trunk: both are near
    assert LimbColours([(picture, crossed)]).known.nonzero()[0].tolist() == [TRUNK]


def test_the_usual_colour_of_a_group_is_that_of_its_nearest_part():
    picture, near = parted(noise=0)
    colours = LimbColours([(picture, near)])
    assert np.abs(colours.usual(near, "trunk") - SHIRT).max() < 1
    arm = colours.usual(near, "right arm")  # of its upper part nothing is known
    assert arm.shape == (SIDE, SIDE, 3) and np.abs(arm - SKIN).max() < 1
    upper, hand = picture.copy(), near.copy()
    upper[:20, :, :3], hand[TRUNK], hand[FOREARM - 1] = GREEN, 9, near[TRUNK]
    both = LimbColours([(picture, near), (upper, hand)])
    assert np.abs(both.usual(hand, "right arm")[0] - GREEN).max() < 1
    assert np.abs(both.usual(hand, "right arm")[-1] - SKIN).max() < 1


def test_what_one_side_hardly_shows_the_other_says_too():
    names = [part.name for part in PARTS]
    for part, other in enumerate(OTHER_SIDE):
        swapped = names[part].replace("right", "?").replace("left", "right").replace("?", "left")
        assert names[other] == swapped
    picture, near = parted()
    picture[27:, :, 3] = 0  # of the right forearm too little is left
    left = near.copy()
    left[OTHER_SIDE[FOREARM]], left[FOREARM] = near[FOREARM], 9
    full = parted()[0]
    assert not LimbColours([(picture, near)]).known[[FOREARM, OTHER_SIDE[FOREARM]]].any()
    both = LimbColours([(picture, near), (full, left)])
    assert both.known[[FOREARM, OTHER_SIDE[FOREARM]]].all()
    assert likely(both, SKIN, FOREARM, "right arm") - likely(both, SKIN, TRUNK, "trunk") > 3


def test_parts_are_told_apart_at_twice_the_grids_size():
    """Numbers of parts are no quantities: between a thigh and a foot there is no shin."""
    thigh, foot = 6, 8
    picture, near = parted(noise=0)
    legs = np.full_like(near, 9)
    legs[thigh], legs[foot] = near[TRUNK], near[FOREARM]
    colours = LimbColours([(picture, legs)])
    large = picture.repeat(2, axis=0).repeat(2, axis=1)
    found = colours.log_likelihoods(large, legs)["right leg"]
    assert found.shape == (2 * SIDE, 2 * SIDE) and (found > np.log(UNKNOWN / 99)).all()
