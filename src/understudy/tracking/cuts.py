"""Where another shot begins, told by the pictures: a tracker that follows somebody across a cut is lost for a while."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
import numpy.typing as npt

SIDE = 48
"""pixels to which frames are shrunk: what moves in them counts little, the whole picture much"""
LEAST = 22.0
"""grey levels between two frames, mean over the picture, below which there is no cut: cuts differed by 35 to 98, and
somebody who steps before the camera by 18"""
TIMES = 3.0
"""as much as any of the few frames before: a camera that is swung, or somebody who comes close, is no cut"""
BEFORE = 5


class CutWatch:
    """Tells of each frame of a clip, given in order, whether a new shot begins with it.

    Example:
        cuts = CutWatch()
        begins = [cuts(frame) for frame in frames]
    """

    def __init__(self) -> None:
        self._last: npt.NDArray[np.float32] | None = None
        self._changes: deque[float] = deque(maxlen=BEFORE)

    def __call__(self, frame: npt.NDArray[np.uint8]) -> bool:
        """(H, W, 3) RGB in. The first frame begins nothing new."""
        step = max(1, min(frame.shape[:2]) // (2 * SIDE))  # enough pixels for a mean, and most of the time saved
        small = cv2.resize(frame[::step, ::step], (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
        last, self._last = self._last, small
        if last is None:
            return False
        change = float(np.abs(small - last).mean())
        cut = change > max(LEAST, TIMES * max(self._changes, default=change))
        self._changes.append(change)
        return cut
