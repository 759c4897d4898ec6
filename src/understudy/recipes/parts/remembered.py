"""Frames that a player painted before, found again by all that they were painted from, so that they are not painted
twice: who corrects a joint in a few frames waits for these few.

A frame is taken from here only if painting it now would give the same bits. So its key holds everything: the program,
the machine, the actor, and what the player was given for that moment, with whatever it carries on from the moments
before. Recipes whose players know nothing of this paint every frame again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import cv2
import numpy as np
import numpy.typing as npt
import torch

from understudy.base.engines import PYTORCH, Quicker
from understudy.base.files import load_tensors, save_tensors
from understudy.base.machine import HOLD_INSTRUCTIONS, cpu_model, version_of
from understudy.errors import UnderstudyError
from understudy.recipes.parts.player import Frame, Moment
from understudy.recipes.parts.trained import Arrays

BUDGET = 2 << 30
"""bytes of the disk that frames of all performances may take together; those that were not used for longest go"""
LOOKED_THROUGH_AFTER = 256 << 20
"""bytes that are kept before it is looked again whether all is within the budget"""

log = logging.getLogger(__name__)


@runtime_checkable
class Remembering(Protocol):
    """A player that can take frames from a memory."""

    def play_remembering(self, moments: Iterable[Moment], memory: Memory) -> Iterator[Frame]:
        """As `Player.play`, to the bit, with what can be found in `memory` taken from there and the rest kept."""
        ...


class Memory:
    """A folder of frames by their keys. A disk that is full or read-only costs nothing but the gain.

    Args:
        folder: of one person, see `folder_of`; it lies in the folder that the budget is for.
        budget: bytes.
    """

    def __init__(self, folder: Path, budget: int = BUDGET) -> None:
        self.folder, self.budget = folder, budget
        self.found = self.painted = 0
        """frames that were taken from here, and that were not"""
        self._since = budget  # whatever others left there is looked through with the first frame

    def find(self, key: str, size_hw: tuple[int, int]) -> tuple[Frame, dict[str, npt.NDArray[Any]]] | None:
        """The (H, W, 4) frame of a key, and what the player carried on after it; None where there is none."""
        path = self._path(key)
        if not path.is_file():
            return None
        try:
            tensors, _ = load_tensors(path)
            height, width = size_hw
            unpacked = zlib.decompressobj().decompress(tensors.pop("frame").tobytes(), height * width * 4)
            frame = np.frombuffer(unpacked, np.uint8).reshape(height, width, 4).copy()
            os.utime(path)
        except (UnderstudyError, KeyError, ValueError, OSError, zlib.error) as cause:
            log.debug("a frame that was kept cannot be used: %s", cause)
            return None
        self.found += 1
        return frame, tensors

    def keep(self, key: str, frame: Frame, carried: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keeps a frame, and what the player carries on after it."""
        path = self._path(key)
        packed = np.frombuffer(zlib.compress(np.ascontiguousarray(frame).tobytes(), 1), np.uint8)
        try:
            save_tensors(path, {**carried, "frame": packed}, {}, lasting=False)
            self._since += path.stat().st_size
            if self._since > min(LOOKED_THROUGH_AFTER, self.budget // 4):
                self._since = 0
                _make_room(self.folder.parent, self.budget)
        except (UnderstudyError, OSError) as cause:
            log.debug("a frame is not kept: %s", cause)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.safetensors"


def folder_of(root: Path, reference_sha256: str) -> Path:
    """Where the frames of a person lie, whose reference has this hash: `forget` removes it as a whole.

    The hash is hashed once more, since an actor's file may say anything.
    """
    return root / "played" / hashlib.sha256(reference_sha256.encode()).hexdigest()[:32]


def digest(*parts: str | npt.NDArray[Any]) -> str:
    """Hash of texts and arrays, with their types and shapes."""
    hashed = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            hashed.update(f"text {len(part.encode())}\n{part}".encode())
        else:
            hashed.update(f"array {part.dtype.str} {part.shape}\n".encode())
            hashed.update(np.ascontiguousarray(part).reshape(-1).view("u1").data)
    return hashed.hexdigest()


def painted_by(config: Any, weights: Arrays, device: torch.device, engine: str) -> str:
    """Says what paints: the actor, the program to the letter, and the machine with its libraries and engine."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else cpu_model()
    held = [os.environ.get(variable) for variable in HOLD_INSTRUCTIONS]
    versions = [torch.__version__, np.__version__, cv2.__version__, version_of("openvino")]
    machine = json.dumps([_program(), str(device), name, held, versions, engine])
    arrays = [part for each in sorted(weights) for part in (each, np.asarray(weights[each]))]
    return digest(machine, json.dumps(asdict(config), sort_keys=True, default=str), *arrays)


def engine_of(network: Any) -> str:
    """What runs a network; "" where that is decided by its first frame."""
    return network.engine if isinstance(network, Quicker) else PYTORCH


@cache
def _program() -> str:
    """Hash of our own sources: a change of any of them may change what is painted."""
    root = Path(__file__).parents[2]
    return digest(*(part for file in sorted(root.rglob("*.py")) for part in (file.name, file.read_text("utf-8"))))


def _make_room(root: Path, budget: int) -> None:
    """Removes the frames that were not used for longest until the rest is three quarters of the budget."""
    every = []
    for file in root.rglob("*.safetensors"):
        try:
            told = file.stat()
        except OSError:  # another process was faster
            continue
        every.append((told.st_mtime, told.st_size, file))
    total = sum(size for _, size, _ in every)
    if total <= budget:
        return
    for _, size, file in sorted(every):
        if total <= budget * 3 // 4:
            break
        file.unlink(missing_ok=True)
        total -= size
