"""The ResNet-50 of VGGFace2 (Cao et al. 2018), with squeeze and excitation or without, for weights that a user brings.

The published weights were trained in Caffe: its bottlenecks halve the picture in their first convolution (later ResNets
in the second), and its pooling rounds up. Names are those of the PyTorch port of these weights.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from understudy.errors import TrainingError

BLOCKS = (3, 4, 6, 3)
WIDTHS = (64, 128, 256, 512)
EXPANSION = 4
SQUEEZE = 16
MEAN_BGR = (91.4953, 103.8827, 131.0912)
"""of the pictures that it was trained on, values 0-255, blue first"""


class FaceResNet(nn.Module):
    """A frozen ResNet-50 or SE-ResNet-50 out of a file; `networks.face_embedding.FaceNetwork` says what it is for.

    Args:
        path: .safetensors with the port's names; the layer that names people, `fc`, is not needed.

    Raises:
        TrainingError: damaged, or of another network.
    """

    differentiable = True

    def __init__(self, path: Path) -> None:
        super().__init__()
        state = _state(path)
        squeezed = "layer1.0.conv4.weight" in state
        self.describes = f"the VGGFace2 network {path.name}, which was trained to tell people apart"
        self.embedding = WIDTHS[-1] * EXPANSION
        self.conv1 = nn.Conv2d(3, WIDTHS[0], 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        channels = WIDTHS[0]
        for number, (count, width) in enumerate(zip(BLOCKS, WIDTHS, strict=True), start=1):
            layer = nn.Sequential()
            for block in range(count):
                stride = 2 if block == 0 and number > 1 else 1
                layer.append(Bottleneck(channels, width, stride, squeezed))
                channels = width * EXPANSION
            self.add_module(f"layer{number}", layer)
        self.register_buffer("mean", torch.tensor(MEAN_BGR).view(1, 3, 1, 1), persistent=False)
        self.mean: Tensor
        try:
            self.load_state_dict(state)
        except RuntimeError as error:
            wrong = " ".join(str(error).split())[:200]
            raise TrainingError(f"{path} does not hold a ResNet-50 of VGGFace2: {wrong}") from None
        self.requires_grad_(False)
        self.eval()

    def forward(self, faces: Tensor) -> list[Tensor]:
        """faces `(B, 3, 224, 224)` RGB in [-1, 1] -> maps of 112, 56, 28 and 7 pixels, and `(B, 2048)`."""
        x = (faces.flip(1) + 1) * 127.5 - self.mean
        first = F.relu(self.bn1(self.conv1(x)))
        x = F.max_pool2d(first, 3, 2, ceil_mode=True)
        found = []
        for number in range(1, len(BLOCKS) + 1):
            x = self.get_submodule(f"layer{number}")(x)
            found.append(x)
        return [first, found[0], found[1], found[3], x.mean(dim=(2, 3))]


class Bottleneck(nn.Module):
    """Narrow, look around, widen (He et al. 2016); with `squeezed`, each channel is weighed (Hu et al. 2018)."""

    def __init__(self, channels: int, width: int, stride: int, squeezed: bool) -> None:
        super().__init__()
        wide = width * EXPANSION
        self.conv1 = nn.Conv2d(channels, width, 1, stride=stride, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, wide, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(wide)
        self.conv4 = nn.Conv2d(wide, wide // SQUEEZE, 1) if squeezed else None
        self.conv5 = nn.Conv2d(wide // SQUEEZE, wide, 1) if squeezed else None
        self.downsample = (
            nn.Sequential(nn.Conv2d(channels, wide, 1, stride=stride, bias=False), nn.BatchNorm2d(wide))
            if stride > 1 or channels != wide
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, 4 * width, H / stride, W / stride)`, rounded up."""
        made = F.relu(self.bn1(self.conv1(x)))
        made = F.relu(self.bn2(self.conv2(made)))
        made = self.bn3(self.conv3(made))
        if self.conv4 is not None and self.conv5 is not None:
            weight = F.relu(self.conv4(made.mean(dim=(2, 3), keepdim=True)))
            made = made * torch.sigmoid(self.conv5(weight))
        return F.relu(made + (x if self.downsample is None else self.downsample(x)))


def _state(path: Path) -> dict[str, Tensor]:
    """What the file holds, without the layer that names people."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise TrainingError(f"{path} is no safetensors file, or it is damaged ({error})") from None
    return {name: values for name, values in state.items() if not name.startswith("fc.")}
