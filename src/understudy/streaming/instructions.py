"""What whoever stands before the camera is asked to do, painted on the picture."""

from __future__ import annotations

import cv2
import numpy as np

from understudy.actor import Actor
from understudy.pictures.lettering import line_height, text_width, write
from understudy.streaming.cameras import Image

GROUND, LETTERS, FIGURE = (20, 20, 20), (255, 255, 255), (240, 240, 240)
STANDING = (
    (0.0, 1.0),  # nose
    (-0.09, 0.82), (-0.17, 0.64), (-0.2, 0.47),  # right shoulder, elbow, wrist: to the left in the picture
    (0.09, 0.82), (0.17, 0.64), (0.2, 0.47),
    (-0.055, 0.5), (-0.075, 0.25), (-0.09, 0.0),  # right hip, knee, ankle
    (0.055, 0.5), (0.075, 0.25), (0.09, 0.0),
)  # fmt: skip
"""(x, up) of somebody who stands with arms and legs a little apart, in heights from ankles to nose"""
LINES = ((1, 2, 3), (4, 5, 6), (7, 8, 9), (10, 11, 12), (1, 4), (7, 10), (1, 7), (4, 10))


def stand_like_this(picture: Image, actor: Actor) -> None:
    """Draws a figure that stands where the actor's reference did and is as tall, in place; nothing if unknown.

    Args:
        picture: (H, W, 3) of the actor's size.
        actor: whose reference it is.
    """
    ground = actor.ground
    if ground is None:
        return
    height, feet = (ground.close_height + ground.far_height) / 2, (ground.close + ground.far) / 2
    working = np.array([(actor.body.centre_xy[0] + x * height, feet - up * height) for x, up in STANDING])
    points = np.rint(8 * actor.crop.inverse.of_points(working)).astype(np.int32)
    size = height / actor.crop.scale
    thick = max(1, round(size / 80))
    for line in LINES:
        cv2.polylines(picture, [points[list(line)]], False, FIGURE, thick, cv2.LINE_AA, shift=3)
    cv2.circle(picture, points[0].tolist(), round(8 * 0.07 * size), FIGURE, thick, cv2.LINE_AA, shift=3)


def in_words(picture: Image, line: str) -> None:
    """Writes a line at the lower edge of a picture, in place, in letters that fit."""
    height, width = picture.shape[:2]
    size = max(12, width // 28)
    while size > 8 and text_width(line, size) > width - 2 * size:
        size -= 1
    left, top = max(0, (width - text_width(line, size)) // 2), height - line_height(size) - size // 4
    cv2.rectangle(picture, (left - size // 2, top - size // 8), (width - left + size // 2, height), GROUND, -1)
    write(picture, line, (left, top), size, LETTERS)
