"""The driver's own shot, in which the clone takes his place: frame by frame he is taken out, and it is put in."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from understudy.compositing.cutouts import halved, paste
from understudy.compositing.light import Light
from understudy.compositing.removal import laid_over, with_small_things
from understudy.performance import MISSING
from understudy.performing.clean_plates import plates_of
from understudy.performing.outline import Outline, Outlines, around
from understudy.performing.where_filmed import feet_on_feet, moved_poses, way
from understudy.poses.similarity import Similarity

if TYPE_CHECKING:
    from understudy.actor import Actor
    from understudy.performance import Performance
    from understudy.performing.driver import Driver
    from understudy.poses.pose import Pose

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

SMALL = 0.45
"""trunk lengths: side of a square as large as a ball or a cup, which goes with the driver who touches it"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Emptied:
    """A frame of the shot without the driver."""

    picture: Image
    """(H, W, 3) RGB, to be drawn on"""
    filmed: Image
    """(H, W, 3) RGB as it was"""
    outline: Outline | None
    """where he was; None where nobody was found"""


class DriversShot:
    """Where and before what a clone stands that takes the driver's place.

    Args:
        actor: whose cutouts are put in; they are brought a little towards the light of the shot.
        driver: with his video.
        ways: (T, 3) from the generator's pixels to those of the driver's picture, see `where_filmed.ways_back`.
        played: what the clone plays, T poses in the generator's frame.

    Raises:
        UsageError: the driver's video is not there.
    """

    def __init__(self, actor: Actor, driver: Driver, ways: Floats, played: Pose) -> None:
        driver.check_film()
        header = driver.performance.header
        self.size_hw = header.original_size_hw
        filmed = header.crop.inverse.of_pose(driver.performance.poses, self.size_hw)
        edges = 0.0, 0.0, self.size_hw[1] - 1.0, self.size_hw[0] - 1.0
        self.ways = feet_on_feet(ways, played, filmed, edges)
        self.pose = moved_poses(self.ways, played, self.size_hw)
        self.light = light_of(actor, driver.performance)
        self._driver = driver

    def emptied(self) -> Generator[Emptied, None, None]:
        """The frames of the shot in order, without the driver; the last one is held where the video ends early."""
        driving = self._driver.performance
        missing = int((driving.status == MISSING).sum())
        if missing:
            log.warning("nobody was found in %d frames of the driver's shot: whoever is in them stays", missing)
        outlines, plates = Outlines(driving), plates_of(self._driver)
        last: Emptied | None = None
        with self._driver.film() as film, closing(around(driving.mattes())) as mattes:
            moment = -1
            for moment, (frame, matte) in enumerate(zip(film, mattes, strict=False)):
                outline, picture = outlines.of(moment, matte), frame.copy()
                if outline is not None:
                    behind, filmed, reach = plates.part(moment, outline.box), frame[outline.box], outline.reach
                    hidden = with_small_things(
                        filmed, outline.person, outline.widened, reach, behind, SMALL * outlines.trunk
                    )
                    picture[outline.box] = laid_over(filmed, *hidden, reach, behind)
                last = Emptied(picture, frame, outline)
                yield Emptied(picture.copy(), frame, outline)
            for _ in range(moment + 1, len(driving)):
                if last is not None:
                    yield Emptied(last.picture.copy(), last.filmed, last.outline)

    def composed(self, moment: int, cutout: Image, window_xy: npt.NDArray[np.int64], stage: Emptied) -> Image:
        """A frame with the clone in it, and before it what stood before the driver.

        Args:
            moment: number of the frame.
            cutout: (S, S, 4) premultiplied, in the generator's frame.
            window_xy: by how many pixels that was moved.
            stage: the frame without the driver; its picture is drawn on and returned.
        """
        place = Similarity.shifted(-window_xy[0], -window_xy[1]) @ way(self.ways, moment).inverse
        shown = paste(*halved(self.light.on(cutout), place), stage.picture)
        outline = stage.outline
        if outline is not None and outline.before is not None:
            share = outline.before[..., None].astype(np.float32) / 255
            there = shown[outline.box] * (1 - share) + stage.filmed[outline.box] * share
            shown[outline.box] = (there + 0.5).astype(np.uint8)
        return shown


def light_of(actor: Actor, driving: Performance) -> Light:
    """From the light around the reference to that around the driver, as their rooms show it; see `Light.from_to`."""
    here = _around_person(actor.background, actor.crop, actor.working_size)
    there = _around_person(driving.background(), driving.header.crop, driving.header.size_hw[0])
    return Light.from_to(here, there)


def _around_person(room: Image, crop: Similarity, size: int) -> Image:
    """The part of a room that the person's square shows."""
    low, high = crop.back(np.array([[0.0, 0.0], [size - 1.0, size - 1.0]]))
    rows, columns = (
        slice(min(max(0, int(first)), side - 1), max(min(side, int(last) + 1), 1))
        for first, last, side in zip(low[::-1], high[::-1], room.shape[:2], strict=True)
    )
    return room[rows, columns]
