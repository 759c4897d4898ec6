"""What the refining network of copy-then-refine knows of people before it has seen the one it is for.

Learnt by `benchmarks/prior.py` from made-up people, none of whom is real. The file travels with the program.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from understudy.base.files import load_tensors, save_tensors
from understudy.errors import TrainingError

FILE = "prior.safetensors"
VERSION = 1


def into(network: nn.Module) -> None:
    """Sets a network to it.

    Raises:
        TrainingError: the network has another shape, or the file is damaged.
    """
    with resources.as_file(resources.files("understudy.recipes.parts") / FILE) as path:
        tensors, header = load_tensors(path, TrainingError)
    if header.get("kind") != "prior" or header.get("version") != VERSION:
        raise TrainingError(f"the installed {FILE} is of another version: install understudy again")
    values = {name: torch.from_numpy(value.astype(np.float32)) for name, value in tensors.items()}
    own = network.state_dict()
    if {name: value.shape for name, value in own.items()} != {name: value.shape for name, value in values.items()}:
        raise TrainingError(
            "the network that travels with the program has other sizes than this config's: leave `sources` and "
            "`widths` as they are, or set knows_people=false"
        )
    network.load_state_dict(values)


def save(path: Path, network: nn.Module, record: dict[str, Any]) -> None:
    """Writes a network as one, in half precision, which halves the file and changes no picture by a level."""
    values = {name: value.detach().cpu().numpy().astype(np.float16) for name, value in network.state_dict().items()}
    save_tensors(path, values, {"kind": "prior", "version": VERSION, "record": record})
