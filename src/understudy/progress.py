"""One look for everything that takes long: a bar with rate and estimate on a terminal, sparse lines in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Advance(Protocol):
    """Call it after each unit of work; `note` is shown at the end of the bar (a loss, say)."""

    def __call__(self, count: int = 1, note: str = "") -> None: ...


@contextmanager
def progress_bar(label: str, total: int | None, unit: str = "frames") -> Iterator[Advance]:
    """Shows progress on stderr while the block runs; yields the function to call after each unit.

    On a terminal: a bar with count, rate and estimated time left. Elsewhere (a log file, CI): a line every
    ten seconds, so that logs stay short.
    """
    if sys.stderr.isatty():
        with _terminal_bar(label, total, unit) as advance:
            yield advance
        return
    started = time.monotonic()
    state = {"done": 0, "said": started}

    def advance_in_log(count: int = 1, note: str = "") -> None:
        state["done"] += count
        now = time.monotonic()
        if now - state["said"] >= 10:
            state["said"] = now
            print(_log_line(label, int(state["done"]), total, unit, now - started, note), file=sys.stderr, flush=True)

    yield advance_in_log
    print(
        _log_line(label, int(state["done"]), total, unit, time.monotonic() - started, "done"),
        file=sys.stderr,
        flush=True,
    )


def _log_line(label: str, done: int, total: int | None, unit: str, seconds: float, note: str) -> str:
    rate = done / max(seconds, 1e-9)
    of = f"/{total}" if total else ""
    left = f", {(total - done) / rate:.0f} s left" if total and 0 < done < total else ""
    return f"{label}: {done}{of} {unit}, {rate:.1f} {unit}/s{left}{', ' + note if note else ''}"


@contextmanager
def _terminal_bar(label: str, total: int | None, unit: str) -> Iterator[Advance]:
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
        task = progress.add_task(label, total=total, rate="", note="")
        started = time.monotonic()

        def advance(count: int = 1, note: str = "") -> None:
            done = progress.tasks[0].completed + count
            rate = done / max(time.monotonic() - started, 1e-9)
            if note:
                progress.update(task, advance=count, rate=f"{rate:.1f} {unit}/s", note=note)
            else:
                progress.update(task, advance=count, rate=f"{rate:.1f} {unit}/s")

        yield advance
