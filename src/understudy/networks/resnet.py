"""The residual generator of CycleGAN (Zhu et al. 2017, appendix 7.2, after Johnson et al. 2016)."""

from __future__ import annotations

from torch import Tensor, nn


class ResNetGenerator(nn.Module):
    """Picture to picture: c7s1-64, d128, d256, R256 (`blocks` times), u128, u64, c7s1-3; the last activation is tanh.

    Instance normalisation and ReLU follow every convolution but the last; 7x7 and residual convolutions pad by
    reflection, which leaves no dark rim. Nothing here differs between training and evaluation mode.

    Args:
        in_channels: channels of the picture that goes in.
        out_channels: channels of the picture that comes out.
        width: channels at full resolution; the paper uses 64.
        blocks: residual blocks at a quarter of the resolution; the paper uses 6 at 128x128 and 9 at 256x256.
    """

    def __init__(self, in_channels: int = 3, out_channels: int = 3, width: int = 64, blocks: int = 9):
        super().__init__()
        if blocks < 1:
            raise ValueError(f"blocks must be at least 1, not {blocks}")
        self.layers = nn.Sequential(
            *_c7s1(in_channels, width),
            *_down(width, 2 * width),
            *_down(2 * width, 4 * width),
            *(Residual(4 * width) for _ in range(blocks)),
            *_up(4 * width, 2 * width),
            *_up(2 * width, width),
            nn.ReflectionPad2d(3),
            nn.Conv2d(width, out_channels, 7),
            nn.Tanh(),
        )

    def forward(self, picture: Tensor) -> Tensor:
        """picture `(B, in_channels, H, W)` -> `(B, out_channels, H, W)` in [-1, 1].

        Raises:
            ValueError: H or W is not a multiple of 4, or below 8.
        """
        _, _, height, width = picture.shape
        if height % 4 or width % 4 or min(height, width) < 8:
            raise ValueError(f"{height}x{width} cannot be halved twice: use multiples of 4 from 8 up")
        return self.layers(picture)  # type: ignore[no-any-return]


class Residual(nn.Module):
    """Rk: the input plus what two 3x3 convolutions make of it."""

    def __init__(self, channels: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=False),
            nn.InstanceNorm2d(channels, affine=True),
            nn.ReLU(),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=False),
            nn.InstanceNorm2d(channels, affine=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        """x `(B, channels, h, w)` -> the same shape."""
        return x + self.layers(x)  # type: ignore[no-any-return]


def _c7s1(in_channels: int, out_channels: int) -> list[nn.Module]:
    convolution = nn.Conv2d(in_channels, out_channels, 7, bias=False)
    return [nn.ReflectionPad2d(3), convolution, nn.InstanceNorm2d(out_channels, affine=True), nn.ReLU()]


def _down(in_channels: int, out_channels: int) -> list[nn.Module]:
    convolution = nn.Conv2d(in_channels, out_channels, 3, 2, 1, bias=False)
    return [convolution, nn.InstanceNorm2d(out_channels, affine=True), nn.ReLU()]


def _up(in_channels: int, out_channels: int) -> list[nn.Module]:
    convolution = nn.ConvTranspose2d(in_channels, out_channels, 3, 2, 1, output_padding=1, bias=False)
    return [convolution, nn.InstanceNorm2d(out_channels, affine=True), nn.ReLU()]
