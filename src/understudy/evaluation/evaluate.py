"""What `evaluate` does: trains what is to be compared on one part of a clip, plays the rest, measures, reports."""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from fractions import Fraction
from pathlib import Path
from typing import Any

from understudy.actor import Actor
from understudy.base.arguments import Rotation, StrPath, TrainingPreset
from understudy.base.devices import Device
from understudy.base.machine import machine
from understudy.consent import Consent
from understudy.errors import PerformanceError, UsageError
from understudy.evaluation.comparing import Asked, Player, compare
from understudy.evaluation.contenders import Contender, contender, learnt, timed
from understudy.evaluation.report import write_report
from understudy.evaluation.results import Evaluation, Test
from understudy.evaluation.self_reenactment import part_of, split, truth_of
from understudy.performance import Clip, Performance
from understudy.poses.similarity import Similarity
from understudy.recipes import as_tracked_for, landmarks_for, names, recipe
from understudy.recipes.parts.settings import assignments
from understudy.tracking.track import tracked

DANCER, DANCE, DANCE_SECONDS, DANCE_FPS = 24, 22, 8.0, Fraction(25)
"""seeds of the made-up person whose motion stands in for a driver's where none is given, and how long he dances"""

log = logging.getLogger(__name__)


def report(folder: Path, title: str, tests: list[Test], settings: dict[str, Any], device: str) -> Path:
    """Writes results.json and index.html."""
    evaluation = Evaluation(
        title=title,
        made=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        machine=machine(device),
        settings=settings,
        tests=tests,
    )
    evaluation.save(folder / "results.json")
    return write_report(evaluation, folder)


def contenders_of(
    recipes: Sequence[str] | None, preset: TrainingPreset, by_the_clock: bool = False, settings: Sequence[str] = ()
) -> list[Contender]:
    """What is compared on one clip of one person; None is everything.

    Args:
        by_the_clock: training ends by time alone, see `timed`.
        settings: numbers of every config to change, each NAME=VALUE.

    Raises:
        UsageError: an unknown recipe or preset, or none.
    """
    recipes = names() if recipes is None else recipes
    if not recipes:
        raise UsageError(f"`recipes` needs at least one of {', '.join(names())}")
    contenders = [contender(name, preset, **assignments(settings)) for name in recipes]
    return [timed(who) for who in contenders] if by_the_clock else contenders


def self_reenacted(
    video: Path,
    folder: Path,
    contenders: Sequence[Contender],
    consent: Consent,
    unpaired: Sequence[Clip],
    train_share: float,
    gap: float,
    seed: int,
    max_minutes: float | None,
    rotate: Rotation,
    device: Device,
) -> Test:
    """Every contender learns the first part of a video and plays the rest."""
    size = max(256, *(who.config.size for who in contenders))
    landmarks = landmarks_for(who.recipe for who in contenders)
    parts = split(video, train_share=train_share, gap_seconds=gap, size=size, rotate=rotate, landmarks=landmarks)
    others = [tracked(one) for one in unpaired] or [dancer(folder)]
    actors = [
        learnt(
            who,
            as_tracked_for(who.recipe, parts.training),
            others,
            folder / "actors",
            consent,
            seed=seed,
            max_minutes=max_minutes,
            device=device,
        )
        for who in contenders
    ]
    return self_reenactment_test(
        video, parts.training, parts.held_out, list(zip(contenders, actors, strict=True)), folder, device=device
    )


def self_reenactment_test(
    video: Path,
    training: Performance,
    held_out: Performance,
    actors: Sequence[tuple[Contender, Actor]],
    folder: Path,
    *,
    name: str = "self-reenactment",
    device: Device = "auto",
) -> Test:
    """Actors of the training part play the held-out part of the same clip."""
    learning = [who.config.size for who, _ in actors if who.learns]
    shown = max(learning or [who.config.size for who, _ in actors])
    truth = truth_of(video, held_out, actors[0][1], shown)
    players = [Player(who, actor, part_of(truth, actor)) for who, actor in actors]
    explanation = (
        f"The first {len(training)} frames of {video.name} trained, the last {len(held_out)} drive and are the truth."
    )
    working = actors[0][1].working_size
    own = Similarity.resized(working / truth.size).of_pose(truth.pose, (working, working))
    return compare(name, explanation, players, truth, folder, asked=Asked(training, own), device=device)


def of_actor(
    actor: Actor | StrPath, driving: Path, folder: Path, rotate: Rotation, device: Device
) -> tuple[Test, dict[str, Any]]:
    """An actor plays a video of its own person; also what the report says of it."""
    loaded = actor if isinstance(actor, Actor) else Actor.load(actor)
    name = "actor" if isinstance(actor, Actor) else Path(actor).name
    if not driving.is_file():
        raise UsageError(f"`driving` {driving} is not a video file, and its frames are the truth")
    held_out = tracked(driving, rotate=rotate, landmarks=landmarks_for([loaded.recipe]))
    if held_out.header.source_sha256 == loaded.reference_sha256:
        log.warning("%s is what the actor learnt from: the figures say nothing about clips it has not seen", driving)
    who = Contender(loaded.recipe, recipe(loaded.recipe).title, loaded.recipe, loaded.record.get("preset", ""), None)
    truth = truth_of(driving, held_out, loaded, loaded.size)
    players = [Player(who, loaded, part_of(truth, loaded))]
    explanation = f"{name} plays the poses of {driving.name}, whose frames are the truth."
    test = compare("self-reenactment", explanation, players, truth, folder, device=device)
    return test, {"actor": name, "driving": driving.name, **loaded.record}


def dancer(folder: Path) -> Performance:
    """A made-up person's dance, for learning from another one's motion where no driver is given."""
    from understudy.synthetic.clip import performance_from_render
    from understudy.synthetic.motion import choreography
    from understudy.synthetic.people import make_person
    from understudy.synthetic.scene import make_scene

    path = folder / "dancer.performance"
    if path.exists():
        try:
            return Performance.load(path)
        except PerformanceError as error:
            log.warning("rendering the made-up dancer again: %s", error)
    motion = choreography(DANCE, DANCE_SECONDS, DANCE_FPS)
    return performance_from_render(path, make_person(DANCER), motion, make_scene(DANCER, (512, 384)))
