"""Motions: joint rotations and a root path that fit any body, and a generator of made-up choreographies."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from understudy.body.skeleton import (
    CANONICAL_BODY,
    INDEX,
    JOINTS,
    MIRROR,
    Floats,
    rest_positions,
    rotation_about,
)
from understudy.errors import UsageError
from understudy.synthetic.footwork import Footwork, Track, ease, smooth

_X, _Y, _Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
_HIP_TO_ANKLE = (CANONICAL_BODY.thigh + CANONICAL_BODY.shin) / CANONICAL_BODY.leg


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
    feet = Footwork(streams[0], tempo, float(times[-1]) + 4 * tempo)
    upper = _upper_body(streams[1], streams[4], tempo, times)
    rotations = _pose_upper_body(upper, feet, times, streams[2], tempo)
    grip = np.stack([upper["left_grip"], upper["right_grip"]], axis=1).astype(np.float32)
    path = _pose_legs(rotations, feet, times)
    return Motion(rotations, path, grip, fps)


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
    tracks = {name: Track() for name in ("left", "right", "trunk", "head")}
    bags: dict[str, list[str]] = {"left": [], "right": []}
    for track in tracks.values():
        track.add(-2.0, -1.0, _ARM_POSES["hang"] if track in (tracks["left"], tracks["right"]) else (0, 0, 0))
    clock = 0.25 * tempo
    waves: list[tuple[str, float, float]] = []
    while clock < times[-1] + 1:
        beats = float(stream.choice([1, 1, 2, 2, 3]))
        move = tempo * min(beats, 1.0 + 0.7 * stream.random())
        both = stream.random()
        left = _drawn_arm(stream, bags["left"])
        right = left if both < 0.40 else _drawn_arm(stream, bags["right"])
        if both > 0.86:  # crossed before the chest, one arm over the other
            left, right = np.array(_ARM_POSES["crossed"], float), np.array(_ARM_POSES["across"], float)
            left[1], right[1] = left[1] + 8, right[1] + 6
        elif both > 0.80:
            right = np.array(_ARM_POSES["wave"], float)
            waves.append(("right" if both < 0.83 else "left", clock + move, clock + tempo * (beats + 1)))
            left, right = (left, right) if both < 0.83 else (right, left)
            beats += 1
        if 0.40 <= both < 0.48:
            left = np.array(_ARM_POSES["hang"], float)
        elif 0.48 <= both < 0.56:
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


def _drawn_arm(stream: np.random.Generator, bag: list[str]) -> npt.NDArray[np.float64]:
    """A known pose, of which each comes before any comes again, or any angles that an arm can take."""
    if stream.random() < 0.65:
        if not bag:
            bag.extend(str(name) for name in stream.permutation(list(_ARM_POSES)))
        return np.asarray(_ARM_POSES[bag.pop()] + stream.normal(0, 1, 6) * (7, 6, 8, 6, 6, 0.08))
    low = np.array([-75, -15, -85, 5, -20, 0.0])
    high = np.array([80, 95, 40, 120, 20, 1.0])
    return np.asarray(low + (high - low) * stream.random(6))


def _pose_upper_body(
    angles: dict[str, npt.NDArray[np.float64]],
    feet: Footwork,
    times: npt.NDArray[np.float64],
    stream: np.random.Generator,
    tempo: float,
) -> Floats:
    rotations = np.tile(np.eye(3, dtype=np.float32), (len(times), len(JOINTS), 1, 1))
    yaw = smooth((feet.place["left"].at(times)[:, 2] + feet.place["right"].at(times)[:, 2]) / 2, times, 0.12)
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


def _pose_legs(rotations: Floats, feet: Footwork, times: npt.NDArray[np.float64]) -> Floats:
    """Fills in the legs by inverse kinematics and returns the root path (see `Motion.path`)."""
    places = {side: feet.place[side].at(times) for side in ("left", "right")}
    lifts = {side: feet.swing_height(side, times) for side in places}
    kicks = {side: feet.kick_amount(side, times) for side in places}
    weight = {side: 1.0 / (1.0 + 14 * (lifts[side] + np.abs(kicks[side]).sum(1))) for side in places}
    total = weight["left"] + weight["right"]
    middle = sum(weight[side][:, None] * places[side][:, :2] for side in places) / total[:, None]
    middle = smooth(np.asarray(middle), times, 0.10)
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
    height = smooth(highest, times, 0.05)
    height = np.minimum(height, highest) - feet.bend.at(times)
    pelvis = np.stack([middle[:, 0], height, middle[:, 1]], axis=1)
    for side in places:
        outward = 1.0 if side == "left" else -1.0
        toe_up = 0.5 * np.clip(lifts[side] / 0.07, 0, 1) + 0.9 * np.clip(np.abs(kicks[side]).sum(1), 0, 0.8)
        foot = rotation_about(_Y, places[side][:, 2]) @ rotation_about(_X, toe_up)
        _solve_leg(rotations, side, pelvis + offsets[side], ankles[side], foot, 0.12 * outward)
    pelvis[:, 1] = feet.hop_height(times)
    return np.asarray(pelvis, np.float32)


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
