"""Jobs of a batch done within the process that asked for them, to tests of which no other process is the matter.

A process of its own costs a job two seconds before it begins. `tests/jobs` is about those that there are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from understudy.jobs import child
from understudy.jobs.checks import Checked
from understudy.jobs.workers import Heard


class Done:
    """A job that is over as soon as it was begun."""

    tries, seconds = 1, 0.0

    def __init__(self, one: Checked, heard: Heard) -> None:
        self.one, self._heard = one, heard
        self.answer: tuple[str, dict[str, Any]] | None = None
        asked = child.as_asked(one.job, one.recipes, one.landmarks)
        child._do(json.loads(json.dumps(asked)), self)  # type: ignore[arg-type]
        heard.put((self, "gone", None))

    def say(self, kind: str, said: Any) -> None:
        """What the child would have told its parent."""
        self._heard.put((self, kind, json.loads(json.dumps(said))))

    def why(self) -> str:
        return "ended"


class Here:
    """A place as `workers.Here`, one job after another."""

    who, tracks_once = "process", True

    def __init__(self, workers: int, threads: int | None = None) -> None:
        pass

    def has_room(self, running: int) -> bool:
        return running == 0

    def begin(self, one: Checked, heard: Heard) -> Done:
        return Done(one, heard)

    def end(self, running: Sequence[Done]) -> None:
        pass
