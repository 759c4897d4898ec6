"""Ctrl-C and SIGTERM during work that ends by saving: the first one is noted, the second one ends the process.

A program that has us work in a thread of its own is asked instead (`stopped_when`), for no signals come there.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from understudy.base.ranks import ranks
from understudy.errors import Interrupted

log = logging.getLogger(__name__)

SHOW_CURSOR = b"\x1b[?25h"


class _Asked:
    stop: Callable[[], bool] | None = None
    ending_by_saving = 0
    """blocks of `stop_signals` that are open"""


@contextmanager
def stopped_when(asked: Callable[[], bool]) -> Iterator[None]:
    """Within the block, work stops as at Ctrl-C once `asked()` is true; there is one such block in a process.

    What ends by saving (a training) does so, and all else leaves at the next step of its progress, with nothing half
    written under its name. Either raises `Interrupted`.

    Args:
        asked: called often, from whatever thread does the work; stays true once it is.

    Example:
        with stopped_when(pressed.is_set):
            train("me.mp4", "me.actor", resume=True, consent="I am the person in me.mp4")
    """
    before, _Asked.stop = _Asked.stop, asked
    try:
        yield
    finally:
        _Asked.stop = before


def leave_if_asked() -> None:
    """Raises Interrupted: the program that had us work wants it stopped, and nothing here would end by saving."""
    if _Asked.stop is not None and not _Asked.ending_by_saving and _Asked.stop():
        raise Interrupted("stopped; nothing was left half done", signal.SIGINT)


class Stop:
    """What is known of a wish to stop."""

    noted: int | None = None
    """the number of the first signal that came"""

    @property
    def signal(self) -> int | None:
        """That number, or Ctrl-C's where the program that had us work wants it stopped; None before."""
        if self.noted is None and _Asked.stop is not None and _Asked.stop():
            self.noted = signal.SIGINT
        return self.noted


@contextmanager
def stop_signals(then: str = "finishing this step and saving") -> Iterator[Stop]:
    """Within the block, the first Ctrl-C or SIGTERM is noted in what is yielded; the second leaves at once.

    Args:
        then: what is done after the first, in words for whoever pressed it.
    """
    stop = Stop()

    def note(number: int, _: FrameType | None) -> None:
        if stop.noted is not None and ranks() > 1:
            return  # torchrun repeats the terminal's Ctrl-C, and ends us by other means after half a minute
        if stop.noted is not None:
            if sys.stderr.isatty():  # a progress bar hides the cursor, and nothing is cleaned up from here
                os.write(sys.stderr.fileno(), SHOW_CURSOR)
            os._exit(128 + number)
        stop.noted = number
        log.warning("%s; once more to leave at once", then)

    try:
        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: whoever called us handles signals
        before = {}
    _Asked.ending_by_saving += 1
    try:
        yield stop
    finally:
        _Asked.ending_by_saving -= 1
        for number, handler in before.items():
            signal.signal(number, handler)
