"""Where the face is, cut out and put back, on the device (Chan et al. 2019, section 3.2, "Face GAN").

The paper takes 128x128 pixels about the nose of a person who fills a picture 512 pixels high. Here the square's side
follows the head, so that it holds as much of the person at any size and distance.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from understudy.poses.pose import (
    LEFT_EAR,
    LEFT_EYE,
    LEFT_HIP,
    LEFT_SHOULDER,
    NOSE,
    RIGHT_EAR,
    RIGHT_EYE,
    RIGHT_HIP,
    RIGHT_SHOULDER,
)
from understudy.poses.similarity import edge_to_edge

HEAD = [NOSE, LEFT_EYE, RIGHT_EYE, LEFT_EAR, RIGHT_EAR]
PER_SPREAD = 4.2
"""side of the square over the largest distance between two points of the head"""
PER_NECK = 2.1
"""side of the square over the distance from the neck, between the shoulders, to the nose"""
PER_TRUNK = 1.0
"""side of the square over the distance from the neck to the middle of the hips: somewhat little for most people"""
SMALLEST = 8.0
"""pixels: a smaller square is of no use"""
BORDER = 0.125
"""share of the side, on each side, over which a residual fades out"""


def face_boxes(xy: Tensor, seen: Tensor, smallest: float = SMALLEST) -> tuple[Tensor, Tensor, Tensor]:
    """A square about the nose of each picture.

    Its side is the largest of three estimates, since each is at times too small and hardly ever too large: the points
    of the head lie close together in profile, the nose lies close to the neck when the head is bent towards the
    camera, and the trunk, steadiest of all, is short when somebody bows.

    Args:
        xy: `(B, 133, 2)` pixels (x right, y down; whole numbers are pixel centres).
        seen: `(B, 133)` bool.
        smallest: pixels: a smaller square is of no use.

    Returns:
        Centres `(B, 2)` and sides `(B,)` in pixels, and whether there is a face, `(B,)` bool: nose and, for the size,
        another point of the head or both shoulders seen. Where there is none, the centre is 0 and the side `smallest`.
    """
    head, head_seen = xy[:, HEAD], seen[:, HEAD]
    pairs = head_seen[:, :, None] & head_seen[:, None, :]
    apart = (head[:, :, None] - head[:, None, :]).norm(dim=-1)
    spread = torch.where(pairs, apart, 0.0).amax(dim=(1, 2))
    neck, shoulders_seen = _middle(xy, seen, [LEFT_SHOULDER, RIGHT_SHOULDER])
    hips, hips_seen = _middle(xy, seen, [LEFT_HIP, RIGHT_HIP])
    reach = torch.where(shoulders_seen, (xy[:, NOSE] - neck).norm(dim=-1), 0.0)
    trunk = torch.where(shoulders_seen & hips_seen, (hips - neck).norm(dim=-1), 0.0)
    sides = torch.stack([PER_SPREAD * spread, PER_NECK * reach, PER_TRUNK * trunk]).amax(0)
    usable = seen[:, NOSE] & (sides >= smallest)
    centres = torch.where(usable[:, None], xy[:, NOSE], 0.0)
    return centres, torch.where(usable, sides, smallest), usable


def _middle(xy: Tensor, seen: Tensor, points: list[int]) -> tuple[Tensor, Tensor]:
    """Midpoint `(B, 2)` of some points, and whether all of them are seen, `(B,)`."""
    return xy[:, points].mean(1), seen[:, points].all(1)


def cut(frames: Tensor, centres: Tensor, sides: Tensor, out: int) -> Tensor:
    """The squares of `face_boxes`, resampled; the edge pixel is repeated beyond the frame's edge.

    Args:
        frames: `(B, C, H, W)`.
        centres: `(B, 2)` pixels.
        sides: `(B,)` pixels; up to about twice `out`, beyond which pixels would be skipped.
        out: pixels: side of what comes out.

    Returns:
        `(B, C, out, out)`, differentiable with respect to the frames.
    """
    height, width = frames.shape[-2:]
    # as if the square were one pixel, whose middle is 0
    steps = edge_to_edge(torch.arange(out, device=frames.device, dtype=torch.float32), shrink=out)
    offset = sides[:, None].float() * steps  # (B, out)
    x = (centres[:, :1] + offset + 0.5) * (2 / width) - 1
    y = (centres[:, 1:] + offset + 0.5) * (2 / height) - 1
    grid = torch.stack([x[:, None, :].expand(-1, out, -1), y[:, :, None].expand(-1, -1, out)], dim=-1)
    # In float32 whatever the frames are: half-precision positions are off by whole pixels
    patches = F.grid_sample(frames.float(), grid, mode="bilinear", padding_mode="border", align_corners=False)
    return patches.to(frames.dtype)


def put_back(frames: Tensor, residuals: Tensor, centres: Tensor, sides: Tensor, usable: Tensor) -> Tensor:
    """Adds residuals to the squares they were made for; they fade out towards the border, which leaves no seam.

    Args:
        frames: `(B, C, H, W)`.
        residuals: `(B, C, out, out)` for squares cut by `cut`.
        centres, sides: of `face_boxes`.
        usable: of `face_boxes`; or how much of the residual to add, `(B,)` in [0, 1], where faces come and go.

    Returns:
        `(B, C, H, W)`: `frames` exactly, outside the squares and where `usable` is 0; not clamped.
    """
    height, width = frames.shape[-2:]
    across = torch.arange(width, device=frames.device, dtype=torch.float32)
    down = torch.arange(height, device=frames.device, dtype=torch.float32)
    x = (across - centres[:, :1]) * (2 / sides[:, None])  # (B, W), -1 to 1 within the square
    y = (down - centres[:, 1:]) * (2 / sides[:, None])
    grid = torch.stack([x[:, None, :].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)], dim=-1)
    added = F.grid_sample(residuals.float(), grid, mode="bilinear", padding_mode="border", align_corners=False)
    weight = fade(x)[:, None, :] * fade(y)[:, :, None] * usable[:, None, None]
    return frames + (added * weight[:, None]).to(frames.dtype)


def fade(position: Tensor) -> Tensor:
    """How much of a crop counts at positions across it: 1 in the middle, falling smoothly to 0 at -1 and 1."""
    ramp = ((1 - position.abs()) / (2 * BORDER)).clamp(0, 1)
    return ramp * ramp * (3 - 2 * ramp)
