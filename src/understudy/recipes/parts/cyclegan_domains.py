"""The pictures that CycleGAN translates: its domain A, see `recipes/cyclegan.py`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from understudy.base.frame_store import FrameStore
from understudy.conditioning.clips import Clip, read_clip
from understudy.conditioning.limbs import limb_falloff
from understudy.poses.pose import OPENPOSE18_LIMBS
from understudy.retargeting.alignment import BodyStatistics, align, body_statistics

if TYPE_CHECKING:
    from understudy.performance import Performance
    from understudy.recipes.parts.cyclegan_config import Config
    from understudy.recipes.parts.trained import Arrays


def aligned_clip(
    config: Config,
    statistics: Arrays,
    driving: Performance,
    body: BodyStatistics,
    working_size: int,
    device: torch.device,
    store: FrameStore | None = None,
) -> Clip:
    """A driver's frames over `driving_colour`, to be aligned with the reference."""
    red, green, blue = (int(value) for value in statistics["driving_colour"])
    alignment = align(body_statistics(driving.poses), body, config.placement.scale_by)
    options = (1, config.seen_above, config.size, working_size, device)
    return read_clip(driving, alignment, (red, green, blue), *options, store=store)


def stick_figures(xy: Tensor, seen: Tensor, size: int, sigma: float) -> Tensor:
    """Poses as pictures: every limb a soft line of a colour of its own, over black.

    Args:
        xy: `(B, 18, 2)` pixels of the size x size picture.
        seen: `(B, 18)` bool; a limb with an unseen end is not drawn.
        sigma: pixels: standard deviation of a line's profile.

    Returns:
        `(B, 3, size, size)` in [-1, 1].
    """
    limbs = torch.tensor(OPENPOSE18_LIMBS, device=xy.device)  # (L, 2)
    ends, ends_seen = xy[:, limbs].flatten(0, 1), seen[:, limbs].flatten(0, 1)  # (B*L, 2, 2), (B*L, 2)
    one = torch.tensor([[0, 1]], device=xy.device)
    lines = limb_falloff(ends, ends_seen, one, (size, size), sigma).view(len(xy), len(limbs), 1, size, size)
    return (lines * limb_colours(xy.device)[:, :, None, None]).amax(dim=1) * 2 - 1


def limb_colours(device: torch.device) -> Tensor:
    """Of each of `OPENPOSE18_LIMBS`, RGB, `(L, 3)` in [0, 1]."""
    count = len(OPENPOSE18_LIMBS)
    hue = torch.arange(count, device=device)[:, None] / count + torch.arange(3, device=device) / 3
    return 0.5 + 0.5 * torch.cos(2 * math.pi * hue)
