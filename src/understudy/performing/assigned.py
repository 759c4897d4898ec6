"""Several actors in one video, each with a driver of their own: placed as these stood, the nearer in front."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from understudy.base.arguments import MissingLimbs
from understudy.base.files import scratch_folder
from understudy.base.progress import progress_bar
from understudy.compositing.backgrounds import REFERENCE, Background
from understudy.performing.assigned_layout import feet_of, group_in_room, place_of_driver
from understudy.performing.ensemble_layout import WIDEST, Floats, painting_order
from understudy.performing.members import Image, Member, Played, label_of_all, moments, play, put, write_together
from understudy.performing.perform import in_picture, part_for
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity
from understudy.recipes import as_tracked_for

if TYPE_CHECKING:
    from understudy.base.devices import Device
    from understudy.marks.signing import Signing
    from understudy.performance import Performance
    from understudy.performing.driver import Driver


def perform_assigned(
    cast: Sequence[Member],
    drivers: Sequence[Driver],
    output: Path,
    *,
    background: Background = REFERENCE,
    compare: Path | None = None,
    missing_limbs: MissingLimbs | None = None,
    marks: bool = True,
    signing: Signing | None = None,
    label: bool = False,
    device: Device = "auto",
) -> None:
    """Lets every member play a driver, and writes one video of all.

    Before the drivers' room the picture is the drivers'; before a colour or nothing it has the same shape and is as
    high as the first member's own; before another room, see `assigned_layout.group_in_room`.

    Args:
        cast: members who do not paint their rooms along; the same may come twice.
        drivers: one for each, people of one video. Rate, sound and picture are those of the first.
        background: "reference" is the first one's room.
        compare: video to write with the drivers beside the result.
        missing_limbs: see `perform.part_for`.
        marks, signing: see `writer_for`.
        label: whether it bears the word "AI", see `label_for`.

    Raises:
        PoseError: a driver never shows a whole torso.
    """
    danced = [
        as_tracked_for(member.outline.recipe, driver.performance) for member, driver in zip(cast, drivers, strict=True)
    ]
    parts = [part_for(member.outline, driving, missing_limbs) for member, driving in zip(cast, danced, strict=True)]
    total = (len(cast) + 1) * len(danced[0])
    with scratch_folder(output) as scratch, progress_bar("performing", total) as advance:
        playing = []
        for number, (member, part, driving) in enumerate(zip(cast, parts, danced, strict=True), start=1):
            file, step = scratch / f"{number}.mp4", partial(advance, note=f"{member.name}, {number} of {len(cast)}")
            boxes = play(member.load(), part, driving, file, device, step)
            playing.append(Played(member.outline, part, file, boxes))
        frames = _as_they_stood(playing, danced, background, label)
        write_together(frames, cast, drivers[0], output, background, compare, marks, signing, advance)


def _as_they_stood(
    cast: Sequence[Played], danced: Sequence[Performance], background: Background, label: bool
) -> Generator[Image, None, None]:
    fps, filmed_hw = danced[0].fps, danced[0].header.original_size_hw
    filmed = [_filmed(driving) for driving in danced]
    places = [
        place_of_driver(in_picture(one.actor, one.part.pose), poses, one.part.presence > 0)
        for one, poses in zip(cast, filmed, strict=True)
    ]
    stage_hw, onto_stage = _stage(cast, places, filmed_hw, background)
    spots = [onto_stage @ place for place in places]
    bottoms = [_bottoms(one, place, poses) for one, place, poses in zip(cast, places, filmed, strict=True)]
    order = painting_order(bottoms, [onto_stage] * len(cast), fps, stage_hw[0])
    behind = background.frames(stage_hw, fps, reference=cast[0].actor.background, driving=danced[0].background)
    badge = label_of_all(cast, spots, stage_hw) if label else None
    for moment, (cutouts, stage) in enumerate(zip(moments(cast), behind, strict=False)):
        for number in order[moment]:
            stage = put(cutouts[number], cast[number], moment, spots[number], stage)
        if badge is not None:
            badge.paint(stage)
        yield stage


def _filmed(driving: Performance) -> Pose:
    """A driver's poses in pixels of the driving picture."""
    return driving.header.crop.inverse.of_pose(driving.poses, driving.header.original_size_hw)


def _bottoms(one: Played, place: Similarity, filmed: Pose) -> Floats:
    """(T,) where a driver's feet are; of one who never shows them, the lowest that the performer shows."""
    feet = feet_of(filmed)
    feet[one.part.presence <= 0] = np.nan
    if not np.isnan(feet).all():
        return feet
    lowest = np.column_stack([np.zeros(len(one.boxes)), one.boxes[:, 3]])
    return np.asarray(place.of_points(lowest)[:, 1], np.float64)


def _stage(
    cast: Sequence[Played], places: Sequence[Similarity], filmed_hw: tuple[int, int], background: Background
) -> tuple[tuple[int, int], Similarity]:
    """Size of the picture, and how the driving picture lies in it."""
    own_hw = cast[0].actor.original_size_hw
    shape_hw = own_hw if background == REFERENCE else background.shape_hw(filmed_hw) or filmed_hw
    wished = filmed_hw[0] if background.what == "driving" else own_hw[0]
    height = min(wished, int(WIDEST * shape_hw[0] / shape_hw[1]))
    height -= height % 2
    width = max(2, 2 * round(shape_hw[1] * height / shape_hw[0] / 2))
    stage_hw = (height, width)
    if background == REFERENCE:
        stage_hw = own_hw
    if background == REFERENCE or isinstance(background.what, Path):
        return stage_hw, group_in_room([one.boxes for one in cast], places, own_hw, stage_hw)
    return stage_hw, Similarity.resized(height / filmed_hw[0])
