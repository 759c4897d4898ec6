"""Pose maps with one channel for each part of the body (Ren et al. 2020, section 3.1), drawn on the device.

Since no part covers another, a generator sees crossed arms whole, and a part that was not found leaves its own channel
empty and nothing else changed.
"""

from __future__ import annotations

import torch
from torch import Tensor

from understudy.conditioning.stick_figure import bands, ends
from understudy.poses.pose import PART_NAMES, PARTS, POINTS

__all__ = ["PARTS", "PART_NAMES", "THICKNESS", "limb_maps"]

# First lines first, then the second lines of the parts that have more, and so on: lines of one turn share no channel
_TURNS = tuple(
    tuple((number, part[turn]) for number, part in enumerate(PARTS) if turn < len(part))
    for turn in range(max(map(len, PARTS)))
)
_PART = tuple(number for lines in _TURNS for number, _ in lines)
_LINES = tuple(line for lines in _TURNS for _, line in lines)
THICKNESS: tuple[float, ...] = tuple(0.5 if name.endswith("hand") else 1.0 for name in PART_NAMES)
"""Thickness of the lines of each of `PARTS` as a share of a limb's: fingers are not to run into one another."""

MOST_PIXELS = 8_000_000
"""Pixels of lines computed at a time, were every line as long as the picture: some 100 MB in practice"""


@torch.no_grad()
def limb_maps(
    xy: Tensor,
    seen: Tensor,
    size_hw: tuple[int, int],
    thickness: float,
    *,
    kept: Tensor | None = None,
) -> Tensor:
    """Draws each part's lines in the part's own channel, anti-aliased, with round ends.

    Args:
        xy: `(B, 133, 2)` pixels of the picture (x right, y down; whole numbers are pixel centres); without meaning
            where a point is not seen.
        seen: `(B, 133)` bool; a line with an unseen end is left out, and the neck is seen where both shoulders are.
        size_hw: height and width of the maps.
        thickness: pixels, of a limb; see `THICKNESS` for finer lines. A line below one pixel is as much fainter.
        kept: `(B, P)` bool: parts to draw; all if None.

    Returns:
        `(B, P, H, W)` in [0, 1], P in the order of `PARTS`, on the device of `xy`. Besides the maps themselves, memory
        is bounded, whatever B is.
    """
    if xy.shape[1:] != (POINTS, 2) or seen.shape != xy.shape[:2]:
        raise ValueError(f"need (B, {POINTS}, 2) and (B, {POINTS}), not {tuple(xy.shape)} and {tuple(seen.shape)}")
    count, parts, (height, width) = len(xy), len(PARTS), size_hw
    cells = torch.zeros(count * parts * height * width + 1, device=xy.device)  # the last: all outside
    part = torch.tensor(_PART, device=xy.device)
    radii = (torch.tensor(THICKNESS, device=xy.device) * (thickness / 2))[part, None].expand(-1, count)  # (L, B)
    start, end, drawn = ends(xy.float(), seen, _LINES)
    if kept is not None:
        drawn = drawn & kept.T[part]
    channel = torch.arange(count, device=xy.device) * parts + part[:, None]  # (L, B)
    at_once = max(1, int(MOST_PIXELS / (len(_LINES) * max(size_hw) * (2 * thickness + 3))))
    for first in range(0, count, at_once):
        some = slice(first, first + at_once)
        lines = (start[:, some], end[:, some], drawn[:, some], radii[:, some], channel[:, some])
        place, covered, lengths = bands(*lines, count * parts, size_hw)
        _paint(cells, place, covered.float(), lengths)
    return cells[:-1].view(count, parts, height, width)


def _paint(cells: Tensor, place: Tensor, covered: Tensor, lengths: list[int]) -> None:
    """Gives each cell the most that any line covers of it: lines of one part overlap at their joints."""
    line, first = 0, 0
    for lines in _TURNS:
        length = sum(lengths[line : line + len(lines)])
        where = place[first : first + length]
        cells[where] = torch.maximum(cells[where], covered[first : first + length])
        line, first = line + len(lines), first + length
