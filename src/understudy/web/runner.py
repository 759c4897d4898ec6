"""Does what waits in the queue, one task after another, each in a child process of its own (`worker.py`)."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import threading
from contextlib import suppress
from typing import Any

from understudy.base.children import ask, how_it_ended, kill, started
from understudy.base.stored import number, whole, word
from understudy.texts import printable, shown
from understudy.web.folder import Folder
from understudy.web.queue import Queue, Task
from understudy.web.wording import in_page_words

log = logging.getLogger(__name__)

GRACE_SECONDS = 60.0
"""that a child which was asked to stop may take to save"""
TIDY_SECONDS = 60.0
"""between two looks at what lies there for too long"""
AGAIN_SECONDS = 5.0
"""after which it is gone on where the disk has failed"""
MOST_BYTES = 16 << 20
"""of one line that a child says; the longest are answers with a word for each frame"""
LONGEST = 2000
"""characters of a note, or of a reason"""
NOT_FOR_CHILDREN = {"UNDERSTUDY_STUDIO_PASSWORD"}
"""of the environment: they look at files of strangers"""
_START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from understudy.web.worker import serve; serve()"
"""what a child runs: modules come from where ours do, and not from whatever lies in the current folder"""


class Runner:
    """Works through a queue in a thread.

    Args:
        folder, queue: of the studio.
        most_hours: that one task may take.
        most_bytes: that the studio's folder may hold; a task is not begun beyond it.
    """

    def __init__(self, folder: Folder, queue: Queue, most_hours: float, most_bytes: int) -> None:
        self.folder, self.queue = folder, queue
        self.most_seconds, self.most_bytes = 3600 * most_hours, most_bytes
        self._closed = threading.Event()
        self._stopped: set[int] = set()
        self._lock = threading.Lock()
        self._running: tuple[int, subprocess.Popen[bytes]] | None = None
        self._threads = [
            threading.Thread(target=self._work, daemon=True, name="studio-tasks"),
            threading.Thread(target=self._tidy, daemon=True, name="studio-tidy"),
        ]

    def start(self) -> None:
        """Begins with what waits, and with what was running when the program ended before."""
        self.queue.begin_anew()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Ends what runs, in order: training saves; the task waits again, for the next time."""
        self._closed.set()
        with self._lock:
            if self._running is not None:
                _ask_to_end(self._running[1])
        self.queue.changed()  # whoever waits for that looks around
        for thread in self._threads:
            if thread.is_alive():
                thread.join(GRACE_SECONDS + 5)

    def stop(self, number: int) -> None:
        """Stops a task, whether it runs or waits; training saves first."""
        if self.queue.leave_out(number):
            return
        with self._lock:
            if self._running is not None and self._running[0] == number:
                self._stopped.add(number)
                _ask_to_end(self._running[1])

    def _tidy(self) -> None:
        """Beside the tasks, of which one may take longer than anything may lie there."""
        while True:
            try:
                self.folder.sweep(self._used())
            except Exception as error:  # noqa: BLE001 - another time it may work
                log.warning("old uploads cannot be removed: %s", error)
            if self._closed.wait(TIDY_SECONDS):
                return

    def _used(self) -> set[str]:
        return {name for task in self.queue.all() for name in _uploads_of(task)}

    def _work(self) -> None:
        while not self._closed.is_set():
            try:
                self.folder.sweep_scratch(self._used())
                self._next()
            except Exception as error:  # noqa: BLE001 - a disk that is full now need not be later
                log.warning("the tasks cannot be gone on with: %s", error)
                self._closed.wait(AGAIN_SECONDS)

    def _next(self) -> None:
        task = self.queue.take()
        if task is None:
            self.queue.wait(1.0)
            return
        try:
            self._do(task)
        except Exception as error:  # noqa: BLE001 - one task that cannot be started does not end the studio
            log.warning("%s: %s", task.title, error)
            self.queue.end(task.number, "failed", self.folder.without_place(str(error)))

    def _do(self, task: Task) -> None:
        if self.folder.size() > self.most_bytes:
            self.queue.end(task.number, "failed", "the studio's folder is full: delete what you do not need any more")
            return
        child = self._started(task)
        late = threading.Timer(self.most_seconds, _ask_to_end, (child,))
        late.daemon = True
        late.start()
        heard: dict[str, Any] = {}
        assert child.stdout is not None
        while line := child.stdout.readline(MOST_BYTES):
            # one that its end has cut, or that is no such line: a decoder that was taken over may say anything
            with suppress(ValueError, LookupError, TypeError, RecursionError):
                told = json.loads(line)
                self._hear(task, told["kind"], told["said"], heard)
        late.cancel()
        _wait(child)
        with self._lock:
            self._running = None
        self._end(task, heard, child.returncode)

    def _started(self, task: Task) -> subprocess.Popen[bytes]:
        with self._lock:
            known = {name: value for name, value in os.environ.items() if name not in NOT_FOR_CHILDREN}
            child = started(_START, {"OMP_WAIT_POLICY": "passive"} | known)
            self._running = task.number, child
            if self._closed.is_set():
                _ask_to_end(child)
        ask(child, {"number": task.number, "verb": task.verb, "folder": str(self.folder.root), "asked": task.asked})
        return child

    def _hear(self, task: Task, kind: str, said: Any, heard: dict[str, Any]) -> None:
        if kind == "note":
            self.queue.noted(task.number, self._as_page(said[1]))
        elif kind == "progress":
            heard["progress"] = _progress(said) | {"pictures": heard.get("progress", {}).get("pictures", 0)}
            self.queue.going_on(task.number, heard["progress"])
        elif kind == "picture":
            progress = heard.setdefault("progress", {})
            progress["pictures"] = progress.get("pictures", 0) + 1
            self.queue.going_on(task.number, progress)
        elif kind == "done" and isinstance(said, dict):
            fit = json.dumps(said, ensure_ascii=False).encode(
                "utf-8", "replace"
            )  # halves of characters cannot be shown
            heard["end"] = kind, json.loads(fit)
        elif kind == "failed":
            heard["end"] = kind, self._as_page(said["reason"])
            if said.get("traceback"):
                lines = map(printable, word(said["traceback"]).splitlines()[-50:])
                log.warning("%s\n%s", task.title, "\n".join(lines))
        elif kind == "stopped":
            heard["end"] = kind, None

    def _as_page(self, said: Any) -> str:
        return in_page_words(self.folder.without_place(_words(said)))

    def _end(self, task: Task, heard: dict[str, Any], code: int) -> None:
        kind, said = heard.get("end", ("gone", None))
        asked = task.number
        if kind == "done":
            self.queue.end(asked, "done", answer=said)
        elif kind == "failed":
            self.queue.end(asked, "failed", said)
        elif asked in self._stopped:
            self.queue.end(asked, "stopped", "stopped; it can go on")
        elif self._closed.is_set():
            return  # it is running as far as the table knows, and begins anew with the program
        elif kind == "stopped":
            hours = self.most_seconds / 3600
            self.queue.end(asked, "stopped", f"stopped after {hours:g} hours, as much as a task may take; it can go on")
        else:
            self.queue.end(asked, "failed", f"its process {how_it_ended(code)}")
        self._stopped.discard(asked)


def _uploads_of(task: Task) -> list[str]:
    """Names of the files that a task needs, before and after it has called its clip by its name."""
    if task.status not in ("waiting", "running"):
        return []
    upload = str(task.asked.get("upload", ""))
    return [upload, f"{task.asked.get('name')}.{upload.rpartition('.')[2]}", f"{task.number}.jpg"]


def _words(said: Any) -> str:
    return shown(word(said)[:LONGEST])


def _progress(said: dict[str, Any]) -> dict[str, Any]:
    """The fields of `onlooker.Progress`, checked, since the page computes with them."""
    return {
        "label": _words(said["label"]),
        "done": whole(said["done"]),
        "total": None if said["total"] is None else whole(said["total"]),
        "unit": _words(said["unit"]),
        "rate": number(said["rate"]),
        "left": None if said["left"] is None else min(number(said["left"]), 1e8),
        "note": _words(said["note"]),
    }


def _ask_to_end(child: subprocess.Popen[bytes]) -> None:
    """It saves and ends; if it does not, it is killed."""
    child.terminate()
    late = threading.Timer(GRACE_SECONDS, _kill_if_there, (child,))
    late.daemon = True
    late.start()


def _kill_if_there(child: subprocess.Popen[bytes]) -> None:
    if child.stdout is not None and not child.stdout.closed:  # else its number may be another's by now
        kill(child)


def _wait(child: subprocess.Popen[bytes]) -> None:
    with suppress(subprocess.TimeoutExpired):
        child.wait(GRACE_SECONDS)
    kill(child)
    child.wait()
    for pipe in (child.stdin, child.stdout):
        with suppress(OSError):
            if pipe is not None:
                pipe.close()
