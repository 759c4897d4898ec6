"""The memory of a discriminator (Shrivastava et al. 2017; CycleGAN, Zhu et al. 2017, section 4)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from understudy.conditioning.pictures import as_levels, as_values


class History(nn.Module):
    """The last pictures that a generator made, for its discriminator to be shown again (section 4, after Shrivastava).

    A module whose buffers are the pictures, so that they are saved and restored with the networks. Kept with 8 bits a
    value, as the real pictures are.

    Args:
        capacity: pictures.
        size: pixels: side of a picture.
    """

    def __init__(self, capacity: int, size: int):
        super().__init__()
        self.capacity = capacity
        self.register_buffer("pictures", torch.zeros(capacity, 3, size, size, dtype=torch.uint8))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))
        self.pictures: Tensor
        self.filled: Tensor

    @torch.no_grad()
    def exchange(self, fresh: Tensor, rng: np.random.Generator) -> Tensor:
        """fresh `(B, 3, S, S)` in [-1, 1] -> as many: each itself or, half the time, an old one whose place it takes.

        While there is room, every fresh picture is kept, and shown.
        """
        shown = fresh.detach().clone()
        for i, picture in enumerate(fresh.detach() if self.capacity else ()):
            filled = int(self.filled)
            if filled < self.capacity:
                self.pictures[filled] = as_levels(picture)
                self.filled += 1
            elif rng.random() < 0.5:
                place = int(rng.integers(self.capacity))
                shown[i] = as_values(self.pictures[place]).to(shown.dtype)
                self.pictures[place] = as_levels(picture)
        return shown
