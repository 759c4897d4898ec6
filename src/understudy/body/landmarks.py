"""The 133 COCO-WholeBody points of a body: where they sit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from understudy.body.figure import finger_tip
from understudy.body.head import HeadShape, face_landmarks, surface
from understudy.body.skeleton import INDEX, Body, Floats, rest_positions

_LIMB_JOINTS = ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")


@dataclass(frozen=True)
class Anchors:
    """Points fixed to bones.

    Attributes:
        points: (133, 3) in the rest pose, metres.
        joints: (133,) number of the bone in `skeleton.ALL_JOINTS`.
        normals: (133, 3) outwards at face points, 0 elsewhere.
        reach: (133,) metres that may lie between the point and the surface seen before it.
    """

    points: Floats
    joints: npt.NDArray[np.intp]
    normals: Floats
    reach: Floats

    def placed(self, bones: Floats) -> Floats:
        """(133, 3) world places under bone transforms (joints, 3, 4)."""
        bone = bones[self.joints]
        return np.asarray(np.einsum("pab,pb->pa", bone[..., :3], self.points) + bone[..., 3], np.float32)

    def turned(self, world: Floats) -> Floats:
        """(133, 3) normals in the world."""
        return np.asarray(np.einsum("pab,pb->pa", world[self.joints], self.normals), np.float32)


def landmark_anchors(body: Body, head: HeadShape) -> Anchors:
    """The points of a body in COCO-WholeBody order: body, feet, face, left hand, right hand."""
    rest = rest_positions(body)
    points: list[npt.ArrayLike] = []
    joints: list[int] = []
    reach: list[float] = []

    def add(point: npt.ArrayLike, joint: str, distance: float) -> None:
        points.append(point)
        joints.append(INDEX[joint])
        reach.append(distance)

    landmarks = face_landmarks(head)
    face = surface(body, head, landmarks[:, 0], landmarks[:, 1])
    eyes = [face[42:48].mean(axis=0), face[36:42].mean(axis=0)]
    ears = [surface(body, head, angle * np.pi, 0.44) for angle in (1.5, 0.5)]
    for point in (face[30], *eyes, *ears):
        add(point, "head", 0.03)
    for name, distance in zip(_LIMB_JOINTS, (0.13, 0.09, 0.07, 0.17, 0.12, 0.10), strict=True):
        for side in ("left", "right"):
            add(rest[INDEX[f"{side}_{name}"]], f"{side}_{name}", distance)
    for side, sign in (("left", 1), ("right", -1)):
        ankle, toes = rest[INDEX[f"{side}_foot"]], rest[INDEX[f"{side}_toes"]]
        tip = 0.70 * body.foot - 0.01
        add((toes[0] - 0.012 * sign, 0.025, tip), f"{side}_toes", 0.07)
        add((toes[0] + 0.035 * sign, 0.020, tip - 0.05), f"{side}_toes", 0.07)
        add((ankle[0], 0.03, ankle[2] - 0.20 * body.foot), f"{side}_foot", 0.07)
    for point in face:
        add(point, "head", 0.035)
    for side in ("left", "right"):
        add(rest[INDEX[f"{side}_hand"]], f"{side}_hand", 0.05)
        for finger in ("thumb", "index", "middle", "ring", "little"):
            for segment in (1, 2, 3):
                add(rest[INDEX[f"{side}_{finger}_{segment}"]], f"{side}_{finger}_{segment}", 0.035)
            add(finger_tip(rest, side, finger), f"{side}_{finger}_3", 0.035)
    normals = np.zeros((len(points), 3), np.float32)
    normals[23:91] = _face_normals(landmarks)
    normals[0], normals[1:3] = (0, 0, 1), normals[[23 + 44, 23 + 38]]
    normals[3], normals[4] = (1, 0, 0), (-1, 0, 0)
    return Anchors(np.array(points, np.float32), np.array(joints, np.intp), normals, np.array(reach, np.float32))


def _face_normals(landmarks: npt.NDArray[np.float64]) -> Floats:
    """(68, 3) unit normals of the head's smooth shape at the face points."""
    angle = landmarks[:, 0]
    normals = np.stack([-np.sin(angle), 0 * angle, -np.cos(angle)], axis=1)
    return np.asarray(normals, np.float32)
