"""Who looks on is told how far it is and shown pictures; where nobody does, nothing is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from understudy.base import onlooker, progress
from understudy.base.onlooker import Progress, looked_on_by, present, show
from understudy.base.progress import progress_bar


class Looks:
    def __init__(self) -> None:
        self.told: list[Progress] = []
        self.pictures: list[Any] = []

    def progress(self, progress: Progress) -> None:
        self.told.append(progress)

    def picture(self, picture: Any) -> None:
        self.pictures.append(picture)


@pytest.fixture
def looks() -> Iterator[Looks]:
    one = Looks()
    with looked_on_by(one):
        yield one


def draw(colour: int) -> np.ndarray:
    return np.full((2, 3, 3), colour, np.uint8)


def test_nothing_is_drawn_where_nobody_looks_on() -> None:
    def never(*_: Any) -> Any:
        raise AssertionError("it was drawn")

    assert present() is None
    show(never, 1)


def test_who_begins_to_look_on_has_seen_no_picture_yet() -> None:
    for one in (Looks(), Looks()):
        with looked_on_by(one):
            show(draw, 7)
        assert len(one.pictures) == 1


def test_pictures_are_shown_once_in_a_while(looks: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []

    def counted(colour: int) -> np.ndarray:
        drawn.append(colour)
        return draw(colour)

    clock = iter([100.0, 100.5, 100.99, 101.0, 101.5, 103.0])
    monkeypatch.setattr(onlooker.time, "monotonic", lambda: next(clock))
    for colour in range(6):
        show(counted, colour)
    monkeypatch.undo()
    assert drawn == [0, 3, 5] and [int(picture[0, 0, 0]) for picture in looks.pictures] == drawn


def test_progress_is_told_at_once_at_the_end_and_now_and_then(
    looks: Looks, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress_bar("filming", 10, "frames", 2) as advance:
        for _ in range(8):
            now[0] += 0.2
            advance(note="a note")
    monkeypatch.undo()
    assert [one.done for one in looks.told] == [2, 5, 8, 10]
    first, second, *_, last = looks.told
    assert first == Progress("filming", 2, 10, "frames", 0.0, None, "")
    assert second.rate == pytest.approx(5.0) and second.left == pytest.approx(1.0) and second.note == "a note"
    assert last.left is None and last.total == 10
    assert capsys.readouterr() == ("", "")  # no bar besides


def test_a_total_that_is_known_later_stays_known(looks: Looks) -> None:
    with progress_bar("looking", None, "files") as advance:
        advance(1, total=3)
        advance()
        advance()
    assert [(one.done, one.total) for one in looks.told] == [(0, None), (3, 3)]
    assert looks.told[0].left is None


def test_who_looked_on_before_does_so_again(looks: Looks) -> None:
    other = Looks()
    with pytest.raises(ValueError, match="broken off"), looked_on_by(other):
        assert present() is other
        raise ValueError("broken off")
    assert present() is looks
