"""A live performance as a file, with marks, at a constant rate."""

from __future__ import annotations

from fractions import Fraction

from understudy.media.writing import VideoWriter
from understudy.streaming.cameras import Image


class Recording:
    """Writes what is shown when it was shown: a picture stays until the next one comes, so that nothing drifts.

    Args:
        writer: entered, at `fps`.
        fps: of the file.
    """

    def __init__(self, writer: VideoWriter, fps: Fraction) -> None:
        self._writer, self._fps = writer, fps
        self._began: float | None = None
        self._last: Image | None = None

    def show(self, frame: Image, when: float) -> None:
        """See `Output.show`."""
        if self._began is None:
            self._began = when
        due = round((when - self._began) * self._fps)
        while self._last is not None and self._writer.frames < due:
            self._writer.write(self._last)
        if self._writer.frames == due:
            self._writer.write(frame)
        self._last = frame
