"""The sound of one file into another: packets copied bit by bit where the container takes them, else encoded anew."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import av.audio.frame
import av.audio.resampler
import av.audio.stream
import av.container
import av.error
import av.packet
import av.stream
import numpy as np
import numpy.typing as npt

from understudy.errors import MediaError
from understudy.media.info import inspect
from understudy.media.joins import Joins
from understudy.media.opening import media_errors, open_input, sounds

_log = logging.getLogger(__name__)

COPIED = {
    ".mp4": frozenset({"aac", "mp3", "mp3float", "ac3", "eac3", "alac"}),
    ".mkv": frozenset({"aac", "mp3", "mp3float", "ac3", "eac3", "alac", "flac", "opus", "vorbis", "pcm_s16le"}),
    ".webm": frozenset({"opus", "vorbis", "libopus", "libvorbis"}),
}
COPIED[".m4v"] = COPIED[".mp4"]
COPIED[".mov"] = COPIED[".mp4"] | {"pcm_s16le", "pcm_s24le"}
"""audio codecs (as decoders name them) that go into a container unchanged and are played there by common programs"""
_BIT_RATE = 192_000
_Packet: TypeAlias = "av.packet.Packet[av.audio.stream.AudioStream]"


class AudioTrack:
    """Feeds the sound of `path` into an output container, little by little, as the video grows.

    Args:
        path: a video or sound file.
        start: seconds after its first shown frame (after its first sample where it has no video) that fall on
            time 0 of the output.
        output: the container, before anything was written to it; one audio stream is added.
        suffix: of the output file; decides what can be copied.

    Raises:
        MediaError: the file cannot be read, or has no sound.
    """

    def __init__(self, path: Path, start: Fraction, output: av.container.OutputContainer, suffix: str) -> None:
        self._path = path
        self._output = output
        self._input = open_input(path)
        try:
            with media_errors(path):
                self._begin(start, suffix)
        except BaseException:
            self._input.close()
            raise

    def _begin(self, start: Fraction, suffix: str) -> None:
        if not sounds(self._input):
            raise MediaError(f"{self._path} has no sound")
        self._stream = sounds(self._input)[0]
        assert self._stream.time_base is not None
        self._time_base = self._stream.time_base
        own_start = (self._stream.start_time or 0) * self._time_base
        source = inspect(self._path) if self._input.streams.video else None
        self._zero = start + (source.first if source else own_start)
        if start > 1 and not (source and source.joined):
            self._input.seek(int((self._zero - 1) / self._time_base), stream=self._stream)
        self.copied = self._stream.codec_context.name in COPIED[suffix]
        # Only the MP4 family can say "decode this packet, but play from its end": others would shift the video.
        self._preroll = suffix in (".mp4", ".m4v", ".mov")
        self._target: av.audio.stream.AudioStream
        if self.copied:
            self._target = self._output.add_stream_from_template(self._stream)
            self._packets = self._copied_packets()
        else:
            codec = "libopus" if suffix == ".webm" else "aac"
            rate = 48000 if suffix == ".webm" else min(self._stream.codec_context.sample_rate, 96000)
            target = self._output.add_stream(codec, rate=rate)
            assert isinstance(target, av.audio.stream.AudioStream)
            self._target = target
            self._target.codec_context.bit_rate = _BIT_RATE
            self._target.codec_context.layout = "stereo" if self._stream.codec_context.channels > 1 else "mono"
            self._packets = self._encoded_packets()
        self._waiting: tuple[Fraction, _Packet] | None = None

    def advance(self, until: Fraction) -> None:
        """Writes the sound up to `until` seconds of the output; a packet goes in when its middle lies before.

        Raises:
            MediaError: the sound cannot be read. What writing raises comes out as it is: the output is the caller's.
        """
        while True:
            if self._waiting is None:
                with media_errors(self._path):
                    self._waiting = next(self._packets, None)
            if self._waiting is None or self._waiting[0] >= until:
                return
            self._output.mux(self._waiting[1])
            self._waiting = None

    def close(self) -> None:
        """Closes the input."""
        self._input.close()

    def _copied_packets(self) -> Iterator[tuple[Fraction, _Packet]]:
        offset = round(self._zero / self._time_base)
        last: int | None = None
        for packet in Joins(self._input).demux(self._stream):
            if packet.pts is None or packet.dts is None or packet.is_corrupt:
                continue
            if last is not None and packet.dts <= last:  # joined recordings overlap by a packet; none goes back
                continue
            last = packet.dts
            packet.pts -= offset
            packet.dts -= offset
            duration = packet.duration or 0
            if packet.pts + duration < 0 or (packet.pts < 0 and not self._preroll):
                continue
            packet.stream = self._target
            yield (packet.pts + Fraction(duration, 2)) * self._time_base, packet

    def _encoded_packets(self) -> Iterator[tuple[Fraction, _Packet]]:
        context = self._target.codec_context
        rate = context.sample_rate
        resampler = av.audio.resampler.AudioResampler("fltp", context.layout, rate)
        position: int | None = None
        for decoded in self._decoded_frames():
            for frame in resampler.resample(decoded):
                samples = np.asarray(frame.to_ndarray(), np.float32)
                due = position or 0
                if frame.pts is not None and frame.time_base is not None:
                    due = round((frame.pts * frame.time_base - self._zero) * rate)
                position = due if position is None or position < min(due, 0) else position
                while due - position > rate // 10:  # a gap in the sound must not shift what comes after it
                    silence = np.zeros((samples.shape[0], min(rate, due - position)), np.float32)
                    yield from self._encoded(silence, position, rate)
                    position += silence.shape[1]
                yield from self._encoded(samples, position, rate)
                position += samples.shape[1]
        yield from self._timed(context.encode(None))

    def _encoded(
        self, samples: npt.NDArray[np.float32], position: int, rate: int
    ) -> Iterator[tuple[Fraction, _Packet]]:
        """Encodes (channels, n) samples whose first lies at `position` of the output; those before 0 are dropped."""
        samples = samples[:, max(0, -position) :]
        if not samples.shape[1]:
            return
        context = self._target.codec_context
        frame = av.audio.frame.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples), format="fltp", layout=context.layout.name
        )
        frame.sample_rate = rate
        frame.time_base = Fraction(1, rate)
        frame.pts = max(0, position)
        yield from self._timed(context.encode(frame))

    def _timed(self, packets: list[_Packet]) -> Iterator[tuple[Fraction, _Packet]]:
        for packet in packets:
            packet.stream = self._target
            yield ((packet.pts or 0) + Fraction(packet.duration or 0, 2)) * packet.time_base, packet

    def _decoded_frames(self) -> Iterator[av.audio.frame.AudioFrame]:
        damaged = 0
        for packet in Joins(self._input).demux(self._stream):
            try:
                yield from self._stream.decode(packet)
            except av.error.FFmpegError:
                damaged += 1
        if damaged:
            _log.warning(f"{self._path}: {damaged} damaged pieces of sound were left out")


def open_audio(path: Path, start: Fraction, output: av.container.OutputContainer, suffix: str) -> AudioTrack | None:
    """The sound of `path` for an output; None, with a note to the user, when there is none from `start` on."""
    with open_input(path) as container, media_errors(path):
        if not container.streams.audio:
            _log.warning(f"{path} has no sound, so the output has none either")
            return None
        if not sounds(container):
            _log.warning(f"{path} has sound in an encoding that is not known here, so the output has none")
            return None
        if not _sounds_after(container, start):
            _log.warning(f"{path} has no sound after {float(start):g} s, so the output has none either")
            return None
    return AudioTrack(path, start, output, suffix)


def _sounds_after(container: av.container.InputContainer, start: Fraction) -> bool:
    stream = sounds(container)[0]
    if start <= 0 or not stream.duration or not stream.time_base:
        return True
    return bool(stream.duration * stream.time_base > start)
