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
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from understudy import losses, training
from understudy.conditioning.clips import Clip
from understudy.conditioning.face_crops import cut, face_boxes, put_back
from understudy.conditioning.stick_figure import palette
from understudy.devices import Device, autocast, choose_device, keep_freed_memory
from understudy.networks.patchgan import PatchGAN
from understudy.networks.pix2pixhd import GlobalGenerator, LocalEnhancer, MultiScaleDiscriminator
from understudy.networks.unet import initialise
from understudy.networks.vgg import Features, VGG19Features
from understudy.pose import Pose
from understudy.recipes.everybody_dance_now_footage import Footage, Patches, as_values, figures
from understudy.recipes.trained import ArraySpec, Trained, arrays_of
from understudy.retargeting.alignment import ScaleBy
from understudy.run_folder import fingerprint
from understudy.stages import Stages

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from understudy.performance import Performance

log = logging.getLogger(__name__)

GLOBAL, LOCAL, FACE = NAMES = "global", "local", "face"
STREAMS = {GLOBAL: (1, 2), LOCAL: (3, 4), FACE: (5, 6)}
"""streams of random numbers, for the choice of windows and for their augmentation: none is shared"""


@dataclass(frozen=True)
class Config:
    """The paper's numbers. Lengths in pixels are of the S x S picture."""

    size: int = 512
    """pixels: side S of the square picture. A square about the person in the paper's 1024x512 is 512x512"""
    whole_frame: bool = True
    """learn the room along with the person, as the paper does; otherwise the person alone, who is then cut out"""
    temporal_smoothing: bool = True
    """G sees its previous frame and D two frames at a time (section 3.2); False is "frame by frame", FBF"""
    face: bool = True
    """refine the face by a GAN of its own (section 3.2)"""
    normalization: Literal["similarity", "ground"] = "ground"
    """how a driver is brought to the reference's place: section 8.5, or one scale and translation for the video"""
    scale_by: ScaleBy = "body"
    """what sets the scale of "similarity", see `alignment.align`"""
    fit_limbs: bool = False
    """give the driver's limbs the reference's lengths when performing; beyond the paper, whose limit this is"""
    seen_above: float = 0.1
    """confidence above which a joint counts as seen"""
    line: float = 1 / 96
    """share of the side: thickness of the stick figure's lines (not printed)"""
    width: int = 64
    """channels of G's first level"""
    downsamplings: int = 4
    """halvings in G"""
    blocks: int = 9
    """residual blocks in G"""
    local_enhancers: int = 1
    """1: G is first trained at half the size, then with an enhancer around it (section 8.2); 0: at full size at once"""
    enhancer_blocks: int = 3
    """residual blocks in the enhancer"""
    discriminator_width: int = 64
    """channels of D's first layer"""
    scales: int = 3
    """discriminators: D_1 ... D_3, each on half the size of the one before"""
    initial_deviation: float = 0.02
    """of the weights"""
    features: Features = "auto"
    """weights of the VGG-19 behind L_P"""
    vgg_layers: tuple[str, ...] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    """layers of L_P (section 8.2)"""
    lambda_fm: float = 10.0
    """eq. 3: weight of feature matching (pix2pixHD's)"""
    lambda_p: tuple[float, float, float] = (5.0, 10.0, 10.0)
    """eqs. 3 and 5: weight of L_P in the global, the local and the face stage (section 8.2; the last is not printed)"""
    face_size: int = 128
    """pixels: side F of a face patch, to which a square that follows the head's size is resampled"""
    face_width: int = 64
    """channels of G_f's first level, and of D_f's"""
    face_downsamplings: int = 4
    """halvings in G_f"""
    face_blocks: int = 9
    """residual blocks in G_f"""
    batch: int = 1
    """windows a step, or faces (not printed; pix2pixHD's)"""
    learning_rate: float = 2e-4
    """Adam's, of all networks (pix2pixHD's)"""
    betas: tuple[float, float] = (0.5, 0.999)
    """Adam's decays of the gradient's first and second moment"""
    epochs: tuple[int, int, int] = (5, 30, 5)
    """passes over the reference in the global, the local and the face stage (section 8.2)"""
    steps: tuple[int, int, int] | None = None
    """training steps of each stage, whatever the reference's length; in place of `epochs`"""
    shares: tuple[float, float, float] = (0.15, 0.7, 0.15)
    """of the training time when that is limited, for each stage; those that are left out count for nothing"""
    enhancer_alone: float = 0.2
    """share of the local stage in which only the enhancer learns; then G learns as a whole (as pix2pixHD does)"""
    rotate: float = 0.0
    """degrees: augmentation, the same for all frames of a window"""
    zoom: float = 0.0
    """augmentation: scale drawn from 1 / (1 + zoom) to 1 + zoom"""
    shift: float = 0.0
    """augmentation: share of the side"""
    ema_decay: float = 0.0
    """decay of the average of weights that is shown; 0 shows the last weights, as the paper does"""

    def __post_init__(self) -> None:
        for name in ("vgg_layers", "lambda_p", "betas", "epochs", "steps", "shares"):  # lists, when read from a file
            given = getattr(self, name)
            object.__setattr__(self, name, given if given is None else tuple(given))
        halvings = self.downsamplings + self.local_enhancers
        if self.local_enhancers not in (0, 1):
            raise ValueError(f"local_enhancers must be 0 or 1, not {self.local_enhancers}")
        if self.size % 2**halvings or self.size < 2 ** (halvings + 1):
            raise ValueError(
                f"size {self.size} cannot be halved {halvings} times: use a multiple of {2**halvings} "
                f"from {2 ** (halvings + 1)} up"
            )
        if self.local_enhancers and self.width % 2:
            raise ValueError(f"an enhancer has half of G's width, which must be even: not {self.width}")
        if self.face and (self.face_size % 2**self.face_downsamplings or self.face_size < 32):
            raise ValueError(
                f"face_size {self.face_size} cannot be halved {self.face_downsamplings} times: "
                f"use a multiple of {2**self.face_downsamplings} from 32 up"
            )
        if self.whole_frame and (self.rotate or self.zoom or self.shift):
            raise ValueError("whole_frame learns where the room is, so rotate, zoom and shift must be 0 with it")
        if self.normalization not in ("similarity", "ground"):
            raise ValueError(f"normalization must be similarity or ground, not {self.normalization}")
        if self.batch < 1:
            raise ValueError(f"batch must be at least 1, not {self.batch}")
        if any(self.shares[NAMES.index(stage)] <= 0 for stage in self.stages):
            raise ValueError(f"each stage needs a share of the time above 0: not {', '.join(map(str, self.shares))}")
        if not 0 <= self.enhancer_alone <= 1:
            raise ValueError(f"enhancer_alone is a share between 0 and 1, not {self.enhancer_alone}")
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"ema_decay must be at least 0 and below 1, not {self.ema_decay}")

    @property
    def consecutive(self) -> int:
        """N, frames that D sees at a time."""
        return 2 if self.temporal_smoothing else 1

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages that are trained, in their order."""
        return (GLOBAL, *[LOCAL] * self.local_enhancers, *[FACE] * self.face)


def paper() -> Config:
    """Everything as printed: half of 512x512, then all of it, with the room and the face."""
    return Config()


def fast() -> Config:
    """256x256, the size of the paper's global stage, without an enhancer: below that size there is little to enhance.

    The person alone over a flat colour, half of G's width, augmentation, average weights.
    """
    return Config(
        size=256,
        whole_frame=False,
        fit_limbs=True,
        local_enhancers=0,
        width=32,
        face_size=64,
        face_width=32,
        face_downsamplings=3,
        face_blocks=6,
        batch=2,
        steps=(20_000, 0, 4_000),
        rotate=10,
        zoom=0.1,
        shift=0.05,
        ema_decay=0.999,
    )


def preview() -> Config:
    """128x128 and narrow: minutes on a CPU, to see whether the footage works.

    A heavier L_P over the first layer alone, because in so few steps D has hardly learnt what to ask for.
    """
    return Config(
        size=128,
        whole_frame=False,
        fit_limbs=True,
        line=1 / 64,
        local_enhancers=0,
        width=16,
        downsamplings=3,
        blocks=4,
        discriminator_width=16,
        scales=2,
        features="random",
        vgg_layers=("relu1_1",),
        lambda_p=(100.0, 100.0, 100.0),
        face_size=32,
        face_width=16,
        face_downsamplings=2,
        face_blocks=3,
        batch=2,
        learning_rate=1e-3,
        steps=(1500, 0, 500),
        shares=(0.85, 0, 0.15),
        rotate=10,
        zoom=0.1,
        shift=0.05,
        ema_decay=0.995,
    )


# -- Training, in stages (section 3.3) ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Studio:
    """What every stage is given."""

    config: Config
    footage: Footage
    phi: VGG19Features
    stages: Stages
    fabric: Fabric
    seed: int

    def train(self, name: str, trainee: training.Trainee, epoch: int) -> training.Outcome | None:
        """Runs a stage for as long as the config says; None when time or steps ran out before it."""
        place = NAMES.index(name)
        steps = self.config.steps[place] if self.config.steps else self.config.epochs[place] * epoch
        return self.stages.run(name, trainee, steps)

    def adam(self, network: nn.Module) -> torch.optim.Adam:
        return torch.optim.Adam(network.parameters(), self.config.learning_rate, self.config.betas, fused=True)

    def perceptual(self, fake: Tensor, real: Tensor) -> Tensor:
        """L_P of frames `(B, 3, H, W)`: `(B,)`."""
        with self.fabric.autocast():
            with torch.no_grad():
                real_features = self.phi(real)
            return losses.perceptual_distance(self.phi(fake), real_features)


def global_stage(studio: Studio) -> training.Outcome | None:
    """G at the size that the local enhancer will double, or at full size if there is none to come."""
    config = studio.config
    size = config.size // 2**config.local_enhancers
    torch.manual_seed(studio.seed)
    generator = global_generator_for(config)
    initialise(generator, config.initial_deviation)
    trainee = PoseToVideo(studio, GLOBAL, generator, size)
    return studio.train(GLOBAL, trainee, studio.footage.epoch())


def local_stage(studio: Studio, before: training.Outcome) -> training.Outcome | None:
    """The enhancer around the G of the global stage: first it alone, then both as one network."""
    config = studio.config
    torch.manual_seed(studio.seed)
    generator = generator_for(config)
    initialise(generator, config.initial_deviation)
    assert isinstance(generator, LocalEnhancer)
    _restored(generator.global_generator, before.weights, torch.device("cpu")).train()
    trainee = PoseToVideo(studio, LOCAL, generator, config.size)
    return studio.train(LOCAL, trainee, studio.footage.epoch())


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
        steps = config.steps[1] if config.steps else config.epochs[1] * self.studio.footage.epoch()
        return round(config.enhancer_alone * steps)

    def _window(self, x: Tensor) -> Tensor:
        """G(x_{t-1}) from a zero image, and G(x_t) from G(x_{t-1}): `(B, N, 3, S, S)`."""
        if not self.config.temporal_smoothing:
            return self.G(x[:, 0])[:, None]  # type: ignore[no-any-return]
        before, now = x.unbind(1)
        first = self.G(torch.cat([before, torch.zeros_like(before)], 1))
        return torch.stack([first, self.G(torch.cat([now, first], 1))], 1)

    def preview(self, generator: nn.Module, folder: Path, step: int) -> None:
        from understudy.recipes.previews import write_previews

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


class FaceGAN:
    """G_f and D_f on the device; `training_step` is one step of eq. 5."""

    shown = "generator"

    def __init__(self, studio: Studio, patches: Patches):
        config = self.config = studio.config
        self.studio, self.patches = studio, patches
        generator = face_generator_for(config)
        judge = PatchGAN(3 + 3, config.face_width)
        for network in (generator, judge):
            initialise(network, config.initial_deviation)
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.G_f, self.optimize_G_f = studio.fabric.setup(generator, studio.adam(generator))
        self.D_f, self.optimize_D_f = studio.fabric.setup(judge, studio.adam(judge))
        self.networks: Mapping[str, nn.Module] = {"generator": generator, "D_f": judge}
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {
            "generator": self.optimize_G_f,
            "D_f": self.optimize_D_f,
        }

    def training_step(self, step: int) -> dict[str, Tensor]:
        config = self.config
        chosen = training.draw(self.studio.seed, STREAMS[FACE][0], step, config.batch, len(self.patches))
        x, coarse, y = self.patches[chosen]  # x_F, G(x)_F, y_F: (B, 3, F, F)
        fake = coarse + self.G_f(torch.cat([x, coarse], 1))  # G(x)_F + r

        # D_f: tell (x_F, y_F) from (x_F, G(x)_F + r), eq. 2
        real_logits, fake_logits = self.D_f(torch.cat([x, y], 1)), self.D_f(torch.cat([x, fake.detach()], 1))
        named = {"D_f": losses.discriminator_loss(real_logits, fake_logits).mean()}
        training.descend(self.studio.fabric, self.optimize_D_f, named)

        # G_f: eq. 5 = L_face + lambda_P L_P
        with training.frozen(self.D_f):
            goal = {
                "gan": losses.generator_loss(self.D_f(torch.cat([x, fake], 1))).mean(),
                "p": config.lambda_p[2] * self.studio.perceptual(fake, y).mean(),
            }
            training.descend(self.studio.fabric, self.optimize_G_f, goal)
        return named | goal

    def preview(self, generator: nn.Module, folder: Path, step: int) -> None:
        from understudy.recipes.previews import COLUMNS, write_rows

        x, coarse, y = self.patches[np.linspace(0, len(self.patches) - 1, COLUMNS).astype(int)]
        refined = coarse + generator(torch.cat([x, coarse], 1))
        rows = {"stick figure": x, "reference": y, "generated": coarse, "with residual": refined}
        write_rows({name: list(pixels(values)) for name, values in rows.items()}, folder, step)


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
    if config.face and reached.size == config.size:
        G = _restored(generator_for(reached), main.weights, fabric.device)
        face = face_stage(studio, G, reached)
        if face is not None:
            weights |= {f"face/{name}": value for name, value in face.weights.items()}
            reached = config
    if missing := [name for name in config.stages if name not in stages.outcomes]:
        log.warning("the actor is without the stages that were not reached: %s", ", ".join(missing))
    if stages.idle:
        log.warning("nothing left to do: all stages are done; raise --max-minutes or --max-steps")

    statistics = {"palette": footage.palette}
    if footage.flat is not None:
        statistics["flat_colour"] = np.array(footage.flat, np.uint8)
    record = {
        "steps": stages.total_steps,
        "stages": {name: outcome.steps for name, outcome in stages.outcomes.items()},
        "joined_at": None,
        "seconds": round(stages.total_seconds, 1),
        "features": phi.taken,
        "device": str(fabric.device),
        "precision": training.precision_on(fabric.device),
        "seed": seed,
        "losses": stages.losses,
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


def face_generator_for(config: Config) -> GlobalGenerator:
    """G_f with fresh weights."""
    return GlobalGenerator(3 + 3, 3, config.face_width, config.face_downsamplings, config.face_blocks)


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
    chosen = choose_device(device)
    if chosen.type == "cpu":
        keep_freed_memory()
    G = _restored(generator_for(config), _below(weights, "main/"), chosen)
    G_f = _restored(face_generator_for(config), _below(weights, "face/"), chosen) if config.face else None
    colours = as_values(np.asarray(statistics["palette"]), chosen)
    xy = torch.from_numpy(np.asarray(pose.xy, np.float32)).to(chosen)
    seen = torch.from_numpy(pose.confidence > config.seen_above).to(chosen)
    first = 0
    for x, frames in paint(G, config, colours, xy, seen, batch):
        part = slice(first, first + len(x))
        yield from pixels(frames if G_f is None else refine(G_f, config, xy[part], seen[part], x, frames))
        first += len(x)


@torch.no_grad()
def paint(
    G: nn.Module, config: Config, colours: Tensor, xy: Tensor, seen: Tensor, batch: int = 8
) -> Iterator[tuple[Tensor, Tensor]]:
    """Stick figures and what G makes of them, in order, `batch` at a time: both `(b, 3, S, S)` float32 in [-1, 1].

    With temporal smoothing each frame is painted from the one before, the first from a zero image (section 3.2); it
    stays on the device and in full precision between them. Faces are not refined in it, as G never saw them so.

    Args:
        xy: `(T, 133, 2)` pixels of the S x S frame.
        seen: `(T, 133)` bool.
    """
    before = xy.new_zeros(1, 3, config.size, config.size)
    for first in range(0, len(xy), batch):
        part = slice(first, first + batch)
        x = figures(config, colours, xy[part], seen[part], config.size)
        with autocast(xy.device):
            if not config.temporal_smoothing:
                yield x, G(x).float()
                continue
            frames = []
            for now in torch.split(x, 1):
                before = G(torch.cat([now, before], 1)).float()
                frames.append(before)
        yield x, torch.cat(frames)


@torch.no_grad()
def refine(G_f: nn.Module, config: Config, xy: Tensor, seen: Tensor, x: Tensor, frames: Tensor) -> Tensor:
    """Adds r = G_f(x_F, G(x)_F) to the face of each frame; those in which no nose is seen stay as they are."""
    centres, sides, usable = face_boxes(xy, seen)
    x_F, frames_F = (cut(pictures, centres, sides, config.face_size) for pictures in (x, frames))
    with autocast(xy.device):
        residual = G_f(torch.cat([x_F, frames_F], 1))
    return put_back(frames, residual.float(), centres, sides, usable)


def pixels(frames: Tensor) -> Iterator[npt.NDArray[np.uint8]]:
    """`(B, 3, H, W)` in [-1, 1] -> B times `(H, W, 3)` RGB uint8."""
    levels = ((frames + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    yield from levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def _below(weights: Mapping[str, npt.NDArray[Any]], prefix: str) -> dict[str, npt.NDArray[Any]]:
    return {name[len(prefix) :]: value for name, value in weights.items() if name.startswith(prefix)}


def _restored(network: nn.Module, weights: Mapping[str, npt.NDArray[Any]], device: torch.device) -> nn.Module:
    """The network with these weights, ready to generate."""
    network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    return network.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload,no-any-return]
