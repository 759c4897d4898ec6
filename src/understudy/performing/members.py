"""What several actors in one video have alike: each plays into a file of cut-outs, then all are placed and painted.

Who plays what, and who stands where, `ensemble.py` and `assigned.py` say.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from understudy.actor import Actor
from understudy.base.arguments import Layout, NormalizeBy, StrPath
from understudy.base.progress import Advance
from understudy.base.threads import ReadAhead
from understudy.compositing.cutouts import halved, paste, unpremultiplied
from understudy.errors import UsageError
from understudy.media.reading import VideoReader, VideoWriter
from understudy.performing.comparison import COMPARE_HEIGHT, driving_panels, over_grey
from understudy.performing.label import Label, label_for
from understudy.performing.marked_video import performer_of, writer_for
from understudy.performing.perform import (
    FRAMES_AHEAD,
    Part,
    cut_out,
    generated,
    placement,
)
from understudy.performing.standing import KEPT_POSES
from understudy.pictures.drawing import side_by_side
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity

if TYPE_CHECKING:
    from understudy.base.devices import Device
    from understudy.compositing.backgrounds import Background
    from understudy.marks.signing import Signing
    from understudy.marks.statement import Performer
    from understudy.performance import Performance
    from understudy.performing.driver import Driver

Image = npt.NDArray[np.uint8]

VISIBLE = 26
"""alpha (of 255) from which a pixel counts as painted when room for a performer is measured"""
_SCRATCH_FPS = Fraction(25)  # of the temporary files, whose times nobody looks at


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
class Played:
    """What one member painted, and what is needed to place it: no weights."""

    actor: Actor
    part: Part
    cutouts: Path
    boxes: npt.NDArray[np.float64]
    """(T, 4) left, top, right, bottom in pixels of the actor's own picture; NaN where nothing is seen"""


def play(
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


def moments(cast: Sequence[Played]) -> Generator[list[Image], None, None]:
    """For every moment the cutouts of the whole cast; a file that several share is read once."""
    files = sorted({one.cutouts for one in cast})
    with ExitStack() as stack:
        streams = [ReadAhead(_cutouts(file), 2) for file in files]
        for stream in streams:
            stack.callback(stream.stop)
        for cutouts in zip(*streams, strict=True):
            yield [cutouts[files.index(one.cutouts)] for one in cast]


def label_of_all(cast: Sequence[Played], spots: Sequence[Similarity], size_hw: tuple[int, int]) -> Label:
    """The label "AI" where nobody of them is, each with their picture at a spot."""
    shown = [one.part.presence > 0 for one in cast]
    return label_for(size_hw, list(zip(poses_of_all(cast, spots, size_hw), shown, strict=True)))


def poses_of_all(cast: Sequence[Played], spots: Sequence[Similarity], size_hw: tuple[int, int]) -> list[Pose]:
    """What each plays, in pixels of a picture of all, where their own pictures lie at these spots."""
    return [
        (spot @ one.actor.from_picture.inverse).of_pose(one.part.pose, size_hw)
        for one, spot in zip(cast, spots, strict=True)
    ]


def put(cutout: Image, one: Played, moment: int, spot: Similarity, canvas: Image) -> Image:
    """Paints one performer where the spot puts their picture; `canvas` is drawn on and returned."""
    to_cutout = placement(one.actor, one.part.window[moment]).relative_to(spot)
    return paste(*halved(cutout, to_cutout), canvas)


def write_together(
    frames: Generator[Image, None, None],
    cast: Sequence[Member],
    driver: Driver,
    output: Path,
    background: Background,
    compare: Path | None,
    marks: bool,
    signing: Signing | None,
    advance: Advance,
) -> None:
    """Writes the frames of all, with the rate, the sound and the marks that they have together.

    Args:
        driver: whose rate and sound it has, and who is seen beside them in `compare`.
        compare: video to write with the driver beside the result; None: none.
        marks, signing: see `writer_for`.
    """
    performers = [member.performer for member in cast]
    writer = writer_for(output, driver, performers, background, marks=marks, signing=signing)
    beside = None if compare is None else writer_for(compare, driver, performers, marks=marks, signing=signing)
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
            writer.write(unpremultiplied(shown) if background.transparent else shown)
            if beside is not None:
                dancing = next(drivers, dancing)
                beside.write(side_by_side([_fitted(dancing), _fitted(over_grey(shown))], ("driving", "together")))
            advance(note="together")


def _fitted(frame: Image) -> Image:
    height = COMPARE_HEIGHT
    width = max(2, round(frame.shape[1] * height / frame.shape[0]))
    way = cv2.INTER_AREA if height < frame.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(frame, (width, height), interpolation=way), np.uint8)
