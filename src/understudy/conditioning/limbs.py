"""How near each pixel is to the limbs of a pose."""

from __future__ import annotations

import torch
from torch import Tensor


def limb_falloff(xy: Tensor, seen: Tensor, limbs: Tensor, size_hw: tuple[int, int], sigma: float) -> Tensor:
    """alpha(y): 1 on the limbs of pose y, falling off as a Gaussian of the distance to the nearest one (eq. 4).

    Args:
        xy: `(B, J, 2)` joints in pixels; whole numbers are pixel centres.
        seen: `(B, J)` bool; a limb with an unseen end counts for nothing.
        limbs: `(L, 2)` int64, joints that each limb connects.
        size_hw: height and width of the map in pixels.
        sigma: standard deviation in pixels.

    Returns:
        `(B, 1, H, W)` in [0, 1].
    """
    height, width = size_hw
    start, end = xy[:, limbs[:, 0]], xy[:, limbs[:, 1]]  # (B, L, 2)
    both_seen = seen[:, limbs[:, 0]] & seen[:, limbs[:, 1]]
    along = end - start
    squared_length = along.square().sum(-1).clamp_min(1e-6)
    px = torch.arange(width, device=xy.device, dtype=xy.dtype) - start[..., 0, None]  # (B, L, W)
    py = torch.arange(height, device=xy.device, dtype=xy.dtype) - start[..., 1, None]  # (B, L, H)
    dx, dy = along[..., 0, None, None], along[..., 1, None, None]
    # t is the place along the limb nearest to the pixel; a separable sum, so no (B, L, H, W, 2) is ever made.
    t = (px[..., None, :] * dx + py[..., :, None] * dy) / squared_length[..., None, None]
    t = t.clamp(0, 1)
    squared = (px[..., None, :] - t * dx).square() + (py[..., :, None] - t * dy).square()
    squared = squared.masked_fill(~both_seen[..., None, None], torch.inf)
    return torch.exp(-squared.amin(dim=1, keepdim=True) / (2 * sigma**2))
