"""Trunk, limbs, hands and clothes of a made-up person as one skinned mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from understudy.body.head import HIDES_EARS, HeadShape, hair_mesh, head_mesh
from understudy.body.mesh import PART, Chart, Mesh, grid, joined, mirrored, tube
from understudy.body.skeleton import ALL_JOINTS, INDEX, Body, Floats, rest_positions

Array = npt.NDArray[np.float64]

ATLAS_SIZE = 1024
HEAD = Chart(0, 0, 512, 256)
HAIR = Chart(512, 0, 256, 128)
SKIN = Chart(512, 128, 128, 128)
TORSO = Chart(0, 256, 512, 320)
LEFT_SLEEVE = Chart(512, 256, 192, 256)
RIGHT_SLEEVE = Chart(704, 256, 192, 256)
ARM_SKIN = Chart(896, 256, 128, 256)
PELVIS = Chart(0, 576, 512, 128)
LEG_SKIN = Chart(512, 512, 128, 192)
SHOE = Chart(640, 512, 192, 128)
LEFT_LEG = Chart(0, 704, 256, 320)
RIGHT_LEG = Chart(256, 704, 256, 320)
SKIRT = Chart(512, 704, 512, 256)


NECKLINE = 0.985
"""trunk lengths above the hip joints, where tops begin"""
TUCKED = 0.10
"""trunk lengths: a top whose hem is higher than this ends inside the trousers or the skirt"""


@dataclass(frozen=True)
class Build:
    """What is around the bones; 1 = average where it is a factor, metres where it is an addition."""

    girth: float = 1.0
    waist: float = 1.0
    hips: float = 1.0
    muscle: float = 1.0
    bust: float = 0.0
    belly: float = 0.0


@dataclass(frozen=True)
class Cut:
    """How the clothes are cut."""

    sleeve: float
    """share of the arm that is covered: 0 = none, 0.28 = T-shirt, 1 = to the wrist"""
    hem: float
    """where the top ends, in trunk lengths above the hip joints (negative: below)"""
    leg: float
    """share of the leg that trousers cover: 0 = none (skirt), 0.45 = shorts, 1 = to the ankle"""
    leg_width: float
    """metres of room in the trouser leg"""
    skirt: float
    """length of the skirt in leg lengths, 0 = none"""
    flare: float = 0.05
    """metres by which the skirt widens"""
    loose: float = 0.008
    """metres between body and top"""


def _step(value: npt.ArrayLike, low: float, high: float) -> Array:
    amount = np.clip((np.asarray(value, np.float64) - low) / (high - low), 0, 1)
    return np.asarray(amount * amount * (3 - 2 * amount))


_F = np.array([-0.13, -0.10, 0.0, 0.10, 0.25, 0.40, 0.52, 0.66, 0.76, 0.85, 0.90, 0.95, 1.0, 1.04])
_TRUNK_W = np.array([0.110, 0.165, 0.172, 0.165, 0.144, 0.133, 0.138, 0.152, 0.162, 0.172, 0.162, 0.112, 0.066, 0.056])
_TRUNK_F = np.array([0.085, 0.108, 0.108, 0.102, 0.098, 0.096, 0.100, 0.108, 0.105, 0.092, 0.078, 0.064, 0.052, 0.046])
_TRUNK_B = np.array([0.095, 0.122, 0.122, 0.112, 0.092, 0.086, 0.095, 0.106, 0.108, 0.100, 0.088, 0.074, 0.062, 0.056])


def trunk_rings(body: Body, build: Build, f: Array, extra: Array | float, columns: int) -> Floats:
    """Rings of the trunk at heights f (trunk lengths above the hip joints), `extra` metres outside the skin."""
    upper, lower = _step(f, 0.50, 0.80), 1 - _step(f, 0.10, 0.38)
    middle = 1 - upper - lower
    width = upper * body.shoulder_half_width / 0.175 + lower * build.hips * body.hip_half_width / 0.088
    width = (width + middle * build.waist) * (0.55 + 0.45 * build.girth)
    neck = _step(f, 0.88, 0.99)
    width = width * (1 - neck) + neck
    half = np.interp(f, _F, _TRUNK_W) * width + extra
    depth = (1 - neck) * (0.35 + 0.65 * build.girth * (1 + 0.4 * (build.waist - 1) * middle)) + neck
    front = np.interp(f, _F, _TRUNK_F) * depth + extra
    front = front + build.bust * np.exp(-(((f - 0.66) / 0.10) ** 2))
    front = front + build.belly * np.exp(-(((f - 0.30) / 0.20) ** 2))
    back = np.interp(f, _F, _TRUNK_B) * depth + extra
    centres = np.stack([0 * f, body.leg + f * body.torso, np.full_like(f, -0.012)], axis=1)
    return tube(centres, half, front, back, columns=columns, squareness=2.35)


def trunk_weights(body: Body, points: Floats) -> Floats:
    """(rows, columns, joints) weights of trunk clothes from where a point lies."""
    f = (points[..., 1] - body.leg) / body.torso
    weights = np.zeros((*points.shape[:2], len(ALL_JOINTS)), np.float32)
    chest, pelvis = _step(f, 0.36, 0.66), 1 - _step(f, 0.10, 0.40)
    neck = 0.5 * _step(f, 0.96, 1.06)
    weights[..., INDEX["pelvis"]] = pelvis
    weights[..., INDEX["spine"]] = np.clip(1 - chest - pelvis, 0, 1)
    weights[..., INDEX["chest"]] = chest * (1 - neck)
    weights[..., INDEX["neck"]] = chest * neck
    for side, sign in (("left", 1), ("right", -1)):
        x = sign * points[..., 0] / body.shoulder_half_width
        shoulder = _step(x, 0.25, 0.95) * _step(f, 0.62, 0.84)
        arm = 0.45 * _step(x, 0.72, 1.05) * _step(f, 0.66, 0.84)
        hip = 0.55 * _step(sign * points[..., 0], 0.0, 0.14) * (1 - _step(f, -0.10, 0.12))
        weights *= (1 - np.clip(0.75 * shoulder + hip, 0, 0.95))[..., None]
        weights[..., INDEX[f"{side}_clavicle"]] += 0.75 * shoulder - arm
        weights[..., INDEX[f"{side}_upper_arm"]] += arm
        weights[..., INDEX[f"{side}_thigh"]] += hip
    return np.clip(weights, 0, 1)


def trunk_v(f: npt.ArrayLike) -> Array:
    """Texture v of a height on the top, trunk lengths above the hip joints."""
    return np.asarray((NECKLINE - np.asarray(f, np.float64)) / (NECKLINE + 0.13))


def _shoulders(body: Body, build: Build) -> Mesh:
    """The skin between neck and neckline."""
    f = np.array([1.04, 1.0, 0.965, 0.93, 0.90])
    points = trunk_rings(body, build, f, 0.0, 30)
    return grid(
        points, trunk_weights(body, points), SKIN, PART["neck"], "torso skin", v=np.linspace(0.35, 0.6, 5), gloss=0.25
    )


def _top(body: Body, build: Build, cut: Cut) -> Mesh:
    f = np.concatenate([NECKLINE - np.array([0.0, 0.02, 0.05, 0.085]), np.linspace(0.86, cut.hem, 16)])
    room = 0.004 + (cut.loose - 0.004) * _step(f, 0.98, 0.85)
    if cut.hem < TUCKED:  # hangs over the trousers
        room = room + (0.35 * cut.loose + 0.010) * _step(f, 0.40, 0.10)
    else:
        room = room * (1 - 0.8 * _step(f, cut.hem + 0.2, cut.hem + 0.05))
    points = trunk_rings(body, build, f, room, 30)
    labels = [PART["hips"] if height < 0.18 else PART["torso"] for height in f[1:]]
    return grid(points, trunk_weights(body, points), TORSO, labels, "upper clothes", v=trunk_v(f))


def _below(cut: Cut) -> str:
    """The label of what is worn about the hips."""
    return "skirt" if cut.skirt > 0 else "pants"


def _bottom(body: Body, build: Build, cut: Cut) -> Mesh:
    f = np.linspace(cut.hem + 0.10, -0.13, max(4, int((cut.hem + 0.23) / 0.05)))
    between_legs = 0.035 * _step(f, 0.0, -0.10)
    points = trunk_rings(body, build, f, (0.003 if cut.hem < TUCKED else 0.007) - between_legs, 26)
    return grid(points, trunk_weights(body, points), PELVIS, PART["hips"], _below(cut), v=(0.45 - f) / 0.58)


_ARM_A = np.array([-0.14, -0.06, 0.0, 0.10, 0.25, 0.42, 0.49, 0.53, 0.58, 0.66, 0.80, 0.93, 1.0])
_ARM_R = np.array([0.036, 0.050, 0.055, 0.054, 0.051, 0.044, 0.042, 0.042, 0.044, 0.044, 0.036, 0.029, 0.028])


def arm_rings(body: Body, build: Build, along: Array, extra: Array | float, columns: int) -> Floats:
    """Rings of the left arm; `along` runs from the shoulder joint (0) to the wrist (1)."""
    rest = rest_positions(body)
    shoulder, length = rest[INDEX["left_upper_arm"]], body.upper_arm + body.forearm
    x = np.where(along < 0.53, along / 0.53 * body.upper_arm, body.upper_arm + (along - 0.53) / 0.47 * body.forearm)
    x = np.where(along < 0, along * length, x)
    radius = np.interp(along, _ARM_A, _ARM_R) * (0.5 * build.girth + 0.5 * build.muscle) + extra
    droop = np.interp(along, [-0.14, 0.0, 0.1], [0.022, 0.006, 0.0])
    centres = np.stack([shoulder[0] + x, shoulder[1] - droop, np.full_like(x, shoulder[2])], axis=1)
    return tube(centres, radius * np.interp(along, [0, 0.8, 1], [1, 1, 0.82]), radius, columns=columns, axis="out")


def arm_weights(along: Array) -> list[dict[str, float]]:
    rows = []
    for place in along:
        upper, fore, hand = _step(place, -0.16, 0.06), _step(place, 0.455, 0.605), 0.5 * _step(place, 0.95, 1.02)
        rows.append(
            {
                "left_clavicle": float(1 - upper),
                "left_upper_arm": float(upper * (1 - fore)),
                "left_forearm": float(fore * (1 - hand)),
                "left_hand": float(fore * hand),
            }
        )
    return rows


def _arm_labels(along: Array) -> list[int]:
    return [PART["left upper arm"] if place <= 0.535 else PART["left forearm"] for place in along[1:]]


def _arm(body: Body, build: Build, cut: Cut) -> list[Mesh]:
    places = np.array(
        [-0.14, -0.08, -0.03, 0.04, 0.13, 0.24, 0.36, 0.45, 0.50, 0.535, 0.57, 0.63, 0.72, 0.84, 0.94, 1.0]
    )
    meshes = []
    if cut.sleeve > 0:
        along = np.append(places[places < cut.sleeve - 0.02], cut.sleeve)
        tight = np.interp(along, [-0.14, 0.05, cut.sleeve], [-0.6, 0.35, 1.5 if cut.sleeve < 0.6 else 0.9])
        rings = arm_rings(body, build, along, cut.loose * tight, 14)
        meshes.append(
            grid(rings, arm_weights(along), LEFT_SLEEVE, _arm_labels(along), "upper clothes", v=(along + 0.14) / 1.14)
        )
    bare = np.append(max(cut.sleeve - 0.05, -0.14), places[places > cut.sleeve - 0.02])
    rings = arm_rings(body, build, bare, 0.0, 12)
    meshes.append(
        grid(rings, arm_weights(bare), ARM_SKIN, _arm_labels(bare), "left arm", v=(bare + 0.14) / 1.14, gloss=0.3)
    )
    return meshes


def hand_meshes(body: Body) -> list[Mesh]:
    rest = rest_positions(body)
    wrist, size = rest[INDEX["left_hand"]].astype(np.float64), body.hand
    along = np.array([-0.06, 0.0, 0.12, 0.28, 0.44, 0.52, 0.56])
    centres = wrist + np.stack([along * size, -0.01 * size * along, 0.0 * along], axis=1)
    centres[:, 2] += np.interp(along, [0, 0.15, 0.5], [0.0, 0.0, -0.012 * size / 0.185])
    thick = np.array([0.021, 0.020, 0.019, 0.018, 0.015, 0.011, 0.003]) * size / 0.185
    wide = np.array([0.027, 0.027, 0.032, 0.038, 0.040, 0.037, 0.020]) * size / 0.185
    palm = tube(centres, thick, wide, axis="out", columns=12, squareness=2.6)
    weights = [{"left_forearm": 0.5, "left_hand": 0.5}] + [{"left_hand": 1.0}] * 6
    meshes = [grid(palm, weights, SKIN, PART["left hand"], "left hand", v=np.linspace(0.4, 0.7, 7), gloss=0.25)]
    for finger, radius in (
        ("thumb", 0.0115),
        ("index", 0.0092),
        ("middle", 0.0095),
        ("ring", 0.009),
        ("little", 0.008),
    ):
        meshes.append(_finger(rest, finger, radius * size / 0.185))
    return meshes


def finger_tip(rest: Floats, side: str, finger: str) -> Floats:
    """Rest position of a finger's tip; it moves with the finger's last joint."""
    second, third = rest[INDEX[f"{side}_{finger}_2"]], rest[INDEX[f"{side}_{finger}_3"]]
    return np.asarray(third + 0.95 * (third - second), np.float32)


def _finger(rest: Floats, finger: str, radius: float) -> Mesh:
    joints = [f"left_{finger}_{segment}" for segment in (1, 2, 3)]
    stations = np.stack([*(rest[INDEX[joint]] for joint in joints), finger_tip(rest, "left", finger)])
    along = np.array([-0.25, 0.1, 0.9, 1.1, 1.9, 2.1, 2.75, 3.0])
    centres = np.stack([np.interp(along, [0, 1, 2, 3], stations[:, axis]) for axis in range(3)], axis=1)
    centres[0] = stations[0] - 0.35 * (stations[1] - stations[0])
    radii = radius * np.array([1.05, 1.05, 1.0, 1.0, 0.92, 0.92, 0.8, 0.15])
    heading = stations[3] - stations[0]
    turn = np.arctan2(-heading[2], heading[0])
    rings = tube(np.zeros((8, 3)), radii, radii, axis="out", columns=6)
    cos, sin = np.cos(turn), np.sin(turn)
    spin = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    rings = np.asarray(rings @ spin.T + centres[:, None], np.float32)
    one, two, three = joints
    weights: list[dict[str, float]] = []
    shares = [("left_hand", one), (one, one), (one, one), (two, two), (two, two), (three, three)]
    for first, second in [*shares, (three, three), (three, three)]:
        weights.append({first: 0.5, second: 0.5} if first != second else {first: 1.0})
    return grid(rings, weights, SKIN, PART["left hand"], "left hand", v=np.linspace(0.4, 0.7, 8), gloss=0.25)


_LEG_A = np.array([-0.06, 0.0, 0.10, 0.25, 0.40, 0.47, 0.52, 0.58, 0.68, 0.80, 0.92, 1.0])
_LEG_W = np.array([0.060, 0.078, 0.084, 0.076, 0.062, 0.056, 0.054, 0.054, 0.056, 0.047, 0.037, 0.036])
_LEG_F = np.array([0.070, 0.088, 0.090, 0.080, 0.066, 0.060, 0.058, 0.053, 0.050, 0.044, 0.038, 0.038])
_LEG_B = np.array([0.080, 0.092, 0.088, 0.074, 0.060, 0.052, 0.050, 0.056, 0.066, 0.054, 0.040, 0.040])


def leg_rings(body: Body, build: Build, along: Array, room: Array | float, columns: int) -> Floats:
    """Rings of the left leg; `along` runs from the hip joint (0) to the ankle (1), the knee is at 0.5."""
    down = np.where(along < 0.5, 2 * along * body.thigh, body.thigh + (2 * along - 1) * body.shin)
    rest = rest_positions(body)
    z = np.interp(along, [0, 0.5, 1], [rest[INDEX[f"left_{joint}"]][2] for joint in ("thigh", "shin", "foot")])
    centres = np.stack([np.full_like(down, body.hip_half_width), body.leg - down, z], axis=1)
    hips = 0.5 * build.girth + 0.5 * build.hips * body.hip_half_width / 0.088
    size = np.interp(along, [0, 0.5, 1], [hips, 0.6 * build.girth + 0.4, 0.5 * build.girth + 0.5])
    width, front, back = (np.interp(along, _LEG_A, table) * size + room for table in (_LEG_W, _LEG_F, _LEG_B))
    return tube(centres, width, front, back, columns=columns)


def leg_weights(along: Array) -> list[dict[str, float]]:
    rows = []
    for place in along:
        thigh, shin, foot = (
            0.25 + 0.75 * _step(place, -0.08, 0.14),
            _step(place, 0.435, 0.565),
            0.4 * _step(place, 0.95, 1.02),
        )
        rows.append(
            {
                "pelvis": float(1 - thigh),
                "left_thigh": float(thigh * (1 - shin)),
                "left_shin": float(thigh * shin * (1 - foot)),
                "left_foot": float(thigh * shin * foot),
            }
        )
    return rows


def _leg(body: Body, build: Build, cut: Cut) -> list[Mesh]:
    places = np.array([-0.06, 0.0, 0.07, 0.15, 0.25, 0.35, 0.42, 0.465, 0.50, 0.535, 0.58, 0.65, 0.74, 0.84, 0.93, 1.0])
    meshes = []
    if cut.leg > 0:
        along = np.append(places[places < cut.leg - 0.02], min(cut.leg, 1.03))
        room = 0.004 + cut.leg_width * _step(along, 0.0, 0.95 * cut.leg)
        room = room + 0.4 * cut.leg_width * _step(along, 0.62, 0.95)
        rings = leg_rings(body, build, along, room, 18)
        labels = [PART["left thigh"] if place <= 0.5 else PART["left shin"] for place in along[1:]]
        meshes.append(grid(rings, leg_weights(along), LEFT_LEG, labels, "pants", v=(along + 0.06) / 1.09))
    start = max(cut.leg - 0.06, 0.5 * cut.skirt)
    bare = np.append(start, places[places > start + 0.04])
    if len(bare) > 1 and cut.leg < 0.99:
        labels = [PART["left thigh"] if place <= 0.5 else PART["left shin"] for place in bare[1:]]
        rings = leg_rings(body, build, bare, 0.0, 14)
        meshes.append(grid(rings, leg_weights(bare), LEG_SKIN, labels, "left leg", v=(bare + 0.06) / 1.06, gloss=0.25))
    return meshes


def shoe_mesh(body: Body) -> Mesh:
    rest = rest_positions(body)
    ankle = rest[INDEX["left_foot"]].astype(np.float64)
    share = np.array([0.0, 0.02, 0.08, 0.18, 0.30, 0.42, 0.54, 0.66, 0.78, 0.88, 0.96, 1.0])
    scale = body.foot / 0.255
    z = ankle[2] - 0.23 * body.foot + share * body.foot
    top = np.array([0.030, 0.062, 0.092, 0.104, 0.102, 0.085, 0.070, 0.058, 0.050, 0.044, 0.034, 0.018]) * scale
    wide = np.array([0.016, 0.028, 0.035, 0.037, 0.037, 0.038, 0.042, 0.047, 0.048, 0.043, 0.030, 0.008]) * scale
    bottom = np.array([0.012, 0.003, 0.0, 0.0, 0.002, 0.003, 0.0, 0.0, 0.0, 0.003, 0.008, 0.014])
    middle = bottom + 0.38 * (top - bottom)
    bow = np.interp(share, [0, 0.3, 0.7, 1.0], [0.0, 0.0, 0.010, 0.006])
    centres = np.stack([ankle[0] + bow, middle, z], axis=1)
    rings = tube(centres, wide, top - middle, middle - bottom, axis="ahead", columns=16, squareness=2.5)
    toes = _step(share, 0.56, 0.70)
    weights = [{"left_foot": float(1 - s), "left_toes": float(s)} for s in toes]
    return grid(rings, weights, SHOE, PART["left foot"], "left shoe", v=share, gloss=0.25)


def _skirt(body: Body, build: Build, cut: Cut) -> Mesh:
    f = np.linspace(min(0.36, cut.hem + 0.12), -0.02, 5)
    waist = trunk_rings(body, build, f, 0.011, 34)
    down = np.linspace(0, 1, 10)[1:]
    top = waist[-1]
    centre = top.mean(axis=0)
    pleat = 1 + 0.05 * np.sin(np.linspace(0, 2 * np.pi, 35) * 9)[None, :, None] * down[:, None, None]
    grown = top - centre
    grown = grown / np.linalg.norm(grown, axis=1, keepdims=True)
    lower = centre + (top - centre)[None] + grown[None] * (cut.flare * down[:, None, None] + 0.012) * pleat
    lower[..., 1] = top[:, 1] - down[:, None] * (cut.skirt * body.leg)
    points = np.concatenate([waist, lower.astype(np.float32)])
    weights = np.zeros((*points.shape[:2], len(ALL_JOINTS)), np.float32)
    fall = _step(np.concatenate([np.full(5, -1.0), down]), -0.25, 0.45)[:, None] * 0.92
    left = _step(points[..., 0], -0.13, 0.13)
    weights[..., INDEX["left_thigh"]] = fall * left
    weights[..., INDEX["right_thigh"]] = fall * (1 - left)
    weights[..., INDEX["pelvis"]] = 1 - fall
    weights[:3] = trunk_weights(body, points[:3])
    labels = [PART["hips"]] * 4 + [PART["skirt"]] * 9
    v = np.concatenate([np.linspace(0, 0.2, 5), 0.2 + 0.8 * down])
    return grid(points, weights, SKIRT, labels, "skirt", v=v, two_sided=True)


def _neck(body: Body) -> Mesh:
    rest = rest_positions(body)
    low, high = rest[INDEX["neck"]].astype(np.float64), rest[INDEX["head"]].astype(np.float64)
    along = np.array([-0.75, -0.3, 0.0, 0.3, 0.6, 0.9, 1.2])[::-1]
    centres = low + along[:, None] * (high - low)
    radius = np.interp(along, [-0.75, -0.3, 0, 0.5, 1.2], [0.075, 0.062, 0.054, 0.051, 0.052])
    weights = []
    for place in along:
        neck, head = float(_step(place, -0.6, 0.1)), float(_step(place, 0.5, 1.1))
        weights.append({"chest": 1 - neck, "neck": neck * (1 - head), "head": neck * head})
    rings = tube(centres, radius, radius, 1.1 * radius, columns=14)
    return grid(rings, weights, SKIN, PART["neck"], "torso skin", v=np.linspace(0.55, 0.2, 7), gloss=0.25)


def build_figure(body: Body, build: Build, cut: Cut, head: HeadShape, hair: str) -> Mesh:
    """The whole dressed person in the rest pose."""
    left = _arm(body, build, cut) + hand_meshes(body) + _leg(body, build, cut) + [shoe_mesh(body)]
    charts = {LEFT_SLEEVE: RIGHT_SLEEVE, LEFT_LEG: RIGHT_LEG}
    parts = [
        head_mesh(body, head, SKIN, HEAD, ears=hair not in HIDES_EARS, haired=hair != "bald"),
        *hair_mesh(body, head, hair, HAIR),
        _neck(body),
    ]
    parts.append(_shoulders(body, build))
    parts += [_top(body, build, cut), _bottom(body, build, cut), *left]
    parts += [mirrored(mesh, charts) for mesh in left]
    if cut.skirt > 0:
        parts.append(_skirt(body, build, cut))
    return joined(parts)
