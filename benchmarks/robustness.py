"""How much worse clones get with worse poses: figure 4 of Human Motion Transfer from Poses in the Wild as a number.

    python benchmarks/robustness.py --work fidelity --output mine.json
    python benchmarks/robustness.py --work trial --people 1 --recipes limb-warp nearest-neighbour --doses short
    python benchmarks/robustness.py --work fidelity --recipes PL-Stage1 PL-Stage1-DA poses-in-the-wild

Made-up people are filmed and learnt as benchmarks/fidelity.py does it; with its work folder, what was filmed, tracked
and trained there is taken from there. Then every actor plays the rest of its own clip (self-reenactment), with the
tracked poses as they are and damaged before they are brought to the actor's place: joints lost, misplaced, left and
right swapped, limbs stretched, each in growing doses. The same damage is done for every recipe.

Measured on the person's box against the true frames: RMSE, and temporal error. Degradation is the error at a dose less
the error with undamaged poses, frame by frame, and its 95 % interval resamples seconds of the clips (which hold their
own draws of damage). Prints tables, writes the numbers as JSON, and into the work folder robustness.png (error against
dose) and robustness_frames.png (what the damage looks like). What is finished stays in the work folder and is not done
again.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from fidelity import STEPS, Bench, Footage, footage_of
from pacing import PROPOSED, actor_of, rungs
from robustness_tables import DAMAGES, MEASURES, Damage, Played, plot, record, rows_of, tables
from understudy.actor import Actor
from understudy.base.devices import choose_device
from understudy.base.files import read_json, write_json
from understudy.base.machine import machine
from understudy.errors import UnderstudyError
from understudy.evaluation.contenders import Contender, contender, timed
from understudy.evaluation.measuring import measure_clip
from understudy.evaluation.playing import Recorder, played
from understudy.evaluation.self_reenactment import part_of, truth_of
from understudy.evaluation.true_clip import TruthMeasures
from understudy.evaluation.truth import Truth
from understudy.media.images import write_image
from understudy.media.reading import VideoReader
from understudy.performance import Performance
from understudy.pictures.drawing import contact_sheet, draw_pose
from understudy.recipes import every
from understudy.recipes import recipe as recipe_of

LEARNT_DAMAGED = "+damage"
DAMAGE = {"drop": 0.05, "jitter": 0.02, "stretch": 0.2}
"""of the poses that a recipe learns from, where it is off by itself"""
DEFAULT = ("performance-cloning", "pix2pix", "everybody-dance-now", "limb-warp", PROPOSED)


def contenders(recipes: Sequence[str], preset: str) -> list[Contender]:
    """Recipes by name, rungs of the ladder of benchmarks/wild.py by theirs, and `RECIPE+damage`."""
    of_ladder = {who.title: who for who in rungs(preset)}
    return [of_ladder.get(name) or _contender(name, preset) for name in recipes]


def _contender(name: str, preset: str) -> Contender:
    recipe = name.removesuffix(LEARNT_DAMAGED)
    if recipe == name:
        return timed(contender(name, preset))
    title = f"{recipe_of(recipe).title}, learnt from damaged poses"
    return contender(recipe, preset, f"{recipe}-damage", title, **DAMAGE)


def known(preset: str) -> list[str]:
    """What may be named: recipes, those that can learn from damaged poses and do not by themselves, the rungs."""
    recipes = dict(every())
    plain = [
        name for name, one in recipes.items() if not getattr(one.preset(preset), "pose_noise", "it can damage none")
    ]
    return [*recipes, *(f"{name}{LEARNT_DAMAGED}" for name in plain), *(who.title for who in rungs(preset)[:-1])]


def damaged(performance: Performance, damage: Damage, dose: float, seed: Sequence[int]) -> Performance:
    """The same clip, with worse poses."""
    rng = np.random.default_rng([*seed, DAMAGES.index(damage)])
    return Performance(
        performance.path, performance.header, damage.inflict(performance.poses, dose, rng), performance.status
    )


def doses_of(which: str) -> list[tuple[Damage | None, float]]:
    """Undamaged, then every damage at its doses; "short": the middle one alone."""
    chosen = [(damage, damage.doses if which == "full" else damage.doses[1:2]) for damage in DAMAGES]
    return [(None, 0.0), *((damage, dose) for damage, doses in chosen for dose in doses)]


def truth_for(footage: Footage, actors: Sequence[tuple[Contender, Actor]]) -> Truth:
    """The held-out part, at the size of the largest network."""
    sizes = [who.config.size for who, _ in actors if who.learns] or [who.config.size for who, _ in actors]
    return truth_of(footage.pair.reference, footage.parts.held_out, actors[0][1], max(sizes))


def play(
    bench: Bench, footage: Footage, seed: int, actors: Sequence[tuple[Contender, Actor]], which: str
) -> Iterator[Played]:
    """Every actor at every dose; kept ones are read."""
    truth = truth_for(footage, actors)
    prepared: TruthMeasures | None = None
    with ExitStack() as stack:
        for who, actor in actors:
            for damage, dose in doses_of(which):
                name = f"{who.name} {damage.name} {dose:g}" if damage else who.name
                kept = bench.work / "robustness" / footage.name / f"{name}.json"
                wanted = _wanted(actor, damage, dose, [bench.seed, seed], truth.size)
                if kept.exists() and (content := read_json(kept))["of"] == wanted:
                    yield Played(**content["played"])
                    continue
                if prepared is None:
                    prepared = stack.enter_context(TruthMeasures(truth, track_output=False))
                logging.info("%s: %s", footage.name, name)
                clip = bench.work / "clips" / f"robustness of {footage.name}" / f"{name}.mp4"
                worse = _with_damage(truth, damage, dose, [bench.seed, seed])
                errors = _errors(bench, actor, worse, prepared, clip)
                one = Played(
                    footage.name, who.name, who.title, damage.name if damage else "", dose, str(truth.fps), errors,
                    str(clip.relative_to(bench.work)),
                )  # fmt: skip
                write_json(kept, {"of": wanted, "played": dataclasses.asdict(one)})
                yield one


def _with_damage(truth: Truth, damage: Damage | None, dose: float, seed: Sequence[int]) -> Truth:
    """What drives: the truth's own poses, worse."""
    if damage is None:
        return truth
    return dataclasses.replace(truth, performance=damaged(truth.performance, damage, dose, seed))


def _errors(
    bench: Bench, actor: Actor, driving: Truth, prepared: TruthMeasures, clip: Path
) -> dict[str, list[float | None]]:
    clip.parent.mkdir(parents=True, exist_ok=True)
    frames = played(actor, part_of(driving, actor), driving, device=bench.device)
    measured = measure_clip(Recorder(frames, clip, driving.fps), prepared, track_output=False).measures
    return {measure: measured[measure].per_frame["person"] for measure in MEASURES}


def _wanted(actor: Actor, damage: Damage | None, dose: float, seed: Sequence[int], size: int) -> Any:
    """What has to be the same for a kept result to be taken."""
    training = {name: actor.record.get(name) for name in ("asked", "steps", "seconds")}
    of = {"damage": damage.name if damage else "", "dose": dose, "seed": list(seed), "size": size}
    return json.loads(json.dumps({**training, **of}))


def frames_sheet(bench: Bench, truth: Truth, seed: int, own: Sequence[Played], output: Path) -> None:
    """Where each damage, at its largest dose, harms most: the damaged pose, the truth, and every recipe's frame."""
    recipes = {one.recipe: one.title for one in own}
    clean = {one.recipe: np.array(one.errors["rmse"], float) for one in own if not one.damage}
    true_frames = list(truth.frames())
    columns, labels = [], []
    for damage in DAMAGES:
        dose = max(one.dose for one in own if one.damage == damage.name)
        chosen = {one.recipe: one for one in own if (one.damage, one.dose) == (damage.name, dose)}
        harm = np.mean([np.array(chosen[name].errors["rmse"], float) - clean[name] for name in recipes], axis=0)
        at = int(np.nanargmax(harm))
        pose = _with_damage(truth, damage, dose, [bench.seed, seed]).pose
        drawn = draw_pose(np.zeros_like(true_frames[at]), pose.xy[at], pose.confidence[at])
        shown = [_frame(bench.work / chosen[name].clip, at) for name in recipes]
        columns.append([drawn, true_frames[at], *shown])
        labels.append(f"{damage.title}, {dose:g} (frame {at})")
    rows = [list(row) for row in zip(*columns, strict=True)]
    write_image(output, contact_sheet(rows, ["damaged pose", "truth", *recipes.values()], labels, cell_hw=(192, 192)))


def _frame(clip: Path, number: int) -> Any:
    for index, frame in enumerate(VideoReader(clip, say_notes=False)):
        if index == number:
            return frame
    raise IndexError(f"{clip} has no frame {number}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("fidelity"), help="folder for clips and actors; fidelity's")
    parser.add_argument("--output", type=Path, help="JSON to write")
    parser.add_argument(
        "--recipes", nargs="+", default=DEFAULT, metavar="RECIPE", help="which to damage, in this order"
    )
    parser.add_argument("--against", default=PROPOSED, help="the recipe whose degradation is taken from the others'")
    parser.add_argument("--people", type=int, nargs="+", default=[1, 2, 3], help="seeds of made-up people")
    parser.add_argument("--preset", default="preview", choices=("preview", "fast", "paper"))
    parser.add_argument("--minutes", type=float, default=3.0, help="of training, where there is none yet")
    parser.add_argument("--steps", type=int, help="of every training instead, for a trial")
    parser.add_argument("--doses", default="full", choices=("full", "short"), help="short: one of each damage")
    parser.add_argument("--seed", type=int, default=0, help="of the trainings and of the damage")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    options = parser.parse_args(arguments)
    choices = known(options.preset)
    for name in options.recipes:
        if name not in choices:
            parser.error(f"--recipes {name}: there is no such recipe; choose from {', '.join(choices)}")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    device = choose_device(options.device).type
    options.work.mkdir(parents=True, exist_ok=True)
    steps: dict[str, int] = read_json(options.work / STEPS) if (options.work / STEPS).exists() else {}
    if options.steps:
        steps = dict.fromkeys(options.recipes, options.steps)
    bench = Bench(options.work, options.preset, options.minutes, options.seed, options.device, steps)
    every: list[Played] = []
    trained: dict[str, dict[str, Any]] = {}
    for seed in options.people:
        footage = footage_of(bench, seed)
        actors = [(who, actor_of(bench, footage, who)) for who in contenders(options.recipes, options.preset)]
        for who, actor in actors:
            asked = {name: actor.record.get(name) for name in ("steps", "seconds", "features")}
            trained.setdefault(who.name, {})[footage.name] = asked
        own = list(play(bench, footage, seed, actors, options.doses))
        every += own
        if seed == options.people[0]:
            frames_sheet(bench, truth_for(footage, actors), seed, own, options.work / "robustness_frames.png")
    rows = rows_of(every, options.against)
    plot(rows, options.work / "robustness.png")
    content = {
        "settings": {
            "people": options.people,
            "preset": options.preset,
            "minutes": options.minutes,
            "seed": options.seed,
            "against": options.against,
            "doses": {damage.name: list(damage.doses) for damage in DAMAGES},
            "frames_a_person": len(every[0].errors["rmse"]),
        },
        "machine": machine(device),
        "trained": trained,
        "rows": record(rows),
    }
    write_json(options.output or options.work / "robustness.json", content)
    print(tables(rows, options.against))
    print(f"\nplot: {options.work / 'robustness.png'}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UnderstudyError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
