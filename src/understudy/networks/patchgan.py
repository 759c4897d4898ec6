"""The 70x70 PatchGAN discriminator of pix2pix, for stacks of frames (and poses) in the channel dimension."""

from __future__ import annotations

from torch import Tensor, nn


class PatchGAN(nn.Module):
    """Judges every 70x70 patch of a space-time stack: C64-C128-C256-C512-1 with 4x4 kernels (Isola et al. 2017).

    Args:
        in_channels: `N * (3 + J)` with poses, `3 * N` without (Aberman et al. 2018, section 3.2).
        width: channels of the first layer; pix2pix uses 64.
    """

    def __init__(self, in_channels: int, width: int = 64):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, width, 4, 2, 1),
            nn.LeakyReLU(0.2),
            *_block(width, 2 * width, stride=2),
            *_block(2 * width, 4 * width, stride=2),
            *_block(4 * width, 8 * width, stride=1),
            nn.Conv2d(8 * width, 1, 4, 1, 1),
        )

    def forward(self, stack: Tensor) -> Tensor:
        """stack `(B, in_channels, H, W)` -> logits `(B, 1, H/8 - 2, W/8 - 2)`, one per 70x70 patch; high = real."""
        return self.layers(stack)  # type: ignore[no-any-return]


def _block(in_channels: int, out_channels: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(in_channels, out_channels, 4, stride, 1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.LeakyReLU(0.2),
    ]
