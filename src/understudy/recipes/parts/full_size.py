"""A small picture made of reference frames, with the detail that the same frames have at their full size.

A warp says of every pixel which pixel of a frame it shows. So it is enough to warp, choose and refine small pictures:
what is finer than they are is looked up once more, at the same places of the large frames, and added. Where a pixel was
made up, painted, or mixed of layers, there is no such place, and it stays as soft as it is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping

import cv2
import numpy as np
import numpy.typing as npt

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
KEPT = 192 << 20
"""bytes of details that are kept, since paths come back to their frames"""


class FullSize:
    """Frames at their full size.

    Args:
        pictures: (S, S, 4) RGB and matte, by frame.
        size: S.
        side: N, of the small pictures.
    """

    def __init__(self, pictures: Mapping[int, Image], size: int, side: int) -> None:
        self._pictures, self._size, self._side = pictures, size, side
        self._details: OrderedDict[int, Floats] = OrderedDict()

    def enlarged(self, small: Floats, frames: npt.NDArray[np.intp], share: Floats, places: Floats) -> Image:
        """A picture of N x N pixels, or a part of one, at S x S.

        Args:
            small: (h, w, 4) premultiplied, 0-255.
            frames: (K,) that it was made of.
            share: (K, h, w) in [0, 1]: how much of each frame is shown as it was filmed.
            places: (K, h, w, 2) x, y: pixels of the frames at N; NaN where there is none.

        Returns:
            (h S/N, w S/N, 4) premultiplied.
        """
        scale = self._size / self._side
        wide = round(small.shape[1] * scale), round(small.shape[0] * scale)
        large = np.asarray(cv2.resize(small, wide, interpolation=cv2.INTER_CUBIC), np.float32)
        known = zip(frames, share, places, strict=True) if scale > 1 else ()
        for frame, weight, at in known:
            weight = weight * _continuous(at)
            shown = [tile for tile in _tiles(weight.shape) if weight[tile].max() > LITTLE]
            if not shown:
                continue
            detail = self._detail(int(frame))
            looked_up = cv2.resize(np.nan_to_num(at), wide, interpolation=cv2.INTER_LINEAR)
            looked_up = (looked_up + np.float32(0.5)) * np.float32(scale) - np.float32(0.5)
            faded = cv2.resize(np.asarray(weight, np.float32), wide, interpolation=cv2.INTER_LINEAR)
            for tile in shown:
                fine = tuple(slice(round(one.start * scale), round(one.stop * scale)) for one in tile)
                found = cv2.remap(detail, looked_up[fine], None, cv2.INTER_CUBIC)
                large[fine] += cv2.multiply(found, cv2.merge([faded[fine]] * 4), dtype=cv2.CV_32F)
        alpha = np.clip(large[..., 3:], 0, 255)
        colours = np.clip(large[..., :3], 0, alpha)
        return np.asarray(np.concatenate([colours, alpha], axis=-1) + np.float32(0.5), np.uint8)

    def _detail(self, frame: int) -> Floats:
        """(S, S, 4): what a premultiplied frame has that it lacks at N."""
        if frame not in self._details:
            picture = self._pictures[frame]
            alpha = picture[..., 3].astype(np.float32) / 255
            colours = cv2.multiply(picture[..., :3], cv2.merge([alpha] * 3), dtype=cv2.CV_32F)
            whole = np.dstack([colours, picture[..., 3].astype(np.float32)])
            small = cv2.resize(whole, (self._side, self._side), interpolation=cv2.INTER_AREA)
            again = cv2.resize(small, (self._size, self._size), interpolation=cv2.INTER_CUBIC)
            self._details[frame] = whole - again
            if len(self._details) * self._details[frame].nbytes > KEPT and len(self._details) > 1:
                self._details.popitem(last=False)
        self._details.move_to_end(frame)
        return self._details[frame]


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
