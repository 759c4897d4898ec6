"""Driving, pose and clone side by side."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.threads import ReadAhead
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity

if TYPE_CHECKING:
    from understudy.media.writing import VideoWriter
    from understudy.performing.driver import Driver

Image = npt.NDArray[np.uint8]

COMPARE_HEIGHT = 512
"""pixels: at most, of the three panels of a comparison"""


def driving_panels(driver: Driver) -> Generator[Image, None, None]:
    """The driver's frames, small: of the video if there is one, else of the tracked square."""
    if driver.video is None:
        yield from driver.performance.frames()
        return
    with driver.film(long_side=2 * COMPARE_HEIGHT) as reader:
        yield from reader


class Comparison:
    """Writes driving, pose and clone side by side; the pose is drawn where the clone stands.

    Args:
        writer: of the video; it is opened and closed here.
        driver: whose frames are shown.
        pose: what the clone plays, T frames in pixels of the pictures that it is shown in.
        presence: (T,) in [0, 1], how visible it is.
    """

    def __init__(self, writer: VideoWriter, driver: Driver, pose: Pose, presence: npt.NDArray[np.float32]) -> None:
        shown_hw = pose.size_hw
        height = min(COMPARE_HEIGHT, shown_hw[0])
        self.height = height - height % 2
        self.width = max(2, round(shown_hw[1] * self.height / shown_hw[0]))
        self.presence = presence
        self.writer = writer
        self.panels = ReadAhead(driving_panels(driver), 4)
        self.next_panel: Iterator[Image] = iter(self.panels)
        self.last_panel = np.zeros((self.height, self.width, 3), np.uint8)
        self.pose = Similarity.resized(self.height / shown_hw[0]).of_pose(pose, (self.height, self.width))

    def __enter__(self) -> Comparison:
        self.writer.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self.panels.stop()
        self.writer.__exit__(*raised)  # type: ignore[arg-type]

    def add(self, moment: int, shown: Image) -> None:
        """Adds the panels of one frame. shown: (H, W, 3), or (H, W, 4) premultiplied, which is laid over grey."""
        from understudy.pictures.drawing import draw_pose, side_by_side

        self.last_panel = next(self.next_panel, self.last_panel)
        drawn = np.zeros((self.height, self.width, 3), np.uint8)
        if self.presence[moment] > 0:
            drawn = draw_pose(drawn, self.pose.xy[moment], self.pose.confidence[moment])
        clone = cv2.resize(shown, (self.width, self.height), interpolation=cv2.INTER_AREA)
        panels = [self._fitted(self.last_panel), drawn, over_grey(np.asarray(clone, np.uint8))]
        self.writer.write(side_by_side(panels, ("driving", "pose", "clone")))

    def _fitted(self, frame: Image) -> Image:
        width = max(2, round(frame.shape[1] * self.height / frame.shape[0]))
        return np.asarray(cv2.resize(frame, (width, self.height), interpolation=cv2.INTER_AREA), np.uint8)


def over_grey(shown: Image) -> Image:
    """(H, W, 3) of a frame to be compared: itself, or if it is (H, W, 4) premultiplied, laid over grey."""
    if shown.shape[2] == 3:
        return shown
    return np.asarray(cv2.add(shown[..., :3], cv2.merge([(255 - shown[..., 3]) // 2] * 3)), np.uint8)
