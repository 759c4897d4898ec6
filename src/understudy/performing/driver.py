"""Who drives: a tracked clip, and what its video gives to be seen and heard beside the performance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.errors import UsageError

if TYPE_CHECKING:
    from understudy.media.reading import VideoReader
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

    def film(self, first: int = 0, long_side: int | None = None) -> VideoReader:
        """The video's own frames as they were tracked, turned and cut to the chosen part; damage is tolerated.

        Args:
            first: number of the frame to begin with, from 0.
            long_side: pixels; frames are shrunk so that the longer side is at most this.

        Raises:
            UsageError: there is no video, see `check_film`.
        """
        from understudy.media.reading import VideoReader

        header = self.performance.header
        start: float | None = self.start
        if first:
            rate = self.performance.fps
            start = float((round(self.start * rate) + first) / rate)
        return VideoReader(
            self.check_film(),
            start=start,
            end=self.end,
            long_side=long_side,
            tolerate_damage=True,
            say_notes=first == 0 and long_side is None,
            rotate=header.rotate,
            double_rate=header.double_rate,
        )

    def check_film(self) -> Path:
        """The video that shows the driver.

        Raises:
            UsageError: it is motion capture, or a performance whose video is not where it was.
        """
        if self.video is not None:
            return self.video
        name = self.performance.header.source_name
        if Path(name).suffix.lower() == ".bvh":
            raise _motion_alone(name)
        raise UsageError(
            f"`background='driving'` shows the driver's own shot, and {name}, which this performance was tracked from, "
            "is neither where it was nor beside the performance: put it there, or give the video itself as `driving`"
        )


def check_shot(clip: Clip) -> None:
    """A clone can stand in this driver's own shot; looked at before anything is tracked.

    Raises:
        UsageError: it is motion capture, or a performance whose video is not where it was.
        PerformanceError: a performance that cannot be read.
    """
    from understudy.performance import Performance
    from understudy.synthetic.bvh import is_bvh
    from understudy.tracking.cache import video_of

    if isinstance(clip, Performance) or Path(clip).is_dir():
        performance = clip if isinstance(clip, Performance) else Performance.load(clip)
        Driver(performance, video_of(performance)).check_film()
    elif is_bvh(clip):
        raise _motion_alone(Path(clip).name)


def _motion_alone(name: str) -> UsageError:
    return UsageError(f"`background='driving'`: {name} is motion alone and has no shot to stand in; give a video")
