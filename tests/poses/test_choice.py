import numpy as np
import pytest

from understudy.errors import PoseError
from understudy.poses import pose as p
from understudy.poses.choice import FORGOTTEN_AFTER, Person, choose_person


def somebody(x: float, height: float = 100, seen: slice = p.BODY) -> Person:
    xy = np.zeros((p.POINTS, 2), np.float32)
    xy[p.BODY] = [(x + joint % 2, joint * height / 16) for joint in range(17)]
    confidence = np.zeros(p.POINTS, np.float32)
    confidence[seen] = 1
    return xy, confidence


STAYS = [[somebody(100), somebody(500, 90)], [somebody(500, 90), somebody(105)], [somebody(110)]]


@pytest.mark.parametrize(
    ("frames", "person", "expected"),
    [
        pytest.param([], "largest", [], id="no frames"),
        pytest.param([[], [somebody(9)], []], "largest", [None, 0, None], id="alone"),
        pytest.param([[somebody(0)], [somebody(900)]], "largest", [0, 0], id="alone, across a cut"),
        pytest.param(STAYS, "largest", [0, 1, 0], id="the lists change their order"),
        pytest.param(STAYS, 1, [1, 1, None], id="by number"),
        pytest.param(
            [[somebody(100), somebody(300, 240)], [somebody(100)], [somebody(100)], [somebody(100)]],
            "largest",
            [0, 0, 0, 0],
            id="always there beats large but brief",
        ),
        pytest.param(
            [[somebody(100), somebody(170)], [somebody(120), somebody(150)], [somebody(162), somebody(128)]],
            0,
            [0, 0, 0],
            id="numbers follow the file, not the person",
        ),
        pytest.param(
            [[somebody(100), somebody(900)], *[[somebody(900)]] * 5, [somebody(150), somebody(900, 400)]],
            "largest",
            [1, 0, 0, 0, 0, 0, 1],
            id="somebody grows",
        ),
        pytest.param(
            [[somebody(100, seen=p.FACE), somebody(100)], [somebody(100)]], "largest", [1, 0], id="a face is nobody"
        ),
    ],
)
def test_who_is_followed(frames: list[list[Person]], person, expected: list[int | None]) -> None:
    assert choose_person(frames, person) == expected


@pytest.mark.parametrize(("away", "back"), [(20, True), (FORGOTTEN_AFTER + 1, False)])
def test_coming_back(away: int, back: bool) -> None:
    long = [[somebody(100), somebody(600, 10)]] * 3
    frames = [*long, *[[somebody(600, 10)]] * away, *long] if back else [*long * 60, *[[]] * away, *long]
    taken = choose_person(frames, "largest")
    assert (taken[0], taken[3 if back else 181]) == (0, None)
    assert taken[-1] == (0 if back else None)


@pytest.mark.parametrize(
    ("unseen", "moved", "same"),
    [
        pytest.param(0, 0.49, True, id="half a height from one frame to the next"),
        pytest.param(0, 0.51, False, id="more than that"),
        pytest.param(20, 1.4, True, id="farther while unseen"),
        pytest.param(20, 1.6, False, id="too far while unseen"),
        pytest.param(100, 1.9, True, id="two heights after long"),
        pytest.param(100, 2.1, False, id="no more than two heights"),
        pytest.param(FORGOTTEN_AFTER - 1, 0.0, True, id="remembered"),
        pytest.param(FORGOTTEN_AFTER, 0.0, False, id="forgotten"),
    ],
)
def test_how_far_somebody_may_have_moved(unseen: int, moved: float, same: bool) -> None:
    """Of two people one is away for a while and comes back elsewhere, in heights of the larger one of the two."""
    bystander, before, after = somebody(9e4, 1), somebody(100, 1000), somebody(100 + 1000 * moved, 900)
    frames = [*[[before, bystander]] * 3, *[[bystander]] * unseen, *[[after, bystander]] * 2]
    assert choose_person(frames, "largest") == [0] * 3 + [None] * unseen + [0 if same else None] * 2


@pytest.mark.parametrize("person", [-1, 2, 99])
def test_numbers_that_nobody_has(person: int) -> None:
    with pytest.raises(PoseError, match=f"person {person} was asked for, but the clip shows at most 2 in a frame"):
        choose_person(STAYS, person)
