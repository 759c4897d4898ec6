"""Everybody Dance Now (Chan, Ginosar, Zhou, Efros 2019), the way from a pose sequence to a video.

Equation and section numbers are the paper's. x: pose stick figures, y: frames, G: stick figures -> frames of the
reference's person, D: three discriminators on three scales. Stages follow one another: G at half the size, G with a
local enhancer at full size (both after pix2pixHD), then G_f for the face with G held still.

Global pose normalisation (sections 3.1 and 8.5) is `retargeting/global_normalization.py`, which every recipe can use.
The fake detector (section 5) is in `forensics/`.

Shape letters: B windows, N consecutive frames (2, or 1 without temporal smoothing), S the side of the square picture,
F the side of a face patch.
"""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from understudy import losses
from understudy.base.devices import Device, ready_device
from understudy.conditioning.clips import Clip
from understudy.conditioning.pictures import as_values, pixels
from understudy.conditioning.stick_figure import palette
from understudy.networks.pix2pixhd import GlobalGenerator, LocalEnhancer, MultiScaleDiscriminator
from understudy.networks.unet import initialise
from understudy.networks.vgg import VGG19Features
from understudy.poses.pose import Pose
from understudy.recipes.parts.everybody_dance_now_config import FACE, GLOBAL, LOCAL, NAMES, Config, fast, paper, preview
from understudy.recipes.parts.everybody_dance_now_faces import FaceGAN, Patches, face_generator_for, refine
from understudy.recipes.parts.everybody_dance_now_footage import Footage, Studio, paint
from understudy.recipes.parts.trained import ArraySpec, Trained, arrays_of, below, restored
from understudy.training import loop as training
from understudy.training.run_folder import fingerprint
from understudy.training.stages import Stages

if TYPE_CHECKING:
    from understudy.performance import Performance

log = logging.getLogger(__name__)

__all__ = ["Config", "contents", "fast", "generate", "paper", "preview", "train"]

STREAMS = {GLOBAL: (1, 2), LOCAL: (3, 4)}
"""streams of random numbers, for the choice of windows and for their augmentation: none is shared"""


# -- Training, in stages (section 3.3) ---------------------------------------------------------------------------


def global_stage(studio: Studio) -> training.Outcome | None:
    """G at the size that the local enhancer will double, or at full size if there is none to come."""
    config = studio.config
    size = config.size // 2**config.local_enhancers
    torch.manual_seed(studio.seed)
    generator = global_generator_for(config)
    initialise(generator, config.initial_deviation)
    trainee = PoseToVideo(studio, GLOBAL, generator, size)
    return studio.train(GLOBAL, trainee, studio.epoch)


def local_stage(studio: Studio, before: training.Outcome) -> training.Outcome | None:
    """The enhancer around the G of the global stage: first it alone, then both as one network."""
    config = studio.config
    torch.manual_seed(studio.seed)
    generator = generator_for(config)
    initialise(generator, config.initial_deviation)
    assert isinstance(generator, LocalEnhancer)
    restored(generator.global_generator, before.weights, torch.device("cpu")).train()
    trainee = PoseToVideo(studio, LOCAL, generator, config.size)
    return studio.train(LOCAL, trainee, studio.epoch)


class PoseToVideo:
    """G and D on the device; `training_step` is one step of eq. 3."""

    shown = "generator"

    def __init__(self, studio: Studio, stage: str, generator: GlobalGenerator | LocalEnhancer, size: int):
        config = self.config = studio.config
        self.studio, self.stage, self.size = studio, stage, size
        self.lambda_p = config.lambda_p[NAMES.index(stage)]
        judge = MultiScaleDiscriminator(config.consecutive * (3 + 3), config.discriminator_width, config.scales)
        initialise(judge, config.initial_deviation)
        self.coarse = generator.global_generator if isinstance(generator, LocalEnhancer) else None
        for network in (generator, judge):
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.G, self.optimize_G = studio.fabric.setup(generator, studio.adam(generator))
        self.D, self.optimize_D = studio.fabric.setup(judge, studio.adam(judge))
        self.networks: Mapping[str, nn.Module] = {"generator": generator, "D": judge}
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {"generator": self.optimize_G, "D": self.optimize_D}

    def training_step(self, step: int) -> dict[str, Tensor]:
        if self.coarse is not None:
            self.coarse.requires_grad_(step >= self.joins_at)
        x, y = self.studio.footage.pairs(STREAMS[self.stage], step, self.size)  # (B, N, 3, S, S)
        fake = self._window(x)
        real_maps = self.D(_stack(x, y))

        # G: eq. 3 = sum_k L_smooth + lambda_FM sum_k L_FM + lambda_P (L_P of every frame), k the scales of D.
        # It comes before D, so that both are judged by the same D and the real frames are shown to it once
        with training.frozen(self.D):
            fake_maps = self.D(_stack(x, fake))
            gan = [losses.least_squares_generator_loss(maps[-1]).mean() for maps in fake_maps]
            fixed = [[features.detach() for features in maps] for maps in real_maps]
            matching = losses.feature_matching(fixed, fake_maps)
            perceptual = self.studio.perceptual(fake.flatten(0, 1), y.flatten(0, 1))
            goal = {
                "gan": torch.stack(gan).sum(),
                "fm": self.config.lambda_fm * matching.mean(),
                "p": self.lambda_p * perceptual.mean() * self.config.consecutive,
            }
            training.descend(self.studio.fabric, self.optimize_G, goal)

        # D: tell (x_{t-1}, x_t, y_{t-1}, y_t) from (x_{t-1}, x_t, G(x_{t-1}), G(x_t)), eq. 1, by least squares
        fake_maps = self.D(_stack(x, fake.detach()))
        judged = [
            losses.least_squares_discriminator_loss(real[-1], fake[-1]).mean()
            for real, fake in zip(real_maps, fake_maps, strict=True)
        ]
        named = {"D": torch.stack(judged).sum()}
        training.descend(self.studio.fabric, self.optimize_D, named)
        return named | goal

    @property
    def joins_at(self) -> int:
        """Step of the local stage from which the G of the global stage learns along."""
        config = self.config
        steps = config.steps[1] if config.steps else config.epochs[1] * self.studio.epoch
        return round(config.enhancer_alone * steps)

    def _window(self, x: Tensor) -> Tensor:
        """G(x_{t-1}) from a zero image, and G(x_t) from G(x_{t-1}): `(B, N, 3, S, S)`."""
        if not self.config.temporal_smoothing:
            return self.G(x[:, 0])[:, None]  # type: ignore[no-any-return]
        before, now = x.unbind(1)
        first = self.G(torch.cat([before, torch.zeros_like(before)], 1))
        return torch.stack([first, self.G(torch.cat([now, first], 1))], 1)

    def preview(self, generator: nn.Module, folder: Path, step: int) -> None:
        from understudy.recipes.parts.previews import write_previews

        footage, config = self.studio.footage, self.config
        if self.coarse is None:
            config = dataclasses.replace(config, size=self.size, local_enhancers=0)

        def play(clip: Clip, start: int, stop: int) -> list[npt.NDArray[np.uint8]]:
            xy, seen = (values[start:stop] for values in clip.all_joints())
            painted = paint(generator, config, footage.colours, xy, seen)
            return [picture for _, frames in painted for picture in pixels(frames)]

        clip = footage.clip.resized(self.size / self.config.size)
        write_previews(play, clip, [], self.size, self.config.consecutive, folder, step)


def _stack(x: Tensor, frames: Tensor) -> Tensor:
    """What D sees: `(B, N * (3 + 3), S, S)`."""
    return torch.cat([x.flatten(1, 2), frames.flatten(1, 2)], 1)


def face_stage(studio: Studio, G: nn.Module, config: Config) -> training.Outcome | None:
    """G_f, on faces as G paints them: G is held still, so it plays the reference once, before."""
    torch.manual_seed(studio.seed)
    footage = studio.footage
    painted = paint(G, config, footage.colours, *footage.clip.all_joints())
    patches = Patches(footage, painted, config.face_size)
    if len(patches) < config.batch:
        log.warning("the face stage is left out: %d frames show a face, and it needs %d", len(patches), config.batch)
        return None
    trainee = FaceGAN(studio, patches)
    return studio.train(FACE, trainee, math.ceil(len(patches) / config.batch))


@training.out_of_memory_told()
def train(
    reference: Performance,
    unpaired: Sequence[Performance],
    run_folder: Path,
    config: Config,
    *,
    seed: int = 0,
    resume: bool = False,
    max_minutes: float | None = None,
    max_steps: int | None = None,
    device: Device = "auto",
) -> Trained:
    """Trains G, and G_f after it, on the reference's frames.

    Args:
        reference: the person whose looks are learnt.
        unpaired: not learnt from; a warning says so.
        run_folder: holds a folder for each stage, see `training.run`; the caller holds its lock.
        max_minutes, max_steps: of all stages together. The config that is returned leaves out what was not reached.

    Raises:
        TrainingError: too few frames to learn from, memory ran out, or see `training.run`.
        Interrupted: after Ctrl-C or SIGTERM, with the state saved.
    """
    if unpaired:
        names = ", ".join(one.path.name for one in unpaired)
        log.warning("everybody-dance-now learns from the reference alone: nothing is learnt from %s", names)
    fabric = training.launch(device)
    footage = Footage(reference, config, seed, fabric.device)
    phi = VGG19Features(config.vgg_layers, config.features).to(fabric.device)
    settings = {
        "recipe": "everybody-dance-now",
        "config": dataclasses.asdict(config),
        "features": phi.taken,
        "seed": seed,
        "flat_colour": footage.flat,
        "reference": fingerprint(reference),
    }
    stages = Stages(
        run_folder,
        {name: config.shares[NAMES.index(name)] for name in config.stages},
        fabric=fabric,
        settings=settings,
        seed=seed,
        ema_decay=config.ema_decay,
        resume=resume,
        max_minutes=max_minutes,
        max_steps=max_steps,
    )
    studio = Studio(config, footage, phi, stages, fabric, seed)

    main = global_stage(studio)
    assert main is not None  # max_steps and max_minutes are above 0
    reached = dataclasses.replace(config, size=config.size // 2**config.local_enhancers, local_enhancers=0, face=False)
    if config.local_enhancers:
        enhanced = local_stage(studio, main)
        if enhanced is not None:
            main, reached = enhanced, dataclasses.replace(config, face=False)
    weights = {f"main/{name}": value for name, value in main.weights.items()}
    if config.face and reached.size == config.size and not stages.exhausted:
        G = restored(generator_for(reached), main.weights, fabric.device)
        face = face_stage(studio, G, reached)
        if face is not None:
            weights |= {f"face/{name}": value for name, value in face.weights.items()}
            reached = config
    stages.tell_what_is_left(config.stages)

    statistics = {"palette": footage.palette}
    if footage.flat is not None:
        statistics["flat_colour"] = np.array(footage.flat, np.uint8)
    record = stages.record | {
        "joined_at": None,
        "features": phi.taken,
        "data": f"{len(footage.clip.windows)} runs of {config.consecutive} frames of the reference",
        "augmentation": {"rotate": config.rotate, "zoom": config.zoom, "shift": config.shift},
    }
    return Trained(reached, weights, statistics, record)


# -- Generation ----------------------------------------------------------------------------------------------------


def global_generator_for(config: Config) -> GlobalGenerator:
    """G of the global stage with fresh weights; it sees its own last frame when smoothing."""
    in_channels = 3 + 3 * config.temporal_smoothing
    return GlobalGenerator(in_channels, 3, config.width, config.downsamplings, config.blocks)


def generator_for(config: Config) -> GlobalGenerator | LocalEnhancer:
    """G as it performs, with fresh weights."""
    generator = global_generator_for(config)
    if not config.local_enhancers:
        return generator
    return LocalEnhancer(3 + 3 * config.temporal_smoothing, 3, generator, config.enhancer_blocks)


def contents(config: Config) -> tuple[ArraySpec, ArraySpec]:
    """Weights and statistics that an actor of this recipe holds."""
    with torch.device("meta"):
        weights = {f"main/{name}": spec for name, spec in arrays_of(generator_for(config)).items()}
        if config.face:
            weights |= {f"face/{name}": spec for name, spec in arrays_of(face_generator_for(config)).items()}
    statistics: ArraySpec = {"palette": ("|u1", palette().shape)}
    if not config.whole_frame:
        statistics["flat_colour"] = ("|u1", (3,))
    return weights, statistics


def generate(
    config: Config,
    weights: Mapping[str, npt.NDArray[Any]],
    statistics: Mapping[str, npt.NDArray[Any]],
    pose: Pose,
    *,
    device: Device = "auto",
    batch: int = 8,
) -> Iterator[npt.NDArray[np.uint8]]:
    """Plays a pose sequence: one frame a pose, generated as it is asked for.

    Args:
        config, weights, statistics: of a `Trained`.
        pose: aligned with the reference, in pixels of the recipe's S x S frame.
        batch: frames drawn, refined and fetched at a time; without temporal smoothing G paints as many at once.

    Yields:
        `(S, S, 3)` RGB uint8: the reference's room with the person, or the person over the flat colour.
    """
    chosen = ready_device(device)
    G = restored(generator_for(config), below(weights, "main/"), chosen)
    G_f = restored(face_generator_for(config), below(weights, "face/"), chosen) if config.face else None
    colours = as_values(torch.from_numpy(np.array(statistics["palette"]))).to(chosen)
    xy = torch.from_numpy(np.asarray(pose.xy, np.float32)).to(chosen)
    seen = torch.from_numpy(pose.confidence > config.seen_above).to(chosen)
    first = 0
    for x, frames in paint(G, config, colours, xy, seen, batch):
        part = slice(first, first + len(x))
        yield from pixels(frames if G_f is None else refine(G_f, config, xy[part], seen[part], x, frames))
        first += len(x)
