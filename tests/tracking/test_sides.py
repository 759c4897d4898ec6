"""What several people are called, and what is said of words that name nobody."""

import pytest

from understudy.errors import UsageError
from understudy.tracking.sides import called, check_sides, name_of, numbers_of


@pytest.mark.parametrize(
    ("sides", "count", "numbers"),
    [
        (["left", "right"], 2, [0, 1]),
        (["right", "left"], 2, [1, 0]),
        (["2", "1"], 2, [1, 0]),
        (["centre"], 3, [1]),
        (["right"], 3, [2]),
        (["centre", "4", "left"], 5, [2, 3, 0]),
        (["1"], 1, [0]),
    ],
)
def test_words_name_people_from_left_to_right(sides, count, numbers):
    assert numbers_of(sides, count, "duo.mp4") == numbers


@pytest.mark.parametrize(
    ("sides", "count", "said"),
    [
        (["left", "right"], 1, "`assign`: duo.mp4: one person was found, so that nobody is left; let one dance"),
        (["centre"], 2, "`assign`: duo.mp4: 2 people were found, and nobody of them is 'centre'; say left or right"),
        (["3"], 2, "nobody of them is '3'; say left or right"),
        (["4"], 3, "nobody of them is '4'; say left, centre or right"),
        (["left", "1"], 2, "`assign`: duo.mp4: 2 people were found, of whom 'left' and '1' are the same one"),
    ],
)
def test_who_is_not_there_is_said(sides, count, said):
    with pytest.raises(UsageError) as raised:
        numbers_of(sides, count, "duo.mp4")
    assert said in str(raised.value)


@pytest.mark.parametrize("side", ["middle", "0", "-1", "", "Left"])
def test_other_words_are_none(side):
    with pytest.raises(UsageError, match=f"there is no side {side!r}; say left, centre, right, or a number"):
        check_sides(["left", side])


def test_all_have_a_name():
    assert [name_of(number, 4) for number in range(4)] == ["left", "2", "3", "right"]
    assert (called(1), called(2), called(3)) == ("1", "left or right", "left, centre or right")
