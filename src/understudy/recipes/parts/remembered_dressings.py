"""Moments of a driver that are dressed, refined and shown, or found among the frames that were painted before.

A moment is painted from its pose, from the frames that are chosen for it, and from what `Agreement` holds of the moment
before it: where all three are what they were, it is not painted again. What `Agreement` holds is kept with each frame,
so that it goes on from there as if the frame had been painted.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from understudy.base.threads import ReadAhead
from understudy.poses.pose import Pose
from understudy.recipes.parts.dressing import Dresser, Dressing
from understudy.recipes.parts.player import Frame
from understudy.recipes.parts.remembered import Memory, digest
from understudy.recipes.parts.source_choice import Chosen

Refined = TypeVar("Refined")

BEGUN = digest("nothing is held before the first moment")


class Known(NamedTuple):
    """A frame that was painted before."""

    frame: Frame


class Dressed(NamedTuple):
    """A moment that is to be painted."""

    key: str
    paints: str
    """what was to paint it when its key was made"""
    held: npt.NDArray[np.float32]
    """what `Agreement` carries on after it"""
    dressing: Dressing


class Painted(NamedTuple, Generic[Refined]):
    """A moment as it was painted, at the network's side."""

    dressed: Dressed
    refined: Refined
    paints: str
    """what painted it"""


def painted_or_known(
    dresser: Dresser,
    chosen: Chosen,
    pose: Pose,
    size: int,
    memory: Memory,
    refined: Callable[[Dressing], Refined],
    full_size: Callable[[Refined], Frame],
    paints: Callable[[], str],
    ahead: int,
) -> Iterator[Frame]:
    """The frames of a whole dance, (S, S, 4), in three threads as far as they are to be painted.

    Args:
        dresser: at its beginning.
        chosen, pose: of every moment, see `dressings`.
        size: S.
        refined: what the network makes of a moment.
        full_size: that at S x S.
        paints: says what paints now; it may change between two frames, and what began as one thing and was painted by
            another is not kept.
        ahead: moments that each thread is ahead of the next.
    """

    def dressed() -> Generator[Known | Dressed, None, None]:
        for moment in range(len(pose)):
            given = pose.xy[moment], pose.confidence[moment], chosen.frames[:, moment], chosen.distances[:, moment]
            before, painter = dresser.agreement.before, paints()
            key = digest(painter, BEGUN if before is None else digest(before), *given)
            found = memory.find(key, (size, size))
            if found is not None and "held" in found[1]:
                frame, carried = found
                dresser.agreement.before = carried["held"]
                yield Known(frame)
                continue
            dressing = dresser.dressing(*given)
            assert dresser.agreement.before is not None
            yield Dressed(key, painter, dresser.agreement.before, dressing)

    def painted() -> Generator[Known | Painted[Refined], None, None]:
        coming = ReadAhead(dressed(), ahead)
        try:
            for one in coming:
                yield one if isinstance(one, Known) else Painted(one, refined(one.dressing), paints())
        finally:
            coming.stop()

    coming = ReadAhead(painted(), ahead)
    try:
        for one in coming:
            if isinstance(one, Known):
                yield one.frame
                continue
            frame = full_size(one.refined)
            memory.painted += 1
            if one.paints == one.dressed.paints:
                memory.keep(one.dressed.key, frame, {"held": one.dressed.held})
            yield frame
    finally:
        coming.stop()
