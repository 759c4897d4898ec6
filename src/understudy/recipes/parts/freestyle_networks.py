"""The networks of Single-Shot Freestyle Dance Reenactment (Gafni et al. 2021) as a config has them, and what they see.

Shape letters: B samples, H x W the frame, L = 22 labels, F = 5 labels of the face, E the length of e_z.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from understudy.body.labels import FACE_LABELS, LABELS, SEGMENTS
from understudy.networks.face_refiner import FaceRefiner
from understudy.networks.frame_generator import FrameGenerator
from understudy.networks.label_generator import LabelGenerator
from understudy.networks.pix2pixhd import MultiScaleDiscriminator
from understudy.recipes.parts.freestyle_reenactment_config import Config

Extractor = Callable[[Tensor], Sequence[Tensor]]
"""pictures `(B, 3, h, w)` in [-1, 1] -> maps `(B, C, s, s)` at falling sizes; a face's last may be `(B, C)`"""

PARTS_SEEN = len(LABELS) + len(FACE_LABELS) - 1
"""channels of what B2F is conditioned on: the body's labels, and the face's without "none" """
BELIEF, DOUBT = 5.0, 2.0
"""logits: of a label that was copied, and against all others there"""
SMOOTHED = 5
"""pixels of P2B's pictures over which they are averaged"""
SURFACE, STICK = 3, 3
"""channels of P^D (I, U, V) and of P^S (red, green, blue)"""


def p2b_for(config: Config) -> LabelGenerator:
    """P2B with fresh weights: p^M*, P^D and P^S in, P^M out."""
    seen = len(LABELS) * (2 if config.copies else 1) + SURFACE + STICK
    return LabelGenerator(
        seen, len(LABELS), config.p2b_width, config.p2b_downsamplings, config.p2b_blocks, config.p2b_kernel
    )


def b2f_for(config: Config) -> FrameGenerator:
    """B2F with fresh weights."""
    return FrameGenerator(
        config.embedding,
        PARTS_SEEN,
        config.size_hw,
        first=config.b2f_first,
        widths=config.b2f_widths,
        hidden=config.b2f_hidden,
        shared=config.b2f_shared,
        copies=config.copies,
        most_flow=config.most_flow,
        shuffled=config.b2f_shuffled,
    )


def fr_for(config: Config) -> FaceRefiner:
    """FR with fresh weights."""
    return FaceRefiner(config.face_embedding, config.fr_widths)


def judges_for(config: Config) -> tuple[MultiScaleDiscriminator, MultiScaleDiscriminator, MultiScaleDiscriminator]:
    """D of each network: two that see labels alone (eq. 10), two that see labels and frame (eq. 14), one for faces."""
    width = config.discriminator_width
    return (
        MultiScaleDiscriminator(len(LABELS), width, scales=2),
        MultiScaleDiscriminator(PARTS_SEEN + 3, width, scales=2),
        MultiScaleDiscriminator(3, width, scales=1),
    )


def one_hot(labels: Tensor, count: int) -> Tensor:
    """Whole numbers `(B, H, W)` below `count` -> `(B, count, H, W)` float32, 1 where a pixel has that number.

    A pixel's channels lie together in memory: averages over so many channels are several times as fast.
    """
    return F.embedding(labels.int(), torch.eye(count, device=labels.device)).permute(0, 3, 1, 2)


def label_shares(labels: Tensor, shrink: int) -> Tensor:
    """Label maps `(B, H, W)` -> `(B, L, H / shrink, W / shrink)` float32: how much of each place has which label."""
    count, height, width = labels.shape
    rows, columns = height // shrink, width // shrink
    row, column = (torch.arange(side, device=labels.device) // shrink for side in (height, width))
    place = torch.arange(count, device=labels.device)[:, None, None] * rows + row[:, None]
    cells = ((place * columns + column) * len(LABELS) + labels).flatten()
    shares = torch.zeros(count * rows * columns * len(LABELS), device=labels.device)
    shares.index_add_(0, cells, shares.new_full((1,), 1 / shrink**2).expand(len(cells)))
    return shares.view(count, rows, columns, len(LABELS)).permute(0, 3, 1, 2)


def pose_condition(person: Tensor, surface: Tensor, stick: Tensor, shrink: int, copied: Tensor | None = None) -> Tensor:
    """What P2B sees, section 3.1: `(B, L + 3 + 3, H / shrink, W / shrink)`, and with copied labels L more.

    A surface's index has no average, so of the surface one pixel is taken where P2B sees less than the frame.

    Args:
        person: `label_shares` of p^M*, the person's body as photographed; `(1, ...)` of one person in B poses.
        surface: `(B, 3, H, W)` in [0, 1]: P^D of the wanted pose, I / 24, U / 255, V / 255.
        stick: `(B, 3, H / shrink, W / shrink)` in [-1, 1]: P^S of it.
        copied: `label_shares` of what the photograph shows at each place of the wanted pose ("copy visible texture").
    """
    shares = [person.expand(len(stick), -1, -1, -1)] + ([] if copied is None else [copied])
    return torch.cat([*shares, shrunk(surface, shrink), stick], dim=1)


def believed(copied: Tensor, shrink: int) -> Tensor:
    """What copied labels say already, as logits `(B, L, H / shrink, W / shrink)`, which P2B corrects and completes.

    Args:
        copied: `label_shares`, all of it label 0 where the photograph says nothing, and nothing is believed.
    """
    known = 1 - copied[:, :1]
    logits = BELIEF * copied - DOUBT * known
    logits[:, :1] = -DOUBT * known
    # Copied outlines are combed, since each pixel was looked up by itself
    return _smoothed(logits, count_include_pad=True) if shrink > 1 else logits


def _smoothed(maps: Tensor, count_include_pad: bool) -> Tensor:
    """Means over a square, down and then across, which is several times as fast."""
    half = SMOOTHED // 2
    down = F.avg_pool2d(maps, (SMOOTHED, 1), 1, (half, 0), count_include_pad=count_include_pad)
    return F.avg_pool2d(down, (1, SMOOTHED), 1, (0, half), count_include_pad=count_include_pad)


def shrunk(numbers: Tensor, shrink: int) -> Tensor:
    """`(..., H, W)` of what has no average -> every `shrink`-th pixel, from the middle of the first on."""
    return numbers[..., shrink // 2 :: shrink, shrink // 2 :: shrink] if shrink > 1 else numbers


def smaller_labels(labels: Tensor, shrink: int) -> Tensor:
    """Label maps `(B, H, W)` -> `(B, H / shrink, W / shrink)` uint8: of each square the label that fills most of it.

    Taking one pixel of each would move every edge by half a pixel, against what `labels_of` does.
    """
    if shrink == 1:
        return labels
    return label_shares(labels, shrink).argmax(dim=1).to(torch.uint8)


def labels_of(shares: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """P^M of P2B `(B, L, h, w)`, or its logits, as a map `(B, H, W)` uint8: the likeliest; of a smaller map smoothed.

    Enlarged, every pixel of an outline would be a step.
    """
    if tuple(shares.shape[-2:]) != size_hw:
        shares = _smoothed(shares.float(), count_include_pad=False)
        shares = F.interpolate(shares, size=size_hw, mode="bilinear", align_corners=False)
    return shares.permute(0, 2, 3, 1).max(dim=-1).indices.to(torch.uint8)  # faster than argmax


def body_condition(labels: Tensor, face_labels: Tensor) -> Tensor:
    """What B2F is conditioned on, section 3.2: `(B, L + F, H, W)`; both maps `(B, H, W)` whole numbers."""
    return torch.cat([one_hot(labels, len(LABELS)), one_hot(face_labels, len(FACE_LABELS))[:, 1:]], dim=1)


def embedding(face: Extractor, parts: Extractor, segments: Tensor) -> Tensor:
    """e_z = [VGGFace2(t_1), VGG(t_2 ... t_5)], eq. 5: `(B, E)`.

    Of `parts` the deepest map is averaged over places. Each of the five is brought to a mean square of 1, as
    `face_vector` is, so that no network drowns another by the size of its numbers.

    Args:
        face: the embedding network of faces; its last output is taken.
        parts: a network that was trained on ImageNet.
        segments: `(B, 5, 3, S, S)` in [-1, 1]: t_1 to t_5.
    """
    assert segments.shape[1] == len(SEGMENTS)
    who = face_vector(face, segments[:, 0])
    worn = parts(segments[:, 1:].flatten(0, 1))[-1].float().mean(dim=(2, 3))
    return torch.cat([who, _even(worn).view(len(segments), -1)], dim=1)


def face_vector(face: Extractor, faces: Tensor) -> Tensor:
    """VGGFace(c), the last output of an embedding network with a mean square of 1: `(B, C)` float32.

    Args:
        face: the embedding network.
        faces: `(B, 3, S, S)` in [-1, 1].
    """
    last = face(faces)[-1].float()
    return _even(last.mean(dim=(2, 3)) if last.ndim == 4 else last)


def _even(vectors: Tensor) -> Tensor:
    return F.normalize(vectors, dim=1) * math.sqrt(vectors.shape[1])
