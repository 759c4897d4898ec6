"""Feet that stay on the floor, one pose after the other: a foot that stands keeps the place where it landed.

A tracker's ankles slide by a little while a foot stands, and an actor of another size makes more of it. Which foot
stands is told by how slowly it moves, measured in body heights, as motion capture is cleaned (Kovar, Schreiner,
Gleicher: "Footskate Cleanup for Motion Capture Editing", SCA 2002, who then solve for the leg; here the foot is moved
and the knee goes half of the way, because what remains to be moved is a hundredth of the body's height).

It adds no delay: what a pose becomes depends on it and on those before, and it comes out at once.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from understudy.poses import pose as p
from understudy.poses.pose import Pose

LEGS = (
    (p.LEFT_KNEE, p.LEFT_ANKLE, p.LEFT_HEEL, p.LEFT_BIG_TOE, p.LEFT_SMALL_TOE),
    (p.RIGHT_KNEE, p.RIGHT_ANKLE, p.RIGHT_HEEL, p.RIGHT_BIG_TOE, p.RIGHT_SMALL_TOE),
)
SHARES = (0.5, 1.0, 1.0, 1.0, 1.0)
"""of a foot's way, that of the knee and of the foot's points"""
LANDS_BELOW = 0.12
"""body heights a second: a foot that becomes slower than this stands"""
LEAVES_ABOVE = 0.3
"""body heights a second: one that stands, and becomes quicker than this, has left the floor"""
ON_FLOOR = 0.06
"""body heights by which a foot that stands may be higher in the picture than the other one"""
SPEED_SECONDS = 0.08
"""over which a foot's speed is averaged (exponentially), against a tracker's trembling"""
FADE_SECONDS = 0.15
"""in which what a foot was moved fades to 1/e of it, once it has left"""
MOST = 0.03
"""body heights: a foot is moved by no more, so that one that steps very slowly is let go"""

Floats = npt.NDArray[np.float64]


class _Foot(NamedTuple):
    """Where one foot is."""

    whole: bool
    """by heel and toe, and not by the ankle"""
    xy: Floats


class _Leg:
    """What is known of one leg."""

    def __init__(self) -> None:
        self.foot: _Foot | None = None
        self.velocity = np.zeros(2)
        self.stands = False
        self.landed: Floats | None = None
        """where it is held"""
        self.shift = np.zeros(2)


class FootLock:
    """Moves the feet of one person, pose after pose, so that those which stand stay where they landed.

    Args:
        height: pixels of the person, from head to feet, in the frame of the poses.
    """

    def __init__(self, height: float) -> None:
        self.height = max(height, 1.0)
        self.begin()

    def begin(self) -> None:
        """The next pose follows on none before."""
        self._legs = (_Leg(), _Leg())

    @property
    def standing(self) -> tuple[bool, bool]:
        """Whether left and right foot are held, after the latest pose."""
        left, right = (leg.landed is not None for leg in self._legs)
        return left, right

    def __call__(self, pose: Pose, seconds: float) -> Pose:
        """The next pose, (1, 133); a leg is as it came while its foot does not stand and nothing is left to fade.

        Args:
            pose: the next one.
            seconds: since the one before.
        """
        feet = [_foot(pose, leg) for leg in LEGS]
        lowest = max((foot.xy[1] for foot in feet if foot is not None), default=0.0)
        xy = pose.xy.copy()
        for leg, points, foot in zip(self._legs, LEGS, feet, strict=True):
            self._notice(leg, foot, max(seconds, 1e-3))
            on_floor = foot is not None and lowest - foot.xy[1] <= ON_FLOOR * self.height
            self._hold(leg, foot if leg.stands and on_floor else None, seconds)
            xy[0, list(points)] += np.outer(SHARES, leg.shift).astype(np.float32)
        return Pose(xy, pose.confidence, pose.size_hw)

    def _notice(self, leg: _Leg, foot: _Foot | None, seconds: float) -> None:
        """How fast a foot is, and so whether it stands."""
        before, leg.foot = leg.foot, foot
        if foot is None or before is None or foot.whole != before.whole:
            leg.stands, leg.velocity = False, np.full(2, LEAVES_ABOVE)
            return
        weight = 1 - math.exp(-seconds / SPEED_SECONDS)
        leg.velocity = leg.velocity + weight * ((foot.xy - before.xy) / (seconds * self.height) - leg.velocity)
        leg.stands = float(np.linalg.norm(leg.velocity)) < (LEAVES_ABOVE if leg.stands else LANDS_BELOW)

    def _hold(self, leg: _Leg, foot: _Foot | None, seconds: float) -> None:
        """How far a foot is moved: to where it landed while it stands, and back little by little after that."""
        if foot is None:
            leg.landed = None
            leg.shift = leg.shift * math.exp(-seconds / FADE_SECONDS)
            return
        if leg.landed is None:  # where it is shown, so that nothing jumps
            leg.landed = foot.xy + leg.shift
        leg.shift = leg.landed - foot.xy
        length = float(np.linalg.norm(leg.shift))
        if length > MOST * self.height:
            leg.shift = leg.shift * (MOST * self.height / length)
            leg.landed = foot.xy + leg.shift


def _foot(pose: Pose, leg: tuple[int, ...]) -> _Foot | None:
    """The middle of heel and toe, or the ankle where they are not both seen; None where that is not seen either."""
    _, ankle, heel, toe, _ = leg
    seen = pose.confidence[0] > 0
    if seen[heel] and seen[toe]:
        return _Foot(True, (pose.xy[0, heel].astype(np.float64) + pose.xy[0, toe]) / 2)
    return _Foot(False, pose.xy[0, ankle].astype(np.float64)) if seen[ankle] else None
