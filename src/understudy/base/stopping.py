"""Ctrl-C and SIGTERM during work that ends by saving: the first one is noted, the second one ends the process."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from understudy.base.ranks import ranks

log = logging.getLogger(__name__)

SHOW_CURSOR = b"\x1b[?25h"


class Stop:
    """`signal` is the number of the first signal that came, None before."""

    signal: int | None = None


@contextmanager
def stop_signals() -> Iterator[Stop]:
    """Within the block, the first Ctrl-C or SIGTERM is noted in what is yielded; the second leaves at once."""
    stop = Stop()

    def note(number: int, _: FrameType | None) -> None:
        if stop.signal is not None and ranks() > 1:
            return  # torchrun repeats the terminal's Ctrl-C, and ends us by other means after half a minute
        if stop.signal is not None:
            if sys.stderr.isatty():  # a progress bar hides the cursor, and nothing is cleaned up from here
                os.write(sys.stderr.fileno(), SHOW_CURSOR)
            os._exit(128 + number)
        stop.signal = number
        log.warning("finishing this step and saving; once more to leave at once")

    try:
        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: whoever called us handles signals
        yield stop
        return
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
