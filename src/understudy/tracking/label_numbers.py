"""Numbers of other data sets' labels, as ours; and what none of them has: hands."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from understudy.body.labels import LABEL
from understudy.tracking.body_regions import regions_of

UInt8Array = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Numbering = Literal["vip", "lip", "atr"]

UNNAMED = 255
"""what stands for a label that is no part of a person, such as a bag: the pixel takes what is nearest"""
JUMPSUIT = 254
"""upper clothes above the hips, pants below them"""

_LIP = (
    *("background", "hat", "hair", "gloves", "sunglasses", "upper clothes", "dress", "coat", "socks", "pants"),
    *("jumpsuit", "scarf", "skirt", "face", "left arm", "right arm", "left leg", "right leg", "left shoe"),
    "right shoe",
)
_ATR = (
    *("background", "hat", "hair", "sunglasses", "upper clothes", "skirt", "pants", "dress", "pants", "left shoe"),
    *("right shoe", "face", "left leg", "right leg", "left arm", "right arm", "bag", "scarf"),
)
_SPECIAL = {"bag": UNNAMED, "jumpsuit": JUMPSUIT}
OURS: dict[str, UInt8Array] = {
    "vip": np.arange(len(LABEL), dtype=np.uint8),
    **{
        name: np.array([_SPECIAL.get(label, LABEL.get(label, 0)) for label in labels], np.uint8)
        for name, labels in (("lip", _LIP), ("atr", _ATR))
    },
}
"""By numbering: our number of each of its numbers.

VIP's 20 (and CIHP's) are ours, to which we add the two hands; LIP has 20 (Gong et al. 2017), ATR 18 (Liang et al.
2015), whose belt counts as pants. Left and right are the person's own."""


def completed(labels: UInt8Array, xy: Floats, confidence: Floats) -> UInt8Array:
    """Cuts hands from arms, and jumpsuits at the hips.

    Args:
        labels: (H, W) numbers as `OURS` gives them.
        xy: (133, 2) pixels.
        confidence: (133,).

    Returns:
        (H, W) numbers of `body.labels.LABELS`, and `UNNAMED` where it was.
    """
    result: UInt8Array = labels.copy()
    result[labels == JUMPSUIT] = LABEL["upper clothes"]
    regions = regions_of(xy, confidence, (labels.shape[0], labels.shape[1]))
    if regions is None:
        return result
    result[(labels == JUMPSUIT) & (regions.parts["trunk"].along > 1)] = LABEL["pants"]
    hands = [name for name in ("left hand", "right hand") if name in regions.parts]
    for name in hands:
        part, other = regions.parts[name], [regions.parts[one].outside for one in hands if one != name]
        within = (part.outside < 0.02) & (part.outside <= np.min([part.outside, *other], axis=0))
        arm = np.isin(labels, [LABEL["left arm"], LABEL["right arm"]])
        result[within & arm] = LABEL[name]
    return result
