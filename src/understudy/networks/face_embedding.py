"""Who somebody is, as numbers: networks that read an aligned face (Gafni et al. 2021, eq. 18 and section 3.2).

The paper's is a ResNet-50 trained on VGGFace2 (Cao et al. 2018), whose weights may be used for research alone and come
as a pickled file: it is not offered, but taken from a file that a user brings. What needs nothing is ImageNet's
EfficientNet-Lite0, which tells looks apart rather than people, and says so. `face_network` makes any of them.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from understudy.base import weights
from understudy.conditioning.aligned_faces import resampled
from understudy.errors import TrainingError, UsageError
from understudy.networks.efficientnet_lite import LiteFeatures
from understudy.networks.face_resnet import FaceResNet
from understudy.tracking.face import TIGHT, WIDE, face_places

SIZES = (112, 56, 28, 7, 1)
"""pixels: sides of the maps that eq. 18 compares; the last is the embedding"""
RANDOM_SEED = 68
RANDOM_CHANNELS = (32, 64, 128, 256, 320)
SFACE_EMBEDDING = 128
SOURCES = ("imagenet", "random", "vggface2:FILE", "sface", "sface:FILE")
"""what `face_network` takes"""

log = logging.getLogger(__name__)


class FaceNetwork(Protocol):
    """What the networks of this file have alike; all are frozen."""

    describes: str
    """what it is and knows, for people to read"""
    embedding: int
    """D, numbers of the embedding"""
    differentiable: bool
    """whether gradients reach the faces, so that a loss can use it"""

    def __call__(self, faces: Tensor) -> list[Tensor]:
        """faces `(B, 3, 224, 224)` in [-1, 1] -> maps at falling sizes, the last `(B, D)`: the embedding."""


class ImageNetFaces(nn.Module):
    """EfficientNet-Lite0 of ImageNet: features of eq. 18's sizes, and the mean of the last ones for an embedding."""

    describes = "EfficientNet-Lite0 (ImageNet) stands in for a face network: it tells looks apart, not people"
    differentiable = True

    def __init__(self) -> None:
        super().__init__()
        self.features = LiteFeatures("lite0", (2, 4, 8, 32))
        self.embedding = 320

    def forward(self, faces: Tensor) -> list[Tensor]:
        """As `FaceNetwork`: maps of 112, 56, 28 and 7 pixels, and `(B, 320)`."""
        found: list[Tensor] = self.features(faces)
        return [*found, found[-1].mean(dim=(2, 3))]


class RandomFaces(nn.Module):
    """Convolutions drawn from a fixed seed: it has learnt nothing, and makes the same of the same face everywhere."""

    describes = "random convolutions stand in for a face network: they have learnt nothing"
    differentiable = True

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(RANDOM_SEED)
        self.convolutions = nn.ModuleList()
        channels = 3
        for wider in RANDOM_CHANNELS:
            convolution = nn.Conv2d(channels, wider, 4, stride=2, padding=1)
            # He et al. 2015: keeps the spread through ReLUs
            drawn = torch.randn(convolution.weight.shape, generator=generator) * (2 / (16 * channels)) ** 0.5
            convolution.weight.data, convolution.bias = drawn, nn.Parameter(torch.zeros(wider))
            self.convolutions.append(convolution)
            channels = wider
        self.embedding = channels
        self.requires_grad_(False)
        self.eval()

    def forward(self, faces: Tensor) -> list[Tensor]:
        """As `FaceNetwork`."""
        x, found = faces, []
        for convolution in self.convolutions:
            x = F.relu(convolution(x))
            if x.shape[-1] * 16 != faces.shape[-1]:  # eq. 18 leaves out 14 x 14
                found.append(x)
        return [*found, x.mean(dim=(2, 3))]


class ScriptedFaces(nn.Module):
    """A TorchScript network of the user's: what it returns is taken as it is, a list of maps or the embedding alone.

    The file holds code, which runs: give one that you trust.

    Raises:
        TrainingError: the file cannot be read, or does not make an embedding of faces.
    """

    differentiable = True

    def __init__(self, path: Path) -> None:
        super().__init__()
        try:
            network = torch.jit.load(str(path), map_location="cpu").eval()  # type: ignore[no-untyped-call]
        except (RuntimeError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise TrainingError(f"{path} is no TorchScript file that can be read here ({reason})") from None
        for weight in network.parameters():
            weight.requires_grad_(False)
        self.network = network
        self.describes = f"the face network {path.name}"
        try:
            with torch.no_grad():
                found = self(torch.zeros(1, 3, WIDE, WIDE))
        except (RuntimeError, TypeError, AttributeError, IndexError) as error:
            reason = str(error).strip().splitlines()[-1]
            raise TrainingError(
                f"{path} does not take faces of {WIDE}x{WIDE} pixels in [-1, 1], or gives no maps ({reason})"
            ) from None
        self.embedding = int(found[-1].shape[1])

    def forward(self, faces: Tensor) -> list[Tensor]:
        """As `FaceNetwork`, with the maps that the network has."""
        found = self.network(faces)
        maps = list(found) if isinstance(found, (list, tuple)) else [found]
        return [*maps[:-1], maps[-1].flatten(1)]


class SFace(nn.Module):
    """SFace (Zhong et al. 2021, "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition"), by OpenCV.

    It knows people apart. OpenCV gives its embedding and nothing else, no maps and no gradients: it can say whose face
    is to be painted, and no loss can use it (see `loss_network`).

    Raises:
        TrainingError: the file cannot be read.
    """

    describes = "SFace, which was trained to tell people apart"
    differentiable = False

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.embedding = SFACE_EMBEDDING
        try:
            self._network = cv2.dnn.readNetFromONNX(str(path))
        except cv2.error:
            raise TrainingError(f"{path} is no ONNX network that can be read: fetch or copy it again") from None

    def forward(self, faces: Tensor) -> list[Tensor]:
        """As `FaceNetwork`, without maps: `[(B, 128)]`, each of length 1."""
        tight = tight_of_wide(faces.detach().float().cpu())
        pixels = ((tight + 1) * 127.5).clamp(0, 255).numpy()  # it takes RGB in 0-255 and normalises by itself
        made = []
        for one in pixels:
            self._network.setInput(np.ascontiguousarray(one[None]))
            made.append(np.asarray(self._network.forward(), np.float32).reshape(SFACE_EMBEDDING))
        return [F.normalize(torch.from_numpy(np.stack(made)), dim=1).to(faces.device)]


def tight_of_wide(faces: Tensor) -> Tensor:
    """`(B, C, 224, 224)` wide crops -> `(B, C, 112, 112)` tight ones, as `tracking.face.aligned` would cut them."""
    tight, wide = face_places(TIGHT), face_places(WIDE)
    scale = float(np.ptp(wide[:, 1]) / np.ptp(tight[:, 1]))
    x, y = wide.mean(axis=0) - scale * tight.mean(axis=0)
    matrix = torch.tensor([[[scale, 0.0, x], [0.0, scale, y]]], dtype=torch.float64)
    return resampled(faces, matrix.expand(len(faces), 2, 3), (TIGHT, TIGHT), "border")


def face_network(which: str = "imagenet", fetch: bool = True) -> FaceNetwork:
    """A frozen network that reads faces.

    Args:
        which: "imagenet" (at once), "random" (a fixed seed), "sface" (fetched once), "sface:FILE", or
            "vggface2:FILE": a ResNet-50 or SE-ResNet-50 of VGGFace2 as .safetensors with the names of its PyTorch port,
            or any network as TorchScript (.pt, .torchscript) that takes faces as `FaceNetwork` does.
        fetch: whether "sface" may be fetched.

    Raises:
        UsageError: another word, or a file that is not there.
        TrainingError: the file is damaged or of another network, or SFace cannot be had.
    """
    kind, _, name = which.partition(":")
    if which == "imagenet":
        return ImageNetFaces()
    if which == "random":
        return RandomFaces()
    if kind not in ("sface", "vggface2") or (kind == "vggface2" and not name):
        raise UsageError(f"there is no face network {which!r}: give one of {', '.join(SOURCES)}")
    if name and not Path(name).is_file():
        raise UsageError(f"face network {which!r}: there is no file {name}")
    if kind == "sface":
        path = Path(name) if name else weights.at_hand(weights.SFACE, fetch and weights.may_fetch())
        if path is None:
            raise TrainingError(
                f"the weights of SFace are not at {weights.SFACE.path}, and cannot be fetched: "
                "give the file as sface:FILE, or take imagenet"
            )
        return SFace(path)
    path = Path(name)
    if path.suffix == ".safetensors":
        return FaceResNet(path)
    if path.suffix in (".pt", ".torchscript"):
        return ScriptedFaces(path)
    raise UsageError(
        f"{path}: weights of VGGFace2 are read as .safetensors or TorchScript (.pt, .torchscript); pickled ones could "
        "run anything, so convert them where you trust them"
    )


def loss_network(network: FaceNetwork) -> FaceNetwork:
    """What eq. 18 compares faces by: the network itself, or ImageNet's, with a note, where it gives no gradients."""
    if network.differentiable:
        return network
    log.warning("%s gives no gradients: the face loss compares features of EfficientNet-Lite0", network.describes)
    return ImageNetFaces()
