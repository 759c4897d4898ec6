"""The room without the person: a temporal median of frames in which the person is masked out."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

UInt8Array = npt.NDArray[np.uint8]

MAX_SAMPLES = 32
MAX_SAMPLE_BYTES = 400 * 1024 * 1024
MAX_STILL_DIFFERENCE = 12.0
"""grey levels; a room filmed by a camera on a stand differs from its median by less than this"""


def sample_count(size_hw: tuple[int, int]) -> int:
    """How many frames are kept for the median, so that they fit in 400 MB."""
    return max(8, min(MAX_SAMPLES, MAX_SAMPLE_BYTES // (size_hw[0] * size_hw[1] * 3)))


def sample_frames(candidates: npt.NDArray[np.intp], count: int) -> frozenset[int]:
    """At most `count` of the candidate frame numbers, spread evenly."""
    if len(candidates) == 0:
        return frozenset()
    chosen = candidates[np.linspace(0, len(candidates) - 1, min(count, len(candidates))).round().astype(int)]
    return frozenset(int(index) for index in chosen)


class BackgroundMedian:
    """Collects frames with their mattes; memory is that of the frames given."""

    def __init__(self) -> None:
        self._frames: list[UInt8Array] = []
        self._people: list[UInt8Array] = []

    def add(self, frame: UInt8Array, matte: UInt8Array) -> None:
        """Adds one frame.

        Args:
            frame: (H, W, 3) RGB.
            matte: (H, W), above 0 where the person may be; it is widened here by about 1.5 % of the picture.
        """
        reach = max(3, round(max(frame.shape[:2]) * 0.015))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        self._frames.append(frame)
        self._people.append(_dilate(matte > 25, kernel))

    def result(self) -> tuple[UInt8Array, float, float]:
        """The background.

        Returns:
            (H, W, 3) RGB; the share of its pixels that no frame showed, filled from their surroundings
            (Telea 2004); the median difference, in grey levels, between the frames and it where the person is not:
            large when the camera moves.

        Raises:
            ValueError: no frame was added.
        """
        if not self._frames:
            raise ValueError("a background needs at least one frame")
        background = np.empty_like(self._frames[0])
        holes = np.zeros(background.shape[:2], np.uint8)
        for rows in _strips(background.shape[0]):
            background[rows], holes[rows] = masked_median(
                np.stack([frame[rows] for frame in self._frames]), np.stack([mask[rows] for mask in self._people])
            )
        share = float((holes > 0).mean())
        if 0 < share < 1:
            background = inpaint(background, holes)
        return background, share, self._difference(background)

    def _difference(self, background: UInt8Array) -> float:
        differences = []
        for frame, person in zip(self._frames, self._people, strict=True):
            difference = cv2.cvtColor(cv2.absdiff(frame[::4, ::4], background[::4, ::4]), cv2.COLOR_RGB2GRAY)
            outside = difference[person[::4, ::4] == 0]
            if outside.size:
                differences.append(float(outside.mean()))
        return float(np.median(differences)) if differences else 0.0


def _dilate(mask: npt.NDArray[np.bool_], kernel: UInt8Array) -> UInt8Array:
    dilated: UInt8Array = cv2.dilate(mask.astype(np.uint8), kernel)
    return dilated


def _strips(height: int, rows: int = 32) -> Iterator[slice]:
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def masked_median(frames: UInt8Array, masks: UInt8Array) -> tuple[UInt8Array, UInt8Array]:
    """Median over time of the unmasked values (the lower of the two middle ones).

    Args:
        frames: (N, H, W, 3).
        masks: (N, H, W), not 0 where a value does not count.

    Returns:
        (H, W, 3), and (H, W) not 0 where no value counted.
    """
    values = np.where((masks > 0)[..., None], np.uint8(255), frames)  # they sort to the end, as a true 255 may
    _sort_in_place(values)
    counts = (masks == 0).sum(axis=0)
    middle = np.clip((counts - 1) // 2, 0, None)
    median = np.take_along_axis(values, middle[None, ..., None], axis=0)[0]
    return median, (counts == 0).astype(np.uint8)


def _sort_in_place(values: UInt8Array) -> None:
    """Sorts along the first axis with Batcher's odd-even merge network: whole-array minima and maxima of bytes.

    np.sort would copy and sort each pixel's few values alone, which is twenty times slower here.
    """
    count = len(values)
    smaller = np.empty_like(values[0])
    for low, high in _comparators(count):
        np.minimum(values[low], values[high], out=smaller)
        np.maximum(values[low], values[high], out=values[high])
        values[low] = smaller


def _comparators(count: int) -> Iterator[tuple[int, int]]:
    """Batcher 1968; for a count that is not a power of two, comparators beyond the end are left out."""
    p = 1
    while p < count:
        k = p
        while k >= 1:
            for j in range(k % p, count - k, 2 * k):
                for i in range(min(k, count - j - k)):
                    if (i + j) // (2 * p) == (i + j + k) // (2 * p):
                        yield i + j, i + j + k
            k //= 2
        p *= 2


def inpaint(image: UInt8Array, holes: UInt8Array) -> UInt8Array:
    """Fills holes from their surroundings, at a quarter of the size, since large holes hold no detail anyway."""
    height, width = holes.shape
    shrink = max(1, round(max(height, width) / 480))
    small_size = (max(1, width // shrink), max(1, height // shrink))
    kernel = np.ones((3, 3), np.uint8)
    small_holes = cv2.dilate(
        (cv2.resize(holes * 255, small_size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8), kernel
    )
    small = cv2.inpaint(cv2.resize(image, small_size, interpolation=cv2.INTER_AREA), small_holes, 3, cv2.INPAINT_TELEA)
    filled = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    weight = cv2.blur((holes > 0).astype(np.float32), (2 * shrink + 1, 2 * shrink + 1))[..., None]
    weight = np.maximum(weight, (holes > 0).astype(np.float32)[..., None])
    blended: UInt8Array = (image * (1 - weight) + filled * weight + 0.5).astype(np.uint8)
    return blended
