"""One look for everything that takes long: a bar with rate and estimate on a terminal, sparse lines in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

from understudy.base.onlooker import Onlooker, Progress, present
from understudy.base.ranks import first
from understudy.base.stopping import leave_if_asked

ONLOOKER_SECONDS = 0.5


class Advance(Protocol):
    """Call it after each unit of work.

    `note` is shown at the end of the bar (a loss, say); `total` replaces the expected total, when time is the limit;
    `left` replaces the seconds that the rate so far would take, where what is to come costs more or less; infinite
    where nobody can know yet.
    """

    def __call__(self, count: int = 1, note: str = "", total: int | None = None, left: float | None = None) -> None: ...


@contextmanager
def progress_bar(label: str, total: int | None, unit: str = "frames", start: int = 0) -> Iterator[Advance]:
    """Shows progress on stderr while the block runs; yields the function to call after each unit.

    On a terminal: a bar with count, rate and estimated time left. Elsewhere (a log file, CI): a line every
    ten seconds, so that logs stay short. Somebody who looks on (`onlooker.py`) is told instead. Each unit is a place to
    leave at, see `stopped_when`.

    Args:
        label: what is being done, in lower case.
        total: units expected; None when unknown.
        unit: what is counted.
        start: units that were done before, which the rate leaves out.
    """
    if not first():
        yield lambda *_: None
        return
    if (onlooker := present()) is not None:
        yield _told(onlooker, label, total, unit, start)
        return
    if sys.stderr.isatty():
        with _terminal_bar(label, total, unit, start) as advance:
            yield advance
        return
    started = time.monotonic()
    done, expected, said = start, total, started

    def say(rate: float, *notes: str) -> None:
        of = f"/{expected}" if expected else ""
        line = ", ".join([f"{label}: {done}{of} {unit}", f"{rate:.1f} {unit}/s", *filter(None, notes)])
        print(line, file=sys.stderr, flush=True)

    def rate_at(now: float) -> float:
        return (done - start) / max(now - started, 1e-9)

    def advance_in_log(count: int = 1, note: str = "", total: int | None = None, left: float | None = None) -> None:
        nonlocal done, expected, said
        leave_if_asked()
        done += count
        expected = total or expected
        now = time.monotonic()
        if now - said >= 10:
            said, rate = now, rate_at(now)
            to_go = _seconds_left(done, expected, rate, left)
            say(rate, "" if to_go is None else f"{to_go:.0f} s left", note)

    yield advance_in_log
    say(rate_at(time.monotonic()), "done")


def _told(onlooker: Onlooker, label: str, total: int | None, unit: str, start: int) -> Advance:
    """Tells the onlooker at once, and then twice a second at most."""
    began, said, done, expected = time.monotonic(), -ONLOOKER_SECONDS, start, total

    def advance(count: int = 1, note: str = "", total: int | None = None, left: float | None = None) -> None:
        nonlocal said, done, expected
        leave_if_asked()
        done += count
        expected = total or expected
        now = time.monotonic()
        if now - said >= ONLOOKER_SECONDS or done == expected:
            said, rate = now, (done - start) / max(now - began, 1e-9)
            ends = _seconds_left(done, expected, rate, left)
            onlooker.progress(Progress(label, done, expected, unit, rate, ends, note))

    advance(0)
    return advance


def _seconds_left(done: int, total: int | None, rate: float, told: float | None) -> float | None:
    """What was told, or what the rate so far would take; None where nothing is known, or left."""
    if not total or done >= total:
        return None
    if told is None and rate > 0:
        return (total - done) / rate
    return None if told == float("inf") else told


@contextmanager
def _terminal_bar(label: str, total: int | None, unit: str, start: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(label, total=total, completed=start, rate="", note="", left="")
        started = time.monotonic()

        def advance(count: int = 1, note: str = "", total: int | None = None, left: float | None = None) -> None:
            leave_if_asked()
            done = int(progress.tasks[0].completed) + count
            rate = (done - start) / max(time.monotonic() - started, 1e-9)
            if total is not None:
                progress.update(task, total=total)
            expected = progress.tasks[0].total
            to_go = _seconds_left(done, None if expected is None else int(expected), rate, left)
            clock = "" if to_go is None else f"{timedelta(seconds=round(to_go))} left"
            progress.update(task, advance=count, rate=f"{rate:.1f} {unit}/s", left=clock)
            if note:
                progress.update(task, note=note)

        yield advance
