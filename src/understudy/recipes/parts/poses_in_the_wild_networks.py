"""G_1 and G_2 of `poses_in_the_wild.py`: their sizes, what an actor holds of them, and what other programs may run."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from understudy.conditioning.limb_maps import THICKNESS
from understudy.networks.pix2pixhd import GlobalGenerator, LocalEnhancer
from understudy.poses.pose import PART_NAMES, PARTS, POINTS
from understudy.recipes.parts.cut import RGB, Cut, flat_colour_of
from understudy.recipes.parts.poses_in_the_wild_config import Config
from understudy.recipes.parts.trained import Arrays, ArraySpec, arrays_of, below, restored


def condition_channels(config: Config, second: bool) -> int:
    """Channels of x: 2K + 1 poses (K + 1 with `past_only`), or in stage II as many frames."""
    if second:
        return (2 * config.neighbours + 1) * config.channels
    return (config.neighbours + 1 + config.after) * len(PARTS)


def generator_for(config: Config, second: bool) -> GlobalGenerator | LocalEnhancer:
    """G_1 or G_2 with fresh weights."""
    channels = condition_channels(config, second)
    generator = GlobalGenerator(channels, config.channels, config.width, config.downsamplings, config.blocks)
    if not config.progressive:
        return generator
    return LocalEnhancer(channels, config.channels, generator, config.enhancer_blocks)


def contents(config: Config) -> tuple[ArraySpec, ArraySpec]:
    """Weights and statistics that an actor of this recipe holds."""
    with torch.device("meta"):
        weights = {f"pose/{name}": spec for name, spec in arrays_of(generator_for(config, second=False)).items()}
        if config.refine:
            weights |= {f"texture/{name}": spec for name, spec in arrays_of(generator_for(config, second=True)).items()}
    statistics: ArraySpec = {"shown_points": ("|u1", (POINTS,))}
    if not config.whole_frame:
        statistics["flat_colour"] = ("|u1", (3,))
    return weights, statistics


class Added(nn.Module):
    """Stage II that paints what is added to stage I's frame, and the sum itself, as `refined` has it.

    Args:
        G_2: ready to generate.
        channels: of a frame.
        neighbours: K, frames before and after the one that is painted.
    """

    def __init__(self, G_2: nn.Module, channels: int, neighbours: int) -> None:
        super().__init__()
        self.G_2, self.first, self.last = G_2, channels * neighbours, channels * (neighbours + 1)

    def forward(self, frames: Tensor) -> Tensor:
        """frames `(B, (2K + 1) * channels, H, W)` of stage I -> the one in their middle, which may pass 1."""
        return frames[:, self.first : self.last] + self.G_2(frames)  # type: ignore[no-any-return]


def cuts(config: Config, weights: Arrays, statistics: Arrays) -> tuple[Cut, ...]:
    """G_1, from part maps to a frame, and G_2, from frames of G_1 to a better one."""
    cpu, k = torch.device("cpu"), config.neighbours
    frame = RGB if config.whole_frame else (*RGB, "alpha")
    line = config.line * config.box_hw[0]
    maps = {
        "kind": "part maps",
        "size_hw": list(config.box_hw),
        "seen_above": config.seen_above,
        "poses": [*range(-k, config.after + 1)],
        "parts": [[list(ends) for ends in part] for part in PARTS],
        "thickness": [share * line for share in THICKNESS],
        "flat_colour": flat_colour_of(statistics),
        "points_around": [int(point) for point in np.flatnonzero(statistics["shown_points"])],
    }
    shown = "it is the picture" if config.whole_frame else "it is the person over flat_colour, with alpha to cut by"
    of_poses = tuple(f"pose {at:+d}: {part}" for at in range(-k, config.after + 1) for part in PART_NAMES)
    G_1 = restored(generator_for(config, second=False), below(weights, "pose/"), cpu)
    first = Cut("", G_1, config.box_hw, of_poses, frame, maps, f"stage I of moment 0, in the box: {shown}")
    if not config.refine:
        return (first,)
    G_2 = restored(generator_for(config, second=True), below(weights, "texture/"), cpu)
    whole = Added(G_2, config.channels, k).eval() if config.residual else G_2
    frames = {"kind": "frames", "size_hw": list(config.box_hw), "frames": [*range(-k, k + 1)]}
    of_frames = tuple(f"stage I, moment {at:+d}: {channel}" for at in range(-k, k + 1) for channel in frame)
    use = f"stage II of moment 0, in the box, values clipped to [-1, 1]: {shown}"
    return first, Cut("texture", whole, config.box_hw, of_frames, frame, frames, use, played=G_2)
