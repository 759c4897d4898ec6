"""Human Motion Transfer from Poses in the Wild (Ren, Chai, Tulyakov, Fang, Shen, Yang 2020), whole.

Equation and section numbers are the paper's. p: limb maps, f: frames of the reference's person alone, with alpha.
Stage I, G_1: 2K + 1 poses -> the frame in their middle. Stage II, G_2: 2K + 1 frames of stage I -> the same frame with
better texture, G_1 held still. Both learn alike: from pairs, which D_p and D_t judge, and from other people's poses,
which D_w judges. Each is trained at half the size first if the config says so.

Where we differ from the paper, or settle what it leaves open:
- Section 4.1 crops each frame with the smallest rectangle around the person. Ours keeps one shape, follows calmly and
  is made from poses alone (`retargeting/person_box.py`), for drivers and other people too; each pose is drawn in its
  own frame's box. In "w/ BG" of Table 1 the box is a square frame.
- Behind the person is a flat colour near the room's, not green, and frames have alpha, which the generators paint, an
  L1 term of our own teaches, and all discriminators see. So stage II sees RGBA, where section 3.2 says RGB.
- A pose is drawn as 21 parts: limbs, feet and hands, of the face no outline. n_s and the lines' thickness are not
  printed.
- Damage to poses (section 3.1) is printed without amounts: see `Config.pose_noise`. Parts are missed and joints
  displaced anew in every frame; lengths change once a window, along with all that hangs on a limb. D_p of stage I sees
  poses as damaged, stage II frames that G_1 painted from such; other people's poses and the recorded pairs of D_w are
  as found.
- Other people's poses are first brought to the reference's place and size (`unpaired/pool.py`). Of each window of them
  one frame is made, since D_w judges single ones.
- D_p of stage I sees the frame's own pose, as section 3.1 has it, not the 2K + 1 that section 3.3 calls x_t.
- The GAN terms of eqs. 1 to 3, printed as logarithms, are least squares, as in pix2pixHD, whose networks these are:
  with logarithms three discriminators covered the person with grain within minutes.
- L_vgg is L1 between features of VGG-19 behind the ReLUs, five layers (not printed) summed without weights; where its
  ImageNet weights cannot be had, those of EfficientNet-Lite0 (`networks/perceptual.py`), and random ones on request.
- Of the progressive schedule the two sizes are printed. Here each stage is grown before the next begins, by pix2pixHD's
  enhancer, which learns alone for the first fifth of its steps; discriminators begin fresh at full size.
- The learning rate, "gradually decreased", is held for half of a stage's planned steps and then falls linearly. Batch,
  epochs and Adam's momenta are not printed.
- Beyond the paper, and off in `paper`: random similarities, average weights, fitted limbs, a residual stage II.

Shape letters: see `poses_in_the_wild_footage.py`; x is the condition of a stage, `(B, M, channels, H, W)`.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from math import ceil
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn

from understudy import losses
from understudy.base.devices import Device, ready_device
from understudy.conditioning.pictures import pixels
from understudy.networks.perceptual import PerceptualDistance
from understudy.networks.pix2pixhd import GlobalGenerator, LocalEnhancer, MultiScaleDiscriminator, halved
from understudy.networks.unet import initialise
from understudy.poses.pose import PARTS
from understudy.recipes.parts.poses_in_the_wild_config import (
    NAMES,
    POSE,
    POSE_FULL,
    TEXTURE,
    TEXTURE_FULL,
    VARIANTS,
    Config,
    fast,
    paper,
    preview,
)
from understudy.recipes.parts.poses_in_the_wild_footage import Footage, Poses, stacked
from understudy.recipes.parts.poses_in_the_wild_networks import condition_channels, contents, cuts, generator_for
from understudy.recipes.parts.poses_in_the_wild_player import BoxPlayer, refined
from understudy.recipes.parts.recipe import Recipe
from understudy.recipes.parts.trained import Arrays, Trained, below, ready, restored
from understudy.retargeting.augmentation import PoseNoise
from understudy.training import loop as training
from understudy.training.session import Session
from understudy.training.step import descend, frozen, linear_decay, rates_times

log = logging.getLogger(__name__)

PAIRED, UNPAIRED, RECORDED = (1, 2, 3), (4, 5, 6), (7, 8, 9)
"""streams of random numbers: choice of windows, their similarities, damage to their poses. A stage adds ten times its
place to each, so that none is shared"""

COARSE_COST = 0.35
"""of a step, what the smaller G adds where it learns along; between 0.15 and 0.35, by size (measured on an AMD EPYC)"""


# -- Training, in stages (section 3.3, "Full Objective") ---------------------------------------------------------


def first_stage(session: Session, footage: Footage, phi: PerceptualDistance) -> tuple[training.Outcome, Config]:
    """Pose2Video, section 3.1: G_1 from limb maps, and the config as far as it was reached."""
    return _grown(session, footage, phi, (POSE, POSE_FULL), None)


def second_stage(
    session: Session, footage: Footage, phi: PerceptualDistance, G_1: nn.Module
) -> training.Outcome | None:
    """Texture refinement, section 3.2: G_2 from frames of G_1; None unless it was reached at full size."""
    outcome, reached = _grown(session, footage, phi, (TEXTURE, TEXTURE_FULL), G_1)
    return outcome if reached == session.config else None


def _grown(
    session: Session, footage: Footage, phi: PerceptualDistance, names: tuple[str, str], G_1: nn.Module | None
) -> tuple[training.Outcome, Config]:
    """A generator, trained at half the size and then with an enhancer around it, or at full size at once."""
    config: Config = session.config

    def trained(name: str, generator: nn.Module) -> training.Outcome | None:
        stage = Stage(session, footage, phi, name, generator, G_1)
        return session.stage(name, stage, stage.steps, work=stage.work)

    small = dataclasses.replace(config, progressive=False)
    outcome = trained(names[0], _begun(session, small, second=G_1 is not None))
    assert outcome is not None  # the caller asks whether time is left
    if not config.progressive:
        return outcome, config
    enhancer = _begun(session, config, second=G_1 is not None)
    assert isinstance(enhancer, LocalEnhancer)
    restored(enhancer.global_generator, outcome.weights, torch.device("cpu")).train()
    grown = trained(names[1], enhancer)
    if grown is not None:
        return grown, config
    half = (config.box_hw[0] // 2, config.box_hw[1] // 2)
    size = half[0] if config.whole_frame else config.size
    return outcome, dataclasses.replace(small, size=size, box_hw=half, refine=False)


def _begun(session: Session, config: Config, second: bool) -> GlobalGenerator | LocalEnhancer:
    """G_1 or G_2 with random weights; a residual G_2 begins with nothing to add."""
    session.begin()
    generator = generator_for(config, second)
    initialise(generator, config.optimisation.initial_deviation)
    if config.residual and second:
        nn.init.zeros_(generator.output[-2].weight)  # type: ignore[arg-type]
    return generator


class Stage:
    """G, D_p, D_t and D_w on the device; `training_step` is one step of eq. 4."""

    shown = "generator"

    def __init__(
        self,
        session: Session,
        footage: Footage,
        phi: PerceptualDistance,
        name: str,
        generator: nn.Module,
        G_1: nn.Module | None,
    ):
        config: Config = session.config
        self.config, self.session, self.footage, self.phi = config, session, footage, phi
        self.name, self.G_1 = name, G_1
        place = NAMES.index(name)
        epoch = session.chance.epoch(config.optimisation.batch, len(footage.clip.windows))
        self.steps = config.steps[place] if config.steps else config.epochs[place] * epoch
        self.shrink = 2 if config.progressive and name in (POSE, TEXTURE) else 1
        self.coarse = generator.global_generator if isinstance(generator, LocalEnhancer) else None
        before, after = config.neighbours, config.after
        self.around = (before, after) if G_1 is None else (before + config.neighbours, after + config.neighbours)
        self.has_unpaired = footage.pool is not None
        self.judges = {
            name: MultiScaleDiscriminator(channels, config.discriminator_width, config.scales)
            for name, channels in self._judged().items()
        }
        for judge in self.judges.values():
            initialise(judge, config.optimisation.initial_deviation)
        self.networks: Mapping[str, nn.Module] = {"generator": generator, **self.judges}
        fitted = {part: session.fitted(network) for part, network in self.networks.items()}
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {part: adam for part, (_, adam) in fitted.items()}
        self.G, self.D_p, self.D_t = (fitted[part][0] for part in ("generator", "D_p", "D_t"))
        self.D_w = fitted["D_w"][0] if self.has_unpaired else nn.Identity()  # never asked where there is none

    def _judged(self) -> dict[str, int]:
        """Channels that each discriminator sees."""
        config = self.config
        condition = len(PARTS) if self.G_1 is None else condition_channels(config, second=True)
        channels = {"D_p": condition + config.channels, "D_t": config.judged * config.channels}
        return channels | ({"D_w": len(PARTS) + config.channels} if self.has_unpaired else {})

    def training_step(self, step: int) -> dict[str, Tensor]:
        if self.coarse is not None:
            self.coarse.requires_grad_(step >= self.joins_at)
        with rates_times(self.optimizers.values(), linear_decay(step, self.steps)):
            return self._step(step)

    @property
    def joins_at(self) -> int:
        """Step from which the G of half the size learns along."""
        return ceil(self.config.enhancer_alone * self.steps)

    def work(self, steps: int) -> float:
        """What the first `steps` cost, for `Estimate`; 1 is a step in which the enhancer learns alone."""
        return steps + (0 if self.coarse is None else COARSE_COST * max(0, steps - self.joins_at))

    def _step(self, step: int) -> dict[str, Tensor]:
        config = self.config
        poses, f = self._paired(PAIRED, step, config.damage)
        x, p, coarse = self._condition(poses)
        x, p, f = x.flatten(0, 1), p.flatten(0, 1), f.flatten(0, 1)  # (B*M, ...)
        c = p if self.G_1 is None else x  # what D_p is conditioned on: the frame's pose, or stage I's frames
        fake = self._frames(self.G(x), coarse)
        real = {"p": self.D_p(torch.cat([c, f], 1)), "t": self.D_t(self._in_time(f))}
        if self.has_unpaired:
            poses = self.footage.unpaired(self._streams(UNPAIRED), step, self.around)
            x_w, p_w, coarse_w = self._condition(poses)
            p_w, fake_w = p_w.flatten(0, 1), self._frames(self.G(x_w.flatten(0, 1)), coarse_w)
            real["w"] = self.D_w(self._recorded(step))

        # G: eq. 4 = L_Dp + L_Dt + L_Dw + lambda_vgg L_vgg + lambda_fm (L_fp + L_ft), and L1 on alpha.
        # It comes before the D's, so that both are judged by the same and real frames are shown to them once
        with frozen(*self.judges.values()):
            seen = {"p": self.D_p(torch.cat([c, fake], 1)), "t": self.D_t(self._in_time(fake))}
            if self.has_unpaired:
                seen["w"] = self.D_w(torch.cat([p_w, fake_w], 1))
            goal = {f"gan_{name}": _fooled(maps) for name, maps in seen.items()}
            for name in ("p", "t"):
                fixed = [[features.detach() for features in maps] for maps in real[name]]
                goal[f"fm_{name}"] = config.lambda_fm * losses.feature_matching(fixed, seen[name]).mean()
            goal["vgg"] = config.lambda_vgg * self.phi.distance(fake[:, :3], f[:, :3]).mean()
            if not config.whole_frame:
                goal["alpha"] = config.lambda_alpha * (fake[:, 3] - f[:, 3]).abs().mean()
            descend(self.session.fabric, self.optimizers["generator"], goal)

        # D_p, eq. 1: tell (c, f) from (c, G(x)). D_t, eq. 2: M real frames from M generated ones. D_w, eq. 3: recorded
        # pairs (p', f') from other people's poses and what was generated for them
        judged = {"p": self.D_p(torch.cat([c, fake.detach()], 1)), "t": self.D_t(self._in_time(fake.detach()))}
        if self.has_unpaired:
            judged["w"] = self.D_w(torch.cat([p_w, fake_w.detach()], 1))
        named = {f"D_{name}": _told_apart(real[name], maps) for name, maps in judged.items()}
        for name, loss in named.items():
            descend(self.session.fabric, self.optimizers[name], {name: loss})
        return named | goal

    def _paired(self, streams: tuple[int, int, int], step: int, noise: PoseNoise) -> tuple[Poses, Tensor]:
        """Poses around M frames, and the frames at this stage's size, `(B, M, C, H, W)`."""
        poses, f = self.footage.paired(self._streams(streams), step, self.around, noise)
        return poses, self._at_size(f)

    def _recorded(self, step: int) -> Tensor:
        """(p', f'): a pair of the reference, drawn for itself, its poses undamaged: `(B, P + C, H, W)`."""
        poses, f = self._paired(RECORDED, step, PoseNoise())
        return torch.cat([poses.at(self.around[0]).maps(self.config, self.shrink)[:, 0], f[:, 0]], 1)

    def _condition(self, poses: Poses) -> tuple[Tensor, Tensor, Tensor | None]:
        """x and p_t for each frame that poses are around, `(B, M, ..., H, W)`, and in stage II stage I's frames."""
        config, count = self.config, self.config.neighbours + 1 + self.config.after
        middle = slice(self.around[0], poses.xy.shape[1] - self.around[1])
        if self.G_1 is None:
            maps = poses.maps(config, self.shrink)
            return stacked(maps, count), maps[:, middle], None
        maps = poses.maps(config)
        with torch.no_grad(), self.session.fabric.autocast():
            windows = stacked(maps, count)
            painted = self.G_1(windows.flatten(0, 1)).float()
        frames = rearrange(painted, "(b m) c h w -> b m c h w", b=len(windows))
        frames = self._at_size(frames)
        k = config.neighbours
        coarse = frames[:, k : frames.shape[1] - k].flatten(0, 1)
        p = maps if self.shrink == 1 else poses.maps(config, self.shrink)
        return stacked(frames, 2 * k + 1), p[:, middle], coarse

    def _frames(self, painted: Tensor, coarse: Tensor | None) -> Tensor:
        return painted if coarse is None else refined(painted, coarse, self.config)

    def _at_size(self, pictures: Tensor) -> Tensor:
        """`(B, M, C, H, W)` of the config's box at this stage's size."""
        if self.shrink == 1:
            return pictures
        return rearrange(halved(pictures.flatten(0, 1)), "(b m) c h w -> b m c h w", b=len(pictures))

    def _in_time(self, frames: Tensor) -> Tensor:
        """`(B * M, C, H, W)` -> `(B, M * C, H, W)`."""
        return rearrange(frames, "(b m) c h w -> b (m c) h w", m=self.config.judged)

    def _streams(self, streams: tuple[int, int, int]) -> tuple[int, int, int]:
        choice, similarity, damage = (number + 10 * NAMES.index(self.name) for number in streams)
        return choice, similarity, damage

    def preview(self, generator: nn.Module, folder: Path, step: int) -> None:
        """Writes `step-<n>.png`: poses, real frames, generated ones and their alpha, and other people's poses.

        All as it is learnt, in boxes at this stage's size: nothing plays half of a stage II, or a window of a pool.
        """
        from understudy.recipes.parts.previews import COLUMNS, write_rows

        rows: dict[str, list[Tensor]] = {"poses": [], "reference": [], "generated": [], "alpha": []}
        for column in range(COLUMNS):
            poses, f = self._paired(RECORDED, column, PoseNoise())
            self._show(generator, poses, rows)
            rows["reference"].append(f[0, 0, :3])
            if self.has_unpaired:
                wild = self.footage.unpaired(self._streams(UNPAIRED), column, self.around)
                unpaired = {name: rows.setdefault(f"unpaired {name}", []) for name in ("poses", "generated")}
                self._show(generator, wild, unpaired)
        write_rows({name: list(pixels(torch.stack(row))) for name, row in rows.items() if row}, folder, step)

    def _show(self, generator: nn.Module, poses: Poses, rows: dict[str, list[Tensor]]) -> None:
        """Adds the first frame that poses are around to the rows."""
        x, p, coarse = self._condition(poses)
        with self.session.fabric.autocast():
            painted = generator(x.flatten(0, 1)).float()
        frame = self._frames(painted, coarse)[0]
        rows["poses"].append(p[0, 0].amax(0, keepdim=True).expand(3, -1, -1) * 2 - 1)
        rows["generated"].append(frame[:3])
        if "alpha" in rows and len(frame) == 4:
            rows["alpha"].append(frame[3:].expand(3, -1, -1))


def _fooled(maps: list[list[Tensor]]) -> Tensor:
    return torch.stack([losses.least_squares_generator_loss(scale[-1]).mean() for scale in maps]).sum()


def _told_apart(real: list[list[Tensor]], fake: list[list[Tensor]]) -> Tensor:
    pairs = zip(real, fake, strict=True)
    return torch.stack(
        [losses.least_squares_discriminator_loss(one[-1], other[-1]).mean() for one, other in pairs]
    ).sum()


def train(session: Session) -> Trained:
    """Trains G_1, and G_2 after it, on the reference's frames and on other people's poses; without those, without D_w.

    The config that is returned leaves out what was not reached.

    Raises:
        TrainingError: too few frames to learn from, or see `training.run`.
        Interrupted: after Ctrl-C or SIGTERM, with the state saved.
    """
    config: Config = session.config
    footage = Footage(session.reference, session.unpaired, config, session.chance, session.device, session.store)
    if config.unpaired and footage.pool is None:
        log.warning("no poses of other people were given: D_w, which learns from them, is left out")
    phi = PerceptualDistance(config.vgg_layers, config.features).to(session.device)
    session.settings |= {
        "features": phi.taken,
        "flat_colour": footage.flat,
        "unpaired": footage.pool.fingerprint() if footage.pool else None,
    }
    session.plan({name: config.shares[NAMES.index(name)] for name in config.stages})

    main, reached = first_stage(session, footage, phi)
    weights = {f"pose/{name}": value for name, value in main.weights.items()}
    if config.refine and reached == config:
        texture = None
        if not session.exhausted:
            G_1 = restored(generator_for(config, second=False), main.weights, session.device)
            texture = second_stage(session, footage, phi, G_1)
        if texture is None:
            reached = dataclasses.replace(config, refine=False)
        else:
            weights |= {f"texture/{name}": value for name, value in texture.weights.items()}
    session.tell_what_is_left()

    statistics = {"shown_points": footage.points.astype(np.uint8)}
    if footage.flat is not None:
        statistics["flat_colour"] = np.array(footage.flat, np.uint8)
    record = session.record | {
        "joined_at": 0 if footage.pool else None,
        "features": phi.taken,
        "data": f"{len(footage.clip.windows)} runs of {config.judged} frames of the reference"
        + (f", poses of {len(footage.pool.names)} other clips" if footage.pool else ""),
        "augmentation": dataclasses.asdict(config.augmentation) | dataclasses.asdict(config.damage),
    }
    return Trained(reached, weights, statistics, record)


# -- Playing -------------------------------------------------------------------------------------------------------


def player(config: Config, weights: Arrays, statistics: Arrays, device: Device = "auto", frames: int = 0) -> BoxPlayer:
    """Plays G_1, and G_2 where there is one, of a `Trained`."""
    chosen = ready_device(device)
    G_1 = ready(generator_for(config, False), below(weights, "pose/"), chosen, frames)
    G_2 = ready(generator_for(config, True), below(weights, "texture/"), chosen, frames) if config.refine else None
    return BoxPlayer(config, G_1, G_2, statistics["shown_points"], statistics.get("flat_colour"), chosen)


RECIPE = Recipe(
    title="Poses in the Wild",
    paper="Ren, Chai, Tulyakov, Fang, Shen, Yang: Human Motion Transfer from Poses in the Wild, 2020",
    config=Config,
    presets={"preview": preview, "fast": fast, "paper": paper},
    variants=VARIANTS,
    learns_from=lambda config: "poses" if config.unpaired else None,
    paints_room=lambda config: bool(config.whole_frame),
    train=train,
    contents=contents,
    player=player,
    cuts=cuts,
)
