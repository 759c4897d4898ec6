"""The head of a made-up person: skull with nose and ears, hair, and the 68 face points on its surface.

Head units: lengths over the height from chin to crown; t = 0 at the chin, 1 at the crown; x to the person's left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from understudy.body.labels import LABEL
from understudy.body.mesh import PART, Chart, Mesh, around, grid, joined, mirrored, tube
from understudy.body.skeleton import INDEX, Body, Floats, rest_positions

COLUMNS, _DENSE = 30, 0.55
HIDES_EARS = ("bob", "long")
HAIR_STYLES = ("short", "buzz", "curly", "bob", "long", "ponytail", "bun", "bald", "quiff")

_T = np.array([-0.03, 0.0, 0.04, 0.10, 0.20, 0.30, 0.40, 0.50, 0.60, 0.70, 0.80, 0.90, 0.96, 1.0])
_WIDTH = np.array([0.02, 0.12, 0.17, 0.225, 0.265, 0.29, 0.302, 0.312, 0.32, 0.32, 0.30, 0.235, 0.155, 0.004])
_FRONT = np.array([0.02, 0.29, 0.355, 0.375, 0.375, 0.372, 0.370, 0.365, 0.380, 0.375, 0.345, 0.265, 0.175, 0.004])
_BACK = np.array([0.02, 0.03, 0.06, 0.11, 0.21, 0.30, 0.37, 0.41, 0.43, 0.43, 0.40, 0.315, 0.205, 0.004])
_ROWS_T = np.concatenate(
    [[1.0, 0.985, 0.95, 0.90, 0.82, 0.74, 0.66], np.arange(0.60, 0.13, -0.04), [0.1, 0.05, 0, -0.03]]
)


@dataclass(frozen=True)
class HeadShape:
    """How a head differs from the average one; 1 = average."""

    width: float = 1.0
    jaw: float = 1.0
    nose: float = 1.0
    eyes: float = 1.0
    lips: float = 1.0


def _origin(body: Body) -> npt.NDArray[np.float64]:
    """Chin level, on the head's axis, in the rest pose."""
    joint = rest_positions(body)[INDEX["head"]].astype(np.float64)
    return np.asarray(joint + np.array([0.0, -0.20 * body.head, 0.055 * body.head]))


def surface(body: Body, shape: HeadShape, angle: npt.ArrayLike, t: npt.ArrayLike) -> Floats:
    """(…, 3) points of the face and skull in the rest pose, metres.

    Args:
        angle: radians round the head as in `mesh.around`: 0 back, pi front, between them the person's right.
        t: height, head units.
    """
    angle, t = np.broadcast_arrays(np.asarray(angle, np.float64), np.asarray(t, np.float64))
    jaw = 1 + (shape.jaw - 1) * np.clip((0.45 - t) / 0.3, 0, 1)
    x = -np.interp(t, _T, _WIDTH) * shape.width * jaw * np.sin(angle)
    forward = -np.cos(angle)
    z = np.where(forward > 0, np.interp(t, _T, _FRONT), np.interp(t, _T, _BACK)) * forward
    front = forward > 0
    ridge = np.interp(t, [0.27, 0.325, 0.36, 0.45, 0.54, 0.60], [0.0, 0.085, 0.115, 0.07, 0.025, 0.0]) * shape.nose
    spread = np.interp(t, [0.30, 0.36, 0.50], [0.060, 0.052, 0.034])
    z = z + front * ridge * np.exp(-((x / spread) ** 2))
    z = z - front * 0.020 * np.exp(-(((np.abs(x) - 0.135) / 0.06) ** 2) - ((t - 0.49) / 0.045) ** 2)
    z = z + front * 0.014 * shape.lips * np.exp(-((x / 0.09) ** 2) - ((t - 0.195) / 0.04) ** 2)
    z = z + front * 0.020 * np.exp(-((x / 0.09) ** 2) - ((t - 0.05) / 0.04) ** 2)
    local = np.stack([x, t, z], axis=-1) * body.head
    return np.asarray(_origin(body) + local, np.float32)


def chart_u(angle: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Texture u in [0, 1] of an angle round the head; the chart has more room for the face."""
    u: npt.NDArray[np.float64] = np.interp(np.asarray(angle), around(360, _DENSE), np.linspace(0, 1, 361))
    return u


def chart_v(t: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Texture v in [0, 1] of a height t."""
    return (1.0 - np.asarray(t)) / 1.03


def face_angle(x: npt.ArrayLike, t: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Angle of the point of the average face at x, t (head units)."""
    x, t = np.asarray(x, np.float64), np.asarray(t, np.float64)
    angle: npt.NDArray[np.float64] = np.pi + np.arcsin(np.clip(x / np.interp(t, _T, _WIDTH), -0.99, 0.99))
    return angle


def face_landmarks(shape: HeadShape) -> npt.NDArray[np.float64]:
    """(68, 2) angle and t of the iBUG-68 face points: jaw, brows, nose, eyes, mouth; the person's right side first."""
    along = np.linspace(-1, 1, 17)
    jaw = np.stack([np.pi + np.deg2rad(84) * along, 0.015 + 0.47 * np.abs(along) ** 1.7], axis=1)
    brow_x, brow_t = np.linspace(0.225, 0.055, 5), np.array([0.575, 0.600, 0.607, 0.600, 0.585])
    points = [(-x, t) for x, t in zip(brow_x, brow_t, strict=True)]
    points += [(x, t) for x, t in zip(brow_x[::-1], brow_t[::-1], strict=True)]
    points += [(0.0, t) for t in (0.52, 0.47, 0.42, 0.365)]
    points += [(x, 0.318 - 0.08 * abs(x)) for x in (-0.065, -0.033, 0.0, 0.033, 0.065)]
    eye = eye_outline(shape)
    points += [(-x, t) for x, t in eye]
    points += [(x, t) for x, t in eye[[3, 2, 1, 0, 5, 4]]]
    points += [tuple(point) for point in mouth_outline(shape)]
    xt = np.array(points)
    return np.concatenate([jaw, np.stack([face_angle(xt[:, 0], xt[:, 1]), xt[:, 1]], axis=1)])


def eye_outline(shape: HeadShape) -> npt.NDArray[np.float64]:
    """(6, 2) x, t of the left eye (x > 0): outer corner, top two, inner corner, bottom two."""
    height, middle, half = 0.030 * shape.eyes, 0.136, 0.062
    x = np.array([middle + half, middle + 0.028, middle - 0.026, middle - half, middle - 0.026, middle + 0.028])
    return np.stack([x, 0.492 + height * np.array([0.05, 1.0, 1.0, -0.1, -0.8, -0.8])], axis=1)


def mouth_outline(shape: HeadShape) -> npt.NDArray[np.float64]:
    """(20, 2) x, t of the mouth's points 48..67, the person's right corner first."""
    half, up, down = 0.108, 0.033 * shape.lips, 0.040 * shape.lips
    outer_top = [
        (-half, 0.0),
        (-0.06, 0.75 * up),
        (-0.025, up),
        (0, 0.85 * up),
        (0.025, up),
        (0.06, 0.75 * up),
        (half, 0),
    ]
    outer_bottom = [(0.06, -0.75 * down), (0.03, -down), (0, -1.05 * down), (-0.03, -down), (-0.06, -0.75 * down)]
    inner = [
        (-0.09, 0),
        (-0.03, 0.004),
        (0, 0.003),
        (0.03, 0.004),
        (0.09, 0),
        (0.03, -0.004),
        (0, -0.005),
        (-0.03, -0.004),
    ]
    points = np.array(outer_top + outer_bottom + inner, np.float64)
    points[:, 1] += 0.198
    return points


def head_mesh(body: Body, shape: HeadShape, skin: Chart, head: Chart, *, ears: bool, haired: bool) -> Mesh:
    """Skull with face, and ears where no hair hangs over them; `haired`: the scalp is painted as hair."""
    angle = around(COLUMNS, _DENSE)
    points = surface(body, shape, angle[None], _ROWS_T[:, None])
    skull = grid(points, [{"head": 1.0}] * len(_ROWS_T), head, PART["face"], "face", v=chart_v(_ROWS_T), gloss=0.35)
    skull = replace(skull, worn=_scalp(angle, haired))
    if not ears:
        return skull
    centre = surface(body, shape, np.pi * 1.5, 0.44) + np.array([0.000, 0, -0.012])
    rows = np.linspace(-1, 1, 6)
    radius = np.sqrt(np.clip(1 - rows**2, 0.0004, 1))
    tilt = np.stack([0.004 - 0.004 * rows, -0.034 * rows, -0.006 - 0.004 * rows], axis=1) * body.head / 0.235
    ear = tube(centre + tilt, 0.013 * radius, 0.014 * radius, 0.019 * radius, columns=7)
    ear_mesh = grid(ear, [{"head": 1.0}] * 6, skin, PART["face"], "face", v=np.linspace(0.3, 0.6, 6), gloss=0.2)
    return joined([skull, ear_mesh, mirrored(ear_mesh)])


def _scalp(angle: npt.NDArray[np.float64], haired: bool) -> npt.NDArray[np.uint8]:
    """(F,) what the skull's triangles show, in `grid`'s order: hair above the hairline, else face."""
    middle, heights = (angle[1:] + angle[:-1]) / 2, (_ROWS_T[1:] + _ROWS_T[:-1]) / 2
    above = heights[:, None] > hairline(middle)[None] - 0.01
    return np.repeat(np.where(above & haired, LABEL["hair"], LABEL["face"]).astype(np.uint8).ravel(), 2)


def hairline(angle: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Height t at which the hair begins, round the head."""
    from_front = np.abs(np.asarray(angle) % (2 * np.pi) - np.pi)
    return np.interp(
        from_front,
        np.deg2rad([0, 25, 48, 60, 68, 78, 88, 100, 112, 125, 150, 180]),
        [0.835, 0.83, 0.79, 0.70, 0.56, 0.47, 0.56, 0.55, 0.34, 0.20, 0.12, 0.11],
    )


def hair_mesh(body: Body, shape: HeadShape, style: str, chart: Chart) -> list[Mesh]:
    """Hair of one of `HAIR_STYLES`, as shells and strands over the skull."""
    thickness = {"short": 0.05, "buzz": 0.015, "curly": 0.16, "bald": 0.0, "quiff": 0.055}.get(style, 0.055)
    if thickness == 0:
        return []
    meshes = [_cap(body, shape, thickness, chart, lift=0.09 if style == "quiff" else 0.0)]
    if style in ("bob", "long"):
        meshes.append(_curtain(body, shape, chart, -0.06 if style == "bob" else -0.75))
    if style == "ponytail":
        meshes.append(_tail(body, shape, chart))
    if style == "bun":
        meshes.append(_ball(body, shape, chart))
    return meshes


def _outwards(body: Body, shape: HeadShape, angle: npt.ArrayLike, t: npt.ArrayLike, by: npt.ArrayLike) -> Floats:
    """Points `by` head units outside the skull."""
    points = surface(body, shape, angle, t)
    middle = _origin(body) + np.array([0.0, 0.52, -0.03]) * body.head
    away = points - middle
    away /= np.linalg.norm(away, axis=-1, keepdims=True)
    return np.asarray(points + away * (np.asarray(by) * body.head)[..., None], np.float32)


def _cap(body: Body, shape: HeadShape, thickness: float, chart: Chart, lift: float) -> Mesh:
    angle, down = around(26, 0.25)[None], np.linspace(0, 1, 9)[:, None]
    line = hairline(angle)
    t = line + (1 - line) * np.cos(down * np.pi / 2)
    lump = 1 + 0.12 * np.sin(5 * angle + 4 * down) * np.sin(3 * angle - 7 * down)
    from_front = np.abs(angle - np.pi)
    by = thickness * lump * np.clip((1.0 - down) / 0.16, 0.0, 1.0) ** 0.5
    by = by + lift * np.exp(-((from_front / 0.7) ** 2)) * np.clip(down * 1.6, 0, 1) * np.clip(
        (1.0 - down) / 0.15, 0.15, 1
    )
    points = _outwards(body, shape, angle, t, by)
    return grid(points, [{"head": 1.0}] * 9, chart, PART["hair"], "hair", gloss=0.6)


def _curtain(body: Body, shape: HeadShape, chart: Chart, bottom: float) -> Mesh:
    """Hair that hangs round the back of the head from ear to ear, down to t = bottom."""
    angle = np.linspace(np.deg2rad(263), np.deg2rad(360 + 97), 19)[None]
    rows = 9
    t = np.linspace(0.66, bottom, rows)[:, None]
    scalp = _outwards(body, shape, angle % (2 * np.pi), np.maximum(t, 0.50), np.full_like(t * angle, 0.065))
    drop = np.minimum(t - 0.50, 0.0) * body.head
    wave = 1 + 0.03 * np.sin(9 * angle) + 0.10 * np.clip(-drop / body.head, 0, 0.6)
    points = scalp + np.stack([np.zeros_like(drop * angle), drop + 0 * angle, np.zeros_like(drop * angle)], -1)
    middle = _origin(body)
    points[..., 0] = (points[..., 0] - middle[0]) * wave + middle[0]
    lowered = np.clip(-drop / body.head - 0.5, 0, 1)
    points[..., 2] = np.where(points[..., 2] < middle[2], points[..., 2] - 0.02 * lowered, points[..., 2])
    share = np.clip((0.1 - t[:, 0]) / 0.6, 0, 1) * 0.65
    weights = [{"head": 1 - s, "neck": 0.3 * s, "chest": 0.7 * s} for s in share]
    return grid(points, weights, chart, PART["hair"], "hair", gloss=0.6, two_sided=True)


def _tail(body: Body, shape: HeadShape, chart: Chart) -> Mesh:
    root = surface(body, shape, 0.0, 0.72).astype(np.float64)
    along = np.linspace(0, 1, 8)
    path = root + np.stack([0 * along, 0.02 - 0.28 * along**1.4, -0.02 - 0.06 * np.sin(np.pi * along)], axis=1)
    radius = 0.033 * np.sin(np.pi * np.clip(0.12 + 0.86 * along, 0, 1)) ** 0.6
    weights = [{"head": 1 - 0.35 * s, "neck": 0.15 * s, "chest": 0.2 * s} for s in along]
    return grid(tube(path, radius, radius, columns=8), weights, chart, PART["hair"], "hair", gloss=0.6)


def _ball(body: Body, shape: HeadShape, chart: Chart) -> Mesh:
    centre = surface(body, shape, 0.0, 0.88).astype(np.float64) + np.array([0, 0.03, -0.015])
    rows = np.linspace(1, -1, 7)
    radius = 0.045 * np.sqrt(np.clip(1 - rows**2, 0.001, 1))
    path = centre + np.stack([0 * rows, 0.045 * rows, 0 * rows], axis=1)
    return grid(tube(path, radius, radius, columns=10), [{"head": 1.0}] * 7, chart, PART["hair"], "hair", gloss=0.6)
