"""A photograph laid onto a body in another pose: every pixel copied from where the photograph shows the same place.

Surface maps of the two, as `tracking.surface` has them, say which place that is. Clothes and hair stand beyond the
body: there the nearest pixel of the body says where to look, moved as its limb moves. What the photograph does not show
stays open, but for the far sides of arms and legs, which look like the near ones.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.nearest import nearest_inside
from understudy.body.surface_mesh import CHARTS
from understudy.conditioning.limb_warps import PARTS

Floats = npt.NDArray[np.float32]
Map = npt.NDArray[np.uint8]

SIDE = 64
"""texels: U and V of a chart are told apart by so many steps"""
GAP = 2
"""rows of nothing between two charts"""
FILLED = 3
"""texels by which what was seen is spread, over cracks between the photograph's pixels"""
PATCH = 9
"""pixels"""
RIFT = 4.0
"""pixels of the photograph: neighbours in a picture that are looked up farther apart lie on two sides of an outline"""
BEYOND = 0.06
"""of the picture's height: how far clothes and hair may stand away from the body"""


def _part_of(chart: str) -> int:
    """Which of `PARTS` carries a chart."""
    if chart in ("back", "front"):
        return 0
    if chart.startswith("head"):
        return 1
    limb = chart.split(",")[0].replace("hand", "forearm")
    return next(number for number, part in enumerate(PARTS) if part.name == limb)


CARRIED_BY = np.array([0, *(_part_of(chart) for chart in CHARTS[1:])])
"""(25,) which of `PARTS` carries a chart"""
_TWINS = tuple(
    (CHARTS.index(chart), CHARTS.index(chart.replace("behind", "before")))
    for chart in CHARTS
    if chart.endswith("behind")
)
"""the two halves of each limb"""


def seen_places(surface: Map, shown: npt.NDArray[np.bool_]) -> Floats:
    """Where a photograph shows each place of the body.

    Args:
        surface: (H, W, 3) map of the photograph.
        shown: (H, W) pixels that do show the person, not what stands before them.

    Returns:
        (25 * (SIDE + GAP), SIDE, 3): charts below each other; x and y in pixels times the weight, and the weight in
        [0, 1], 0 where the place is not shown.
    """
    rows, columns = np.nonzero((surface[..., 0] > 0) & shown)
    chart, u, v = surface[rows, columns].astype(np.intp).T
    height = len(CHARTS) * (SIDE + GAP)
    column, row = ((value * (SIDE - 1) + 127) // 255 for value in (u, v))
    texel = (chart * (SIDE + GAP) + row) * SIDE + column
    sums = [
        np.bincount(texel, weights, height * SIDE).reshape(height, SIDE)
        for weights in (columns.astype(np.float64), rows.astype(np.float64), np.ones(len(rows)))
    ]
    count = sums[2]
    places = np.stack(sums, axis=-1) / np.maximum(count, 1)[..., None]
    places[..., 2] = count > 0
    return _with_twins(_spread(places.astype(np.float32)))


def _spread(places: Floats) -> Floats:
    """Fills what lies within `FILLED` texels of something seen with the mean of what is next to it."""
    between = np.arange(len(places)) % (SIDE + GAP) >= SIDE
    for _ in range(FILLED):
        near = cv2.blur(places, (3, 3), borderType=cv2.BORDER_CONSTANT)
        open_yet = (places[..., 2] == 0) & (near[..., 2] > 0) & ~between[:, None]
        places[open_yet] = near[open_yet] / near[open_yet][:, 2:]
    return places


def _with_twins(places: Floats) -> Floats:
    """The halves of limbs that were not seen look like their other halves, at half the weight."""
    charts = places.reshape(len(CHARTS), SIDE + GAP, SIDE, 3)
    for pair in _TWINS:
        seen = {one: charts[one, :, :, 2].copy() for one in pair}
        for one, other in (pair, pair[::-1]):
            # U of both runs the same way round the limb, so what is opposite is mirrored
            mirrored = charts[other][:, ::-1] * (seen[other][:, ::-1] == 1)[..., None]
            fill = (seen[one] == 0)[..., None]
            charts[one] = np.where(fill, 0.5 * mirrored, charts[one])
    return places


def looked_up(places: Floats, surface: Map, transforms: Floats) -> tuple[Floats, Floats]:
    """Where in the photograph every pixel of a picture is to be looked up.

    Args:
        places: `seen_places` of the photograph.
        surface: (H, W, 3) map of the wanted picture.
        transforms: (parts, 2, 3) of `limb_warps.part_transforms`: from the wanted picture to the photograph.

    Returns:
        (H, W, 2) x, y in the photograph's pixels; (H, W) trust: 1 shown, about 0.5 the other side of a limb, 0 nothing.
    """
    size_hw, reach = (surface.shape[0], surface.shape[1]), BEYOND * surface.shape[0]
    where, trusted = np.full((*size_hw, 2), -9, np.float32), np.zeros(size_hw, np.float32)
    if surface[..., 0].any():
        box = _reached(surface[..., 0], int(np.ceil(reach)))
        where[box], trusted[box] = _looked_up(places, surface[box], transforms, reach)
    return where, trusted


def _reached(charts: Map, reach: int) -> tuple[slice, slice]:
    """Rows and columns of all that is at most so many pixels from the body; outside of them nothing is copied."""
    left, top, wide, high = cv2.boundingRect((charts > 0).astype(np.uint8))
    return slice(max(0, top - reach), top + high + reach), slice(max(0, left - reach), left + wide + reach)


def _looked_up(places: Floats, surface: Map, transforms: Floats, reach: float) -> tuple[Floats, Floats]:
    """`looked_up` in a part of the picture that shows something of the body."""
    width = surface.shape[1]
    rest, nearest = nearest_inside(surface[..., 0] > 0)
    reached = rest <= reach
    near_row, near_column = np.divmod(nearest, width)
    chart, u, v = surface[near_row, near_column].astype(np.float32).transpose(2, 0, 1)
    texel = np.float32((SIDE - 1) / 255)
    at_y = chart * (SIDE + GAP) + v * texel
    found = cv2.remap(places, u * texel, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    trust = found[..., 2] * reached
    place = found[..., :2] / np.maximum(found[..., 2:], 1e-6)
    beyond = np.nonzero(reached & (rest > 0))
    # At the body's edge coordinates crowd together; what is beyond takes its bearings from a patch of it
    ground = _patch_means(place, trust * (rest == 0))
    from_where = near_row[beyond], near_column[beyond]
    linear = transforms[CARRIED_BY[chart[beyond].astype(np.intp)], :, :2]
    away = np.stack(beyond[::-1], axis=1).astype(np.float32) - ground[..., 2:][from_where]
    place[beyond] = ground[..., :2][from_where] + np.einsum("nab,nb->na", linear, away)
    return np.where(trust[..., None] > 0, place, np.float32(-9)), trust


def _patch_means(place: Floats, weight: Floats) -> Floats:
    """(H, W, 4): means, over the patch around each pixel, of what is looked up there and of where that pixel is."""
    rows, columns = np.mgrid[: place.shape[0], : place.shape[1]].astype(np.float32)
    stack = np.dstack([place, columns, rows, np.ones_like(rows)]) * weight[..., None]
    means = cv2.blur(stack, (PATCH, PATCH), borderType=cv2.BORDER_CONSTANT)
    return np.asarray(means[..., :4] / np.maximum(means[..., 4:], 1e-9))


def interpolated_places(where: Floats, size: tuple[int, int]) -> Floats:
    """Places (h, w, 2) of `looked_up` for a larger picture, (width, height) `size`; over a rift nothing is averaged."""
    smooth, near = (
        cv2.resize(where, size, interpolation=method) for method in (cv2.INTER_LINEAR, cv2.INTER_NEAREST_EXACT)
    )
    # A place in between is at most (1 - 1 / times) / 2 of the way from its nearest neighbour to the next
    times = size[0] / where.shape[1]
    together = (np.abs(smooth - near) <= RIFT * (1 - 1 / times) / 2).all(axis=-1)
    return np.asarray(np.where(together[..., None], smooth, near))


def copied(photograph: Map, where: Floats, trust: Floats) -> Map:
    """The picture (H, W, 4) premultiplied RGBA that the photograph's pixels make.

    Args:
        photograph: (H, W, 4) premultiplied RGBA.
        where, trust: as `looked_up` gives them.
    """
    picture = cv2.remap(photograph, where, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
    share = np.clip(4 * trust, 0, 1)[..., None]
    return np.asarray(np.minimum(picture, picture[..., 3:]) * share + 0.5, np.uint8)
