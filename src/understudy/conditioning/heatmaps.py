"""Part-confidence maps: one Gaussian a joint (Aberman et al. 2018, section 3.1, after Cao et al. 2017).

A 2-D Gaussian is the outer product of two 1-D ones, so drawing a batch on the device costs next to nothing
and no map is ever stored.
"""

from __future__ import annotations

import torch
from torch import Tensor


def gaussian_heatmaps(xy: Tensor, seen: Tensor, size_hw: tuple[int, int], sigma: float) -> Tensor:
    """Draws exp(-|p - joint|^2 / (2 sigma^2)) for every joint.

    Args:
        xy: `(..., J, 2)` float, joint positions in pixels (x right, y down; whole numbers are pixel centres).
        seen: `(..., J)` bool; the map of an unseen joint is all zero.
        size_hw: height and width of the maps in pixels.
        sigma: standard deviation in pixels.

    Returns:
        `(..., J, H, W)` float in [0, 1].
    """
    height, width = size_hw
    across = torch.arange(width, device=xy.device, dtype=xy.dtype)
    down = torch.arange(height, device=xy.device, dtype=xy.dtype)
    horizontal = torch.exp(-((across - xy[..., 0:1]) ** 2) / (2 * sigma**2))  # (..., J, W)
    vertical = torch.exp(-((down - xy[..., 1:2]) ** 2) / (2 * sigma**2)) * seen[..., None]  # (..., J, H)
    return vertical[..., :, None] * horizontal[..., None, :]


def joint_statistics(
    xy: Tensor, seen: Tensor, size_hw: tuple[int, int], sigma: float, frames_at_once: int = 64
) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each joint's maps over all pixels of all frames of the training set.

    Args:
        xy: `(T, J, 2)` pixels.
        seen: `(T, J)` bool.

    Returns:
        Mean and deviation, each `(J,)` float32. A joint that is never seen gets mean 0 and deviation 1.
    """
    joints, pixels = xy.shape[1], xy.shape[0] * size_hw[0] * size_hw[1]
    total = torch.zeros(joints, dtype=torch.float64, device=xy.device)
    squares = torch.zeros(joints, dtype=torch.float64, device=xy.device)
    for first in range(0, len(xy), frames_at_once):
        chunk = slice(first, first + frames_at_once)
        maps = gaussian_heatmaps(xy[chunk], seen[chunk], size_hw, sigma)
        total += maps.sum(dim=(0, 2, 3), dtype=torch.float64)
        squares += maps.square().sum(dim=(0, 2, 3), dtype=torch.float64)
    mean = total / pixels
    deviation = (squares / pixels - mean**2).clamp_min(0).sqrt()
    return mean.float(), torch.where(deviation > 0, deviation, torch.ones_like(deviation)).float()


def normalised_heatmaps(
    xy: Tensor,
    seen: Tensor,
    size_hw: tuple[int, int],
    sigma: float,
    mean: Tensor,
    deviation: Tensor,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """The maps of `gaussian_heatmaps` with each joint's channel at zero mean and unit variance, N poses stacked.

    Drawn in one pass and in the layout and type that the first convolution wants, since at full resolution every
    further pass over 2 x 18 channels costs as much as a layer.

    Args:
        xy: `(B, N, J, 2)` pixels.
        seen: `(B, N, J)` bool.
        mean, deviation: `(J,)` of `joint_statistics`.
        dtype: of the result.

    Returns:
        `(B, N * J, H, W)`, channels last in memory: the condition of Aberman et al. 2018, section 3.2.
    """
    height, width = size_hw
    across = torch.arange(width, device=xy.device, dtype=xy.dtype)
    down = torch.arange(height, device=xy.device, dtype=xy.dtype)
    x, y = xy.flatten(1, 2).unbind(-1)  # (B, N*J)
    stacked = xy.shape[1]
    horizontal = torch.exp(-((across[:, None] - x[:, None, :]) ** 2) / (2 * sigma**2))  # (B, W, N*J)
    vertical = torch.exp(-((down[:, None] - y[:, None, :]) ** 2) / (2 * sigma**2))  # (B, H, N*J)
    vertical = vertical * (seen.flatten(1, 2) / deviation.repeat(stacked))[:, None, :]
    offset = -(mean / deviation).repeat(stacked)
    maps = torch.addcmul(offset.to(dtype), vertical[:, :, None, :].to(dtype), horizontal[:, None, :, :].to(dtype))
    return maps.permute(0, 3, 1, 2)
