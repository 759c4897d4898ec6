"""Which kept frames are warped at every moment: one path through them, and others filmed at other times."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from understudy.poses.pose import Pose
from understudy.retargeting.frame_path import Frames, cheapest_path, nearest_candidates
from understudy.retargeting.nearest import warp_distances
from understudy.retargeting.pose_metrics import Descriptor, descriptor

FRAMES_AT_ONCE = 256
"""driving frames compared with all kept ones at a time: the memory for it does not grow with the driver's length"""
TAKEN = 1e3
"""pixels, added to the distance of frames too near to those of an earlier path: taken where there are no others"""
NEIGHBOURS = 3
"""frames of the reference by which a path may go on without the price of a jump"""


class Choosing(Protocol):
    """What a config says of choosing frames."""

    @property
    def candidates(self) -> int:
        """reference frames considered for each driving frame"""

    @property
    def swing(self) -> float:
        """weight of a limb's swing beside its change of length"""

    @property
    def jump(self) -> float:
        """pixels of a 256 frame: the price of going on with a frame filmed at another time; 0 = chosen one by one"""

    @property
    def sources(self) -> int:
        """frames for every moment"""

    @property
    def apart(self) -> int:
        """frames of the reference that lie between any two of them at least"""


class Chosen(NamedTuple):
    """Which frames are warped for each moment."""

    frames: Frames
    """(K, T) kept frames, the nearest path first"""
    distances: npt.NDArray[np.floating[Any]]
    """(K, T) `warp_distances` to them"""


def chosen_frames(config: Choosing, pose: Pose, kept: Pose, filmed_at: npt.NDArray[Any]) -> Chosen:
    """The cheapest path through the kept frames, and the cheapest ones that keep away from those before.

    Args:
        filmed_at: (F,) which frame of the reference each kept one is.
    """
    limbs, kept_limbs = descriptor(pose), descriptor(kept)

    def price(before: Frames, after: Frames) -> npt.NDArray[np.floating[Any]]:
        apart = np.abs(filmed_at[before][:, None] - filmed_at[after])
        return np.where(apart <= NEIGHBOURS, 0.0, config.jump)

    paths: list[Frames] = []
    distances = []
    while len(paths) < min(config.sources, len(kept)):
        candidates, found = [], []
        for start in range(0, len(pose), FRAMES_AT_ONCE):
            block = slice(start, start + FRAMES_AT_ONCE)
            distance = warp_distances(
                Descriptor(limbs.displacement[block], limbs.seen[block]), kept_limbs, config.swing
            )
            for path in paths:
                distance[np.abs(filmed_at - filmed_at[path[block]][:, None]) <= config.apart] += TAKEN
            candidates.append(nearest_candidates(distance, config.candidates if config.jump else 1))
            found.append(np.take_along_axis(distance, candidates[-1], axis=1))
        if not candidates:
            return Chosen(np.zeros((1, 0), np.intp), np.zeros((1, 0)))
        at, apart = np.concatenate(candidates), np.concatenate(found)
        paths.append(cheapest_path(at, apart, price))
        chosen = (at == paths[-1][:, None]).argmax(axis=1)[:, None]
        distances.append(np.take_along_axis(apart, chosen, axis=1)[:, 0])
    return Chosen(np.stack(paths), np.stack(distances))
