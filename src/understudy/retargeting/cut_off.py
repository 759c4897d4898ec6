"""Which limbs a clip never shows, or only now and then: drivers filmed down to the knees, the hips or the waist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from understudy.poses.pose import (
    BODY,
    LEFT_ANKLE,
    LEFT_ELBOW,
    LEFT_HIP,
    LEFT_KNEE,
    LEFT_SHOULDER,
    LEFT_WRIST,
    RIGHT_ANKLE,
    RIGHT_ELBOW,
    RIGHT_HIP,
    RIGHT_KNEE,
    RIGHT_SHOULDER,
    RIGHT_WRIST,
    Pose,
)

Below = Literal["", "waist", "hips", "knees"]

HARDLY = 0.1
"""share of frames below which a joint counts as never seen"""
SELDOM = 0.6
"""share of frames below which joints at the picture's lower edge come and go, mean of both sides"""
NEAR_EDGE = 1.0
"""torso lengths from the lower edge within which a body's lowest joint lies where the next one is beyond it"""
LEGS: tuple[tuple[Below, tuple[int, int]], ...] = (
    ("waist", (RIGHT_HIP, LEFT_HIP)),
    ("hips", (RIGHT_KNEE, LEFT_KNEE)),
    ("knees", (RIGHT_ANKLE, LEFT_ANKLE)),
)
"""from the trunk outwards: the body below this is not shown where these joints are not"""


@dataclass(frozen=True)
class CutOff:
    """What a clip does not show of its person."""

    below: Below = ""
    """the body below is not shown, or comes and goes; "" = the legs are there"""
    never: Below = ""
    """the body below is never shown"""
    share: float = 1.0
    """of the frames in which the joints below `below` are seen, mean of both sides"""
    arms: Literal["", "arms", "forearms"] = ""
    """never shown"""

    def __bool__(self) -> bool:
        return bool(self.below or self.arms)


def cut_off(pose: Pose, bottom: float | None = None) -> CutOff:
    """What is missing of the person in a whole clip; frames in which nobody was found say nothing.

    Args:
        pose: T frames.
        bottom: y of the picture's lower edge in pixels of the pose's frame. Legs that are seen now and then are missing
            only where they leave the picture there; None = unknown, and only what is never seen is missing.
    """
    seen = pose.confidence > 0
    seen = seen & seen[:, BODY].any(axis=1, keepdims=True)
    there = seen.any(axis=1)
    share = seen[there].mean(axis=0) if there.any() else np.ones(seen.shape[1])

    def never(*joints: int) -> bool:
        return bool((share[list(joints)] < HARDLY).all())

    near = _near_edge(pose, seen, bottom)
    below: Below = ""
    lacking: Below = ""
    if never(RIGHT_ANKLE, LEFT_ANKLE):
        lacking = next(name for name, joints in LEGS if never(*joints))
    for name, joints in LEGS:
        gone = there & ~seen[:, list(joints)].all(axis=1)
        if share[list(joints)].mean() < SELDOM and near[gone].mean() > SELDOM:
            below = name
            break
    order = ("waist", "hips", "knees", "")
    below = min(below, lacking, key=order.index)
    shown = {name: float(share[list(joints)].mean()) for name, joints in LEGS}
    arms: Literal["", "arms", "forearms"] = ""
    if never(RIGHT_WRIST, LEFT_WRIST):
        arms = "arms" if never(RIGHT_ELBOW, LEFT_ELBOW) else "forearms"
    return CutOff(below, lacking, shown.get(below, 1.0), arms)


def _near_edge(pose: Pose, seen: npt.NDArray[np.bool_], bottom: float | None) -> npt.NDArray[np.bool_]:
    """(T,) whether what comes below the body's lowest joint lies beyond the picture's lower edge."""
    if bottom is None or not len(pose):
        return np.zeros(len(pose), bool)
    corners = [LEFT_SHOULDER, RIGHT_SHOULDER]
    both = seen[:, corners].all(axis=1)
    if not both.any():
        return np.zeros(len(pose), bool)
    # Shoulders are there when hips are not; a torso is somewhat longer than they are wide
    width = np.linalg.norm(pose.xy[both, LEFT_SHOULDER] - pose.xy[both, RIGHT_SHOULDER], axis=-1)
    torso = TORSO_TO_SHOULDERS * float(np.quantile(width, 0.9))
    lowest = np.where(seen[:, BODY], pose.xy[:, BODY, 1], -np.inf).max(axis=1)
    near: npt.NDArray[np.bool_] = bottom - lowest < NEAR_EDGE * torso
    return near


TORSO_TO_SHOULDERS = 1.4
"""length of the trunk, mid-shoulder to mid-hip, over the shoulders' width"""
