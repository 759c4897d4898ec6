"""The numbers of CycleGAN (Zhu, Park, Isola, Efros 2017) and its presets. Equations and sections are the paper's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from understudy.recipes.parts.groups import Augmentation, Optimisation, Placement

Condition = Literal["frames", "poses"]


@dataclass(frozen=True)
class Config:
    """The paper's numbers (its appendix 7). Lengths in pixels are of the S x S picture."""

    condition: Condition = "poses"
    """domain A: the driver's "frames", as in the comparison of Aberman et al., or the reference's "poses" """
    size: int = 256
    """pixels: side S of the square picture"""
    placement: Placement = Placement(scale_by="hips")
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
    lambda_cycle: float = 10.0
    """eq. 3: weight of coming back to the picture one began with"""
    lambda_identity: float = 5.0
    """half of lambda_cycle, section 5.2; of frames only, since no picture is a pose and a frame at once"""
    history: int = 50
    """generated pictures that each discriminator is shown again, section 4; 0 shows new ones only"""
    optimisation: Optimisation = Optimisation()
    """batch: pictures of each domain a step. The learning rate falls to zero over the second half of the schedule"""
    epochs: int = 200
    """passes over the reference; ignored when `steps` is given"""
    steps: int | None = None
    """training steps, whatever the clips' lengths"""
    augmentation: Augmentation = Augmentation()
    """drawn for each picture by itself"""

    def __post_init__(self) -> None:
        if self.condition not in ("frames", "poses"):
            raise ValueError(f'condition must be "frames" or "poses", not {self.condition!r}')
        if self.size % 8 or self.size < 32:
            raise ValueError(f"size must be a multiple of 8 from 32 up, not {self.size}")
        if self.blocks < 1:
            raise ValueError(f"blocks must be at least 1, not {self.blocks}")
        if self.history < 0:
            raise ValueError(f"history must be at least 0, not {self.history}")


def paper() -> Config:
    """Everything as printed: 256x256, 9 blocks, 200 epochs. With condition "frames" it is the papers' comparison."""
    return Config()


def fast() -> Config:
    """What `performance_cloning.fast` adds to its paper: fewer steps, augmentation, average weights, fitted limbs."""
    return Config(
        placement=Placement(scale_by="body", fit_limbs=True),
        optimisation=Optimisation(ema_decay=0.999),
        steps=20_000,
        augmentation=Augmentation(rotate=10, zoom=0.1, shift=0.05),
    )


def preview() -> Config:
    """128x128, minutes on a CPU: a quarter of the paper's width and 4 of its 6 blocks.

    A step passes six pictures through two generators at full resolution, where a U-Net passes one through half of one:
    with more than this, four minutes on two cores end before the colours have found their places.
    """
    return Config(
        size=128,
        placement=Placement(scale_by="body", fit_limbs=True),
        limb_sigma=2.0,
        width=16,
        blocks=4,
        discriminator_width=32,
        optimisation=Optimisation(learning_rate=4e-4, ema_decay=0.995),
        steps=1500,
        augmentation=Augmentation(rotate=10, zoom=0.1, shift=0.05),
    )
