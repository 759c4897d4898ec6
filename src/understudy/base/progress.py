"""One look for everything that takes long: a bar with rate and estimate on a terminal, sparse lines in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from understudy.base.ranks import first


class Advance(Protocol):
    """Call it after each unit of work.

    `note` is shown at the end of the bar (a loss, say); `total` replaces the expected total, when time is the limit.
    """

    def __call__(self, count: int = 1, note: str = "", total: int | None = None) -> None: ...


@contextmanager
def progress_bar(label: str, total: int | None, unit: str = "frames", start: int = 0) -> Iterator[Advance]:
    """Shows progress on stderr while the block runs; yields the function to call after each unit.

    On a terminal: a bar with count, rate and estimated time left. Elsewhere (a log file, CI): a line every
    ten seconds, so that logs stay short.

    Args:
        label: what is being done, in lower case.
        total: units expected; None when unknown.
        unit: what is counted.
        start: units that were done before, which the rate leaves out.
    """
    if not first():
        yield lambda *_: None
        return
    if sys.stderr.isatty():
        with _terminal_bar(label, total, unit, start) as advance:
            yield advance
        return
    started = time.monotonic()
    done, expected, said = start, total, started

    def say(note: str) -> None:
        line = _log_line(label, done, start, expected, unit, time.monotonic() - started, note)
        print(line, file=sys.stderr, flush=True)

    def advance_in_log(count: int = 1, note: str = "", total: int | None = None) -> None:
        nonlocal done, expected, said
        done += count
        expected = total or expected
        if time.monotonic() - said >= 10:
            said = time.monotonic()
            say(note)

    yield advance_in_log
    say("done")


def _log_line(label: str, done: int, start: int, total: int | None, unit: str, seconds: float, note: str) -> str:
    rate = (done - start) / max(seconds, 1e-9)
    of = f"/{total}" if total else ""
    left = f", {(total - done) / rate:.0f} s left" if total and rate > 0 and done < total else ""
    return f"{label}: {done}{of} {unit}, {rate:.1f} {unit}/s{left}{', ' + note if note else ''}"


@contextmanager
def _terminal_bar(label: str, total: int | None, unit: str, start: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(label, total=total, completed=start, rate="", note="")
        started = time.monotonic()

        def advance(count: int = 1, note: str = "", total: int | None = None) -> None:
            done = progress.tasks[0].completed + count
            rate = (done - start) / max(time.monotonic() - started, 1e-9)
            if total is not None:
                progress.update(task, total=total)
            if note:
                progress.update(task, advance=count, rate=f"{rate:.1f} {unit}/s", note=note)
            else:
                progress.update(task, advance=count, rate=f"{rate:.1f} {unit}/s")

        yield advance
