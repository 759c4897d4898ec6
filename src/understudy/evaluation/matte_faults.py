"""Torn pieces and holes: what is wrong with a clone's outline that no mean over pixels is troubled by."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from understudy.evaluation.metrics import Mask

SMALLEST = 1 / 64
"""of the frame's side: a fault covers at least a square of this side, 4 pixels of 256; less is an edge's roughness"""
WIDEST_TEAR = 1 / 16
"""of the frame's side: openings up to this width are tears; wider ones are limbs elsewhere, or missing"""
UNSURE = 3 / 256
"""of the frame's side: how far inside the true outline a pixel must lie to be the person's for certain, so that
a person a step aside has no faults where his true arm now lies in the gap"""
MOSTLY = 0.5
"""share of a piece or a hole that decides what it is"""


def matte_faults(made: Mask, true: Mask) -> int:
    """How many separate pieces, holes and slits a generated person has that the true one has not.

    A piece is what is cut off the largest part, and lies not where the true matte, too, has a separate piece. A hole or
    slit is a narrow place where nothing was painted and where the true person surely is; the gap between arm and trunk
    is none, since there the true person is not.

    Args:
        made: (H, W) where the generated frame shows the person.
        true: (H, W) where the true one does.
    """
    return _pieces(made, true) + _holes(made, true)


def _pieces(made: Mask, true: Mask) -> int:
    count, labels, areas = _parts(made)
    if count == 0:
        return 0
    largest = int(np.argmax(areas)) + 1
    _, true_labels, true_areas = _parts(true)
    apart = true & (true_labels != (int(np.argmax(true_areas)) + 1 if len(true_areas) else 0))
    return sum(
        bool(area >= _least(made) and float(apart[labels == label].mean()) < MOSTLY)
        for label, area in enumerate(areas, start=1)
        if label != largest
    )


def _holes(made: Mask, true: Mask) -> int:
    side = max(made.shape)
    reach = max(1, round(WIDEST_TEAR * side / 2))
    # What a brush as wide as the widest tear closes; the frame's edge closes nothing
    room = 2 * reach
    padded = np.pad(made.astype(np.uint8), room)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, _brush(reach))[room:-room, room:-room]
    sure = cv2.erode(true.astype(np.uint8), _brush(max(1, round(UNSURE * side))))
    _, _, areas = _parts((closed > 0) & ~made & (sure > 0))
    return sum(bool(area >= _least(made)) for area in areas)


def _parts(mask: Mask) -> tuple[int, npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """How many connected parts, (H, W) their numbers from 1 on, and their areas in pixels."""
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return count - 1, np.asarray(labels, np.int32), np.asarray(statistics[1:, cv2.CC_STAT_AREA], np.int32)


def _least(mask: Mask) -> float:
    """Pixels of the smallest fault."""
    return float((SMALLEST * max(mask.shape)) ** 2)


def _brush(reach: int) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)), np.uint8)
