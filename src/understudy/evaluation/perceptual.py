"""How far a generated frame is from the true one to an eye: a distance of ImageNet features that needs no fetch.

In the manner of LPIPS (Zhang et al. 2018, arXiv 1801.03924): features of several depths, each place's scaled to length
1, squared differences. Three things differ, each because a test that orders damage as eyes do failed without it
(tests/evaluation/test_perceptual.py):

- The network is EfficientNet-Lite2, no weights are learnt on top, and the finest depth (1/2) is left out: what it sees
  moves with every pixel.
- Places are pooled by their cubic mean: one hand missing is a small part of a person's box, and what catches the eye.
- A whole person who stands up to two pixels of 256 beside his place is put there first. Where he stands is what joint
  distance and RMSE are for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.errors import TrainingError
from understudy.evaluation.metrics import UNIT_FRAME, Box, Mask

Picture = npt.NDArray[np.uint8]

DEPTHS = (4, 8, 16)
"""how many times smaller than the picture the features are"""
POOLING = 3.0
"""exponent of the mean over places; 1 would be LPIPS'"""
LEAST_SIDE = 96
"""pixels: smaller boxes, of faces, are enlarged, so that the coarsest depth still has 6 x 6 places"""
ROUND_ABOUT = 16
"""pixels that are looked at around a box, and the grid that it is cut on: the cells of the coarsest depth then lie the
same in every frame, whole or cut, and the box may follow the person without a tremor in the figures"""
SHIFT = 2.0
"""pixels of a 256 frame, in x and y, by which a whole person may be put into place"""


class Perceptual:
    """The distance, with its network."""

    def __init__(self) -> None:
        from understudy.networks.efficientnet_lite import LiteFeatures

        self._features = LiteFeatures("lite2", DEPTHS)

    def __call__(
        self, frame: Picture, true_frame: Picture, person: Mask, boxes: Mapping[str, Box | None]
    ) -> dict[str, float | None]:
        """Distances of a generated from the true frame, 0 for identical ones; at most 12.

        Args:
            frame, true_frame: (H, W, 3) RGB.
            person: (H, W) where the true frame shows the person.
            boxes: by region; the distance is that inside the box, to be compared at one size of frames only.
        """
        known = [box for box in boxes.values() if box]
        if not known:
            return dict.fromkeys(boxes)
        frame = put_into_place(frame, true_frame, person, _around(known))
        return {region: self._distance(frame, true_frame, box) if box else None for region, box in boxes.items()}

    def _distance(self, frame: Picture, true_frame: Picture, box: Box) -> float:
        import torch
        import torch.nn.functional as F

        left, top, right, bottom = box
        enlarged = max(1.0, LEAST_SIDE / min(right - left, bottom - top))
        cut = _surroundings(box, frame.shape[:2], enlarged)
        pair = np.stack([picture[cut[1] : cut[3], cut[0] : cut[2]] for picture in (frame, true_frame)])
        with torch.inference_mode():
            pictures = torch.from_numpy(pair).permute(0, 3, 1, 2).float() / 127.5 - 1
            if enlarged > 1:
                size = [round(enlarged * side) for side in pictures.shape[2:]]
                pictures = F.interpolate(pictures, size=size, mode="bilinear", align_corners=False)
            apart = torch.zeros(pictures.shape[2:])
            for features in self._features(pictures):
                made, true = F.normalize(features, dim=1, eps=1e-6)
                found = (made - true).square().sum(dim=0)[None, None]
                apart += F.interpolate(found, size=apart.shape, mode="bilinear", align_corners=False)[0, 0]
            y, x = apart.shape[0] / (cut[3] - cut[1]), apart.shape[1] / (cut[2] - cut[0])
            rows = slice(round(y * (top - cut[1])), round(y * (bottom - cut[1])))
            columns = slice(round(x * (left - cut[0])), round(x * (right - cut[0])))
            return float(apart[rows, columns].double().pow(POOLING).mean().pow(1 / POOLING))


def _surroundings(box: Box, size_hw: tuple[int, ...], enlarged: float) -> Box:
    """The part of the picture that the network is shown for a box."""
    height, width = size_hw
    left, top, right, bottom = box
    margin = math.ceil(ROUND_ABOUT / enlarged)
    grid = ROUND_ABOUT if enlarged == 1 else 1
    return (
        max(0, left - margin) // grid * grid,
        max(0, top - margin) // grid * grid,
        min(width, math.ceil((right + margin) / grid) * grid),
        min(height, math.ceil((bottom + margin) / grid) * grid),
    )


def load_perceptual() -> Perceptual | str:
    """The distance ready for use, or why there is none."""
    try:
        return Perceptual()
    except TrainingError as cause:
        return str(cause)


def put_into_place(frame: Picture, true_frame: Picture, person: Mask, box: Box) -> Picture:
    """The generated frame, with the person (or all of it) moved by the few whole pixels that bring him to his place.

    Whole pixels, since others would blur. The room of a clone stays where it is, so the person alone is moved, and all
    of the picture only where that fits better (another camera, say); nothing is where nothing gains.

    Args:
        frame, true_frame: (H, W, 3) RGB.
        person: (H, W) where the true frame shows the person.
        box: what counts: left, top, right, bottom in pixels.
    """
    reach = round(SHIFT * max(frame.shape[:2]) / UNIT_FRAME)
    if not person.any():
        return frame
    moved = _mover(frame, reach)
    x, y = _shift(moved, true_frame, person, reach)
    if (x, y) == (0, 0):
        return frame
    whole = moved(x, y)
    near = cv2.dilate(person.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    alone = np.where(near[..., None], whole, frame)
    left, top, right, bottom = box
    inside = slice(top, bottom), slice(left, right)
    return min((frame, alone, whole), key=lambda one: float(cv2.norm(one[inside], true_frame[inside], cv2.NORM_L1)))


def _mover(frame: Picture, reach: int) -> Callable[[int, int], Picture]:
    """Gives the picture moved to the right and down by at most `reach` pixels, its edges repeated."""
    height, width = frame.shape[:2]
    padded = cv2.copyMakeBorder(frame, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    return lambda x, y: np.asarray(padded[reach - y : reach - y + height, reach - x : reach - x + width], np.uint8)


def _shift(moved: Callable[[int, int], Picture], true_frame: Picture, person: Mask, reach: int) -> tuple[int, int]:
    """(x, y) pixels, each at most `reach`: from no shift on, step by step, while the person's colours fit better."""
    left, top, width, height = cv2.boundingRect(person.astype(np.uint8))
    part = slice(top, top + height), slice(left, left + width)
    shown, true = person[part].astype(np.uint8), true_frame[part]
    known: dict[tuple[int, int], float] = {}

    def misfit(shift: tuple[int, int]) -> float:
        if shift not in known:
            known[shift] = sum(cv2.mean(cv2.absdiff(moved(*shift)[part], true), shown))
        return known[shift]

    best = (0, 0)
    while True:
        around = [(best[0] + x, best[1] + y) for y in (-1, 0, 1) for x in (-1, 0, 1)]
        nearest = min((shift for shift in around if max(map(abs, shift)) <= reach), key=misfit)
        if misfit(nearest) >= misfit(best):
            return best
        best = nearest


def _around(boxes: list[Box]) -> Box:
    edges: Any = np.array(boxes)
    low, high = edges.min(axis=0), edges.max(axis=0)
    return int(low[0]), int(low[1]), int(high[2]), int(high[3])
