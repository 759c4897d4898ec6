"""What colours a filmed person's limbs have, so that where one lies before another their edge is found.

Distances to the limbs' middle lines say roughly whose a pixel is. Where a bare arm crosses a shirt, its colour says it
to the pixel; where a sleeve crosses it, colours say nothing and the distances decide alone.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from understudy.conditioning.limb_warps import GROUPS, PARTS

Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

LEVELS = (12, 32, 32)
"""of lightness, and of the two axes of colour, in CIE L*a*b*; shade changes lightness first, so it has few"""
SPREAD = 0.8
"""levels: standard deviation of the Gaussian by which colours that were seen make their neighbours likely"""
UNKNOWN = 0.02
"""probability of a colour that was never seen on a part"""
CORE, CLEAR = 0.7, 1.3
"""thicknesses: a pixel that near to one part, and that far from those of all other groups, is surely the part's"""
LEAST = 200
"""such pixels of a part, or else of it and of the other side's, without which its colours are not known"""
OTHER_SIDE = np.array([0, 1, 4, 5, 2, 3, 9, 10, 11, 6, 7, 8])
"""place in `PARTS` of each part's counterpart"""


class LimbColours:
    """How likely a colour is on each part.

    Args:
        people: pictures (N, N, 4) RGB with mattes, and thicknesses (P, N, N) to each part, large for parts unseen.
    """

    def __init__(self, people: Iterable[tuple[Image, Floats]]) -> None:
        counts = np.zeros((len(PARTS), *LEVELS), np.float32)
        sums = np.zeros((len(PARTS), 3))
        for picture, near in people:
            level = _levels(picture)
            inside = picture[..., 3] > 200
            of_group = np.stack([near[list(parts)].min(axis=0) for parts in GROUPS.values()])
            for place, parts in enumerate(GROUPS.values()):
                others = np.delete(of_group, place, axis=0).min(axis=0)
                mine = inside & (of_group[place] < CORE) & (others > CLEAR)
                nearest = near[list(parts)].argmin(axis=0)
                for k, part in enumerate(parts):
                    found = np.bincount(level[mine & (nearest == k)], minlength=counts[part].size)
                    counts[part] += found.reshape(LEVELS)
                    sums[part] += picture[mine & (nearest == k), :3].sum(axis=0, dtype=np.float64)
        totals = counts.sum(axis=(1, 2, 3))
        few = np.flatnonzero((totals < LEAST) & (np.arange(len(PARTS)) != OTHER_SIDE))
        counts[few] = counts[few] + counts[OTHER_SIDE[few]]  # sleeves and trouser legs come in pairs
        sums[few] = sums[few] + sums[OTHER_SIDE[few]]
        totals = counts.sum(axis=(1, 2, 3))
        self._seen = totals
        self.known: npt.NDArray[np.bool_] = totals >= LEAST
        """(P,) whether enough was seen of each part"""
        self._mean = (sums / np.maximum(totals, 1)[:, None]).astype(np.float32)
        smooth = gaussian_filter(counts, (0, SPREAD, SPREAD, SPREAD), mode="constant")
        share = smooth.reshape(len(PARTS), -1) / np.maximum(smooth.sum(axis=(1, 2, 3)), 1)[:, None]
        self._log = np.log((1 - UNKNOWN) * share + UNKNOWN / share.shape[1]).astype(np.float32)

    def log_likelihoods(self, picture: Image, near: Floats) -> dict[str, Floats]:
        """(H, W) for each group: of every pixel's colour on that of its parts that is nearest; NaN where unknown.

        Args:
            picture: (H, W, 4) RGB and matte.
            near: (P, h, w) thicknesses to the parts, of a grid that covers the picture.
        """
        level = _levels(picture)
        side = (picture.shape[1], picture.shape[0])
        found = {}
        for name, parts in GROUPS.items():
            nearest = np.array(parts, np.uint8)[near[list(parts)].argmin(axis=0)]
            nearest = cv2.resize(nearest, side, interpolation=cv2.INTER_NEAREST)
            found[name] = np.where(self.known[nearest], self._log[nearest, level], np.float32(np.nan))
        return found

    def usual(self, near: Floats, group: str) -> Floats:
        """(h, w, 3) 0-255: the mean colour of that part of a group which is nearest, or of its best known one.

        Args:
            near: (P, h, w) thicknesses to the parts.
        """
        parts = np.array(GROUPS[group])
        means = np.where(self.known[parts, None], self._mean[parts], self._mean[parts[self._seen[parts].argmax()]])
        return np.asarray(means[near[parts].argmin(axis=0)], np.float32)


def _levels(picture: Image) -> npt.NDArray[np.intp]:
    """(H, W) which of all levels the colour of each pixel of (H, W, 4) has."""
    lab = cv2.cvtColor(picture[..., :3], cv2.COLOR_RGB2LAB).astype(np.intp)
    first, second, third = ((lab[..., axis] * count) >> 8 for axis, count in enumerate(LEVELS))
    return np.asarray((first * LEVELS[1] + second) * LEVELS[2] + third, np.intp)
