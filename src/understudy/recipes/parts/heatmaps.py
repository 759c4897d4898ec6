"""Heat maps as a condition, and the player of generators that see them: performance cloning's and pix2pix's.

Shape letters: B windows, N consecutive poses, J = 18 joints, S the side of the square picture.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from einops import rearrange
from torch import Tensor, nn

from understudy.base.devices import autocast
from understudy.base.engines import Call
from understudy.conditioning.clips import Clip
from understudy.conditioning.heatmaps import joint_statistics, normalised_heatmaps
from understudy.conditioning.pictures import as_levels
from understudy.poses.pose import OPENPOSE18_NAMES, OPENPOSE18_POINTS, Pose
from understudy.recipes.parts.cut import RGB, Cut, flat_colour_of
from understudy.recipes.parts.player import BATCH, Frame, Moment, Need, batches, pose_of
from understudy.recipes.parts.trained import Arrays, ArraySpec
from understudy.recipes.parts.white_skeleton import SkeletonPictures

JOINTS = len(OPENPOSE18_NAMES)
STATISTICS: ArraySpec = {
    "joint_mean": ("<f4", (JOINTS,)),
    "joint_deviation": ("<f4", (JOINTS,)),
    "flat_colour": ("|u1", (3,)),
}
"""what an actor holds besides weights"""


@dataclass(frozen=True)
class PoseMaps:
    """Draws normalised heat maps, by the statistics of the frames that were learnt from."""

    size: int
    """pixels: side S"""
    sigma: float
    """pixels: standard deviation of a joint's Gaussian"""
    mean: Tensor
    """(J,) of each joint's maps"""
    deviation: Tensor
    """(J,)"""

    @classmethod
    def of_clip(cls, clip: Clip, frames: Tensor, size: int, sigma: float) -> PoseMaps:
        """By the statistics of some `frames` (M,) of a clip."""
        xy, seen = (values[frames] for values in clip.all_joints())
        return cls(size, sigma, *joint_statistics(xy, seen, (size, size), sigma))

    @classmethod
    def stored(cls, size: int, sigma: float, statistics: Arrays, device: torch.device) -> PoseMaps:
        """By the statistics that an actor holds."""
        mean, deviation = (
            torch.from_numpy(np.array(statistics[name])).to(device) for name in ("joint_mean", "joint_deviation")
        )
        return cls(size, sigma, mean, deviation)

    def statistics(self, flat_colour: tuple[int, int, int]) -> dict[str, npt.NDArray[Any]]:
        """As an actor holds them."""
        return {
            "joint_mean": self.mean.cpu().numpy(),
            "joint_deviation": self.deviation.cpu().numpy(),
            "flat_colour": np.array(flat_colour, dtype=np.uint8),
        }

    @property
    def device(self) -> torch.device:
        return self.mean.device

    @staticmethod
    def points(pose: Pose) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """What is drawn of poses: OpenPose's joints `(T, J, 2)` and their confidence `(T, J)`."""
        return pose.openpose18()

    def __call__(self, xy: Tensor, seen: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """`(B, N, J, 2)` pixels and `(B, N, J)` bool -> `(B, N * J, S, S)`, see `heatmaps.normalised_heatmaps`."""
        return normalised_heatmaps(xy, seen, (self.size, self.size), self.sigma, self.mean, self.deviation, dtype)


class HeatmapPlayer:
    """Plays a generator that makes N frames from the drawings of N poses; windows overlap.

    Args:
        generator: on its device, ready to generate.
        consecutive: N.
        seen_above: confidence above which a joint counts as seen.
        mean_of_versions: show the mean of all N versions of a moment (of which the first and last moments have fewer),
            N - 1 moments late; else the one in which it is the window's last. The mean lies closer to the truth and is
            steadier than any one version: `benchmarks/overlap.py`, docs/results.md.
    """

    needs: tuple[Need, ...] = ("poses",)

    def __init__(
        self,
        generator: Call,
        maps: PoseMaps | SkeletonPictures,
        consecutive: int,
        seen_above: float,
        mean_of_versions: bool,
    ) -> None:
        self.generator, self.maps, self.consecutive, self.seen_above = generator, maps, consecutive, seen_above
        self.mean_of_versions = mean_of_versions
        self.latency = consecutive - 1 if mean_of_versions else 0

    def play(self, moments: Iterable[Moment], batch: int = BATCH) -> Iterator[Frame]:
        """See `Player.play`: `(S, S, 3)` over the flat colour."""
        n = self.consecutive
        if not self.mean_of_versions:
            yield from (window[-1] for window in self.windows(moments, batch))
            return
        recent: deque[npt.NDArray[np.uint8]] = deque()  # windows that hold the earliest moment not yet shown

        def shown() -> Frame:
            versions = [window[n - 1 - later] for later, window in enumerate(recent)]
            recent.popleft()
            return np.asarray(np.mean(versions, axis=0, dtype=np.float32).round(), np.uint8)

        for window in self.windows(moments, batch):
            recent.append(window)
            if len(recent) == n:
                yield shown()
        while recent:
            yield shown()

    def windows(self, moments: Iterable[Moment], batch: int = BATCH) -> Iterator[npt.NDArray[np.uint8]]:
        """All N frames of every window, so that each moment is painted N times.

        Yields:
            For each moment t, `(N, S, S, 3)` uint8: the moments t - N + 1 ... t. The first pose stands in for moments
            before it.
        """
        before: list[Moment] = []  # the N - 1 moments before the next ones
        for some in batches(moments, batch):
            before = before or [some[0]] * (self.consecutive - 1)
            held = [*before, *some]
            before = held[len(some) :]
            xy, confidence = self.maps.points(pose_of(held, self.maps.size))
            yield from self._painted(torch.from_numpy(xy).float(), torch.from_numpy(confidence > self.seen_above))

    @torch.inference_mode()
    def _painted(self, xy: Tensor, seen: Tensor) -> npt.NDArray[np.uint8]:
        """(B + N - 1, J, 2) and seen (B + N - 1, J), moments in order: (B, N, S, S, 3)."""
        n, device = self.consecutive, self.maps.device
        window = torch.arange(len(xy) - n + 1)[:, None] + torch.arange(n)  # (B, N)
        maps = self.maps(xy[window].to(device), seen[window].to(device))
        with autocast(device):
            frames = self.generator(maps)
        return np.asarray(rearrange(as_levels(frames), "b (n c) h w -> b n h w c", n=n).cpu().numpy())


def heatmap_cut(
    generator: nn.Module, size: int, sigma: float, seen_above: float, consecutive: int, statistics: Arrays, use: str
) -> Cut:
    """A generator that makes N frames from the heat maps of N poses, as other programs may run it.

    Args:
        generator: on the CPU, ready to generate.
        size, sigma, seen_above: see `PoseMaps` and `HeatmapPlayer`.
        consecutive: N.
        statistics: that an actor holds.
        use: see `Cut.use`.
    """
    moments = range(1 - consecutive, 1)
    maps = {
        "kind": "heat maps",
        "size_hw": [size, size],
        "seen_above": seen_above,
        "poses": [*moments],
        "points": list(OPENPOSE18_POINTS),
        "sigma": sigma,
        "mean": [float(value) for value in statistics["joint_mean"]],
        "deviation": [float(value) for value in statistics["joint_deviation"]],
        "flat_colour": flat_colour_of(statistics),
    }
    given = tuple(f"pose {at:+d}: {joint}" for at in moments for joint in OPENPOSE18_NAMES)
    made = tuple(f"moment {at:+d}: {channel}" for at in moments for channel in RGB) if consecutive > 1 else RGB
    return Cut("", generator, (size, size), given, made, maps, use)
