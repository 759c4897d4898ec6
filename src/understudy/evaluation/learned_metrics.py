"""LPIPS and FID, by torchmetrics; where they cannot run, the reason why, in words.

Both need the extra `understudy[metrics]` and weights that are fetched once into PyTorch's hub folder.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base import weights
from understudy.evaluation.metrics import Box

Picture = npt.NDArray[np.uint8]

SMALLEST_SIDE = 64
"""pixels: smaller boxes are enlarged for LPIPS, whose network halves a picture five times"""
FEW_FRAMES = 2048
"""FID estimates 2048 x 2048 covariances; from fewer frames it is too high, by an amount that depends on their number"""
_FAILURES = (ImportError, RuntimeError, OSError, AttributeError)  # a torchvision of another PyTorch fails in all ways


class Lpips:
    """Learned perceptual distance (Zhang et al. 2018, arXiv 1801.03924), AlexNet; 0 for identical pictures."""

    def __init__(self, network: Any) -> None:
        self._network = network

    def __call__(self, a: Picture, b: Picture, box_xyxy: Box | None = None) -> float:
        """Distance of two (H, W, 3) RGB uint8 pictures, or of their parts in a box."""
        import torch

        with torch.inference_mode():
            return float(self._network(*(_tensor(picture, box_xyxy).float() / 127.5 - 1 for picture in (a, b))))


class Fid:
    """Frechet Inception distance (Heusel et al. 2017, arXiv 1706.08500) between the pictures of two clips."""

    def __init__(self, network: Any) -> None:
        self._network = network
        self.pictures = {True: 0, False: 0}
        """how many, true and generated"""

    def add(self, picture: Picture, box_xyxy: Box | None = None, *, real: bool) -> None:
        """Takes one (H, W, 3) RGB uint8 picture, or its part in a box."""
        import torch

        with torch.inference_mode():
            self._network.update(_tensor(picture, box_xyxy), real=real)
        self.pictures[real] += 1

    def forget_generated(self) -> None:
        """Makes ready for another method; what was taken of the true clip stays."""
        self._network.reset()
        self.pictures[False] = 0

    def value(self) -> float | None:
        """None with fewer than two pictures of each kind."""
        return float(self._network.compute()) if min(self.pictures.values()) >= 2 else None

    @property
    def note(self) -> str:
        few = min(self.pictures.values())
        return f"of {few} frames: only to be compared with the FID of as many" if few < FEW_FRAMES else ""


def load_lpips() -> Lpips | str:
    """LPIPS ready for use, or why there is none."""
    reason = _missing_weights(weights.ALEXNET)
    if reason:
        return reason
    try:
        from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

        return Lpips(LearnedPerceptualImagePatchSimilarity(net_type="alex"))
    except _FAILURES as cause:
        return _why(cause)


def load_fid() -> Fid | str:
    """A fresh FID, or why there is none."""
    reason = _missing_weights(weights.INCEPTION)
    if reason:
        return reason
    try:
        from torchmetrics.image.fid import FrechetInceptionDistance

        return Fid(FrechetInceptionDistance(feature=2048, reset_real_features=False))
    except _FAILURES as cause:
        return _why(cause)


def _missing_weights(needed: weights.Weights) -> str:
    """Why weights would have to be fetched and must not be; empty where they may be used."""
    if weights.may_fetch() or needed.path.is_file():
        return ""
    return f"its weights {needed.file} are not at hand and UNDERSTUDY_OFFLINE=1 forbids fetching them"


def _why(cause: BaseException) -> str:
    if isinstance(cause, ImportError):
        return "needs torchvision and torch-fidelity: pip install 'understudy[metrics]'"
    first_line = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    return f"its network does not load ({first_line})"


def _tensor(picture: Picture, box_xyxy: Box | None) -> Any:
    """(1, 3, H, W) uint8."""
    import torch

    if box_xyxy is not None:
        left, top, right, bottom = box_xyxy
        picture = picture[top:bottom, left:right]
    height, width = picture.shape[:2]
    enlarged = SMALLEST_SIDE / min(height, width)
    if enlarged > 1:
        size = max(SMALLEST_SIDE, round(width * enlarged)), max(SMALLEST_SIDE, round(height * enlarged))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]
