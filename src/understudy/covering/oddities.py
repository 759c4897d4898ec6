"""What a tracked clip shows that no clone of it comes out right of, said before anything is trained or rendered."""

from __future__ import annotations

import logging
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from understudy.poses.pose import Pose
from understudy.retargeting.cut_off import CutOff, cut_off
from understudy.retargeting.pose_metrics import descriptor

if TYPE_CHECKING:
    from understudy.performance import Performance

Floats = npt.NDArray[np.floating[Any]]

log = logging.getLogger(__name__)

MOSTLY = 0.6
"""share of frames in which something shows, from which on the clip is said to be like that"""
ALWAYS = 0.9
"""share of frames from which on something is so throughout: who dances on the floor gets up, too"""
JUMP = 1.2
"""factor by which the limbs of one frame are longer or shorter than those of the frame before: more than half of a
dancer's limbs never change that much in one frame, while a zoom changes all alike"""
SPREAD = 3
"""frames over which smoothed poses spread one jump"""
SHARED = 6
"""limbs seen in two frames, without which nothing is said of their size"""

_SHOULDERS, _HIPS = (2, 5), (8, 11)
"""places among the OpenPose-18 joints, right and left"""


def oddities(pose: Pose, fps: Fraction, bottom: float | None = None) -> list[str]:
    """Sentences without a full stop, none of a clip that is as it should be.

    Args:
        pose: T frames, pixels, y down.
        fps: frames per second.
        bottom: y of the picture's lower edge in the pose's pixels, at which legs may come and go; None = unknown.
    """
    xy, confidence = pose.openpose18()
    seen = confidence > 0
    found = [_upside_down(xy, seen), _cut_off(cut_off(pose, bottom)), _changes_of_size(pose, fps)]
    return [one for one in found if one]


def say_oddities(*clips: Performance) -> None:
    """Warns of each, by the clip's name."""
    for clip in clips:
        for oddity in oddities(clip.poses, clip.fps, clip.lower_edge):
            log.warning("%s: %s", clip.header.source_name, oddity)


def _upside_down(xy: Floats, seen: npt.NDArray[np.bool_]) -> str:
    """Where the shoulders are below the hips or beside them, in most frames that show both."""
    whole = seen[:, [*_SHOULDERS, *_HIPS]].all(axis=1)
    if not whole.any():
        return ""
    spine = xy[whole][:, list(_HIPS)].mean(axis=1) - xy[whole][:, list(_SHOULDERS)].mean(axis=1)
    lying = np.abs(spine[:, 0]) > np.abs(spine[:, 1])
    if lying.mean() > ALWAYS:
        return (
            f"the person lies across the picture in {int(lying.sum())} of {len(lying)} frames: if the camera stood on "
            "its side, turn the clip by 90 degrees first"
        )
    below = ~lying & (spine[:, 1] < 0)
    if below.mean() < MOSTLY:
        return ""
    return (
        f"the person stands on the head in {int(below.sum())} of {len(below)} frames: if the camera hung upside down, "
        "turn the clip by 180 degrees first; as it is, left and right are exchanged"
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


def _changes_of_size(pose: Pose, fps: Fraction) -> str:
    """Frames from which on all limbs are larger or smaller at once."""
    limbs = descriptor(pose)
    length = np.linalg.norm(limbs.displacement, axis=-1)
    there = limbs.seen & (length > 1)
    both = there[1:] & there[:-1]
    change = np.where(both, np.log(np.where(both, length[1:], 1) / np.where(both, length[:-1], 1)), np.nan)
    enough = both.sum(axis=1) >= SHARED
    factor = np.ones(len(both))
    factor[enough] = np.exp(np.nanmedian(change[enough], axis=1))
    jumps = np.flatnonzero(np.maximum(factor, 1 / factor) > JUMP) + 1
    if not len(jumps):
        return ""
    jumps = jumps[np.diff(jumps, prepend=-SPREAD - 1) > SPREAD]
    times = "once" if len(jumps) == 1 else f"{len(jumps)} times"
    return (
        f"the person's size jumps {times} (first at {float(jumps[0] / fps):.2f} s): a cut or a zoom of the camera. "
        "One size and place are taken for the whole clip, so cut it there and use the parts one by one"
    )
