"""Where the mattes of a clip come from: one small callable per source, called once per frame and in order."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.arguments import Rotation, StrPath
from understudy.errors import MediaError
from understudy.media.reading import VideoReader
from understudy.media.squares import Square, cut
from understudy.performance import Crop
from understudy.tracking.blazepose import BlazePoseTracker
from understudy.tracking.detection import Mask
from understudy.tracking.green_screen import GreenScreen
from understudy.tracking.matte import refine
from understudy.tracking.observe import Observations
from understudy.tracking.selfie import SelfieSegmenter

UInt8Array = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]

_log = logging.getLogger(__name__)

WHOLE = 0.98
"""share of the square from which on a screen counts as filling it"""
MOST_COLOUR = 8.0
"""`colourfulness` of a matte's first frame: compressed ones have 0 to 2, pictures of rooms and people 15 and more"""


class MatteSource(Protocol):
    def __call__(self, working: UInt8Array, person: FloatArray | None) -> tuple[UInt8Array, UInt8Array]:
        """The matte of one frame.

        Args:
            working: (S, S, 3), the crop.
            person: (K, 2) seen points of the person in working pixels; None where there is nobody.

        Returns:
            (S, S) matte and the (S, S, 3) crop to be stored.
        """

    def close(self) -> None: ...


class NoMatte:
    """Everything counts as the person."""

    def __call__(self, working: UInt8Array, person: FloatArray | None) -> tuple[UInt8Array, UInt8Array]:
        return np.full(working.shape[:2], 255, np.uint8), working

    def close(self) -> None:
        pass


class CropSegmenter:
    """Coarse masks of a person whose pose is known, where the tracker gave none.

    The tracker runs on the crop alone, where it finds people it misses in the whole picture. Where it finds nobody, or
    somebody else, a network for video calls stands in: worse, but better than nothing.
    """

    def __init__(self) -> None:
        self._follower = BlazePoseTracker()
        self._anybody: SelfieSegmenter | None = None

    def __call__(self, working: UInt8Array, person: FloatArray) -> UInt8Array:
        detection = self._follower(working)
        if detection is not None and detection.mask is not None:
            mask = detection.mask.laid((working.shape[0], working.shape[1]))
            if _covers(mask, person):
                return mask
        self._anybody = self._anybody or SelfieSegmenter()
        return self._anybody(working)

    def close(self) -> None:
        self._follower.close()


def _covers(mask: UInt8Array, person: FloatArray) -> bool:
    """Whether most of the points lie on the mask, so that it is this person's."""
    x, y = np.clip(np.round(person).astype(int), 0, len(mask) - 1).T
    return bool(np.mean(mask[y, x] > 127) > 0.5)


class TrackedMatte:
    """The tracker's coarse mask, or where it made none one of the crop, refined."""

    def __init__(self, observations: Observations | None, crop: Crop, size: int) -> None:
        self._masks: Iterator[Mask | None] = iter(()) if observations is None else iter(observations.masks)
        self._room = None if observations is None else observations.room(crop, size)
        self._laid = None if observations is None else observations.view.masks_to_working(crop, size)
        self._segmenter: CropSegmenter | None = None

    def __call__(self, working: UInt8Array, person: FloatArray | None) -> tuple[UInt8Array, UInt8Array]:
        mask = next(self._masks, None)
        if person is None:
            return np.zeros(working.shape[:2], np.uint8), working
        if mask is None or self._laid is None:
            self._segmenter = self._segmenter or CropSegmenter()
            coarse = self._segmenter(working, person)
        else:
            coarse = self._laid(mask)
        return refine(working, coarse, self._room), working

    def skip(self) -> None:
        """Goes on to the next frame without a matte of this one."""
        next(self._masks, None)

    def close(self) -> None:
        if self._segmenter is not None:
            self._segmenter.close()


class KeyedMatte:
    """A green or blue screen keyed out; beside and below it, where the screen does not reach, the tracker decides.

    Args:
        screen: that of the clip.
        beside: the tracker's mattes.
    """

    def __init__(self, screen: GreenScreen, beside: TrackedMatte) -> None:
        self._screen, self._beside = screen, beside

    def __call__(self, working: UInt8Array, person: FloatArray | None) -> tuple[UInt8Array, UInt8Array]:
        keyed, clean = self._screen.key(working)
        within = self._screen.sheet(keyed)
        if (within > 0).mean() > WHOLE:
            self._beside.skip()
            return keyed, clean
        tracked, _ = self._beside(working, person)
        share = cv2.blur(within, (3, 3)).astype(np.float32) / 255
        matte = np.asarray(share * keyed + (1 - share) * tracked + np.float32(0.5), np.uint8)
        return matte, np.where((within > 0)[..., None], clean, working)

    def close(self) -> None:
        self._beside.close()


def check_matte(matte: StrPath, video: Path) -> None:
    """Raises MediaError: `matte` names a file, and it is none that could be the matte of `video`."""
    if matte in ("auto", "green", "none"):
        return
    if not Path(matte).is_file():
        raise MediaError(f"there is no matte {matte}: give auto, green, none or a video file")
    if video.is_file() and os.path.samefile(matte, video):
        raise MediaError(f"the matte {matte} is the video itself: give a video that is white where the person is")


def colourfulness(frame: UInt8Array) -> float:
    """Of (H, W, 3): grey levels between the strongest and the weakest channel, mean over the picture."""
    return float((frame.max(axis=2) - frame.min(axis=2)).mean())


class GivenMatte:
    """A video of mattes, white where the person is, as long as the clip to within one frame, and turned as it is."""

    def __init__(
        self,
        path: Path,
        square: Square,
        original_hw: tuple[int, int],
        start: float | None,
        end: float | None,
        tolerate_damage: bool,
        rotate: Rotation,
    ):
        self._path, self._square = path, square
        self._reader = VideoReader(path, start=start, end=end, tolerate_damage=tolerate_damage, rotate=rotate)
        height, width = self._reader.size_hw
        if abs(width * original_hw[0] - height * original_hw[1]) > 2 * max(*original_hw, height, width):
            raise MediaError(
                f"the matte {path} is {width}x{height} and the video {original_hw[1]}x{original_hw[0]}: "
                "a matte must have the shape of its video"
            )
        self._scale = (width / original_hw[1], height / original_hw[0])
        self._frames = iter(self._reader)
        self._last: UInt8Array | None = None
        self._held = 0

    def __call__(self, working: UInt8Array, person: FloatArray | None) -> tuple[UInt8Array, UInt8Array]:
        matte = next(self._frames, None)
        if matte is None:
            self._held += 1
            matte = self._last
        if matte is None or self._held > 1:
            raise MediaError(f"the matte {self._path} is shorter than the video: give one of the same length")
        if self._last is None and colourfulness(matte) > MOST_COLOUR:
            _log.warning(f"the matte {self._path} is in colour: its green is taken for how opaque the person is")
        self._last = matte
        left, top, side = self._square
        square = (round(left * self._scale[0]), round(top * self._scale[1]), round(side * self._scale[0]))
        return cut(matte[..., 1], square, working.shape[0], beyond=0), working

    def close(self) -> None:
        self._reader.close()

    def check_end(self) -> None:
        """Raises MediaError when more than one frame is left over."""
        if next(self._frames, None) is not None and next(self._frames, None) is not None:
            raise MediaError(f"the matte {self._path} is longer than the video: give one of the same length")


def uncut(matte: UInt8Array, square: Square, size_hw: tuple[int, int]) -> UInt8Array:
    """The matte at its place in the whole picture."""
    left, top, side = square
    height, width = size_hw
    whole = np.zeros(size_hw, np.uint8)
    large = cv2.resize(matte, (side, side), interpolation=cv2.INTER_LINEAR)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + side, width), min(top + side, height)
    whole[y0:y1, x0:x1] = large[y0 - top : y1 - top, x0 - left : x1 - left]
    return whole
