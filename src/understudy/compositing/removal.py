"""Somebody taken out of a frame: a clean picture of what is behind laid over them, in the light of this very frame."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.compositing.patches import spread_inwards

UInt8Array = npt.NDArray[np.uint8]

SOFTNESS = 0.4
"""of the widening, over which the clean picture fades into the frame"""
RIM = 1.0
"""of the widening: how far outside of the hole frame and clean picture are compared"""
MOST_LIGHT, MOST_SHADE = 24.0, 64.0
"""grey levels by which the clean picture is made lighter at most, as sun and clouds do, and darker, as shadows do"""
STRANGE = 48.0
"""grey levels between frame and clean picture from which on they show different things, which says nothing of light"""
LIGHT_SIDE = 160
"""pixels: longer side at which light is compared; it changes slowly from place to place"""


def laid_over(frame: UInt8Array, person: UInt8Array, widened: UInt8Array, reach: int, clean: UInt8Array) -> UInt8Array:
    """A part of a frame in which a clean picture hides the person.

    Light that differs just outside of the hole, smoothly, is taken to differ within it, too: so a shadow that goes on
    beyond the hole does not end at its edge.

    Args:
        frame: (H, W, 3) RGB.
        person: (H, W), not 0 where the person may be seen: nothing of the frame is left there.
        widened: (H, W), not 0 there and around it.
        reach: pixels by which it is wider.
        clean: (H, W, 3) RGB, what is behind the person.

    Returns:
        (H, W, 3) RGB: the frame itself away from the person.
    """
    if not widened.any():
        return frame.copy()
    soft, margin = max(1, round(SOFTNESS * reach)), round(2 * RIM * reach) + 4
    x, y, width, height = cv2.boundingRect(widened)
    box = slice(max(0, y - margin), y + height + margin), slice(max(0, x - margin), x + width + margin)
    share = cv2.blur((widened[box] > 0).astype(np.float32), (2 * soft + 1, 2 * soft + 1))
    share[person[box] > 0] = 1
    light = light_between(frame[box], widened[box], reach, clean[box])
    here = frame[box].astype(np.float32)
    change = cv2.multiply(cv2.add(cv2.subtract(clean[box].astype(np.float32), here), light), cv2.merge([share] * 3))
    result: UInt8Array = frame.copy()
    result[box] = np.asarray(cv2.add(here, change, dtype=cv2.CV_8U), np.uint8)  # rounded, within 0 and 255
    return result


def light_between(frame: UInt8Array, widened: UInt8Array, reach: int, clean: UInt8Array) -> npt.NDArray[np.float32]:
    """(H, W, 3) grey levels that the frame is lighter than the clean picture, as far as its surroundings say.

    Arguments as of `laid_over`; from -`MOST_SHADE` to `MOST_LIGHT`, 0 where both show different things all around.
    """
    height, width = widened.shape
    ratio = min(1.0, LIGHT_SIDE / max(height, width))
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    far = max(2, round(RIM * reach))
    person = (widened > 0).astype(np.uint8)
    near = cv2.dilate(person, np.ones((2 * far + 1, 2 * far + 1), np.uint8))
    inner = cv2.erode(person, np.ones((reach | 1, reach | 1), np.uint8))
    rim, band = (
        cv2.resize(where.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.999
        for where in ((near > 0) & (widened == 0), (near > 0) & (inner == 0))
    )
    here, behind = (cv2.resize(one, size, interpolation=cv2.INTER_AREA).astype(np.float32) for one in (frame, clean))
    apart = here - behind
    known = rim & (np.abs(apart).max(axis=2) < STRANGE)
    known[band] |= _shaded(here[band], behind[band])  # where shoes meet the floor, their shadow is nearer than the rim
    if not known.any():
        return np.zeros(frame.shape, np.float32)
    light = np.clip(spread_inwards(apart, known), -MOST_SHADE, MOST_LIGHT)
    return np.asarray(cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def with_small_things(
    frame: UInt8Array, person: UInt8Array, widened: UInt8Array, reach: int, clean: UInt8Array, largest: float
) -> tuple[UInt8Array, UInt8Array]:
    """What is to be hidden, and small things that touch it: of a ball half of which is taken for the person, all.

    Args:
        frame, person, widened, reach, clean: as of `laid_over`.
        largest: pixels: side of a square as large as such a thing at most. Whatever is larger, or reaches to the edge
            of what is given here, is somebody else, and stays.

    Returns:
        `person` and `widened`, with these things.
    """
    red, green, blue = cv2.split(cv2.absdiff(frame, clean))
    different = (cv2.max(cv2.max(red, green), blue) > STRANGE) & (widened == 0)
    different[different] = ~_shaded(frame[different], clean[different])
    strange = np.where(different, 255, 0).astype(np.uint8)
    strange = cv2.morphologyEx(strange, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, found, _ = cv2.connectedComponentsWithStats(strange, connectivity=8)
    if count < 2:
        return person, widened
    touching = np.zeros(count, bool)
    touching[np.unique(labels[cv2.dilate(widened, np.ones((5, 5), np.uint8)) > 0])] = True
    x, y, width, height, area = found.T
    inside = (x > 0) & (y > 0) & (x + width < labels.shape[1]) & (y + height < labels.shape[0])
    small = touching & inside & (area <= largest**2) & (np.maximum(width, height) <= 2 * largest)
    small[0] = False
    if not small.any():
        return person, widened
    things = np.where(small[labels], 255, 0).astype(np.uint8)
    wide = cv2.dilate(things, np.ones((reach + 1, reach + 1), np.uint8))
    return np.maximum(person, things), np.maximum(widened, np.asarray(wide, np.uint8))


def _shaded(frame: npt.NDArray[Any], clean: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """(N,) where all of the colours (N, 3) are darker by about the same factor: a shadow, which stays."""
    ratio = (frame.astype(np.float32) + 8) / (clean.astype(np.float32) + 8)
    low, high = ratio.min(axis=1), ratio.max(axis=1)
    return np.asarray((high < 1) & (low > 0.25) & (high - low < 0.15), np.bool_)
