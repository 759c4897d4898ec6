"""Motions: joint rotations and a root path that fit any body, and a generator of made-up choreographies."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from understudy.errors import UsageError
from understudy.synthetic.skeleton import (
    CANONICAL_BODY,
    INDEX,
    JOINTS,
    MIRROR,
    Floats,
    rest_positions,
    rotation_about,
)

_X, _Y, _Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
_HIP_TO_ANKLE = (CANONICAL_BODY.thigh + CANONICAL_BODY.shin) / CANONICAL_BODY.leg
_STANCE = 1.25 * CANONICAL_BODY.hip_half_width / CANONICAL_BODY.leg


@dataclass(frozen=True)
class Motion:
    """A motion of the skeleton, free of any body: it can be played by every made-up person.

    Attributes:
        rotations: (T, 21, 3, 3) rotations of `skeleton.JOINTS` relative to the parent joint (pelvis: to the world).
        path: (T, 3) in leg lengths of whoever plays it: x and z of the pelvis on the floor, and in the middle (y)
            the height of the lowest sole above the floor, which is 0 while a foot stands.
        grip: (T, 2) how far the left and right hand are closed, 0 to 1.
        fps: frames a second, exact.
    """

    rotations: Floats
    path: Floats
    grip: Floats
    fps: Fraction

    def __len__(self) -> int:
        return len(self.rotations)

    def __getitem__(self, frames: slice) -> Motion:
        return Motion(self.rotations[frames], self.path[frames], self.grip[frames], self.fps)


def choreography(seed: int, seconds: float, fps: Fraction | int = Fraction(30)) -> Motion:
    """Makes up a whole-body dance.

    Arms move up, out, forwards, crossed, to the hips, behind the head and anywhere between; feet step sideways,
    forwards and back, turn through 360 degrees both ways, kick and hop; knees bend; trunk leans and twists; the
    head looks about. Angles stay within human limits, standing feet keep their place, and the dancer stays within
    0.35 leg lengths of the middle.

    Args:
        seed: the dance; the same seed gives the same dance at every rate and length (a longer one goes on).
        seconds: length, more than 0.
        fps: frames a second.

    Raises:
        UsageError: a length that is not positive.
    """
    fps = Fraction(fps)
    if not seconds > 0:
        raise UsageError(f"a choreography of {seconds} seconds has no frame: ask for more than 0")
    times = np.arange(max(1, round(float(seconds * fps))), dtype=np.float64) / float(fps)
    streams = np.random.default_rng([seed, 0x0DA5CE]).spawn(5)
    tempo = 0.44 + 0.16 * streams[3].random()
    feet = _Feet(streams[0], tempo, float(times[-1]) + 4 * tempo)
    upper = _upper_body(streams[1], streams[4], tempo, times)
    rotations = _pose_upper_body(upper, feet, times, streams[2], tempo)
    grip = np.stack([upper["left_grip"], upper["right_grip"]], axis=1).astype(np.float32)
    path = _pose_legs(rotations, feet, times)
    return Motion(rotations, path, grip, fps)


def ease(amount: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Minimum-jerk course from 0 to 1, at rest at both ends (Flash and Hogan 1985)."""
    amount = np.clip(amount, 0.0, 1.0)
    return amount**3 * (10 - 15 * amount + 6 * amount**2)


@dataclass
class _Track:
    """Values held and moved between at given times."""

    starts: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    values: list[npt.NDArray[np.float64]] = field(default_factory=list)

    def add(self, start: float, end: float, value: npt.ArrayLike) -> None:
        self.starts.append(start)
        self.ends.append(end)
        self.values.append(np.asarray(value, np.float64))

    def at(self, times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(T, ...) values; before the first entry its value holds."""
        which = np.clip(np.searchsorted(self.starts, times, side="right") - 1, 0, None)
        values, starts, ends = np.stack(self.values), np.array(self.starts), np.array(self.ends)
        before = values[np.clip(which - 1, 0, None)]
        amount = ease((times - starts[which]) / (ends - starts)[which])
        amount = amount.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(before + (values[which] - before) * amount)


# Degrees: elevation (-90 hangs, 0 level, 90 up), azimuth (0 sideways, 90 forwards, above 90 across the chest),
# twist of the upper arm (-90 turns a bent forearm up, +60 down), elbow, wrist bend, grip.
_ARM_POSES: dict[str, tuple[float, float, float, float, float, float]] = {
    "hang": (-80, 15, 0, 12, 0, 0.35),
    "out": (2, 5, -10, 6, 0, 0.05),
    "up": (80, 20, -40, 8, 0, 0.05),
    "up and out": (48, 8, -30, 8, 0, 0.1),
    "forward": (2, 88, -20, 8, 0, 0.1),
    "forward up": (45, 75, -30, 15, 0, 0.1),
    "across": (-18, 98, -10, 82, 0, 0.3),
    "crossed": (-38, 72, -22, 98, 0, 0.3),
    "hip": (-48, -18, 38, 92, 20, 0.5),
    "goal post": (4, 8, -88, 92, 0, 0.1),
    "scarecrow": (4, 8, 62, 88, 0, 0.1),
    "behind head": (58, 12, -78, 125, 0, 0.2),
    "fist before chest": (-30, 45, -62, 118, 0, 0.95),
    "punch": (0, 78, 0, 4, 0, 1.0),
    "low out": (-42, 10, 0, 10, 0, 0.1),
    "behind": (-55, -35, 0, 15, 0, 0.2),
    "wave": (18, 14, -92, 68, 0, 0.0),
    "salute": (12, 28, -62, 125, 0, 0.0),
}


def _upper_body(
    stream: np.random.Generator,
    trunk_stream: np.random.Generator,
    tempo: float,
    times: npt.NDArray[np.float64],
) -> dict[str, npt.NDArray[np.float64]]:
    """Angles over time, in degrees, of both arms, trunk and head."""
    tracks = {name: _Track() for name in ("left", "right", "trunk", "head")}
    names = list(_ARM_POSES)
    for track in tracks.values():
        track.add(-2.0, -1.0, _ARM_POSES["hang"] if track in (tracks["left"], tracks["right"]) else (0, 0, 0))
    clock = 0.25 * tempo
    waves: list[tuple[str, float, float]] = []
    while clock < times[-1] + 1:
        beats = float(stream.choice([1, 1, 2, 2, 3]))
        move = tempo * min(beats, 1.0 + 0.7 * stream.random())
        both = stream.random()
        left = _drawn_arm(stream, names)
        right = left if both < 0.45 else _drawn_arm(stream, names)
        if both > 0.86:  # crossed before the chest, one arm over the other
            left, right = np.array(_ARM_POSES["crossed"], float), np.array(_ARM_POSES["across"], float)
            left[1], right[1] = left[1] + 8, right[1] + 6
        elif both > 0.80:
            right = np.array(_ARM_POSES["wave"], float)
            waves.append(("right" if both < 0.83 else "left", clock + move, clock + tempo * (beats + 1)))
            left, right = (left, right) if both < 0.83 else (right, left)
            beats += 1
        if 0.45 <= both < 0.55:
            left = np.array(_ARM_POSES["hang"], float)
        elif 0.55 <= both < 0.65:
            right = np.array(_ARM_POSES["hang"], float)
        tracks["left"].add(clock, clock + move, left)
        tracks["right"].add(clock + 0.08 * stream.random(), clock + move + 0.08, right)
        clock += beats * tempo + 0.1
    clock = 0.0
    while clock < times[-1] + 1:
        length = tempo * float(trunk_stream.choice([1, 2, 2, 4]))
        # pitch (forwards), yaw (to the left), roll (to the left)
        tracks["trunk"].add(clock, clock + length, trunk_stream.normal(0, 1, 3) * (13, 20, 13) + (5, 0, 0))
        tracks["head"].add(clock, clock + 0.7 * length, np.clip(trunk_stream.normal(0, 1, 3), -2, 2) * (9, 22, 8))
        clock += length * (1.0 + trunk_stream.random())
    out: dict[str, npt.NDArray[np.float64]] = {"trunk": np.clip(tracks["trunk"].at(times), -38, 45)}
    out["head"] = np.clip(tracks["head"].at(times), -55, 55)
    for side in ("left", "right"):
        arm = tracks[side].at(times)
        for waving, start, end in waves:
            if waving == side:
                window = ease((times - start) / 0.2) * ease((end - times) / 0.2)
                arm[:, 2] += 22 * window * np.sin((times - start) * 2 * np.pi * 1.9)
        out[side] = arm[:, :5] * np.pi / 180
        out[f"{side}_grip"] = np.clip(arm[:, 5], 0, 1)
    return out


def _drawn_arm(stream: np.random.Generator, names: list[str]) -> npt.NDArray[np.float64]:
    if stream.random() < 0.6:
        pose = np.array(_ARM_POSES[names[stream.integers(len(names))]], np.float64)
        return pose + stream.normal(0, 1, 6) * (7, 6, 8, 6, 6, 0.08)
    low = np.array([-75, -15, -85, 5, -20, 0.0])
    high = np.array([80, 95, 40, 120, 20, 1.0])
    return np.asarray(low + (high - low) * stream.random(6))


class _Feet:
    """Where the feet stand and when they move: a plan in leg lengths, z to the front, yaw to the left."""

    def __init__(self, stream: np.random.Generator, tempo: float, until: float) -> None:
        self.place = {"left": _Track(), "right": _Track()}  # x, z, yaw
        self.swing: list[tuple[str, float, float, float]] = []  # side, start, end, height
        self.kicks: list[tuple[str, float, float, float, float]] = []  # side, start, end, direction, size
        self.hops: list[tuple[float, float, float]] = []  # start, end, height
        self.bend = _Track()
        self.bend.add(-2.0, -1.0, 0.02)
        self._centre = np.zeros(2)
        self._yaw = 0.25 * float(stream.normal())
        self._width = 1.0
        for side in ("left", "right"):
            self.place[side].add(-2.0, -1.0, self._stand(side))
        clock = tempo
        moves = [self._step, self._turn, self._squat, self._kick, self._hop, self._sway, self._lunge]
        odds = np.array([0.25, 0.24, 0.12, 0.13, 0.05, 0.11, 0.10])
        while clock < until:
            clock = moves[stream.choice(len(moves), p=odds)](stream, tempo, clock)

    def _stand(self, side: str, width: float | None = None) -> npt.NDArray[np.float64]:
        """Place of a foot beside the body's middle."""
        across = _STANCE * (self._width if width is None else width) * (1 if side == "left" else -1)
        x = self._centre[0] + across * np.cos(self._yaw)
        z = self._centre[1] - across * np.sin(self._yaw)
        return np.array([x, z, self._yaw + (0.14 if side == "left" else -0.14)])

    def _move_foot(self, side: str, start: float, end: float, place: npt.NDArray[np.float64], height: float) -> None:
        self.place[side].add(start, end, place)
        self.swing.append((side, start, end, height))

    def _shift(self, stream: np.random.Generator, reach: float) -> str:
        """Moves the middle, rather back towards home; returns the foot that goes first."""
        step = stream.normal(0, reach, 2) * (1.0, 0.8) - 0.4 * self._centre
        self._centre = np.clip(self._centre + step, (-0.22, -0.30), (0.22, 0.30))
        return "left" if step @ (np.cos(self._yaw), -np.sin(self._yaw)) > 0 else "right"

    def _both(self, first: str, clock: float, beat: float, height: float) -> float:
        for side in (first, "right" if first == "left" else "left"):
            self._move_foot(side, clock, clock + 0.8 * beat, self._stand(side), height)
            clock += beat
        return clock

    def _step(self, stream: np.random.Generator, tempo: float, clock: float) -> float:
        for _ in range(stream.integers(1, 4)):
            self._width = 0.9 + 1.3 * stream.random()
            clock = self._both(self._shift(stream, 0.18), clock, tempo * (0.8 + 0.4 * stream.random()), 0.07)
        return clock

    def _turn(self, stream: np.random.Generator, tempo: float, clock: float) -> float:
        way = 1 if stream.random() < 0.5 else -1
        total = float(stream.choice([90.0, 180.0, 270.0, 360.0, 360.0])) * np.pi / 180
        if total < 6 and stream.random() < 0.6:  # rather back to the front
            total = abs(self._yaw) if abs(self._yaw) > 0.5 else total
            way = -1 if self._yaw > 0.5 else 1 if self._yaw < -0.5 else way
        steps = max(1, round(total / 1.05))
        self._width = 1.0
        for _ in range(steps):
            self._yaw += way * total / steps
            clock = self._both("left" if way > 0 else "right", clock, tempo * 0.62, 0.05)
        return clock

    def _squat(self, stream: np.random.Generator, tempo: float, clock: float) -> float:
        self._width = 1.2 + 0.8 * stream.random()
        clock = self._both("left", clock, tempo * 0.7, 0.05)
        for _ in range(stream.integers(1, 4)):
            self.bend.add(clock, clock + tempo, 0.10 + 0.26 * stream.random())
            self.bend.add(clock + tempo, clock + 2 * tempo, 0.02)
            clock += 2 * tempo
        return clock

    def _kick(self, stream: np.random.Generator, tempo: float, clock: float) -> float:
        self._width = 0.8
        clock = self._both("left", clock, tempo * 0.7, 0.05)
        for _ in range(stream.integers(1, 3)):
            side = "left" if stream.random() < 0.5 else "right"
            direction = float(stream.choice([0.0, 0.0, 0.8, 1.3])) + 0.2 * stream.normal()
            self.kicks.append((side, clock, clock + 2.2 * tempo, direction, 0.4 + 0.6 * float(stream.random())))
            clock += 2.3 * tempo
        return clock

    def _hop(self, stream: np.random.Generator, tempo: float, clock: float) -> float:
        for _ in range(stream.integers(1, 3)):
            self.bend.add(clock, clock + 0.6 * tempo, 0.15)
            self.bend.add(clock + 0.6 * tempo, clock + 0.95 * tempo, 0.005)
            start = clock + 0.8 * tempo
            length = 0.30 + 0.12 * stream.random()
            self.hops.append((start, start + length, 9.81 * length**2 / 8 / CANONICAL_BODY.leg))
            self.bend.add(start + length, start + length + 0.3 * tempo, 0.12)
            self.bend.add(start + length + 0.3 * tempo, start + length + tempo, 0.02)
            clock = start + length + tempo
        return clock

    def _sway(self, stream: np.random.Generator, tempo: float, clock: float) -> float:
        self._width = 1.5 + 0.8 * stream.random()
        clock = self._both("right", clock, tempo * 0.8, 0.05)
        for _ in range(stream.integers(1, 4)):
            self.bend.add(clock, clock + 0.5 * tempo, 0.07 + 0.05 * stream.random())
            self.bend.add(clock + 0.5 * tempo, clock + tempo, 0.02)
            clock += tempo
        return clock

    def _lunge(self, stream: np.random.Generator, tempo: float, clock: float) -> float:
        self._width = 1.0
        side = "left" if stream.random() < 0.5 else "right"
        direction = stream.uniform(-0.3, 1.7) * (1 if side == "left" else -1) + self._yaw
        there = self._stand(side) + 0.42 * np.array([np.sin(direction), np.cos(direction), 0.0])
        self._move_foot(side, clock, clock + 0.9 * tempo, there, 0.06)
        self.bend.add(clock + 0.3 * tempo, clock + 1.2 * tempo, 0.12 + 0.12 * stream.random())
        clock += 2 * tempo
        self.bend.add(clock, clock + 0.8 * tempo, 0.02)
        self._move_foot(side, clock, clock + 0.9 * tempo, self._stand(side), 0.05)
        return clock + tempo

    def swing_height(self, side: str, times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(T,) height of a stepping foot."""
        height = np.zeros_like(times)
        for mover, start, end, top in self.swing:
            if mover == side:
                amount = np.clip((times - start) / (end - start), 0, 1)
                height += top * np.sin(np.pi * ease(amount)) ** 2
        return height

    def hop_height(self, times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(T,) clearance of a ballistic hop."""
        height = np.zeros_like(times)
        for start, end, top in self.hops:
            amount = np.clip((times - start) / (end - start), 0, 1)
            height += 4 * top * amount * (1 - amount)
        return height

    def kick_amount(self, side: str, times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(T, 3) offset of a kicking foot from its place, in the pelvis' heading: left, up, front."""
        offset = np.zeros((len(times), 3))
        for kicker, start, end, direction, size in self.kicks:
            if kicker == side:
                amount = np.clip((times - start) / (end - start), 0, 1)
                out = ease(amount / 0.45) * ease((1 - amount) / 0.45)
                lifted = ease(amount / 0.28) * ease((1 - amount) / 0.28)
                outward = 1 if side == "left" else -1
                reach = np.array([outward * np.sin(direction), 0.0, np.cos(direction)]) * 0.62 * size
                offset += out[:, None] * reach
                offset[:, 1] += lifted * 0.12 + out * 0.42 * size**1.5
        return offset


def _smooth(values: npt.NDArray[np.float64], times: npt.NDArray[np.float64], width: float) -> npt.NDArray[np.float64]:
    """Gaussian smoothing along time, `width` in seconds."""
    if len(times) < 3:
        return values
    step = times[1] - times[0]
    reach = int(np.ceil(3 * width / step))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / width) ** 2)
    padded = np.pad(values, [(reach, reach)] + [(0, 0)] * (values.ndim - 1), mode="edge")
    columns = padded.reshape(len(padded), -1)
    smoothed = np.stack([np.convolve(column, kernel / kernel.sum(), "valid") for column in columns.T], axis=1)
    return smoothed.reshape(values.shape)


def _pose_upper_body(
    angles: dict[str, npt.NDArray[np.float64]],
    feet: _Feet,
    times: npt.NDArray[np.float64],
    stream: np.random.Generator,
    tempo: float,
) -> Floats:
    rotations = np.tile(np.eye(3, dtype=np.float32), (len(times), len(JOINTS), 1, 1))
    yaw = _smooth((feet.place["left"].at(times)[:, 2] + feet.place["right"].at(times)[:, 2]) / 2, times, 0.12)
    pitch, twist, roll = (angles["trunk"] * np.pi / 180).T
    groove = 0.05 * np.sin(np.pi * times / tempo + 6.28 * stream.random())
    rotations[:, INDEX["pelvis"]] = (
        rotation_about(_Y, yaw) @ rotation_about(_X, 0.30 * pitch) @ rotation_about(_Z, -0.2 * roll + groove)
    )
    for joint, share in (("spine", 0.35), ("chest", 0.45)):
        rotations[:, INDEX[joint]] = (
            rotation_about(_Y, share * twist)
            @ rotation_about(_X, share * pitch)
            @ rotation_about(_Z, -share * roll - 0.6 * groove)
        )
    nod, look, tilt = (angles["head"] * np.pi / 180).T
    for joint, share in (("neck", 0.4), ("head", 0.6)):
        rotations[:, INDEX[joint]] = (
            rotation_about(_Y, share * look)
            @ rotation_about(_X, share * (nod - 0.5 * pitch))
            @ rotation_about(_Z, -share * tilt)
        )
    for side in ("left", "right"):
        for joint, turn in _arm_rotations(angles[side]).items():
            rotations[:, INDEX[f"{side}_{joint}"]] = turn if side == "left" else MIRROR @ turn @ MIRROR
    return rotations


def _arm_rotations(angles: npt.NDArray[np.float64]) -> dict[str, Floats]:
    """Rotations of a left arm's joints from (T, 5) angles in radians as in `_ARM_POSES`."""
    elevation, azimuth, twist, elbow, wrist = angles.T
    shrug = 0.30 * np.clip(elevation + 0.3, -0.5, 2)
    reach = 0.18 * np.clip(azimuth - 0.2, -0.4, 1.5)
    clavicle = rotation_about(_Y, -reach) @ rotation_about(_Z, shrug)
    swing = rotation_about(_Y, -azimuth) @ rotation_about(_Z, elevation)
    arm = np.swapaxes(clavicle, -1, -2) @ swing @ rotation_about(_X, 0.7 * twist)
    forearm = rotation_about(_X, 0.3 * twist) @ rotation_about(_Y, -np.clip(elbow, 0, 2.5))
    return {"clavicle": clavicle, "upper_arm": arm, "forearm": forearm, "hand": rotation_about(_Z, -wrist)}


def _pose_legs(rotations: Floats, feet: _Feet, times: npt.NDArray[np.float64]) -> Floats:
    """Fills in the legs by inverse kinematics and returns the root path (see `Motion.path`)."""
    places = {side: feet.place[side].at(times) for side in ("left", "right")}
    lifts = {side: feet.swing_height(side, times) for side in places}
    kicks = {side: feet.kick_amount(side, times) for side in places}
    weight = {side: 1.0 / (1.0 + 14 * (lifts[side] + np.abs(kicks[side]).sum(1))) for side in places}
    total = weight["left"] + weight["right"]
    middle = sum(weight[side][:, None] * places[side][:, :2] for side in places) / total[:, None]
    middle = _smooth(np.asarray(middle), times, 0.10)
    heading = rotations[:, INDEX["pelvis"]]
    yaw = np.arctan2(heading[:, 0, 2], heading[:, 2, 2])
    turned = rotation_about(_Y, yaw)
    ankle_height = CANONICAL_BODY.sole_to_ankle / CANONICAL_BODY.leg
    ankles, rest = {}, rest_positions(CANONICAL_BODY) / CANONICAL_BODY.leg
    for side in places:
        ankle = np.stack([places[side][:, 0], ankle_height + lifts[side], places[side][:, 1]], axis=1)
        ankles[side] = ankle + np.einsum("tij,tj->ti", turned, kicks[side])
    offsets = {
        side: np.einsum("tij,j->ti", heading, rest[INDEX[f"{side}_thigh"]] - rest[INDEX["pelvis"]]) for side in places
    }
    highest = np.full(len(times), np.inf)
    for side in places:
        hip = middle + offsets[side][:, [0, 2]]
        apart = np.minimum(np.linalg.norm(hip - ankles[side][:, [0, 2]], axis=1), 0.97 * _HIP_TO_ANKLE)
        reachable = ankles[side][:, 1] + np.sqrt((0.992 * _HIP_TO_ANKLE) ** 2 - apart**2) - offsets[side][:, 1]
        free = np.abs(kicks[side]).sum(1) > 0.05
        highest = np.minimum(highest, np.where(free, np.inf, reachable))
    height = _smooth(highest, times, 0.05)
    height = np.minimum(height, highest) - feet.bend.at(times)
    pelvis = np.stack([middle[:, 0], height, middle[:, 1]], axis=1)
    for side in places:
        outward = 1.0 if side == "left" else -1.0
        toe_up = 0.5 * np.clip(lifts[side] / 0.07, 0, 1) + 0.9 * np.clip(np.abs(kicks[side]).sum(1), 0, 0.8)
        foot = rotation_about(_Y, places[side][:, 2]) @ rotation_about(_X, toe_up)
        _solve_leg(rotations, side, pelvis + offsets[side], ankles[side], foot, 0.12 * outward)
    path = pelvis.astype(np.float32)
    path[:, 1] = feet.hop_height(times)
    return path


def _solve_leg(
    rotations: Floats,
    side: str,
    hip: npt.NDArray[np.float64],
    ankle: npt.NDArray[np.float64],
    foot: Floats,
    splay: float,
) -> None:
    """Two-bone inverse kinematics: the knee bends towards the mean heading of pelvis and foot."""
    thigh, shin = CANONICAL_BODY.thigh / CANONICAL_BODY.leg, CANONICAL_BODY.shin / CANONICAL_BODY.leg
    pelvis = rotations[:, INDEX["pelvis"]]
    down = ankle - hip
    distance = np.linalg.norm(down, axis=1)
    down = down / distance[:, None]
    distance = np.clip(distance, 0.35 * (thigh + shin), 0.995 * (thigh + shin))
    ahead = pelvis[:, :, 2] + foot[:, :, 2] + splay * pelvis[:, :, 0]
    hinge = np.cross(ahead, down)
    hinge = hinge / np.linalg.norm(hinge, axis=1)[:, None]
    bend = np.pi - np.arccos(np.clip((thigh**2 + shin**2 - distance**2) / (2 * thigh * shin), -1, 1))
    at_hip = np.arccos(np.clip((thigh**2 + distance**2 - shin**2) / (2 * thigh * distance), -1, 1))
    straight = np.stack([hinge, -down, np.cross(hinge, -down)], axis=2).astype(np.float32)
    upper = straight @ rotation_about(_X, -at_hip)
    lower = upper @ rotation_about(_X, bend)
    rotations[:, INDEX[f"{side}_thigh"]] = np.swapaxes(pelvis, 1, 2) @ upper
    rotations[:, INDEX[f"{side}_shin"]] = np.swapaxes(upper, 1, 2) @ lower
    rotations[:, INDEX[f"{side}_foot"]] = np.swapaxes(lower, 1, 2) @ foot
