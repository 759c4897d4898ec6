"""Performances, actors and runs: how whole ones are made, how one is damaged, and what understudy does with it."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import mutants
from fuzz_media import RATE, SIZE_HW
from fuzz_poses import WORKING, damage_text, poses
from understudy.base.files import sha256_of

SHOWING = (
    *("av.subtitles", "matplotlib.font_manager", "PIL.ImageDraw", "PIL.ImageFont", "safetensors.numpy"),
    *("understudy.pictures.lettering", "understudy.pictures.drawing", "understudy.pictures.maps"),
    *("understudy.verbs.descriptions", "understudy.verbs.inspect"),
)
PLAYING = ("understudy.performing.perform", "understudy.compositing.backgrounds", "understudy.actor")
"""what would else be imported in each child"""


def ready_performance() -> None:
    for name in SHOWING:
        import_module(name)


def make_performance(folder: Path, name: str = "me.performance", frames: int = 6) -> Any:
    from understudy.performance import Crop, PerformanceWriter

    pose = poses(frames)
    labels = np.zeros((WORKING, WORKING), np.uint8)
    labels[8:24, 8:24] = 1
    with PerformanceWriter(folder / name, RATE) as writer:
        for number in range(frames):
            frame = np.full((WORKING, WORKING, 3), 30 * number, np.uint8)
            writer.add(frame, labels * 255, np.zeros((WORKING // 4, WORKING // 4, 2), np.float32))
            writer.add_labels(labels)
            writer.add_surface(np.dstack([labels, labels, labels]))
        return writer.finish(
            poses=pose, status=np.full(frames, 2, np.uint8), background=np.full((*SIZE_HW, 3), 60, np.uint8),
            source_name="me.mp4", source_sha256="ab" * 32, crop=Crop(0.5, (-3.0, 4.0)), tracker="drawn",
            tracker_version="1", landmarks="body", matte="drawn", smoothed=True, parsing="drawn", surface="drawn",
        )  # fmt: skip


def damage_performance(chance: random.Random, whole: Path, folder: Path) -> Path:
    """Header or one of the other files; in most cases the header has the hash that the file has now."""
    mutant = folder / "me.performance"
    shutil.copytree(whole / mutant.name, mutant)
    header = mutant / "performance.json"
    content = json.loads(header.read_text())
    if chance.random() < 0.4:
        damage_text(header, chance)
        return mutant
    file = mutant / chance.choice(sorted(content["files"]))
    data = file.read_bytes()
    if file.suffix == ".safetensors":
        data = mutants.damaged_tensors(data, chance)
    else:
        spans = mutants.spans_of(data)
        data = mutants.damaged(data, chance, spans[chance.choice(sorted(part for part in spans if spans[part]))])
        data = mutants.with_png_checksums(data) if data.startswith(b"\x89PNG") and chance.random() < 0.5 else data
    file.write_bytes(data)
    if chance.random() < 0.9:
        content["files"][file.name] = sha256_of(file)
        header.write_text(json.dumps(content))
    return mutant


def use_performance(path: Path, out: Path, chance: random.Random) -> list[str]:
    """Reads everything that a training reads, and inspects every third."""
    from understudy.performance import Performance, load_poses
    from understudy.verbs.descriptions import performance_lines
    from understudy.verbs.inspect import inspect

    load_poses(path)
    performance = Performance.load(path)
    readers: list[Callable[[], Any]] = [performance.frames, performance.mattes]
    readers += [performance.labels] if performance.has_labels else []
    readers += [performance.surface] if performance.has_surface else []
    for read in readers:
        for _ in read():
            pass
    performance.background()
    np.asarray(performance.flow()).sum()
    return list(inspect(path, out / "sheet.png").lines) if chance.random() < 1 / 3 else performance_lines(performance)


def make_actors(folder: Path) -> None:
    """One that generates, with weights that nothing has trained, and two that copy frames."""
    from stand_in import stand_in
    from understudy.actor import Actor
    from understudy.consent import Consent
    from understudy.recipes import recipe
    from understudy.recipes.parts.groups import Optimisation
    from understudy.recipes.parts.settings import changed
    from understudy.recipes.performance_cloning import Config
    from understudy.training.session import Session

    performance = make_performance(folder, frames=8)
    numbers = Optimisation(batch=2)
    config = Config(size=WORKING, width=4, depth=3, discriminator_width=4, features="random", optimisation=numbers)
    stand_in(performance, config, 0).save(folder / "performance-cloning.actor")
    for name in ("nearest-neighbour", "limb-warp"):
        small = changed(recipe(name).preset("preview"), {"size": WORKING})
        run = folder / "run"
        run.mkdir()
        trained = recipe(name).learn(Session(name, small, performance, [], run, device="cpu"))
        actor = Actor.of(trained, performance, name, "preview", Consent("it is made up", "2026-01-02T03:04:05+00:00"))
        actor.save(folder / f"{name}.actor")
        shutil.rmtree(run)
    shutil.rmtree(performance.path)


def damage_actor(chance: random.Random, whole: Path, folder: Path) -> Path:
    name = chance.choice(sorted(path.name for path in whole.iterdir()))
    (folder / name).write_bytes(mutants.damaged_tensors((whole / name).read_bytes(), chance))
    return folder / name


def use_actor(path: Path, out: Path, chance: random.Random) -> list[str]:
    """Plays two moments with it, and inspects every third."""
    from understudy.actor import Actor
    from understudy.recipes.parts.player import moments
    from understudy.verbs.descriptions import actor_lines
    from understudy.verbs.inspect import inspect

    if chance.random() > 1 / 3:
        actor = Actor.load(path)
        for _ in actor.player("cpu").play(moments(poses(2))):
            pass
        return actor_lines(actor)
    return list(inspect(path, out / "sheet.png").lines)


def ready_actor() -> None:
    import torch

    from understudy.recipes import every

    torch.set_num_threads(1)
    list(every())
    for name in SHOWING + PLAYING:
        import_module(name)


SETTINGS: Mapping[str, Any] = {"recipe": "a line", "config": {"width": 4, "betas": (0.5, 0.9)}, "seed": 3}


class Line:
    """The smallest thing that can be trained."""

    shown = "line"

    def __init__(self, fabric: Any) -> None:
        import torch

        torch.manual_seed(0)
        line = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1))
        self.fabric = fabric
        self.model, self.optimizer = fabric.setup(line, torch.optim.Adam(line.parameters(), 0.01, fused=True))
        self.networks, self.optimizers = {"line": line}, {"line": self.optimizer}

    def training_step(self, step: int) -> dict[str, Any]:
        import torch

        from understudy.training.step import descend

        given = torch.from_numpy(np.random.default_rng(step).normal(size=(8, 2)).astype(np.float32))
        losses = {"error": (self.model(given) - given.sum(1, keepdim=True)).square().mean()}
        descend(self.fabric, self.optimizer, losses)
        return losses

    def preview(self, generator: Any, folder: Path, step: int) -> None:
        (folder / f"{step}.txt").write_text("a picture")


def _train(folder: Path, steps: int, resume: bool) -> Any:
    from understudy.training import loop

    fabric = loop.launch("cpu")
    options = {"settings": SETTINGS, "seed": 3, "ema_decay": 0.9, "checkpoint_seconds": 0.0}
    return loop.run(Line(fabric), folder, fabric=fabric, steps=steps, resume=resume, **options)


def make_run(folder: Path) -> None:
    from understudy.training import loop

    loop.CHECKPOINT_COST = 0.0  # one at each step
    _train(folder / "me.actor.run", 12, False)


def damage_run(chance: random.Random, whole: Path, folder: Path) -> Path:
    """The record, the losses, or one or both of the checkpoints."""
    run = folder / "me.actor.run"
    shutil.copytree(whole / run.name, run)
    what = chance.random()
    if what < 0.25:
        damage_text(run / "run.json", chance)
    elif what < 0.45:
        losses = run / "losses.jsonl"
        if chance.random() < 0.5:
            losses.write_text(mutants.damaged_words(losses.read_text(), chance), encoding="utf-8", errors="replace")
        else:
            lines = losses.read_text().splitlines()
            number = chance.randrange(len(lines))
            lines[number] = mutants.damaged_json(json.loads(lines[number]), chance)
            losses.write_text("".join(line + "\n" for line in lines))
    else:
        checkpoints = sorted((run / "checkpoints").iterdir())
        for path in checkpoints if chance.random() < 0.4 else checkpoints[-1:]:
            path.write_bytes(mutants.damaged_tensors(path.read_bytes(), chance))
    return run


def use_run(path: Path, out: Path, chance: random.Random) -> list[str]:
    """Goes on with it for two steps."""
    outcome = _train(path, 14, True)
    bad = [name for name, value in outcome.weights.items() if not np.isfinite(value).all()]
    assert not bad, f"{bad} are not finite"
    return []


def ready_run() -> None:
    import torch

    from understudy.training import loop

    torch.set_num_threads(1)
    loop.launch("cpu")
    import_module("safetensors.numpy")
