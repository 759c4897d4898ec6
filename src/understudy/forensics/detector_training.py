"""Training of the fake detector on pairs of many people, and its calibration on people it has not seen."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from understudy.devices import Device, autocast, choose_device
from understudy.forensics.detector import (
    Calibration,
    Config,
    Detector,
    FakeDetector,
    fitted_calibration,
    new_network,
    pair_log_odds,
    to_tensor,
)
from understudy.forensics.detector_data import Draw, Footage
from understudy.progress import progress_bar

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """How long and with what."""

    steps: int = 2000
    batch: int = 32
    """pairs a step, half of them real"""
    learning_rate: float = 5e-4
    """Adam's at the beginning; it falls to 0 along half a cosine"""
    gain: float = 0.25
    """brightness and each colour are multiplied by up to 1 +- this"""
    gamma: float = 0.25
    """contrast: exponents from 1 / (1 + this) to 1 + this"""
    noise: float = 10.0
    """of 255: grain is added with a standard deviation of up to this, which real and generated clips get alike"""


def train_detector(
    clips: Sequence[Footage],
    config: Config,
    schedule: Schedule,
    *,
    seed: int = 0,
    device: Device = "auto",
) -> FakeDetector:
    """Minimises binary cross-entropy over random pairs of real and generated clips.

    Args:
        clips: training people's, from `cut_for_training`.

    Raises:
        DetectorError: real or generated clips are missing.
        ValueError: the squares are smaller than the network's.
    """
    chosen = choose_device(device)
    draw = Draw(clips, seed)
    _check_sizes(clips, config.size)
    torch.manual_seed(seed)
    network = new_network(config).to(chosen).train()
    adam = torch.optim.Adam(network.parameters(), lr=schedule.learning_rate, betas=(0.5, 0.999))
    slower = torch.optim.lr_scheduler.LambdaLR(
        adam, lambda step: 0.5 * (1 + math.cos(math.pi * min(1.0, step / schedule.steps)))
    )
    random = torch.Generator().manual_seed(seed)
    with progress_bar("training the detector", schedule.steps, "steps") as advance:
        for step in range(schedule.steps):
            shown, truth = draw.batch(schedule.batch)
            pairs = augmented(to_tensor(shown, chosen), config.size, schedule, random)
            with autocast(chosen):
                judged = network(pairs)
            loss = F.binary_cross_entropy_with_logits(judged.float(), torch.from_numpy(truth).to(chosen))
            adam.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            adam.step()
            slower.step()
            advance(note=f"loss {loss.item():.3f}" if step % 20 == 0 else "")
    return network.eval()


def augmented(pairs: Tensor, size: int, schedule: Schedule, random: torch.Generator) -> Tensor:
    """pairs `(B, 6, S, S)` in [-1, 1] -> `(B, 6, size, size)`: cropped, mirrored, recoloured, grained.

    Each pair is treated by one draw, its grain by two: a camera's noise is new in every frame.
    """
    count, _, side, _ = pairs.shape
    corner = torch.randint(0, side - size + 1, (count, 2), generator=random).tolist()
    mirrored = torch.rand(count, generator=random).tolist()
    cropped = torch.stack(
        [
            _maybe_mirrored(pair[:, y : y + size, x : x + size], chance < 0.5)
            for pair, (y, x), chance in zip(pairs, corner, mirrored, strict=True)
        ]
    )

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return (low + (high - low) * torch.rand(*shape, generator=random)).to(pairs.device)

    light = cropped.view(count, 2, 3, size, size).add(1).div(2).clamp(0, 1)
    bound = math.log1p(schedule.gamma)
    light = light ** uniform(-bound, bound, count, 1, 1, 1, 1).exp()
    light = light * uniform(1 - schedule.gain, 1 + schedule.gain, count, 1, 1, 1, 1)
    light = light * uniform(1 - schedule.gain / 2, 1 + schedule.gain / 2, count, 1, 3, 1, 1)
    deviation = (uniform(-1, 1, count, 1, 1, 1, 1).clamp(min=0)) * schedule.noise / 255  # half of them stay clean
    grain = torch.randn(light.shape, generator=random).to(pairs.device)
    return (light + deviation * grain).clamp(0, 1).mul(2).sub(1).view(count, 6, size, size)


def _maybe_mirrored(picture: Tensor, mirrored: bool) -> Tensor:
    return picture.flip(-1) if mirrored else picture


def _check_sizes(clips: Sequence[Footage], size: int) -> None:
    for clip in clips:
        side = clip.pairs.shape[2]
        if side < size:
            raise ValueError(f"{clip.clip or 'a clip'} was cut to {side} pixels, and the network sees {size}")


def calibrated(network: FakeDetector, clips: Sequence[Footage], device: Device = "auto") -> Calibration:
    """From clips of people who were not trained on, cut by `cut_for_judging`.

    Raises:
        ValueError: real or generated clips are missing.
    """
    chosen = choose_device(device)
    means = [float(pair_log_odds(network, clip.pairs, chosen).mean()) for clip in clips]
    seconds = float(np.median([clip.seconds for clip in clips]))
    return fitted_calibration(means, [clip.generated for clip in clips], seconds)


def detector_of(network: FakeDetector, config: Config, calibration: Calibration, record: dict[str, Any]) -> Detector:
    """What is saved."""
    import understudy

    weights = {name: value.detach().cpu().numpy() for name, value in network.state_dict().items()}
    made = {"made_with": understudy.__version__, "time": time.strftime("%FT%TZ", time.gmtime())}
    return Detector(config, weights, calibration, record | made)
