"""What can be wrong with jobs, looked at before the first of them begins; and what they are by content."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

from understudy.base.arguments import Landmarks, Layout, check_choice
from understudy.base.files import check_name
from understudy.errors import ConsentError, MediaError, UnderstudyError, UsageError
from understudy.jobs.asked import By, Job, check_names, files_of
from understudy.jobs.one import content_of, part
from understudy.verbs.assign import check_assigned


@dataclass(frozen=True)
class Checked:
    """A job that may begin."""

    job: Job
    recipes: tuple[str, ...]
    """of its actors"""
    landmarks: Landmarks
    """what its driving clip is tracked with: as much as any job wants of that clip"""
    clip: str
    """names what is to be tracked: jobs with the same one wait until one of them has done that; "" = nothing is"""
    asked: str
    """names what is asked for: the same actors, driving clip and options, by content, wherever the files lie"""
    contents: tuple[str, ...] = ()
    """of its actors and its driving clip, as `content_of` names them"""


def checked(jobs: Sequence[Job]) -> list[Checked]:
    """All that `perform` would refuse at its beginning is refused here, with the name of the job.

    Raises:
        UnderstudyError: which job cannot be done, and why.
    """
    check_names(jobs)
    look = _Looked()
    inputs = sorted({path for job in jobs for path in (*job.actors, job.driving)})
    recipes: dict[int, list[str]] = {}
    for job in jobs:
        with _named(job):
            recipes[job.number] = _check(job, inputs, look)
    return list(_with_landmarks(jobs, recipes))


@contextmanager
def _named(job: Job) -> Iterator[None]:
    try:
        yield
    except UnderstudyError as error:
        raise type(error)(f"{job}: {error}") from None
    except OSError as error:
        raise UnderstudyError(f"{job}: cannot read {error.filename}: {error.strerror}") from None


class _Looked:
    """Each file is looked into once, however many jobs name it."""

    def __init__(self) -> None:
        self.actor = cache(self._actor)
        self.driving = cache(self._driving)
        self.person = cache(self._person)

    @staticmethod
    def _actor(path: Path) -> tuple[str, bool]:
        """Its recipe, and whether it paints its room along."""
        from understudy.actor import Actor

        actor = Actor.load(path)
        return actor.recipe, actor.paints_room

    @classmethod
    def _person(cls, path: Path) -> tuple[str, bool]:
        """As `_actor`, of somebody in a photograph; a video or a performance will do as well."""
        from understudy.synthetic.bvh import is_bvh
        from understudy.verbs.reenact import RECIPE

        if path.is_file() and is_bvh(path):
            raise MediaError(f"{path} is motion alone, and shows nobody: give a photograph")
        cls._driving(path)
        return RECIPE, False

    @staticmethod
    def _driving(path: Path) -> None:
        from understudy.media.photographs import is_photograph
        from understudy.media.reading import probe
        from understudy.performance import Performance
        from understudy.synthetic.bvh import is_bvh, rate_of_bvh

        if path.is_dir():
            Performance.load(path)
        elif not path.is_file():
            raise MediaError(f"there is no video or performance {path}: check the name")
        elif is_bvh(path):
            rate_of_bvh(path)
        elif not is_photograph(path):
            probe(path)


def _check(job: Job, inputs: Sequence[Path], look: _Looked) -> list[str]:
    """The recipes of its actors, if everything about it can be."""
    from understudy.performing.driver import check_shot
    from understudy.performing.members import members
    from understudy.verbs.checks import check_normalization, checked_video

    options = {**_usual(job.by), **job.options}
    check_choice("layout", options["layout"], get_args(Layout))
    check_normalization(options["normalization"])
    for path in files_of(job):
        check_name(path)
    look.driving(job.driving)
    said = part(job)
    if job.by == "assign":
        sides = dict(zip(job.sides, job.actors, strict=True))
        check_assigned(sides, job.driving, said, options["fit"], options["missing_limbs"], options["normalization"])
        if options["layout"] != "side-by-side":
            raise UsageError("with `assign` everybody stands where that person stood: leave `layout` out")
    _check_part(job.driving, said)
    video = checked_video(
        job.output,
        options["background"],
        options["compare"],
        options["fit"],
        options["missing_limbs"],
        options["marks"],
        options["sign_cert"],
        options["sign_key"],
        options["label"],
        options["device"],
        [*inputs, *said.values()],
    )
    if job.by == "person":
        _check_person(job, options)
        return [look.person(person)[0] for person in job.actors]
    found = [look.actor(actor) for actor in job.actors]
    if len(found) > 1 and options["layout"] == "stage":
        members(job.actors, options["layout"])
    for actor, (_, paints_room) in zip(job.actors, found, strict=True):
        if paints_room and job.by == "assign":
            raise UsageError(f"{actor.name} was learnt together with its room and cannot dance in one with others")
        video.background.check_room(paints_room)
    if video.background.what == "driving" and len(found) == 1 and job.by == "actor":
        check_shot(job.driving)
    return [recipe for recipe, _ in found]


def _check_person(job: Job, options: dict[str, Any]) -> None:
    """Nobody is at a terminal to be asked, in the middle of a night; and what would be found out late."""
    from understudy.compositing.inpainting import inpainter
    from understudy.consent import obtain_consent
    from understudy.media.photographs import is_photograph
    from understudy.recipes.parts.freestyle_model import load_model

    if not options["consent"]:
        raise ConsentError('"consent" is missing: who agreed to be shown dancing, and to what, in words')
    obtain_consent(options["consent"], " and ".join(person.name for person in job.actors), shown=True)
    if options["model"] is not None:
        load_model(options["model"])
    if options["inpainter"] is not None:
        inpainter(options["inpainter"])
        for person in job.actors:
            if person.is_dir() or not is_photograph(person):
                raise UsageError(f"`inpainter` is for photographs, and {person} is none")


@cache
def _usual(by: By) -> dict[str, Any]:
    """What `perform`, or `reenact`, takes for all that is not said."""
    from understudy.verbs.perform import perform
    from understudy.verbs.reenact import reenact

    verb: Any = reenact if by == "person" else perform
    return {name: one.default for name, one in inspect.signature(verb).parameters.items()}


def _check_part(driving: Path, said: dict[str, Any]) -> None:
    """Of a video, that there is such a part of it; `said` is empty of all else."""
    from understudy.media.photographs import is_photograph
    from understudy.media.reading import VideoReader
    from understudy.tracking.mattes import check_matte
    from understudy.tracking.observe import check_region

    if not said or is_photograph(driving):
        return
    read = {name: said[name] for name in ("start", "end", "rotate", "tolerate_damage") if name in said}
    check_region(said.get("region"), VideoReader(driving, say_notes=False, **read).info.size_hw)
    check_matte(said.get("matte", "auto"), driving)
    if "poses" in said and not Path(said["poses"]).exists():
        raise MediaError(f"there are no poses {said['poses']}: check the name")


def _with_landmarks(jobs: Sequence[Job], recipes: dict[int, list[str]]) -> Iterator[Checked]:
    from understudy.recipes import landmarks_for

    content = cache(content_of)
    clips = {job.number: f"{content(job.driving)} {_described(part(job), 'actor', content)}" for job in jobs}
    for job in jobs:
        if job.by == "assign":  # tracked together, and found by who of them is asked for
            people = ",".join(sorted(job.sides))
            clips[job.number] += f" {people} {landmarks_for(recipes[job.number])}"
    wanted: dict[str, list[str]] = {}
    for job in jobs:
        wanted.setdefault(clips[job.number], []).extend(recipes[job.number])
    for job in jobs:
        contents = (*map(content, job.actors), content(job.driving))
        said = [*contents, _described(job.options, job.by, content)]
        if job.by != "actor":
            said.append(f"{job.by} {json.dumps(job.sides)}")
        yield Checked(
            job=job,
            recipes=tuple(recipes[job.number]),
            landmarks=landmarks_for(wanted[clips[job.number]]),
            clip="" if job.driving.is_dir() else clips[job.number],
            asked=hashlib.sha256("\n".join(said).encode()).hexdigest(),
            contents=contents,
        )


def _described(options: dict[str, Any], by: By, content: Any) -> str:
    """Options that are not as they are anyway; files and folders by their content."""
    found = {}
    for name, value in sorted(options.items()):
        if value != _usual(by).get(name):
            is_file = isinstance(value, str) and name != "background" and Path(value).exists()
            is_picture = name == "background" and Path(value).is_file()
            found[name] = content(Path(value)) if is_file or is_picture else value
    return json.dumps(found)
