"""Which pixel of a mask is nearest to every pixel of a picture."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt


def nearest_inside(inside: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.intp]]:
    """For every pixel, how far the nearest one of a mask is, and which.

    Args:
        inside: (H, W); some pixel must be.

    Returns:
        (H, W) pixels, 0 inside; (H, W) its number, row by row, as `ravel` numbers them.
    """
    outside = np.asarray(~inside, np.uint8)
    distance, labels = cv2.distanceTransformWithLabels(outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    number = np.zeros(int(labels.max()) + 1, np.intp)
    pixels = np.flatnonzero(inside)
    number[labels.ravel()[pixels]] = pixels
    return np.asarray(distance, np.float32), number[labels]
