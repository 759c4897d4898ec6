"""The five pictures that a person's looks are read from: l(I, p) of Gafni et al. 2021, eq. 4."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from understudy.body.labels import LABEL, SEGMENTS

Image = npt.NDArray[np.uint8]

SIDE = 224
"""pixels: what networks trained on ImageNet look at"""
GREY = 124
"""of all that is not the segment; the mean of photographs, so that a network sees nothing there"""
FEW = 16
"""pixels below which a segment is not to be seen"""

_NUMBERS = tuple(tuple(LABEL[name] for name in names) for names in SEGMENTS.values())


def segments_of(picture: Image, labels: Image) -> Image:
    """t_1 to t_5: face and hair, upper clothes, lower clothes, shoes and socks, skin.

    Each is the box around its labels, resized, with everything else in it grey: the paper says "in accordance with the
    semantic parsing map", and a sleeve in the box of the face is none of its looks.

    Args:
        picture: (H, W, 3) RGB.
        labels: (H, W) of `body.labels.LABELS`.

    Returns:
        (5, 224, 224, 3) RGB; all grey where a segment is not to be seen.
    """
    return np.stack([_segment(picture, np.isin(labels, numbers)) for numbers in _NUMBERS])


def _segment(picture: Image, inside: npt.NDArray[np.bool_]) -> Image:
    if inside.sum() < FEW:
        return np.full((SIDE, SIDE, 3), GREY, np.uint8)
    left, top, width, height = cv2.boundingRect(inside.astype(np.uint8))
    box = np.s_[top : top + height, left : left + width]
    shown = np.where(inside[box][..., None], picture[box], np.uint8(GREY))
    return np.asarray(cv2.resize(shown, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
