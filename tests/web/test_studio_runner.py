"""What becomes of tasks: done, refused, stopped, killed, interrupted with the program, or told of in lies."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sandboxed
import studio_tasks
from studios import eventually
from understudy.web import runner
from understudy.web.folder import Folder
from understudy.web.queue import Queue, Task
from understudy.web.runner import Runner
from understudy.web.studio import PASSWORD

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the studio's tasks are ended by signals")


class Place:
    """A studio's folder and queue, and who works through it, one after another as programs are started."""

    def __init__(self, root: Path) -> None:
        self.folder = Folder(root)
        self.folder.prepare()
        self.queue = Queue(root / "studio.sqlite")
        self.runner: Runner | None = None

    def start(self, hours: float = 1.0, most: int = 1 << 40) -> Place:
        self.runner = Runner(self.folder, self.queue, hours, most)
        self.runner.start()
        return self

    def close(self) -> None:
        if self.runner is not None:
            self.runner.close()
            self.runner = None

    def add(self, verb: str, **asked: Any) -> int:
        return self.queue.add(verb, verb, asked)

    def ended(self, number: int) -> Task:
        eventually(lambda: self.queue.task(number).status not in ("waiting", "running"))
        return self.queue.task(number)

    def begun(self, times: int = 1) -> None:
        """Waits until `hold` runs."""
        begun = self.folder.root / "scratch" / "begun"
        eventually(lambda: begun.exists() and begun.read_text() == str(times))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(runner, "_START", studio_tasks.START)
    made = Place(tmp_path / "studio")
    yield made
    made.close()
    made.queue.close()


def test_tasks_end_as_they_do(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "understudy")
    asked = [
        place.add("answer", a=[1, None, "Ä"]),
        place.add("refuse", said="no \x1b[31mred in {root}/films/one.mp4, \nand no more"),
        place.add("stumble"),
        place.add("nothing of that name"),
        place.add("answer", a="\ud800"),
        place.add("die", number=int(signal.SIGKILL)),
        place.add("die", number=int(signal.SIGSEGV)),
        place.add("leave", code=3),
    ]
    place.start()
    ended = [place.ended(number) for number in asked]
    assert [task.status for task in ended] == ["done", "failed", "failed", "failed", "done", *["failed"] * 3]
    assert ended[0].answer == {"a": [1, None, "Ä"]} and ended[4].answer == {"a": "?"}
    assert [task.reason for task in ended[1:4]] == [
        "no \ufffd[31mred in one, and no more",
        "KeyError: 'nothing'",
        "KeyError: 'nothing of that name'",
    ]
    assert [task.reason for task in ended[5:]] == [
        "its process was ended by SIGKILL, as it is when memory runs out",
        "its process was ended by SIGSEGV",
        "its process ended without an answer (exit code 3)",
    ]
    started = [task.started or 0 for task in ended]
    assert started == sorted(started)
    assert "Traceback" in caplog.text and "in stumble" in caplog.text  # for whoever runs the program


def test_who_looks_on_is_told_how_far_it_is_and_what_it_looks_like(place: Place) -> None:
    task = place.start().ended(place.add("film"))
    assert task.status == "done" and task.answer == {"seen": True}
    progress = task.progress
    assert (progress["label"], progress["done"], progress["total"], progress["unit"]) == ("filming", 3, 3, "frames")
    assert progress["left"] is None and progress["pictures"] == 1  # one a second at most
    import cv2

    picture = cv2.imread(str(place.folder.root / "scratch" / f"{task.number}.jpg"))
    assert picture is not None and picture.shape == (480, 640, 3)
    assert abs(picture[240, 320].astype(int) - (10, 10, 250)).max() < 12


def test_what_runs_is_stopped_and_goes_on_when_it_is_asked_for_again(place: Place) -> None:
    number, waiting = place.add("hold"), place.add("answer")
    runs = place.start().runner
    assert runs is not None
    place.begun()
    runs.stop(waiting)
    assert place.queue.task(waiting).reason == "stopped before it began"
    runs.stop(number)
    task = place.ended(number)
    assert (task.status, task.reason) == ("stopped", "stopped; it can go on")
    place.queue.again(number)
    place.begun(2)
    runs.stop(number)
    assert place.ended(number).status == "stopped"
    runs.stop(number)  # which has ended
    assert place.ended(place.add("answer")).status == "done"


def test_what_does_not_listen_is_killed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "GRACE_SECONDS", 0.3)
    number = place.add("hold", deaf=True)
    runs = place.start().runner
    assert runs is not None
    place.begun()
    runs.stop(number)
    assert place.ended(number).status == "stopped"


def test_what_ran_when_the_program_ended_runs_first_with_the_next_one(place: Place) -> None:
    number, other = place.add("hold"), place.add("answer")
    place.start()
    place.begun()
    place.close()
    assert [place.queue.task(one).status for one in (number, other)] == ["running", "waiting"]
    runs = place.start().runner
    assert runs is not None
    place.begun(2)
    assert place.queue.task(other).status == "waiting"
    runs.stop(number)
    assert place.ended(number).status == "stopped" and place.ended(other).status == "done"


def test_what_takes_too_long_is_stopped_with_the_reason(place: Place) -> None:
    task = place.start(hours=0.0004).ended(place.add("hold"))
    assert task.status == "stopped"
    assert task.reason == "stopped after 0.0004 hours, as much as a task may take; it can go on"


def test_nothing_is_begun_in_a_full_folder(place: Place) -> None:
    (place.folder.root / "films" / "a.mp4").write_bytes(b"a" * 100_000)
    task = place.start(most=90_000).ended(place.add("answer"))
    assert task.status == "failed" and task.reason.startswith("the studio's folder is full")


def test_what_a_task_says_that_it_should_not_is_left_out(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    fine = {"label": "a", "done": 1, "total": None, "unit": "b", "rate": 1.0, "left": None, "note": ""}
    told = [
        {"kind": "progress", "said": fine},
        *({"kind": "progress", "said": fine | wrong} for wrong in [{"done": "1"}, {"total": "<b>"}, {"rate": None}]),
        *({"kind": "progress", "said": fine | wrong} for wrong in [{"left": "x"}, {"label": 7}, {"unit": []}]),
        *(
            {"kind": kind, "said": said}
            for kind in ("progress", "note", "done", "failed")
            for said in (7, "x", [], None)
        ),
        {"kind": "note", "said": ["INFO", "\x1b[31mred " + "x" * 9000]},
        {"kind": "note", "said": ["INFO", {"a": 1}]},
        {"kind": "done", "said": {"a": "\ud800"}},
    ]
    lines = ["", "[]", "7", "rubbish", "[" * 100_000, '{"kind": []}', "{}", "\ud800", *map(json.dumps, told)]
    lines.append('{"kind": "progress", "said": {"done": 1e999, "rate": NaN}}')
    task = place.start().ended(place.add("say", lines=lines))
    assert (task.status, task.answer, task.progress) == ("done", {"said": len(lines)}, fine | {"pictures": 0})
    assert len(task.notes) == 1 and task.notes[0].startswith("\ufffd[31mred x") and len(task.notes[0]) <= runner.LONGEST


def test_a_line_without_an_end_takes_no_memory_here(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "MOST_BYTES", 1 << 20)
    heard: list[int] = []
    read = json.loads
    monkeypatch.setattr(runner.json, "loads", lambda line: heard.append(len(line)) or read(line))
    task = place.start().ended(place.add("say_much", mib=6))
    assert task.status == "done" and max(heard) <= 1 << 20


def test_who_is_left_behind_ends_with_the_task(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "GRACE_SECONDS", 0.3)
    number = place.add("leave_somebody")
    runs = place.start().runner
    assert runs is not None
    left = place.folder.root / "scratch" / "left"
    eventually(lambda: left.exists() and left.read_text())
    runs.stop(number)
    assert place.ended(number).status == "stopped"
    eventually(lambda: gone(int(left.read_text())))


def gone(process: int) -> bool:
    """A zombie, which nobody here may wait for, is gone, too."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    if not sys.platform.startswith("linux"):
        return False
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"


def test_a_task_does_not_know_the_password_and_writes_in_the_studio_only(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD, "correct horse battery")
    monkeypatch.setenv("UNDERSTUDY_TEST", "known")
    outside = tmp_path / "outside"
    place.start()
    every, check = (place.ended(place.add(verb, outside=str(outside))).answer for verb in ("look_around", "check"))
    assert "correct horse" not in every["environment"] and "known" in every["environment"] and every["offline"] == "1"
    assert every["inside"] == "written"
    if sandboxed.landlock():
        assert every["outside"] == check["outside"] == check["inside"] == "PermissionError" and not outside.exists()


def test_old_uploads_go_while_a_task_runs(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "TIDY_SECONDS", 0.02)
    old, used = (place.folder.root / "uploads" / f"{letter * 32}.mp4" for letter in "ab")
    number = place.add("hold")
    runs = place.start().runner
    assert runs is not None
    place.begun()
    place.add("answer", upload=used.name)
    for path in (old, used):
        path.touch()
    monkeypatch.setattr("understudy.web.folder.UPLOAD_SECONDS", -1e6)
    eventually(lambda: not old.exists())
    assert used.exists() and place.queue.task(number).status == "running"
    runs.stop(number)


def test_the_disk_may_fail_for_a_while(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that goes wrong between two tasks ends the thread that does them."""
    failed: list[int] = []
    take = place.queue.take

    def sometimes() -> Task | None:
        if not failed:
            failed.append(1)
            raise OSError("the disk is away")
        return take()

    monkeypatch.setattr(place.queue, "take", sometimes)
    monkeypatch.setattr(runner, "AGAIN_SECONDS", 0.01)
    assert place.start().ended(place.add("answer")).status == "done" and failed


def test_who_never_began_can_close(tmp_path: Path) -> None:
    place = Place(tmp_path / "studio")
    Runner(place.folder, place.queue, 1.0, 1).close()
    place.queue.close()
