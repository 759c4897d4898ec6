"""The fake detector's network in Everybody Dance Now (Chan et al. 2019, sections 5 and 8.2).

The discriminator of pix2pixHD at one scale, on two consecutive frames, with a final fully connected layer. It learns
all it knows from the clips at hand (`paper_training.py`); what comes with the program is `texture_network.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from understudy.forensics.looking import EDGE, PERSON
from understudy.networks.pix2pixhd import MultiScaleDiscriminator
from understudy.networks.unet import initialise


@dataclass(frozen=True)
class PaperConfig:
    """The network's shape. Small, so that a detector can travel with a program."""

    size: int = 128
    """pixels: side of the squares it sees"""
    width: int = 16
    """channels of the first layer; pix2pixHD's discriminator has 64"""
    layers: int = 3
    """convolutions with stride 2; 3 see patches of 70x70"""

    def __post_init__(self) -> None:
        if not 32 <= self.size <= 1024:
            raise ValueError(f"size must be 32 to 1024 pixels, not {self.size}")
        if not 1 <= self.width <= 256 or not 1 <= self.layers <= 5:
            raise ValueError(f"width must be 1 to 256 and layers 1 to 5, not {self.width} and {self.layers}")


class FakeDetector(nn.Module):
    """The discriminator on two frames, and one fully connected layer on its map of patches.

    Instance normalisation, as in the discriminator: it judges every clip by itself, whatever light and contrast it
    has, and knows no difference between training and use. The last map is not normalised (its mean is the answer).
    """

    def __init__(self, config: PaperConfig):
        super().__init__()
        self.discriminator = MultiScaleDiscriminator(6, config.width, scales=1, layers=config.layers)
        side = config.size // 2 + 1
        for _ in range(config.layers - 1):
            side = side // 2 + 1
        patches = (side + 2) ** 2  # two more layers of stride 1 that gain a pixel each
        self.decide = nn.Linear(patches, 1)

    def forward(self, pair: Tensor, zones: Tensor) -> Tensor:
        """pair `(B, 6, size, size)` in [-1, 1], zones `(B, size, size)` -> `(B,)` log-odds that it was generated."""
        patches = self.discriminator(_without_room(pair, zones))[0][-1]
        return self.decide(patches.flatten(1)).squeeze(1)  # type: ignore[no-any-return]


def _without_room(pair: Tensor, zones: Tensor) -> Tensor:
    """Grey where the room is: whoever has seen few rooms takes a new one for a sign."""
    seen = (zones == EDGE) | (zones == PERSON)
    return pair * seen[:, None]


def new_network(config: PaperConfig) -> FakeDetector:
    """With random weights: the last layer begins as the mean over all patches."""
    network = FakeDetector(config)
    initialise(network, 0.02)
    nn.init.constant_(network.decide.weight, 1 / network.decide.in_features)
    nn.init.zeros_(network.decide.bias)
    return network
