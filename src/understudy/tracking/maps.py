"""The third pass of tracking, if it was asked for: label maps and surface maps of the frames that were cut out.

It reads back what the second pass wrote, so that maps are of the very pictures a performance holds. PyTorch is imported
only where a body is laid into poses, or a network run.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np
import numpy.typing as npt

from understudy.base.arguments import Rotation
from understudy.base.progress import progress_bar
from understudy.performance import FOUND, PerformanceWriter
from understudy.poses.pose import Pose
from understudy.tracking.parsing import BuiltInParser
from understudy.tracking.parsing_chosen import Choice, parser_of
from understudy.tracking.parsing_files import GivenMaps, Square
from understudy.tracking.surface_chosen import SurfaceChoice
from understudy.tracking.surface_files import GivenSurface, SurfaceSource

if TYPE_CHECKING:
    from understudy.tracking.body_fit import PosedBody

UInt8Array = npt.NDArray[np.uint8]

LOOKED_AT = 12
"""frames from which it is learnt what the person wears"""


@dataclass(frozen=True)
class Place:
    """Where the working frames lie in a clip: what is needed to bring maps of it to them.

    Attributes:
        square: left, top, side in pixels of the clip as it is turned.
        original_hw: of the clip as it is turned.
        rotate: degrees clockwise by which it is turned first.
        start, end: of the part that is tracked, seconds; None = its beginning, its end.
        first: number of the frame with which that part begins.
    """

    square: Square
    original_hw: tuple[int, int]
    rotate: Rotation = 0
    start: float | None = None
    end: float | None = None
    first: int = 0


def add_maps(
    writer: PerformanceWriter,
    poses: Pose,
    status: UInt8Array,
    parsing: Choice | None,
    surface: SurfaceChoice | None,
    place: Place,
) -> None:
    """Adds the maps that were chosen, one of each kind for every frame that the writer holds.

    Args:
        writer: to which all frames were added.
        poses: in working pixels.
        status: as of a performance.
        parsing, surface: which; None = none.
        place: of the working frames.

    Raises:
        UsageError, MediaError: what was chosen cannot be used, or does not belong to the clip.
    """
    if parsing is not None:
        _add_labels(writer, poses, status, parsing, place)
    if surface is not None:
        _add_surface(writer, poses, surface, place)


def _add_labels(writer: PerformanceWriter, poses: Pose, status: UInt8Array, choice: Choice, place: Place) -> None:
    looks = None
    if choice.kind in ("auto", "selfie"):
        found = np.flatnonzero(status == FOUND)
        some = found[np.linspace(0, len(found) - 1, min(LOOKED_AT, len(found))).astype(int)]
        looks = BuiltInParser.of_clip(
            (*next(writer.written(index, index + 1)), poses.xy[index], poses.confidence[index]) for index in some
        ).looks
    turned_hw, ends = place.original_hw, place.end is None
    parser = parser_of(choice, place.square, writer.size_hw[0], turned_hw, place.rotate, looks, place.first, ends)
    with closing(parser), progress_bar("parsing", writer.count) as advance:
        for index, (frame, matte) in enumerate(writer.written()):
            writer.add_labels(parser(frame, matte, poses.xy[index], poses.confidence[index]))
            advance()
        if isinstance(parser, GivenMaps):
            parser.check_end()


def _add_surface(writer: PerformanceWriter, poses: Pose, choice: SurfaceChoice, place: Place) -> None:
    with closing(_surface_source(writer, poses, choice, place)) as source:
        with progress_bar("surface", writer.count) as advance:
            for frame, matte in writer.written():
                writer.add_surface(source(frame, matte))
                advance()
        source.check_end()


def _surface_source(writer: PerformanceWriter, poses: Pose, choice: SurfaceChoice, place: Place) -> SurfaceSource:
    if choice.path is None:
        from understudy.tracking.body_fit import fit
        from understudy.tracking.surface import girth_of

        posed = fit(poses, follow=len(poses) > 1)
        return DrawnSurface(posed, girth_of(posed, WrittenMattes(writer)))
    if choice.kind == "network":
        from understudy.tracking.surface_networks import surface_network

        return surface_network(choice.path)
    return GivenSurface(
        choice.path,
        place.square,
        writer.size_hw[0],
        place.original_hw,
        place.rotate,
        place.start,
        place.end,
        place.first,
    )


class DrawnSurface:
    """The built-in surface maps of a body laid into the poses, in order; arguments as of `surface.surface_maps`."""

    def __init__(self, posed: PosedBody, girth: float) -> None:
        from understudy.tracking.surface import surface_maps

        self._maps = surface_maps(posed, posed.size_hw, girth)

    def __call__(self, frame: UInt8Array, matte: UInt8Array) -> UInt8Array:
        return next(self._maps)

    def check_end(self) -> None:
        pass

    def close(self) -> None:
        pass


class WrittenMattes(Sequence[UInt8Array]):
    """The mattes that a writer holds, each decoded when it is looked at."""

    def __init__(self, writer: PerformanceWriter) -> None:
        self._writer = writer

    def __len__(self) -> int:
        return self._writer.count

    @overload
    def __getitem__(self, index: int) -> UInt8Array: ...

    @overload
    def __getitem__(self, index: slice) -> list[UInt8Array]: ...

    def __getitem__(self, index: int | slice) -> UInt8Array | list[UInt8Array]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        return next(self._writer.written(int(index), int(index) + 1))[1]
