from pathlib import Path

import numpy as np
import pytest

from understudy.errors import PoseError
from understudy.poses.pose import BODY, LEFT_HAND, POINTS, RIGHT_HAND
from understudy.poses.units import turn_into_pixels

SIZE_HW = (480, 640)
PATH = Path("poses.json")


def tables(shares: dict[str, slice], count: int = 4) -> tuple[list[np.ndarray], np.ndarray]:
    """People whose named parts are given as shares, and where they are in pixels."""
    xy = np.random.default_rng(0).uniform(0.1, 0.9, (count, POINTS, 2)) * SIZE_HW[::-1]
    given = xy.copy()
    for points in shares.values():
        given[:, points] /= SIZE_HW[::-1]
    return [np.column_stack([one, np.ones(POINTS)]) for one in given], xy


BODY_AND_FEET = slice(0, 23)


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        pytest.param({}, None, id="pixels"),
        pytest.param({"all": slice(0, POINTS)}, None, id="shares"),
        pytest.param({"body": BODY_AND_FEET}, "body as shares of the picture (0 to 1) and face and left", id="body"),
        pytest.param(
            {"l": LEFT_HAND, "r": RIGHT_HAND}, "left hand and right hand as shares of the picture", id="hands"
        ),
    ],
)
def test_every_part_in_its_own_unit(
    shares: dict[str, slice], words: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    people, xy = tables(shares)
    turn_into_pixels(people, SIZE_HW, PATH)
    np.testing.assert_allclose(np.stack(people)[..., :2], xy)
    assert len(caplog.records) == (words is not None)
    assert words is None or (words in caplog.text and "each is taken as it is, in a picture of 640x480" in caplog.text)


def test_a_part_that_changes_its_unit_is_refused() -> None:
    people, _ = tables({})
    people[2][BODY_AND_FEET, :2] /= SIZE_HW[::-1]
    with pytest.raises(PoseError, match=r"gives the body of 1 people as shares of the picture .* and of 3 in pixels"):
        turn_into_pixels(people, SIZE_HW, PATH)


def test_a_mixture_needs_the_size_of_the_picture() -> None:
    people, _ = tables({"body": BODY_AND_FEET})
    with pytest.raises(PoseError, match="does not say how large the picture is: write all in pixels"):
        turn_into_pixels(people, (1, 1), PATH)


def test_one_point_in_the_corner_is_in_pixels() -> None:
    people, _ = tables({})
    people[1][LEFT_HAND, 2] = 0
    people[1][LEFT_HAND.start] = (1.5, 1.0, 1.0)
    turn_into_pixels(people, SIZE_HW, PATH)
    assert people[1][LEFT_HAND.start].tolist() == [1.5, 1.0, 1.0]


@pytest.mark.parametrize("place", [(0, 0, 1), (-1, -1, 1), (5, 5, 0), (5, 5, -1)])
def test_what_is_not_seen(place: tuple[float, float, float]) -> None:
    people, _ = tables({})
    people[0][BODY.start] = place
    turn_into_pixels(people, SIZE_HW, PATH)
    assert people[0][BODY.start].tolist() == [0, 0, 0]
    turn_into_pixels([], SIZE_HW, PATH)
