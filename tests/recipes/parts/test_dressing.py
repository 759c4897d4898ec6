"""The part of a moment that shows the person, as the network is given it."""

import numpy as np
import pytest

from understudy.recipes.parts.boxes import Box
from understudy.recipes.parts.dressing import Dressing


def moment(side, shown=()):
    """Two sources of N = `side`; `shown` are rows and columns at which each of them shows something."""
    pictures = np.zeros((2, side, side, 4), np.float32)
    for source, (row, column) in enumerate(shown):
        pictures[source, row, column, 3] = 200
    places = np.arange(4 * side**2, dtype=np.float32).reshape(2, side, side, 2)
    coarse = np.arange((side // 2) ** 2, dtype=np.float32).reshape(1, side // 2, side // 2)
    return Dressing(np.arange(2), pictures, places, *(np.repeat(coarse, count, axis=0) for count in (2, 2, 3)))


def test_the_box_holds_what_any_source_shows_with_room_and_ends_at_multiples():
    box = moment(64, [(30, 20), (35, 41)]).person(3, 8, 128)
    assert box == Box(24, 16, 40, 48)  # 27..39 and 17..45, out to eights
    assert moment(64, [(1, 1), (62, 63)]).person(3, 8, 128) == Box(0, 0, 64, 64)
    assert moment(64).person(3, 8, 128) is None


def test_a_part_holds_the_same_place_of_every_kind():
    one = moment(64, [(30, 20), (35, 41)])
    part = one.part(Box(24, 16, 40, 48))
    assert part.pictures.shape == (2, 16, 32, 4) and part.places.shape == (2, 16, 32, 2)
    assert part.pictures[0, 6, 4, 3] == 200 and part.pictures[1, 11, 25, 3] == 200
    np.testing.assert_array_equal(part.places, one.places[:, 24:40, 16:48])
    np.testing.assert_array_equal(part.frames, one.frames)
    for kind, whole in ((part.filmed, one.filmed), (part.logits, one.logits), (part.pose, one.pose)):
        np.testing.assert_array_equal(kind, whole[:, 12:20, 8:24])


@pytest.mark.parametrize(("side", "large", "multiple"), [(48, 68, 16), (60, 120, 16)])
def test_where_no_box_is_whole_pixels_it_is_all_of_the_picture(side, large, multiple):
    assert moment(side, [(30, 20)]).person(3, multiple, large) == Box(0, 0, side, side)
