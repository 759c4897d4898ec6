"""Interlaced film to whole pictures: of two half pictures woven into one frame, the one filmed first is completed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from fractions import Fraction

import av.error
import av.video.frame
from av.filter import Graph

TimedFrame = tuple[Fraction, av.video.frame.VideoFrame]


class Deinterlacer:
    """Passes frames on as they are until the first interlaced one; from there on through FFmpeg's bwdif.

    Each frame gives one frame of the same time, so the rate stays; those not marked as interlaced stay as they are.
    The filter looks at the frames before and after, so it lags one behind.

    Args:
        note: called once, at the first interlaced frame.
    """

    def __init__(self, note: Callable[[], None]) -> None:
        self._note: Callable[[], None] | None = note
        self._graph: Graph | None = None
        self._shape: tuple[int, int, str] | None = None
        self._times: deque[Fraction] = deque()

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
            self._graph = _graph(frame)
            self._shape = shape
        self._times.append(time)
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
        while self._times:
            try:
                frame = graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                break
            pulled.append((self._times.popleft(), frame))
        return pulled


def _graph(frame: av.video.frame.VideoFrame) -> Graph:
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 90000)
    )
    graph.link_nodes(
        source, graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced"), graph.add("buffersink")
    )
    graph.configure()
    return graph
