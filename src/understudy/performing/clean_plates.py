"""The driver's room without the driver, as each frame of his shot shows it: what film people call a clean plate.

A camera on a stand has one plate, the median that tracking made. A camera that moves has one for each of many key
frames: frames in which the driver is elsewhere are brought there by the camera's movement, nearest in time first, and
every frame takes its plate from the two key frames around it. Memory is that of a few frames, however long the clip.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.progress import progress_bar
from understudy.compositing.camera_path import CameraPath, CameraWatch, moved_points
from understudy.compositing.patches import filled
from understudy.performance import MISSING
from understudy.performing.outline import Box, Outlines, around
from understudy.tracking.background import masked_median, sample_count, sample_frames

if TYPE_CHECKING:
    from understudy.performing.driver import Driver

UInt8Array = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

LOOKED_AT = 640
"""pixels: longer side of the frames that the camera's movement is read from"""
STRETCH_SECONDS = 16.0
"""of a shot whose plates are made from the same sample frames"""
KEY_SECONDS = 0.6
"""between key frames"""
NEAREST = 9
"""sample frames whose median is taken; more only where none of them shows what is behind the driver"""
WIDEST = 2.0
"""sides of the picture that a plate may have: what swings past in a moment is not worth more"""
SURE_COUNT = 3
"""samples without the driver, of the nearest, from which on no others are asked: what passes by is in one of them"""
SURELY = 250
"""of 255: how much of a sample's pixel must be background, moved to where it is wanted"""


class Plates(Protocol):
    """What is behind the driver."""

    def part(self, moment: int, box: Box) -> UInt8Array:
        """(h, w, 3) RGB of a box of frame number `moment`; moments are asked for in order."""
        ...


@dataclass(frozen=True)
class StillPlate:
    """Of a camera on a stand."""

    room: UInt8Array
    """(H, W, 3) RGB"""

    def part(self, moment: int, box: Box) -> UInt8Array:
        """As `Plates.part`, the same at every moment."""
        return self.room[box]


def plates_of(driver: Driver) -> Plates:
    """What is behind a driver in his own video, once it was looked through for how the camera moves.

    Raises:
        UsageError: there is no video.
        MediaError: it cannot be read.
    """
    path, boxes = looked_through(driver)
    if path.still:
        return StillPlate(driver.performance.background())
    return MovingPlates(driver, path.enlarged(driver.performance.header.original_size_hw), boxes)


def looked_through(driver: Driver) -> tuple[CameraPath, list[Box | None]]:
    """How the camera of a driver's video moved, in pixels of small frames, and in which box he is at every moment."""
    driving = driver.performance
    outlines, watch = Outlines(driving), CameraWatch()
    boxes: list[Box | None] = []
    with (
        driver.film(long_side=LOOKED_AT) as small,
        closing(around(driving.mattes())) as mattes,
        progress_bar(f"looking at {driving.header.source_name}", len(driving)) as advance,
    ):
        for moment, (frame, matte) in enumerate(zip(small, mattes, strict=False)):
            outline = outlines.of(moment, matte)
            watch.add(frame, outlines.small(outline, small.size_hw))
            boxes.append(None if outline is None else outline.box)
            advance()
    return watch.path, boxes


@dataclass(frozen=True, eq=False)
class _Sample:
    moment: int
    frame: UInt8Array
    """(H, W, 3)"""
    known: UInt8Array
    """(H, W) 255 where it shows the room"""


@dataclass(frozen=True, eq=False)
class _KeyPlate:
    moment: int
    """whose pixels it is in"""
    picture: UInt8Array
    to_plate: Floats
    """(3, 3) from pixels of that frame to those of `picture`: it begins somewhere else"""


class MovingPlates:
    """Of a camera that pans, or is held in hands, or of several shots."""

    def __init__(self, driver: Driver, path: CameraPath, boxes: Sequence[Box | None]) -> None:
        """
        Args:
            driver: whose video it is.
            path: of its camera, in pixels of the video.
            boxes: where the driver is at every moment.
        """
        self._driver, self._path, self._boxes = driver, path, boxes
        self._outlines = Outlines(driver.performance)
        fps = float(driver.performance.fps)
        self._apart = max(1, round(KEY_SECONDS * fps))
        self._stretches = _stretches(path.scene, max(2, round(STRETCH_SECONDS * fps)))
        self._stretch: range = range(0)
        self._samples: list[_Sample] = []
        self._plates: dict[int, _KeyPlate] = {}

    def part(self, moment: int, box: Box) -> UInt8Array:
        """As `Plates.part`."""
        moment = min(moment, len(self._path) - 1)
        if moment not in self._stretch:
            self._stretch = next(one for one in self._stretches if moment in one)
            self._samples = []  # before the next are read
            self._samples = list(self._sampled(self._stretch))
        before, after, share = self._keys(moment)
        shown = self._seen_from(moment, self._plate(before), box)
        if not share:
            return shown
        other = self._seen_from(moment, self._plate(after), box)
        return np.asarray(cv2.addWeighted(shown, 1 - share, other, share, 0), np.uint8)

    def _keys(self, moment: int) -> tuple[int, int, float]:
        """The key frames around a moment, and the share of the later one. The last of a stretch begins the next."""
        stretch = self._stretch
        before = stretch.start + (moment - stretch.start) // self._apart * self._apart
        goes_on = stretch.stop < len(self._path) and self._path.scene[stretch.stop] == self._path.scene[moment]
        last = stretch.stop if goes_on else stretch.stop - 1
        after = min(before + self._apart, last)
        return before, after, (moment - before) / (after - before) if after > before else 0.0

    def _plate(self, key: int) -> _KeyPlate:
        if key not in self._plates:
            last = max((one for one in self._plates if one < key), default=None)
            carried = None if last is None else self._plates[last]
            if carried is not None and self._path.scene[carried.moment] != self._path.scene[key]:
                carried = None
            made = self._made(key, carried)
            self._plates = {} if carried is None else {carried.moment: carried}
            self._plates[key] = made
        return self._plates[key]

    def _made(self, key: int, carried: _KeyPlate | None) -> _KeyPlate:
        """A key frame's plate: what samples show of it, else what the plate before it did, else what is made up."""
        left, top, width, height = self._reach(key)
        to_plate = _shift(-left, -top)
        picture = np.zeros((height, width, 3), np.uint8)
        unknown = np.full((height, width), 255, np.uint8)
        nearest = sorted(self._samples, key=lambda sample: abs(sample.moment - key))
        shown: list[tuple[UInt8Array, UInt8Array]] = []
        for some, least in ((nearest[:NEAREST], SURE_COUNT), (nearest[NEAREST:], 1)):
            if not unknown.any():
                break
            moved = (
                self._moved(sample, to_plate @ self._path.between(sample.moment, key), (width, height))
                for sample in some
            )
            shown += [one for one in moved if one is not None]
            if not shown:
                continue
            frames, hidden = (np.stack(part) for part in zip(*shown, strict=True))
            median, _ = masked_median(frames, hidden)
            fresh = (unknown > 0) & ((hidden == 0).sum(axis=0) >= least)
            picture[fresh] = median[fresh]
            unknown[fresh] = 0
        if carried is not None and unknown.any():
            matrix = to_plate @ self._path.between(carried.moment, key) @ np.linalg.inv(carried.to_plate)
            again = _warped(carried.picture, matrix, (width, height))
            there = _warped(np.full(carried.picture.shape[:2], 255, np.uint8), matrix, (width, height), edge=False)
            fresh = (unknown > 0) & (there >= SURELY)
            picture[fresh] = again[fresh]
            unknown[fresh] = 0
        if unknown.all() and nearest:
            picture[:] = nearest[0].frame.mean(axis=(0, 1))
        elif unknown.any():
            picture = filled(picture, unknown)
        return _KeyPlate(key, picture, to_plate)

    def _moved(self, sample: _Sample, matrix: Floats, size: tuple[int, int]) -> tuple[UInt8Array, UInt8Array] | None:
        known = _warped(sample.known, matrix, size, edge=False)
        hidden = np.where(known < SURELY, 255, 0).astype(np.uint8)
        return None if hidden.all() else (_warped(sample.frame, matrix, size), hidden)

    def _reach(self, key: int) -> tuple[int, int, int, int]:
        """Left, top, width and height, in the key frame's pixels, of all that frames near it take from its plate."""
        height, width = self._path.size_hw
        near = range(max(0, key - self._apart), min(len(self._path), key + self._apart + 1))
        corners = [np.array([[0.0, 0.0], [1.0, 1.0]])]
        for moment in near:
            box = self._boxes[min(moment, len(self._boxes) - 1)]
            if box is not None and self._path.scene[moment] == self._path.scene[key]:
                rows, columns = box
                four = np.array(list(itertools.product((columns.start, columns.stop), (rows.start, rows.stop))), float)
                corners.append(moved_points(self._path.between(moment, key), four))
        if len(corners) > 1:
            del corners[0]
        every = np.concatenate(corners)
        size = np.array([width, height])
        low = np.maximum(np.floor(every.min(axis=0)) - 2, (1 - WIDEST) / 2 * size).astype(int)
        high = np.minimum(np.ceil(every.max(axis=0)) + 3, (1 + WIDEST) / 2 * size).astype(int)
        across, down = np.maximum(high - low, 2)
        return int(low[0]), int(low[1]), int(across), int(down)

    def _seen_from(self, moment: int, plate: _KeyPlate, box: Box) -> UInt8Array:
        rows, columns = box
        back = np.linalg.inv(plate.to_plate)
        matrix = _shift(-columns.start, -rows.start) @ self._path.between(plate.moment, moment) @ back
        return _warped(plate.picture, matrix, (columns.stop - columns.start, rows.stop - rows.start))

    def _sampled(self, stretch: range) -> Iterator[_Sample]:
        """Frames of a stretch with where the driver is not, spread evenly; as many as fit into memory."""
        there = np.flatnonzero(self._driver.performance.status[stretch.start : stretch.stop] != MISSING)
        if not len(there):  # where nobody was found, somebody may be all the same
            there = np.arange(len(stretch))
        wanted = sample_frames(stretch.start + there, sample_count(self._path.size_hw))
        first = max(0, stretch.start - 1)  # a matte counts for its neighbours
        with (
            self._driver.film(stretch.start) as film,
            closing(around(self._driver.performance.mattes(first))) as mattes,
        ):
            if first < stretch.start:
                next(mattes, None)
            for moment, (frame, matte) in enumerate(zip(film, mattes, strict=False), start=stretch.start):
                if moment >= stretch.stop:
                    return
                if moment in wanted:
                    known = np.full(frame.shape[:2], 255, np.uint8)
                    outline = self._outlines.of(moment, matte)
                    if outline is not None:
                        wide = np.ones((2 * outline.reach + 1, 2 * outline.reach + 1), np.uint8)
                        known[outline.box][cv2.dilate(outline.widened, wide) > 0] = 0
                    yield _Sample(moment, frame, known)


def _stretches(scene: npt.NDArray[np.intp], longest: int) -> list[range]:
    """Frames in order, none in two, none of two scenes, at most so many."""
    found = []
    for number in range(int(scene.max(initial=-1)) + 1):
        frames = np.flatnonzero(scene == number)
        parts = np.array_split(frames, -(-len(frames) // longest))
        found += [range(int(part[0]), int(part[-1]) + 1) for part in parts]
    return found


def _shift(x: float, y: float) -> Floats:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _warped(picture: UInt8Array, matrix: Floats, size: tuple[int, int], *, edge: bool = True) -> UInt8Array:
    """A picture through a homography; beyond its edges they go on, or there is 0."""
    how = cv2.INTER_CUBIC if edge else cv2.INTER_LINEAR
    border = cv2.BORDER_REPLICATE if edge else cv2.BORDER_CONSTANT
    return np.asarray(cv2.warpPerspective(picture, matrix, size, flags=how, borderMode=border), np.uint8)
