"""The distance of perceptual losses, by whichever features can be had: VGG-19's, EfficientNet-Lite0's, or random ones.

The papers compare features of VGG-19, 548 MiB that have to be fetched. Where they cannot be, those of Lite0 take their
place, which pip has installed along with us. Random features with a fixed seed work as a loss too ("Generic Perceptual
Loss", CVPR 2021), but a config has to ask for them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from understudy import losses
from understudy.base import weights
from understudy.base.devices import autocast
from understudy.errors import TrainingError
from understudy.networks.efficientnet_lite import LiteFeatures
from understudy.networks.vgg import VGG19Features

log = logging.getLogger(__name__)

Features = Literal["auto", "vgg19", "lite0", "random"]
Taken = Literal["vgg19", "lite0", "random"]

LITE0_SIZES = {1: 0.7, 2: 2.3, 4: 37.0, 8: 40.0, 16: 37.0}
"""by depth, where 1 is the frame itself: how many times further apart its features are than random ones of relu1_1, for
real frames of 128 pixels against the same frames blurred by 3, which is what a clone looks like early in training"""
LITE0_SHARES = {1: 0.8, 2: 0.08, 4: 0.05, 8: 0.035, 16: 0.035}
"""by depth: of the loss. Of its gradient, which grows with depth, the frame gets half and each depth an eighth.

VGG-19 begins at full size. Lite0's first layer halves the picture, and what sees no pixel by itself does not keep a
generator from a grid of dots: that is what came of Lite0 alone, and, fainter, of the frame at half of the loss."""


class PerceptualDistance(nn.Module):
    """How far generated frames are from real ones, to a frozen network.

    Args:
        vgg_layers: of VGG-19, names like "relu1_1". With Lite0 only their number counts: it takes depths of its own,
            and the frame itself.
        features: "vgg19" takes the published weights (from the cache, or fetched once), "lite0" those that pip
            installs, "random" VGG-19 with weights from a fixed seed. "auto": VGG-19's when they can be had, Lite0's
            otherwise, with a note.

    Attributes:
        taken: what is really in use.

    Raises:
        TrainingError: what was asked for cannot be had, or its file is damaged.
        ValueError: there is no such layer, or no such features.
    """

    def __init__(self, vgg_layers: Sequence[str] = ("relu1_1",), features: Features = "auto"):
        super().__init__()
        self.taken, path = _choose(features)
        self.network: LiteFeatures | VGG19Features
        self.weights: list[float] | None = None
        if self.taken == "lite0":
            self.network = LiteFeatures("lite0", tuple(depth for depth in LITE0_SHARES if depth > 1))
            self.weights = _lite0_weights(len(vgg_layers))
        else:
            self.network = VGG19Features(tuple(vgg_layers), path)

    def distance(self, fake: Tensor, real: Tensor) -> Tensor:
        """`losses.perceptual_distance` of generated and real frames, `(B, 3, H, W)` both in [-1, 1]: `(B,)`.

        In bfloat16 where that is faster. Gradients reach the generated ones alone.
        """
        with autocast(fake.device):
            with torch.no_grad():
                real_features = self._features(real.detach())
            return losses.perceptual_distance(self._features(fake), real_features, self.weights)

    def _features(self, frames: Tensor) -> list[Tensor]:
        found: list[Tensor] = self.network(frames)
        return [frames, *found] if self.taken == "lite0" else found


def _choose(features: Features) -> tuple[Taken, Path | None]:
    """What is taken, and where the published file of VGG-19 lies if it is that."""
    if features not in get_args(Features):
        raise ValueError(f"features must be one of {', '.join(get_args(Features))}, not {features}")
    if features in ("lite0", "random"):
        return features, None
    path = weights.at_hand(weights.VGG19, fetch=weights.may_fetch())
    if path is not None:
        return "vgg19", path
    if features == "vgg19":
        raise TrainingError(
            f"the ImageNet weights of VGG-19 are not in {weights.VGG19.path.parent} and cannot be fetched from "
            f"{weights.VGG19.address}: put the file there, or set features to lite0 in the recipe"
        )
    log.warning("perceptual features: those of EfficientNet-Lite0 (the weights of VGG-19 are not at hand)")
    return "lite0", None


def _lite0_weights(layers: int) -> list[float]:
    """One for the frame and for each depth, so that the loss keeps the size that lambda was chosen for.

    Features of Lite0 are linear outputs of any size, and a recipe's lambda weighs a sum over layers of VGG-19. So each
    depth is brought to the size of one layer, they are averaged, and that counts as often as there were layers.
    """
    return [layers * share / LITE0_SIZES[depth] for depth, share in LITE0_SHARES.items()]
