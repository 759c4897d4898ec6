"""A dance that was tracked before, danced again at its own speed: nothing is looked at while it is shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

from understudy.performance import load_poses
from understudy.poses.pose import Pose
from understudy.streaming.cameras import Sighting


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
        begin, number, count = self._clock(), 0, len(self.poses)
        while count and (self.loop or number < count):
            self._sleep(max(0.0, begin + float(number / self.fps) - self._clock()))
            index = number % count
            pose: Pose = self.poses[index : index + 1]
            yield Sighting(pose, self._clock(), first=index == 0)
            number += 1
