"""Optical flow between consecutive working frames (OpenCV DIS: Kroeger et al. 2016, arXiv 1603.03590)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt


def dis() -> Any:
    """OpenCV's DIS with the settings that all flow of this project is made with.

    Example:
        flow = np.zeros((*grey.shape, 2), np.float32)  # not empty: DIS takes what it finds there for a first guess
        dis().calc(present_grey, previous_grey, flow)  # frame_t(x) ~ frame_{t-1}(x + flow(x))
    """
    settings = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    settings.setFinestScale(1)  # the preset's 2 is off by 0.1 pixels, this by 0.01, for 2 ms more
    settings.setVariationalRefinementIterations(2)
    return settings


class BackwardFlow:
    """Gives, frame after frame, where every point was one frame earlier.

    Example:
        flow = BackwardFlow(shrink=4)
        for frame in frames:
            displacement = flow(frame)  # (S/4, S/4, 2), working pixels; zeros for the first frame
    """

    def __init__(self, shrink: int = 4) -> None:
        self._shrink = shrink
        self._dis = dis()
        self._previous: npt.NDArray[np.uint8] | None = None

    def __call__(self, frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
        """From (H, W, 3) RGB to (H/shrink, W/shrink, 2) float16: x right, y down, in pixels of `frame`.

        The result f satisfies frame_i(x) ~ frame_{i-1}(x + f(x)); it is zero for the first frame.
        """
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        height, width = grey.shape[0] // self._shrink, grey.shape[1] // self._shrink
        previous, self._previous = self._previous, grey
        if previous is None:
            return np.zeros((height, width, 2), np.float16)
        dense = np.zeros((*grey.shape, 2), np.float32)  # not empty: DIS takes what it finds there for a first guess
        self._dis.calc(grey, previous, dense)  # from the later frame to the earlier one: backward
        return np.asarray(cv2.resize(dense, (width, height), interpolation=cv2.INTER_AREA), np.float16)
