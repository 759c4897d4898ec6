"""The numbers of copy-then-refine."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.recipes.parts.groups import Optimisation, Placement
from understudy.recipes.parts.wardrobe import GRID


@dataclass(frozen=True)
class Config:
    """Numbers of choosing and warping are those of `limb_warp`."""

    size: int = 1024
    """pixels: side S of the square picture"""
    side: int = 256
    """pixels: side N of what the network sees; of a larger picture it sees a smaller copy"""
    placement: Placement = Placement(scale_by="body", fit_limbs=True)
    frames: int = 600
    """at most this many frames of the reference are kept, those with the most different poses"""
    candidates: int = 40
    """reference frames considered for each driving frame"""
    swing: float = 0.5
    """weight of a limb's swing beside its change of length, when frames are chosen"""
    jump: float = 2.0
    """pixels of a 256 frame, mean over limbs: the price of going on with a frame filmed at another time"""
    sources: int = 4
    """K: reference frames, filmed at different times, that are warped for every moment"""
    apart: int = 6
    """frames of the reference that lie between any two of them at least"""
    choice: float = 6.0
    """RGB levels of advantage over which one of them gives way to another"""
    softness: float = 0.5
    """of the blending between neighbouring limbs' transforms, in thicknesses of the limbs"""
    reach: float = 1.8
    """thicknesses from a limb beyond which nothing of it is shown"""
    layers: bool = True
    """cut trunk, arms and legs apart before warping"""

    widths: tuple[int, ...] = (32, 48, 64, 96)
    """channels of the network at each depth, the first at N/2"""
    most_flow: float = 6.0
    """half pixels of N by which the network may look elsewhere"""
    knows_people: bool = True
    """begin with the network that travels with the program instead of one that knows nothing"""
    checked: bool = True
    """a slice of the reference that was not trained on decides which network is played; False plays the last one"""

    steps: int = 2400
    """training steps on the reference; 0 takes the network as it is"""
    crop: int = 128
    """pixels: side of the squares that are trained on"""
    strange: float = 0.3
    """how often something that is no part of the person is stuck to one of the sources"""
    optimisation: Optimisation = Optimisation(batch=4, learning_rate=5e-5, betas=(0.9, 0.999), ema_decay=0.99)
    gap: int = 12
    """frames of the reference that lie at least between a moment that is rehearsed and those that it is made of"""
    pairs: int = 400
    """of moments that are rehearsed"""
    lambda_features: float = 2.0
    """of features of Lite0: what an eye minds"""
    lambda_colours: float = 5.0
    """of colours, a pixel aside allowed"""
    lambda_alpha: float = 2.0
    """of the outline against the matte"""
    lambda_change: float = 2.0
    """of what changes from frame to frame, against what truly does"""
    lambda_entropy: float = 0.1
    """of showing several sources at one place"""
    lambda_flow: float = 0.02
    """of each pixel of looking elsewhere"""
    lambda_painted: float = 0.2
    """of painting what could be copied"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(self.widths))  # a list, when read from a file
        for name in ("size", "side", "crop"):
            least, multiple = 32, max(GRID, 2 ** len(self.widths))
            if getattr(self, name) < least or getattr(self, name) % multiple:
                raise ValueError(
                    f"{name} must be a multiple of {multiple} of at least {least} pixels, not {getattr(self, name)}"
                )
        if not self.crop <= self.side <= self.size:
            raise ValueError(f"crop, side and size must rise, not {self.crop}, {self.side}, {self.size}")
        for name, least in (("frames", 1), ("candidates", 1), ("sources", 1), ("jump", 0), ("swing", 0), ("steps", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, not {getattr(self, name)}")
        for name in ("softness", "reach", "choice", "most_flow"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")


def paper() -> Config:
    """1024x1024. There is no paper: the largest picture, and the longest learning of the person."""
    return Config()


def fast() -> Config:
    """768x768."""
    return Config(size=768, steps=600, pairs=200)


def preview() -> Config:
    """512x512, adapted to the person in minutes."""
    return Config(size=512, steps=150, pairs=120)


def instant() -> Config:
    """512x512, the network as it is."""
    return Config(size=512, steps=0)
