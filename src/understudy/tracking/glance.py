"""A look at a few frames of a video, to see whether given poses are where the person is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from understudy.errors import MediaError, UsageError
from understudy.media.reading import VideoReader
from understudy.poses.pose import BODY, FloatArray, Pose
from understudy.poses.similarity import edge_to_edge
from understudy.tracking.blazepose import BlazePoseTracker
from understudy.tracking.detection import Detection

LOOKS = 5
LONG_SIDE = 640
"""pixels of the frames that are looked at"""
_SURE = 0.5
_ENOUGH_JOINTS = 6


class Glance(NamedTuple):
    """What the tracker sees in one frame."""

    frame: int
    """number, among the tracked ones"""
    xy: FloatArray
    """(17, 2) pixels of the picture as shown"""
    seen: npt.NDArray[np.bool_]
    """(17,)"""


def glances(reader: VideoReader, found: npt.NDArray[np.bool_], first: int) -> list[Glance]:
    """At up to five frames, spread over those in which poses are given.

    Args:
        reader: of the tracked part.
        found: (T,) whether a frame has a pose.
        first: number of the first tracked frame in the clip.
    """
    given = np.flatnonzero(found)
    chosen = np.unique(given[np.linspace(0, len(given) - 1, min(LOOKS, len(given))).round().astype(int)])
    with closing(BlazePoseTracker()) as tracker:
        looked = [_glance(reader, tracker, int(index), first) for index in chosen]
    return [one for one in looked if one is not None]


def _glance(reader: VideoReader, tracker: BlazePoseTracker, index: int, first: int) -> Glance | None:
    try:
        frame, size_hw = _frame_at(reader, first + index)
    except (MediaError, UsageError):  # damage, or an end before the header's: the pass over the video tells
        return None
    if frame is None:
        return None
    tracker.forget()  # the frame before may be seconds away
    detection = tracker(frame)
    return None if detection is None else _as_shown(detection, size_hw, reader.info.size_hw, index)


def _frame_at(reader: VideoReader, number: int) -> tuple[npt.NDArray[np.uint8] | None, tuple[int, int]]:
    """One frame of a clip, by its number, and its (height, width); None where there is none.

    Its longer side has at most `LONG_SIDE` pixels.

    Raises:
        MediaError, UsageError: damage, or an end before the header's.
    """
    at, after = float(number / reader.fps), float((number + 1) / reader.fps)
    one = VideoReader(
        reader.info.path,
        start=at,
        end=after,
        long_side=LONG_SIDE,
        tolerate_damage=True,
        say_notes=False,
        rotate=reader.rotate,
        double_rate=reader.double_rate,
    )
    with one:
        return next(iter(one), None), one.size_hw


def _as_shown(detection: Detection, size_hw: tuple[int, int], shown_hw: tuple[int, int], index: int) -> Glance:
    ratio = np.array(shown_hw[::-1], np.float32) / np.array(size_hw[::-1], np.float32)
    xy = edge_to_edge(detection.xy[BODY], ratio).astype(np.float32)
    return Glance(index, xy, detection.confidence[BODY] >= _SURE)


def distance(pose: Pose, looked: Sequence[Glance]) -> float | None:
    """How far the pose is from what was seen, in person heights; None where too little was seen in common.

    The root of the mean square over joints, so that arms count, which a wrong width moves, more than the middle of the
    body; then the median over frames, so that a slip in one of five does not count.
    """
    each: list[float] = []
    for one in looked:
        both = one.seen & (pose.confidence[one.frame, BODY] > 0)
        height = float(np.ptp(one.xy[one.seen], axis=0).max()) if one.seen.any() else 0.0
        if both.sum() >= _ENOUGH_JOINTS and height > 0:
            away = np.linalg.norm(pose.xy[one.frame, BODY][both] - one.xy[both], axis=-1)
            each.append(float(np.sqrt((away**2).mean())) / height)
    return float(np.median(each)) if len(each) >= 2 else None
