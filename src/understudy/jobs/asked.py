"""What is asked for: jobs, in each of which an actor or several perform one driving clip; from a file, or every pair.

A job file is JSON: {"jobs": [{"actor": "me.actor", "driving": "dance.mp4"}, ...]}, or JSON Lines, with one job a line.
What a job may say is what `perform` may be asked.
"""

from __future__ import annotations

import difflib
import json
import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from understudy.base.arguments import StrPath
from understudy.base.files import MAX_JSON_BYTES, read_json
from understudy.errors import UsageError

By: TypeAlias = Literal["actor", "assign", "person"]
"""how a job says who performs"""
LINES = (".jsonl", ".ndjson")
"""suffixes of job files with one job a line"""
_ADVICE = 'write {"jobs": [{"actor": "me.actor", "driving": "dance.mp4"}]}, or one such job a line into a .jsonl file'


@dataclass(frozen=True)
class Job:
    """One performance: paths and options in, a video out."""

    number: int
    """from 1 on, in the order in which they were asked for"""
    actors: tuple[Path, ...]
    """from left to right; photographs of people, where `by` says so"""
    driving: Path
    output: Path
    options: dict[str, Any]
    """of `perform`, or of `reenact` for photographs, by the name of the parameter: those that were said"""
    by: By = "actor"
    sides: tuple[str, ...] = ()
    """whom in the driving video each of them dances, by `assign`"""

    @property
    def name(self) -> str:
        """What it is called where many are listed: its output, without the folder."""
        return self.output.name

    def __str__(self) -> str:
        return f"job {self.number} ({self.name})"


def _text(given: Any) -> str:
    if not isinstance(given, str) or not given:
        raise ValueError("a text")
    return given


def _switch(given: Any) -> bool:
    if not isinstance(given, bool):
        raise ValueError("true or false")
    return given


def _seconds(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise ValueError("a number of seconds")
    return float(given)


def _degrees(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        raise ValueError("0, 90, 180 or 270")
    return given


def _region(given: Any) -> tuple[int, ...]:
    if not isinstance(given, list) or [type(one) for one in given] != [int] * 4:
        raise ValueError("four whole numbers, [x, y, width, height]")
    return tuple(given)


OPTIONS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("layout", "background", "fit", "normalization", "missing_limbs", "label", "device"), _text),
    **dict.fromkeys(("driving_poses", "driving_matte", "sign_cert", "sign_key"), _text),
    **dict.fromkeys(("compare", "marks", "driving_tolerate_damage"), _switch),
    **dict.fromkeys(("driving_start", "driving_end"), _seconds),
    "driving_rotate": _degrees,
    "driving_region": _region,
}
"""what a job may say beside who, by whom and where: every option of `perform` but `assign`, and how it is read"""
OF_PEOPLE: dict[str, Callable[[Any], Any]] = dict.fromkeys(("model", "inpainter", "consent"), _text)
"""what `reenact` may be asked besides, of people in photographs"""
_OFTEN_FILES = ("background", "driving_matte")
"""a word or a file: beside the job file, if one of that name lies there"""
_FILES = ("driving_poses", "sign_cert", "sign_key", "model")


def beside(given: StrPath, folder: Path = Path()) -> Path:
    """Where something lies that is seen from `folder`."""
    return folder / given


def every_pair(
    actors: Sequence[StrPath],
    drivings: Sequence[StrPath],
    folder: Path,
    place: Callable[[StrPath, Path], Path] = beside,
) -> list[Job]:
    """Every actor by every driving clip; all that one clip drives come one after another.

    Args:
        actors: in this order for each clip.
        drivings: in this order.
        folder: that the videos go into.
        place: as for `jobs_of_file`.

    Raises:
        UsageError: nobody is there to perform, or nothing to be performed.
    """
    if not actors:
        raise UsageError("nobody is there to perform: give `actors`, or a job file")
    if not drivings:
        raise UsageError("there is nothing to be performed: give `drivings`, or a job file")
    here = Path()
    pairs = [(place(actor, here), place(driving, here)) for driving in drivings for actor in actors]
    return [
        Job(number, (actor,), driving, folder / usual_name((actor,), driving), {})
        for number, (actor, driving) in enumerate(pairs, 1)
    ]


def usual_name(actors: Sequence[Path], driving: Path, transparent: bool = False) -> str:
    """What a video is called unless a job says it: me_by_dance.mp4, me_and_anna_by_dance.mp4."""
    who = "_and_".join(actor.stem for actor in actors)
    return f"{who}_by_{driving.stem}{'.webm' if transparent else '.mp4'}"


def jobs_of_file(
    file: Path, folder: Path | None, place: Callable[[StrPath, Path], Path] = beside
) -> tuple[list[Job], Path]:
    """The jobs of a file, and the folder that they write to.

    Paths in it are seen from the folder in which the file lies, so that both can be moved together; outputs are names
    in the output folder.

    Args:
        file: the job file.
        folder: the output folder; None = a folder beside the file, called as the file without its suffix.
        place: where an actor or a driving clip lies: (as it is named, the folder from which it is seen).

    Raises:
        UsageError: the file is not one of jobs, or a job in it says what no job can.
    """
    entries = _entries(file)
    if not entries:
        raise UsageError(f"{file} holds no jobs: {_ADVICE}")
    where = file.with_suffix("") if folder is None else folder
    return [_job(number, entry, file, where, place) for number, entry in enumerate(entries, 1)], where


def _entries(file: Path) -> list[Any]:
    if file.suffix.lower() in (".yaml", ".yml", ".toml"):
        raise UsageError(f"{file}: jobs are read from JSON, not from {file.suffix[1:].upper()}: {_ADVICE}")
    if file.suffix.lower() in LINES:
        return _lines(file)
    read = read_json(file, UsageError)
    if not isinstance(read, dict) or not isinstance(read.get("jobs"), list) or len(read) > 1:
        raise UsageError(f"{file} is not a file of jobs: {_ADVICE}")
    jobs: list[Any] = read["jobs"]
    return jobs


def _lines(file: Path) -> list[Any]:
    try:
        if file.stat().st_size > MAX_JSON_BYTES:
            raise UsageError(f"{file} is larger than any file of jobs (256 MiB): is it the right file?")
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as cause:
        raise UsageError(f"cannot read {file}: {cause.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not text: {_ADVICE}") from None
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(json.loads(line))
        except (ValueError, RecursionError):
            raise UsageError(f"line {number} of {file} is not JSON: {_ADVICE}") from None
    return found


def _job(number: int, entry: Any, file: Path, folder: Path, place: Callable[[StrPath, Path], Path]) -> Job:
    def refuse(why: object) -> UsageError:
        return UsageError(f"job {number} of {file}: {why}")

    if not isinstance(entry, dict):
        raise refuse(f"{json.dumps(entry)[:60]} is no job: {_ADVICE}")
    names = (*get_args(By), "driving", "output", *OPTIONS, *OF_PEOPLE)
    for name in entry:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            raise refuse(f"there is no option {name!r}" + (f": is it {near[0]!r}?" if near else ""))
    try:
        by, given, sides = _who(entry)
        options = _options(entry, by, file.parent)
    except ValueError as why:
        raise refuse(why) from None
    clip = entry.get("driving")
    if not isinstance(clip, str) or not clip:
        raise refuse('"driving" is missing: a video, a performance or motion capture')
    try:
        cast = tuple(place(one, file.parent) for one in given)
        driving = place(clip, file.parent)
    except UsageError as error:
        raise refuse(error) from None
    transparent = str(options.get("background", "")).lower() == "transparent"
    output = entry.get("output", usual_name(cast, driving, transparent))
    if not isinstance(output, str) or not output or Path(output).name != output or "\0" in output:
        raise refuse(f'"output" is a name in the output folder, without folders, not {json.dumps(output)[:60]}')
    return Job(number, cast, driving, folder / output, options, by, sides)


def _who(entry: dict[str, Any]) -> tuple[By, list[str], tuple[str, ...]]:
    """How it is said who performs, who that is, and whom each of them dances; ValueError: none of it can be."""
    said: list[By] = [by for by in get_args(By) if by in entry]
    if len(said) > 1:
        raise ValueError(f'"{said[0]}" and "{said[1]}" are two ways to say who performs: give one of them')
    by = said[0] if said else "actor"
    given = entry.get(by)
    if by == "assign":
        if not isinstance(given, dict) or not given or not all(isinstance(one, str) and one for one in given.values()):
            raise ValueError('"assign" is an actor for each person, {"left": "anna.actor", "right": "ben.actor"}')
        return by, list(given.values()), tuple(given)
    cast: list[Any] = given if isinstance(given, list) else [given]
    if not cast or not all(isinstance(one, str) and one for one in cast):
        what = "the file of an actor" if by == "actor" else "a photograph"
        raise ValueError(f'"{by}" is missing: {what}, or a list of them')
    return by, cast, ()


def _options(entry: dict[str, Any], by: By, folder: Path) -> dict[str, Any]:
    options = {}
    for name, value in entry.items():
        read = OPTIONS.get(name) or OF_PEOPLE.get(name)
        if read is None:
            continue
        if name in OF_PEOPLE and by != "person":
            raise ValueError(f'"{name}" goes with "person": an actor knows its own')
        try:
            options[name] = read(value)
        except ValueError as wanted:
            raise ValueError(f'"{name}" is {wanted}, not {json.dumps(value)[:60]}') from None
    for name in options.keys() & {*_FILES, *_OFTEN_FILES}:
        file = folder / options[name]
        if name in _FILES or file.is_file():
            options[name] = str(file)
    kind, colon, named = str(options.get("inpainter", "")).partition(":")
    if colon:  # lama:FILE
        options["inpainter"] = f"{kind}:{folder / named}"
    return options


def check_names(jobs: Sequence[Job]) -> None:
    """Every file that jobs write has a name of its own, also where large and small letters are the same.

    Raises:
        UsageError: two would write the same file, or a name is hidden.
    """
    taken: dict[str, Job] = {}
    for job in jobs:
        if job.name.startswith("."):
            raise UsageError(f"{job}: names that begin with a dot are the program's own; choose another")
        for name in sorted({path.name for path in files_of(job)}):
            alike = unicodedata.normalize("NFC", name).casefold()
            other = taken.setdefault(alike, job)
            if other is not job:
                raise UsageError(
                    f"{name} would be written twice, of {_told(other)} and of {_told(job)}: rename a file, or give "
                    'each its "output" in a job file'
                )


def _told(job: Job) -> str:
    return f"{' and '.join(map(str, job.actors))} by {job.driving}"


def files_of(job: Job) -> list[Path]:
    """What a job may write: the video, what it says of itself beside it, and the comparison."""
    from understudy.marks.manifest import KINDS_BESIDE
    from understudy.marks.manifest import beside as manifest_beside
    from understudy.verbs.outputs import comparison_path, normalization_path

    found = [job.output]
    if job.output.suffix.lower() in KINDS_BESIDE:
        found.append(manifest_beside(job.output))
    if job.options.get("compare"):
        found += [comparison_path(job.output), normalization_path(job.output)]
    return found
