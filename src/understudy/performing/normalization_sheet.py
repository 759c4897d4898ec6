"""An overlay of skeletons: the driver as filmed, and as brought to the reference's place, in the reference's room.

Three moments are shown, when the driver is closest to the camera, half-way and farthest, because that is where a
normalisation goes wrong: feet off the floor, a giant, a dwarf.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from understudy.pictures.drawing import contact_sheet
from understudy.poses.pose import FOOT_LIMBS, OPENPOSE18_LIMBS, Pose
from understudy.poses.similarity import Similarity
from understudy.retargeting.global_normalization import GroundStatistics, ground_position, ground_statistics

if TYPE_CHECKING:
    from understudy.actor import Actor
    from understudy.performance import Performance
    from understudy.performing.driver import Driver

Image = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

CELL = 320
"""pixels: height of a picture in the sheet"""
FILMED: Colour = (255, 150, 40)
"""orange: the driver as filmed"""
PLACED: Colour = (70, 215, 255)
"""light blue: the driver brought to the reference's place"""
FLOOR: Colour = (240, 240, 240)
NOTE = (
    "Orange: the driver as filmed, his picture scaled to the height of the reference's. "
    "Blue: where the clone stands. White lines: where the reference's ankles are when close and when far."
)


def normalization_sheet(actor: Actor, driver: Driver, placed: Mapping[str, Pose]) -> Image:
    """The overlay as a contact sheet: one row for each way of placing, one column for each moment.

    Args:
        actor: whose room is drawn on, and whose floor is marked.
        driver: whose skeleton is drawn.
        placed: the driver's poses in pixels of the reference's original picture, by what the row is to be called.
    """
    driving = driver.performance
    moments = _moments(driving)
    filmed = _as_filmed(driving, actor.original_size_hw)
    room = (0.55 * actor.background.astype(np.float32)).astype(np.uint8)
    if actor.ground is not None:
        _draw_floor(room, actor, actor.ground)
    rows = [[_overlaid(room, ((filmed, FILMED), (pose, PLACED)), moment) for moment in moments.values()]
            for pose in placed.values()]  # fmt: skip
    labels = [f"{name}, {float(moment / driving.fps):.2f} s" for name, moment in moments.items()]
    height, width = actor.original_size_hw
    return np.asarray(
        contact_sheet(rows, list(placed), labels, cell_hw=(CELL, max(2, round(CELL * width / height))), note=NOTE)
    )


def _moments(driving: Performance) -> dict[str, int]:
    """Frames in which the driver is found, by what they show."""
    there = np.flatnonzero(driving.status > 0)
    if not len(there):
        return {"nobody": 0}
    if ground_statistics(driving.poses, driving.fps) is None:
        return {"first": int(there[0]), "middle": int(there[len(there) // 2]), "last": int(there[-1])}
    position = ground_position(driving.poses, driving.fps)[there]
    half_way = np.abs(position - (position.min() + position.max()) / 2).argmin()
    found = {"closest": position.argmax(), "half-way": half_way, "farthest": position.argmin()}
    return {name: int(there[index]) for name, index in found.items()}


def _as_filmed(driving: Performance, size_hw: tuple[int, int]) -> Pose:
    """The driver's poses, his whole picture scaled to the height of the reference's and centred on it."""
    header = driving.header
    height, width = header.original_size_hw
    zoom = size_hw[0] / height
    zoomed = Similarity.resized(zoom).relative_to(header.crop)
    return (Similarity.shifted((size_hw[1] - zoom * width) / 2, 0) @ zoomed).of_pose(driving.poses, size_hw)


def _draw_floor(room: Image, actor: Actor, ground: GroundStatistics) -> None:
    for working_y in (ground.close, ground.far):
        _, y = actor.crop.back((0.0, working_y))
        thickness = max(1, room.shape[0] // 400)
        cv2.line(room, (0, round(16 * y)), (16 * room.shape[1], round(16 * y)), FLOOR, thickness, cv2.LINE_AA, 4)


def _overlaid(room: Image, skeletons: Sequence[tuple[Pose, Colour]], moment: int) -> Image:
    picture: Image = room.copy()
    thickness = max(2, room.shape[0] // 110)
    for pose, colour in skeletons:
        xy, confidence = pose[moment : moment + 1].openpose18()
        feet = pose.xy[moment], pose.confidence[moment], FOOT_LIMBS
        for points, seen, limbs in ((xy[0], confidence[0], OPENPOSE18_LIMBS), feet):
            for a, b in limbs:
                if min(seen[a], seen[b]) > 0:
                    first, last = (np.clip(np.rint(16 * points[i]), -1e6, 1e6).astype(int).tolist() for i in (a, b))
                    cv2.line(picture, first, last, colour, thickness, cv2.LINE_AA, 4)
    return picture
