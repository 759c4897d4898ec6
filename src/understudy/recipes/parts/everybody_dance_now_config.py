"""The numbers of Everybody Dance Now (Chan et al. 2019) and its presets. Equations and sections are the paper's."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.networks.perceptual import Features
from understudy.recipes.parts.groups import Augmentation, Optimisation, Placement
from understudy.retargeting.augmentation import PoseNoise

GLOBAL, LOCAL, FACE = NAMES = "global", "local", "face"


@dataclass(frozen=True)
class Config:
    """The paper's numbers. Lengths in pixels are of the S x S picture."""

    size: int = 512
    """pixels: side S of the square picture. A square about the person in the paper's 1024x512 is 512x512"""
    whole_frame: bool = True
    """learn the room along with the person, as the paper does; otherwise the person alone, who is then cut out"""
    temporal_smoothing: bool = True
    """G sees its previous frame and D two frames at a time (eq. 1); false is "frame by frame", with eq. 4 instead"""
    face: bool = True
    """refine the face by a GAN of its own (section 3.2)"""
    placement: Placement = Placement(normalization="ground")
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
    features: Features = "auto"
    """what L_P compares, see `networks/perceptual.py`"""
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
    optimisation: Optimisation = Optimisation(batch=1)
    epochs: tuple[int, int, int] = (5, 30, 5)
    """passes over the reference in the global, the local and the face stage (section 8.2)"""
    steps: tuple[int, int, int] | None = None
    """training steps of each stage, whatever the reference's length; in place of `epochs`"""
    shares: tuple[float, float, float] = (0.15, 0.7, 0.15)
    """of the training time when that is limited, for each stage; those that are left out count for nothing"""
    enhancer_alone: float = 0.2
    """share of the local stage in which only the enhancer learns; then G learns as a whole (as pix2pixHD does)"""
    augmentation: Augmentation = Augmentation()
    pose_noise: PoseNoise = PoseNoise()

    def __post_init__(self) -> None:
        for name in ("vgg_layers", "lambda_p", "epochs", "steps", "shares"):  # lists, when read from a file
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
        if self.whole_frame and self.augmentation:
            raise ValueError("whole_frame learns where the room is, so rotate, zoom and shift must be 0 with it")
        if any(self.shares[NAMES.index(stage)] <= 0 for stage in self.stages):
            raise ValueError(f"each stage needs a share of the time above 0: not {', '.join(map(str, self.shares))}")
        if any(self.steps_of(stage, 1) < 1 for stage in self.stages):
            given = ", ".join(map(str, self.steps or self.epochs))
            raise ValueError(f"each stage needs at least one {'step' if self.steps else 'epoch'}: not {given}")
        if not 0 <= self.enhancer_alone <= 1:
            raise ValueError(f"enhancer_alone is a share between 0 and 1, not {self.enhancer_alone}")

    @property
    def consecutive(self) -> int:
        """N, frames that D sees at a time."""
        return 2 if self.temporal_smoothing else 1

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages that are trained, in their order."""
        return (GLOBAL, *[LOCAL] * self.local_enhancers, *[FACE] * self.face)

    def steps_of(self, stage: str, epoch: int) -> int:
        """Training steps of a stage, in which `epoch` steps see everything once."""
        place = NAMES.index(stage)
        return self.steps[place] if self.steps else self.epochs[place] * epoch


def paper() -> Config:
    """The paper's numbers: half of 512x512, then all of it, with the room and the face.

    "Where we differ from the paper", at the head of `everybody_dance_now.py`, lists what is not as printed.
    """
    return Config()


def fast() -> Config:
    """256x256, the size of the paper's global stage, without an enhancer: below that size there is little to enhance.

    The person alone over a flat colour, half of G's width, augmentation, average weights.
    """
    return Config(
        size=256,
        whole_frame=False,
        placement=Placement(normalization="ground", fit_limbs=True),
        local_enhancers=0,
        width=32,
        face_size=64,
        face_width=32,
        face_downsamplings=3,
        face_blocks=6,
        optimisation=Optimisation(batch=2, ema_decay=0.999),
        steps=(20_000, 0, 4_000),
        augmentation=Augmentation(rotate=10, zoom=0.1, shift=0.05),
    )


def preview() -> Config:
    """128x128 and narrow: minutes on a CPU, to see whether the footage works.

    A heavier L_P over the first layer alone, because in so few steps D has hardly learnt what to ask for.
    """
    return Config(
        size=128,
        whole_frame=False,
        placement=Placement(normalization="ground", fit_limbs=True),
        line=1 / 64,
        local_enhancers=0,
        width=24,
        downsamplings=3,
        blocks=4,
        discriminator_width=16,
        scales=2,
        features="random",
        vgg_layers=("relu1_1",),
        lambda_p=(200.0, 200.0, 200.0),
        face_size=32,
        face_width=16,
        face_downsamplings=2,
        face_blocks=3,
        optimisation=Optimisation(batch=2, learning_rate=5e-4, ema_decay=0.995),
        steps=(1800, 0, 600),
        shares=(0.9, 0, 0.1),
        augmentation=Augmentation(rotate=10, zoom=0.1, shift=0.05),
    )
