"""Playing an actor in the reference's square, where it is compared with the truth."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from understudy.actor import Actor
from understudy.base.devices import Device
from understudy.compositing.cutouts import paste
from understudy.evaluation.truth import Square, Truth
from understudy.media.reading import VideoWriter
from understudy.media.squares import cut
from understudy.media.writing import Marking
from understudy.performance import Performance
from understudy.performing.perform import Part, cut_out, driving_frames, placement, played_part
from understudy.recipes.parts.player import moments
from understudy.tracking.crop import crop_of

UInt8Array = npt.NDArray[np.uint8]

CLIP_CRF = 12
"""of the clips that are kept: good enough to look for faults in"""


def in_square(actor: Actor, square: Square, size: int) -> Actor:
    """The same actor, whose performances show a square of the room at `size` x `size` pixels instead of all of it.

    Args:
        square: (left, top, side) in pixels of the reference's video; need not be the actor's own.
    """
    return dataclasses.replace(
        actor,
        crop=actor.crop.relative_to(crop_of(square, size)),
        original_size_hw=(size, size),
        background=cut(actor.background, square, size),
    )


def played(
    actor: Actor, part: Part, truth: Truth, *, driving: Performance | None = None, device: Device = "auto"
) -> Iterator[UInt8Array]:
    """One a driving frame: the performer in the reference's room, where the truth is seen.

    (S, S, 4): RGB of the whole picture, and in the fourth channel how opaque the performer is there (255: no room shows
    through). Of an actor that paints its room along (S, S, 3): nobody knows where the performer ends.

    Args:
        driving: whose frames are translated by an actor that plays frames instead of poses (CycleGAN as in the paper).
    """
    square, player = in_square(actor, truth.square, truth.size), actor.player(device)
    part, frames = played_part(part, player), None
    if "frames" in player.needs:
        if driving is None:
            raise ValueError("an actor that translates frames needs a driver with frames")
        frames = driving_frames(actor, driving)
    shots = player.play(moments(part.in_window, frames))
    for moment, shot in enumerate(shots):
        cutout, place = cut_out(square, part, moment, shot), placement(square, part.window[moment])
        picture = paste(cutout, place, square.background.copy())
        if square.paints_room:
            yield picture
        else:
            alone = paste(cutout, place, np.zeros((*picture.shape[:2], 4), np.uint8))
            yield np.concatenate([picture, alone[..., 3:]], axis=2)


class Recorder:
    """Passes frames on, writes them to a video on the way, and takes the time that making them took.

    Of frames with four channels, see `played`, the video shows the first three. What is measured is passed on without
    the marks that the video gets.
    """

    def __init__(self, frames: Iterator[UInt8Array], path: Path, fps: Fraction, marking: Marking | None = None) -> None:
        self._frames, self._path, self._fps, self._marking = frames, path, fps, marking
        self._count = 0
        self._seconds = 0.0

    @property
    def milliseconds_a_frame(self) -> float:
        return 1000 * self._seconds / max(1, self._count)

    def __iter__(self) -> Generator[UInt8Array, None, None]:
        with VideoWriter(self._path, self._fps, crf=CLIP_CRF, marking=self._marking) as writer:
            while True:
                started = time.perf_counter()
                frame = next(self._frames, None)
                self._seconds += time.perf_counter() - started
                if frame is None:
                    return
                self._count += 1
                writer.write(np.ascontiguousarray(frame[..., :3]))
                yield frame
