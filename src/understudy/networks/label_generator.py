"""P2B of "Single-Shot Freestyle Dance Reenactment" (Gafni et al. 2021, section 3.1): a pose to a body in 22 labels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from understudy.networks.pix2pixhd import Residual


class LabelGenerator(nn.Module):
    """pix2pixHD's global generator, of which the picture is a map of labels.

    As printed: convolutions with batch normalisation and ReLU, residual blocks, fractionally strided convolutions with
    instance normalisation and ReLU, one convolution more and a sigmoid. The widths, and the residual blocks with their
    instance normalisation, are pix2pixHD's. In training mode a sample depends on its batch, in evaluation mode not.

    Args:
        in_channels: channels of the condition.
        labels: channels of the map.
        width: channels at full resolution; pix2pixHD uses 64.
        downsamplings: halvings; pix2pixHD uses 4. Height and width must be multiples of `2 ** downsamplings`.
        kernel: side of the first and the last convolution, odd; pix2pixHD uses 7.
        blocks: n_r, residual blocks at the lowest resolution; pix2pixHD uses 9.

    Raises:
        ValueError: width, downsamplings or blocks below 1.
    """

    def __init__(
        self,
        in_channels: int,
        labels: int = 22,
        width: int = 64,
        downsamplings: int = 4,
        blocks: int = 9,
        kernel: int = 7,
    ):
        super().__init__()
        if width < 1 or downsamplings < 1 or blocks < 1:
            raise ValueError(
                f"width, downsamplings and blocks must be at least 1, not {width}, {downsamplings} and {blocks}"
            )
        self.divisor = 2**downsamplings
        widths = [width * 2**level for level in range(downsamplings + 1)]
        first = nn.Conv2d(in_channels, width, kernel, bias=False)
        self.encoder = nn.Sequential(
            nn.Sequential(nn.ReflectionPad2d(kernel // 2), first, nn.BatchNorm2d(width), nn.ReLU()),
            *(_down(widths[level], widths[level + 1]) for level in range(downsamplings)),
        )
        self.residuals = nn.Sequential(*(Residual(widths[-1]) for _ in range(blocks)))
        self.decoder = nn.Sequential(
            *(_up(widths[level + 1], widths[level]) for level in reversed(range(downsamplings)))
        )
        self.output = nn.Sequential(nn.ReflectionPad2d(kernel // 2), nn.Conv2d(width, labels, kernel))

    def logits(self, condition: Tensor, hint: Tensor | None = None) -> Tensor:
        """condition `(B, in_channels, H, W)` -> `(B, labels, H, W)`, of which `forward` is the sigmoid.

        Args:
            hint: logits `(B, labels, H, W)` that are believed already, to which the network adds its own; not the
                paper's.

        Raises:
            ValueError: H or W is not a multiple of `2 ** downsamplings`, or below twice that.
        """
        height, width = condition.shape[-2:]
        if height % self.divisor or width % self.divisor or min(height, width) < 2 * self.divisor:
            raise ValueError(
                f"{height}x{width} cannot be halved that often: use multiples of {self.divisor} "
                f"from {2 * self.divisor} up"
            )
        own: Tensor = self.output(self.decoder(self.residuals(self.encoder(condition))))
        return own if hint is None else own.float() + hint

    def forward(self, condition: Tensor, hint: Tensor | None = None) -> Tensor:
        """P^M = P2B(p^M*, P^S, P^D), eq. 3: `(B, in_channels, H, W)` -> `(B, labels, H, W)` in (0, 1).

        Each label by itself: the 22 of a pixel do not sum to 1.

        Raises:
            ValueError: see `logits`.
        """
        return torch.sigmoid(self.logits(condition, hint).float())


def _down(in_channels: int, out_channels: int) -> nn.Sequential:
    convolution = nn.Conv2d(in_channels, out_channels, 3, 2, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out_channels), nn.ReLU())


def _up(in_channels: int, out_channels: int) -> nn.Sequential:
    convolution = nn.ConvTranspose2d(in_channels, out_channels, 3, 2, 1, output_padding=1, bias=False)
    return nn.Sequential(convolution, nn.InstanceNorm2d(out_channels, affine=True), nn.ReLU())
