"""The networks of pix2pixHD (Wang et al. 2018, arXiv 1711.11585, section 3.2 and appendix), for pictures of any size.

Instance normalisation and ReLU follow every convolution of the generators but the last; 7x7 and residual convolutions
pad by reflection. Nothing here differs between training and evaluation mode.
"""

from __future__ import annotations

from collections import OrderedDict

import torch.nn.functional as F
from torch import Tensor, nn


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


class GlobalGenerator(nn.Module):
    """Condition to picture: c7s1-w, d2w ... d(2^n w), R(2^n w) `blocks` times, u ... uw, c7s1-out, tanh.

    With 2 downsamplings it is the generator of CycleGAN (Zhu et al. 2017, appendix 7.2, after Johnson et al. 2016),
    whose paper uses 6 blocks at 128x128 and 9 at 256x256.

    Args:
        in_channels: channels of the condition.
        out_channels: channels of the picture.
        width: channels at full resolution, w; the paper uses 64.
        downsamplings: halvings, n; the paper uses 4. Height and width must be multiples of `2 ** downsamplings`.
        blocks: residual blocks at the lowest resolution; the paper uses 9.
    """

    def __init__(self, in_channels: int, out_channels: int, width: int = 64, downsamplings: int = 4, blocks: int = 9):
        super().__init__()
        if width < 1 or downsamplings < 1 or blocks < 1:
            raise ValueError(
                f"width, downsamplings and blocks must be at least 1, not {width}, {downsamplings} and {blocks}"
            )
        self.width, self.divisor = width, 2**downsamplings
        widths = [width * 2**level for level in range(downsamplings + 1)]
        self.encoder = nn.Sequential(
            _c7s1(in_channels, width), *(_down(widths[i], widths[i + 1]) for i in range(downsamplings))
        )
        self.residuals = nn.Sequential(*(Residual(widths[-1]) for _ in range(blocks)))
        self.decoder = nn.Sequential(*(_up(widths[i + 1], widths[i]) for i in reversed(range(downsamplings))))
        self.output = _to_picture(width, out_channels)

    def features(self, condition: Tensor) -> Tensor:
        """condition `(B, in_channels, H, W)` -> the last feature map, `(B, width, H, W)`, which an enhancer adds.

        Raises:
            ValueError: H or W is not a multiple of `2 ** downsamplings`, or below twice that.
        """
        _check_size(condition, self.divisor)
        return self.decoder(self.residuals(self.encoder(condition)))  # type: ignore[no-any-return]

    def forward(self, condition: Tensor) -> Tensor:
        """condition `(B, in_channels, H, W)` -> picture `(B, out_channels, H, W)` in [-1, 1].

        Raises:
            ValueError: see `features`.
        """
        return self.output(self.features(condition))  # type: ignore[no-any-return]


def in_a_row(generator: GlobalGenerator) -> nn.Module:
    """The same layers one after another, as `layers.0`, `layers.1` ...: CycleGAN's actors name their weights so."""
    groups = (*generator.encoder, *((one,) for one in generator.residuals), *generator.decoder, generator.output)
    layers = nn.Sequential(*(layer for group in groups for layer in group))
    return nn.Sequential(OrderedDict(layers=layers))


class LocalEnhancer(nn.Module):
    """Doubles a global generator's resolution: c7s1-v, d2v, + its features, R2v `blocks` times, uv, c7s1-out, tanh.

    v is half the global generator's width, so that its last feature map can be added to the enhancer's. The global
    generator is a part of this network, its output layer unused; whether it learns along is the caller's choice.

    Args:
        in_channels: channels of the condition, as the global generator takes.
        out_channels: channels of the picture.
        global_generator: trained at half the size.
        blocks: residual blocks; the paper uses 3.
    """

    def __init__(self, in_channels: int, out_channels: int, global_generator: GlobalGenerator, blocks: int = 3):
        super().__init__()
        if global_generator.width % 2 or blocks < 1:
            raise ValueError(
                f"needs a global generator of even width and at least 1 block: {global_generator.width}, {blocks}"
            )
        width = global_generator.width // 2
        self.global_generator = global_generator
        self.encoder = nn.Sequential(_c7s1(in_channels, width), _down(width, 2 * width))
        self.decoder = nn.Sequential(*(Residual(2 * width) for _ in range(blocks)), _up(2 * width, width))
        self.output = _to_picture(width, out_channels)

    def forward(self, condition: Tensor) -> Tensor:
        """condition `(B, in_channels, H, W)` -> picture `(B, out_channels, H, W)` in [-1, 1].

        Raises:
            ValueError: H or W is not a multiple of twice what the global generator wants.
        """
        _check_size(condition, 2 * self.global_generator.divisor)
        coarse = self.global_generator.features(halved(condition))
        return self.output(self.decoder(self.encoder(condition) + coarse))  # type: ignore[no-any-return]


class MultiScaleDiscriminator(nn.Module):
    """PatchGANs of one shape on the picture and on its halvings: C64-C128-C256-C512-1 with 4x4 kernels each.

    With 3 layers a patch of the first is 70x70 pixels, of the next the same of the halved picture, and so on: the
    coarsest asks whether the whole hangs together, the finest for detail. Instance normalisation everywhere but in the
    first layer and the last; leaky ReLUs with slope 0.2.

    Args:
        in_channels: channels of everything that is judged together, stacked.
        width: channels of the first layer; the paper uses 64.
        scales: discriminators; the paper uses 3.
        layers: convolutions with stride 2 in each; the paper uses 3.
    """

    def __init__(self, in_channels: int, width: int = 64, scales: int = 3, layers: int = 3):
        super().__init__()
        if width < 1 or scales < 1 or layers < 1:
            raise ValueError(f"width, scales and layers must be at least 1, not {width}, {scales} and {layers}")
        self.scales = nn.ModuleList(_patch_layers(in_channels, width, layers) for _ in range(scales))

    def forward(self, stack: Tensor) -> list[list[Tensor]]:
        """stack `(B, in_channels, H, W)` -> for every scale, finest first, the feature map of each layer.

        The last map of each list is the judgement, `(B, 1, h, w)`, one value a patch, without an activation: high is
        real. With 3 layers h = H / 2^scale / 8 + 1 or thereabouts.
        """
        judged: list[list[Tensor]] = []
        for number, layers in enumerate(self.scales):
            assert isinstance(layers, nn.ModuleList)
            if number:
                stack = halved(stack)
            maps = [layers[0](stack)]
            for layer in layers[1:]:
                maps.append(layer(maps[-1]))
            judged.append(maps)
        return judged


def halved(pictures: Tensor) -> Tensor:
    """Half the height and width by averages over 3x3 pixels, of which those outside do not count."""
    return F.avg_pool2d(pictures, 3, stride=2, padding=1, count_include_pad=False)


def _check_size(condition: Tensor, divisor: int) -> None:
    height, width = condition.shape[-2:]
    if height % divisor or width % divisor or min(height, width) < 2 * divisor:
        raise ValueError(
            f"{height}x{width} cannot be halved that often: use multiples of {divisor} from {2 * divisor} up"
        )


def _patch_layers(in_channels: int, width: int, layers: int) -> nn.ModuleList:
    widths = [min(width * 2**level, 8 * width) for level in range(layers + 1)]
    parts = [nn.Sequential(nn.Conv2d(in_channels, width, 4, 2, 2), nn.LeakyReLU(0.2))]
    for level in range(1, layers + 1):
        convolution = nn.Conv2d(widths[level - 1], widths[level], 4, 2 if level < layers else 1, 2, bias=False)
        parts.append(nn.Sequential(convolution, nn.InstanceNorm2d(widths[level], affine=True), nn.LeakyReLU(0.2)))
    parts.append(nn.Sequential(nn.Conv2d(widths[-1], 1, 4, 1, 2)))
    return nn.ModuleList(parts)


def _c7s1(in_channels: int, out_channels: int) -> nn.Sequential:
    convolution = nn.Conv2d(in_channels, out_channels, 7, bias=False)
    return nn.Sequential(nn.ReflectionPad2d(3), convolution, nn.InstanceNorm2d(out_channels, affine=True), nn.ReLU())


def _down(in_channels: int, out_channels: int) -> nn.Sequential:
    convolution = nn.Conv2d(in_channels, out_channels, 3, 2, 1, bias=False)
    return nn.Sequential(convolution, nn.InstanceNorm2d(out_channels, affine=True), nn.ReLU())


def _up(in_channels: int, out_channels: int) -> nn.Sequential:
    convolution = nn.ConvTranspose2d(in_channels, out_channels, 3, 2, 1, output_padding=1, bias=False)
    return nn.Sequential(convolution, nn.InstanceNorm2d(out_channels, affine=True), nn.ReLU())


def _to_picture(width: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(width, out_channels, 7), nn.Tanh())
