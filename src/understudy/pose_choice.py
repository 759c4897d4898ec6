"""One person out of several: who is followed when a frame shows more than one."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from understudy.errors import PoseError
from understudy.pose import BODY, FloatArray

Person = tuple[FloatArray, FloatArray]
"""(133, 2) pixels and (133,) confidence of one person in one frame"""

NEAR = 0.5
"""Person heights that somebody may move from one frame to the next and still be taken for the same person."""
NEAR_PER_FRAME_UNSEEN = 0.05
"""Person heights added for every frame that the person was not seen in between, up to two heights in all."""

_log = logging.getLogger(__name__)


@dataclass
class _Track:
    xy: FloatArray
    seen: np.ndarray[tuple[int], np.dtype[np.bool_]]
    frame: int
    size: float = 0.0
    indices: dict[int, int] = field(default_factory=dict)


def choose_person(
    frames: Sequence[Sequence[Person]], person: int | Literal["largest"], name: str = "the clip"
) -> list[int | None]:
    """Which of the people in each frame is the one to follow; says so when there was a choice.

    "largest" links people from frame to frame by where their joints are and takes who fills most of the clip: the sum
    of the heights over all frames, so that somebody large and always there wins over a passer-by.

    Args:
        frames: the people found in each frame, in any order.
        person: the place in every frame's list, counted from 0, or "largest".
        name: what to call the clip in messages.

    Returns:
        Per frame the index of the person, None where that person is not there.

    Raises:
        PoseError: a number that no frame has a person for.
    """
    most = max((len(people) for people in frames), default=0)
    if person != "largest":
        if not 0 <= person < most:
            raise PoseError(
                f"person {person} was asked for, but {name} shows at most {most} in a frame: count from 0, "
                'or take "largest"'
            )
        return [person if person < len(people) else None for people in frames]
    if most <= 1:
        return [0 if people else None for people in frames]
    tracks = _linked(frames)
    if not tracks:
        return [0 if people else None for people in frames]  # faces and hands alone cannot be told apart
    taken = max(tracks, key=lambda track: track.size)
    _say_who(frames, taken, most, name)
    return [taken.indices.get(number) for number in range(len(frames))]


def _linked(frames: Sequence[Sequence[Person]]) -> list[_Track]:
    tracks: list[_Track] = []
    for number, people in enumerate(frames):
        pairs = sorted(
            (distance, place, index)
            for place, track in enumerate(tracks)
            for index, (xy, confidence) in enumerate(people)
            if (distance := _distance(track, xy, confidence > 0)) <= _reach(number - track.frame)
        )
        of_person: dict[int, int] = {}
        for _, place, index in pairs:
            if place not in of_person.values() and index not in of_person:
                of_person[index] = place
        for index, (xy, confidence) in enumerate(people):
            seen = confidence > 0
            if not seen[BODY].any():
                continue
            if index not in of_person:
                of_person[index] = len(tracks)
                tracks.append(_Track(xy, seen, number))
            track = tracks[of_person[index]]
            track.xy, track.seen, track.frame = xy, seen, number
            track.size += _height(xy, seen)
            track.indices[number] = index
    return tracks


def _reach(frames_since: int) -> float:
    return min(NEAR + NEAR_PER_FRAME_UNSEEN * (frames_since - 1), 2.0)


def _distance(track: _Track, xy: FloatArray, seen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
    """Mean distance of the body joints seen both times, in heights of the larger figure; infinite without any."""
    both = (track.seen & seen)[BODY]
    height = max(_height(track.xy, track.seen), _height(xy, seen))
    if not both.any() or height == 0:
        return float("inf")
    return float(np.linalg.norm(track.xy[BODY][both] - xy[BODY][both], axis=1).mean()) / height


def _height(xy: FloatArray, seen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
    joints = xy[BODY][seen[BODY]]
    return float(np.ptp(joints, axis=0).max()) if len(joints) else 0.0


def _say_who(frames: Sequence[Sequence[Person]], taken: _Track, most: int, name: str) -> None:
    first, index = next(iter(taken.indices.items()))
    xy, confidence = frames[first][index]
    centre = xy[BODY][confidence[BODY] > 0].mean(axis=0)
    _log.warning(
        "%s shows up to %d people: took the one who fills most of it, at (%.0f, %.0f) in frame %d, seen in %d of %d "
        "frames; choose another by number",
        name,
        most,
        centre[0],
        centre[1],
        first,
        len(taken.indices),
        len(frames),
    )
