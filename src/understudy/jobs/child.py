"""The child process of `workers.py`: does the one job that it is sent, tells of it, and never outlives its parent."""

from __future__ import annotations

import json
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from understudy.base.machine import says_memory_ran_out
from understudy.base.telling import Lines, pass_on_notes, serve_parent
from understudy.errors import Interrupted, UnderstudyError
from understudy.jobs.asked import Job

MEMORY_RAN_OUT = "memory ran out: fewer `workers` at once need less, and so does a shorter clip"


def serve() -> None:
    """Reads a job as a line of JSON and tells, a line each: notes, that its clip is tracked, and how it ended."""
    tell = _Told()
    asked = json.loads(sys.stdin.buffer.readline())
    serve_parent()
    try:
        _do(asked, tell)
    except Interrupted:
        sys.exit(128 + signal.SIGTERM)


def _do(asked: dict[str, Any], tell: _Told) -> None:
    from understudy.jobs.one import do

    try:
        files = do(job_of(asked), asked["recipes"], asked["landmarks"], lambda: tell.say("tracked", None))
    except UnderstudyError as error:
        tell.say("failed", {"reason": str(error)})
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        tell.say("failed", {"reason": _memory_or(error, f"{named}{error.strerror or error}")})
    except Exception as error:  # noqa: BLE001 - whatever it was, the others go on, and the record says where it was
        reason = _memory_or(error, f"{type(error).__name__}: {error}")
        tell.say("failed", {"reason": reason, "traceback": traceback.format_exc().splitlines()})
    else:
        tell.say("done", {"files": files})


def _memory_or(error: Exception, reason: str) -> str:
    return MEMORY_RAN_OUT if says_memory_ran_out(error) else reason


def as_asked(job: Job, recipes: Sequence[str], landmarks: str) -> dict[str, Any]:
    """What a child is sent; JSON can say all of it."""
    return {
        "number": job.number,
        "actors": [str(actor) for actor in job.actors],
        "driving": str(job.driving),
        "output": str(job.output),
        "options": job.options,
        "by": job.by,
        "sides": list(job.sides),
        "recipes": list(recipes),
        "landmarks": landmarks,
    }


def job_of(asked: dict[str, Any]) -> Job:
    """The job that was sent."""
    options = dict(asked["options"])
    if "driving_region" in options:
        options["driving_region"] = tuple(options["driving_region"])
    actors = tuple(map(Path, asked["actors"]))
    driving, output = Path(asked["driving"]), Path(asked["output"])
    return Job(asked["number"], actors, driving, output, options, asked["by"], tuple(asked["sides"]))


class _Told:
    """What is said of the job."""

    def __init__(self) -> None:
        self._lines = Lines()
        pass_on_notes(lambda note: self.say("note", note))

    def say(self, kind: str, said: Any) -> None:
        self._lines.say({"kind": kind, "said": said})
