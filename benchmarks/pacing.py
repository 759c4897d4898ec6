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
from typing import Any

from fidelity import MADE_UP, Bench, Footage, varied
from understudy.actor import Actor
from understudy.base.files import read_json, write_json
from understudy.errors import UsageError
from understudy.evaluation.contenders import Contender, contender, learnt
from understudy.performance import Performance
from understudy.recipes import recipe
from understudy.recipes.parts.recipe import ENDLESS
from understudy.unpaired.gathering import gather
from understudy.unpaired.pool import PoseSequence

PACE = "pace.json"
PACING_MINUTES = 0.75
"""of the short training"""
PROPOSED = "poses-in-the-wild"
OF_FIDELITY = {"everybody-dance-now": "fbf-ts-fg"}
"""what fidelity calls a whole method that it trains in its parts"""
RUNG = "PL-"
"""what the names of the ladder's rungs begin with"""


def rungs(preset: str) -> list[Contender]:
    """The five of the ladder, the first with the least; the last is the whole method and goes by the recipe's name."""
    titles = [variant for variant in recipe(PROPOSED).variants if variant.startswith(RUNG)]
    names = [*(title.lower() for title in titles[:-1]), PROPOSED]
    return [varied(contender(PROPOSED, preset, name, title), title) for name, title in zip(names, titles, strict=True)]


def actor_of(bench: Bench, footage: Footage, who: Contender) -> Actor:
    """Trained, or taken from the work folder, under the names that fidelity uses."""
    if hasattr(who.config, "condition"):
        who = dataclasses.replace(who, name=f"{who.recipe}-{who.config.condition}")
    if not hasattr(who.config, "shares"):
        budget = who.recipe if who.recipe in bench.steps else ""  # a variant trains as long as the recipe itself
        return bench.actor(who, footage.parts.training, [footage.driving], footage.name, budget)
    there = bench.work / footage.name / "actors" / f"{OF_FIDELITY.get(who.name, who.name)}.actor"
    if who.name in OF_FIDELITY and who.name not in bench.steps and there.exists():
        taken = Actor.load(there)
        if taken.record["preset"] == bench.preset and abs(taken.record["seconds"] / 60 / bench.minutes - 1) < 0.2:
            logging.info("%s of fidelity's ablation is taken, whose steps were given: %s", who.title, there)
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
    poses_are_enough = recipe(who.recipe).learns_from(who.config) == "poses"
    return list(gather(["choreography"])) if poses_are_enough else [footage.driving]


def paced(bench: Bench, footage: Footage, who: Contender) -> Contender:
    """With as many steps in each stage as fit into the time; `bench.steps` says them for a trial.

    Raises:
        UsageError: a stage did not come to a single step in the short training.
    """
    names: tuple[str, ...] = recipe(who.recipe).config().stages  # as printed it has all of them
    if (given := bench.steps.get(who.name)) is not None:
        return _with_steps(who, {name: given for name in who.config.stages}, names)
    path = bench.work / PACE
    known: dict[str, Any] = read_json(path) if path.exists() else {}
    of = {"config": _without_steps(who.config), "minutes": bench.minutes, "device": bench.device}
    if (found := known.get(who.name)) is None or _as_now(found["of"], who) != of:
        measured = min(PACING_MINUTES, bench.minutes)
        stages = _short_training(bench, footage, who, names, measured)
        if missing := [name for name in who.config.stages if not stages.get(name)]:
            raise UsageError(f"{who.title}: {measured:g} minutes are too short for a step of {', '.join(missing)}")
        steps = {name: round(count * bench.minutes / measured) for name, count in stages.items()}
        found = known[who.name] = {"of": of, "steps": steps}
        write_json(path, known)
    return _with_steps(who, found["steps"], names)


def _without_steps(config: Any) -> Any:
    """As JSON holds it."""
    return json.loads(json.dumps(dataclasses.asdict(dataclasses.replace(config, steps=None))))


def _as_now(of: dict[str, Any], who: Contender) -> dict[str, Any]:
    """What a pace was measured for, as it would be written down today: configs have got groups since."""
    try:
        config = recipe(who.recipe).read_config({**of["config"], "steps": None})
    except (TypeError, ValueError):
        return of
    return of | {"config": _without_steps(config)}


def _short_training(
    bench: Bench, footage: Footage, who: Contender, names: Sequence[str], minutes: float
) -> dict[str, int]:
    endless = _with_steps(who, dict.fromkeys(who.config.stages, ENDLESS), names)
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
