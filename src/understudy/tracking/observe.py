"""First pass over a clip: a tracker looks at every frame, shrunk, and its coarse mattes are put aside on disk."""

from __future__ import annotations

import copy
import logging
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.arguments import Region
from understudy.base.onlooker import show
from understudy.base.progress import progress_bar
from understudy.errors import MediaError, UsageError
from understudy.media.reading import VideoReader
from understudy.performance import Crop
from understudy.pictures.drawing import draw_pose
from understudy.poses import pose as p
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity, edge_to_edge
from understudy.tracking.cuts import CutWatch
from understudy.tracking.detection import Mask, Tracker
from understudy.tracking.matte import StillRoom, still_room

UInt8Array = npt.NDArray[np.uint8]
LOOK_SIDE = 640
"""pixels on the longer side of what the tracker looks at; its networks see 256 pixels around the person"""
MIN_REGION = 32
SAMPLES = 32
"""frames kept to learn how the room behind the person looks"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class View:
    """The part of the picture that the tracker looks at, and at which scale."""

    x: slice
    y: slice
    """columns and rows of the shrunk frame"""
    scale_xy: tuple[float, float]
    """shrunk pixels per original pixel"""

    @classmethod
    def of(cls, shrunk_hw: tuple[int, int], original_hw: tuple[int, int], region: Region | None) -> View:
        scale_x, scale_y = shrunk_hw[1] / original_hw[1], shrunk_hw[0] / original_hw[0]
        if region is None:
            return cls(slice(0, shrunk_hw[1]), slice(0, shrunk_hw[0]), (scale_x, scale_y))
        left, top, width, height = region
        columns = slice(round(left * scale_x), round((left + width) * scale_x))
        rows = slice(round(top * scale_y), round((top + height) * scale_y))
        return cls(columns, rows, (scale_x, scale_y))

    def cut(self, shrunk: UInt8Array) -> UInt8Array:
        return np.ascontiguousarray(shrunk[self.y, self.x])

    def to_original(self, xy: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Pixels of the view to original ones (centres at whole numbers in both)."""
        shrunk = xy + np.array([self.x.start, self.y.start], np.float64)
        return np.asarray(edge_to_edge(shrunk, shrink=np.array(self.scale_xy)), np.float32)

    def to_working(self, image: UInt8Array, crop: Crop, size: int) -> UInt8Array:
        """A picture of the view, cut to the working square; 0 beyond the view."""
        return np.asarray(cv2.warpAffine(image, self._onward(crop), (size, size), flags=cv2.INTER_LINEAR), np.uint8)

    def masks_to_working(self, crop: Crop, size: int) -> Callable[[Mask], UInt8Array]:
        """What lays masks that were found in the view into the working square; 0 beyond the view."""
        whole = np.full((self.y.stop - self.y.start, self.x.stop - self.x.start), 255, np.uint8)
        seen, onward = self.to_working(whole, crop, size), self._onward(crop)
        return lambda mask: np.minimum(mask.laid((size, size), onward), seen)

    def onward_to_original(self) -> npt.NDArray[np.float64]:
        """(2, 3), from pixel numbers of the view to those of the original picture."""
        return self._onward(Similarity.resized(1.0))

    def _onward(self, crop: Similarity) -> npt.NDArray[np.float64]:
        """(2, 3), from pixel numbers of the view to those of the working square."""
        matrix = np.zeros((2, 3))
        for axis, start in enumerate((self.x.start, self.y.start)):  # shrunk by a ratio each, alike but for rounding
            shrunk = Similarity.resized(self.scale_xy[axis])
            one = crop.relative_to(shrunk) @ Similarity.shifted(start, start)
            matrix[axis, axis], matrix[axis, 2] = one.scale, one.translation_xy[axis]
        return matrix


class _Place(NamedTuple):
    """Of a mask in the file."""

    offset: int
    length: int
    shape: tuple[int, ...]
    matrix: npt.NDArray[np.float64]


class Sample(NamedTuple):
    """A frame that was kept."""

    number: int
    """among the tracked ones"""
    frame: UInt8Array
    """of the view"""
    mask: Mask


class MaskSpool:
    """Coarse mattes, compressed in an unnamed file, so that memory does not grow with the clip."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="understudy-")  # noqa: SIM115 - closed by close()
        self._places: list[_Place | None] = []

    def __len__(self) -> int:
        return len(self._places)

    def chosen(self, numbers: Sequence[int | None]) -> MaskSpool:
        """Some of the masks in another order, None where there is none; they lie in the same file."""
        other = copy.copy(self)
        other._places = [None if number is None else self._places[number] for number in numbers]
        return other

    def append(self, mask: Mask | None) -> None:
        if mask is None:
            self._places.append(None)
            return
        packed = zlib.compress(mask.values.tobytes(), 1)
        self._places.append(_Place(self._file.tell(), len(packed), mask.values.shape, mask.matrix))
        self._file.write(packed)

    def drop(self, index: int) -> None:
        """Forgets the mask of one frame."""
        self._places[index] = None

    def __iter__(self) -> Iterator[Mask | None]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, index: int) -> Mask | None:
        place = self._places[index]
        if place is None:
            return None
        self._file.seek(place.offset)
        values = np.frombuffer(zlib.decompress(self._file.read(place.length)), np.uint8)
        return Mask(values.reshape(place.shape), place.matrix)

    def close(self) -> None:
        self._file.close()


@dataclass(frozen=True)
class Observations:
    """What the first pass found: one pose and one mask per frame, unsmoothed."""

    poses: Pose
    """original pixels"""
    masks: MaskSpool
    view: View
    samples: list[Sample]
    """spread over the clip"""
    beside: tuple[MaskSpool, ...] = ()
    """of other people who are there, as long as `masks`"""

    def besides(self, index: int) -> UInt8Array | None:
        """(H, W) where other people are in the whole picture of a frame; None without any."""
        if not self.beside or index >= len(self.masks):
            return None
        onward = self.view.onward_to_original()
        found = [mask.laid(self.poses.size_hw, onward) for one in self.beside if (mask := one[index]) is not None]
        return np.asarray(np.max(found, axis=0), np.uint8) if found else None

    def room(self, crop: Crop, size: int) -> StillRoom | None:
        """What the samples say of the room within the working square."""
        if not self.samples:
            return None
        laid = self.view.masks_to_working(crop, size)
        return still_room(
            np.stack([self.view.to_working(sample.frame, crop, size) for sample in self.samples]),
            np.stack([laid(sample.mask) for sample in self.samples]),
        )


def check_region(region: Region | None, original_hw: tuple[int, int]) -> None:
    """Raises UsageError when the region is not a part of the picture that a person could be in."""
    if region is None:
        return
    left, top, width, height = region
    inside = left >= 0 and top >= 0 and left + width <= original_hw[1] and top + height <= original_hw[0]
    if not inside or min(width, height) < MIN_REGION:
        raise UsageError(
            f"the region {left},{top},{width},{height} is not inside the picture of {original_hw[1]}x{original_hw[0]} "
            f"pixels, or smaller than {MIN_REGION} pixels: give X,Y,WIDTH,HEIGHT of the person's surroundings"
        )


def look_long_side(original_hw: tuple[int, int], region: Region | None) -> int:
    """The longer side at which frames are read, so that the region's longer side has `LOOK_SIDE` pixels."""
    looked_at = max(original_hw) if region is None else max(region[2], region[3])
    return max(1, round(max(original_hw) * min(1.0, LOOK_SIDE / looked_at)))


def observe(reader: VideoReader, tracker: Tracker, region: Region | None) -> Observations:
    """Runs the tracker over all frames of a reader opened at `look_long_side`.

    Raises:
        MediaError: the video holds no frame in the range.
    """
    original_hw = reader.info.size_hw
    view = View.of(reader.size_hw, original_hw, region)
    masks = MaskSpool()
    xys: list[npt.NDArray[np.float32]] = []
    confidences: list[npt.NDArray[np.float32]] = []
    samples: list[Sample] = []
    step = max(1, reader.expected_frames // SAMPLES)
    begins_shot = CutWatch()
    with progress_bar(f"tracking {reader.info.path.name}", reader.expected_frames) as advance:
        for frame in reader:
            looked_at = view.cut(frame)
            if begins_shot(looked_at):
                tracker.forget()
            detection = tracker(looked_at)
            if detection is None:
                xys.append(np.zeros((p.POINTS, 2), np.float32))
                confidences.append(np.zeros(p.POINTS, np.float32))
                masks.append(None)
            else:
                show(draw_pose, looked_at, detection.xy, detection.confidence)
                xys.append(np.where(detection.confidence[:, None] > 0, view.to_original(detection.xy), 0))
                confidences.append(detection.confidence)
                masks.append(detection.mask)
                if detection.mask is not None and len(xys) % step == 0 and len(samples) < 2 * SAMPLES:
                    samples.append(Sample(len(xys) - 1, looked_at, detection.mask))
            advance()
    if not xys:
        raise MediaError(f"{reader.info.path} has no frame in the range that was asked for")
    return Observations(Pose(np.stack(xys), np.stack(confidences), original_hw), masks, view, samples)


def place_in_words(poses: Pose) -> str:
    """Where the person stands, for the note that says whom the tracker followed."""
    hips_shoulders = [p.LEFT_SHOULDER, p.RIGHT_SHOULDER, p.LEFT_HIP, p.RIGHT_HIP]
    seen = poses.confidence[:, hips_shoulders] > 0
    if not seen.any():
        return "somewhere"
    x, y = np.median(poses.xy[:, hips_shoulders][seen], axis=0)
    height, width = poses.size_hw
    third = min(2, max(0, int(3 * x / width)))
    return (
        f"{('at the left', 'in the middle', 'at the right')[third]}, trunk at x={x:.0f}, y={y:.0f} of {width}x{height}"
    )
