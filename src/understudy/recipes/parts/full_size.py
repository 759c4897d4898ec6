"""A small picture made of reference frames, with the detail that the same frames have at their full size.

A warp says of every pixel which pixel of a frame it shows. So it is enough to warp, choose and refine small pictures:
what is finer than they are is looked up once more, at the same places of the large frames, and added. Where a pixel was
made up, painted, or mixed of layers, there is no such place, and it stays as soft as it is.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from understudy.recipes.parts.boxes import box_about

Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

LITTLE = 0.08
"""share of a frame at a place from which its detail is looked up"""
TILE = 32
"""pixels of N: detail is looked up in tiles, of which most show one frame alone"""
FILMED = 0.5
"""of `Dressing.filmed`, above which a place is taken for filmed; from there on detail fades in"""
TORN = 3.0
"""pixels of N by which neighbouring places may lie apart: beyond, two layers meet"""
CUBIC = 3
"""pixels of N about a person that an enlarged picture still has something of"""
KEPT = 192 << 20
"""bytes of details that are kept, since paths come back to their frames"""


class Detail(NamedTuple):
    """What a premultiplied frame has that a smaller one lacks."""

    values: Floats
    """(h, w, 4) of the part about the person; it is 0 beyond"""
    corner_xy: Floats
    """(2,) whole pixels of S: where the part begins"""


class FullSize:
    """Frames at their full size.

    Args:
        pictures: (S, S, 4) RGB and matte, by frame.
        size: S.
        side: N, of the small pictures.
        kept: bytes of details that are kept.
    """

    def __init__(self, pictures: Mapping[int, Image], size: int, side: int, kept: int = KEPT) -> None:
        self._pictures, self._size, self._side, self._kept = pictures, size, side, kept
        self._details: OrderedDict[int, Detail | None] = OrderedDict()

    def enlarged(self, small: Floats, frames: npt.NDArray[np.intp], filmed: tuple[Floats, Floats] | None) -> Image:
        """A picture of N x N pixels, or a part of one, at S x S.

        Args:
            small: (h, w, 4) premultiplied, 0-255.
            frames: (K,) that it was made of.
            filmed: what is shown as it was filmed, (K, h, w) in [0, 1] how much of each frame, and (K, h, w, 2) x, y
                which pixels of it at N, NaN where there is none; None adds no detail.

        Returns:
            (h S/N, w S/N, 4) premultiplied.
        """
        scale = self._size / self._side
        wide = round(small.shape[1] * scale), round(small.shape[0] * scale)
        large = np.asarray(cv2.resize(small, wide, interpolation=cv2.INTER_CUBIC), np.float32)
        known = () if filmed is None else zip(frames, *filmed, strict=True)
        for frame, weight, at in known:
            weight = weight * _continuous(at)
            shown = [tile for tile in _tiles(weight.shape) if weight[tile].max() > LITTLE]
            if not shown:
                continue
            detail = self._detail(int(frame))
            if detail is None:
                continue
            looked_up = cv2.resize(np.nan_to_num(at), wide, interpolation=cv2.INTER_LINEAR)
            looked_up = (looked_up + np.float32(0.5)) * np.float32(scale) - (detail.corner_xy + np.float32(0.5))
            faded = cv2.resize(np.asarray(weight, np.float32), wide, interpolation=cv2.INTER_LINEAR)
            for tile in shown:
                fine = tuple(slice(round(one.start * scale), round(one.stop * scale)) for one in tile)
                found = cv2.remap(detail.values, looked_up[fine], None, cv2.INTER_CUBIC)
                large[fine] += cv2.multiply(found, cv2.merge([faded[fine]] * 4), dtype=cv2.CV_32F)
        *colours, alpha = cv2.split(large)
        alpha = cv2.min(cv2.max(alpha, 0), 255)
        levels = [cv2.min(cv2.max(one, 0), alpha) for one in colours]
        return np.asarray(cv2.merge([cv2.convertScaleAbs(one) for one in (*levels, alpha)]), np.uint8)

    def ready_frames(self, count: int) -> Iterator[int]:
        """Finds details of frames before a picture asks for them, spread evenly, as many as are kept.

        Args:
            count: how many frames there are.

        Yields:
            How many are to come, after each; none where no picture is enlarged.
        """
        if self._size == self._side or not count:
            return
        self._detail(count // 2)
        most = min(count, max(1, self._kept // max(1, self._bytes())))
        for done in range(most):
            self._detail(done * count // most)
            yield most - done - 1

    def _detail(self, frame: int) -> Detail | None:
        """What a frame has that it lacks at N; None where it shows nobody."""
        if frame not in self._details:
            self._details[frame] = detail_of(self._pictures[frame], self._side)
            while len(self._details) > 1 and self._bytes() > self._kept:
                self._details.popitem(last=False)
        self._details.move_to_end(frame)
        return self._details[frame]

    def _bytes(self) -> int:
        return sum(one.values.nbytes for one in self._details.values() if one is not None)


def detail_of(picture: Image, side: int) -> Detail | None:
    """What a frame (S, S, 4), RGB and matte, has that is lost at `side` pixels; None where it shows nobody."""
    size = picture.shape[0]
    shared = math.gcd(size, side)
    box = box_about(picture[..., 3], math.ceil(CUBIC * size / side), size // shared)
    if box is None:
        return None
    part = picture[box.at()]
    height, width = part.shape[:2]
    alpha = cv2.extractChannel(part, 3)
    whole = cv2.multiply(part, cv2.merge([alpha] * 4), scale=1 / 255, dtype=cv2.CV_32F)
    whole[..., 3] = alpha
    smaller = width * side // size, height * side // size  # the same pixels as those of the whole frame
    small = cv2.resize(whole, smaller, interpolation=cv2.INTER_AREA)
    values = whole - cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return Detail(np.asarray(values, np.float32), np.array([box.left, box.top], np.float32))


def _tiles(size_hw: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    for top in range(0, size_hw[0], TILE):
        for left in range(0, size_hw[1], TILE):
            yield slice(top, min(top + TILE, size_hw[0])), slice(left, min(left + TILE, size_hw[1]))


def _continuous(places: Floats) -> Floats:
    """(h, w): 1 where neighbouring places lie beside each other in the frame, too, else 0."""
    x, y = cv2.split(places)
    down, across = (np.maximum(*(np.abs(np.diff(one, axis=axis)) for one in (x, y))) for axis in (0, 1))
    torn_down, torn_across = ~(down < TORN), ~(across < TORN)  # NaN is torn, too
    torn = np.zeros(places.shape[:2], bool)
    torn[:-1] |= torn_down
    torn[1:] |= torn_down
    torn[:, :-1] |= torn_across
    torn[:, 1:] |= torn_across
    # Enlarging mixes each with its neighbours, the diagonal ones too
    return np.asarray(cv2.erode((~torn).astype(np.uint8), np.ones((3, 3), np.uint8)), np.float32)
