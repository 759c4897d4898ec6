"""Moments of a driver, each with the reference's frames warped into it: what a refining network sees."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from understudy.conditioning.limb_warps import parts_seen, with_made_up_points
from understudy.poses.pose import Pose
from understudy.recipes.parts.agreement import STEP, Agreement, logits_of
from understudy.recipes.parts.boxes import Box, box_about
from understudy.recipes.parts.source_choice import Choosing, Chosen
from understudy.recipes.parts.wardrobe import CUT_AT_ONCE, Cut, Wardrobe
from understudy.retargeting.frame_path import Frames

Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]


class Warping(Cut, Choosing, Protocol):
    """What a config says of both."""

    @property
    def choice(self) -> float:
        """RGB levels of advantage over which one source gives way to another"""


@dataclass(frozen=True, eq=False)
class Dressing:
    """One moment. N is the side that a network sees."""

    frames: npt.NDArray[np.intp]
    """(K,) the kept frames that are shown"""
    pictures: Floats
    """(K, N, N, 4) premultiplied, 0-255"""
    places: Floats | None
    """(K, N, N, 2) x, y: which pixel of the frame, at N, each place shows; NaN beyond the person. None where nobody
    asked"""
    filmed: Floats
    """(K, N/2, N/2) in [0, 1]: 0 where it was made up from around"""
    logits: Floats
    """(K, N/2, N/2) of the choice by agreement, 0 for the best"""
    pose: Floats
    """(P, N/2, N/2) in [0, 1]: 1 on the middle line of each part of the body"""

    def person(self, room: int, multiple: int, size: int) -> Box | None:
        """What any picture shows and `room` pixels more, its edges at multiples; None where none shows anything.

        Args:
            size: S, of a larger picture, of which the box is whole pixels, too.
        """
        side = self.pictures.shape[1]
        box = box_about(self.pictures[..., 3].max(axis=0), room, multiple)
        whole = side % multiple == 0 and size * multiple % side == 0
        return box if box is None or whole else Box(0, 0, side, side)

    def part(self, box: Box) -> Dressing:
        """What it is of a part of the picture."""
        fine, coarse = (slice(None), *box.at()), (slice(None), *box.at(1 / STEP))
        return Dressing(
            self.frames,
            self.pictures[fine],
            None if self.places is None else self.places[fine],
            *(one[coarse] for one in (self.filmed, self.logits, self.pose)),
        )


class Dresser:
    """Makes dressings, one after the other.

    Args:
        config: its `size` is N.
        kept: poses of the reference's frames, in pixels of the N x N picture.
        pictures: those that are chosen, by index: (N, N, 4) RGB and matte.
        cut_at_once: see `Wardrobe`.
        places: whether dressings are to know theirs: what is enlarged afterwards needs them.
    """

    def __init__(
        self,
        config: Warping,
        kept: Pose,
        pictures: Mapping[int, Image],
        cut_at_once: int = CUT_AT_ONCE,
        places: bool = False,
    ) -> None:
        self.config, self._places = config, places
        self._wardrobe = Wardrobe(config, kept, pictures, cut_at_once=cut_at_once)
        self.begin()

    def ready_frames(self, count: int) -> Iterator[int]:
        """Cuts kept frames apart before a moment asks for them, spread evenly, as many as stay ready.

        Args:
            count: how many frames there are.

        Yields:
            How many are to come, after each.
        """
        most = min(count, self._wardrobe.most_cut)
        for done in range(most):
            self._wardrobe.layers(done * count // most)
            yield most - done - 1

    def begin(self) -> None:
        """The next moment does not follow on the one before."""
        self.agreement = Agreement(self.config.size, self.config.choice)
        """all that is carried on from moment to moment"""

    def dressing(self, xy: Floats, confidence: Floats, frames: Frames, distances: npt.NDArray[Any]) -> Dressing:
        """One moment of a driver.

        Args:
            xy, confidence: (133, 2) in pixels of the same picture, and (133,).
            frames, distances: (K',) kept frames to be warped into it, and how far they are.
        """
        config = self.config
        # A short reference has fewer frames to offer: the last path is then taken more than once
        paths = [min(path, len(frames) - 1) for path in range(config.sources)]
        xy, seen = with_made_up_points(xy, confidence)  # an hour of them would be large
        wanted = self._wardrobe.wanted(xy, seen)
        dressed = [self._wardrobe.dressed(int(frame), wanted, self._places) for frame in frames]
        worn, filmed = (np.stack([getattr(dressed[path], kind) for path in paths]) for kind in ("picture", "filmed"))
        places = [at for path in paths if (at := dressed[path].places) is not None]
        fault = self.agreement.fault(worn, filmed, distances[paths])
        half = config.size // STEP
        return Dressing(
            frames[paths],
            worn,
            np.stack(places) if places else None,
            np.stack([cv2.resize(one, (half, half), interpolation=cv2.INTER_AREA) for one in filmed]),
            logits_of(fault, config.choice),
            _drawn(wanted.near, parts_seen(seen), half),
        )


def dressings(
    config: Warping,
    kept: Pose,
    pictures: Mapping[int, Image],
    chosen: Chosen,
    pose: Pose,
    wanted: Sequence[int],
    places: bool = False,
) -> Generator[Dressing, None, None]:
    """Some moments of a driver, one after the other.

    Args:
        config, kept, pictures: see `Dresser`.
        chosen: for every moment of the driver.
        pose: the driver's, in pixels of the N x N picture.
        wanted: moments, in rising order.
        places: see `Dresser`.
    """
    dresser, before = Dresser(config, kept, pictures, places=places), None
    for moment in wanted:
        if before is not None and moment != before + 1:  # it holds on to the moment before
            dresser.begin()
        before = moment
        frames, distances = chosen.frames[:, moment], chosen.distances[:, moment]
        yield dresser.dressing(pose.xy[moment], pose.confidence[moment], frames, distances)


def _drawn(near: Floats, usable: npt.NDArray[np.bool_], side: int) -> Floats:
    drawn = np.where(usable[:, None, None], np.exp(-np.square(near)), np.float32(0))
    return np.stack([cv2.resize(np.asarray(one, np.float32), (side, side)) for one in drawn])
