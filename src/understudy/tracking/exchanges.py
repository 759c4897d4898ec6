"""Left taken for right: arms, legs or trunk that change places for some frames, and hands at the wrong wrist.

All lengths are in body heights, which the callers give in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.base.runs import runs as runs_of_true
from understudy.poses import pose as p
from understudy.poses.pose import Pose
from understudy.tracking.gaps import LONGEST_GAP

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating[Any]]
Pairs = tuple[tuple[int, int], ...]

GAIN = 0.05
"""body heights by which the mean step of the joints must be shorter when left and right change places: a tracker's
tremble is 0.003 to 0.01. In clean tracks of 25 frames a second and more it is at most 0.012, at 15 at most 0.055"""
SHORTER = 0.5
"""times the step as it is, at most, that is left of it then; crossing legs had 0.52 at the least"""
STRAIGHTER = 1 / 3
"""times the bend of the paths as they are, at most, that is left of it then: who spins has been on the way already,
and would turn back at once. From 24 frames a second on, 3.5 turns a second with spread arms are untouched, 1.5 at 10"""
AT_ONCE = 0.6
"""the same for the two frames next to an end, at one end at least (at the other, one of them may be neither)"""
SPEED = 2.5
"""body heights a second (4.3 m/s for 1.7 m) that the joints of both sides must seem to have on average, so that legs
which cross between two frames of a slow camera are left alone. Two elbows and two wrists, or two knees and two ankles,
were never faster than 2.4 at once in dances and motion capture where exchanging them would have been shorter"""
LONGEST = 1.0
"""seconds; an exchange that lasts longer is kept: whoever stays like that has more likely turned round"""
AROUND = 2
"""frames at each side of an end among which a clear one is looked for: where sides change, a frame may be neither"""
AT_WRIST = 0.06
"""body heights: a hand's root lies nearer than this to its own wrist, or else is not its"""


@dataclass(frozen=True)
class Limbs:
    """Joints, as (left, right), that a tracker takes for one another together."""

    deciding: Pairs
    """whose paths show it; all of them must be seen"""
    following: Pairs
    """exchanged along with them, each where its own path is shorter then"""


_HEAD: Pairs = ((p.LEFT_EYE, p.RIGHT_EYE), (p.LEFT_EAR, p.RIGHT_EAR))
_SHOULDERS, _HIPS = (p.LEFT_SHOULDER, p.RIGHT_SHOULDER), (p.LEFT_HIP, p.RIGHT_HIP)
_FEET: Pairs = tuple((p.LEFT_BIG_TOE + point, p.RIGHT_BIG_TOE + point) for point in range(3))
GROUPS = (
    Limbs(((p.LEFT_ELBOW, p.RIGHT_ELBOW), (p.LEFT_WRIST, p.RIGHT_WRIST)), (_SHOULDERS, *_HEAD)),
    Limbs(((p.LEFT_KNEE, p.RIGHT_KNEE), (p.LEFT_ANKLE, p.RIGHT_ANKLE)), (_HIPS, *_FEET)),
    Limbs((_SHOULDERS, _HIPS), _HEAD),
)


def exchange_sides(pose: Pose, fps: Fraction, height: Floats) -> tuple[Pose, Bools, Bools]:
    """Gives left and right their places back where exchanging them makes the joints' paths far shorter at both ends.

    Arms, legs and trunk are looked at one by one. A turn of the person is left alone: in it left and right meet in
    profile, so that no joint leaps.

    Args:
        pose: T frames as tracked.
        fps: frames per second.
        height: (T,) body height, pixels.

    Returns:
        The pose, (T,) true where something was exchanged back, and (T,) true where left and right clearly change places
        and stay so for longer than a second, or to an end of the clip: nobody can tell which is right, and it is kept.
    """
    mended, kept = np.zeros(len(pose), bool), np.zeros(len(pose), bool)
    for limbs in GROUPS:
        runs, changes = exchanged_runs(pose, limbs, fps, height)
        pose = _exchanged_back(pose, limbs, runs)
        for first, stop in runs:
            mended[first:stop] = True
        kept[changes] = True
    return pose, mended, kept


def exchanged_runs(pose: Pose, limbs: Limbs, fps: Fraction, height: Floats) -> tuple[list[tuple[int, int]], list[int]]:
    """Runs (first, stop) to exchange, and the first frames after changes that stay."""
    left, right = (list(side) for side in zip(*limbs.deciding, strict=True))
    frames = np.flatnonzero((pose.confidence[:, left + right] > 0).all(axis=1))
    xy = np.stack([pose.xy[frames][:, left], pose.xy[frames][:, right]], axis=1) / height[frames, None, None, None]
    runs: list[tuple[int, int]] = []
    changes: list[int] = []
    breaks = np.flatnonzero(np.diff(frames) > max(1, int(LONGEST_GAP * fps))) + 1
    for chain in np.split(np.arange(len(frames)), breaks):
        own, at = xy[chain], frames[chain]
        states = _shortest(own)
        if 2 * states.sum() > len(states):
            states = ~states
        for a, b in runs_of_true(states):
            first, stop = int(frames[chain[a]]), int(frames[chain[b - 1]]) + 1
            ends = [end for end in (a, b) if 0 < end < len(chain)]
            near = {end: _near(own, at, end, (a, b)) for end in ends}
            clear = [end for end in ends if _is_clear(*near[end], fps)]
            sudden = [end for end in clear if _is_sudden(*near[end])]
            if len(clear) == 2 and sudden and stop - first <= LONGEST * fps:
                runs.append((first, stop))
            else:
                changes += [int(frames[chain[end]]) for end in sudden]
    return runs, changes


def _shortest(xy: Floats) -> Bools:
    """(T,) whether the sides are exchanged on the shortest path through the frames; each change costs `GAIN`.

    Args:
        xy: (T, 2, pairs, 2) left and right in body heights.
    """
    straight, crossed = (each.mean(axis=1) for each in _steps(xy[:-1], xy[1:]))
    cost = np.zeros(2)
    came_from = np.zeros((len(xy), 2), np.intp)
    for t in range(1, len(xy)):
        stay = cost + straight[t - 1]
        change = cost[::-1] + crossed[t - 1] + GAIN
        came_from[t] = np.where(change < stay, [1, 0], [0, 1])
        cost = np.minimum(stay, change)
    states = np.zeros(len(xy), bool)
    state = int(cost[1] < cost[0])
    for t in range(len(xy) - 1, -1, -1):
        states[t] = bool(state)
        state = int(came_from[t, state])
    return states


def _steps(before: Floats, after: Floats) -> tuple[Floats, Floats]:
    """(..., pairs) mean length of both sides' steps, as they are named and with the names exchanged."""
    straight = np.linalg.norm(after - before, axis=-1).mean(axis=-2)
    crossed = np.linalg.norm(after[..., ::-1, :, :] - before, axis=-1).mean(axis=-2)
    return straight, crossed


def _near(
    xy: Floats, frames: npt.NDArray[np.intp], end: int, run: tuple[int, int]
) -> tuple[Floats, npt.NDArray[np.intp], int, tuple[int, int]]:
    """What is looked at about an end: an hour's frames are not copied for each of thousands of ends."""
    start, stop = max(0, end - 3 * AROUND), min(len(xy), end + 3 * AROUND)
    a, b = (min(max(each, start), stop) - start for each in run)
    return xy[start:stop], frames[start:stop], end - start, (a, b)


def _is_clear(xy: Floats, frames: npt.NDArray[np.intp], end: int, run: tuple[int, int], fps: Fraction) -> bool:
    """Whether two frames at both sides of an end show beyond doubt that the sides change there.

    Args:
        xy: (T, 2, pairs, 2) left and right in body heights.
        frames: (T,) their frames in the clip.
        end: where the run begins or stops; both are in `run`.
        fps: frames per second.
    """
    a, b = run
    back = xy.copy()
    back[a:b] = xy[a:b, ::-1]
    firsts, lasts = range(max(0, end - AROUND), end), range(end, min(len(xy), end + AROUND))
    for first in reversed(firsts):
        for last in lasts:
            if (first < a) == (end == b) or (last < b) == (end == b):  # beyond the run's other end
                continue
            straight, crossed = _steps(xy[first], xy[last])
            step, other = straight.mean(), crossed.mean()
            seconds = int(frames[last] - frames[first]) / float(fps)
            far = step - other >= GAIN and other <= SHORTER * step and step >= SPEED * seconds
            alike = (straight >= crossed - GAIN / 2).all()  # not one pair at the cost of another
            if far and alike and _bend(back, first, last) <= STRAIGHTER * _bend(xy, first, last):
                return True
    return False


def _is_sudden(xy: Floats, _frames: npt.NDArray[np.intp], end: int, run: tuple[int, int]) -> bool:
    """Whether the two frames next to an end show it too: in no turn do they."""
    back = xy.copy()
    back[slice(*run)] = xy[slice(*run), ::-1]
    return _bend(back, end - 1, end) <= AT_ONCE * _bend(xy, end - 1, end)


def _bend(xy: Floats, first: int, last: int) -> float:
    """How much the paths bend at two frames, seen as if the clip had no frames but every (last - first)-th."""
    step = xy[last] - xy[first]
    before, after = 2 * first - last, 2 * last - first
    bends = [xy[before] - xy[first] + step] if before >= 0 else []
    bends += [xy[after] - xy[last] - step] if after < len(xy) else []
    return sum(float(np.linalg.norm(bend, axis=-1).sum()) for bend in bends)


def _exchanged_back(pose: Pose, limbs: Limbs, runs: list[tuple[int, int]]) -> Pose:
    xy, confidence = pose.xy.copy(), pose.confidence.copy()
    for first, stop in runs:
        for left, right in (*limbs.deciding, *(pair for pair in limbs.following if _follows(pose, pair, first, stop))):
            xy[first:stop, [left, right]] = pose.xy[first:stop, [right, left]]
            confidence[first:stop, [left, right]] = pose.confidence[first:stop, [right, left]]
    return Pose(xy, confidence, pose.size_hw)


def _follows(pose: Pose, pair: tuple[int, int], first: int, stop: int) -> bool:
    """Whether the pair's own path into the run and out of it is shorter when it is exchanged too, or not known."""
    straight = crossed = 0.0
    for before, after in ((first - 1, first), (stop - 1, stop)):
        for one, other in (pair, pair[::-1]):
            if (pose.confidence[before, one] > 0) and (pose.confidence[after, list(pair)] > 0).all():
                straight += float(np.linalg.norm(pose.xy[after, one] - pose.xy[before, one]))
                crossed += float(np.linalg.norm(pose.xy[after, other] - pose.xy[before, one]))
    return crossed <= straight


def exchange_hands(pose: Pose, height: Floats) -> tuple[Pose, Bools]:
    """Gives every hand to the wrist that it sits at; a second hand at the same wrist is dropped.

    Args:
        pose: T frames.
        height: (T,) body height, pixels.

    Returns:
        The pose, and (T,) true where a hand was moved or dropped.
    """
    hands, wrists = (p.LEFT_HAND, p.RIGHT_HAND), (p.LEFT_WRIST, p.RIGHT_WRIST)
    there = np.stack([pose.confidence[:, hand.start] > 0 for hand in hands], axis=1)
    roots = np.stack([pose.xy[:, hand.start] for hand in hands], axis=1)
    away = np.linalg.norm(roots[:, :, None] - pose.xy[:, None, list(wrists)], axis=-1) / height[:, None, None]
    wrists_seen = (pose.confidence[:, list(wrists)] > 0).all(axis=1)
    apart = np.linalg.norm(pose.xy[:, wrists[0]] - pose.xy[:, wrists[1]], axis=-1) / height > 2 * AT_WRIST
    own = np.stack([away[:, 0, 0], away[:, 1, 1]], axis=1)
    others = np.stack([away[:, 0, 1], away[:, 1, 0]], axis=1)
    wrong = there & (own > AT_WRIST) & (others < AT_WRIST) & (wrists_seen & apart)[:, None]
    left, right = wrong.T
    swap = (left & (right | ~there[:, 1])) | (right & ~there[:, 0])
    xy, confidence = pose.xy.copy(), pose.confidence.copy()
    for mine, his in (hands, hands[::-1]):
        xy[swap, mine] = pose.xy[swap, his]
        confidence[swap, mine] = pose.confidence[swap, his]
    for alone, hand in zip((left & ~swap, right & ~swap), hands, strict=True):
        confidence[alone, hand] = 0
    return Pose(xy, confidence, pose.size_hw), wrong.any(axis=1)
