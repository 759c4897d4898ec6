"""Decoded frames to RGB as a screen shows them: matrix, range, HDR, alpha, size and rotation."""

from __future__ import annotations

from fractions import Fraction

import av.filter
import av.video.frame
import cv2
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter

from understudy.media.images import composite
from understudy.media.scaling import ACCURATE_ROUNDING, FULL_CHROMA_INTERPOLATION, MATRICES, filtered, filters

_TURNED = {
    "clockwise": cv2.ROTATE_90_CLOCKWISE,
    "half": cv2.ROTATE_180,
    "anticlockwise": cv2.ROTATE_90_COUNTERCLOCKWISE,
}
_UNSPECIFIED = 2
# Both are needed: without them swscale's results are one to two levels too dark (measured against the formula).
_EXACT = ACCURATE_ROUNDING | FULL_CHROMA_INTERPOLATION
WIDE_PRIMARIES = (ColorPrimaries.BT2020, ColorPrimaries.SMPTE431, ColorPrimaries.SMPTE432)
_HDR_CURVES = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)


class RgbConverter:
    """Turns decoded frames into RGB uint8 arrays of one size.

    Args:
        size_hw: (height, width) of the delivered arrays, after turning.
        turn: a key of `video_info.TURNS`.
        background: RGB seen through transparent pixels.
        stored_hw: (height, width) of the frames as stored that fill the arrays; those of other shapes are fitted
            in between black bars. None: all fill them.
    """

    def __init__(
        self,
        size_hw: tuple[int, int],
        turn: str,
        background: tuple[int, int, int],
        stored_hw: tuple[int, int] | None = None,
    ) -> None:
        self._turn = turn
        self._background = background
        self._size_hw = size_hw
        swapped = turn in ("clockwise", "anticlockwise", "transpose", "transverse")
        self._target_hw = (size_hw[1], size_hw[0]) if swapped else size_hw
        self._stored_hw = stored_hw
        self._reformatter = VideoReformatter()
        self._graphs: dict[tuple[object, ...], av.filter.Graph] = {}

    def __call__(self, frame: av.video.frame.VideoFrame) -> npt.NDArray[np.uint8]:
        """One frame as (H, W, 3) RGB uint8, contiguous, owned by the caller."""
        height, width = self._fitted_hw(frame)
        if has_alpha(frame):
            return turned(self._framed(self._composited(frame, height, width)), self._turn)
        shrinks = height <= frame.height and width <= frame.width
        if is_hdr(frame) or frame.color_primaries in WIDE_PRIMARIES:
            converted = self._in_bt709(frame, height, width, "area" if shrinks else "bicubic")
        else:
            converted = self._reformatter.reformat(
                frame,
                width,
                height,
                "rgb24",
                src_colorspace=matrix_of(frame),
                dst_color_range=ColorRange.JPEG,
                interpolation=_EXACT | (Interpolation.AREA if shrinks else Interpolation.BICUBIC),
            )
        return turned(self._framed(np.asarray(converted.to_ndarray(), np.uint8)), self._turn)

    def _in_bt709(
        self, frame: av.video.frame.VideoFrame, height: int, width: int, way: str
    ) -> av.video.frame.VideoFrame:
        """A frame of other primaries or another curve, by a filter; before PyAV 18 the reformatter leaves them."""
        matrix = matrix_of(frame)
        kind = (frame.format.name, frame.height, frame.width, height, width, matrix)
        if kind not in self._graphs:
            # Without _EXACT: with it swscale's tables for this conversion give false colours (FFmpeg 8.1).
            options = f"{width}:{height}:flags={way}:out_range=pc:out_primaries=bt709:out_transfer=bt709"
            named = "" if matrix is None else f":in_color_matrix={MATRICES[matrix]}"
            self._graphs[kind] = filters(frame, [("scale", options + named)])
        return filtered(self._graphs[kind], frame)

    def _fitted_hw(self, frame: av.video.frame.VideoFrame) -> tuple[int, int]:
        """Size at which a frame goes into the target: its own shape, as wide or as high as the target."""
        height, width = self._target_hw
        if self._stored_hw is None or (frame.height, frame.width) == self._stored_hw:
            return height, width
        # A stored pixel is as wide and as high as one of the first frame's.
        high = Fraction(frame.height * height, self._stored_hw[0])
        wide = Fraction(frame.width * width, self._stored_hw[1])
        scale = min(height / high, width / wide)
        return max(1, round(high * scale)), max(1, round(wide * scale))

    def _framed(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        if image.shape[:2] == self._target_hw:
            return image
        framed = np.zeros((*self._target_hw, 3), np.uint8)
        height, width = image.shape[:2]
        top, left = (self._target_hw[0] - height) // 2, (self._target_hw[1] - width) // 2
        framed[top : top + height, left : left + width] = image
        return framed

    def _composited(self, frame: av.video.frame.VideoFrame, height: int, width: int) -> npt.NDArray[np.uint8]:
        # Shrunk after compositing: the colour of invisible pixels must not bleed into visible ones.
        rgba = self._reformatter.reformat(
            frame,
            format="rgba",
            src_colorspace=matrix_of(frame),
            dst_color_range=ColorRange.JPEG,
            interpolation=_EXACT | Interpolation.BICUBIC,
        ).to_ndarray()
        opaque = composite(np.asarray(rgba, np.uint8), self._background)
        if opaque.shape[:2] == (height, width):
            return opaque
        return np.asarray(cv2.resize(opaque, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def turned(image: npt.NDArray[np.generic], turn: str) -> npt.NDArray[np.uint8]:
    """A stored picture as it is shown, contiguous and writable; `turn` is a key of `info.TURNS`."""
    pixels = np.asarray(image, np.uint8)
    if turn in _TURNED:
        return np.asarray(cv2.rotate(pixels, _TURNED[turn]), np.uint8)
    if turn == "mirror":
        return np.asarray(cv2.flip(pixels, 1), np.uint8)
    if turn == "flip":
        return np.asarray(cv2.flip(pixels, 0), np.uint8)
    if turn == "transpose":
        return np.asarray(cv2.transpose(pixels), np.uint8)
    if turn == "transverse":
        return np.asarray(cv2.flip(cv2.transpose(pixels), -1), np.uint8)
    if pixels.flags.c_contiguous and pixels.flags.owndata and pixels.flags.writeable:
        return pixels
    return np.asarray(pixels.copy(), np.uint8)


def has_alpha(frame: av.video.frame.VideoFrame) -> bool:
    """Whether the frame's pixel format carries transparency."""
    name = frame.format.name
    return "rgba" in name or "yuva" in name or name in ("bgra", "argb", "abgr", "ya8", "pal8") or "gbrap" in name


def is_hdr(frame: av.video.frame.VideoFrame) -> bool:
    """Whether the frame's brightness follows one of the two HDR curves, PQ and HLG."""
    return frame.color_trc in _HDR_CURVES


def matrix_of(frame: av.video.frame.VideoFrame) -> int | None:
    """The colour matrix to be taken where a frame names none; None where it does."""
    if frame.colorspace != _UNSPECIFIED:
        return None
    return Colorspace.ITU709 if frame.height >= 720 or frame.width >= 1280 else Colorspace.ITU601
