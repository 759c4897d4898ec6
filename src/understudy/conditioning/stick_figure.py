"""Coloured stick figures with body, feet, hands and face, drawn on the device (Chan et al. 2019, section 3.1).

A line touches few pixels, so only those are computed: a band about each line, a few pixels across. Lines are laid over
each other one at a time, each in all pictures at once, since what lies on top is seen.
"""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from understudy.poses.pose import (
    BODY_LIMBS,
    FACE,
    FACE_LINES,
    FOOT_LIMBS,
    HAND_LIMBS,
    LEFT_EYE,
    LEFT_SHOULDER,
    NOSE,
    PART_NAMES,
    PARTS,
    RIGHT_EYE,
    RIGHT_SHOULDER,
)

BODY_LINES: tuple[tuple[int, int], ...] = (*BODY_LIMBS, *FOOT_LIMBS)
HAND_LINES: tuple[tuple[int, int], ...] = tuple(
    line for side in ("right hand", "left hand") for line in PARTS[PART_NAMES.index(side)]
)
FACE_SEGMENTS: tuple[tuple[int, int], ...] = tuple(
    (FACE.start + first, FACE.start + last) for line in FACE_LINES for first, last in pairwise(line)
)
LINES: tuple[tuple[int, int], ...] = (*BODY_LINES, *HAND_LINES, *FACE_SEGMENTS)
"""All lines in the order of painting, as pairs of indices into the 133 points and the neck."""

_HEAD = (NOSE, LEFT_EYE, RIGHT_EYE)
THICKNESS: tuple[float, ...] = (
    *(0.5 if first in _HEAD else 1.0 for first, _ in BODY_LINES),
    *(0.5 for _ in HAND_LINES),
    *(0.25 for _ in FACE_SEGMENTS),
)
"""Thickness of each of `LINES` as a share of a limb's: eyes and lips are not to run into each other."""


def palette() -> npt.NDArray[np.uint8]:
    """A colour for each of `LINES`, RGB, `(L, 3)`: no two alike, and none dark.

    Full colours for the body, light ones for the right hand, darker ones for the left, pale ones for the face. The
    body's go around in steps that keep neighbours and the two sides far apart.
    """
    groups = (
        (len(BODY_LINES), 9, 1.0, 1.0),
        (len(HAND_LIMBS), 1, 0.55, 1.0),
        (len(HAND_LIMBS), 1, 0.75, 0.75),
        (len(FACE_SEGMENTS), 1, 0.3, 1.0),
    )
    colours = [
        colorsys.hsv_to_rgb(place * step % count / count, saturation, value)
        for count, step, saturation, value in groups
        for place in range(count)
    ]
    return np.asarray(np.rint(np.array(colours) * 255), np.uint8)


@torch.no_grad()
def stick_figures(
    xy: Tensor, seen: Tensor, colours: Tensor, size_hw: tuple[int, int], thickness: float | Tensor
) -> Tensor:
    """Draws one figure a picture, anti-aliased, with round ends; later lines cover earlier ones.

    Args:
        xy: `(B, 133, 2)` pixels of the picture (x right, y down; whole numbers are pixel centres); without meaning
            where a point is not seen.
        seen: `(B, 133)` bool; a line with an unseen end is left out.
        colours: `(L, 3)` in [-1, 1], of `LINES`.
        size_hw: height and width of the pictures.
        thickness: pixels: of a limb, for all pictures or `(B,)`; see `THICKNESS` for finer lines. A line below one
            pixel is as much fainter.

    Returns:
        `(B, 3, H, W)` float32 in [-1, 1] on black (-1), on the device of `xy`. Memory grows with the length of the
        lines within the picture times their thickness.
    """
    count, device = len(xy), xy.device
    radius = torch.as_tensor(thickness, dtype=torch.float32, device=device).expand(count) / 2
    radii = torch.tensor(THICKNESS, device=device)[:, None] * radius  # (L, B)
    start, end, drawn = ends(xy.float(), seen, LINES)
    picture = torch.arange(count, device=device).expand(len(LINES), count)
    place, opacity, lengths = bands(start, end, drawn, radii, picture, count, size_hw)

    pixels = count * size_hw[0] * size_hw[1]
    canvas = torch.full((pixels + 1, 3), -1.0, device=device)  # the last cell takes what lies outside the pictures
    first = 0
    for colour, length in zip(colours.float(), lengths, strict=True):
        if length:
            where = place[first : first + length]
            canvas[where] = torch.lerp(canvas[where], colour, opacity[first : first + length, None])
        first += length
    return canvas[:-1].view(count, *size_hw, 3).permute(0, 3, 1, 2)


def ends(xy: Tensor, seen: Tensor, lines: Sequence[tuple[int, int]]) -> tuple[Tensor, Tensor, Tensor]:
    """Where each of L lines begins and ends, `(L, B, 2)`, and whether both are seen, `(L, B)`."""
    shoulders = [LEFT_SHOULDER, RIGHT_SHOULDER]
    xy = torch.cat([xy, xy[:, shoulders].mean(1, keepdim=True)], 1)
    seen = torch.cat([seen, seen[:, shoulders].all(1, keepdim=True)], 1)
    first, last = torch.tensor(lines, device=xy.device).T
    drawn = seen[:, first] & seen[:, last]
    kept = drawn[..., None]
    start, end = (torch.where(kept, xy[:, points], 0.0).transpose(0, 1) for points in (first, last))
    return start, end, drawn.T


def bands(
    start: Tensor,
    end: Tensor,
    drawn: Tensor,
    radii: Tensor,
    picture: Tensor,
    pictures: int,
    size_hw: tuple[int, int],
) -> tuple[Tensor, Tensor, list[int]]:
    """All pixels that lines touch, those of one line in all pictures side by side.

    A line is followed along the axis that it is closer to; at each step it takes a few pixels across, the same number
    all along.

    Args:
        start, end: `(L, B, 2)`.
        drawn: `(L, B)` bool.
        radii: `(L, B)` pixels: half the thickness.
        picture: `(L, B)` int64: which picture each is drawn in.
        pictures: how many there are.
        size_hw: of the pictures.

    Returns:
        The pixels' places in the pictures laid end to end, `(N,)`, with pictures * H * W for those outside; how much of
        each the line covers, `(N,)` in [0, 1]; and for each line its number of pixels.
    """
    height, width = size_hw
    extent = start.new_tensor([width, height])
    reach = radii + 0.5  # pixels: centres that are farther from the line are not touched
    low, high = torch.minimum(start, end) - reach[..., None], torch.maximum(start, end) + reach[..., None]
    drawn = drawn & ((high >= 0) & (low <= extent - 1)).all(-1)
    along = end - start
    steep = along[..., 1].abs() > along[..., 0].abs()  # followed downwards, otherwise across

    def main_and_other(of: Tensor) -> tuple[Tensor, Tensor]:
        x, y = of.unbind(-1)
        return torch.where(steep, y, x), torch.where(steep, x, y)

    (main, other), (d_main, d_other) = main_and_other(start), main_and_other(along)
    slope = d_other / torch.where(d_main == 0, 1.0, d_main)
    across = reach * (1 + slope.square()).sqrt()
    wide = torch.floor(2 * across) + 1  # pixels across
    begin = torch.floor(main_and_other(low)[0]).clamp_min(0)
    stop = torch.minimum(torch.ceil(main_and_other(high)[0]) + 1, torch.where(steep, height, width))
    sizes = torch.where(drawn, (stop - begin).clamp_min(0) * wide, 0.0).long()  # (L, B)
    lengths = sizes.sum(1).tolist()

    length = torch.hypot(d_main, d_other)
    u_main = torch.where(length > 0, d_main / length, 1.0)  # a dot lies along the axis
    u_other = torch.where(length > 0, d_other / length, 0.0)

    sizes = sizes.flatten()
    line = torch.repeat_interleave(torch.arange(len(sizes), device=sizes.device), sizes, output_size=sum(lengths))
    offset = (torch.arange(len(line), device=sizes.device) - (sizes.cumsum(0) - sizes)[line]).float()
    about = torch.stack([main, other, u_main, u_other, length, slope, across, wide, begin, radii, steep]).flatten(1)
    main, other, u_main, u_other, length, slope, across, wide, begin, radius, steep = about.index_select(1, line)
    step = torch.floor(offset / wide)
    p = begin + step - main  # from the line's start, along the axis
    q = torch.ceil(other + slope * p - across) + (offset - step * wide) - other
    ahead, aside = p * u_main + q * u_other, q * u_main - p * u_other  # along the line and across
    covered = _covered(ahead, aside, length, radius, 0.5 * torch.maximum(u_main.abs(), u_other.abs()))

    p, q = (p + main).round().long(), (q + other).round().long()
    x, y = torch.where(steep > 0, q, p), torch.where(steep > 0, p, q)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    place = (picture.flatten()[line] * height + y) * width + x
    return torch.where(inside, place, pictures * height * width), covered, lengths


def _covered(ahead: Tensor, aside: Tensor, length: Tensor, radius: Tensor, half: Tensor) -> Tensor:
    """How much of each pixel a line with round ends covers, in [0, 1].

    Args:
        ahead, aside: of the pixel's centre, along the line from its start and across it.
        length, radius: of the line.
        half: half of a pixel's breadth. Pixels beside each other lie closer across a slanted line than along an axis;
            with half that distance their shares add up to the line's thickness wherever it passes between them.
    """

    def share(low: Tensor, high: Tensor, at: Tensor) -> Tensor:
        return ((torch.minimum(at + half, high) - torch.maximum(at - half, low)) / (2 * half)).clamp_min(0)

    bar = share(-radius, radius, aside) * share(-radius, length + radius, ahead)  # with square ends
    beyond = ahead - torch.minimum(ahead.clamp_min(0), length)
    return torch.minimum(bar, share(-radius, radius, torch.hypot(aside, beyond)))
