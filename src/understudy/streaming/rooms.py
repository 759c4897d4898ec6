"""What is behind a live performer at this moment."""

from __future__ import annotations

import threading
import time
from fractions import Fraction
from itertools import islice

import cv2
import numpy as np

from understudy.actor import Actor
from understudy.compositing.backgrounds import Background
from understudy.streaming.cameras import Image


class Room:
    """One background, of the size of an actor's pictures; any thread may ask.

    Args:
        actor: whose room it is, and in whose size it is shown.
        background: what is behind.
        fps: at which a video is read; it keeps its own speed.
    """

    def __init__(self, actor: Actor, background: Background, fps: Fraction) -> None:
        self._moving, self._fps = background.moving, fps
        self._frames = background.frames(
            actor.original_size_hw, fps, reference=actor.background, driving=lambda: actor.background
        )
        self._lock = threading.Lock()
        self._given, self._began = 0, 0.0

    def now(self) -> Image:
        """(H, W, 3) of a video the picture whose time it is, of all else a fresh copy, which may be painted on."""
        with self._lock:
            now = time.monotonic()
            self._began = self._began or now
            due = 1 + int((now - self._began) * self._fps) if self._moving else 0
            passed_over = max(0, due - self._given - 1)
            self._given += passed_over + 1
            return next(islice(self._frames, passed_over, None))


def fitted(picture: Image, size_hw: tuple[int, int]) -> Image:
    """The whole picture within another size, in the middle, with black beside it where the shape differs."""
    if picture.shape[:2] == size_hw:
        return picture
    ratio = min(there / here for here, there in zip(picture.shape[:2], size_hw, strict=True))
    height, width = (
        min(there, max(1, round(here * ratio))) for here, there in zip(picture.shape[:2], size_hw, strict=True)
    )
    fit = np.zeros((*size_hw, 3), np.uint8)
    top, left = (size_hw[0] - height) // 2, (size_hw[1] - width) // 2
    interpolation = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
    fit[top : top + height, left : left + width] = cv2.resize(picture, (width, height), interpolation=interpolation)
    return fit
