"""FR of "Single-Shot Freestyle Dance Reenactment" (Gafni et al. 2021, section 3.3): a painted face to the person's own.

An autoencoder after the same authors' network for the opposite purpose (Gafni, Wolf, Taigman 2019, "Live Face
De-Identification in Video"): pose, expression and light come from the face that was painted, who it is comes from the
embedding of a photograph, which joins the code in the middle.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Refined(NamedTuple):
    """What FR makes of a face."""

    crop: Tensor
    """(B, 3, S, S) in [-1, 1]: c"""
    mask: Tensor
    """(B, 1, S, S) in (0, 1): m^c, where c is to be seen"""


class FaceRefiner(nn.Module):
    """[c, m^c] = FR(c_I, c^0), eq. 19, where c_I has been embedded before.

    Neither paper prints widths here; halvings by convolutions of stride 2, doublings by repeated pixels and a
    convolution, batch normalisation, leaky ReLUs. No pixel goes around the code. Normalisation by instance would take
    away what is the same at all places: the embedding, and the colour of the skin.

    Args:
        embedding: length of VGGFace(c_I); 2048 for the paper's network.
        widths: channels behind each halving; the side of a crop must be a multiple of `2 ** len(widths)`.

    Raises:
        ValueError: no widths.
    """

    def __init__(self, embedding: int, widths: tuple[int, ...] = (64, 128, 256, 512, 512)):
        super().__init__()
        if not widths:
            raise ValueError("widths must be one number a halving, at least one")
        self.divisor = 2 ** len(widths)
        self.encoder = nn.Sequential(*(_layer(a, b, stride=2) for a, b in itertools.pairwise((3, *widths))))
        self.joined = _layer(widths[-1] + embedding, widths[-1])
        upwards = (*widths[::-1], widths[0])
        self.decoder = nn.Sequential(
            *(nn.Sequential(nn.Upsample(scale_factor=2.0), *_layer(a, b)) for a, b in itertools.pairwise(upwards))
        )
        self.output = nn.Conv2d(widths[0], 3 + 1, 3, padding=1)

    def forward(self, made: Tensor, identity: Tensor) -> Refined:
        """One face for each.

        Args:
            made: c^0, `(B, 3, S, S)` in [-1, 1], aligned.
            identity: VGGFace(c_I), `(B, embedding)`, or `(1, embedding)` for one person.

        Raises:
            ValueError: S is not a multiple of `2 ** len(widths)`.
        """
        if made.shape[-1] % self.divisor or made.shape[-2] % self.divisor:
            raise ValueError(
                f"a face of {made.shape[-2]}x{made.shape[-1]} cannot be halved that often: use a multiple of "
                f"{self.divisor}"
            )
        code = self.encoder(made)
        who = identity[:, :, None, None].expand(len(code), -1, *code.shape[2:])
        told = self.output(self.decoder(self.joined(torch.cat([code, who.to(code.dtype)], dim=1)))).float()
        return Refined(torch.tanh(told[:, :3]), torch.sigmoid(told[:, 3:]))


def put_in(refined: Refined, made: Tensor) -> Tensor:
    """m^c c + (1 - m^c) c^0, section 3.3: `(B, 3, S, S)` in [-1, 1]."""
    return refined.mask * refined.crop + (1 - refined.mask) * made


def _layer(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.LeakyReLU(0.2),
    )
