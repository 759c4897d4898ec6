"""What several people in a clip are called: `left`, `centre` and `right`, or 1, 2, 3 from left to right."""

from __future__ import annotations

from collections.abc import Iterable

from understudy.errors import UsageError

LEFT, CENTRE, RIGHT = "left", "centre", "right"
_WORDS = (LEFT, CENTRE, RIGHT)
_CHOICES = "left, centre, right, or a number from 1 on, from left to right"


def check_sides(sides: Iterable[str]) -> None:
    """Each is a word for somebody in a clip, whoever is there.

    Raises:
        UsageError: one is not.
    """
    for side in sides:
        if side not in _WORDS and not (side.isdecimal() and int(side) > 0):
            raise UsageError(f"`assign`: there is no side {side!r}; say {_CHOICES}")


def numbers_of(sides: Iterable[str], count: int, name: str) -> list[int]:
    """Who of `count` people, from left to right and counted from 0, each word means.

    Args:
        sides: as `check_sides` lets them pass.
        count: how many people are there.
        name: of the clip, for messages.

    Raises:
        UsageError: nobody is called so there, or two words mean the same person.
    """
    there = "one person was found" if count == 1 else f"{count} people were found"
    found: dict[int, str] = {}
    for side in sides:
        number = _number(side, count)
        if number is None:
            if count == 1:
                raise UsageError(f"`assign`: {name}: {there}, so that nobody is {side}; let one dance with `actor`")
            raise UsageError(f"`assign`: {name}: {there}, and nobody of them is {side!r}; say {called(count)}")
        if number in found:
            raise UsageError(f"`assign`: {name}: {there}, of whom {found[number]!r} and {side!r} are the same one")
        found[number] = side
    return list(found)


def name_of(number: int, count: int) -> str:
    """What one of `count` people is called, counted from 0."""
    if count > 1 and number in (0, count - 1):
        return LEFT if number == 0 else RIGHT
    return CENTRE if count == 3 and number == 1 else str(number + 1)


def called(count: int) -> str:
    """The words for all of `count` people, as a list to read."""
    names = [name_of(number, count) for number in range(count)]
    return " or ".join([", ".join(names[:-1]), names[-1]] if count > 1 else names)


def _number(side: str, count: int) -> int | None:
    if side.isdecimal():
        return int(side) - 1 if int(side) <= count else None
    if side == CENTRE:
        return count // 2 if count % 2 and count > 1 else None
    if count < 2:
        return None
    return 0 if side == LEFT else count - 1
