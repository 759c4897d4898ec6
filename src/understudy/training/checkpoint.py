"""What a checkpoint holds, and whether it is one of what is trained: its hash tells damage, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from understudy.base.stored import number, whole


@dataclass
class Progress:
    """Where a run stands."""

    step: int = 0
    seconds: float = 0.0
    rate: float = 1.0
    """Factor on every learning rate; halved when a run had to go back."""
    backtracks: int = 0

    @classmethod
    def read(cls, stored: Any) -> Progress:
        """From the header of a checkpoint.

        Raises:
            ValueError, TypeError, KeyError: it is something else.
        """
        rate = number(stored["rate"])
        if not 0 < rate <= 1:
            raise ValueError(f"a rate of {rate}")
        return cls(whole(stored["step"]), number(stored["seconds"]), rate, whole(stored["backtracks"]))


def check_fits(
    tensors: Mapping[str, Tensor], own: Mapping[str, Tensor], optimizers: Mapping[str, torch.optim.Optimizer]
) -> None:
    """Whether tensors of a checkpoint are those of such networks and optimizers.

    Fused optimizers trust the shapes of what they remember, and would read beyond it.

    Args:
        tensors: of the checkpoint; names of what optimizers remember are `optimizer/NAME/INDEX/KEY`.
        own: those of this run, as it stands; what optimizers have not yet got is not in it.
        optimizers: by name.

    Raises:
        ValueError, KeyError: one is missing, too many, or of another shape or type.
    """
    given = {name: one for name, one in tensors.items() if not name.startswith("optimizer/")}
    wanted = {name: one for name, one in own.items() if not name.startswith("optimizer/")}
    if odd := sorted(given.keys() ^ wanted.keys()):
        raise ValueError(f"{odd[0]} is {'missing' if odd[0] in wanted else 'not known'}")
    for name, one in given.items():
        if (one.shape, one.dtype) != (wanted[name].shape, wanted[name].dtype):
            raise ValueError(f"{name} is {one.dtype} {tuple(one.shape)}")
    kept: dict[tuple[str, str], set[str]] = {}
    for name in tensors.keys() - given.keys():
        optimizer_name, index, key = name.removeprefix("optimizer/").split("/")
        weights = [weight for group in optimizers[optimizer_name].param_groups for weight in group["params"]]
        weight = weights[whole(int(index), 0, len(weights) - 1)]
        shape = () if key == "step" else weight.shape
        if (tensors[name].shape, tensors[name].dtype) != (shape, torch.float32):
            raise ValueError(f"{name} is {tensors[name].dtype} {tuple(tensors[name].shape)}")
        kept.setdefault((optimizer_name, index), set()).add(key)
    ways = {(optimizer_name, frozenset(keys)) for (optimizer_name, _), keys in kept.items()}
    if len(ways) > len({optimizer_name for optimizer_name, _ in ways}):
        raise ValueError("a part of an optimizer's memory is missing")
