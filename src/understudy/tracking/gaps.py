"""Frames and joints that the tracker did not find: kept, marked, and filled in only where the gap is short."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from understudy.errors import PoseError
from understudy.performance import FOUND, INTERPOLATED, MISSING
from understudy.poses.pose import FloatArray, Pose

LONGEST_GAP = Fraction(1, 4)
"""Seconds. Dance music has about two beats a second and a limb about one stroke per beat, so that a gap of a quarter
of a second mostly lies within one stroke, where a straight line is a fair guess; a longer one hides turning points."""

INTERPOLATED_CONFIDENCE = np.float32(0.5)
"""Share of its neighbours' confidence that an interpolated point has: it is drawn, but weaker than a seen one."""


def fill_gaps(pose: Pose, fps: Fraction, longest: Fraction = LONGEST_GAP) -> tuple[Pose, npt.NDArray[np.uint8]]:
    """Interpolates every point over its short gaps in time; no frame is added or dropped.

    A gap is a run of frames in which one point is not seen, with frames before and after in which it is. When it lasts
    at most `longest`, xy runs on a straight line between the two, and so does the confidence, reduced to half. Longer
    gaps, and those at the clip's start and end, stay as they are. Frames with nobody in them are gaps of all points.

    Args:
        pose: T frames as tracked.
        fps: frames per second.
        longest: seconds; 0 fills nothing.

    Returns:
        The pose, and the status of each frame, (T,) uint8: 2 found, 1 nobody found but interpolated, 0 missing.

    Raises:
        ValueError: a rate that is not above 0, or a negative length.
    """
    if fps <= 0 or longest < 0:
        raise ValueError(f"fps must be above 0 and the longest gap at least 0 s, not {fps} and {longest}")
    frames = len(pose)
    seen = pose.confidence > 0
    before, after = _neighbours_in_time(seen)
    inside = ~seen & (before >= 0) & (after < frames)
    fill = inside & (after - before - 1 <= int(longest * fps))

    t, point = np.nonzero(fill)
    first, last = before[t, point], after[t, point]
    share = ((t - first) / (last - first)).astype(np.float32)
    xy, confidence = pose.xy.copy(), pose.confidence.copy()
    xy[t, point] = _between(pose.xy[first, point], pose.xy[last, point], share[:, None])
    confidence[t, point] = INTERPOLATED_CONFIDENCE * _between(
        pose.confidence[first, point], pose.confidence[last, point], share
    )
    filled = Pose(xy, confidence, pose.size_hw)
    return filled, frame_status(pose, filled)


def frame_status(tracked: Pose, filled: Pose) -> npt.NDArray[np.uint8]:
    """(T,) uint8: 2 where `tracked` has a body joint, 1 where only `filled` has, 0 where neither."""
    status = np.full(len(tracked), MISSING, np.uint8)
    status[filled.found] = INTERPOLATED
    status[tracked.found] = FOUND
    return status


def require_person(status: npt.NDArray[np.uint8], fps: Fraction) -> None:
    """Checks that the clip shows somebody: in at least half of its frames a person was found.

    Raises:
        PoseError: fewer, or no frames at all.
    """
    found, frames = int((status == FOUND).sum()), len(status)
    if frames == 0:
        raise PoseError("the clip has no frames, so there is nobody to track: check `start` and `end`")
    if 2 * found < frames:
        there = np.flatnonzero(status == FOUND)
        when = f" ({there[0] / float(fps):.1f} s to {(there[-1] + 1) / float(fps):.1f} s)" if found else ""
        raise PoseError(
            f"a person was found in {found} of {frames} frames{when}, and at least half are needed: film the whole "
            "body in better light, or say which part and whom you mean: `understudy track VIDEO --start SECONDS "
            "--end SECONDS --region X,Y,W,H --output NAME.performance`, or where there are such, `--driving-start` or "
            "`--reference-start`"
        )


def _neighbours_in_time(seen: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """(T, J) frame of the last sighting at or before t (-1: none) and of the next at or after t (T: none)."""
    frames = len(seen)
    t = np.arange(frames)[:, None]
    before = np.maximum.accumulate(np.where(seen, t, -1), axis=0)
    after = np.minimum.accumulate(np.where(seen, t, frames)[::-1], axis=0)[::-1]
    return before, after


def _between(first: FloatArray, last: FloatArray, share: FloatArray) -> FloatArray:
    return first + (last - first) * share
