"""What is killed: tracking, every training that has steps, and performing; small, and the same bits each time."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

PERSON, OTHER = 11, 12
"""numbers of made-up people"""
FRAMES = 24
SIDE = 256
"""pixels: of the film, which is square"""
SMALL = {
    "size": 32, "box_hw": (32, 32), "width": 4, "depth": 3, "downsamplings": 2, "blocks": 1, "enhancer_blocks": 1,
    "discriminator_width": 4, "scales": 1, "history": 2, "face_size": 32, "face_width": 4, "face_downsamplings": 2,
    "face_blocks": 1, "joint_sigma": 1.5, "limb_sigma": 2.0, "batch": 2, "features": "random", "side": 32, "crop": 32,
    "gap": 1, "pairs": 6,
}  # fmt: skip
"""what makes a recipe's networks small, of the numbers that its config has"""
STEPS = 12
"""of a training, or of each of its stages"""
FREESTYLE = (
    *("p2b_width=4", "p2b_downsamplings=2", "p2b_blocks=1", "discriminator_width=4", "optimisation.batch=2"),
    "steps=4,4,4",
)
"""numbers of the freestyle networks that make them small"""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """Something that a user runs.

    Attributes:
        run: does it in a folder, or goes on with what lies there.
        output: name of what it makes in that folder.
    """

    name: str
    run: Callable[[Path, Path], object]
    """(material, folder)"""
    output: str


def make_material(folder: Path) -> None:
    """A film of somebody made up, a performance of it and one of somebody else, and an actor that copies frames."""
    import understudy
    from understudy.synthetic.clip import performance_from_render, write_clip
    from understudy.synthetic.motion import choreography
    from understudy.synthetic.people import make_person
    from understudy.synthetic.scene import make_scene

    for number, name in ((PERSON, "me"), (OTHER, "other")):
        somebody, motion = make_person(number), choreography(number, FRAMES / 25, 25)
        room = make_scene(number, (SIDE, SIDE))
        if name == "me":
            write_clip(folder / "me.mp4", somebody, motion, room)
        performance_from_render(folder / f"{name}.performance", somebody, motion, room, 64)
    understudy.train(
        folder / "me.performance", folder / "me.actor", recipe="limb-warp", preset="instant", consent="it is made up"
    )


def _track(material: Path, folder: Path) -> None:
    import understudy

    understudy.track(material / "me.mp4", folder / "me.performance")


def _train(recipe: str, material: Path, folder: Path) -> None:
    import understudy
    from understudy.recipes import recipe as recipe_of
    from understudy.recipes.parts.settings import changed, numbers

    config = recipe_of(recipe).preset("preview")
    there = {number.name.rpartition(".")[2]: number.value for number in numbers(config)}
    small: dict[str, Any] = {name: value for name, value in SMALL.items() if name in there}
    small["steps"] = (STEPS,) * len(there["steps"]) if isinstance(there["steps"], tuple) else STEPS
    understudy.train(
        material / "me.performance",
        folder / "me.actor",
        unpaired=[material / "other.performance"] if recipe_of(recipe).learns_from(config) else [],
        config=changed(config, small),
        resume=True,
        consent="it is made up",
        device="cpu",
    )


def _train_freestyle(material: Path, folder: Path) -> None:
    import understudy

    understudy.train_freestyle(
        folder / "me.freestyle", people="made-up:3", preset="preview", settings=FREESTYLE, resume=True, device="cpu"
    )


def _perform(actors: int, material: Path, folder: Path) -> None:
    import understudy

    actor = material / "me.actor"
    understudy.perform(
        [actor] * actors if actors > 1 else actor, material / "other.performance", folder / "out.mp4", compare=True
    )


TRAINED = (
    *("copy-then-refine", "performance-cloning", "everybody-dance-now", "poses-in-the-wild", "pix2pix", "cyclegan"),
)
JOBS = (
    Job("track", _track, "me.performance"),
    *(Job(f"train {name}", partial(_train, name), "me.actor") for name in TRAINED),
    Job("train-freestyle", _train_freestyle, "me.freestyle"),
    Job("perform", partial(_perform, 1), "out.mp4"),
    Job("perform, two actors", partial(_perform, 2), "out.mp4"),
)


def ready() -> None:
    """Imports what the jobs need, so that what is killed is work and not the start of Python."""
    import torch

    from understudy.recipes import every

    torch.set_num_threads(1)
    list(every())
    for name in (
        *("understudy.tracking.track", "understudy.performing.perform", "understudy.performing.ensemble"),
        *("understudy.verbs.train", "understudy.verbs.perform", "understudy.verbs.train_freestyle", "av", "c2pa"),
    ):
        import_module(name)


def saving_every_step(told: Path) -> None:
    """From now on each step is followed by a checkpoint, and by a line in this file that says so."""
    from understudy.training import loop
    from understudy.training.run_folder import RunFolder

    own_save = RunFolder.save

    def save(folder: RunFolder, step: int, *content: Any) -> None:
        own_save(folder, step, *content)
        with told.open("a") as stream:
            stream.write(f"{folder.path.name} {step}\n")

    RunFolder.save = save  # type: ignore[method-assign]
    loop.CHECKPOINT_COST = 0.0
    loop.run = partial(loop.run, checkpoint_seconds=0.0)  # type: ignore[misc]


def _pixels(picture: Path) -> Any:
    """(H, W, 4) of a picture, without what is said in it."""
    import cv2

    return cv2.imread(str(picture), cv2.IMREAD_UNCHANGED)


def digest(output: Path) -> str:
    """SHA-256 of what a job made, read whole; times of day and signatures, which differ each time, are left out.

    Raises:
        UnderstudyError: it is not whole.
    """
    from understudy.actor import Actor
    from understudy.base.files import load_tensors
    from understudy.media.reading import VideoReader
    from understudy.performance import Performance

    found = hashlib.sha256()
    if output.suffix == ".performance":
        performance = Performance.load(output)
        for name in sorted(performance.header.files):
            found.update(f"{name} {performance.header.files[name]}\n".encode())
    elif output.suffix in (".actor", ".freestyle"):
        if output.suffix == ".actor":
            Actor.load(output)
        tensors, _ = load_tensors(output)
        for name in sorted(tensors):
            found.update(name.encode() + np.ascontiguousarray(tensors[name]).tobytes())
    else:
        pictures = map(_pixels, sorted(output.iterdir())) if output.is_dir() else VideoReader(output)
        for frame in pictures:
            found.update(np.ascontiguousarray(frame).tobytes())
    return found.hexdigest()
