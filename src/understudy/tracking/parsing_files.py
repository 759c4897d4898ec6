"""Label maps that a user already has: pictures whose values are numbers of labels, one a frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from understudy.base.arguments import Rotation
from understudy.errors import MediaError
from understudy.poses.numbering import numbers_in, odd_one
from understudy.poses.similarity import edge_to_edge
from understudy.tracking.crop import crop_of
from understudy.tracking.label_numbers import OURS, UNNAMED, Numbering, completed
from understudy.tracking.parsing import filled

UInt8Array = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Square = tuple[int, int, int]

_WHOLE_NUMBERS = ("P", "L", "1", "I", "I;16", "I;16B", "I;16L")
"""modes of pictures whose values are numbers: indexed or grey"""


class GivenMaps:
    """A folder of PNG files in the order of their numbers, as many as the clip has frames to within one.

    Args:
        folder: of the pictures, each as large as the video, or of the same shape.
        numbering: of their values; "vip" is CIHP's too, and may hold our two hands.
        square: left, top, side of the working frame in the video's pixels.
        size: of the working frames.
        original_hw: of the video, as displayed.
        rotate: degrees clockwise by which the video is turned first.
        first: number of the video's frame with which the part that is tracked begins.
        to_end: whether that part reaches the video's end.

    Raises:
        MediaError: there are none.
    """

    def __init__(
        self,
        folder: Path,
        numbering: Numbering,
        square: Square,
        size: int,
        original_hw: tuple[int, int],
        rotate: Rotation = 0,
        first: int = 0,
        to_end: bool = True,
    ) -> None:
        self._numbering, self._rotate = numbering, rotate
        self._square, self._size, self._original_hw = square, size, original_hw
        self._files = FilesInOrder(folder, maps_in_order(folder), "label maps", first, to_end)

    def __call__(self, frame: UInt8Array, matte: UInt8Array, xy: Floats, confidence: Floats) -> UInt8Array:
        path = self._files.next()
        numbers = np.rot90(read_map(path, self._numbering), -self._rotate // 90)
        check_shape(f"the label map {path}", numbers, self._original_hw)
        at_square = moved_to_square(numbers, self._square, self._size, self._original_hw)
        labels = completed(OURS[self._numbering][at_square], xy, confidence)
        bags = labels == UNNAMED
        labels = filled(np.where(bags, 0, labels).astype(np.uint8), bags & (matte >= 128))
        return np.where(matte >= 128, labels, 0).astype(np.uint8)

    def close(self) -> None:
        pass

    def check_end(self) -> None:
        """Raises MediaError when more than one map is left over."""
        self._files.check_end()


class FilesInOrder:
    """One file a frame of a video, as many as it has to within one.

    Args:
        place: what errors say holds them.
        paths: of all of them, in order.
        what: they are, in the plural.
        first: number of the first that is wanted.
        to_end: whether they are wanted to the last.
    """

    def __init__(self, place: Path, paths: Sequence[Path], what: str, first: int = 0, to_end: bool = True) -> None:
        self._place, self._paths, self._what = place, paths, what
        self._first, self._next, self._to_end = first, first, to_end

    def next(self) -> Path:
        """The next; the last once more after it.

        Raises:
            MediaError: there is none.
        """
        if self._next > len(self._paths):
            raise MediaError(f"{self._place} holds {len(self._paths)} {self._what}, and the video has more frames")
        self._next += 1
        return self._paths[min(self._next, len(self._paths)) - 1]

    def check_end(self) -> None:
        """Raises MediaError when more than one is left over."""
        if self._to_end and len(self._paths) - self._next > 1:
            raise MediaError(
                f"{self._place} holds {len(self._paths)} {self._what}, and the video has {self._next} frames: "
                "give one map for every frame"
            )


def check_shape(what: str, given: UInt8Array, original_hw: tuple[int, int]) -> None:
    """Raises MediaError: a map `given`, called `what`, has not the shape of its video."""
    height, width = given.shape[:2]
    if abs(width * original_hw[0] - height * original_hw[1]) > 2 * max(*original_hw, height, width):
        raise MediaError(
            f"{what} is {width}x{height} and the picture {original_hw[1]}x{original_hw[0]}: "
            "maps must have the shape of the video or photograph they are of"
        )


def moved_to_square(given: UInt8Array, square: Square, size: int, original_hw: tuple[int, int]) -> UInt8Array:
    """The working square of a map, by the nearest pixel, since its numbers have no values in between.

    Args:
        given: (h, w) or (h, w, C), the whole picture at any size.
        square, size, original_hw: as of `GivenMaps`.

    Returns:
        (S, S) or (S, S, C), 0 beyond the picture.
    """
    crop = crop_of(square, size)
    pixels = np.arange(size)
    axes = []
    for axis, shift in ((0, crop.translation_xy[1]), (1, crop.translation_xy[0])):
        ratio = given.shape[axis] / original_hw[axis]
        place = edge_to_edge((pixels - shift) / crop.scale, ratio)
        axes.append(np.floor(place + 0.5).astype(np.intp))
    row, column = np.meshgrid(*axes, indexing="ij")
    height, width = given.shape[:2]
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    moved = given[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
    return np.where(inside.reshape(inside.shape + (1,) * (given.ndim - 2)), moved, 0).astype(np.uint8)


def maps_in_order(folder: Path, what: str = "label maps") -> list[Path]:
    """The PNG files of a folder, by the numbers in their names, or the one named; `what` is how errors call them.

    Raises:
        MediaError: there are none, or their names do not say which comes first.
    """
    if folder.is_file():
        return [folder]
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".png" and path.name[0] != ".")
    if not paths:
        raise MediaError(f"{folder} holds no {what}: give a folder of PNG files, one a frame")
    if len(paths) == 1:
        return paths
    names = [path.name for path in paths]
    numbers = numbers_in(names)
    if numbers is None:
        odd = odd_one(names)
        told = f"{odd[0]} is not named as {odd[1]}" if odd else f"{names[0]} and the others are not numbered alike"
        raise MediaError(f"the {what} in {folder} have no order: {told}")
    return [path for _, path in sorted(zip(numbers, paths, strict=True))]


def read_map(path: Path, numbering: Numbering) -> UInt8Array:
    """(H, W) numbers of labels as the file has them.

    Raises:
        MediaError: it cannot be read, is in colour, or holds a number that the numbering does not have.
    """
    try:
        with Image.open(path) as picture:
            mode, values = picture.mode, np.asarray(picture)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as cause:
        raise MediaError(f"cannot read the label map {path} ({cause})") from None
    if mode not in _WHOLE_NUMBERS:
        raise MediaError(f"the label map {path} is in colour: give indexed or grey PNG files, whose values are numbers")
    most = int(values.max(initial=0))
    if most >= len(OURS[numbering]):
        raise MediaError(
            f"the label map {path} holds the number {most}, and {numbering.upper()} labels end at "
            f"{len(OURS[numbering]) - 1}: check which labels they are"
        )
    return values.astype(np.uint8)
