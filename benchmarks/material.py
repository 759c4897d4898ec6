"""What is measured on: a clip, its performance, and an actor whose pictures look like a person without training."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.recipes.performance_cloning import Config, paper, preview

if TYPE_CHECKING:
    from footage import Footage
    from stand_in import StandIn
    from understudy.performance import Performance


def network_of(size: int) -> str:
    """Which preset's networks are measured at a size."""
    return "preview" if size <= 128 else "paper"


def config_of(size: int) -> Config:
    """That preset at that size. Features are random: they cost what the ImageNet ones cost, and need no download.

    Raises:
        ValueError: the networks cannot be built at that size.
    """
    preset = preview() if network_of(size) == "preview" else paper()
    return replace(preset, size=size, features="random")


class Material:
    """Everything is made when first asked for, in `folder`.

    Args:
        clip, frames: see `Footage`.
        performance: take this one instead of tracking the clip.
        working_size: pixels, to track with.
        seed: of everything random.
    """

    def __init__(
        self,
        folder: Path,
        clip: Path | None,
        performance: Path | None,
        frames: int | None,
        working_size: int,
        seed: int,
    ) -> None:
        self.folder, self.working_size, self.seed = folder, working_size, seed
        self._clip, self._performance, self._frames = clip, performance, frames

    @cached_property
    def footage(self) -> Footage:
        from footage import Footage

        return Footage(self.folder, self._clip, self._frames, self.seed)

    @cached_property
    def performance(self) -> Performance:
        """The one that was named, else the clip tracked."""
        from understudy.performance import Performance

        return self.track("measured") if self._performance is None else Performance.load(self._performance)

    def track(self, name: str) -> Performance:
        from understudy.tracking.track import track

        clip, output = self.footage.clip, self.folder / f"{name}.performance"
        return track(clip, output, end=self.footage.end, size=self.working_size)

    def actor(self, config: Config) -> StandIn:
        """Of the performance's person, untrained; see `stand_in.py`."""
        from stand_in import stand_in

        return stand_in(self.performance, config, self.seed)

    def described(self) -> dict[str, Any] | None:
        """The clip as the JSON names it; None if no stage asked for one."""
        return self.footage.described() if "footage" in self.__dict__ else None
