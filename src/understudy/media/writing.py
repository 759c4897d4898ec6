"""Video files that play everywhere, written whole or not at all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol

import av
import av.container
import av.error
import av.packet
import av.video.frame
import av.video.stream
import cv2
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from understudy.base.files import atomic_file, atomic_folder
from understudy.base.threads import WriteBehind
from understudy.errors import MediaError, UsageError
from understudy.media.brightness import change_frame, changed_picture
from understudy.media.images import check_size, encoded_image, with_texts
from understudy.media.opening import media_errors
from understudy.media.scaling import ACCURATE_ROUNDING, FULL_CHROMA_INPUT, FULL_CHROMA_INTERPOLATION
from understudy.media.sound import AudioTrack, open_audio

_log = logging.getLogger(__name__)
_BEHIND = 4
"""frames that may wait for the encoder"""
_CRF = {"opaque": 18, "transparent": 18, "intra": 10}
_CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
_BT709 = 1
_EXACT = Interpolation.BICUBIC | ACCURATE_ROUNDING | FULL_CHROMA_INTERPOLATION | FULL_CHROMA_INPUT
_Frame = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class _Encoding:
    codec: str
    pixel_format: str
    options: dict[str, str]
    full_range: bool = False

    @property
    def even(self) -> bool:
        return "420" in self.pixel_format


def _encoding(kind: str, suffix: str, channels: int, crf: int, repeatable: bool) -> _Encoding:
    if kind == "opaque":
        # Measured at 1080x1920: 17 ms a frame, 42.3 dB; "medium" takes 48 ms for 43.1 dB at the same size of file.
        exactly = {"x264-params": "mbtree=0"} if repeatable else {}
        return _Encoding("libx264", "yuv420p", {"crf": str(crf), "preset": "veryfast", **exactly})
    if kind == "intra" and channels == 1:  # without loss: on mattes that is smaller and faster than a high quality
        return _Encoding("libx264", "gray", {"qp": "0", "preset": "ultrafast", "g": "1"}, full_range=True)
    if kind == "intra":
        options = {"crf": str(crf), "preset": "veryfast", "tune": "psnr", "g": "1", "bf": "0"}
        return _Encoding("libx264", "yuv444p", options, full_range=True)
    if suffix == ".mov":
        return _Encoding("prores_ks", "yuva444p10le", {"profile": "4444", "alpha_bits": "16", "vendor": "apl0"})
    speed = {"deadline": "good", "cpu-used": "4", "row-mt": "1", "auto-alt-ref": "0"}
    return _Encoding("libvpx-vp9", "yuva420p", {"crf": str(crf), "b": "0", **speed})


class VideoWriter:
    """Writes frames as a video; the file takes its name only when the `with` block ends well.

    Encoding runs in a thread beside the caller; an error in it is raised at the next `write` or at the end.

    Args:
        path: the file, or a folder for pictures.
        fps: frames per second, exact.
        audio_from: video or sound file whose sound goes along: its packets unchanged where the container takes
            them, else AAC (Opus in .webm). It is cut to the length of the frames written.
        audio_start: seconds of `audio_from` (after its first frame) at which the first frame written lies.
        kind: "opaque": H.264, BT.709, for every player; odd sizes gain one repeated row or column.
            "transparent": VP9 in .webm, ProRes 4444 in .mov, else a folder of PNG files 000001.png, 000002.png...
            "intra": H.264 of key frames only, full chroma and full range, for cheap exact seeking; grey frames are
            kept without any loss.
            None: "opaque" for .mp4, .mov and .mkv, "transparent" for .webm and for names without suffix.
        crf: constant quality of H.264 and VP9, 0-51, lower is better and larger; None: 18, for "intra" 10 (mean
            error about 1.6 of 255 on a noisy film).
        repeatable: the same frames make the same bytes every time, in "opaque" files about a third larger; else x264's
            rate control looks at memory that nobody wrote (findings/pyav_x264_same_frames_other_file.sh).
        marking: says in the file, or in each picture of a folder, how it was made, before it takes its name.

    Attributes:
        frames: number of frames written so far.

    Raises:
        MediaError: a name with an unknown suffix, frames of changing size or wrong type, sound that cannot be read,
            no frame at all, an encoder that fails.
        UnderstudyError: the folder cannot be written to.

    Example:
        with VideoWriter("out.mp4", Fraction(30), audio_from="dance.mp4") as out:
            out.write(frame)
    """

    def __init__(
        self,
        path: str | Path,
        fps: Fraction,
        *,
        audio_from: str | Path | None = None,
        audio_start: float = 0.0,
        kind: str | None = None,
        crf: int | None = None,
        repeatable: bool = False,
        marking: Marking | None = None,
    ) -> None:
        self._path = Path(path)
        self._fps = Fraction(fps)
        if self._fps <= 0:
            raise UsageError(f"frames per second must be above 0, not {fps}")
        self._suffix = self._path.suffix.lower()
        self._kind = _checked_kind(self._path, self._suffix, kind)
        self._audio_from = None if audio_from is None else Path(audio_from)
        self._audio_start = Fraction(str(audio_start))
        self._crf = crf if crf is not None else _CRF[self._kind]
        self._repeatable = repeatable
        self._marking = marking
        self.frames = 0
        self._shape: tuple[int, ...] = ()
        self._stack = ExitStack()
        self._behind: WriteBehind[_Frame] | None = None
        self._output: _Output | None = None

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self.frames == 0:
            self._stack.close()
            raise MediaError(f"no frames were written to {self._path}: the input held none")
        self._stack.__exit__(kind, error, trace)

    def write(self, frame: npt.NDArray[np.uint8]) -> None:
        """Adds one frame.

        Args:
            frame: uint8, (H, W, 3) RGB; (H, W, 4) RGBA with straight alpha for "transparent"; (H, W) grey for
                "intra". All frames have the size of the first. It may be changed afterwards.

        Raises:
            MediaError: another shape or type, or an encoder error of an earlier frame.
        """
        if self._behind is None:
            self._open(frame)
        if frame.shape != self._shape or frame.dtype != np.uint8:
            raise MediaError(
                f"cannot write to {self._path}: frame {self.frames + 1} is {frame.dtype} of shape {frame.shape}, "
                f"the first was uint8 of shape {self._shape}"
            )
        assert self._behind is not None
        self._behind.put(frame.copy())
        self.frames += 1

    def _open(self, frame: npt.NDArray[np.uint8]) -> None:
        channels = {"opaque": (3,), "transparent": (3, 4), "intra": (1, 3)}[self._kind]
        count = 1 if frame.ndim == 2 else frame.shape[-1]
        if frame.dtype != np.uint8 or frame.ndim not in (2, 3) or count not in channels:
            raise MediaError(
                f"cannot write to {self._path}: {self._kind} frames are uint8 with {' or '.join(map(str, channels))} "
                f"channels, not {frame.dtype} of shape {frame.shape}"
            )
        check_size(self._path, *frame.shape[:2])
        self._shape = frame.shape
        self._output = self._stack.enter_context(self._new_output(frame.shape[0], frame.shape[1], count))
        self._behind = WriteBehind(self._output.write, _BEHIND)
        self._stack.push(self._end)  # runs first, while the temporary file still waits for its name

    def _new_output(self, height: int, width: int, channels: int) -> AbstractContextManager[_Output]:
        if not self._suffix:
            if self._audio_from is not None:
                _log.warning(f"{self._path} is a folder of pictures: the sound of {self._audio_from} is left out")
            return _folder_output(self._path, self._fps, self._marking)
        encoding = _encoding(self._kind, self._suffix, channels, self._crf, self._repeatable)
        sound = self._audio_from, self._audio_start
        return _video_output(self._path, encoding, self._fps, (height, width), *sound, self._marking)

    def _end(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._behind is not None and self._output is not None
        if error is not None:
            self._behind.abort()
        else:
            self._behind.finish()
            self._output.finish()


def _checked_kind(path: Path, suffix: str, kind: str | None) -> str:
    if kind is None:
        kind = "transparent" if suffix in ("", ".webm") else "opaque"
    allowed = {
        "opaque": (".mp4", ".m4v", ".mov", ".mkv"),
        "transparent": (".webm", ".mov", ""),
        "intra": (".mp4", ".mov", ".mkv"),
    }
    if kind not in allowed:
        raise UsageError(f"unknown kind of video {kind!r}: choose one of {', '.join(allowed)}")
    if suffix not in allowed[kind]:
        names = ", ".join(name or "a folder" for name in allowed[kind])
        raise UsageError(f"cannot write {path}: {kind} video is written as {names}")
    return kind


class Marking(Protocol):
    """Says in a file how it was made; see `understudy.marks.marking`."""

    @property
    def tags(self) -> Mapping[str, str]:
        """For the container's own metadata, by name; containers leave out names that they do not know."""

    @property
    def texts(self) -> Mapping[str, str]:
        """For the text chunks of a PNG file, by keyword."""

    def change(self, luma: npt.NDArray[np.uint8], seconds: float) -> npt.NDArray[np.float32] | None:
        """Brightness of a picture, uint8 (H, W), and when it is shown -> what is added to it; None: nothing."""

    def png(self, picture: bytes) -> bytes:
        """A PNG file with its texts in it -> the file to be written."""

    def file(self, finished: Path, named: Path) -> Callable[[], None]:
        """Changes a finished video in its place, as the last one; returns what to do once it is called `named`."""


class _Output(Protocol):
    def write(self, frame: _Frame) -> None: ...

    def finish(self) -> None: ...


class _FolderOutput:
    def __init__(self, folder: Path, fps: Fraction, marking: Marking | None) -> None:
        self._folder, self._fps, self._marking = folder, fps, marking
        self._count = 0

    def write(self, frame: _Frame) -> None:
        seconds = float(self._count / self._fps)
        self._count += 1
        file = self._folder / f"{self._count:06d}.png"
        if self._marking is None:
            file.write_bytes(encoded_image(file, frame))
        else:
            png = encoded_image(file, changed_picture(frame, self._marking.change, seconds))
            file.write_bytes(self._marking.png(with_texts(png, self._marking.texts)))

    def finish(self) -> None:
        pass


@contextmanager
def _folder_output(path: Path, fps: Fraction, marking: Marking | None) -> Iterator[_Output]:
    with atomic_folder(path) as folder:
        yield _FolderOutput(folder, fps, marking)


class _VideoOutput:
    def __init__(
        self,
        path: Path,
        container: av.container.OutputContainer,
        encoding: _Encoding,
        fps: Fraction,
        marking: Marking | None,
    ) -> None:
        self._path = path
        self._marking = marking
        self._container = container
        self._encoding = encoding
        self._fps = fps
        self._count = 0
        self._reformatter = VideoReformatter()
        self.audio: AudioTrack | None = None

    def add_stream(self, size_hw: tuple[int, int]) -> None:
        encoding = self._encoding
        stream = self._container.add_stream(encoding.codec, rate=self._fps, options=encoding.options)
        assert isinstance(stream, av.video.stream.VideoStream)
        height, width = (side + side % 2 if encoding.even else side for side in size_hw)
        context = stream.codec_context
        context.height, context.width = height, width
        context.pix_fmt = encoding.pixel_format
        context.time_base = 1 / self._fps
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = ColorRange.JPEG if encoding.full_range else ColorRange.MPEG
        self._stream = stream
        self._pad_yx = (height - size_hw[0], width - size_hw[1])

    def write(self, frame: _Frame) -> None:
        with media_errors(self._path, "write"):
            self._mux(self._stream.encode(self._converted(frame)))
            self._count += 1
            if self.audio is not None:
                self.audio.advance(self._count / self._fps)

    def _converted(self, frame: _Frame) -> av.video.frame.VideoFrame:
        if any(self._pad_yx):
            frame = np.asarray(cv2.copyMakeBorder(frame, 0, self._pad_yx[0], 0, self._pad_yx[1], cv2.BORDER_REPLICATE))
        layout = {2: "gray"}.get(frame.ndim) or {1: "gray", 3: "rgb24", 4: "rgba"}[frame.shape[2]]
        if layout == "gray":
            frame = frame.reshape(frame.shape[:2])
        marking, seconds = self._marking, float(self._count / self._fps)
        late = self._encoding.pixel_format == "yuv420p"  # then nothing but brightness has to be touched
        if marking is not None and not late:
            frame = changed_picture(frame, marking.change, seconds)
        picture = av.video.frame.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format=layout)
        if layout != "gray":
            picture = self._reformatter.reformat(
                picture,
                format=self._encoding.pixel_format,
                dst_colorspace=Colorspace.ITU709,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.JPEG if self._encoding.full_range else ColorRange.MPEG,
                interpolation=_EXACT,
            )
        if marking is not None and late:
            change_frame(picture, marking.change, seconds)
        picture.pts = self._count
        picture.time_base = 1 / self._fps
        return picture

    def _mux(self, packets: list[av.packet.Packet[av.video.stream.VideoStream]]) -> None:
        for packet in packets:
            self._container.mux(packet)

    def finish(self) -> None:
        with media_errors(self._path, "write"):
            self._mux(self._stream.encode(None))
            self._container.close()


@contextmanager
def _video_output(
    path: Path,
    encoding: _Encoding,
    fps: Fraction,
    size_hw: tuple[int, int],
    audio_from: Path | None,
    audio_start: Fraction,
    marking: Marking | None,
) -> Iterator[_Output]:
    suffix = path.suffix.lower()
    options = {"movflags": "+faststart"} if suffix in (".mp4", ".m4v", ".mov") else {}
    with atomic_file(path) as temporary:
        with ExitStack() as stack:
            with media_errors(path, "write"):
                container = av.open(str(temporary), "w", format=_CONTAINERS[suffix], options=options)
                stack.callback(_close, container)
                if marking is not None:
                    container.metadata.update(marking.tags)
                output = _VideoOutput(path, container, encoding, fps, marking)
                output.add_stream(size_hw)
            if audio_from is not None:
                output.audio = open_audio(audio_from, audio_start, container, suffix)
                if output.audio is not None:
                    stack.callback(output.audio.close)
            yield output
        after_naming = None if marking is None else marking.file(temporary, path)
    if after_naming is not None:
        after_naming()


def _close(container: av.container.OutputContainer) -> None:
    with suppress(av.error.FFmpegError, OSError, ValueError):  # after an error there may be nothing to end
        container.close()
