"""What a tracked clip shows that no clone of it comes out right of, said before anything is trained or rendered."""

from __future__ import annotations

import logging
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from understudy.covering.camera import camera_travel
from understudy.poses.pose import Pose
from understudy.retargeting.shots import size_jumps

if TYPE_CHECKING:
    from understudy.performance import Performance

Floats = npt.NDArray[np.floating[Any]]

log = logging.getLogger(__name__)

MOSTLY = 0.6
"""share of frames in which something shows, from which on the clip is said to be like that"""
ALWAYS = 0.9
"""share of frames from which on something is so throughout: who dances on the floor gets up, too"""
HARDLY = 0.1
"""share of frames below which a joint counts as never seen"""
WANDERS = 0.1
"""of the picture's width by which the room may wander: a hand that trembles comes back, and stands are at 0.002"""

_SHOULDERS, _HIPS, _KNEES, _ANKLES, _ELBOWS, _WRISTS = (2, 5), (8, 11), (9, 12), (10, 13), (3, 6), (4, 7)
"""places among the OpenPose-18 joints, right and left"""


def oddities(pose: Pose, fps: Fraction, role: str = "driving") -> list[str]:
    """Sentences without a full stop, none of a clip that is as it should be.

    Args:
        pose: T frames, pixels, y down.
        fps: frames per second.
        role: of the clip, "driving" or "reference", after which options for it are called.
    """
    xy, confidence = pose.openpose18()
    seen = confidence > 0
    found = [_turned(xy, seen, role), _cut_off(seen), _changes_of_size(pose, fps, role)]
    return [one for one in found if one]


def say_oddities(role: str, clip: Performance) -> None:
    """Warns of each, by the clip's name; `role` as for `oddities`."""
    found = oddities(clip.poses, clip.fps, role)
    if role == "driving":
        found += _wandering(math.hypot(*camera_travel(clip)))
    for oddity in found:
        log.warning("%s: %s", clip.header.source_name, oddity)


def _wandering(travel: float) -> list[str]:
    if travel < WANDERS:
        return []
    return [
        f"the camera moves (the room wanders through the picture by {travel:.0%} of its width): the clone goes where "
        "the person goes in the picture, not in the room, so its feet slide; film from a stand"
    ]


def _turned(xy: Floats, seen: npt.NDArray[np.bool_], role: str) -> str:
    """Where the shoulders are below the hips or beside them, in most frames that show both."""
    whole = seen[:, [*_SHOULDERS, *_HIPS]].all(axis=1)
    if not whole.any():
        return ""
    spine = xy[whole][:, list(_HIPS)].mean(axis=1) - xy[whole][:, list(_SHOULDERS)].mean(axis=1)
    lying = np.abs(spine[:, 0]) > np.abs(spine[:, 1])
    if lying.mean() > ALWAYS:
        return (
            f"the person lies across the picture in {int(lying.sum())} of {len(lying)} frames: if the camera stood on "
            f"its side, turn the picture upright with `--{role}-rotate {90 if np.median(spine[:, 0]) > 0 else 270}`"
        )
    below = ~lying & (spine[:, 1] < 0)
    if below.mean() < MOSTLY:
        return ""
    return (
        f"the person stands on the head in {int(below.sum())} of {len(below)} frames: if the camera hung upside down, "
        f"turn the picture upright with `--{role}-rotate 180`; as it is, left and right are exchanged"
    )


def _cut_off(seen: npt.NDArray[np.bool_]) -> str:
    """Limbs that are never in the picture, the largest missing part alone."""
    share = seen[seen.any(axis=1)].mean(axis=0) if seen.any() else np.ones(seen.shape[1])

    def never(joints: tuple[int, int]) -> bool:
        return bool((share[list(joints)] < HARDLY).all())

    missing = []
    if never(_ANKLES):
        missing.append("the body below the " + ("waist" if never(_HIPS) else "hips" if never(_KNEES) else "knees"))
    if never(_WRISTS):
        missing.append("arms" if never(_ELBOWS) else "forearms")
    if not missing:
        return ""
    return (
        f"never in the picture: {' and '.join(missing)}. It cannot be learnt from this clip, and a clone that this "
        "clip drives ends there"
    )


def _changes_of_size(pose: Pose, fps: Fraction, role: str) -> str:
    """Frames from which on all limbs are larger or smaller at once."""
    jumps = size_jumps(pose)
    if not jumps:
        return ""
    times = "once" if len(jumps) == 1 else f"{len(jumps)} times"
    what = (
        "it is brought back to the size and place that it had before"
        if role == "driving"
        else "one size and place are taken for the whole clip, so cut it there and use the best part"
    )
    return (
        f"the person's size jumps {times} (first at {float(jumps[0].frame / fps):.2f} s): a cut or a zoom of the "
        f"camera; {what}"
    )
