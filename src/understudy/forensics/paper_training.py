"""Training of the paper's fake detector on pairs of many people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from understudy.base.devices import Device, autocast, choose_device
from understudy.base.progress import progress_bar
from understudy.forensics.detector import stacked
from understudy.forensics.detector_data import Augmentation, Draw, Footage
from understudy.forensics.paper_network import FakeDetector, PaperConfig, new_network


@dataclass(frozen=True)
class Schedule:
    """How long and with what."""

    steps: int = 2000
    batch: int = 32
    """pairs a step, half of them real"""
    learning_rate: float = 5e-4
    """Adam's at the beginning; it falls to 0 along half a cosine"""
    augmentation: Augmentation = field(default_factory=Augmentation)


def train_paper_detector(
    clips: Sequence[Footage],
    config: PaperConfig,
    schedule: Schedule,
    *,
    seed: int = 0,
    device: Device = "auto",
) -> FakeDetector:
    """Minimises binary cross-entropy over random pairs of real and generated clips.

    Args:
        clips: training people's, from `cut_pairs`.

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
            shown, zones, truth = draw.batch(schedule.batch, config.size, schedule.augmentation)
            with autocast(chosen):
                judged = network(stacked(torch.from_numpy(shown).to(chosen)), torch.from_numpy(zones).to(chosen))
            loss = F.binary_cross_entropy_with_logits(judged.float(), torch.from_numpy(truth).to(chosen))
            adam.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            adam.step()
            slower.step()
            advance(note=f"loss {loss.item():.3f}" if step % 20 == 0 else "")
    return network.eval()


def _check_sizes(clips: Sequence[Footage], size: int) -> None:
    """Raises ValueError where a clip was cut to less than a network sees."""
    for clip in clips:
        side = clip.pairs.shape[2]
        if side < size:
            raise ValueError(f"{clip.clip or 'a clip'} was cut to {side} pixels, and the network sees {size}")
