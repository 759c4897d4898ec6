"""Brings live poses to an actor's place, by how somebody stood before the camera for the first seconds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from understudy.actor import Actor
from understudy.poses.pose import LEFT_HIP, LEFT_SHOULDER, RIGHT_HIP, RIGHT_SHOULDER, Pose
from understudy.retargeting.alignment import Alignment, BodyStatistics, align, body_statistics
from understudy.retargeting.foot_lock import FootLock
from understudy.retargeting.global_normalization import GroundStatistics, ground_statistics, standing, standing_alone
from understudy.retargeting.proportions import fit_limbs
from understudy.tracking.smoothing import OneEuroFilter, person_height

TRUNK = [LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP]
GONE = 1.0
"""seconds without a whole trunk, after which somebody else is measured"""
LEAST_TRUNK = 0.02
"""of the picture's height, from shoulders to hips: a smaller one is nobody's"""
LEAST = 5
"""poses to measure somebody by"""


class _Measured(NamedTuple):
    """What is known of somebody, whoever performs."""

    own: BodyStatistics
    ground: GroundStatistics | None
    whole_dance: bool
    """measured by all of a dance, and not by how somebody stood"""
    height: float
    """pixels of the camera"""
    calming: OneEuroFilter | None


class Placing:
    """Watches whoever stands there for some seconds, then places and calms one pose after the other.

    A pose is as late as it came: filter and feet look at what was, never at what comes.

    Args:
        actor: whose place it is.
        seconds: of poses with a whole trunk, by which somebody is measured.
        feet: whether a foot that stands is held where it landed.
    """

    def __init__(self, actor: Actor, seconds: float, feet: bool = True) -> None:
        self.actor, self.seconds, self._hold = actor, seconds, feet
        self.begin()

    def begin(self) -> None:
        """Measures anew: somebody else stands there, or at another place."""
        self._watched: list[Pose] = []
        self._since = self._seen = 0.0
        self._measured: _Measured | None = None
        self._latest: Pose | None = None
        self._mirrored = False

    def know(self, dance: Pose, fps: Fraction) -> None:
        """Measures somebody by all of a dance that was tracked before; its poses are calm already.

        Raises:
            PoseError: no frame shows both shoulders and both hips.
        """
        height = max(1.0, person_height(dance))
        self._measured = _Measured(body_statistics(dance), ground_statistics(dance, fps), True, height, None)
        self._align()

    def cast(self, actor: Actor) -> Pose | None:
        """Somebody else performs the same: the latest pose at their place, None if there is none yet."""
        self.actor = actor
        if self._measured is None:
            return None
        self._align()
        return None if self._latest is None else self._place(self._latest, self._mirrored)

    def leaps(self) -> None:
        """The next pose follows on none before."""
        if self._measured is not None:
            self._feet.begin()

    def remaining(self, now: float) -> float | None:
        """Seconds for which somebody must still stand there; None once that is done."""
        if self._measured is not None:
            return None
        return self.seconds if not self._watched else max(0.0, self.seconds - (now - self._since))

    def __call__(self, pose: Pose, now: float, mirror: bool = False) -> Pose | None:
        """One pose in pixels of the camera, (1, 133): in pixels of the generator's frame; None while it watches.

        Args:
            pose: as it was seen.
            now: when.
            mirror: place its mirror image.

        Raises:
            PoseError: all joints lie on one point.
        """
        if self._measured is None:
            if self._watched and self._watched[-1].size_hw != pose.size_hw:  # through another camera
                self.begin()
            if not _can_be_measured(pose):
                if self._watched and now - self._seen > GONE:  # it was somebody who passed by
                    self.begin()
                return None
            self._since = self._since if self._watched else now
            self._seen = now
            self._watched.append(pose)
            if self.remaining(now) or len(self._watched) < LEAST:
                return None
            self._measured = self._measure(now)
            self._align()
        passed = now - self._seen
        self._seen = now
        if self._measured.calming is not None:
            smooth = self._measured.calming(pose.xy[0], pose.confidence[0] > 0, passed)
            pose = Pose(smooth[None], pose.confidence, pose.size_hw)
        if mirror != self._mirrored:
            self._feet.begin()
        self._latest, self._mirrored = pose, mirror
        placed = self._place(pose, mirror)
        return self._feet(placed, passed) if self._hold else placed

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
        height = max(1.0, person_height(seen))
        calming = OneEuroFilter(rate, height)
        return _Measured(body_statistics(seen), ground_statistics(seen, rate), False, height, calming)

    def _align(self) -> None:
        """The alignment of whoever is measured with the actor's reference."""
        assert self._measured is not None
        own, here, whole_dance, height, _ = self._measured
        there = self.actor.ground
        self._alignment: Alignment = align(own, self.actor.body, self.actor.placement.scale_by)
        if here is not None and there is not None:
            if whole_dance:
                self._alignment = standing(self._alignment, here, there)
            else:
                self._alignment = standing_alone(self._alignment, (own, here), (self.actor.body, there))
        self._feet = FootLock(height * self._alignment.scale * self.actor.from_working.scale)

    def _place(self, pose: Pose, mirror: bool) -> Pose:
        assert self._measured is not None
        own, side = self._measured.own, self.actor.working_size
        if mirror:
            pose, own = _mirrored(pose, own)
        placed = self._alignment.of_pose(pose, (side, side))
        if self.actor.placement.fit_limbs:
            placed = fit_limbs(placed, self._alignment, own, self.actor.body)
        return self.actor.from_working.of_pose(placed, (self.actor.size, self.actor.size))


def _can_be_measured(pose: Pose) -> bool:
    """Whether the whole trunk is seen, and is one: what comes over a network may be anything."""
    shoulders, hips = pose.xy[0, TRUNK[:2]].mean(axis=0), pose.xy[0, TRUNK[2:]].mean(axis=0)
    seen = (pose.confidence[0, TRUNK] > 0).all()
    return bool(seen and np.linalg.norm(shoulders - hips) >= LEAST_TRUNK * pose.size_hw[0])


def _mirrored(pose: Pose, own: BodyStatistics) -> tuple[Pose, BodyStatistics]:
    """The mirror image about where somebody stands on average, and what was measured of them likewise."""
    turned = pose.sides_exchanged()
    xy = turned.xy.copy()
    xy[..., 0] = np.float32(2 * own.centre_xy[0]) - xy[..., 0]
    limbs = own.limb_lengths  # the six of each half: three of one side, three of the other
    limbs = limbs[3:6] + limbs[0:3] + limbs[9:12] + limbs[6:9]
    return Pose(xy, turned.confidence, turned.size_hw), replace(own, limb_lengths=limbs)


def nobody(size_hw: tuple[int, int]) -> Pose:
    """(1, 133) of nobody."""
    return Pose(np.zeros((1, 133, 2), np.float32), np.zeros((1, 133), np.float32), size_hw)
