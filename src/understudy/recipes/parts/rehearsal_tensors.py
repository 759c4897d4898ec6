"""Rehearsed and played moments as tensors: whole, or squares of them altered at random."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from understudy.conditioning.limb_warps import PARTS
from understudy.recipes.parts.dressing import Dressing
from understudy.recipes.parts.rehearsal import Rehearsal


def crop(
    pair: Rehearsal, side: int, random: np.random.Generator, strange: float = 0.0
) -> tuple[npt.NDArray[np.float32], ...]:
    """A square of both moments: sources, filmed, logits, pose, and truth; everything as `tensors`, as arrays.

    Args:
        side: of the square, pixels.
        strange: how often something that is no part of the person is stuck to one of the sources.
    """
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
    sources = np.asarray(fine(pair.sources[:, order]) / np.float32(255), np.float32)
    truth = fine(pair.truth) / np.float32(255)
    truth = np.concatenate([truth[..., :3] * truth[..., 3:], truth[..., 3:]], axis=-1)
    colours = np.concatenate([random.permutation(3), [3]]) if random.random() < 0.5 else np.arange(4)
    gain = np.append(random.uniform(0.7, 1.0, 3) if random.random() < 0.5 else np.ones(3), 1).astype(np.float32)
    if random.random() < strange:
        sources = with_something_strange(sources, random)
    parts: list[npt.NDArray[Any]] = [
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


def with_something_strange(sources: npt.NDArray[np.float32], random: np.random.Generator) -> npt.NDArray[np.float32]:
    """(2, K, S, S, 4) premultiplied in [0, 1], one of them with a ball, a bag or a patch of the room stuck to it.

    The other sources show what is behind it, so that it can be learnt to mistrust what one alone shows.
    """
    side, whose = sources.shape[2], int(random.integers(sources.shape[1]))
    size = random.uniform(0.04, 0.14, 2) * side
    centre = random.uniform(0.15, 0.85, 2) * side
    turned = random.uniform(0, 180)
    shape = np.zeros((side, side), np.float32)
    cv2.ellipse(shape, (tuple(centre), tuple(2 * size), turned), 1.0, -1)
    shape = cv2.GaussianBlur(shape, (0, 0), random.uniform(0.6, 2.0))[..., None] * random.uniform(0.5, 1.0)
    pattern = cv2.resize(random.uniform(-0.3, 0.3, (4, 4, 3)).astype(np.float32), (side, side))
    colours = np.clip(random.uniform(0, 1, 3) + pattern, 0, 1)
    thing = np.concatenate([colours, np.ones_like(colours[..., :1])], axis=-1)
    changed = sources.copy()
    changed[:, whose] = shape * thing + (1 - shape) * changed[:, whose]
    return np.asarray(changed, np.float32)


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
        kinds = (some.pictures[None] / np.float32(255), some.filmed[None], some.logits[None], some.pose[None])
        sources, *rest = (torch.from_numpy(np.ascontiguousarray(kind, np.float32)) for kind in kinds)
        return sources.permute(0, 1, 4, 2, 3).contiguous(), *rest
    sources, filmed, pose, truth = (
        torch.from_numpy(np.array(kind)).float() / 255 for kind in (some.sources, some.filmed, some.pose, some.truth)
    )
    truth = truth.permute(0, 3, 1, 2)
    premultiplied = torch.cat([truth[:, :3] * truth[:, 3:], truth[:, 3:]], dim=1)
    logits = torch.from_numpy(some.logits.astype(np.float32))
    return sources.permute(0, 1, 4, 2, 3).contiguous(), filmed, logits, pose, premultiplied
