"""A dance that was tracked before, danced again at its own speed: nothing is looked at while it is shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import cycle
from pathlib import Path

from understudy.performance import load_poses
from understudy.streaming.cameras import Sighting, in_real_time


class TrackedDance:
    """The poses of a performance as they come.

    Args:
        path: the performance.
        loop: whether it begins again when it ends.
        sleep, clock: of time, for tests.

    Raises:
        PerformanceError: it cannot be read.
    """

    def __init__(
        self,
        path: Path,
        loop: bool = False,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        header, self.poses, _ = load_poses(path)
        self.fps: Fraction = header.fps
        self.loop, self._sleep, self._clock = loop, sleep, clock

    def shots(self) -> Iterator[Sighting]:
        """See `Camera.shots`."""
        indices = range(len(self.poses))
        for index in in_real_time(cycle(indices) if self.loop else indices, self.fps, self._sleep, self._clock):
            yield Sighting(self.poses[index : index + 1], self._clock(), first=index == 0)
