"""What `tests/training/test_together.py` starts: `python training_together.py equal|toys FOLDER CASE ...`."""

from __future__ import annotations

import atexit
import dataclasses
import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

from tiny import session_for, shrunk, tiny_performance
from understudy.base import devices
from understudy.base.ranks import first, rank, ranks
from understudy.errors import Interrupted, UnderstudyError
from understudy.recipes import recipe
from understudy.training import loop as training
from understudy.training.step import descend

JOINT_BATCH, STEPS = 4, 16
EQUAL = {
    "performance-cloning": {"dropout": 0.0, "paired_only": 0.5, "steps": 6, "lambda_vgg": 10.0},
    "pix2pix": {"dropout": 0.0, "steps": 4},
    "everybody-dance-now": {"steps": (3, 3, 3), "whole_frame": False, "face": False},
    "poses-in-the-wild": {"steps": (3, 2, 3, 2), "unpaired": False},
}
"""recipes whose random choices are those of one process, without augmentation, and their changes

Faces are cut from pictures of 8 bits a value, which rounding differently by a millionth changes by a whole level."""
RATE = 5e-5
"""Adam's first steps go by the sign of each gradient, of rounding errors too: so large may their effect be"""


def config_of(name: str, batch: int):
    config = dataclasses.replace(shrunk(recipe(name).preset("preview", None)), **EQUAL[name])
    parts = {"optimisation": dataclasses.replace(config.optimisation, batch=batch, learning_rate=RATE)}
    for field in dataclasses.fields(config):
        if field.name in ("augmentation", "pose_noise"):
            parts[field.name] = type(getattr(config, field.name))()
    return dataclasses.replace(config, **parts)


def learn(name: str, folder: Path) -> None:
    """Trains a tiny actor; the joint batch is the same for any number of processes. Writes what each ended with."""
    training.LOG_EVERY_STEPS = 1
    me, dance = (tiny_performance(folder / f"{seed} {rank()}.performance", seed) for seed in (1, 2))
    config = config_of(name, JOINT_BATCH // ranks())
    unpaired = [dance] if name == "performance-cloning" else []
    run = folder / name
    session = session_for(name, config, me, run, unpaired, device="cpu")
    trained = recipe(name).learn(session)
    np.savez(folder / f"{name} {rank()}.npz", **trained.weights)
    if first():
        (folder / f"{name}.json").write_text(json.dumps(trained.record))


class Toy:
    """A line, with batch normalisation, that goes wrong where it is told to."""

    shown = "line"

    def __init__(self, fabric, at=(), what=""):
        torch.manual_seed(0)
        self.fabric, self.at, self.what = fabric, list(at), what
        line = nn.Sequential(nn.Conv2d(2, 8, 2), nn.BatchNorm2d(8), nn.Dropout(0.1), nn.Conv2d(8, 1, 1))
        self.model, self.optimizer = fabric.setup(line, torch.optim.Adam(line.parameters(), 0.01, fused=True))
        self.networks, self.optimizers = {"line": line}, {"line": self.optimizer}

    def training_step(self, step):
        wrong = bool(self.at) and (step, rank()) == tuple(self.at)
        if wrong and self.what in ("KILL", "TERM"):
            os.kill(os.getpid(), getattr(signal, f"SIG{self.what}"))
        x = np.random.default_rng(step).normal(size=(8, 2, 2, 2)).astype(np.float32)
        x = torch.from_numpy(np.split(x, ranks())[rank()])
        loss = (self.model(x) - 3 * x.sum((1, 2, 3), keepdim=True)).square().mean()
        if wrong and self.what == "NAN":
            loss = loss * float("nan")
        descend(self.fabric, self.optimizer, {"error": loss})
        return {"error": loss}

    def preview(self, generator, folder, step):
        assert first(), "only one shows what it can do"


def toy(fabric, folder: Path, what: str = "", *at: str) -> None:
    """Goes on with a run of the toy. Writes the weights, or why it ended, for each process."""
    training.LOG_EVERY_STEPS, training.CHECKPOINT_COST = 1, 0.0
    folder.mkdir(exist_ok=True)
    ending = folder / f"ending {rank()}.txt"
    ending.unlink(missing_ok=True)
    trainee = Toy(fabric, map(int, at), what)
    options = {"settings": {"a": 1}, "seed": 3, "ema_decay": 0.9, "checkpoint_seconds": 0.0, "resume": True}
    try:
        training.run(trainee, folder / "run", fabric=fabric, steps=STEPS, **options)
        state = {name: value.numpy() for name, value in trainee.networks["line"].state_dict().items()}
        np.savez(folder / f"weights {rank()}.npz", **state)
    except (Interrupted, UnderstudyError) as error:
        ending.write_text(f"{type(error).__name__}: {error}")


def parted(folder: Path) -> None:
    """Writes whether this process has left the others, at the very end."""
    (folder / f"parted {rank()}.txt").write_text("no" if dist.is_initialized() else "yes")


if __name__ == "__main__":
    torch.set_num_threads(1)
    devices.computes_in_bfloat16 = training.computes_in_bfloat16 = lambda _: False  # sums of halves would differ
    where = Path(sys.argv[2])
    atexit.register(parted, where)  # what is registered first is called last
    if sys.argv[1] == "equal":
        for name in sys.argv[3:]:
            learn(name, where)
    else:
        fabric = training.launch("cpu")
        for case in sys.argv[3:]:  # NAME, or NAME:WHAT:STEP:RANK for what shall go wrong
            name, *wrong = case.split(":")
            toy(fabric, where / name, *wrong)
