"""The skeleton in PyTorch: forward kinematics that gradients pass through, and rotations as six numbers.

Camera frame: x to the right of the picture, y up, z towards the camera, metres; somebody who faces the camera in the
rest pose has no rotation at all. Shape letters: T moments, J joints of `ALL_JOINTS`, P points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from understudy.body.head import HeadShape
from understudy.body.landmarks import landmark_anchors
from understudy.body.skeleton import ALL_JOINTS, INDEX, JOINTS, PARENTS, Body, finger_rotations, rest_positions

LENGTHS: tuple[str, ...] = (
    "trunk",
    "neck and head",
    "shoulders",
    "hips",
    "upper arm",
    "forearm",
    "thigh",
    "shin",
    "foot",
)
"""what of a body may be longer or shorter than the average; both sides alike"""

_LENGTH_OF = {
    **{"spine": "trunk", "chest": "trunk", "neck": "trunk", "head": "neck and head"},
    **{"clavicle": "shoulders", "upper_arm": "shoulders", "forearm": "upper arm", "hand": "forearm"},
    **{"thigh": "hips", "shin": "thigh", "foot": "shin", "toes": "foot"},
}


@dataclass(frozen=True)
class Bones:
    """An average body whose bones can be stretched.

    Attributes:
        offsets: (J, 3) from the parent joint to the joint in the rest pose.
        lengths: (J,) which of `LENGTHS` stretches that; -1 none.
        points: (P, 3) of COCO-WholeBody, from the joint that carries each.
        carriers: (P,) that joint.
        point_lengths: (P,) which of `LENGTHS` stretches it; -1 none.
        normals: (P, 3) outwards at face points, else 0.
    """

    offsets: Tensor
    lengths: Tensor
    points: Tensor
    carriers: Tensor
    point_lengths: Tensor
    normals: Tensor


def average_bones() -> Bones:
    """Those of `Body()` with the average head."""
    body = Body()
    rest = torch.from_numpy(rest_positions(body))
    anchors = landmark_anchors(body, HeadShape())
    carriers = torch.from_numpy(anchors.joints)
    offsets = torch.stack([rest[joint] - (rest[parent] if parent >= 0 else 0) for joint, parent in enumerate(PARENTS)])
    head, foot = LENGTHS.index("neck and head"), LENGTHS.index("foot")
    carried_by = {"head": head, "left_toes": foot, "right_toes": foot, "left_foot": foot, "right_foot": foot}
    return Bones(
        offsets,
        torch.tensor([_length_of(name) for name in ALL_JOINTS]),
        torch.from_numpy(anchors.points) - rest[carriers],
        carriers,
        torch.tensor([carried_by.get(ALL_JOINTS[joint], -1) for joint in anchors.joints]),
        torch.from_numpy(anchors.normals),
    )


def without_fingers(bones: Bones, points: Sequence[int]) -> Bones:
    """The bones of `JOINTS` alone, with some of the points; of a hand's, those on its bone and the knuckles.

    Raises:
        ValueError: a point is on a finger.
    """
    chosen = torch.tensor(points)
    carriers, places = bones.carriers[chosen].clone(), bones.points[chosen].clone()
    for row, joint in enumerate(carriers.tolist()):
        if joint >= len(JOINTS):
            if PARENTS[joint] >= len(JOINTS) or places[row].norm() > 1e-6:
                raise ValueError(f"point {points[row]} moves with a finger")
            carriers[row], places[row] = PARENTS[joint], bones.offsets[joint]
    count = len(JOINTS)
    lengths, normals = bones.point_lengths[chosen], bones.normals[chosen]
    return Bones(bones.offsets[:count], bones.lengths[:count], places, carriers, lengths, normals)


def _length_of(joint: str) -> int:
    name = joint.split("_", 1)[1] if joint.startswith(("left_", "right_")) else joint
    return LENGTHS.index(_LENGTH_OF[name]) if name in _LENGTH_OF else -1


def stretched(body: Body, stretch: Tensor) -> Body:
    """A body with its lengths times `stretch` (len(LENGTHS),)."""
    by = dict(zip(LENGTHS, stretch.tolist(), strict=True))
    return Body(
        sole_to_ankle=body.sole_to_ankle * by["foot"],
        shin=body.shin * by["shin"],
        thigh=body.thigh * by["thigh"],
        hip_half_width=body.hip_half_width * by["hips"],
        torso=body.torso * by["trunk"],
        neck=body.neck * by["neck and head"],
        head=body.head * by["neck and head"],
        shoulder_half_width=body.shoulder_half_width * by["shoulders"],
        upper_arm=body.upper_arm * by["upper arm"],
        forearm=body.forearm * by["forearm"],
        hand=body.hand,
        foot=body.foot * by["foot"],
    )


def placed(bones: Bones, turned: Tensor, stretch: Tensor) -> tuple[Tensor, Tensor]:
    """Joints and points in the camera frame, the pelvis at the origin.

    Args:
        bones: of the average body.
        turned: (T, J, 3, 3) rotations of the joints, each from the rest pose (not from its parent).
        stretch: (T or 1, len(LENGTHS)) factors.

    Returns:
        (T, J, 3) and (T, P, 3), metres.
    """
    factors = torch.cat([stretch, torch.ones_like(stretch[:, :1])], dim=1)  # -1 picks the last: as it is
    offsets = bones.offsets * factors[:, bones.lengths, None]
    steps = [torch.zeros_like(turned[:, 0, :, 0])]
    for joint, parent in enumerate(PARENTS[1 : len(bones.offsets)], start=1):
        along = turned[:, parent] @ offsets[:, joint, :, None]
        steps.append(steps[parent] + along[..., 0])
    joints = torch.stack(steps, dim=1)
    points = bones.points * factors[:, bones.point_lengths, None]
    carried = turned[:, bones.carriers] @ points[..., None]
    return joints, joints[:, bones.carriers] + carried[..., 0]


def with_fingers(turned: Tensor, grip: Tensor) -> Tensor:
    """(T, J, 3, 3) from (T, len(JOINTS), 3, 3) and how far the hands are closed (T, 2), without gradients for these."""
    fingers = torch.from_numpy(finger_rotations(grip.detach().cpu().numpy())).to(turned)
    every = list(turned.unbind(dim=1))
    for number, joint in enumerate(range(len(JOINTS), len(ALL_JOINTS))):
        every.append(every[PARENTS[joint]] @ fingers[:, number])
    return torch.stack(every, dim=1)


def rotations_of(six: Tensor) -> Tensor:
    """(..., 6) -> rotation matrices (..., 3, 3): the first two columns, made square (Zhou et al. 2019, section 4.2)."""
    first = F.normalize(six[..., :3], dim=-1)
    second = six[..., 3:] - (first * six[..., 3:]).sum(-1, keepdim=True) * first
    second = F.normalize(second, dim=-1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=-1)


def six_of(rotations: Tensor) -> Tensor:
    """(..., 3, 3) -> (..., 6): their first two columns."""
    return torch.cat([rotations[..., 0], rotations[..., 1]], dim=-1)


def relative(turned: Tensor) -> Tensor:
    """(T, len(JOINTS), 3, 3) from the rest pose -> each from its parent, as a motion has them."""
    parents = [PARENTS[INDEX[name]] for name in JOINTS]
    own = [
        turned[:, 0],
        *(turned[:, parent].mT @ turned[:, joint] for joint, parent in enumerate(parents) if parent >= 0),
    ]
    return torch.stack(own, dim=1)
