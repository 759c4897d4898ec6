"""A skirt is found out by what closes the gap between parted legs, and is not torn when a dance parts them more."""

import itertools

import cv2
import numpy as np
import pytest

from tiny import STANDING
from understudy.conditioning import limb_warps as warps
from understudy.poses.pose import LEFT_HIP, LEFT_KNEE, LEFT_SHOULDER, RIGHT_HIP, RIGHT_KNEE, RIGHT_SHOULDER, Pose
from understudy.recipes import limb_warp
from understudy.recipes.parts.hanging_cloth import THIGHS_AND_SHINS, depths, facing_alike, hanging
from understudy.recipes.parts.wardrobe import Wanted, Wardrobe

SIZE = 128
SKIN, CLOTH = (200, 150, 120, 255), (40, 60, 200, 255)


def figure(stride):
    """One frame of the standing figure, its knees and ankles moved outwards by shares of the picture's side."""
    xy = STANDING.copy()
    for knee, ankle, side in ((9, 10, -1), (12, 13, 1)):
        xy[knee] += (side * stride / 2, 0)
        xy[ankle] += (side * stride, 0)
    return Pose.from_openpose18((xy[None] * SIZE).astype(np.float32), np.ones((1, 18), np.float32), (SIZE, SIZE))


def worn(pose, skirt):
    """(SIZE, SIZE, 4): skin-coloured legs under a blue trunk, and a blue skirt to below the knees."""
    joints = pose.openpose18()[0][0]
    picture = np.zeros((SIZE, SIZE, 4), np.uint8)
    for colour, width, chain in (
        (SKIN, 9, (8, 9, 10)), (SKIN, 9, (11, 12, 13)), (CLOTH, 20, (1, 8)), (CLOTH, 20, (1, 11)), (SKIN, 12, (1, 0)),
    ):  # fmt: skip
        for a, b in itertools.pairwise(chain):
            cv2.line(picture, *(tuple(round(float(v)) for v in joints[joint]) for joint in (a, b)), colour, width)
    if skirt:
        right, left = (joints[knee] + 0.2 * (joints[ankle] - joints[knee]) for knee, ankle in ((9, 10), (12, 13)))
        outline = [joints[8] - (5, 4), joints[11] - (-5, 4), left - (-8, 0), right - (8, 0)]
        cv2.fillConvexPoly(picture, np.rint(outline).astype(np.int32), CLOTH)
    return picture


def points_of(pose):
    return warps.with_made_up_points(pose.xy, pose.confidence)[0][0]


def people(skirt, strides=(0.08, 0.1, 0.12, 0.14, 0.16)):
    return [(worn(figure(stride), skirt), points_of(figure(stride))) for stride in strides]


def wardrobe(skirt):
    dancing = [figure(stride) for stride in (0.08, 0.1, 0.12, 0.14, 0.16)]
    kept = Pose(np.concatenate([pose.xy for pose in dancing]), np.ones((5, 133), np.float32), (SIZE, SIZE))
    return Wardrobe(limb_warp.Config(size=SIZE), kept, {n: worn(pose, skirt) for n, pose in enumerate(dancing)})


def test_cloth_goes_from_leg_to_leg_where_both_are_seen_and_nothing_else_does():
    points, seen = points_of(figure(0.16)), np.ones(141, bool)
    wanted = wardrobe(skirt=True).wanted(points, seen)

    def area(parts, hangs):
        return float(wanted.outline(parts, hangs).within.sum())

    assert area(THIGHS_AND_SHINS, True) > 1.1 * area(THIGHS_AND_SHINS, False)
    assert area(THIGHS_AND_SHINS[:3], True) == area(THIGHS_AND_SHINS[:3], False)


def test_a_skirt_is_told_from_trousers_by_the_gap_between_the_legs():
    cloth = hanging(people(skirt=True))
    assert cloth is not None and cloth.hem == pytest.approx(1.15, abs=0.1)
    assert cloth.bare.shape == (2,) and (cloth.bare > 0).all()
    assert hanging(people(skirt=False)) is None


def test_of_legs_that_never_part_and_of_nobody_nothing_is_known():
    assert hanging(people(skirt=True, strides=(-0.04,) * 5)) is None
    assert hanging([]) is None


@pytest.mark.parametrize(("skirt", "opaque"), [(True, True), (False, False)])
def test_a_skirt_is_whole_between_legs_farther_apart_than_they_were(skirt, opaque):
    wide = figure(0.24)
    clothes, wanted = wardrobe(skirt), points_of(wide)
    seen = warps.with_made_up_points(wide.xy, wide.confidence)[1][0]
    shown, filmed, _ = clothes.dressed(0, clothes.wanted(wanted, seen))
    for down in (0.5, 0.9):
        places = [wanted[hip] + down * (wanted[knee] - wanted[hip]) for hip, knee in _THIGHS]
        x, y = np.rint(np.mean(places, axis=0)).astype(int)
        if opaque:
            assert np.abs(shown[y, x] - CLOTH).max() < 12 and filmed[y, x] > 0.9
        else:
            assert shown[y, x, 3] < 128 or down == 0.5  # where trousers meet
    x, y = np.rint(wanted[15] * 0.9 + wanted[13] * 0.1).astype(int)  # just above an ankle
    assert np.abs(shown[y, x] - SKIN).max() < 25


def test_cloth_follows_the_hips_and_not_shoulders_that_tilt():
    clothes, pose = wardrobe(skirt=True), figure(0.12)
    wanted, seen = (values[0] for values in warps.with_made_up_points(pose.xy, pose.confidence))
    tilted = wanted.copy()
    tilted[[RIGHT_SHOULDER, LEFT_SHOULDER], 1] += (-0.06 * SIZE, 0.06 * SIZE)
    near = clothes.nearness(wanted)  # of the same outlines, so that the transforms alone differ
    level, other = (
        clothes.dressed(0, Wanted(clothes.config, clothes.thickness, clothes.grid, points, seen, near))[0]
        for points in (wanted, tilted)
    )
    hem = slice(round(0.6 * SIZE), round(0.78 * SIZE))
    assert np.abs(level[hem] - other[hem]).max() < 12
    chest = slice(round(0.32 * SIZE), round(0.45 * SIZE))
    assert np.abs(level[chest] - other[chest]).max() > 20


_THIGHS = ((RIGHT_HIP, RIGHT_KNEE), (LEFT_HIP, LEFT_KNEE))


def test_depth_grows_from_hips_to_ankles_between_the_legs_too():
    points = points_of(figure(0.0))
    middle = np.stack([points[[a, b]].mean(axis=0) for a, b in ((12, 11), (14, 13), (16, 15))])[None]
    seen = np.ones(len(warps.PARTS), bool)
    np.testing.assert_allclose(depths(points, seen, middle)[0], (0, 1, 2), atol=0.15)
    seen[6:] = False
    assert not depths(points, seen, middle).any()


def test_a_skirt_seen_from_behind_keeps_its_outer_side_outside():
    front, behind = points_of(figure(0.1)), points_of(figure(0.1).sides_exchanged())
    assert facing_alike(front, front) is front
    np.testing.assert_array_equal(facing_alike(front, behind)[[LEFT_KNEE, RIGHT_HIP]], front[[RIGHT_KNEE, LEFT_HIP]])
