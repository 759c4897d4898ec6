"""One person out of several: who is followed when a frame shows more than one."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from understudy.errors import PoseError
from understudy.poses.pose import BODY, FloatArray

Person = tuple[FloatArray, FloatArray]
"""(133, 2) pixels and (133,) confidence of one person in one frame"""

NEAR = 0.5
"""Person heights that somebody may move from one frame to the next and still be taken for the same person."""
NEAR_PER_FRAME_UNSEEN = 0.05
"""Person heights added for every frame that the person was not seen in between, up to two heights in all."""
FORGOTTEN_AFTER = 300
"""Frames after which somebody who comes back is taken for somebody else."""

_log = logging.getLogger(__name__)


@dataclass
class _Track:
    xy: FloatArray
    seen: npt.NDArray[np.bool_]
    height: float
    frame: int
    """the last frame in which the person was seen, and what the body (17 joints) looked like there"""
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
        bodies = [(xy[BODY], confidence[BODY] > 0) for xy, confidence in people]
        heights = [_height(xy, seen) for xy, seen in bodies]
        recent = [track for track in tracks if number - track.frame <= FORGOTTEN_AFTER]
        owner = _matched(recent, bodies, heights, number)
        for index, ((xy, seen), height) in enumerate(zip(bodies, heights, strict=True)):
            if not seen.any():
                continue
            track = owner.get(index)
            if track is None:
                track = _Track(xy, seen, height, number)
                tracks.append(track)
            track.xy, track.seen, track.height, track.frame = xy, seen, height, number
            track.size += height
            track.indices[number] = index
    return tracks


def _matched(
    tracks: list[_Track], bodies: list[tuple[FloatArray, npt.NDArray[np.bool_]]], heights: list[float], frame: int
) -> dict[int, _Track]:
    """Gives each person, nearest pairs first, the track that came from close enough."""
    if not tracks or not bodies:
        return {}
    both = np.stack([track.seen for track in tracks])[:, None] & np.stack([seen for _, seen in bodies])
    offsets = np.stack([track.xy for track in tracks])[:, None] - np.stack([xy for xy, _ in bodies])
    unit = np.maximum(np.array([track.height for track in tracks])[:, None], np.array(heights))
    total = (np.linalg.norm(offsets, axis=-1) * both).sum(axis=-1)
    usable = both.any(axis=-1) & (unit > 0)
    distance = np.divide(total, both.sum(axis=-1) * unit, out=np.full(unit.shape, np.inf), where=usable)
    since = np.array([frame - track.frame for track in tracks])
    reach = np.minimum(NEAR + NEAR_PER_FRAME_UNSEEN * (since - 1), 2.0)
    owner: dict[int, _Track] = {}
    given: set[int] = set()
    for place, index in sorted(zip(*np.nonzero(distance <= reach[:, None]), strict=True), key=lambda at: distance[at]):
        if place not in given and index not in owner:
            given.add(place)
            owner[int(index)] = tracks[place]
    return owner


def _height(xy: FloatArray, seen: npt.NDArray[np.bool_]) -> float:
    return float(np.ptp(xy[seen], axis=0).max()) if seen.any() else 0.0


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
