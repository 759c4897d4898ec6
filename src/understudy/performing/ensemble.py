"""Several actors play one driver in one video: side by side, or together on one stage.

One after another they play and are cut out, into temporary files beside the output, so that no more than one network is
ever loaded and memory is that of the largest actor; then all are put together frame by frame.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from understudy.base.arguments import Layout, MissingLimbs
from understudy.base.files import scratch_folder
from understudy.base.progress import progress_bar
from understudy.compositing.backgrounds import REFERENCE, Background
from understudy.performing.ensemble_layout import (
    WIDEST,
    needed_width,
    painting_order,
    panel_sizes,
    reach,
    stage_spots,
)
from understudy.performing.fitting import fitted
from understudy.performing.framing import Framing, framing_at
from understudy.performing.members import (
    Image,
    Member,
    Played,
    label_of_all,
    moments,
    play,
    poses_of_all,
    put,
    write_together,
)
from understudy.performing.perform import in_picture, part_for
from understudy.poses.similarity import Similarity
from understudy.recipes import as_tracked_for, recipe

if TYPE_CHECKING:
    from understudy.base.arguments import Fit
    from understudy.base.devices import Device
    from understudy.marks.signing import Signing
    from understudy.performance import Performance
    from understudy.performing.driver import Driver

SMALL = 0.7
"""Performers made smaller than this share of their size are worth a note."""

log = logging.getLogger(__name__)


def perform_together(
    cast: Sequence[Member],
    driver: Driver,
    output: Path,
    *,
    layout: Layout,
    background: Background = REFERENCE,
    compare: Path | None = None,
    fit: Fit = "placed",
    missing_limbs: MissingLimbs | None = None,
    marks: bool = True,
    signing: Signing | None = None,
    label: bool = False,
    device: Device = "auto",
) -> None:
    """Lets every member play the whole driver, and writes one video of all.

    Args:
        cast: at least one member; the same may come twice.
        layout: "side-by-side", each in its own picture, all as high as the first's; "stage", all on one background, see
            `ensemble_layout.stage_spots` for where.
        background: "reference" is each member's own room side by side, and the first one's on a stage.
        compare: video to write with the driver beside the result.
        fit: of each in its own picture, see `fitted`; a stage has room for everybody.
        missing_limbs: see `perform.part_for`; "crop" frames each picture by itself, or the whole stage.
        marks, signing: see `writer_for`.
        label: whether it bears the word "AI", see `label_for`.

    Raises:
        PoseError: the driver never shows a whole torso.
    """
    driving = driver.performance
    mixed = len({recipe(member.outline.recipe).landmarks for member in cast}) > 1
    parts = {
        member.identity: part_for(
            member.outline, as_tracked_for(member.outline.recipe, driving) if mixed else driving, missing_limbs
        )
        for member in cast
    }
    different = list({member.identity: member for member in cast}.values())
    total = (len(different) + 1) * len(driving)
    with scratch_folder(output) as scratch, progress_bar("performing", total) as advance:
        played: dict[object, Played] = {}
        for number, member in enumerate(different, start=1):
            file, part = scratch / f"{number}.mp4", parts[member.identity]
            step = partial(advance, note=f"{member.name}, {number} of {len(different)}")
            actor = member.outline
            if layout == "side-by-side":
                actor = fitted(
                    actor, in_picture(actor, part.pose), part.presence > 0, fit, member.name, part.ends is None
                )
            played[member.identity] = Played(actor, part, file, play(member.load(), part, driving, file, device, step))
        playing = [played[member.identity] for member in cast]
        shown = _side_by_side if layout == "side-by-side" else _on_one_stage
        frames = shown(playing, background, driving, label)
        write_together(frames, cast, driver, output, background, compare, marks, signing, advance)


def _side_by_side(
    cast: Sequence[Played], background: Background, driving: Performance, label: bool
) -> Generator[Image, None, None]:
    pictures = [one.actor.original_size_hw for one in cast]
    panels = panel_sizes(pictures)
    behind = [
        background.frames(panel, driving.fps, reference=one.actor.background, driving=driving.background)
        for one, panel in zip(cast, panels, strict=True)
    ]
    spots = [Similarity.resized(panel[0] / picture[0]) for picture, panel in zip(pictures, panels, strict=True)]
    framings = [
        _framing([one], [spot], panel, background) for one, spot, panel in zip(cast, spots, panels, strict=True)
    ]
    lefts = np.cumsum([0, *(width for _, width in panels)])
    size_hw = panels[0][0], int(lefts[-1])
    shifted = [Similarity.shifted(float(left), 0.0) for left in lefts[:-1]]
    places = [left @ framing.of_spot(spot) for left, framing, spot in zip(shifted, framings, spots, strict=True)]
    badge = label_of_all(cast, places, size_hw) if label else None
    for moment, cutouts in enumerate(moments(cast)):
        shown = np.concatenate(
            [
                put(cutout, one, moment, framing.of_spot(spot), framing.of_room(next(ground)))
                for cutout, one, spot, framing, ground in zip(cutouts, cast, spots, framings, behind, strict=True)
            ],
            axis=1,
        )
        if badge is not None:
            badge.paint(shown)
        yield shown


def _on_one_stage(
    cast: Sequence[Played], background: Background, driving: Performance, label: bool
) -> Generator[Image, None, None]:
    pictures = [one.actor.original_size_hw for one in cast]
    height = pictures[0][0]
    fps = driving.fps
    reaches = [reach(one.boxes, height / h, fps) for one, (h, _) in zip(cast, pictures, strict=True)]
    stage_hw = _stage_size(pictures[0], background, driving, needed_width(reaches, height))
    spots, factor = stage_spots(reaches, pictures, stage_hw)
    if factor < SMALL:
        log.warning(
            "%d performers do not fit at their size on a stage of %dx%d: all are shown at %.0f %% of it; a wider "
            "`background` leaves them larger",
            len(cast), stage_hw[1], stage_hw[0], 100 * factor,
        )  # fmt: skip
    framing = _framing(cast, spots, stage_hw, background)
    order = painting_order([one.boxes[:, 3] for one in cast], spots, fps, height)
    behind = background.frames(stage_hw, fps, reference=cast[0].actor.background, driving=driving.background)
    badge = label_of_all(cast, [framing.of_spot(spot) for spot in spots], stage_hw) if label else None
    for moment, (cutouts, stage) in enumerate(zip(moments(cast), behind, strict=False)):
        stage = framing.of_room(stage)
        for number in order[moment]:
            stage = put(cutouts[number], cast[number], moment, framing.of_spot(spots[number]), stage)
        if badge is not None:
            badge.paint(stage)
        yield stage


def _framing(
    cast: Sequence[Played], spots: Sequence[Similarity], size_hw: tuple[int, int], background: Background
) -> Framing:
    """How a picture of one or several performers is framed at their driver's cut."""
    ends = cast[0].part.ends
    if ends is None:
        return Framing()
    return framing_at(ends, poses_of_all(cast, spots, size_hw), size_hw, background)


def _stage_size(
    first_hw: tuple[int, int], background: Background, driving: Performance, needed: float
) -> tuple[int, int]:
    """As high as the first actor's picture, as wide as the background's shape asks, or as needed if it has no shape."""
    height, width = first_hw
    if background == REFERENCE:
        return first_hw
    shape_hw = background.shape_hw(driving.header.original_size_hw)
    width = max(width, int(np.ceil(needed))) if shape_hw is None else _width_of(shape_hw, height)
    return height, min(width + width % 2, WIDEST)


def _width_of(shape_hw: tuple[int, int], height: int) -> int:
    return max(2, round(shape_hw[1] * height / shape_hw[0]))
