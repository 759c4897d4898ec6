"""What was asked for in the studio, in the order in which it is done: it outlives the page and the program.

A table in a file (SQLite), so that a power cut leaves either the state before or the one after.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from understudy.errors import UsageError

Status = Literal["waiting", "running", "done", "failed", "stopped"]
MOST_WAITING = 20
"""tasks that may wait; what comes then is refused"""
MOST_KEPT = 200
"""tasks that have ended, of which the table knows"""
_TABLE = """
create table if not exists tasks (
  number integer primary key autoincrement,
  verb text not null, title text not null, asked text not null, status text not null,
  progress text not null default '{}', reason text not null default '', answer text not null default '{}',
  notes text not null default '[]',
  added real not null, started real, ended real
)
"""


@dataclass(frozen=True)
class Task:
    """One thing that was asked for."""

    number: int
    verb: str
    title: str
    """for people"""
    asked: dict[str, Any]
    status: Status
    progress: dict[str, Any]
    """the latest of `onlooker.Progress`, by its fields; empty before there is any"""
    reason: str
    """why it failed or was stopped, in one line"""
    answer: dict[str, Any]
    """what has come of it"""
    notes: tuple[str, ...]
    """what the user should know, in order"""
    added: float
    started: float | None
    ended: float | None
    """seconds since 1970"""


class Queue:
    """The tasks of one studio, for any number of threads.

    Raises:
        UsageError: the file is something else.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._news = threading.Event()
        try:
            self._table = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._table.row_factory = sqlite3.Row
            self._table.execute(_TABLE)
        except sqlite3.DatabaseError as cause:
            raise UsageError(f"{path} cannot be used as the studio's list of tasks ({cause}): move it away") from None
        self.version = 0
        """one more with everything that changes"""
        self._listed: tuple[int, list[Task]] = -1, []

    def close(self) -> None:
        with self._lock:
            self._table.close()

    def add(self, verb: str, title: str, asked: dict[str, Any]) -> int:
        """Appends a task; its number.

        Raises:
            UsageError: too many wait already.
        """
        with self._lock:
            self._check_room()
            row = self._table.execute(
                "insert into tasks (verb, title, asked, status, added) values (?, ?, ?, 'waiting', ?)",
                (verb, title, json.dumps(asked), time.time()),
            )
            self._told()
            return int(row.lastrowid or 0)

    def take(self) -> Task | None:
        """The first that waits, which runs from now on; None if none does."""
        with self._lock:
            row = self._table.execute("select * from tasks where status = 'waiting' order by number limit 1").fetchone()
            if row is None:
                return None
            self._table.execute(
                "update tasks set status = 'running', started = ?, ended = null, progress = '{}', reason = '' "
                "where number = ?",
                (time.time(), row["number"]),
            )
            self._told()
        return self.task(row["number"])

    def task(self, number: object) -> Task:
        """Raises UsageError: there is no such task (any more)."""
        if isinstance(number, int) and not isinstance(number, bool) and abs(number) < 1 << 60:
            with self._lock:
                row = self._table.execute("select * from tasks where number = ?", (number,)).fetchone()
            if row is not None:
                return _task(row)
        raise UsageError("there is no such task any more")

    def all(self) -> list[Task]:
        """The newest first."""
        with self._lock:
            if self._listed[0] != self.version:  # every part of a page asks for it, each time something has changed
                rows = self._table.execute("select * from tasks order by number desc").fetchall()
                self._listed = self.version, [_task(row) for row in rows]
            return list(self._listed[1])

    def going_on(self, number: int, progress: dict[str, Any]) -> None:
        """How far it is."""
        self._set(number, "progress = ?", json.dumps(progress))

    def noted(self, number: int, note: str) -> None:
        """Something that the user should know, each once."""
        notes = list(self.task(number).notes)
        if note not in notes:
            self._set(number, "notes = ?", json.dumps([*notes, note][-20:]))

    def end(self, number: int, status: Status, reason: str = "", answer: dict[str, Any] | None = None) -> None:
        """It is over, one way or another."""
        with self._lock:
            self._table.execute(
                "update tasks set status = ?, reason = ?, answer = ?, ended = ? where number = ?",
                (status, reason, json.dumps(answer or {}), time.time(), number),
            )
            self._table.execute(
                "delete from tasks where status not in ('waiting', 'running') and number not in "
                "(select number from tasks order by number desc limit ?)",
                (MOST_KEPT,),
            )
            self._told()

    def again(self, number: object) -> None:
        """What failed or was stopped waits once more, and goes on where it can.

        Raises:
            UsageError: it has not ended, or was done; or too many wait already.
        """
        task = self.task(number)
        with self._lock:
            self._check_room()
            changed = self._table.execute(
                "update tasks set status = 'waiting', reason = '', progress = '{}', ended = null "
                "where number = ? and status in ('failed', 'stopped')",
                (task.number,),
            ).rowcount
            self._told()
        if not changed:
            raise UsageError("only what has failed or was stopped can be tried again")

    def leave_out(self, number: object) -> bool:
        """A task that waits is not done; False if it does not wait (any more)."""
        task = self.task(number)
        with self._lock:
            changed = self._table.execute(
                "update tasks set status = 'stopped', reason = 'stopped before it began', ended = ? "
                "where number = ? and status = 'waiting'",
                (time.time(), task.number),
            ).rowcount
            self._told()
        return bool(changed)

    def remove(self, number: object) -> None:
        """Forgets a task that has ended.

        Raises:
            UsageError: it waits or runs.
        """
        task = self.task(number)
        if task.status in ("waiting", "running"):
            raise UsageError("stop it first")
        with self._lock:
            self._table.execute("delete from tasks where number = ?", (task.number,))
            self._told()

    def begin_anew(self) -> None:
        """After the program was ended while a task ran, that task waits again, before all others."""
        with self._lock:
            self._table.execute("update tasks set status = 'waiting', progress = '{}' where status = 'running'")
            self._told()

    def changed(self) -> int:
        """Something beside the tasks has changed, which pages should show; the new version."""
        with self._lock:
            self._told()
            return self.version

    def wait(self, seconds: float) -> None:
        """Until something changes, for so long at most."""
        self._news.wait(seconds)
        self._news.clear()

    def _check_room(self) -> None:
        (waiting,) = self._table.execute("select count(*) from tasks where status = 'waiting'").fetchone()
        if waiting >= MOST_WAITING:
            raise UsageError(f"{waiting} tasks wait already: let some of them end, or stop them, and ask again")

    def _set(self, number: int, what: str, *values: Any) -> None:
        with self._lock:
            self._table.execute(f"update tasks set {what} where number = ?", (*values, number))
            self._told()

    def _told(self) -> None:
        self.version += 1
        self._news.set()


def _task(row: sqlite3.Row) -> Task:
    said: Sequence[str] = json.loads(row["notes"])
    return Task(
        row["number"],
        row["verb"],
        row["title"],
        json.loads(row["asked"]),
        row["status"],
        json.loads(row["progress"]),
        row["reason"],
        json.loads(row["answer"]),
        tuple(said),
        row["added"],
        row["started"],
        row["ended"],
    )
