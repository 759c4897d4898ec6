"""Aligned faces on the device: cut out of frames and laid back, differentiably (Gafni et al. 2021, section 3.3).

What `tracking.face` does with one picture, for batches that are trained on; `tracking.face.face_matrix` makes the
matrices.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from understudy.conditioning.face_crops import fade


def cut_aligned(frames: Tensor, matrices: Tensor, side: int) -> Tensor:
    """The aligned crops of faces; the frame's last pixels go on beyond its edges.

    Args:
        frames: `(B, C, H, W)`.
        matrices: `(B, 2, 3)`, pixels of the frame to pixels of the crop.
        side: pixels.

    Returns:
        `(B, C, side, side)`, differentiable with respect to the frames.
    """
    back = _inverse(matrices)
    return resampled(frames, back, (side, side), "border")


def lay_back(frames: Tensor, crops: Tensor, weights: Tensor, matrices: Tensor) -> Tensor:
    """`c * m + f * (1 - m)` within the crops, the blend of section 3.3.

    Args:
        frames: f, `(B, C, H, W)`.
        crops: c, `(B, C, side, side)`.
        weights: m, `(B, 1, side, side)` in [0, 1]. They fade out towards the border, which leaves no seam; those of
            a frame without a face are to be 0 (its matrix may then be any, say that of no change).
        matrices: `(B, 2, 3)`, with which the crops were cut.

    Returns:
        `(B, C, H, W)`: `frames` exactly, outside the crops.
    """
    side, size_hw = crops.shape[-1], (frames.shape[-2], frames.shape[-1])
    along = fade((torch.arange(side, device=weights.device, dtype=torch.float32) + 0.5) * (2 / side) - 1).to(
        weights.dtype
    )
    share = resampled(weights * along[:, None] * along, matrices, size_hw, "zeros")
    over = resampled(crops, matrices, size_hw, "border")
    return frames + (over - frames) * share


def _inverse(matrices: Tensor) -> Tensor:
    """The way back of each, `(B, 2, 3)`; in double precision, since large frames leave single precision few digits."""
    precise = matrices.double()
    turn = torch.linalg.inv(precise[:, :, :2])
    return torch.cat([turn, -turn @ precise[:, :, 2:]], dim=2)


def resampled(pictures: Tensor, matrices: Tensor, size_hw: tuple[int, int], beyond: str) -> Tensor:
    """Pictures turned, scaled and shifted, in between pixels bilinear.

    Args:
        pictures: `(B, C, H, W)`.
        matrices: `(B, 2, 3)`, pixels of the outcome to pixels of the pictures.
        size_hw: of the outcome.
        beyond: what lies beyond the pictures, "border" (their last pixels go on) or "zeros".

    Returns:
        `(B, C, *size_hw)`, differentiable with respect to the pictures.
    """
    height, width = pictures.shape[-2:]
    precise = matrices.double()
    y, x = (torch.arange(length, device=pictures.device, dtype=torch.float64) for length in size_hw)
    across = precise[:, :, :1, None] * x[None, None, None] + precise[:, :, 1:2, None] * y[None, None, :, None]
    xy = across + precise[:, :, 2, None, None]
    shares = (xy + 0.5) * 2 / torch.tensor([width, height], device=pictures.device).view(1, 2, 1, 1) - 1
    grid = shares.permute(0, 2, 3, 1).float()
    found = F.grid_sample(pictures.float(), grid, mode="bilinear", padding_mode=beyond, align_corners=False)
    return found.to(pictures.dtype)
