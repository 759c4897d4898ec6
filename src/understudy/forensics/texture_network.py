"""What tells a clone from a person who was filmed, when few people have been seen: how they differ from their room.

A network that is trained on the pixels of a dozen people learns these people, and one that knows how sharp and how
grainy a person is learns the few cameras. So nothing is learnt of pixels here. The first layers of an ImageNet network,
which know the edges and the grain of whatever is filmed, are asked how their answers spread over the person and how
they change to the next frame; the same is asked of the room around, which the same lens, sensor and codec have seen;
and one linear layer weighs by how much the two differ. Its training is convex, takes a second, and always ends at one
place.

For each channel c of F (`networks/efficientnet_lite.py`, at several depths), with means over one zone:

    s_c = sqrt mean (F_c - mean F_c)^2      how much texture there is
    t_c = mean |F_c - F'_c|                 how much of it is another in the next frame
    q_c = sqrt mean (F_c - F'_c)^2
    the three numbers of c: log s_c, log t_c / s_c, log q_c / t_c, of the person minus of the room

Where the mean of F_c lies is left out: that is the colour of clothes and walls.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from understudy.forensics.looking import PERSON, ROOM
from understudy.networks.efficientnet_lite import LiteFeatures

DEPTHS = (2, 4, 8)
"""of the features: deeper ones know things and people, which a dozen people are too few to learn from"""
COUNT = 3 * (32 + 24 + 40)
"""numbers that are taken of a pair: three of each channel at these depths"""
FLOOR = 1e-3
"""of spreads and changes, of answers of about 1: a still picture changes by nothing, which has no logarithm"""
FURTHEST = 6.0
"""standard deviations: no single number says more than this"""
WITHIN = 0.5
"""share of a cell of the features that has to lie in a zone, so that it counts"""
NOTHING = 1e-7
"""weight of the other cells, so that a zone that is nowhere has a mean"""


@dataclass(frozen=True)
class TextureConfig:
    """What it looks at."""

    size: int = 192
    """pixels: side of the squares it sees"""

    def __post_init__(self) -> None:
        if not 32 <= self.size <= 1024:
            raise ValueError(f"size must be 32 to 1024 pixels, not {self.size}")


class TextureStatistics(nn.Module):
    """Pairs of frames -> by how much the person's textures differ from the room's. Nothing in it is learnt here."""

    def __init__(self) -> None:
        super().__init__()
        self.features = LiteFeatures("lite0", DEPTHS)

    def forward(self, pair: Tensor, zones: Tensor) -> Tensor:
        """pair `(B, 6, S, S)` in [-1, 1], zones `(B, S, S)` of `looking` -> `(B, COUNT)`."""
        with torch.autocast(pair.device.type, enabled=False):  # half precision has more grain than some films
            pair = pair.float()
            person, room = ((zones == zone)[:, None].float() for zone in (PERSON, ROOM))
            found = []
            for before, after in zip(self.features(pair[:, :3]), self.features(pair[:, 3:]), strict=True):
                of_person, of_room = (textures(before, after, _weight(zone, before)) for zone in (person, room))
                found.append(of_person - of_room)
            return torch.cat(found, dim=1)


def _weight(zone: Tensor, features: Tensor) -> Tensor:
    """`(B, 1, S, S)`, 1 inside -> `(B, 1, h, w)` of sum 1."""
    share = F.adaptive_avg_pool2d(zone, (features.shape[2], features.shape[3]))
    weight = torch.where(share > WITHIN, share, torch.zeros_like(share)) + NOTHING
    return weight / weight.sum(dim=(2, 3), keepdim=True)


def textures(before: Tensor, after: Tensor, weight: Tensor) -> Tensor:
    """Features `(B, C, h, w)` of two frames, weights `(B, 1, h, w)` of sum 1 -> `(B, 3 C)`: s, then t, then q."""

    def mean(values: Tensor) -> Tensor:
        return (values * weight).sum(dim=(2, 3))

    change = before - after
    spread = _log(mean((before - mean(before)[..., None, None]) ** 2).sqrt())
    changed, rough = _log(mean(change.abs())), _log(mean(change**2).sqrt())
    return torch.cat((spread, changed - spread, rough - changed), dim=1)


def _log(values: Tensor) -> Tensor:
    return values.clamp(min=FLOOR).log()


class Weighing(nn.Module):
    """Statistics of a pair -> log-odds: standardised, cut off, weighed, summed."""

    def __init__(self) -> None:
        super().__init__()
        self.centre = nn.Parameter(torch.zeros(COUNT), requires_grad=False)
        self.scale = nn.Parameter(torch.ones(COUNT), requires_grad=False)
        self.slope = nn.Parameter(torch.zeros(COUNT), requires_grad=False)
        self.offset = nn.Parameter(torch.zeros(()), requires_grad=False)

    def forward(self, statistics: Tensor) -> Tensor:
        """`(..., COUNT)` -> `(...)` log-odds that it was generated."""
        return self.standardised(statistics).clamp(-FURTHEST, FURTHEST) @ self.slope + self.offset

    def standardised(self, statistics: Tensor) -> Tensor:
        """`(..., COUNT)` in standard deviations from the mean of what was learnt from."""
        return (statistics - self.centre) / self.scale

    def strangeness(self, statistics: Tensor) -> Tensor:
        """`(..., COUNT)` -> `(...)`: root mean square of `standardised`, about 1 for what is like what was learnt."""
        return self.standardised(statistics).square().mean(dim=-1).sqrt()


class TextureDetector(nn.Module):
    """Statistics, weighed."""

    def __init__(self, config: TextureConfig) -> None:
        super().__init__()
        self.statistics = TextureStatistics()
        self.weighing = Weighing()

    def forward(self, pair: Tensor, zones: Tensor) -> Tensor:
        """pair `(B, 6, size, size)` in [-1, 1], zones `(B, size, size)` -> `(B,)` log-odds that it was generated."""
        return self.weighing(self.statistics(pair, zones))  # type: ignore[no-any-return]
