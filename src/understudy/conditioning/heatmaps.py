"""Part-confidence maps: one Gaussian a joint (Aberman et al. 2018, section 3.1, after Cao et al. 2017).

A 2-D Gaussian is the outer product of two 1-D ones, so drawing a batch on the device costs next to nothing
and no map is ever stored.
"""

from __future__ import annotations

import torch
from torch import Tensor

FRAMES_AT_ONCE = 256


def joint_statistics(xy: Tensor, seen: Tensor, size_hw: tuple[int, int], sigma: float) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each joint's maps over all pixels of all frames of the training set.

    A map is a product of two 1-D Gaussians, and so are its sum and its sum of squares: no map is drawn. Computed on
    the CPU, since sums this long want float64, which not every device has.

    Args:
        xy: `(T, J, 2)` pixels (x right, y down; whole numbers are pixel centres).
        seen: `(T, J)` bool; the map of an unseen joint is all zero.
        size_hw: height and width of the maps in pixels.
        sigma: standard deviation of the Gaussians in pixels.

    Returns:
        Mean and deviation, each `(J,)` float32 on the device of `xy`. A joint that is never seen gets mean 0 and
        deviation 1.
    """
    height, width = size_hw
    device, joints, pixels = xy.device, xy.shape[1], len(xy) * height * width
    across, down = torch.arange(width, dtype=torch.float64), torch.arange(height, dtype=torch.float64)
    total, squares = torch.zeros(joints, dtype=torch.float64), torch.zeros(joints, dtype=torch.float64)
    xy, seen = xy.cpu(), seen.cpu()
    for first in range(0, len(xy), FRAMES_AT_ONCE):
        chunk = slice(first, first + FRAMES_AT_ONCE)
        horizontal = torch.exp(-((across - xy[chunk, :, 0:1]) ** 2) / (2 * sigma**2))  # (T, J, W)
        vertical = torch.exp(-((down - xy[chunk, :, 1:2]) ** 2) / (2 * sigma**2)) * seen[chunk, :, None]  # (T, J, H)
        total += (horizontal.sum(-1) * vertical.sum(-1)).sum(0)
        squares += (horizontal.square().sum(-1) * vertical.square().sum(-1)).sum(0)
    mean = total / pixels
    deviation = (squares / pixels - mean**2).clamp_min(0).sqrt()
    deviation = torch.where(deviation > 0, deviation, torch.ones_like(deviation))
    return mean.float().to(device), deviation.float().to(device)


def normalised_heatmaps(
    xy: Tensor,
    seen: Tensor,
    size_hw: tuple[int, int],
    sigma: float,
    mean: Tensor,
    deviation: Tensor,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Maps exp(-|p - joint|^2 / (2 sigma^2)), each joint's at zero mean and unit variance, N poses stacked.

    Drawn in one pass and in the layout and type that the first convolution wants, since at full resolution every
    further pass over 2 x 18 channels costs as much as a layer.

    Args:
        xy: `(B, N, J, 2)` joint positions in pixels (x right, y down; whole numbers are pixel centres).
        seen: `(B, N, J)` bool; an unseen joint draws nothing.
        size_hw: height and width of the maps in pixels.
        sigma: standard deviation of the Gaussians in pixels.
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
