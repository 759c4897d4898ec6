"""Meshes of made-up people: lofted tubes with skinning weights, texture coordinates and part labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from understudy.body.labels import LABEL, MIRRORED
from understudy.body.skeleton import ALL_JOINTS, INDEX, Floats

PARTS: tuple[str, ...] = (
    "background",
    "hair",
    "face",
    "neck",
    "torso",
    "hips",
    "left upper arm",
    "left forearm",
    "left hand",
    "right upper arm",
    "right forearm",
    "right hand",
    "left thigh",
    "left shin",
    "left foot",
    "right thigh",
    "right shin",
    "right foot",
    "skirt",
)
"""Names of the labels in `Rendered.parts`, by number; clothes carry the label of the limb they cover."""

PART: dict[str, int] = {name: number for number, name in enumerate(PARTS)}

Weights = Mapping[str, float]


@dataclass(frozen=True)
class Mesh:
    """Triangles of a body in its rest pose.

    Attributes:
        vertices: (V, 3) metres, rest pose.
        normals: (V, 3) unit, outwards.
        weights: (V, joints) skinning weights over `skeleton.ALL_JOINTS`, rows sum to 1.
        uv: (V, 2) pixels in the texture atlas.
        gloss: (V,) 0 = cloth, 1 = shiny.
        triangles: (F, 3) vertex numbers, counter-clockwise seen from outside.
        parts: (F,) uint8 label in `PARTS`.
        worn: (F,) uint8 label in `labels.LABELS`: what is seen there, skin or which piece of clothing.
    """

    vertices: Floats
    normals: Floats
    weights: Floats
    uv: Floats
    gloss: Floats
    triangles: npt.NDArray[np.int32]
    parts: npt.NDArray[np.uint8]
    worn: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Chart:
    """A rectangle of the texture atlas in pixels; u runs right as seen from outside, v down."""

    left: int
    top: int
    width: int
    height: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns in the atlas."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)

    def uv(self, u: npt.ArrayLike, v: npt.ArrayLike) -> Floats:
        """(…, 2) atlas pixels of u, v in [0, 1], kept off the rim so that neighbours do not bleed in."""
        x = self.left + 1.0 + np.clip(u, 0, 1) * (self.width - 3.0)
        y = self.top + 1.0 + np.clip(v, 0, 1) * (self.height - 3.0)
        return np.asarray(np.stack(np.broadcast_arrays(x, y), axis=-1), np.float32)


def grid(
    points: Floats,
    weights: Sequence[Weights] | Floats,
    chart: Chart,
    labels: Sequence[int] | int,
    worn: Sequence[str] | str,
    *,
    v: npt.ArrayLike | None = None,
    gloss: float = 0.0,
    two_sided: bool = False,
) -> Mesh:
    """A sheet of quads between rows of points, the rows going down and the columns right as seen from outside.

    Args:
        points: (rows, columns, 3).
        weights: per row, joint name -> weight; or an array (rows, columns, joints).
        chart: where its texture lies.
        labels: part label of all quads, or of each of the rows - 1 bands.
        worn: name in `labels.LABELS`, likewise.
        v: texture coordinates in [0, 1] of the rows; default even.
        gloss: see `Mesh`.
        two_sided: seen from behind too (an open skirt, a strand of hair).
    """
    rows, columns = points.shape[:2]
    table = weights if isinstance(weights, np.ndarray) else _weight_table(weights, columns)
    table = table / table.sum(axis=-1, keepdims=True)
    u = np.linspace(0, 1, columns)
    v = np.linspace(0, 1, rows) if v is None else np.asarray(v)
    v = v[:, None] if v.ndim == 1 else v
    number = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]
    triangles = np.stack([a, c, b, b, c, d], axis=-1).reshape(-1, 3).astype(np.int32)
    names = [worn] if isinstance(worn, str) else worn
    bands, shown = (
        np.broadcast_to(np.asarray(numbers, np.uint8).reshape(-1, 1, 1), (rows - 1, columns - 1, 2)).reshape(-1).copy()
        for numbers in (labels, [LABEL[name] for name in names])
    )
    normals = _grid_normals(points)
    mesh = Mesh(
        points.reshape(-1, 3).astype(np.float32),
        normals.reshape(-1, 3),
        table.reshape(-1, len(ALL_JOINTS)).astype(np.float32),
        chart.uv(u, v).reshape(-1, 2),
        np.full(rows * columns, gloss, np.float32),
        triangles,
        bands,
        shown,
    )
    return joined([mesh, _turned_inside_out(mesh)]) if two_sided else mesh


def _weight_table(rows: Sequence[Weights], columns: int) -> Floats:
    """(rows, columns, joints) of weights that are the same all along a row."""
    table = np.zeros((len(rows), len(ALL_JOINTS)), np.float32)
    for row, entry in enumerate(rows):
        for joint, weight in entry.items():
            table[row, INDEX[joint]] = weight
    return np.repeat(table[:, None], columns, axis=1)


def _grid_normals(points: Floats) -> Floats:
    """Unit normals (rows, columns, 3) by central differences; columns wrap round when first and last coincide."""
    closed = np.allclose(points[:, 0], points[:, -1], atol=1e-6)
    down = np.gradient(points, axis=0)
    if closed:
        wrapped = np.concatenate([points[:, -2:-1], points, points[:, 1:2]], axis=1)
        right = (wrapped[:, 2:] - wrapped[:, :-2]) / 2
    else:
        right = np.gradient(points, axis=1)
    normals = np.cross(down, right)
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    axis = points - points.mean(axis=1, keepdims=True)
    fallback = np.sign(np.gradient(points.mean(axis=1), axis=0))[:, None] * (-1.0 if len(points) else 1.0)
    normals = np.where(length > 1e-10, normals / np.maximum(length, 1e-10), fallback + axis)
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-6), np.float32)


def _turned_inside_out(mesh: Mesh) -> Mesh:
    return replace(mesh, normals=-mesh.normals, triangles=mesh.triangles[:, ::-1].copy())


def joined(meshes: Sequence[Mesh]) -> Mesh:
    """One mesh of several."""
    shifts = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([mesh.weights for mesh in meshes]),
        np.concatenate([mesh.uv for mesh in meshes]),
        np.concatenate([mesh.gloss for mesh in meshes]),
        np.concatenate([mesh.triangles + shift for mesh, shift in zip(meshes, shifts, strict=True)]).astype(np.int32),
        np.concatenate([mesh.parts for mesh in meshes]),
        np.concatenate([mesh.worn for mesh in meshes]),
    )


def mirrored(mesh: Mesh, charts: Mapping[Chart, Chart] | None = None) -> Mesh:
    """The same on the other side of the body: x, joints, labels and winding swapped (u runs the other way).

    Args:
        mesh: of the left side.
        charts: moves texture coordinates from a chart to another of the same size; default the same texture.
    """
    swap = [INDEX[_other_side(name)] for name in ALL_JOINTS]
    label_swap = np.array([PART[_other_side(name)] for name in PARTS], np.uint8)
    uv = mesh.uv.copy()
    for old, new in (charts or {}).items():
        inside = np.all((mesh.uv >= (old.left, old.top)) & (mesh.uv < (old.left + old.width, old.top + old.height)), 1)
        uv[inside, 0] = new.left + (old.left + old.width - 1) - mesh.uv[inside, 0]
        uv[inside, 1] += new.top - old.top
    flip = np.array([-1, 1, 1], np.float32)
    return Mesh(
        mesh.vertices * flip,
        mesh.normals * flip,
        mesh.weights[:, swap],
        uv,
        mesh.gloss,
        mesh.triangles[:, ::-1].copy(),
        label_swap[mesh.parts],
        np.array(MIRRORED, np.uint8)[mesh.worn],
    )


def _other_side(name: str) -> str:
    if "left" in name:
        return name.replace("left", "right")
    return name.replace("right", "left")


def tube(
    centres: npt.ArrayLike,
    half_widths: npt.ArrayLike,
    fronts: npt.ArrayLike,
    backs: npt.ArrayLike | None = None,
    *,
    axis: str = "down",
    columns: int = 16,
    squareness: float = 2.0,
) -> Floats:
    """Points (rows, columns + 1, 3) of a closed tube, for `grid`; the seam is at the back, u = 0.5 in front.

    Args:
        centres: (rows, 3).
        half_widths: (rows,) sideways, metres.
        fronts, backs: (rows,) towards the front and the back.
        axis: "down": rows go down the y axis (trunk, legs, head). "out": rows go along +x, the left arm in the T
            pose; "front" is then still z, and sideways is up and down. "ahead": rows go along +z (a foot).
        columns: quads round.
        squareness: 2 is an ellipse, more is boxier.
    """
    centre, across = np.asarray(centres, np.float64), np.asarray(half_widths, np.float64)[:, None]
    front = np.asarray(fronts, np.float64)[:, None]
    back = front if backs is None else np.asarray(backs, np.float64)[:, None]
    angle = around(columns)
    sine, cosine = np.sin(angle), -np.cos(angle)
    power = 2.0 / squareness
    side = -across * np.sign(sine) * np.abs(sine) ** power
    depth = np.where(cosine > 0, front, back) * np.sign(cosine) * np.abs(cosine) ** power
    zero = np.zeros_like(side)
    if axis == "down":
        offset = np.stack([side, zero, depth], axis=-1)
    elif axis == "out":
        offset = np.stack([zero, side, depth], axis=-1)
    else:
        offset = np.stack([side, depth, zero], axis=-1)
    return np.asarray(centre[:, None] + offset, np.float32)


def around(columns: int, dense_front: float = 0.0) -> npt.NDArray[np.float64]:
    """(columns + 1,) angles from the back over the person's right to the front (pi) and back again.

    Args:
        columns: quads round.
        dense_front: 0..1, moves columns to the front (a face needs them there).
    """
    even = np.linspace(0, 2 * np.pi, columns + 1)
    return np.asarray(even + dense_front * np.sin(even) * 0.9)
