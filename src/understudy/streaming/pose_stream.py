"""Poses that other programs send: what is newest, and nobody once nothing comes any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from understudy.poses.pose import POINTS, Pose
from understudy.streaming.cameras import Sighting
from understudy.streaming.newest import Newest
from understudy.streaming.placing import nobody

USUAL_FPS = Fraction(30)
"""of programs that send poses"""
QUIET = 1.0
"""seconds without a pose, after which nobody is there"""
LOOK_EVERY = 0.2
"""seconds after which it is noticed that nothing comes"""
FARTHEST = 1.0
"""widths and heights of the picture by which a point may lie outside it"""
HEIGHT = 720
"""pixels of the picture that shares of it are counted in"""
ASPECT = 16 / 9
"""width over height, where nothing says another"""
MOST_ASPECT = 8.0


class PoseStream:
    """Takes the place of a camera; whoever receives poses puts them here, from any thread.

    Args:
        clock: seconds, for tests.
    """

    fps = USUAL_FPS

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._poses: Newest[Sighting] = Newest()
        self._again = True
        self.size_hw = (HEIGHT, round(HEIGHT * ASPECT))

    def put(self, pose: Pose) -> None:
        """A pose that is there now, (1, 133); one before it that nobody took is dropped."""
        self._poses.put(Sighting(pose, self._clock(), self._again))
        self._again = False
        self.size_hw = pose.size_hw

    def shots(self) -> Iterator[Sighting]:
        """See `Camera.shots`."""
        latest = self._clock() - QUIET
        while not self._poses.over:
            sighting = self._poses.take(LOOK_EVERY)
            now = self._clock()
            if sighting is not None:
                latest = now
                yield sighting
            elif now - latest >= QUIET:
                self._again = True
                yield Sighting(nobody(self.size_hw), now)

    def close(self) -> None:
        self._poses.close()


def size_of(aspect: float) -> tuple[int, int]:
    """Height and width of a picture of this shape.

    Raises:
        ValueError: no picture has it.
    """
    if not 1 / MOST_ASPECT <= aspect <= MOST_ASPECT:
        raise ValueError(f"no picture is {aspect:g} times as wide as high")
    return HEIGHT, round(HEIGHT * aspect)


def pose_of_shares(
    shares: npt.NDArray[np.float64], confidence: npt.NDArray[np.float64], size_hw: tuple[int, int]
) -> Pose:
    """A pose out of shares of a picture's width and height.

    Args:
        shares: (133, 2), 0 to 1 inside the picture, x to the right and y down.
        confidence: (133,); what is not above 0 is not seen.
        size_hw: of the picture.

    Raises:
        ValueError: a number that is none, a point that is seen far outside the picture, or a confidence above 1.
    """
    if shares.shape != (POINTS, 2) or confidence.shape != (POINTS,):
        raise ValueError("a pose has 133 points")
    seen = confidence > 0
    if not (np.isfinite(shares[seen]).all() and np.isfinite(confidence).all() and confidence.max(initial=0) <= 1):
        raise ValueError("a number that is none, or a confidence above 1")
    if np.abs(shares[seen] - 0.5).max(initial=0) > 0.5 + FARTHEST:
        raise ValueError("a point far outside the picture")
    height, width = size_hw
    xy = np.where(seen[:, None], shares * (width, height) - 0.5, 0.0)  # whole numbers are pixel centres
    return Pose(xy[None].astype(np.float32), np.where(seen, confidence, 0.0)[None].astype(np.float32), size_hw)
