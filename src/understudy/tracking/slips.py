"""The tracker's slips: what no body does between two frames, found in the paths of the joints, and mended.

Lengths are in body heights, so that the same numbers fit every size and distance. A slip must show where it begins and
where it is over; what happens once and stays may be the picture's own doing (a cut, somebody who turned), and is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.poses import pose as p
from understudy.poses.pose import BODY, Pose
from understudy.poses.slip import Slip
from understudy.tracking.exchanges import exchange_hands, exchange_sides
from understudy.tracking.gaps import LONGEST_GAP

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating[Any]]

JOINTS = slice(BODY.start, p.FEET.stop)
TRUNKS = 3.0
"""trunks (shoulders to hips) in a body height, by which a person is measured who is not seen whole"""
NEARBY = 1.0
"""seconds before and after over whose median a person's size is taken: somebody may come nearer"""

BODY_SPEED = 7.0
"""body heights a second, 12 m/s for 1.7 m: the fastest sprinter ever measured. No body as a whole is faster"""
TREMBLE = 0.05
"""body heights by which half of the joints may tremble from frame to frame on top of that"""
LONGEST_LEAP = 2.0
"""seconds; who comes back after a longer time may have been there"""

ACCELERATION = 180.0
"""body heights a second squared, 300 m/s2 or 30 g for 1.7 m, by which a joint may leave its path. Feet in dances, from
motion capture at 15 to 60 frames a second, reach 76 at the most; half as fast again that is 171"""
AWAY = 0.08
"""body heights that a joint must leap away in any case: less is a tracker's tremble, which smoothing takes out"""
STRETCH = 1.35
"""times its usual greatest length (of 95 in 100 frames) that no limb is seen at: 1.2 is the most in clean tracks"""
LONGEST_JOINT_LEAP = 0.1
"""seconds that a single joint is away: a line over a longer time would be a worse guess"""

LIMBS: tuple[tuple[int, int], ...] = (
    (p.LEFT_SHOULDER, p.LEFT_ELBOW), (p.LEFT_ELBOW, p.LEFT_WRIST),
    (p.RIGHT_SHOULDER, p.RIGHT_ELBOW), (p.RIGHT_ELBOW, p.RIGHT_WRIST),
    (p.LEFT_HIP, p.LEFT_KNEE), (p.LEFT_KNEE, p.LEFT_ANKLE),
    (p.RIGHT_HIP, p.RIGHT_KNEE), (p.RIGHT_KNEE, p.RIGHT_ANKLE),
)  # fmt: skip


def mend_slips(pose: Pose, fps: Fraction) -> tuple[Pose, tuple[Slip, ...]]:
    """Mends what a body cannot have done, before gaps are filled and anything is smoothed.

    What leaps away for a moment is taken out (confidence 0), so that `fill_gaps` goes over it; what changed sides is
    given its place back.

    Args:
        pose: T frames as tracked, one person throughout (`same_person`).
        fps: frames per second.

    Returns:
        The pose, and what was found, mended or not; nothing where all is well.

    Raises:
        ValueError: a rate that is not above 0.
    """
    if fps <= 0:
        raise ValueError(f"fps must be above 0, not {fps}")
    height = body_heights(pose, fps)
    pose, leapt, stayed = drop_leaps_of_the_body(pose, fps, height)
    pose, exchanged, _ = exchange_sides(pose, fps, height)
    pose, hands = exchange_hands(pose, height)
    pose, joints = drop_leaps_of_joints(pose, fps, height)
    pose, later, stay = exchange_sides(pose, fps, height)  # clearer without the joints that lay anywhere
    exchanged |= later
    pose, moved = exchange_hands(pose, height)  # to the wrists that have changed places since
    hands |= moved
    found = (
        Slip.of("the whole body leaps away", "mended", leapt),
        Slip.of("the whole body leaps away", "kept", stayed),
        Slip.of("sides exchanged", "mended", exchanged),
        Slip.of("sides change places and stay", "kept", stay),
        Slip.of("hands at the wrong wrist", "mended", hands),
        Slip.of("joints leap away", "mended", joints),
    )
    return pose, tuple(slip for slip in found if slip.frames)


def counted(slips: Sequence[Slip]) -> str:
    """For instance "sides exchanged in 3 frames, joints leap away in 1 frame"."""
    return ", ".join(f"{slip.kind} in {slip.count} frame{'s' if slip.count > 1 else ''}" for slip in slips)


def body_heights(pose: Pose, fps: Fraction) -> Floats:
    """(T,) pixels: the longer side of the box around the body, or three trunks, over the second before and after."""
    xy, seen = pose.xy[:, BODY].astype(np.float64), pose.confidence[:, BODY, None] > 0
    box = (np.where(seen, xy, -np.inf).max(axis=1) - np.where(seen, xy, np.inf).min(axis=1)).max(axis=1)
    corners = [p.LEFT_SHOULDER, p.RIGHT_SHOULDER, p.LEFT_HIP, p.RIGHT_HIP]
    trunk = np.linalg.norm(xy[:, corners[:2]].mean(axis=1) - xy[:, corners[2:]].mean(axis=1), axis=1)
    trunk = np.where(seen[:, corners, 0].all(axis=1), trunk, 0)
    frames = np.flatnonzero(pose.found)
    if not len(frames):
        return np.ones(len(pose))
    size = np.maximum(box[frames], TRUNKS * trunk[frames])
    reach = int(NEARBY * fps)
    first, stop = (np.searchsorted(frames, np.arange(len(pose)) + shift) for shift in (-reach, reach + 1))
    median = float(np.median(size))
    heights = [np.median(size[a:b]) if b > a else median for a, b in zip(first, stop, strict=True)]
    return np.maximum(heights, 1.0)


def drop_leaps_of_the_body(pose: Pose, fps: Fraction, height: Floats) -> tuple[Pose, Bools, Bools]:
    """Takes out short runs of frames into which the whole body leaps, and out of which it leaps back.

    Returns:
        The pose, (T,) true where a body was taken out, and (T,) true where it was away for longer than a gap that is
        filled, and was kept.
    """
    xy, seen = pose.xy[:, BODY].astype(np.float64), pose.confidence[:, BODY] > 0
    frames = np.flatnonzero(pose.found)

    def moved(before: int, after: int) -> float:
        both = seen[before] & seen[after]
        if both.sum() < 4:
            return 0.0
        return float(np.linalg.norm(np.median(xy[after, both] - xy[before, both], axis=0)) / height[before])

    def allowed(before: int, after: int) -> float:
        return TREMBLE + BODY_SPEED * (after - before) / float(fps)

    leaps = [i + 1 for i in range(len(frames) - 1) if moved(*frames[i : i + 2]) > allowed(*frames[i : i + 2])]
    dropped, kept = np.zeros(len(pose), bool), np.zeros(len(pose), bool)
    begun = 0
    while begun < len(leaps) - 1:
        a, b = leaps[begun], leaps[begun + 1]
        before, first, last, after = frames[[a - 1, a, b - 1, b]]
        there = moved(before, first)
        if last - first + 1 <= LONGEST_LEAP * fps and moved(before, after) < min(there / 2, allowed(before, after)):
            short = after - before - 1 <= int(LONGEST_GAP * fps)
            (dropped if short else kept)[first : last + 1] = True
            begun += 2
        else:
            begun += 1
    confidence = np.where(dropped[:, None], np.float32(0), pose.confidence)
    return Pose(pose.xy, confidence, pose.size_hw), dropped, kept


def drop_leaps_of_joints(pose: Pose, fps: Fraction, height: Floats) -> tuple[Pose, Bools]:
    """Takes out joints that leap away from their path and back within a tenth of a second, an ankle with its foot.

    Returns:
        The pose, and (T,) true where a joint was taken out.
    """
    confidence = pose.confidence.copy()
    xy = pose.xy[:, JOINTS].astype(np.float64) / height[:, None, None]
    impossible = _stretched(xy, confidence[:, JOINTS] > 0) | _jerked(xy, fps)
    for count in range(1, max(1, int(LONGEST_JOINT_LEAP * fps)) + 1):
        wrong = _away(xy, confidence[:, JOINTS] > 0, impossible, count)
        confidence[:, JOINTS][wrong] = 0
    for ankle, foot in ((p.LEFT_ANKLE, p.FEET.start), (p.RIGHT_ANKLE, p.FEET.start + 3)):
        leapt = (confidence[:, ankle] == 0) & (pose.confidence[:, ankle] > 0)
        confidence[leapt, foot : foot + 3] = 0  # else it would be torn between where the ankle is and where it was
    changed = (confidence != pose.confidence).any(axis=1)
    return Pose(pose.xy, confidence, pose.size_hw), changed


def _away(xy: Floats, seen: Bools, impossible: Bools, count: int) -> Bools:
    """(T, J) true in runs of `count` frames off the line between their neighbours, if they begin and end impossibly."""
    nearest = off_the_way(xy, seen, count)
    runs = len(nearest)
    wrong = np.zeros(seen.shape, bool)
    if not runs:
        return wrong
    off = (nearest > AWAY) & impossible[1 : 1 + runs] & impossible[count : count + runs]
    far = np.pad(np.where(off, nearest, 0), ((1, 1), (0, 0)))
    off &= (far[1:-1] >= far[:-2]) & (far[1:-1] >= far[2:])  # beside a leap, what is right seems to leap the other way
    for k in range(1, count + 1):
        wrong[k : k + runs] |= off
    return wrong


def off_the_way(xy: Floats, seen: Bools, count: int) -> Floats:
    """How far all of `count` frames in a row are off the line between the frame before them and the one behind.

    Args:
        xy: (T, J, 2).
        seen: (T, J).

    Returns:
        (T - count - 1, J), of the runs whose frame before is 0, 1, ...: the distance of the nearest of them; 0 where a
        joint is not seen throughout, or has gone farther in between than it is off, so that it may just have moved on.
    """
    runs = max(0, len(xy) - count - 1)
    before, after = xy[:runs], xy[len(xy) - runs :]
    nearest = np.full(before.shape[:2], np.inf)
    whole = seen[:runs] & seen[len(xy) - runs :]
    for k in range(1, count + 1):
        line = before + (after - before) * (k / (count + 1))
        nearest = np.minimum(nearest, np.linalg.norm(xy[k : k + runs] - line, axis=-1))
        whole &= seen[k : k + runs]
    back = np.linalg.norm(after - before, axis=-1) < nearest
    return np.asarray(np.where(whole & back, nearest, 0), np.float64)


def _jerked(xy: Floats, fps: Fraction) -> Bools:
    """(T, J) true where the path of a joint bends more than a body can bend it."""
    bent = np.zeros(xy.shape[:2], bool)
    bound = max(AWAY, ACCELERATION / float(fps) ** 2)  # at high rates a tremble alone bends it that much
    bent[1:-1] = np.linalg.norm(xy[:-2] - 2 * xy[1:-1] + xy[2:], axis=-1) > bound
    return bent


def _stretched(xy: Floats, seen: Bools) -> Bools:
    """(T, J) true at both ends of a limb that is longer than this person's limb ever is."""
    stretched = np.zeros(seen.shape, bool)
    for inner, outer in LIMBS:
        both = seen[:, inner] & seen[:, outer]
        if both.any():
            length = np.linalg.norm(xy[:, inner] - xy[:, outer], axis=-1)
            usual = float(np.percentile(length[both], 95))
            long = both & (length > max(STRETCH * usual, usual + AWAY / 2))
            stretched[long, inner] = stretched[long, outer] = True
    return stretched
