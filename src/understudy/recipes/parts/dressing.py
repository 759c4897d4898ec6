"""Moments of a driver, each with the reference's frames warped into it: what a refining network sees."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from understudy.conditioning.limb_warps import parts_seen, with_made_up_points
from understudy.poses.pose import Pose
from understudy.recipes.parts.agreement import STEP, Agreement, logits_of
from understudy.recipes.parts.boxes import Box, box_about
from understudy.recipes.parts.source_choice import Choosing, Chosen
from understudy.recipes.parts.wardrobe import Cut, Wardrobe

Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]


class Warping(Cut, Choosing, Protocol):
    """What a config says of both."""

    @property
    def choice(self) -> float:
        """RGB levels of advantage over which one source gives way to another"""


@dataclass(frozen=True, eq=False)
class Dressing:
    """One moment. N is the side that a network sees, S that of the recipe's picture."""

    large: Floats
    """(K, S, S, 4) premultiplied, 0-255"""
    small: Floats
    """(K, N, N, 4) the same pictures"""
    filmed: Floats
    """(K, N/2, N/2) in [0, 1]: 0 where it was made up from around"""
    logits: Floats
    """(K, N/2, N/2) of the choice by agreement, 0 for the best"""
    pose: Floats
    """(P, N/2, N/2) in [0, 1]: 1 on the middle line of each part of the body"""

    def person(self, room: int, multiple: int) -> Box | None:
        """What any picture shows and `room` pixels more, its edges at multiples; None where none shows anything."""
        side = self.small.shape[1]
        box = box_about(self.small[..., 3].max(axis=0), room, multiple)
        if box is not None and (side % multiple or self.large.shape[1] * multiple % side):
            return Box(0, 0, side, side)  # no such box is whole pixels of the large pictures
        return box

    def part(self, box: Box) -> Dressing:
        """What it is of a part of the picture."""
        side, coarse = self.small.shape[1], box.at(1 / STEP)
        large, small = (one[(slice(None), *box.at(one.shape[1] / side))] for one in (self.large, self.small))
        return Dressing(large, small, *(one[(slice(None), *coarse)] for one in (self.filmed, self.logits, self.pose)))


def dressings(
    config: Warping,
    side: int,
    kept: Pose,
    pictures: Mapping[int, Image],
    chosen: Chosen,
    pose: Pose,
    wanted: Sequence[int],
) -> Generator[Dressing, None, None]:
    """Some moments of a driver, one after the other.

    Args:
        side: N, pixels.
        kept: poses of the reference's frames, in pixels of the S x S picture.
        pictures: those that were chosen, by index: (S, S, 4) RGB and matte.
        chosen: for every moment of the driver.
        pose: the driver's, in pixels of the same picture.
        wanted: moments, in rising order.
    """
    wardrobe = Wardrobe(config, kept, pictures)
    before = None
    xy, seen = with_made_up_points(pose.xy, pose.confidence)
    # A short reference has fewer frames to offer: the last path is then taken more than once
    paths = [min(path, len(chosen.frames) - 1) for path in range(config.sources)]
    for moment in wanted:
        if before is None or moment != before + 1:  # it holds on to the moment before
            agreement = Agreement(side, config.choice)
        before = moment
        near, usable = wardrobe.nearness(xy[moment]), parts_seen(seen[moment])
        dressed = [wardrobe.dressed(int(frame), xy[moment], seen[moment], near) for frame in chosen.frames[:, moment]]
        large, filmed = (np.stack([dressed[path][kind] for path in paths]) for kind in (0, 1))
        small, own = _at(large, side), _at(filmed, side)
        fault = agreement.fault(small, own, chosen.distances[paths, moment])
        yield Dressing(
            large,
            small,
            _at(own, side // STEP),
            logits_of(fault, config.choice),
            _drawn(near, usable, side // STEP),
        )


def _drawn(near: Floats, usable: npt.NDArray[np.bool_], side: int) -> Floats:
    drawn = np.where(usable[:, None, None], np.exp(-np.square(near)), np.float32(0))
    return np.stack([cv2.resize(np.asarray(one, np.float32), (side, side)) for one in drawn])


def _at(pictures: Floats, side: int) -> Floats:
    """(K, ...) at another side, as they are if it is theirs."""
    if pictures.shape[1] == side:
        return pictures
    return np.stack([cv2.resize(one, (side, side), interpolation=cv2.INTER_AREA) for one in pictures])
