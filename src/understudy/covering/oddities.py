"""What a tracked clip shows that no clone of it comes out right of, said before anything is trained or rendered."""

from __future__ import annotations

import logging
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from understudy.covering.camera import camera_travel
from understudy.poses.edges import filmed_until
from understudy.poses.pose import Pose
from understudy.retargeting.cut_off import CutOff, cut_off
from understudy.retargeting.shots import size_jumps

if TYPE_CHECKING:
    from understudy.performance import Performance

Floats = npt.NDArray[np.floating[Any]]

log = logging.getLogger(__name__)

MOSTLY = 0.6
"""share of frames in which something shows, from which on the clip is said to be like that"""
ALWAYS = 0.9
"""share of frames from which on something is so throughout: who dances on the floor gets up, too"""
WANDERS = 0.1
"""of the picture's width by which the room may wander: a hand that trembles comes back, and stands are at 0.002"""

_TURN_IT = (
    "if it is the picture that lies so, turn it with `understudy track PHOTO --rotate {} --size 1024 "
    "--landmarks wholebody --output NAME.performance`, and give that"
)
_SHOULDERS, _HIPS = (2, 5), (8, 11)
"""places among the OpenPose-18 joints, right and left"""


def oddities(pose: Pose, fps: Fraction, role: str = "driving", bottom: float | None = None) -> list[str]:
    """Sentences without a full stop, none of a clip that is as it should be.

    Args:
        pose: T frames, pixels, y down.
        fps: frames per second.
        role: of the clip, "driving" or "reference", after which options for it are called; or "photograph".
        bottom: y of the picture's lower edge in the pose's pixels, at which legs may come and go; None = unknown.
    """
    xy, confidence = pose.openpose18()
    seen = confidence > 0
    found = [_turned(xy, seen, role), _cut_off(cut_off(pose, bottom)), _changes_of_size(pose, fps, role)]
    return [one for one in found if one]


def say_oddities(role: str, clip: Performance) -> None:
    """Warns of each, by the clip's name; `role` as for `oddities`."""
    bottom = filmed_until(clip.header.crop, clip.header.original_size_hw)
    found = oddities(clip.poses, clip.fps, role, bottom)
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
    if role == "photograph":
        degrees = (90 if spine[0, 0] > 0 else 270) if lying[0] else 180 if spine[0, 1] < 0 else 0
        how = "lies" if lying[0] else "stands on the head"
        return f"the person {how}: {_TURN_IT.format(degrees)}" if degrees else ""
    if lying.mean() > ALWAYS:
        return (
            f"the person lies across the picture in {int(lying.sum())} of {len(lying)} frames: if the camera stood on "
            f"its side, turn the video upright with `--{role}-rotate {90 if np.median(spine[:, 0]) > 0 else 270}`"
        )
    below = ~lying & (spine[:, 1] < 0)
    if below.mean() < MOSTLY:
        return ""
    return (
        f"the person stands on the head in {int(below.sum())} of {len(below)} frames: if the camera hung upside down, "
        f"turn the video upright with `--{role}-rotate 180`; as it is, left and right are exchanged"
    )


def _cut_off(found: CutOff) -> str:
    """Limbs that are never in the picture, the largest missing part alone; legs that come and go."""
    missing = [f"the body below the {found.never}"] if found.never else []
    if found.arms:
        missing.append(found.arms)
    said = []
    if missing:
        said.append(
            f"never in the picture: {' and '.join(missing)}. It cannot be learnt from this clip, and no clone that "
            "this clip drives moves it"
        )
    if found.below != found.never:
        said.append(
            f"the body below the {found.below} comes and goes at the picture's lower edge (there in "
            f"{100 * found.share:.0f} % of the frames)"
        )
    return "; ".join(said)


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
