"""Dense surface coordinates: which place of a body every pixel shows (Güler et al. 2018; Gafni et al. 2021, eq. 2).

A surface map is (H, W, 3) uint8: I, number of a chart in `body.surface_mesh.CHARTS`, 0 = nobody; U and V within the
chart, 0 to 255. The built-in ones are of a body of our own laid into the poses (`body_fit.py`): they follow the pose,
need no network of anybody's, and show the body beneath the clothes as DensePose does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

from understudy.base.nearest import nearest_inside
from understudy.body.figure import Build
from understudy.body.labels import LABEL
from understudy.body.posing import relative
from understudy.body.skeleton import Body, bone_transforms, forward_kinematics, rest_positions
from understudy.body.surface_mesh import CHARTS, SurfaceMesh, carried, drawn, surface_mesh
from understudy.tracking.body_fit import PosedBody

Map = npt.NDArray[np.uint8]

FAR = 10.0
"""metres from the camera to the pelvis, where only order matters"""
GIRTHS = (0.8, 0.9, 1.0, 1.1, 1.2, 1.32, 1.45)
"""how stout a body may be, 1 = average"""
_REGIONS = (("front", "back"), ("arm", "hand"), ("thigh", "shin", "foot"))
"""words in the names of charts: of the trunk, the arms, the legs"""
_REGION = np.array(
    [next((row for row, words in enumerate(_REGIONS, 1) if any(word in name for word in words)), 0) for name in CHARTS]
)
HANGING = tuple(LABEL[name] for name in ("skirt", "dress", "coat"))
"""clothes that hide how wide the body beneath them is"""
ORDINARY = 0.1
"""of likeness, that a body loses by the square of its girth's logarithm: what cannot be told apart is as usual"""
MATTES_LOOKED_AT = 6
SHOWN = 0.25
"""of what a thin body and the mattes cover about the trunk, the arms or the legs: what they share, at least"""


def surface_maps(posed: PosedBody, size_hw: tuple[int, int], girth: float = 1.0) -> Iterator[Map]:
    """The surface map (H, W, 3) of every moment, `posed` being in pixels of a picture of this size.

    Args:
        posed: a body in the poses of a clip.
        size_hw: of the maps, even.
        girth: see `girth_of`.
    """
    mesh = _mesh(posed.body, girth)
    for moment in range(len(posed)):
        yield _drawn(mesh, posed, moment, size_hw)


def girth_of(posed: PosedBody, mattes: Sequence[Map], labels: Sequence[Map] | None = None) -> float:
    """How stout somebody is: which of `GIRTHS` has an outline that is likest to the mattes (as many as moments).

    Trunk, arms and legs are each asked, about their own place, if the mattes show them, and the middle one of their
    answers is taken (of two, the middle between them): a skirt makes nobody stout. 1 where mattes say nothing.

    Args:
        posed: a body in the poses of a clip.
        mattes: (H, W) of each moment.
        labels: (H, W) of each, `body.labels.LABELS`: what hangs may be as wide as it is. None where that is not known.
    """
    some = np.flatnonzero(posed.known)
    if not len(some):
        return 1.0
    some = some[np.linspace(0, len(some) - 1, min(MATTES_LOOKED_AT, len(some))).astype(int)]
    shared, covered = np.zeros((2, len(GIRTHS), len(_REGIONS) + 1), np.int64)
    for moment in some:
        matte, region = mattes[moment] > 127, None
        worn = matte if labels is None else matte & ~np.isin(labels[moment], HANGING)
        for row, girth in enumerate(GIRTHS):
            charts = _drawn(_mesh(posed.body, girth), posed, moment, posed.size_hw)[..., 0]
            if region is None:
                region = _nearest_region(charts)
            body = charts > 0
            shared[row] += np.bincount(region[body & matte], minlength=shared.shape[1])
            covered[row] += np.bincount(region[body | worn], minlength=shared.shape[1])
    shown = shared[0, 1:] > SHOWN * covered[0, 1:]
    if not shown.any() or all((mattes[moment] > 127).all() for moment in some):
        return 1.0
    likeness = (shared[:, 1:] / np.maximum(covered[:, 1:], 1))[:, shown]
    girths = np.array(GIRTHS)
    likeness -= ORDINARY * np.log(girths)[:, None] ** 2
    return float(np.median(girths[likeness.argmax(axis=0)]))


def _nearest_region(charts: Map) -> npt.NDArray[np.intp]:
    """(H, W) of a drawn body (H, W): 1 + the place in `_REGIONS` of the nearest pixel of it, 0 near the head."""
    if not charts.any():
        return np.zeros(charts.shape, np.intp)
    return np.asarray(_REGION[charts.ravel()[nearest_inside(charts > 0)[1]]])


@lru_cache(maxsize=8)
def _mesh(body: Body, girth: float) -> SurfaceMesh:
    return surface_mesh(body, Build(girth=girth))


def _drawn(mesh: SurfaceMesh, posed: PosedBody, moment: int, size_hw: tuple[int, int]) -> Map:
    if not posed.known[moment]:
        return np.zeros((*size_hw, 3), np.uint8)
    return drawn(mesh, *seen_vertices(mesh, posed, moment), size_hw)


def seen_vertices(
    mesh: SurfaceMesh, posed: PosedBody, moment: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Where the vertices of a mesh of `posed.body` are seen: (V, 2) pixels, y down, and (V,) metres from the camera."""
    rest = rest_positions(posed.body)
    own = slice(moment, moment + 1)
    local = relative(torch.from_numpy(posed.turned[own])).numpy()
    world, position = forward_kinematics(local, posed.grip[own], rest)
    vertices = carried(mesh, bone_transforms(world[0], position[0] - position[0, :1], rest))
    scale = posed.scale[moment]
    screen = vertices[:, :2] * (scale, -scale) + posed.pelvis[moment]
    return screen.astype(np.float32), (FAR - vertices[:, 2]).astype(np.float32)
