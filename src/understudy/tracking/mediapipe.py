"""The default tracker: MediaPipe's BlazePose (Bazarevsky et al. 2020, arXiv 2006.10204), mapped to 133 points.

The wheel of MediaPipe 0.10.21 holds the networks, so nothing is fetched. "Left" is the person's own left in MediaPipe
as in COCO-WholeBody. MediaPipe has no small toe: those two points always have confidence 0.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from understudy.poses import pose as p
from understudy.tracking.detection import Detection

Landmarks = Literal["body", "wholebody"]

MIN_CONFIDENCE = 0.1
"""a joint that MediaPipe calls less visible than this is a guess, and counts as not seen"""

BODY_FROM_MEDIAPIPE = (
    (p.NOSE, 0),
    (p.LEFT_EYE, 2),
    (p.RIGHT_EYE, 5),
    (p.LEFT_EAR, 7),
    (p.RIGHT_EAR, 8),
    (p.LEFT_SHOULDER, 11),
    (p.RIGHT_SHOULDER, 12),
    (p.LEFT_ELBOW, 13),
    (p.RIGHT_ELBOW, 14),
    (p.LEFT_WRIST, 15),
    (p.RIGHT_WRIST, 16),
    (p.LEFT_HIP, 23),
    (p.RIGHT_HIP, 24),
    (p.LEFT_KNEE, 25),
    (p.RIGHT_KNEE, 26),
    (p.LEFT_ANKLE, 27),
    (p.RIGHT_ANKLE, 28),
    (p.LEFT_HEEL, 29),
    (p.RIGHT_HEEL, 30),
    (p.LEFT_BIG_TOE, 31),
    (p.RIGHT_BIG_TOE, 32),
)
"""(point among the 133, landmark among MediaPipe's 33)"""

# fmt: off
FACE_FROM_MESH = (
    162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389,  # jaw, from the person's right
    71, 63, 105, 66, 107,  # right brow
    336, 296, 334, 293, 301,  # left brow
    168, 197, 5, 4,  # nose ridge
    75, 97, 2, 326, 305,  # nostrils
    33, 160, 158, 133, 153, 144,  # right eye
    362, 385, 387, 263, 373, 380,  # left eye
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,  # outer lips
    78, 82, 13, 312, 308, 317, 14, 87,  # inner lips
)
# fmt: on
"""for each of the 68 face points, the nearest vertex of MediaPipe's face mesh of 468"""

_NATIVE_LOG = re.compile(rb"[IWEF]\d{4} |[IWEF]0{4}|INFO: Created|WARNING: All log messages")


class MediaPipeTracker:
    """Pose (and face and hands with `landmarks="wholebody"`) plus a coarse matte of one person, frame after frame."""

    name = "mediapipe"

    def __init__(self, landmarks: Landmarks = "body", still: bool = False) -> None:
        """`still`: each picture is searched anew and rests on none before it, as photographs do."""
        os.environ.setdefault("GLOG_minloglevel", "2")
        warnings.filterwarnings("ignore", category=UserWarning, module=r"google\.protobuf")
        with native_log_silenced():
            import mediapipe

            self.version: str = mediapipe.__version__
            solutions = mediapipe.solutions
            settings = {"model_complexity": 1, "smooth_landmarks": False, "enable_segmentation": True}
            settings["static_image_mode"] = still
            self._graph: Any = (
                solutions.holistic.Holistic(**settings) if landmarks == "wholebody" else solutions.pose.Pose(**settings)
            )
            self._graph.process(np.zeros((64, 64, 3), np.uint8))  # its threads log when they start, which is later
        self._has_found, self._still = False, still
        self._size_hw = (64, 64)

    def __call__(self, frame: npt.NDArray[np.uint8]) -> Detection | None:
        """(H, W, 3) RGB uint8 in; None where nobody is found."""
        frame = np.ascontiguousarray(frame)
        self._size_hw = (frame.shape[0], frame.shape[1])
        if self._has_found:
            result = self._graph.process(frame)
        else:  # some of its warnings come with the first person only
            with native_log_silenced():
                result = self._graph.process(frame)
        if result.pose_landmarks is None:
            return None
        self._has_found = True
        return _detection(result, (frame.shape[0], frame.shape[1]))

    def forget(self) -> None:
        """Looks at darkness: only a frame without anybody makes it search the whole of the next one."""
        if not self._still:
            self._graph.process(np.zeros((*self._size_hw, 3), np.uint8))

    def close(self) -> None:
        self._graph.close()


def _detection(result: Any, size_hw: tuple[int, int]) -> Detection:
    xy = np.zeros((p.POINTS, 2), np.float32)
    confidence = np.zeros(p.POINTS, np.float32)
    body = result.pose_landmarks.landmark
    for point, index in BODY_FROM_MEDIAPIPE:
        xy[point] = body[index].x, body[index].y
        confidence[point] = body[index].visibility
    for points, indices, found in (
        (p.FACE, FACE_FROM_MESH, getattr(result, "face_landmarks", None)),
        (p.LEFT_HAND, range(21), getattr(result, "left_hand_landmarks", None)),
        (p.RIGHT_HAND, range(21), getattr(result, "right_hand_landmarks", None)),
    ):
        if found is not None:
            xy[points] = [(found.landmark[index].x, found.landmark[index].y) for index in indices]
            confidence[points] = 1  # MediaPipe rates neither face nor hand points
    outside = ((xy < 0) | (xy >= 1)).any(axis=1)
    confidence[outside | (confidence < MIN_CONFIDENCE)] = 0
    height, width = size_hw
    xy = xy * np.array([width, height], np.float32) - np.float32(0.5)  # from picture edges at 0 and 1 to pixel centres
    mask = result.segmentation_mask
    return Detection(
        xy.astype(np.float32),
        np.clip(confidence, 0, 1),
        None if mask is None else cv2.convertScaleAbs(mask, alpha=255),
    )


class SelfieSegmenter:
    """A coarse matte of everybody in a small person-centred frame, where no tracker gives one."""

    def __init__(self) -> None:
        os.environ.setdefault("GLOG_minloglevel", "2")
        warnings.filterwarnings("ignore", category=UserWarning, module=r"google\.protobuf")
        with native_log_silenced():
            import mediapipe

            self._graph: Any = mediapipe.solutions.selfie_segmentation.SelfieSegmentation(model_selection=0)
            self._graph.process(np.zeros((256, 256, 3), np.uint8))

    def __call__(self, frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """(H, W, 3) RGB in, (H, W) out, 255 where a person is."""
        mask: npt.NDArray[np.uint8] = cv2.convertScaleAbs(
            self._graph.process(np.ascontiguousarray(frame)).segmentation_mask, alpha=255
        )
        return mask

    def close(self) -> None:
        self._graph.close()


@contextmanager
def native_log_silenced() -> Iterator[None]:
    """Keeps MediaPipe's C++ log lines, which no setting turns off, from the user's terminal.

    They are written to file descriptor 2 before any logger can be set up. Whatever else arrives there while the block
    runs (a progress bar's line from another thread) is passed on at its end.
    """
    sys.stderr.flush()
    try:
        terminal = os.dup(2)
    except OSError:  # a process without stderr has nothing to keep clean
        yield
        return
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            caught.seek(0)
            os.write(2, b"".join(line for line in caught if not _NATIVE_LOG.match(line)))
