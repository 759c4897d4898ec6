"""What goes into G of `everybody_dance_now.py` and what comes out: the reference as pairs, and G played in order.

Shape letters: B windows, N consecutive frames, S the side of the square picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from understudy.base.devices import autocast
from understudy.base.engines import Call
from understudy.conditioning.clips import flat_colour, random_similarity, read_clip
from understudy.conditioning.pictures import as_values
from understudy.conditioning.stick_figure import palette, stick_figures
from understudy.recipes.parts.everybody_dance_now_config import Config
from understudy.recipes.parts.player import BATCH
from understudy.retargeting.augmentation import damaged

if TYPE_CHECKING:
    from understudy.base.frame_store import FrameStore
    from understudy.performance import Performance
    from understudy.training.chance import Chance


class Footage:
    """The reference on the device, and what is drawn and cut from it."""

    def __init__(
        self,
        performance: Performance,
        config: Config,
        chance: Chance,
        device: torch.device,
        store: FrameStore | None = None,
    ):
        self.config, self.chance = config, chance
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
            at_least=config.optimisation.batch,
            store=store,
        )
        self.palette = palette()
        self.colours = colours_of(self.palette, device)
        self.window = torch.arange(config.consecutive, device=device)
        self.epoch = chance.epoch(config.optimisation.batch, len(self.clip.windows))
        """steps in which every window is seen once"""

    def pairs(self, streams: tuple[int, int], step: int, size: int) -> tuple[Tensor, Tensor]:
        """Stick figures x and frames y, `(B, N, 3, size, size)`, all frames of a window moved by one random similarity.

        The figures, and not the frames, are damaged as `Config.pose_noise` says.

        Args:
            streams: of random numbers, for the choice of windows and for the similarities. The damage is drawn from a
                stream beside the latter.
        """
        config, chance, clip = self.config, self.chance, self.clip.resized(size / self.config.size)
        count = config.optimisation.batch
        start = clip.windows[chance.draw(streams[0], step, count, len(clip.windows))]
        moment = start[:, None] + self.window  # (B, N)
        rng, damage = chance.generator(streams[1], step), chance.generator(streams[1], step, 1)
        transform = random_similarity(rng, clip.to_picture, count, size, *config.augmentation.amounts)
        xy, seen = damaged(damage, *clip.joints(moment, transform), config.pose_noise)
        x = figures(config, self.colours, xy.flatten(0, 1), seen.flatten(0, 1), size)
        y = clip.frames_at(moment.flatten(), transform.repeat_interleave(config.consecutive, 0), size)
        shape = (*moment.shape, 3, size, size)
        return x.view(shape), y.view(shape)

    def statistics(self) -> dict[str, npt.NDArray[Any]]:
        """What an actor holds besides weights."""
        flat = {} if self.flat is None else {"flat_colour": np.array(self.flat, np.uint8)}
        return {"palette": self.palette, **flat}


def colours_of(palette: npt.NDArray[np.uint8], device: torch.device) -> Tensor:
    """A palette as `stick_figures` takes it, on the device."""
    return as_values(torch.from_numpy(np.array(palette))).to(device)


def figures(config: Config, colours: Tensor, xy: Tensor, seen: Tensor, size: int) -> Tensor:
    """Stick figures `(B, 3, size, size)` in [-1, 1] of joints xy `(B, 133, 2)`, seen `(B, 133)`."""
    return stick_figures(xy, seen, colours, (size, size), config.line * size)


class Painter:
    """G, played in order, some frames at a time.

    With temporal smoothing each frame is painted from the one before, the first from z, a zero image (section 3.2); it
    stays on the device and in full precision between them. Faces are not refined in it, as G never saw them so.

    Args:
        G: on its device, ready to generate; of the sizes in `config`.
        colours: of `colours_of`.
    """

    def __init__(self, G: Call, config: Config, colours: Tensor):
        self.G, self.config, self.colours = G, config, colours
        self.before = colours.new_zeros(1, 3, config.size, config.size)

    @torch.no_grad()
    def __call__(self, xy: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Stick figures of the next poses and what G makes of them, both `(B, 3, S, S)` float32 in [-1, 1].

        Args:
            xy: `(B, 133, 2)` pixels of the S x S frame.
            seen: `(B, 133)` bool.
        """
        x = figures(self.config, self.colours, xy, seen, self.config.size)
        with autocast(xy.device):
            if not self.config.temporal_smoothing:
                return x, self.G(x).float()
            frames = []
            for now in torch.split(x, 1):
                self.before = self.G(torch.cat([now, self.before], 1)).float()
                frames.append(self.before)
        return x, torch.cat(frames)


def paint(
    G: nn.Module, config: Config, colours: Tensor, xy: Tensor, seen: Tensor, batch: int = BATCH
) -> Iterator[tuple[Tensor, Tensor]]:
    """All of a dance as `Painter` paints it, `batch` poses at a time. xy `(T, 133, 2)`, seen `(T, 133)`."""
    painter = Painter(G, config, colours)
    yield from map(painter, torch.split(xy, batch), torch.split(seen, batch))
