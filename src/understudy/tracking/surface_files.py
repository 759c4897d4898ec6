"""Surface maps that a user already has: a video, or a folder of pictures, of I, U and V ("IUV").

I, the number of a chart, is the red or the blue of them: DensePose's own pictures have it in blue, beside U in green
and V in red. Which of the two it is shows: it never gets beyond 24.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from understudy.base.arguments import Rotation
from understudy.body.surface_mesh import CHARTS
from understudy.errors import MediaError
from understudy.media.images import read_image
from understudy.media.reading import VideoReader
from understudy.tracking.parsing_files import FilesInOrder, Square, check_shape, maps_in_order, moved_to_square

UInt8Array = npt.NDArray[np.uint8]

STRAY = 0.01
"""share of a picture's pixels that may be beyond 24 where a video was compressed with loss"""
_LOSSLESS = ("gbrp", "rgb24", "bgr24", "rgb0", "bgr0", "rgba", "bgra", "gbrap", "pal8")
"""how pictures are stored whose numbers come out as they went in"""

_log = logging.getLogger(__name__)


class SurfaceSource(Protocol):
    def __call__(self, frame: UInt8Array, matte: UInt8Array) -> UInt8Array:
        """The surface map of one frame; called once a frame, in order.

        Args:
            frame: (S, S, 3) RGB.
            matte: (S, S), 255 where the person is.

        Returns:
            (S, S, 3) uint8: I below 25, U, V; all 0 where nobody is.
        """

    def check_end(self) -> None: ...

    def close(self) -> None: ...


class GivenSurface:
    """Ready surface maps, brought to the working square by the nearest pixel.

    Args:
        path: a video, as long as the clip to within one frame; or a folder of PNG files in the order of their numbers,
            or one PNG file, as many as the clip has frames to within one. Of the shape of the clip as its file has it.
        square, size, original_hw, rotate: as of `parsing_files.GivenMaps`.
        start, end: of the part that is tracked, seconds into the video; None = its beginning, its end.
        first: number of the frame with which that part begins.

    Raises:
        MediaError: there are none, or the video cannot be read.
    """

    def __init__(
        self,
        path: Path,
        square: Square,
        size: int,
        original_hw: tuple[int, int],
        rotate: Rotation = 0,
        start: float | None = None,
        end: float | None = None,
        first: int = 0,
    ) -> None:
        self._path, self._rotate = path, rotate
        self._square, self._size, self._original_hw = square, size, original_hw
        self._last_is_first: bool | None = None
        self._reader: VideoReader | None = None
        self._files: FilesInOrder | None = None
        if path.is_dir() or path.suffix.lower() == ".png":
            paths = maps_in_order(path, "surface maps") if path.is_dir() else [path]
            self._files = FilesInOrder(path, paths, "surface maps", first, end is None)
        else:
            self._reader = VideoReader(path, start=start, end=end, rotate=rotate)
            if self._reader.info.pixel_format not in _LOSSLESS:
                _log.warning(
                    f"the surface maps {path} are compressed with loss ({self._reader.info.pixel_format}): charts and "
                    "coordinates are only as near as it left them; give PNG files, or FFV1 in RGB"
                )
            self._frames = iter(self._reader)
            self._last: UInt8Array | None = None
            self._held = 0

    def __call__(self, frame: UInt8Array, matte: UInt8Array) -> UInt8Array:
        picture = self._from_video() if self._files is None else self._from_file(self._files.next())
        what = f"the surface map {self._path}"
        check_shape(what, picture, self._original_hw)
        return moved_to_square(self._ordered(picture, what), self._square, self._size, self._original_hw)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()

    def check_end(self) -> None:
        """Raises MediaError when more than one map is left over."""
        if self._files is not None:
            self._files.check_end()
        elif next(self._frames, None) is not None and next(self._frames, None) is not None:
            raise MediaError(f"the surface maps {self._path} are longer than the video: give as many as it has frames")

    def _from_file(self, path: Path) -> UInt8Array:
        return np.rot90(read_image(path), -self._rotate // 90)

    def _from_video(self) -> UInt8Array:
        picture = next(self._frames, None)
        if picture is None:
            self._held += 1
            picture = self._last
        if picture is None or self._held > 1:
            raise MediaError(f"the surface maps {self._path} are shorter than the video: give as many as it has frames")
        self._last = picture
        return picture

    def _ordered(self, picture: UInt8Array, what: str) -> UInt8Array:
        """(H, W, 3) I, U, V."""
        stray = [float((picture[..., channel] >= len(CHARTS)).mean()) for channel in (0, 2)]
        if self._last_is_first is None and stray[0] != stray[1]:
            self._last_is_first = stray[1] < stray[0]
        if stray[bool(self._last_is_first)] > (0 if self._files is not None else STRAY):
            raise MediaError(f"{what} is none: its I, in red or in blue, must be 0 to {len(CHARTS) - 1}")
        ordered = picture[..., ::-1] if self._last_is_first else picture
        known = (ordered[..., :1] > 0) & (ordered[..., :1] < len(CHARTS))
        return np.asarray(ordered * known, np.uint8)
