"""What the three networks of Single-Shot Freestyle Dance Reenactment (Gafni et al. 2021) learn from, and whom they ask.

Shape letters: B samples, H x W the frame, K copies, S the side of a face and of a segment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from understudy.networks.perceptual import PerceptualDistance
from understudy.recipes.parts.freestyle_networks import Extractor


@dataclass(frozen=True, eq=False)
class P2BBatch:
    """Persons in two poses each (section 3.1.1)."""

    person_labels: Tensor
    """(B, H, W) uint8: p^M*, the person's body in one of them, whose shape is to be kept"""
    surface: Tensor
    """(B, 3, H, W) in [0, 1]: P^D of the other, I / 24, U / 255, V / 255"""
    stick: Tensor
    """(B, 3, H / shrink, W / shrink) in [-1, 1]: P^S of the other, as small as P2B's pictures"""
    labels: Tensor
    """(B, H, W) uint8: the truth, the body in the other"""
    copied_labels: Tensor | None = None
    """(B, H, W) uint8: what the other picture shows at each place of the wanted pose; None without copies"""


@dataclass(frozen=True, eq=False)
class B2FBatch:
    """Frames of persons, and what another picture of them shows (section 3.2)."""

    labels: Tensor
    """(B, H, W) uint8: P^M of the frame"""
    face_labels: Tensor
    """(B, H, W) uint8 of `body.labels.FACE_LABELS`"""
    segments: Tensor
    """(B, 5, 3, S, S) in [-1, 1]: t_1 to t_5 of the other picture"""
    frame: Tensor
    """(B, 3, H, W) in [-1, 1]: x, the truth"""
    background: Tensor
    """(B, 3, H, W) in [-1, 1]: b, the frame without the person"""
    others: Tensor
    """(B, 1, H, W), 1 where somebody else is seen, else 0"""
    face_box: Tensor
    """(B, 4) x0, y0, x1, y1 in pixels; all 0 where no face is seen"""
    copied: Tensor | None
    """(B, K, 4, H, W) premultiplied RGBA in [0, 1], the other picture warped to the frame's pose; None without"""


@dataclass(frozen=True, eq=False)
class FRBatch:
    """Aligned faces (section 3.3)."""

    made: Tensor
    """(B, 3, S, S) in [-1, 1]: c^0, as B2F painted them"""
    truth: Tensor
    """(B, 3, S, S) the same of the true frames"""
    reference: Tensor
    """(B, 3, S, S) c_I, of another picture of the person"""
    seen: Tensor
    """(B,) 1 where there is a face in all three, else 0"""


class Batches(Protocol):
    """Where they come from. What is asked for the same step twice is the same."""

    def p2b(self, step: int) -> P2BBatch:
        """Of that step of P2B."""

    def b2f(self, step: int) -> B2FBatch:
        """Of that step of B2F."""

    def fr(self, step: int) -> FRBatch:
        """Of that step of FR."""


@dataclass(frozen=True, eq=False)
class Pretrained:
    """Networks that are asked and never trained, on the device."""

    face: Extractor
    """embeds faces (eq. 5): its last output is the embedding"""
    face_levels: Extractor
    """compares faces at every size (eq. 18); `face` itself where gradients pass through that"""
    parts: Extractor
    """trained on ImageNet, embeds clothes, shoes and skin (eq. 5)"""
    phi: PerceptualDistance
    """compares frames (eq. 16)"""
