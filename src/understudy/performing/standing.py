"""Legs for a driver who shows none: the clone stands, hips with the driver, feet on the reference's floor.

A stance is taken from the reference once for the whole clip, so nothing pops; what the driver does to it is continuous:
feet stay where they are while he sways, legs bend while he crouches and leave the floor while he jumps.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.actor import Actor
from understudy.poses.pose import (
    BODY,
    LEFT_ANKLE,
    LEFT_ELBOW,
    LEFT_HIP,
    LEFT_KNEE,
    LEFT_SHOULDER,
    LEFT_WRIST,
    NOSE,
    RIGHT_ANKLE,
    RIGHT_ELBOW,
    RIGHT_HIP,
    RIGHT_KNEE,
    RIGHT_SHOULDER,
    RIGHT_WRIST,
    Pose,
)
from understudy.recipes.parts.kept_frames import kept_poses
from understudy.retargeting.alignment import BodyStatistics
from understudy.retargeting.cut_off import Below
from understudy.retargeting.proportions import FOREARMS, LEFT_FOOT, RIGHT_FOOT, SHINS, THIGHS, UPPER_ARMS
from understudy.retargeting.window import distance_to_nearest

Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]

KEPT_POSES = ("xy", "confidence", "moment")
"""weights of actors that keep frames of the reference: the poses in them, see `kept_frames`"""
BLEND_SECONDS = 0.4
"""in which a limb goes from where the driver had it last to where it rests"""
CALM_SECONDS = 0.6
"""over which feet follow a driver who walks, and turn with him"""
SWAY = 0.15
"""leg lengths that hips may be beside their feet before the feet follow"""
FRONTAL = 1.25
"""Hips that look this much narrower than at their widest still count as facing the camera: or feet would shiver"""
STRETCH = 1.03
"""leg lengths at most between hip and ankle: beyond, the foot leaves the floor"""
SHIN_GIVES = 0.3
"""of what a bent leg is shorter, the shin's part: knees come forward, so thighs are foreshortened more"""
BULGE = 0.25
"""of what a bent leg is shorter: how far the knee goes outwards, or forward from the side"""
UPRIGHT = 0.2
"""share of frames in which the driver stands no lower than a standing person: below them he crouches"""
ALIKE = 9
"""frames of the reference that its stance is the median of"""

# Side by side: hip, knee, ankle, points of the foot; shoulder, elbow, wrist
LEGS = ((LEFT_HIP, LEFT_KNEE, LEFT_ANKLE, LEFT_FOOT), (RIGHT_HIP, RIGHT_KNEE, RIGHT_ANKLE, RIGHT_FOOT))
ARMS = ((LEFT_SHOULDER, LEFT_ELBOW, LEFT_WRIST), (RIGHT_SHOULDER, RIGHT_ELBOW, RIGHT_WRIST))
HIPS, KNEES, ANKLES = [LEFT_HIP, RIGHT_HIP], [LEFT_KNEE, RIGHT_KNEE], [LEFT_ANKLE, RIGHT_ANKLE]
SHOULDERS, WRISTS = [LEFT_SHOULDER, RIGHT_SHOULDER], [LEFT_WRIST, RIGHT_WRIST]


@dataclass(frozen=True, eq=False)
class Stance:
    """How the reference stands, in its working pixels."""

    xy: Floats
    """(133, 2), of which legs and feet count"""
    seen: Bools
    """(133,)"""
    arms: Floats
    """(133, 2), of which arms count: hanging"""

    @property
    def floor(self) -> float:
        """y of the ankle that is nearer to the camera."""
        return float(self.xy[ANKLES, 1].max())


def stance_of(actor: Actor, facing: float = 1.0) -> Stance:
    """The stance of a reference: of its frames if the actor keeps their poses, else made of its body's measures.

    Args:
        facing: above 0 for a driver seen from the front, below from behind.
    """
    made = _made_up(actor, facing)
    if not set(KEPT_POSES) <= actor.weights.keys():
        return made
    kept = kept_poses(actor.weights, actor.size)
    return _filmed(actor.from_working.inverse.of_pose(kept, (actor.working_size, actor.working_size)), made, facing)


def _filmed(kept: Pose, made: Stance, facing: float) -> Stance:
    """The frame in which legs are longest, feet level and under the hips, on the floor, hips towards the camera."""
    xy, seen = kept.xy.astype(np.float64), kept.confidence > 0
    arms = made.arms
    armed = seen[:, [point for arm in ARMS for point in arm]].all(axis=1)
    if armed.any():
        hanging = (xy[:, WRISTS, 1] - xy[:, SHOULDERS, 1]).min(axis=1)
        arms = xy[np.where(armed, hanging, -np.inf).argmax()]
    whole = seen[:, [*HIPS, *KNEES, *ANKLES]].all(axis=1)
    if not whole.any():
        return Stance(made.xy, made.seen, arms)
    hips, ankles = xy[:, HIPS].mean(axis=1), xy[:, ANKLES].mean(axis=1)
    height = ankles[:, 1] - hips[:, 1]
    tall = max(float(np.quantile(height[whole], 0.9)), 1e-3)
    floor = float(np.median(xy[whole][:, ANKLES, 1].max(axis=1)))
    width = facing * (xy[:, LEFT_HIP, 0] - xy[:, RIGHT_HIP, 0])
    wide = max(float(np.quantile(np.abs(width[whole]), 0.9)), 1e-3)
    apart = facing * (xy[:, LEFT_ANKLE, 0] - xy[:, RIGHT_ANKLE, 0])
    bend = np.abs(xy[:, KNEES, 0] - (xy[:, HIPS, 0] + xy[:, ANKLES, 0]) / 2).max(axis=1)
    cost = (
        3 * np.abs(height / tall - 1)
        + (3 * np.abs(np.diff(xy[:, ANKLES, 1], axis=1)[:, 0]) + 2 * np.abs(xy[:, ANKLES, 1].max(axis=1) - floor))
        / tall
        + np.abs(ankles[:, 0] - hips[:, 0]) / tall
        + (np.abs(apart - 1.2 * wide) + bend) / tall
        + np.clip(1 - width / wide, 0, 2)
    )
    # Of several: one alone brings along what flew by in its moment, since players look for the frame most alike
    chosen = np.argsort(np.where(whole, cost, np.inf))[: min(ALIKE, int(whole.sum()))]
    stood = xy[chosen] - xy[chosen][:, ANKLES].mean(axis=1, keepdims=True)
    stance = np.median(stood, axis=0)
    stance += (ankles[chosen[0], 0], floor - stance[ANKLES, 1].max())
    return Stance(stance, np.asarray(seen[chosen].all(axis=0), np.bool_), arms)


def _made_up(actor: Actor, facing: float) -> Stance:
    """Straight legs below the hips, as long as the reference's were at their longest; arms straight down."""
    body: BodyStatistics = actor.body
    torso = body.torso_length or 2.5 * body.hip_width
    lengths = np.array(body.limb_lengths or (0.0,) * 12)
    thigh, shin, upper, lower = (
        float(lengths[list(places)].max()) or share * torso
        for places, share in ((THIGHS, 0.8), (SHINS, 0.8), (UPPER_ARMS, 0.55), (FOREARMS, 0.5))
    )
    xy, seen = np.zeros((133, 2)), np.zeros(133, bool)
    x, y = body.centre_xy[0], body.centre_xy[1] + torso / 2
    floor = y + thigh + shin
    if actor.ground is not None:
        floor = (actor.ground.close + actor.ground.far) / 2
        y = floor - thigh - shin
    arms = np.zeros((133, 2))
    for side, ((hip, knee, ankle, _), (_, elbow, wrist)) in zip(
        (facing, -facing), zip(LEGS, ARMS, strict=True), strict=True
    ):
        half = side * body.hip_width / 2
        xy[[hip, knee, ankle]] = (x + half, y), (x + 1.1 * half, y + thigh), (x + 1.2 * half, floor)
        arms[[elbow, wrist]] = (0.15 * upper * side, upper), (0.2 * upper * side, upper + lower)
        seen[[hip, knee, ankle]] = True
    return Stance(xy, seen, arms)


def facing_of(pose: Pose) -> float:
    """1 for a person mostly seen from the front, -1 from behind."""
    both = (pose.confidence[:, SHOULDERS] > 0).all(axis=1)
    width = pose.xy[both, LEFT_SHOULDER, 0] - pose.xy[both, RIGHT_SHOULDER, 0]
    return -1.0 if len(width) and float(np.median(width)) < 0 else 1.0


def standing(pose: Pose, below: Below, stance: Stance, fps: Fraction) -> Pose:
    """Gives poses legs that stand, where their driver shows none; and arms that hang where he shows none.

    The whole clip is moved up or down by one number of pixels, by which hips come to where legs reach the floor.

    Args:
        pose: T driving poses in the reference's working pixels; hips in every frame that shows both shoulders, or in
            some of them.
        below: what is missing; "" = nothing of the legs.
        stance: of the reference.
        fps: of the poses.
    """
    xy, confidence = pose.xy.astype(np.float64), pose.confidence.copy()
    there = np.asarray((confidence[:, BODY] > 0).any(axis=1), np.bool_)
    seen = (confidence > 0) & there[:, None]
    if below:
        seen[:, HIPS] &= seen[:, SHOULDERS].all(axis=1, keepdims=True)
        _fill_trunk(xy, seen)
        _put_legs(xy, seen, below, stance, fps)
        for hip, knee, ankle, foot in LEGS:
            points = [hip, knee, ankle, *np.arange(foot.start, foot.stop)[stance.seen[foot]]]
            confidence[:, [*range(foot.start, foot.stop)]] = 0
            confidence[np.ix_(there, points)] = 1
    for inner, outer in ((0, 1), (1, 2)):
        for arm in ARMS:
            near, far = arm[inner], arm[outer]
            resting = stance.arms[far] - stance.arms[near]
            xy[:, far] = xy[:, near] + _resting(xy[:, far] - xy[:, near], seen[:, far] & seen[:, near], resting, fps)
            shown = there if below else there & seen[:, arm[0]]
            confidence[shown & ~seen[:, far], far] = 1
    return Pose(np.where(confidence[..., None] > 0, xy, pose.xy).astype(np.float32), confidence, pose.size_hw)


def _fill_trunk(xy: Floats, seen: Bools) -> None:
    """Shoulders and hips in every frame, in place: from one to another in time."""
    for points, origin in ((SHOULDERS, None), (HIPS, SHOULDERS)):
        for point in points:
            start = 0.0 if origin is None else xy[:, origin].mean(axis=1)
            xy[:, point] = start + _over_gaps(xy[:, point] - start, seen[:, point])


def _put_legs(xy: Floats, seen: Bools, below: Below, stance: Stance, fps: Fraction) -> None:
    """Knees, ankles and feet, in place; everything moves up or down, so that legs reach the floor."""
    own = stance.xy
    middle = own[HIPS].mean(axis=0)
    tall = max(float(own[ANKLES, 1].mean() - middle[1]), 1.0)
    hips = xy[:, HIPS].mean(axis=1)
    xy[..., 1] += middle[1] - np.quantile(hips[:, 1], UPRIGHT)
    width = xy[:, LEFT_HIP, 0] - xy[:, RIGHT_HIP, 0]
    own_width = own[LEFT_HIP, 0] - own[RIGHT_HIP, 0]
    widest = np.copysign(max(float(np.quantile(np.abs(width), 0.9)), 1e-3), own_width)
    turn = np.clip(_calm(np.clip(FRONTAL * width / widest, -1, 1), fps), -1, 1)
    torso = float(np.median(np.abs(hips[:, 1] - xy[:, SHOULDERS, 1].mean(axis=1)))) + 1e-3
    ahead = np.clip((xy[:, NOSE, 0] - xy[:, SHOULDERS, 0].mean(axis=1)) / (0.2 * torso), -1, 1)
    ahead = _calm(np.where(seen[:, NOSE], ahead, 0.0), fps) * (1 - np.abs(turn))
    under = _supported(hips[:, 0], SWAY * tall, fps)
    for hip, knee, ankle, foot in LEGS:
        planted = np.column_stack([under + turn * (own[ankle, 0] - middle[0]), np.full(len(xy), own[ankle, 1])])
        outwards = turn * np.sign(own[hip, 0] - middle[0]) + ahead
        thigh, shin = (float(np.linalg.norm(own[far] - own[near])) for near, far in ((hip, knee), (knee, ankle)))
        bent, stood = _leg(xy[:, hip], planted, thigh, shin, outwards)
        if below == "knees":
            driven = xy[:, hip] + _resting(xy[:, knee] - xy[:, hip], seen[:, knee] & seen[:, hip], None, fps)
            weight = _weight(seen[:, knee], fps)[:, None]
            bent = weight * driven + (1 - weight) * bent
            stood = _within(bent, planted, STRETCH * shin)
        xy[:, knee], xy[:, ankle] = bent, stood
        xy[:, foot] = stood[:, None] + (own[foot] - own[ankle]) * np.stack([turn, np.ones_like(turn)], axis=1)[:, None]


def _leg(hip: Floats, ankle: Floats, thigh: float, shin: float, outwards: Floats) -> tuple[Floats, Floats]:
    """(T, 2) knees and ankles of a leg from a hip to a planted ankle, which is left where it cannot be reached."""
    reach = max(thigh + shin, 1e-3)
    ankle = _within(hip, ankle, STRETCH * reach)
    way = hip - ankle
    shorter = np.clip(reach - np.linalg.norm(way, axis=1), 0, None)
    least = 0.05 * reach  # as short as a limb that points at the camera may look
    below = np.maximum(shin - SHIN_GIVES * shorter, least)
    above = np.maximum(thigh - (1 - SHIN_GIVES) * shorter, least)
    knee = ankle + (below / (below + above))[:, None] * way
    knee[:, 0] += BULGE * outwards * shorter
    return knee, ankle


def _within(start: Floats, end: Floats, length: float) -> Floats:
    """(T, 2) the ends, no farther than `length` from their starts."""
    apart = np.maximum(np.linalg.norm(end - start, axis=1), 1e-6)
    return np.asarray(start + (end - start) * np.minimum(1, length / apart)[:, None])


def _supported(x: Floats, slack: float, fps: Fraction) -> Floats:
    """(T,) where feet stand below hips at `x`: they stay until hips are `slack` away, and then follow."""
    if np.ptp(x) <= 2 * slack:
        return np.full(len(x), (x.max() + x.min()) / 2)
    feet = np.empty(len(x))
    at = float(np.median(x[: max(1, round(float(fps)))]))
    for moment, hips in enumerate(x):
        at = min(max(at, hips - slack), hips + slack)
        feet[moment] = at
    return _calm(feet, fps)


def _resting(vector: Floats, seen: Bools, rest: Floats | None, fps: Fraction) -> Floats:
    """(T, 2) a limb: as it was seen, between two such moments on the straight way, and at rest away from them all."""
    if not seen.any():
        return np.broadcast_to(np.zeros(2) if rest is None else rest, vector.shape)
    vector = np.where(seen[:, None], vector, _over_gaps(vector, seen))
    weight = _weight(seen, fps)[:, None]
    return vector if rest is None else np.where(seen[:, None], vector, weight * vector + (1 - weight) * rest)


def _weight(seen: Bools, fps: Fraction) -> Floats:
    """(T,) 1 where seen, 0 from some time away on, smooth between."""
    far = np.clip(distance_to_nearest(seen)[0] / max(1.0, BLEND_SECONDS * float(fps)), 0, 1)
    return np.asarray(1 - far * far * (3 - 2 * far))


def _over_gaps(values: Floats, seen: Bools) -> Floats:
    """(T, 2) the values that are seen, and between them the straight way; as they are if none is."""
    if not seen.any():
        return values
    frames = np.arange(len(values))
    return np.stack([np.interp(frames, frames[seen], values[seen, axis]) for axis in (0, 1)], axis=1)


def _calm(values: Floats, fps: Fraction) -> Floats:
    """(T,) a mean over time; beyond the ends the last value holds."""
    reach = round(CALM_SECONDS * float(fps) / 2)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(values, reach, mode="edge"), 2 * reach + 1)
    return np.asarray(around.mean(axis=1))
