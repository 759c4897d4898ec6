"""One job from paths and options to files: it needs nothing of the others, so that any machine can do it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.base.arguments import Landmarks
from understudy.base.files import sha256_of
from understudy.jobs.asked import Job, files_of

if TYPE_CHECKING:
    from understudy.performance import Performance

OF_THE_DRIVER = "driving_"
"""what options begin with that say how the driving video is tracked"""


def do(
    job: Job, recipes: Sequence[str], landmarks: Landmarks, tracked: Callable[[], None] = lambda: None
) -> dict[str, str]:
    """Tracks the driving clip, unless that was done before, and performs it.

    Args:
        job: what is asked for.
        recipes: those of its actors, in their order.
        landmarks: what the clip is tracked with: as much as any of its actors wants, so that it is tracked once.
        tracked: called when the tracking cache has the clip.

    Returns:
        What was written: names of files, or of the folder of pictures, and their content as `content_of` names it.

    Raises:
        UnderstudyError: as `perform`.
    """
    from understudy.verbs.perform import perform
    from understudy.verbs.reenact import reenact

    if job.by == "assign":
        _track_people(job, recipes)
        tracked()
        perform(None, job.driving, job.output, assign=dict(zip(job.sides, job.actors, strict=True)), **job.options)
    else:
        performance = _driver(job, landmarks, recipes)
        tracked()
        options = {name: value for name, value in job.options.items() if not name.startswith(OF_THE_DRIVER)}
        (perform if job.by == "actor" else reenact)(job.actors, performance, job.output, **options)
    return {path.name: content_of(path) for path in files_of(job) if path.exists()}


def part(job: Job) -> dict[str, Any]:
    """How the driving clip is to be tracked, as `track` has it.

    Raises:
        UsageError: it is for a video, and the clip is tracked already, or motion alone.
    """
    from understudy.synthetic.drivers import part_of

    said = {
        name.removeprefix(OF_THE_DRIVER): value for name, value in job.options.items() if name.startswith(OF_THE_DRIVER)
    }
    return part_of("driving", job.driving, **said)


def _driver(job: Job, landmarks: Landmarks, recipes: Sequence[str]) -> Performance:
    from understudy.recipes import as_tracked_for, landmarks_for
    from understudy.synthetic.bvh import is_bvh
    from understudy.synthetic.drivers import driver_of
    from understudy.tracking.cache import remember_video

    performance = driver_of(job.driving, landmarks=landmarks, **part(job))
    if not job.driving.is_dir() and not is_bvh(job.driving):  # it may have moved since it was tracked
        remember_video(job.driving, performance.header.source_sha256)
    if not job.driving.is_dir() and landmarks_for(recipes) == "body":  # fingers are there because of other jobs
        performance = as_tracked_for(recipes[0], performance)
    return performance


def _track_people(job: Job, recipes: Sequence[str]) -> None:
    """Has the tracking cache know everybody who is danced, as `perform` will ask it."""
    from understudy.recipes import landmarks_for
    from understudy.tracking.several import tracked_people

    tracked_people(job.driving, job.sides, **part(job), landmarks=landmarks_for(recipes))


def content_of(path: Path) -> str:
    """Names the content of a file, or of a folder with all in it, whatever it is called itself; 64 hexadecimal digits.

    Raises:
        OSError: it cannot be read.
    """
    if path.is_file():
        return sha256_of(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return _together([f"{file.relative_to(path).as_posix()} {sha256_of(file)}" for file in files])


def _together(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()
