"""The skeleton of the made-up people: joints, rest positions from body measures, forward kinematics.

Rest pose: a T with straight arms and legs, standing on the floor y = 0 at the origin. Axes in metres:
x to the person's left, y up, z to the front (right-handed). A left limb mirrored at x = 0 is the right limb.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_ARM = ("clavicle", "upper_arm", "forearm", "hand")
_LEG = ("thigh", "shin", "foot", "toes")
_FINGERS = ("thumb", "index", "middle", "ring", "little")

JOINTS: tuple[str, ...] = (
    *("pelvis", "spine", "chest", "neck", "head"),
    *(f"left_{name}" for name in _ARM),
    *(f"right_{name}" for name in _ARM),
    *(f"left_{name}" for name in _LEG),
    *(f"right_{name}" for name in _LEG),
)
"""Joints that a motion turns; a joint is named after the bone that begins there."""

ALL_JOINTS: tuple[str, ...] = JOINTS + tuple(
    f"{side}_{finger}_{segment}" for side in ("left", "right") for finger in _FINGERS for segment in (1, 2, 3)
)
"""`JOINTS` and the finger joints, which follow from how far a hand is closed."""

INDEX: dict[str, int] = {name: number for number, name in enumerate(ALL_JOINTS)}


def _parent(name: str) -> str | None:
    if name == "pelvis":
        return None
    if name in JOINTS[:5]:
        return JOINTS[INDEX[name] - 1]
    side, rest = name.split("_", 1)
    if rest in _ARM:
        return "chest" if rest == "clavicle" else f"{side}_{_ARM[_ARM.index(rest) - 1]}"
    if rest in _LEG:
        return "pelvis" if rest == "thigh" else f"{side}_{_LEG[_LEG.index(rest) - 1]}"
    finger, segment = rest.rsplit("_", 1)
    return f"{side}_hand" if segment == "1" else f"{side}_{finger}_{int(segment) - 1}"


PARENTS: tuple[int, ...] = tuple(-1 if (parent := _parent(name)) is None else INDEX[parent] for name in ALL_JOINTS)

MIRROR = np.diag([-1.0, 1.0, 1.0]).astype(np.float32)
_THUMB_AXIS = np.array([0.7, 0.28, -0.7], np.float32) / np.float32(1.029)
_FINGER_AXIS = np.array([0.0, 0.0, -1.0], np.float32)


@dataclass(frozen=True)
class Body:
    """Measures of a body in metres; the defaults are of an average adult."""

    sole_to_ankle: float = 0.075
    shin: float = 0.415
    thigh: float = 0.425
    hip_half_width: float = 0.088
    torso: float = 0.50
    """hip joints to the base of the neck"""
    neck: float = 0.095
    head: float = 0.235
    """chin to crown"""
    shoulder_half_width: float = 0.175
    upper_arm: float = 0.285
    forearm: float = 0.255
    hand: float = 0.185
    foot: float = 0.255
    """heel to toe tip, with the shoe"""

    @property
    def leg(self) -> float:
        """Hip joint to sole."""
        return self.sole_to_ankle + self.shin + self.thigh

    @property
    def height(self) -> float:
        """Sole to crown."""
        return self.leg + self.torso + self.neck + self.head * 0.80


CANONICAL_BODY = Body()
"""The body on which motions are made; a motion then fits any other body of like proportions."""


def rest_positions(body: Body) -> Floats:
    """(joints, 3) positions of `ALL_JOINTS` in the rest pose."""
    at: dict[str, tuple[float, float, float]] = {}
    hip, neck = body.leg, body.leg + body.torso
    at["pelvis"] = (0.0, hip + 0.02, 0.0)
    at["spine"] = (0.0, hip + 0.25 * body.torso, -0.005)
    at["chest"] = (0.0, hip + 0.50 * body.torso, -0.012)
    at["neck"] = (0.0, neck, -0.015)
    at["head"] = (0.0, neck + body.neck, 0.005)
    shoulder = (body.shoulder_half_width, neck - 0.080, -0.015)
    at["left_clavicle"] = (0.025, neck - 0.060, 0.01)
    at["left_upper_arm"] = shoulder
    at["left_forearm"] = (shoulder[0] + body.upper_arm, shoulder[1], shoulder[2])
    wrist = shoulder[0] + body.upper_arm + body.forearm
    at["left_hand"] = (wrist, shoulder[1], shoulder[2])
    at["left_thigh"] = (body.hip_half_width, hip, 0.0)
    at["left_shin"] = (body.hip_half_width, hip - body.thigh, 0.004)
    at["left_foot"] = (body.hip_half_width, body.sole_to_ankle, -0.01)
    at["left_toes"] = (body.hip_half_width + 0.012, 0.028, 0.50 * body.foot - 0.01)
    at.update(_rest_fingers(wrist, shoulder[1], shoulder[2], body.hand))
    for name in [name for name in at if name.startswith("left_")]:
        x, y, z = at[name]
        at[name.replace("left_", "right_")] = (-x, y, z)
    return np.array([at[name] for name in ALL_JOINTS], np.float32)


def _rest_fingers(wrist: float, y: float, z: float, hand: float) -> dict[str, tuple[float, float, float]]:
    """The left hand's finger joints; palm down, thumb to the front."""
    at = {}
    knuckle_and_lengths = {
        "index": (0.50, 0.145, 0.235, 0.14),
        "middle": (0.52, 0.035, 0.26, 0.155),
        "ring": (0.49, -0.07, 0.24, 0.145),
        "little": (0.44, -0.165, 0.19, 0.11),
    }
    for finger, (along, across, first, second) in knuckle_and_lengths.items():
        spread = 0.22 * across
        for segment, distance in enumerate((0.0, first, first + second), start=1):
            at[f"left_{finger}_{segment}"] = (
                wrist + hand * (along + distance),
                y + 0.0 * hand,
                z + hand * (across + spread * distance * 2),
            )
    for segment, (along, across) in enumerate(((0.14, 0.15), (0.33, 0.30), (0.46, 0.385)), start=1):
        at[f"left_thumb_{segment}"] = (wrist + hand * along, y - 0.05 * hand, z + hand * across)
    return at


def rotation_about(axis: npt.ArrayLike, angle: npt.NDArray[Any]) -> Floats:
    """Rotations (..., 3, 3) by `angle` (...) radians about a fixed unit `axis` (3,) (Rodrigues' formula)."""
    x, y, z = np.asarray(axis, np.float32)
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]], np.float32)
    angle = np.asarray(angle, np.float32)[..., None, None]
    turn = np.eye(3, dtype=np.float32) + np.sin(angle) * skew + (1 - np.cos(angle)) * (skew @ skew)
    return np.asarray(turn, np.float32)


def finger_rotations(grip: Floats) -> Floats:
    """Rotations (T, 30, 3, 3) of the finger joints from `grip` (T, 2): left and right, 0 = flat hand, 1 = fist."""
    frames = len(grip)
    out = np.empty((frames, len(ALL_JOINTS) - len(JOINTS), 3, 3), np.float32)
    number = 0
    for side in (0, 1):
        for finger in _FINGERS:
            for segment in (0, 1, 2):
                if finger == "thumb":
                    turn = rotation_about(_THUMB_AXIS, (0.15 + 0.55 * grip[:, side]) * (0.5 if segment == 0 else 1.0))
                else:
                    turn = rotation_about(_FINGER_AXIS, 0.10 + grip[:, side] * (1.35, 1.55, 0.9)[segment])
                out[:, number] = turn if side == 0 else MIRROR @ turn @ MIRROR
                number += 1
    return out


def forward_kinematics(rotations: Floats, grip: Floats, rest: Floats) -> tuple[Floats, Floats]:
    """World rotations (T, joints, 3, 3) and positions (T, joints, 3) with the pelvis at its rest position.

    Args:
        rotations: (T, len(JOINTS), 3, 3), each joint relative to its parent; the pelvis relative to the world.
        grip: (T, 2) how far the left and right hand are closed.
        rest: positions of `rest_positions`.
    """
    local = np.concatenate([rotations, finger_rotations(grip)], axis=1)
    world = np.empty_like(local)
    position = np.empty(local.shape[:3], np.float32)
    for joint, parent in enumerate(PARENTS):
        if parent < 0:
            world[:, joint] = local[:, joint]
            position[:, joint] = rest[joint]
        else:
            world[:, joint] = world[:, parent] @ local[:, joint]
            position[:, joint] = position[:, parent] + world[:, parent] @ (rest[joint] - rest[parent])
    return world, position


def bone_transforms(world: Floats, position: Floats, rest: Floats) -> Floats:
    """(joints, 3, 4) that take what lies in the rest pose along with each joint, in a pose of `forward_kinematics`."""
    return np.concatenate([world, (position - np.einsum("jab,jb->ja", world, rest))[..., None]], axis=2)


def blended(weights: Floats, bones: Floats) -> Floats:
    """(V, 3, 4) transforms of vertices (V, joints) by how much each bone (joints, 3, 4) carries them."""
    return np.asarray((weights @ bones.reshape(len(bones), 12)).reshape(-1, 3, 4))


def sole_points(body: Body) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Rest positions (P, 3) of heel, ball and toe tip under both feet, and the joint (P,) that carries each."""
    points, joints = [], []
    rest = rest_positions(body)
    for side in ("left", "right"):
        ankle, toes = rest[INDEX[f"{side}_foot"]], rest[INDEX[f"{side}_toes"]]
        for joint, z in (("foot", ankle[2] - 0.23 * body.foot), ("foot", toes[2]), ("toes", 0.77 * body.foot - 0.01)):
            points.append((ankle[0], 0.0, z))
            joints.append(INDEX[f"{side}_{joint}"])
    return np.array(points, np.float32), np.array(joints, np.intp)


def lowest_sole(world: Floats, position: Floats, body: Body) -> Floats:
    """(T,) height of the lowest point of the soles, for a figure from `forward_kinematics`."""
    points, joints = sole_points(body)
    offset = points - rest_positions(body)[joints]
    heights = position[:, joints, 1] + np.einsum("tpk,pk->tp", world[:, joints, 1], offset)
    return np.asarray(heights.min(axis=1), np.float32)
