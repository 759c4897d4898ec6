"""Looks for invisible marks in films, and in folders with the pictures of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from understudy.errors import MediaError
from understudy.marks.finding import SHORT_SIDE, SHORTEST, Found, find, small_enough
from understudy.marks.invisible import SMALLEST
from understudy.media.images import read_image
from understudy.media.reading import VideoReader

WINDOW = 10.0
"""seconds that are looked at together"""
MOST_WINDOWS = 6
"""spread over the film: all of a minute"""
_RATES = 25, 24, 30, 50, 60, 12
"""pictures a second tried for a folder, which does not say; a rate a tenth off is found as well"""
MOST_PICTURES = 300
"""of a folder, from its first on, that are looked at"""


class TooLittle(MediaError):
    """There is not film enough to find a mark in."""


def in_film(file: Path, on_frame: Callable[[], object] = lambda: None) -> Found | None:
    """The invisible mark of a video.

    Args:
        on_frame: called for every frame looked at.

    Raises:
        TooLittle: it is too short, or too small.
        MediaError: it cannot be read.
    """
    whole = VideoReader(file).info
    height, width = whole.size_hw
    if min(height, width) < SMALLEST or whole.duration < SHORTEST:
        raise TooLittle(f"{file} has less than {SHORTEST:g} s, or sides below {SMALLEST} pixels")
    long_side = max(SHORT_SIDE, round(SHORT_SIDE * max(height, width) / min(height, width)))
    for start in _starts(float(whole.duration)):
        reader = VideoReader(
            file, start=start, end=start + WINDOW, long_side=long_side, tolerate_damage=True, say_notes=False
        )
        with reader as frames:
            found = find(_lumas(frames, on_frame))
        if found is not None:
            return found
    return None


def in_pictures(files: Sequence[Path], on_frame: Callable[[], object] = lambda: None) -> Found | None:
    """The invisible mark of a film whose pictures lie in these files, in this order.

    Args:
        on_frame: called for every picture looked at.

    Raises:
        TooLittle: too few, too small, or not of one film.
        MediaError: one of them cannot be read.
    """
    if len(files) < SHORTEST * min(_RATES):
        raise TooLittle(f"{len(files)} pictures are too few")
    pictures, sizes = [], set()
    for file in files[:MOST_PICTURES]:
        luma = _luma(read_image(file))
        on_frame()
        sizes.add(luma.shape)
        pictures.append(small_enough(luma))
    if len(sizes) > 1 or min(*sizes.pop()) < SMALLEST:
        raise TooLittle(f"pictures of several sizes, or with sides below {SMALLEST} pixels")
    tried = (find((picture, number / rate) for number, picture in enumerate(pictures)) for rate in _RATES)
    return next((found for found in tried if found is not None), None)


def _lumas(frames: VideoReader, on_frame: Callable[[], object]) -> Iterator[tuple[npt.NDArray[np.uint8], float]]:
    for number, frame in enumerate(frames):
        on_frame()
        yield _luma(frame), number / float(frames.fps)


def _starts(duration: float) -> Iterator[float]:
    count = min(MOST_WINDOWS, max(1, int((duration - SHORTEST) // WINDOW) + 1))
    step = max(WINDOW, (duration - WINDOW) / max(count - 1, 1))
    return (number * step for number in range(count))


def _luma(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
