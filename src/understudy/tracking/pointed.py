"""One of several people in a video, chosen by pointing at them in one frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from understudy.base.arguments import Landmarks, StrPath
from understudy.errors import UsageError
from understudy.performance import Performance, PerformanceWriter
from understudy.poses.pose import BODY, Pose
from understudy.tracking.finishing import Wanted, finished
from understudy.tracking.passes import Footage
from understudy.tracking.several import follow_everybody
from understudy.tracking.track import other_than_usual

BESIDE = 0.25
"""of a person's height, by which one may point beside them"""


def track_pointed(
    video: StrPath,
    output: StrPath,
    at: tuple[float, float],
    seconds: float,
    *,
    size: int = 256,
    landmarks: Landmarks = "body",
) -> Performance:
    """Tracks whoever is at a place of the picture at a time, through the whole clip, also past others.

    Args:
        video: the video.
        output: the performance to write.
        at: (x, y), shares of the picture's width and height, from its left upper corner, in [0, 1].
        seconds: into the video, from 0 on.
        size, landmarks: as for `track`.

    Raises:
        MediaError, PoseError: as `track`.
        UsageError: nobody is there then.
    """
    clip = Footage(
        Path(video), None, None, False, False, size=other_than_usual({"size": size}).get("size"), landmarks=landmarks
    )
    full = clip.reader()
    people = follow_everybody(clip, full)
    height, width = full.info.size_hw
    frame = round(seconds * full.fps)
    number = pointed_at([one.poses for one in people], (at[0] * (width - 1), at[1] * (height - 1)), frame)
    with PerformanceWriter(Path(output), full.fps) as writer:
        return finished(writer, Path(output), clip, full, people[number], Wanted(size=size))


def pointed_at(people: Sequence[Pose], at: tuple[float, float], frame: int) -> int:
    """The number of the one in whose frame's box, or nearest beside which, a place is.

    Args:
        people: T frames each, pixels; whole numbers are pixel centres.
        at: (x, y), likewise.
        frame: of that moment; one behind the clip's end is its last.

    Raises:
        UsageError: nobody is there.
    """
    far: list[float] = []
    for poses in people:
        number = min(frame, len(poses) - 1)
        seen = poses.xy[number, BODY][poses.confidence[number, BODY] > 0]
        if not len(seen):
            far.append(np.inf)
            continue
        low, high = seen.min(axis=0), seen.max(axis=0)
        beside = np.maximum(0, np.maximum(low - at, np.asarray(at) - high))
        room = max(1.0, float(high[1] - low[1]))
        middle = float(np.linalg.norm((low + high) / 2 - at)) / room
        far.append(float(np.linalg.norm(beside)) / room + 1e-3 * middle)  # within two boxes: whose middle is nearer
    nearest = int(np.argmin(far)) if far else 0
    if not far or far[nearest] > BESIDE:
        raise UsageError("nobody was found where you pointed: point at the middle of the person, in a clear frame")
    return nearest
