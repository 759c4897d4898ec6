"""Frames in and out of video files: exact times, rotation, constant rate, whole files or none.

The reader delivers RGB arrays at one constant rate while the next frames are decoded in a thread; the writer makes
files that play everywhere and appear only when whole.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection, Generator, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av.video.frame
import numpy as np
import numpy.typing as npt

from understudy.base.arguments import Rotation
from understudy.base.things import VIDEOS
from understudy.base.threads import ReadAhead
from understudy.errors import MediaError, UsageError
from understudy.media.colour import RgbConverter, is_hdr
from understudy.media.decoding import Decoder
from understudy.media.deinterlacing import TimedFrame
from understudy.media.images import is_image, read_image, write_image
from understudy.media.info import VideoInfo, inspect, probe
from understudy.media.opening import open_input, video_stream
from understudy.media.squares import Square, SquareConverter
from understudy.media.writing import VideoWriter

__all__ = [
    "VideoInfo",
    "VideoReader",
    "VideoWriter",
    "is_image",
    "is_video",
    "probe",
    "read_image",
    "write_image",
]

_log = logging.getLogger(__name__)
_Convert = Callable[[av.video.frame.VideoFrame], npt.NDArray[np.uint8]]
_AHEAD = 4
"""frames decoded before they are asked for"""


def is_video(path: str | Path) -> bool:
    """Whether `path` is an existing video file (an animated GIF too), by its name or by its content."""
    path = Path(path)
    if not path.is_file() or is_image(path):
        return False
    if path.suffix.lower() in VIDEOS:
        return True
    try:
        with open_input(path) as container:
            video_stream(path, container)
    except MediaError:
        return False
    return True


class VideoReader:
    """Frames of a video as RGB uint8 arrays of shape (H, W, 3), at one constant rate.

    Frame k is the stored frame whose time stamp is nearest to k / fps after the first, so a variable-rate clip keeps
    its length to within one frame. Rotation and sample aspect ratio are applied, transparency is laid over a colour,
    10-bit and HDR are converted, interlaced frames are made whole, a picture whose size changes is fitted into the
    first size. Iterating opens the file anew each time; memory does not grow with its length.

    Args:
        path: the file.
        start: seconds after the first frame; the first frame delivered is number round(start * fps) of the clip.
        end: seconds after the first frame; the last frame delivered is the one before number round(end * fps).
        long_side: pixels; frames are shrunk so that the longer side is at most this. They are never enlarged.
        alpha_background: RGB, 0-255, behind transparent pixels.
        strict: a file that ends before its header says is an error, not a note.
        tolerate_damage: packets that cannot be decoded are counted in `notes`, not an error.
        say_notes: log `notes` as they come; not wanted of a second reader of the same file.
        rotate: degrees clockwise by which the picture is turned, beside what the file asks for.
        double_rate: of interlaced film deliver each half picture, made whole, at twice the rate.

    Attributes:
        info: what the header says about the whole file.
        fps: frames per second, exact.
        size_hw: (height, width) of the delivered frames.
        turn: how stored frames are turned or mirrored for that, a key of `media.info.TURNS`.
        expected_frames: how many frames will come, if the header is right.
        notes: what the user should know about the last iteration: a cut, a count of damage, a conversion.

    Raises:
        MediaError: see `probe`; while iterating: damage, or with `strict` a cut.
        UsageError: a range that is empty or before zero; `double_rate` of a file that is not interlaced.

    Example:
        with VideoReader("dance.mp4", long_side=640) as frames:
            for frame in frames:
                print(frame.shape)
    """

    def __init__(
        self,
        path: str | Path,
        *,
        start: float | None = None,
        end: float | None = None,
        long_side: int | None = None,
        alpha_background: tuple[int, int, int] = (0, 0, 0),
        strict: bool = False,
        tolerate_damage: bool = False,
        say_notes: bool = True,
        rotate: Rotation = 0,
        double_rate: bool = False,
    ) -> None:
        self._source = inspect(Path(path), rotate, double_rate)
        self.double_rate = double_rate
        self.rotate: Rotation = rotate
        self.info: VideoInfo = self._source.info
        self.fps: Fraction = self.info.fps
        self.size_hw = _shrunk(self.info.size_hw, long_side)
        self.turn = self._source.turn
        self.notes: list[str] = []
        self._alpha_background = alpha_background
        self._strict = strict
        self._tolerate_damage = tolerate_damage
        self._say_notes = say_notes
        self._first_index, self._stop_index = self._index_range(start, end)
        last = self.info.frames if self._stop_index is None else min(self.info.frames, self._stop_index)
        self.expected_frames = max(0, last - self._first_index)
        self._running: list[ReadAhead[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8] | None]]] = []

    def _index_range(self, start: float | None, end: float | None) -> tuple[int, int | None]:
        first = 0 if start is None else round(Fraction(str(start)) * self.fps)
        stop = None if end is None else round(Fraction(str(end)) * self.fps)
        if first < 0 or (stop is not None and stop <= first):
            raise UsageError(f"the range from {start} s to {end} s of {self.info.path} holds no frame")
        if first >= self.info.frames + 1:
            raise UsageError(
                f"{self.info.path} lasts {float(self.info.duration):.2f} s, so nothing starts at {start} s"
            )
        return first, stop

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stops decoding; iterating again starts anew."""
        for ahead in list(self._running):
            ahead.stop()
        self._running.clear()

    def __iter__(self) -> Iterator[npt.NDArray[np.uint8]]:
        for frame, _ in self.with_whole(()):
            yield frame

    def with_whole(
        self, numbers: Collection[int]
    ) -> Generator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8] | None], None, None]:
        """Frames as iterating gives them, and beside those with the given numbers the same one unshrunk."""
        source = self._source
        convert = RgbConverter(self.size_hw, source.turn, self._alpha_background, source.info.stored_hw)
        return self._delivered(convert, numbers)

    def squares(
        self, square: Square, size: int, whole_at: Collection[int]
    ) -> Generator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8] | None], None, None]:
        """One square of every frame, (size, size, 3), and beside those with the given numbers the whole frame.

        Args:
            square: left, top, side in pixels of `info.size_hw`; beyond the picture its edge is repeated.
            size: pixels.
            whole_at: numbers of frames, from 0.
        """
        source = self._source
        convert = SquareConverter(square, size, source.info, source.turn, self._alpha_background)
        return self._delivered(convert, whole_at)

    def _delivered(
        self, convert: _Convert, whole_at: Collection[int]
    ) -> Generator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8] | None], None, None]:
        self.notes = []
        ahead = ReadAhead(self._frames(convert, whole_at), _AHEAD)
        self._running.append(ahead)
        try:
            yield from ahead
        finally:
            ahead.stop()
            if ahead in self._running:
                self._running.remove(ahead)

    def _frames(
        self, convert: _Convert, whole_at: Collection[int]
    ) -> Generator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8] | None], None, None]:
        decoder = Decoder(self._source, self._strict, self._tolerate_damage, self._note)
        source = self._source
        convert_whole = RgbConverter(self.info.size_hw, source.turn, self._alpha_background, source.info.stored_hw)
        for note in source.notes:
            self._note(note)
        number = 0
        for frame, count in self._sampled(decoder):
            self._note_size(frame, number)
            if is_hdr(frame) and not any("HDR" in note for note in self.notes):
                self._note(
                    f"{self.info.path} is HDR: converted to BT.709, what is brighter than paper white is clipped"
                )
            image = convert(frame)
            for repeat in range(count):
                # each is the consumer's own
                delivered = image if repeat == count - 1 else image.copy()
                yield delivered, convert_whole(frame) if number in whole_at else None
                number += 1

    def _note_size(self, frame: av.video.frame.VideoFrame, number: int) -> None:
        height, width = self._source.info.stored_hw
        changed = (frame.height, frame.width) != (height, width)
        if changed and not any("changes its size" in note for note in self.notes):
            self._note(
                f"{self.info.path} changes its size at {float((self._first_index + number) / self.fps):.2f} s from "
                f"{width}x{height} to {frame.width}x{frame.height}: fitted into the first size"
            )

    def _sampled(self, decoder: Decoder) -> Generator[tuple[av.video.frame.VideoFrame, int], None, None]:
        """Yields stored frames with the number of delivered frames to which each is nearest in time."""
        first = self._source.first
        index = self._first_index
        stored: TimedFrame | None = None
        decoded = decoder.frames(first + index / self.fps)
        for time, frame in decoded:
            if stored is not None:
                boundary = (stored[0] + time) / 2
                stop = self._before_stop(math.ceil((boundary - first) * self.fps))
                if stop > index:
                    yield stored[1], stop - index
                    index = stop
                if index == self._stop_index:
                    decoded.close()
                    return
            stored = (time, frame)
        if stored is not None:
            end = decoder.end_time
            stop = self._before_stop(max(round((end - first) * self.fps), 1))
            if stop > index:
                yield stored[1], stop - index

    def _before_stop(self, index: int) -> int:
        return index if self._stop_index is None else min(index, self._stop_index)

    def _note(self, text: str) -> None:
        if text in self.notes:  # decoding may have begun more than once, further ahead each time
            return
        self.notes.append(text)
        if self._say_notes:
            _log.warning(text)


def _shrunk(size_hw: tuple[int, int], long_side: int | None) -> tuple[int, int]:
    if long_side is not None and long_side < 1:
        raise UsageError(f"long_side must be at least 1 pixel, not {long_side}")
    if long_side is None or long_side >= max(size_hw):
        return size_hw
    height, width = size_hw
    scale = Fraction(long_side, max(size_hw))
    return max(1, round(height * scale)), max(1, round(width * scale))
