"""Between pictures as files hold them, RGB uint8, and as networks see them, float in [-1, 1]. The one place for it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


def as_values(levels: Tensor) -> Tensor:
    """uint8 of any shape -> float32 in [-1, 1]."""
    return levels.float() / 127.5 - 1


def as_levels(values: Tensor) -> Tensor:
    """[-1, 1], of any shape and type -> uint8; values outside are clipped."""
    return ((values.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def pixels(frames: Tensor) -> Iterator[npt.NDArray[np.uint8]]:
    """`(B, C, H, W)` in [-1, 1] -> B times `(H, W, C)` uint8, in main memory."""
    yield from as_levels(frames).permute(0, 2, 3, 1).contiguous().cpu().numpy()
