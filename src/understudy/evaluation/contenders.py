"""Who is compared: recipes with their configs, and the training of each on the same part of the same clip."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, get_args

from understudy.actor import Actor, recipe_module, run_folder_of
from understudy.base.arguments import TrainingPreset, check_choice
from understudy.base.devices import Device, choose_device
from understudy.base.files import locked, read_json, write_json
from understudy.base.machine import forget_peaks, peaks_mib
from understudy.consent import Consent
from understudy.errors import ActorError, TrainingError
from understudy.performance import Performance
from understudy.unpaired.pool import PoseSequence

log = logging.getLogger(__name__)

MANY_STEPS = 1_000_000
TITLES = {
    "performance-cloning": "Performance cloning",
    "everybody-dance-now": "Everybody Dance Now",
    "poses-in-the-wild": "Poses in the Wild",
    "pix2pix": "pix2pix",
    "cyclegan": "CycleGAN",
    "nearest-neighbour": "Nearest neighbour",
    "limb-warp": "Limb warp (no training)",
}


@dataclass(frozen=True)
class Contender:
    """One way of cloning."""

    name: str
    title: str
    recipe: str
    preset: str
    config: Any
    unpaired: bool = True
    """whether other people's motion is given to it"""

    @property
    def learns(self) -> bool:
        """Whether it trains a network, of one size of picture."""
        return self.recipe not in ("limb-warp", "nearest-neighbour")


def contender(recipe: str, preset: str, name: str = "", title: str = "", **changes: Any) -> Contender:
    """A recipe at a preset, with fields of its config changed.

    Raises:
        UsageError: no such recipe or preset.
    """
    module = recipe_module(recipe)
    check_choice("preset", preset, get_args(TrainingPreset))
    config = {"preview": module.preview, "fast": module.fast, "paper": module.paper}[preset]()
    learns_motion = recipe in ("performance-cloning", "poses-in-the-wild")
    unpaired = learns_motion or (recipe == "cyclegan" and changes.get("condition") == "frames")
    return Contender(name or recipe, title or TITLES[recipe], recipe, preset, replace(config, **changes), unpaired)


def timed(who: Contender) -> Contender:
    """The same for a training that ends by the clock: without a count of steps where nothing else hangs on it.

    A small method would otherwise stop early and be compared at less time than the others.
    """
    return replace(who, config=replace(who.config, steps=MANY_STEPS)) if who.recipe == "pix2pix" else who


def learnt(
    who: Contender,
    reference: Performance,
    unpaired: Sequence[Performance | PoseSequence],
    folder: Path,
    consent: Consent,
    *,
    seed: int = 0,
    max_minutes: float | None = None,
    max_steps: int | None = None,
    device: Device = "auto",
) -> Actor:
    """The contender's actor of the reference: trained, or taken from the folder where the same was trained before.

    An interrupted training goes on. The record holds the peak of memory and what it learnt from.

    Raises:
        TrainingError, Interrupted: as the recipe's `train`.
    """
    path = folder / f"{who.name}.actor"
    wanted = _as_json(
        {
            "recipe": who.recipe,
            "config": asdict(who.config),
            "reference": reference.header.source_sha256,
            "frames": len(reference),
            "unpaired": [_identity(one) for one in unpaired] if who.unpaired else [],
            "seed": seed,
            "max_minutes": max_minutes,
            "max_steps": max_steps,
        }
    )
    if path.exists():
        try:
            actor = Actor.load(path)
            if _was_made_so(actor, wanted):
                log.info("%s was trained before: %s", who.title, path)
                return actor
            log.info("%s is trained again: %s was made with other settings or another clip", who.title, path)
        except ActorError as error:
            log.warning("%s is trained again: %s", who.title, error)
    run_folder = run_folder_of(path)
    chosen = choose_device(device)
    forget_peaks(chosen.type)
    with locked(run_folder, TrainingError):
        asked = run_folder / "asked.json"
        begun = asked.exists() and read_json(asked) == wanted
        write_json(asked, wanted)
        trained = recipe_module(who.recipe).train(
            reference,
            list(unpaired) if who.unpaired else [],
            run_folder,
            who.config,
            seed=seed,
            resume=begun,
            max_minutes=max_minutes,
            max_steps=max_steps,
            device=device,
        )
    memory, gpu_memory = peaks_mib(chosen.type)
    record = trained.record | {"asked": wanted, "peak_memory_mib": memory, "peak_gpu_mib": gpu_memory}
    actor = Actor.of(replace(trained, record=record), reference, who.recipe, who.preset, consent)
    actor.save(path)
    return actor


def _was_made_so(actor: Actor, wanted: dict[str, Any]) -> bool:
    """Whether training now would give this actor again: so many steps are the same, whatever ended them."""
    asked, steps = actor.record.get("asked"), wanted["max_steps"]
    if asked and asked["recipe"] == wanted["recipe"]:
        asked = {**asked, "config": _completed(asked)}
    if steps and asked and actor.record["steps"] == steps:
        return bool({**asked, "max_minutes": None, "max_steps": steps} == wanted)
    return bool(asked == wanted)


def _completed(asked: dict[str, Any]) -> Any:
    """The config of an older training, with what configs have come to hold since: new fields change nothing unset."""
    try:
        return _as_json(asdict(recipe_module(asked["recipe"]).Config(**asked["config"])))
    except (TypeError, ValueError):
        return asked["config"]


def _identity(clip: Performance | PoseSequence) -> str:
    if not isinstance(clip, PoseSequence):
        return clip.header.source_sha256
    return clip.poses.sha256()


def _as_json(values: Any) -> Any:
    """As it will be read again: tuples are lists."""
    return json.loads(json.dumps(values))
