"""Processes that end with the benchmark that started them, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE_S = 10.0
"""for a stopped measurement to clean up"""
BUSY = "import os\nwhile os.getppid() == {us}:\n    for _ in range(1_000_000): pass"
"""ends by itself when whoever started it is gone"""


def finished(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> str | None:
    """Runs a command to its end; None if it went well, else the line that says why not.

    It is a group of processes of its own, so that a Ctrl-C reaches us first, and what it started ends with it.
    """
    process = subprocess.Popen(
        list(map(str, command)),
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        _, errors = process.communicate()
    except BaseException:
        _stop(process)
        raise
    if process.returncode == 0:
        return None
    if process.returncode < 0:
        return f"ended by {signal.Signals(-process.returncode).name}"
    return last_line(errors)


def _stop(process: subprocess.Popen[str]) -> None:
    """Asks as Ctrl-C does, so that temporary files are removed; then makes sure."""
    try:
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=PATIENCE_S)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def last_line(errors: str) -> str:
    """The error in what a program printed: its last line, or the last that says so (pip goes on with advice)."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    said = [line for line in lines if line.lower().startswith("error")]
    return (said or lines or ["it did not say why"])[-1]


@contextmanager
def busy(cores: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Other work while the block runs: for each core a process that counts, at the usual priority.

    They are of one session, and a measurement of another: Linux may share cores out by sessions, and then a session for
    each of them would leave the measurement less than half.
    """
    processes: list[subprocess.Popen[bytes]] = []
    code = BUSY.format(us=os.getpid())
    nothing = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        for _ in range(cores):
            processes.append(subprocess.Popen([sys.executable, "-I", "-S", "-c", code], **nothing))
        yield processes
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


@contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """Within the block SIGTERM does what Ctrl-C does: nothing is left running or lying about."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
