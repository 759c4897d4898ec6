"""Self-reenactment (Aberman et al. 2018, section 5.2): the first part of a clip trains, the rest drives and is true.

The two parts are tracked apart, as if they were two videos, so that nothing of the held-out part - its crop, its
background, the smoothing of its poses - reaches the actor.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from understudy.actor import Actor
from understudy.base.arguments import Landmarks, Rotation
from understudy.errors import UsageError
from understudy.evaluation.truth import Truth, square_of
from understudy.media.reading import probe
from understudy.performance import Performance
from understudy.performing.perform import Part
from understudy.recipes import as_tracked_for
from understudy.retargeting.window import held, presence
from understudy.tracking.track import tracked

LEAST_SECONDS = 0.5
"""of each part; less says nothing"""


@dataclass(frozen=True)
class Split:
    """Two parts of one clip."""

    training: Performance
    held_out: Performance


def split(
    video: Path,
    *,
    train_share: float = 2 / 3,
    gap_seconds: float = 0.5,
    cache: Path | None = None,
    size: int = 256,
    rotate: Rotation = 0,
    landmarks: Landmarks = "body",
) -> Split:
    """Tracks the first `train_share` of a clip and, after a gap, the rest.

    Args:
        gap_seconds: left out between the two: frames next to each other are nearly the same.
        cache: see `tracked`.
        size: of the working frames, pixels.
        rotate: degrees clockwise by which the clip is turned first.
        landmarks: see `track`.

    Raises:
        UsageError: it is no video, or one of the parts would be shorter than half a second.
        MediaError, PoseError: see `track`.
    """
    if not video.is_file():
        raise UsageError(
            f"{video} is not a video file: evaluation needs the video itself, since what is held out is tracked apart"
        )
    if not 0 < train_share < 1:
        raise UsageError(f"`train_share` must lie between 0 and 1, not {train_share:g}")
    if not 0 <= gap_seconds < float("inf"):
        raise UsageError(f"`gap` must be 0 seconds or more, not {gap_seconds:g}")
    info = probe(video)
    end = round(info.frames * train_share)
    start = end + round(gap_seconds * info.fps)
    least = LEAST_SECONDS * info.fps
    if end < least or info.frames - start < least:
        raise UsageError(
            f"{video} lasts {float(info.duration):.1f} s, too short to train on {train_share:.0%} of it and to hold "
            f"out the rest after {gap_seconds:g} s: give a longer clip"
        )
    options: dict[str, Any] = {"size": size, "rotate": rotate, "landmarks": landmarks}
    training = tracked(video, cache=cache, end=float(end / info.fps), **options)
    return Split(training, tracked(video, cache=cache, start=float(start / info.fps), **options))


def truth_of(video: Path, held_out: Performance, actor: Actor, size: int) -> Truth:
    """The held-out part as the truth for an actor of the same person, room and camera.

    Raises:
        UsageError: the video is not of the size that the actor's reference had.
    """
    if held_out.header.original_size_hw != actor.original_size_hw:
        (height, width), (theirs, wide) = held_out.header.original_size_hw, actor.original_size_hw
        raise UsageError(
            f"{video} is {width}x{height} and the actor's reference was {wide}x{theirs}: "
            "the truth must be filmed by the same camera at the same place"
        )
    return Truth(video, held_out, square_of(actor.crop, actor.working_size), size)


def part_of(truth: Truth, actor: Actor) -> Part:
    """What the actor has to play: the held-out poses where they are, since driver and reference are one person.

    Aligning them would move a person who stood elsewhere in the held-out part.
    """
    # from the clip's working pixels to the actor's, by way of the video's
    to_actor = actor.from_working @ actor.crop.relative_to(truth.performance.header.crop)
    driving = as_tracked_for(actor.recipe, truth.performance)
    moved = to_actor.of_pose(driving.poses, (actor.size, actor.size))
    found = driving.status > 0
    pose = held(moved, found)
    return Part(pose, np.zeros((len(pose), 2), np.int64), presence(found, truth.fps), truth.fps)
