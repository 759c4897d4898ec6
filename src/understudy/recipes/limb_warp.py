"""Reference frames, warped limb by limb into the driver's pose: a first look within seconds, without any training.

No paper's method: the bar that learning has to clear. Along the whole dance the reference frames that need the least
warping are chosen (`retargeting.frame_path`); each is cut into trunk, arms and legs (`limb_layers`), which move by the
transforms of their limbs (`conditioning.limb_warps`) and are laid over one another again. That is done with several
frames at every moment, and each place shows the one that the others bear out (`agreement`): faces and prints stay
sharp, and a ball that flew by does not stick to a knee. What no chosen frame shows is smeared from around.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from understudy.conditioning.limb_warps import with_made_up_points
from understudy.recipes.parts.agreement import Agreement
from understudy.recipes.parts.cut import nothing_to_cut
from understudy.recipes.parts.groups import Placement
from understudy.recipes.parts.kept_frames import (
    STATISTICS,
    WEIGHTS,
    KeptPictures,
    gathered,
    kept_poses,
)
from understudy.recipes.parts.person_alone import PersonAlone
from understudy.recipes.parts.player import BATCH, Frame, Moment, Need, pose_of
from understudy.recipes.parts.recipe import Recipe
from understudy.recipes.parts.source_choice import chosen_frames
from understudy.recipes.parts.trained import Arrays, ArraySpec, Trained
from understudy.recipes.parts.wardrobe import GRID, Wardrobe
from understudy.retargeting.frame_path import Frames

if TYPE_CHECKING:
    from understudy.base.devices import Device
    from understudy.training.session import Session

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Config:
    """There is nothing to train, only how frames are chosen and blended."""

    size: int = 256
    """pixels: side S of the square picture"""
    placement: Placement = Placement(scale_by="body", fit_limbs=True)
    frames: int = 600
    """at most this many frames of the reference are kept, those with the most different poses"""
    candidates: int = 40
    """reference frames considered for each driving frame"""
    swing: float = 0.5
    """weight of a limb's swing beside its change of length, when frames are chosen"""
    jump: float = 2.0
    """pixels of a 256 frame, mean over limbs: the price of going on with a frame filmed at another time; 0 = chosen
    one by one"""
    sources: int = 4
    """reference frames, filmed at different times, that are warped for every moment; 1 shows the nearest as it is"""
    apart: int = 6
    """frames of the reference that lie between any two of them at least"""
    choice: float = 6.0
    """RGB levels of advantage over which one of them gives way to another; without end it would be their mean"""
    fade: int = 0
    """frames before and after a jump over which both frames are mixed, where there is one source only"""
    softness: float = 0.5
    """of the blending between neighbouring limbs' transforms, in thicknesses of the limbs"""
    reach: float = 1.8
    """thicknesses from a limb beyond which nothing of it is shown"""
    layers: bool = True
    """cut trunk, arms and legs apart before warping; without, an arm drags along what is behind it"""

    def __post_init__(self) -> None:
        if self.size < 32 or self.size % GRID:
            raise ValueError(f"size must be a multiple of {GRID} of at least 32 pixels, not {self.size}")
        for name, least in (("frames", 1), ("candidates", 1), ("sources", 1), ("fade", 0), ("jump", 0), ("swing", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, not {getattr(self, name)}")
        for name in ("softness", "reach", "choice"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")


def paper() -> Config:
    """256x256. There is no paper, and all presets but the smallest are the same."""
    return Config()


def fast() -> Config:
    """256x256."""
    return Config()


def preview() -> Config:
    """128x128."""
    return Config(size=128)


def train(session: Session) -> Trained:
    """Gathers the reference's frames.

    Raises:
        TrainingError: nobody is in any frame.
    """
    return gathered(session, session.config.frames)


def contents(config: Config) -> tuple[ArraySpec, ArraySpec]:
    """Weights and statistics that an actor of this recipe holds."""
    return WEIGHTS, STATISTICS


# -- Generation ----------------------------------------------------------------------------------------------------


class WarpPlayer:
    """Warps the chosen reference frames, with their mattes. They are chosen along the whole dance.

    Raises:
        ActorError: the frames in `weights` cannot be decoded.
    """

    latency: int | None = None
    needs: tuple[Need, ...] = ("poses",)

    def __init__(self, config: Config, weights: Arrays):
        self.config, self.weights = config, weights
        self.kept = kept_poses(weights, config.size)

    def play(self, moments: Iterable[Moment], batch: int = BATCH) -> Iterator[Frame]:
        """See `Player.play`: `(S, S, 4)`, cut out. Where no part of the body is seen: nobody."""
        config, pose = self.config, pose_of(moments, self.config.size)
        chosen = chosen_frames(config, pose, self.kept, self.weights["moment"])
        pictures = KeptPictures(self.weights, config.size, range(len(self.kept)))
        wardrobe = Wardrobe(config, self.kept, PersonAlone(config, self.kept, pictures))
        agreement = Agreement(config.size, config.choice)
        for moment in range(len(pose)):
            points, seen = with_made_up_points(pose.xy[moment], pose.confidence[moment])
            dressed = partial(wardrobe.dressed, wanted=wardrobe.wanted(points, seen))
            if config.sources == 1:
                shares = mixture(chosen.frames[0], moment, config.fade)
                shown = sum((share * dressed(frame)[0] for frame, share in shares.items()), np.float32(0))
            else:
                sources, filmed, _ = zip(*map(dressed, chosen.frames[:, moment]), strict=True)
                shown = agreement.shown(np.stack(sources), np.stack(filmed), chosen.distances[:, moment])
            yield np.asarray(shown + np.float32(0.5), np.uint8)


def player(config: Config, weights: Arrays, statistics: Arrays, device: Device = "auto", frames: int = 0) -> WarpPlayer:
    """Plays a `Trained`, on the processor whatever `device` says."""
    return WarpPlayer(config, weights)


def mixture(path: Frames, moment: int, fade: int) -> dict[int, float]:
    """Which frames are mixed at a moment, with their shares: those of the path around it, nearer ones more."""
    shares: Counter[int] = Counter()
    for offset in range(-fade, fade + 1):
        if 0 <= moment + offset < len(path):
            shares[int(path[moment + offset])] += fade + 1 - abs(offset)
    total = sum(shares.values())
    return {frame: share / total for frame, share in shares.items()}


RECIPE = Recipe(
    title="Limb warp (no training)",
    paper="",
    config=Config,
    presets={"instant": fast, "preview": preview, "fast": fast, "paper": paper},
    train=train,
    contents=contents,
    player=player,
    cuts=nothing_to_cut("limb-warp moves pieces of the reference's own frames and paints none"),
    variants={
        "one by one": lambda config: replace(config, jump=0.0),
        "one source": lambda config: replace(config, sources=1, fade=2),
        "no layers": lambda config: replace(config, layers=False),
    },
    landmarks="wholebody",
    learns=False,
)
