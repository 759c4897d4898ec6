"""Opening video files that nobody vouches for: which formats, how large, and one error for everything that fails."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import av.audio.stream
import av.container
import av.error
import av.stream
import av.video.stream

from understudy.base.machine import says_memory_ran_out
from understudy.base.things import what_is
from understudy.errors import MediaError
from understudy.media.images import MAX_SIDE, announced_size_hw, check_size

MAX_PIXELS = MAX_SIDE * MAX_SIDE
ANY_METADATA: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
"""for `av.open`: texts that are in no known encoding are read all the same, as PyAV from 19 on does by itself"""
UNREADABLE = (av.error.FFmpegError, OSError, ValueError, LookupError, RuntimeError, TypeError, ArithmeticError)
"""what PyAV raises of damaged files"""

_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")

# Containers that hold their own media. Playlists (concat, HLS, DASH) and numbered pictures are left out: they make
# the demuxer open neighbouring files or addresses that the user never named.
FORMATS = (
    "mov,mp4,m4a,3gp,matroska,webm,avi,gif,apng,mpegts,mpeg,dv,flv,asf,ogg,mxf,ivf,yuv4mpegpipe,nut,"
    "mp3,wav,flac,aac,aiff,w64,caf,amr"
)


@contextmanager
def media_errors(path: Path, doing: str = "read") -> Iterator[None]:
    """Turns every error that decoders, encoders and the system raise into one `MediaError` of one line."""
    try:
        yield
    except MediaError:
        raise
    except av.error.MemoryError:
        raise MediaError(f"cannot {doing} {path}: not enough memory") from None
    except UNREADABLE as error:
        encoding = doing == "write" and isinstance(error, av.error.ExternalError)  # x264 says no more than that
        likely = " (not enough memory?)" if encoding or says_memory_ran_out(error) else ""
        raise MediaError(f"cannot {doing} {path}: {_one_line(error)}{likely}") from error


def _one_line(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())


def open_input(path: Path) -> av.container.InputContainer:
    """Opens a video file for reading with whitelists for formats and protocols; decodes nothing.

    Raises:
        MediaError: missing, a folder, empty, text, a playlist, cut off before its index, or of another kind.
    """
    if not path.is_file():
        raise MediaError(f"{path} is {what_is(path) if path.is_dir() else 'not there'}: give a video file")
    if path.stat().st_size == 0:
        raise MediaError(f"{path} is empty (0 bytes): was the copy or download finished?")
    with media_errors(path):
        size_hw = announced_size_hw(path)
        if size_hw is not None:
            check_size(path, *size_hw)
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file", "max_pixels": str(MAX_PIXELS)}
    try:
        container: av.container.InputContainer = av.open(f"file:{path}", "r", options=options, **ANY_METADATA)
        return container
    except (av.error.FFmpegError, OSError, ValueError, LookupError, RuntimeError) as error:
        raise MediaError(f"cannot read {path}: {_likely_cause(path, error)}") from None


def _likely_cause(path: Path, error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM):
        return "no permission"
    head = _first_bytes(path)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"ffconcat", b"#extm3u", b"<?xml", b"<mpd")):
        return "it is a playlist, which names other files; give the video itself"
    if _is_cut_mp4(path):
        return "it is cut off before its index (was the recording or copy finished?)"
    if what_is(path) in ("an actor", "a model of train-freestyle", "a file of weights"):
        return f"it is {what_is(path)}, not a video"
    if _is_text(head):
        return "it is a text file, not a video"
    return f"it is no video of a kind that is read here, or it is damaged ({_one_line(error)})"


def _is_cut_mp4(path: Path) -> bool:
    """Whether the last box of an MP4 or QuickTime file ends behind the end of the file, or its index never comes."""
    kinds: list[bytes] = []
    try:
        with open(path, "rb") as stream:
            size = path.stat().st_size
            position = 0
            while position + 8 <= size and len(kinds) < 10_000:
                stream.seek(position)
                length = int.from_bytes(stream.read(4), "big")
                kinds.append(stream.read(4))
                if length == 1:
                    length = int.from_bytes(stream.read(8), "big")
                position = size if length == 0 else position + max(length, 8)
    except OSError:
        return False
    return bool(kinds) and kinds[0] in _FIRST_BOXES and (position != size or b"moov" not in kinds)


def _first_bytes(path: Path) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read(512)
    except OSError:
        return b""


def _is_text(head: bytes) -> bool:
    try:
        decoded = head.decode("utf-8", errors="ignore" if len(head) == 512 else "strict")
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\r\n\t\ufeff" for character in decoded)


def video_stream(path: Path, container: av.container.InputContainer) -> av.video.stream.VideoStream:
    """The video stream of a container that is to be shown; its size is checked before anything is decoded.

    Raises:
        MediaError: no video (audio only, or only a cover picture), or frames larger than 8192x8192.
    """
    streams = films(container)
    if not streams and _is_cut_mp4(path):
        raise MediaError(f"{path} is cut off within its index (was the recording or copy finished?)")
    if not streams:
        kind = "only sound" if container.streams.audio else "no video stream"
        raise MediaError(f"{path} has {kind}: give a file with moving pictures")
    # FFmpeg's choice, which players show: the default stream before others, more pictures before fewer.
    best = container.streams.best("video")
    stream = next((stream for stream in streams if stream is best), streams[0])
    if stream.codec_context is None:
        raise MediaError(f"{path} is encoded in a way that is not known here: convert it to H.264 in .mp4")
    check_size(path, stream.height, stream.width)
    return stream


def films(container: av.container.InputContainer) -> list[av.video.stream.VideoStream]:
    """The video streams but covers; and but single pictures where there are others (an AVIF's still)."""
    streams = [stream for stream in container.streams.video if not _is_cover(stream)]
    return [stream for stream in streams if stream.frames != 1] or streams


def sounds(container: av.container.InputContainer) -> list[av.audio.stream.AudioStream]:
    """The sound streams in an encoding that is known here; phones put others beside these, for headphones."""
    return [stream for stream in container.streams.audio if stream.codec_context is not None and stream.time_base]


def _is_cover(stream: av.video.stream.VideoStream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)
