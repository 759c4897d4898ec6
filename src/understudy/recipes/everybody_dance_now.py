"""Everybody Dance Now (Chan, Ginosar, Zhou, Efros 2019), the way from a pose sequence to a video.

Equation and section numbers are the paper's. x: pose stick figures, y: frames, G: stick figures -> frames of the
reference's person, D: three discriminators on three scales. Stages follow one another: G at half the size, G with a
local enhancer at full size (both after pix2pixHD), then G_f for the face with G held still.

Global pose normalisation (sections 3.1 and 8.5) is `retargeting/global_normalization.py`, which every recipe can use.
The fake detector (section 5) is in `forensics/`, the nearest neighbour of section 4.1 (eq. 6) another recipe.

Where we differ from the paper, in `paper()` too:
- The adversarial losses of G and D are least squares, as pix2pixHD trains, in place of the logarithms in eqs. 1, 3
  and 4. The face's (eqs. 2 and 5) keep them, G_f's in the form that does not saturate.
- L_P compares VGG-19 behind the ReLU of conv1_1 ... conv5_1, as pix2pixHD does; where its ImageNet weights cannot be
  had, features of EfficientNet-Lite0 (`networks/perceptual.py`), which the actor's record then says.
- L_FM leaves out the last layer of each discriminator, its judgement, as pix2pixHD's code does.
- Section 8.5 is made steadier (`placement.normalization`); to the letter it is the variant "ground-printed".
- The picture is a square about the person, 256x256 and then 512x512; the paper's are 512x256 and 1024x512.
- x is lines alone, without dots for the joints, from the tracker's 133 points: feet too, and hands and the face's
  outlines where the tracker finds them. A limb's thickness is a share of the picture's side, a hand's line half of it,
  a face's a quarter, so that eyes and lips do not run into each other.
- A face is a square about the nose that follows the head's size, resampled to 128x128, in place of 128x128 pixels of
  the picture. Where it is shown, r fades out towards the square's border; without a nose there is no r.
- G_f learns from frames that G painted once, the whole reference in order, kept at 8 bits a value. The text below
  eq. 5 speaks of L_FM; the equation has none, nor has G_f.

What the paper does not print is pix2pixHD's, but for what is called ours:
- lambda_FM = 10. "lambda_P = 5 and lambda_VGG = 10" of section 8.2 is read as one weight, L_P's, in the global and the
  local stage; in the face stage it stays 10 (ours). Layers count alike, each by its mean, as pix2pixHD's equations have
  it; its code weighs them.
- Adam at 2e-4 with (0.5, 0.999), one window a step, first weights from N(0, 0.02). The rate does not decay, and D's
  loss is not halved (ours).
- Instance normalisation in G, G_f and D, with a scale and a shift that are learnt (ours). D_f is pix2pix's PatchGAN,
  normalised by batch.
- The enhancer learns alone in the first fifth of its stage (the share is ours). D begins fresh in it (ours).
- G is updated before D, on the same frames and the same D; D_f is updated before G_f (ours).
- What is wrong in G(x_t) is also learnt by the G(x_{t-1}) that it was painted from: gradients pass through (ours).

Beyond the paper, and off in `paper()`: the person cut out (`whole_frame=False`), fitted limbs, augmentation, damaged
poses, average weights.

Shape letters: B windows, N consecutive frames (2, or 1 without temporal smoothing), S the side of the square picture,
F the side of a face patch.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from understudy import losses
from understudy.base.devices import Device, ready_device
from understudy.base.engines import Call
from understudy.conditioning.pictures import pixels
from understudy.conditioning.stick_figure import LINES, THICKNESS, palette
from understudy.networks.perceptual import PerceptualDistance
from understudy.networks.pix2pixhd import GlobalGenerator, LocalEnhancer, MultiScaleDiscriminator
from understudy.networks.unet import initialise
from understudy.recipes.parts.cut import RGB, Cut, flat_colour_of
from understudy.recipes.parts.everybody_dance_now_config import FACE, GLOBAL, LOCAL, NAMES, Config, fast, paper, preview
from understudy.recipes.parts.everybody_dance_now_faces import FaceGAN, Patches, face_cut, face_generator_for, refine
from understudy.recipes.parts.everybody_dance_now_footage import Footage, Painter, colours_of, paint
from understudy.recipes.parts.player import BATCH, Frame, Moment, Need, batches, pose_of
from understudy.recipes.parts.recipe import Recipe
from understudy.recipes.parts.trained import Arrays, ArraySpec, Trained, arrays_of, below, ready, restored
from understudy.training import loop as training
from understudy.training.session import Session
from understudy.training.step import descend, frozen

log = logging.getLogger(__name__)

__all__ = ["RECIPE", "Config", "contents", "fast", "paper", "player", "preview", "train"]

STREAMS = {GLOBAL: (1, 2), LOCAL: (3, 4)}
"""streams of random numbers, for the choice of windows and for their augmentation: none is shared"""

COARSE_COST = 0.45
"""of a step of the local stage, what the G of the global stage adds where it learns along; measured: 0.15 with numbers
like `preview`'s, 0.47 at 256 pixels with half of the paper's channels (AMD EPYC)"""


# -- Training, in stages (section 3.3) ---------------------------------------------------------------------------


def global_stage(session: Session, footage: Footage, phi: PerceptualDistance) -> training.Outcome | None:
    """G at the size that the local enhancer will double, or at full size if there is none to come."""
    config = session.config
    session.begin()
    generator = global_generator_for(config)
    initialise(generator, config.optimisation.initial_deviation)
    trainee = PoseToVideo(session, footage, phi, GLOBAL, generator, config.size // 2**config.local_enhancers)
    return session.stage(GLOBAL, trainee, config.steps_of(GLOBAL, footage.epoch))


def local_stage(
    session: Session, footage: Footage, phi: PerceptualDistance, before: training.Outcome
) -> training.Outcome | None:
    """The enhancer around the G of the global stage: first it alone, then both as one network."""
    config = session.config
    session.begin()
    generator = generator_for(config)
    initialise(generator, config.optimisation.initial_deviation)
    assert isinstance(generator, LocalEnhancer)
    restored(generator.global_generator, before.weights, torch.device("cpu")).train()
    trainee = PoseToVideo(session, footage, phi, LOCAL, generator, config.size)
    return session.stage(LOCAL, trainee, config.steps_of(LOCAL, footage.epoch), work=trainee.work)


class PoseToVideo:
    """G and D on the device; `training_step` is one step of eq. 3."""

    shown = "generator"

    def __init__(
        self,
        session: Session,
        footage: Footage,
        phi: PerceptualDistance,
        stage: str,
        generator: GlobalGenerator | LocalEnhancer,
        size: int,
    ):
        self.config: Config = session.config
        config = self.config
        self.session, self.footage, self.phi, self.stage, self.size = session, footage, phi, stage, size
        self.lambda_p = config.lambda_p[NAMES.index(stage)]
        judge = MultiScaleDiscriminator(config.consecutive * (3 + 3), config.discriminator_width, config.scales)
        initialise(judge, config.optimisation.initial_deviation)
        self.coarse = generator.global_generator if isinstance(generator, LocalEnhancer) else None
        self.G, self.optimize_G = session.fitted(generator)
        self.D, self.optimize_D = session.fitted(judge)
        self.networks: Mapping[str, nn.Module] = {"generator": generator, "D": judge}
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {"generator": self.optimize_G, "D": self.optimize_D}

    def training_step(self, step: int) -> dict[str, Tensor]:
        config, fabric = self.config, self.session.fabric
        if self.coarse is not None:
            self.coarse.requires_grad_(step >= self.joins_at)
        x, y = self.footage.pairs(STREAMS[self.stage], step, self.size)  # (B, N, 3, S, S)
        fake = self._window(x)
        real_maps = self.D(_stack(x, y))

        # G: eq. 3 = sum_k L_smooth + lambda_FM sum_k L_FM + lambda_P (L_P of every frame), k the scales of D.
        # It comes before D, so that both are judged by the same D and the real frames are shown to it once
        with frozen(self.D):
            fake_maps = self.D(_stack(x, fake))
            gan = [losses.least_squares_generator_loss(maps[-1]).mean() for maps in fake_maps]
            fixed = [[features.detach() for features in maps] for maps in real_maps]
            matching = losses.feature_matching(fixed, fake_maps)
            perceptual = self.phi.distance(fake.flatten(0, 1), y.flatten(0, 1))
            goal = {
                "gan": torch.stack(gan).sum(),
                "fm": config.lambda_fm * matching.mean(),
                "p": self.lambda_p * perceptual.mean() * config.consecutive,
            }
            descend(fabric, self.optimize_G, goal)

        # D: tell (x_{t-1}, x_t, y_{t-1}, y_t) from (x_{t-1}, x_t, G(x_{t-1}), G(x_t)), eq. 1; or, frame by frame,
        # (x, y) from (x, G(x)), eq. 4. Both by least squares
        fake_maps = self.D(_stack(x, fake.detach()))
        judged = [
            losses.least_squares_discriminator_loss(real[-1], fake[-1]).mean()
            for real, fake in zip(real_maps, fake_maps, strict=True)
        ]
        named = {"D": torch.stack(judged).sum()}
        descend(fabric, self.optimize_D, named)
        return named | goal

    @property
    def joins_at(self) -> int:
        """Step of the local stage from which the G of the global stage learns along."""
        return round(self.config.enhancer_alone * self.config.steps_of(LOCAL, self.footage.epoch))

    def work(self, steps: int) -> float:
        """What the first `steps` of a stage cost, for `Estimate`; 1 is a step in which the enhancer learns alone."""
        return steps + (0 if self.coarse is None else COARSE_COST * max(0, steps - self.joins_at))

    def _window(self, x: Tensor) -> Tensor:
        """G(x_{t-1}) from a zero image, and G(x_t) from G(x_{t-1}): `(B, N, 3, S, S)`."""
        if not self.config.temporal_smoothing:
            return self.G(x[:, 0])[:, None]  # type: ignore[no-any-return]
        before, now = x.unbind(1)
        first = self.G(torch.cat([before, torch.zeros_like(before)], 1))
        return torch.stack([first, self.G(torch.cat([now, first], 1))], 1)

    def preview(self, generator: nn.Module, folder: Path, step: int) -> None:
        from understudy.recipes.parts.previews import write_previews

        config = self.config
        if self.coarse is None:
            config = replace(config, size=self.size, local_enhancers=0)
        player = StickFigurePlayer(config, self.footage.colours, generator)
        clip = self.footage.clip.resized(self.size / self.config.size)
        write_previews(player, clip, [], self.size, config.consecutive, folder, step)


def _stack(x: Tensor, frames: Tensor) -> Tensor:
    """What D sees: `(B, N * (3 + 3), S, S)`."""
    return torch.cat([x.flatten(1, 2), frames.flatten(1, 2)], 1)


def face_stage(
    session: Session, footage: Footage, phi: PerceptualDistance, G: nn.Module, reached: Config
) -> training.Outcome | None:
    """G_f, on faces as G paints them: G is held still, so it plays the reference once, before."""
    config = session.config
    session.begin()
    painted = paint(G, reached, footage.colours, *footage.clip.all_joints())
    patches = Patches(footage, painted, config.face_size, session.store)
    batch = config.optimisation.batch
    if len(patches) < batch:
        log.warning("the face stage is left out: %d frames show a face, and it needs %d", len(patches), batch)
        return None
    trainee = FaceGAN(session, phi, patches)
    return session.stage(FACE, trainee, config.steps_of(FACE, session.chance.epoch(batch, len(patches))))


def train(session: Session) -> Trained:
    """Trains G, and G_f after it, on the reference's frames.

    The config that is returned leaves out the stages that time or steps did not reach.

    Raises:
        TrainingError: too few frames to learn from, or see `training.run`.
        Interrupted: after Ctrl-C or SIGTERM, with the state saved.
    """
    config: Config = session.config
    footage = Footage(session.reference, config, session.chance, session.device, session.store)
    phi = PerceptualDistance(config.vgg_layers, config.features).to(session.device)
    session.settings |= {"features": phi.taken, "flat_colour": footage.flat}
    session.plan({stage: config.shares[NAMES.index(stage)] for stage in config.stages})

    main = global_stage(session, footage, phi)
    assert main is not None  # the limits are above 0
    reached = replace(config, size=config.size // 2**config.local_enhancers, local_enhancers=0, face=False)
    if config.local_enhancers:
        enhanced = local_stage(session, footage, phi, main)
        if enhanced is not None:
            main, reached = enhanced, replace(config, face=False)
    weights = {f"main/{name}": value for name, value in main.weights.items()}
    if config.face and reached.size == config.size and not session.exhausted:
        G = restored(generator_for(reached), main.weights, session.device)
        face = face_stage(session, footage, phi, G, reached)
        if face is not None:
            weights |= {f"face/{name}": value for name, value in face.weights.items()}
            reached = config
    session.tell_what_is_left()

    record = session.record | {
        "joined_at": None,
        "features": phi.taken,
        "data": f"{len(footage.clip.windows)} runs of {config.consecutive} frames of the reference",
        "augmentation": asdict(config.augmentation),
    }
    return Trained(reached, weights, footage.statistics(), record)


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


class StickFigurePlayer:
    """Plays G, and G_f after it if there is one: one frame a pose, from the frame before it when smoothing.

    Args:
        config: with the size that G paints.
        colours: of the lines, see `colours_of`.
        G, G_f: on their device, ready to generate.
    """

    latency: int | None = 0
    needs: tuple[Need, ...] = ("poses",)

    def __init__(self, config: Config, colours: Tensor, G: Call, G_f: Call | None = None):
        self.config, self.colours, self.G, self.G_f = config, colours, G, G_f

    def play(self, moments: Iterable[Moment], batch: int = BATCH) -> Iterator[Frame]:
        """See `Player.play`: `(S, S, 3)`, the reference's room with the person, or the person over the flat colour.

        Poses of a batch are drawn, their faces refined and their frames fetched together; with temporal smoothing G
        paints them one by one all the same.
        """
        config, device = self.config, self.colours.device
        painter = Painter(self.G, config, self.colours)
        for some in batches(moments, batch):
            pose = pose_of(some, config.size)
            xy = torch.from_numpy(pose.xy).to(device)
            seen = torch.from_numpy(pose.confidence > config.seen_above).to(device)
            x, frames = painter(xy, seen)
            yield from pixels(frames if self.G_f is None else refine(self.G_f, config, xy, seen, x, frames))


def player(
    config: Config, weights: Arrays, statistics: Arrays, device: Device = "auto", frames: int = 0
) -> StickFigurePlayer:
    """Plays the G and G_f of a `Trained`."""
    chosen = ready_device(device)
    G = ready(generator_for(config), below(weights, "main/"), chosen, frames)
    G_f = ready(face_generator_for(config), below(weights, "face/"), chosen, frames) if config.face else None
    return StickFigurePlayer(config, colours_of(statistics["palette"], chosen), G, G_f)


def cuts(config: Config, weights: Arrays, statistics: Arrays) -> tuple[Cut, ...]:
    """G, from a stick figure and the picture before to a picture; and G_f, if there is one."""
    figure = {
        "kind": "stick figure",
        "size_hw": [config.size, config.size],
        "seen_above": config.seen_above,
        "poses": [0],
        "lines": [list(ends) for ends in LINES],
        "thickness": [share * config.line * config.size for share in THICKNESS],
        "colours": statistics["palette"].tolist(),
        "picture_before": config.temporal_smoothing,
        "flat_colour": flat_colour_of(statistics),
    }
    given = tuple(f"stick figure: {channel}" for channel in RGB)
    if config.temporal_smoothing:
        given += tuple(f"what came out for the moment before, 0 before the first: {channel}" for channel in RGB)
    G = restored(generator_for(config), below(weights, "main/"), torch.device("cpu"))
    use = "it is the picture, the room with the person" if config.whole_frame else "it is the person over flat_colour"
    main = Cut("", G, (config.size, config.size), given, RGB, figure, use)
    return (main, face_cut(config, below(weights, "face/"))) if config.face else (main,)


RECIPE = Recipe(
    title="Everybody Dance Now",
    paper="Chan, Ginosar, Zhou, Efros: Everybody Dance Now, 2019",
    config=Config,
    presets={"preview": preview, "fast": fast, "paper": paper},
    train=train,
    contents=contents,
    player=player,
    cuts=cuts,
    variants={
        "FBF": lambda config: replace(config, temporal_smoothing=False, face=False),
        "FBF+TS": lambda config: replace(config, temporal_smoothing=True, face=False),
        "FBF+TS+FG": lambda config: replace(config, temporal_smoothing=True, face=True),
        "ground-printed": lambda config: replace(
            config, placement=replace(config.placement, normalization="ground-printed")
        ),
    },
    paints_room=lambda config: bool(config.whole_frame),
)
