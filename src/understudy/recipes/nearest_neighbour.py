"""The reference frame with the nearest pose, frame by frame: the baseline of both papers, without any training.

Chan et al. 2019, "Everybody Dance Now", eq. 6, compare the places of joints; Aberman et al. 2018, section 4, eq. 7, the
displacements along limbs, which do not change when the person walks. The frame is shown as it was filmed, in both
cases: the person stands where the reference stood, so by joints he is about in place and by limbs he may be elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from understudy.recipes.parts.cut import nothing_to_cut
from understudy.recipes.parts.groups import Placement
from understudy.recipes.parts.kept_frames import (
    STATISTICS,
    WEIGHTS,
    KeptPictures,
    gathered,
    kept_poses,
    over_colour,
)
from understudy.recipes.parts.player import BATCH, Frame, Moment, Need, batches, pose_of
from understudy.recipes.parts.recipe import Recipe
from understudy.recipes.parts.trained import Arrays, ArraySpec, Trained
from understudy.retargeting.nearest import nearest_frames, nearest_frames_by_limbs

if TYPE_CHECKING:
    from understudy.base.devices import Device
    from understudy.training.session import Session


@dataclass(frozen=True)
class Config:
    """Which frame is the nearest."""

    size: int = 256
    """pixels: side S of the square picture"""
    metric: Literal["joints", "limbs"] = "joints"
    """mean distance between joints (Everybody Dance Now, eq. 6), or between limbs (Aberman et al., eq. 7)"""
    placement: Placement = Placement(scale_by="body", fit_limbs=True)
    frames: int = 3600
    """at most this many frames of the reference are kept, those with the most different poses"""

    def __post_init__(self) -> None:
        if self.size < 8:
            raise ValueError(f"size must be at least 8 pixels, not {self.size}")
        if self.metric not in ("joints", "limbs"):
            raise ValueError(f'metric must be "joints" or "limbs", not {self.metric!r}')
        if self.frames < 1:
            raise ValueError(f"frames must be at least 1, not {self.frames}")


def paper() -> Config:
    """256x256, and two minutes of footage in full."""
    return Config()


def fast() -> Config:
    """The same as `paper`: there is nothing to train."""
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


class NearestPlayer:
    """Shows the nearest reference frame for every pose, over the flat colour; the kept ones stay encoded.

    Raises:
        ActorError: the frames in `weights` cannot be decoded.
    """

    latency: int | None = 0
    needs: tuple[Need, ...] = ("poses",)

    def __init__(self, config: Config, weights: Arrays, statistics: Arrays):
        self.config, self.weights, self.colour = config, weights, statistics["flat_colour"]
        self.kept = kept_poses(weights, config.size)

    def play(self, moments: Iterable[Moment], batch: int = BATCH) -> Iterator[Frame]:
        """See `Player.play`: `(S, S, 3)`. Where no reference frame shares a joint with the pose: nobody."""
        size = self.config.size
        find = nearest_frames if self.config.metric == "joints" else nearest_frames_by_limbs
        for some in batches(moments, batch):
            nearest = find(pose_of(some, size), self.kept).frame
            pictures = KeptPictures(self.weights, size, nearest[nearest >= 0])
            for index in nearest:
                if index < 0:
                    yield np.full((size, size, 3), self.colour, np.uint8)
                else:
                    yield over_colour(pictures[int(index)], self.colour)


def player(
    config: Config, weights: Arrays, statistics: Arrays, device: Device = "auto", frames: int = 0
) -> NearestPlayer:
    """Plays a `Trained`, on the processor whatever `device` says."""
    return NearestPlayer(config, weights, statistics)


RECIPE = Recipe(
    title="Nearest neighbour",
    paper="Chan et al. 2019, eq. 6, and Aberman et al. 2018, eq. 7: baselines of both",
    config=Config,
    presets={"preview": preview, "fast": fast, "paper": paper},
    train=train,
    contents=contents,
    player=player,
    cuts=nothing_to_cut("nearest-neighbour shows the reference's own frames and paints none"),
    variants={"by limbs": lambda config: replace(config, metric="limbs")},
    learns=False,
)
