"""SPADE (Park, Liu, Wang, Zhu 2019, arXiv 1903.07291, section 3): normalisation that a map of labels undoes again.

Plain normalisation washes out what a large area of one label says; here scale and shift of every pixel come from the
map. Of the paper's networks only the block is here: `frame_generator.py` is built of them.
"""

from __future__ import annotations

from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)

SLOPE = 0.2
"""of the leaky ReLUs"""


class SPADE(nn.Module):
    """gamma(map) * (x - mu) / sigma + beta(map): Park et al., eqs. 1 to 3, with gamma as 1 + what is learnt.

    mu and sigma are the batch's while training, their running averages afterwards.

    Args:
        channels: of x.
        hidden: channels of what was read from the map.
    """

    def __init__(self, channels: int, hidden: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.modulation = nn.Conv2d(hidden, 2 * channels, 3, padding=1)

    def forward(self, x: Tensor, read: Tensor) -> Tensor:
        """x `(B, channels, h, w)`, read `(B, hidden, h, w)` -> the shape of x."""
        gamma, beta = self.modulation(read).chunk(2, dim=1)
        return self.norm(x) * (1 + gamma) + beta  # type: ignore[no-any-return]


class SettledSPADE(nn.Module):
    """A SPADE that learns no more. mu and sigma are numbers then, and part of its convolution: a product and a sum.

    Args:
        learnt: what it does the same as, in evaluation mode.
    """

    def __init__(self, learnt: SPADE):
        super().__init__()
        self.modulation = learnt.modulation
        norm, (weight, bias) = learnt.norm, learnt.modulation.parameters()
        assert norm.running_mean is not None and norm.running_var is not None
        with torch.no_grad():
            scale = torch.rsqrt(norm.running_var + norm.eps)
            gamma, beta = slice(norm.num_features), slice(norm.num_features, None)
            weight[gamma] *= scale[:, None, None, None]
            bias[gamma] = scale * (1 + bias[gamma])
            weight[beta] -= norm.running_mean[:, None, None, None] * weight[gamma]
            bias[beta] -= norm.running_mean * bias[gamma]

    def forward(self, x: Tensor, read: Tensor) -> Tensor:
        """As `SPADE.forward`."""
        gamma, beta = self.modulation(read).chunk(2, dim=1)
        return torch.addcmul(beta, gamma, x.to(gamma.dtype))


def settled(network: Network) -> Network:
    """The network, changed: every `SPADE` in it is settled. It cannot be trained any more."""
    for name, child in network.named_children():
        if isinstance(child, SPADE):
            setattr(network, name, SettledSPADE(child))
        else:
            settled(child)
    return network


class SPADEBlock(nn.Module):
    """x plus two convolutions, each behind SPADE and a leaky ReLU (Park et al., Figure 4a).

    Where the channels change, what x is added through is SPADE and a 1x1 convolution.

    Args:
        in_channels, out_channels: of x, before and after.
        seen: channels of the map.
        hidden: channels of what each SPADE reads from it; Park et al. use 128.
        shared: the map is read once for the whole block, and x added through the 1x1 convolution alone. Not Park's:
            at high resolutions reading the map costs as much as all else.
    """

    def __init__(self, in_channels: int, out_channels: int, seen: int, hidden: int = 128, shared: bool = False):
        super().__init__()
        inside = min(in_channels, out_channels)
        changes = in_channels != out_channels
        self.reading = nn.ModuleList(
            nn.Sequential(nn.Conv2d(seen, hidden, 3, padding=1), nn.ReLU()) for _ in range(1 if shared else 2 + changes)
        )
        self.norms = nn.ModuleList([SPADE(in_channels, hidden), SPADE(inside, hidden)])
        self.convolutions = nn.ModuleList(
            [nn.Conv2d(in_channels, inside, 3, padding=1), nn.Conv2d(inside, out_channels, 3, padding=1)]
        )
        self.beside = nn.Conv2d(in_channels, out_channels, 1, bias=False) if changes else None
        self.norm_beside = SPADE(in_channels, hidden) if changes and not shared else None

    def forward(self, x: Tensor, conditioning: Tensor) -> Tensor:
        """x `(B, in_channels, h, w)`, conditioning `(B, seen, h, w)` -> `(B, out_channels, h, w)`."""
        read = [reading(conditioning) for reading in self.reading]
        made = x
        for place, (norm, convolution) in enumerate(zip(self.norms, self.convolutions, strict=True)):
            made = convolution(F.leaky_relu(norm(made, read[min(place, len(read) - 1)]), SLOPE))
        if self.norm_beside is not None:
            x = self.norm_beside(x, read[-1])
        return made + (x if self.beside is None else self.beside(x))
