"""The white skeleton of MediaPipe's 33 landmarks on black, as Figment draws it, from our 133 points.

Figment (github.com/figmentapp/figment, of 2026) is a program for live pictures. Its node "Detect Pose" draws what it
finds, and its node "ONNX Image Model" gives that picture to a network: the networks that are to run there learn from
the same picture. As it comes, the node draws each landmark as a disc and each connection as a line with flat ends, all
white; what it draws is the same at every size of picture.

MediaPipe always says where all 33 are. Twelve are not among our body's points, corners of eyes and mouth, and
knuckles: they lie where MediaPipe puts them on average, by weights fitted to seven clips. That is nearer to it than
the face and hands that a closer look finds, for these landmarks are guesses of its network for bodies:
`benchmarks/white_skeleton.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from understudy.poses import pose as p

RADIUS = 4.0
"""pixels: of a disc; the node's radius of 2, and half of the line of 4 about it, which cannot be set there"""
WIDTH = 2.0
"""pixels: of a line"""

Depth = Callable[[Tensor, Tensor, Tensor], Tensor]
Mixture = tuple[tuple[int, float], ...]
"""points among the 133 and their weights, which add up to 1"""


def _one(point: int) -> Mixture:
    return ((point, 1.0),)


def _corners(eye: int, other: int, ear: int) -> tuple[Mixture, Mixture, Mixture]:
    """Inner and outer corner of an eye, and the corner of the mouth below it.

    Args:
        eye, ear: of this side.
        other: the other eye.
    """
    inner, outer = ((eye, 0.8), (other, 0.2)), ((eye, 1.2), (other, -0.2))
    return inner, outer, ((p.NOSE, 1.66), (eye, -0.86), (other, -0.42), (ear, 0.62))


def _beyond(wrist: int, elbow: int, share: float) -> Mixture:
    """A knuckle: beyond the wrist by a share of the forearm."""
    return (wrist, 1 + share), (elbow, -share)


_LEFT, _RIGHT = (
    _corners(p.LEFT_EYE, p.RIGHT_EYE, p.LEFT_EAR),
    _corners(p.RIGHT_EYE, p.LEFT_EYE, p.RIGHT_EAR),
)
_ARMS = ((p.LEFT_WRIST, p.LEFT_ELBOW), (p.RIGHT_WRIST, p.RIGHT_ELBOW))
LANDMARKS: tuple[Mixture, ...] = (
    _one(p.NOSE),
    *(_LEFT[0], _one(p.LEFT_EYE), _LEFT[1]),
    *(_RIGHT[0], _one(p.RIGHT_EYE), _RIGHT[1]),
    *(_one(p.LEFT_EAR), _one(p.RIGHT_EAR)),
    *(_LEFT[2], _RIGHT[2]),
    *(_one(point) for point in range(p.LEFT_SHOULDER, p.RIGHT_WRIST + 1)),
    *(_beyond(*arm, share) for share in (0.3, 0.31, 0.21) for arm in _ARMS),  # little finger, index finger, thumb
    *(_one(point) for point in range(p.LEFT_HIP, p.RIGHT_ANKLE + 1)),
    *(_one(p.LEFT_HEEL), _one(p.RIGHT_HEEL), _one(p.LEFT_BIG_TOE), _one(p.RIGHT_BIG_TOE)),
)
"""For each of the 33, in MediaPipe's order, what it is made of."""

_HEAD_LINES = ((0, 1), (1, 2), (2, 3), (3, 7), (0, 4), (4, 5), (5, 6), (6, 8), (9, 10))
_ARM_LINES = tuple(
    (first + side, last + side)
    for side in (0, 1)
    for first, last in ((11, 13), (13, 15), (15, 17), (15, 19), (15, 21), (17, 19))
)
_LEG_LINES = tuple(
    (first + side, last + side)
    for side in (0, 1)
    for first, last in ((11, 23), (23, 25), (25, 27), (27, 29), (29, 31), (27, 31))
)
CONNECTIONS: tuple[tuple[int, int], ...] = (*_HEAD_LINES, (11, 12), (23, 24), *_ARM_LINES, *_LEG_LINES)
"""MediaPipe's 35 connections, as pairs among the 33: those of `PoseLandmarker.POSE_CONNECTIONS`."""


def landmarks(xy: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """MediaPipe's 33 out of the 133 points.

    Args:
        xy: `(..., 133, 2)`, in any unit.
        seen: `(..., 133)` bool.

    Returns:
        `(..., 33, 2)`, zeros where nothing is known, and which are known, `(..., 33)` bool.
    """
    places, known = [], []
    for mixture in LANDMARKS:
        points, weights = zip(*mixture, strict=True)
        told = seen[..., points].all(-1)
        mixed = (xy[..., points, :] * xy.new_tensor(weights)[:, None]).sum(-2)
        places.append(torch.where(told[..., None], mixed, 0.0))
        known.append(told)
    return torch.stack(places, -2), torch.stack(known, -1)


@torch.no_grad()
def white_skeletons(xy: Tensor, seen: Tensor, size: int) -> Tensor:
    """Draws one skeleton a picture.

    Args:
        xy: `(B, 133, 2)` pixels of the picture (x right, y down; whole numbers are pixel centres).
        seen: `(B, 133)` bool; discs that are not known, and lines that would end there, are left out.
        size: pixels: side of the pictures.

    Returns:
        `(B, 3, size, size)` float32 in [-1, 1], the three alike, on the device of `xy`.
    """
    places, known = landmarks(xy.float(), seen)
    places = places.transpose(0, 1)  # (33, B, 2)
    known = known.T
    first, last = torch.tensor(CONNECTIONS, device=xy.device).T
    canvas = torch.zeros(len(xy) * size * size, device=xy.device)
    for place, told in zip(places, known, strict=True):
        _paint(canvas, *_disc(place, told, size))
    drawn = known[first] & known[last]
    for start, end, told in zip(places[first], places[last], drawn, strict=True):
        _paint(canvas, *_line(start, end, told, size))
    return (canvas.view(-1, 1, size, size) * 2 - 1).expand(-1, 3, -1, -1)


def _paint(canvas: Tensor, cells: Tensor, covered: Tensor) -> None:
    """White over what is there; no cell comes twice."""
    canvas[cells] = 1 - (1 - canvas[cells]) * (1 - covered)


def _disc(centre: Tensor, drawn: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Cells about one landmark in B pictures, (B * n,), and how much of each it covers."""

    def depth(x: Tensor, y: Tensor, of: Tensor) -> Tensor:
        return RADIUS - torch.hypot(x - centre[of, 0], y - centre[of, 1])

    return _cells(centre - RADIUS, centre + RADIUS, drawn, size, depth)


def _line(start: Tensor, end: Tensor, drawn: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Cells about one line in B pictures, and how much of each it covers: an oblong, a landmark's distance long."""
    along = end - start
    length = torch.linalg.vector_norm(along, dim=-1)
    unit = along / length.clamp_min(1e-6)[:, None]

    def depth(x: Tensor, y: Tensor, of: Tensor) -> Tensor:
        right, down = x - start[of, 0], y - start[of, 1]
        ahead = right * unit[of, 0] + down * unit[of, 1]
        aside = (down * unit[of, 0] - right * unit[of, 1]).abs()
        beyond = torch.stack([torch.maximum(-ahead, ahead - length[of]), aside - WIDTH / 2])
        return -(torch.hypot(*beyond.clamp_min(0)) + beyond.amax(0).clamp_max(0))

    low, high = torch.minimum(start, end) - WIDTH / 2, torch.maximum(start, end) + WIDTH / 2
    return _cells(low, high, drawn & (length > 0), size, depth)


def _cells(low: Tensor, high: Tensor, drawn: Tensor, size: int, depth: Depth) -> tuple[Tensor, Tensor]:
    """All pixels of the boxes from low to high (B, 2), as cells of B pictures end to end, and how covered they are.

    A pixel is covered by half where the edge passes through its middle.

    Args:
        depth: x, y and picture of each pixel -> how far within the shape it lies, in pixels; negative outside.
    """
    begin = torch.floor(low - 0.5).clamp(0, size).long()
    stop = torch.ceil(high + 0.5).add(1).clamp(0, size).long()
    wide, tall = (torch.where(drawn[:, None], stop - begin, 0)).clamp_min(0).unbind(-1)
    counts = wide * tall
    of = torch.repeat_interleave(torch.arange(len(counts), device=low.device), counts)
    within = torch.arange(len(of), device=low.device) - (counts.cumsum(0) - counts)[of]
    x, y = begin[of, 0] + within % wide[of], begin[of, 1] + within // wide[of]
    covered = (depth(x.float(), y.float(), of) + 0.5).clamp(0, 1)
    return (of * size + y) * size + x, covered
