"""The joints of a generated clip, as the default tracker sees them."""

from __future__ import annotations

from types import TracebackType

import cv2
import numpy as np
import numpy.typing as npt

from understudy.evaluation.metrics import Floats
from understudy.poses.pose import POINTS, Pose
from understudy.poses.similarity import edge_to_edge

TRACKED_SIDE = 256
"""pixels: smaller squares are enlarged before the tracker looks at them"""


class JointTracking:
    """A fresh tracker that looks at one clip: it follows, so the frames before have their say."""

    def __init__(self) -> None:
        from understudy.tracking.blazepose import BlazePoseTracker

        self._tracker = BlazePoseTracker()
        self.tracker = f"{self._tracker.name} {self._tracker.version}"
        self._xy: list[Floats] = []
        self._confidence: list[Floats] = []

    def look(self, frame: npt.NDArray[np.uint8]) -> None:
        """Takes the next frame, (H, W, 3) RGB."""
        height, width = frame.shape[:2]
        enlarged = max(1.0, TRACKED_SIDE / max(height, width))
        if enlarged > 1:
            size = round(width * enlarged), round(height * enlarged)
            frame = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        detection = self._tracker(frame)
        if detection is None:
            self._xy.append(np.zeros((POINTS, 2), np.float32))
            self._confidence.append(np.zeros(POINTS, np.float32))
        else:
            self._xy.append(np.asarray(edge_to_edge(detection.xy, shrink=enlarged), np.float32))
            self._confidence.append(detection.confidence)

    def pose(self, size_hw: tuple[int, int]) -> Pose:
        """What was found so far, in pixels of the frames as they were given."""
        return Pose(np.stack(self._xy), np.stack(self._confidence), size_hw)

    def __enter__(self) -> JointTracking:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tracker.close()
