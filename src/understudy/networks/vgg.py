"""The convolution stack of VGG-19 (Simonyan and Zisserman 2014) as a frozen feature extractor.

Written out, because torchvision does not import beside every build of PyTorch and only these layers are needed.
Which weights it gets, and what takes its place without them, is decided in `perceptual.py`.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from understudy.base import weights

# Convolutions of each block; the features are named relu<block>_<convolution>.
BLOCKS = ((64, 64), (128, 128), (256, 256, 256, 256), (512, 512, 512, 512), (512, 512, 512, 512))
RANDOM_SEED = 19


class VGG19Features(nn.Module):
    """phi: frames -> features of the named layers; frozen, differentiable with respect to the frames.

    Args:
        layers: names like "relu1_1"; convolutions behind the last one are not built.
        published: the checked file of ImageNet weights, `weights.at_hand`; None draws them from a fixed seed.

    Raises:
        ValueError: there is no such layer.
    """

    def __init__(self, layers: tuple[str, ...] = ("relu1_1",), published: Path | None = None):
        super().__init__()
        known = [f"relu{b + 1}_{c + 1}" for b, block in enumerate(BLOCKS) for c in range(len(block))]
        if not layers or any(layer not in known for layer in layers):
            raise ValueError(f"VGG-19 has the layers {', '.join(known)}; not {', '.join(layers)}")
        self.layers = layers
        self.names = known[: max(known.index(layer) for layer in layers) + 1]
        self.convolutions = nn.ModuleDict()
        in_channels = 3
        for name in self.names:
            out_channels = BLOCKS[int(name[4]) - 1][int(name[6:]) - 1]
            self.convolutions[name] = nn.Conv2d(in_channels, out_channels, 3, padding=1)
            in_channels = out_channels
        if published is None:
            self._fill_at_random()
        else:
            self._fill_from_imagenet(published)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.mean: Tensor
        self.deviation: Tensor
        self.requires_grad_(False)
        self.eval()

    def forward(self, frames: Tensor) -> list[Tensor]:
        """frames `(B, 3, H, W)` in [-1, 1] -> one `(B, C, h, w)` for each of `layers`, in their order.

        relu1_1 comes as `(B, 256, H/2, W/2)` when H and W are even and it is computed in bfloat16: the same 64
        features, the four pixels of each 2x2 square side by side in the channels (see below).
        """
        x = ((frames + 1) / 2 - self.mean) / self.deviation
        found: dict[str, Tensor] = {}
        for name in self.names:
            convolution = self.convolutions[name]
            assert isinstance(convolution, nn.Conv2d)
            if name == "relu1_1":
                folded = F.relu(_folded_convolution(x, convolution)) if _is_even(x) and _in_bfloat16(x) else None
                if folded is not None and self.names == ["relu1_1"]:
                    found[name] = folded
                    break
                x = F.relu(convolution(x)) if folded is None else F.pixel_shuffle(folded, 2)
            else:
                if name.endswith("_1"):
                    x = F.max_pool2d(x, 2)
                x = F.relu(convolution(x))
            found[name] = x
        return [found[layer] for layer in self.layers]

    def _fill_at_random(self) -> None:
        generator = torch.Generator().manual_seed(RANDOM_SEED)
        for convolution in self.convolutions.values():
            assert isinstance(convolution, nn.Conv2d) and convolution.bias is not None
            fan_in = convolution.in_channels * 9
            drawn = torch.randn(convolution.weight.shape, generator=generator)
            convolution.weight.data = drawn * (2 / fan_in) ** 0.5  # He et al. 2015: keeps the spread through ReLUs
            convolution.bias.data.zero_()

    def _fill_from_imagenet(self, path: Path) -> None:
        state = weights.tensors_in(path)
        position = 0  # index in torchvision's nn.Sequential: convolution, ReLU, ..., pool
        for name in self.names:
            if name.endswith("_1") and name != "relu1_1":
                position += 1
            convolution = self.convolutions[name]
            assert isinstance(convolution, nn.Conv2d) and convolution.bias is not None
            convolution.weight.data = state[f"features.{position}.weight"]
            convolution.bias.data = state[f"features.{position}.bias"]
            position += 2


def _is_even(x: Tensor) -> bool:
    return x.shape[-1] % 2 == 0 and x.shape[-2] % 2 == 0


def _in_bfloat16(x: Tensor) -> bool:
    """Whether a convolution of it is computed so, by itself or by autocast."""
    if torch.is_autocast_enabled(x.device.type):
        return torch.get_autocast_dtype(x.device.type) == torch.bfloat16
    return x.dtype == torch.bfloat16


def _folded_convolution(x: Tensor, convolution: nn.Conv2d) -> Tensor:
    """The 3x3 convolution computed on 2x2 squares of pixels: `(B, 3, H, W)` -> `(B, 4 * 64, H/2, W/2)`, exactly.

    Three input channels at full resolution leave a CPU's matrix units idle: written plainly, this layer and its
    gradient cost more than the rest of a training step. Twelve channels at half the resolution run four to five
    times as fast (measured with bfloat16 and channels-last). Three quarters of the products are with zeros, though, so
    that float32, whose units are never idle, takes nearly twice as long for them (measured with AVX2).
    """
    weight = convolution.weight  # (64, 3, 3, 3)
    folded = weight.new_zeros(64, 2, 2, 3, 2, 2, 3, 3)  # (out, oy, ox, in, iy, ix, ky, kx)
    for oy in range(2):
        for ox in range(2):
            for ky in range(3):
                for kx in range(3):
                    iy, ix = oy + ky - 1, ox + kx - 1
                    folded[:, oy, ox, :, iy % 2, ix % 2, iy // 2 + 1, ix // 2 + 1] = weight[:, :, ky, kx]
    assert convolution.bias is not None
    squares = F.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last)
    # Padding must be black in the folded picture as in the plain one: zero after normalisation, in both.
    return F.conv2d(squares, folded.reshape(256, 12, 3, 3), convolution.bias.repeat_interleave(4), padding=1)
