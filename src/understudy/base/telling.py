"""What a child process of ours tells its parent: lines of JSON, on what was its stdout."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import IO, Any

from understudy.errors import Interrupted

LEVELS = {"INFO": logging.INFO, "WARNING": logging.WARNING}
"""of notes, by the word that is sent for them"""


class Lines:
    """The child's end. What others print meanwhile goes nowhere."""

    def __init__(self) -> None:
        self._pipe: IO[bytes] = os.fdopen(os.dup(1), "wb")
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)
        self._one_at_a_time = threading.Lock()

    def say(self, line: Any) -> None:
        """Anything that JSON can say; at once, from any thread."""
        with self._one_at_a_time:
            self._pipe.write(json.dumps(line).encode() + b"\n")
            self._pipe.flush()


def leave_with_parent() -> None:
    """Ends this process with its parent, from a thread of its own.

    The parent holds the other end of stdin, and the system closes that when it ends, however that happens. What is
    half-written then has no name yet, and is removed by whoever writes there next.
    """
    while os.read(0, 1):
        pass
    os._exit(1)


def serve_parent() -> None:
    """What every child begins with: it never outlives its parent, and SIGTERM interrupts what it does.

    Raises:
        Interrupted: in the main thread, when SIGTERM comes.
    """
    threading.Thread(target=leave_with_parent, daemon=True, name="parent").start()
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(number: int, _: FrameType | None) -> None:
    raise Interrupted("stopped", number)


def pass_on_notes(tell: Callable[[list[str]], None]) -> None:
    """Has whatever is logged told as well, each as [a word of `LEVELS`, the message]."""
    notes = logging.getLogger("understudy")
    notes.setLevel(logging.INFO)
    notes.addHandler(_Notes(tell))


class _Notes(logging.Handler):
    def __init__(self, tell: Callable[[list[str]], None]) -> None:
        super().__init__()
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell(["WARNING" if record.levelno >= logging.WARNING else "INFO", record.getMessage()])
