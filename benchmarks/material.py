"""What is measured on: a clip, its performance, and an actor whose pictures look like a person without training."""

from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.recipes.performance_cloning import Config, paper, preview

if TYPE_CHECKING:
    from stand_in import StandIn
    from understudy.performance import Performance

CLIP_SIZE_HW = (1920, 1080)
MADE_UP_FRAMES, MADE_UP_FPS = 60, Fraction(25)


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
    """Everything is made when first asked for, in `folder`."""

    def __init__(
        self,
        folder: Path,
        clip: Path | None,
        performance: Path | None,
        frames: int | None,
        working_size: int,
        seed: int,
    ) -> None:
        self.folder, self.limit, self.working_size, self.seed = folder, frames, working_size, seed
        self._clip, self._performance = clip, performance

    @cached_property
    def clip(self) -> Path:
        """The clip that was named; else a real one of 1080x1920 in UNDERSTUDY_MEDIA; else a made-up person."""
        return self._clip or _real_clip() or self._made_up_clip()

    @cached_property
    def frames(self) -> int:
        """How many frames of the clip count."""
        from understudy.video import probe

        return min(probe(self.clip).frames, self.limit or 10**9)

    @property
    def end(self) -> float | None:
        """Where those end, in seconds, for `VideoReader` and `track`."""
        from understudy.video import probe

        return None if self.limit is None else float(self.frames / probe(self.clip).fps)

    @cached_property
    def performance(self) -> Performance:
        """The one that was named, else the clip tracked."""
        from understudy.performance import Performance

        return self.track("measured") if self._performance is None else Performance.load(self._performance)

    def track(self, name: str) -> Performance:
        from understudy.tracking.track import track

        return track(self.clip, self.folder / f"{name}.performance", end=self.end, size=self.working_size)

    def actor(self, config: Config) -> StandIn:
        """Of the performance's person, untrained; see `stand_in.py`."""
        from stand_in import stand_in

        return stand_in(self.performance, config, self.seed)

    def described(self) -> dict[str, Any] | None:
        """The clip as the JSON names it; None if no stage asked for one."""
        if "clip" not in self.__dict__:
            return None
        from understudy.video import probe

        info = probe(self.clip)
        return {
            "name": self.clip.name,
            "made_up": self.clip.parent == self.folder,
            "size_hw": info.size_hw,
            "fps": str(info.fps),
            "codec": info.codec,
            "frames_used": self.frames,
        }

    def _made_up_clip(self) -> Path:
        from understudy.synthetic.clip import write_clip
        from understudy.synthetic.motion import choreography
        from understudy.synthetic.people import make_person
        from understudy.synthetic.scene import make_scene

        path = self.folder / "made_up.mp4"
        seconds = float((self.limit or MADE_UP_FRAMES) / MADE_UP_FPS)
        motion = choreography(self.seed, seconds, MADE_UP_FPS)
        write_clip(path, make_person(self.seed), motion, make_scene(self.seed, CLIP_SIZE_HW))
        return path


def _real_clip() -> Path | None:
    from understudy.video import probe

    beside = Path(__file__).resolve().parents[2] / "shared" / "media"
    folder = Path(os.environ.get("UNDERSTUDY_MEDIA", beside))
    return next((path for path in sorted(folder.glob("*.mp4")) if probe(path).size_hw == CLIP_SIZE_HW), None)
