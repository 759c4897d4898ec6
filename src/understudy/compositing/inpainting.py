"""A picture without the person in it: what was behind is made up from the rest (Gafni et al. 2021, section 3, (vii)).

The paper uses a trained network. Out of the box it is `patches.filled`, which needs no weights; networks are taken from
ONNX files that a user brings.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.compositing.patches import filled, smoothly_filled, spread_inwards
from understudy.errors import MediaError, UsageError

UInt8Array = npt.NDArray[np.uint8]
Inpainter = Callable[[UInt8Array, UInt8Array], UInt8Array]
"""(H, W, 3) RGB and (H, W), not 0 in the holes, to (H, W, 3): the same picture outside the holes"""

DILATE = 0.02
"""of the longer side of the person's box, by which the hole is wider than the matte: hair, soft edges, a thin shadow"""
SEEN = 12
"""of 255: matte from which on a pixel may show something of the person"""
SOFTNESS = 0.2
"""of the widening, over which what is made up fades into the picture"""
SIDE = 512
"""pixels of the squares that networks fill"""
ROOM = 1.6
"""side of the square that a network sees, over the longer side of the hole's box"""
KINDS = ("patches", "smooth", "lama:FILE", "migan:FILE")
"""what `inpainter` takes"""


def without_person(
    picture: UInt8Array,
    matte: UInt8Array,
    *,
    dilate: float = DILATE,
    others: UInt8Array | None = None,
    fill: Inpainter | None = None,
) -> UInt8Array:
    """The picture with the person taken out.

    Args:
        picture: (H, W, 3) RGB.
        matte: (H, W), above 0 where the person may be.
        dilate: share of the longer side of the person's box by which the matte is widened first.
        others: (H, W), not 0 where other people are: nothing is copied from there, and they stay.
        fill: of `inpainter`; None: "patches".

    Returns:
        (H, W, 3) RGB; the picture itself where there is no person. Where the person is everywhere, the colours of the
        picture's rim, blurred, since nothing of the room is seen.
    """
    widened, reach = widened_matte(matte, dilate)
    if not widened.any():
        return np.asarray(picture.copy())
    if widened.all():
        rim = np.ones(matte.shape, bool)
        rim[1:-1, 1:-1] = False
        return np.asarray(np.clip(spread_inwards(picture, rim) + 0.5, 0, 255), np.uint8)
    made = filled(picture, widened, others) if fill is None else fill(picture, widened)
    soft = max(1, round(SOFTNESS * reach))
    x, y, width, height = cv2.boundingRect(widened)
    box = slice(max(0, y - soft), y + height + soft), slice(max(0, x - soft), x + width + soft)
    share = cv2.blur((widened[box] > 0).astype(np.float32), (2 * soft + 1, 2 * soft + 1))
    share = np.where(matte[box] > SEEN, np.float32(1), share)[..., None]  # nothing of the person may shine through
    result: UInt8Array = picture.copy()
    result[box] = np.asarray(picture[box] * (1 - share) + made[box] * share + np.float32(0.5), np.uint8)
    return result


def widened_matte(matte: UInt8Array, dilate: float) -> tuple[UInt8Array, int]:
    """(H, W) 255 where the person may be or is near, and by how many pixels it was widened; 0 where nobody is."""
    seen = (matte > SEEN).astype(np.uint8)
    _, _, width, height = cv2.boundingRect(seen)
    reach = max(1, round(dilate * max(width, height)))
    if not seen.any():
        return seen, reach
    # a distance, since a kernel of so many pixels is slow on large photographs
    away = cv2.distanceTransform(1 - seen, cv2.DIST_L2, 5)
    return np.where(away <= reach, 255, 0).astype(np.uint8), reach


def inpainter(which: str = "patches") -> Inpainter:
    """What fills holes.

    Args:
        which: "patches" copies from the rest of the picture; "smooth" blurs over the hole, at once; "lama:FILE" and
            "migan:FILE" are networks as ONNX, run by ONNX Runtime (extra understudy[rtmpose]).

            LaMa (Suvorov et al. 2022) is Apache-2.0 code; its published weights were learnt from Places, a data set for
            research, and conversions to ONNX are other people's. MI-GAN (Sargsyan et al. 2023) is MIT code; its
            weights were distilled from Co-Mod-GAN's on the same data. Neither is fetched: whether you may use a file
            for what you do is for you to find out.

    Raises:
        UsageError: another word, a file that is not there, or no ONNX Runtime.
        MediaError: a file that is no such network.
    """
    kind, _, name = which.partition(":")
    if which == "patches":
        return filled
    if which == "smooth":
        return smoothly_filled
    if kind not in ("lama", "migan") or not name:
        raise UsageError(f"there is no inpainting {which!r}: give one of {', '.join(KINDS)}")
    if not Path(name).is_file():
        raise UsageError(f"inpainting {which!r}: there is no file {name}")
    return OnnxInpainter(Path(name), kind)


class OnnxInpainter:
    """LaMa or MI-GAN out of a file, on the square about the hole.

    LaMa takes `image`, 0 to 1, and `mask`, 1 in the hole, as float32; MI-GAN takes both as uint8, and its mask is 255
    where the picture is known. Each kind is told by what its file declares.

    Raises:
        UsageError: no ONNX Runtime is installed.
        MediaError: the file is not such a network.
    """

    def __init__(self, path: Path, kind: str) -> None:
        try:
            runtime: Any = importlib.import_module("onnxruntime")
        except ImportError:
            raise UsageError(
                f"inpainting by {path.name} needs ONNX Runtime: pip install 'understudy[rtmpose]'"
            ) from None
        try:
            self._session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's own errors have no common base that it names
            reason = " ".join(str(error).split())[:120]
            raise MediaError(f"{path} is no network that ONNX Runtime can read ({reason})") from None
        declared = {one.name: one.type for one in self._session.get_inputs()}
        self._bytes = kind == "migan"
        wanted = "tensor(uint8)" if self._bytes else "tensor(float)"
        if declared != {"image": wanted, "mask": wanted}:
            raise MediaError(f"{path} is no {kind} network: it takes {declared or 'nothing'}, not image and mask")

    def __call__(self, picture: UInt8Array, holes: UInt8Array) -> UInt8Array:
        """As `Inpainter`."""
        left, top, side = _square(holes)
        height, width = holes.shape
        above, before = max(0, -top), max(0, -left)
        beyond = [(above, max(0, top + side - height)), (before, max(0, left + side - width))]
        wide = np.pad(picture, [*beyond, (0, 0)], mode="symmetric")
        wide_holes = np.pad(holes, beyond)
        y, x = top + above, left + before
        cut, hole = wide[y : y + side, x : x + side], wide_holes[y : y + side, x : x + side]
        small = cv2.resize(cut, (SIDE, SIDE), interpolation=cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC)
        small_hole = cv2.resize((hole > 0).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA) > 0
        made = self._run(np.asarray(small, np.uint8), small_hole)
        large = cv2.resize(made, (side, side), interpolation=cv2.INTER_CUBIC)
        wide[y : y + side, x : x + side] = np.where((hole > 0)[..., None], large, cut)
        return np.ascontiguousarray(wide[above : above + height, before : before + width])

    def _run(self, picture: UInt8Array, hole: npt.NDArray[np.bool_]) -> UInt8Array:
        """(512, 512, 3) and (512, 512) to (512, 512, 3)."""
        image: npt.NDArray[Any] = picture.transpose(2, 0, 1)[None]
        mask: npt.NDArray[Any] = hole[None, None]
        if self._bytes:
            given = {"image": image, "mask": np.where(mask, 0, 255).astype(np.uint8)}
        else:
            given = {"image": image.astype(np.float32) / 255, "mask": mask.astype(np.float32)}
        made = np.asarray(self._session.run(None, given)[0])[0].transpose(1, 2, 0)
        if made.dtype != np.uint8:  # conversions of LaMa give 0 to 1, or 0 to 255
            made = np.clip(made * (255 if made.max() <= 2 else 1) + 0.5, 0, 255).astype(np.uint8)
        return np.ascontiguousarray(made)


def _square(holes: UInt8Array) -> tuple[int, int, int]:
    """Left, top and side of the square about the hole that the network sees, at most as large as the picture."""
    x, y, width, height = (int(value) for value in cv2.boundingRect((holes > 0).astype(np.uint8)))
    side: int = min(round(ROOM * max(width, height)), max(holes.shape))
    side = max(side, width, height)

    def start(first: int, length: int, whole: int) -> int:
        middle = first + length / 2 - side / 2
        return round(min(max(middle, 0), whole - side)) if side <= whole else round((whole - side) / 2)

    return start(x, width, holes.shape[1]), start(y, height, holes.shape[0]), side
