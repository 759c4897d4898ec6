"""The stored frames of a file in the order of display, with their times; damage and cuts are noticed here."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator
from fractions import Fraction

import av.container
import av.error
import av.packet
import av.video.codeccontext
import av.video.frame
import av.video.stream
from av.codec.context import ThreadType

from understudy.errors import MediaError
from understudy.media.beginning import LeadIn, video_decoder
from understudy.media.deinterlacing import Deinterlacer, TimedFrame
from understudy.media.info import Source
from understudy.media.joins import Joins
from understudy.media.opening import media_errors, open_input, video_stream

_SEEK_MARGINS = (Fraction(0), Fraction(1), Fraction(10))
"""seconds before the wanted time at which decoding starts, tried in turn; afterwards the file is read from its start"""
_CUT_TOLERANCE = Fraction(1, 4)
"""seconds by which a whole file may end before its container's rounded length"""


class Decoder:
    """Decodes one file from a given time on.

    Args:
        inspected: what `inspect` found out about the file.
        strict: a cut is an error.
        tolerate_damage: broken packets are counted, not an error.
        note: called with a line for the user.
    """

    def __init__(self, inspected: Source, strict: bool, tolerate_damage: bool, note: Callable[[str], None]) -> None:
        self._source = inspected
        self._path = inspected.info.path
        self._strict = strict
        self._tolerate_damage = tolerate_damage
        self._note = note
        self._step = (2 if inspected.double_rate else 1) / inspected.info.fps
        self._reset()

    @property
    def end_time(self) -> Fraction:
        """Time stamp at which the last frame yielded so far stops being shown, seconds."""
        return self._next_time

    def _reset(self) -> None:
        self._damaged = 0
        self._torn = False  # an incomplete packet was met: damage, or at the end what is left of the one that was cut
        self._next_time = self._source.first
        self._last_time: Fraction | None = None
        self._stamps: list[int] = []  # heap of those to be given out anew where they are of decoding
        self._read_until = self._source.first

    def frames(self, wanted: Fraction) -> Generator[TimedFrame, None, None]:
        """Yields (time stamp in seconds, frame), the first of them at or before `wanted` where there is one.

        Raises:
            MediaError: damage that is not tolerated, a cut when strict.
        """
        with media_errors(self._path):
            # Where stamps are those of decoding or begin anew, only reading from the start tells when a frame is shown.
            source = self._source
            seekable = wanted > source.first and not (source.ordered_by_decoding or source.joined)
            for margin in _SEEK_MARGINS if seekable else ():
                self._reset()
                decoded = self._decoded_from(wanted - margin, wanted)
                head = next(decoded, None)
                if head is not None and head[0] <= wanted:
                    yield head
                    yield from decoded
                    return
                decoded.close()
            self._reset()
            yield from self._decoded_from(None, wanted)

    def _decoded_from(self, seek_to: Fraction | None, wanted: Fraction) -> Generator[TimedFrame, None, None]:
        """Decodes from the key frame before `seek_to`; of the frames up to `wanted` only the last is yielded."""
        with open_input(self._path) as container:
            stream = video_stream(self._path, container)
            assert stream.time_base is not None
            context = self._codec(stream, from_start=seek_to is None)
            if seek_to is not None:
                container.seek(int(seek_to / stream.time_base), stream=stream)
            before: TimedFrame | None = None
            lead_in = LeadIn(self._source.has_key, skip_leading=seek_to is not None)
            whole_pictures = Deinterlacer(self._note_interlaced, self._step / 2 if self._source.double_rate else None)
            for packet in Joins(container).demux():
                if packet.stream.index != stream.index:  # `stream_index` is 0 in the packet that ends each stream
                    self._saw(packet)
                    continue
                if lead_in.covers(packet):
                    continue
                if packet.size and self._torn:
                    self._count_damage()
                if packet.size:
                    self._torn = packet.is_corrupt
                if packet.is_corrupt:
                    continue
                self._saw(packet)
                beginning = self._source.incomplete and self._last_time is None
                tolerant = before is None if seek_to is not None else beginning
                ready = whole_pictures.feed(self._decode(context, packet, stream.time_base, tolerant))
                for time, frame in ready if packet.size else ready + whole_pictures.flush():
                    if time <= wanted:
                        before = (time, frame)
                        continue
                    if before is not None:
                        yield before
                        before = None
                    yield time, frame
            if before is not None:
                yield before
            self._finish()

    def _codec(self, stream: av.video.stream.VideoStream, from_start: bool) -> av.video.codeccontext.VideoCodecContext:
        context = video_decoder(stream, self._source.decoder)
        if not self._tolerate_damage:
            context.options = {**context.options, "err_detect": "explode"}
        # With a thread for each frame, one error is all that is told of every later packet (FFmpeg 8.1).
        errors_expected = from_start and self._source.incomplete
        context.thread_type = ThreadType.SLICE if errors_expected else ThreadType.AUTO
        return context

    def _decode(
        self,
        context: av.video.codeccontext.VideoCodecContext,
        packet: av.packet.Packet[av.video.stream.VideoStream],
        time_base: Fraction,
        tolerant: bool,
    ) -> list[TimedFrame]:
        counted = self._source.ordered_by_decoding and packet.size and not packet.is_discard
        stamp = packet.pts if counted else None
        if stamp is not None:
            heapq.heappush(self._stamps, stamp)
        try:
            frames = context.decode(packet if packet.size else None)
        except av.error.FFmpegError as error:
            if stamp is not None:
                self._stamps.remove(stamp)
                heapq.heapify(self._stamps)
            if isinstance(error, av.error.EOFError) or tolerant:
                return []
            self._count_damage()
            return []
        timed = []
        for frame in frames:
            time = self._time_of(frame, time_base)
            if frame.is_corrupt and tolerant:
                continue  # refers to frames before the point sought
            if frame.is_corrupt:
                self._next_time = time
                self._count_damage()
            self._next_time = time + (frame.duration * time_base if frame.duration else self._step)
            self._last_time = time
            timed.append((time, frame))
        return timed

    def _time_of(self, frame: av.video.frame.VideoFrame, time_base: Fraction) -> Fraction:
        """When a frame is shown, seconds. Frames come out in the order of display, so times only rise."""
        ticks = frame.pts
        if self._stamps:
            ticks = heapq.heappop(self._stamps)
        if ticks is None:
            return self._next_time
        time = ticks * time_base
        return time if self._last_time is None or time > self._last_time else self._next_time

    def _count_damage(self) -> None:
        self._damaged += 1
        if not self._tolerate_damage:
            raise MediaError(
                f"{self._path} is damaged near {self._shown(self._next_time)} s: copy it again, or go on over the "
                "damage: `understudy track VIDEO --tolerate-damage --output NAME.performance`, and give that"
            )

    def _note_interlaced(self) -> None:
        if self._source.double_rate:
            self._note(f"{self._path} is interlaced: each half picture is made a whole one, at twice the rate")
            return
        self._note(
            f"{self._path} is interlaced: each frame is made whole from the half picture filmed first "
            "(`understudy track VIDEO --double-rate` takes both)"
        )

    def _saw(self, packet: av.packet.Packet[av.stream.Stream]) -> None:
        if packet.pts is not None and packet.time_base:
            end = (packet.pts + (packet.duration or 0)) * packet.time_base
            self._read_until = max(self._read_until, end)

    def _finish(self) -> None:
        if self._damaged:
            self._note(f"{self._path}: {self._damaged} damaged frames were concealed or left out")
        source = self._source
        cut = self._torn
        if source.header_end is not None:
            cut = cut or self._next_time + Fraction(3, 2) * self._step < source.header_end
        elif source.container_end is not None:
            cut = cut or self._read_until + _CUT_TOLERANCE < source.container_end
        if not cut:
            return
        end = source.header_end or source.container_end
        of = f" of {self._shown(end)} s" if end else ""
        text = f"{self._path} is cut at {self._shown(self._next_time)} s{of}"
        if self._strict:
            raise MediaError(f"{text}: get the whole file, or leave out `strict` to use what is there")
        self._note(f"{text}: only the frames before that are used")

    def _shown(self, time: Fraction) -> str:
        return f"{float(time - self._source.first):.2f}"
