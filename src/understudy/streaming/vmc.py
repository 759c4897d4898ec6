"""The VMC protocol: the bones of an avatar, as programs for virtual characters send them, become the 133 points.

Sources: the Virtual Motion Capture Protocol (protocol.vmc.info, Marionette specification): `/VMC/Ext/Bone/Pos` holds
the name of a bone as Unity's `HumanBodyBones` has it, a position and a quaternion (x, y, z, w), both in the frame of
the bone above it; `/VMC/Ext/Root/Pos` the same of the whole; `/VMC/Ext/T` and `/VMC/Ext/OK` are sent once a frame.
Usual port: 39539.

Unity's axes are left-handed: y up, and an avatar that is not turned looks along +z, with its left at -x. A camera that
stands before it looks along -z, so that in its picture x is -x and y is -y, by an orthographic projection: nobody says
how far away the camera is, and the alignment brings any size to the reference's.

What a bone is called and which point its beginning is: `JOINTS`. The nose and the ears have no bones: they lie before
and beside the head's (`HEAD`). Eyes, toes and fingers are there where they are sent; the tip of a finger goes on from
its last bone by half of it. All else of the 133 points is not seen.

Senders that only know rotations send all positions as zero. Of these the body is one of usual proportions (`USUAL`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt

from understudy.poses import pose as p
from understudy.poses.pose import POINTS, Pose
from understudy.streaming.osc import Message, OscError

Floats = npt.NDArray[np.float64]

SIDES = ("Left", "Right")
ABOVE: dict[str, str] = {
    "Spine": "Hips", "Chest": "Spine", "UpperChest": "Chest", "Neck": "UpperChest", "Head": "Neck",
}  # fmt: skip
"""of each bone the one above it; where that is not sent, the next one above is meant"""
USUAL: dict[str, tuple[float, float, float]] = {
    "Hips": (0.0, 0.95, 0.0), "Spine": (0.0, 0.1, 0.0), "Chest": (0.0, 0.12, 0.0), "UpperChest": (0.0, 0.12, 0.0),
    "Neck": (0.0, 0.14, 0.0), "Head": (0.0, 0.1, 0.0),
}  # fmt: skip
"""metres, of somebody of 1.7 m who stands with arms stretched out to the sides"""
JOINTS: dict[str, int] = {}
"""which point the beginning of a bone is"""
HANDS = {"Left": p.LEFT_HAND, "Right": p.RIGHT_HAND}
FINGERS = ("Thumb", "Index", "Middle", "Ring", "Little")
PHALANGES = ("Proximal", "Intermediate", "Distal")
HEAD = {p.NOSE: (0.0, 0.04, 0.11), p.LEFT_EAR: (-0.075, 0.05, 0.0), p.RIGHT_EAR: (0.075, 0.05, 0.0)}
"""metres from the head's bone, as it is turned, of a body of `USUAL` size"""
for _side, _out in zip(SIDES, (-1, 1), strict=True):
    ABOVE |= {
        f"{_side}Shoulder": "UpperChest", f"{_side}UpperArm": f"{_side}Shoulder",
        f"{_side}LowerArm": f"{_side}UpperArm", f"{_side}Hand": f"{_side}LowerArm", f"{_side}UpperLeg": "Hips",
        f"{_side}LowerLeg": f"{_side}UpperLeg", f"{_side}Foot": f"{_side}LowerLeg", f"{_side}Toes": f"{_side}Foot",
        f"{_side}Eye": "Head",
    }  # fmt: skip
    USUAL |= {
        f"{_side}Shoulder": (0.03 * _out, 0.1, 0.0), f"{_side}UpperArm": (0.14 * _out, 0.0, 0.0),
        f"{_side}LowerArm": (0.27 * _out, 0.0, 0.0), f"{_side}Hand": (0.25 * _out, 0.0, 0.0),
        f"{_side}UpperLeg": (0.09 * _out, -0.03, 0.0), f"{_side}LowerLeg": (0.0, -0.42, 0.0),
        f"{_side}Foot": (0.0, -0.42, 0.0), f"{_side}Toes": (0.0, -0.06, 0.14),
        f"{_side}Eye": (0.032 * _out, 0.07, 0.09),
    }  # fmt: skip
    JOINTS |= {
        f"{_side}UpperArm": getattr(p, f"{_side.upper()}_SHOULDER"),
        f"{_side}LowerArm": getattr(p, f"{_side.upper()}_ELBOW"), f"{_side}Hand": getattr(p, f"{_side.upper()}_WRIST"),
        f"{_side}UpperLeg": getattr(p, f"{_side.upper()}_HIP"),
        f"{_side}LowerLeg": getattr(p, f"{_side.upper()}_KNEE"), f"{_side}Foot": getattr(p, f"{_side.upper()}_ANKLE"),
        f"{_side}Toes": getattr(p, f"{_side.upper()}_BIG_TOE"), f"{_side}Eye": getattr(p, f"{_side.upper()}_EYE"),
    }  # fmt: skip
    for _finger in FINGERS:
        _before = f"{_side}Hand"
        for _part in PHALANGES:
            ABOVE[f"{_side}{_finger}{_part}"] = _before
            _before = f"{_side}{_finger}{_part}"
BONES = frozenset(ABOVE) | {"Hips"}
PIXELS = 300.0
"""of the made-up picture, a metre"""
SIZE_HW = (720, 1280)
FLOOR = 660.0
"""y of the picture where Unity's is 0"""
FARTHEST = 100.0
"""metres: nobody sends a bone from farther away"""
STILL = 1e-6
"""metres: a position shorter than this is none"""


class VmcPoses:
    """Understands the protocol's bones; all else of it is passed over.

    A frame is whole when `/VMC/Ext/T` or `/VMC/Ext/OK` comes, or, of senders of neither, when a bone comes again.

    Args:
        put: takes a pose that is whole.
    """

    def __init__(self, put: Callable[[Pose], None]) -> None:
        self._put = put
        self._bones: dict[str, tuple[Floats, Floats]] = {}
        self._root = (np.zeros(3), np.eye(3))
        self._come: set[str] = set()

    def __call__(self, messages: list[Message]) -> None:
        """All of one datagram.

        Raises:
            OscError: a bone whose numbers are not what the protocol says; the frame until there is dropped.
        """
        for message in messages:
            if message.address in ("/VMC/Ext/T", "/VMC/Ext/OK"):
                self._whole()
            elif message.address in ("/VMC/Ext/Bone/Pos", "/VMC/Ext/Root/Pos"):
                try:
                    name, place = _placed(message)
                except OscError:
                    self._come.clear()
                    raise
                if message.address == "/VMC/Ext/Root/Pos":
                    self._root = place
                elif name in BONES:
                    if name in self._come:
                        self._whole()
                    self._come.add(name)
                    self._bones[name] = place

    def _whole(self) -> None:
        if self._come:
            self._come.clear()
            self._put(pose_of_bones(self._bones, self._root))


def _placed(message: Message) -> tuple[str, tuple[Floats, Floats]]:
    """Name, position and rotation matrix of a bone."""
    if len(message.arguments) < 8:  # of the root more follow: scale and offset for pictures mixed with a camera's
        raise OscError("a bone has a name and seven numbers")
    name, *numbers = message.arguments[:8]
    if not isinstance(name, str):
        raise OscError("a bone without a name")
    if not all(isinstance(one, int | float) and math.isfinite(one) for one in numbers):
        raise OscError("a bone with a number that is none")
    values = np.array(numbers, np.float64)
    if np.abs(values[:3]).max() > FARTHEST:
        raise OscError("a bone far away")
    length = float(np.linalg.norm(values[3:]))
    if not 0.5 < length < 2.0:
        raise OscError("a quaternion that is no rotation")
    return name, (values[:3], rotation(values[3:] / length))


def rotation(quaternion: Floats) -> Floats:
    """(4,) x, y, z, w of length 1: the (3, 3) matrix that turns columns."""
    x, y, z, w = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def places(bones: dict[str, tuple[Floats, Floats]], root: tuple[Floats, Floats]) -> dict[str, tuple[Floats, Floats]]:
    """Where bones begin in Unity's world, in metres, and how they are turned: forward kinematics.

    Args:
        bones: position and rotation of each in the frame of the next one above it that is there.
        root: of the whole.
    """
    bones = _with_lengths(bones)
    found: dict[str, tuple[Floats, Floats]] = {}

    def of(name: str) -> tuple[Floats, Floats]:
        if name not in found:
            above = ABOVE.get(name)
            while above is not None and above not in bones:
                above = ABOVE.get(above)
            there, turned = root if above is None else of(above)
            position, own = bones[name]
            found[name] = there + turned @ position, turned @ own
        return found[name]

    return {name: of(name) for name in bones}


def _with_lengths(bones: dict[str, tuple[Floats, Floats]]) -> dict[str, tuple[Floats, Floats]]:
    """As they are, or with usual lengths where no bone but the hips has any."""
    if any(np.abs(position).max() > STILL for name, (position, _) in bones.items() if name != "Hips"):
        return bones
    lengths: dict[str, tuple[Floats, Floats]] = {}
    for name, (position, turned) in bones.items():
        if name not in USUAL:
            continue  # fingers without a length are no fingers
        usual = np.array(USUAL[name])
        above = ABOVE.get(name)
        while above is not None and above not in bones:
            usual = usual + USUAL[above]
            above = ABOVE.get(above)
        moved = name == "Hips" and np.abs(position).max() > STILL
        lengths[name] = (position if moved else usual), turned
    return lengths


def pose_of_bones(bones: dict[str, tuple[Floats, Floats]], root: tuple[Floats, Floats]) -> Pose:
    """(1, 133) as a camera before the avatar sees it, in a picture of `SIZE_HW`."""
    placed = places(bones, root)
    points: dict[int, Floats] = {JOINTS[name]: place for name, (place, _) in placed.items() if name in JOINTS}
    if "Head" in placed:
        there, turned = placed["Head"]
        size = _height(placed) / _usual_height()
        points |= {point: there + turned @ (size * np.array(offset)) for point, offset in HEAD.items()}
    for side, hand in HANDS.items():
        points |= _fingers(placed, side, hand)
    xy, confidence = np.zeros((1, POINTS, 2), np.float32), np.zeros((1, POINTS), np.float32)
    for point, (x, y, _) in points.items():
        xy[0, point] = SIZE_HW[1] / 2 - PIXELS * x, FLOOR - PIXELS * y
        confidence[0, point] = 1.0
    return Pose(xy, confidence, SIZE_HW)


@cache
def _usual_height() -> float:
    """Of a body of `USUAL` size."""
    still = np.zeros(3), np.eye(3)
    return _height(places(dict.fromkeys(USUAL, still), still))


def _height(placed: dict[str, tuple[Floats, Floats]]) -> float:
    """Metres along the bones from the hips to the head, however they are bent; 1 where one of the two is missing."""
    if not {"Hips", "Head"} <= placed.keys():
        return 1.0
    chain = ["Hips", *(name for name in ("Spine", "Chest", "UpperChest", "Neck", "Head") if name in placed)]
    steps = np.diff(np.array([placed[name][0] for name in chain]), axis=0)
    return max(float(np.linalg.norm(steps, axis=1).sum()), STILL)


def _fingers(placed: dict[str, tuple[Floats, Floats]], side: str, hand: slice) -> dict[int, Floats]:
    """The 21 points of a hand; none where a finger is missing."""
    wrist = f"{side}Hand"
    names = [[f"{side}{finger}{part}" for part in PHALANGES] for finger in FINGERS]
    if wrist not in placed or any(name not in placed for finger in names for name in finger):
        return {}
    points = {hand.start: placed[wrist][0]}
    for number, finger in enumerate(names):
        first = hand.start + 1 + 4 * number
        joints = [placed[name][0] for name in finger]
        points |= {first + place: joint for place, joint in enumerate(joints)}
        points[first + 3] = joints[2] + 0.5 * (joints[2] - joints[1])
    return points
