"""Several people in one clip, first half: pieces of a clip in which somebody is followed without a doubt.

Where two come so near one another that both are taken for one, where somebody is lost, leaps farther than a body can,
or comes out from behind somebody else, pieces end and new ones begin. Whose they are, `who_is_who.py` says, when all of
the clip has been seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.arguments import Landmarks
from understudy.tracking.blazepose import Body, Follower, PoseNetworks, WholeBody
from understudy.tracking.detection import Detection
from understudy.tracking.regions import UInt8Array

Floats = npt.NDArray[np.float32]

EVERY, SEEKING = 10, 2
"""frames between two looks at the whole picture: while all are followed, and while somebody is missing"""
JOINTS = [11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
"""of BlazePose's landmarks: shoulders, elbows, wrists, hips, knees, ankles"""
SHOULDERS, HIPS = [11, 12], [23, 24]
TWICE = 0.35
"""trunk lengths, median over the joints: two bodies that are nearer one another are one that was found twice"""
LEAP, SPEED = 0.35, 8.0
"""trunk lengths by which the middle of a trunk may move from one frame to the next, and per second on top of that"""
GROWTH = 1.5
"""a trunk that is so much longer or shorter than a frame before is somebody else's"""
BINS = 8
"""of each axis of Lab"""
COLOURS = BINS**3


@dataclass
class Piece:
    """Somebody followed from frame to frame, without a gap.

    Pixels are those of the picture that was looked at, edges at 0 and W.
    """

    first: int
    """number of its first frame"""
    shot: int
    """pieces of other shots are not near, wherever they lie"""
    middles: list[npt.NDArray[np.float64]] = field(default_factory=list)
    """(2,) of the trunk, a frame each"""
    trunks: list[float] = field(default_factory=list)
    """length from the shoulders to the hips, pixels"""
    colours: Floats = field(default_factory=lambda: np.zeros((2, COLOURS), np.float32))
    """what is worn on the trunk and on the legs: sums of shares of colours"""
    clear: float = 0.0
    """frames that went into `colours`; one in which somebody else is close counts little"""

    def __len__(self) -> int:
        return len(self.middles)

    @property
    def end(self) -> int:
        """The number of the frame after its last."""
        return self.first + len(self)


@dataclass
class _Followed:
    """Somebody who is followed now."""

    number: int
    """of the piece"""
    follower: Follower
    whole: WholeBody
    body: Body
    close: bool = False
    """whether somebody else was as good as in the same place when this piece began"""


class Pieces:
    """Follows everybody, a frame after another, and says for each in which piece of the clip they are.

    Args:
        landmarks: what of each is sought.
        fps: frames a second.

    Raises:
        WeightsError: the networks are not at hand and cannot be fetched.
    """

    def __init__(self, landmarks: Landmarks, fps: Fraction) -> None:
        self._networks = PoseNetworks()
        self._landmarks: Landmarks = landmarks
        self._leap = LEAP + SPEED / float(fps)
        self._followed: list[_Followed] = []
        self._spare: list[WholeBody] = []
        self._frame, self._shot, self._until_look, self._most = -1, 0, 0, 0
        self.pieces: list[Piece] = []

    def __call__(self, frame: UInt8Array) -> dict[int, Detection]:
        """(H, W, 3) RGB in; who is in it, by the number of the piece."""
        self._frame += 1
        before = {id(one): one.body for one in self._followed}
        for one in list(self._followed):
            body = one.follower(frame)
            if body is None:
                self._lose(one)
            else:
                one.body = body
        self._part_those_taken_for_one(before)
        for one in self._followed:
            if self._leapt(before[id(one)], one.body):
                self._begin_piece(one)
        if self._until_look <= 0 or not self._followed:
            self._look_for_more(frame)
        self._until_look -= 1
        self._most = max(self._most, len(self._followed))
        for one in self._followed:
            self._note(one, frame)
        return {one.number: one.whole(frame, one.body) for one in self._followed}

    def forget(self) -> None:
        """The next frame is of another shot."""
        for one in list(self._followed):
            self._lose(one)
        self._shot, self._most, self._until_look = self._shot + 1, 0, 0

    def _lose(self, one: _Followed) -> None:
        self._followed.remove(one)
        one.whole.forget()
        self._spare.append(one.whole)
        self._until_look = min(self._until_look, 0)

    def _part_those_taken_for_one(self, before: dict[int, Body]) -> None:
        """Of two who are found in the same place, the one stays who has moved less; nobody knows who that is."""
        for one in list(self._followed):
            for other in list(self._followed):
                if one is other or one not in self._followed or other not in self._followed:
                    continue
                if apart(one.body, other.body) < TWICE:
                    stays, goes = sorted((one, other), key=lambda each: apart(before[id(each)], each.body))
                    self._lose(goes)
                    self._begin_piece(stays)

    def _leapt(self, before: Body, now: Body) -> bool:
        (middle, trunk), (then, long) = trunk_of(now), trunk_of(before)
        unit = max(trunk, long, 1e-6)
        far = float(np.hypot(*(middle - then))) > self._leap * unit
        return far or not 1 / GROWTH < trunk / max(long, 1e-6) < GROWTH

    def _begin_piece(self, one: _Followed) -> None:
        one.number = len(self.pieces)
        self.pieces.append(Piece(self._frame, self._shot))

    def _look_for_more(self, frame: UInt8Array) -> None:
        for region in self._networks.detect(frame):
            follower = Follower(self._networks, region)
            body = follower(frame)
            if body is None or any(apart(body, one.body) < TWICE for one in self._followed):
                continue
            for one in self._followed:  # who was taken for one of the two until now may have been either
                if _overlap(one.body, body) > 0:
                    self._begin_piece(one)
            whole = self._spare.pop() if self._spare else WholeBody(self._landmarks)
            found = _Followed(0, follower, whole, body)
            self._begin_piece(found)
            self._followed.append(found)
        self._until_look = SEEKING if len(self._followed) < self._most else EVERY

    def _note(self, one: _Followed, frame: UInt8Array) -> None:
        piece = self.pieces[one.number]
        middle, trunk = trunk_of(one.body)
        piece.middles.append(middle)
        piece.trunks.append(trunk)
        hidden = max((_overlap(one.body, other.body) for other in self._followed if other is not one), default=0.0)
        weight = 1.0 if hidden == 0 else 0.05
        piece.colours += weight * clothing(frame, one.body)
        piece.clear += weight


def trunk_of(body: Body) -> tuple[npt.NDArray[np.float64], float]:
    """The (2,) middle of a trunk and its length, from the middle of the shoulders to that of the hips."""
    shoulders, hips = body.xy[SHOULDERS].mean(axis=0), body.xy[HIPS].mean(axis=0)
    return (shoulders + hips) / 2, float(np.hypot(*(shoulders - hips)))


def apart(one: Body, other: Body) -> float:
    """How far two bodies are from one another: median over the joints, in lengths of the shorter trunk."""
    unit = max(min(trunk_of(one)[1], trunk_of(other)[1]), 1e-6)
    return float(np.median(np.linalg.norm(one.xy[JOINTS] - other.xy[JOINTS], axis=1)) / unit)


def _overlap(one: Body, other: Body) -> float:
    """Share of the smaller of two boxes about trunk and legs that lies in the other."""
    parts = [11, 12, 23, 24, 25, 26]
    low = [body.xy[parts].min(axis=0) for body in (one, other)]
    high = [body.xy[parts].max(axis=0) for body in (one, other)]
    shared = np.prod(np.maximum(np.minimum(*high) - np.maximum(*low), 0))
    return float(shared / max(min(np.prod(high[0] - low[0]), np.prod(high[1] - low[1])), 1e-6))


def clothing(frame: UInt8Array, body: Body) -> Floats:
    """(2, 512) shares of the colours on the trunk and on the legs of somebody in (H, W, 3) RGB."""
    grid = np.linspace(0.2, 0.8, 7)
    across, along = (one.reshape(-1, 1) for one in np.meshgrid(grid, grid))
    left, right, left_hip, right_hip = body.xy[[11, 12, 23, 24]]
    trunk = (left * (1 - across) + right * across) * (1 - along) + (
        left_hip * (1 - across) + right_hip * across
    ) * along
    down = np.linspace(0.1, 0.9, 9)[:, None]
    legs = [
        body.xy[start] * (1 - down) + body.xy[end] * down for start, end in ((23, 25), (25, 27), (24, 26), (26, 28))
    ]
    return np.stack([_colours(frame, trunk), _colours(frame, np.concatenate(legs))])


def _colours(frame: UInt8Array, points: npt.NDArray[np.float64]) -> Floats:
    height, width = frame.shape[:2]
    x, y = np.floor(points).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    counted = np.zeros(COLOURS, np.float32)
    if not inside.any():
        return counted
    lab = cv2.cvtColor(frame[y[inside], x[inside]][None], cv2.COLOR_RGB2LAB)[0].astype(int)
    light = lab[:, 0] * BINS // 256
    red, yellow = (np.clip((lab[:, axis] - 96) // 8, 0, BINS - 1) for axis in (1, 2))
    np.add.at(counted, (light * BINS + red) * BINS + yellow, 1 / inside.sum())
    return counted
