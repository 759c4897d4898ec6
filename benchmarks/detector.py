"""The fake detector, trained and tested on made-up people, and tried on real clips where there are some.

    python benchmarks/detector.py --work detector --output mine.json --save detector.safetensors
    python benchmarks/detector.py --work small --train 2 --validation 2 --test 2 --more 0 --steps 9 --detector-steps 9

Made-up people are filmed; a short actor is trained of each (by one method each, in turn, and by the one that takes no
training; by all methods for those who are held out), and performs a part of the person's own dance that it has not
seen, and another person's. Films and clones are encoded once more, by numbers drawn without looking at what they are.
The detector is trained on the first group of people, calibrated on the second, tested on the third.

Beside the main detector one is trained without each method, to see what happens with a method that it does not know;
and one whose real clips were not encoded again, to see whether the test with swapped qualities would notice.

What is finished stays in the work folder and is not done again.
"""

from __future__ import annotations

import argparse
import logging
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from detector_clips import INSTANT, Clip, Cutter, Studio, actor_of, clips_of, cut_once, for_each
from understudy.base.devices import choose_device
from understudy.base.files import read_json, write_json
from understudy.base.machine import machine
from understudy.errors import PoseError, UsageError
from understudy.forensics.detect import detect
from understudy.forensics.detector import Calibration, Config, Detector, pair_log_odds
from understudy.forensics.detector_data import CRF, SHRINK, Footage
from understudy.forensics.detector_training import Schedule, calibrated, detector_of, train_detector
from understudy.performing.driver import Driver
from understudy.performing.perform import perform_to_file
from understudy.recipes import names as names_of_recipes
from understudy.recipes import recipe as recipe_of
from understudy.tracking.track import tracked

MEDIA = Path(os.environ.get("UNDERSTUDY_MEDIA", Path(__file__).parents[2] / "shared" / "media"))
FIRST = 301
"""number of the first person; films, rooms and dances follow from it"""
WANTED = ("performance-cloning", "pix2pix", "everybody-dance-now", INSTANT)
VERSIONS = ("0", "1")
"""random treatments of every clip"""


def material(
    studio: Studio, groups: dict[str, list[int]], cutter: Cutter, options: argparse.Namespace
) -> tuple[list[Footage], list[Footage], list[Footage], list[Clip], list[Clip]]:
    """Footage to train, to calibrate, to test; and the clips of the first and of the last."""
    learnt = [recipe for recipe in options.recipes if recipe_of(recipe).learns]
    instant = [recipe for recipe in options.recipes if not recipe_of(recipe).learns]
    taught = [*groups["training"], *groups["validation"]]
    in_turn = [learnt[place % len(learnt) : place % len(learnt) + 1] if learnt else [] for place in range(len(taught))]
    of_whom: dict[int, Sequence[str]]
    of_whom = {number: [*instant, *trained] for number, trained in zip(taught, in_turn, strict=True)}
    of_whom |= dict.fromkeys(groups["more"], instant)
    of_whom |= dict.fromkeys(groups["test"], options.recipes)
    made = clips_of(studio, groups, of_whom, options.jobs)
    clips = {role: [clip for clip in made if clip.role == role] for role in groups}
    clips["training"] += clips.pop("more")
    for_each(
        cut_once, [(cutter, clip, version) for clip in made for version in versions_of(clip, options)], options.jobs
    )
    training = [cutter.cut(clip, version) for clip in clips["training"] for version in VERSIONS]
    training = [footage for footage in training if len(footage.pairs)]
    validation, test = (
        [part for clip in clips[role] for version in VERSIONS for part in cutter.in_parts(clip, version, studio.shown)]
        for role in ("validation", "test")
    )
    return training, validation, test, clips["training"], clips["test"]


def versions_of(clip: Clip, options: argparse.Namespace) -> Sequence[str]:
    """How a clip is encoded once more: twice at random; for the test with swapped qualities, in a set way as well."""
    if options.only_main or clip.role == "validation":
        return VERSIONS
    if clip.role == "test":
        return (*VERSIONS, "good", "poor")
    return (*VERSIONS, "poor" if clip.generated else "as filmed")


class Judge:
    """A trained network and what it says of footage."""

    def __init__(self, footage: Sequence[Footage], options: argparse.Namespace, steps: int):
        self.config, self.device = Config(), choose_device(options.device)
        schedule = Schedule(steps=steps)
        self.network = train_detector(footage, self.config, schedule, seed=options.seed, device=options.device)
        self.network.to(self.device)

    def verdicts(self, footage: Sequence[Footage]) -> list[dict[str, Any]]:
        rows = []
        for clip in footage:
            odds = pair_log_odds(self.network, clip.pairs, self.device)
            row = {"person": clip.person, "recipe": clip.recipe, "motion": clip.motion, "generated": clip.generated}
            right = (odds > 0) == clip.generated
            rows.append(row | {"mean": float(odds.mean()), "right": bool((odds.sum() > 0) == clip.generated)})
            rows[-1]["pairs_right"] = float(right.mean())
        return rows


def share(rows: Sequence[dict[str, Any]], what: str = "right") -> float | None:
    return float(np.mean([row[what] for row in rows])) if rows else None


def table_5(rows: Sequence[dict[str, Any]], what: str = "right") -> dict[str, float | None]:
    """Accuracies: of real clips, of clones in each motion, and, as the paper counts, of as many real as generated."""
    real = share([row for row in rows if not row["generated"]], what)
    found: dict[str, float | None] = {"real": real}
    for motion in ("same", "other"):
        clones = share([row for row in rows if row["motion"] == motion], what)
        found[motion] = clones
        found[f"balanced, {motion}"] = None if real is None or clones is None else (real + clones) / 2
    return found


def unknown_methods(
    training: Sequence[Footage], test: Sequence[Footage], options: argparse.Namespace, recipes: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """What a detector says of clones by a method that it was not trained on."""
    for recipe in recipes:
        without = [clip for clip in training if clip.recipe != recipe]
        if not any(clip.generated for clip in without):
            continue
        judge = Judge(without, options, options.other_steps)
        rows = judge.verdicts(test)
        yield {
            "recipe": recipe,
            "clones": share([row for row in rows if row["recipe"] == recipe]),
            "pairs of clones": share([row for row in rows if row["recipe"] == recipe], "pairs_right"),
            "real": share([row for row in rows if not row["generated"]]),
        }


def swapped(
    judges: dict[str, Judge], cutter: Cutter, clips: Sequence[Clip], studio: Studio
) -> Iterator[dict[str, Any]]:
    """Accuracy where real clips are encoded well and clones poorly, and the other way round."""
    for real, fake in (("good", "poor"), ("poor", "good")):
        footage = [
            part for clip in clips for part in cutter.in_parts(clip, fake if clip.generated else real, studio.shown)
        ]
        for name, judge in judges.items():
            rows = judge.verdicts(footage)
            yield {
                "detector": name,
                "real clips": real,
                "clones": fake,
                "right, real": share([row for row in rows if not row["generated"]]),
                "right, clones": share([row for row in rows if row["generated"]]),
            }


def one_sided(cutter: Cutter, clips: Sequence[Clip]) -> list[Footage]:
    """What must not be trained on: real clips as filmed, clones encoded once more, poorly."""
    footage = [cutter.cut(clip, "poor" if clip.generated else "as filmed") for clip in clips]
    return [clip for clip in footage if len(clip.pairs)]


def real_people(studio: Studio, recipes: Sequence[str], detector: Detector) -> list[dict[str, Any]]:
    """Every real clip, as a user would ask; and clones of the man who was filmed by two cameras."""
    if not MEDIA.is_dir():
        logging.warning("%s is not there, so nothing is said of real clips: set UNDERSTUDY_MEDIA", MEDIA)
        return []
    asked = [(path, False, "") for path in sorted(MEDIA.glob("*.mp4"))]
    man = [path for path, _, _ in asked if path.name in ("balance_cam1.mp4", "balance_cam3.mp4")]
    if len(man) == 2:
        for learnt_from, driving in (man, man[::-1]):
            for recipe in recipes:
                path = studio.work / "real" / f"{learnt_from.stem}-{recipe}-as-{driving.stem}.mp4"
                if not path.exists():
                    reference, moves = (
                        tracked(video, cache=studio.work / "tracked") for video in (learnt_from, driving)
                    )
                    actor = actor_of(studio, reference, recipe, studio.work / "real" / learnt_from.stem)
                    perform_to_file(actor, Driver(moves), path, device=studio.device)
                asked.append((path, True, recipe))
    rows = []
    for path, generated, recipe in asked:
        row: dict[str, Any] = {"clip": path.name, "generated": generated, "recipe": recipe}
        try:
            found = detect(path, detector=detector, device=studio.device, sandbox=False)
        except PoseError as error:
            logging.warning("%s", error)
            rows.append(row | {"probability": None, "verdict": "nobody", "right": None})
            continue
        right = (found.sum_of_log_odds > 0) == generated
        rows.append(row | {"probability": round(found.probability, 3), "verdict": found.verdict, "right": right})
    return rows


def percent(value: float | None) -> str:
    return "n/a" if value is None else f"{100 * value:.1f} %"


def printed(content: dict[str, Any]) -> str:
    """Markdown, as docs/results.md shows it."""
    videos, pairs = content["videos"], content["pairs"]
    lines = ["| held-out people | same subject | other subject |", "|---|---|---|"]
    for title, numbers in (("videos", videos), ("pairs of frames", pairs)):
        cells = (percent(numbers[f"balanced, {motion}"]) for motion in ("same", "other"))
        lines.append(f"| {title}: accuracy | {' | '.join(cells)} |")
        lines.append(f"| clones found | {percent(numbers['same'])} | {percent(numbers['other'])} |")
        lines.append(f"| real ones let pass | {percent(numbers['real'])} | {percent(numbers['real'])} |")
    lines += ["", "| method | clones found | when the detector was trained without it |", "|---|---|---|"]
    without = {row["recipe"]: row for row in content["unknown"]}
    for recipe, found in content["recipes"].items():
        lines.append(f"| {recipe} | {percent(found)} | {percent(without.get(recipe, {}).get('clones'))} |")
    lines += [
        "",
        "| detector | real clips encoded | clones encoded | real let pass | clones found |",
        "|---|---|---|---|---|",
    ]
    for row in content["swapped"]:
        right = percent(row["right, real"]), percent(row["right, clones"])
        lines.append(f"| {row['detector']} | {row['real clips']} | {row['clones']} | {right[0]} | {right[1]} |")
    lines += ["", "| real footage | made by | generated? | verdict |", "|---|---|---|---|"]
    for row in content["media"]:
        by = row["recipe"] or "a camera"
        lines.append(f"| {row['clip']} | {by} | {percent(row['probability'])} | {row['verdict']} |")
    return "\n".join(lines)


def sentences(content: dict[str, Any], people: int) -> list[str]:
    """How far to trust the detector, from what was measured."""
    videos, unknown = content["videos"], [row for row in content["unknown"] if row["clones"] is not None]
    said = [
        f"on {people} made-up people it was not trained on, clips of {content['shown']:g} seconds encoded once more: "
        f"{percent(videos['same'])} of clones in the person's own motion were found and {percent(videos['other'])} in "
        f"another's, and {percent(videos['real'])} of real clips were let pass"
    ]
    if unknown:
        worst = min(unknown, key=lambda row: row["clones"])
        said.append(
            "of clones by a method that it does not know it may miss all: trained without one of them, it found "
            + ", ".join(f"{percent(row['clones'])} ({row['recipe']})" for row in unknown)
            + f"; of another program's clones, too, it may find as few as {percent(worst['clones'])}"
        )
    real = [row for row in content["media"] if not row["generated"]]
    clones = [row for row in content["media"] if row["generated"]]
    if real:
        said.append(
            f"no real person was trained on: of {len(real)} clips of real people, "
            f"{sum(row['verdict'] == 'generated' for row in real)} were called generated (false alarms) and "
            f"{sum(row['verdict'] == 'unsure' for row in real)} left open; of {len(clones)} clones of a real man, "
            f"{sum(row['verdict'] == 'generated' for row in clones)} were called generated and "
            f'{sum(row["verdict"] == "real" for row in clones)} real: expect "cannot tell" of real people'
        )
    said += [
        "the actors it knows were trained for less than a minute: it may rest on softness and on the seams of cutouts, "
        "which better actors have less of",
        "the probability is meant for a video that is as likely real as generated, and is no proof of either",
    ]
    return said


def check_work(options: argparse.Namespace) -> None:
    """What lies in the work folder was made with these settings, or it is not used."""
    asked = {name: getattr(options, name) for name in ("steps", "seconds", "shown", "seed")}
    kept = options.work / "settings.json"
    if kept.exists() and read_json(kept) != asked:
        raise UsageError(f"{options.work} was begun with {read_json(kept)}, not {asked}: choose another --work")
    write_json(kept, asked)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("detector"), help="folder for films, actors, and clones")
    parser.add_argument("--output", type=Path, help="JSON to write; left out, only WORK/results.json is written")
    parser.add_argument("--save", type=Path, help="the detector to write, with what it is worth")
    parser.add_argument("--train", type=int, default=12, help="people who are trained on")
    parser.add_argument("--validation", type=int, default=2, help="people for the calibration")
    parser.add_argument("--test", type=int, default=4, help="people who are held out")
    parser.add_argument("--more", type=int, default=20, help="further people trained on, without a trained actor")
    parser.add_argument("--recipes", nargs="+", default=list(WANTED), choices=names_of_recipes())
    parser.add_argument("--steps", type=int, default=250, help="of training, for each actor")
    parser.add_argument("--seconds", type=float, default=7.0, help="of each film")
    parser.add_argument("--shown", type=float, default=2.0, help="seconds at its end that drive, and length of clones")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="clips made at the same time")
    parser.add_argument("--detector-steps", type=int, default=2000)
    parser.add_argument("--other-steps", type=int, default=1000, help="of the detectors trained without something")
    parser.add_argument("--only-main", action="store_true", help="train no other detectors, leave out their tables")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    options = parser.parse_args(arguments)
    if min(options.train, options.validation, options.test) < 2:
        parser.error("every group needs two people, who dance for each other")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    started = time.monotonic()
    check_work(options)
    described = machine(choose_device(options.device).type)
    studio = Studio(options.work, options.steps, options.seconds, options.shown, options.seed, options.device)
    sizes = {
        "training": options.train,
        "validation": options.validation,
        "test": options.test,
        "more": options.more,
    }
    groups, first = {}, FIRST
    for role, count in sizes.items():
        groups[role] = list(range(first, first + count))
        first += count
    cutter = Cutter(options.work, Config().size, options.seed)
    training, validation, test, training_clips, test_clips = material(studio, groups, cutter, options)

    judge = Judge(training, options, options.detector_steps)
    calibration = calibrated(judge.network, validation, options.device)
    rows = judge.verdicts(test)
    content: dict[str, Any] = {
        "machine": described,
        "settings": {
            name: str(value) for name, value in vars(options).items() if name not in ("output", "save", "work")
        },
        "people": groups,
        "shown": options.shown,
        "calibration": vars(calibration),
        "videos": table_5(rows),
        "pairs": table_5(rows, "pairs_right"),
        "recipes": {name: share([row for row in rows if row["recipe"] == name]) for name in options.recipes},
        "clips": rows,
        "unknown": [],
        "swapped": [],
    }
    if not options.only_main:
        content["unknown"] = list(unknown_methods(training, test, options, options.recipes))
        judges = {"both sides encoded again": judge}
        judges["clones only"] = Judge(one_sided(cutter, training_clips), options, options.other_steps)
        content["swapped"] = list(swapped(judges, cutter, test_clips, studio))
    content["media"] = real_people(studio, options.recipes, _detector(judge, calibration, {}))
    content["minutes"] = round((time.monotonic() - started) / 60, 1)
    record = {"trained_on": _trained_on(options, training), "trust": sentences(content, options.test)}
    write_json(options.work / "results.json", content | record)
    if options.output:
        write_json(options.output, content | record)
    if options.save:
        _detector(judge, calibration, record).save(options.save)
    print(printed(content))
    print("\n" + "\n".join(["", record["trained_on"], *record["trust"]]))
    return 0


def _detector(judge: Judge, calibration: Calibration, record: dict[str, Any]) -> Detector:
    return detector_of(judge.network, judge.config, calibration, record)


def _trained_on(options: argparse.Namespace, training: Sequence[Footage]) -> str:
    pairs, people = sum(len(clip.pairs) for clip in training), options.train + options.more
    return (
        f"trained on {pairs} pairs of frames of {people} made-up people, as filmed and as played by "
        f"short-trained actors of {', '.join(options.recipes)}; all clips encoded again at random "
        f"(H.264, crf {CRF[0]} to {CRF[1]}, {SHRINK[0]:g} to {SHRINK[1]:g} of their size)"
    )


if __name__ == "__main__":
    raise SystemExit(main())
