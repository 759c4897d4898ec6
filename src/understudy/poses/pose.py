"""Poses: 133 points per frame in COCO-WholeBody order, and the 18-joint OpenPose view that the papers use.

"Left" and "right" are the person's own: the left hand of somebody who faces the camera is on the right of the picture.

Sources: COCO-WholeBody (Jin et al. 2020, arXiv 2007.11858) for the 133 points; OpenPose (Cao et al. 2019,
arXiv 1812.08008) for the 18 joints and their order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

POINTS = 133
FARTHEST = 1e6
"""pixels from the frame's corner: no file holds a point farther away"""
BODY = slice(0, 17)
FEET = slice(17, 23)
FACE = slice(23, 91)
LEFT_HAND = slice(91, 112)
RIGHT_HAND = slice(112, 133)

NOSE, LEFT_EYE, RIGHT_EYE, LEFT_EAR, RIGHT_EAR = range(5)
LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_ELBOW, RIGHT_ELBOW, LEFT_WRIST, RIGHT_WRIST = range(5, 11)
LEFT_HIP, RIGHT_HIP, LEFT_KNEE, RIGHT_KNEE, LEFT_ANKLE, RIGHT_ANKLE = range(11, 17)
LEFT_BIG_TOE, LEFT_SMALL_TOE, LEFT_HEEL, RIGHT_BIG_TOE, RIGHT_SMALL_TOE, RIGHT_HEEL = range(17, 23)

OPENPOSE18_NAMES = (
    "nose",
    "neck",
    "right shoulder",
    "right elbow",
    "right wrist",
    "left shoulder",
    "left elbow",
    "left wrist",
    "right hip",
    "right knee",
    "right ankle",
    "left hip",
    "left knee",
    "left ankle",
    "right eye",
    "left eye",
    "right ear",
    "left ear",
)
OPENPOSE18_NECK = 1
OPENPOSE18_FROM_BODY = (
    (0, NOSE),
    (2, RIGHT_SHOULDER),
    (3, RIGHT_ELBOW),
    (4, RIGHT_WRIST),
    (5, LEFT_SHOULDER),
    (6, LEFT_ELBOW),
    (7, LEFT_WRIST),
    (8, RIGHT_HIP),
    (9, RIGHT_KNEE),
    (10, RIGHT_ANKLE),
    (11, LEFT_HIP),
    (12, LEFT_KNEE),
    (13, LEFT_ANKLE),
    (14, RIGHT_EYE),
    (15, LEFT_EYE),
    (16, RIGHT_EAR),
    (17, LEFT_EAR),
)
"""(index among the 18, index among the 133) of every joint but the neck, which COCO does not have."""

OPENPOSE18_LIMBS: tuple[tuple[int, int], ...] = (
    (1, 2),
    (1, 5),
    (2, 3),
    (3, 4),
    (5, 6),
    (6, 7),
    (1, 8),
    (8, 9),
    (9, 10),
    (1, 11),
    (11, 12),
    (12, 13),
    (1, 0),
    (0, 14),
    (14, 16),
    (0, 15),
    (15, 17),
)
"""The 17 drawn limbs, as pairs of indices among the 18, from the neck outwards."""

DESCRIPTOR_LIMBS: tuple[tuple[int, int], ...] = (
    (1, 8),
    (8, 9),
    (9, 10),
    (1, 11),
    (11, 12),
    (12, 13),
    (1, 2),
    (2, 3),
    (3, 4),
    (1, 5),
    (5, 6),
    (6, 7),
)
"""The 12 limbs of the skeleton descriptor (Aberman et al. 2018, section 4): three per leg, three per arm."""
DESCRIPTOR_LIMB_NAMES = (
    "right side of the trunk",
    "right thigh",
    "right shin",
    "left side of the trunk",
    "left thigh",
    "left shin",
    "right shoulder",
    "right upper arm",
    "right forearm",
    "left shoulder",
    "left upper arm",
    "left forearm",
)

HAND_LIMBS: tuple[tuple[int, int], ...] = tuple(
    (0 if joint == first else joint - 1, joint) for first in (1, 5, 9, 13, 17) for joint in range(first, first + 4)
)
"""The 20 bones of one hand, as pairs of indices among its 21 points: 0 the wrist, then thumb to little finger."""
FOOT_LIMBS: tuple[tuple[int, int], ...] = (
    (LEFT_ANKLE, LEFT_HEEL),
    (LEFT_HEEL, LEFT_BIG_TOE),
    (LEFT_HEEL, LEFT_SMALL_TOE),
    (RIGHT_ANKLE, RIGHT_HEEL),
    (RIGHT_HEEL, RIGHT_BIG_TOE),
    (RIGHT_HEEL, RIGHT_SMALL_TOE),
)
"""Feet, as pairs of indices among the 133."""

NECK = POINTS
"""index of the point behind the 133: the midpoint of the shoulders"""
OPENPOSE18_POINTS: tuple[int, ...] = tuple(
    point for _, point in sorted([*OPENPOSE18_FROM_BODY, (OPENPOSE18_NECK, NECK)])
)
"""index among the 133 and the neck of each of OpenPose's 18 joints"""
BODY_LIMBS: tuple[tuple[int, int], ...] = tuple(
    (OPENPOSE18_POINTS[inner], OPENPOSE18_POINTS[outer]) for inner, outer in OPENPOSE18_LIMBS
)
"""`OPENPOSE18_LIMBS` as pairs of indices among the 133 points and the neck."""
PARTS: tuple[tuple[tuple[int, int], ...], ...] = (
    *((limb,) for limb in BODY_LIMBS),
    *(FOOT_LIMBS[3:], FOOT_LIMBS[:3]),
    *(tuple((hand.start + a, hand.start + b) for a, b in HAND_LIMBS) for hand in (RIGHT_HAND, LEFT_HAND)),
)
"""A body in parts that are found or missed as a whole: each limb, foot and hand with its lines, as pairs of indices
among the 133 points and the neck, from the trunk outwards."""
PART_NAMES: tuple[str, ...] = (
    *(f"{OPENPOSE18_NAMES[inner]} to {OPENPOSE18_NAMES[outer]}" for inner, outer in OPENPOSE18_LIMBS),
    "right foot",
    "left foot",
    "right hand",
    "left hand",
)
FACE_LINES: tuple[tuple[int, ...], ...] = (
    tuple(range(0, 17)),
    tuple(range(17, 22)),
    tuple(range(22, 27)),
    tuple(range(27, 31)),
    tuple(range(31, 36)),
    (*range(36, 42), 36),
    (*range(42, 48), 42),
    (*range(48, 60), 48),
    (*range(60, 68), 60),
)
"""Outlines of the 68 face points: jaw, brows, nose ridge, nostrils, eyes, outer and inner lips."""

_FACE_EXCHANGED = (
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1),  # jaw, brows, nose ridge, nostrils
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,  # eyes
    *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1),  # lips
)  # fmt: skip
EXCHANGED: tuple[int, ...] = (
    NOSE,
    *(point + 1 if point % 2 else point - 1 for point in range(1, 17)),
    *range(20, 23), *range(17, 20),
    *(FACE.start + point for point in _FACE_EXCHANGED),
    *range(RIGHT_HAND.start, RIGHT_HAND.stop), *range(LEFT_HAND.start, LEFT_HAND.stop),
)  # fmt: skip
"""For each of the 133 points, the same one of the other side."""


@dataclass(frozen=True, eq=False)
class Pose:
    """The points of one person in T consecutive frames.

    Raises:
        ValueError: shapes that do not belong together, a size below one pixel, a number that is not finite, or a
            confidence outside [0, 1].

    Example:
        >>> pose = Pose.from_openpose18(np.full((2, 18, 2), 50.0), np.ones((2, 18)), size_hw=(480, 640))
        >>> len(pose), pose.xy.shape
        (2, (2, 133, 2))
    """

    xy: FloatArray
    """(T, 133, 2) pixels of the frame named by `size_hw`: x to the right, y down;
    without meaning where confidence is 0"""
    confidence: FloatArray
    """(T, 133) in [0, 1]; 0 = not seen"""
    size_hw: tuple[int, int]
    """height and width, in pixels, of the frame that `xy` refers to"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "xy", np.asarray(self.xy, np.float32))
        object.__setattr__(self, "confidence", np.asarray(self.confidence, np.float32))
        if self.xy.ndim != 3 or self.xy.shape[1:] != (POINTS, 2):
            raise ValueError(f"xy must be (T, {POINTS}, 2), not {self.xy.shape}")
        if self.confidence.shape != self.xy.shape[:2]:
            raise ValueError(f"confidence must be {self.xy.shape[:2]}, not {self.confidence.shape}")
        if len(self.size_hw) != 2 or min(self.size_hw) < 1:
            raise ValueError(f"size_hw must be a height and a width in pixels, not {self.size_hw}")
        if not np.isfinite(self.xy).all():
            raise ValueError("xy holds numbers that are not finite")
        if not ((self.confidence >= 0) & (self.confidence <= 1)).all():
            raise ValueError("confidence must lie in [0, 1]")

    def __len__(self) -> int:
        return len(self.xy)

    def __getitem__(self, frames: slice) -> Pose:
        """The pose of some of the frames."""
        if not isinstance(frames, slice):
            raise TypeError(f"a Pose is cut with a slice (pose[{frames!r}:...]), because it always has a time axis")
        return Pose(self.xy[frames], self.confidence[frames], self.size_hw)

    @property
    def found(self) -> npt.NDArray[np.bool_]:
        """(T,) true where any of the 17 body joints is seen."""
        return np.asarray((self.confidence[:, BODY] > 0).any(axis=1), np.bool_)

    def check_reach(self) -> None:
        """For poses out of a file, whose writer may have written anything.

        Raises:
            ValueError: a point that is seen lies farther away than any can.
        """
        seen = self.xy[self.confidence > 0]
        if np.abs(seen).max(initial=0) > FARTHEST:
            raise ValueError(f"a point lies more than {FARTHEST:.0f} pixels away")

    def sha256(self) -> str:
        """Hash of the points and their confidence, by which the same poses are known again."""
        digest = hashlib.sha256(np.ascontiguousarray(self.xy).data)
        digest.update(np.ascontiguousarray(self.confidence).data)
        return digest.hexdigest()

    def openpose18(self) -> tuple[FloatArray, FloatArray]:
        """The view that the papers use, in the order of `OPENPOSE18_NAMES`.

        Returns:
            (T, 18, 2) pixels and (T, 18) confidence. The neck is the midpoint of the shoulders, with the smaller
            confidence of the two: not seen unless both are.
        """
        shoulders = [RIGHT_SHOULDER, LEFT_SHOULDER]
        order = np.full(len(OPENPOSE18_NAMES), NOSE)
        for joint, point in OPENPOSE18_FROM_BODY:
            order[joint] = point
        xy, confidence = self.xy[:, order], self.confidence[:, order]
        xy[:, OPENPOSE18_NECK] = self.xy[:, shoulders].mean(axis=1)
        confidence[:, OPENPOSE18_NECK] = self.confidence[:, shoulders].min(axis=1)
        return xy, confidence

    def sides_exchanged(self) -> Pose:
        """The same points with left called right: somebody seen from the front becomes somebody seen from behind."""
        order = list(EXCHANGED)
        return Pose(self.xy[:, order], self.confidence[:, order], self.size_hw)

    @staticmethod
    def concatenate(poses: Sequence[Pose]) -> Pose:
        """One pose after another in time.

        Raises:
            ValueError: none given, or frames of different sizes.
        """
        sizes = {pose.size_hw for pose in poses}
        if len(sizes) != 1:
            raise ValueError(f"poses to concatenate must have one frame size, not {sorted(sizes) or 'none'}")
        return Pose(
            np.concatenate([pose.xy for pose in poses]),
            np.concatenate([pose.confidence for pose in poses]),
            poses[0].size_hw,
        )

    @staticmethod
    def from_openpose18(
        xy: npt.NDArray[np.floating[Any]], confidence: npt.NDArray[np.floating[Any]], size_hw: tuple[int, int]
    ) -> Pose:
        """From (T, 18, 2) pixels and (T, 18) confidence in the order of `OPENPOSE18_NAMES`.

        The neck is dropped, since the midpoint of the shoulders stands for it; feet, face and hands are not seen.

        Raises:
            ValueError: other shapes.
        """
        if xy.ndim != 3 or xy.shape[1:] != (18, 2) or confidence.shape != xy.shape[:2]:
            raise ValueError(f"need (T, 18, 2) and (T, 18), not {xy.shape} and {confidence.shape}")
        all_xy = np.zeros((len(xy), POINTS, 2), np.float32)
        all_confidence = np.zeros((len(xy), POINTS), np.float32)
        for joint, point in OPENPOSE18_FROM_BODY:
            all_xy[:, point] = xy[:, joint]
            all_confidence[:, point] = confidence[:, joint]
        return Pose(all_xy, all_confidence, size_hw)
