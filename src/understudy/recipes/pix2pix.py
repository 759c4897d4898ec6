"""pix2pix (Isola, Zhu, Zhou, Efros 2017, arXiv 1611.07004), given a pose volume instead of a picture.

The baseline of Aberman et al. 2018, section 5.1: trained on pairs of the reference's own poses and frames alone, one
at a time. Against performance cloning it lacks the other people's motion, time, and the perceptual loss, whose place
L1 on RGB takes. Networks, data, augmentation and average weights are the same, so that this is what is compared.

The dropout that stands in for pix2pix's noise z is on in training only. Isola et al. leave it on when generating, and
find that it changes little; here the same poses must always give the same video.

Shape letters: B poses, J = 18 joints, S the side of the square picture.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from understudy import losses
from understudy.base.devices import Device, autocast, computes_in_bfloat16, ready_device
from understudy.conditioning.clips import Clip, flat_colour, random_similarity, read_clip
from understudy.conditioning.heatmaps import joint_statistics, normalised_heatmaps
from understudy.conditioning.pictures import pixels
from understudy.networks.patchgan import PatchGAN
from understudy.networks.unet import UNet, initialise
from understudy.poses.pose import OPENPOSE18_NAMES, Pose
from understudy.recipes.parts.trained import CONDITION_STATISTICS, ArraySpec, Trained, arrays_of, restored
from understudy.retargeting.alignment import NormalizeBy, ScaleBy
from understudy.training import loop as training
from understudy.training.run_folder import fingerprint

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from understudy.performance import Performance

log = logging.getLogger(__name__)

JOINTS = len(OPENPOSE18_NAMES)
CHOICE, AUGMENTATION = 1, 2
"""streams of random numbers"""


@dataclass(frozen=True)
class Config:
    """The paper's numbers (its appendix 6). Lengths in pixels are of the S x S picture."""

    size: int = 256
    """pixels: side S of the square picture"""
    scale_by: ScaleBy = "hips"
    """what sets the one scale that aligns a driver, see `alignment.align`"""
    fit_limbs: bool = False
    """give the driver's limbs the reference's lengths when performing"""
    normalization: NormalizeBy = "similarity"
    """how a driver is brought to the reference's place, see `perform.aligned_poses`"""
    joint_sigma: float = 6.0
    """pixels: standard deviation of a joint's Gaussian, as in performance cloning"""
    seen_above: float = 0.1
    """confidence above which a joint counts as seen"""
    width: int = 64
    """channels of G's first level"""
    depth: int = 8
    """halvings in G"""
    discriminator_width: int = 64
    """channels of the first layer of D"""
    dropout: float = 0.5
    """probability, in G's inner decoder; in training only"""
    initial_deviation: float = 0.02
    """of the weights"""
    lambda_l1: float = 100.0
    """eq. 4"""
    batch: int = 1
    """pairs a step"""
    learning_rate: float = 2e-4
    """Adam's, of both networks"""
    betas: tuple[float, float] = (0.5, 0.999)
    """Adam's decays of the gradient's first and second moment"""
    epochs: int = 200
    """passes over the reference, as for the paper's smaller sets; ignored when `steps` is given"""
    steps: int | None = None
    """training steps, whatever the reference's length"""
    rotate: float = 0.0
    """degrees: augmentation, the same for pose and frame"""
    zoom: float = 0.0
    """augmentation: scale drawn from 1 / (1 + zoom) to 1 + zoom"""
    shift: float = 0.0
    """augmentation: share of the side"""
    ema_decay: float = 0.0
    """decay of the average of G's weights that is shown; 0 shows the last weights, as the paper does"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", tuple(self.betas))
        if self.size % 2**self.depth:
            raise ValueError(f"size {self.size} cannot be halved {self.depth} times: use a multiple of {2**self.depth}")
        if self.batch < 1:
            raise ValueError(f"batch must be at least 1, not {self.batch}")
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"ema_decay must be at least 0 and below 1, not {self.ema_decay}")


def paper() -> Config:
    """Everything as printed: 256x256, one pair a step, 200 epochs."""
    return Config()


def fast() -> Config:
    """What `performance_cloning.fast` adds to its paper: fewer steps, augmentation, average weights, fitted limbs."""
    return Config(
        scale_by="body",
        fit_limbs=True,
        dropout=0.0,
        batch=4,
        steps=20_000,
        rotate=10,
        zoom=0.1,
        shift=0.05,
        ema_decay=0.999,
    )


def preview() -> Config:
    """128x128 and narrow, minutes on a CPU: sizes, steps, pairs a step and augmentation of performance cloning's."""
    return Config(
        size=128,
        scale_by="body",
        fit_limbs=True,
        joint_sigma=5.0,
        width=32,
        depth=6,
        discriminator_width=32,
        dropout=0.0,
        batch=4,
        learning_rate=4e-4,
        steps=1500,
        rotate=10,
        zoom=0.1,
        shift=0.05,
        ema_decay=0.995,
    )


# -- Training (section 3) ----------------------------------------------------------------------------------------


class Pix2Pix:
    """G and D with their data on the device; `training_step` is one step of eq. 4."""

    shown = "generator"

    def __init__(self, reference: Clip, config: Config, seed: int, fabric: Fabric):
        self.config, self.seed, self.fabric, self.reference = config, seed, fabric, reference
        torch.manual_seed(seed)
        generator = generator_for(config)
        judge = PatchGAN(JOINTS + 3, config.discriminator_width)
        for network in (generator, judge):
            initialise(network, config.initial_deviation)
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.G, self.optimize_G = fabric.setup(generator, self._adam(generator))
        self.D, self.optimize_D = fabric.setup(judge, self._adam(judge))
        self.networks: Mapping[str, nn.Module] = {"generator": generator, "D": judge}
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {"generator": self.optimize_G, "D": self.optimize_D}
        self.dtype = torch.bfloat16 if computes_in_bfloat16(fabric.device) else torch.float32
        xy, seen = (values[reference.windows] for values in reference.all_joints())
        square = (config.size, config.size)
        self.joint_mean, self.joint_deviation = joint_statistics(xy, seen, square, config.joint_sigma)
        self.steps = config.steps or config.epochs * reference.epoch(config.batch)

    def _adam(self, network: nn.Module) -> torch.optim.Adam:
        return torch.optim.Adam(network.parameters(), self.config.learning_rate, self.config.betas, fused=True)

    def training_step(self, step: int) -> dict[str, Tensor]:
        x, y = self._pairs(step)  # poses (B, J, S, S), frames (B, 3, S, S)
        fake = self.G(x)

        # D: tell (pose, real frame) from (pose, generated frame), eq. 1; halved, to slow D down (section 3.3)
        real_logits, fake_logits = self.D(torch.cat([x, y], 1)), self.D(torch.cat([x, fake.detach()], 1))
        named = {"D": 0.5 * losses.discriminator_loss(real_logits, fake_logits).mean()}
        training.descend(self.fabric, self.optimize_D, named)

        # G: eq. 4 = L_cGAN + lambda L_L1
        with training.frozen(self.D):
            goal = {
                "gan": losses.generator_loss(self.D(torch.cat([x, fake], 1))).mean(),
                "l1": self.config.lambda_l1 * losses.absolute_difference(fake, y).mean(),
            }
            training.descend(self.fabric, self.optimize_G, goal)
        return named | goal

    def _pairs(self, step: int) -> tuple[Tensor, Tensor]:
        """Normalised pose maps and frames of the reference, both moved by one random similarity a pair."""
        config, clip = self.config, self.reference
        moment = clip.windows[training.draw(self.seed, CHOICE, step, config.batch, len(clip.windows))]  # (B,)
        rng = np.random.default_rng([self.seed, AUGMENTATION, step])
        augmentation = (config.rotate, config.zoom, config.shift)
        transform = random_similarity(rng, clip.to_picture, config.batch, config.size, *augmentation)
        xy, seen = clip.joints(moment[:, None], transform)
        square = (config.size, config.size)
        statistics = (self.joint_mean, self.joint_deviation, self.dtype)
        maps = normalised_heatmaps(xy, seen, square, config.joint_sigma, *statistics)
        return maps, clip.frames_at(moment, transform, config.size)

    def preview(self, generator: nn.Module, folder: Path, step: int) -> None:
        from understudy.recipes.parts.previews import write_previews

        def play(clip: Clip, start: int, stop: int) -> list[npt.NDArray[np.uint8]]:
            xy, seen = (values[start:stop] for values in clip.all_joints())
            return list(_play(generator, self.config, self.joint_mean, self.joint_deviation, xy, seen))

        write_previews(play, self.reference, [], self.config.size, 1, folder, step)


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
    """Trains G on the reference's frames.

    Args:
        reference: the person whose looks are learnt.
        unpaired: not learnt from; a warning says so.
        run_folder: see `training.run`; the caller holds its lock.

    Raises:
        TrainingError: too few frames to learn from, memory ran out, or see `training.run`.
        Interrupted: after Ctrl-C or SIGTERM, with the state saved.
    """
    if unpaired:
        log.warning(
            "pix2pix learns from pairs alone: nothing is learnt from %s", ", ".join(p.path.name for p in unpaired)
        )
    fabric = training.launch(device)
    colour = flat_colour(reference)
    options = (1, config.seen_above, config.size, reference.header.size_hw[0], fabric.device)
    clip = read_clip(reference, None, colour, *options, at_least=config.batch)
    trainee = Pix2Pix(clip, config, seed, fabric)
    outcome = training.run(
        trainee,
        run_folder,
        fabric=fabric,
        settings={
            "recipe": "pix2pix",
            "config": dataclasses.asdict(config),
            "seed": seed,
            "flat_colour": colour,
            "reference": fingerprint(reference),
        },
        steps=min(trainee.steps, max_steps or trainee.steps),
        seed=seed,
        ema_decay=config.ema_decay,
        resume=resume,
        max_minutes=max_minutes,
    )
    statistics = {
        "joint_mean": trainee.joint_mean.cpu().numpy(),
        "joint_deviation": trainee.joint_deviation.cpu().numpy(),
        "flat_colour": np.array(colour, dtype=np.uint8),
    }
    record = {
        "steps": outcome.steps,
        "joined_at": None,
        "seconds": round(outcome.seconds, 1),
        "features": "none",
        "device": str(fabric.device),
        "precision": training.precision_on(fabric.device),
        "seed": seed,
        "losses": outcome.losses,
        "data": f"{len(clip.windows)} pairs of the reference's poses and frames",
        "augmentation": {"rotate": config.rotate, "zoom": config.zoom, "shift": config.shift},
    }
    return Trained(config, outcome.weights, statistics, record)


# -- Generation --------------------------------------------------------------------------------------------------


def generator_for(config: Config) -> UNet:
    """G with fresh weights, of the sizes in `config`."""
    return UNet(JOINTS, 3, config.width, config.depth, config.dropout)


def contents(config: Config) -> tuple[ArraySpec, ArraySpec]:
    """Weights and statistics that an actor of this recipe holds."""
    with torch.device("meta"):
        return arrays_of(generator_for(config)), CONDITION_STATISTICS


def generate(
    config: Config,
    weights: Mapping[str, npt.NDArray[Any]],
    statistics: Mapping[str, npt.NDArray[Any]],
    pose: Pose,
    *,
    device: Device = "auto",
    batch: int = 8,
) -> Iterator[npt.NDArray[np.uint8]]:
    """Plays a pose sequence: one frame a pose, over the flat colour, generated as it is asked for.

    Args:
        config, weights, statistics: of a `Trained`.
        pose: aligned with the reference, in pixels of the recipe's S x S frame.
        batch: poses computed at a time.

    Yields:
        `(S, S, 3)` RGB uint8.
    """
    chosen = ready_device(device)
    generator = restored(generator_for(config), weights, chosen)
    mean = torch.from_numpy(np.array(statistics["joint_mean"])).to(chosen)
    deviation = torch.from_numpy(np.array(statistics["joint_deviation"])).to(chosen)
    xy, confidence = pose.openpose18()
    seen = torch.from_numpy(confidence > config.seen_above).to(chosen)
    yield from _play(generator, config, mean, deviation, torch.from_numpy(xy).float().to(chosen), seen, batch)


@torch.inference_mode()
def _play(
    generator: nn.Module, config: Config, mean: Tensor, deviation: Tensor, xy: Tensor, seen: Tensor, batch: int = 8
) -> Iterator[npt.NDArray[np.uint8]]:
    """Plays joints xy `(T, J, 2)`, in pixels of the S x S frame, where seen `(T, J)`: T frames `(S, S, 3)` uint8."""
    square = (config.size, config.size)
    for first in range(0, len(xy), batch):
        joints = xy[first : first + batch, None], seen[first : first + batch, None]
        maps = normalised_heatmaps(*joints, square, config.joint_sigma, mean, deviation)
        with autocast(xy.device):
            frames = generator(maps)
        yield from pixels(frames)
