"""Where results lie, and what a command may write over: what took hours to make is never lost by a slip."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from understudy.actor import Actor, run_folder_of
from understudy.errors import UnderstudyError, UsageError

_VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif")
_OPAQUE_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", "")
_TRANSPARENT_SUFFIXES = (".webm", ".mov", "")


def check_actor_output(path: Path, resume: bool, rendered_with: str = "") -> None:
    """One rule: what took hours to train is neither overwritten nor begun anew unless that is said.

    Args:
        path: of the actor.
        resume: whether the user asked to go on.
        rendered_with: the command that would use an actor that is there.

    Raises:
        UsageError: something is there that would be lost.
    """
    run_folder = run_folder_of(path)
    begun = any(run_folder.glob("**/checkpoints/step-*"))
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file for the actor, for example {path.name or 'me'}.actor")
    if path.suffix.lower() in _VIDEO_SUFFIXES:
        raise UsageError(f"{path} would be a video, and training writes an actor: name it {path.stem}.actor")
    if path.exists() and not begun and _took_no_training(path):
        return
    if path.exists() and not resume:
        use = f"render with it (`{rendered_with} ...`), " if rendered_with else ""
        raise UsageError(f"{path} exists: {use}train it further with `resume=True`, or choose another `output`")
    if path.exists() and not begun:
        raise UsageError(
            f"{path} exists, but its run folder {run_folder} is gone, so it cannot be trained further: "
            "choose another `output`"
        )
    if begun and not resume:
        raise UsageError(
            f"an interrupted training of {path} is in {run_folder}: go on with `resume=True`, "
            "or delete that folder first"
        )


def _took_no_training(path: Path) -> bool:
    """Whether an actor was made within seconds, from the reference's own frames: no loss if it is made anew."""
    try:
        return Actor.load(path).record.get("steps") == 0
    except UnderstudyError:
        return False


def check_video_output(path: Path, transparent: bool, compare: bool, inputs: Sequence[object]) -> None:
    """A video can be written to `path`, and nothing of `inputs` would be lost by it.

    Raises:
        UsageError: which of both is not so.
    """
    suffix = path.suffix.lower()
    allowed = _TRANSPARENT_SUFFIXES if transparent else _OPAQUE_SUFFIXES
    if suffix not in allowed:
        kinds = ".webm, .mov, or a name without suffix (a folder of PNG files)" if transparent else ".mp4, .mov or .mkv"
        what = "a transparent video" if transparent else "a video"
        raise UsageError(f"cannot write {what} as {path}: use {kinds}")
    if suffix and path.is_dir():
        raise UsageError(f"{path} is a folder: choose another `output`")
    if not suffix and path.exists() and not (path.is_dir() and all(_is_numbered_png(file) for file in path.iterdir())):
        raise UsageError(f"{path} exists and holds other things than numbered PNG files: choose another `output`")
    files = [given for given in inputs if isinstance(given, (str, os.PathLike)) and os.path.exists(given)]
    if path.exists() and any(os.path.samefile(file, path) for file in files):
        raise UsageError(f"`output` {path} would overwrite what it is made from: choose another name")
    comparison = comparison_path(path)
    if compare and comparison.is_dir():
        raise UsageError(f"{comparison} is a folder: choose another `output`, or leave out `compare`")
    if compare and comparison.exists() and any(os.path.samefile(file, comparison) for file in files):
        raise UsageError(f"`compare` would overwrite {comparison}, which is given: choose another `output`")


def _is_numbered_png(file: Path) -> bool:
    return file.suffix == ".png" and file.stem.isdigit()


def comparison_path(output: Path) -> Path:
    """Where the comparison of a performance lies: out.mp4 has out.compare.mp4."""
    return beside(output, ".compare.mp4")


def normalization_path(output: Path) -> Path:
    """Where the overlay of a performance lies: out.mp4 has out.normalization.png."""
    return beside(output, ".normalization.png")


def beside(path: Path, ending: str) -> Path:
    """out.mp4 -> out.actor, out.compare.mp4."""
    return path.with_name((path.stem if path.suffix else path.name) + ending)
