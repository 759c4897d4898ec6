"""Several actors play one driver in one video: side by side, or together on one stage.

One after another they play and are cut out, into temporary files beside the output, so that no more than one network is
ever loaded and memory is that of the largest actor; then all are put together frame by frame.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from understudy.actor import Actor
from understudy.base.arguments import Layout, MissingLimbs, NormalizeBy, StrPath
from understudy.base.files import scratch_folder
from understudy.base.progress import Advance, progress_bar
from understudy.base.threads import ReadAhead
from understudy.compositing.backgrounds import REFERENCE, Background
from understudy.compositing.cutouts import paste, unpremultiplied
from understudy.errors import UsageError
from understudy.media.reading import VideoReader, VideoWriter
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
from understudy.performing.label import Label, label_for
from understudy.performing.marked_video import performer_of, writer_for
from understudy.performing.perform import (
    COMPARE_HEIGHT,
    FRAMES_AHEAD,
    Part,
    cut_out,
    driving_panels,
    generated,
    in_picture,
    over_grey,
    part_for,
    placement,
)
from understudy.performing.standing import KEPT_POSES
from understudy.pictures.drawing import side_by_side
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity
from understudy.recipes import as_tracked_for, recipe

if TYPE_CHECKING:
    from understudy.base.arguments import Fit
    from understudy.base.devices import Device
    from understudy.marks.signing import Signing
    from understudy.marks.statement import Performer
    from understudy.performance import Performance
    from understudy.performing.driver import Driver

Image = npt.NDArray[np.uint8]

VISIBLE = 26
"""alpha (of 255) from which a pixel counts as painted when room for a performer is measured"""
SMALL = 0.7
"""Performers made smaller than this share of their size are worth a note."""
_SCRATCH_FPS = Fraction(25)  # of the temporary files, whose times nobody looks at

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Member:
    """One of several actors, loaded only while it plays."""

    name: str
    identity: object
    """Members with the same one play the same, so that it is done once."""
    outline: Actor
    """without statistics, and of the weights only poses: enough to know what it has to play and where"""
    load: Callable[[], Actor]
    performer: Performer
    """what marks say of it"""


def members(
    actors: Sequence[Actor | StrPath], layout: Layout, normalization: NormalizeBy | None = None
) -> list[Member]:
    """The members that actors or their files are; every file is read once, to know that it can be.

    Raises:
        ActorError: a file that is missing, damaged, or no actor.
        UsageError: an actor that paints its room along, which cannot come to a stage.
    """
    known: dict[object, Member] = {}
    found = []
    for given in actors:
        identity = id(given) if isinstance(given, Actor) else Path(given).resolve()
        if identity not in known:
            known[identity] = _member(given, identity, normalization)
            if layout == "stage" and known[identity].outline.paints_room:
                raise UsageError(
                    f"{known[identity].name} was learnt together with its room and cannot leave it for a stage: "
                    "use `layout='side-by-side'`"
                )
        found.append(known[identity])
    return found


def _member(given: Actor | StrPath, identity: object, normalization: NormalizeBy | None) -> Member:
    def load() -> Actor:
        return (given if isinstance(given, Actor) else Actor.load(given)).normalizing_by(normalization)

    name = Path(given.reference_name).stem if isinstance(given, Actor) else Path(given).name
    actor = load()
    poses = {kept: actor.weights[kept] for kept in KEPT_POSES if kept in actor.weights}
    return Member(name, identity, replace(actor, weights=poses, statistics={}), load, performer_of(actor))


@dataclass(frozen=True)
class _Played:
    """What one member painted, and what is needed to place it: no weights."""

    actor: Actor
    part: Part
    cutouts: Path
    boxes: npt.NDArray[np.float64]
    """(T, 4) left, top, right, bottom in pixels of the actor's own picture; NaN where nothing is seen"""


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
        played: dict[object, _Played] = {}
        for number, member in enumerate(different, start=1):
            file, part = scratch / f"{number}.mp4", parts[member.identity]
            step = partial(advance, note=f"{member.name}, {number} of {len(different)}")
            actor = member.outline
            if layout == "side-by-side":
                actor = fitted(
                    actor, in_picture(actor, part.pose), part.presence > 0, fit, member.name, part.ends is None
                )
            played[member.identity] = _Played(
                actor, part, file, _play(member.load(), part, driving, file, device, step)
            )
        playing = [played[member.identity] for member in cast]
        shown = _side_by_side if layout == "side-by-side" else _on_one_stage
        frames = shown(playing, background, driving, label)
        performers = [member.performer for member in cast]
        writer = writer_for(output, driver, performers, background, marks=marks, signing=signing)
        beside = None
        if compare is not None:
            beside = writer_for(compare, driver, performers, marks=marks, signing=signing)
        _write(frames, driver, writer, beside, background.transparent, advance)


def _play(
    actor: Actor, part: Part, driving: Performance, file: Path, device: Device, advance: Callable[[], None]
) -> npt.NDArray[np.float64]:
    """Writes everything one actor paints, cut out, and returns where it is in the actor's own picture, (T, 4)."""
    boxes = np.full((len(part), 4), np.nan)
    with VideoWriter(file, _SCRATCH_FPS, kind="intra") as writer, ExitStack() as stack:
        shots = ReadAhead(generated(actor, actor.player(device, len(part)), part, driving), FRAMES_AHEAD)
        stack.callback(shots.stop)
        for moment, shot in enumerate(shots):
            cutout = cut_out(actor, part, moment, shot)
            writer.write(_as_grey(cutout))
            x, y, width, height = cv2.boundingRect((cutout[..., 3] >= VISIBLE).astype(np.uint8))
            if width:
                corners = np.array([[x, y], [x + width, y + height]]) - 0.5  # whole numbers are centres of pixels
                boxes[moment] = placement(actor, part.window[moment]).back(corners).ravel()
            advance()
    return boxes


def _as_grey(cutout: Image) -> Image:
    """The four channels of (S, S, 4) as the quarters of a grey (2 S, 2 S) picture, which video keeps without loss."""
    red, green, blue, alpha = cv2.split(cutout)
    return np.asarray(cv2.vconcat([cv2.hconcat([red, green]), cv2.hconcat([blue, alpha])]), np.uint8)


def _cutouts(file: Path) -> Generator[Image, None, None]:
    with VideoReader(file, say_notes=False) as reader:
        for frame in reader:
            grey, half = cv2.extractChannel(frame, 0), frame.shape[0] // 2
            yield np.asarray(
                cv2.merge([grey[:half, :half], grey[:half, half:], grey[half:, :half], grey[half:, half:]]), np.uint8
            )


def _moments(cast: Sequence[_Played]) -> Generator[list[Image], None, None]:
    """For every moment the cutouts of the whole cast; a file that several share is read once."""
    files = sorted({one.cutouts for one in cast})
    with ExitStack() as stack:
        streams = [ReadAhead(_cutouts(file), 2) for file in files]
        for stream in streams:
            stack.callback(stream.stop)
        for cutouts in zip(*streams, strict=True):
            yield [cutouts[files.index(one.cutouts)] for one in cast]


def _side_by_side(
    cast: Sequence[_Played], background: Background, driving: Performance, label: bool
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
    badge = _label(cast, places, size_hw) if label else None
    for moment, cutouts in enumerate(_moments(cast)):
        shown = np.concatenate(
            [
                _put(cutout, one, moment, framing.of_spot(spot), framing.of_room(next(ground)))
                for cutout, one, spot, framing, ground in zip(cutouts, cast, spots, framings, behind, strict=True)
            ],
            axis=1,
        )
        if badge is not None:
            badge.paint(shown)
        yield shown


def _on_one_stage(
    cast: Sequence[_Played], background: Background, driving: Performance, label: bool
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
    badge = _label(cast, [framing.of_spot(spot) for spot in spots], stage_hw) if label else None
    for moment, (cutouts, stage) in enumerate(zip(_moments(cast), behind, strict=False)):
        stage = framing.of_room(stage)
        for number in order[moment]:
            stage = _put(cutouts[number], cast[number], moment, framing.of_spot(spots[number]), stage)
        if badge is not None:
            badge.paint(stage)
        yield stage


def _label(cast: Sequence[_Played], spots: Sequence[Similarity], size_hw: tuple[int, int]) -> Label:
    """The label "AI" where nobody of them is, each with their picture at a spot."""
    shown = [one.part.presence > 0 for one in cast]
    return label_for(size_hw, list(zip(_poses(cast, spots, size_hw), shown, strict=True)))


def _framing(
    cast: Sequence[_Played], spots: Sequence[Similarity], size_hw: tuple[int, int], background: Background
) -> Framing:
    """How a picture of one or several performers is framed at their driver's cut."""
    ends = cast[0].part.ends
    if ends is None:
        return Framing()
    return framing_at(ends, _poses(cast, spots, size_hw), size_hw, background)


def _poses(cast: Sequence[_Played], spots: Sequence[Similarity], size_hw: tuple[int, int]) -> list[Pose]:
    """What each plays, in pixels of a picture of all, where their own pictures lie at these spots."""
    return [
        (spot @ one.actor.from_picture.inverse).of_pose(one.part.pose, size_hw)
        for one, spot in zip(cast, spots, strict=True)
    ]


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


def _put(cutout: Image, one: _Played, moment: int, spot: Similarity, canvas: Image) -> Image:
    """Paints one performer where the spot puts their picture; `canvas` is drawn on and returned."""
    to_cutout = placement(one.actor, one.part.window[moment]).relative_to(spot)
    while to_cutout.scale >= 2 and cutout.shape[0] % 2 == 0:  # pasting takes in two neighbours only: less would flicker
        cutout = np.asarray(cv2.resize(cutout, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        to_cutout = Similarity.resized(0.5) @ to_cutout
    return paste(cutout, to_cutout, canvas)


def _write(
    frames: Generator[Image, None, None],
    driver: Driver,
    writer: VideoWriter,
    beside: VideoWriter | None,
    transparent: bool,
    advance: Advance,
) -> None:
    with ExitStack() as stack:
        stack.enter_context(writer)
        composed = ReadAhead(frames, 4)
        stack.callback(composed.stop)
        if beside is not None:
            stack.enter_context(beside)
            panels = ReadAhead(driving_panels(driver), 4)
            stack.callback(panels.stop)
            drivers: Iterator[Image] = iter(panels)
            dancing = np.zeros((2, 2, 3), np.uint8)
        for shown in composed:
            writer.write(unpremultiplied(shown) if transparent else shown)
            if beside is not None:
                dancing = next(drivers, dancing)
                beside.write(side_by_side([_fitted(dancing), _fitted(over_grey(shown))], ("driving", "together")))
            advance(note="together")


def _fitted(frame: Image) -> Image:
    height = COMPARE_HEIGHT
    width = max(2, round(frame.shape[1] * height / frame.shape[0]))
    way = cv2.INTER_AREA if height < frame.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(frame, (width, height), interpolation=way), np.uint8)
