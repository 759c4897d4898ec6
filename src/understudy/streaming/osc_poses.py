"""Our own OSC addresses: poses as shares of a picture, and keys.

| address | arguments | what it does |
|---|---|---|
| `/understudy/pose` | 399 numbers: x, y, confidence of each of the 133 points | a whole pose |
| `/understudy/joint/NAME` | x, y, and confidence (left out: 1) | a point of the pose that is being told |
| `/understudy/show` | none | the pose that was told joint by joint is whole |
| `/understudy/nobody` | none | nobody is there |
| `/understudy/aspect` | width over height | of the picture that x and y are shares of; 16:9 until it is told |
| `/understudy/key` | one of `controls.ACTIONS` | presses a key |

x runs to the right and y down, 0 to 1 across the picture. Joints in a bundle need no `/understudy/show`: the pose is
whole where the datagram ends.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from understudy.poses import pose as p
from understudy.poses.pose import POINTS, Pose
from understudy.streaming.controls import Controls
from understudy.streaming.osc import Argument, Message, OscError
from understudy.streaming.placing import nobody
from understudy.streaming.pose_stream import ASPECT, pose_of_shares, size_of

HERE = "/understudy/"
JOINTS = {
    "nose": p.NOSE, "left_eye": p.LEFT_EYE, "right_eye": p.RIGHT_EYE, "left_ear": p.LEFT_EAR,
    "right_ear": p.RIGHT_EAR, "left_shoulder": p.LEFT_SHOULDER, "right_shoulder": p.RIGHT_SHOULDER,
    "left_elbow": p.LEFT_ELBOW, "right_elbow": p.RIGHT_ELBOW, "left_wrist": p.LEFT_WRIST,
    "right_wrist": p.RIGHT_WRIST, "left_hip": p.LEFT_HIP, "right_hip": p.RIGHT_HIP, "left_knee": p.LEFT_KNEE,
    "right_knee": p.RIGHT_KNEE, "left_ankle": p.LEFT_ANKLE, "right_ankle": p.RIGHT_ANKLE,
    "left_big_toe": p.LEFT_BIG_TOE, "left_small_toe": p.LEFT_SMALL_TOE, "left_heel": p.LEFT_HEEL,
    "right_big_toe": p.RIGHT_BIG_TOE, "right_small_toe": p.RIGHT_SMALL_TOE, "right_heel": p.RIGHT_HEEL,
}  # fmt: skip
"""body and feet by name, COCO-WholeBody's; left is the person's own"""


class OscPoses:
    """Understands these addresses; others are for somebody else, and passed over.

    Args:
        put: takes a pose that is whole.
        controls: what keys press.
    """

    def __init__(self, put: Callable[[Pose], None] | None, controls: Controls) -> None:
        self._put, self._controls = put, controls
        self._size_hw = size_of(ASPECT)
        self._clear()

    def _clear(self) -> None:
        self._shares, self._confidence = np.zeros((POINTS, 2)), np.zeros(POINTS)
        self._told = False

    def __call__(self, messages: list[Message]) -> None:
        """All of one datagram.

        Raises:
            OscError: arguments that are not what the address needs; what stood before it has been done.
        """
        for message in messages:
            if message.address.startswith(HERE):
                try:
                    self._one(message.address[len(HERE) :], message.arguments)
                except ValueError as error:
                    self._clear()
                    raise OscError(f"{message.address}: {error}") from None
        if len(messages) > 1:
            self._show()

    def _one(self, what: str, arguments: tuple[Argument, ...]) -> None:
        if what == "key":
            if len(arguments) != 1 or not isinstance(arguments[0], str) or not self._controls.press(arguments[0]):
                raise ValueError("no such key")
        elif self._put is None:
            return  # poses come from elsewhere
        elif what == "pose":
            numbers = _numbers(arguments, 3 * POINTS).reshape(POINTS, 3)
            self._put(pose_of_shares(numbers[:, :2], numbers[:, 2], self._size_hw))
        elif what.startswith("joint/"):
            joint = JOINTS.get(what.partition("/")[2])
            if joint is None or len(arguments) not in (2, 3):
                raise ValueError("no such joint, or not two or three numbers")
            numbers = _numbers(arguments, len(arguments))
            self._shares[joint] = numbers[:2]
            self._confidence[joint] = numbers[2] if len(numbers) == 3 else 1.0
            self._told = True
        elif what == "show":
            self._show()
        elif what == "nobody":
            self._put(nobody(self._size_hw))
        elif what == "aspect":
            self._size_hw = size_of(float(_numbers(arguments, 1)[0]))
        else:
            raise ValueError("no such address")

    def _show(self) -> None:
        if not self._told or self._put is None:
            return
        shares, confidence = self._shares, self._confidence
        self._clear()
        try:
            whole = pose_of_shares(shares, confidence, self._size_hw)
        except ValueError as error:
            raise OscError(str(error)) from None
        self._put(whole)


def _numbers(arguments: tuple[Argument, ...], count: int) -> np.ndarray:
    if len(arguments) != count:
        raise ValueError(f"{len(arguments)} arguments, where {count} are needed")
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in arguments):
        raise ValueError("an argument that is no number")
    numbers = np.array(arguments, np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError("a number that is none")
    return numbers
