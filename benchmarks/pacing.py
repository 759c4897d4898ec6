"""Equal time for trainings in stages: how many steps of each stage fit into it, measured once and then given.

A recipe in stages cannot be given a number of steps in all, which would go to its first stage, and its learning rates
fall towards the last step, which has to be known. So each is first trained for a short time by the clock, and the
steps that every stage got are multiplied. Those are written down (pace.json in the work folder) and used for every
person from then on, so that what else the machine does changes no figure. Measure on a quiet machine.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from fidelity import MADE_UP, Bench, Footage
from understudy.actor import Actor
from understudy.base.files import read_json, write_json
from understudy.errors import UsageError
from understudy.evaluation.contenders import MANY_STEPS, Contender, contender, learnt
from understudy.performance import Performance
from understudy.recipes.parts.poses_in_the_wild_config import RUNGS, rung
from understudy.unpaired.gathering import gather
from understudy.unpaired.pool import PoseSequence

PACE = "pace.json"
PACING_MINUTES = 0.75
"""of the short training"""
PROPOSED = "poses-in-the-wild"
EVERYBODY = "fbf-ts-fg"
"""what fidelity calls the whole of Everybody Dance Now"""


def rungs(preset: str) -> list[Contender]:
    """The five of the ladder, the first with the least; the last is the whole method and goes by the recipe's name."""
    found = []
    for title in RUNGS:
        name = PROPOSED if title == RUNGS[-1] else title.lower()
        who = contender(PROPOSED, preset, name, title)
        config = rung(who.config, title)
        found.append(dataclasses.replace(who, config=config, unpaired=config.unpaired))
    return found


def actor_of(bench: Bench, footage: Footage, who: Contender) -> Actor:
    """Trained, or taken from the work folder, under the names that fidelity uses."""
    if who.recipe == "cyclegan":
        who = dataclasses.replace(who, name="cyclegan-poses")
    if not hasattr(who.config, "shares"):
        budget = who.recipe if who.recipe in bench.steps else ""  # a variant trains as long as the recipe itself
        return bench.actor(who, footage.parts.training, [footage.driving], footage.name, budget)
    everybody = bench.work / footage.name / "actors" / f"{EVERYBODY}.actor"
    if who.name == "everybody-dance-now" and who.name not in bench.steps and everybody.exists():
        taken = Actor.load(everybody)
        if taken.record["preset"] == bench.preset and abs(taken.record["seconds"] / 60 / bench.minutes - 1) < 0.2:
            logging.info("%s of fidelity's ablation is taken, whose steps were given: %s", who.title, everybody)
            return taken
    return learnt(
        paced(bench, footage, who),
        footage.parts.training,
        others_of(footage, who),
        bench.work / footage.name / "actors",
        MADE_UP,
        seed=bench.seed,
        device=bench.device,
    )


def others_of(footage: Footage, who: Contender) -> Sequence[Performance | PoseSequence]:
    """Whose motion is learnt from: the driver's; or where poses are enough, made-up dances, none of which is played."""
    if not who.unpaired:
        return []
    return list(gather(["choreography"])) if who.recipe == PROPOSED else [footage.driving]


def paced(bench: Bench, footage: Footage, who: Contender) -> Contender:
    """With as many steps in each stage as fit into the time; `bench.steps` says them for a trial.

    Raises:
        UsageError: a stage did not come to a single step in the short training.
    """
    names: tuple[str, ...] = import_module(f"understudy.recipes.parts.{who.recipe.replace('-', '_')}_config").NAMES
    if (given := bench.steps.get(who.name)) is not None:
        return _with_steps(who, {name: given for name in who.config.stages}, names)
    path = bench.work / PACE
    known: dict[str, Any] = read_json(path) if path.exists() else {}
    asked = json.loads(json.dumps(dataclasses.asdict(_with_steps(who, {}, names).config)))
    of = {"config": asked, "minutes": bench.minutes, "device": bench.device}
    if (found := known.get(who.name)) is None or found["of"] != of:
        measured = min(PACING_MINUTES, bench.minutes)
        stages = _short_training(bench, footage, who, names, measured)
        if missing := [name for name in who.config.stages if not stages.get(name)]:
            raise UsageError(f"{who.title}: {measured:g} minutes are too short for a step of {', '.join(missing)}")
        steps = {name: round(count * bench.minutes / measured) for name, count in stages.items()}
        found = known[who.name] = {"of": of, "steps": steps}
        write_json(path, known)
    return _with_steps(who, found["steps"], names)


def _short_training(
    bench: Bench, footage: Footage, who: Contender, names: Sequence[str], minutes: float
) -> dict[str, int]:
    endless = _with_steps(who, dict.fromkeys(who.config.stages, MANY_STEPS), names)
    if hasattr(endless.config, "enhancer_alone"):  # a share of all steps, of which few are taken here
        endless = dataclasses.replace(endless, config=dataclasses.replace(endless.config, enhancer_alone=0.0))
    logging.info("%s: measuring how many steps %g minutes are", who.title, minutes)
    actor = learnt(
        endless,
        footage.parts.training,
        others_of(footage, who),
        bench.work / "pace",
        MADE_UP,
        seed=bench.seed,
        max_minutes=minutes,
        device=bench.device,
    )
    stages: dict[str, int] = actor.record["stages"]
    return stages


def _with_steps(who: Contender, steps: dict[str, int], names: Sequence[str]) -> Contender:
    each = tuple(steps.get(name, 0) for name in names)
    return dataclasses.replace(who, config=dataclasses.replace(who.config, steps=each))
