"""One person throughout: a tracker that jumps to somebody else is noticed, and those frames count as not found."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from understudy.poses import pose as p
from understudy.poses.pose import Pose

TRUNK = [p.LEFT_SHOULDER, p.RIGHT_SHOULDER, p.LEFT_HIP, p.RIGHT_HIP]

JUMP = 1.0
"""trunk lengths by which the middle of the trunk may move between two frames, whatever the rate"""
SPEED = 10.0
"""trunk lengths per second on top of that: about 5 m/s, a sprint"""
LONGEST_WAIT = 1.0
"""seconds; after a longer gap the allowed distance does not grow any more"""
GROWTH = 1.6
"""a trunk that is this many times larger or smaller after a jump is another person's"""


def same_person(poses: Pose, fps: Fraction) -> tuple[Pose, npt.NDArray[np.bool_]]:
    """Keeps the person who is followed longest; where the tracker followed another one, confidence becomes 0.

    Runs of frames without a jump are made first. The longest run is the person; going out from it in both
    directions, runs that go on where the person was last seen are kept too.

    Args:
        poses: as tracked, before gaps are filled.
        fps: frames per second.

    Returns:
        The poses, and (T,) true where somebody else had been tracked.
    """
    centre, length, seen = _trunks(poses)
    frames = np.flatnonzero(seen)
    if len(frames) < 2:
        return poses, np.zeros(len(poses), bool)
    typical = float(np.median(length[frames]))

    def goes_on(before: int, after: int) -> bool:
        seconds = min(LONGEST_WAIT, abs(after - before) / float(fps))
        near = np.linalg.norm(centre[after] - centre[before]) <= (JUMP + SPEED * seconds) * typical
        if abs(after - before) == 1:  # side views shorten no trunk within one frame, but a bow may within a few
            return bool(near)
        ratio = length[after] / max(length[before], 1e-6)
        return bool(near and 1 / GROWTH < ratio < GROWTH)

    breaks = [i + 1 for i in range(len(frames) - 1) if not goes_on(frames[i], frames[i + 1])]
    runs = np.split(frames, breaks)
    longest = int(np.argmax([len(run) for run in runs]))
    kept = [runs[longest]]
    for run in runs[longest + 1 :]:
        if goes_on(kept[-1][-1], run[0]):
            kept.append(run)
    for run in runs[:longest][::-1]:
        if goes_on(kept[0][0], run[-1]):
            kept.insert(0, run)
    other = seen.copy()
    other[np.concatenate(kept)] = False
    confidence = np.where(other[:, None], np.float32(0), poses.confidence)
    return Pose(poses.xy, confidence, poses.size_hw), other


def _trunks(poses: Pose) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """(T, 2) middle and (T,) length of the trunk, and (T,) where its four corners are seen."""
    corners = poses.xy[:, TRUNK].astype(np.float64)
    seen = np.asarray((poses.confidence[:, TRUNK] > 0).all(axis=1), np.bool_)
    length = np.linalg.norm(corners[:, :2].mean(axis=1) - corners[:, 2:].mean(axis=1), axis=1)
    return corners.mean(axis=1), length, seen
