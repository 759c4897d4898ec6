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
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Literal, Protocol, TypeAlias

from understudy.base.children import ask, how_it_ended, kill, started
from understudy.base.machine import cores
from understudy.base.telling import LEVELS
from understudy.errors import UsageError
from understudy.jobs.checks import Checked
from understudy.jobs.child import as_asked

log = logging.getLogger(__name__)

TRIES = 2
"""of a job whose process is ended by something else"""
Heard: TypeAlias = "SimpleQueue[tuple[Doing, str, Any]]"
"""what is said of jobs: (which, kind, what was said), lastly of the kind "gone"."""
GRACE_SECONDS = 10.0
"""that a child which was asked to end may take to do so"""
_START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from understudy.jobs.child import serve; serve()"
"""what a child runs: modules come from where ours do, and not from whatever lies in the current folder"""
Ended: TypeAlias = Callable[[Checked, Literal["running", "done", "failed"], float, dict[str, Any]], None]
"""is told what has become of a job: (job, status, seconds, what its process said of it)"""


class Doing(Protocol):
    """A job that is being done."""

    one: Checked
    answer: tuple[str, dict[str, Any]] | None
    """"done" or "failed", and what was said of it; None until then"""

    @property
    def seconds(self) -> float:
        """Since it was begun."""

    @property
    def tries(self) -> int:
        """How often a job may be begun that ends as this one, when it has ended without an answer."""

    def why(self) -> str:
        """What has ended it, if not itself: how a sentence goes on that begins with who did it."""


class Place(Protocol):
    """Where jobs are done."""

    who: str
    """what ends there, if a job does so without an answer"""
    tracks_once: bool
    """whether one job finds what another has tracked, so that it had better wait for that"""

    def has_room(self, running: int) -> bool:
        """Whether one more can be begun beside so many."""

    def begin(self, one: Checked, heard: Heard) -> Doing:
        """Begins a job."""

    def end(self, running: Sequence[Any]) -> None:
        """Ends those that are running, so that nothing half-written stays."""


def work_through(jobs: Sequence[Checked], place: Place, ended: Ended) -> None:
    """Does all jobs, in their order; but where it can be known, no clip is tracked by two of them at the same time.

    When it is left early, by Ctrl-C say, every job that is running is ended.
    """
    waiting, tries = list(jobs), dict.fromkeys((one.job.number for one in jobs), 0)
    heard: Heard = SimpleQueue()
    running: list[Doing] = []
    tracked: set[str] = {""}
    try:
        while waiting or running:
            while place.has_room(len(running)):
                busy = {child.one.clip for child in running} if place.tracks_once else set()
                one = _next(waiting, tracked, busy)
                if one is None:
                    break
                waiting.remove(one)
                tries[one.job.number] += 1
                ended(one, "running", 0.0, {})
                running.append(place.begin(one, heard))
            child, kind, said = heard.get()
            if kind == "note":
                log.log(LEVELS[said[0]], "%s: %s", child.one.job.name, said[1])
            elif kind == "tracked":
                tracked.add(child.one.clip)
            elif kind in ("done", "failed"):
                child.answer = kind, said
            else:  # it is gone
                running.remove(child)
                tried = tries[child.one.job.number]
                if child.answer is None and tried < child.tries:
                    log.warning("%s: its %s %s; it is tried once more", child.one.job.name, place.who, child.why())
                    waiting.insert(0, child.one)
                    continue
                status, told = child.answer or ("failed", {"reason": f"its {place.who} {child.why()}, {tried} times"})
                ended(child.one, "done" if status == "done" else "failed", child.seconds, told)
                if child.answer is not None and child.one.clip not in tracked and not told.get("of_machine"):
                    for one in [one for one in waiting if one.clip == child.one.clip]:  # it would fail them all alike
                        waiting.remove(one)
                        ended(one, "failed", 0.0, {"reason": told["reason"]})
    finally:
        place.end(running)


def _next(waiting: Sequence[Checked], tracked: set[str], busy: set[str]) -> Checked | None:
    """The first whose clip was tracked, or is tracked by nobody now; None if all have to wait for that."""
    return next((one for one in waiting if one.clip in tracked or one.clip not in busy), None)


class Here:
    """This machine: every job is done by a process of its own, so many at once.

    Args:
        workers: how many.
        threads: of each; None = its share of the cores, or of one alone as many as there are.
    """

    who, tracks_once = "process", True

    def __init__(self, workers: int, threads: int | None = None) -> None:
        self._workers, self._threads = workers, threads

    def has_room(self, running: int) -> bool:
        """As `Place`."""
        return running < self._workers

    def begin(self, one: Checked, heard: Heard) -> _Child:
        """As `Place`."""
        return _Child(one, environment(self._workers, self._threads), heard)

    def end(self, running: Sequence[_Child]) -> None:
        """Asks all to end, which removes what they have half-written, and kills those that do not."""
        end([child.process for child in running])


class _Child:
    """A process at one job."""

    tries = TRIES

    def __init__(self, one: Checked, environ: dict[str, str], heard: Heard) -> None:
        self.one = one
        self.answer: tuple[str, dict[str, Any]] | None = None
        self._heard, self._started = heard, time.monotonic()
        self.process = begun(as_asked(one.job, one.recipes, one.landmarks), environ)
        threading.Thread(target=self._listen, daemon=True, name=f"job-{one.job.number}").start()

    @property
    def seconds(self) -> float:
        """Since it was started."""
        return time.monotonic() - self._started

    def why(self) -> str:
        """What has ended it."""
        return how_it_ended(self.process.wait())

    def _listen(self) -> None:
        for kind, said in told_by(self.process):
            self._heard.put((self, kind, said))
        self._heard.put((self, "gone", None))


def begun(asked: dict[str, Any], environ: dict[str, str]) -> subprocess.Popen[bytes]:
    """A process at the one job that it was sent, see `as_asked`.

    Raises:
        UsageError: there is no interpreter to be started.
    """
    if not sys.executable:
        raise UsageError("there is no Python that could be started for the jobs: start them one by one, as `perform`")
    process = started(_START, environ)
    ask(process, asked)
    return process


def told_by(process: subprocess.Popen[bytes]) -> Iterator[tuple[str, Any]]:
    """(kind, what was said) until it is gone."""
    assert process.stdin is not None and process.stdout is not None
    for line in process.stdout:
        with suppress(ValueError, KeyError):  # a line that its end has cut
            told = json.loads(line)
            yield told["kind"], told["said"]
    process.wait()
    process.stdout.close()
    with suppress(OSError):  # of what was not sent any more
        process.stdin.close()


def environment(workers: int, threads: int | None = None) -> dict[str, str]:
    """What a child finds in its environment: with others beside it, as many threads as are its share of the cores.

    Who has said how many threads there are (OMP_NUM_THREADS), has said it of each child; `threads` say it of each, too.
    """
    usual = {"OMP_WAIT_POLICY": "passive"}
    libraries = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    if threads is not None:
        return usual | dict(os.environ) | dict.fromkeys(libraries, str(threads))
    if workers > 1:
        usual |= dict.fromkeys(libraries, str(max(1, cores() // workers)))
    return usual | dict(os.environ)


def end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Asks all to end, and kills those that do not."""
    for process in processes:
        process.terminate()
    late = time.monotonic() + GRACE_SECONDS
    try:
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, late - time.monotonic()))
    finally:
        for process in processes:
            if process.poll() is None:
                kill(process)
            process.wait()
