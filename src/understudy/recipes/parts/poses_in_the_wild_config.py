"""The numbers of Human Motion Transfer from Poses in the Wild (Ren et al. 2020), its presets and its ablations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from understudy.networks.perceptual import Features
from understudy.recipes.parts.groups import Augmentation, Optimisation, Placement
from understudy.retargeting.augmentation import PoseNoise

POSE, POSE_FULL, TEXTURE, TEXTURE_FULL = NAMES = "pose", "pose-full", "texture", "texture-full"

RUNGS = ("PL-Stage1", "PL-Stage1-DA", "PL-Stage1-DA-F", "PL-Stage2", "PL-UL-Stage2")
"""the ablation ladder of Table 5: each adds one thing to the one before"""
LEAST = {"neighbours": 0} | dict.fromkeys(
    ("size", "judged", "width", "downsamplings", "blocks", "enhancer_blocks", "discriminator_width", "scales"), 1
)
"""what numbers must at least be"""


@dataclass(frozen=True)
class Config:
    """The paper's numbers. Lengths in pixels are of the box that the generators paint, unless they say otherwise."""

    size: int = 512
    """pixels: side S of the square picture in which the box is put back at its place"""
    box_hw: tuple[int, int] = (512, 256)
    """pixels: height and width of the box about the person, all that the generators paint (section 4.1)"""
    whole_frame: bool = False
    """learn the room along with the person, in a box that is the whole square picture: "w/ BG" in Table 1"""
    placement: Placement = Placement()
    seen_above: float = 0.1
    """confidence above which a joint counts as seen"""
    line: float = 1 / 96
    """share of the box's height: thickness of the limbs' lines (not printed)"""
    neighbours: int = 2
    """frames: K, poses before and after a frame that G_1 sees, and frames of stage I that G_2 sees (section 4.1)"""
    past_only: bool = False
    """G_1 sees K poses before and none after, as methods before this one: the first two rungs of the ladder"""
    judged: int = 3
    """frames: M, consecutive ones that D_t sees (section 4.1)"""
    augment: bool = True
    """damage the reference's poses, as `pose_noise` says, while learning from pairs (section 3.1): "DA" """
    pose_noise: PoseNoise = PoseNoise(drop=0.1, jitter=0.02, stretch=0.2)
    """not printed"""
    refine: bool = True
    """stage II, section 3.2"""
    residual: bool = False
    """G_2 paints what is added to stage I's frame; beyond the paper, so that a short stage II begins where I ended"""
    unpaired: bool = True
    """learn from other people's poses as well, section 3.3: "UL" """
    progressive: bool = True
    """each stage is trained at half the size first, then at full size with a local enhancer (section 4.1)"""
    width: int = 64
    """channels of the generators' first level"""
    downsamplings: int = 4
    """halvings in the generators"""
    blocks: int = 9
    """residual blocks in the generators"""
    enhancer_blocks: int = 3
    """residual blocks in an enhancer"""
    enhancer_alone: float = 0.2
    """share of an enhancer's planned steps in which the generator inside it is held still (not printed)"""
    discriminator_width: int = 64
    """channels of the first layer of D_p, D_t and D_w"""
    scales: int = 3
    """discriminators in each of them, every one on half the size of the one before (pix2pixHD's)"""
    features: Features = "auto"
    """what L_vgg compares, see `networks/perceptual.py`"""
    vgg_layers: tuple[str, ...] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    """layers of L_vgg (not printed; pix2pixHD's)"""
    lambda_vgg: float = 10.0
    """eq. 4: weight of the perceptual loss"""
    lambda_fm: float = 10.0
    """eq. 4: weight of feature matching on D_p and D_t"""
    lambda_alpha: float = 10.0
    """weight of L1 on alpha, which the paper gets from a green screen and we learn with the frame"""
    optimisation: Optimisation = Optimisation()
    """the learning rate is printed (section 4.1), a batch of windows of M frames is not, and the rest is pix2pixHD's"""
    epochs: tuple[int, int, int, int] = (10, 10, 10, 10)
    """passes over the reference in each stage, I and II, each at half and at full size (not printed)"""
    steps: tuple[int, int, int, int] | None = None
    """training steps of each of the four, whatever the reference's length; in place of `epochs`"""
    shares: tuple[float, float, float, float] = (0.25, 0.3, 0.2, 0.25)
    """of the training time when that is limited; those that are left out count for nothing"""
    augmentation: Augmentation = Augmentation()
    """of the box's height and width; beyond the paper"""

    def __post_init__(self) -> None:
        for name in ("box_hw", "vgg_layers", "epochs", "steps", "shares"):  # lists, when read from a file
            given = getattr(self, name)
            object.__setattr__(self, name, given if given is None else tuple(given))
        for name, least in LEAST.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, not {getattr(self, name)}")
        halvings = self.downsamplings + self.progressive
        if any(side % 2**halvings or side < 2 ** (halvings + 1) for side in self.box_hw):
            raise ValueError(
                f"a box of {self.box_hw[0]}x{self.box_hw[1]} cannot be halved {halvings} times: use multiples of "
                f"{2**halvings} from {2 ** (halvings + 1)} up"
            )
        if self.whole_frame and self.box_hw != (self.size, self.size):
            raise ValueError(f"whole_frame paints the square picture: box_hw must be {self.size}x{self.size} with it")
        if self.whole_frame and self.augmentation:
            raise ValueError("whole_frame learns where the room is, so rotate, zoom and shift must be 0 with it")
        if self.progressive and self.width % 2:
            raise ValueError(f"an enhancer has half of the generator's width, which must be even: not {self.width}")
        if any(self.shares[NAMES.index(stage)] <= 0 for stage in self.stages):
            raise ValueError(f"each stage needs a share of the time above 0: not {', '.join(map(str, self.shares))}")
        if not 0 <= self.enhancer_alone <= 1:
            raise ValueError(f"enhancer_alone is a share between 0 and 1, not {self.enhancer_alone}")

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages that are trained, in their order."""
        first = (POSE, POSE_FULL) if self.progressive else (POSE,)
        second = (TEXTURE, TEXTURE_FULL) if self.progressive else (TEXTURE,)
        return (*first, *second) if self.refine else first

    @property
    def channels(self) -> int:
        """Of a frame: RGB, and alpha unless the room is painted."""
        return 3 if self.whole_frame else 4

    @property
    def after(self) -> int:
        """Poses after a frame that G_1 sees; before it, there are `neighbours`."""
        return 0 if self.past_only else self.neighbours

    @property
    def damage(self) -> PoseNoise:
        """What is done to the reference's poses that are learnt from."""
        return self.pose_noise if self.augment else PoseNoise()


def paper() -> Config:
    """128x256 (W x H) first, then 256x512, two stages, other people's poses.

    As printed, but for the list "Where we differ from the paper" at the head of `poses_in_the_wild.py`.
    """
    return Config()


def fast() -> Config:
    """A square box of 256x256, since a dancer's arms are as wide as he is high; half the width, average weights.

    Zoom and shift are small, because the box is tight: more would cut off heads.
    """
    return Config(
        size=256,
        box_hw=(256, 256),
        placement=Placement(fit_limbs=True),
        progressive=False,
        width=32,
        discriminator_width=32,
        optimisation=Optimisation(ema_decay=0.999),
        steps=(14_000, 0, 8_000, 0),
        shares=(0.6, 0, 0.4, 0),
        augmentation=Augmentation(rotate=10, zoom=0.05, shift=0.02),
    )


def preview() -> Config:
    """128x128 and narrow: minutes on a CPU, to see whether the footage works.

    A heavier L_vgg over the first layer alone, because in so few steps D has hardly learnt what to ask for; stage II
    adds to stage I, because it has no time to begin anew.
    """
    return Config(
        size=128,
        box_hw=(128, 128),
        placement=Placement(fit_limbs=True),
        line=1 / 64,
        residual=True,
        progressive=False,
        width=24,
        downsamplings=3,
        blocks=4,
        discriminator_width=16,
        scales=2,
        features="random",
        vgg_layers=("relu1_1",),
        lambda_vgg=500.0,
        lambda_alpha=20.0,
        optimisation=Optimisation(learning_rate=4e-4, ema_decay=0.995),
        steps=(1000, 0, 300, 0),
        shares=(0.7, 0, 0.3, 0),
        augmentation=Augmentation(rotate=10, zoom=0.05, shift=0.02),
    )


def rung(config: Config, name: str) -> Config:
    """The config as one of `RUNGS` has it; the last is the whole method."""
    place = RUNGS.index(name)
    return replace(config, augment=place >= 1, past_only=place < 2, refine=place >= 3, unpaired=place >= 4)


def with_background(config: Config) -> Config:
    """The config as Table 1 has it "w/ BG": the room is learnt along with the person, from frames as they are."""
    square = (config.size, config.size)
    return replace(config, whole_frame=True, box_hw=square, augmentation=Augmentation())


VARIANTS: dict[str, Callable[[Config], Config]] = {name: partial(rung, name=name) for name in RUNGS} | {
    "w/ BG": with_background
}
"""the paper's ablations; "ours segmented FG" of Table 1 is "w/ BG" with the person cut out afterwards"""
