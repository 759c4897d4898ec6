"""Rehearsed and played moments as tensors: whole, or squares of them altered at random."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from understudy.conditioning.limb_warps import PARTS
from understudy.recipes.parts.dressing import Dressing
from understudy.recipes.parts.rehearsal import Rehearsal


def crop(pair: Rehearsal, side: int, random: np.random.Generator) -> tuple[npt.NDArray[np.float32], ...]:
    """Sources, filmed, logits, pose, and truth of both moments; everything as `tensors`, as arrays."""
    whole = pair.truth.shape[1]
    shown = np.argwhere(pair.truth[0, ::4, ::4, 3] > 127)
    centre = 4 * shown[random.integers(len(shown))] if len(shown) else np.array([whole // 2, whole // 2])
    centre = centre + random.integers(-side // 4, side // 4 + 1, 2)
    top, left = (int(np.clip(at - side // 2, 0, whole - side)) // 2 * 2 for at in centre)

    def fine(kind: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return kind[..., top : top + side, left : left + side, :]

    def coarse(kind: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return kind[..., top // 2 : (top + side) // 2, left // 2 : (left + side) // 2]

    order = np.concatenate([[0], 1 + random.permutation(pair.sources.shape[1] - 1)])
    sources = fine(pair.sources[:, order]) / np.float32(255)
    truth = fine(pair.truth) / np.float32(255)
    truth = np.concatenate([truth[..., :3] * truth[..., 3:], truth[..., 3:]], axis=-1)
    colours = np.concatenate([random.permutation(3), [3]]) if random.random() < 0.5 else np.arange(4)
    gain = np.append(random.uniform(0.7, 1.0, 3) if random.random() < 0.5 else np.ones(3), 1).astype(np.float32)
    parts = [
        (gain * sources[..., colours]).transpose(0, 1, 4, 2, 3),
        coarse(pair.filmed[:, order]) / np.float32(255),
        coarse(pair.logits[:, order]).astype(np.float32),
        coarse(pair.pose) / np.float32(255),
        (gain * truth[..., colours]).transpose(0, 3, 1, 2),
    ]
    if random.random() < 0.5:
        parts = [one[..., ::-1] for one in parts]
        parts[3] = parts[3][:, MIRRORED]
    return tuple(np.ascontiguousarray(one, np.float32) for one in parts)


def _mirrored() -> list[int]:
    """For each part of the body the place of the one that it becomes in a mirror."""
    names = [part.name for part in PARTS]
    swapped = [name.replace("right", "left") if "right" in name else name.replace("left", "right") for name in names]
    return [names.index(name) for name in swapped]


MIRRORED = _mirrored()


def tensors(some: Rehearsal | Dressing) -> tuple[Tensor, ...]:
    """Whole moments: (B, K, 4, N, N) sources, (B, K, N/2, N/2) filmed and logits, (B, P, N/2, N/2) pose, and of a
    rehearsal (B, 4, N, N) the truth; pictures premultiplied, in [0, 1]."""
    if isinstance(some, Dressing):
        kinds = (some.small[None] / np.float32(255), some.filmed[None], some.logits[None], some.pose[None])
        sources, *rest = (torch.from_numpy(np.ascontiguousarray(kind, np.float32)) for kind in kinds)
        return sources.permute(0, 1, 4, 2, 3).contiguous(), *rest
    sources, filmed, pose, truth = (
        torch.from_numpy(np.array(kind)).float() / 255 for kind in (some.sources, some.filmed, some.pose, some.truth)
    )
    truth = truth.permute(0, 3, 1, 2)
    premultiplied = torch.cat([truth[:, :3] * truth[:, 3:], truth[:, 3:]], dim=1)
    logits = torch.from_numpy(some.logits.astype(np.float32))
    return sources.permute(0, 1, 4, 2, 3).contiguous(), filmed, logits, pose, premultiplied
