"""What a detector looks at: pairs of consecutive frames, cut to the person and some of the room, from any video.

Training and use go through here, so that a detector meets users' videos cut just as those it has learnt from. Zones say
where the person is, where the room, and where the edge between them, so that a detector can look at each by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.arguments import Rotation
from understudy.errors import MediaError
from understudy.media.reading import VideoReader
from understudy.media.squares import cut
from understudy.poses.pose import BODY, Pose
from understudy.tracking.crop import person_square
from understudy.tracking.observe import LOOK_SIDE

Image = npt.NDArray[np.uint8]
Square = tuple[int, int, int]
"""left, top, side in pixels of the frame; may reach beyond it"""

USUAL_RATE = 27
"""frames a second, between film and video: faster clips are thinned to about that, so that as much moves in a pair"""
LOOKS = 8
"""pairs a second, of the 25 or 30 that there are: neighbours resemble each other so much that more tell nothing new"""
MARGIN = 1.08
"""side of the square, as a multiple of the smallest one around the person"""
RIM = (0.01, 0.05)
"""of the usual square's side: so far into the person and so far out of it reaches the edge, with a cutout's seam"""
CERTAIN = 100
"""of 255: where the tracker's matte is above, there is the person"""
LEAST = 0.02
"""of a square: a person, or a room, of which less is seen cannot be held against the other"""
ROOM, EDGE, PERSON, BEYOND = range(4)
"""zones of a square; the last one lies outside of the picture"""


@dataclass(frozen=True)
class Found:
    """The person in a frame."""

    square: Square
    """the smallest around the person"""
    matte: Image
    """(h, w) of the whole frame at any scale, 255 inside the person"""


class Finder(Protocol):
    """Finds the person in frames of one clip, given in order."""

    def __call__(self, frame: Image) -> Found | None:
        """(H, W, 3) RGB in; None where nobody is seen."""

    def close(self) -> None: ...


class Squares(NamedTuple):
    """A person and some of the room, in two consecutive frames."""

    pair: Image
    """(2, side, side, 3) RGB"""
    zones: Image
    """(side, side): ROOM, EDGE, PERSON or BEYOND, in the first frame"""


@dataclass(frozen=True)
class Look:
    """Two consecutive frames of a video."""

    start: float
    """seconds into the video"""
    squares: Squares | None
    """None where nobody was seen, or nothing of the room around"""


class TrackerFinder:
    """The default tracker."""

    def __init__(self) -> None:
        from understudy.tracking.blazepose import BlazePoseTracker

        self._tracker = BlazePoseTracker()

    def __call__(self, frame: Image) -> Found | None:
        shrink = min(1.0, LOOK_SIDE / max(frame.shape[:2]))
        small = np.asarray(cv2.resize(frame, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
        seen = self._tracker(small)
        if seen is None or seen.mask is None or not (seen.confidence[BODY] > 0).any():
            return None
        mask = seen.mask.laid((small.shape[0], small.shape[1]))
        if not (mask > CERTAIN).any():
            return None
        left, top, side = person_square(Pose(seen.xy[None], seen.confidence[None], (small.shape[0], small.shape[1])))
        return Found((round(left / shrink), round(top / shrink), round(side / shrink)), mask)

    def close(self) -> None:
        self._tracker.close()


def nobody_in(video: str | Path) -> str:
    """What is said where there is nothing to look at."""
    return (
        f"nobody is found in {video}, or nothing of the room around: a detector of generated people holds the one "
        "against the other"
    )


def thinning(fps: Fraction) -> int:
    """Every so many-th frame of a clip counts: 1 up to 40 frames a second, 2 at 50 and 60, 4 at 120."""
    return max(1, round(fps / USUAL_RATE))


def looks(
    video: str | Path,
    side: int,
    *,
    margin: float = MARGIN,
    finder: Finder | None = None,
    on_frame: Callable[[], object] = lambda: None,
    rotate: Rotation = 0,
) -> Iterator[Look]:
    """Looks at two consecutive frames of a video, several times a second; nothing grows with its length.

    Args:
        video: any that `VideoReader` reads.
        side: pixels of the squares.
        margin: see `MARGIN`; where there is to be room to crop it is wider, and the edge stays as it is.
        finder: finds the person; left out, the default tracker does. One that is given is not closed.
        on_frame: called for every frame read.
        rotate: degrees clockwise by which the picture is turned first.

    Raises:
        MediaError: the video cannot be read, or holds less than two frames.
    """
    number = 0
    with VideoReader(video, tolerate_damage=True, rotate=rotate) as reader:
        every = thinning(reader.fps)
        between = max(1, round(reader.fps / every / LOOKS))
        chosen: AbstractContextManager[Finder] = closing(TrackerFinder()) if finder is None else nullcontext(finder)
        with chosen as find:
            first: Image | None = None
            for index, frame in enumerate(reader):
                on_frame()
                if index % every:
                    continue
                place = index // every
                if first is not None:
                    start = float((place - 1) * every / reader.fps)
                    yield Look(start, _cut(first, frame, find(first), side, margin))
                    number += 1
                first = frame if place % between == 0 else None
    if not number:
        raise MediaError(
            f"{video} holds a single frame: a detector compares frames, so it needs a video of two or more"
        )


def _cut(first: Image, second: Image, found: Found | None, side: int, margin: float) -> Squares | None:
    if found is None:
        return None
    square = _reaching_in(_widened(found.square, margin), first)
    height, width = first.shape[:2]
    matte = np.asarray(cv2.resize(found.matte, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    zones = _zones(cut(matte, square, side, beyond=0), side * MARGIN / margin)
    zones[cut(np.full((height, width), 255, np.uint8), square, side, beyond=0) < 200] = BEYOND
    if min((zones == PERSON).mean(), (zones == ROOM).mean()) < LEAST:
        return None
    return Squares(np.stack([cut(frame, square, side) for frame in (first, second)]), zones)


def _zones(matte: Image, side: float) -> Image:
    """Person, rim, room. The rim is as wide as that of the usual square with this side."""
    person = (matte > CERTAIN).astype(np.uint8)
    inside, outside = (
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(reach * side) + 1,) * 2) for reach in RIM
    )
    zones = np.full(matte.shape, ROOM, np.uint8)
    zones[cv2.dilate(person, outside) > 0] = EDGE
    zones[cv2.erode(person, inside) > 0] = PERSON
    return zones


def _widened(square: Square, margin: float) -> Square:
    left, top, side = square
    wide = round(side * margin)
    return left + (side - wide) // 2, top + (side - wide) // 2, wide


def _reaching_in(square: Square, frame: Image) -> Square:
    """Moved until its centre lies in the picture: a joint guessed far outside must not take everything along."""
    left, top, side = square
    height, width = frame.shape[:2]
    x, y = left + side // 2, top + side // 2
    return left + min(max(x, 0), width - 1) - x, top + min(max(y, 0), height - 1) - y, side
