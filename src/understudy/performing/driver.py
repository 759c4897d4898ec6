"""Who drives: a tracked clip, and what its video gives to be seen and heard beside the performance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from understudy.performance import Clip, Performance


@dataclass(frozen=True)
class Driver:
    """The motion that actors play.

    Example:
        driver = Driver.of("dance.mp4")
        driver.performance.poses, driver.sound
    """

    performance: Performance
    video: Path | None = None
    """its own video, for comparisons; without it they show the tracked square"""
    sound: Path | None = None
    """a file whose sound goes along, from `start` on"""

    @classmethod
    def of(cls, clip: Clip, **options: Any) -> Driver:
        """The driver of a clip, tracked if need be. Motion capture is neither seen nor heard.

        A performance is seen and heard if the video that it was tracked from is still there, from where its chosen
        part begins.

        Args:
            clip: a video, a performance or its folder, or a BVH file, which a made-up person dances.
            **options: those of `track`.

        Raises:
            UnderstudyError: as `tracked`.
        """
        from understudy.media.reading import probe
        from understudy.performance import Performance
        from understudy.synthetic.bvh import is_bvh
        from understudy.synthetic.drivers import driver_of
        from understudy.tracking.cache import video_of

        performance = driver_of(clip, **options)
        if isinstance(clip, Performance) or Path(clip).is_dir():
            video = video_of(performance)
        else:
            video = None if is_bvh(clip) else Path(clip)
        if video is None:
            return cls(performance)
        return cls(performance, video, video if probe(video).has_audio else None)

    @property
    def start(self) -> float:
        """Seconds into the video at which the chosen part begins."""
        return self.performance.header.start or 0.0

    @property
    def end(self) -> float | None:
        """Seconds into the video at which the chosen part ends; None = with the video."""
        return self.performance.header.end
