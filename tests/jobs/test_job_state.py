"""What is written down of jobs, for people and for the next run; and what a process says when something is wrong."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from understudy.errors import PoseError, UsageError
from understudy.jobs.asked import Job
from understudy.jobs.checks import Checked
from understudy.jobs.child import MEMORY_RAN_OUT, _do, as_asked
from understudy.jobs.one import content_of
from understudy.jobs.state import State


def job(folder: Path, name: str, asked: str = "so") -> Checked:
    one = Job(1, (Path("me.actor"),), Path("dance.mp4"), folder / name, {})
    return Checked(job=one, recipes=("limb-warp",), landmarks="wholebody", clip="", asked=asked)


def written(folder: Path, name: str) -> None:
    """A state in which this job is done, and its video is there."""
    (folder / name).write_bytes(name.encode())
    state = State(folder, [job(folder, name)])
    state.entries[name].status = "done"
    state.entries[name].seconds = 2.04
    state.entries[name].files = {name: content_of(folder / name)}
    state.write()


def test_what_is_done_stays_done_while_others_use_the_folder(tmp_path: Path) -> None:
    written(tmp_path, "a.mp4")
    written(tmp_path, "b.mp4")
    again = State(tmp_path, [job(tmp_path, "a.mp4"), job(tmp_path, "c.mp4")])
    assert (again.of("done"), again.of("waiting")) == (["a.mp4"], ["c.mp4"])
    assert again.entries["a.mp4"].seconds == 2.0
    assert State(tmp_path, [job(tmp_path, "b.mp4")]).of("done") == ["b.mp4"]


@pytest.mark.parametrize("change", ["gone", "other content", "other options", "not done"])
def test_what_is_no_longer_so_is_done_again(tmp_path: Path, change: str) -> None:
    written(tmp_path, "a.mp4")
    if change == "gone":
        (tmp_path / "a.mp4").unlink()
    if change == "other content":
        (tmp_path / "a.mp4").write_bytes(b"")
    if change == "not done":
        record = tmp_path / "batch.json"
        record.write_text(record.read_text().replace('"done"', '"running"'))
    state = State(tmp_path, [job(tmp_path, "a.mp4", "otherwise" if change == "other options" else "so")])
    assert state.of("waiting") == ["a.mp4"] and state.entries["a.mp4"].files == {}


def test_a_record_cannot_name_files_of_other_folders(tmp_path: Path) -> None:
    written(tmp_path, "a.mp4")
    record = json.loads((tmp_path / "batch.json").read_text())
    record["jobs"]["a.mp4"]["files"] = {"../secret": "0" * 64}
    (tmp_path / "batch.json").write_text(json.dumps(record))
    with pytest.raises(UsageError, match="is not what this program has written"):
        State(tmp_path, [job(tmp_path, "a.mp4")])


def test_folders_of_pictures_are_known_by_all_that_is_in_them(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "0.png").write_bytes(b"one")
    known = content_of(tmp_path / "a")
    os.rename(tmp_path / "a", tmp_path / "b")
    assert content_of(tmp_path / "b") == known
    os.rename(tmp_path / "b" / "0.png", tmp_path / "b" / "1.png")
    assert content_of(tmp_path / "b") != known


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PoseError("no legs"), "no legs"),
        (OSError(errno.ENOSPC, "No space left on device", "out.mp4"), "out.mp4: No space left on device"),
        (MemoryError(), MEMORY_RAN_OUT),
        (RuntimeError("CUDA out of memory"), MEMORY_RAN_OUT),
        (KeyError("limbs"), "KeyError: 'limbs'"),
    ],
)
def test_a_job_that_fails_says_why_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    def do(*_: Any) -> None:
        raise error

    monkeypatch.setattr("understudy.jobs.one.do", do)
    said: list[tuple[str, dict[str, Any]]] = []
    tell: Any = SimpleNamespace(say=lambda kind, what: said.append((kind, what)))
    _do(as_asked(job(tmp_path, "a.mp4").job, ["limb-warp"], "wholebody"), tell)
    ((kind, what),) = said
    assert (kind, what["reason"]) == ("failed", reason)
    # where it was, is of use for what is no mistake of a user's
    assert ("traceback" in what) == isinstance(error, MemoryError | RuntimeError | KeyError)
