"""The moving average of a network's weights, which is what is shown and delivered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


class Average:
    """Exponential moving average of a network's weights and buffers, for showing.

    The decay starts low and rises to `decay`, min(decay, (1 + s) / (10 + s)), so that short runs are not
    held back by their first steps.
    """

    def __init__(self, network: nn.Module, decay: float):
        self.decay = decay
        self.values = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        moving, current = [], []
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                moving.append(self.values[name])
                current.append(value.detach())
            else:
                self.values[name].copy_(value)
        torch._foreach_lerp_(moving, current, 1 - decay)

    @contextmanager
    def shown_in(self, network: nn.Module) -> Iterator[nn.Module]:
        """Lends the average to `network`, in evaluation mode, and gives its own weights back afterwards."""
        own = {name: value.detach().clone() for name, value in network.state_dict().items()}
        network.load_state_dict(self.values)
        network.eval()
        try:
            yield network
        finally:
            network.load_state_dict(own)
            network.train()
