"""B2F of "Single-Shot Freestyle Dance Reenactment" (Gafni et al. 2021, section 3.2): a body in labels to a picture.

The person's looks, a vector, become a tensor 4x4 once; for every frame it is doubled in size again and again, by
blocks that see the body's labels at each size.

Beyond the paper, "copy visible texture": where a photograph shows a place, the network may say to copy it instead of
painting it. It is given K pictures of the person warped to the pose, and says for every pixel how much of each counts,
and by how much farther they are looked up.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from understudy.networks.refiner import PICTURE, STILL, looked_up
from understudy.networks.spade import SLOPE, SPADEBlock

Box = tuple[slice, slice]
"""rows and columns of a picture, each with both ends"""

BEGINNING = 4
"""side of the tensor that the person's looks become"""
PRINTED_WIDTHS = (1024, 1024, 512, 256, 128, 64, 32)
"""channels behind each doubling: seven doublings are printed; their widths are Park et al.'s for 512 pixels"""
CUT_OUT = 3.0
"""logit of the person in m, with copies: a network that has learnt nothing yet cuts out along the labels"""
FALLING = 1.0
"""by how much the logit of each copy lies above the next one's, and that of the last above painting's: a network that
has learnt nothing yet copies, and the sharpest first"""
SHARPENED = 3.0
"""times the logits where frames are played: two copies at one place are a double print"""
FINEST = 2
"""levels that cost most, and may be left out where nobody is"""
SURE = 8.0
"""logits of the choice stay within this, so that something always counts"""


class Frame(NamedTuple):
    """What B2F makes of a body."""

    z: Tensor
    """(B, 3, H, W) in [-1, 1]: the person, anything elsewhere"""
    mask: Tensor
    """(B, 1, H, W) in (0, 1): m, where z is to be seen"""
    painted: Tensor
    """(B, 1, H, W) in [0, 1]: how much of z was painted; the rest was copied. All of it without copies"""


class Said(NamedTuple):
    """What B2F says of a body, before anything is copied."""

    z: Tensor
    """(B, 3, H, W) in [-1, 1]: painted"""
    mask: Tensor
    """(B, 1, H, W) in (0, 1): m"""
    logits: Tensor | None
    """(B, K + 1, H, W): how much each copy and what was painted count; None without copies"""
    flow: Tensor | None
    """(B, 2, H, W) pixels x, y: how much farther copies are looked up; None where they are not"""


class FrameGenerator(nn.Module):
    """e_z and a map of labels to z and m, eq. 6.

    Args:
        embedding: length of e_z.
        labels: channels of the map.
        size_hw: of the picture. The height is 4 doubled once or more often; the width is at most that, and a share of
            it that comes out whole, and with as many columns left over on both sides, at one of the doublings. There
            the rest is cut off: the paper's 512x320 comes of 16x16, of which the middle 10 columns go on.
        first: channels of the tensor 4x4.
        widths: channels behind each doubling, one SPADE block each.
        hidden, shared: see `SPADEBlock`.
        copies: K, 0 for the paper's network.
        most_flow: pixels: how much farther a copy may be looked up.
        shuffled: 1 where the last doubling makes the picture's size; 2 where the picture is twice as high as that, four
            of its pixels being channels of one place (Shi et al. 2016). Not the paper's: no doubling is dearer than its
            last.

    Raises:
        ValueError: a size that does not come out, or copies below 0.
    """

    def __init__(
        self,
        embedding: int,
        labels: int,
        size_hw: tuple[int, int] = (512, 320),
        *,
        first: int = 1024,
        widths: tuple[int, ...] = PRINTED_WIDTHS,
        hidden: int = 128,
        shared: bool = False,
        copies: int = 0,
        most_flow: float = 8.0,
        shuffled: int = 1,
    ):
        super().__init__()
        if copies < 0 or shuffled not in (1, 2):
            raise ValueError(f"copies must be at least 0 and shuffled 1 or 2, not {copies} and {shuffled}")
        self.size_hw, self.copies, self.most_flow, self.shuffled = size_hw, copies, most_flow, shuffled
        self.first = first
        self.sizes, self.cut_at = _sizes((size_hw[0] // shuffled, size_hw[1] // shuffled), len(widths))
        seen = labels + PICTURE * copies
        self.looks = nn.Linear(embedding, first * BEGINNING**2)
        self.blocks = nn.ModuleList(
            SPADEBlock(before, after, seen, hidden, shared) for before, after in itertools.pairwise((first, *widths))
        )
        told = 3 + 1 + (copies + 1 + 2 if copies else 0)
        self.output = nn.Conv2d(widths[-1], told * shuffled**2, 3, padding=1)

    @property
    def grain(self) -> int:
        """Pixels of the picture, across and down, that are one at the coarsest of the finest levels."""
        return self.size_hw[0] // self.sizes[-FINEST][0]

    def tensor(self, e_z: Tensor) -> Tensor:
        """e_z `(B, embedding)` -> `(B, first, 4, 4)`: all that is said of a person, so once a person is enough."""
        return self.looks(e_z).view(-1, self.first, BEGINNING, BEGINNING)  # type: ignore[no-any-return]

    def decode(self, tensor: Tensor, labels: Tensor, copied: Tensor | None = None, *, played: bool = False) -> Frame:
        """One picture of a person for each body: `say`, and `shown` with the same copies; the arguments are `say`'s."""
        return shown(self.say(tensor, labels, copied, played=played), copied)

    def say(
        self,
        tensor: Tensor,
        labels: Tensor,
        copied: Tensor | None = None,
        *,
        played: bool = False,
        part: Box | None = None,
    ) -> Said:
        """What is to be where, of each body.

        Args:
            tensor: of `tensor`, `(B, first, 4, 4)`, or `(1, ...)` for one person in B poses.
            labels: `(B, labels, H, W)` in [0, 1], share of each label at a pixel; the first is nobody's.
            copied: `(B, K, 4, H, W)` premultiplied RGBA in [0, 1]; None where K is 0.
            played: a residual flow of up to a pixel is none. What is looked up between pixels loses its sharpness, so
                that a hint costs more than it gives; while training, hints are how it learns.
            part: rows and columns of the picture, outside of which nobody is: H and W are theirs, and nothing is said
                of the rest. All ends are multiples of `grain`. The coarser levels see all of the picture, so that a few
                pixels along the edges alone come out otherwise. None is all of it.

        Raises:
            ValueError: pictures of another size, or another number of copies.
        """
        count = 0 if copied is None else copied.shape[1]
        rows, columns = part or (slice(0, self.size_hw[0]), slice(0, self.size_hw[1]))
        for edge, side in zip((rows, columns), self.size_hw, strict=True):
            if edge.start % self.grain or edge.stop % self.grain or not 0 <= edge.start < edge.stop <= side:
                raise ValueError(f"no part of the picture from one multiple of {self.grain} to another: {edge}")
        size_hw = rows.stop - rows.start, columns.stop - columns.start
        if tuple(labels.shape[-2:]) != size_hw or count != self.copies:
            raise ValueError(
                f"made for {self.copies} copies at {size_hw[0]}x{size_hw[1]}, "
                f"not {count} at {labels.shape[-2]}x{labels.shape[-1]}"
            )
        seen = labels if copied is None else torch.cat([labels, copied.flatten(1, 2).to(labels.dtype)], dim=1)
        seen = seen.contiguous(memory_format=torch.channels_last)  # averages over many channels are faster so
        x = tensor.expand(len(labels), *tensor.shape[1:])
        maps = self._maps(seen, (rows, columns))
        for level, (block, shares) in enumerate(zip(self.blocks, maps, strict=True)):
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            if level == self.cut_at:
                spare = (x.shape[-1] - self.sizes[level][1]) // 2
                x = x[..., spare : spare + self.sizes[level][1]]
            if level == len(self.blocks) - FINEST:
                down, across = self._at(level, (rows, columns))
                x = x[..., down, across]
            x = block(x, shares)
        told = self.output(F.leaky_relu(x, SLOPE))
        told = (F.pixel_shuffle(told, self.shuffled) if self.shuffled > 1 else told).float().contiguous()
        z = torch.tanh(told[:, :3])
        if copied is None:
            return Said(z, torch.sigmoid(told[:, 3:4]), None, None)
        person = 1 - labels[:, :1].float()
        mask = torch.sigmoid(told[:, 3:4] + CUT_OUT * (2 * person - 1))
        first = FALLING * torch.arange(self.copies, -1, -1, device=told.device).view(1, -1, 1, 1)
        logits, flow = told[:, 4 : 5 + self.copies] + first, self.most_flow * torch.tanh(told[:, 5 + self.copies :])
        if played:
            logits = SHARPENED * logits
            far = flow.square().sum(dim=1, keepdim=True).sqrt()
            flow = flow * ((far - STILL) / STILL).clamp(0, 1)
            if not flow.any():
                return Said(z, mask, logits, None)
        return Said(z, mask, logits, flow)

    def forward(self, e_z: Tensor, labels: Tensor, copied: Tensor | None = None) -> Frame:
        """(z, m) = B2F(P^M, e_z), eq. 6: `tensor` and `decode`, as it is trained."""
        return self.decode(self.tensor(e_z), labels, copied)

    def _maps(self, seen: Tensor, part: Box) -> list[Tensor]:
        """What is seen at the size of each block: averages over what a place covers, nothing beyond the picture.

        The finest are of the part alone, the others of all of the picture.
        """
        maps: list[Tensor] = []
        for level in reversed(range(len(self.sizes))):
            if level == len(self.sizes) - FINEST - 1:
                seen = self._with_nobody_around(seen, part)
            if level + 1 == self.cut_at:  # from here on down, the tensor is wider than the picture
                spare = (self.sizes[level + 1][0] - seen.shape[-1]) // 2
                seen = F.pad(seen, (spare, spare))
            times = 2 if maps else self.shuffled
            seen = F.avg_pool2d(seen, times) if times > 1 else seen
            maps.append(seen)
        return maps[::-1]

    def _with_nobody_around(self, seen: Tensor, part: Box) -> Tensor:
        """What is seen in a part of the coarsest of the finest levels, in all of that level."""
        level = len(self.sizes) - FINEST
        if tuple(seen.shape[-2:]) == self.sizes[level]:
            return seen
        whole = seen.new_zeros(*seen.shape[:2], *self.sizes[level]).contiguous(memory_format=torch.channels_last)
        whole[:, 0] = 1
        rows, columns = self._at(level, part)
        whole[..., rows, columns] = seen
        return whole

    def _at(self, level: int, part: Box) -> Box:
        """A part of the picture in places of a level."""
        coarser = self.size_hw[0] // self.sizes[level][0]
        rows, columns = (slice(edge.start // coarser, edge.stop // coarser) for edge in part)
        return rows, columns


def shown(said: Said, copied: Tensor | None = None) -> Frame:
    """What was said, carried out with pictures to copy from, `(B, K, 4, H, W)` premultiplied RGBA in [0, 1]."""
    if said.logits is None or copied is None:
        return Frame(said.z, said.mask, torch.ones_like(said.mask))
    z, painted = chosen(said.z, copied if said.flow is None else moved(copied, said.flow), said.logits)
    return Frame(z, said.mask, painted)


def enlarged(said: Said, times: int) -> Said:
    """The same said of pictures that are so many times larger: what is copied from them stays as fine as they are."""
    if times == 1:
        return said

    def larger(maps: Tensor) -> Tensor:
        return F.interpolate(maps, scale_factor=float(times), mode="bilinear", align_corners=False)

    logits = None if said.logits is None else larger(said.logits)
    return Said(larger(said.z), larger(said.mask), logits, None if said.flow is None else times * larger(said.flow))


def moved(copied: Tensor, flow: Tensor) -> Tensor:
    """Pictures `(B, K, 4, H, W)` premultiplied, all looked up `flow` `(B, 2, H, W)` pixels x, y away."""
    found = looked_up(copied.flatten(1, 2).float(), flow).view(copied.shape)
    alpha = found[:, :, 3:].clamp(0, 1)
    return torch.cat([found[:, :, :3].clamp(min=0).minimum(alpha), alpha], dim=2)


def chosen(z: Tensor, copied: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    """sum_k w_k copy_k + w z, where w are softmax shares that count a copy by its alpha: nothing where that is 0.

    Args:
        z: `(B, 3, H, W)` in [-1, 1], painted.
        copied: `(B, K, 4, H, W)` premultiplied RGBA in [0, 1].
        logits: `(B, K + 1, H, W)`, of the copies and of z.

    Returns:
        `(B, 3, H, W)` in [-1, 1], and the share w of what was painted, `(B, 1, H, W)`.
    """
    share = F.softmax(SURE * torch.tanh(logits / SURE), dim=1)
    own, alpha = share[:, -1:], copied[:, :, 3]
    counted = (share[:, :-1] * alpha).sum(dim=1, keepdim=True) + own
    colours = 2 * copied[:, :, :3] - copied[:, :, 3:]  # premultiplied still, of values in [-1, 1]
    mixed = ((share[:, :-1, None] * colours).sum(dim=1) + own * z) / counted
    return mixed, own / counted


def blended(frame: Frame, background: Tensor) -> Tensor:
    """f^0 = z m + b (1 - m), eq. 7: `(B, 3, H, W)` in [-1, 1], for a background b of that shape and range."""
    return frame.z * frame.mask + background * (1 - frame.mask)


def _sizes(size_hw: tuple[int, int], doublings: int) -> tuple[list[tuple[int, int]], int | None]:
    """Height and width behind each doubling, and the one at which columns are cut off; None where none are."""
    height, width = size_hw
    sides = [BEGINNING * 2 ** (level + 1) for level in range(doublings)]
    if height != sides[-1] or not 0 < width <= height:
        raise ValueError(f"{height}x{width} is not 4 doubled {doublings} times, and at most as wide as high")
    if width == height:
        return [(side, side) for side in sides], None
    for level, side in enumerate(sides):
        kept, rest = divmod(side * width, height)
        if rest == 0 and (side - kept) % 2 == 0:
            return [(one, one if at < level else one * width // height) for at, one in enumerate(sides)], level
    raise ValueError(f"{height}x{width} cannot be cut from the middle of a square: make the width even")
