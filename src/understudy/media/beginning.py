"""How a video begins: its time stamps, its first shown frame, and what comes before that and cannot be shown."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import av.container
import av.error
import av.packet
import av.stream
import av.video.codeccontext
import av.video.frame
import av.video.stream

from understudy.errors import MediaError
from understudy.media.joins import Joins
from understudy.media.opening import MAX_PIXELS, media_errors, open_input, video_stream

_SCANNED_PACKETS = 500
_SCANNED_BESIDE_INDEX = 60
"""packets read for their order alone"""
_PACKETS_TO_TRY = 600
"""packets, of those to be shown and from the first key frame on, given to the decoder before a file is said to hold no
picture: ten seconds at 60 frames a second, in which also what is refreshed bit by bit has become whole"""
_FRAMES_TO_ORDER = 30
"""frames decoded of a file whose time stamps may be those of decoding"""
_NO_LENGTH = frozenset({"mpeg", "mpegts", "apng"})
"""formats whose headers tell no length; FFmpeg guesses it from the last stamps, maybe many frames before the end"""


@dataclass(frozen=True)
class Stamps:
    """When the packets of a video are shown.

    Attributes:
        ticks: time stamps in units of the stream's time base, sorted; all of them or the first few hundred.
        complete: whether they are all.
        end: tick at which the last picture stops being shown, where no header tells it; None: the header does.
        rising: whether the packets lie in the file in the order of their time stamps.
        has_key: whether any of those read is marked as a key frame.
        joined: whether the file is several recordings end to end.
    """

    ticks: list[int]
    complete: bool
    end: int | None
    rising: bool
    has_key: bool
    joined: bool


@dataclass(frozen=True)
class Beginning:
    """The first shown frame and what decoding to it told.

    Attributes:
        frame: the first frame that can be decoded.
        left_out: ticks from the first packet, of those that need a key frame before the file's beginning, to `frame`.
        ordered_by_decoding: the time stamps are those of decoding: frames come out in another order than they say.
    """

    frame: av.video.frame.VideoFrame
    left_out: int
    ordered_by_decoding: bool


def read_stamps(path: Path) -> Stamps:
    """Time stamps from the index where there is one that hides nothing, else from the packets."""
    with open_input(path) as container, media_errors(path):
        stream = video_stream(path, container)
        index = stream.index_entries
        hidden = any(entry.is_discard for entry in index)
        indexed = len(index) > 1 and len(index) == stream.frames and not hidden
        headless = container.format.name in _NO_LENGTH or (not stream.duration and not container.duration)
        read_all = hidden or headless
        joins = Joins(container)
        packets = (packet for packet in joins.demux(stream) if packet.size)
        limit = None if read_all else _SCANNED_BESIDE_INDEX if indexed else _SCANNED_PACKETS
        read = list(map(_Stamp.of, itertools.islice(packets, limit)))
        shown = [stamp for stamp in read if stamp.ticks is not None and not stamp.hidden]
        ticks = [stamp.ticks for stamp in shown if stamp.ticks is not None]
        return Stamps(
            ticks=sorted(entry.timestamp for entry in index) if indexed else sorted(ticks),
            complete=indexed or read_all or next(packets, None) is None,
            end=max((stamp.end for stamp in shown), default=None) if read_all else None,
            rising=all(earlier < later for earlier, later in itertools.pairwise(ticks)),
            has_key=any(stamp.key for stamp in read),
            joined=joins.found > 0,
        )


@dataclass(frozen=True, slots=True)
class _Stamp:
    ticks: int | None
    end: int
    hidden: bool
    key: bool

    @classmethod
    def of(cls, packet: av.packet.Packet[av.stream.Stream]) -> _Stamp:
        ticks = packet.pts
        return cls(ticks, (ticks or 0) + (packet.duration or 0), packet.is_discard, packet.is_keyframe)


def find_beginning(
    path: Path,
    container: av.container.InputContainer,
    stream: av.video.stream.VideoStream,
    stamps: Stamps,
    decoder: str | None,
) -> Beginning:
    """Decodes up to the first frame that can be shown, and further where the time stamps are in doubt.

    Args:
        path: for messages.
        container, stream: just opened, at its start; read from here on.
        stamps: of the stream.
        decoder: name of another decoder that must be used, or None.

    Raises:
        MediaError: there is none.
    """
    doubtful = stamps.rising and bool(stream.codec_context.has_b_frames)
    context = video_decoder(stream, decoder)
    context.thread_count = 1
    lead_in = LeadIn(stamps.has_key)
    frames: list[av.video.frame.VideoFrame] = []
    for packet in _packets_to_try(container, stream):
        if lead_in.covers(packet):
            continue
        try:
            frames += context.decode(packet if packet.size else None)
        except av.error.FFmpegError:
            continue  # the reader will meet the same damage and tell its time
        if len(frames) >= (_FRAMES_TO_ORDER if doubtful else 1):
            break
    if not frames:
        raise MediaError(f"{path} has no frame that can be decoded: it is damaged, or cut off right at the start")
    pts = [frame.pts for frame in frames if frame.pts is not None]
    left_out = pts[0] - lead_in.earliest if pts and lead_in.earliest is not None else 0
    ordered = all(earlier < later for earlier, later in itertools.pairwise(pts))
    return Beginning(frames[0], max(0, left_out), not ordered)


def _packets_to_try(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream
) -> Iterator[av.packet.Packet[av.video.stream.VideoStream]]:
    tried = 0
    key_seen = False
    for packet in container.demux(stream):
        yield packet
        key_seen = key_seen or packet.is_keyframe
        tried += key_seen and not packet.is_discard
        if tried == _PACKETS_TO_TRY:
            return


class LeadIn:
    """Tells the packets at the start of decoding that refer to frames which are not there.

    These are all before the first key frame, which some decoders turn into grey pictures, and those behind it that
    are shown before it, which are whole in some files and not in others.

    Args:
        has_key: whether the file marks key frames at all; otherwise nothing is covered.
        skip_leading: also those shown before the first key frame are not to be decoded.
    """

    def __init__(self, has_key: bool, skip_leading: bool = False) -> None:
        self._waiting = has_key
        self._skip_leading = skip_leading
        self._key_pts: int | None = None
        self.earliest: int | None = None
        """time stamp of the earliest packet covered or leading, ticks; None when there was none"""

    def covers(self, packet: av.packet.Packet[av.video.stream.VideoStream]) -> bool:
        """Whether the packet is not to be decoded."""
        if not packet.size:
            return False
        if self._waiting and packet.is_keyframe:
            self._waiting = False
            self._key_pts = packet.pts
        pts = packet.pts
        leading = self._key_pts is not None and pts is not None and pts < self._key_pts
        if pts is not None and (self._waiting or leading):
            self.earliest = pts if self.earliest is None else min(self.earliest, pts)
        return self._waiting or (leading and self._skip_leading)


def video_decoder(stream: av.video.stream.VideoStream, name: str | None) -> av.video.codeccontext.VideoCodecContext:
    """The stream's own decoder, or another one by name (some decoders drop the transparency); not opened yet."""
    if name is None:
        context = stream.codec_context
    else:
        other = av.CodecContext.create(name, "r")
        assert isinstance(other, av.video.codeccontext.VideoCodecContext)
        context = other
    context.options = {**context.options, "max_pixels": str(MAX_PIXELS)}
    return context
