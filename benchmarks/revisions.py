"""Another revision of this repository, checked out and installed with the versions that it names itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from processes import finished, last_line
from understudy.errors import UnderstudyError, UsageError

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Tree:
    """A revision that can be measured."""

    folder: Path
    python: Path


def commit_of(revision: str) -> str:
    """The full hash of a commit, branch or tag of this repository that can be measured.

    Raises:
        UsageError: there is no repository here, no such revision, or one without this benchmark.
    """
    if git("rev-parse", "--show-cdup", check=False) != "":
        raise UsageError("`--against`: the benchmark does not lie in a git repository of its own; clone understudy")
    commit = git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", check=False)
    if not commit:
        raise UsageError(f"`--against {revision}`: no such revision here; name a commit, a branch or a tag")
    for needed in ("benchmarks/pipeline.py", "constraints.txt"):
        if git("cat-file", "-e", f"{commit}:{needed}", check=False) is None:
            raise UsageError(f"`--against {revision}`: that revision has no {needed} yet; name a later one")
    return commit


def git(*arguments: str, check: bool = True) -> str | None:
    """What git prints, in this repository; None where it fails and that is not an error."""
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        raise UsageError("`--against` needs git, which is not installed") from None
    if done.returncode == 0:
        return done.stdout.strip()
    if check:
        raise UnderstudyError(f"git {arguments[0]} failed: {last_line(done.stderr)}")
    return None


@contextmanager
def checked_out(commit: str, folder: Path, scratch: Path, keep: bool) -> Iterator[Tree]:
    """The commit in a working tree with an environment of its own; removed at the end unless it is to be kept.

    Raises:
        UnderstudyError: its requirements cannot be installed.
    """
    folder = folder.resolve() / f"{commit[:12]}-python{sys.version_info.major}.{sys.version_info.minor}"
    ready = folder / ".venv" / ".ready"
    try:
        if not ready.exists():  # else finished by an earlier run
            _remove(folder)
            _build(commit, folder, scratch)
            ready.touch()
        yield Tree(folder, folder / ".venv" / "bin" / "python")
    finally:
        if not keep:
            _remove(folder)


def _build(commit: str, folder: Path, scratch: Path) -> None:
    """What `make` does in a fresh clone of that revision, with the Python that runs this."""
    print(f"building {commit[:12]}: its packages are installed, which takes some minutes", flush=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    git("worktree", "add", "--detach", str(folder), commit)
    python = folder / ".venv" / "bin" / "python"
    install = ["-m", "pip", "install", "-c", "constraints.txt", "-e", ".[dev]"]
    steps: list[list[str | Path]] = [[sys.executable, "-m", "venv", ".venv"], [python, *install]]
    makefile = folder / "Makefile"
    if makefile.exists() and "weights fetch" in makefile.read_text():  # before it, MediaPipe's wheel held the networks
        steps.append([python.with_name("understudy"), "weights", "fetch"])
    environment = os.environ | {"PYTHONPATH": str(folder / "src"), "TMPDIR": str(scratch)}
    for step in steps:
        failure = finished(step, folder, environment)
        if failure:
            raise UnderstudyError(f"revision {commit[:12]} cannot be installed: {failure}")


def _remove(folder: Path) -> None:
    if folder.exists():
        git("worktree", "remove", "--force", str(folder), check=False)
        shutil.rmtree(folder, ignore_errors=True)  # what is no working tree: an interrupted beginning of one
