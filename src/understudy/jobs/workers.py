"""Jobs done in child processes, several at once: what ends one of them, ends nothing but the job that it was at.

A child (`child.py`) does one job and ends, and all of its memory is free again. It is a fresh interpreter, as that of
the sandbox is: a fork of a process that has threads may hang. Unlike that one it is trusted, and may read and
write as we do.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Literal, TypeAlias

from understudy.base.children import ask, how_it_ended, kill, started
from understudy.base.machine import cores
from understudy.base.telling import LEVELS
from understudy.errors import UsageError
from understudy.jobs.checks import Checked
from understudy.jobs.child import as_asked

log = logging.getLogger(__name__)

TRIES = 2
"""of a job whose process is ended by something else"""
GRACE_SECONDS = 10.0
"""that a child which was asked to end may take to do so"""
_START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from understudy.jobs.child import serve; serve()"
"""what a child runs: modules come from where ours do, and not from whatever lies in the current folder"""
Ended: TypeAlias = Callable[[Checked, Literal["running", "done", "failed"], float, dict[str, Any]], None]
"""is told what has become of a job: (job, status, seconds, what its process said of it)"""


def work_through(jobs: Sequence[Checked], workers: int, ended: Ended) -> None:
    """Does all jobs, so many at once, in their order; but no clip is tracked by two of them at the same time.

    When it is left early, by Ctrl-C say, every child is ended.
    """
    waiting, tries = list(jobs), dict.fromkeys((one.job.number for one in jobs), 0)
    heard: SimpleQueue[tuple[_Child, str, Any]] = SimpleQueue()
    running: list[_Child] = []
    tracked: set[str] = {""}
    try:
        while waiting or running:
            while len(running) < workers:
                one = _next(waiting, tracked, {child.one.clip for child in running})
                if one is None:
                    break
                waiting.remove(one)
                tries[one.job.number] += 1
                ended(one, "running", 0.0, {})
                running.append(_Child(one, workers, heard))
            child, kind, said = heard.get()
            if kind == "note":
                log.log(LEVELS[said[0]], "%s: %s", child.one.job.name, said[1])
            elif kind == "tracked":
                tracked.add(child.one.clip)
            elif kind in ("done", "failed"):
                child.answer = kind, said
            else:  # it is gone
                running.remove(child)
                if child.answer is None and tries[child.one.job.number] < TRIES:
                    log.warning("%s: its process %s; it is tried once more", child.one.job.name, child.why())
                    waiting.insert(0, child.one)
                    continue
                status, told = child.answer or ("failed", {"reason": f"its process {child.why()}, {TRIES} times"})
                ended(child.one, "done" if status == "done" else "failed", child.seconds, told)
                if child.answer is not None and child.one.clip not in tracked:
                    for one in [one for one in waiting if one.clip == child.one.clip]:  # it would fail them all alike
                        waiting.remove(one)
                        ended(one, "failed", 0.0, {"reason": told["reason"]})
    finally:
        _end(running)


def _next(waiting: Sequence[Checked], tracked: set[str], busy: set[str]) -> Checked | None:
    """The first whose clip was tracked, or is tracked by nobody now; None if all have to wait for that."""
    return next((one for one in waiting if one.clip in tracked or one.clip not in busy), None)


class _Child:
    """A process at one job; what it says comes to a queue: (itself, kind, what was said), lastly of the kind "gone"."""

    def __init__(self, one: Checked, workers: int, heard: SimpleQueue[tuple[_Child, str, Any]]) -> None:
        if not sys.executable:
            raise UsageError(
                "there is no Python that could be started for the jobs: start them one by one, as `perform`"
            )
        self.one = one
        self.answer: tuple[str, dict[str, Any]] | None = None
        self._heard, self._started = heard, time.monotonic()
        self.process = started(_START, environment(workers))
        ask(self.process, as_asked(one.job, one.recipes, one.landmarks))
        threading.Thread(target=self._listen, daemon=True, name=f"job-{one.job.number}").start()

    @property
    def seconds(self) -> float:
        """Since it was started."""
        return time.monotonic() - self._started

    def why(self) -> str:
        """What has ended it."""
        return how_it_ended(self.process.wait())

    def _listen(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        for line in self.process.stdout:
            with suppress(ValueError, KeyError):  # a line that its end has cut
                told = json.loads(line)
                self._heard.put((self, told["kind"], told["said"]))
        self.process.wait()
        self.process.stdout.close()
        with suppress(OSError):  # of what was not sent any more
            self.process.stdin.close()
        self._heard.put((self, "gone", None))


def environment(workers: int) -> dict[str, str]:
    """What a child finds in its environment: with others beside it, as many threads as are its share of the cores.

    Who has said how many threads there are (OMP_NUM_THREADS), has said it of each child.
    """
    usual = {"OMP_WAIT_POLICY": "passive"}
    if workers > 1:
        share = str(max(1, cores() // workers))
        usual |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), share)
    return usual | dict(os.environ)


def _end(running: Sequence[_Child]) -> None:
    """Asks all to end, which removes what they have half-written, and kills those that do not."""
    for child in running:
        child.process.terminate()
    late = time.monotonic() + GRACE_SECONDS
    try:
        for child in running:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, late - time.monotonic()))
    finally:
        for child in running:
            if child.process.poll() is None:
                kill(child.process)
            child.process.wait()
