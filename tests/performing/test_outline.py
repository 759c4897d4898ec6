"""Where the driver is in his picture, whole, and what stands before him."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from filmed_shot import HIGH, SIZE_HW, WORKING, shot
from understudy.performing.outline import Outlines, around, trunk_length


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    return shot(tmp_path_factory.mktemp("shot"), frames=8, lost=(6,))


def whole(outline, which):
    """(H, W) of the picture."""
    picture = np.zeros(SIZE_HW, np.uint8)
    picture[outline.box] = getattr(outline, which)
    return picture


def test_it_covers_the_whole_person_and_not_the_whole_room(filmed):
    outlines = Outlines(filmed.performance)
    for moment, matte in enumerate(around(filmed.performance.mattes())):
        outline = outlines.of(moment, matte)
        if moment == 6:  # nobody was found
            assert outline is None
            continue
        widened = whole(outline, "widened") > 0
        assert widened[filmed.people[moment]].all()
        assert (whole(outline, "person") > 0)[filmed.people[moment]].mean() > 0.97
        assert widened.mean() < 4 * filmed.people[moment].mean()
        assert outline.before is None
        small = outlines.small(outlines.of(moment, matte), (72, 96))
        assert (cv2.resize(small, SIZE_HW[::-1], interpolation=cv2.INTER_NEAREST) > 0)[widened].mean() > 0.99


def test_a_limb_that_the_matte_misses_is_the_persons_all_the_same(filmed):
    outlines = Outlines(filmed.performance)
    matte = next(iter(filmed.performance.mattes()))
    without = matte.copy()
    without[:, : int(WORKING * 0.24)] = 0  # an arm
    assert (whole(outlines.of(0, without), "person") > 0)[filmed.people[0]].mean() > 0.85
    alone = Outlines(filmed.performance)
    alone._by_pose_alone = True  # as without a matte, which says nothing of where he is
    assert (whole(alone.of(0, np.full_like(matte, 255)), "widened") > 0)[filmed.people[0]].mean() > 0.97


def test_what_hides_the_legs_stands_before_them(filmed):
    outlines = Outlines(filmed.performance)
    matte = next(iter(filmed.performance.mattes()))
    crop = filmed.performance.header.crop
    low, high = (int(crop.of_points([0.0, 22 + share * HIGH])[1]) for share in (0.6, 0.78))
    table = matte.copy()
    table[low:high] = 0
    outline = outlines.of(0, table)
    assert outline.before is not None
    shown = whole(outline, "before") > 250
    rows = slice(round(22 + 0.63 * HIGH), round(22 + 0.75 * HIGH))
    legs = filmed.people[0][rows]
    assert shown[rows][legs].mean() > 0.6 and (whole(outline, "before") > 60)[rows][legs].mean() > 0.85
    assert not shown[: round(22 + 0.5 * HIGH)].any()
    assert not (whole(outline, "widened") > 0)[rows][legs & shown[rows]].any()
    fault = matte.copy()
    fault[low : low + 2, :20] = 0  # a few pixels are a fault of the matte
    assert outlines.of(0, fault).before is None


def test_mattes_beside_count_too():
    one = [np.full((2, 2), level, np.uint8) for level in (0, 9, 3, 1)]
    assert [int(matte[0, 0]) for matte in around(iter(one))] == [9, 9, 9, 3]
    assert not list(around(iter([]))) and len(list(around(iter(one[:1])))) == 1


def test_the_trunk_is_measured_where_it_is_seen(filmed):
    poses = filmed.performance.poses
    assert trunk_length(poses) == pytest.approx(0.25 * HIGH * filmed.performance.header.crop.scale, rel=0.1)
    assert trunk_length(replace(poses, confidence=0 * poses.confidence)) == WORKING / 5
