"""How the bones of a body lie in space, guessed from its flat points: where a fit begins, and may not go far from.

Two points leave open whether a limb comes forwards or goes back. A network that has seen many poses of made-up people
from all sides knows which is likelier (as Martinez et al. 2017 lift joints; here to rotations, so that the twist of a
limb comes with it). Learnt by `benchmarks/lifter.py`; the file travels with the program.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from understudy.base.files import load_tensors, save_tensors
from understudy.body.posing import rotations_of
from understudy.body.skeleton import JOINTS
from understudy.errors import PoseError
from understudy.poses import pose as p

FILE = "lifter.safetensors"
VERSION = 1

_FACE = tuple(p.FACE.start + point for point in (0, 8, 16, 27, 30, 36, 45, 48, 54))
_HAND = (0, 4, 5, 8, 9, 12, 17, 20)
POINTS: tuple[int, ...] = (
    *range(23),
    *_FACE,
    *(p.LEFT_HAND.start + point for point in _HAND),
    *(p.RIGHT_HAND.start + point for point in _HAND),
)
"""what is looked at, among the 133"""

WIDTH, BLOCKS = 384, 3


class Lifter(nn.Module):
    """Flat points to rotations from the rest pose, and how far the hands are closed."""

    def __init__(self, width: int = WIDTH, blocks: int = BLOCKS):
        super().__init__()
        self.first = nn.Sequential(nn.Linear(3 * len(POINTS), width), nn.SiLU())
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
            for _ in range(blocks)
        )
        self.last = nn.Linear(width, 6 * len(JOINTS) + 2)

    def forward(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """(T, 3 * len(POINTS)) of `looked_at` -> (T, len(JOINTS), 3, 3) from the rest pose, (T, 2) grip in [0, 1]."""
        x = self.first(seen)
        for block in self.blocks:
            x = x + block(x)
        x = self.last(x)
        return rotations_of(x[:, :-2].unflatten(1, (len(JOINTS), 6))), torch.sigmoid(x[:, -2:])


def looked_at(xy: Tensor, confidence: Tensor) -> Tensor:
    """Points (T, 133, 2), y down, and confidence (T, 133) -> (T, 3 * len(POINTS)), free of place and size.

    The origin is the mean of the seen points of trunk, arms and legs, the unit their mean distance from it. What is not
    seen is 0.
    """
    points, seen = xy[:, POINTS], (confidence[:, POINTS] > 0).float()[..., None]
    limbs = slice(p.LEFT_SHOULDER, p.RIGHT_ANKLE + 1)
    count = seen[:, limbs].sum(1, keepdim=True).clamp(min=1)
    middle = (points[:, limbs] * seen[:, limbs]).sum(1, keepdim=True) / count
    away = (points - middle) * seen
    size = (away[:, limbs].norm(dim=-1, keepdim=True)).sum(1, keepdim=True) / count
    return torch.cat([away / size.clamp(min=1e-3), seen], dim=-1).flatten(1)


@lru_cache(maxsize=1)
def lifter() -> Lifter:
    """The one that travels with the program.

    Raises:
        PoseError: its file is damaged or of another version.
    """
    with resources.as_file(resources.files("understudy.tracking") / FILE) as path:
        tensors, header = load_tensors(path, PoseError)
    if header.get("kind") != "lifter" or header.get("version") != VERSION:
        raise PoseError(f"the installed {FILE} is of another version: install understudy again")
    network = Lifter()
    network.load_state_dict({name: torch.from_numpy(value.astype(np.float32)) for name, value in tensors.items()})
    return network.eval()


def save(path: Path, network: Lifter, record: dict[str, Any]) -> None:
    """Writes one, in half precision."""
    values = {name: value.detach().cpu().numpy().astype(np.float16) for name, value in network.state_dict().items()}
    save_tensors(path, values, {"kind": "lifter", "version": VERSION, "record": record})
