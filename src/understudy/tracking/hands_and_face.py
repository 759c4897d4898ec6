"""A closer look at the hands and the face of a body that was found, as MediaPipe's Holistic takes it.

The body says about where they are ("fresh" square); while the square of the frame before resembles that one it is
kept, since it was made of more points.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from understudy.base.weights import FACE_DETECTION, FACE_LANDMARK, HAND_LANDMARK, HAND_RECROP, tracker_network
from understudy.tracking.litert import Network
from understudy.tracking.regions import (
    MIDDLE,
    RIGHT_ANGLE,
    Floats,
    Likeness,
    Points,
    Region,
    UInt8Array,
    around_pair,
    bounding,
    direction,
    resembles,
)
from understudy.tracking.ssd import anchors, decoded

WRIST_INDEX_PINKY = {"left": (15, 19, 17), "right": (16, 20, 18)}
"""landmarks of the body"""
VISIBLE = 0.1
"""a wrist that is less visible than this has no hand to look for"""
PRESENT = 0.5
HAND_POINTS = [0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]
"""points of a hand that its next square is made of: fingertips move too much"""
KNUCKLES = 5, 9, 13
"""where index, middle and ring finger begin"""
SAME_HAND = Likeness(math.radians(40), 0.2, 0.4, 0.9)

FACE_LANDMARKS = slice(0, 11)
"""of the body: nose, eyes, ears and mouth"""
EYES = 5, 2
"""of the body: the outer ends of the line that a face is turned by"""
FACE_ANCHORS = anchors(((16, 2), (8, 6)))
MESH = 468
MESH_EYES = 33, 263
SAME_FACE = Likeness(math.radians(15), 0.1, 0.3, 0.8)


def _kept(fresh: Region, last: Points | None, square_of: Callable[[Points], Region], most: Likeness) -> Region:
    """The square of the frame before, while it resembles the fresh one; else that."""
    if last is None:
        return fresh
    before = square_of(last)
    return before if resembles(before, fresh, last, most) else fresh


class Hand:
    """One hand of a person, frame after frame.

    Args:
        middle: of a pixel, see `Region.cut`.
        still: each picture rests on none before it.
    """

    def __init__(self, side: Literal["left", "right"], middle: float = MIDDLE, still: bool = False) -> None:
        self._landmarks = WRIST_INDEX_PINKY[side]
        self._middle, self._still = middle, still
        self._recrop, self._network = Network(tracker_network(HAND_RECROP)), Network(tracker_network(HAND_LANDMARK))
        self._last: Points | None = None

    def __call__(self, picture: UInt8Array, body: Points, visibility: Floats) -> Points | None:
        """(21, 2) pixels of the picture, edges at 0 and W; None where this hand is not seen.

        Args:
            picture: (H, W, 3).
            body: (33 or more, 2) landmarks.
            visibility: of these.
        """
        last, self._last = self._last, None
        if visibility[self._landmarks[0]] <= VISIBLE:
            return None
        region = _kept(self._fresh(picture, body), last, _square_of_hand, SAME_HAND)
        points, present, *_ = self._network(region.cut(picture, self._network.size_wh, "nearest", middle=self._middle))
        if present[0] <= PRESENT:
            return None
        found = region.to_picture(points.reshape(21, 3)[:, :2] / self._network.size_wh[0])
        if not self._still:
            self._last = found
        return found

    def forget(self) -> None:
        self._last = None

    def _fresh(self, picture: UInt8Array, body: Points) -> Region:
        wrist, index, pinky = body[list(self._landmarks)]
        knuckles = (2 * index + pinky) / 3
        about = around_pair(knuckles, wrist, 1.0, direction(wrist, knuckles, RIGHT_ANGLE)).shifted_square(-0.1, 2.7)
        (pair,) = self._recrop(about.cut(picture, self._recrop.size_wh, "nearest", middle=self._middle))
        a, b = about.to_picture(pair.reshape(2, 2) / self._recrop.size_wh[0])
        return around_pair(a, b, 1.0, direction(a, b, -RIGHT_ANGLE)).shifted_square(-0.1, 1.0)


def _square_of_hand(points: Points) -> Region:
    index, middle, ring = points[list(KNUCKLES)]
    knuckles = ((index + ring) / 2 + middle) / 2
    rotation = direction(points[0], knuckles, RIGHT_ANGLE)
    return bounding(points[HAND_POINTS], rotation, turned=True).shifted_square(-0.1, 2.0)


class Face:
    """The face of a person, frame after frame. Arguments as of `Hand`."""

    def __init__(self, middle: float = MIDDLE, still: bool = False) -> None:
        self._middle, self._still = middle, still
        self._detector = Network(tracker_network(FACE_DETECTION))
        self._network = Network(tracker_network(FACE_LANDMARK))
        self._last: Points | None = None

    def __call__(self, picture: UInt8Array, body: Points, visibility: Floats) -> Points | None:
        """(468, 2) vertices of the face mesh, pixels of the picture; None where no face is seen."""
        last, self._last = self._last, None
        about = bounding(body[FACE_LANDMARKS], direction(body[EYES[0]], body[EYES[1]], 0.0)).shifted_square(0.0, 3.0)
        shown = about.cut(picture, self._detector.size_wh, "black", low=-1, middle=self._middle)
        boxes, logits = self._detector(shown)
        found = decoded(boxes, logits, FACE_ANCHORS, self._detector.size_wh[0])
        if not found:
            return None
        six = about.to_picture(found[0].points)
        fresh = bounding(six, direction(six[0], six[1], 0.0)).shifted_square(-0.1, 2.0)
        region = _kept(fresh, last, _square_of_face, SAME_FACE)
        raw, present = self._network(region.cut(picture, self._network.size_wh, "nearest", middle=self._middle))
        if present.ravel()[0] <= 0:  # a logit: one half
            return None
        mesh = region.to_picture(raw.reshape(MESH, 3)[:, :2] / self._network.size_wh[0])
        if not self._still:
            self._last = mesh
        return mesh

    def forget(self) -> None:
        self._last = None


def _square_of_face(mesh: Points) -> Region:
    rotation = direction(mesh[MESH_EYES[0]], mesh[MESH_EYES[1]], 0.0)
    return bounding(mesh, rotation).shifted_square(0.0, 1.5)
