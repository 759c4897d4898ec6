"""How what exported networks are given is drawn, in NumPy alone: copy this file into the program that runs them.

All numbers come from the file of the network: `how` is what its metadata say under "condition", read by `json.loads`.
Arrays hold values as the networks take them, float32, channels first, without the first dimension of batches.

Points are the 133 of COCO-WholeBody, in pixels of the network's picture: x to the right, y down, whole numbers are the
centres of pixels. Index 133 is the neck, the middle of the shoulders. A point counts as seen where its confidence is
above `how["seen_above"]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
How = Mapping[str, Any]
SHOULDERS = [5, 6]


def drawn(how: How, xy: Array, confidence: Array) -> Array:
    """One pose as its channels; networks that see several poses take those of all, in the order of `how["poses"]`.

    Args:
        how: of the kinds "heat maps", "white skeleton", "stick figure", "soft lines" and "part maps".
        xy: `(133, 2)` pixels.
        confidence: `(133,)` in [0, 1].

    Returns:
        `(C, H, W)` float32.
    """
    kinds = {
        "heat maps": heat_maps,
        "white skeleton": white_skeleton,
        "stick figure": stick_figure,
        "soft lines": soft_lines,
        "part maps": part_maps,
    }
    return kinds[how["kind"]](how, *with_neck(how, xy, confidence)).astype(np.float32)


def with_neck(how: How, xy: Array, confidence: Array) -> tuple[Array, Array]:
    """The points and the neck, `(134, 2)`, and which of them are seen, `(134,)`: the neck where both shoulders are."""
    seen = np.asarray(confidence) > how["seen_above"]
    points = np.asarray(xy, np.float64)
    both = np.append(points, [points[SHOULDERS].mean(axis=0)], axis=0)
    return both, np.append(seen, seen[SHOULDERS].all())


def picture(values: Array) -> Array:
    """What networks make, `(3 or 4, H, W)` in [-1, 1], as RGB or RGBA levels, `(H, W, 3 or 4)` uint8."""
    return np.clip(np.rint((values + 1) * 127.5), 0, 255).astype(np.uint8).transpose(1, 2, 0)


# -- One Gaussian a joint (pix2pix, performance-cloning) --------------------------------------------------------------


def heat_maps(how: How, points: Array, seen: Array) -> Array:
    """exp(-distance^2 / (2 sigma^2)) from each of the joints, minus the joint's mean, over its deviation: `(18, H, W)`.

    A joint that is not seen is 0 everywhere before that.
    """
    height, width = how["size_hw"]
    x, y = points[how["points"]].T[:, :, None]  # (18, 1)
    across = np.exp(-((np.arange(width) - x) ** 2) / (2 * how["sigma"] ** 2))
    down = np.exp(-((np.arange(height) - y) ** 2) / (2 * how["sigma"] ** 2)) * seen[how["points"]][:, None]
    maps = down[:, :, None] * across[:, None, :]
    mean, deviation = (np.array(how[name])[:, None, None] for name in ("mean", "deviation"))
    return np.asarray((maps - mean) / deviation)


# -- White dots and lines on black, of MediaPipe's 33 landmarks (pix2pix, its variant "white skeleton") ----------------


def white_skeleton(how: How, points: Array, seen: Array) -> Array:
    """Dots at landmarks, and lines with flat ends between them: `(3, H, W)` in [-1, 1], the three alike."""
    black = np.ones(how["size_hw"])
    places = [_landmark(mixture, points, seen) for mixture in how["landmarks"]]
    for place in places:
        if place is not None:
            _whiten(black, place, place, how["radius"], how["radius"])
    for first, last in how["lines"]:
        start, end = places[first], places[last]
        if start is not None and end is not None and (start != end).any():
            _whiten(black, start, end, how["width"] / 2, 0)
    return np.broadcast_to(1 - 2 * black, (3, *black.shape))


def _landmark(mixture: Any, points: Array, seen: Array) -> Array | None:
    """Where a landmark lies that is made of points with weights; None where one of them is not seen."""
    of, weights = [point for point, _ in mixture], [weight for _, weight in mixture]
    return np.asarray(weights @ points[of]) if seen[of].all() else None


def _whiten(black: Array, start: Array, end: Array, radius: float, ends: float) -> None:
    """Takes from what is black, `(H, W)`, in place, what a line covers; its ends are round where `ends` is not 0."""
    low, high = np.minimum(start, end) - radius - 0.5, np.maximum(start, end) + radius + 0.5
    (left, top), (right, bottom) = (
        np.clip(at, 0, black.shape[::-1]).astype(int) for at in (low // 1, -(-high // 1) + 1)
    )
    y, x = np.mgrid[top:bottom, left:right]
    length = float(np.hypot(*(end - start)))
    ux, uy = (end - start) / length if length else (1.0, 0.0)
    ahead = (x - start[0]) * ux + (y - start[1]) * uy
    aside = (x - start[0]) * uy - (y - start[1]) * ux
    beyond = np.maximum(-ahead, ahead - length)
    if ends:
        outside = np.hypot(np.maximum(beyond, 0), aside) - radius
    else:
        across = np.abs(aside) - radius
        outside = np.hypot(np.maximum(beyond, 0), np.maximum(across, 0)) + np.minimum(np.maximum(beyond, across), 0)
    black[top:bottom, left:right] *= 1 - np.clip(0.5 - outside, 0, 1)


# -- Coloured lines on black (everybody-dance-now) --------------------------------------------------------------------


def stick_figure(how: How, points: Array, seen: Array) -> Array:
    """Lines in their order, each over those before it: `(3, H, W)` in [-1, 1]."""
    canvas = np.full((3, *how["size_hw"]), -1.0)
    for (first, last), thickness, colour in zip(how["lines"], how["thickness"], how["colours"], strict=True):
        if seen[first] and seen[last]:
            place, share = covered(points[first], points[last], thickness, how["size_hw"])
            under = canvas[(slice(None), *place)]
            under += share * (np.array(colour)[:, None, None] / 127.5 - 1 - under)
    return canvas


# -- Soft coloured lines on black (cyclegan) --------------------------------------------------------------------------


def soft_lines(how: How, points: Array, seen: Array) -> Array:
    """exp(-distance^2 / (2 sigma^2)) from each line, in its colour, the brightest on top: `(3, H, W)` in [-1, 1]."""
    height, width = how["size_hw"]
    y, x = np.mgrid[:height, :width]
    canvas = np.zeros((3, height, width))
    for (first, last), colour in zip(how["lines"], how["colours"], strict=True):
        if seen[first] and seen[last]:
            (x0, y0), (dx, dy) = points[first], points[last] - points[first]
            along = np.clip(((x - x0) * dx + (y - y0) * dy) / max(dx**2 + dy**2, 1e-6), 0, 1)
            squared = (x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2
            line = np.exp(-squared / (2 * how["sigma"] ** 2))
            canvas = np.maximum(canvas, line * np.array(colour)[:, None, None])
    return canvas * 2 - 1


# -- A channel for each part of the body (poses-in-the-wild) ----------------------------------------------------------


def part_maps(how: How, points: Array, seen: Array) -> Array:
    """How much of each pixel the lines of each part cover: `(parts, H, W)` in [0, 1]."""
    maps = np.zeros((len(how["parts"]), *how["size_hw"]))
    for channel, lines, thickness in zip(maps, how["parts"], how["thickness"], strict=True):
        for first, last in lines:
            if seen[first] and seen[last]:
                place, share = covered(points[first], points[last], thickness, how["size_hw"])
                channel[place] = np.maximum(channel[place], share)
    return maps


def covered(start: Array, end: Array, thickness: float, size_hw: tuple[int, int]) -> tuple[tuple[slice, slice], Array]:
    """How much of each pixel a line with round ends covers, in [0, 1].

    Args:
        start, end: `(2,)` pixels x, y.
        thickness: pixels; a line below one pixel is as much fainter.
        size_hw: of the picture.

    Returns:
        Rows and columns of the pixels about the line, and their shares.
    """
    radius = thickness / 2
    size_xy = size_hw[::-1]
    left, top = np.clip(np.floor(np.minimum(start, end) - radius - 1), 0, size_xy).astype(int)
    right, bottom = np.clip(np.ceil(np.maximum(start, end) + radius + 2), 0, size_xy).astype(int)
    place = slice(top, bottom), slice(left, right)
    y, x = np.mgrid[place]
    length = float(np.hypot(*(end - start)))
    ux, uy = (end - start) / length if length else (1.0, 0.0)
    ahead = (x - start[0]) * ux + (y - start[1]) * uy  # along the line
    aside = (x - start[0]) * uy - (y - start[1]) * ux  # across it
    half = max(abs(ux), abs(uy)) / 2  # of a pixel's breadth: slanted, pixels lie closer across the line

    def share(first: Any, last: Any, at: Array) -> Array:
        return np.asarray(np.maximum((np.minimum(at + half, last) - np.maximum(at - half, first)) / (2 * half), 0))

    bar = share(-radius, radius, aside) * share(-radius, length + radius, ahead)  # with square ends
    beyond = ahead - np.clip(ahead, 0, length)
    return place, np.minimum(bar, share(-radius, radius, np.hypot(aside, beyond)))


# -- The face's square (everybody-dance-now, the network "face") ------------------------------------------------------


def face_square(how: How, xy: Array, confidence: Array) -> tuple[Array, float] | None:
    """Centre `(2,)` and side in pixels of the square about a face; None where no face is seen.

    Args:
        how: of the network "face".
        xy, confidence: as for `drawn`, in pixels of the whole picture.
    """
    points, seen = with_neck(how, xy, confidence)
    head = points[[point for point in how["head"] if seen[point]]]
    spread = max((float(np.hypot(*(one - other))) for one in head for other in head), default=0.0)
    reach = trunk = 0.0
    if seen[-1]:
        reach = float(np.hypot(*(points[how["nose"]] - points[-1])))
        if seen[how["hips"]].all():
            trunk = float(np.hypot(*(points[how["hips"]].mean(axis=0) - points[-1])))
    side = max(how["per_spread"] * spread, how["per_neck"] * reach, how["per_trunk"] * trunk)
    return (points[how["nose"]], side) if seen[how["nose"]] and side >= how["smallest"] else None


def cut_out(values: Array, centre: Array, side: float, out: int) -> Array:
    """The square of a picture `(C, H, W)`, resampled to `(C, out, out)`; edge pixels go on beyond the edge."""
    steps = (np.arange(out) - (out - 1) / 2) * side / out
    return _looked_up(values, centre[0] + steps, centre[1] + steps)


def put_back(how: How, values: Array, residual: Array, centre: Array, side: float) -> Array:
    """A picture `(C, H, W)` with what the network "face" makes, `(C, out, out)`, added to the square of the face.

    It fades out towards the square's border, so that no seam is seen.
    """
    out = residual.shape[-1]
    height, width = values.shape[1:]
    x, y = ((np.arange(count) - middle) * 2 / side for count, middle in zip((width, height), centre, strict=True))
    added = _looked_up(residual, ((x + 1) * out - 1) / 2, ((y + 1) * out - 1) / 2)
    weight_x, weight_y = (_faded(how, at) for at in (x, y))
    return np.asarray(values + added * weight_y[:, None] * weight_x)


def _faded(how: How, at: Array) -> Array:
    """How much counts at places across the square: 1 in the middle, falling smoothly to 0 at -1 and 1."""
    ramp = np.clip((1 - np.abs(at)) / (2 * how["border"]), 0, 1)
    return np.asarray(ramp * ramp * (3 - 2 * ramp))


def _looked_up(values: Array, x: Array, y: Array) -> Array:
    """A picture `(C, H, W)` at columns x and rows y, between pixels in proportion: `(C, len(y), len(x))`."""
    height, width = values.shape[1:]
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    across, down = x - left, (y - top)[:, None]
    rows = [values[:, row][:, :, left] * (1 - across) + values[:, row][:, :, right] * across for row in (top, bottom)]
    return np.asarray(rows[0] * (1 - down) + rows[1] * down)
