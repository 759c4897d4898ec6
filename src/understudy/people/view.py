"""One picture of one person, and how it is kept: many thousand of them lie on disk, a few in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from understudy.body.labels import LABELS
from understudy.errors import TrainingError
from understudy.media.images import decoded_image, image_array

UInt8Array = npt.NDArray[np.uint8]

QUALITY = 96
"""of the JPEGs that frame and background are kept as; labels, surface and others are kept exactly"""
_POINTS = 133


@dataclass(frozen=True, eq=False)
class View:
    """One picture of one person, cut to a portrait of (H, W), 512 x 320 in the paper.

    Attributes:
        frame: (H, W, 3) RGB.
        labels: (H, W) numbers of `body.labels.LABELS`.
        surface: (H, W, 3) surface map: chart 0 to 24 (0 = nobody), U, V.
        xy: (133, 2) float32 pixels of the view.
        confidence: (133,) float32 in [0, 1]; 0 = not seen.
        others: (H, W), 255 where somebody else is seen: losses leave it out.
        background: (H, W, 3) RGB, the same place without the person.
    """

    frame: UInt8Array
    labels: UInt8Array
    surface: UInt8Array
    xy: npt.NDArray[np.float32]
    confidence: npt.NDArray[np.float32]
    others: UInt8Array
    background: UInt8Array


def encoded(view: View) -> dict[str, UInt8Array]:
    """The view as one row of bytes for each field: 100 to 200 KB at 512 x 320. Frame and background lose a little."""
    points = {name: np.frombuffer(np.ascontiguousarray(getattr(view, name)), np.uint8) for name in ("xy", "confidence")}
    pictures = {
        name: image_array(getattr(view, name), ".jpg" if name in _LOSSY else ".png", QUALITY) for name in _PICTURES
    }
    return {**points, **pictures}


def decoded(kept: Mapping[str, UInt8Array], *, shapes: bool = False) -> View:
    """What `encoded` made, as a view again.

    Args:
        kept: the rows of bytes.
        shapes: labels, surface and points alone; the other pictures are a single black pixel each.

    Raises:
        TrainingError: something is missing or damaged.
    """
    missing = [one.name for one in fields(View) if one.name not in kept]
    if missing:
        raise TrainingError(f"a kept picture of a person lacks {', '.join(missing)}: make it again")
    points = {}
    for name, count in (("xy", 2 * _POINTS), ("confidence", _POINTS)):
        if kept[name].nbytes != 4 * count:
            raise TrainingError(f"a kept picture of a person is damaged (`{name}`): make it again")
        points[name] = np.frombuffer(np.ascontiguousarray(kept[name]), np.float32).copy()
    maps = {name: _unpacked(kept, name) for name in (_SHAPES if shapes else _PICTURES)}
    if maps["labels"].max(initial=0) >= len(LABELS):
        raise TrainingError("a kept picture of a person has labels that there are not: make it again")
    if any(picture.shape[:2] != maps["labels"].shape for picture in maps.values()):
        raise TrainingError("a kept picture of a person is damaged (its parts differ in size): make it again")
    left_out = {
        name: np.zeros((1, 1, 3)[: 2 + (name in _COLOURED)], np.uint8) for name in _PICTURES if name not in maps
    }
    return View(xy=points["xy"].reshape(_POINTS, 2), confidence=points["confidence"], **maps, **left_out)


_SHAPES = ("labels", "surface")
_PICTURES = (*_SHAPES, "frame", "others", "background")
_COLOURED = ("frame", "surface", "background")
_LOSSY = ("frame", "background")


def _unpacked(kept: Mapping[str, UInt8Array], name: str) -> UInt8Array:
    try:
        picture = decoded_image(np.ascontiguousarray(kept[name]))
    except ValueError:
        picture = np.zeros(0, np.uint8)
    if picture.ndim != (3 if name in _COLOURED else 2):
        raise TrainingError(f"a kept picture of a person is damaged (`{name}`): make it again")
    return picture
