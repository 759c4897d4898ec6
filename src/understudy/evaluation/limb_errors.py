"""How wrong a generated frame is around each limb."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from understudy.evaluation.metrics import UNIT_FRAME, Floats
from understudy.poses.pose import DESCRIPTOR_LIMBS

SIGMA = 6.0
"""pixels of a 256 frame: about the half of a thigh's width"""
REACH = 3
"""standard deviations, beyond which a pixel does not count"""


def limb_errors(frame: npt.NDArray[np.uint8], true_frame: npt.NDArray[np.uint8], xy: Floats, seen: Floats) -> Floats:
    """Mean absolute RGB error around each of the 12 limbs of the skeleton descriptor.

    Pixels are weighted by a Gaussian of their distance to the limb, as alpha in eq. 4 of Aberman et al. 2018.

    Args:
        frame: (H, W, 3) RGB 0-255, generated.
        true_frame: as `frame`.
        xy: (18, 2) true OpenPose joints in pixels.
        seen: (18,) their confidence; 0 = not seen.

    Returns:
        (12,) in [0, 255], in the order of `pose.DESCRIPTOR_LIMBS`; nan where an end of the limb is not seen, or the
        limb lies outside the frame.
    """
    sigma = SIGMA * max(frame.shape[:2]) / UNIT_FRAME
    errors = np.full(len(DESCRIPTOR_LIMBS), np.nan, np.float32)
    for limb, (start, end) in enumerate(DESCRIPTOR_LIMBS):
        if seen[start] > 0 and seen[end] > 0:
            errors[limb] = _around(frame, true_frame, xy[start], xy[end], sigma)
    return errors


def _around(
    frame: npt.NDArray[np.uint8], true_frame: npt.NDArray[np.uint8], start: Floats, end: Floats, sigma: float
) -> float:
    """Weighted mean over the part of the frame that the limb can reach."""
    height, width = frame.shape[:2]
    low = np.clip(np.floor(np.minimum(start, end) - REACH * sigma), 0, (width, height)).astype(int)
    high = np.clip(np.ceil(np.maximum(start, end) + REACH * sigma) + 1, 0, (width, height)).astype(int)
    if (high <= low).any():
        return float("nan")
    x = np.arange(low[0], high[0], dtype=np.float32) - start[0]
    y = np.arange(low[1], high[1], dtype=np.float32)[:, None] - start[1]
    along = (end - start).astype(np.float32)
    share = np.clip((x * along[0] + y * along[1]) / max(float(along @ along), 1e-6), 0, 1)
    weight = np.exp(-((x - share * along[0]) ** 2 + (y - share * along[1]) ** 2) / (2 * sigma**2))
    part = slice(low[1], high[1]), slice(low[0], high[0])
    difference = np.abs(frame[part].astype(np.float32) - true_frame[part]).mean(axis=2)
    return float((weight * difference).sum() / weight.sum())
