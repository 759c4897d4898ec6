"""A performance as tensors that stay on the device, and the one transform that moves poses, frames and flow alike.

Positions are in pixels; whole numbers are pixel centres. A transform is a 2x3 matrix from a clip's own pixels to
the recipe's picture; alignment, change of size and augmentation are multiplied into one, so pictures are sampled once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from understudy.base.frame_store import FrameStore, Rows, on_device
from understudy.base.progress import progress_bar
from understudy.errors import TrainingError
from understudy.performance import FOUND, INTERPOLATED
from understudy.poses.edges import cut_off_ends, filmed_box
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity
from understudy.retargeting.alignment import Alignment

if TYPE_CHECKING:
    from understudy.performance import Performance

Size = int | tuple[int, int]
"""pixels: side of a square picture, or height and width"""


@dataclass(frozen=True)
class Clip:
    """One clip on the device. T frames, J joints: OpenPose's 18, or all 133 points."""

    xy: Tensor
    """(T, J, 2) float32, in the clip's own working pixels"""
    seen: Tensor
    """(T, J) bool"""
    windows: Tensor
    """(M,) int64: first frames of the runs of N consecutive usable frames"""
    to_picture: Tensor
    """(2, 3) float32: from working pixels to the recipe's picture, without augmentation"""
    flow: Tensor | Rows
    """(T, 2, h, w) float16: backward flow in working pixels; empty for a clip that is read for its frames"""
    frames: Tensor | Rows
    """(T, 3, H, W) uint8: the person over the flat colour, or as filmed; empty for a clip that is read for its poses.
    With alpha (T, 4, H, W): the matte after it"""
    working_size: int
    """pixels: side of the working frame that `xy` refers to"""
    colour: tuple[int, int, int] | None
    """the flat colour behind the person and around the frame, RGB 0-255"""
    poses: Pose | None = None
    """the T poses that `xy` and `seen` were taken from, in the clip's own working pixels"""

    def resized(self, ratio: float) -> Clip:
        """The same clip for a picture of `ratio` times the size."""
        return replace(self, to_picture=chained(_resize(ratio, self.to_picture), self.to_picture))

    def joints(self, moment: Tensor, transform: Tensor) -> tuple[Tensor, Tensor]:
        """Joints at frames `moment` `(B, N)`, moved by `transform` `(B, 2, 3)`: `(B, N, J, 2)` and seen `(B, N, J)`."""
        xy = torch.einsum("bij,bnkj->bnki", transform[:, :, :2], self.xy[moment]) + transform[:, None, None, :, 2]
        return xy, self.seen[moment]

    def all_joints(self) -> tuple[Tensor, Tensor]:
        """Joints of every frame in the recipe's picture, without augmentation: `(T, J, 2)` and seen `(T, J)`."""
        return self.xy @ self.to_picture[:, :2].T + self.to_picture[:, 2], self.seen

    def poses_in(self, size: int) -> Pose:
        """The poses in pixels of the recipe's `size` x `size` picture, without augmentation."""
        assert self.poses is not None
        return Similarity.from_matrix(self.to_picture.cpu().numpy()).of_pose(self.poses, (size, size))

    def frames_at(self, moment: Tensor, transform: Tensor, size: Size) -> Tensor:
        """Frames `moment` `(B,)`, moved by `transform` `(B, 2, 3)`: `(B, C, *size_hw)` float in [-1, 1].

        C is 3, or 4 for a clip with alpha, which is -1 where nothing of the person is.
        """
        assert self.colour is not None
        pictures = self.frames[moment].float() / 127.5 - 1
        shrink = self.working_size / pictures.shape[-1]
        size_hw = _hw(size)
        as_stored = size_hw == (pictures.shape[-1], pictures.shape[-1])
        if as_stored and torch.equal(transform, _resize(size_hw[0] / self.working_size, transform)):
            return pictures
        outside = (*self.colour, 0)[: pictures.shape[1]]
        background = torch.tensor(outside, device=pictures.device).view(1, -1, 1, 1) / 127.5 - 1
        # What lies outside the frame is the flat colour: zero, once the flat colour is subtracted
        return _sample(pictures - background, transform, shrink, size_hw) + background

    def flow_at(self, moment: Tensor, transform: Tensor, size: Size) -> Tensor:
        """Backward flow of frames `moment`, its field and its vectors moved by `transform`: `(B, 2, *size_hw)`."""
        field = self.flow[moment].float()
        sampled = _sample(field, transform, self.working_size / field.shape[-1], _hw(size))
        return torch.einsum("bij,bjhw->bihw", transform[:, :, :2], sampled)


def _resize(ratio: float, like: Tensor) -> Tensor:
    """Transforms `(..., 2, 3)` that change the size alone: neither alignment nor augmentation."""
    return like.new_tensor(Similarity.resized(ratio).matrix).expand_as(like)


def _hw(size: Size) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def _sample(field: Tensor, transform: Tensor, shrink: float, size_hw: tuple[int, int]) -> Tensor:
    """Looks up `field` `(B, C, h, w)`, one cell every `shrink` pixels, on the grid of the picture; 0 outside."""
    height, width = field.shape[-2:]
    back = _inverse(transform)  # picture -> working pixels
    rows, columns = (torch.arange(length, device=field.device, dtype=torch.float32) for length in size_hw)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    picture = torch.stack([x, y, torch.ones_like(x)], dim=-1)  # (H, W, 3)
    # From pixel centres to edges: the field's cells and the pixels they cover share the frame's edges
    position = (torch.einsum("bij,hwj->bhwi", back, picture) + 0.5) / shrink
    grid = position * (2 / torch.tensor([width, height], device=field.device)) - 1
    return F.grid_sample(field, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _inverse(transform: Tensor) -> Tensor:
    linear = torch.linalg.inv(transform[:, :, :2])
    return torch.cat([linear, -linear @ transform[:, :, 2:]], dim=2)


def chained(after: Tensor, before: Tensor) -> Tensor:
    """The transform `(..., 2, 3)` that does `before` and then `after`, both `(..., 2, 3)`."""
    linear = after[..., :2] @ before[..., :2]
    return torch.cat([linear, after[..., :2] @ before[..., 2:] + after[..., 2:]], dim=-1)


def random_similarity(
    rng: np.random.Generator, base: Tensor, count: int, size: Size, degrees: float, zoom: float, shift: float
) -> Tensor:
    """`count` random rotations, scalings and shifts of the picture about its centre, each after `base`.

    Args:
        base: `(2, 3)` transform to the picture.
        size: side of the picture in pixels, or its height and width.
        degrees: the angle is drawn from -degrees to degrees.
        zoom: the scale is drawn, evenly in its logarithm, from 1 / (1 + zoom) to 1 + zoom.
        shift: each shift is drawn from -shift to shift, as a share of the side it goes along.

    Returns:
        `(count, 2, 3)`; `base` repeated, exactly, when all three are 0.
    """
    if not degrees and not zoom and not shift:
        return base.expand(count, 2, 3)
    angle = np.radians(rng.uniform(-degrees, degrees, count))
    scale = np.exp(rng.uniform(-1, 1, count) * np.log1p(zoom))
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.stack([np.stack([cosine, -sine], 1), np.stack([sine, cosine], 1)], 1)  # (B, 2, 2)
    width_height = np.array(_hw(size)[::-1])
    centre = (width_height - 1) / 2
    offset = centre + rng.uniform(-shift, shift, (count, 2)) * width_height - linear @ centre
    moved = torch.from_numpy(np.concatenate([linear, offset[:, :, None]], 2)).to(base)  # (B, 2, 3)
    homogeneous = torch.cat([base, base.new_tensor([[0.0, 0.0, 1.0]])])
    return moved @ homogeneous


def read_clip(
    performance: Performance,
    alignment: Alignment | None,
    colour: tuple[int, int, int] | None,
    consecutive: int,
    seen_above: float,
    size: int,
    reference_size: int,
    device: torch.device,
    *,
    all_points: bool = False,
    as_filmed: bool = False,
    with_alpha: bool = False,
    own_edges: bool = False,
    at_least: int = 0,
    store: FrameStore | None = None,
) -> Clip:
    """Loads what training needs of a performance, once.

    Args:
        alignment: with the reference; None for the reference itself.
        colour: lay the person over this colour and keep the frames; None keeps poses and flow instead.
        consecutive: frames a window.
        seen_above: confidence above which a joint counts as seen.
        size: side of the recipe's picture in pixels.
        reference_size: side of the reference's working frame in pixels.
        device: where the tensors stay.
        all_points: keep the 133 points instead of OpenPose's 18 joints.
        as_filmed: keep the frames with their background; `colour` is then only what lies outside them.
        with_alpha: keep the matte with the frames, as their fourth channel.
        own_edges: give edges the person's own colours instead of those filmed, which the room shows through, and narrow
            a matte from segmentation a little: see `compositing.clean_edges`. Not for frames as filmed.
        at_least: windows that are needed.
        store: where frames and flow are kept; None keeps them on the device.

    Raises:
        TrainingError: the clip has fewer windows.
    """
    store = store or on_device(device)
    working_size = performance.header.size_hw[0]
    resized = Similarity.resized(size / reference_size)
    to_picture = (resized if alignment is None else resized @ alignment).matrix.astype(np.float32)
    poses = performance.poses if alignment is None else alignment.named(performance.poses)
    xy, confidence = (poses.xy, poses.confidence) if all_points else poses.openpose18()
    if colour is None:
        starts = windows(performance.status >= INTERPOLATED, consecutive)
    else:
        starts = _windows_to_learn_from(performance, consecutive, at_least)
    if len(starts) < at_least:
        many = "" if len(starts) == 1 else "s"
        what = f"frame{many}" if consecutive == 1 else f"run{many} of {consecutive} frames"
        raise TrainingError(
            f"{performance.header.source_name} has {len(starts)} {what} with a person in them; "
            f"training needs at least {at_least}, and a minute of footage to be any good"
        )
    if colour is None:
        frames: Tensor | Rows = torch.zeros((0, 3, size, size), dtype=torch.uint8, device=device)
        flow = store.keep_mapped(performance.flow(), (2, 0, 1), f"flow of {performance.header.source_name}")
    else:
        side = min(working_size, 2 * size)
        pictures = _frames_over(performance, None if as_filmed else colour, side, with_alpha, own_edges)
        shape = (len(performance), 4 if with_alpha else 3, side, side)
        frames = store.keep(pictures, shape, torch.uint8, f"frames of {performance.header.source_name}")
        flow = torch.zeros((0, 2, 1, 1), dtype=torch.float16, device=device)
    return Clip(
        torch.from_numpy(np.asarray(xy, np.float32)).to(device),
        torch.from_numpy(confidence > seen_above).to(device),
        torch.from_numpy(starts).to(device),
        torch.from_numpy(to_picture).to(device),
        flow,
        frames,
        working_size,
        colour,
        poses,
    )


def _windows_to_learn_from(performance: Performance, consecutive: int, at_least: int) -> npt.NDArray[np.int64]:
    """Windows whose frames show somebody, without those that the picture's edge cuts a hand or foot off in.

    With those, where they are more than half, or too few are left: what the edge cuts off is then not to be had whole.
    """
    header = performance.header
    found = performance.status >= FOUND
    filmed = filmed_box(header.crop, header.original_size_hw, header.size_hw[0])
    whole = windows(found & ~cut_off_ends(performance.poses, filmed).any(axis=1), consecutive)
    every = windows(found, consecutive)
    return whole if len(whole) >= max(at_least, len(every) / 2) else every


def windows(usable: npt.NDArray[np.bool_], consecutive: int) -> npt.NDArray[np.int64]:
    """First frames of all runs of `consecutive` usable frames. usable `(T,)` -> `(M,)`."""
    if len(usable) < consecutive:
        return np.zeros(0, np.int64)
    runs = np.lib.stride_tricks.sliding_window_view(usable, consecutive).all(axis=1)
    return np.flatnonzero(runs).astype(np.int64)


def _frames_over(
    performance: Performance,
    colour: tuple[int, int, int] | None,
    side: int,
    with_alpha: bool = False,
    own_edges: bool = False,
) -> Iterator[npt.NDArray[np.uint8]]:
    """`(3, side, side)`: every working frame with its background replaced by a flat colour, or kept.

    With alpha `(4, side, side)`: the matte as well.
    """
    import cv2  # here, because training on tensors that are there already does without

    from understudy.compositing.cutouts import SEGMENTED_TOO_WIDE, clean_edges

    flat = np.array(colour or (0, 0, 0), np.float32)
    too_wide = SEGMENTED_TOO_WIDE if performance.header.matte == "auto" else 0.0
    with progress_bar("loading", len(performance)) as advance:
        for frame, matte in zip(performance.frames(), performance.mattes(), strict=True):
            shown: npt.NDArray[Any] = frame
            if own_edges and colour is not None:
                shown, opacity = clean_edges(frame, matte, too_wide)
                matte = np.asarray(255 * opacity + 0.5, np.uint8)
            alpha = matte[..., None].astype(np.float32) / 255 if colour is not None else np.float32(1)
            over = alpha * shown + (1 - alpha) * flat
            shrunk = cv2.resize(over, (side, side), interpolation=cv2.INTER_AREA) if side != len(over) else over
            picture = (shrunk + 0.5).astype(np.uint8).transpose(2, 0, 1)
            if with_alpha:
                picture = np.concatenate([picture, cv2.resize(matte, (side, side), interpolation=cv2.INTER_AREA)[None]])
            yield picture
            advance()


def streamed_frames(
    performance: Performance,
    alignment: Alignment,
    colour: tuple[int, int, int],
    size: int,
    reference_size: int,
    batch: int,
) -> Iterator[Tensor]:
    """`(B, 3, size, size)` in [-1, 1]: all frames over a colour and aligned, in order, no more than `batch` in memory.

    Arguments as of `read_clip`, whose frames these are.
    """
    working_size = performance.header.size_hw[0]
    matrix = (Similarity.resized(size / reference_size) @ alignment).matrix.astype(np.float32)
    to_picture, nothing = torch.from_numpy(matrix), torch.zeros(0)
    pictures = _frames_over(performance, colour, min(working_size, 2 * size))
    while some := list(islice(pictures, batch)):
        frames = torch.from_numpy(np.stack(some))
        clip = Clip(nothing, nothing, nothing, to_picture, nothing, frames, working_size, colour)
        yield clip.frames_at(torch.arange(len(some)), to_picture.expand(len(some), 2, 3), size)


CLEAR_OF_PERSON = 60.0
"""RGB distance that tells the flat colour from the person's own, with room for a generator's noise"""


def flat_colour(performance: Performance, samples: int = 24) -> tuple[int, int, int]:
    """The colour to lay behind the person: clear of nearly all that is worn, and otherwise as near to the room's.

    Clear, because the performer is later cut out by distance from this colour. Near to the room, because what is left
    of it in a blurred edge then shows least, and because a loud colour would make the outline outweigh everything
    inside it: over magenta, the farthest colour from most people, a generator got skin and clothes right only after
    several times as many steps.
    """
    levels = np.linspace(24, 232, 14, dtype=np.float32)  # off 0 and 255, where tanh saturates
    candidates = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 3)
    worn, behind = [np.zeros((0, 3), np.uint8)], [np.zeros((0, 3), np.uint8)]
    for i in np.unique(np.linspace(0, len(performance) - 1, samples).astype(int)):
        frame, matte = next(performance.frames(i, i + 1)), next(performance.mattes(i, i + 1))
        # As many pixels of a larger frame as of one of 256: the distances of all of 1024 would take gigabytes
        sparser = max(1, len(frame) // 256) ** 2
        worn.append(frame[matte > 250][:: 11 * sparser])
        behind.append(frame[matte < 5][:: 101 * sparser])
    person, room = np.concatenate(worn).astype(np.float32), np.concatenate(behind).astype(np.float32)
    wanted = room.mean(axis=0) if len(room) else np.full(3, 128, np.float32)
    if not len(person):
        return (128, 128, 128)
    least = np.quantile(_distances(person, levels), 0.01, axis=1)
    clear = candidates[least >= min(CLEAR_OF_PERSON, float(least.max()))]
    red, green, blue = clear[np.linalg.norm(clear - wanted, axis=1).argmin()]
    return int(red), int(green), int(blue)


def _distances(colours: npt.NDArray[np.float32], levels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(L^3, N) from each colour of the grid, red slowest, to each of (N, 3): squares are shared between its colours."""
    red, green, blue = (np.square(colours[:, channel] - levels[:, None]) for channel in range(3))  # (L, N) each
    squared = (red[:, None] + green)[:, :, None] + blue
    distances: npt.NDArray[np.float32] = np.sqrt(squared, out=squared).reshape(len(levels) ** 3, -1)
    return distances
