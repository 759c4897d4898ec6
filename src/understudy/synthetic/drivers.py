"""What can drive: a video, a performance, or motion capture, which a made-up person dances before a made-up camera."""

from __future__ import annotations

import dataclasses
import logging
import os
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from understudy.base.arguments import Region, Rotation, StrPath, check_rotation
from understudy.base.folders import cache_folder
from understudy.base.things import what_is
from understudy.body.figure import build_figure
from understudy.body.skeleton import CANONICAL_BODY
from understudy.errors import PerformanceError, UsageError
from understudy.performance import Clip, Performance
from understudy.poses.pose import Pose
from understudy.synthetic.bvh import is_bvh, motion_from_bvh, rate_of_bvh
from understudy.synthetic.clip import performance_from_render
from understudy.synthetic.dances import seen_poses
from understudy.synthetic.motion import Motion
from understudy.synthetic.people import Person, make_person
from understudy.synthetic.scene import Scene, empty_scene
from understudy.tracking.cache import cache_key

SIZE_HW = (768, 768)
"""of the made-up camera's picture, where only poses are asked for"""
WALL = (90, 94, 100)
"""RGB of the room"""
FILM_RATES = (Fraction(24000, 1001), Fraction(30))
"""frames a second, from and to"""
EARS_AWAY = 0.5
"""cosine, see `seen_poses`: trackers tell both ears of a face that is turned by up to 30 degrees"""
DANCER = 9
"""seed of the looks; the body is the average one"""
FILMING_VERSION = 1
"""raised whenever the same file would give another driver, so that what is remembered is made again"""

log = logging.getLogger(__name__)


def played_poses(
    path: str | os.PathLike[str], fps: Fraction | None = None, size_hw: tuple[int, int] = SIZE_HW
) -> tuple[Pose, Fraction]:
    """What a camera straight in front sees of an average body that plays a BVH file, without filming it.

    Hands are half open and the face moves with the head, as BVH says nothing of either.

    Args:
        path: the file, as `motion_from_bvh` reads it.
        fps: frames a second of the result; None keeps the file's own frames.
        size_hw: height and width of the camera's picture, pixels, at least 64.

    Returns:
        The poses, as `seen_poses` gives them, and how many there are a second.

    Raises:
        PoseError: as `motion_from_bvh`.
    """
    motion = motion_from_bvh(path, fps)
    return _seen(motion, empty_scene(size_hw, WALL)), motion.fps


def _seen(motion: Motion, scene: Scene) -> Pose:
    return seen_poses(_dancer(), motion, scene, ears_away=EARS_AWAY)


def film_rate(path: str | os.PathLike[str]) -> Fraction | None:
    """Frames a second at which a BVH file drives: None, its own, where that is a film's, 23.976 to 30, else 30.

    Raises:
        PoseError: as `motion_from_bvh`.
    """
    return None if FILM_RATES[0] <= rate_of_bvh(path) <= FILM_RATES[1] else FILM_RATES[1]


def driver_of(clip: str | os.PathLike[str] | Performance, *, cache: Path | None = None, **options: Any) -> Performance:
    """As `tracked`; of a BVH file it is a film of an average body, with exact poses, mattes and flow.

    Its rate is `film_rate`. Filming takes about as long as tracking, and is remembered.

    Raises:
        UnderstudyError: as `tracked` and `motion_from_bvh`.
    """
    from understudy.tracking.track import tracked

    if isinstance(clip, Performance) or not is_bvh(clip) or not Path(clip).is_file():
        return tracked(clip, cache=cache, **options)
    path, size = Path(clip), int(options.get("size", 256))
    log.info("%s is motion alone: a made-up person dances it before a grey wall, and there is no sound", path.name)
    folder = (cache or cache_folder()) / "performances" / f"{cache_key(path, _told(size))}.performance"
    if folder.exists():
        try:
            return Performance.load(folder)
        except PerformanceError as error:
            log.warning("filming %s again: its cached performance cannot be used (%s)", path.name, error)
    motion = motion_from_bvh(path, film_rate(path))
    side = size * 3 // 2  # the person's square, which is cut out, is about two thirds of it
    scene = empty_scene((side, side), WALL)
    return performance_from_render(
        folder, _dancer(), motion, scene, size, poses=_seen(motion, scene), source_name=path.name
    )


def part_of(
    role: str,
    clip: Clip,
    *,
    start: float | None = None,
    end: float | None = None,
    rotate: Rotation = 0,
    region: Region | None = None,
    poses: StrPath | None = None,
    matte: StrPath = "auto",
    tolerate_damage: bool = False,
) -> dict[str, Any]:
    """How a clip is to be read and tracked, as options of `tracked`: those that say something.

    Args:
        role: what the clip is called among the parameters, "reference" or "driving".

    Raises:
        UsageError: they are for a video, and the clip is tracked already, or motion alone.
    """
    from understudy.tracking.track import other_than_usual

    check_rotation(f"{role}_rotate", rotate)
    asked = {"start": start, "end": end, "rotate": rotate, "region": region, "poses": poses, "matte": matte}
    said = other_than_usual(asked | {"tolerate_damage": tolerate_damage})
    if not said:
        return said
    first = next(iter(said))
    if not isinstance(clip, str | os.PathLike):
        raise UsageError(f"`{role}_{first}` is for a video, and the {role} clip is tracked already: leave it out")
    if Path(clip).is_dir() or is_bvh(clip):
        what = "motion alone" if is_bvh(clip) else what_is(clip)
        raise UsageError(f"`{role}_{first}` is for a video, and {clip} is {what}: leave it out")
    return said


def _told(size: int) -> dict[str, Any]:
    return {"size": size, "filmed": FILMING_VERSION}


@lru_cache(maxsize=1)
def _dancer() -> Person:
    person = make_person(DANCER)
    figure = build_figure(CANONICAL_BODY, person.build, person.cut, person.head, person.hair)
    return dataclasses.replace(person, body=CANONICAL_BODY, mesh=figure)
