"""Feet that stay on the floor, one pose after the other: a foot that stands keeps the place where it landed.

A tracker's ankles slide by a little while a foot stands, and an actor of another size makes more of it. Which foot
stands is told by how slowly it moves, measured in body heights, as motion capture is cleaned (Kovar, Schreiner,
Gleicher: "Footskate Cleanup for Motion Capture Editing", SCA 2002, who then bend the legs; here the whole body is
moved, because poses in two dimensions say nothing of what a leg can reach).

It adds no delay: what a pose becomes depends on it and on those before, and it comes out at once.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from understudy.poses.pose import (
    LEFT_ANKLE,
    LEFT_BIG_TOE,
    LEFT_HEEL,
    RIGHT_ANKLE,
    RIGHT_BIG_TOE,
    RIGHT_HEEL,
    Pose,
)

FEET = ((LEFT_ANKLE, LEFT_HEEL, LEFT_BIG_TOE), (RIGHT_ANKLE, RIGHT_HEEL, RIGHT_BIG_TOE))
LANDS_BELOW = 0.15
"""body heights a second: a foot that becomes slower than this stands"""
LEAVES_ABOVE = 0.4
"""body heights a second: one that stands, and becomes quicker than this, has left the floor"""
ON_FLOOR = 0.06
"""body heights by which a foot that stands may be higher in the picture than the other one"""
SPEED_SECONDS = 0.08
"""over which a foot's speed is averaged (exponentially), against a tracker's trembling"""
FADE_SECONDS = 0.25
"""in which what was moved while a foot stood fades to 1/e of it, once none does"""
MOST = 0.06
"""body heights: a foot that slid farther than this has stepped, however slowly"""

Floats = npt.NDArray[np.float64]


class _Foot(NamedTuple):
    """Where one foot is."""

    whole: bool
    """by heel and toe, and not by the ankle"""
    xy: Floats


class FootLock:
    """Moves pose after pose of one person so that a standing foot stays where it landed.

    Args:
        height: pixels of the person, from head to feet, in the frame of the poses.
    """

    def __init__(self, height: float) -> None:
        self.height = max(height, 1.0)
        self.begin()

    def begin(self) -> None:
        """The next pose follows on none before."""
        self._feet: list[_Foot | None] = [None, None]
        self._velocity: list[Floats] = [np.zeros(2), np.zeros(2)]
        self.standing = [False, False]
        """left, right: which foot stands, after the latest pose"""
        self._held: int | None = None
        self._place = np.zeros(2)
        self._shift = np.zeros(2)

    def __call__(self, pose: Pose, seconds: float) -> Pose:
        """The next pose, (1, 133), moved as a whole; as it is while no foot stands and nothing is left to fade.

        Args:
            pose: the next one.
            seconds: since the one before.
        """
        feet = [_foot(pose, points) for points in FEET]
        self._notice(feet, max(seconds, 1e-3))
        held = self._support(feet)
        there = None if held is None else feet[held]
        if there is None:
            self._held = None
            self._shift = self._shift * math.exp(-seconds / FADE_SECONDS)
        else:
            foot = there.xy
            if held != self._held:  # it landed where it is shown, so that nothing jumps
                self._held, self._place = held, foot + self._shift
            self._shift = self._place - foot
            if float(np.linalg.norm(self._shift)) > MOST * self.height:
                self._shift *= MOST * self.height / float(np.linalg.norm(self._shift))
                self._place = foot + self._shift
        if not self._shift.any():
            return pose
        return Pose(pose.xy + self._shift.astype(np.float32), pose.confidence, pose.size_hw)

    def _notice(self, feet: list[_Foot | None], seconds: float) -> None:
        """How fast the feet are, and so which of them stand."""
        weight = 1 - math.exp(-seconds / SPEED_SECONDS)
        for side, foot in enumerate(feet):
            before = self._feet[side]
            self._feet[side] = foot
            if foot is None or before is None or foot.whole != before.whole:
                self.standing[side], self._velocity[side] = False, np.full(2, LEAVES_ABOVE)
                continue
            now = (foot.xy - before.xy) / (seconds * self.height)
            self._velocity[side] = self._velocity[side] + weight * (now - self._velocity[side])
            speed = float(np.linalg.norm(self._velocity[side]))
            self.standing[side] = speed < (LEAVES_ABOVE if self.standing[side] else LANDS_BELOW)

    def _support(self, feet: list[_Foot | None]) -> int | None:
        """The foot to hold: the one that is held, as long as it stands, else the lower one that does."""
        there = {side: float(foot.xy[1]) for side, foot in enumerate(feet) if foot is not None}
        lowest = max(there.values(), default=0.0)
        able = [side for side, y in there.items() if self.standing[side] and lowest - y <= ON_FLOOR * self.height]
        if self._held in able:
            return self._held
        return max(able, key=lambda side: there[side], default=None)


def _foot(pose: Pose, points: tuple[int, int, int]) -> _Foot | None:
    """The middle of heel and toe, or the ankle where they are not both seen; None where that is not seen either."""
    ankle, heel, toe = points
    seen = pose.confidence[0] > 0
    if seen[heel] and seen[toe]:
        return _Foot(True, (pose.xy[0, heel].astype(np.float64) + pose.xy[0, toe]) / 2)
    return _Foot(False, pose.xy[0, ankle].astype(np.float64)) if seen[ankle] else None
