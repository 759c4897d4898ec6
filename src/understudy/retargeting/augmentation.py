"""Damage to poses for training, so that bad poses and other bodies are nothing new (Ren et al. 2020, section 3.1).

The paper drops channels of the pose maps, moves joints and changes the lengths of limbs, and prints no numbers. Here
what models another body is drawn once a window of consecutive frames (nobody's arm grows within a second), and what
models a detector's errors anew for every frame.

Shape letters: B windows, N consecutive frames, P parts of the body (`pose.PARTS`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from understudy.poses.pose import (
    BODY,
    FACE,
    LEFT_ANKLE,
    LEFT_BIG_TOE,
    LEFT_EAR,
    LEFT_ELBOW,
    LEFT_EYE,
    LEFT_HAND,
    LEFT_HEEL,
    LEFT_HIP,
    LEFT_KNEE,
    LEFT_SHOULDER,
    LEFT_SMALL_TOE,
    LEFT_WRIST,
    NECK,
    NOSE,
    OPENPOSE18_POINTS,
    PART_NAMES,
    PARTS,
    POINTS,
    RIGHT_ANKLE,
    RIGHT_BIG_TOE,
    RIGHT_EAR,
    RIGHT_ELBOW,
    RIGHT_EYE,
    RIGHT_HAND,
    RIGHT_HEEL,
    RIGHT_HIP,
    RIGHT_KNEE,
    RIGHT_SHOULDER,
    RIGHT_SMALL_TOE,
    RIGHT_WRIST,
)

HIPS_MIDDLE = NECK + 1
"""index of the point behind the neck, where all lengths are measured from: it stays where it is"""

BONES: tuple[tuple[str, int, int], ...] = (
    ("trunk", HIPS_MIDDLE, NECK),
    ("neck", NECK, NOSE),
    ("shoulders", NECK, RIGHT_SHOULDER),
    ("shoulders", NECK, LEFT_SHOULDER),
    ("right upper arm", RIGHT_SHOULDER, RIGHT_ELBOW),
    ("right forearm", RIGHT_ELBOW, RIGHT_WRIST),
    ("left upper arm", LEFT_SHOULDER, LEFT_ELBOW),
    ("left forearm", LEFT_ELBOW, LEFT_WRIST),
    ("hips", HIPS_MIDDLE, RIGHT_HIP),
    ("hips", HIPS_MIDDLE, LEFT_HIP),
    ("right thigh", RIGHT_HIP, RIGHT_KNEE),
    ("right shin", RIGHT_KNEE, RIGHT_ANKLE),
    ("left thigh", LEFT_HIP, LEFT_KNEE),
    ("left shin", LEFT_KNEE, LEFT_ANKLE),
)
"""The kinematic tree: what is stretched, the joint nearer to the hips, and the farther one. Bones of one name share one
factor: neck and hips' middle are by definition halfway between the two sides, and stay it."""
STRETCHED: tuple[str, ...] = tuple(dict.fromkeys(name for name, _, _ in BONES))
"""What has a factor of its own, in the order in which they are drawn."""

_RIGID = (
    (NOSE, (LEFT_EYE, RIGHT_EYE, LEFT_EAR, RIGHT_EAR, *range(FACE.start, FACE.stop))),
    (LEFT_ANKLE, (LEFT_BIG_TOE, LEFT_SMALL_TOE, LEFT_HEEL)),
    (RIGHT_ANKLE, (RIGHT_BIG_TOE, RIGHT_SMALL_TOE, RIGHT_HEEL)),
    (LEFT_WRIST, tuple(range(LEFT_HAND.start, LEFT_HAND.stop))),
    (RIGHT_WRIST, tuple(range(RIGHT_HAND.start, RIGHT_HAND.stop))),
)
_JOINT_OF = {point: joint for joint, points in _RIGID for point in points}
GOES_WITH: tuple[int, ...] = tuple(_JOINT_OF.get(point, point) for point in range(POINTS))
"""For each of the 133 points the joint that it keeps its place by: the nose, a wrist or an ankle, or itself."""

TORSO_PER_EXTENT = 0.3
"""A torso's length as a share of what is seen of the body, where shoulders or hips are not"""


@dataclass(frozen=True)
class PoseNoise:
    """How much poses are damaged; all 0 changes nothing.

    Raises:
        ValueError: a number out of its range.
    """

    drop: float = 0.0
    """probability, in [0, 1], with which each limb, foot or hand is missed in a frame"""
    jitter: float = 0.0
    """standard deviation of each joint's error in a frame, in x and in y, as a share of the torso's length; hands and
    feet go along with wrists and ankles, the head with the nose"""
    stretch: float = 0.0
    """each bone of the body takes one factor for a whole window, drawn evenly in its logarithm from 1 / (1 + stretch)
    to 1 + stretch; what hangs on it goes along"""

    def __post_init__(self) -> None:
        if not 0 <= self.drop <= 1:
            raise ValueError(f"pose drop is a probability between 0 and 1, not {self.drop}")
        if not (0 <= self.jitter < math.inf and 0 <= self.stretch < math.inf):
            raise ValueError(f"pose jitter and stretch must be at least 0, not {self.jitter} and {self.stretch}")

    def __bool__(self) -> bool:
        """Whether it changes anything."""
        return bool(self.drop or self.jitter or self.stretch)


def augmented(rng: np.random.Generator, xy: Tensor, seen: Tensor, noise: PoseNoise) -> tuple[Tensor, Tensor, Tensor]:
    """Stretches the limbs of each window, then moves the joints of each frame and drops parts of it.

    As many random numbers are drawn whatever `noise` is, so that a change of one of its numbers leaves the draws for
    the others as they were.

    Args:
        rng: where the draws come from.
        xy: `(B, N, 133, 2)` pixels; without meaning where a point is not seen.
        seen: `(B, N, 133)` bool.
        noise: how much.

    Returns:
        `xy`; `seen`, as given; and `kept`, `(B, N, P)` bool, false for parts that are dropped, for
        `conditioning.limb_maps` or `dropped_joints`.
    """
    windows, frames = xy.shape[:2]
    powers = rng.uniform(-1, 1, (windows, len(STRETCHED)))
    errors = rng.standard_normal((windows, frames, BODY.stop, 2))
    kept = rng.random((windows, frames, len(PARTS))) >= noise.drop
    factors = torch.from_numpy(np.exp(powers * np.log1p(noise.stretch))).to(xy)
    error = torch.from_numpy(errors * noise.jitter).to(xy) * _torso_length(xy, seen)[:, None, None, None]
    moved = _stretched(xy, seen, factors) + error[:, :, list(GOES_WITH)]
    return moved, seen, torch.from_numpy(kept).to(xy.device)


def dropped_joints(seen: Tensor, kept: Tensor) -> Tensor:
    """Hides the outer joint of every dropped limb, and the points of dropped hands and feet.

    For conditions that are made from joints. A hidden shoulder takes the neck along, since that is the shoulders'
    middle: as it is with a tracker that misses a shoulder.

    Args:
        seen: `(..., 133)` bool.
        kept: `(..., P)` bool.

    Returns:
        `(..., 133)` bool.
    """
    hidden = (~kept)[..., None] & torch.from_numpy(_HIDDEN).to(kept.device)  # (..., P, 133)
    return seen & ~hidden.any(-2)


def damaged(rng: np.random.Generator, xy: Tensor, seen: Tensor, noise: PoseNoise) -> tuple[Tensor, Tensor]:
    """`augmented` for conditions that are made from joints: dropped limbs hide their outer joints.

    Args:
        rng: where the draws come from; nothing is drawn when `noise` changes nothing.
        xy: `(B, N, J, 2)` pixels of the 133 points, or of OpenPose's 18 joints.
        seen: `(B, N, J)` bool.
        noise: how much.

    Returns:
        `xy` and `seen`, of the same points; the neck of the 18 is where the shoulders' middle has come to lie.
    """
    if not noise:
        return xy, seen
    if xy.shape[2] == POINTS:
        xy, seen, kept = augmented(rng, xy, seen, noise)
        return xy, dropped_joints(seen, kept)
    order = list(OPENPOSE18_POINTS)
    points, known = xy.new_zeros((*xy.shape[:2], POINTS + 1, 2)), seen.new_zeros((*seen.shape[:2], POINTS + 1))
    points[:, :, order], known[:, :, order] = xy, seen
    xy, seen, kept = augmented(rng, points[:, :, :POINTS], known[:, :, :POINTS], noise)
    xy, seen = _with_middles(xy, dropped_joints(seen, kept))
    return xy[:, :, order], seen[:, :, order]


def _stretched(xy: Tensor, seen: Tensor, factors: Tensor) -> Tensor:
    """Multiplies each bone's length by its factor `(B, len(STRETCHED))`; a bone with an unseen end keeps its own."""
    points, known = _with_middles(xy, seen)
    names, inner, outer = zip(*BONES, strict=True)
    growth = factors[:, [STRETCHED.index(name) for name in names]] - 1  # (B, bones)
    along = points[:, :, list(outer)] - points[:, :, list(inner)]
    along = torch.where((known[:, :, list(inner)] & known[:, :, list(outer)])[..., None], along, 0.0)
    steps = growth[:, None, :, None] * along  # (B, N, bones, 2): what each bone adds to all that hangs on it
    carried = torch.from_numpy(_CARRIED).to(xy)[:, :, None]  # (133, bones, 1)
    return xy + (carried * steps[:, :, None]).sum(-2)


def _torso_length(xy: Tensor, seen: Tensor) -> Tensor:
    """Pixels from hips' to shoulders' middle, the most in any frame of a window: `(B,)`."""
    points, known = _with_middles(xy, seen)
    length = torch.linalg.vector_norm(points[:, :, NECK] - points[:, :, HIPS_MIDDLE], dim=-1)
    torso = torch.where(known[:, :, NECK] & known[:, :, HIPS_MIDDLE], length, 0.0).amax(1)
    body, there = xy[:, :, BODY], seen[:, :, BODY, None]
    extent = torch.where(there, body, -math.inf).amax(2) - torch.where(there, body, math.inf).amin(2)  # (B, N, 2)
    return torch.where(torso > 0, torso, TORSO_PER_EXTENT * extent.amax((1, 2)).clamp_min(0))


def _with_middles(xy: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """The 133 points, the neck and the hips' middle: `(B, N, 135, 2)` and whether they are seen."""
    pairs = ([LEFT_SHOULDER, RIGHT_SHOULDER], [LEFT_HIP, RIGHT_HIP])
    middles = [xy[:, :, pair].mean(2, keepdim=True) for pair in pairs]
    known = [seen[:, :, pair].all(2, keepdim=True) for pair in pairs]
    return torch.cat([xy, *middles], 2), torch.cat([seen, *known], 2)


def _carried_by_bones() -> npt.NDArray[np.bool_]:
    """`(133, bones)`: which bones lie between the hips' middle and each point."""
    bone_to = {outer: number for number, (_, _, outer) in enumerate(BONES)}
    carried = np.zeros((POINTS, len(BONES)), np.bool_)
    for point, joint in enumerate(GOES_WITH):
        while joint != HIPS_MIDDLE:
            carried[point, bone_to[joint]] = True
            joint = BONES[bone_to[joint]][1]
    return carried


def _hidden_by_parts() -> npt.NDArray[np.bool_]:
    """`(P, 133)`: which points are not seen when a part is missed."""
    hidden = np.zeros((len(PARTS), POINTS), np.bool_)
    for number, part in enumerate(PARTS):
        hidden[number, [outer for _, outer in part]] = True
    for name, hand in (("right hand", RIGHT_HAND), ("left hand", LEFT_HAND)):
        hidden[PART_NAMES.index(name), hand] = True
    return hidden


_CARRIED = _carried_by_bones()
_HIDDEN = _hidden_by_parts()
