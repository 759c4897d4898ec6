"""What goes into G of `everybody_dance_now.py` and what comes out: the reference as pairs, and G played in order.

Shape letters: B windows, N consecutive frames, S the side of the square picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from understudy.base.devices import autocast
from understudy.conditioning.clips import flat_colour, random_similarity, read_clip
from understudy.conditioning.pictures import as_values
from understudy.conditioning.stick_figure import palette, stick_figures
from understudy.networks.vgg import VGG19Features
from understudy.recipes.parts.everybody_dance_now_config import NAMES, Config
from understudy.retargeting.augmentation import damaged
from understudy.training import loop as training
from understudy.training.stages import Stages

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from understudy.performance import Performance


class Footage:
    """The reference on the device, and what is drawn and cut from it."""

    def __init__(self, performance: Performance, config: Config, seed: int, device: torch.device):
        self.config, self.seed = config, seed
        self.flat = None if config.whole_frame else flat_colour(performance)
        self.clip = read_clip(
            performance,
            None,
            self.flat or (0, 0, 0),
            config.consecutive,
            config.seen_above,
            config.size,
            performance.header.size_hw[0],
            device,
            all_points=True,
            as_filmed=config.whole_frame,
            at_least=config.batch,
        )
        self.palette = palette()
        self.colours = as_values(torch.from_numpy(self.palette)).to(device)
        self.window = torch.arange(config.consecutive, device=device)

    def pairs(self, streams: tuple[int, int], step: int, size: int) -> tuple[Tensor, Tensor]:
        """Stick figures x and frames y, `(B, N, 3, size, size)`, all frames of a window moved by one random similarity.

        The figures, and not the frames, are damaged as `Config.pose_noise` says.

        Args:
            streams: of random numbers, for the choice of windows and for the similarities. The damage is drawn from a
                stream beside the latter.
        """
        config, clip = self.config, self.clip.resized(size / self.config.size)
        start = clip.windows[training.draw(self.seed, streams[0], step, config.batch, len(clip.windows))]
        moment = start[:, None] + self.window  # (B, N)
        rng = np.random.default_rng([self.seed, streams[1], step])
        augmentation = (config.rotate, config.zoom, config.shift)
        transform = random_similarity(rng, clip.to_picture, config.batch, size, *augmentation)
        damage = np.random.default_rng([self.seed, streams[1], step, 1])
        xy, seen = damaged(damage, *clip.joints(moment, transform), config.pose_noise)
        x = figures(config, self.colours, xy.flatten(0, 1), seen.flatten(0, 1), size)
        y = clip.frames_at(moment.flatten(), transform.repeat_interleave(config.consecutive, 0), size)
        shape = (*moment.shape, 3, size, size)
        return x.view(shape), y.view(shape)


def figures(config: Config, colours: Tensor, xy: Tensor, seen: Tensor, size: int) -> Tensor:
    """Stick figures `(B, 3, size, size)` in [-1, 1] of joints xy `(B, 133, 2)`, seen `(B, 133)`."""
    return stick_figures(xy, seen, colours, (size, size), config.line * size)


@torch.no_grad()
def paint(
    G: nn.Module, config: Config, colours: Tensor, xy: Tensor, seen: Tensor, batch: int = 8
) -> Iterator[tuple[Tensor, Tensor]]:
    """Stick figures and what G makes of them, in order, `batch` at a time: both `(b, 3, S, S)` float32 in [-1, 1].

    With temporal smoothing each frame is painted from the one before, the first from a zero image (section 3.2); it
    stays on the device and in full precision between them. Faces are not refined in it, as G never saw them so.

    Args:
        xy: `(T, 133, 2)` pixels of the S x S frame.
        seen: `(T, 133)` bool.
    """
    before = xy.new_zeros(1, 3, config.size, config.size)
    for first in range(0, len(xy), batch):
        part = slice(first, first + batch)
        x = figures(config, colours, xy[part], seen[part], config.size)
        with autocast(xy.device):
            if not config.temporal_smoothing:
                yield x, G(x).float()
                continue
            frames = []
            for now in torch.split(x, 1):
                before = G(torch.cat([now, before], 1)).float()
                frames.append(before)
        yield x, torch.cat(frames)


@dataclass(frozen=True)
class Studio:
    """What every stage is given."""

    config: Config
    footage: Footage
    phi: VGG19Features
    stages: Stages
    fabric: Fabric
    seed: int

    def train(self, name: str, trainee: training.Trainee, epoch: int) -> training.Outcome | None:
        """Runs a stage for as long as the config says; None when time or steps ran out before it."""
        place = NAMES.index(name)
        steps = self.config.steps[place] if self.config.steps else self.config.epochs[place] * epoch
        return self.stages.run(name, trainee, steps)

    @property
    def epoch(self) -> int:
        return self.footage.clip.epoch(self.config.batch)

    def adam(self, network: nn.Module) -> torch.optim.Adam:
        return torch.optim.Adam(network.parameters(), self.config.learning_rate, self.config.betas, fused=True)

    def perceptual(self, fake: Tensor, real: Tensor) -> Tensor:
        """L_P of frames `(B, 3, H, W)`: `(B,)`."""
        with self.fabric.autocast():
            return self.phi.distance(fake, real)
