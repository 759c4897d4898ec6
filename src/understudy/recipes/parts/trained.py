"""What every recipe's `train` leaves, and what an actor's file must hold to be played."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from understudy.base.engines import Call, quicker
from understudy.retargeting.alignment import BodyStatistics

Arrays = Mapping[str, npt.NDArray[Any]]
"""name -> array, as an actor's file holds them"""

ArraySpec = dict[str, tuple[str, tuple[int | None, ...]]]
"""name -> (dtype as `numpy.dtype.str`, shape); None stands for any length from 1 up"""


@dataclass(frozen=True)
class Trained:
    """What training leaves: everything that `generate` needs, and how it came about."""

    config: Any
    """the recipe's `Config`"""
    weights: dict[str, npt.NDArray[Any]]
    """the generator's state dict, average weights when the config keeps them; or whatever the recipe plays from"""
    statistics: dict[str, npt.NDArray[Any]]
    """flat_colour (3,) uint8 behind the person, and what else the condition needs"""
    record: dict[str, Any]
    """JSON-able: steps, joined_at (first step of the unpaired branch, None if it never joined), seconds, features,
    device, precision, seed, losses"""
    body: BodyStatistics | None = None
    """of the reference, in its working pixels, where the recipe knows them better than the poses say; None where not"""


def nothing_trained(seed: int, started: float) -> dict[str, Any]:
    """The record of a recipe that gathers and trains nothing.

    Args:
        seed: of the session.
        started: `time.monotonic()` when it began.
    """
    return {
        "steps": 0,
        "joined_at": None,
        "seconds": round(time.monotonic() - started, 1),
        "features": "none",
        "device": "cpu",
        "precision": "none",
        "seed": seed,
        "losses": {},
    }


def arrays_of(network: nn.Module) -> ArraySpec:
    """The arrays of a network's state dict; the network may live on PyTorch's `meta` device."""
    return {
        name: (np.dtype(str(value.dtype).removeprefix("torch.")).str, tuple(value.shape))
        for name, value in network.state_dict().items()
    }


def restored(network: nn.Module, weights: Arrays, device: torch.device) -> nn.Module:
    """The network with these weights, on the device, ready to generate."""
    network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    return network.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload,no-any-return]


def ready(network: nn.Module, weights: Arrays, device: torch.device, frames: int) -> Call:
    """The network as `restored` has it, run by what is quickest for so many frames, see `base.engines`."""
    return quicker(restored(network, weights, device), frames)


def below(weights: Arrays, prefix: str) -> dict[str, npt.NDArray[Any]]:
    """The weights of one network out of several: those whose names begin with `prefix`, without it."""
    return {name[len(prefix) :]: value for name, value in weights.items() if name.startswith(prefix)}
