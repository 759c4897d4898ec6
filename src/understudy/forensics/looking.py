"""What a detector looks at: pairs of consecutive frames, cut to a square around the person, from any video.

Training and use go through here, so that a detector meets users' videos cut just as those it has learnt from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from understudy.errors import MediaError
from understudy.pose import Pose
from understudy.tracking.crop import cut, person_square
from understudy.tracking.observe import LOOK_SIDE
from understudy.video import VideoReader

Image = npt.NDArray[np.uint8]
Square = tuple[int, int, int]
"""left, top, side in pixels of the frame; may reach beyond it"""

USUAL_RATE = 27
"""frames a second, between film and video: faster clips are thinned to about that, so that as much moves in a pair"""
STRETCH = Fraction(1, 2)
"""seconds that share one look for the person, and one square"""
MARGIN = 1.28
"""side of the square, as a multiple of the smallest one around the person: the seam of a cutout lies inside it"""


class Finder(Protocol):
    """Finds the person in a frame."""

    def __call__(self, frame: Image) -> Square | None:
        """(H, W, 3) RGB in; the smallest square around the person, or None."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class Stretch:
    """Half a second of a video, cut to one square."""

    start: float
    """seconds into the video"""
    frames: Image
    """(P + 1, side, side, 3) RGB: frame k and k + 1 are a pair, the last frame opens the next stretch"""
    found: bool
    """whether the person was seen; else the square is that of the stretch before, or the middle of the picture"""

    @property
    def pairs(self) -> Image:
        """(P, 2, side, side, 3), a view."""
        view = np.lib.stride_tricks.sliding_window_view(self.frames, 2, axis=0)
        return np.moveaxis(view, -1, 1)


class TrackerFinder:
    """The default tracker, asked for one frame every half second."""

    def __init__(self) -> None:
        from understudy.tracking.mediapipe import MediaPipeTracker

        self._tracker = MediaPipeTracker()

    def __call__(self, frame: Image) -> Square | None:
        shrink = min(1.0, LOOK_SIDE / max(frame.shape[:2]))
        small = np.asarray(cv2.resize(frame, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
        seen = self._tracker(small)
        if seen is None or not (seen.confidence[:17] > 0).any():
            return None
        left, top, side = person_square(Pose(seen.xy[None], seen.confidence[None], (small.shape[0], small.shape[1])))
        return round(left / shrink), round(top / shrink), round(side / shrink)

    def close(self) -> None:
        self._tracker.close()


def thinning(fps: Fraction) -> int:
    """Every so many-th frame of a clip is looked at: 1 up to 40 frames a second, 2 at 50 and 60, 4 at 120."""
    return max(1, round(fps / USUAL_RATE))


def stretches(
    video: str | Path,
    side: int,
    *,
    margin_of: Callable[[int], float] = lambda number: MARGIN,
    finder: Finder | None = None,
    on_frame: Callable[[], object] = lambda: None,
) -> Iterator[Stretch]:
    """Cuts a video to squares, half a second at a time; nothing grows with its length.

    Args:
        video: any that `VideoReader` reads.
        side: pixels of the squares.
        margin_of: gives the margin of the stretch with that number, see `MARGIN`; training varies it.
        finder: finds people; left out, the default tracker does. One that is given is not closed.
        on_frame: called for every frame read.

    Raises:
        MediaError: the video cannot be read, or holds less than two frames.
    """
    with VideoReader(video, tolerate_damage=True) as reader:
        every = thinning(reader.fps)
        length = max(2, round(STRETCH * reader.fps / every))
        chosen: AbstractContextManager[Finder] = closing(TrackerFinder()) if finder is None else nullcontext(finder)
        with chosen as find:
            square: Square | None = None
            waiting: list[Image] = []
            pairs = number = 0
            for index, frame in enumerate(reader):
                on_frame()
                if index % every:
                    continue
                waiting.append(frame)
                if len(waiting) > length:
                    stretch, square = _cut(waiting, square, find, side, margin_of(number), pairs * every / reader.fps)
                    yield stretch
                    pairs, number = pairs + length, number + 1
                    waiting = waiting[-1:]
            if len(waiting) > 1:
                stretch, square = _cut(waiting, square, find, side, margin_of(number), pairs * every / reader.fps)
                yield stretch
                pairs += len(waiting) - 1
    if not pairs:
        raise MediaError(
            f"{video} holds a single frame: a detector compares frames, so it needs a video of two or more"
        )


def _cut(
    frames: list[Image], before: Square | None, find: Finder, side: int, margin: float, start: Fraction
) -> tuple[Stretch, Square | None]:
    seen = find(frames[len(frames) // 2])
    person = seen or before
    square = _whole_frame(frames[0]) if person is None else _widened(person, margin)
    square = _reaching_in(square, frames[0])
    cuts = np.stack([cut(frame, square, side) for frame in frames])
    return Stretch(float(start), cuts, seen is not None), person


def _whole_frame(frame: Image) -> Square:
    """The middle of the picture, as large as fits."""
    height, width = frame.shape[:2]
    side = min(height, width)
    return (width - side) // 2, (height - side) // 2, side


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
