"""A small U-Net that looks at several warped pictures of one person and says what to make of them.

It never paints a whole picture: what it says is how to choose, where to look, and where to paint over. Since that is
smooth, it is said at half of the network's side, and can be enlarged to pictures of any size.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PICTURE = 4
"""channels of a picture: premultiplied red, green, blue, and alpha"""
NEVER = -4.0
"""the logit of painting over that a new network begins with: next to nothing"""
FLOW_UNIT = 0.5
"""pixels of what the network sees: what it calls a flow of 1, as those learnt it that the product comes with"""
STILL = 1.0
"""in these units: flow up to this is none where pictures are played, from twice as much on it is whole"""
HINT = 0.1
"""painting over by less than this is none where pictures are played, and by more than 1 minus this is all"""


class Refinement(NamedTuple):
    """What the network says of a moment, at half of its side."""

    choice: Tensor
    """(B, K, h, w): added to the logits of the choice between K pictures"""
    flow: Tensor
    """(B, K, 2, h, w): x, y in `FLOW_UNIT`, by how much farther each picture is looked up"""
    paint: Tensor
    """(B, 4, h, w): added to the colours and alpha chosen there, in [-1, 1], where it is painted over"""
    mask: Tensor
    """(B, 1, h, w): how much is painted over, in (0, 1)"""


class Refiner(nn.Module):
    """K warped pictures, what is known of them, and the pose, to a `Refinement`.

    Begins as one that changes next to nothing: its last layer is 0.

    Args:
        sources: K.
        parts: P channels of the pose.
        widths: channels at each depth; the first is half of the pictures' side.
        most_flow: in `FLOW_UNIT`.
    """

    def __init__(self, sources: int, parts: int, widths: tuple[int, ...], most_flow: float) -> None:
        super().__init__()
        self.sources, self.most_flow = sources, most_flow
        seen = (sources + 1) * PICTURE * 4 + 2 * sources + parts
        self.first = _Twice(seen, widths[0])
        self.down = nn.ModuleList(_Twice(a, b, stride=2) for a, b in itertools.pairwise(widths))
        upwards = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.up = nn.ModuleList(_Twice(a + b, b) for a, b in upwards)
        self.last = nn.Conv2d(widths[0], 3 * sources + PICTURE + 1, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        assert self.last.bias is not None
        with torch.no_grad():
            self.last.bias.zero_()
            self.last.bias[-1] = NEVER

    def forward(self, pictures: Tensor, filmed: Tensor, logits: Tensor, pose: Tensor) -> Refinement:
        """What to make of B moments.

        Args:
            pictures: (B, K, 4, 2h, 2w) premultiplied, in [0, 1].
            filmed: (B, K, h, w) in [0, 1]: 0 where a picture was made up from around.
            logits: (B, K, h, w) of the choice without the network, 0 for the best.
            pose: (B, P, h, w) in [0, 1].
        """
        fine = F.pixel_unshuffle(torch.cat([pictures.flatten(1, 2), chosen_of(pictures, logits)], dim=1), 2)
        x = self.first(torch.cat([fine, filmed, logits.clamp(min=-10) / 5, pose], dim=1))
        passed = []
        for down in self.down:
            passed.append(x)
            x = down(x)
        for up in self.up:
            beside = passed.pop()
            x = F.interpolate(x, size=beside.shape[2:], mode="nearest")
            x = up(torch.cat([x, beside], dim=1))
        choice, flow, paint, mask = self.last(x).float().split([self.sources, 2 * self.sources, PICTURE, 1], dim=1)
        flow = self.most_flow * torch.tanh(flow / self.most_flow)
        return Refinement(
            4 * choice,
            flow.reshape(len(flow), self.sources, 2, *flow.shape[2:]),
            torch.tanh(paint),
            torch.sigmoid(mask),
        )


class _Twice(nn.Module):
    """Two convolutions. No normalisation, since the network works on crops of any part and on whole pictures."""

    def __init__(self, seen: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.one = nn.Conv2d(seen, width, 3, stride, padding=1)
        self.two = nn.Conv2d(width, width, 3, padding=1)
        for layer in (self.one, self.two):
            nn.init.kaiming_normal_(layer.weight, a=0.2)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.one(x), 0.2)
        made: Tensor = F.leaky_relu(self.two(x), 0.2)
        return made


def looked_up(pictures: Tensor, flow: Tensor) -> Tensor:
    """Pictures (N, C, H, W), looked up `flow` (N, 2, H, W) pixels x, y away from each place; beyond the edge is 0."""
    height, width = pictures.shape[2:]
    y = torch.arange(height, device=flow.device, dtype=flow.dtype)[:, None]
    x = torch.arange(width, device=flow.device, dtype=flow.dtype)[None]
    places = torch.stack([(2 * (x + flow[:, 0]) + 1) / width - 1, (2 * (y + flow[:, 1]) + 1) / height - 1], dim=-1)
    return F.grid_sample(pictures, places.to(pictures.dtype), mode="bicubic", align_corners=False)


def enlarged(coarse: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """(B, ..., h, w) at another size, bilinear."""
    flat = coarse.flatten(1, -3) if coarse.ndim > 4 else coarse
    grown = F.interpolate(flat, size=size_hw, mode="bilinear", align_corners=False)
    return grown.reshape(*coarse.shape[:-2], *size_hw)


def chosen_of(pictures: Tensor, logits: Tensor) -> Tensor:
    """(B, C, H, W): of pictures (B, K, C, H, W) what a choice by logits (B, K, h, w) makes."""
    share = enlarged(F.softmax(logits, dim=1), (pictures.shape[-2], pictures.shape[-1]))
    return (share[:, :, None] * pictures).sum(dim=1)


def decided(refinement: Refinement) -> Refinement:
    """As it is played: a little flow or paint is none, and much paint is all.

    What is looked up between pixels loses its sharpness, so that a hint costs more than it gives; while training, hints
    are how it learns.
    """
    flow, mask = refinement.flow, refinement.mask
    return refinement._replace(
        # many times as quick as the norm over an axis of two
        flow=flow * ((torch.hypot(flow[:, :, :1], flow[:, :, 1:]) - STILL) / STILL).clamp(0, 1),
        mask=((mask - HINT) / (1 - 2 * HINT)).clamp(0, 1),
    )


def unchanged(logits: Tensor) -> Refinement:
    """That of a network which changes nothing, for a choice by logits (B, K, h, w)."""
    batch, _, height, width = logits.shape
    return Refinement(
        torch.zeros_like(logits),
        logits.new_zeros(*logits.shape[:2], 2, height, width),
        logits.new_zeros(batch, PICTURE, height, width),
        logits.new_zeros(batch, 1, height, width),
    )


def applied(pictures: Tensor, logits: Tensor, refinement: Refinement, *, played: bool = False) -> Tensor:
    """The picture that a refinement makes of warped pictures, which may be larger than those that the network saw.

    Of a part of the pictures it makes what that part of the whole would be, but for what lies beyond.

    Args:
        pictures: (B, K, 4, H, W) premultiplied, in [0, 1].
        logits: (B, K, h, w) of the choice without the network.
        played: whether it is first `decided`.

    Returns:
        (B, 4, H, W) premultiplied, in [0, 1].
    """
    size_hw = (pictures.shape[-2], pictures.shape[-1])
    refinement = decided(refinement) if played else refinement
    flow, mask = refinement.flow, refinement.mask
    moved = pictures
    if not played or flow.any():
        seen = 2 * flow.shape[-1]
        grown = enlarged(flow, size_hw).flatten(0, 1) * (FLOW_UNIT * size_hw[1] / seen)
        # By cubics even while training: with bilinear looks it learns to look between pixels, because a blur is safe
        moved = looked_up(pictures.flatten(0, 1), grown).reshape(pictures.shape)
    chosen = chosen_of(moved, logits + refinement.choice)
    coarse = F.adaptive_avg_pool2d(chosen, (refinement.paint.shape[-2], refinement.paint.shape[-1]))
    painted = enlarged((coarse + refinement.paint).clamp(0, 1), size_hw)
    shown = chosen + enlarged(mask, size_hw) * (painted - chosen)
    alpha = shown[:, 3:].clamp(0, 1)
    return torch.cat([shown[:, :3].clamp(min=0).minimum(alpha), alpha], dim=1)
