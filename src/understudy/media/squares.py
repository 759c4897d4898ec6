"""A square cut out of pictures and brought to another size, from arrays and from decoded frames.

Out of a film that is stored as most are, FFmpeg's filters cut and shrink the square while its colours still have their
own planes: half of the time of decoding and shrinking whole frames, and a little sharper.
"""

from __future__ import annotations

import av.filter
import av.video.frame
import cv2
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange

from understudy.media.colour import WIDE_PRIMARIES, RgbConverter, is_hdr, matrix_of, turned
from understudy.media.info import TURNS, VideoInfo
from understudy.media.scaling import MATRICES, filtered, filters

UInt8Array = npt.NDArray[np.uint8]
Square = tuple[int, int, int]
"""left, top, side in pixels of a picture as shown; may reach beyond it"""

_PLANAR = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "yuv420p10le")


def halvings(side: int, size: int) -> int:
    """How often a square of `side` pixels is halved on its way to `size`: exact halves are averaged much faster."""
    times = 0
    while side >= 3 * size and side % 2 == 0:
        side //= 2
        times += 1
    return times


def reading_shrink(original_hw: tuple[int, int], square: Square, size: int) -> int:
    """1, 2, 4 ...: by how much whole frames can be shrunk on reading, so that `cut` has the less to do.

    Only what `cut` would do anyway, and only where no length is left with half a pixel.
    """
    times = halvings(square[2], size)
    while any(length % 2**times for length in (*original_hw, *square)):
        times -= 1
    return int(2**times)


def cut(frame: UInt8Array, square: Square, size: int, *, beyond: int | None = None) -> UInt8Array:
    """The square of a whole frame at working size, averaged over areas when it shrinks.

    Args:
        frame: (H, W, 3) or (H, W).
        square: (left, top, side) in pixels of `frame`; may reach beyond it.
        size: of the result.
        beyond: value outside the frame; None repeats the frame's edge.

    Returns:
        (size, size, 3) or (size, size).
    """
    side = square[2]
    height, width = frame.shape[:2]
    rows, columns, borders = _clipped(square, (height, width))
    inside = frame[rows, columns]
    if inside.size == 0:
        raise ValueError(f"the square {square} lies outside the {width}x{height} frame")
    if any(borders):
        kind = cv2.BORDER_REPLICATE if beyond is None else cv2.BORDER_CONSTANT
        value = beyond or 0
        inside = cv2.copyMakeBorder(inside, *borders, kind, value=(value, value, value))
    for _ in range(halvings(side, size)):
        side //= 2
        inside = cv2.resize(inside, (side, side), interpolation=cv2.INTER_AREA)
    method = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(inside, (size, size), interpolation=method), np.uint8)


def _clipped(square: Square, size_hw: tuple[int, int]) -> tuple[slice, slice, tuple[int, int, int, int]]:
    """Rows and columns of a square within a picture, and its pixels above, below, left and right of it."""
    left, top, side = square
    y0, y1 = (min(max(at, 0), size_hw[0]) for at in (top, top + side))
    x0, x1 = (min(max(at, 0), size_hw[1]) for at in (left, left + side))
    return slice(y0, y1), slice(x0, x1), (y0 - top, top + side - y1, x0 - left, left + side - x1)


class SquareConverter:
    """Turns decoded frames into RGB uint8 arrays (size, size, 3) of one square of the picture.

    Args:
        square: in pixels of the picture as shown; beyond it the picture's edge is repeated.
        size: pixels of its side in what is delivered.
        info: of the film.
        turn: a key of `TURNS`.
        background: RGB seen through transparent pixels.
    """

    def __init__(self, square: Square, size: int, info: VideoInfo, turn: str, background: tuple[int, int, int]) -> None:
        self._size, self._turn, self._stored_hw = size, turn, info.stored_hw
        self._stored = stored_square(square, turn, info.size_hw)
        swapped = TURNS[turn][0] == 0
        pixels_are_square = info.size_hw == (info.stored_hw[::-1] if swapped else info.stored_hw)
        self._direct = pixels_are_square and not any(length % 2 for length in (*info.stored_hw, *self._stored))
        self._graphs: dict[tuple[object, ...], av.filter.Graph] = {}
        shrink = reading_shrink(info.size_hw, square, size)
        height, width = info.size_hw
        self._whole = RgbConverter((height // shrink, width // shrink), turn, background, info.stored_hw)
        self._shrunk = (square[0] // shrink, square[1] // shrink, square[2] // shrink)

    def __call__(self, frame: av.video.frame.VideoFrame) -> UInt8Array:
        """One frame's square, contiguous, owned by the caller."""
        matrix = matrix_of(frame) or frame.colorspace
        plain = frame.format.name in _PLANAR and matrix in MATRICES and not is_hdr(frame)
        fits = (frame.height, frame.width) == self._stored_hw and frame.color_primaries not in WIDE_PRIMARIES
        if not (self._direct and plain and fits):
            return cut(self._whole(frame), self._shrunk, self._size)
        full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
        kind = (frame.format.name, matrix, full)
        if kind not in self._graphs:
            self._graphs[kind] = self._graph(frame, MATRICES[matrix], "pc" if full else "tv")
        made = filtered(self._graphs[kind], frame).to_ndarray()
        return turned(np.asarray(made, np.uint8), self._turn)

    def _graph(self, frame: av.video.frame.VideoFrame, matrix: str, levels: str) -> av.filter.Graph:
        """crop, fill up to the square where it reaches beyond the picture, scale."""
        side = self._stored[2]
        rows, columns, (above, below, before, after) = _clipped(self._stored, self._stored_hw)
        inside = f"{columns.stop - columns.start}:{rows.stop - rows.start}"
        steps = [("crop", f"{inside}:{columns.start}:{rows.start}:exact=1")]
        if above or below or before or after:
            steps.append(("pad", f"{side}:{side}:{before}:{above}"))
            steps.append(("fillborders", f"{before}:{after}:{above}:{below}:smear"))
        way = "area" if side > self._size else "bicubic"
        exact = f"flags={way}+accurate_rnd+full_chroma_int:in_color_matrix={matrix}:in_range={levels}:out_range=pc"
        return filters(frame, [*steps, ("scale", f"{self._size}:{self._size}:{exact}")])


def stored_square(square: Square, turn: str, shown_hw: tuple[int, int]) -> Square:
    """A square of the picture as shown, in pixels of the picture as stored."""
    a, b, c, d = TURNS[turn]
    left, top, side = square
    stored_hw = shown_hw if a else shown_hw[::-1]
    # about the middle of the picture, in half pixels, so that all are whole numbers
    x, y = 2 * left + side - shown_hw[1], 2 * top + side - shown_hw[0]
    stored_x, stored_y = a * x + b * y, c * x + d * y
    return (stored_x + stored_hw[1] - side) // 2, (stored_y + stored_hw[0] - side) // 2, side
