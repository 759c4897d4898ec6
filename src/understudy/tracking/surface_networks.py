"""A DensePose network that the user brings, as a TorchScript file, which needs neither detectron2 nor its code.

None is fetched, since under which terms the published weights may be used is told differently in different places.
TorchScript is a program: who runs a file trusts whoever made it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from understudy.body.surface_mesh import CHARTS
from understudy.errors import UsageError

UInt8Array = npt.NDArray[np.uint8]

GIVEN = (
    "pred_boxes",
    "pred_densepose_coarse_segm",
    "pred_densepose_fine_segm",
    "pred_densepose_u",
    "pred_densepose_v",
)
"""what it gives, by the names that detectron2 has for it"""
LEAST_ON_PERSON = 0.2
"""share of the person's matte that somebody who was found must cover, to be taken for the person"""


class SurfaceNetwork:
    """The coordinates of whoever covers most of the person's matte.

    Args:
        network: takes (H, W, 3) uint8, BGR; gives, for N people that it finds, a dictionary with the names `GIVEN`, or
            five tensors in that order: (N, 4) boxes x0, y0, x1, y1 in pixels; (N, 2 or more, h, w) scores of "nobody"
            and of the rest; (N, 25, h, w) scores of the charts, 0 nobody; (N, 25, h, w) U and V in [0, 1] in each
            chart, the last four over the box.
        name: what errors call it.
    """

    def __init__(self, network: Callable[[Tensor], Any], name: str = "the network") -> None:
        self._network, self._name = network, name

    def __call__(self, frame: UInt8Array, matte: UInt8Array) -> UInt8Array:
        """The surface map of one frame; arguments and result as of `surface_files.SurfaceSource`.

        Raises:
            UsageError: the network takes or gives something else.
        """
        person = matte >= 128
        best, covered = np.zeros((*matte.shape, 3), np.uint8), LEAST_ON_PERSON * max(1, int(person.sum()))
        if not person.any():
            return best
        for box, coarse, fine, u, v in zip(*self._asked(frame), strict=True):
            one = laid_out(box, coarse, fine, u, v, (matte.shape[0], matte.shape[1]))
            shared = int(((one[..., 0] > 0) & person).sum())
            if shared >= covered:
                best, covered = one, shared
        return best

    def check_end(self) -> None:
        pass

    def close(self) -> None:
        pass

    def _asked(self, frame: UInt8Array) -> list[Tensor]:
        picture = torch.from_numpy(np.ascontiguousarray(frame[..., ::-1]))
        try:
            with torch.inference_mode():
                given = self._network(picture)
        except RuntimeError as cause:
            told = str(cause).strip().splitlines()[-1]
            raise UsageError(f"{self._name} takes no (H, W, 3) uint8 picture, as DensePose does ({told})") from None
        if isinstance(given, Mapping):
            given = [given.get(name) for name in GIVEN]
        parts = list(given) if isinstance(given, Sequence) else [given]
        if len(parts) != len(GIVEN) or not all(isinstance(part, Tensor) for part in parts):
            raise UsageError(f"{self._name} does not give {', '.join(GIVEN)}, as DensePose does")
        parts = [part.detach().float().cpu() for part in parts]
        count = len(parts[0])
        fits = parts[0].shape == (count, 4) and all(part.ndim == 4 and len(part) == count for part in parts[1:])
        if not fits or any(count and part.shape[1] != len(CHARTS) for part in parts[2:]):
            shapes = ", ".join(str(tuple(part.shape)) for part in parts)
            raise UsageError(f"{self._name} gives {shapes}, and DensePose boxes and {len(CHARTS)} charts for each")
        return parts


def surface_network(path: Path) -> SurfaceNetwork:
    """Opens a TorchScript file.

    Raises:
        UsageError: it is none, or needs torchvision, which is not installed.
    """
    with suppress(ImportError):  # its operators may be in the file
        import torchvision  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: F401
    try:
        network = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError) as cause:
        if "torchvision::" in str(cause):
            raise UsageError(
                f'the network {path} needs torchvision, which is not installed: pip install "understudy[metrics]"'
            ) from None
        told = (str(cause).strip().splitlines() or ["damaged"])[0]
        raise UsageError(f"{path} is no TorchScript network ({told})") from None
    return SurfaceNetwork(network.eval().float(), str(path))


def laid_out(box: Tensor, coarse: Tensor, fine: Tensor, u: Tensor, v: Tensor, size_hw: tuple[int, int]) -> UInt8Array:
    """What was found of one person in its box, as a map of the whole picture (Güler et al. 2018, section 3.2).

    Args:
        box: (4,) x0, y0, x1, y1 pixels.
        coarse, fine: (K, h, w) and (25, h, w) scores over the box.
        u, v: (25, h, w) coordinates in each chart.
        size_hw: of the picture.

    Returns:
        (H, W, 3) uint8: I, U, V.
    """
    whole = np.zeros((*size_hw, 3), np.uint8)
    x0, y0, x1, y1 = (int(edge) for edge in box.tolist())
    width, height = max(1, x1 - x0), max(1, y1 - y0)
    if width > 4 * size_hw[1] or height > 4 * size_hw[0]:
        return whole

    def over_box(layers: Tensor) -> npt.NDArray[np.float32]:
        return np.stack([cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR) for one in layers.numpy()])

    chart = np.where(over_box(coarse).argmax(axis=0) > 0, over_box(fine).argmax(axis=0), 0)
    coordinates = [np.take_along_axis(over_box(layers), chart[None], axis=0)[0] for layers in (u, v)]
    shown = [chart, *(np.clip(np.nan_to_num(one), 0, 1) * 255 * (chart > 0) for one in coordinates)]
    left, top = max(0, x0), max(0, y0)
    right, bottom = min(size_hw[1], x0 + width), min(size_hw[0], y0 + height)
    if left < right and top < bottom:
        inside = np.stack(shown, axis=-1)[top - y0 : bottom - y0, left - x0 : right - x0]
        whole[top:bottom, left:right] = np.asarray(inside + 0.5, np.uint8)
    return whole
