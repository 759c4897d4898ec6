"""Whether the camera moves, told by the room behind the person."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from understudy.performance import FLOW_SHRINK, Performance
from understudy.poses.edges import Box, filmed_box

LOOKS = 80
"""frames that are looked at, spread over the clip"""
TEXTURED = 6.0
"""grey levels by which neighbouring cells differ at least where motion can be seen: a plain wall shows none"""
LEAST_CELLS = 40
"""of room with texture, without which a frame says nothing"""
CLEAR = 2
"""cells (of `FLOW_SHRINK` pixels) kept clear of the person, whose motion flow smears over its outline"""


def camera_travel(performance: Performance) -> tuple[float, float]:
    """How far the room wanders through the picture from the first frame to the last, x and y, as shares of its width.

    The median backward flow of what has texture and is not the person, in frames spread over the clip; (0, 0) where no
    frame says anything. Rightwards and downwards above 0: the camera turns to the left and up.
    """
    if len(performance) < 2:
        return 0.0, 0.0
    flow = performance.flow()
    numbers = np.unique(np.linspace(1, len(performance) - 1, min(LOOKS, len(performance) - 1)).round().astype(int))
    header = performance.header
    filmed = filmed_box(header.crop, header.original_size_hw, header.size_hw[0])
    steps = [step for number in numbers if (step := _step(performance, flow, filmed, int(number))) is not None]
    if not steps:
        return 0.0, 0.0
    travelled = _without_outliers(np.array(steps)).mean(axis=0) * (len(performance) - 1) / header.crop.scale
    x, y = -travelled / header.original_size_hw[1]
    return float(x), float(y)


def _without_outliers(steps: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The steps without the largest tenth: a cut or a flash is no way that a camera goes."""
    length = np.linalg.norm(steps - np.median(steps, axis=0), axis=1)
    kept: npt.NDArray[np.float64] = steps[length <= np.quantile(length, 0.9)]
    return kept


def _step(
    performance: Performance, flow: npt.NDArray[np.float16], filmed: Box, number: int
) -> npt.NDArray[np.float64] | None:
    """(2,) the room's median backward flow in one frame, working pixels; None where there is too little to see."""
    frame, matte = next(performance.frames(number, number + 1)), next(performance.mattes(number, number + 1))
    cells_hw = flow.shape[1:3]
    small = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cells_hw[::-1], interpolation=cv2.INTER_AREA)
    rough = cv2.morphologyEx(small, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) >= TEXTURED
    person = cv2.resize(matte, cells_hw[::-1], interpolation=cv2.INTER_AREA) > 0
    near = cv2.dilate(person.astype(np.uint8), np.ones((2 * CLEAR + 1, 2 * CLEAR + 1), np.uint8)) > 0
    left, top, right, bottom = filmed
    inside = np.zeros(cells_hw, bool)
    inside[-(-top // FLOW_SHRINK) : bottom // FLOW_SHRINK, -(-left // FLOW_SHRINK) : right // FLOW_SHRINK] = True
    room = rough & ~near & inside
    if room.sum() < LEAST_CELLS:
        return None
    return np.asarray(np.median(flow[number][room].astype(np.float64), axis=0))
