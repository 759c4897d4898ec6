"""Skirts, and whatever else hangs over both legs: where it ends, and which way it goes when the legs go.

Cloth below the hips that is cut to one thigh or the other is torn between them as soon as they part. So what fills the
gap between parted legs is found out once for each reference, and is a layer of its own before the legs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from understudy.conditioning.limb_warps import GROUPS, NECK, PARTS, PELVIS, TRUNK, distances_to_parts
from understudy.poses.pose import LEFT_ANKLE, LEFT_HIP, LEFT_KNEE, RIGHT_ANKLE, RIGHT_HIP, RIGHT_KNEE
from understudy.poses.similarity import Similarity

Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

_LEGS = ((RIGHT_HIP, RIGHT_KNEE, RIGHT_ANKLE), (LEFT_HIP, LEFT_KNEE, LEFT_ANKLE))
THIGHS_AND_SHINS = (*GROUPS["right leg"][:2], *GROUPS["left leg"][:2])
"""places in `PARTS`; at each, depth begins at 0 for a thigh and at 1 for a shin"""
DEPTHS = np.arange(0.5, 1.95, 0.1)
"""how far down the legs is looked: 0 at the hips, 1 at the knees, 2 at the ankles"""
CLEAR = 0.22
"""trunk lengths from any limb beyond which there is light between the legs, in wide trousers too"""
LEAST = 4
"""frames in which the middle between the legs is that clear of them, without which nothing is known of a depth"""
CLOTH = 0.75
"""share of them in which it is opaque, where something hangs there"""
SHORTEST = 0.65
"""depth to which it hangs at least: above, trousers and thighs close the gap too"""
BARE = (0.16, 0.11)
"""trunk lengths: thickness of thighs and shins under the cloth, which hides it"""
FIELD = 4
"""power of the distance by which what is nearer counts for more in a place's depth"""


class Hanging(NamedTuple):
    """What hangs over both legs."""

    hem: float
    """how far down the legs it hangs: 1 is to the knees, 2 to the ankles"""
    bare: Floats
    """(2,) pixels: how far thighs and shins themselves reach from their middle lines"""


def hanging(people: Iterable[tuple[Image, Floats]]) -> Hanging | None:
    """What fills the gap between the legs; None if nothing does.

    Args:
        people: pictures (S, S, 4) with their mattes, and the points (141, 2) of each, trunk and legs seen.
    """
    lengths, clearance, opaque = [], [], []
    for picture, points in people:
        right, left = (_down(points, leg) for leg in _LEGS)
        middle = (right + left) / np.float32(2)
        lengths.append(np.linalg.norm(points[NECK] - points[PELVIS]))
        clearance.append(distances_to_parts(points, middle[None])[TRUNK + 1 :, 0].min(axis=0))
        x, y = np.clip(np.rint(middle), 0, picture.shape[0] - 1).astype(int).T
        opaque.append(picture[y, x, 3] > 127)
    if not lengths:
        return None
    trunk = float(np.median(lengths))
    clear = np.stack(clearance) > CLEAR * trunk
    frames = clear.sum(axis=0)
    hangs = (clear & opaque).sum(axis=0) >= CLOTH * np.maximum(frames, 1)
    known, hangs = DEPTHS[frames >= LEAST], hangs[frames >= LEAST]
    ends = len(hangs) if hangs.all() else int(hangs.argmin())
    if not ends or known[ends - 1] < SHORTEST:
        return None
    return Hanging(float(known[ends - 1]), trunk * np.array(BARE, np.float32))


def _down(points: Floats, leg: tuple[int, int, int]) -> Floats:
    """(D, 2): places on the middle line of a leg, at `DEPTHS`."""
    hip, knee, ankle = points[list(leg)]
    down = DEPTHS[:, None]
    return np.asarray(np.where(down < 1, hip + down * (knee - hip), knee + (down - 1) * (ankle - knee)), np.float32)


def depths(points: Floats, seen: npt.NDArray[np.bool_], grid_xy: Floats) -> Floats:
    """(H, W): how far down the legs each place is, between them and beside them too.

    Args:
        points: (141, 2).
        seen: (P,) whether each part is seen.
        grid_xy: (H, W, 2).
    """
    weighted, total = np.zeros((2, *grid_xy.shape[:2]), np.float32)
    for begins, part in zip((0, 1, 0, 1), THIGHS_AND_SHINS, strict=True):
        if not seen[part]:
            continue
        top, bottom = points[list(PARTS[part].joints)]
        along = bottom - top
        down = ((grid_xy - top) @ along) / max(float(along @ along), 1e-6)
        nearest = top + np.clip(down, 0, 1)[..., None] * along
        weight = 1 / (np.square(grid_xy - nearest).sum(axis=-1) + 1) ** (FIELD / 2)
        # A thigh begins above the hips and a shin ends below the ankles
        weighted += weight * (begins + (np.minimum(down, 1) if begins == 0 else np.maximum(down, 0)))
        total += weight
    return np.asarray(weighted / np.maximum(total, 1e-30), np.float32)


def between_legs(points: Floats, size: int, step: int) -> Floats:
    """(size/step, size/step): 1 between and on the legs of a pose (141, 2), 0 elsewhere, for `picture_grid`."""
    outline = cv2.convexHull(
        np.rint(Similarity.resized(1 / step).of_points(points[list(np.ravel(_LEGS))])).astype(np.int32)
    )
    inside = np.zeros((size // step, size // step), np.float32)
    cv2.fillConvexPoly(inside, outline, 1.0)
    return inside


def facing_alike(filmed: Floats, wanted: Floats) -> Floats:
    """A filmed pose (141, 2) with its legs exchanged where the wanted one shows the hips from their other side.

    A leg keeps its own picture when a person turns round. Cloth that hung over both would be turned inside out by that,
    and looks much the same from behind.
    """
    (right, *_), (left, *_) = _LEGS
    if (wanted[left] - wanted[right]) @ (filmed[left] - filmed[right]) >= 0:
        return filmed
    exchanged: Floats = filmed.copy()
    for one, other in (_LEGS, _LEGS[::-1]):
        exchanged[list(one)] = filmed[list(other)]
    return exchanged


def hanging_weights(distance: Floats) -> Floats:
    """(P, H, W) of cloth: what is between two limbs goes the way between theirs, however far apart.

    Args:
        distance: (P, H, W) pixels to those parts of the wanted pose that take part.
    """
    weight = 1 / (np.square(distance) + 1)
    return np.asarray(weight / weight.sum(axis=0), np.float32)
