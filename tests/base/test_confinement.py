"""What a process that has given up its rights can still do: write in the folders that are named, and no more."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sandboxed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what other systems do not offer")
landlock = pytest.mark.skipif(not sandboxed.landlock(), reason="a kernel without Landlock")

SCRIPT = """
import json, os, sys
from pathlib import Path
sys.path[:] = json.loads(sys.argv[1])
import sandboxed
from understudy.base.confinement import give_up
attempts = json.loads(sys.argv[3])
give_up([Path(one) for one in json.loads(sys.argv[2])])
print(json.dumps([list(sandboxed.attempt(None, what, path))[0] for what, path in attempts]))
"""


def attempted(writable: list[Path], *attempts: tuple[str, Path | str]) -> list[str]:
    """In a child that gives up all but these folders: of each attempt the error's class, empty where it works."""
    given: list[Any] = [sys.path, [str(one) for one in writable], [[what, str(path)] for what, path in attempts]]
    asked = [sys.executable, "-I", "-c", SCRIPT, *map(json.dumps, given)]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout))


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder that may be written in, with a file in it, and one beside it."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for path in (folder / "there", tmp_path / "there"):
        path.write_text("here")
    return folder


def in_and_beside(mine: Path, what: str) -> list[tuple[str, Path]]:
    name = "new" if what in ("write", "touch", "make a folder", "link") else "there"
    return [(what, mine / name), (what, mine.parent / name)]


@landlock
@pytest.mark.parametrize("what", ["write", "append", "touch", "make a folder", "link", "rename", "remove"])
def test_files_are_changed_in_the_folder_and_not_beside_it(mine: Path, what: str) -> None:
    before = sorted(path.name for path in mine.parent.iterdir())
    assert attempted([mine], *in_and_beside(mine, what)) == ["", "PermissionError"]
    assert sorted(path.name for path in mine.parent.iterdir()) == before
    assert (mine.parent / "there").read_text() == "here"
    assert sorted(path.name for path in mine.iterdir()) != ["there"] or (mine / "there").read_text() != "here"


@pytest.mark.skipif(sandboxed.landlock() < 3, reason="a kernel whose Landlock leaves that out")
def test_files_are_emptied_in_the_folder_and_not_beside_it(mine: Path) -> None:
    assert attempted([mine], *in_and_beside(mine, "empty")) == ["", "PermissionError"]
    assert (mine / "there").read_text() == "" and (mine.parent / "there").read_text() == "here"


@landlock
def test_links_lead_nowhere(mine: Path) -> None:
    """Neither one that was there before, nor one that is made."""
    (mine / "before").symlink_to(mine.parent / "there")
    (mine / "folder").symlink_to(mine.parent)
    tried = attempted(
        [mine], ("append", mine / "before"), ("write", mine / "folder" / "new"), ("write", mine / ".." / "new")
    )
    assert tried == ["PermissionError"] * 3
    assert (mine.parent / "there").read_text() == "here" and not (mine.parent / "new").exists()


@landlock
def test_several_folders_may_be_named_and_none(mine: Path) -> None:
    other = mine.parent / "other"
    other.mkdir()
    assert attempted([mine, other], ("write", mine / "new"), ("write", other / "new")) == ["", ""]
    assert attempted([], ("append", mine / "there"), ("touch", other / "newer")) == ["PermissionError"] * 2


@landlock
def test_programs_do_not_run_and_other_processes_are_left_alone(mine: Path) -> None:
    run, signalled = attempted([mine], ("run", ""), ("signal", str(os.getpid())))
    assert run == "PermissionError"
    assert signalled == "PermissionError" or (sandboxed.landlock() < 6 and not signalled)


@pytest.mark.skipif(not sandboxed.networkless() and sandboxed.landlock() < 4, reason="a system that keeps it for root")
def test_there_is_no_network(mine: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        assert all(attempted([mine], ("connect", port), ("listen", "")))
        assert list(sandboxed.attempt(None, "connect", port)) == [""]  # which would work here
