"""Training of the fake detector on pairs of many people, and its calibration on people it has not seen."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from understudy.base.devices import Device, autocast, choose_device
from understudy.base.progress import progress_bar
from understudy.forensics.detector import (
    Calibration,
    Config,
    Detector,
    FakeDetector,
    fitted_calibration,
    new_network,
    pair_log_odds,
    stacked,
)
from understudy.forensics.detector_data import Augmentation, Draw, Footage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """How long and with what."""

    steps: int = 2000
    batch: int = 32
    """pairs a step, half of them real"""
    learning_rate: float = 5e-4
    """Adam's at the beginning; it falls to 0 along half a cosine"""
    augmentation: Augmentation = field(default_factory=Augmentation)


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
    with progress_bar("training the detector", schedule.steps, "steps") as advance:
        for step in range(schedule.steps):
            shown, truth = draw.batch(schedule.batch, config.size, schedule.augmentation)
            with autocast(chosen):
                judged = network(stacked(torch.from_numpy(shown).to(chosen)))
            loss = F.binary_cross_entropy_with_logits(judged.float(), torch.from_numpy(truth).to(chosen))
            adam.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            adam.step()
            slower.step()
            advance(note=f"loss {loss.item():.3f}" if step % 20 == 0 else "")
    return network.eval()


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
