"""How busy other programs keep the cores, and as many threads for PyTorch as they leave free.

PyTorch's threads share every layer and wait for the slowest of them. Where another program holds one of two cores, two
threads are slower than one (docs/results.md, "Waiting threads sleep, and make room").
"""

from __future__ import annotations

import logging
import math
import os
import time
from pathlib import Path

import torch

from understudy.base.machine import cores

log = logging.getLogger(__name__)

STAT = Path("/proc/stat")
"""of Linux: what every core has done since the machine was started"""
EVERY_SECONDS = 2.0
SAY_EVERY_SECONDS = 60.0
ROOM = 0.35
"""cores that others may use before a thread is given up for them"""


Times = tuple[float, float, float]
"""seconds: of the clock, that our cores have been busy with anything, that this process has computed"""


class ThreadsByLoad:
    """Asked between steps, now and then gives PyTorch in the calling thread as many threads as there are free cores.

    Never more than it had at first, and always that many where the user has said how many (OMP_NUM_THREADS), or where
    the system does not tell what its cores do (it is Linux that does).

    Args:
        spared: cores that are left to other threads of this process, as far as there are several.

    Example:
        with ThreadsByLoad() as threads:
            for step in steps:
                ...
                threads.follow()
    """

    def __init__(self, spared: int = 0) -> None:
        self._at_first = torch.get_num_threads()
        told = "OMP_NUM_THREADS" in os.environ
        self.usual = self._at_first if told else max(1, min(self._at_first, cores() - spared))
        self.threads = self.usual
        if self.threads != self._at_first:
            torch.set_num_threads(self.threads)
        self._said = -math.inf
        self._last = None if self.usual == 1 or told else times()

    def __enter__(self) -> ThreadsByLoad:
        return self

    def __exit__(self, *_: object) -> None:
        if self.threads != self._at_first:
            torch.set_num_threads(self._at_first)
            self.threads = self._at_first

    def follow(self) -> None:
        """Measures, if it is time to, and changes the threads, which is told now and then."""
        if self._last is None or time.monotonic() - self._last[0] < EVERY_SECONDS:
            return
        before, self._last = self._last, times()
        if self._last is None:
            return
        others = used_by_others(before, self._last)
        threads = min(self.usual, max(1, math.floor(cores() - others + ROOM)))
        if threads == self.threads:
            return
        torch.set_num_threads(threads)
        if threads < self.threads and self._last[0] - self._said >= SAY_EVERY_SECONDS:
            self._said = self._last[0]
            log.warning(
                "other programs use %.1f of %d cores: going on with %d of %d threads until they stop",
                others,
                cores(),
                threads,
                self.usual,
            )
        self.threads = threads


def times() -> Times | None:
    """Those of now; None where nobody tells."""
    busy = busy_seconds()
    return None if busy is None else (time.monotonic(), busy, time.process_time())


def used_by_others(before: Times, after: Times) -> float:
    """Cores that other programs used in between."""
    elapsed, busy, own = (late - early for late, early in zip(after, before, strict=True))
    return max(0.0, (busy - own) / elapsed)


def busy_seconds() -> float | None:
    """Seconds that the cores of this process have not been idle, together, since the start; None if nobody tells."""
    try:
        lines = STAT.read_text().splitlines()
    except OSError:
        return None
    ours = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    ticks = 0
    for line in lines:
        name, *numbers = line.split() or [""]
        if name in ours:
            user, nice, system, _idle, _waiting_for_disk, *rest = map(int, numbers[:8])
            ticks += user + nice + system + sum(rest)
    return ticks / os.sysconf("SC_CLK_TCK")
