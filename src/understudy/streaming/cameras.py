"""What comes in live: the pictures of a camera, or of a file in its place, and poses that need none."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

import cv2
import numpy as np
import numpy.typing as npt

from understudy.errors import MediaError
from understudy.media.reading import VideoReader
from understudy.poses.pose import Pose
from understudy.tracking.observe import LOOK_SIDE

Image = npt.NDArray[np.uint8]
Item = TypeVar("Item")
USUAL_FPS = Fraction(30)
"""of cameras that do not say theirs"""
REMEMBERED = 1000
"""pictures of a file of which is known where in it they were: more than any are behind when they are shown"""


@dataclass(frozen=True, eq=False)
class Shot:
    """One picture."""

    frame: Image
    """(H, W, 3) RGB, at most `LOOK_SIDE` pixels long"""
    taken: float
    """`time.monotonic()` when it was there"""
    first: bool = False
    """whether it follows on none before, so that whoever was followed may be elsewhere"""


@dataclass(frozen=True, eq=False)
class Sighting:
    """One pose that is known already; it takes the place of a picture."""

    pose: Pose
    """(1, 133) in pixels of the camera that somebody else looked through, or of one that is made up"""
    taken: float
    """`time.monotonic()` when it came"""
    first: bool = False
    """as of a `Shot`"""


class Camera(Protocol):
    """Gives pictures, or poses, as they come."""

    fps: Fraction

    def shots(self) -> Iterator[Shot | Sighting]:
        """In real time; ends when nothing more comes."""
        ...


@runtime_checkable
class WithSound(Protocol):
    """A camera whose pictures have the sound of a file."""

    path: Path

    def position(self, taken: float) -> float:
        """Seconds of the file that were over when a picture was taken, by `time.monotonic()`."""
        ...


def in_real_time(
    coming: Iterable[Item], fps: Fraction, sleep: Callable[[float], None], clock: Callable[[], float]
) -> Iterator[Item]:
    """One after another, each not before it is due at so many a second from now on."""
    begin = clock()
    for number, one in enumerate(coming):
        sleep(max(0.0, begin + float(number / fps) - clock()))
        yield one


class FileCamera:
    """A video shown at its own rate, as if it were filmed now.

    Args:
        path: the video.
        loop: whether it begins again when it ends.
        sleep, clock: of time, for tests.

    Raises:
        MediaError: it cannot be read.
    """

    def __init__(
        self,
        path: Path,
        loop: bool = False,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path, self.loop, self._sleep, self._clock = path, loop, sleep, clock
        self._given: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)
        with VideoReader(path, long_side=LOOK_SIDE) as reader:
            self.fps = reader.fps

    def shots(self) -> Iterator[Shot]:
        for index, frame in in_real_time(self._frames(), self.fps, self._sleep, self._clock):
            taken = self._clock()
            self._given.append((taken, float(index / self.fps)))
            yield Shot(frame, taken, first=index == 0)

    def position(self, taken: float) -> float:
        """See `WithSound`: that of the picture itself, which may have come late, or in a round before this one."""
        return next((seconds for when, seconds in reversed(tuple(self._given)) if when <= taken), 0.0)

    def _frames(self) -> Iterator[tuple[int, Image]]:
        """With their numbers in the video, from its beginning again and again in a loop."""
        again = False
        while True:
            empty = True
            with VideoReader(self.path, long_side=LOOK_SIDE, tolerate_damage=True, say_notes=not again) as reader:
                for index, frame in enumerate(reader):
                    empty = False
                    yield index, frame
            if not self.loop or empty:
                return
            again = True


class Webcam:
    """A camera by its number, as OpenCV opens it.

    Raises:
        MediaError: there is none.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        quiet = cv2.utils.logging
        level = quiet.setLogLevel(quiet.LOG_LEVEL_SILENT)  # it tells of every way to open a camera that it has not
        try:
            self._capture = cv2.VideoCapture(number)
        finally:
            quiet.setLogLevel(level)
        if not self._capture.isOpened():
            raise MediaError(
                f"there is no camera {number} that can be opened: is it plugged in, allowed, and not in use elsewhere? "
                "For a trial give a video instead, `driving='dance.mp4'`"
            )
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # older pictures would be late
        told = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = Fraction(round(told)) if 1 <= told <= 240 else USUAL_FPS

    def shots(self) -> Iterator[Shot]:
        first = True
        try:
            while True:
                there, picture = self._capture.read()
                if not there:
                    raise MediaError(f"camera {self.number} gives no more pictures: was it unplugged?")
                yield Shot(small(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)), time.monotonic(), first)
                first = False
        finally:
            self._capture.release()


def small(frame: npt.NDArray[np.generic]) -> Image:
    """A picture as large as the tracker looks at it."""
    longer = max(frame.shape[:2])
    if longer <= LOOK_SIDE:
        return np.asarray(frame, np.uint8)
    width_height = tuple(max(1, round(side * LOOK_SIDE / longer)) for side in frame.shape[1::-1])
    return np.asarray(cv2.resize(frame, width_height, interpolation=cv2.INTER_AREA), np.uint8)
