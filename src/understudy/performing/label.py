"""The visible label "AI", in the corner that performers come into least."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from understudy.pictures.lettering import line_height, text_width, write
from understudy.poses.pose import Pose

WORD = "AI"
SHARE, LEAST = 0.06, 16
"""its height, of the picture's shorter side, and at least so many pixels"""
GROUND, LETTERS, OPACITY = (20, 20, 20), (255, 255, 255), 0.75
"""colours, and how much of what is behind its ground is hidden"""
ROOM = 0.12
"""of a performer's height, beyond joints: hair, hands, shoes"""
Image = npt.NDArray[np.uint8]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Label:
    """The label of one video, at its place."""

    picture: Image
    """(h, w, 4) RGBA, premultiplied"""
    left: int
    top: int

    def paint(self, frame: Image) -> None:
        """Puts the label on a picture, in place: (H, W, 3) RGB, or (H, W, 4) RGBA premultiplied."""
        height, width = self.picture.shape[:2]
        behind = frame[self.top : self.top + height, self.left : self.left + width]
        through = 1 - self.picture[..., 3:].astype(np.float32) / 255
        behind[:] = np.rint(behind * through + self.picture[..., : frame.shape[2]])


def label_for(size_hw: tuple[int, int], people: Sequence[tuple[Pose, npt.NDArray[np.bool_]]]) -> Label:
    """The label for a video, in the corner where the fewest performers are at the fewest moments.

    Args:
        size_hw: of its pictures.
        people: of each performer the pose in pixels of the picture, and (T,) when they are shown.
    """
    picture = _picture(max(LEAST, round(SHARE * min(size_hw))))
    height, width = (min(side, most) for side, most in zip(picture.shape[:2], size_hw, strict=True))
    picture = picture[:height, :width]
    margin = min(height // 2, (size_hw[0] - height) // 2, (size_hw[1] - width) // 2)
    tops = size_hw[0] - height - margin, margin
    lefts = size_hw[1] - width - margin, margin
    corners = [(left, top) for top in tops for left in lefts]  # the lower right one first, where it is looked for
    hidden = [sum(_moments_in(pose, shown, (*corner, width, height)) for pose, shown in people) for corner in corners]
    best = int(np.argmin(hidden))
    if hidden[best]:
        log.warning("the label covers a performer at %d moments: every corner is in use", hidden[best])
    return Label(picture, *corners[best])


def _moments_in(pose: Pose, shown: npt.NDArray[np.bool_], box: tuple[int, int, int, int]) -> int:
    """At how many moments somebody's own box reaches into another one (left, top, width, height)."""
    seen = (pose.confidence > 0)[..., None]
    low = np.where(seen, pose.xy, np.inf).min(axis=1)
    high = np.where(seen, pose.xy, -np.inf).max(axis=1)
    room = ROOM * np.maximum(high[:, 1:] - low[:, 1:], 0.0)
    left, top, width, height = box
    apart = (high + room < (left, top)) | (low - room > (left + width, top + height))
    return int((shown & ~apart.any(axis=1)).sum())


def _picture(height: int) -> Image:
    """(height, w, 4): the word on a ground with round corners, premultiplied."""
    size = round(height * 0.62)
    side = round(height * 0.3)
    width = text_width(WORD, size) + 2 * side
    cover = np.zeros((4 * height, 4 * width), np.uint8)  # four times as large, so that the corners are smooth
    radius = height
    cv2.rectangle(cover, (radius, 0), (4 * width - radius - 1, 4 * height - 1), 255, -1)
    cv2.rectangle(cover, (0, radius), (4 * width - 1, 4 * height - radius - 1), 255, -1)
    for x in (radius, 4 * width - radius - 1):
        for y in (radius, 4 * height - radius - 1):
            cv2.circle(cover, (x, y), radius, 255, -1)
    ground = cv2.resize(cover, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255 * OPACITY
    letters = np.zeros((height, width, 3), np.uint8)
    write(letters, WORD, (side, (height - line_height(size)) // 2), size, (255, 255, 255))
    ink = letters[..., 0].astype(np.float32) / 255
    alpha = ink + ground * (1 - ink)
    colour = ink[..., None] * LETTERS + (ground * (1 - ink))[..., None] * GROUND
    return np.asarray(np.rint(np.dstack([colour, 255 * alpha])), np.uint8)
