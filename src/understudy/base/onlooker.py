"""Who looks on while something long is done: a page that shows how far it is and what it looks like so far.

There is at most one in a process, and none unless a program sets one: commands at a terminal draw bars instead.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

PICTURE_SECONDS = 1.0
"""between two pictures at least: each is drawn for the onlooker alone"""


@dataclass(frozen=True)
class Progress:
    """How far something is."""

    label: str
    """what is done"""
    done: int
    total: int | None
    """None where nobody knows"""
    unit: str
    rate: float
    """units a second"""
    left: float | None
    """seconds; None where nobody can know, or nothing is left"""
    note: str


class Onlooker(Protocol):
    """Told from whatever thread does the work."""

    def progress(self, progress: Progress) -> None: ...

    def picture(self, picture: npt.NDArray[np.uint8]) -> None:
        """(H, W, 3) RGB: what the work looks like now."""
        ...


class _Present:
    onlooker: Onlooker | None = None
    shown = -math.inf
    """when the last picture was"""


@contextmanager
def looked_on_by(onlooker: Onlooker) -> Iterator[None]:
    """Within the block, progress and pictures are told to the onlooker, who has seen none yet."""
    before, _Present.onlooker = _Present.onlooker, onlooker
    _Present.shown = -math.inf
    try:
        yield
    finally:
        _Present.onlooker = before


def present() -> Onlooker | None:
    """Whoever looks on; None where nobody does."""
    return _Present.onlooker


def show(draw: Callable[..., npt.NDArray[np.uint8]], *given: Any) -> None:
    """Shows what `draw(*given)` gives, (H, W, 3) RGB, if somebody looks on and has seen no picture for a while."""
    onlooker, now = _Present.onlooker, time.monotonic()
    if onlooker is not None and now - _Present.shown >= PICTURE_SECONDS:
        _Present.shown = now
        onlooker.picture(draw(*given))
