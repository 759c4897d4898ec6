"""What a video file says about itself: size as shown, constant rate, length, rotation; found without reading it all."""

from __future__ import annotations

import itertools
import math
import re
import statistics
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.container
import av.video.frame
import av.video.stream
import numpy as np

from understudy.base.arguments import Rotation
from understudy.errors import MediaError, UsageError
from understudy.media.beginning import Stamps, find_beginning, read_stamps
from understudy.media.images import check_size
from understudy.media.opening import films, media_errors, open_input, sounds, video_stream

STANDARD_RATES = tuple(
    Fraction(rate, divisor)
    for rate, divisor in (
        *((24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001), (60, 1)),
        *((10, 1), (12, 1), (15, 1), (20, 1), (100, 1), (120000, 1001), (120, 1), (240, 1)),
    )
)
MAX_RATE = 240
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""decoders that keep the transparency which the built-in ones drop"""

_DURATION = re.compile(r"([0-9]{1,6}):([0-9]{1,2}):([0-9]{1,2}(?:\.[0-9]{1,12})?)")
"""without exponents: `Fraction` would work out a power of ten of any size"""

TURNS = {
    "none": (1, 0, 0, 1),
    "clockwise": (0, 1, -1, 0),
    "half": (-1, 0, 0, -1),
    "anticlockwise": (0, -1, 1, 0),
    "mirror": (-1, 0, 0, 1),
    "flip": (1, 0, 0, -1),
    "transpose": (0, 1, 1, 0),
    "transverse": (0, -1, -1, 0),
}
"""the eight ways to show a picture, as (a, b, c, d) of the display matrix: x' = a x + c y, y' = b x + d y, y down"""
BY_DEGREES: dict[int, str] = {0: "none", 90: "clockwise", 180: "half", 270: "anticlockwise"}
_DEGREES = {"clockwise": 90, "half": 180, "anticlockwise": 270, "flip": 180, "transpose": 90, "transverse": 270}


@dataclass(frozen=True)
class VideoInfo:
    """A video as it will be delivered.

    Attributes:
        path: the file.
        size_hw: (height, width) in pixels as displayed: rotation and sample aspect ratio applied.
        stored_hw: (height, width) in pixels as stored, with neither applied.
        fps: the constant rate at which frames are delivered; for a variable-rate file the standard rate nearest to
            its usual distance between frames.
        frames: number of frames at that rate, from the header (an estimate; a cut-off file holds fewer).
        duration: seconds, from the header.
        rotation: degrees clockwise by which stored frames are turned for display: 0, 90, 180 or 270.
        has_audio: whether there is sound that can be decoded.
        codec: name of the video codec, "h264" say.
        pixel_format: as stored, "yuv420p" say.
    """

    path: Path
    size_hw: tuple[int, int]
    stored_hw: tuple[int, int]
    fps: Fraction
    frames: int
    duration: Fraction
    rotation: int
    has_audio: bool
    codec: str
    pixel_format: str


@dataclass(frozen=True)
class Source:
    """`VideoInfo` and what the reader needs beside it.

    Attributes:
        turn: a key of TURNS.
        first: time stamp of the first shown frame, seconds.
        header_end: time stamp at which the video stream ends by its own header, seconds; None when it does not say.
        container_end: as `header_end` for the whole file, all streams.
        decoder: name of another decoder that must be used, or None.
        has_key: whether key frames are marked, so that decoding can begin with one.
        double_rate: each half picture of interlaced frames is delivered, and `info.fps` counts them.
        incomplete: the file begins between key frames: what comes before `first` cannot be decoded.
        joined: several recordings end to end: time stamps begin anew, so that no time can be sought.
        ordered_by_decoding: time stamps tell when packets are decoded: frames are shown in another order.
        notes: what the user should know before anything is read.
    """

    info: VideoInfo
    turn: str
    first: Fraction
    header_end: Fraction | None
    container_end: Fraction | None
    decoder: str | None
    has_key: bool
    double_rate: bool
    incomplete: bool
    joined: bool
    ordered_by_decoding: bool
    notes: tuple[str, ...]


def probe(path: str | Path, rotate: Rotation = 0) -> VideoInfo:
    """Reads a video's header and its first frame.

    Args:
        rotate: degrees clockwise by which the picture is turned, beside what the file asks for.

    Raises:
        MediaError: missing, empty, text, a playlist, cut off before its index, without video, larger than 8192x8192,
            or without a single frame that can be decoded.
    """
    return inspect(Path(path), rotate).info


def inspect(path: Path, rotate: Rotation = 0, double_rate: bool = False) -> Source:
    """`probe` with what only the reader needs."""
    stamps = read_stamps(path)
    with open_input(path) as container, media_errors(path):
        stream = video_stream(path, container)
        time_base = _time_base(path, stream)
        decoder = _ALPHA_DECODERS.get(stream.codec_context.name) if stream.metadata.get("alpha_mode") == "1" else None
        beginning = find_beginning(path, container, stream, stamps, decoder)
        frame = beginning.frame
        first_ticks = frame.pts if frame.pts is not None else (stream.start_time or 0)
        fps = _constant_rate(stamps.ticks, time_base, stream.average_rate)
        if double_rate and not frame.interlaced_frame:
            raise UsageError(f"{path} is not interlaced: leave out `double_rate`")
        fps = min(2 * fps, Fraction(MAX_RATE)) if double_rate else fps
        first = first_ticks * time_base
        duration = _duration(container, stream, stamps, first, fps)
        turn = turned_further(_turn(frame, stream), rotate)
        stored_hw = (frame.height, frame.width)
        size_hw = _shown_size_hw(stored_hw, stream.sample_aspect_ratio, turn)
        check_size(path, *size_hw)
        stated = stream.duration
        header_end = ((stream.start_time or 0) + stated) * time_base if stated else _tagged_end(stream)
        if stamps.joined:
            header_end = None  # FFmpeg takes the last part's clock for the first one's
        ends = container.duration is not None and container.duration > 0 and not stamps.joined
        container_start = Fraction(container.start_time or 0, av.time_base)
        info = VideoInfo(
            path=path,
            size_hw=size_hw,
            stored_hw=stored_hw,
            fps=fps,
            frames=max(1, round(duration * fps)),
            duration=duration,
            rotation=_DEGREES.get(turn, 0),
            has_audio=bool(sounds(container)),
            codec=stream.codec_context.name,
            pixel_format=frame.format.name,
        )
        end = container_start + Fraction(container.duration or 0, av.time_base)
        return Source(
            info=info,
            turn=turn,
            first=first,
            header_end=header_end,
            container_end=end if ends else None,
            decoder=decoder,
            has_key=stamps.has_key,
            double_rate=double_rate,
            incomplete=beginning.left_out > 0,
            joined=stamps.joined,
            ordered_by_decoding=beginning.ordered_by_decoding,
            notes=_notes(path, container, stream, beginning.left_out * time_base),
        )


def _notes(
    path: Path, container: av.container.InputContainer, stream: av.video.stream.VideoStream, left_out: Fraction
) -> tuple[str, ...]:
    notes = []
    count = len(films(container))
    if count > 1:
        number = container.streams.video.index(stream) + 1
        notes.append(f"{path} has {count} video streams: number {number} is used, which players show")
    if left_out > 0:
        notes.append(
            f"{path} begins between key frames: its first {float(left_out):.2f} s cannot be decoded and are left out"
        )
    return tuple(notes)


def _time_base(path: Path, stream: av.video.stream.VideoStream) -> Fraction:
    if not stream.time_base:
        raise MediaError(f"{path} has no time base: convert it with another program first")
    return stream.time_base


def _constant_rate(times: list[int], time_base: Fraction, average: Fraction | None) -> Fraction:
    steps = [later - earlier for earlier, later in itertools.pairwise(times) if later > earlier]
    if not steps:
        return min(average, Fraction(MAX_RATE)) if average and average > 0 else Fraction(25)
    median = Fraction(statistics.median(steps))
    rounding = max(
        Fraction(1), Fraction(1, 1000) / time_base
    )  # time stamps are whole ticks, in many files whole milliseconds
    if all(step == median or abs(step - median) <= rounding < median / 4 for step in steps):
        mean = 1 / (Fraction(sum(steps), len(steps)) * time_base)
        if average and abs(average / mean - 1) < Fraction(1, 100):
            return min(average, Fraction(MAX_RATE))
        return min(standard_rate(mean, Fraction(1, 1000)), Fraction(MAX_RATE))
    return min(max(standard_rate(1 / (median * time_base), Fraction(1, 33)), Fraction(1)), Fraction(MAX_RATE))


def standard_rate(rate: Fraction, tolerance: Fraction) -> Fraction:
    """The standard rate that is at most this share away, else the rate itself, with a denominator up to 1001."""
    nearest = min(STANDARD_RATES, key=lambda standard: abs(standard - rate))
    return nearest if abs(nearest / rate - 1) <= tolerance else rate.limit_denominator(1001)


def _duration(
    container: av.container.InputContainer,
    stream: av.video.stream.VideoStream,
    stamps: Stamps,
    first: Fraction,
    fps: Fraction,
) -> Fraction:
    time_base = stream.time_base or Fraction(1)
    if stamps.end is not None and stamps.ticks:
        last_shown = Fraction(0) if stamps.end > stamps.ticks[-1] else 1 / fps
        return stamps.end * time_base + last_shown - first
    if stream.duration:
        return stream.duration * time_base
    if stamps.complete and stamps.ticks:
        return (stamps.ticks[-1] - stamps.ticks[0]) * time_base + 1 / fps
    end = _tagged_end(stream)
    if end is not None:
        return end - first
    return Fraction(container.duration or 0, av.time_base)


def _tagged_end(stream: av.video.stream.VideoStream) -> Fraction | None:
    """Matroska files tell each stream's end in a tag: 00:00:01.500000000."""
    found = _DURATION.fullmatch(stream.metadata.get("DURATION", "").strip())
    if found is None:
        return None
    hours, minutes, seconds = (Fraction(part) for part in found.groups())
    return 3600 * hours + 60 * minutes + seconds or None


def _turn(frame: av.video.frame.VideoFrame, stream: av.video.stream.VideoStream) -> str:
    side_data: Any = frame.side_data  # PyAV's stubs leave this key out
    if "DISPLAYMATRIX" in side_data:
        a, b, _, c, d = np.frombuffer(bytes(side_data["DISPLAYMATRIX"]), np.int32)[:5] / 65536
        return max(TURNS, key=lambda name: float(np.dot(TURNS[name], (a, b, c, d))))
    # What writers before the display matrix left; Matroska gives all names of tags back in capitals
    tagged = next((value for name, value in stream.metadata.items() if name.lower() == "rotate"), "0")
    degrees = round(float(tagged) / 90) * 90 % 360 if _is_number(tagged) else 0
    return BY_DEGREES[degrees]


def turned_further(turn: str, rotate: Rotation) -> str:
    """What `turn`, a key of TURNS, and then so many degrees clockwise come to: another key."""
    a, b, c, d = TURNS[turn]
    to_x, to_y, along_x, along_y = TURNS[BY_DEGREES[rotate]]
    both = (to_x * a + along_x * b, to_y * a + along_y * b, to_x * c + along_x * d, to_y * c + along_y * d)
    return next(name for name, matrix in TURNS.items() if matrix == both)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _shown_size_hw(stored_hw: tuple[int, int], aspect: Fraction | None, turn: str) -> tuple[int, int]:
    ratio = aspect or Fraction(1)
    height, width = stored_hw
    if ratio > 1:
        width = round(width * ratio)
    elif 0 < ratio < 1:
        height = round(height / ratio)
    return (width, height) if TURNS[turn][0] == 0 else (height, width)
