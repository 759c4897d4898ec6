"""What becomes of a driver's missing legs: they stand, are outside of the picture, or are faded out.

Nothing here touches a driver who shows everything.
"""

from __future__ import annotations

import copy
import logging
from typing import TYPE_CHECKING, get_args

import numpy as np
import numpy.typing as npt

from understudy.actor import Actor
from understudy.base.arguments import MissingLimbs
from understudy.performing.standing import (
    HIPS,
    KNEES,
    SHOULDERS,
    facing_of,
    stance_of,
    standing,
)
from understudy.poses.edges import filmed_until
from understudy.poses.pose import (
    FEET,
    LEFT_ELBOW,
    LEFT_HIP,
    LEFT_SHOULDER,
    LEFT_WRIST,
    RIGHT_ELBOW,
    RIGHT_HIP,
    RIGHT_SHOULDER,
    RIGHT_WRIST,
    Pose,
)
from understudy.retargeting.alignment import BodyStatistics
from understudy.retargeting.cut_off import LEGS, TORSO_TO_SHOULDERS, CutOff, cut_off

if TYPE_CHECKING:
    from understudy.performance import Performance

Image = npt.NDArray[np.uint8]

HIPS_TO_SHOULDERS = 0.65
"""width of the hips over that of the shoulders, of a reference that does not say"""
LEANING = 0.5
"""of a swing of the shoulders to a side, what hips do not join in"""
SWING_SECONDS = 1.0
"""a shoulder's mean over this time is where hips are below"""
FADE = 0.45
"""of the last limb or of the trunk, seen from its end: how much of it fades out"""
TRUNK_REACH, THIGH_REACH = 0.75, 0.4
"""torso lengths beside the trunk and beside a leg within which it fades out"""
ARM_REACH = 0.18
"""torso lengths beside an arm within which nothing is faded: a hand that hangs before the hips stays"""

log = logging.getLogger(__name__)


def missing_of(driving: Performance) -> CutOff:
    """What the driver does not show."""
    return cut_off(driving.poses, filmed_until(driving.header.crop, driving.header.original_size_hw))


def say_missing(driving: Performance, choice: MissingLimbs) -> None:
    """One line on what is done about a driver's missing limbs, and what else could be; nothing if none is missing."""
    missing = missing_of(driving)
    if not missing:
        return
    legs = {
        "stand": "the clone's legs stand on the reference's floor",
        "crop": "the picture ends where the driver's does",
        "fade": "the clone fades out there",
    }
    what, done = [], []
    if missing.below:
        what.append(f"the body below the {missing.below}")
        done.append(legs[choice])
    if missing.arms:
        what.append(missing.arms)
        done.append("its arms hang" if choice != "fade" else "arms are left out")
    others = " or ".join(f"`missing_limbs={word!r}`" for word in get_args(MissingLimbs) if word != choice)
    log.info(
        "%s does not show %s: %s; choose %s for another way",
        driving.header.source_name, " and ".join(what), " and ".join(done), others,
    )  # fmt: skip


def without_missing(driving: Performance, missing: CutOff, body: BodyStatistics) -> Performance:
    """The driver without the legs that come and go; where hips are missing, with hips guessed below the shoulders.

    Args:
        driving: the driver.
        missing: what it lacks; without legs missing, the driver is returned as it is.
        body: of the reference, whose proportions guesses have.
    """
    if not missing.below:
        return driving
    pose = driving.poses
    xy, confidence = pose.xy, pose.confidence.copy()
    names = [name for name, _ in LEGS]
    for _, joints in LEGS[names.index(missing.below) :]:
        confidence[:, list(joints)] = 0
    confidence[:, FEET] = 0
    if missing.below == "waist":
        xy, there = _with_hips(pose, driving, body)
        confidence[:, HIPS] = np.where(there, pose.confidence[:, SHOULDERS].min(axis=1), 0)[:, None]
    changed = copy.copy(driving)
    changed.poses = Pose(xy, confidence, pose.size_hw)
    return changed


def _with_hips(
    pose: Pose, driving: Performance, body: BodyStatistics
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """(T, 133, 2) points with hips below the shoulders, and (T,) where both shoulders are seen.

    The trunk has the reference's length for its shoulders' width; hips join in half of what shoulders swing.
    """
    xy = pose.xy.copy()
    there = np.asarray((pose.confidence[:, SHOULDERS] > 0).all(axis=1), np.bool_)
    if not there.any():
        return xy, there
    left, right = (pose.xy[there, point].astype(np.float64) for point in SHOULDERS)
    across, neck = left - right, (left + right) / 2
    wide = float(np.quantile(np.linalg.norm(across, axis=1), 0.9))
    theirs = sum(body.limb_lengths[place] for place in (6, 9)) if body.limb_lengths else 0.0
    torso = wide * (body.torso_length / theirs if theirs and body.torso_length else TORSO_TO_SHOULDERS)
    reach = max(1, round(SWING_SECONDS * float(driving.fps) / 2))
    padded = np.pad(neck[:, 0], reach, mode="edge")
    calm = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).mean(axis=1)
    aside = np.clip(LEANING * (calm - neck[:, 0]), -torso / 2, torso / 2)
    middle = neck + np.column_stack([aside, np.sqrt(torso**2 - aside**2)])
    half = (body.hip_width / theirs if theirs else HIPS_TO_SHOULDERS) / 2 * across * (1.0, 0.5)
    xy[there, LEFT_HIP], xy[there, RIGHT_HIP] = middle + half, middle - half
    return xy, there


def with_legs(actor: Actor, pose: Pose, missing: CutOff, driving: Performance) -> Pose:
    """Aligned driving poses, in the reference's working pixels, that stand on their feet; see `standing`."""
    return standing(pose, missing.below, stance_of(actor, facing_of(pose)), driving.fps)


def faded_out(cutout: Image, xy: npt.NDArray[np.float32], seen: npt.NDArray[np.bool_], missing: CutOff) -> Image:
    """A cutout whose trunk, or whose legs, fade out towards where the driver is cut; arms stay.

    Args:
        cutout: (S, S, 4) premultiplied uint8.
        xy, seen: (133, 2) joints in the cutout's pixels, and (133,) which of them are.
        missing: what the driver lacks.
    """
    if not missing.below or not seen[[*SHOULDERS, *HIPS]].all():
        return cutout
    neck, pelvis = xy[SHOULDERS].mean(axis=0), xy[HIPS].mean(axis=0)
    torso = float(np.linalg.norm(pelvis - neck))
    if torso < 1:
        return cutout
    grid = np.indices(cutout.shape[:2], np.float32)[::-1]
    if missing.below == "knees":
        ends = [(xy[hip], xy[knee]) for hip, knee in zip(HIPS, KNEES, strict=True) if seen[knee]]
        reach = THIGH_REACH * torso
    else:
        ends, reach = [(neck, pelvis)], TRUNK_REACH * torso
    kept = np.ones(cutout.shape[:2], np.float32)
    for start, end in ends:
        along, beside = _along(grid, start, end)
        ramp = np.clip((1 - along) / FADE, 0, 1)
        kept = np.minimum(kept, 1 - (1 - ramp) * np.clip((1 - beside / reach) / 0.3, 0, 1))
    for chain in ((LEFT_SHOULDER, LEFT_ELBOW, LEFT_WRIST), (RIGHT_SHOULDER, RIGHT_ELBOW, RIGHT_WRIST)):
        if seen[list(chain)].all():
            _, elbow, wrist = xy[list(chain)]
            along, beside = _along(grid, elbow, wrist)
            outside = np.hypot(beside, np.linalg.norm(wrist - elbow) * np.clip(along - 1.4, 0, None))
            inside = np.clip((1 - outside / (ARM_REACH * torso)) / 0.4, 0, 1) * (along > -0.2)
            kept = np.maximum(kept, inside)
    return np.asarray(cutout * kept[..., None] + 0.5, np.uint8)


def _along(
    grid: npt.NDArray[np.float32], start: npt.NDArray[np.float32], end: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """(H, W) how far along the way from start (0) to end (1) each pixel is, and how many pixels beside it."""
    way = end - start
    length = max(float(np.linalg.norm(way)), 1.0)
    x, y = grid[0] - start[0], grid[1] - start[1]
    return (x * way[0] + y * way[1]) / length**2, np.abs(x * way[1] - y * way[0]) / length
