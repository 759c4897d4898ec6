"""A shot of somebody made up before a room that is known: its video, what tracking would say of it, and the truth."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from clips import write_clip
from tiny import STANDING
from understudy.base.files import sha256_of
from understudy.performance import Crop, Performance, PerformanceWriter
from understudy.performing.driver import Driver
from understudy.poses.pose import OPENPOSE18_LIMBS, Pose
from understudy.tracking.background import BackgroundMedian

SIZE_HW, WORKING, RATE = (144, 192), 96, Fraction(25)
HIGH = 110
"""pixels that the figure measures in the picture"""
PERSON = (30, 60, 230)
Draw = Callable[[np.ndarray, int], None]


@dataclass
class Shot:
    driver: Driver
    performance: Performance
    rooms: list[np.ndarray]
    """(H, W, 3) of every frame: what it shows without anybody"""
    people: list[np.ndarray]
    """(H, W) bool, where somebody is"""


def room_of(size_hw: tuple[int, int], seed: int = 3) -> np.ndarray:
    """(H, W, 3) RGB, nearly grey, with structure of all sizes, so that a camera can be followed in it."""
    rng = np.random.default_rng(seed)
    room = np.full((*size_hw, 3), 120, np.float32)
    for cell, strength, colour in ((40, 45, 10), (12, 30, 8), (4, 14, 4)):
        coarse_hw = size_hw[0] // cell + 2, size_hw[1] // cell + 2
        coarse = rng.uniform(-strength, strength, (*coarse_hw, 1)) + rng.uniform(-colour, colour, (*coarse_hw, 3))
        room += cv2.resize(coarse.astype(np.float32), size_hw[::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(room, 20, 235).astype(np.uint8)


def shot(
    folder: Path,
    *,
    frames: int = 40,
    pan: float = 0.0,
    step: float = 2.0,
    lost: tuple[int, ...] = (),
    before: Draw | None = None,
    around: Draw | None = None,
    hole: tuple[slice, slice] | None = None,
) -> Shot:
    """Films somebody who walks to the right.

    Args:
        pan: pixels a frame by which the camera turns to the right.
        step: pixels a frame by which the figure walks in the picture.
        lost: frames in which the tracker finds nobody.
        before: draws what stands before the figure, and `around` what is part of the room, on a frame of a number.
        hole: rows and columns of the picture in which the matte says that the person is not seen.
    """
    folder.mkdir(parents=True, exist_ok=True)
    height, width = SIZE_HW
    wide = room_of((height, width + round(abs(pan) * frames) + 4))
    xy = np.repeat(STANDING[None] * HIGH, frames, 0)
    swing = np.sin(np.arange(frames) * 0.5)[:, None]
    xy[:, [3, 4], 0] -= 6 * np.abs(swing)
    xy[:, [6, 7], 0] += 6 * np.abs(swing)
    xy += np.stack([12 + step * np.arange(frames), np.full(frames, 22)], axis=1)[:, None]
    crop = Crop(WORKING / width, (0.0, (WORKING - height * WORKING / width) / 2))
    pictures, rooms, people, mattes = [], [], [], []
    for moment in range(frames):
        shift = np.array([[1, 0, -pan * moment - max(0.0, -pan * frames)], [0, 1, 0]], np.float64)
        room = np.asarray(cv2.warpAffine(wide, shift, (width, height), flags=cv2.INTER_CUBIC), np.uint8)
        if around is not None:
            around(room, moment)
        matte = np.zeros(SIZE_HW, np.uint8)
        for a, b in OPENPOSE18_LIMBS:
            cv2.line(matte, *[tuple(round(float(v)) for v in xy[moment, joint]) for joint in (a, b)], 255, 11)
        cv2.fillConvexPoly(matte, np.rint(xy[moment, [2, 5, 11, 8]]).astype(np.int32), 255)
        cv2.circle(matte, tuple(round(float(v)) for v in xy[moment, 0]), 9, 255, -1)
        picture = np.where(matte[..., None] > 0, np.uint8(PERSON), room)
        if before is not None:
            before(picture, moment)
        if hole is not None:
            matte[hole] = 0
        pictures.append(picture)
        rooms.append(room)
        people.append(matte > 0)
        mattes.append(matte)
    video = write_clip(
        folder / "shot.mp4", pictures, RATE, pixel_format="yuv444p", options={"crf": "1", "preset": "ultrafast"}
    )
    status = np.full(frames, 2, np.uint8)
    status[list(lost)] = 0
    median = BackgroundMedian()
    side = WORKING, WORKING
    with PerformanceWriter(folder / "shot.performance", RATE) as writer:
        for moment in range(frames):
            matte = mattes[moment] if status[moment] else np.zeros_like(mattes[moment])
            small = [cv2.warpAffine(one, crop.matrix, side) for one in (pictures[moment], matte)]
            writer.add(small[0], small[1], np.zeros((WORKING // 4, WORKING // 4, 2), np.float32))
            if status[moment]:
                median.add(pictures[moment], mattes[moment])
        poses = Pose.from_openpose18(
            crop.of_points(xy).astype(np.float32), np.repeat((status > 0)[:, None], 18, 1).astype(np.float32), side
        )
        performance = writer.finish(
            poses=poses, status=status, background=median.result()[0], source_name=video.name,
            source_sha256=sha256_of(video), crop=crop, tracker="drawn", tracker_version="1",
            landmarks="body", matte="drawn", smoothed=False,
        )  # fmt: skip
    return Shot(Driver(performance, video), performance, rooms, people)
