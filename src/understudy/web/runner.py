"""Does what waits in the queue, one task after another, each in a child process of its own (`worker.py`)."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any

from understudy.web.folder import Folder
from understudy.web.queue import Queue, Task

log = logging.getLogger(__name__)

GRACE_SECONDS = 60.0
"""that a child which was asked to stop may take to save"""
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
        self._thread = threading.Thread(target=self._work, daemon=True, name="studio-tasks")

    def start(self) -> None:
        """Begins with what waits, and with what was running when the program ended before."""
        self.queue.begin_anew()
        self._thread.start()

    def close(self) -> None:
        """Ends what runs, in order: training saves; the task waits again, for the next time."""
        self._closed.set()
        with self._lock:
            if self._running is not None:
                _ask_to_end(self._running[1])
        self._thread.join(GRACE_SECONDS + 5)

    def stop(self, number: int) -> None:
        """Stops a task, whether it runs or waits; training saves first."""
        if self.queue.leave_out(number):
            return
        with self._lock:
            if self._running is not None and self._running[0] == number:
                self._stopped.add(number)
                _ask_to_end(self._running[1])

    def _work(self) -> None:
        while not self._closed.is_set():
            self.folder.sweep({name for task in self.queue.all() for name in _uploads_of(task)})
            task = self.queue.take()
            if task is None:
                self.queue.wait(1.0)
                continue
            try:
                self._do(task)
            except Exception as error:  # noqa: BLE001 - one task that cannot be started does not end the studio
                log.warning("%s: %s", task.title, error)
                self.queue.end(task.number, "failed", str(error))

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
        for line in child.stdout:
            with suppress(ValueError, KeyError, TypeError):  # a line that its end has cut
                told = json.loads(line)
                self._hear(task, told["kind"], told["said"], heard)
        late.cancel()
        _wait(child)
        with self._lock:
            self._running = None
        self._end(task, heard, child.returncode)

    def _started(self, task: Task) -> subprocess.Popen[bytes]:
        with self._lock:
            child = subprocess.Popen(
                [sys.executable, "-I", "-c", _START, json.dumps(sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"OMP_WAIT_POLICY": "passive"} | dict(os.environ),
                start_new_session=True,  # Ctrl-C at a terminal is for us, who then end it in order
            )
            self._running = task.number, child
            if self._closed.is_set():
                _ask_to_end(child)
        asked = {"number": task.number, "verb": task.verb, "folder": str(self.folder.root), "asked": task.asked}
        assert child.stdin is not None
        with suppress(BrokenPipeError):  # it has died already, which its reader notices
            child.stdin.write(json.dumps(asked).encode() + b"\n")
            child.stdin.flush()
        return child

    def _hear(self, task: Task, kind: str, said: Any, heard: dict[str, Any]) -> None:
        if kind == "note":
            self.queue.noted(task.number, str(said[1]))
        elif kind == "progress":
            heard["progress"] = said | {"pictures": heard.get("progress", {}).get("pictures", 0)}
            self.queue.going_on(task.number, heard["progress"])
        elif kind == "picture":
            progress = heard.setdefault("progress", {})
            progress["pictures"] = progress.get("pictures", 0) + 1
            self.queue.going_on(task.number, progress)
        elif kind in ("done", "failed", "stopped"):
            heard["end"] = kind, said
            if kind == "failed" and said.get("traceback"):
                log.warning("%s\n%s", task.title, said["traceback"])

    def _end(self, task: Task, heard: dict[str, Any], code: int) -> None:
        kind, said = heard.get("end", ("gone", None))
        number = task.number
        if kind == "done":
            self.queue.end(number, "done", answer=said)
        elif kind == "failed":
            self.queue.end(number, "failed", said["reason"])
        elif number in self._stopped:
            self.queue.end(number, "stopped", "stopped; it can go on")
        elif self._closed.is_set():
            return  # it is running as far as the table knows, and begins anew with the program
        elif kind == "stopped":
            hours = self.most_seconds / 3600
            self.queue.end(
                number, "stopped", f"stopped after {hours:g} hours, as much as a task may take; it can go on"
            )
        else:
            self.queue.end(number, "failed", _why(code))
        self._stopped.discard(number)


def _uploads_of(task: Task) -> list[str]:
    """Names of the files that a task needs, before and after it has called its clip by its name."""
    if task.status not in ("waiting", "running"):
        return []
    upload = str(task.asked.get("upload", ""))
    return [upload, f"{task.asked.get('name')}.{upload.rpartition('.')[2]}", f"{task.number}.jpg"]


def _ask_to_end(child: subprocess.Popen[bytes]) -> None:
    """It saves and ends; if it does not, it is killed."""
    child.terminate()
    late = threading.Timer(GRACE_SECONDS, child.kill)
    late.daemon = True
    late.start()


def _wait(child: subprocess.Popen[bytes]) -> None:
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for pipe in (child.stdin, child.stdout):
        with suppress(OSError):
            if pipe is not None:
                pipe.close()


def _why(code: int) -> str:
    if code >= 0:
        return f"its process ended without an answer (exit code {code})"
    with suppress(ValueError):
        name = signal.Signals(-code).name
        return f"its process was ended by {name}" + (", as it is when memory runs out" if name == "SIGKILL" else "")
    return f"its process was ended by signal {-code}"
