"""A body's surface with coordinates: 24 charts with U and V, as DensePose has them (Güler et al. 2018, section 2.1).

Which chart is where follows DensePose's numbers. Its U and V within a chart are from another mesh, so values of the two
do not agree: a network that learnt from one cannot be given the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from understudy.body.figure import (
    Array,
    Build,
    arm_rings,
    arm_weights,
    hand_meshes,
    leg_rings,
    leg_weights,
    shoe_mesh,
    trunk_rings,
    trunk_weights,
)
from understudy.body.head import HeadShape, surface
from understudy.body.mesh import Chart, Mesh, around, grid, joined, mirrored, tube
from understudy.body.raster import interpolated, rasterise
from understudy.body.skeleton import INDEX, Body, Floats, blended, rest_positions

CHARTS: tuple[str, ...] = (
    *("nobody", "back", "front", "right hand", "left hand", "left foot", "right foot"),
    *("right thigh, behind", "left thigh, behind", "right thigh, before", "left thigh, before"),
    *("right shin, behind", "left shin, behind", "right shin, before", "left shin, before"),
    *("left upper arm, before", "right upper arm, before", "left upper arm, behind", "right upper arm, behind"),
    *("left forearm, before", "right forearm, before", "left forearm, behind", "right forearm, behind"),
    *("head, right half", "head, left half"),
)
"""names of the index I, by number"""

CHART: dict[str, int] = {name: number for number, name in enumerate(CHARTS)}

_UNIT = Chart(-1, -1, 4, 4)
"""a chart whose pixels are u and v themselves"""
_HEAD_ROWS = np.array([1.0, 0.97, 0.9, 0.8, 0.7, 0.6, 0.52, 0.46, 0.42, 0.38, 0.34, 0.3, 0.25, 0.2, 0.15, 0.1, 0.04, 0])
_COLUMNS = 16


@dataclass(frozen=True)
class SurfaceMesh:
    """The naked surface of a body in its rest pose, cut into charts.

    Attributes:
        vertices: (V, 3) metres, axes as in `skeleton`.
        weights: (V, joints) skinning weights over `skeleton.ALL_JOINTS`.
        triangles: (F, 3) vertex numbers, counter-clockwise seen from outside.
        charts: (F,) uint8 number in `CHARTS`, never 0.
        uv: (F, 3, 2) U and V in [0, 1] of the triangles' corners, which differ on the two sides of a seam.
    """

    vertices: Floats
    weights: Floats
    triangles: npt.NDArray[np.int32]
    charts: npt.NDArray[np.uint8]
    uv: Floats


def surface_mesh(body: Body, build: Build) -> SurfaceMesh:
    """The surface of somebody of these measures; a trunk's V runs from neck to crotch, a limb's from trunk to tip."""
    left = [
        _charted(_limb(arm_rings, arm_weights, body, build, (-0.10, 0.535), 7), "left upper arm", -0.10, 0.535),
        _charted(_limb(arm_rings, arm_weights, body, build, (0.535, 1.0), 7), "left forearm", 0.535, 1.0),
        _charted(_limb(leg_rings, leg_weights, body, build, (-0.06, 0.5), 8), "left thigh", -0.06, 0.5),
        _charted(_limb(leg_rings, leg_weights, body, build, (0.5, 1.0), 8), "left shin", 0.5, 1.0),
        _whole(joined([_row_of_hand(mesh, number) for number, mesh in enumerate(hand_meshes(body))]), "left hand"),
        _whole(_unit_uv(shoe_mesh(body)), "left foot"),
    ]
    pieces = [_trunk(body, build), _head(body), *left, *(_other_side(piece) for piece in left)]
    shifts = np.cumsum([0] + [len(piece.vertices) for piece in pieces[:-1]])
    return SurfaceMesh(
        np.concatenate([piece.vertices for piece in pieces]),
        np.concatenate([piece.weights for piece in pieces]),
        np.concatenate([piece.triangles + shift for piece, shift in zip(pieces, shifts, strict=True)]).astype(np.int32),
        np.concatenate([piece.charts for piece in pieces]),
        np.concatenate([piece.uv for piece in pieces]),
    )


def carried(mesh: SurfaceMesh, bones: Floats) -> Floats:
    """(V, 3) its vertices under `skeleton.bone_transforms`."""
    transforms = blended(mesh.weights, bones)
    return np.asarray(np.einsum("vab,vb->va", transforms[..., :3], mesh.vertices) + transforms[..., 3])


def drawn(mesh: SurfaceMesh, screen: Floats, depth: Floats, size_hw: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """The surface map of a mesh: (H, W, 3) chart, U and V from 0 to 255; all 0 where it is not.

    Args:
        mesh: of the body.
        screen: (V, 2) where its vertices are seen, pixels, y down.
        depth: (V,) metres from the camera, positive.
        size_hw: of the map, even.
    """
    shown = np.zeros((*size_hw, 3), np.uint8)
    corners = screen[mesh.triangles]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    facing = np.flatnonzero(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0] < -1e-4)
    corners = corners[facing]
    samples = rasterise(corners, depth[mesh.triangles[facing]], size_hw)
    if not len(samples.places):
        return shown
    rows, columns = samples.rows_and_columns()
    u, v = interpolated(corners, mesh.uv[facing], samples.triangles, columns, rows)
    values = [mesh.charts[facing][samples.triangles], *(np.clip(255 * one + 0.5, 0, 255) for one in (u, v))]
    shown[rows.astype(np.intp), columns.astype(np.intp)] = np.stack(values, axis=1).astype(np.uint8)
    return shown


def _whole(mesh: Mesh, chart: str) -> SurfaceMesh:
    charts = np.full(len(mesh.triangles), CHART[chart], np.uint8)
    return SurfaceMesh(mesh.vertices, mesh.weights, mesh.triangles, charts, mesh.uv[mesh.triangles])


def _halved(mesh: Mesh, before: str, behind: str) -> SurfaceMesh:
    """A tube cut lengthwise at its sides: U runs over each half once, in the direction of the tube's own u."""
    corners = mesh.uv[mesh.triangles]
    u = corners[..., 0]
    middle = u.mean(axis=1)
    front = (middle > 0.25) & (middle < 0.75)
    # the tube's seam lies in the middle of the half behind
    over_seam = u + np.where(middle < 0.5, 0.5, -0.5)[:, None]
    corners[..., 0] = np.clip(np.where(front[:, None], u - 0.25, over_seam - 0.25) * 2, 0, 1)
    charts = np.where(front, CHART[before], CHART[behind]).astype(np.uint8)
    return SurfaceMesh(mesh.vertices, mesh.weights, mesh.triangles, charts, corners)


def _limb(
    rings: Callable[[Body, Build, Array, float, int], Floats],
    weights: Callable[[Array], list[dict[str, float]]],
    body: Body,
    build: Build,
    span: tuple[float, float],
    rows: int,
) -> Mesh:
    along = np.linspace(*span, rows)
    return grid(rings(body, build, along, 0.0, _COLUMNS), weights(along), _UNIT, 0, "background")


def _charted(mesh: Mesh, limb: str, first: float, last: float) -> SurfaceMesh:
    return _halved(mesh, f"{limb}, before", f"{limb}, behind")


def _trunk(body: Body, build: Build) -> SurfaceMesh:
    """Neck, trunk and hips, one sheet; V is 0.1 where the shoulders begin."""
    f = np.concatenate([[1.0, 0.965, 0.93, 0.90], np.linspace(0.85, -0.13, 14)])
    points = trunk_rings(body, build, f, 0.0, 2 * _COLUMNS)
    v = 0.1 + 0.9 * (1.0 - f) / 1.13
    trunk = grid(points, trunk_weights(body, points), _UNIT, 0, "background", v=v)
    rest = rest_positions(body)
    low, high = rest[INDEX["neck"]].astype(np.float64), rest[INDEX["head"]].astype(np.float64)
    along = np.array([1.0, 0.66, 0.33, 0.0, -0.4])
    centres = low + along[:, None] * (high - low)
    radius = np.interp(along, [-0.4, 0, 1], [0.062, 0.054, 0.051])
    weights = [{"chest": max(0.0, 0.5 - s), "neck": 0.5 + min(s, 1 - s), "head": max(0.0, s - 0.5)} for s in along]
    rings = tube(centres, radius, radius, 1.1 * radius, columns=_COLUMNS)
    neck = grid(rings, weights, _UNIT, 0, "background", v=np.linspace(0, 0.1, len(along)))
    return _halved(joined([trunk, neck]), "front", "back")


def _head(body: Body) -> SurfaceMesh:
    """Both halves run from the back (U = 0) to the nose (U = 1), V from the crown to the chin."""
    angle = around(24, 0.3)
    points = surface(body, HeadShape(), angle[None], _HEAD_ROWS[:, None])
    mesh = grid(points, [{"head": 1.0}] * len(_HEAD_ROWS), _UNIT, 0, "background", v=1 - _HEAD_ROWS)
    corners = mesh.uv[mesh.triangles]
    right = corners[..., 0].mean(axis=1) < 0.5
    corners[..., 0] = np.clip(np.where(right[:, None], corners[..., 0], 1 - corners[..., 0]) * 2, 0, 1)
    charts = np.where(right, CHART["head, right half"], CHART["head, left half"]).astype(np.uint8)
    return SurfaceMesh(mesh.vertices, mesh.weights, mesh.triangles, charts, corners)


def _unit_uv(mesh: Mesh) -> Mesh:
    """A mesh with one chart of any size, its u and v brought to [0, 1]."""
    low, high = mesh.uv.min(axis=0), mesh.uv.max(axis=0)
    return _with_uv(mesh, (mesh.uv - low) / (high - low))


def _row_of_hand(mesh: Mesh, number: int) -> Mesh:
    """The palm (0) fills the upper half of the hand's chart, the five fingers (1 to 5) stand side by side below it."""
    uv = _unit_uv(mesh).uv
    if number:
        return _with_uv(mesh, np.stack([(number - 1 + 0.02 + 0.96 * uv[:, 0]) / 5, 0.5 + 0.5 * uv[:, 1]], axis=1))
    return _with_uv(mesh, uv * (1.0, 0.48))


def _with_uv(mesh: Mesh, uv: npt.ArrayLike) -> Mesh:
    return Mesh(
        *(mesh.vertices, mesh.normals, mesh.weights, np.asarray(uv, np.float32), mesh.gloss),
        *(mesh.triangles, mesh.parts, mesh.worn),
    )


def _other_side(piece: SurfaceMesh) -> SurfaceMesh:
    flat = np.zeros(len(piece.vertices), np.float32)
    nothing = np.zeros(len(piece.triangles), np.uint8)
    mesh = mirrored(
        Mesh(
            *(piece.vertices, piece.vertices, piece.weights, np.zeros((len(flat), 2), np.float32), flat),
            *(piece.triangles, nothing, nothing),
        )
    )
    swap = np.array([CHART.get(name.replace("left", "right"), 0) for name in CHARTS], np.uint8)
    return SurfaceMesh(mesh.vertices, mesh.weights, mesh.triangles, swap[piece.charts], piece.uv[:, ::-1].copy())
