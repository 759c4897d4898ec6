"""The numbers of CycleGAN (Zhu, Park, Isola, Efros 2017) and its presets. Equations and sections are the paper's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from understudy.retargeting.alignment import NormalizeBy, ScaleBy

Condition = Literal["frames", "poses"]


@dataclass(frozen=True)
class Config:
    """The paper's numbers (its appendix 7). Lengths in pixels are of the S x S picture."""

    condition: Condition = "poses"
    """domain A: the driver's "frames", as in the comparison of Aberman et al., or the reference's "poses" """
    size: int = 256
    """pixels: side S of the square picture"""
    scale_by: ScaleBy = "hips"
    """what sets the one scale that aligns a driver, see `alignment.align`"""
    fit_limbs: bool = False
    """give the driver's limbs the reference's lengths when performing; of poses only"""
    normalization: NormalizeBy = "similarity"
    """how a driver is brought to the reference's place, see `perform.aligned_poses`; of poses only"""
    limb_sigma: float = 3.0
    """pixels: half thickness of a stick figure's limbs; of poses only"""
    seen_above: float = 0.1
    """confidence above which a joint counts as seen"""
    width: int = 64
    """channels of G and F at full resolution"""
    blocks: int = 9
    """residual blocks in G and F; the paper takes 6 at 128x128"""
    discriminator_width: int = 64
    """channels of the first layer of D_A and D_B"""
    initial_deviation: float = 0.02
    """of the weights"""
    lambda_cycle: float = 10.0
    """eq. 3"""
    lambda_identity: float = 5.0
    """half of lambda_cycle, section 5.2; of frames only, since no picture is a pose and a frame at once"""
    history: int = 50
    """generated pictures that each discriminator is shown again, section 4; 0 shows new ones only"""
    batch: int = 1
    """pictures of each domain a step"""
    learning_rate: float = 2e-4
    """Adam's, of all networks; falls to zero over the second half of the schedule"""
    betas: tuple[float, float] = (0.5, 0.999)
    """Adam's decays of the gradient's first and second moment"""
    epochs: int = 200
    """passes over the reference; ignored when `steps` is given"""
    steps: int | None = None
    """training steps, whatever the clips' lengths"""
    rotate: float = 0.0
    """degrees: augmentation, drawn for each picture by itself"""
    zoom: float = 0.0
    """augmentation: scale drawn from 1 / (1 + zoom) to 1 + zoom"""
    shift: float = 0.0
    """augmentation: share of the side"""
    ema_decay: float = 0.0
    """decay of the average of G's weights that is shown; 0 shows the last weights, as the paper does"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", tuple(self.betas))
        if self.condition not in ("frames", "poses"):
            raise ValueError(f'condition must be "frames" or "poses", not {self.condition!r}')
        if self.size % 8 or self.size < 32:
            raise ValueError(f"size must be a multiple of 8 from 32 up, not {self.size}")
        if self.blocks < 1:
            raise ValueError(f"blocks must be at least 1, not {self.blocks}")
        if self.batch < 1:
            raise ValueError(f"batch must be at least 1, not {self.batch}")
        if self.history < 0:
            raise ValueError(f"history must be at least 0, not {self.history}")
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"ema_decay must be at least 0 and below 1, not {self.ema_decay}")


def paper() -> Config:
    """Everything as printed: 256x256, 9 blocks, 200 epochs. With condition "frames" it is the papers' comparison."""
    return Config()


def fast() -> Config:
    """What `performance_cloning.fast` adds to its paper: fewer steps, augmentation, average weights, fitted limbs."""
    return Config(scale_by="body", fit_limbs=True, steps=20_000, rotate=10, zoom=0.1, shift=0.05, ema_decay=0.999)


def preview() -> Config:
    """128x128, minutes on a CPU: a quarter of the paper's width and 4 of its 6 blocks.

    A step passes six pictures through two generators at full resolution, where a U-Net passes one through half of one:
    with more than this, four minutes on two cores end before the colours have found their places.
    """
    return Config(
        size=128,
        scale_by="body",
        fit_limbs=True,
        limb_sigma=2.0,
        width=16,
        blocks=4,
        discriminator_width=32,
        learning_rate=4e-4,
        steps=1500,
        rotate=10,
        zoom=0.1,
        shift=0.05,
        ema_decay=0.995,
    )
