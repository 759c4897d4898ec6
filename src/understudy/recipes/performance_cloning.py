"""Deep Video-Based Performance Cloning (Aberman, Shi, Liao, Lischinski, Chen, Cohen-Or 2018), whole.

Equation and section numbers are the paper's. X: frames, Y: poses, P: the pose extractor (the tracker, already run),
G: poses -> frames of the reference's person. Two branches train the same G: pairs of the reference's own poses and
frames (section 3.2, "Paired Data Branch"), and pose sequences of other people with no frames (the "Unpaired" one).

Where we differ from the paper:
- Its one fixed camera frame is the reference's own crop, with which drivers are aligned (section 3.1): the same up to
  one similarity for all.
- The weights begin with a deviation of 0.02 (pix2pix's); the printed 0.2 is taken for a slip, since training from it
  diverges. Adam's first momentum is 0.5 (pix2pix's); the printed 0.999 is taken for the second one.
- G learns by the non-saturating form of eqs. 2 and 5, see `losses.generator_loss`.
- PatchGAN and U-Net normalise by the statistics of the batch, as pix2pix's do; the paper says nothing of it.
- L_vgg (eq. 1) is a mean over features behind the ReLU of VGG-19's first layer; where its ImageNet weights cannot be
  had, over four depths of EfficientNet-Lite0 (`networks/perceptual.py`), which the actor's record then says.
- Flow is DIS flow of the tracked square, kept at a quarter of its size in half precision.
- `fast` and `preview` add augmentation, average weights and fitted limbs, and show the mean of a moment's N versions
  (`mean_of_versions`: which of them the paper shows, it does not say).

Pose metrics, eqs. 7 and 8, are in `retargeting/pose_metrics.py`.

Shape letters: B windows, N consecutive frames, J = 18 joints, S the side of the square picture.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from einops import rearrange
from torch import Tensor, nn

from understudy import losses
from understudy.base.devices import Device, computes_in_bfloat16, ready_device
from understudy.base.engines import Call
from understudy.conditioning.clips import Clip, flat_colour, random_similarity, read_clip
from understudy.conditioning.limbs import limb_falloff
from understudy.networks.patchgan import PatchGAN
from understudy.networks.perceptual import Features, PerceptualDistance
from understudy.networks.unet import UNet, initialise
from understudy.poses.pose import OPENPOSE18_LIMBS
from understudy.recipes.parts.cut import Cut
from understudy.recipes.parts.groups import Augmentation, Optimisation, Placement
from understudy.recipes.parts.heatmaps import JOINTS, STATISTICS, HeatmapPlayer, PoseMaps, heatmap_cut
from understudy.recipes.parts.recipe import Recipe
from understudy.recipes.parts.trained import Arrays, ArraySpec, Trained, arrays_of, ready, restored
from understudy.retargeting.alignment import align, body_statistics
from understudy.retargeting.augmentation import PoseNoise, damaged
from understudy.training.run_folder import fingerprint
from understudy.training.session import Session
from understudy.training.step import descend, frozen

log = logging.getLogger(__name__)

PAIRED, UNPAIRED = (1, 2), (3, 4)
"""streams of random numbers, for the choice of windows and for their augmentation: none is shared"""
LAMBDA_RGB = 100.0
"""of L1 on RGB where it takes the place of eq. 1 (pix2pix's; not printed)"""

UNPAIRED_COST = 0.7
"""of a step, what the unpaired branch adds; between 0.3 and 0.8, by processor (benchmarks/roofline.py)"""


@dataclass(frozen=True)
class Config:
    """The paper's numbers. Lengths in pixels are of the S x S picture."""

    size: int = 256
    """pixels: side S of the square picture"""
    consecutive: int = 2
    """frames: N, poses that G sees and frames that it makes at a time"""
    placement: Placement = Placement(scale_by="hips")
    joint_sigma: float = 6.0
    """pixels: standard deviation of a joint's Gaussian (not printed; Cao et al. use 7 at 368)"""
    limb_sigma: float = 12.0
    """pixels: fall-off of alpha around the limbs, eq. 4 (not printed)"""
    seen_above: float = 0.1
    """confidence above which a joint counts as seen"""
    width: int = 64
    """channels of G's first level"""
    depth: int = 8
    """halvings in G"""
    discriminator_width: int = 64
    """channels of the first layer of D_p and D_s"""
    dropout: float = 0.5
    """probability, in G's inner decoder"""
    features: Features = "auto"
    """what eq. 1 compares, see `networks/perceptual.py`"""
    lambda_gan: float = 1.0
    """eq. 3, where it is 1; 0 leaves D_p out, for the comparison of the paper's Fig. 3"""
    lambda_vgg: float = 10.0
    """eq. 3: weight of the perceptual loss, eq. 1"""
    lambda_rgb: float = 0.0
    """weight of L1 on RGB values, which the paper tries in place of eq. 1 (Fig. 3)"""
    lambda_s: float = 0.1
    """eq. 6: weight of the unpaired branch"""
    lambda_tc: float = 10.0
    """eq. 6: weight of temporal coherence within it"""
    optimisation: Optimisation = Optimisation(batch=8)
    """batch: windows a step, half of them paired, half unpaired"""
    epochs: int = 150
    """passes over the reference; ignored when `steps` is given"""
    steps: int | None = None
    """training steps, whatever the reference's length"""
    paired_only: float = 0.05
    """share of the schedule before the unpaired branch joins: "the first few epochs" """
    augmentation: Augmentation = Augmentation()
    pose_noise: PoseNoise = PoseNoise()
    """what is done to the poses that go with the reference's own frames; the frames stay. Beyond the paper"""
    mean_of_versions: bool = False
    """show the mean of the N versions of a moment, N - 1 moments late; else the one in which it is the latest"""

    def __post_init__(self) -> None:
        if self.size % 2**self.depth:
            raise ValueError(f"size {self.size} cannot be halved {self.depth} times: use a multiple of {2**self.depth}")
        if self.consecutive < 1:
            raise ValueError(f"consecutive must be at least 1, not {self.consecutive}")
        if self.optimisation.batch < 2 or self.optimisation.batch % 2:
            raise ValueError(f"batch must be even, half of it paired: not {self.optimisation.batch}")
        if not (self.lambda_gan or self.lambda_vgg or self.lambda_rgb):
            raise ValueError("one of lambda_gan, lambda_vgg and lambda_rgb must be above 0, or nothing is learnt")
        if not 0 <= self.paired_only <= 1:
            raise ValueError(f"paired_only is a share between 0 and 1, not {self.paired_only}")


def paper() -> Config:
    """Everything as printed, but for what the list above names: 256x256, 150 epochs; about 4 hours on a Titan Xp."""
    return Config()


def fast() -> Config:
    """The paper's picture in fewer steps: augmentation against over-fitting, average weights, fitted limbs."""
    return Config(
        placement=Placement(scale_by="body", fit_limbs=True),
        dropout=0.0,
        optimisation=Optimisation(batch=8, ema_decay=0.999),
        steps=20_000,
        augmentation=Augmentation(rotate=10, zoom=0.1, shift=0.05),
        mean_of_versions=True,
    )


def preview() -> Config:
    """128x128 and narrow: minutes on a CPU, to see whether the footage works.

    Wider Gaussians and a heavier eq. 1, because in so few steps the discriminators have hardly learnt what to ask for.
    """
    return Config(
        size=128,
        placement=Placement(scale_by="body", fit_limbs=True),
        joint_sigma=5.0,
        limb_sigma=6.0,
        width=32,
        depth=6,
        discriminator_width=16,
        dropout=0.0,
        features="random",
        lambda_vgg=500.0,
        optimisation=Optimisation(batch=8, learning_rate=4e-4, ema_decay=0.995),
        steps=1500,
        paired_only=0.5,
        augmentation=Augmentation(rotate=10, zoom=0.1, shift=0.05),
        mean_of_versions=True,
    )


# -- Training (section 3.2) --------------------------------------------------------------------------------------


class PerformanceCloning:
    """G, D_p and D_s with their data on the device; `training_step` is one step of eq. 6."""

    shown = "generator"

    def __init__(self, session: Session, reference: Clip, unpaired: Sequence[Clip]):
        config = self.config = session.config
        self.session, self.reference, self.unpaired = session, reference, list(unpaired)
        n, j = config.consecutive, JOINTS
        session.begin()
        generator = generator_for(config)
        judge_p = PatchGAN(n * (3 + j), config.discriminator_width)
        judge_s = PatchGAN(n * 3, config.discriminator_width)
        self.networks: Mapping[str, nn.Module] = {"generator": generator, "D_p": judge_p, "D_s": judge_s}
        for network in self.networks.values():
            initialise(network, config.optimisation.initial_deviation)
        self.G, self.optimize_G = session.fitted(generator)
        self.D_p, self.optimize_D_p = session.fitted(judge_p)
        self.D_s, self.optimize_D_s = session.fitted(judge_s)
        optimizers: tuple[torch.optim.Optimizer, ...] = (self.optimize_G, self.optimize_D_p, self.optimize_D_s)
        self.optimizers: Mapping[str, torch.optim.Optimizer] = dict(zip(self.networks, optimizers, strict=True))
        self.dtype = torch.bfloat16 if computes_in_bfloat16(session.device) else torch.float32
        self.phi = PerceptualDistance(("relu1_1",), config.features).to(session.device)
        self.limbs = torch.tensor(OPENPOSE18_LIMBS, device=session.device)
        self.window = torch.arange(n, device=session.device)
        trained_on = torch.unique(reference.windows[:, None] + self.window)
        self.maps = PoseMaps.of_clip(reference, trained_on, config.size, config.joint_sigma)
        self.steps = config.steps or config.epochs * session.chance.epoch(
            config.optimisation.batch // 2, len(reference.windows)
        )
        self.joins_at: int = round(config.paired_only * self.steps)
        self.has_unpaired = bool(self.unpaired) and config.lambda_s > 0

    def work(self, steps: int) -> float:
        """What the first `steps` cost, for `Estimate`; 1 is a step of the paired branch alone."""
        return steps + (UNPAIRED_COST * max(0, steps - self.joins_at) if self.has_unpaired else 0)

    def training_step(self, step: int) -> dict[str, Tensor]:
        config, fabric = self.config, self.session.fabric
        both = self.has_unpaired and step >= self.joins_at
        poses, x = self._paired(step)  # P(x): (B, N*J, S, S), x: (B, N*3, S, S)
        conditions = poses
        if both:
            unpaired_poses, flow, alpha = self._unpaired(step)
            conditions = torch.cat([poses, unpaired_poses])
        fake = self.G(conditions)
        fake_x, fake_y = fake[: len(x)], fake[len(x) :]  # G(P(x)), G(y)

        named: dict[str, Tensor] = {}
        if config.lambda_gan:
            # D_p: tell (pose, real frames) from (pose, generated frames), eq. 2
            named["D_p"] = self._judge(self.D_p, torch.cat([poses, x], 1), torch.cat([poses, fake_x.detach()], 1))
            descend(fabric, self.optimize_D_p, {"D_p": named["D_p"]})
        if both:
            # D_s: tell real frames from frames generated for other people's poses, eq. 5
            named["D_s"] = self._judge(self.D_s, x, fake_y.detach())
            descend(fabric, self.optimize_D_s, {"D_s": named["D_s"]})

        # G: eq. 6 = L_rec + lambda_s (L_gan_s + lambda_tc L_tc), with L_rec = L_gan_p + lambda_vgg L_vgg (eq. 3)
        with frozen(self.D_p, self.D_s):
            goal: dict[str, Tensor] = {}
            if config.lambda_gan:
                seen_by_D_p = self.D_p(torch.cat([poses, fake_x], 1))
                goal["gan_p"] = config.lambda_gan * losses.generator_loss(seen_by_D_p).mean()
            if config.lambda_vgg:
                goal["vgg"] = config.lambda_vgg * self._reconstruction(fake_x, x)
            if config.lambda_rgb:
                goal["rgb"] = config.lambda_rgb * (fake_x - x).abs().mean()
            if both:
                goal["gan_s"] = config.lambda_s * losses.generator_loss(self.D_s(fake_y)).mean()
                goal["tc"] = config.lambda_s * config.lambda_tc * self._temporal_coherence(fake_y, flow, alpha)
            descend(fabric, self.optimize_G, goal)
        return named | goal

    def _judge(self, judge: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        return losses.discriminator_loss(judge(real), judge(fake)).mean()

    def _reconstruction(self, fake: Tensor, real: Tensor) -> Tensor:
        """L_vgg, eq. 1, over each of the N frames."""
        each_fake, each_real = (rearrange(one, "b (n c) h w -> (b n) c h w", c=3) for one in (fake, real))
        return self.phi.distance(each_fake, each_real).mean()

    def _temporal_coherence(self, fake: Tensor, flow: Tensor, alpha: Tensor) -> Tensor:
        """L_tc, eq. 4, over the N - 1 steps within each window."""
        frames = rearrange(fake, "b (n c) h w -> b n c h w", c=3)
        before, after = frames[:, :-1].flatten(0, 1), frames[:, 1:].flatten(0, 1)
        if not len(before):
            return fake.new_zeros(())
        return losses.temporal_coherence(alpha, before, after, flow).mean()

    def _paired(self, step: int) -> tuple[Tensor, Tensor]:
        """Normalised pose maps and frames of the reference, both moved by one random similarity a window.

        The poses, and not the frames, are damaged as `Config.pose_noise` says.
        """
        clip, config = self.reference, self.config
        moment, transform = self._windows(clip, PAIRED, step)
        frames = clip.frames_at(moment.flatten(), transform.repeat_interleave(config.consecutive, 0), config.size)
        x = rearrange(frames, "(b n) c h w -> b (n c) h w", n=config.consecutive)
        damage = self.session.chance.generator(PAIRED[1], step, 1)  # beside the similarities
        xy, seen = damaged(damage, *clip.joints(moment, transform), config.pose_noise)
        return self.maps(xy, seen, self.dtype), x.to(self.dtype)

    def _unpaired(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Pose maps of other people, their backward flow (B*(N-1), 2, S, S), alpha of every frame but the first."""
        config, clip = self.config, self.unpaired[step % len(self.unpaired)]
        moment, transform = self._windows(clip, UNPAIRED, step // len(self.unpaired))
        xy, seen = clip.joints(moment, transform)
        later, repeated = moment[:, 1:].flatten(), transform.repeat_interleave(config.consecutive - 1, 0)
        flow = clip.flow_at(later, repeated, config.size)
        square = (config.size, config.size)
        alpha = limb_falloff(xy[:, 1:].flatten(0, 1), seen[:, 1:].flatten(0, 1), self.limbs, square, config.limb_sigma)
        return self.maps(xy, seen, self.dtype), flow, alpha

    def _windows(self, clip: Clip, streams: tuple[int, int], step: int) -> tuple[Tensor, Tensor]:
        """Frame numbers (B, N) of windows drawn from a clip, and one random similarity (B, 2, 3) for each."""
        config, half, chance = self.config, self.config.optimisation.batch // 2, self.session.chance
        start = clip.windows[chance.draw(streams[0], step, half, len(clip.windows))]  # (B,)
        rng = chance.generator(streams[1], step)
        moves = random_similarity(rng, clip.to_picture, half, config.size, *config.augmentation.amounts)
        return start[:, None] + self.window, moves

    def preview(self, generator: nn.Module, folder: Path, step: int) -> None:
        from understudy.recipes.parts.previews import write_previews

        player = _player(self.config, generator, self.maps)
        write_previews(player, self.reference, self.unpaired, self.config.size, self.config.consecutive, folder, step)


def train(session: Session) -> Trained:
    """Trains G on the reference's frames and on other people's pose sequences.

    `session.unpaired`: performances whose poses and flow feed the unpaired branch; none leaves that branch out.

    Raises:
        TrainingError: too few frames to learn from, or see `training.run`.
        Interrupted: after Ctrl-C or SIGTERM, with the state saved.
    """
    config, reference = session.config, session.reference
    body = body_statistics(reference.poses)
    colour = flat_colour(reference)
    options = (config.consecutive, config.seen_above, config.size, reference.header.size_hw[0], session.device)
    paired_clip = read_clip(
        reference, None, colour, *options, at_least=config.optimisation.batch // 2, store=session.store
    )
    clips = []
    for one in session.unpaired:
        alignment = align(body_statistics(one.poses), body, config.placement.scale_by)
        clip = read_clip(one, alignment, None, *options, store=session.store)
        if len(clip.windows):
            clips.append(clip)
        else:
            log.warning("%s is left out: it has no %d frames on end with a person", one.path, config.consecutive)
    trainee = PerformanceCloning(session, paired_clip, clips)
    session.settings |= {
        "features": trainee.phi.taken,
        "flat_colour": colour,
        "unpaired": [fingerprint(one) for one in session.unpaired],
    }
    outcome = session.run(trainee, trainee.steps, trainee.work)
    joined = trainee.has_unpaired and outcome.steps > trainee.joins_at
    if trainee.has_unpaired and not joined:
        log.warning("the driving motion was not learnt from: that begins at step %d", trainee.joins_at)
    record = session.record | {
        "joined_at": trainee.joins_at if joined else None,
        "features": trainee.phi.taken,
    }
    return Trained(config, outcome.weights, trainee.maps.statistics(colour), record)


# -- Generation (section 5.3) ------------------------------------------------------------------------------------


def generator_for(config: Config) -> UNet:
    """G with fresh weights, of the sizes in `config`."""
    return UNet(JOINTS * config.consecutive, 3 * config.consecutive, config.width, config.depth, config.dropout)


def contents(config: Config) -> tuple[ArraySpec, ArraySpec]:
    """Weights and statistics that an actor of this recipe holds."""
    with torch.device("meta"):
        return arrays_of(generator_for(config)), STATISTICS


def player(
    config: Config, weights: Arrays, statistics: Arrays, device: Device = "auto", frames: int = 0
) -> HeatmapPlayer:
    """Plays G of a `Trained`: one frame a pose, over the flat colour."""
    chosen = ready_device(device)
    generator = ready(generator_for(config), weights, chosen, frames)
    return _player(config, generator, PoseMaps.stored(config.size, config.joint_sigma, statistics, chosen))


def _player(config: Config, generator: Call, maps: PoseMaps) -> HeatmapPlayer:
    return HeatmapPlayer(generator, maps, config.consecutive, config.seen_above, config.mean_of_versions)


def cuts(config: Config, weights: Arrays, statistics: Arrays) -> tuple[Cut, ...]:
    """G, from the heat maps of N poses to their N pictures."""
    generator = restored(generator_for(config), weights, torch.device("cpu"))
    numbers = (config.size, config.joint_sigma, config.seen_above, config.consecutive)
    shown = "the mean of all versions of a moment" if config.mean_of_versions else "the version in which it is the last"
    use = f"pictures of the person over flat_colour; shown is {shown}"
    return (heatmap_cut(generator, *numbers, statistics, use),)


RECIPE = Recipe(
    title="Performance cloning",
    paper="Aberman, Shi, Liao, Lischinski, Chen, Cohen-Or: Deep Video-Based Performance Cloning, 2018",
    config=Config,
    presets={"preview": preview, "fast": fast, "paper": paper},
    train=train,
    contents=contents,
    player=player,
    cuts=cuts,
    variants={
        "paired only": lambda config: replace(config, lambda_s=0.0),
        "no D_p": lambda config: replace(config, lambda_gan=0.0),
        "L1": lambda config: replace(config, lambda_vgg=0.0, lambda_rgb=LAMBDA_RGB),
        "L1, no D_p": lambda config: replace(config, lambda_gan=0.0, lambda_vgg=0.0, lambda_rgb=LAMBDA_RGB),
        "N = 1": lambda config: replace(config, consecutive=1),
        "N = 2": lambda config: replace(config, consecutive=2),
        "N = 3": lambda config: replace(config, consecutive=3),
    },
    learns_from=lambda config: "clips" if config.lambda_s > 0 else None,
    former={"mean_of_versions": True},
)
