"""Changes the brightness of pictures on their way into a file: what an invisible mark needs."""

from __future__ import annotations

from collections.abc import Callable

import av.video.frame
import cv2
import numpy as np
import numpy.typing as npt

Change = Callable[[npt.NDArray[np.uint8], float], npt.NDArray[np.float32] | None]
"""brightness, uint8 (H, W), and seconds from the beginning -> what is added to it, float32 (H, W); None: nothing"""


def change_frame(frame: av.video.frame.VideoFrame, change: Change, seconds: float) -> None:
    """Changes a decoded picture of a format whose first plane is brightness in bytes, as yuv420p, where it lies."""
    plane = frame.planes[0]
    stored = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    luma = stored[:, : plane.width]
    added = change(luma, seconds)
    if added is not None:
        cv2.add(luma, added, dst=luma, dtype=cv2.CV_8U)


def changed_picture(picture: npt.NDArray[np.uint8], change: Change, seconds: float) -> npt.NDArray[np.uint8]:
    """A picture with its colours made brighter or darker alike; where nothing is seen of it, it stays as it is.

    Args:
        picture: uint8 (H, W, 3) RGB or (H, W, 4) RGBA, straight alpha.
    """
    added = change(np.asarray(cv2.cvtColor(picture[..., :3], cv2.COLOR_RGB2GRAY)), seconds)
    if added is None:
        return picture
    out = picture.copy()
    out[..., :3] = cv2.add(picture[..., :3], np.repeat(added[..., None], 3, axis=2), dtype=cv2.CV_8U)
    if picture.shape[2] == 4:
        out[picture[..., 3] == 0] = picture[picture[..., 3] == 0]
    return out
