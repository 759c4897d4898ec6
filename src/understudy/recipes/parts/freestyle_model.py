"""The three trained networks of freestyle reenactment as one file, and what they are asked with beside them.

The file that comes with the program is learnt by `understudy train-freestyle`; its header says from what.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from understudy.base import weights
from understudy.base.files import load_tensors, save_tensors
from understudy.base.things import what_is
from understudy.errors import TrainingError
from understudy.networks.efficientnet_lite import LiteFeatures
from understudy.networks.face_embedding import FaceNetwork, face_network
from understudy.networks.vgg import VGG19Features
from understudy.recipes.parts import settings
from understudy.recipes.parts.freestyle_networks import Extractor, b2f_for, fr_for, p2b_for
from understudy.recipes.parts.freestyle_reenactment_config import B2F, FR, P2B, Config
from understudy.recipes.parts.trained import Arrays, ArraySpec, arrays_of, below, restored

FILE = "freestyle.safetensors"
KIND, VERSION = "freestyle", 2
LITE0_CHANNELS, VGG19_CHANNELS = 320, 512
"""of the deepest maps of the two networks that segments can be embedded by"""

NETWORKS = {P2B: p2b_for, B2F: b2f_for, FR: fr_for}


@dataclass(frozen=True)
class FreestyleModel:
    """What `train-freestyle` makes: networks that know people."""

    config: Config
    weights: Arrays
    """of all three, "p2b/...", in half precision"""
    record: Mapping[str, Any]
    """how they were trained, and "seen", a line that says from whom"""

    def save(self, path: Path) -> None:
        """Writes the file, atomically."""
        header = {"kind": KIND, "version": VERSION, "config": asdict(self.config), "record": dict(self.record)}
        save_tensors(path, dict(self.weights), header)


def halved(state: Mapping[str, npt.NDArray[Any]], name: str) -> dict[str, npt.NDArray[Any]]:
    """The arrays of one network as the file has them."""
    return {
        f"{name}/{key}": value.astype(np.float16) if value.dtype == np.float32 else value
        for key, value in state.items()
    }


def specification(config: Config) -> ArraySpec:
    """The arrays that a config's networks have, in half precision."""
    found: ArraySpec = {}
    for name, make in NETWORKS.items():
        with torch.device("meta"):
            arrays = arrays_of(make(config))
        found |= {
            f"{name}/{key}": ("<f2" if dtype == "<f4" else dtype, shape) for key, (dtype, shape) in arrays.items()
        }
    return found


def load_model(path: str | os.PathLike[str] = "") -> FreestyleModel:
    """A file of networks; "" is the one that comes with the program.

    Raises:
        TrainingError: it is missing, damaged, something else, or of another version.
    """
    if path:
        kind = what_is(path) if Path(path).exists() else ""
        if not kind:
            raise TrainingError(f"there is no model {path}: make one with `understudy train-freestyle --output {path}`")
        if kind not in ("a model of train-freestyle", "a file of weights", "an actor"):
            raise TrainingError(f"{path} is {kind}, and no model of train-freestyle")
        tensors, header = load_tensors(path, TrainingError)
    else:
        with resources.as_file(resources.files("understudy.recipes.parts") / FILE) as installed:
            tensors, header = load_tensors(installed, TrainingError)
    name = path or f"the installed {FILE}"
    if header.get("kind") != KIND:
        raise TrainingError(f"{name} is a file of understudy, but not a model of train-freestyle")
    if header.get("version") != VERSION:
        raise TrainingError(
            f"{name} is of version {header.get('version')} and this program reads {VERSION}: make it again with "
            "`understudy train-freestyle`, or update the program"
        )
    try:
        config = settings.stored(Config, header["config"])
    except (KeyError, TypeError, ValueError) as cause:
        raise TrainingError(f"{name} cannot be used ({cause}): train it again") from None
    wanted = specification(config)
    fits = tensors.keys() == wanted.keys() and all(
        tensors[key].shape == shape and tensors[key].dtype.str == dtype for key, (dtype, shape) in wanted.items()
    )
    if not fits:
        raise TrainingError(f"{name} does not hold the networks that its config says: train it again")
    return FreestyleModel(config, tensors, header.get("record", {}))


def network_of(weights_: Arrays, config: Config, name: str, device: torch.device) -> nn.Module:
    """One of the three, on the device, ready to be asked."""
    state = {
        key: value.astype(np.float32) if value.dtype == np.float16 else value
        for key, value in below(weights_, f"{name}/").items()
    }
    return restored(NETWORKS[name](config), state, device)


def wider(config: Config) -> Config:
    """The same networks for the whole square, which their convolutions take as well."""
    return replace(config, size_hw=(config.size_hw[0], config.size_hw[0]))


def face_extractor(config: Config) -> FaceNetwork:
    """What embeds faces (eq. 5).

    Raises:
        TrainingError: it embeds in another length than the config's networks take.
        UsageError: there is no such network.
    """
    network = face_network(config.face_network)
    if network.embedding != config.face_embedding:
        raise TrainingError(
            f"face_network {config.face_network} gives {network.embedding} numbers, and face_embedding is "
            f"{config.face_embedding}: set face_network=vggface2:FILE, which gives 2048, or "
            f"face_embedding={network.embedding}"
        )
    return network


def part_extractor(config: Config) -> Extractor:
    """What embeds clothes, shoes and skin (eq. 5): VGG-19 for 512 numbers, EfficientNet-Lite0 for 320.

    Raises:
        TrainingError: its weights cannot be had, or part_embedding is neither.
    """
    if config.part_embedding == LITE0_CHANNELS:
        lite: Extractor = LiteFeatures("lite0", (32,))
        return lite
    if config.part_embedding == VGG19_CHANNELS:
        path = weights.at_hand(weights.VGG19, weights.may_fetch())
        if path is None:
            raise TrainingError(
                f"the weights of {weights.VGG19.title} cannot be had: set part_embedding=320, which is "
                "EfficientNet-Lite0's"
            )
        vgg: Extractor = VGG19Features(("relu5_4",), path)
        return vgg
    raise TrainingError(
        f"part_embedding is {config.part_embedding}: {VGG19_CHANNELS} are VGG-19's and {LITE0_CHANNELS} are "
        "EfficientNet-Lite0's"
    )
