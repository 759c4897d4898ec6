"""The fake detector of Everybody Dance Now (Chan et al. 2019, sections 5 and 8.2): two consecutive frames, real or not.

Its network is the discriminator of pix2pixHD at one scale with a final fully connected layer. The paper multiplies the
probabilities of all pairs of a video; here their log-odds are summed, which decides the same. Pairs of one video are
no independent witnesses, so that the product is far too sure of itself: `Calibration` turns the sum into a probability.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from understudy.base.devices import autocast
from understudy.base.files import load_tensors, save_tensors
from understudy.errors import DetectorError
from understudy.networks.pix2pixhd import MultiScaleDiscriminator
from understudy.networks.unet import initialise

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = 1
"""of the file's layout"""
BATCH = 32
"""pairs judged at a time"""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Config:
    """The network's shape. Small, so that a detector can travel with the program."""

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

    def __init__(self, config: Config):
        super().__init__()
        self.discriminator = MultiScaleDiscriminator(6, config.width, scales=1, layers=config.layers)
        side = config.size // 2 + 1
        for _ in range(config.layers - 1):
            side = side // 2 + 1
        patches = (side + 2) ** 2  # two more layers of stride 1 that gain a pixel each
        self.decide = nn.Linear(patches, 1)

    def forward(self, pair: Tensor) -> Tensor:
        """pair `(B, 6, size, size)` in [-1, 1] -> `(B,)` log-odds that it was generated."""
        patches = self.discriminator(pair)[0][-1]
        return self.decide(patches.flatten(1)).squeeze(1)  # type: ignore[no-any-return]


def new_network(config: Config) -> FakeDetector:
    """With random weights: the last layer begins as the mean over all patches."""
    network = FakeDetector(config)
    initialise(network, 0.02)
    nn.init.constant_(network.decide.weight, 1 / network.decide.in_features)
    nn.init.zeros_(network.decide.bias)
    return network


def stacked(pairs: Tensor) -> Tensor:
    """pairs `(B, 2, S, S, 3)` -> `(B, 6, S, S)`: what the network is given, of values in [-1, 1]."""
    return pairs.permute(0, 1, 4, 2, 3).flatten(1, 2)


# -- From pairs to a video -----------------------------------------------------------------------------------------


def sum_of_log_odds(log_odds: npt.NDArray[Any]) -> float:
    """Above 0: generated. The paper's product of probabilities, prod p against prod (1 - p), in logarithms."""
    return float(np.asarray(log_odds, np.float64).sum())


@dataclass(frozen=True)
class Calibration:
    """From log-odds of pairs to a probability that a video was generated, if half of all videos were.

    probability = sigmoid(m * min(1, t / seconds) / temperature), m the mean log-odds of the video's pairs and t its
    length: the sum over pairs, brought to the scale on which clips that were not trained on were right as often as
    they were sure. Longer videos than those give no more certainty, because nothing says by how much they should, and
    no answer is surer than their number allows.
    """

    temperature: float = 1.0
    """fitted on clips of people who were not trained on; above 0"""
    seconds: float = 1.0
    """length of those clips"""
    clips: int = 0
    """their number, n: probabilities stay within 1 / (n + 2) and 1 - 1 / (n + 2); 0 = not calibrated, no limit"""

    def __post_init__(self) -> None:
        if not (0 < self.temperature < math.inf and 0 < self.seconds < math.inf and self.clips >= 0):
            raise ValueError(f"a calibration needs numbers above 0: {self}")

    def probability(self, log_odds: npt.NDArray[Any], seconds: float) -> float:
        """log_odds (P,) of the pairs of a clip of so many seconds -> in (0, 1); 0.5 = cannot tell."""
        evidence = float(np.mean(log_odds)) * min(1.0, seconds / self.seconds) / self.temperature
        least = 1 / (self.clips + 2) if self.clips else 0.0
        return min(max(sigmoid(evidence), least), 1 - least)


def sigmoid(x: float) -> float:
    """1 / (1 + e^-x), without overflow."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else 1 - 1 / (1 + math.exp(x))


def fitted_calibration(means: Sequence[float], generated: Sequence[bool], seconds: float) -> Calibration:
    """The temperature under which mean log-odds of clips are likeliest (Guo et al. 2017), from clips of one length.

    Aims are (n + 1) / (n + 2) and 1 / (n + 2) instead of 1 and 0 (Platt 1999), n the clips of that kind: clips that
    are told apart without a mistake would otherwise ask for certainty.

    Args:
        means: mean log-odds of each clip, which the detector was not trained on.
        generated: what each really is.
        seconds: how long the clips are.

    Raises:
        ValueError: one of the two kinds is missing.
    """
    evidence, truth = np.asarray(means, np.float64), np.asarray(generated, bool)
    fakes, reals = int(truth.sum()), int((~truth).sum())
    if not fakes or not reals:
        raise ValueError(f"a calibration needs real and generated clips, and was given {reals} and {fakes}")
    aims = np.where(truth, (fakes + 1) / (fakes + 2), 1 / (reals + 2))
    candidates = np.exp(np.linspace(math.log(0.01), math.log(1000), 600))
    scaled = evidence[None] / candidates[:, None]
    loss = (np.logaddexp(0, scaled) - aims * scaled).mean(axis=1)
    return Calibration(float(candidates[loss.argmin()]), seconds, len(truth))


# -- On disk -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Detector:
    """A trained detector, with what there is to know about how far to trust it. One safetensors file.

    Example:
        detector = Detector.load()  # the one that comes with the program
        log_odds = detector.log_odds(pairs)
    """

    config: Config
    weights: dict[str, npt.NDArray[Any]]
    """of the `FakeDetector`"""
    calibration: Calibration
    record: dict[str, Any]
    """trained_on: a sentence; trust: sentences, what was measured and what is not known; made_with; and numbers"""

    def network(self, device: torch.device) -> FakeDetector:
        """Ready to judge."""
        network = FakeDetector(self.config)
        network.load_state_dict(
            {name: torch.from_numpy(np.array(value)).float() for name, value in self.weights.items()}
        )
        return network.to(device).eval()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes one file, atomically; weights in half precision, which changes log-odds by less than a thousandth."""
        header = {
            "kind": "detector",
            "version": VERSION,
            "config": asdict(self.config),
            "calibration": asdict(self.calibration),
            "record": self.record,
        }
        save_tensors(path, {name: value.astype(np.float16) for name, value in self.weights.items()}, header)

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None) -> Detector:
        """Reads a detector; left out, the one that comes with the program.

        Raises:
            DetectorError: missing, not a detector, damaged, or of another version.
        """
        if path is None:
            with resources.as_file(resources.files("understudy.forensics") / "detector.safetensors") as shipped:
                return cls.load(shipped)
        path = Path(path)
        if path.is_dir():
            raise DetectorError(f"{path} is a folder, not a detector: give a file, or leave out `detector`")
        if not path.exists():
            raise DetectorError(f"there is no detector {path}: check the name, or leave out `detector`")
        tensors, header = load_tensors(path, DetectorError)
        if not isinstance(header, dict) or header.get("kind") != "detector":
            raise DetectorError(
                f"{path} is a file of understudy, but not a detector: leave out `detector`, or train one"
            )
        if header.get("version") != VERSION:
            raise DetectorError(
                f"{path} has layout {header.get('version')} and this program reads {VERSION}: train it anew"
            )
        try:
            config = Config(**header["config"])
            _check_weights(tensors, config)
            return cls(config, tensors, Calibration(**header["calibration"]), dict(header["record"]))
        except (KeyError, TypeError, ValueError) as cause:
            raise DetectorError(f"{path} cannot be used ({cause}): train it anew, or use a backup") from None


def _check_weights(tensors: Mapping[str, npt.NDArray[Any]], config: Config) -> None:
    with torch.device("meta"):
        expected = FakeDetector(config).state_dict()
    if tensors.keys() != expected.keys():
        raise ValueError("its weights are not those of a detector")
    for name, value in tensors.items():
        if value.shape != tuple(expected[name].shape) or value.dtype.kind != "f" or not np.isfinite(value).all():
            raise ValueError(f"its weights {name} have the wrong shape or hold values that are not numbers")


@torch.inference_mode()
def pair_log_odds(network: FakeDetector, pairs: npt.NDArray[np.uint8], device: torch.device) -> Floats:
    """pairs `(P, 2, S, S, 3)` RGB uint8, any P -> `(P,)` log-odds that each was generated."""
    found = []
    for start in range(0, len(pairs), BATCH):
        shown = torch.from_numpy(np.ascontiguousarray(pairs[start : start + BATCH])).to(device)
        with autocast(device):
            judged = network(stacked(shown.float() / 127.5 - 1))
        found.append(judged.float().cpu().numpy())
    return np.concatenate(found).astype(np.float64) if found else np.zeros(0)
