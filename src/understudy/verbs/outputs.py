"""Where results lie, and what a command may write over: what took hours to make is never lost by a slip."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from understudy.actor import Actor, run_folder_of
from understudy.base.files import check_name, read_json
from understudy.errors import TrainingError, UnderstudyError, UsageError
from understudy.recipes import recipe as find_recipe

log = logging.getLogger(__name__)

_VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif")
_OPAQUE_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", "")
_TRANSPARENT_SUFFIXES = (".webm", ".mov", "")


def check_actor_output(
    path: Path, recipe: str, config: Any, *, resume: bool, overwrite: bool, rendered_with: str = ""
) -> None:
    """One rule: nothing takes the place of what took hours to train but the run that made it, unless that is said.

    Args:
        path: of the actor.
        recipe, config: what is to be trained.
        resume: whether the user asked to go on.
        overwrite: whether the user asked to begin anew whatever is there.
        rendered_with: the command that would use an actor that is there.

    Raises:
        UsageError: something is there that would be lost.
    """
    run_folder = run_folder_of(path)
    begun = any(run_folder.glob("**/checkpoints/step-*"))
    check_name(path)  # now, and not after hours
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file for the actor, for example {path.name or 'me'}.actor")
    if path.suffix.lower() in _VIDEO_SUFFIXES:
        raise UsageError(f"{path} would be a video, and training writes an actor: name it {path.stem}.actor")
    if overwrite and resume:
        raise UsageError("`overwrite` begins anew and `resume` goes on: give one of them")
    if overwrite or (path.exists() and not begun and _took_no_training(path)):
        return
    if path.exists() and not resume:
        use = f"render with it (`{rendered_with} ...`), " if rendered_with else ""
        raise UsageError(
            f"{path} exists: {use}train it further with `resume=True`, replace it with `overwrite=True`, or choose "
            "another `output`"
        )
    if path.exists() and not begun:
        raise UsageError(
            f"{path} exists, but its run folder {run_folder} is gone, so it cannot be trained further: "
            "choose another `output`, or replace it with `overwrite=True`"
        )
    if begun and not resume:
        raise UsageError(
            f"an interrupted training of {path} is in {run_folder}: go on with `resume=True`, "
            "or begin anew with `overwrite=True`"
        )
    if begun:
        _check_goes_on(path, run_folder, recipe, config)


def _check_goes_on(path: Path, run_folder: Path, recipe: str, config: Any) -> None:
    """A recipe looks at the settings of its own stages, before it goes on with them, and at nothing else.

    Raises:
        UsageError: the run is another recipe's, or nothing would go on with it.
    """
    other = _recipe_of_run(run_folder)
    if other not in (None, recipe):
        raise UsageError(
            f"{run_folder} was begun with another recipe: go on with `recipe={other!r}`, choose another `output`, "
            "or begin anew with `overwrite=True`"
        )
    if _trains_nothing(recipe, config) and path.exists() and not _took_no_training(path):
        raise UsageError(
            f"{path} took training, and what is asked for takes none: repeat the `recipe` and `preset` of before, "
            "choose another `output`, or replace it with `overwrite=True`"
        )


def _recipe_of_run(run_folder: Path) -> str | None:
    """The recipe that a run, or its first stage, was begun with; None where that cannot be read."""
    for record in sorted(run_folder.glob("**/run.json")):
        try:
            found = read_json(record, TrainingError)
        except TrainingError:
            continue
        if isinstance(found, dict) and isinstance(found.get("settings"), dict):
            named = found["settings"].get("recipe")
            return named if isinstance(named, str) else None
    return None


def _trains_nothing(recipe: str, config: Any) -> bool:
    return not find_recipe(recipe).learns or getattr(config, "steps", None) == 0


def check_place_beside(video: Path) -> None:
    """Raises UsageError: the manifest of a video that cannot hold one has no place beside it."""
    from understudy.marks.manifest import KINDS_BESIDE, beside

    if video.suffix.lower() in KINDS_BESIDE:
        check_name(beside(video))
        if beside(video).is_dir():
            raise UsageError(f"{beside(video)} is a folder, and what the video says of itself lies there: rename it")


def set_aside(path: Path) -> None:
    """Moves an actor and its run folder out of the way, to NAME.before.actor: once, for what was there is replaced.

    A run that never came to an actor does not take the place of an actor that was set aside before. The caller holds
    the run folder's lock, whose file stays.
    """
    before, run_folder = path.with_name(f"{path.stem}.before{path.suffix}"), run_folder_of(path)
    own = [file for file in run_folder.iterdir() if file.name != ".lock"] if run_folder.is_dir() else []
    if not path.exists() and before.exists():
        for file in own:
            _remove(file)
        return
    if not path.exists() and not own:
        return
    kept = run_folder_of(before)
    if kept.exists():
        shutil.rmtree(kept)
    if path.exists():
        os.replace(path, before)
    if own:
        kept.mkdir()
    for file in own:
        os.replace(file, kept / file.name)
    log.warning("what was there is kept: %s", before if before.exists() else kept)


def _remove(file: Path) -> None:
    if file.is_dir() and not file.is_symlink():
        shutil.rmtree(file)
    else:
        file.unlink()


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
    if path.name.lower() in _VIDEO_SUFFIXES:
        raise UsageError(f"`output` {path} is a suffix without a name before it: out{path.name}, for example")
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
