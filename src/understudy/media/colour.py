"""Decoded frames to RGB as a screen shows them: matrix, range, HDR, alpha, size and rotation."""

from __future__ import annotations

import av.video.frame
import cv2
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter

from understudy.media.images import composite

_TURNED = {
    "clockwise": cv2.ROTATE_90_CLOCKWISE,
    "half": cv2.ROTATE_180,
    "anticlockwise": cv2.ROTATE_90_COUNTERCLOCKWISE,
}
_UNSPECIFIED = 2
# Both are needed: without them swscale's results are one to two levels too dark (measured against the formula).
_EXACT = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_WIDE_PRIMARIES = (ColorPrimaries.BT2020, ColorPrimaries.SMPTE431, ColorPrimaries.SMPTE432)
_HDR_CURVES = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)


class RgbConverter:
    """Turns decoded frames into RGB uint8 arrays of one size.

    Args:
        size_hw: (height, width) of the delivered arrays, after turning.
        turn: a key of `video_info.TURNS`.
        background: RGB seen through transparent pixels.
    """

    def __init__(self, size_hw: tuple[int, int], turn: str, background: tuple[int, int, int]) -> None:
        self._turn = turn
        self._background = background
        self._size_hw = size_hw
        swapped = turn in ("clockwise", "anticlockwise", "transpose", "transverse")
        self._stored_hw = (size_hw[1], size_hw[0]) if swapped else size_hw
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.video.frame.VideoFrame) -> npt.NDArray[np.uint8]:
        """One frame as (H, W, 3) RGB uint8, contiguous, owned by the caller."""
        if has_alpha(frame):
            return self._turned(self._composited(frame))
        height, width = self._stored_hw
        scaling = Interpolation.AREA if height <= frame.height and width <= frame.width else Interpolation.BICUBIC
        if is_hdr(frame) or frame.color_primaries in _WIDE_PRIMARIES:
            # Without _EXACT: with it swscale's tables for this conversion give false colours (FFmpeg 8.1).
            colours = {"dst_color_trc": ColorTrc.BT709, "dst_color_primaries": ColorPrimaries.BT709}
        else:
            colours = {}
            scaling |= _EXACT
        converted = self._reformatter.reformat(
            frame,
            width,
            height,
            "rgb24",
            src_colorspace=_matrix(frame),
            dst_color_range=ColorRange.JPEG,
            interpolation=scaling,
            **colours,
        )
        return self._turned(converted.to_ndarray())

    def _composited(self, frame: av.video.frame.VideoFrame) -> npt.NDArray[np.uint8]:
        # Shrunk after compositing: the colour of invisible pixels must not bleed into visible ones.
        rgba = self._reformatter.reformat(
            frame,
            format="rgba",
            src_colorspace=_matrix(frame),
            dst_color_range=ColorRange.JPEG,
            interpolation=_EXACT | Interpolation.BICUBIC,
        ).to_ndarray()
        opaque = composite(np.asarray(rgba, np.uint8), self._background)
        height, width = self._stored_hw
        if opaque.shape[:2] == (height, width):
            return opaque
        return np.asarray(cv2.resize(opaque, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def _turned(self, image: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
        pixels = np.asarray(image, np.uint8)
        if self._turn in _TURNED:
            return np.asarray(cv2.rotate(pixels, _TURNED[self._turn]), np.uint8)
        if self._turn == "mirror":
            return np.asarray(cv2.flip(pixels, 1), np.uint8)
        if self._turn == "flip":
            return np.asarray(cv2.flip(pixels, 0), np.uint8)
        if self._turn == "transpose":
            return np.asarray(cv2.transpose(pixels), np.uint8)
        if self._turn == "transverse":
            return np.asarray(cv2.flip(cv2.transpose(pixels), -1), np.uint8)
        if pixels.flags.c_contiguous and pixels.flags.owndata and pixels.flags.writeable:
            return pixels
        return pixels.copy()


def has_alpha(frame: av.video.frame.VideoFrame) -> bool:
    """Whether the frame's pixel format carries transparency."""
    name = frame.format.name
    return "rgba" in name or "yuva" in name or name in ("bgra", "argb", "abgr", "ya8", "pal8") or "gbrap" in name


def is_hdr(frame: av.video.frame.VideoFrame) -> bool:
    """Whether the frame's brightness follows one of the two HDR curves, PQ and HLG."""
    return frame.color_trc in _HDR_CURVES


def _matrix(frame: av.video.frame.VideoFrame) -> int | None:
    if frame.colorspace != _UNSPECIFIED:
        return None
    return Colorspace.ITU709 if frame.height >= 720 or frame.width >= 1280 else Colorspace.ITU601
