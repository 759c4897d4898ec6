"""The U-Net generator of pix2pix (Isola et al. 2017, appendix 6.1.1), for any size its depth divides."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class UNet(nn.Module):
    """Encoder and decoder joined by skip connections at every scale; the last activation is tanh.

    With `depth` 8 and a 256x256 input the code in the middle is 1x1, as in pix2pix. Deeper levels keep `8 * width`
    channels. Normalisation is by instance: pix2pix normalises by the statistics of whatever it is given at test time
    too, and so each frame depends on its own poses alone, in training as in performing. (Batch statistics of training,
    used when performing, gave the pictures a cast.) Dropout of 0.5 sits in the three innermost decoder levels, as in
    pix2pix; it is off in evaluation mode, so that a frame depends on its pose alone.

    Args:
        in_channels: channels of the condition.
        out_channels: channels of the picture(s).
        width: channels of the first level; pix2pix uses 64.
        depth: number of halvings; height and width must be multiples of `2 ** depth`.
        dropout: probability in the three innermost decoder levels (never in the outermost).
    """

    def __init__(self, in_channels: int, out_channels: int, width: int = 64, depth: int = 8, dropout: float = 0.5):
        super().__init__()
        if depth < 2:
            raise ValueError(f"a U-Net needs a depth of at least 2, not {depth}")
        self.depth = depth
        channels = [in_channels] + [width * min(2**level, 8) for level in range(depth)]
        self.down = nn.ModuleList(
            _down(channels[level], channels[level + 1], first=level == 0, last=level == depth - 1)
            for level in range(depth)
        )
        self.up = nn.ModuleList()
        for level in reversed(range(depth)):
            joined = channels[level + 1] if level == depth - 1 else 2 * channels[level + 1]
            if level == 0:
                self.up.append(nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(joined, out_channels, 4, 2, 1), nn.Tanh()))
            else:
                rate = dropout if level >= depth - 4 and level < depth - 1 else 0.0
                self.up.append(_up(joined, channels[level], rate))

    def forward(self, condition: Tensor) -> Tensor:
        """condition `(B, in_channels, H, W)` -> pictures `(B, out_channels, H, W)` in [-1, 1].

        Raises:
            ValueError: H or W is not a multiple of `2 ** depth`.
        """
        _, _, height, width = condition.shape
        if height % 2**self.depth or width % 2**self.depth:
            raise ValueError(f"{height}x{width} cannot be halved {self.depth} times: use multiples of {2**self.depth}")
        skips: list[Tensor] = []
        x: Tensor = condition
        for down in self.down:
            x = down(x)
            skips.append(x)
        x = self.up[0](skips.pop())
        for up in self.up[1:]:
            x = up(torch.cat([x, skips.pop()], dim=1))
        return x


def _down(in_channels: int, out_channels: int, first: bool, last: bool) -> nn.Sequential:
    layers: list[nn.Module] = [] if first else [nn.LeakyReLU(0.2)]
    # A 1x1 code has no spread to normalise by, so the innermost level goes without, as the outermost does.
    normalised = not first and not last
    layers.append(nn.Conv2d(in_channels, out_channels, 4, 2, 1, bias=not normalised))
    if normalised:
        layers.append(nn.InstanceNorm2d(out_channels, affine=True))
    return nn.Sequential(*layers)


def _up(in_channels: int, out_channels: int, dropout: float) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.ReLU(),
        nn.ConvTranspose2d(in_channels, out_channels, 4, 2, 1, bias=False),
        nn.InstanceNorm2d(out_channels, affine=True),
    ]
    if dropout:
        layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers)


def initialise(module: nn.Module, deviation: float) -> None:
    """Draws convolution weights from N(0, deviation) and normalisation scales from N(1, deviation); biases are 0."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(part.weight, 0.0, deviation)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.BatchNorm2d | nn.InstanceNorm2d) and part.affine:
            nn.init.normal_(part.weight, 1.0, deviation)
            nn.init.zeros_(part.bias)
