"""What has become of every job: a file in the output folder, written anew at every step, for people and for later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from understudy.base.files import read_json, write_json
from understudy.errors import UsageError
from understudy.jobs.checks import Checked
from understudy.jobs.one import content_of

FILE = "batch.json"
VERSION = 1
Status = Literal["waiting", "running", "done", "failed"]


@dataclass
class Entry:
    """What has become of one job."""

    status: Status = "waiting"
    seconds: float | None = None
    """that it took, by the clock, tracking included; None before it has ended"""
    reason: str = ""
    """why it failed, in one line"""
    traceback: list[str] = field(default_factory=list)
    """where, if that was no error of a kind that users cause"""
    asked: str = ""
    """names what was asked for, see `Checked`"""
    files: dict[str, str] = field(default_factory=dict)
    """what was written: content by name"""


class State:
    """What has become of the jobs of a folder. An entry of other jobs, of a command before, stays if it is done.

    Args:
        folder: where the file lies.
        jobs: all of them.
        content: names what lies under the name of something that was written; None = what lies in the folder.
        keep: is told whenever the file was written anew.

    Raises:
        UsageError: the folder has a file of the same name that is none of these.
    """

    def __init__(
        self,
        folder: Path,
        jobs: Sequence[Checked],
        content: Callable[[str], str] | None = None,
        keep: Callable[[Path], object] = lambda path: None,
    ) -> None:
        self.path = folder / FILE
        self._keep = keep
        content = content or (lambda name: content_of(folder / name))
        self._jobs = {one.job.name: one for one in jobs}
        before = _read(self.path) if self.path.exists() else {}
        self._others = {
            name: entry
            for name, entry in before.items()
            if name not in self._jobs and entry.status == "done" and _whole(content, entry)
        }
        self.entries = {
            name: before[name]
            if name in before and before[name].asked == one.asked and _done(content, before[name])
            else Entry(asked=one.asked)
            for name, one in self._jobs.items()
        }

    def write(self) -> None:
        """Raises UnderstudyError: it cannot be written."""
        jobs = {name: _told(entry, self._jobs[name]) for name, entry in self.entries.items()}
        others = {name: _told(entry, None) for name, entry in self._others.items()}
        write_json(self.path, {"batch": VERSION, "jobs": jobs, "earlier": others})
        self._keep(self.path)

    def of(self, status: Status) -> list[str]:
        """The names of the jobs that are so."""
        return [name for name, entry in self.entries.items() if entry.status == status]


def _done(content: Callable[[str], str], entry: Entry) -> bool:
    return entry.status == "done" and _whole(content, entry)


def _whole(content: Callable[[str], str], entry: Entry) -> bool:
    """Whether all that was written is there as it was written."""
    try:
        return bool(entry.files) and all(content(name) == written for name, written in entry.files.items())
    except OSError:
        return False


def _told(entry: Entry, one: Checked | None) -> dict[str, Any]:
    told: dict[str, Any] = {"status": entry.status}
    if one is not None:
        told |= {"actors": [str(actor) for actor in one.job.actors], "driving": str(one.job.driving)}
    if entry.seconds is not None:
        told["seconds"] = round(entry.seconds, 1)
    if entry.reason:
        told["reason"] = entry.reason
    if entry.traceback:
        told["traceback"] = entry.traceback
    return told | {"asked": entry.asked, "files": entry.files}


def _read(path: Path) -> dict[str, Entry]:
    read = read_json(path, UsageError)
    refused = UsageError(
        f"{path} is not what this program has written of a batch: choose another `output_folder`; or remove it, and "
        "all jobs are done again"
    )
    if not isinstance(read, dict) or read.get("batch") != VERSION:
        raise refused
    found = {}
    for part in ("earlier", "jobs"):
        entries = read.get(part)
        if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
            raise refused
        for name, entry in entries.items():
            files, status, seconds = entry.get("files"), entry.get("status"), entry.get("seconds")
            if not isinstance(files, dict) or status not in get_args(Status):
                raise refused
            if any(Path(file).name != file for file in files):
                raise refused
            found[name] = Entry(
                status=status,
                seconds=seconds if isinstance(seconds, int | float) else None,
                asked=str(entry.get("asked", "")),
                files={str(file): str(content) for file, content in files.items()},
            )
    return found
