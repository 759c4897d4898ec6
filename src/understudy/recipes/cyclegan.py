"""CycleGAN (Zhu, Park, Isola, Efros 2017, arXiv 1703.10593): pictures to pictures, learnt without any pair.

The other learnt baseline of Aberman et al. 2018, section 5.1. Domain B is the reference's frames over a flat colour.
What domain A is, `Config.condition` says:

- "frames", the paper's comparison: the driver's frames over a flat colour, aligned with the reference by the one
  similarity that aligns his poses. `generate_from_frames` plays such frames; `driving_frames`, in
  cyclegan_domains.py, makes them.
- "poses": the reference's own training poses, drawn as stick figures in colours, in an order of their own. `generate`
  plays poses. It is for self-reenactment, where the driver is the reference's person: from frames to frames of the
  same person the perfect translation is to change nothing, whose error is 0 and which says nothing about cloning.

The paper's discriminators normalise by instance; `PatchGAN` normalises by batch, which with one picture a step, as
here, is the same. Symbols: G: A -> B, F: B -> A, a and b pictures of the domains; S the side of the square picture.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from understudy import losses
from understudy.base.devices import Device, autocast, ready_device
from understudy.conditioning.clips import Clip, flat_colour, random_similarity, read_clip
from understudy.conditioning.pictures import as_values, pixels
from understudy.errors import ActorError, TrainingError
from understudy.networks.history import History
from understudy.networks.patchgan import PatchGAN
from understudy.networks.pix2pixhd import GlobalGenerator, in_a_row
from understudy.networks.unet import initialise
from understudy.poses.pose import Pose
from understudy.recipes.parts.cyclegan_config import Config, fast, paper, preview
from understudy.recipes.parts.cyclegan_domains import Picture, aligned_clip, batches, stick_figures
from understudy.recipes.parts.trained import ArraySpec, Trained, arrays_of, restored
from understudy.retargeting.alignment import body_statistics
from understudy.training import loop as training
from understudy.training.run_folder import fingerprint

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from understudy.performance import Performance

log = logging.getLogger(__name__)

__all__ = ["Config", "contents", "fast", "generate", "paper", "preview", "train"]

CHOICE_A, AUGMENTATION_A, CHOICE_B, AUGMENTATION_B, HISTORY = 1, 2, 3, 4, 5
"""streams of random numbers: the two domains share none, so nothing is paired"""


# -- Training (sections 3 and 4) ---------------------------------------------------------------------------------


class CycleGAN:
    """G, F, D_A and D_B with their data on the device; `training_step` is one step of eq. 3.

    Args:
        drivers: clips whose frames are domain A, in turn; not used when the condition is poses.
    """

    shown = "generator"

    def __init__(self, reference: Clip, drivers: Sequence[Clip], config: Config, seed: int, fabric: Fabric):
        self.config, self.seed, self.fabric = config, seed, fabric
        self.reference, self.drivers = reference, list(drivers) if config.condition == "frames" else [reference]
        torch.manual_seed(seed)
        forth, back = generator_for(config), generator_for(config)
        judge_a, judge_b = PatchGAN(3, config.discriminator_width), PatchGAN(3, config.discriminator_width)
        for network in (forth, back, judge_a, judge_b):
            initialise(network, config.initial_deviation)
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.G, self.F = fabric.setup_module(forth), fabric.setup_module(back)
        self.D_A, self.D_B = fabric.setup_module(judge_a), fabric.setup_module(judge_b)
        self.optimize_generators = self._adam(forth, back)
        self.optimize_judges = self._adam(judge_a, judge_b)
        self.old_a, self.old_b = (History(config.history, config.size).to(fabric.device) for _ in range(2))
        self.networks: Mapping[str, nn.Module] = {
            "generator": forth,
            "F": back,
            "D_A": judge_a,
            "D_B": judge_b,
            "history_A": self.old_a,
            "history_B": self.old_b,
        }
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {
            "generators": self.optimize_generators,
            "discriminators": self.optimize_judges,
        }
        self.steps = config.steps or config.epochs * reference.epoch(config.batch)

    def _adam(self, *networks: nn.Module) -> torch.optim.Optimizer:
        weights = chain.from_iterable(network.parameters() for network in networks)
        adam = torch.optim.Adam(weights, self.config.learning_rate, self.config.betas, fused=True)
        return cast(torch.optim.Optimizer, self.fabric.setup_optimizers(adam))

    def training_step(self, step: int) -> dict[str, Tensor]:
        config, fabric = self.config, self.fabric
        a, b = self._domain_a(step), self._domain_b(step)  # (B, 3, S, S), unpaired
        fake_b, fake_a = self.G(a), self.F(b)
        rng = np.random.default_rng([self.seed, HISTORY, step])
        shown_b, shown_a = self.old_b.exchange(fake_b, rng), self.old_a.exchange(fake_a, rng)

        with training.rates_times(self.optimizers.values(), training.linear_decay(step, self.steps)):  # section 4
            # D_A, D_B: tell real pictures from new and old generated ones; least squares, halved (section 4)
            judge = losses.least_squares_discriminator_loss
            named = {
                "D_A": 0.5 * judge(self.D_A(a), self.D_A(shown_a)).mean(),
                "D_B": 0.5 * judge(self.D_B(b), self.D_B(shown_b)).mean(),
            }
            training.descend(fabric, self.optimize_judges, named)

            # G, F: eq. 3 = L_GAN(G) + L_GAN(F) + lambda L_cyc, and L_identity (section 5.2)
            with training.frozen(self.D_A, self.D_B):
                fool, distance = losses.least_squares_generator_loss, losses.absolute_difference
                goal = {
                    "gan_G": fool(self.D_B(fake_b)).mean(),
                    "gan_F": fool(self.D_A(fake_a)).mean(),
                    "cycle_A": config.lambda_cycle * distance(self.F(fake_b), a).mean(),
                    "cycle_B": config.lambda_cycle * distance(self.G(fake_a), b).mean(),
                }
                if config.condition == "frames" and config.lambda_identity:
                    goal["identity_A"] = config.lambda_identity * distance(self.F(a), a).mean()
                    goal["identity_B"] = config.lambda_identity * distance(self.G(b), b).mean()
                training.descend(fabric, self.optimize_generators, goal)
        return named | goal

    def _domain_a(self, step: int) -> Tensor:
        clip = self.drivers[step % len(self.drivers)]
        return self._picture(clip, *self._drawn(clip, CHOICE_A, AUGMENTATION_A, step // len(self.drivers)))

    def _picture(self, clip: Clip, moment: Tensor, transform: Tensor) -> Tensor:
        """Pictures of domain A at frames `moment` (B,), moved by `transform` (B, 2, 3): (B, 3, S, S)."""
        if self.config.condition == "frames":
            return clip.frames_at(moment, transform, self.config.size)
        xy, seen = clip.joints(moment[:, None], transform)
        return stick_figures(xy[:, 0], seen[:, 0], self.config.size, self.config.limb_sigma)

    def _domain_b(self, step: int) -> Tensor:
        moment, transform = self._drawn(self.reference, CHOICE_B, AUGMENTATION_B, step)
        return self.reference.frames_at(moment, transform, self.config.size)

    def _drawn(self, clip: Clip, choice: int, augmentation: int, step: int) -> tuple[Tensor, Tensor]:
        """Frame numbers (B,) of a clip, every frame once an epoch, and a random similarity (B, 2, 3) for each."""
        config = self.config
        moment = clip.windows[training.draw(self.seed, choice, step, config.batch, len(clip.windows))]
        rng = np.random.default_rng([self.seed, augmentation, step])
        amounts = (config.rotate, config.zoom, config.shift)
        return moment, random_similarity(rng, clip.to_picture, config.batch, config.size, *amounts)

    @torch.no_grad()
    def preview(self, generator: nn.Module, folder: Path, step: int) -> None:
        """Writes `step-<n>.png` (a, G(a), F(G(a)), and some b) and a short `step-<n>.mp4` (a, G(a))."""
        from understudy.media.reading import VideoWriter, write_image
        from understudy.pictures.drawing import contact_sheet, side_by_side

        clip, device = self.drivers[0], self.fabric.device

        def translated(moments: Sequence[int]) -> tuple[Tensor, Tensor]:
            moment = torch.tensor(moments, device=device)
            a = self._picture(clip, moment, clip.to_picture.expand(len(moments), 2, 3))
            with autocast(device):
                return a, generator(a)

        spread = [int(clip.windows[i]) for i in np.linspace(0, len(clip.windows) - 1, 6).astype(int)]
        a, fake_b = translated(spread)
        with autocast(device):
            again = self.networks["F"](fake_b)
        b = torch.cat([self._domain_b(step) for step in range(len(spread))])[: len(spread)]
        rows = [list(pixels(pictures)) for pictures in (a, fake_b, again, b)]
        names = [f"domain A: {self.config.condition}", "generated", "and back", "domain B (unpaired)"]
        sheet = contact_sheet(rows, names, [f"frame {t}" for t in spread])
        write_image(folder / f"step-{step:07d}.png", sheet)
        with VideoWriter(folder / f"step-{step:07d}.mp4", Fraction(25)) as writer:
            for moments in batches(range(min(48, len(clip.xy))), 8):
                for driving, frame in zip(*map(pixels, translated(moments)), strict=True):
                    writer.write(side_by_side([driving, frame]))


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
    """Trains G and F, without pairs.

    Args:
        reference: the person whose looks are learnt.
        unpaired: the drivers, whose frames are domain A; not learnt from when the condition is poses.
        run_folder: see `training.run`; the caller holds its lock.

    Raises:
        TrainingError: no driver for condition "frames", too few frames, memory ran out, or see `training.run`.
        Interrupted: after Ctrl-C or SIGTERM, with the state saved.
    """
    fabric = training.launch(device)
    colour = flat_colour(reference)
    body, side = body_statistics(reference.poses), reference.header.size_hw[0]
    clip = read_clip(reference, None, colour, 1, config.seen_above, config.size, side, fabric.device)
    drivers, statistics = [], {"flat_colour": np.array(colour, np.uint8)}
    if config.condition == "frames":
        if not unpaired:
            raise TrainingError("CycleGAN translates a driver's frames: give a driving clip, or set condition to poses")
        statistics["driving_colour"] = np.array(flat_colour(unpaired[0]), np.uint8)
        drivers = [aligned_clip(config, statistics, one, body, side, fabric.device) for one in unpaired]
    elif unpaired:
        log.warning("with condition poses nothing is learnt from %s", ", ".join(one.path.name for one in unpaired))
    for one, read in zip([reference, *unpaired], [clip, *drivers], strict=False):
        if not len(read.windows):
            raise TrainingError(f"{one.path} has no frame with a person in it: leave it out, or film again")
    trainee = CycleGAN(clip, drivers, config, seed, fabric)
    outcome = training.run(
        trainee,
        run_folder,
        fabric=fabric,
        settings={
            "recipe": "cyclegan",
            "config": dataclasses.asdict(config),
            "seed": seed,
            "colours": {name: value.tolist() for name, value in statistics.items()},
            "reference": fingerprint(reference),
            "unpaired": [fingerprint(one) for one in unpaired[: len(drivers)]],
        },
        steps=min(trainee.steps, max_steps or trainee.steps),
        seed=seed,
        ema_decay=config.ema_decay,
        resume=resume,
        max_minutes=max_minutes,
    )
    of_a = sum(len(one.windows) for one in trainee.drivers)
    whose = "frames of the driver" if config.condition == "frames" else "poses of the reference"
    record = {
        "steps": outcome.steps,
        "joined_at": None,
        "seconds": round(outcome.seconds, 1),
        "features": "none",
        "device": str(fabric.device),
        "precision": training.precision_on(fabric.device),
        "seed": seed,
        "losses": outcome.losses,
        "data": f"unpaired: {of_a} {whose}, {len(clip.windows)} frames of the reference",
        "augmentation": {"rotate": config.rotate, "zoom": config.zoom, "shift": config.shift},
    }
    return Trained(config, outcome.weights, statistics, record)


# -- Generation --------------------------------------------------------------------------------------------------


def generator_for(config: Config) -> nn.Module:
    """G, or F, with fresh weights, of the sizes in `config`."""
    return in_a_row(GlobalGenerator(3, 3, config.width, downsamplings=2, blocks=config.blocks))


def contents(config: Config) -> tuple[ArraySpec, ArraySpec]:
    """Weights and statistics that an actor of this recipe holds."""
    statistics: ArraySpec = {"flat_colour": ("|u1", (3,))}
    if config.condition == "frames":
        statistics["driving_colour"] = ("|u1", (3,))
    with torch.device("meta"):
        return arrays_of(generator_for(config)), statistics


def generate(
    config: Config,
    weights: Mapping[str, npt.NDArray[Any]],
    statistics: Mapping[str, npt.NDArray[Any]],
    pose: Pose,
    *,
    device: Device = "auto",
    batch: int = 8,
) -> Iterator[Picture]:
    """Plays a pose sequence: one frame a pose, over the flat colour, generated as it is asked for.

    Args:
        config, weights, statistics: of a `Trained` whose condition is poses.
        pose: aligned with the reference, in pixels of the recipe's S x S frame.
        batch: poses computed at a time.

    Returns:
        `(S, S, 3)` RGB uint8 each.

    Raises:
        ActorError: the actor was trained on frames; at once, not with the first frame.
    """
    if config.condition != "poses":
        raise ActorError(
            "this CycleGAN translates a driver's frames and cannot play poses: "
            "give frames to generate_from_frames, or train it with condition poses"
        )
    xy, confidence = pose.openpose18()
    joints, seen = torch.from_numpy(xy).float(), torch.from_numpy(confidence > config.seen_above)

    def drawn(moments: Sequence[int]) -> Tensor:
        return stick_figures(joints[moments], seen[moments], config.size, config.limb_sigma)

    return _translated(config, weights, map(drawn, batches(range(len(joints)), batch)), device)


def generate_from_frames(
    config: Config,
    weights: Mapping[str, npt.NDArray[Any]],
    statistics: Mapping[str, npt.NDArray[Any]],
    frames: Iterable[Picture],
    *,
    device: Device = "auto",
    batch: int = 8,
) -> Iterator[Picture]:
    """Translates a driver's frames: one for one, over the flat colour, generated as it is asked for.

    Args:
        config, weights, statistics: of a `Trained` whose condition is frames.
        frames: `(S, S, 3)` RGB uint8 each, aligned with the reference and over `driving_colour`, as
            `cyclegan_domains.driving_frames` makes them.
        batch: frames computed at a time.

    Returns:
        `(S, S, 3)` RGB uint8 each.

    Raises:
        ActorError: the actor was trained on poses; at once, not with the first frame.
    """
    if config.condition != "frames":
        raise ActorError("this CycleGAN plays poses and cannot translate frames: train it with condition frames")

    def stacked(some: list[Picture]) -> Tensor:
        return as_values(torch.from_numpy(np.stack(some)).permute(0, 3, 1, 2))

    return _translated(config, weights, map(stacked, batches(frames, batch)), device)


@torch.inference_mode()
def _translated(
    config: Config, weights: Mapping[str, npt.NDArray[Any]], pictures: Iterable[Tensor], device: Device
) -> Iterator[Picture]:
    """G of batches `(B, 3, S, S)`: `(S, S, 3)` uint8 each."""
    chosen = ready_device(device)
    generator = restored(generator_for(config), weights, chosen)
    for some in pictures:
        with autocast(chosen):
            translated = generator(some.to(chosen))
        yield from pixels(translated)
