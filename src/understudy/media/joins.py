"""Recordings joined end to end, as `cat first.ts second.ts` does: time stamps go on where a part begins anew."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any, TypeAlias

import av.container
import av.packet
import av.stream

_JOINABLE = frozenset({"mpeg", "mpegts"})
"""formats whose parts can be joined so; their stamps all count 90,000 ticks a second"""
_BACK = 9_000
_AHEAD = 900_000
"""ticks by which a stamp lies before or behind the expected one where a part begins; as in FFmpeg's own program"""
_BEFORE_JOIN, _BEHIND_JOIN = 3, 2
"""packets of each stream around a join which the missing rest of the counting seems to tear"""

_Packet: TypeAlias = "av.packet.Packet[Any]"


class Joins:
    """The packets of a container with time stamps that go on over joins.

    Transport streams count their packets, so that a join looks as if some were lost: that mark is taken away there.
    Other formats are left as they are.

    Attributes:
        found: how many joins were met so far.
    """

    def __init__(self, container: av.container.InputContainer) -> None:
        self._container = container
        self._offsets = [0]
        self._ends: dict[int, int] = {}
        self._settled = True
        self.found = 0

    def demux(self, *streams: av.stream.Stream) -> Generator[_Packet, None, None]:
        """As the container's own `demux`."""
        if self._container.format.name not in _JOINABLE:
            yield from self._container.demux(*streams)
            return
        # All streams are read: any of them can be the first to tell of a join.
        wanted = {stream.index for stream in streams}
        for packet in self._forgiven(self._container.demux()):
            if not wanted or packet.stream.index in wanted:
                yield packet

    def _forgiven(self, packets: Iterable[_Packet]) -> Generator[_Packet, None, None]:
        """Holds torn packets until it is known whether a join follows; those around one count as whole."""
        held: list[_Packet] = []
        behind: dict[int, int] = {}  # packets of each stream since the last join
        for packet in packets:
            number = packet.stream.index
            if self._mend(packet):
                behind = {}
                for whole in (*held, packet):
                    whole.is_corrupt = False
            behind[number] = behind.get(number, 0) + 1
            if self.found and behind[number] <= _BEHIND_JOIN:
                packet.is_corrupt = False
            if held or packet.is_corrupt:
                held.append(packet)
            else:
                yield packet
            while held and (not held[0].is_corrupt or _follow(held) == _BEFORE_JOIN):
                yield held.pop(0)
        yield from held

    def _mend(self, packet: _Packet) -> bool:
        """Moves a packet's stamps to where it belongs; whether a new part begins with it."""
        offset, joined = self._offsets[-1], False
        if packet.dts is not None:
            number = packet.stream.index
            judged = packet.stream.type in ("video", "audio")  # subtitles come when they like
            if judged and number in self._ends:
                offset, joined = self._placed(packet.dts, self._ends[number], packet.stream.type == "video")
            packet.dts += offset
            if judged:
                self._ends[number] = packet.dts + (packet.duration or 0)
        if packet.pts is not None:
            packet.pts += offset
        return joined

    def _placed(self, stamp: int, expected: int, film: bool) -> tuple[int, bool]:
        """What to add to a stamp that follows up on `expected`, and whether that is new."""
        # Around a join the streams' packets of both parts come mixed.
        nearest = min(self._offsets[-2:], key=lambda offset: abs(stamp + offset - expected))
        # One stream may pause for long while another goes on.
        joined = not expected - _BACK <= stamp + nearest <= max(self._ends.values()) + _AHEAD
        if joined:
            self._offsets.append(expected - stamp)
            self.found += 1
        elif film and not self._settled and nearest == self._offsets[-1]:
            self._offsets[-1] = expected - stamp  # the sound told first; the parts of the film follow without a gap
        else:
            return nearest, False
        self._settled = film
        return self._offsets[-1], joined


def _follow(held: list[_Packet]) -> int:
    """How many packets of its stream lie behind the first one."""
    return sum(packet.stream.index == held[0].stream.index for packet in held[1:])
