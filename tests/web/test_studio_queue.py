"""The queue: in order, within limits, and still there when the program is not."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from understudy.errors import UsageError
from understudy.web import queue as queues
from understudy.web.queue import MOST_WAITING, Queue, Status, Task


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    made = Queue(tmp_path / "studio.sqlite")
    yield made
    made.close()


def add(queue: Queue, title: str = "a task") -> int:
    return queue.add("check", title, {"name": title})


def only(tasks: list[Task], status: Status) -> list[Task]:
    return [task for task in tasks if task.status == status]


def test_tasks_are_taken_in_order(queue: Queue) -> None:
    first, second = add(queue, "first"), add(queue, "second")
    assert first < second and [task.number for task in queue.all()] == [second, first]
    taken = queue.take()
    assert taken is not None and (taken.number, taken.status, taken.title) == (first, "running", "first")
    assert taken.asked == {"name": "first"} and taken.started is not None and taken.ended is None
    queue.end(first, "done", answer={"said": "yes"})
    assert queue.task(first).answer == {"said": "yes"} and queue.task(first).ended is not None
    again = queue.take()
    assert again is not None and again.number == second
    assert queue.take() is None
    assert [task.number for task in only(queue.all(), "running")] == [second]


def test_so_many_wait_and_no_more(queue: Queue) -> None:
    numbers = [add(queue) for _ in range(MOST_WAITING)]
    said = f"^{MOST_WAITING} tasks wait already: let some of them end, or stop them, and ask again$"
    with pytest.raises(UsageError, match=said):
        add(queue)
    assert queue.leave_out(numbers[3])
    with_one_less = add(queue)
    with pytest.raises(UsageError, match=said):  # which is one more that waits, too
        queue.again(numbers[3])
    assert queue.leave_out(with_one_less)
    queue.again(numbers[3])
    assert len(only(queue.all(), "waiting")) == MOST_WAITING


def test_so_many_that_ended_are_known_and_no_more(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "MOST_KEPT", 3)
    waits = add(queue, "waits")
    numbers = [add(queue) for _ in range(6)]
    for number in numbers:
        queue.end(number, "done")
    assert [task.number for task in queue.all()] == [*numbers[:2:-1], waits]


def test_what_ran_when_the_program_was_killed_is_first_again(tmp_path: Path) -> None:
    path = tmp_path / "studio.sqlite"
    script = (
        "import os, sys; from pathlib import Path; from understudy.web.queue import Queue\n"
        "queue = Queue(Path(sys.argv[1]))\n"
        "numbers = [queue.add('check', str(number), {}) for number in range(3)]\n"
        "queue.take(); queue.going_on(numbers[0], {'done': 1}); queue.noted(numbers[0], 'a note')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode == -9
    queue = Queue(path)
    assert [task.status for task in queue.all()] == ["waiting", "waiting", "running"]
    queue.begin_anew()
    first = queue.take()
    assert first is not None and (first.title, first.progress, first.notes) == ("0", {}, ("a note",))
    queue.close()


def test_what_did_not_succeed_is_tried_again(queue: Queue) -> None:
    number = add(queue)
    for status in ("failed", "stopped"):
        queue.take()
        queue.end(number, status, "because")  # type: ignore[arg-type]
        queue.again(number)
        task = queue.task(number)
        assert (task.status, task.reason, task.ended) == ("waiting", "", None)
    for _ in ("waiting", "running", "done"):
        with pytest.raises(UsageError, match=r"^only what has failed or was stopped can be tried again$"):
            queue.again(number)
        if queue.take() is None:
            queue.end(number, "done")


def test_what_waits_can_be_left_out_and_what_ended_forgotten(queue: Queue) -> None:
    runs, waits = add(queue), add(queue)
    queue.take()
    assert not queue.leave_out(runs) and queue.leave_out(waits) and not queue.leave_out(waits)
    assert queue.task(waits).reason == "stopped before it began"
    with pytest.raises(UsageError, match=r"^stop it first$"):
        queue.remove(runs)
    queue.remove(waits)
    with pytest.raises(UsageError, match=r"^there is no such task any more$"):
        queue.task(waits)
    assert add(queue) > waits  # a number is not given twice


@pytest.mark.parametrize("number", [None, "1", 1.0, True, [1], -1, 0, 1 << 80, "1 or 1=1"])
def test_what_is_no_number_is_no_task(queue: Queue, number: object) -> None:
    add(queue)
    for act in (queue.task, queue.again, queue.leave_out, queue.remove):
        with pytest.raises(UsageError, match=r"^there is no such task any more$"):
            act(number)
    assert len(queue.all()) == 1


def test_notes_are_kept_once_and_not_without_end(queue: Queue) -> None:
    number = add(queue)
    for note in (*map(str, range(30)), "29", "29"):
        queue.noted(number, note)
    assert queue.task(number).notes == tuple(map(str, range(10, 30)))


def test_the_version_changes_with_everything_and_wakes_who_waits(queue: Queue) -> None:
    seen = [queue.version]

    def changed() -> bool:
        seen.append(queue.version)
        return seen[-1] > seen[-2]

    number = add(queue)
    assert changed()
    queue.all(), queue.task(number)
    assert not changed()
    queue.take()
    assert changed()
    queue.going_on(number, {"done": 1})
    assert changed()
    queue.noted(number, "a note")
    assert changed()
    queue.end(number, "failed", "because")
    assert changed()
    queue.again(number)
    assert changed()
    assert queue.changed() == queue.version and changed()
    queue.wait(0)  # which has heard of all that
    waiting = threading.Thread(target=queue.wait, args=(600,))
    waiting.start()
    queue.changed()
    waiting.join(60)
    assert not waiting.is_alive()


def test_what_stands_in_names_is_no_language_of_tables(queue: Queue) -> None:
    title = "'; drop table tasks; --\" \x00"
    assert queue.task(add(queue, title)).title == title and len(queue.all()) == 1


def test_another_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "studio.sqlite").write_bytes(b"not a table" * 100)
    with pytest.raises(UsageError, match=r"cannot be used as the studio's list of tasks \(.*\): move it away$"):
        Queue(tmp_path / "studio.sqlite")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="move it away"):
        Queue(tmp_path / "folder")
