"""Who is compared: recipes with their configs, and the training of each on the same part of the same clip."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, get_args

from understudy.actor import Actor, run_folder_of
from understudy.base.arguments import TrainingPreset, check_choice
from understudy.base.devices import Device, choose_device
from understudy.base.files import locked, read_json, write_json
from understudy.base.machine import forget_peaks, peaks_mib
from understudy.consent import Consent
from understudy.errors import ActorError, TrainingError, UsageError
from understudy.performance import Performance
from understudy.recipes import recipe
from understudy.recipes.parts.settings import changed
from understudy.training.session import Session
from understudy.unpaired.pool import PoseSequence

log = logging.getLogger(__name__)

PRESETS = ("preview", "fast", "paper")


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
        return recipe(self.recipe).learns


def contender(name_of_recipe: str, preset: str, name: str = "", title: str = "", **changes: Any) -> Contender:
    """A recipe at a preset, with numbers of its config changed.

    Raises:
        UsageError: no such recipe, preset or number.
    """
    check_choice("preset", preset, get_args(TrainingPreset))
    chosen = recipe(name_of_recipe)
    config = changed(chosen.preset(preset), changes)
    unpaired = chosen.learns_from(config) is not None
    return Contender(name or name_of_recipe, title or chosen.title, name_of_recipe, preset, config, unpaired)


def timed(who: Contender) -> Contender:
    """The same for a training that ends by the clock: without a count of steps where nothing else hangs on it.

    A small method would otherwise stop early and be compared at less time than the others.
    """
    return replace(who, config=recipe(who.recipe).without_limit(who.config))


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
            "reference": reference.header.identity,
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
        session = Session(
            who.recipe,
            who.config,
            reference,
            list(unpaired) if who.unpaired else [],
            run_folder,
            seed=seed,
            resume=begun,
            max_minutes=max_minutes,
            max_steps=max_steps,
            device=device,
        )
        trained = recipe(who.recipe).learn(session)
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
        return _as_json(asdict(recipe(asked["recipe"]).read_config(asked["config"])))
    except (TypeError, ValueError, UsageError):
        return asked["config"]


def _identity(clip: Performance | PoseSequence) -> str:
    if not isinstance(clip, PoseSequence):
        return clip.header.identity
    return clip.poses.sha256()


def _as_json(values: Any) -> Any:
    """As it will be read again: tuples are lists."""
    return json.loads(json.dumps(values))
