"""The verb `evaluate`: trains what is to be compared on one part of a clip, plays the rest, measures, reports."""

from __future__ import annotations

import logging
import os
import shlex
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from understudy.actor import Actor
from understudy.base.files import locked
from understudy.base.machine import machine
from understudy.consent import Consent, obtain_consent
from understudy.errors import UsageError
from understudy.evaluation.comparing import Asked, Player, compare
from understudy.evaluation.contenders import Contender, contender, learnt, timed
from understudy.evaluation.report import write_report
from understudy.evaluation.results import Evaluation, Test
from understudy.evaluation.self_reenactment import part_of, split, truth_of
from understudy.poses.similarity import Similarity
from understudy.recipes import names, recipe
from understudy.tracking.track import tracked

if TYPE_CHECKING:
    from understudy.base.devices import Device
    from understudy.performance import Performance

StrPath: TypeAlias = "str | os.PathLike[str]"

RECIPES = names()
DANCER, DANCE, DANCE_SECONDS, DANCE_FPS = 24, 22, 8.0, Fraction(25)
"""seeds of the made-up person whose motion stands in for a driver's where none is given, and how long he dances"""

log = logging.getLogger(__name__)


def evaluate(
    reference: StrPath | None = None,
    output: StrPath = "evaluation",
    *,
    recipes: Sequence[str] = RECIPES,
    preset: str = "preview",
    max_minutes: float | None = None,
    actor: Actor | StrPath | None = None,
    driving: StrPath | None = None,
    unpaired: Sequence[StrPath] = (),
    train_share: float = 2 / 3,
    gap: float = 0.5,
    seed: int = 0,
    consent: str | None = None,
    device: Device = "auto",
) -> Path:
    """Measures how true clones are, on footage where the truth is known, and writes a report.

    With `reference`, every recipe learns the first part of the clip and plays the poses of the rest, whose frames are
    the truth (self-reenactment, Aberman et al. 2018, section 5.2). With `actor` and `driving`, an actor that is
    already trained plays a clip of its own person that it has not seen.

    Args:
        reference: video of one person; half a minute or more says something.
        output: folder for the report (index.html), its numbers (results.json), clips, and the actors.
        recipes: which to compare.
        preset: see `train`.
        max_minutes: of training, each recipe.
        actor: an actor or its file.
        driving: video of the actor's own person, by the same camera in the same place, not used in training.
        unpaired: videos or performances of other people for the recipes that learn from them; none takes a made-up
            dancer's.
        train_share: of the clip that trains.
        gap: seconds left out between the two parts.
        seed: of everything random.
        consent: who agreed to be learnt, and to what; None asks at a terminal.
        device: "auto", "cpu", "cuda" or "mps".

    Returns:
        The path of the report.

    Raises:
        UsageError: arguments that contradict each other, or a clip that is too short.
        UnderstudyError: as `track`, `train` and `perform`.
        Interrupted: Ctrl-C or SIGTERM; the same call goes on.

    Example:
        evaluate("me.mp4", "report", max_minutes=4, consent="I am the person in me.mp4")
    """
    from understudy.base.devices import choose_device

    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--output {folder} is a file: name a folder")
    if (reference is None) == (actor is None):
        raise UsageError("give either --reference VIDEO, to train and compare, or --actor FILE with --driving VIDEO")
    if (actor is None) != (driving is None):
        raise UsageError(
            "--actor and --driving belong together: an actor, and a clip of its person that it has not seen"
        )
    if max_minutes is not None and not 0 < max_minutes < float("inf"):
        raise UsageError(f"--max-minutes must be above 0, not {max_minutes:g}")
    chosen = choose_device(device)
    with locked(folder, UsageError):
        if reference is not None:
            video = Path(reference)
            contenders = contenders_of(recipes, preset)
            if max_minutes is not None:
                contenders = [timed(who) for who in contenders]
            given = obtain_consent(consent, video.name)
            test = _self_reenactment(
                video, folder, contenders, given, unpaired, train_share, gap, seed, max_minutes, device
            )
            settings: dict[str, Any] = {
                "reference": video.name,
                "preset": preset,
                "max_minutes": max_minutes,
                "train_share": train_share,
                "gap_seconds": gap,
                "seed": seed,
            }
            title = f"How true are clones of {video.name}?"
        else:
            assert actor is not None and driving is not None
            test, settings = _of_actor(actor, Path(driving), folder, device)
            title = f"How true is {settings['actor']}?"
        return report(folder, title, [test], settings, chosen.type)


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


def contenders_of(recipes: Sequence[str], preset: str) -> list[Contender]:
    """What is compared on one clip of one person.

    CycleGAN gets poses: given frames of the very person it has to paint, doing nothing would be its perfect answer.

    Raises:
        UsageError: an unknown recipe or preset, or none.
    """
    if not recipes:
        raise UsageError(f"--recipes needs at least one of {', '.join(RECIPES)}")
    return [contender(name, preset) for name in recipes]


def _self_reenactment(
    video: Path,
    folder: Path,
    contenders: Sequence[Contender],
    consent: Consent,
    unpaired: Sequence[StrPath],
    train_share: float,
    gap: float,
    seed: int,
    max_minutes: float | None,
    device: Device,
) -> Test:
    size = max(256, *(who.config.size for who in contenders))
    parts = split(video, train_share=train_share, gap_seconds=gap, size=size)
    others = [tracked(one) for one in unpaired] or [dancer(folder)]
    actors = [
        learnt(
            who, parts.training, others, folder / "actors", consent, seed=seed, max_minutes=max_minutes, device=device
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


def _of_actor(actor: Actor | StrPath, driving: Path, folder: Path, device: Device) -> tuple[Test, dict[str, Any]]:
    loaded = actor if isinstance(actor, Actor) else Actor.load(actor)
    name = "actor" if isinstance(actor, Actor) else Path(actor).name
    if not driving.is_file():
        raise UsageError(f"--driving {driving} is not a video file, and its frames are the truth")
    held_out = tracked(driving)
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
    from understudy.errors import PerformanceError
    from understudy.performance import Performance
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
