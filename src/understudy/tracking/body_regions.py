"""Which part of the body each pixel of a person is near, from the pose alone: distances to tubes laid along its bones.

Lengths are in *units*: what the trunk measures from the shoulders to the hips, seen at its longest. Whole numbers are
pixel centres, and left and right are the person's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from understudy.poses import pose as p

UInt8Array = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

SEEN = 0.05
"""confidence from which a point counts"""
_BONES = (
    *((p.LEFT_SHOULDER, p.RIGHT_SHOULDER, 1.35), (p.LEFT_HIP, p.LEFT_KNEE, 1.2), (p.RIGHT_HIP, p.RIGHT_KNEE, 1.2)),
    *((p.LEFT_KNEE, p.LEFT_ANKLE, 1.25), (p.RIGHT_KNEE, p.RIGHT_ANKLE, 1.25)),
    *((p.LEFT_SHOULDER, p.LEFT_ELBOW, 1.75), (p.RIGHT_SHOULDER, p.RIGHT_ELBOW, 1.75)),
)
"""two points, and how many times as long as the bone between them a trunk is"""
ARM_RADII, LEG_RADII = (0.115, 0.10, 0.07), (0.185, 0.12, 0.085)
"""units: half the width at shoulder, elbow, wrist; at hip, knee, ankle"""
HEAD_RADIUS = 0.27
"""units, hair included"""
TRUNK_REACH = 0.12
"""units by which flesh and cloth lie outside the shoulders and hips"""
HAND_REACH = 0.45
"""of the forearm's length: where a hand ends whose points are not seen"""
ACROSS = 0.05
"""units over which one region gives way to the next"""
DEEP = 0.04
"""units inside a tube, from which it does not matter how deep"""

_JAW, _BROWS, _NOSE_BASE = range(23, 40), range(40, 50), 56
_EYES_AND_MOUTH = (range(40, 45), range(45, 50), range(59, 65), range(65, 71), range(71, 83))
HANDS = {"left": (p.LEFT_HAND, p.LEFT_ELBOW, p.LEFT_WRIST), "right": (p.RIGHT_HAND, p.RIGHT_ELBOW, p.RIGHT_WRIST)}
ARMS = {
    "left arm": (p.LEFT_SHOULDER, p.LEFT_ELBOW, p.LEFT_WRIST),
    "right arm": (p.RIGHT_SHOULDER, p.RIGHT_ELBOW, p.RIGHT_WRIST),
}
LEGS = {"left leg": (p.LEFT_HIP, p.LEFT_KNEE, p.LEFT_ANKLE), "right leg": (p.RIGHT_HIP, p.RIGHT_KNEE, p.RIGHT_ANKLE)}
FEET = {
    "left foot": (p.LEFT_ANKLE, p.LEFT_HEEL, p.LEFT_BIG_TOE, p.LEFT_SMALL_TOE),
    "right foot": (p.RIGHT_ANKLE, p.RIGHT_HEEL, p.RIGHT_BIG_TOE, p.RIGHT_SMALL_TOE),
}


@dataclass(frozen=True, eq=False)
class Region:
    """One part of a body in a picture.

    Attributes:
        outside: (H, W) float32 units from its surface, negative within.
        along: (H, W) float32 place along it, 0 where it begins (shoulders, hip) and 1 where it ends (hips, wrist,
            ankle); a trunk goes on beyond 1.
        confidence: of the points that it was laid through, in (0, 1].
    """

    outside: Floats
    along: Floats
    confidence: float


@dataclass(frozen=True, eq=False)
class Regions:
    """Where the parts of one body are.

    Attributes:
        unit: pixels that the trunk measures at its longest.
        parts: by name: head, neck, trunk, left arm, right arm, left leg, right leg, left hand, right hand, left foot,
            right foot; what is not seen is left out.
        face: (H, W) uint8, 255 within the face, forehead included; all 0 where none is seen.
        core: (H, W) uint8, 255 between brows and jaw, which hair hardly ever covers.
        features: (H, W) uint8, 255 on brows, eyes and lips.
        chin_below: (H, W) float32 units below the chin along the body's axis, negative above it.
        hands_known: names of the hands whose own points are seen.
    """

    unit: float
    parts: dict[str, Region]
    face: UInt8Array
    core: UInt8Array
    features: UInt8Array
    chin_below: Floats
    hands_known: tuple[str, ...] = field(default=())

    def weights(self) -> dict[str, Floats]:
        """By name: (H, W) share of each part in every pixel; shares add up to 1."""
        scores = {
            name: -np.maximum(part.outside, np.float32(-DEEP)) / np.float32(ACROSS)
            + np.float32(np.log(part.confidence) + (1.0 if name not in ("trunk", "head") else 0.0))
            for name, part in self.parts.items()
        }
        most = np.max(list(scores.values()), axis=0)
        powers = {name: np.exp(score - most) for name, score in scores.items()}
        total = np.sum(list(powers.values()), axis=0)
        return {name: np.asarray(power / total, np.float32) for name, power in powers.items()}


def regions_of(xy: Floats, confidence: Floats, size_hw: tuple[int, int]) -> Regions | None:
    """Lays the parts of a body over a picture.

    Args:
        xy: (133, 2) pixels.
        confidence: (133,).
        size_hw: of the picture, pixels.

    Returns:
        None where neither both shoulders nor both hips are seen, so that nothing is known of the body.
    """
    seen = confidence > SEEN
    shoulders_seen = bool(seen[[p.LEFT_SHOULDER, p.RIGHT_SHOULDER]].all())
    hips_seen = bool(seen[[p.LEFT_HIP, p.RIGHT_HIP]].all())
    if not (shoulders_seen or hips_seen):
        return None
    xy = np.asarray(xy, np.float32)
    unit = _unit(xy, seen, shoulders_seen and hips_seen)
    shoulders, hips = xy[[p.LEFT_SHOULDER, p.RIGHT_SHOULDER]], xy[[p.LEFT_HIP, p.RIGHT_HIP]]
    down = np.array([0, unit], np.float32)
    if not hips_seen:
        hips = shoulders + down
    if not shoulders_seen:
        shoulders = hips - down
    grid = _grid(size_hw)
    axis = hips.mean(axis=0) - shoulders.mean(axis=0)
    axis = axis / max(float(np.linalg.norm(axis)), 1e-3)
    parts = {"trunk": _trunk(grid, shoulders, hips, axis, unit)}
    top = shoulders.mean(axis=0)
    centre = _head_centre(xy, seen, top, axis, unit)
    parts["head"] = Region(_distance(grid, centre) / unit - HEAD_RADIUS, np.zeros(size_hw, np.float32), 1.0)
    parts["neck"] = _tube(grid, np.stack([0.6 * centre + 0.4 * top, top]), (0.1, 0.13), unit, 0.5)
    for chains, radii in ((ARMS, ARM_RADII), (LEGS, LEG_RADII)):
        for name, points in chains.items():
            known = [point for point in points if seen[point]]
            if len(known) >= 2 and known == list(points[: len(known)]):
                parts[name] = _tube(grid, xy[known], radii, unit, float(confidence[known].min()))
    hands = []
    for side, (hand, elbow, wrist) in HANDS.items():
        if seen[hand].sum() >= 11:
            hull = xy[hand][seen[hand]]
            parts[f"{side} hand"] = _hull(grid, hull, 0.025, unit)
            hands.append(f"{side} hand")
        elif seen[[elbow, wrist]].all():
            tip = xy[wrist] + np.float32(HAND_REACH) * (xy[wrist] - xy[elbow])
            parts[f"{side} hand"] = _tube(
                grid, np.stack([xy[wrist], tip]), (0.07, 0.07), unit, float(confidence[[elbow, wrist]].min())
            )
    for name, foot in FEET.items():
        known = [point for point in foot if seen[point]]
        if len(known) >= 2:
            parts[name] = _hull(grid, _below_ankle(xy[known], known[0] == foot[0]), 0.055, unit)
    face, core, features = _face(xy, seen, unit, size_hw, away=bool(shoulders[0, 0] < shoulders[1, 0]))
    jaw = [point for point in _JAW if seen[point]]
    # of a face in profile the chin itself may be hidden
    chin = xy[max(jaw, key=lambda point: xy[point] @ axis)] if len(jaw) > 4 else centre + axis * np.float32(0.2 * unit)
    below = ((grid - chin) @ axis) / np.float32(unit)
    return Regions(unit, parts, face, core, features, np.asarray(below, np.float32), tuple(hands))


def _unit(xy: Floats, seen: npt.NDArray[np.bool_], trunk_seen: bool) -> float:
    lengths = [times * float(np.linalg.norm(xy[a] - xy[b])) for a, b, times in _BONES if seen[a] and seen[b]]
    if trunk_seen:
        trunk = xy[[p.LEFT_SHOULDER, p.RIGHT_SHOULDER]].mean(axis=0) - xy[[p.LEFT_HIP, p.RIGHT_HIP]].mean(axis=0)
        lengths.append(float(np.linalg.norm(trunk)))
    # bones only ever look shorter than they are; of the longest, one may be a slip of the tracker
    lengths.sort()
    return max(lengths[-2] if len(lengths) > 3 else lengths[-1] if lengths else 4.0, 4.0)


def _grid(size_hw: tuple[int, int]) -> Floats:
    """(H, W, 2) x, y of every pixel."""
    row, column = np.mgrid[: size_hw[0], : size_hw[1]].astype(np.float32)
    return np.stack([column, row], axis=-1)


def _distance(grid: Floats, centre: Floats) -> Floats:
    return np.asarray(np.hypot(grid[..., 0] - centre[0], grid[..., 1] - centre[1]), np.float32)


def _tube(grid: Floats, chain: Floats, radii: tuple[float, ...], unit: float, confidence: float) -> Region:
    """Around a chain of two or three points; `radii` in units at each of them."""
    outside = np.full(grid.shape[:2], np.inf, np.float32)
    along = np.zeros(grid.shape[:2], np.float32)
    links = len(radii) - 1
    for number, (start, end) in enumerate(pairwise(chain)):
        x, y = grid[..., 0] - start[0], grid[..., 1] - start[1]
        dx, dy = (float(value) for value in end - start)
        length = max(dx * dx + dy * dy, 1e-3)
        place = np.clip((x * dx + y * dy) / np.float32(length), 0, 1)
        distance = np.hypot(x - place * dx, y - place * dy) / np.float32(unit)
        distance = distance - (radii[number] + place * np.float32(radii[number + 1] - radii[number]))
        nearer = distance < outside
        outside = np.where(nearer, distance, outside).astype(np.float32)
        along = np.where(nearer, (number + place) / links, along).astype(np.float32)
    return Region(outside, along, confidence)


def _trunk(grid: Floats, shoulders: Floats, hips: Floats, axis: Floats, unit: float) -> Region:
    top = shoulders.mean(axis=0)
    length = max(float((hips.mean(axis=0) - top) @ axis), 0.4 * unit)
    along = ((grid - top) @ axis) / np.float32(length)
    return Region(
        _hull(grid, np.concatenate([shoulders, hips]), TRUNK_REACH, unit).outside, np.asarray(along, np.float32), 1.0
    )


def _hull(grid: Floats, points: Floats, reach: float, unit: float) -> Region:
    """The hull of points, wider by `reach` units."""
    canvas = np.full(grid.shape[:2], 255, np.uint8)
    hull = cv2.convexHull(np.round(points * 8).astype(np.int32))
    cv2.fillConvexPoly(canvas, hull, 0, shift=3)
    cv2.polylines(canvas, [hull], True, 0, 1, shift=3)
    away = cv2.distanceTransform(canvas, cv2.DIST_L2, 5) if (canvas == 0).any() else _far(grid, points)
    return Region(np.asarray(away / np.float32(unit) - np.float32(reach), np.float32), np.zeros_like(away), 1.0)


def _far(grid: Floats, points: Floats) -> Floats:
    """Distance to points that lie outside the picture altogether."""
    return np.asarray(np.min([_distance(grid, point) for point in points], axis=0), np.float32)


def _below_ankle(foot: Floats, with_ankle: bool) -> Floats:
    """A foot's points, its ankle brought halfway down to the sole: above lies the leg."""
    if not with_ankle:
        return foot
    lowered: Floats = foot.copy()
    lowered[0] = foot[0] + np.float32(0.4) * (foot[1:].mean(axis=0) - foot[0])
    return lowered


def _head_centre(xy: Floats, seen: npt.NDArray[np.bool_], neck: Floats, axis: Floats, unit: float) -> Floats:
    ears = [point for point in (p.LEFT_EAR, p.RIGHT_EAR) if seen[point]]
    known = ears if len(ears) == 2 else [point for point in range(5) if seen[point]]
    if not known:
        return np.asarray(neck - axis * np.float32(0.45 * unit), np.float32)
    middle = xy[known].mean(axis=0)
    up = middle - neck
    up = up / max(float(np.linalg.norm(up)), 1e-3)
    return np.asarray(middle + up * np.float32(0.05 * unit), np.float32)


def _face(
    xy: Floats, seen: npt.NDArray[np.bool_], unit: float, size_hw: tuple[int, int], away: bool
) -> tuple[UInt8Array, UInt8Array, UInt8Array]:
    """The face up to the hairline, that from brows to jaw, and its features.

    Landmarks end at the brows: the forehead is nearly as high as the nose.

    Where no landmarks are seen but nose and eyes, it is an oval about the nose, unless the person looks away.
    """
    face, core, features = (np.zeros(size_hw, np.uint8) for _ in range(3))
    points = np.flatnonzero(seen[p.FACE]) + p.FACE.start
    if len(points) >= 14:
        brows = [point for point in _BROWS if seen[point]]
        ears = [point for point in (p.LEFT_EAR, p.RIGHT_EAR) if seen[point]]
        outline = xy[[*points, *ears]]  # of a face in profile the jaw's own points end short of the ear
        if brows:
            rise = xy[brows].mean(axis=0) - (xy[_NOSE_BASE] if seen[_NOSE_BASE] else xy[points].mean(axis=0))
            middle = xy[brows].mean(axis=0)
            forehead = middle + (xy[brows] - middle) * np.float32(0.8) + rise * np.float32(0.85)
            outline = np.concatenate([outline, xy[brows] + rise * np.float32(0.35), forehead])
        _fill(face, outline)
        _fill(core, xy[points])
        for feature in _EYES_AND_MOUTH:
            known_points = [point for point in feature if seen[point]]
            if len(known_points) >= 3:
                _fill(features, xy[known_points])
        width = max(3, round(0.02 * unit) * 2 + 1)
        features = np.asarray(cv2.dilate(features, np.ones((width, width), np.uint8)), np.uint8)
    elif not away and seen[[p.NOSE, p.LEFT_EYE, p.RIGHT_EYE]].all():
        eyes = xy[[p.LEFT_EYE, p.RIGHT_EYE]].mean(axis=0)
        centre = xy[p.NOSE] + np.float32(0.35) * (eyes - xy[p.NOSE])
        angle = float(np.degrees(np.arctan2(*(xy[p.NOSE] - eyes)[::-1]))) - 90
        axes = (max(1.0, 0.145 * unit), max(1.0, 0.2 * unit))
        cv2.ellipse(face, (tuple(map(float, centre)), (2 * axes[0], 2 * axes[1]), angle), 255, -1)
    return face, core, features


def _fill(canvas: UInt8Array, points: Floats) -> None:
    """Paints the hull of points."""
    cv2.fillConvexPoly(canvas, cv2.convexHull(np.round(points * 8).astype(np.int32)), 255, shift=3)
