"""The face GAN of Everybody Dance Now (Chan et al. 2019, section 3.2): detail for the face, with G held still.

Shape letters: B faces, F the side of a face patch, S that of the picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from understudy import losses
from understudy.base.devices import autocast
from understudy.base.engines import Call
from understudy.base.frame_store import FrameStore, on_device
from understudy.base.progress import progress_bar
from understudy.conditioning.face_crops import (
    BORDER,
    HEAD,
    PER_NECK,
    PER_SPREAD,
    PER_TRUNK,
    SMALLEST,
    cut,
    face_boxes,
    put_back,
)
from understudy.conditioning.pictures import as_levels, as_values, pixels
from understudy.networks.patchgan import PatchGAN
from understudy.networks.perceptual import PerceptualDistance
from understudy.networks.pix2pixhd import GlobalGenerator
from understudy.networks.unet import initialise
from understudy.poses.pose import LEFT_HIP, LEFT_SHOULDER, NOSE, RIGHT_HIP, RIGHT_SHOULDER
from understudy.recipes.parts.cut import RGB, Cut
from understudy.recipes.parts.everybody_dance_now_config import Config
from understudy.recipes.parts.everybody_dance_now_footage import Footage
from understudy.recipes.parts.trained import Arrays, restored
from understudy.training.session import Session
from understudy.training.step import descend, frozen

CHOICE = 5
"""stream of random numbers; 1 to 4 are those of the stages before"""


class Patches:
    """Faces of the reference: x_F of the stick figure, G(x)_F of what G paints, y_F of the frame; 8 bits a value.

    Args:
        footage: the reference.
        painted: stick figures and generated frames of the whole reference, in order, as `paint` gives them.
        size: pixels: side F.
        store: where they are kept; None keeps them in memory.
    """

    def __init__(
        self,
        footage: Footage,
        painted: Iterable[tuple[Tensor, Tensor]],
        size: int,
        store: FrameStore | None = None,
    ):
        clip = footage.clip
        boxes = face_boxes(*clip.all_joints())
        found = torch.zeros_like(boxes[2])
        found[(clip.windows[:, None] + footage.window).flatten()] = True
        found &= boxes[2]
        shape = (int(found.sum()), 9, size, size)
        store = store or on_device(found.device)
        self.levels = store.keep(
            self._levels(footage, painted, size, boxes, found), shape, torch.uint8, "faces of the reference"
        )

    def _levels(
        self,
        footage: Footage,
        painted: Iterable[tuple[Tensor, Tensor]],
        size: int,
        boxes: tuple[Tensor, Tensor, Tensor],
        found: Tensor,
    ) -> Iterator[Tensor]:
        """(9, F, F) of every frame that was found to have a face."""
        (centres, sides, _), clip, first = boxes, footage.clip, 0
        with progress_bar("playing the reference", len(found)) as advance:
            for x, frames in painted:
                moment = torch.arange(first, first + len(x), device=x.device)
                y = clip.frames_at(moment, clip.to_picture.expand(len(x), 2, 3), footage.config.size)
                patches = cut(torch.cat([x, frames, y], 1), centres[moment], sides[moment], size)
                yield from as_levels(patches[found[moment]])
                first += len(x)
                advance(len(x))

    def __len__(self) -> int:
        return len(self.levels)

    def __getitem__(self, chosen: npt.NDArray[Any]) -> tuple[Tensor, Tensor, Tensor]:
        """x_F, G(x)_F and y_F, each `(B, 3, F, F)` float32 in [-1, 1]."""
        x, frames, y = torch.split(as_values(self.levels[chosen]), 3, dim=1)
        return x, frames, y


class FaceGAN:
    """G_f and D_f on the device; `training_step` is one step of eq. 5."""

    shown = "generator"

    def __init__(self, session: Session, phi: PerceptualDistance, patches: Patches):
        config = self.config = session.config
        self.session, self.phi, self.patches = session, phi, patches
        generator = face_generator_for(config)
        judge = PatchGAN(3 + 3, config.face_width)
        for network in (generator, judge):
            initialise(network, config.optimisation.initial_deviation)
        self.G_f, self.optimize_G_f = session.fitted(generator)
        self.D_f, self.optimize_D_f = session.fitted(judge)
        self.networks: Mapping[str, nn.Module] = {"generator": generator, "D_f": judge}
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {
            "generator": self.optimize_G_f,
            "D_f": self.optimize_D_f,
        }

    def training_step(self, step: int) -> dict[str, Tensor]:
        config, session = self.config, self.session
        chosen = session.chance.draw(CHOICE, step, config.optimisation.batch, len(self.patches))
        x, coarse, y = self.patches[chosen]  # x_F, G(x)_F, y_F: (B, 3, F, F)
        fake = coarse + self.G_f(torch.cat([x, coarse], 1))  # G(x)_F + r

        # D_f: tell (x_F, y_F) from (x_F, G(x)_F + r), eq. 2
        real_logits, fake_logits = self.D_f(torch.cat([x, y], 1)), self.D_f(torch.cat([x, fake.detach()], 1))
        named = {"D_f": losses.discriminator_loss(real_logits, fake_logits).mean()}
        descend(session.fabric, self.optimize_D_f, named)

        # G_f: eq. 5 = L_face + lambda_P L_P
        with frozen(self.D_f):
            goal = {
                "gan": losses.generator_loss(self.D_f(torch.cat([x, fake], 1))).mean(),
                "p": config.lambda_p[2] * self.phi.distance(fake, y).mean(),
            }
            descend(session.fabric, self.optimize_G_f, goal)
        return named | goal

    def preview(self, generator: nn.Module, folder: Path, step: int) -> None:
        from understudy.recipes.parts.previews import COLUMNS, write_rows

        x, coarse, y = self.patches[np.linspace(0, len(self.patches) - 1, COLUMNS).astype(int)]
        refined = coarse + generator(torch.cat([x, coarse], 1))
        rows = {"stick figure": x, "reference": y, "generated": coarse, "with residual": refined}
        write_rows({name: list(pixels(values)) for name, values in rows.items()}, folder, step)


def face_generator_for(config: Config) -> GlobalGenerator:
    """G_f with fresh weights."""
    return GlobalGenerator(3 + 3, 3, config.face_width, config.face_downsamplings, config.face_blocks)


@torch.no_grad()
def refine(G_f: Call, config: Config, xy: Tensor, seen: Tensor, x: Tensor, frames: Tensor) -> Tensor:
    """Adds r = G_f(x_F, G(x)_F) to the face of each frame; those in which no nose is seen stay as they are."""
    centres, sides, usable = face_boxes(xy, seen)
    x_F, frames_F = (cut(pictures, centres, sides, config.face_size) for pictures in (x, frames))
    with autocast(xy.device):
        residual = G_f(torch.cat([x_F, frames_F], 1))
    return put_back(frames, residual.float(), centres, sides, usable)


def face_cut(config: Config, weights: Arrays) -> Cut:
    """G_f, from a face's square of the stick figure and of the picture to what is added there."""
    G_f = restored(face_generator_for(config), weights, torch.device("cpu"))
    squares = {
        "kind": "face",
        "size_hw": [config.face_size, config.face_size],
        "seen_above": config.seen_above,
        "nose": NOSE,
        "head": HEAD,
        "shoulders": [LEFT_SHOULDER, RIGHT_SHOULDER],
        "hips": [LEFT_HIP, RIGHT_HIP],
        "per_spread": PER_SPREAD,
        "per_neck": PER_NECK,
        "per_trunk": PER_TRUNK,
        "smallest": SMALLEST,
        "border": BORDER,
    }
    given = tuple(
        f"the face's square of the {what}: {channel}" for what in ("stick figure", "picture") for channel in RGB
    )
    use = "it is added to the face's square of the picture, less towards the border; values are clipped to [-1, 1]"
    return Cut("face", G_f, (config.face_size, config.face_size), given, RGB, squares, use)
