"""The guided filter (He et al. 2010, "Guided Image Filtering"): values smoothed where a picture is smooth.

Written out because only OpenCV's contributed modules have it, and users have one of four builds of OpenCV.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def guided_by_grey(guide: Floats, values: Floats, radius: int, flat: float) -> Floats:
    """Eqs. 5, 6 and 8.

    Args:
        guide: (H, W).
        values: (H, W).
        radius: pixels to each side that a window reaches.
        flat: variance of the guide below which a window counts as smooth (epsilon).
    """
    mean_guide, mean = _box(guide, radius), _box(values, radius)
    variance = _box(guide * guide, radius) - mean_guide * mean_guide
    covariance = _box(guide * values, radius) - mean_guide * mean
    slope = np.asarray(covariance / (variance + np.float32(flat)), np.float32)
    return _box(slope, radius) * guide + _box(mean - slope * mean_guide, radius)


def guided_by_colour(guide: npt.NDArray[np.uint8], values: Floats, radius: int, flat: float) -> Floats:
    """Eqs. 14 to 16: as before, with three colours as the guide.

    Args:
        guide: (H, W, 3).
        values: (H, W, C).
    """
    colours = [np.asarray(colour, np.float32) for colour in cv2.split(guide)]
    middles = [_box(colour, radius) for colour in colours]

    def covariance(one: int, other: int) -> Floats:
        return _box(colours[one] * colours[other], radius) - middles[one] * middles[other]

    rr, gg, bb = (covariance(one, one) + np.float32(flat) for one in range(3))
    rg, rb, gb = covariance(0, 1), covariance(0, 2), covariance(1, 2)
    # the inverse of a symmetric 3 x 3 matrix by its cofactors
    of_rr, of_rg, of_rb = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    of_gg, of_gb, of_bb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    determinant = rr * of_rr + rg * of_rg + rb * of_rb
    inverse = [[of_rr, of_rg, of_rb], [of_rg, of_gg, of_gb], [of_rb, of_gb, of_bb]]
    made = []
    for channel in np.moveaxis(values, -1, 0):
        mean = _box(channel, radius)
        shared = [_box(colours[k] * channel, radius) - middles[k] * mean for k in range(3)]
        slopes = [sum(row[k] * shared[k] for k in range(3)) / determinant for row in inverse]
        start = mean - sum(slope * middle for slope, middle in zip(slopes, middles, strict=True))
        made.append(
            sum(_box(slope, radius) * colour for slope, colour in zip(slopes, colours, strict=True))
            + _box(start, radius)
        )
    return np.stack(made, axis=-1).astype(np.float32)


def _box(values: Floats, radius: int) -> Floats:
    side = 2 * radius + 1
    return np.asarray(cv2.blur(np.ascontiguousarray(values), (side, side), borderType=cv2.BORDER_REFLECT), np.float32)
