"""What G_1 and G_2 of `poses_in_the_wild.py` learn from: windows of the reference's poses and frames, and of others'.

Everything here is seen in a box that follows the person (`retargeting/person_box.py`), each pose in the box of its own
frame. Shape letters: B windows, M frames of a window, N poses of a window (its frames and their neighbours), J = 133
points, P parts of the body, C channels of a frame (RGB, and alpha unless the room is painted), H and W of the box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from einops import rearrange
from torch import Tensor

from understudy.conditioning.clips import chained, flat_colour, random_similarity, read_clip
from understudy.conditioning.limb_maps import limb_maps
from understudy.poses.similarity import edge_to_edge
from understudy.recipes.parts.poses_in_the_wild_config import Config
from understudy.retargeting.alignment import body_statistics
from understudy.retargeting.augmentation import PoseNoise, augmented
from understudy.retargeting.person_box import Boxes, person_boxes, shown_points
from understudy.unpaired.pool import PosePool, PoseSequence

if TYPE_CHECKING:
    from understudy.base.frame_store import FrameStore
    from understudy.performance import Performance
    from understudy.training.chance import Chance

FPS = Fraction(30)
"""for the calm of boxes: whatever the rate of a clip, so that a generator needs to know none"""


@dataclass(frozen=True)
class Poses:
    """Windows of poses in pixels of the box, as they are drawn."""

    xy: Tensor
    """(B, N, J, 2)"""
    seen: Tensor
    """(B, N, J) bool"""
    kept: Tensor | None = None
    """(B, N, P) bool: parts to draw; None for all"""

    def at(self, moment: int) -> Poses:
        """One pose of every window, N = 1."""
        one = slice(moment, moment + 1)
        return Poses(self.xy[:, one], self.seen[:, one], None if self.kept is None else self.kept[:, one])

    def maps(self, config: Config, shrink: int = 1) -> Tensor:
        """Limb maps `(B, N, P, H, W)` in [0, 1] of a box `shrink` times smaller than the config's."""
        height, width = (side // shrink for side in config.box_hw)
        xy = edge_to_edge(self.xy, shrink=shrink)
        kept = None if self.kept is None else self.kept.flatten(0, 1)
        drawn = limb_maps(xy.flatten(0, 1), self.seen.flatten(0, 1), (height, width), config.line * height, kept=kept)
        return rearrange(drawn, "(b n) p h w -> b n p h w", b=len(self.xy))


class Footage:
    """The reference and other people's poses on the device, and the windows that are drawn from them."""

    def __init__(
        self,
        performance: Performance,
        unpaired: Sequence[Performance | PoseSequence],
        config: Config,
        chance: Chance,
        device: torch.device,
        store: FrameStore | None = None,
    ):
        self.config, self.chance, self.device = config, chance, device
        self.flat = None if config.whole_frame else flat_colour(performance)
        working_size = performance.header.size_hw[0]
        self.clip = read_clip(
            performance,
            None,
            self.flat or (0, 0, 0),
            config.judged,
            config.seen_above,
            config.size,
            working_size,
            device,
            all_points=True,
            as_filmed=config.whole_frame,
            with_alpha=not config.whole_frame,
            own_edges=not config.whole_frame,
            at_least=config.optimisation.batch,
            store=store,
        )
        xy, seen = self.clip.xy.cpu().numpy(), self.clip.seen.cpu().numpy()
        self.points = shown_points(seen)
        boxes = self._boxes(xy, seen)
        self.to_box = torch.from_numpy(boxes.to_box(config.box_hw)).to(device)  # (T, 2, 3) from working pixels
        self.pool: PosePool | None = None
        if unpaired and config.unpaired:
            body = body_statistics(performance.poses)
            poses_a_window = config.neighbours + 1 + config.after + 2 * config.neighbours * config.refine
            self.pool = PosePool.of(unpaired, body, poses_a_window, config.seen_above, fit=config.placement.fit_limbs)

    def paired(
        self, streams: tuple[int, int, int], step: int, around: tuple[int, int], noise: PoseNoise
    ) -> tuple[Poses, Tensor]:
        """Windows of the reference: poses, damaged by `noise`, and frames `(B, M, C, H, W)` in [-1, 1].

        Args:
            streams: of random numbers, for the choice of windows, for their similarities and for the damage.
            around: poses before the first of the M frames and after the last; a clip's ends are repeated.
        """
        config, clip, b = self.config, self.clip, self.config.optimisation.batch
        start = clip.windows[self.chance.draw(streams[0], step, b, len(clip.windows))]
        reach = torch.arange(-around[0], config.judged + around[1], device=self.device)
        moment = (start[:, None] + reach).clamp(0, len(clip.xy) - 1)  # (B, N)
        transform = chained(self._moves(streams[1], step, b)[:, None], self.to_box[moment])  # (B, N, 2, 3)
        xy = _moved(transform, clip.xy[moment])
        frames = slice(around[0], around[0] + config.judged)
        shown = moment[:, frames].flatten(), transform[:, frames].flatten(0, 1)
        y = rearrange(clip.frames_at(*shown, config.box_hw), "(b m) c h w -> b m c h w", b=b)
        rng = self.chance.generator(streams[2], step)
        return Poses(*augmented(rng, xy, clip.seen[moment], noise)), y

    def unpaired(self, streams: tuple[int, int, int], step: int, around: tuple[int, int]) -> Poses:
        """Windows of other people's poses around one frame each, in boxes of their own; see `paired`.

        As they were found, since they are in the wild already.
        """
        assert self.pool is not None
        config, b = self.config, self.config.optimisation.batch
        rng = self.chance.generator(streams[0], step)
        xy, seen = self.pool.draw(rng, b)  # (B, N, J, 2), in the reference's working pixels
        middle = config.neighbours * (1 + config.refine)  # of the windows that the pool draws
        some = slice(middle - around[0], middle + 1 + around[1])
        to_box = np.stack([self._boxes(*window).to_box(config.box_hw) for window in zip(xy, seen, strict=True)])
        transform = chained(self._moves(streams[1], step, b)[:, None], _on(to_box[:, some], self.device))
        joints, found = _on(xy[:, some], self.device), _on(seen[:, some], self.device)
        return Poses(_moved(transform, joints), found)

    def _boxes(self, xy: npt.NDArray[Any], seen: npt.NDArray[Any]) -> Boxes:
        if self.config.whole_frame:
            return whole_boxes(len(xy), self.clip.working_size)
        return boxes_of(xy, seen, self.points, self.config)

    def _moves(self, stream: int, step: int, count: int) -> Tensor:
        """`count` random similarities `(B, 2, 3)` of the box about its middle."""
        config, nothing = self.config, torch.eye(3, device=self.device)[:2]
        rng = self.chance.generator(stream, step)
        return random_similarity(rng, nothing, count, config.box_hw, *config.augmentation.amounts)


def boxes_of(xy: npt.NDArray[Any], seen: npt.NDArray[Any], points: npt.NDArray[Any], config: Config) -> Boxes:
    """The boxes of poses `(T, J, 2)`, in their pixels, around the `points` `(J,)` that the reference shows."""
    return person_boxes(xy, seen, FPS, config.box_hw[1] / config.box_hw[0], np.asarray(points, bool))


def whole_boxes(frames: int, size: int) -> Boxes:
    """Boxes that are the whole square frame of `size` pixels."""
    return Boxes(np.full((frames, 2), (size - 1) / 2), np.full(frames, float(size)), 1.0)


def stacked(frames: Tensor, count: int) -> Tensor:
    """`count` neighbours as one condition: `(B, N, C, H, W)` -> `(B, N - count + 1, count * C, H, W)`."""
    return rearrange(frames.unfold(1, count, 1), "b m c h w k -> b m (k c) h w")


def _moved(transform: Tensor, xy: Tensor) -> Tensor:
    """Joints `(B, N, J, 2)`, each frame's moved by its transform `(B, N, 2, 3)`."""
    return torch.einsum("bnij,bnkj->bnki", transform[..., :2], xy) + transform[..., None, :, 2]


def _on(values: npt.NDArray[Any], device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).to(device)
