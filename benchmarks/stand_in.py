"""An actor that does all the work of a trained one, without training, and shows the person of a performance.

The pictures of random weights are noise, which takes far longer to composite and to encode than a person does.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch

from understudy.actor import Actor
from understudy.base.devices import Device
from understudy.conditioning.clips import flat_colour
from understudy.consent import Consent
from understudy.performance import Performance
from understudy.recipes.parts.player import BATCH, Frame, Moment, Player
from understudy.recipes.performance_cloning import Config, generator_for
from understudy.retargeting.alignment import body_statistics

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class StandIn(Actor):
    """Pays for the generator's pictures and shows `pictures` instead, one a pose."""

    pictures: tuple[Picture, ...] = ()

    def player(self, device: Device = "auto", frames: int = 0) -> Player:
        return _Shown(super().player(device, frames), self.pictures)


class _Shown:
    """Pays for what a player paints and shows pictures instead, one a moment."""

    def __init__(self, player: Player, pictures: Sequence[Picture]) -> None:
        self._player, self._pictures = player, pictures
        self.latency, self.needs = player.latency, player.needs

    def play(self, moments: Iterable[Moment], batch: int = BATCH) -> Iterator[Frame]:
        painted = self._player.play(moments, batch)
        for picture, _ in zip(itertools.cycle(self._pictures), painted, strict=False):
            yield picture


def stand_in(performance: Performance, config: Config, seed: int) -> StandIn:
    """For the person of a performance, whose own frames are the pictures. It is meant to play that performance."""
    torch.manual_seed(seed)
    header, colour = performance.header, flat_colour(performance)
    return StandIn(
        recipe="performance-cloning",
        config=config,
        weights={name: value.numpy() for name, value in generator_for(config).state_dict().items()},
        statistics={
            "joint_mean": np.zeros(18, np.float32),
            "joint_deviation": np.ones(18, np.float32),
            "flat_colour": np.array(colour, np.uint8),
        },
        body=body_statistics(performance.poses),
        crop=header.crop,
        working_size=header.size_hw[0],
        original_size_hw=header.original_size_hw,
        fps=header.fps,
        background=performance.background(),
        record={},
        consent=Consent("nobody: it is untrained", ""),
        reference_name=header.source_name,
        reference_sha256=header.source_sha256,
        made_with="",
        pictures=tuple(_pictures(performance, colour, config.size)),
    )


def _pictures(performance: Performance, colour: tuple[int, int, int], size: int) -> Iterator[Picture]:
    """The person over the flat colour, as a generator would paint it."""
    for frame, matte in zip(performance.frames(), performance.mattes(), strict=True):
        alpha = matte[..., None] / np.float32(255)
        over = alpha * frame + (1 - alpha) * np.array(colour, np.float32)
        yield np.asarray(cv2.resize(over, (size, size), interpolation=cv2.INTER_AREA) + 0.5, np.uint8)
