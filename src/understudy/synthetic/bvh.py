"""Reads motion-capture clips (BVH) and puts their motion on the made-up people's skeleton.

Rigs differ in names, axes and rest poses. So joints are found by name, and rotations are worked out afresh from where
the joints are in space: that needs no rest pose, and limb directions come out exactly.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from understudy.body.rotations import (
    frame_from,
    mean_rotation,
    normalised,
    resampled_rotations,
    share_of_rotation,
)
from understudy.body.skeleton import (
    CANONICAL_BODY,
    INDEX,
    JOINTS,
    forward_kinematics,
    lowest_sole,
    rest_positions,
)
from understudy.errors import PoseError
from understudy.media.info import standard_rate
from understudy.retargeting.window import envelope
from understudy.synthetic.motion import Motion

MAX_BYTES = 64 * 1024 * 1024
_MAX_PATH = 0.6
"""leg lengths from the middle; a wider path is scaled down so that the performer stays in the picture"""
_LIFT_OFF = 0.03
"""leg lengths under which a foot counts as standing"""

_NUMBER = r"([+-]?(?:[0-9]{1,20}\.?[0-9]{0,20}|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,2})?)"
_SHORTEST, _LONGEST = 1e-4, 10.0
"""seconds that a frame may last"""
_MOST = 1e6
"""units from a joint to the next, of the path, and degrees"""
_AIRBORNE = 0.5
"""seconds: the longest half of a jump"""

Array = npt.NDArray[np.float64]

_NAMES: dict[str, tuple[str, ...]] = {
    "upper_arm": ("arm", "uparm", "upperarm", "shldr", "humerus", "shoulder"),
    "forearm": ("forearm", "elbow", "lowarm", "lowerarm", "radius"),
    "hand": ("hand", "wrist"),
    "thigh": ("upleg", "thigh", "upperleg", "femur", "hip"),
    "shin": ("leg", "knee", "lowleg", "shin", "lowerleg", "tibia", "calf"),
    "foot": ("foot", "ankle"),
    "toes": ("toebase", "toe", "toes", "ball"),
}
"""Names of a joint without its side, the surest first: "shoulder" is the upper arm only where there is no "arm"."""


@dataclass(frozen=True)
class Clip:
    """A BVH file as it is: positions in its own units and axes.

    Attributes:
        names: joints, parents first; an end site is called after its parent with "_end".
        positions: (T, J, 3).
        rotations: (T, J, 3, 3) in the world.
        seconds: length of a frame.
    """

    names: tuple[str, ...]
    positions: Array
    rotations: Array
    seconds: float


def is_bvh(path: str | os.PathLike[str]) -> bool:
    """Whether a file is called so."""
    return Path(path).suffix.lower() == ".bvh"


def motion_from_bvh(path: str | os.PathLike[str], fps: Fraction | int | None = Fraction(30)) -> Motion:
    """A BVH clip as a motion that every made-up person can play.

    The performer faces the camera on average and moves about the middle (a path of more than 0.6 leg lengths to one
    side is scaled down); the lowest foot stands on the floor except in jumps.

    Args:
        path: the file. Up may be any axis; names may be those of Mixamo, CMU, MotionBuilder, Poser and the like.
        fps: frames a second of the result; None keeps the file's own frames.

    Raises:
        PoseError: the file cannot be read, is not BVH, or lacks a limb.
    """
    path = Path(path)
    clip = parse_bvh(_read(path), str(path))
    joints = _found_joints(clip, str(path))
    places, turns = _upright(clip, joints, str(path))
    rotations = _retargeted(places, turns)
    leg = _leg_length(places)
    path_xyz = _path(places, leg)
    hips = (places["left_thigh"] + places["right_thigh"])[:, 1] / 2 / leg
    lift = _lift(rotations, hips, clip.seconds)
    if fps is None:
        fps, times = _rate(clip), np.arange(len(lift), dtype=np.float64)
    else:
        times = np.arange(max(1, int((len(lift) - 1) * clip.seconds * fps) + 1)) / float(fps) / clip.seconds
    whole = resampled_rotations(rotations, times)
    moved = np.stack([_resampled(column, times) for column in (path_xyz[:, 0], lift, path_xyz[:, 2])], axis=1)
    grip = np.full((len(times), 2), 0.25, np.float32)
    return Motion(whole.astype(np.float32), moved.astype(np.float32), grip, Fraction(fps))


def rate_of_bvh(path: str | os.PathLike[str]) -> Fraction:
    """The file's own frames a second.

    Raises:
        PoseError: as `parse_bvh`.
    """
    return _rate(parse_bvh(_read(Path(path)), str(path)))


def _rate(clip: Clip) -> Fraction:
    """Frames a second, exact: files round the length of a frame, 0.033333 s is 30."""
    return standard_rate(1 / Fraction(clip.seconds), Fraction(1, 1000))


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PoseError(f"{path} is larger than 64 MiB: cut the motion shorter")
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as cause:
        raise PoseError(f"cannot read {path}: {cause.strerror}") from None


def parse_bvh(text: str, name: str = "the BVH text") -> Clip:
    """Parses BVH and places its joints in every frame.

    Args:
        text: content of the file.
        name: how errors call it.

    Raises:
        PoseError: it is not BVH, is cut off, or has numbers that are none.
    """
    head, _, tail = text.partition("MOTION")
    if "HIERARCHY" not in head or not tail:
        raise PoseError(f"{name} is not a BVH file: it has no HIERARCHY and MOTION")
    names, parents, offsets, channels = _hierarchy(head, name)
    header = re.match(r"\s*Frames:\s*([0-9]{1,9})\s*Frame Time:\s*" + _NUMBER + r"\s", tail)
    if header is None:
        raise PoseError(f"{name} is damaged: no 'Frames:' and 'Frame Time:' after MOTION")
    frames, seconds = int(header[1]), float(header[2])
    if seconds and not _SHORTEST <= seconds <= _LONGEST:
        raise PoseError(f"{name} has frames of {seconds:g} seconds: from {_SHORTEST} to {_LONGEST} are read")
    try:
        values = np.array(tail[header.end() :].split(), np.float64)
    except ValueError as cause:
        raise PoseError(f"{name} is damaged: {cause}") from None
    width = sum(len(entry) for entry in channels)
    if not (np.abs(values) <= _MOST).all() or any(not (np.abs(offset) <= _MOST).all() for offset in offsets):
        raise PoseError(f"{name} is damaged: it holds numbers that are none, or above {_MOST:.0f}")
    if frames == 0 or seconds <= 0 or width == 0 or len(values) < frames * width:
        raise PoseError(f"{name} is cut off: {len(values)} numbers for {frames} frames of {width}")
    positions, rotations = _placed(values[: frames * width].reshape(frames, width), parents, offsets, channels)
    return Clip(tuple(names), positions, rotations, seconds)


def _hierarchy(text: str, name: str) -> tuple[list[str], list[int], list[Array], list[list[str]]]:
    names: list[str] = []
    parents: list[int] = []
    offsets: list[Array] = []
    channels: list[list[str]] = []
    stack: list[int] = []
    try:
        for line in text.splitlines():
            words = line.split()
            if not words:
                continue
            if words[0] in ("ROOT", "JOINT", "End"):
                parents.append(stack[-1] if stack else -1)
                names.append(names[stack[-1]] + "_end" if words[0] == "End" else " ".join(words[1:]))
                offsets.append(np.zeros(3))
                channels.append([])
            elif words[0] == "{":
                stack.append(len(names) - 1)
            elif words[0] == "}":
                stack.pop()
            elif words[0] == "OFFSET":
                offsets[-1] = np.array([float(word) for word in words[1:4]])
            elif words[0] == "CHANNELS":
                channels[-1] = words[2 : 2 + int(words[1])]
                if odd := [word for word in channels[-1] if not re.fullmatch("(?i)[xyz](rotation|position)", word)]:
                    raise ValueError(f"a channel {odd[0]!r}, which is neither a rotation nor a position")
    except (IndexError, ValueError) as cause:
        raise PoseError(f"{name} has a damaged HIERARCHY: {cause}") from None
    if not names or any(offset.shape != (3,) for offset in offsets):
        raise PoseError(f"{name} has a damaged HIERARCHY: no joints with offsets")
    return names, parents, offsets, channels


def _placed(values: Array, parents: list[int], offsets: list[Array], channels: list[list[str]]) -> tuple[Array, Array]:
    """World positions (T, J, 3) and rotations (T, J, 3, 3): channels are applied in the order in which they stand."""
    frames = len(values)
    positions, rotations = np.zeros((frames, len(parents), 3)), np.zeros((frames, len(parents), 3, 3))
    column = 0
    for joint, parent in enumerate(parents):
        shift, turn = np.tile(offsets[joint], (frames, 1)), np.tile(np.eye(3), (frames, 1, 1))
        for channel in channels[joint]:
            axis, value = "XYZ".index(channel[0].upper()), values[:, column]
            column += 1
            if channel.lower().endswith("position"):
                shift[:, axis] = value
            else:
                turn = turn @ _about(axis, np.deg2rad(value))
        if parent < 0:
            positions[:, joint], rotations[:, joint] = shift, turn
        else:
            rotations[:, joint] = rotations[:, parent] @ turn
            positions[:, joint] = positions[:, parent] + np.einsum("tab,tb->ta", rotations[:, parent], shift)
    return positions, rotations


def _about(axis: int, angle: Array) -> Array:
    turn = np.tile(np.eye(3), (len(angle), 1, 1))
    one, two = (axis + 1) % 3, (axis + 2) % 3
    turn[:, one, one] = turn[:, two, two] = np.cos(angle)
    turn[:, two, one] = np.sin(angle)
    turn[:, one, two] = -np.sin(angle)
    return turn


def _plain(name: str) -> str:
    """Lower case, letters and digits only, without a name space such as "mixamorig:"."""
    return re.sub(r"[^a-z0-9]", "", name.rsplit(":", 1)[-1].lower())


def _found_joints(clip: Clip, name: str) -> dict[str, int]:
    """Number of each joint that the skeleton needs.

    Raises:
        PoseError: one is not found.
    """
    plain = {_plain(joint): number for number, joint in reversed(list(enumerate(clip.names)))}
    found: dict[str, int] = {}
    for side in ("left", "right"):
        for joint, words in _NAMES.items():
            spellings = [form for word in words for form in (f"{side}{word}", f"{side[0]}{word}", f"{word}{side[0]}")]
            number = next((plain[form] for form in spellings if form in plain), None)
            if number is not None:
                found[f"{side}_{joint}"] = number
            elif joint != "toes":
                raise PoseError(
                    f"{name} has no joint for the {side} {joint.replace('_', ' ')}: rename it to {side}{words[0]}"
                )
    for joint, forms in {"neck": ("neck", "neck1", "neck01", "upperneck"), "head": ("head",)}.items():
        number = next((plain[form] for form in forms if form in plain), None)
        if number is None:
            raise PoseError(f"{name} has no joint for the {joint}: rename it to {joint}")
        found[joint] = number
    return found


def _end_of_foot(clip: Clip, joints: dict[str, int], side: str, name: str) -> int:
    end = f"{clip.names[joints[f'{side}_foot']]}_end"
    if end not in clip.names:
        raise PoseError(f"{name} has no joint for the {side} toes: rename it to {side}{_NAMES['toes'][0]}")
    return clip.names.index(end)


def _upright(clip: Clip, joints: dict[str, int], name: str) -> tuple[dict[str, Array], dict[str, Array]]:
    """Positions and rotations of the found joints, turned so that y is up and the performer faces +z on average."""
    feet = (clip.positions[:, joints["left_foot"]] + clip.positions[:, joints["right_foot"]]) / 2
    rise = (clip.positions[:, joints["head"]] - feet).mean(axis=0)
    axis = int(np.abs(rise).argmax())
    up = np.zeros(3)
    up[axis] = np.sign(rise[axis])
    ahead = np.cross(clip.positions[:, joints["left_thigh"]] - clip.positions[:, joints["right_thigh"]], up)
    ahead = normalised(ahead).mean(axis=0)
    ahead = normalised(ahead - up * (ahead @ up))
    turn = np.stack([np.cross(up, ahead), up, ahead])
    places = {joint: clip.positions[:, number] @ turn.T for joint, number in joints.items()}
    for side in ("left", "right"):
        if (toes := f"{side}_toes") not in joints:
            places[toes] = clip.positions[:, _end_of_foot(clip, joints, side, name)] @ turn.T
        knuckles = [n for n, joint in enumerate(clip.names) if _is_child_of_hand(joint, side)]
        if knuckles:
            places[f"{side}_knuckles"] = clip.positions[:, knuckles[0]] @ turn.T
    return places, {"head": turn @ clip.rotations[:, joints["head"]]}


def _is_child_of_hand(name: str, side: str) -> bool:
    plain = _plain(name)
    return plain in {f"{side}{form}" for form in ("handmiddle1", "inhandmiddle", "handend")} or plain in {
        f"{side[0]}fingers",
        f"{side}fingers",
    }


def _leg_length(places: dict[str, Array]) -> float:
    """Hip to sole in the file's units; the ankle's height is taken from the average body."""
    bones = [
        np.linalg.norm(places[f"{side}_{one}"] - places[f"{side}_{two}"], axis=1).mean()
        for side in ("left", "right")
        for one, two in (("thigh", "shin"), ("shin", "foot"))
    ]
    return float(sum(bones) / 2 * CANONICAL_BODY.leg / (CANONICAL_BODY.thigh + CANONICAL_BODY.shin))


def _path(places: dict[str, Array], leg: float) -> Array:
    """(T, 3) the hips about the middle of where they are, in leg lengths."""
    middle = (places["left_thigh"] + places["right_thigh"]) / 2 / leg
    low, high = middle.min(axis=0), middle.max(axis=0)
    path = middle - (low + high) / 2
    path *= min(1.0, 2 * _MAX_PATH / max(float((high - low)[[0, 2]].max()), 1e-6))
    return np.asarray(path)


def _lift(rotations: Array, hips: Array, seconds: float) -> Array:
    """(T,) height of the lowest sole in leg lengths, so that the hips of a jump move as in the capture.

    Args:
        rotations: (T, joints, 3, 3) of the motion.
        hips: (T,) their height in the capture, in leg lengths.
        seconds: length of a frame.
    """
    grip = np.zeros((len(rotations), 2), np.float32)
    figure = forward_kinematics(rotations.astype(np.float32), grip, rest_positions(CANONICAL_BODY))
    soles = hips + lowest_sole(*figure, CANONICAL_BODY).astype(np.float64) / CANONICAL_BODY.leg
    # captures drift up and down; only what leaves the ground and comes back within a moment is a jump
    ground = -envelope(-soles, max(1, round(_AIRBORNE / seconds)))
    return np.asarray(np.maximum(soles - ground - _LIFT_OFF, 0.0))


def _retargeted(places: dict[str, Array], turns: dict[str, Array]) -> Array:
    """(T, joints, 3, 3) local rotations that give the skeleton the clip's limb directions."""
    hips = (places["left_thigh"] + places["right_thigh"]) / 2
    up = places["neck"] - hips
    world: dict[str, Array] = {}
    world["pelvis"] = frame_from("y", up, "x", places["left_thigh"] - places["right_thigh"])
    world["chest"] = frame_from("y", up, "x", places["left_upper_arm"] - places["right_upper_arm"])
    between = np.swapaxes(world["pelvis"], 1, 2) @ world["chest"]
    world["spine"] = world["pelvis"] @ share_of_rotation(between, 0.5)
    held = np.swapaxes(world["chest"], 1, 2) @ turns["head"]
    nod = held @ mean_rotation(held).T  # on average a head faces where the chest does
    world["neck"] = world["chest"] @ share_of_rotation(nod, 0.5)
    world["head"] = world["chest"] @ nod
    for side in ("left", "right"):
        _arm(world, places, side)
        _leg(world, places, side)
    local = np.tile(np.eye(3), (len(up), len(JOINTS), 1, 1))
    for joint in JOINTS:
        parent = _PARENT[joint]
        local[:, INDEX[joint]] = world[joint] if parent is None else np.swapaxes(world[parent], 1, 2) @ world[joint]
    return local


_PARENT: dict[str, str | None] = {"pelvis": None, "spine": "pelvis", "chest": "spine", "neck": "chest", "head": "neck"}
for _side in ("left", "right"):
    for _chain in (("chest", "clavicle", "upper_arm", "forearm", "hand"), ("pelvis", "thigh", "shin", "foot", "toes")):
        for _above, _below in pairwise(_chain):
            _PARENT[f"{_side}_{_below}"] = _above if _above in _PARENT else f"{_side}_{_above}"


def _held(direction: Array, fallback: Array) -> Array:
    """Unit hinge directions (T, 3): where a joint is nearly straight, the hinge stays where it was."""
    out = np.empty_like(direction)
    before = fallback[0]
    for frame, wanted in enumerate(direction):
        before = wanted + 0.10 * before
        before = before / max(float(np.linalg.norm(before)), 1e-9)
        out[frame] = before
    return out


def _across(vector: Array, axis: Array) -> Array:
    """The part of `vector` square to the unit `axis`."""
    return np.asarray(vector - axis * np.einsum("ta,ta->t", vector, axis)[:, None])


def _arm(world: dict[str, Array], places: dict[str, Array], side: str) -> None:
    outward = 1.0 if side == "left" else -1.0
    upper = normalised(places[f"{side}_forearm"] - places[f"{side}_upper_arm"])
    fore = normalised(places[f"{side}_hand"] - places[f"{side}_forearm"])
    bend = _held(_across(fore, upper), _across(world["chest"][:, :, 2], upper))
    world[f"{side}_upper_arm"] = frame_from("x", outward * upper, "z", bend)
    hinge = world[f"{side}_upper_arm"][:, :, 1]
    world[f"{side}_forearm"] = frame_from("x", outward * fore, "y", hinge)
    knuckles = places.get(f"{side}_knuckles")
    hand = fore if knuckles is None else normalised(normalised(knuckles - places[f"{side}_hand"]) + 0.6 * fore)
    world[f"{side}_hand"] = frame_from("x", outward * hand, "y", hinge)
    # the clavicle goes up and forwards with the arm, as in a choreography
    lift = np.einsum("ta,ta->t", upper, world["chest"][:, :, 1])
    shrug = outward * 0.30 * np.clip(np.arcsin(np.clip(lift, -1, 1)) + 0.3, -0.5, 2)
    world[f"{side}_clavicle"] = world["chest"] @ _about(2, shrug)


def _leg(world: dict[str, Array], places: dict[str, Array], side: str) -> None:
    thigh = normalised(places[f"{side}_shin"] - places[f"{side}_thigh"])
    shin = normalised(places[f"{side}_foot"] - places[f"{side}_shin"])
    knee = _held(-_across(shin, thigh), _across(world["pelvis"][:, :, 2], thigh))
    world[f"{side}_thigh"] = frame_from("y", -thigh, "z", knee)
    hinge = world[f"{side}_thigh"][:, :, 0]
    world[f"{side}_shin"] = frame_from("y", -shin, "x", hinge)
    rest = rest_positions(CANONICAL_BODY)
    pointing = (rest[INDEX["left_toes"]] - rest[INDEX["left_foot"]]) * (0, 1, 1)
    resting = frame_from("z", pointing[None].astype(np.float64), "x", np.array([[1.0, 0, 0]]))[0]
    foot = frame_from("z", places[f"{side}_toes"] - places[f"{side}_foot"], "x", hinge)
    world[f"{side}_foot"] = foot @ resting.T
    world[f"{side}_toes"] = world[f"{side}_foot"]


def _resampled(values: Array, times: Array) -> Array:
    return np.asarray(np.interp(times, np.arange(len(values)), values))
