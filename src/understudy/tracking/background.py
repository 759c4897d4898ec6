"""The room without the person: a temporal median of frames in which the person is masked out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from understudy.compositing.patches import filled

UInt8Array = npt.NDArray[np.uint8]

MAX_SAMPLES = 32
MAX_SAMPLE_BYTES = 400 * 1024 * 1024
MAX_STILL_DIFFERENCE = 8.0
"""grey levels; a room filmed by a camera on a stand differs from its median by 1 to 3"""


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
        height, width = frame.shape[:2]
        shrink = max(1, max(height, width) // 320)  # widening by many pixels is slow at full size
        reach = max(1, round(max(height, width) * 0.015 / shrink))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        small = cv2.resize(matte, (-(-width // shrink), -(-height // shrink)), interpolation=cv2.INTER_AREA)
        widened = cv2.dilate((small > 12).astype(np.uint8), kernel)
        self._frames.append(frame)
        self._people.append(np.asarray(cv2.resize(widened, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8))

    def result(self) -> tuple[UInt8Array, float, float]:
        """The background.

        Returns:
            (H, W, 3) RGB; the share of its pixels that no frame showed, which are made up from the rest of the room
            (`compositing.patches`); the median difference, in grey levels, between the frames and it where the person
            is not: large when the camera moves.

        Raises:
            ValueError: no frame was added.
        """
        if not self._frames:
            raise ValueError("a background needs at least one frame")
        background = np.empty_like(self._frames[0])
        holes = np.zeros(background.shape[:2], np.uint8)
        crowded = np.maximum.reduce(self._people)

        for tile in _tiles(holes.shape):  # in one thread: two would wait for each other at each of many short steps
            if crowded[tile].any():
                frames, masks = (np.stack([one[tile] for one in all_of]) for all_of in (self._frames, self._people))
                background[tile], holes[tile] = masked_median(frames, masks)
            else:  # where nobody ever is, half of the samples say the same
                background[tile] = _median(np.stack([frame[tile] for frame in self._frames[::2]]))
        share = float((holes > 0).mean())
        if 0 < share < 1:
            background = filled(background, holes)
        return background, share, self._difference(background)

    def _difference(self, background: UInt8Array) -> float:
        differences = []
        for frame, person in zip(self._frames, self._people, strict=True):
            difference = cv2.cvtColor(cv2.absdiff(frame[::4, ::4], background[::4, ::4]), cv2.COLOR_RGB2GRAY)
            outside = difference[person[::4, ::4] == 0]
            if outside.size:
                differences.append(float(outside.mean()))
        return float(np.median(differences)) if differences else 0.0


def _tiles(size_hw: tuple[int, ...], side: int = 96) -> Iterator[tuple[slice, slice]]:
    """Pieces small enough for all their samples to stay in the processor's cache."""
    for top in range(0, size_hw[0], side):
        for left in range(0, size_hw[1], side):
            yield slice(top, top + side), slice(left, left + side)


def masked_median(frames: UInt8Array, masks: UInt8Array) -> tuple[UInt8Array, UInt8Array]:
    """Median over time of the unmasked values (the lower of the two middle ones).

    Args:
        frames: (N, H, W, 3).
        masks: (N, H, W), not 0 where a value does not count.

    Returns:
        (H, W, 3), and (H, W) not 0 where no value counted.
    """
    if not masks.any():
        return _median(frames.copy()), np.zeros(masks.shape[1:], np.uint8)
    hidden = (masks > 0).astype(np.uint8)
    values = frames | cv2.merge([hidden.reshape(-1, 1) * 255] * 3).reshape(frames.shape)  # 255 sorts to the end
    counts = len(masks) - hidden.sum(axis=0, dtype=np.uint8)
    middle = np.maximum(counts, 1) - 1 >> 1
    ranks = tuple(int(rank) for rank in np.unique(middle))
    _put_in_place(values, ranks)
    pixels = values.reshape(len(values), -1, values.shape[-1])
    median: UInt8Array = pixels[middle.reshape(-1), np.arange(middle.size)].reshape(frames.shape[1:])
    return median, (counts == 0).astype(np.uint8)


def _median(values: UInt8Array) -> UInt8Array:
    """Over the first axis (the lower of the two middle ones); leaves the values in disorder."""
    rank = (len(values) - 1) // 2
    _put_in_place(values, (rank,))
    middle: UInt8Array = values[rank]
    return middle


def _put_in_place(values: UInt8Array, ranks: tuple[int, ...]) -> None:
    """Brings to these places along the first axis what sorting would bring there; the others are left in disorder.

    Done with Batcher's odd-even merge network: whole-array minima and maxima of bytes. np.sort would copy and sort each
    pixel's few values alone, which is twenty times slower here.
    """
    smaller = np.empty_like(values[0])
    for low, high, low_counts, high_counts in _steps_towards(len(values), ranks):
        if low_counts:
            np.minimum(values[low], values[high], out=smaller)
        if high_counts:
            np.maximum(values[low], values[high], out=values[high])
        if low_counts:
            values[low] = smaller


@lru_cache
def _steps_towards(count: int, ranks: tuple[int, ...]) -> tuple[tuple[int, int, bool, bool], ...]:
    """The comparators on which those places depend, and which of their two results do."""
    needed, steps = set(ranks), []
    for low, high in reversed(list(_comparators(count))):
        if low in needed or high in needed:
            steps.append((low, high, low in needed, high in needed))
            needed |= {low, high}
    return tuple(reversed(steps))


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
