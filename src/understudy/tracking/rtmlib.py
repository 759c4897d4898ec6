"""The best-quality tracker: RTMPose whole-body (Jiang et al. 2023, arXiv 2303.07399) through the package rtmlib.

It gives the 133 points in COCO-WholeBody order directly, for every person; one of them is followed. Its weights are
fetched once, by rtmlib, into ~/.cache/rtmlib.
"""

from __future__ import annotations

import importlib
from importlib import metadata
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from understudy.errors import PoseError
from understudy.poses import pose as p
from understudy.tracking.detection import Detection

Box = npt.NDArray[np.float32]
"""(4,) x0, y0, x1, y1 in pixels"""

MIN_CONFIDENCE = 0.3
"""RTMPose scores below this are guesses, as its own drawing code has it"""
MIN_OVERLAP = 0.2
"""intersection over union with the last box from which on a box is the same person"""
PATIENCE = 30
"""frames for which a lost person is waited for, before the largest one is taken instead"""


class RtmlibTracker:
    """Finds everybody in a frame and follows one: the largest at first, then whoever overlaps the last box most.

    Raises:
        PoseError: rtmlib is not installed, or its weights cannot be fetched.
    """

    name = "rtmlib"

    def __init__(self, landmarks: Literal["body", "wholebody"] = "body") -> None:
        try:
            import rtmlib

            device = _device()
        except ImportError:
            raise PoseError(
                'rtmlib is not installed: run `pip install "understudy[rtmpose]"`, or use `tracker="blazepose"`'
            ) from None
        self._landmarks = landmarks
        self.version = _installed_version()
        try:
            model = rtmlib.Wholebody(mode="performance", to_openpose=False, backend="onnxruntime", device=device)
        except OSError as cause:
            raise PoseError(
                f"cannot fetch RTMPose's weights ({cause}): connect to the network once, or use `tracker='blazepose'`"
            ) from None
        self._find: Any = model.det_model
        self._locate: Any = model.pose_model
        self._last: Box | None = None
        self._lost = 0

    def __call__(self, frame: npt.NDArray[np.uint8]) -> Detection | None:
        """(H, W, 3) RGB uint8 in; None where nobody is found."""
        bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        boxes = np.asarray(self._find(bgr), np.float32).reshape(-1, 4)
        box = self._followed(boxes)
        if box is None:  # without a box rtmlib would look for a person in the whole picture, and "find" one
            return None
        keypoints, scores = self._locate(bgr, bboxes=[box])
        xy = np.asarray(keypoints, np.float32)[0]
        confidence = np.clip(np.asarray(scores, np.float32)[0], 0, 1)
        height, width = frame.shape[:2]
        outside = ((xy < -0.5) | (xy > [width - 0.5, height - 0.5])).any(axis=1)
        confidence[outside | (confidence < MIN_CONFIDENCE)] = 0
        if self._landmarks == "body":
            for points in (p.FACE, p.LEFT_HAND, p.RIGHT_HAND):
                confidence[points] = 0
        return Detection(xy, confidence, None)

    def forget(self) -> None:
        self._last, self._lost = None, 0

    def close(self) -> None:
        pass

    def _followed(self, boxes: Box) -> Box | None:
        """The box of the person who is followed, or None while that person is not seen."""
        if self._last is not None and self._lost <= PATIENCE:
            overlaps = [_overlap(box, self._last) for box in boxes]
            if not overlaps or max(overlaps) < MIN_OVERLAP:
                self._lost += 1
                return None
            self._last = boxes[int(np.argmax(overlaps))]
        elif len(boxes):
            self._last = boxes[int(np.argmax([_area(box) for box in boxes]))]
        else:
            return None
        self._lost = 0
        return self._last


def _area(box: Box) -> float:
    return float(max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]))


def _overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    shared = _area(np.concatenate([np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])]))
    return shared / max(_area(one) + _area(other) - shared, 1e-9)


def _device() -> str:
    providers = importlib.import_module("onnxruntime").get_available_providers()
    return "cuda" if "CUDAExecutionProvider" in providers else "cpu"


def _installed_version() -> str:
    try:
        return metadata.version("rtmlib")
    except metadata.PackageNotFoundError:
        return "unknown"
