"""The white skeleton as a condition (`conditioning/white_skeleton.py`): drawn, kept by an actor, said of its network.

Shape letters: B pictures, N poses a picture (one), S the side of the square picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from understudy.conditioning.clips import Clip
from understudy.conditioning.white_skeleton import CONNECTIONS, LANDMARKS, RADIUS, WIDTH, white_skeletons
from understudy.poses.pose import LEFT_ANKLE, LEFT_HIP, NOSE, RIGHT_ANKLE, RIGHT_HIP, Pose
from understudy.poses.similarity import edge_to_edge
from understudy.recipes.parts.cut import RGB, Cut, flat_colour_of
from understudy.recipes.parts.trained import Arrays, ArraySpec

KIND = "white skeleton"
CHANNELS = 3
STATISTICS: ArraySpec = {"standing": ("<f4", (3,)), "flat_colour": ("|u1", (3,))}
"""what an actor holds besides weights"""
LOWEST = 0.9
"""share of the frames whose ankles are higher than where the floor is: jumps lift them, nothing lowers them"""

_MEASURED = [NOSE, LEFT_HIP, RIGHT_HIP, LEFT_ANKLE, RIGHT_ANKLE]


@dataclass(frozen=True)
class SkeletonPictures:
    """Draws white skeletons."""

    size: int
    """pixels: side S"""
    standing: Tensor
    """(3,) see `standing`; on the device on which is drawn"""

    @classmethod
    def of_clip(cls, clip: Clip, frames: Tensor, size: int) -> SkeletonPictures:
        """With the measures of some `frames` (M,) of a clip that holds all points."""
        xy, seen = (values[frames] for values in clip.all_joints())
        measures = standing(xy.cpu().numpy(), seen.cpu().numpy(), size)
        return cls(size, torch.from_numpy(measures).to(xy.device))

    @classmethod
    def stored(cls, size: int, statistics: Arrays, device: torch.device) -> SkeletonPictures:
        """With the measures that an actor holds."""
        return cls(size, torch.from_numpy(np.array(statistics["standing"])).to(device))

    @property
    def device(self) -> torch.device:
        return self.standing.device

    def statistics(self, flat_colour: tuple[int, int, int]) -> dict[str, npt.NDArray[Any]]:
        """As an actor holds them."""
        return {"standing": self.standing.cpu().numpy(), "flat_colour": np.array(flat_colour, dtype=np.uint8)}

    @staticmethod
    def points(pose: Pose) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """What is drawn of poses: all points `(T, 133, 2)` and their confidence `(T, 133)`."""
        return pose.xy, pose.confidence

    def __call__(self, xy: Tensor, seen: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """`(B, 1, 133, 2)` pixels and `(B, 1, 133)` bool -> `(B, 3, S, S)` in [-1, 1]."""
        return white_skeletons(xy[:, 0], seen[:, 0], self.size).to(dtype)


def standing(xy: npt.NDArray[Any], seen: npt.NDArray[np.bool_], size: int) -> npt.NDArray[np.float32]:
    """Where somebody stands and how tall, as Figment's node "Normalize Pose" measures it.

    Args:
        xy: `(M, 133, 2)` pixels of a square picture.
        seen: `(M, 133)`; frames without nose, hips or ankles do not count.
        size: pixels: side of the picture.

    Returns:
        `(3,)` shares of the picture's side: the floor, that is the height of the ankles; from there to the nose; and
        from the left to the middle of the hips. Zeros where no frame counts.
    """
    whole = xy[seen[:, _MEASURED].all(axis=1)]
    if not len(whole):
        return np.zeros(3, np.float32)
    ankles = whole[:, [LEFT_ANKLE, RIGHT_ANKLE], 1].mean(axis=1)
    hips = whole[:, [LEFT_HIP, RIGHT_HIP], 0].mean(axis=1)
    floor, middle = (0.5 + edge_to_edge(at, 1 / size) for at in (np.quantile(ankles, LOWEST), np.median(hips)))
    return np.array([floor, np.median(ankles - whole[:, NOSE, 1]) / size, middle], np.float32)


def skeleton_cut(generator: nn.Module, size: int, seen_above: float, statistics: Arrays, use: str) -> Cut:
    """A generator that makes a picture from a white skeleton, as other programs may run it.

    Args:
        generator: on the CPU, ready to generate.
        size: pixels: side of the pictures.
        seen_above: confidence above which a point counts as seen.
        statistics: that an actor holds.
        use: see `Cut.use`.
    """
    floor, height, middle = (round(float(value), 3) for value in statistics["standing"])
    how = {
        "kind": KIND,
        "size_hw": [size, size],
        "seen_above": seen_above,
        "poses": [0],
        "landmarks": [[list(one) for one in mixture] for mixture in LANDMARKS],
        "lines": [list(line) for line in CONNECTIONS],
        "radius": RADIUS,
        "width": WIDTH,
        "standing": {"floor": floor, "height": height, "x": middle} if height else None,
        "flat_colour": flat_colour_of(statistics),
    }
    return Cut("", generator, (size, size), RGB, RGB, how, use)
