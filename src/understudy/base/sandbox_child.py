"""The child process of `sandbox.py`: gives up what it does not need, then does what it is asked, and tells of it."""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import Any

from understudy.base.confinement import bound_computing, bound_memory, give_up
from understudy.base.telling import Lines, pass_on_notes
from understudy.errors import UnderstudyError

EVERY_SECONDS = 0.1
"""so often at most it is told how much is done"""


def serve(limits: dict[str, Any]) -> None:
    """Gives up what is not needed, and answers until nothing is asked any more.

    Args:
        limits: the fields of `sandbox.Limits`.
    """
    told = _Told()
    give_up()
    bounded = False
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        try:
            work = getattr(importlib.import_module(asked["module"]), asked["name"])
            if not bounded:
                bound_memory(limits["memory"])
                bounded = True
            bound_computing(limits["computing"])
            for item in work(told.advance, *asked["given"]):
                told.say("item", item)
        except UnderstudyError as error:
            told.say("error", [type(error).__name__, str(error)])
        except MemoryError:
            told.say("error", ["MemoryError", ""])
        except OSError as error:
            told.say_system(error)
        except Exception as error:  # noqa: BLE001 - a library that could not have what it asked for says so in many ways
            told.say("error", ["Exception", f"{type(error).__name__}: {error}"])
        else:
            told.say("end", None)


class _Told:
    """What is said of the work and how far it is."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._done, self._said = 0, 0.0
        self._total: int | None = None
        pass_on_notes(lambda note: self.say("note", note))

    def say(self, kind: str, said: Any) -> None:
        if kind != "advance":
            self._say_done()
        self._lines.say({kind: said})

    def say_system(self, error: OSError) -> None:
        file = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else None
        self.say("system", [error.errno or 0, error.strerror or str(error), file])

    def advance(self, count: int = 1, note: str = "", total: int | None = None, left: float | None = None) -> None:
        """As that of a progress bar; what is to be shown at its end is not passed on."""
        self._done += count
        self._total = total or self._total
        if time.monotonic() - self._said >= EVERY_SECONDS:
            self._say_done()

    def _say_done(self) -> None:
        if self._done or self._total:
            done, total, self._done, self._total = self._done, self._total, 0, None
            self._said = time.monotonic()
            self.say("advance", [done, total])
