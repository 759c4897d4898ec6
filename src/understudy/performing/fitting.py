"""Whether a performer stays in the picture, and a place and size at which it does."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from understudy.actor import Actor
from understudy.base.arguments import Fit
from understudy.poses.pose import FloatArray, Pose
from understudy.poses.similarity import Similarity
from understudy.tracking.crop import reach

MARGIN = 0.01
"""of the picture's height kept free around the performer"""
RARE = 0.005
"""share of frames in which a body may reach farther: a slip of the tracker shrinks nobody"""
OFTEN = 0.02
"""share of frames from which on it is worth a word that somebody leaves the picture"""

log = logging.getLogger(__name__)


def fitted(
    actor: Actor, pose: Pose, shown: npt.NDArray[np.bool_], fit: Fit, name: str = "the clone", legs: bool = True
) -> Actor:
    """The actor, standing where all of it stays in the picture if that is asked for; else it is said that it does not.

    Legs that the reference's own picture cuts off are cut off here as well.

    Args:
        pose: what it plays, T frames in pixels of the reference's picture.
        shown: (T,) whether it is to be seen.
        fit: "placed" changes nothing.
        name: of the performer, for what is said.
        legs: whether they are to be in the picture.
    """
    low, high = reach(pose)
    seen = shown & np.isfinite(low).all(axis=1)
    if actor.paints_room and fit == "whole":
        log.warning("%s was learnt together with its room and stays where it is in it, whatever `--fit` says", name)
    if not seen.any() or actor.paints_room:
        return actor
    low, high = low[seen], high[seen]
    height, width = actor.original_size_hw
    standing_free = legs and actor.ground is not None
    limits = np.array([width - 1.0, height - 1.0 if standing_free else np.inf])
    if fit == "placed":
        _say_leaving(low, high, limits, name)
        return actor
    margin = MARGIN * height
    place = _place(np.quantile(low, RARE, axis=0), np.quantile(high, 1 - RARE, axis=0), margin, limits - margin)
    if place == Similarity(1.0, (0.0, 0.0)):
        return actor
    size = "its size" if place.scale == 1 else f"{place.scale:.0%} of its size"
    log.info("%s is moved and shown at %s, so that all of it stays in the picture", name, size)
    return replace(actor, crop=actor.crop @ place.inverse)


def _say_leaving(low: FloatArray, high: FloatArray, limits: npt.NDArray[np.float64], name: str) -> None:
    beyond = {
        "the head": low[:, 1] < 0,
        "the left side": low[:, 0] < 0,
        "the right side": high[:, 0] > limits[0],
        "the feet": high[:, 1] > limits[1],
    }
    leaving = [what for what, frames in beyond.items() if frames.mean() > OFTEN]
    if leaving:
        share = np.any([beyond[what] for what in leaving], axis=0).mean()
        log.warning(
            "%s leaves the picture in %.0f %% of the frames (%s): `--fit whole` places it so that it stays in",
            name,
            100 * share,
            ", ".join(leaving),
        )


def _place(low: FloatArray, high: FloatArray, least: float, most: npt.NDArray[np.float64]) -> Similarity:
    """The largest size, at most as it is, and the smallest shift that bring a box between two limits.

    It shrinks about its feet, which stay on their ground.
    """
    room = most - least
    scale = float(min(1.0, *(room / np.maximum(high - low, 1.0))))
    feet = (float(low[0] + high[0]) / 2, float(high[1]))
    shrunk = Similarity.pinned(scale, feet, feet)
    low, high = shrunk.of_points(np.stack([low, high]))
    shift = np.maximum(least - low, 0) + np.minimum(most - high, 0)
    return Similarity.shifted(float(shift[0]), float(shift[1])) @ shrunk
