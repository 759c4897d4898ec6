"""A live performance as a file, with marks, at a constant rate."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from fractions import Fraction
from types import TracebackType

from understudy.media.writing import VideoWriter
from understudy.streaming.cameras import Image

MOST_FPS = Fraction(30)
"""pictures come more slowly, and an encoder that has to repeat them must not fall behind"""


class Recording:
    """Writes what is shown when it was shown: a picture stays until the next one comes, so that nothing drifts.

    Used in a `with` block. Without a picture there is no file.

    Args:
        writer: makes the writer of the file, at a rate.
        fps: of the camera.
    """

    from_the_start = False

    def __init__(self, writer: Callable[[Fraction], VideoWriter], fps: Fraction) -> None:
        self._make, self._fps = writer, min(fps, MOST_FPS)
        self._stack = ExitStack()
        self._writer: VideoWriter | None = None
        self._began = 0.0
        self._last: Image | None = None

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def show(self, frame: Image, when: float) -> None:
        """See `Output.show`."""
        if self._writer is None:
            self._writer, self._began = self._stack.enter_context(self._make(self._fps)), when
        due = round((when - self._began) * self._fps)
        while self._last is not None and self._writer.frames < due:
            self._writer.write(self._last)
        if self._writer.frames == due:
            self._writer.write(frame)
        self._last = frame
