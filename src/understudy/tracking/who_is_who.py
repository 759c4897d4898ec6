"""Several people in one clip, second half: which pieces are of one person, seen in the light of the whole clip.

Pieces are given to people in the order of time. What speaks for giving one to somebody: it begins where they were going
when they were last seen, at their speed, they are as large, and they wear the same. Many ways to do so are kept side by
side, so that what is seen after a crossing decides who was who in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from understudy.tracking.pieces import BINS, COLOURS, Piece

Floats = npt.NDArray[np.float64]

WAYS = 100
"""kept side by side"""
ENDS = 0.2
"""seconds at either end of a piece from which its speed is measured"""
GOING_ON = 0.5
"""seconds after which nobody knows whether somebody still goes the same way"""
NEAR, NEARER_PER_SECOND = 0.4, 1.5
"""trunk lengths from where somebody was going that cost 1, and what is added for every second unseen"""
FASTER = 3.0
"""trunk lengths a second by which a speed may have changed, which costs 1"""
LARGER = 0.25
"""of the natural logarithm of a trunk's length, costs 1"""
FARTHEST, FASTEST, LARGEST = 9.0, 2.0, 4.0
"""each of these costs no more, so that one that misleads is outvoted"""
CLOTHES = 4.0
"""what clothes count for whose colours have a Bhattacharyya coefficient of 1 / e"""
UNLIKE = 0.05
"""no coefficient counts as less"""
SURE = 3.0
"""clear frames after which half of what clothes say is believed"""
SOMEBODY_NEW, NOBODY, NOBODY_PER_SECOND = 12.0, 1.0, 12.0
"""what it costs that a piece begins somebody, and that it is nobody: a shadow, or two people taken for one"""


@dataclass(frozen=True)
class _Person:
    pieces: tuple[int, ...]
    colours: Floats
    """(2, 512) sums over the pieces, as those of `Piece`"""
    clear: float


@dataclass(frozen=True)
class _Way:
    cost: float
    people: tuple[_Person, ...]


@dataclass(frozen=True)
class _Ends:
    """Of a piece: where it begins and stops, and how fast, in pixels and pixels a second."""

    first: Floats
    last: Floats
    leaving: Floats
    arriving: Floats
    trunk: float


def who_is_who(pieces: Sequence[Piece], fps: Fraction) -> list[list[int]]:
    """The people of a clip, each as the numbers of the pieces that show them, in the order of time.

    Args:
        pieces: as `Pieces` made them; empty ones are nobody's.
        fps: of the clip.

    Returns:
        Everybody, in the order in which they first appear.
    """
    order = [number for number in np.argsort([piece.first for piece in pieces], kind="stable") if len(pieces[number])]
    ends = {number: _ends(pieces[number], fps) for number in order}
    link = partial(_link, pieces, ends, fps)
    costs: dict[tuple[int, int], float] = {}
    ways = [_Way(0.0, ())]
    for number in order:
        piece, grown = pieces[number], []
        new = _Person((number,), piece.colours.astype(np.float64), piece.clear)
        for way in ways:
            nobody = NOBODY + NOBODY_PER_SECOND * len(piece) / float(fps)
            grown.append(_Way(way.cost + nobody, way.people))
            grown.append(_Way(way.cost + SOMEBODY_NEW, (*way.people, new)))
            for index, person in enumerate(way.people):
                last = person.pieces[-1]
                if pieces[last].end > piece.first:
                    continue
                if (last, number) not in costs:
                    costs[last, number] = link(last, number)
                cost = costs[last, number] + _clothes(person, new)
                both = _Person((*person.pieces, number), person.colours + new.colours, person.clear + new.clear)
                people = (*way.people[:index], both, *way.people[index + 1 :])
                grown.append(_Way(way.cost + cost, people))
        ways = sorted(grown, key=lambda way: way.cost)[:WAYS]
    return sorted((list(person.pieces) for person in ways[0].people), key=lambda mine: pieces[mine[0]].first)


def _ends(piece: Piece, fps: Fraction) -> _Ends:
    middles = np.stack(piece.middles)
    some = max(2, round(ENDS * float(fps)))

    def speed(part: Floats) -> Floats:
        if len(part) < 2:
            return np.zeros(2)
        return np.asarray((part[-1] - part[0]) / (len(part) - 1) * float(fps))

    return _Ends(
        middles[0], middles[-1], speed(middles[-some - 1 :]), speed(middles[: some + 1]), float(np.median(piece.trunks))
    )


def _link(pieces: Sequence[Piece], ends: dict[int, _Ends], fps: Fraction, before: int, after: int) -> float:
    """What place, speed and size say against it that one piece goes on as the other."""
    was, is_ = ends[before], ends[after]
    unit = max(was.trunk, is_.trunk, 1e-6)
    size = min((math.log(max(is_.trunk, 1e-6) / max(was.trunk, 1e-6)) / LARGER) ** 2, LARGEST)
    if pieces[before].shot != pieces[after].shot:  # another camera
        return 0.0
    seconds = (pieces[after].first - pieces[before].end + 1) / float(fps)
    lasting = min(seconds, GOING_ON)
    there = np.hypot(*(was.last + was.leaving * lasting - is_.first))
    back = np.hypot(*(is_.first - is_.arriving * lasting - was.last))
    distance = float(there + back) / 2 / unit
    place = min((distance / (NEAR + NEARER_PER_SECOND * seconds)) ** 2, FARTHEST)
    change = float(np.hypot(*(is_.arriving - was.leaving))) / unit
    speed = min((change / FASTER) ** 2, FASTEST) * math.exp(-seconds / GOING_ON)
    return place + speed + size


def _clothes(one: _Person, other: _Person) -> float:
    """What the colours of what is worn say against it that two are one."""
    if min(one.clear, other.clear) <= 0:
        return 0.0
    likeness = np.sqrt(_soft(one) * _soft(other)).sum(axis=1)
    unlike = float(-np.log(np.maximum(likeness, UNLIKE)).mean())
    believed = math.prod(each.clear / (each.clear + SURE) for each in (one, other))
    return CLOTHES * unlike * believed


def _soft(person: _Person) -> Floats:
    """(2, 512) shares, of which colours nearby have some, as light changes."""
    colours = person.colours.reshape(2, BINS, BINS, BINS)
    soft = gaussian_filter(colours, (0, 0.7, 0.7, 0.7)).reshape(2, COLOURS)
    return np.asarray(soft / np.maximum(soft.sum(axis=1, keepdims=True), 1e-9))
