"""One picture of one person, and how it is kept: many thousand of them lie on disk, a few in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import cv2
import numpy as np
import numpy.typing as npt

from understudy.errors import TrainingError

UInt8Array = npt.NDArray[np.uint8]

FRAME_QUALITY, BACKGROUND_QUALITY = 95, 90
"""of the JPEGs that pictures are kept as; labels, surface and others are kept exactly"""
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
    return points | {
        "frame": _packed(view.frame, FRAME_QUALITY),
        "background": _packed(view.background, BACKGROUND_QUALITY),
        **{name: _packed(getattr(view, name), None) for name in ("labels", "surface", "others")},
    }


def decoded(kept: Mapping[str, UInt8Array]) -> View:
    """What `encoded` made, as a view again.

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
    frame = _unpacked(kept, "frame", colour=True)
    others = {name: _unpacked(kept, name, colour=name in ("background", "surface")) for name in _PICTURES}
    if any(picture.shape[:2] != frame.shape[:2] for picture in others.values()):
        raise TrainingError("a kept picture of a person is damaged (its parts differ in size): make it again")
    return View(frame=frame, xy=points["xy"].reshape(_POINTS, 2), confidence=points["confidence"], **others)


_PICTURES = ("labels", "surface", "others", "background")


def _packed(picture: UInt8Array, quality: int | None) -> UInt8Array:
    """JPEG of a quality, or PNG without loss."""
    swapped = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR) if picture.ndim == 3 else picture
    kind, options = (".png", [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if quality is not None:
        kind, options = ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, data = cv2.imencode(kind, np.ascontiguousarray(swapped), options)
    return np.asarray(data, np.uint8).reshape(-1)


def _unpacked(kept: Mapping[str, UInt8Array], name: str, colour: bool) -> UInt8Array:
    data = np.ascontiguousarray(kept[name])
    try:
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE) if data.size else None
    except cv2.error:
        picture = None
    if picture is None:
        raise TrainingError(f"a kept picture of a person is damaged (`{name}`): make it again")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB) if colour else picture, np.uint8)
