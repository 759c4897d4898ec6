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
TORSO_TO_SHOULDERS = 1.4
"""length of the trunk, mid-shoulder to mid-hip, over the shoulders' width"""
LEGS: tuple[tuple[Below, tuple[int, int]], ...] = (
    ("waist", (RIGHT_HIP, LEFT_HIP)),
    ("hips", (RIGHT_KNEE, LEFT_KNEE)),
    ("knees", (RIGHT_ANKLE, LEFT_ANKLE)),
)
"""from the trunk outwards: the body below this is not shown where these joints are not"""
CHAINS: tuple[tuple[tuple[int, float], ...], ...] = (
    ((RIGHT_SHOULDER, 1.0), (RIGHT_HIP, 0.75), (RIGHT_KNEE, 0.75), (RIGHT_ANKLE, 0.0)),
    ((LEFT_SHOULDER, 1.0), (LEFT_HIP, 0.75), (LEFT_KNEE, 0.75), (LEFT_ANKLE, 0.0)),
)
"""from the shoulders down, right (whose points are even) and left: a joint, and torso lengths to the next one"""


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

    below: Below = ""
    lacking: Below = ""
    if never(RIGHT_ANKLE, LEFT_ANKLE):
        lacking = next(name for name, joints in LEGS if never(*joints))
    for name, joints in LEGS:
        if share[list(joints)].mean() < SELDOM and _beyond_edge(pose, seen, joints, bottom) > SELDOM:
            below = name
            break
    order = ("waist", "hips", "knees", "")
    below = min(below, lacking, key=order.index)
    shown = {name: float(share[list(joints)].mean()) for name, joints in LEGS}
    arms: Literal["", "arms", "forearms"] = ""
    if never(RIGHT_WRIST, LEFT_WRIST):
        arms = "arms" if never(RIGHT_ELBOW, LEFT_ELBOW) else "forearms"
    return CutOff(below, lacking, shown.get(below, 1.0), arms)


def _beyond_edge(pose: Pose, seen: npt.NDArray[np.bool_], joints: tuple[int, int], bottom: float | None) -> float:
    """Share of the times a joint of the legs is not seen at which, straight down, it would be outside of the picture.

    A leg behind the other one, or behind a chair, is as little seen, but there would be room for it.
    """
    torso = _torso(pose, seen)
    if bottom is None or torso is None:
        return 0.0
    beyond = []
    for joint in joints:
        lowest = np.full(len(pose), np.nan)
        chain = CHAINS[joint % 2]
        for nearer, length in chain[: [point for point, _ in chain].index(joint)]:
            lowest = np.where(seen[:, nearer], pose.xy[:, nearer, 1], lowest) + length * torso
        hidden = ~seen[:, joint] & np.isfinite(lowest)
        beyond.append(lowest[hidden] > bottom)
    together = np.concatenate(beyond)
    return float(together.mean()) if len(together) else 0.0


def _torso(pose: Pose, seen: npt.NDArray[np.bool_]) -> float | None:
    """Its length, by the shoulders where hips are seldom seen, at the edge then; None if it cannot be told."""
    shoulders, hips = [LEFT_SHOULDER, RIGHT_SHOULDER], [LEFT_HIP, RIGHT_HIP]
    both = seen[:, shoulders].all(axis=1)
    if not both.any():
        return None
    whole = both & seen[:, hips].all(axis=1)
    if whole.sum() >= SELDOM * both.sum():
        middles = (pose.xy[whole][:, joints].mean(axis=1) for joints in (shoulders, hips))
        return float(np.quantile(np.linalg.norm(np.subtract(*middles), axis=-1), 0.9))
    across = pose.xy[both, LEFT_SHOULDER] - pose.xy[both, RIGHT_SHOULDER]
    return TORSO_TO_SHOULDERS * float(np.quantile(np.linalg.norm(across, axis=-1), 0.9))
