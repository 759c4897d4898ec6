"""CycleGAN (Zhu, Park, Isola, Efros 2017, arXiv 1703.10593): pictures to pictures, learnt without any pair.

The other learnt baseline of Aberman et al. 2018, section 5.1. Domain B is the reference's frames over a flat colour.
What domain A is, `Config.condition` says:

- "frames", the paper's comparison: the driver's frames over a flat colour, aligned with the reference by the one
  similarity that aligns his poses.
- "poses": the reference's own training poses, drawn as stick figures in colours, in an order of their own. It is for
  self-reenactment, where the driver is the reference's person: from frames to frames of the same person the perfect
  translation is to change nothing, whose error is 0 and which says nothing about cloning.

Where we differ from the paper:
- Its discriminators normalise by instance; `PatchGAN` normalises by batch, which with one picture a step is the same.
- `fast` and `preview` add augmentation, average weights and fitted limbs; `preview` is narrower than any printed size.

Symbols: G: A -> B, F: B -> A, a and b pictures of the domains; S the side of the square picture.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from understudy import losses
from understudy.base.devices import Device, autocast, ready_device
from understudy.base.engines import Call
from understudy.conditioning.clips import Clip, flat_colour, random_similarity, read_clip
from understudy.conditioning.pictures import as_values, pixels
from understudy.errors import ActorError, TrainingError
from understudy.networks.history import History
from understudy.networks.patchgan import PatchGAN
from understudy.networks.pix2pixhd import GlobalGenerator, in_a_row
from understudy.networks.unet import initialise
from understudy.poses.pose import BODY_LIMBS
from understudy.recipes.parts.cut import RGB, Cut, flat_colour_of
from understudy.recipes.parts.cyclegan_config import Config, fast, paper, preview
from understudy.recipes.parts.cyclegan_domains import aligned_clip, limb_colours, stick_figures
from understudy.recipes.parts.player import BATCH, Frame, Moment, Need, batches, pose_of
from understudy.recipes.parts.recipe import Recipe
from understudy.recipes.parts.trained import Arrays, ArraySpec, Trained, arrays_of, ready, restored
from understudy.retargeting.alignment import body_statistics
from understudy.training.run_folder import fingerprint
from understudy.training.session import Session
from understudy.training.step import descend, frozen, linear_decay, rates_times

log = logging.getLogger(__name__)

CHOICE_A, AUGMENTATION_A, CHOICE_B, AUGMENTATION_B, HISTORY = 1, 2, 3, 4, 5
"""streams of random numbers: the two domains share none, so nothing is paired"""


# -- Training (sections 3 and 4) ---------------------------------------------------------------------------------


class CycleGAN:
    """G, F, D_A and D_B with their data on the device; `training_step` is one step of eq. 3.

    Args:
        drivers: clips whose frames are domain A, in turn; not used when the condition is poses.
    """

    shown = "generator"

    def __init__(self, session: Session, reference: Clip, drivers: Sequence[Clip]):
        config = self.config = session.config
        self.session, self.reference = session, reference
        self.drivers = list(drivers) if config.condition == "frames" else [reference]
        session.begin()
        forth, back = generator_for(config), generator_for(config)
        judge_a, judge_b = PatchGAN(3, config.discriminator_width), PatchGAN(3, config.discriminator_width)
        for network in (forth, back, judge_a, judge_b):
            initialise(network, config.optimisation.initial_deviation)
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        fabric = session.fabric
        self.G, self.F = fabric.setup_module(forth), fabric.setup_module(back)
        self.D_A, self.D_B = fabric.setup_module(judge_a), fabric.setup_module(judge_b)
        self.optimize_generators = cast(torch.optim.Optimizer, fabric.setup_optimizers(session.adam(forth, back)))
        self.optimize_judges = cast(torch.optim.Optimizer, fabric.setup_optimizers(session.adam(judge_a, judge_b)))
        self.old_a, self.old_b = (History(config.history, config.size).to(session.device) for _ in range(2))
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
        self.steps = config.steps or config.epochs * session.chance.epoch(
            config.optimisation.batch, len(reference.windows)
        )

    def training_step(self, step: int) -> dict[str, Tensor]:
        config, fabric, chance = self.config, self.session.fabric, self.session.chance
        a, b = self._domain_a(step), self._domain_b(step)  # (B, 3, S, S), unpaired
        fake_b, fake_a = self.G(a), self.F(b)
        rng = chance.generator(HISTORY, step)
        shown_b, shown_a = self.old_b.exchange(fake_b, rng), self.old_a.exchange(fake_a, rng)

        with rates_times(self.optimizers.values(), linear_decay(step, self.steps)):  # section 4
            # D_A, D_B: tell real pictures from new and old generated ones; least squares, halved (section 4)
            judge = losses.least_squares_discriminator_loss
            named = {
                "D_A": 0.5 * judge(self.D_A(a), self.D_A(shown_a)).mean(),
                "D_B": 0.5 * judge(self.D_B(b), self.D_B(shown_b)).mean(),
            }
            descend(fabric, self.optimize_judges, named)

            # G, F: eq. 3 = L_GAN(G) + L_GAN(F) + lambda L_cyc, and L_identity (section 5.2)
            with frozen(self.D_A, self.D_B):
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
                descend(fabric, self.optimize_generators, goal)
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
        chance, count = self.session.chance, self.config.optimisation.batch
        moment = clip.windows[chance.draw(choice, step, count, len(clip.windows))]
        rng = chance.generator(augmentation, step)
        amounts = self.config.augmentation.amounts
        return moment, random_similarity(rng, clip.to_picture, count, self.config.size, *amounts)

    @torch.no_grad()
    def preview(self, generator: nn.Module, folder: Path, step: int) -> None:
        """Writes `step-<n>.png` (a, G(a), F(G(a)), and some b) and a short `step-<n>.mp4` (a, G(a))."""
        from understudy.media.reading import VideoWriter, write_image
        from understudy.pictures.drawing import contact_sheet, side_by_side

        clip, device = self.drivers[0], self.session.device

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
        with VideoWriter(folder / f"step-{step:07d}.mp4", Fraction(25)) as writer:
            for moments in batches(range(min(48, len(clip.xy))), 8):
                for driving, frame in zip(*map(pixels, translated(moments)), strict=True):
                    writer.write(side_by_side([driving, frame]))
        write_image(folder / f"step-{step:07d}.png", sheet)


def train(session: Session) -> Trained:
    """Trains G and F, without pairs.

    `session.unpaired`: the drivers, whose frames are domain A; not learnt from when the condition is poses.

    Raises:
        TrainingError: no driver for condition "frames", too few frames, or see `training.run`.
        Interrupted: after Ctrl-C or SIGTERM, with the state saved.
    """
    config, reference = session.config, session.reference
    colour = flat_colour(reference)
    body, side = body_statistics(reference.poses), reference.header.size_hw[0]
    clip = read_clip(
        reference, None, colour, 1, config.seen_above, config.size, side, session.device, store=session.store
    )
    drivers, statistics = [], {"flat_colour": np.array(colour, np.uint8)}
    if config.condition == "frames":
        if not session.unpaired:
            raise TrainingError("CycleGAN translates a driver's frames: give a driving clip, or set condition to poses")
        statistics["driving_colour"] = np.array(flat_colour(session.unpaired[0]), np.uint8)
        drivers = [
            aligned_clip(config, statistics, one, body, side, session.device, session.store) for one in session.unpaired
        ]
    for one, read in zip([reference, *session.unpaired], [clip, *drivers], strict=False):
        if not len(read.windows):
            raise TrainingError(
                f"{one.header.source_name} has no frame with a person in it: leave it out, or film again"
            )
    session.settings |= {
        "colours": {name: value.tolist() for name, value in statistics.items()},
        "unpaired": [fingerprint(one) for one in session.unpaired[: len(drivers)]],
    }
    trainee = CycleGAN(session, clip, drivers)
    outcome = session.run(trainee, trainee.steps)
    of_a = sum(len(one.windows) for one in trainee.drivers)
    whose = "frames of the driver" if config.condition == "frames" else "poses of the reference"
    record = session.record | {
        "data": f"unpaired: {of_a} {whose}, {len(clip.windows)} frames of the reference",
        "augmentation": asdict(config.augmentation),
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


class CycleGANPlayer:
    """Plays G: from poses, drawn as stick figures, or from the driver's frames over `driving_colour`.

    Args:
        generator: on the device, ready to generate.
        over: the colour that frames must be laid over, (3,) uint8; None where poses are played.
    """

    latency: int | None = 0

    def __init__(self, config: Config, generator: Call, device: torch.device, over: npt.NDArray[Any] | None):
        self.config, self.generator, self.device, self.over = config, generator, device, over
        self.needs: tuple[Need, ...] = ("poses",) if over is None else ("frames",)

    @torch.inference_mode()
    def play(self, moments: Iterable[Moment], batch: int = BATCH) -> Iterator[Frame]:
        """See `Player.play`: `(S, S, 3)` over the flat colour.

        Raises:
            ActorError: frames are needed, and a moment has none.
        """
        draw = self._figures if self.over is None else self._frames
        for some in batches(moments, batch):
            with autocast(self.device):
                translated = self.generator(draw(some).to(self.device))
            yield from pixels(translated)

    def _figures(self, some: list[Moment]) -> Tensor:
        xy, confidence = pose_of(some, self.config.size).openpose18()
        joints, seen = torch.from_numpy(xy).float(), torch.from_numpy(confidence > self.config.seen_above)
        return stick_figures(joints, seen, self.config.size, self.config.limb_sigma)

    def _frames(self, some: list[Moment]) -> Tensor:
        frames = [moment.frame for moment in some if moment.frame is not None]
        if len(frames) < len(some):
            raise ActorError("this CycleGAN translates a driver's frames and cannot play poses: give it a video")
        return as_values(torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2))


def player(
    config: Config, weights: Arrays, statistics: Arrays, device: Device = "auto", frames: int = 0
) -> CycleGANPlayer:
    """Plays G of a `Trained`: one picture a moment, over the flat colour."""
    chosen = ready_device(device)
    generator = ready(generator_for(config), weights, chosen, frames)
    return CycleGANPlayer(config, generator, chosen, statistics.get("driving_colour"))


def cuts(config: Config, weights: Arrays, statistics: Arrays) -> tuple[Cut, ...]:
    """G, from a stick figure, or a driver's frame over `driving_colour`, to a picture."""
    cpu = torch.device("cpu")
    generator = restored(generator_for(config), weights, cpu)
    condition: dict[str, Any] = {"size_hw": [config.size, config.size], "flat_colour": flat_colour_of(statistics)}
    if config.condition == "frames":
        condition |= {"kind": "driver", "colour": [int(value) for value in statistics["driving_colour"]]}
        what = "driver, cut out and laid over the colour"
    else:
        condition |= {
            "kind": "soft lines",
            "seen_above": config.seen_above,
            "poses": [0],
            "lines": [list(ends) for ends in BODY_LIMBS],
            "colours": limb_colours(cpu).tolist(),
            "sigma": config.limb_sigma,
        }
        what = "stick figure"
    given = tuple(f"{what}: {channel}" for channel in RGB)
    size_hw = (config.size, config.size)
    return (Cut("", generator, size_hw, given, RGB, condition, "it is the person over flat_colour"),)


RECIPE = Recipe(
    title="CycleGAN",
    paper="Zhu, Park, Isola, Efros: "
    "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, 2017",
    config=Config,
    presets={"preview": preview, "fast": fast, "paper": paper},
    train=train,
    contents=contents,
    player=player,
    cuts=cuts,
    variants={
        "frames": lambda config: replace(config, condition="frames"),
        "no identity": lambda config: replace(config, lambda_identity=0.0),
        "no history": lambda config: replace(config, history=0),
    },
    learns_from=lambda config: "clips" if config.condition == "frames" else None,
)
