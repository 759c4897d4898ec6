"""What plays an actor: loaded once, moments in, frames out. Files, several actors, evaluation and previews use it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from understudy.poses.pose import Pose

Frame = npt.NDArray[np.uint8]
Need = Literal["poses", "frames"]
Item = TypeVar("Item")

BATCH = 8
"""moments computed at a time where nobody waits for the first"""


@dataclass(frozen=True, eq=False)
class Moment:
    """What one frame is painted from, in the recipe's S x S frame; whole numbers are pixel centres."""

    xy: npt.NDArray[np.float32]
    """(133, 2) pixels, aligned with the reference"""
    confidence: npt.NDArray[np.float32]
    """(133,) 0 = not seen"""
    frame: Frame | None = None
    """(S, S, 3) RGB: the driver's own picture, aligned likewise, for players that need frames"""


class Player(Protocol):
    """An actor's networks on a device, ready to play any number of sequences, one after the other."""

    @property
    def latency(self) -> int | None:
        """Moments that must come in after one before its frame comes out; None: all of them, so it cannot be live."""

    @property
    def needs(self) -> tuple[Need, ...]:
        """What a moment must hold."""

    def play(self, moments: Iterable[Moment], batch: int = BATCH) -> Iterator[Frame]:
        """Plays one sequence, from its beginning.

        Args:
            moments: in order of time.
            batch: moments that are waited for and computed together; 1 where each frame is wanted at once.

        Yields:
            One a moment: `(S, S, 3)` RGB uint8 over the recipe's flat colour, or with the reference's room;
            or `(S, S, 4)` premultiplied RGBA uint8, already cut out.
        """
        ...


@runtime_checkable
class ReadyBefore(Protocol):
    """A player that can do beforehand what would hold up the first pictures."""

    def make_ready(self, seconds: float) -> None:
        """As much of it as can be done in so much time."""


@runtime_checkable
class Mending(Protocol):
    """A player whose network mends what is a picture without it, so that it can be left out where there is no time."""

    mends: bool
    """whether it does; may be changed between two sequences"""

    def mending_takes(self) -> float:
        """Seconds a frame that it takes here and now; 0 where there is nothing to be left out."""


def moments(pose: Pose, frames: Iterable[Frame] | None = None) -> Iterator[Moment]:
    """The moments of poses that are there already, and of frames (as many), if a player needs them."""
    if frames is None:
        yield from (Moment(xy, confidence) for xy, confidence in zip(pose.xy, pose.confidence, strict=True))
    else:
        yield from map(Moment, pose.xy, pose.confidence, frames)


def pose_of(some: Iterable[Moment], size: int) -> Pose:
    """The poses of moments, in the S x S frame."""
    taken = list(some)
    xy = np.stack([moment.xy for moment in taken]) if taken else np.zeros((0, 133, 2), np.float32)
    confidence = np.stack([moment.confidence for moment in taken]) if taken else np.zeros((0, 133), np.float32)
    return Pose(xy, confidence, (size, size))


def batches(items: Iterable[Item], batch: int) -> Iterator[list[Item]]:
    """Lists of `batch` items, the last one perhaps shorter."""
    remaining = iter(items)
    while some := list(islice(remaining, batch)):
        yield some
