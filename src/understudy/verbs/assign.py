"""`perform` with `assign`: several people of one video each drive an actor of their own."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.errors import UsageError

if TYPE_CHECKING:
    from understudy.actor import Actor
    from understudy.base.arguments import NormalizeBy, StrPath
    from understudy.performance import Clip
    from understudy.verbs.checks import CheckedVideo

log = logging.getLogger(__name__)


def check_assigned(
    assign: Mapping[str, Actor | StrPath],
    driving: Clip,
    part: Mapping[str, Any],
    fit: str,
    missing_limbs: str,
    normalization: NormalizeBy | None,
) -> None:
    """What cannot be asked of actors that each have a person of the driving video.

    Raises:
        UsageError: nobody is assigned, no such side, a driver that shows one person only, or options that place
            performers otherwise than their drivers stood.
    """
    from understudy.base.things import what_is
    from understudy.synthetic.bvh import is_bvh
    from understudy.tracking.sides import check_sides

    if not assign:
        raise UsageError("`assign` names nobody: give SIDE=ACTOR, once for each person of the driving video")
    check_sides(assign)
    if not isinstance(driving, str | os.PathLike):
        raise UsageError("`assign` needs a video with several people, and the driving clip is one person tracked")
    if is_bvh(driving) or Path(driving).is_dir():
        what = "motion of one person" if is_bvh(driving) else what_is(driving)
        raise UsageError(f"`assign` needs a video with several people, and {driving} is {what}")
    for name in ("region", "poses", "matte"):
        if name in part:
            raise UsageError(f"`driving_{name}` is of one person, and `assign` names several: leave one of them out")
    if fit != "placed" or missing_limbs == "crop":
        name = "fit" if fit != "placed" else "missing_limbs='crop'"
        raise UsageError(f"`{name}` frames one performer, and `assign` places all as they stood: leave one of them out")
    if normalization not in (None, "similarity"):
        raise UsageError(
            f"`normalization={normalization!r}` moves everybody to their own reference's ground, and `assign` places "
            "all as they stood: leave one of them out"
        )


def performed_by_each(
    assign: Mapping[str, Actor | StrPath], driving: StrPath, part: Mapping[str, Any], video: CheckedVideo
) -> Path:
    """Tracks everybody who is named, lets an actor of each play them, and writes the video.

    Args:
        assign: as `check_assigned` lets it pass.
        part: options of `tracked` that say something.

    Raises:
        UnderstudyError: as `perform`.
    """
    from understudy.covering.oddities import say_oddities
    from understudy.media.reading import probe
    from understudy.performing.assigned import perform_assigned
    from understudy.performing.driver import Driver
    from understudy.performing.members import members
    from understudy.performing.missing_limbs import say_missing
    from understudy.recipes import landmarks_for
    from understudy.tracking.several import tracked_people

    cast = members(list(assign.values()), "side-by-side", "similarity")
    for member in cast:
        if member.outline.paints_room:
            raise UsageError(f"{member.name} was learnt together with its room and cannot dance in one with others")
    people = tracked_people(
        driving, list(assign), **part, landmarks=landmarks_for(member.outline.recipe for member in cast)
    )
    path = Path(driving)
    sound = path if probe(path).has_audio else None
    for performance in people:
        say_oddities("driving", performance)
        say_missing(performance, video.missing_limbs)
    perform_assigned(
        cast,
        [Driver(performance, path, sound) for performance in people],
        video.output,
        background=video.background,
        compare=video.comparison,
        missing_limbs=video.missing_limbs,
        marks=video.signing is not None,
        signing=video.signing,
        label=video.label == "corner",
        device=video.device,
    )
    return video.output
