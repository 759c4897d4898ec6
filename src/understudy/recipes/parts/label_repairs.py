"""What a network says of a body in labels, mended where no body is so: limbs that break off, cloth with spots of other.

Not the paper's. Label maps are (H, W) uint8, numbers as in `body.labels.LABELS`.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.nearest import nearest_inside
from understudy.body.labels import LABEL
from understudy.body.surface_mesh import CHARTS
from understudy.conditioning.limb_warps import parts_seen
from understudy.conditioning.surface_copy import CARRIED_BY

Map = npt.NDArray[np.uint8]

THICK = 0.006
"""of the picture's height: a gap in the body of at least twice that width is none of its outline's doubts"""
SPOT = 0.03
"""of somebody: smaller pieces of cloth, beside a larger one, are none"""
SLEEVE = 0.25
"""of a piece: on an arm, it may be its sleeve"""
ON_ARM = np.array(["arm" in name or "hand" in name for name in CHARTS])
CLOTH = tuple(LABEL[name] for name in ("hair", "upper clothes", "dress", "coat", "pants", "skirt"))
"""what hangs together on everybody"""


def with_whole_limbs(labels: Map, surface: Map, complete: Map, seen: npt.NDArray[np.bool_]) -> Map:
    """Labels in which somebody is wherever their bare body is.

    Args:
        labels: that may lack a part of a limb.
        surface: (H, W, 3) surface map of the same pose; a body's outline is a guess, so narrow gaps along it stay.
        complete: (H, W) a label for every pixel of the body.
        seen: (141,) points of the pose that are known; limbs of others are a guess, and may be missing.
    """
    there = np.r_[False, parts_seen(seen)[CARRIED_BY[1:]]][surface[..., 0]]
    side = 2 * round(THICK * len(labels)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    lacking = cv2.morphologyEx(((labels == 0) & there).astype(np.uint8), cv2.MORPH_OPEN, disc)
    return np.where(lacking > 0, complete, labels)


def without_spots(labels: Map, surface: Map) -> Map:
    """Labels in which a small piece of cloth apart from the rest of it is what lies around it.

    But not on an arm (`surface`, (H, W, 3), says where those are): a sleeve before other clothes lies apart.
    """
    on_arms = ON_ARM[surface[..., 0]]
    spots, least = np.zeros(labels.shape, bool), SPOT * np.count_nonzero(labels)
    for label in CLOTH:
        count, pieces, statistics, _ = cv2.connectedComponentsWithStats((labels == label).astype(np.uint8))
        if count > 2:
            areas = statistics[:, cv2.CC_STAT_AREA]
            sleeves = np.bincount(pieces[on_arms], minlength=count) > SLEEVE * areas
            small = (areas < min(least, areas[1:].max())) & ~sleeves
            small[0] = False
            spots |= small[pieces]
    if not spots.any():
        return labels
    _, nearest = nearest_inside((labels > 0) & ~spots)
    return np.where(spots, labels.ravel()[nearest], labels)
