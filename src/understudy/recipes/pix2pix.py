"""pix2pix (Isola, Zhu, Zhou, Efros 2017, arXiv 1611.07004), given a pose volume instead of a picture.

The baseline of Aberman et al. 2018, section 5.1: trained on pairs of the reference's own poses and frames alone, one
at a time. Against performance cloning it lacks the other people's motion, time, and the perceptual loss, whose place
L1 on RGB takes. Networks, data, augmentation and average weights are the same, so that this is what is compared.

The variant "white skeleton" learns from a picture instead, the white lines that Figment draws (512x512), so that its
network can run there: `understudy export --for figment`.

The dropout that stands in for pix2pix's noise z is on in training only. Isola et al. leave it on when generating, and
find that it changes little; here the same poses must always give the same video.

Shape letters: B poses, J = 18 joints (all 133 points for the white skeleton), C channels of a drawn pose, S the side of
the square picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from understudy import losses
from understudy.base.devices import Device, computes_in_bfloat16, ready_device
from understudy.base.engines import Call
from understudy.conditioning.clips import Clip, flat_colour, random_similarity, read_clip
from understudy.networks.patchgan import PatchGAN
from understudy.networks.unet import UNet, initialise
from understudy.recipes.parts import white_skeleton
from understudy.recipes.parts.cut import Cut
from understudy.recipes.parts.groups import Augmentation, Optimisation, Placement
from understudy.recipes.parts.heatmaps import JOINTS, STATISTICS, HeatmapPlayer, PoseMaps, heatmap_cut
from understudy.recipes.parts.recipe import ENDLESS, Recipe
from understudy.recipes.parts.trained import Arrays, ArraySpec, Trained, arrays_of, ready, restored
from understudy.recipes.parts.white_skeleton import SkeletonPictures, skeleton_cut
from understudy.training.session import Session
from understudy.training.step import descend, frozen

Condition = Literal["heat maps", "white skeleton"]
FIGMENT_SIZE = 512
"""pixels: side of the pictures that Figment's networks are usually given"""
CHOICE, AUGMENTATION = 1, 2
"""streams of random numbers"""


@dataclass(frozen=True)
class Config:
    """The paper's numbers (its appendix 6). Lengths in pixels are of the S x S picture."""

    size: int = 256
    """pixels: side S of the square picture"""
    placement: Placement = Placement(scale_by="hips")
    condition: Condition = "heat maps"
    """what G sees of a pose: a channel of heat for each joint, or the white lines and dots that Figment draws"""
    joint_sigma: float = 6.0
    """pixels: standard deviation of a joint's Gaussian, as in performance cloning; not of the white skeleton"""
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
    lambda_l1: float = 100.0
    """eq. 4: weight of L1 on RGB values"""
    optimisation: Optimisation = Optimisation(batch=1)
    epochs: int = 200
    """passes over the reference, as for the paper's smaller sets; ignored when `steps` is given"""
    steps: int | None = None
    """training steps, whatever the reference's length"""
    augmentation: Augmentation = Augmentation()

    def __post_init__(self) -> None:
        if self.size % 2**self.depth:
            raise ValueError(f"size {self.size} cannot be halved {self.depth} times: use a multiple of {2**self.depth}")


def paper() -> Config:
    """Everything as printed: 256x256, one pair a step, 200 epochs."""
    return Config()


def fast() -> Config:
    """What `performance_cloning.fast` adds to its paper: fewer steps, augmentation, average weights, fitted limbs."""
    return Config(
        placement=Placement(scale_by="body", fit_limbs=True),
        dropout=0.0,
        optimisation=Optimisation(batch=4, ema_decay=0.999),
        steps=20_000,
        augmentation=Augmentation(rotate=10, zoom=0.1, shift=0.05),
    )


def preview() -> Config:
    """128x128 and narrow, minutes on a CPU: sizes, steps, pairs a step and augmentation of performance cloning's."""
    return Config(
        size=128,
        placement=Placement(scale_by="body", fit_limbs=True),
        joint_sigma=5.0,
        width=32,
        depth=6,
        discriminator_width=16,
        dropout=0.0,
        optimisation=Optimisation(batch=4, learning_rate=4e-4, ema_decay=0.995),
        steps=1500,
        augmentation=Augmentation(rotate=10, zoom=0.1, shift=0.05),
    )


def for_figment(config: Config) -> Config:
    """The variant "white skeleton": 512x512, as much deeper, so that as much of the picture is seen at once.

    A quarter of the pairs a step, since each has four to sixteen times the pixels: the same time for a step, roughly.
    """
    deeper = (FIGMENT_SIZE // config.size).bit_length() - 1
    learning = replace(config.optimisation, batch=max(config.optimisation.batch // 4, 1))
    return replace(
        config, condition="white skeleton", size=FIGMENT_SIZE, depth=config.depth + deeper, optimisation=learning
    )


# -- Training (section 3) ----------------------------------------------------------------------------------------


class Pix2Pix:
    """G and D with their data on the device; `training_step` is one step of eq. 4."""

    shown = "generator"

    def __init__(self, session: Session, reference: Clip):
        config = self.config = session.config
        self.session, self.reference = session, reference
        session.begin()
        generator = generator_for(config)
        judge = PatchGAN(channels(config) + 3, config.discriminator_width)
        for network in (generator, judge):
            initialise(network, config.optimisation.initial_deviation)
        self.G, self.optimize_G = session.fitted(generator)
        self.D, self.optimize_D = session.fitted(judge)
        self.networks: Mapping[str, nn.Module] = {"generator": generator, "D": judge}
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {"generator": self.optimize_G, "D": self.optimize_D}
        self.dtype = torch.bfloat16 if computes_in_bfloat16(session.device) else torch.float32
        self.maps = _maps_of(config, reference)
        self.steps = config.steps or config.epochs * session.chance.epoch(
            config.optimisation.batch, len(reference.windows)
        )

    def training_step(self, step: int) -> dict[str, Tensor]:
        fabric = self.session.fabric
        x, y = self._pairs(step)  # poses (B, C, S, S), frames (B, 3, S, S)
        fake = self.G(x)

        # D: tell (pose, real frame) from (pose, generated frame), eq. 1; halved, to slow D down (section 3.3)
        real_logits, fake_logits = self.D(torch.cat([x, y], 1)), self.D(torch.cat([x, fake.detach()], 1))
        named = {"D": 0.5 * losses.discriminator_loss(real_logits, fake_logits).mean()}
        descend(fabric, self.optimize_D, named)

        # G: eq. 4 = L_cGAN + lambda L_L1
        with frozen(self.D):
            goal = {
                "gan": losses.generator_loss(self.D(torch.cat([x, fake], 1))).mean(),
                "l1": self.config.lambda_l1 * losses.absolute_difference(fake, y).mean(),
            }
            descend(fabric, self.optimize_G, goal)
        return named | goal

    def _pairs(self, step: int) -> tuple[Tensor, Tensor]:
        """Drawn poses and frames of the reference, both moved by one random similarity a pair."""
        config, clip, chance = self.config, self.reference, self.session.chance
        count = config.optimisation.batch
        moment = clip.windows[chance.draw(CHOICE, step, count, len(clip.windows))]  # (B,)
        rng = chance.generator(AUGMENTATION, step)
        transform = random_similarity(rng, clip.to_picture, count, config.size, *config.augmentation.amounts)
        xy, seen = clip.joints(moment[:, None], transform)
        return self.maps(xy, seen, self.dtype), clip.frames_at(moment, transform, config.size)

    def preview(self, generator: nn.Module, folder: Path, step: int) -> None:
        from understudy.recipes.parts.previews import write_previews

        player = _player(self.config, generator, self.maps)
        write_previews(player, self.reference, [], self.config.size, 1, folder, step)


def train(session: Session) -> Trained:
    """Trains G on the reference's frames.

    Raises:
        TrainingError: too few frames to learn from, or see `training.run`.
        Interrupted: after Ctrl-C or SIGTERM, with the state saved.
    """
    config, reference = session.config, session.reference
    colour = flat_colour(reference)
    session.settings["flat_colour"] = colour
    options = (1, config.seen_above, config.size, reference.header.size_hw[0], session.device)
    clip = read_clip(
        reference,
        None,
        colour,
        *options,
        all_points=config.condition == "white skeleton",
        at_least=config.optimisation.batch,
        store=session.store,
    )
    trainee = Pix2Pix(session, clip)
    outcome = session.run(trainee, trainee.steps)
    record = session.record | {
        "data": f"{len(clip.windows)} pairs of the reference's poses and frames",
        "augmentation": asdict(config.augmentation),
    }
    return Trained(config, outcome.weights, trainee.maps.statistics(colour), record)


# -- Generation --------------------------------------------------------------------------------------------------


def generator_for(config: Config) -> UNet:
    """G with fresh weights, of the sizes in `config`."""
    return UNet(channels(config), 3, config.width, config.depth, config.dropout)


def channels(config: Config) -> int:
    """C, of a drawn pose."""
    return JOINTS if config.condition == "heat maps" else white_skeleton.CHANNELS


def contents(config: Config) -> tuple[ArraySpec, ArraySpec]:
    """Weights and statistics that an actor of this recipe holds."""
    statistics = STATISTICS if config.condition == "heat maps" else white_skeleton.STATISTICS
    with torch.device("meta"):
        return arrays_of(generator_for(config)), statistics


def player(
    config: Config, weights: Arrays, statistics: Arrays, device: Device = "auto", frames: int = 0
) -> HeatmapPlayer:
    """Plays G of a `Trained`: one frame a pose, over the flat colour."""
    chosen = ready_device(device)
    generator = ready(generator_for(config), weights, chosen, frames)
    if config.condition == "heat maps":
        return _player(config, generator, PoseMaps.stored(config.size, config.joint_sigma, statistics, chosen))
    return _player(config, generator, SkeletonPictures.stored(config.size, statistics, chosen))


def _maps_of(config: Config, reference: Clip) -> PoseMaps | SkeletonPictures:
    """What draws the poses of a reference that is learnt from."""
    if config.condition == "heat maps":
        return PoseMaps.of_clip(reference, reference.windows, config.size, config.joint_sigma)
    return SkeletonPictures.of_clip(reference, reference.windows, config.size)


def _player(config: Config, generator: Call, maps: PoseMaps | SkeletonPictures) -> HeatmapPlayer:
    return HeatmapPlayer(generator, maps, 1, config.seen_above, mean_of_versions=False)


def cuts(config: Config, weights: Arrays, statistics: Arrays) -> tuple[Cut, ...]:
    """G, from a drawn pose to a picture."""
    generator = restored(generator_for(config), weights, torch.device("cpu"))
    use = "it is the person over flat_colour"
    if config.condition == "white skeleton":
        return (skeleton_cut(generator, config.size, config.seen_above, statistics, use),)
    return (heatmap_cut(generator, config.size, config.joint_sigma, config.seen_above, 1, statistics, use),)


RECIPE = Recipe(
    title="pix2pix",
    paper="Isola, Zhu, Zhou, Efros: Image-to-Image Translation with Conditional Adversarial Networks, 2017",
    config=Config,
    presets={"preview": preview, "fast": fast, "paper": paper},
    train=train,
    contents=contents,
    player=player,
    cuts=cuts,
    variants={"white skeleton": for_figment},
    without_limit=lambda config: replace(config, steps=ENDLESS),
)
