"""The default tracker: BlazePose (Bazarevsky et al. 2020, arXiv 2006.10204) with the networks that MediaPipe published.

A detector finds everybody. A second network, shown a turned square about one person, finds 33 landmarks, a mask, and
two landmarks more, which tell the square of the next frame. `hands_and_face.py` looks closer at those. Numbers that
are not of the paper are those of MediaPipe 0.10.21, whose wheels the networks come from. Where we differ:

- Pixels have their middles at half pixels. MediaPipe reads its squares by pixel numbers, which puts all landmarks, but
  not the mask, about a pixel of 1280 too far right and down. `middle=0` gives MediaPipe's own numbers.
- A photograph's hands and face rest on no picture before it either.

The filter of the square believes every clip to have 30 frames a second, as MediaPipe's does: with the clip's own rate
made-up people with exact joints were not found better (`benchmarks/blazepose.py`).

"Left" is the person's own left, as in COCO-WholeBody. BlazePose has no small toe: those two points always have
confidence 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.arguments import Landmarks
from understudy.base.weights import MEDIAPIPE, POSE_DETECTION, POSE_LANDMARK, tracker_network
from understudy.poses import pose as p
from understudy.tracking.blazepose_points import BODY_FROM_BLAZEPOSE, FACE_FROM_MESH
from understudy.tracking.detection import Detection, Mask
from understudy.tracking.hands_and_face import Face, Hand
from understudy.tracking.litert import Network, sigmoid
from understudy.tracking.regions import (
    MIDDLE,
    RIGHT_ANGLE,
    Floats,
    Points,
    Region,
    UInt8Array,
    around_pair,
    direction,
)
from understudy.tracking.ssd import anchors, decoded

MIN_CONFIDENCE = 0.1
"""a joint that is called less visible than this is a guess, and counts as not seen"""
ANCHORS = anchors(((28, 2), (14, 2), (7, 6)))
LANDMARKS = 39
HIPS, RIM = 33, 34
"""landmarks that make a square: the middle of the hips, and a point on the circle about the whole body"""
ROOM = 1.25
"""side of the square over the diameter of that circle"""
PRESENT = 0.5
WINDOW = 4
"""cells of the heat map to each side of a landmark, where it is looked for once more"""
PEAK = 0.5
RATE = 1 / 0.033333
"""frames a second"""


@dataclass(frozen=True)
class Body:
    """What the landmark network says of one person in one frame."""

    xy: Points
    """(39, 2) pixels of the picture, edges at 0 and W"""
    visibility: Floats
    """(39,) in [0, 1]"""
    logits: Floats
    """(256, 256), above 0 where the region shows the person"""
    region: Region
    """that was looked at"""

    def mask(self, middle: float = MIDDLE) -> Mask:
        """Where in the picture the person is."""
        # many values: OpenCV's exp is faster than NumPy's tanh
        share = np.asarray(cv2.convertScaleAbs(1 / (1 + cv2.exp(-self.logits)), alpha=255), np.uint8)
        return Mask(share, self.region.matrix((share.shape[1], share.shape[0]), middle))


class PoseNetworks:
    """Detector and landmark network, which share nothing with the frames before.

    Args:
        middle: of a pixel, see `Region.cut`.

    Raises:
        WeightsError: the networks are not at hand and cannot be fetched.
    """

    def __init__(self, middle: float = MIDDLE) -> None:
        self._detector = Network(tracker_network(POSE_DETECTION))
        self._landmarks = Network(tracker_network(POSE_LANDMARK))
        self.middle = middle

    def detect(self, picture: UInt8Array) -> list[Region]:
        """Squares about everybody in (H, W, 3), the surest first."""
        height, width = picture.shape[:2]
        side = max(height, width)
        whole = Region(width / 2, height / 2, side, side)
        shown = whole.cut(picture, self._detector.size_wh, "black", low=-1, middle=self.middle)
        boxes, logits = self._detector(shown)
        found = decoded(boxes, logits, ANCHORS, self._detector.size_wh[0])
        return [square_of(*whole.to_picture(one.points[:2])) for one in found]

    def look(self, picture: UInt8Array, region: Region) -> Body | None:
        """The landmarks of whoever is in that region; None where nobody is."""
        shown = region.cut(picture, self._landmarks.size_wh, "nearest", middle=self.middle)
        raw, present, logits, heat, _ = self._landmarks(shown)
        if present[0] <= PRESENT:
            return None
        values = raw.reshape(LANDMARKS, 5)
        shares = refined(values[:, :2] / np.float32(self._landmarks.size_wh[0]), heat)
        return Body(region.to_picture(shares), sigmoid(values[:, 3]), logits[..., 0], region)


def square_of(hips: npt.NDArray[np.floating], rim: npt.NDArray[np.floating]) -> Region:
    """The square about a person, turned so that the rim is straight above the hips."""
    return around_pair(hips, rim, ROOM, direction(hips, rim, RIGHT_ANGLE))


def refined(shares: Floats, heat: Floats) -> Floats:
    """Landmarks at the middle of what their heat maps show about them, where these are sure enough.

    Args:
        shares: (39, 2) of the region's sides.
        heat: (64, 64, 39) logits.
    """
    size_hw = np.array(heat.shape[:2])
    cells = (shares[:, ::-1] * size_hw).astype(int)
    about = cells[:, :, None] + np.arange(-WINDOW, WINDOW + 1)  # (39, 2, 9) rows and columns
    there = (about >= 0) & (about < size_hw[:, None])
    rows, columns = np.clip(about, 0, size_hw[:, None] - 1).transpose(1, 0, 2)
    near = sigmoid(heat[rows[:, :, None], columns[:, None, :], np.arange(len(shares))[:, None, None]])
    near = near * (there[:, 0, :, None] & there[:, 1, None, :])
    sure = (near.max(axis=(1, 2)) >= PEAK) & ((cells >= 0) & (cells < size_hw)).all(axis=1)
    total = np.maximum(near.sum(axis=(1, 2)), PEAK)
    x = (near.sum(axis=1) * columns).sum(axis=1) / total / size_hw[1]
    y = (near.sum(axis=2) * rows).sum(axis=1) / total / size_hw[0]
    return np.where(sure[:, None], np.stack([x, y], axis=1), shares).astype(np.float32)


class Calmed:
    """One-Euro filter (Casiez et al. 2012) of the two points that make the next square."""

    MIN_CUTOFF, BETA, SPEED_CUTOFF = 0.01, 10.0, 1.0

    def __init__(self) -> None:
        self._raw: Points | None = None
        self._value = self._speed = np.zeros((2, 2))

    def __call__(self, pair: Points) -> Points:
        """(2, 2) points in, and out again where a calmer hand would have them."""
        if self._raw is None:
            self._raw, self._value = pair, pair
            return pair
        size = max(2 * float(np.hypot(*(pair[1] - pair[0]))), 1e-6)
        speed = (pair - self._raw) * RATE / size
        self._speed = self._speed + _low_pass(np.array(self.SPEED_CUTOFF)) * (speed - self._speed)
        cutoff = self.MIN_CUTOFF + self.BETA * np.abs(self._speed)
        self._raw, self._value = pair, self._value + _low_pass(cutoff) * (pair - self._value)
        return self._value


def _low_pass(cutoff: Points) -> Points:
    """The share by which a low-pass filter of that cutoff, in Hz, goes to a new value."""
    return np.asarray(1 / (1 + RATE / (2 * math.pi * cutoff)))


class Follower:
    """Follows one person: the square of a frame comes from the frame before.

    Args:
        region: where the person is in the first frame.
    """

    def __init__(self, networks: PoseNetworks, region: Region) -> None:
        self._networks, self.region = networks, region
        self._calmed = Calmed()

    def __call__(self, picture: UInt8Array) -> Body | None:
        """The person in the next frame; None when it is lost, and then there is nothing to follow any more."""
        body = self._networks.look(picture, self.region)
        if body is not None:
            self.region = square_of(*self._calmed(body.xy[[HIPS, RIM]]))
        return body


class WholeBody:
    """What is said of one person, frame after frame: the body that was found, and face and hands if they are wanted.

    Args:
        landmarks: "wholebody" looks for face and hands.
        still: each picture rests on none before it, as photographs do.
        middle: of a pixel, see `Region.cut`.

    Raises:
        WeightsError: the networks are not at hand and cannot be fetched.
    """

    def __init__(self, landmarks: Landmarks, still: bool = False, middle: float = MIDDLE) -> None:
        self._middle = middle
        self._parts: tuple[tuple[slice, list[int], Face | Hand], ...] = ()
        if landmarks == "wholebody":
            self._parts = (
                (p.FACE, list(FACE_FROM_MESH), Face(middle, still)),
                (p.LEFT_HAND, list(range(21)), Hand("left", middle, still)),
                (p.RIGHT_HAND, list(range(21)), Hand("right", middle, still)),
            )

    def __call__(self, frame: UInt8Array, body: Body) -> Detection:
        """The person of (H, W, 3) RGB whose body was found there."""
        xy = np.zeros((p.POINTS, 2))
        confidence = np.zeros(p.POINTS, np.float32)
        for point, index in BODY_FROM_BLAZEPOSE:
            xy[point], confidence[point] = body.xy[index], body.visibility[index]
        for points, order, part in self._parts:
            found = part(frame, body.xy, body.visibility)
            if found is not None:
                xy[points], confidence[points] = found[order], 1  # neither face nor hand points are rated
        height, width = frame.shape[:2]
        outside = ((xy < 0) | (xy >= (width, height))).any(axis=1)
        confidence[outside | (confidence < MIN_CONFIDENCE)] = 0
        return Detection((xy - MIDDLE).astype(np.float32), confidence, body.mask(self._middle))

    def forget(self) -> None:
        """The next frame is of another shot, or of somebody else."""
        for _, _, part in self._parts:
            part.forget()


class BlazePoseTracker:
    """Pose (and face and hands with `landmarks="wholebody"`) plus a coarse matte of one person, frame after frame.

    Raises:
        WeightsError: the networks are not at hand and cannot be fetched.
    """

    name = "blazepose"
    version = MEDIAPIPE.version

    def __init__(self, landmarks: Landmarks = "body", still: bool = False, middle: float = MIDDLE) -> None:
        """`still`: each picture is searched anew and rests on none before it, as photographs do."""
        self.networks = PoseNetworks(middle)
        self._still = still
        self._follower: Follower | None = None
        self._whole = WholeBody(landmarks, still, middle)

    def __call__(self, frame: UInt8Array) -> Detection | None:
        """(H, W, 3) RGB uint8 in; None where nobody is found."""
        body = self._body(frame)
        if body is None:
            self.forget()
            return None
        return self._whole(frame, body)

    def _body(self, frame: UInt8Array) -> Body | None:
        if self._follower is None:
            regions = self.networks.detect(frame)
            if not regions:
                return None
            self._follower = Follower(self.networks, regions[0])
        body = self._follower(frame)
        if self._still:
            self._follower = None
        return body

    def forget(self) -> None:
        """The whole of the next frame is searched."""
        self._follower = None
        self._whole.forget()

    def close(self) -> None:
        pass
