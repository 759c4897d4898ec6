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
        return _prices(filmed_at[before], filmed_at[after], config.jump)

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


def _prices(before: npt.NDArray[Any], after: npt.NDArray[Any], jump: float) -> npt.NDArray[np.floating[Any]]:
    """(A, B) of going on from frames filmed at one time (A,) with frames filmed at another (B,)."""
    return np.where(np.abs(before[:, None] - after) <= NEIGHBOURS, 0.0, jump)


class ChoosingNow:
    """Chooses for one moment after the other, by what was and never by what comes.

    Every kept frame has the cost of the cheapest path that ends with it; the cheapest of all is shown. Another path's
    frames keep away from it, as those of `chosen_frames` do.

    Args:
        config, kept, filmed_at: as for `chosen_frames`.
    """

    def __init__(self, config: Choosing, kept: Pose, filmed_at: npt.NDArray[Any]) -> None:
        self.config, self.filmed_at = config, filmed_at
        self._limbs = descriptor(kept)
        self._prices = _prices(filmed_at, filmed_at, config.jump)
        self._costs: list[npt.NDArray[np.floating[Any]]] = [np.zeros(len(kept))] * min(config.sources, len(kept))

    def __call__(self, pose: Pose) -> tuple[Frames, npt.NDArray[np.floating[Any]]]:
        """(K,) kept frames for one pose, the nearest first, and their distances."""
        distance = warp_distances(descriptor(pose), self._limbs, self.config.swing)[0]
        frames: list[int] = []
        for path, before in enumerate(self._costs):
            taken = np.zeros(len(distance), np.bool_)
            for other in frames:
                taken |= np.abs(self.filmed_at - self.filmed_at[other]) <= self.config.apart
            cost = (before[:, None] + self._prices).min(axis=0) + distance + TAKEN * taken
            self._costs[path] = cost - cost.min()
            frames.append(int(cost.argmin()))
        return np.array(frames, np.intp), distance[frames]
