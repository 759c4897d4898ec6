"""Human parsing: which of the 22 labels every pixel of a person has. One interface; the parser that is always at hand.

The built-in parser needs no network beyond the tracker's: landmarks say where face and hands are, their colours what
the person's skin looks like, the pose where limbs run, and the matte where the person ends. What cannot be told that
way it does not claim: hats, gloves, glasses, scarves and coats count as the hair, hands, face and upper clothes that
they cover.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from understudy.body.labels import LABEL
from understudy.tracking.body_regions import Regions, regions_of
from understudy.tracking.guided_filter import guided_by_colour
from understudy.tracking.looks import (
    HAIR,
    LOWER,
    SHOES,
    SKIN,
    SOCKS,
    UPPER,
    Looks,
    bare,
    colour_bins,
    learn_looks,
    looks_of_clip,
    prior,
)

UInt8Array = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

LEARNING_SIDE = 256
"""pixels of the longer side at which colours are learnt"""
SKIRT = 0.1
"""share of lower clothes off the legs from which they are a skirt: made-up people's have 0.24 to 0.36, trousers 0.05"""
SAME_CLOTH = 0.7
"""Bhattacharyya coefficient of the colours above and below the waist from which a skirt and a top are one dress"""
JAW = 0.1
"""units beside the landmarks of a jaw that its corner takes"""
SPECK = 0.0006
"""of the person: smaller pieces of a label are taken for what is round them"""
_MARGIN = 6
"""pixels kept round the person"""
_EDGE = 2.5
"""grey levels squared under which the guided filter smooths colours over"""


class Parser(Protocol):
    def __call__(self, frame: UInt8Array, matte: UInt8Array, xy: Floats, confidence: Floats) -> UInt8Array:
        """The label map of one frame; called once a frame, in order.

        Args:
            frame: (H, W, 3) RGB.
            matte: (H, W), 255 where the person is.
            xy: (133, 2) pixels of the frame.
            confidence: (133,), 0 = not seen.

        Returns:
            (H, W) uint8 numbers of `body.labels.LABELS`; 0 wherever the matte is below 128.
        """

    def close(self) -> None: ...


class BuiltInParser:
    """Label maps out of pose, matte and colours.

    Args:
        looks: what the person wears; None learns it anew from every frame. With one for the whole clip, labels are
            calmer, and frames that show no face or hand are parsed as well as those that do.
    """

    def __init__(self, looks: Looks | None = None) -> None:
        self.looks = looks

    @classmethod
    def of_clip(cls, frames: Iterable[tuple[UInt8Array, UInt8Array, Floats, Floats]]) -> BuiltInParser:
        """A parser that has learnt a clip's clothes from some of its frames; a dozen, spread over it, are enough.

        Args:
            frames: what `__call__` takes, of each.
        """
        several = [looks for one in frames if (looks := looks_in(*one)) is not None]
        return cls(looks_of_clip(several) if several else None)

    def __call__(self, frame: UInt8Array, matte: UInt8Array, xy: Floats, confidence: Floats) -> UInt8Array:
        return parsed(frame, matte, xy, confidence, self.looks)

    def close(self) -> None:
        pass


def parsed(
    frame: UInt8Array,
    matte: UInt8Array,
    xy: Floats,
    confidence: Floats,
    looks: Looks | None = None,
    allowed: Floats | None = None,
) -> UInt8Array:
    """The label map of one frame; arguments and result as of `Parser`.

    Args:
        frame, matte, xy, confidence: see there.
        looks: what the person wears; None learns it from this frame.
        allowed: (6, H, W) in [0, 1], how far somebody else holds each of `looks.MATERIALS` possible in every pixel.

    Returns:
        0 throughout where the pose says too little: neither both shoulders nor both hips.
    """
    labels = np.zeros(matte.shape, np.uint8)
    window = _window(matte)
    if window is None:
        return labels
    frame, person = frame[window], matte[window] >= 128
    xy = np.asarray(xy - np.array([window[1].start, window[0].start]), np.float32)
    looks = looks or _learnt(frame, matte[window], xy, confidence)
    regions = regions_of(xy, confidence, (person.shape[0], person.shape[1]))
    if regions is None or looks is None:
        return labels
    chances = prior(regions, looks) * looks.colours[:, colour_bins(frame)]
    if allowed is not None:
        chances *= allowed[:, window[0], window[1]]
    chances /= np.maximum(chances.sum(axis=0), np.float32(1e-30))
    materials = np.argmax(_along_edges(frame, chances, regions.unit), axis=0)
    labels[window] = without_specks(labelled(materials, regions, looks, person))
    return labels


def looks_in(frame: UInt8Array, matte: UInt8Array, xy: Floats, confidence: Floats) -> Looks | None:
    """What a person wears in one frame (arguments as of `Parser`); None where the pose says too little."""
    window = _window(matte)
    if window is None:
        return None
    xy = np.asarray(xy - np.array([window[1].start, window[0].start]), np.float32)
    return _learnt(frame[window], matte[window], xy, confidence)


def _window(matte: UInt8Array) -> tuple[slice, slice] | None:
    """Rows and columns of the person, a little more on each side; None where there is nobody."""
    left, top, width, height = cv2.boundingRect((matte >= 128).astype(np.uint8))
    if width == 0:
        return None
    return (
        slice(max(0, top - _MARGIN), min(matte.shape[0], top + height + _MARGIN)),
        slice(max(0, left - _MARGIN), min(matte.shape[1], left + width + _MARGIN)),
    )


def _learnt(frame: UInt8Array, matte: UInt8Array, xy: Floats, confidence: Floats) -> Looks | None:
    scale = min(1.0, LEARNING_SIDE / max(matte.shape))
    width, height = (max(1, round(side * scale)) for side in matte.shape[::-1])
    small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    person = cv2.resize(matte, (width, height), interpolation=cv2.INTER_AREA)
    placed = np.asarray((xy + 0.5) * np.array([width, height]) / np.array(matte.shape[::-1]) - 0.5, np.float32)
    regions = regions_of(placed, confidence, (height, width))
    if regions is None:
        return None
    return learn_looks(small, (person > 200).astype(np.uint8), regions)


def _along_edges(frame: UInt8Array, chances: Floats, unit: float) -> Floats:
    """Chances of each material, smoothed where the picture is smooth (Hosni et al. 2013, "Fast cost-volume filtering
    for visual correspondence and beyond"), so that borders between materials lie on edges of the picture."""
    logs = np.log(np.maximum(chances, np.float32(0.02)))
    filtered = guided_by_colour(frame, np.moveaxis(logs, 0, -1), max(2, round(0.035 * unit)), (_EDGE * 4) ** 2)
    return np.moveaxis(filtered, -1, 0)


def labelled(
    materials: npt.NDArray[np.intp], regions: Regions, looks: Looks, person: npt.NDArray[np.bool_]
) -> UInt8Array:
    """(H, W) labels of materials: which limb's skin it is, which foot's shoe, and what the clothes are called."""
    names = list(regions.parts)
    weights = regions.weights()
    # a hand before a thigh is a hand's skin, as the thigh is dressed
    nearest = np.argmax(np.stack([weights[name] * bare(name, regions, looks) for name in names]), axis=0)
    upper, lower = clothes_called(looks)
    table = np.zeros((6, len(names)), np.uint8)
    table[HAIR], table[UPPER], table[LOWER], table[SOCKS] = LABEL["hair"], LABEL[upper], LABEL[lower], LABEL["socks"]
    table[SKIN] = [skin_label(name) for name in names]
    labels = table[materials, nearest]
    shoes = materials == SHOES
    labels[shoes] = _sided(regions, ("left foot", "right foot"), ("left leg", "right leg"), "shoe")[shoes]
    face = (materials == SKIN) & (regions.face > 0) & (regions.parts["head"].outside < 0)
    hands = np.isin(labels, [LABEL["left hand"], LABEL["right hand"]])
    labels[face & ~hands] = LABEL["face"]
    # glasses, a mask, a beard; but not a sleeve before the face
    heads = np.isin(np.argmax(np.stack(list(weights.values())), axis=0), [names.index("head"), names.index("neck")])
    labels[(regions.core > 0) & heads] = LABEL["face"]
    neck = (labels == LABEL["face"]) & (regions.face == 0) & (regions.chin_below > 0)
    labels[neck] = LABEL["torso skin"]
    if regions.core.any():
        off = cv2.distanceTransform(255 - regions.core, cv2.DIST_L2, 3) / np.float32(regions.unit)
        jaw = (labels == LABEL["torso skin"]) & (off < JAW) & (regions.chin_below < -0.02)
        labels[jaw] = LABEL["face"]
    return np.where(person, labels, 0).astype(np.uint8)


def skin_label(region: str) -> int:
    """What bare skin of a region is called; a bare foot belongs to its leg, as in VIP."""
    called = {"head": "face", "neck": "torso skin", "trunk": "torso skin"}
    return LABEL[called.get(region, region.replace("foot", "leg"))]


def clothes_called(looks: Looks) -> tuple[str, str]:
    """Labels of the upper and the lower clothes."""
    if not looks.skirt > SKIRT:  # nan, too
        return "upper clothes", "pants"
    alike = float(np.sqrt(looks.colours[UPPER] * looks.colours[LOWER]).sum())
    return ("dress", "dress") if alike > SAME_CLOTH else ("upper clothes", "skirt")


def _sided(regions: Regions, names: tuple[str, str], instead: tuple[str, str], what: str) -> UInt8Array:
    """(H, W) label of the left or the right `what`, whichever is nearer."""
    outside = [
        regions.parts[name if name in regions.parts else other].outside
        if name in regions.parts or other in regions.parts
        else np.full(regions.face.shape, np.inf, np.float32)
        for name, other in zip(names, instead, strict=True)
    ]
    return np.where(outside[0] <= outside[1], LABEL[f"left {what}"], LABEL[f"right {what}"]).astype(np.uint8)


def without_specks(labels: UInt8Array) -> UInt8Array:
    """Gives pieces too small to be anything the nearest label of the person that is no such piece."""
    person = labels > 0
    least = max(4.0, SPECK * float(person.sum()))
    specks = np.zeros(labels.shape, bool)
    for label in np.unique(labels[person]):
        count, pieces, statistics, _ = cv2.connectedComponentsWithStats((labels == label).astype(np.uint8))
        if count > 2:
            small = statistics[:, cv2.CC_STAT_AREA] < least
            small[0] = False
            specks |= small[pieces]
    if not specks.any():
        return labels
    return filled(labels, specks)


def filled(labels: UInt8Array, holes: npt.NDArray[np.bool_]) -> UInt8Array:
    """Gives the pixels of `holes` the label of the nearest pixel outside them that has one."""
    known = (labels > 0) & ~holes
    if not known.any():
        return labels
    _, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_pixel = np.zeros(nearest.max() + 1, np.uint8)
    of_pixel[nearest[known]] = labels[known]
    return np.where(holes, of_pixel[nearest], labels).astype(np.uint8)
