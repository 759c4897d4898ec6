"""Fake detectors: how whole ones are made, how one is damaged, and what understudy does with it."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import mutants

RECORD = {"trained_on": "trained on drawings", "trust": ["not at all"]}


def ready_detectors() -> None:
    import torch

    torch.set_num_threads(1)
    for name in ("understudy.forensics.detector", "understudy.forensics.detect", "safetensors.numpy"):
        import_module(name)


def make_detectors(folder: Path) -> None:
    """One of either network: the one that comes with the program, and a small one that nothing has trained."""
    from understudy.forensics.calibration import Calibration
    from understudy.forensics.detector import Detector
    from understudy.forensics.paper_network import PaperConfig, new_network

    Detector.load().save(folder / "texture.safetensors")
    config = PaperConfig(size=32, width=4, layers=2)
    Detector.of(new_network(config), config, Calibration(1.0, 2.0, 9, 3.0), RECORD).save(folder / "paper.safetensors")


def damage_detector(chance: random.Random, whole: Path, folder: Path) -> Path:
    name = chance.choice(sorted(path.name for path in whole.iterdir()))
    (folder / name).write_bytes(mutants.damaged_tensors((whole / name).read_bytes(), chance))
    return folder / name


class Told:
    """Stands in for the child that looks at a video: two looks at noise, a second long."""

    def __init__(self, side: int) -> None:
        squares = np.random.default_rng(0).integers(0, 256, (6, side, side), np.uint8)
        zones = np.random.default_rng(1).integers(0, 4, (side, side), np.uint8)
        self._look = base64.b64encode(squares.tobytes() + zones.tobytes()).decode()

    def run(self, work: Any, *given: Any, advance: Any = None) -> Iterator[list[Any]]:
        if work.__name__ == "length":
            yield [25, 1.0, 25.0]
        else:
            yield [0.0, self._look]
            yield [0.5, self._look]


def use_detector(path: Path, out: Path, chance: random.Random) -> list[str]:
    """Judges a second of noise, and prints what is said of it."""
    from understudy.forensics.detect import Judge
    from understudy.forensics.detector import Detector

    detector = Detector.load(path)
    return str(Judge(detector, "cpu").judged(Path("me.mp4"), Told(detector.config.size))).splitlines()  # type: ignore[arg-type]
