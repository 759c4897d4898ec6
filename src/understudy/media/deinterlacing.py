"""Interlaced film to whole pictures: of two half pictures woven into one frame, the one filmed first is completed."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import av.error
import av.video.frame
from av.filter import Graph

TimedFrame = tuple[Fraction, av.video.frame.VideoFrame]

_TICK = Fraction(1, 1000)
"""the filter's clock, which nobody reads: frames are counted in it"""


class Deinterlacer:
    """Passes frames on as they are until the first interlaced one; from there on through FFmpeg's bwdif.

    Each frame gives one frame of the same time, so the rate stays, or one of each half picture; those not marked as
    interlaced stay as they are. The filter looks at the frames before and after, so it lags one behind.

    Args:
        note: called once, at the first interlaced frame.
        half: seconds from one half picture of a frame to the other, to have both; None: one frame of each frame.
    """

    def __init__(self, note: Callable[[], None], half: Fraction | None = None) -> None:
        self._note: Callable[[], None] | None = note
        self._half = half
        self._given = 0
        self._last = Fraction(0)
        self._graph: Graph | None = None
        self._shape: tuple[int, int, str] | None = None
        self._times: dict[int, Fraction] = {}  # of the frames in the filter, by the stamp that it gives them back with

    def feed(self, frames: list[TimedFrame]) -> list[TimedFrame]:
        """What is ready after these (time in seconds, frame)."""
        return [ready for frame in frames for ready in self._fed(frame)]

    def _fed(self, timed: TimedFrame) -> list[TimedFrame]:
        time, frame = timed
        if self._graph is None and not frame.interlaced_frame:
            return [timed]
        if self._note is not None:
            self._note()
            self._note = None
        shape = (frame.width, frame.height, frame.format.name)
        before = self.flush() if shape != self._shape else []
        if self._graph is None:
            self._graph = _graph(frame, "send_frame" if self._half is None else "send_field")
            self._shape = shape
        self._times[2 * self._given] = time  # the filter counts in half ticks, for half pictures
        frame.pts, frame.time_base = self._given, _TICK
        self._given += 1
        self._graph.vpush(frame)
        return before + self._pulled(self._graph)

    def flush(self) -> list[TimedFrame]:
        """The frames still held; feeding can go on afterwards."""
        if self._graph is None:
            return []
        self._graph.vpush(None)
        rest = self._pulled(self._graph)
        self._graph = None
        return rest

    def _pulled(self, graph: Graph) -> list[TimedFrame]:
        pulled: list[TimedFrame] = []
        while True:
            try:
                frame = graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return pulled
            stamp = round((frame.pts or 0) * (frame.time_base or _TICK) / _TICK * 2)
            self._last = self._times.pop(stamp) if stamp in self._times else self._last + (self._half or 0)
            pulled.append((self._last, frame))


def _graph(frame: av.video.frame.VideoFrame, mode: str) -> Graph:
    graph = Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=_TICK)
    graph.link_nodes(source, graph.add("bwdif", f"mode={mode}:parity=auto:deint=interlaced"), graph.add("buffersink"))
    graph.configure()
    return graph
