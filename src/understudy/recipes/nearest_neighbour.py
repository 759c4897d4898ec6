"""The reference frame with the nearest pose, frame by frame: the baseline of both papers, without any training.

Chan et al. 2019, "Everybody Dance Now", eq. 6, compare the places of joints; Aberman et al. 2018, section 4, eq. 7, the
displacements along limbs, which do not change when the person walks. The frame is shown as it was filmed, in both
cases: the person stands where the reference stood, so by joints he is about in place and by limbs he may be elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from understudy.conditioning.clips import flat_colour
from understudy.poses.pose import Pose
from understudy.recipes.parts.kept_frames import (
    STATISTICS,
    WEIGHTS,
    gathered_record,
    keep_frames,
    kept_pictures,
    kept_poses,
    over_colour,
)
from understudy.recipes.parts.trained import ArraySpec, Trained
from understudy.retargeting.alignment import NormalizeBy, ScaleBy
from understudy.retargeting.nearest import nearest_frames, nearest_frames_by_limbs

if TYPE_CHECKING:
    from understudy.base.devices import Device
    from understudy.performance import Performance


@dataclass(frozen=True)
class Config:
    """Which frame is the nearest."""

    size: int = 256
    """pixels: side S of the square picture"""
    metric: Literal["joints", "limbs"] = "joints"
    """mean distance between joints (Everybody Dance Now, eq. 6), or between limbs (Aberman et al., eq. 7)"""
    scale_by: ScaleBy = "body"
    """what sets the one scale that aligns a driver, see `alignment.align`"""
    fit_limbs: bool = True
    """give the driver's limbs the reference's lengths before comparing"""
    normalization: NormalizeBy = "similarity"
    """how a driver is brought to the reference's place, see `perform.aligned_poses`"""
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
    """Gathers the reference's frames; the other arguments are those of every recipe, and change nothing here.

    Raises:
        TrainingError: nobody is in any frame.
    """
    started = time.monotonic()
    weights = keep_frames(reference, config.size, config.frames)
    statistics = {"flat_colour": np.array(flat_colour(reference), np.uint8)}
    return Trained(config, weights, statistics, gathered_record(weights, time.monotonic() - started, seed))


def contents(config: Config) -> tuple[ArraySpec, ArraySpec]:
    """Weights and statistics that an actor of this recipe holds."""
    return WEIGHTS, STATISTICS


def generate(
    config: Config,
    weights: Mapping[str, npt.NDArray[Any]],
    statistics: Mapping[str, npt.NDArray[Any]],
    pose: Pose,
    *,
    device: Device = "auto",
    batch: int = 8,
) -> Iterator[npt.NDArray[np.uint8]]:
    """Shows the nearest reference frame for every pose, over the flat colour.

    Args:
        config, weights, statistics: of a `Trained`.
        pose: aligned with the reference, in pixels of the recipe's S x S frame.

    Yields:
        `(S, S, 3)` RGB uint8. Where no reference frame shares a joint with the pose: nobody.

    Raises:
        ActorError: the frames in `weights` cannot be decoded.
    """
    kept = kept_poses(weights, config.size)
    find = nearest_frames if config.metric == "joints" else nearest_frames_by_limbs
    frame = find(pose, kept).frame
    colour = statistics["flat_colour"]
    pictures = kept_pictures(weights, config.size, frame[frame >= 0])
    for index in frame:
        if index < 0:
            yield np.full((config.size, config.size, 3), colour, np.uint8)
        else:
            yield over_colour(pictures[int(index)], colour)
