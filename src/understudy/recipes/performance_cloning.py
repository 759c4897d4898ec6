"""Deep Video-Based Performance Cloning (Aberman, Shi, Liao, Lischinski, Chen, Cohen-Or 2018), whole.

Equation and section numbers are the paper's. X: frames, Y: poses, P: the pose extractor (the tracker, already run),
G: poses -> frames of the reference's person. Two branches train the same G: pairs of the reference's own poses and
frames (section 3.2, "Paired Data Branch"), and pose sequences of other people with no frames (the "Unpaired" one).

The paper has one fixed camera frame. Here the reference's own crop is that frame and drivers are aligned with it
(section 3.1), which is the same up to one similarity for all. Pose metrics, eqs. 7 and 8, are in
`retargeting/pose_metrics.py`.

Shape letters: B windows, N consecutive frames, J = 18 joints, S the side of the square picture.
"""

from __future__ import annotations

import dataclasses
import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from einops import rearrange
from torch import Tensor, nn

from understudy import losses
from understudy.base.devices import Device, autocast, computes_in_bfloat16, ready_device
from understudy.conditioning.clips import Clip, flat_colour, random_similarity, read_clip
from understudy.conditioning.heatmaps import joint_statistics, normalised_heatmaps
from understudy.conditioning.limbs import limb_falloff
from understudy.conditioning.pictures import as_levels
from understudy.networks.patchgan import PatchGAN
from understudy.networks.unet import UNet, initialise
from understudy.networks.vgg import Features, VGG19Features
from understudy.poses.pose import OPENPOSE18_LIMBS, OPENPOSE18_NAMES, Pose
from understudy.recipes.parts.trained import CONDITION_STATISTICS, ArraySpec, Trained, arrays_of, restored
from understudy.retargeting.alignment import NormalizeBy, ScaleBy, align, body_statistics
from understudy.retargeting.augmentation import PoseNoise, damaged
from understudy.training import loop as training
from understudy.training.run_folder import fingerprint

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from understudy.performance import Performance

log = logging.getLogger(__name__)

JOINTS = len(OPENPOSE18_NAMES)
PAIRED, UNPAIRED = (1, 2), (3, 4)
"""streams of random numbers, for the choice of windows and for their augmentation: none is shared"""


@dataclass(frozen=True)
class Config:
    """The paper's numbers. Lengths in pixels are of the S x S picture."""

    size: int = 256
    """pixels: side S of the square picture"""
    consecutive: int = 2
    """frames: N, poses that G sees and frames that it makes at a time"""
    scale_by: ScaleBy = "hips"
    """what sets the one scale that aligns a driver: the mean hip width (section 3.1), or the body's limb lengths"""
    fit_limbs: bool = False
    """give the driver's limbs the reference's lengths when performing; beyond the paper, whose limit this is"""
    normalization: NormalizeBy = "similarity"
    """how a driver is brought to the reference's place, see `perform.aligned_poses`"""
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
    initial_deviation: float = 0.02
    """of the weights; the printed 0.2 is taken for a slip, since training from it diverges"""
    features: Features = "auto"
    """weights of the VGG-19 behind eq. 1"""
    lambda_gan: float = 1.0
    """eq. 3, where it is 1; 0 leaves D_p out, for the comparison of the paper's Fig. 3"""
    lambda_vgg: float = 10.0
    """eq. 3"""
    lambda_rgb: float = 0.0
    """weight of L1 on RGB values, which the paper tries in place of eq. 1 (Fig. 3)"""
    lambda_s: float = 0.1
    """eq. 6: weight of the unpaired branch"""
    lambda_tc: float = 10.0
    """eq. 6: weight of temporal coherence within it"""
    batch: int = 8
    """windows a step; half paired, half unpaired"""
    learning_rate: float = 2e-4
    """Adam's, of all networks"""
    betas: tuple[float, float] = (0.5, 0.999)
    """Adam's decays of the gradient's first and second moment"""
    epochs: int = 150
    """passes over the reference; ignored when `steps` is given"""
    steps: int | None = None
    """training steps, whatever the reference's length"""
    paired_only: float = 0.05
    """share of the schedule before the unpaired branch joins: "the first few epochs" """
    rotate: float = 0.0
    """degrees: augmentation, the same for poses, frames and flow of a window"""
    zoom: float = 0.0
    """augmentation: scale drawn from 1 / (1 + zoom) to 1 + zoom"""
    shift: float = 0.0
    """augmentation: share of the side"""
    pose_drop: float = 0.0
    """probability that a limb is missed in a frame that is learnt from; beyond the paper, as the next two, which
    `retargeting/augmentation.py` explains"""
    pose_jitter: float = 0.0
    """standard deviation of a joint's place in such a frame, as a share of the torso's length; beyond the paper"""
    pose_stretch: float = 0.0
    """limbs' lengths there change by factors from 1 / (1 + stretch) to 1 + stretch; beyond the paper"""
    ema_decay: float = 0.0
    """decay of the average of G's weights that is shown; 0 shows the last weights, as the paper does"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", tuple(self.betas))
        if self.size % 2**self.depth:
            raise ValueError(f"size {self.size} cannot be halved {self.depth} times: use a multiple of {2**self.depth}")
        if self.consecutive < 1:
            raise ValueError(f"consecutive must be at least 1, not {self.consecutive}")
        if self.batch < 2 or self.batch % 2:
            raise ValueError(f"batch must be even, half of it paired: not {self.batch}")
        if not (self.lambda_gan or self.lambda_vgg or self.lambda_rgb):
            raise ValueError("one of lambda_gan, lambda_vgg and lambda_rgb must be above 0, or nothing is learnt")
        if not 0 <= self.paired_only <= 1:
            raise ValueError(f"paired_only is a share between 0 and 1, not {self.paired_only}")
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"ema_decay must be at least 0 and below 1, not {self.ema_decay}")
        _ = self.pose_noise  # refuses impossible numbers

    @property
    def pose_noise(self) -> PoseNoise:
        """What is done to the poses that go with the reference's own frames; the frames stay."""
        return PoseNoise(self.pose_drop, self.pose_jitter, self.pose_stretch)


def paper() -> Config:
    """Everything as printed: 256x256, 150 epochs; about 4 hours on the paper's Titan Xp."""
    return Config()


def fast() -> Config:
    """The paper's picture in fewer steps: augmentation against over-fitting, average weights, fitted limbs."""
    return Config(
        scale_by="body", fit_limbs=True, dropout=0.0, steps=20_000, rotate=10, zoom=0.1, shift=0.05, ema_decay=0.999
    )


def preview() -> Config:
    """128x128 and narrow: minutes on a CPU, to see whether the footage works.

    Wider Gaussians and a heavier eq. 1, because in so few steps the discriminators have hardly learnt what to ask for.
    """
    return Config(
        size=128,
        scale_by="body",
        fit_limbs=True,
        joint_sigma=5.0,
        limb_sigma=6.0,
        width=32,
        depth=6,
        discriminator_width=32,
        dropout=0.0,
        features="random",
        lambda_vgg=500.0,
        learning_rate=4e-4,
        steps=1500,
        paired_only=0.5,
        rotate=10,
        zoom=0.1,
        shift=0.05,
        ema_decay=0.995,
    )


# -- Training (section 3.2) --------------------------------------------------------------------------------------


class PerformanceCloning:
    """G, D_p and D_s with their data on the device; `training_step` is one step of eq. 6."""

    shown = "generator"

    def __init__(self, reference: Clip, unpaired: Sequence[Clip], config: Config, seed: int, fabric: Fabric):
        self.config, self.seed, self.fabric = config, seed, fabric
        self.reference, self.unpaired = reference, list(unpaired)
        n, j = config.consecutive, JOINTS
        torch.manual_seed(seed)
        generator = generator_for(config)
        judge_p = PatchGAN(n * (3 + j), config.discriminator_width)
        judge_s = PatchGAN(n * 3, config.discriminator_width)
        for network in (generator, judge_p, judge_s):
            initialise(network, config.initial_deviation)
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.G, self.optimize_G = fabric.setup(generator, self._adam(generator))
        self.D_p, self.optimize_D_p = fabric.setup(judge_p, self._adam(judge_p))
        self.D_s, self.optimize_D_s = fabric.setup(judge_s, self._adam(judge_s))
        self.networks: Mapping[str, nn.Module] = {"generator": generator, "D_p": judge_p, "D_s": judge_s}
        optimizers: tuple[torch.optim.Optimizer, ...] = (self.optimize_G, self.optimize_D_p, self.optimize_D_s)
        self.optimizers: Mapping[str, torch.optim.Optimizer] = dict(zip(self.networks, optimizers, strict=True))
        self.dtype = torch.bfloat16 if computes_in_bfloat16(fabric.device) else torch.float32
        self.phi = VGG19Features(("relu1_1",), config.features).to(fabric.device)
        self.limbs = torch.tensor(OPENPOSE18_LIMBS, device=fabric.device)
        self.window = torch.arange(n, device=fabric.device)
        trained_on = torch.unique(reference.windows[:, None] + self.window)
        xy, seen = (values[trained_on] for values in reference.all_joints())
        square = (config.size, config.size)
        self.joint_mean, self.joint_deviation = joint_statistics(xy, seen, square, config.joint_sigma)
        self.steps = config.steps or config.epochs * reference.epoch(config.batch // 2)
        self.joins_at = round(config.paired_only * self.steps)
        self.has_unpaired = bool(self.unpaired) and config.lambda_s > 0

    def _adam(self, network: nn.Module) -> torch.optim.Adam:
        return torch.optim.Adam(network.parameters(), self.config.learning_rate, self.config.betas, fused=True)

    def training_step(self, step: int) -> dict[str, Tensor]:
        config = self.config
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
            training.descend(self.fabric, self.optimize_D_p, {"D_p": named["D_p"]})
        if both:
            # D_s: tell real frames from frames generated for other people's poses, eq. 5
            named["D_s"] = self._judge(self.D_s, x, fake_y.detach())
            training.descend(self.fabric, self.optimize_D_s, {"D_s": named["D_s"]})

        # G: eq. 6 = L_rec + lambda_s (L_gan_s + lambda_tc L_tc), with L_rec = L_gan_p + lambda_vgg L_vgg (eq. 3)
        with training.frozen(self.D_p, self.D_s):
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
            training.descend(self.fabric, self.optimize_G, goal)
        return named | goal

    def _judge(self, judge: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        return losses.discriminator_loss(judge(real), judge(fake)).mean()

    def _reconstruction(self, fake: Tensor, real: Tensor) -> Tensor:
        """L_vgg, eq. 1, over each of the N frames."""
        with self.fabric.autocast():
            with torch.no_grad():
                real_features = self.phi(rearrange(real, "b (n c) h w -> (b n) c h w", c=3))[0]
            features = self.phi(rearrange(fake, "b (n c) h w -> (b n) c h w", c=3))[0]
            return losses.feature_distance(features, real_features).mean()

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
        damage = np.random.default_rng([self.seed, PAIRED[1], step, 1])  # beside the similarities
        xy, seen = damaged(damage, *clip.joints(moment, transform), config.pose_noise)
        return self._pose_maps(xy, seen), x.to(self.dtype)

    def _unpaired(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Pose maps of other people, their backward flow (B*(N-1), 2, S, S), alpha of every frame but the first."""
        config, clip = self.config, self.unpaired[step % len(self.unpaired)]
        moment, transform = self._windows(clip, UNPAIRED, step // len(self.unpaired))
        xy, seen = clip.joints(moment, transform)
        later, repeated = moment[:, 1:].flatten(), transform.repeat_interleave(config.consecutive - 1, 0)
        flow = clip.flow_at(later, repeated, config.size)
        square = (config.size, config.size)
        alpha = limb_falloff(xy[:, 1:].flatten(0, 1), seen[:, 1:].flatten(0, 1), self.limbs, square, config.limb_sigma)
        return self._pose_maps(xy, seen), flow, alpha

    def _windows(self, clip: Clip, streams: tuple[int, int], step: int) -> tuple[Tensor, Tensor]:
        """Frame numbers (B, N) of windows drawn from a clip, and one random similarity (B, 2, 3) for each."""
        config, half = self.config, self.config.batch // 2
        start = clip.windows[training.draw(self.seed, streams[0], step, half, len(clip.windows))]  # (B,)
        rng = np.random.default_rng([self.seed, streams[1], step])
        moves = random_similarity(rng, clip.to_picture, half, config.size, config.rotate, config.zoom, config.shift)
        return start[:, None] + self.window, moves

    def _pose_maps(self, xy: Tensor, seen: Tensor) -> Tensor:
        square = (self.config.size, self.config.size)
        statistics = (self.joint_mean, self.joint_deviation, self.dtype)
        return normalised_heatmaps(xy, seen, square, self.config.joint_sigma, *statistics)

    def preview(self, generator: nn.Module, folder: Path, step: int) -> None:
        from understudy.recipes.parts.previews import write_previews

        config = self.config

        def play(clip: Clip, start: int, stop: int) -> list[npt.NDArray[np.uint8]]:
            xy, seen = (values[start:stop] for values in clip.all_joints())
            return list(_play(generator, config, self.joint_mean, self.joint_deviation, xy, seen))

        write_previews(play, self.reference, self.unpaired, config.size, config.consecutive, folder, step)


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
    """Trains G on the reference's frames and on other people's pose sequences.

    Args:
        reference: the person whose looks are learnt.
        unpaired: performances whose poses and flow feed the unpaired branch; none leaves that branch out.
        run_folder: see `training.run`; the caller holds its lock.

    Raises:
        TrainingError: too few frames to learn from, memory ran out, or see `training.run`.
        Interrupted: after Ctrl-C or SIGTERM, with the state saved.
    """
    fabric = training.launch(device)
    body = body_statistics(reference.poses)
    colour = flat_colour(reference)
    options = (config.consecutive, config.seen_above, config.size, reference.header.size_hw[0], fabric.device)
    paired_clip = read_clip(reference, None, colour, *options, at_least=config.batch // 2)
    clips = []
    for one in unpaired:
        clip = read_clip(one, align(body_statistics(one.poses), body, config.scale_by), None, *options)
        if len(clip.windows):
            clips.append(clip)
        else:
            log.warning("%s is left out: it has no %d frames on end with a person", one.path, config.consecutive)
    trainee = PerformanceCloning(paired_clip, clips, config, seed, fabric)
    settings = {
        "recipe": "performance-cloning",
        "config": dataclasses.asdict(config),
        "features": trainee.phi.taken,
        "seed": seed,
        "flat_colour": colour,
        "reference": fingerprint(reference),
        "unpaired": [fingerprint(one) for one in unpaired],
    }
    outcome = training.run(
        trainee,
        run_folder,
        fabric=fabric,
        settings=settings,
        steps=min(trainee.steps, max_steps or trainee.steps),
        seed=seed,
        ema_decay=config.ema_decay,
        resume=resume,
        max_minutes=max_minutes,
    )
    joined = trainee.has_unpaired and outcome.steps > trainee.joins_at
    if trainee.has_unpaired and not joined:
        log.warning("the driving motion was not learnt from: that begins at step %d", trainee.joins_at)
    statistics = {
        "joint_mean": trainee.joint_mean.cpu().numpy(),
        "joint_deviation": trainee.joint_deviation.cpu().numpy(),
        "flat_colour": np.array(colour, dtype=np.uint8),
    }
    record = {
        "steps": outcome.steps,
        "joined_at": trainee.joins_at if joined else None,
        "seconds": round(outcome.seconds, 1),
        "features": trainee.phi.taken,
        "device": str(fabric.device),
        "precision": training.precision_on(fabric.device),
        "seed": seed,
        "losses": outcome.losses,
    }
    return Trained(config, outcome.weights, statistics, record)


# -- Generation (section 5.3) ------------------------------------------------------------------------------------


def generator_for(config: Config) -> UNet:
    """G with fresh weights, of the sizes in `config`."""
    return UNet(JOINTS * config.consecutive, 3 * config.consecutive, config.width, config.depth, config.dropout)


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
        batch: windows computed at a time.

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


def _play(
    generator: nn.Module, config: Config, mean: Tensor, deviation: Tensor, xy: Tensor, seen: Tensor, batch: int = 8
) -> Iterator[npt.NDArray[np.uint8]]:
    """One frame a moment: the mean of all its versions, of which the first and last moments have fewer than N.

    The mean lies closer to the truth and is steadier than any one version: `benchmarks/overlap.py`, docs/results.md.
    """
    n = config.consecutive
    recent: deque[npt.NDArray[np.uint8]] = deque()  # windows that hold the earliest moment not yet shown, oldest first

    def shown() -> npt.NDArray[np.uint8]:
        versions = [window[n - 1 - later] for later, window in enumerate(recent)]
        recent.popleft()
        return np.asarray(np.mean(versions, axis=0, dtype=np.float32).round(), np.uint8)

    for window in play_windows(generator, config, mean, deviation, xy, seen, batch):
        recent.append(window)
        if len(recent) == n:
            yield shown()
    while recent:
        yield shown()


@torch.inference_mode()
def play_windows(
    generator: nn.Module, config: Config, mean: Tensor, deviation: Tensor, xy: Tensor, seen: Tensor, batch: int = 8
) -> Iterator[npt.NDArray[np.uint8]]:
    """All N frames of every window. Windows overlap, so that each moment is painted N times.

    Args:
        xy: `(T, J, 2)` pixels of the S x S frame.
        seen: `(T, J)` bool.

    Yields:
        For t = 0 ... T - 1, `(N, S, S, 3)` uint8: the moments t - N + 1 ... t. The first pose stands in for moments
        before it.
    """
    n, square = config.consecutive, (config.size, config.size)
    before = torch.arange(1 - n, 1, device=xy.device)
    for first in range(0, len(xy), batch):
        moments = torch.arange(first, min(first + batch, len(xy)), device=xy.device)
        window = (moments[:, None] + before).clamp_min(0)  # (B, N)
        maps = normalised_heatmaps(xy[window], seen[window], square, config.joint_sigma, mean, deviation)
        with autocast(xy.device):
            frames = generator(maps)
        yield from rearrange(as_levels(frames), "b (n c) h w -> b n h w c", n=n).cpu().numpy()
