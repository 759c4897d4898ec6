"""Brings live poses to the reference's place, by how somebody stood before the camera for the first seconds."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from understudy.actor import Actor
from understudy.poses.pose import LEFT_HIP, LEFT_SHOULDER, RIGHT_HIP, RIGHT_SHOULDER, Pose
from understudy.retargeting.alignment import Alignment, BodyStatistics, align, body_statistics
from understudy.retargeting.global_normalization import ground_statistics, standing
from understudy.retargeting.proportions import fit_limbs
from understudy.tracking.smoothing import OneEuroFilter, person_height

TRUNK = [LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP]
GONE = 1.0
"""seconds without a whole trunk, after which somebody else is measured"""
LEAST = 5
"""poses to measure somebody by"""


class _Measured(NamedTuple):
    """What is known of somebody."""

    alignment: Alignment
    own: BodyStatistics
    calming: OneEuroFilter


class Placing:
    """Watches whoever stands there for some seconds, then places and calms one pose after the other.

    A pose is as late as it came: the filter looks at what was, never at what comes.

    Args:
        actor: whose place it is.
        seconds: of poses with a whole trunk, by which somebody is measured.
    """

    def __init__(self, actor: Actor, seconds: float) -> None:
        self.actor, self.seconds = actor, seconds
        self.begin()

    def begin(self) -> None:
        """Measures anew: somebody else stands there, or at another place."""
        self._watched: list[Pose] = []
        self._since = self._seen = 0.0
        self._measured: _Measured | None = None

    def remaining(self, now: float) -> float | None:
        """Seconds for which somebody must still stand there; None once that is done."""
        if self._measured is not None:
            return None
        return self.seconds if not self._watched else max(0.0, self.seconds - (now - self._since))

    def __call__(self, pose: Pose, now: float) -> Pose | None:
        """One pose in pixels of the camera, (1, 133): in pixels of the generator's frame; None while it watches.

        Raises:
            PoseError: all joints lie on one point.
        """
        if self._measured is None:
            if not (pose.confidence[0, TRUNK] > 0).all():
                if self._watched and now - self._seen > GONE:  # it was somebody who passed by
                    self.begin()
                return None
            self._since = self._since if self._watched else now
            self._seen = now
            self._watched.append(pose)
            if self.remaining(now) or len(self._watched) < LEAST:
                return None
            self._measured = self._measure(now)
        alignment, own, calming = self._measured
        smooth = calming(pose.xy[0], pose.confidence[0] > 0, now - self._seen)
        self._seen = now
        calm = Pose(smooth[None], pose.confidence, pose.size_hw)
        side = self.actor.working_size
        placed = alignment.of_pose(calm, (side, side))
        if self.actor.placement.fit_limbs:
            placed = fit_limbs(placed, alignment, own, self.actor.body)
        return self.actor.from_working.of_pose(placed, (self.actor.size, self.actor.size))

    def guess(self) -> Pose | None:
        """Where whoever is watched would be placed by what is known until now; None where nobody was seen."""
        if not self._watched:
            return None
        seen, side = self._watched[-1], self.actor.working_size
        placed = align(body_statistics(seen), self.actor.body, "body", warn=False).of_pose(seen, (side, side))
        return self.actor.from_working.of_pose(placed, (self.actor.size, self.actor.size))

    def _measure(self, now: float) -> _Measured:
        seen = Pose.concatenate(self._watched)
        rate = Fraction((len(seen) - 1) / max(now - self._since, 1e-3)).limit_denominator(1000)
        own = body_statistics(seen)
        alignment = align(own, self.actor.body, self.actor.placement.scale_by)
        here = ground_statistics(seen, rate)
        there = self.actor.ground
        if here is not None and there is not None:
            alignment = standing(alignment, here, there)
        return _Measured(alignment, own, OneEuroFilter(rate, max(1.0, person_height(seen))))


def nobody(size_hw: tuple[int, int]) -> Pose:
    """(1, 133) of nobody."""
    return Pose(np.zeros((1, 133, 2), np.float32), np.zeros((1, 133), np.float32), size_hw)
