"""The reference of `everybody_dance_now.py` on the device, as pairs of stick figures and frames.

Shape letters as there: B windows, N consecutive frames, S the side of the square picture, F that of a face patch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from understudy import training
from understudy.conditioning.clips import flat_colour, random_similarity, read_clip
from understudy.conditioning.face_crops import cut, face_boxes
from understudy.conditioning.stick_figure import palette, stick_figures
from understudy.errors import TrainingError
from understudy.progress import progress_bar

if TYPE_CHECKING:
    from understudy.performance import Performance
    from understudy.recipes.everybody_dance_now import Config


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
        )
        if len(self.clip.windows) < config.batch:
            raise TrainingError(
                f"{performance.path} has {len(self.clip.windows)} runs of {config.consecutive} frames with a person in "
                f"them; training needs at least {config.batch}, and a minute of footage to be any good"
            )
        self.palette = palette()
        self.colours = as_values(self.palette, device)
        self.window = torch.arange(config.consecutive, device=device)

    def pairs(self, streams: tuple[int, int], step: int, size: int) -> tuple[Tensor, Tensor]:
        """Stick figures x and frames y, `(B, N, 3, size, size)`, all frames of a window moved by one random similarity.

        Args:
            streams: of random numbers, for the choice of windows and for the similarities.
        """
        config, clip = self.config, self.clip.resized(size / self.config.size)
        start = clip.windows[training.draw(self.seed, streams[0], step, config.batch, len(clip.windows))]
        moment = start[:, None] + self.window  # (B, N)
        rng = np.random.default_rng([self.seed, streams[1], step])
        augmentation = (config.rotate, config.zoom, config.shift)
        transform = random_similarity(rng, clip.to_picture, config.batch, size, *augmentation)
        xy, seen = clip.joints(moment, transform)
        x = figures(config, self.colours, xy.flatten(0, 1), seen.flatten(0, 1), size)
        y = clip.frames_at(moment.flatten(), transform.repeat_interleave(config.consecutive, 0), size)
        shape = (*moment.shape, 3, size, size)
        return x.view(shape), y.view(shape)

    def epoch(self) -> int:
        """Steps that it takes to see every window once."""
        return math.ceil(len(self.clip.windows) / self.config.batch)


class Patches:
    """Faces of the reference: x_F of the stick figure, G(x)_F of what G paints, y_F of the frame; 8 bits a value.

    Args:
        footage: the reference.
        painted: stick figures and generated frames of the whole reference, in order, as `paint` gives them.
        size: pixels: side F.
    """

    def __init__(self, footage: Footage, painted: Iterable[tuple[Tensor, Tensor]], size: int):
        clip = footage.clip
        centres, sides, usable = face_boxes(*clip.all_joints())
        found = torch.zeros_like(usable)
        found[(clip.windows[:, None] + footage.window).flatten()] = True
        parts, first = [], 0
        with progress_bar("playing the reference", len(usable)) as advance:
            for x, frames in painted:
                moment = torch.arange(first, first + len(x), device=x.device)
                y = clip.frames_at(moment, clip.to_picture.expand(len(x), 2, 3), footage.config.size)
                patches = cut(torch.cat([x, frames, y], 1), centres[moment], sides[moment], size)
                kept = patches[(usable & found)[moment]]
                parts.append(((kept + 1) * 127.5).round().clamp(0, 255).to(torch.uint8))
                first += len(x)
                advance(len(x))
        self.levels = torch.cat(parts)  # (M, 9, F, F)

    def __len__(self) -> int:
        return len(self.levels)

    def __getitem__(self, chosen: npt.NDArray[Any]) -> tuple[Tensor, Tensor, Tensor]:
        """x_F, G(x)_F and y_F, each `(B, 3, F, F)` float32 in [-1, 1]."""
        x, frames, y = torch.split(self.levels[chosen].float() / 127.5 - 1, 3, dim=1)
        return x, frames, y


def figures(config: Config, colours: Tensor, xy: Tensor, seen: Tensor, size: int) -> Tensor:
    """Stick figures `(B, 3, size, size)` in [-1, 1] of joints xy `(B, 133, 2)`, seen `(B, 133)`."""
    return stick_figures(xy, seen, colours, (size, size), config.line * size)


def as_values(colours: npt.NDArray[np.uint8], device: torch.device) -> Tensor:
    """Colours in [-1, 1]."""
    return torch.from_numpy(colours.astype(np.float32) / 127.5 - 1).to(device)
