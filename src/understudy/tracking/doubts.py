"""Where a tracked performance deserves a look: stretches of frames in which joints do what bodies hardly do.

For people who correct joints by hand (`performance.fixes`). Nothing is changed here, and not everything that is named
is wrong: the tracker's own mending (`tracking.slips`) has already taken out what no body can have done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.base.runs import runs
from understudy.performance import Performance
from understudy.poses import pose as p
from understudy.poses.edits import named
from understudy.poses.pose import Pose
from understudy.tracking.exchanges import GROUPS, exchanged_runs
from understudy.tracking.slips import LIMBS, body_heights, off_the_way

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating[Any]]

JOINTS = tuple(range(p.LEFT_SHOULDER, p.RIGHT_ANKLE + 1))
"""those that are looked at: shoulders, elbows, wrists, hips, knees, ankles"""
UNSURE = 0.2
"""confidence below which the tracker guesses, of a joint that it is usually twice as sure of"""
SHORTEST_UNSURE = 0.1
"""seconds for which a joint must be unsure or lost: for less, what is on both sides says where it is"""
LONGEST_UNSURE = 2.0
"""seconds; what is out of sight for longer cannot be put right by looking at it"""
AWAY = 0.06
"""body heights by which a joint must lie off the way between where it was and where it is again"""
LONGEST_LEAP = 0.2
"""seconds that a joint which leaps is away"""
LIVELIER = 2.0
"""times as far off its way as it usually is within a second: who dances wildly does so all the time"""
LONGER = 1.2
"""times the greatest length that a limb usually has (of 95 in 100 frames), the most in clean tracks"""
LONGER_BY = 0.03
"""body heights by which it must be longer in any case"""
TOGETHER = 0.1
"""seconds between which two stretches with the same thing wrong are one"""
MOST = 30
"""stretches that are named, the worst ones"""


@dataclass(frozen=True)
class Doubt:
    """A stretch of frames that deserves a look."""

    first: int
    last: int
    """included"""
    points: tuple[int, ...]
    """among the 133"""
    reason: str
    """in words, such as "leaping away and back: left wrist" """
    weight: float
    """how far beyond what is usual, 1 = just so; the larger, the sooner it should be looked at"""


def doubts(performance: Performance) -> tuple[Doubt, ...]:
    """Stretches of frames that deserve a look, in the order of time; of more than `MOST`, the worst ones.

    Corrections that are in effect count: what was put right is no longer named.

    Example:
        for doubt in doubts(Performance.load("dance.performance")):
            print(doubt.first, doubt.last, doubt.reason)
    """
    return doubtful(performance.poses, performance.fps)


def doubtful(pose: Pose, fps: Fraction) -> tuple[Doubt, ...]:
    """As `doubts`, of T poses of one person, at `fps` frames per second."""
    if not len(pose):
        return ()
    height = body_heights(pose, fps)
    found = [*_exchanged(pose, fps, height), *_leaps(pose, fps, height), *_limbs(pose, fps, height)]
    found += _unsure(pose, fps)
    worst = sorted(found, key=lambda one: -one.weight)[:MOST]
    return tuple(sorted(worst, key=lambda one: (one.first, one.last, one.points)))


def _exchanged(pose: Pose, fps: Fraction, height: Floats) -> Iterator[Doubt]:
    """Sides that change places and back, or change and stay so: the frames about the change."""
    for name, limbs in zip(("arms", "legs", "trunk"), GROUPS, strict=True):
        points = tuple(point for pair in limbs.deciding for point in pair)
        runs, changes = exchanged_runs(pose, limbs, fps, height)
        for first, stop in runs:
            yield Doubt(first, stop - 1, points, f"left and right seem to be exchanged: {name}", 10.0)
        for change in changes:
            first = max(0, change - 1)
            yield Doubt(first, change, points, f"left and right change places and stay so: {name}", 10.0)


def _leaps(pose: Pose, fps: Fraction, height: Floats) -> Iterator[Doubt]:
    """Joints that go off their way and come back."""
    xy = pose.xy[:, JOINTS].astype(np.float64) / height[:, None, None]
    seen = pose.confidence[:, JOINTS] > 0
    off = np.zeros(seen.shape)
    for count in range(1, max(1, int(LONGEST_LEAP * fps)) + 1):
        off = np.maximum(off, _off_the_way(xy, seen, count))
    usual = _usual(off, fps)
    weight = off / np.maximum(AWAY, LIVELIER * usual)
    yield from _stretches(weight, [(joint,) for joint in JOINTS], fps, "leaping away and back: {}")


def _off_the_way(xy: Floats, seen: Bools, count: int) -> Floats:
    """(T, J) of every frame, how far the worst of the runs of `count` frames that it is in is off its way."""
    nearest = off_the_way(xy, seen, count)
    off = np.zeros(seen.shape)
    for k in range(1, count + 1):
        off[k : k + len(nearest)] = np.maximum(off[k : k + len(nearest)], nearest)
    return off


def _limbs(pose: Pose, fps: Fraction, height: Floats) -> Iterator[Doubt]:
    """Limbs that are longer than ever. Shorter ones are none: they may point at the camera."""
    xy = pose.xy.astype(np.float64) / height[:, None, None]
    inner, outer = (list(ends) for ends in zip(*LIMBS, strict=True))
    seen = (pose.confidence[:, inner] > 0) & (pose.confidence[:, outer] > 0)
    length = np.where(seen, np.linalg.norm(xy[:, inner] - xy[:, outer], axis=-1), 0)
    usual = [
        np.percentile(one[there], 95) if there.any() else np.inf for one, there in zip(length.T, seen.T, strict=True)
    ]
    weight = length / np.maximum(LONGER * np.array(usual), np.array(usual) + LONGER_BY)
    yield from _stretches(weight, LIMBS, fps, "longer than ever: {}")


def _unsure(pose: Pose, fps: Fraction) -> Iterator[Doubt]:
    """Joints that the tracker is unsure of, or has lost, for a while."""
    confidence = pose.confidence[:, JOINTS].astype(np.float64)
    usual = np.median(confidence[pose.found], axis=0) if pose.found.any() else np.zeros(len(JOINTS))
    unsure = (confidence < np.minimum(UNSURE, usual / 2)) & pose.found[:, None]
    for column in range(len(JOINTS)):
        for first, stop in runs(unsure[:, column]):
            if not SHORTEST_UNSURE * fps <= stop - first <= LONGEST_UNSURE * fps:
                unsure[first:stop, column] = False
    weight = np.where(unsure, 1 + (UNSURE - confidence) / (2 * UNSURE), 0)
    yield from _stretches(weight, [(joint,) for joint in JOINTS], fps, "the tracker is not sure of {}")


def _usual(off: Floats, fps: Fraction) -> Floats:
    """(T, J) the median over the second before and after of what is not nothing."""
    return np.nan_to_num(_median(np.where(off > 0, off, np.nan), int(fps)))


def _median(values: Floats, reach: int) -> Floats:
    """(T, J) medians over as many frames before and after, without those that are no numbers; NaN where all are."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of windows without any number
        if reach >= len(values):
            return np.broadcast_to(np.nanmedian(values, axis=0), values.shape)
        edge = np.full((reach, values.shape[1]), np.nan)
        padded = np.concatenate([edge, values, edge])
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
        return np.asarray(np.nanmedian(windows, axis=-1))


def _stretches(weight: Floats, points: Sequence[tuple[int, ...]], fps: Fraction, reason: str) -> Iterator[Doubt]:
    """Runs of frames in which something weighs at least 1; what lies near in time is one, of several joints or limbs.

    Args:
        weight: (T, N).
        points: of each of the N.
        reason: in words, with {} where they are named.
    """
    near = max(1, int(TOGETHER * fps))
    heavy = weight >= 1
    at = np.flatnonzero(heavy.any(axis=1))
    for run in np.split(at, np.flatnonzero(np.diff(at) > near) + 1) if len(at) else []:
        columns = [int(column) for column in np.flatnonzero(heavy[run].any(axis=0))]
        mine = sorted({point for column in columns for point in points[column]})
        called = ", ".join(" to ".join(named([point]) for point in points[column]) for column in columns)
        yield Doubt(int(run[0]), int(run[-1]), tuple(mine), reason.format(called), float(weight[run].max()))
