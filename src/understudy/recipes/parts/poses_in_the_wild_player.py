"""G_1 and G_2 of `poses_in_the_wild.py` as they play a dance: windows of poses in, frames out as they are painted.

Shape letters: b frames painted together, J = 133 points, C channels of a frame (RGB, and alpha unless the room is
painted), H and W of the box, S the side of the square picture in which the box is put back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from understudy.base.devices import autocast
from understudy.base.engines import Call
from understudy.compositing.cutouts import cutout_of, placed
from understudy.conditioning.limb_maps import limb_maps
from understudy.conditioning.pictures import pixels
from understudy.poses.similarity import Similarity
from understudy.recipes.parts.player import BATCH, Frame, Moment, Need, batches, pose_of
from understudy.recipes.parts.poses_in_the_wild_config import Config
from understudy.recipes.parts.poses_in_the_wild_footage import boxes_of


class BoxPlayer:
    """Plays both stages, or the first alone, in a box that follows the person; or in the whole frame, with the room.

    A box follows calmly, held where the person is lost, for as long as that is: so it takes the whole dance, of which
    nothing but the poses is kept. The whole frame as a box asks for no more than each stage's neighbours.

    Args:
        G_1, G_2: on the device, ready to generate; without G_2, stage I is what is shown.
        shown_points: (J,) which points the reference shows, see `person_box.person_boxes`.
        flat_colour: (3,) RGB, 0-255, behind the person; None where the room is painted.
    """

    needs: tuple[Need, ...] = ("poses",)

    def __init__(
        self,
        config: Config,
        G_1: Call,
        G_2: Call | None,
        shown_points: npt.NDArray[Any],
        flat_colour: npt.NDArray[Any] | None,
        device: torch.device,
    ):
        self.config, self.G_1, self.G_2 = config, G_1, G_2
        self.shown_points, self.flat_colour, self.device = shown_points, flat_colour, device
        around = config.after + (config.neighbours if G_2 is not None else 0)
        self.latency = around if config.whole_frame else None

    def play(self, moments: Iterable[Moment], batch: int = BATCH) -> Iterator[Frame]:
        """See `Player.play`: `(S, S, 4)`, the person alone where the box is; or `(S, S, 3)` with the room."""
        if not self.config.whole_frame:
            yield from self._cutouts(moments, batch)
            return
        for frames in self._painted(moments, batch):  # the box is the frame, so poses are in its pixels already
            yield from pixels(frames)

    def _cutouts(self, moments: Iterable[Moment], batch: int) -> Iterator[Frame]:
        config, size_hw = self.config, (self.config.size, self.config.size)
        pose = pose_of((Moment(one.xy, one.confidence) for one in moments), config.size)
        seen = pose.confidence > config.seen_above
        if not seen.any():
            yield from (np.zeros((*size_hw, 4), np.uint8) for _ in range(len(pose)))
            return
        assert self.flat_colour is not None
        to_box = boxes_of(pose.xy, seen, self.shown_points, config).to_box(config.box_hw)
        xy = np.einsum("tij,tkj->tki", to_box[:, :, :2], pose.xy) + to_box[:, None, :, 2]
        place = iter(to_box)
        for frames in self._painted(map(Moment, xy, pose.confidence), batch):
            colours, alpha = (frames[:, :3].permute(0, 2, 3, 1) + 1) * 127.5, (frames[:, 3] + 1) / 2
            for cutout in cutout_of(colours, alpha, self.flat_colour):
                yield placed(cutout, Similarity.from_matrix(next(place)), size_hw)

    @torch.inference_mode()
    def _painted(self, moments: Iterable[Moment], batch: int) -> Iterator[Tensor]:
        """`(b, C, H, W)` float32 in [-1, 1] of moments in pixels of the box, each in the box of its frame."""
        k, coarse = self.config.neighbours, self._stage_one(moments, batch)
        if self.G_2 is None:
            yield from coarse
            return
        for windows in batches(around((frame for some in coarse for frame in some), k, k), batch):
            painted = self._through(self.G_2, windows)
            yield refined(painted, torch.stack([window[k] for window in windows]), self.config)

    def _stage_one(self, moments: Iterable[Moment], batch: int) -> Iterator[Tensor]:
        maps = (frame for some in batches(moments, batch) for frame in self._maps(some))
        for windows in batches(around(maps, self.config.neighbours, self.config.after), batch):
            yield self._through(self.G_1, windows)

    def _maps(self, some: list[Moment]) -> Tensor:
        config, height = self.config, self.config.box_hw[0]
        xy = torch.from_numpy(np.stack([one.xy for one in some])).float()
        seen = torch.from_numpy(np.stack([one.confidence for one in some]) > config.seen_above)
        return limb_maps(xy.to(self.device), seen.to(self.device), config.box_hw, config.line * height)

    def _through(self, G: Call, windows: list[list[Tensor]]) -> Tensor:
        x = torch.stack([torch.cat(window) for window in windows])  # (b, poses or frames of a window * channels, H, W)
        with autocast(self.device):
            return G(x).float()  # type: ignore[no-any-return]


def refined(painted: Tensor, coarse: Tensor, config: Config) -> Tensor:
    """Frames of stage II from what G_2 paints and stage I's frames, `(B, C, H, W)`; a sum may pass 1."""
    return coarse + painted if config.residual else painted


def around(frames: Iterable[Tensor], before: int, after: int) -> Iterator[list[Tensor]]:
    """Every frame with its neighbours, `before + 1 + after` of them, as soon as they are there; ends are repeated."""
    held: deque[Tensor] = deque(maxlen=before + 1 + after)
    waiting = 0  # frames that have not been in the middle
    for frame in frames:
        if not held:
            held.extend([frame] * before)
        held.append(frame)
        waiting += 1
        if waiting > after:
            yield list(held)
            waiting -= 1
    for _ in range(after if held else 0):
        held.append(held[-1])
        if len(held) == held.maxlen:
            yield list(held)
