"""The fake detector, and what it is worth for people who exist, at places that it has not seen.

    python benchmarks/detector.py --work detector --output mine.json --save detector.safetensors
    python benchmarks/detector.py --work small --made-up 2 --steps 9 --recipes limb-warp pix2pix --only-made-up

Everybody is filmed; actors of each are made by all methods that take no training, and by some of those that do, in
turn; they perform a part of the person's own clip that was not learnt from, and a neighbour's. Films and clones are
encoded once more, by numbers drawn without looking at what they are, clones twice: as they are, and with an invisible
mark, as users get them. Marks are read before anything is judged, so that nothing is learnt of the marked ones; tables
say what is seen of them where the mark itself is not found, and what learning of them would change.

Then everybody is judged by a detector that has learnt of others, at other places, and was calibrated on those of them
who exist. The same is done without each method, to see what becomes of one that is not known, with other material, and
for clones that were put into another film. The detector that is saved learns of everybody.

What is finished stays in the work folder and is not done again.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from detector_clips import (
    ANY,
    ELSEWHERE,
    LARGEST,
    MARKED,
    QUALITIES,
    Clip,
    Measurer,
    Studio,
    clips_elsewhere,
    clips_of,
    for_each,
    in_turn,
)
from detector_folds import Part, Verdict, accuracy, by_quality, in_parts, left_out, of_kind, reliability, shares
from detector_people import MEDIA, Subject, made_up, real_people
from detector_report import printed, sentences
from understudy.base.devices import choose_device
from understudy.base.files import read_json, write_json
from understudy.base.machine import machine
from understudy.errors import MediaError, PoseError, UsageError
from understudy.forensics.calibration import fitted_calibration
from understudy.forensics.detect import detect
from understudy.forensics.detector import Detector
from understudy.forensics.detector_data import CRF, SHRINK
from understudy.forensics.texture_network import COUNT, DEPTHS, TextureConfig
from understudy.forensics.texture_training import PENALTY, network_of, weighed
from understudy.recipes import names as names_of_recipes

EXIST = "people who exist"
FIRST = 301
"""number of the first made-up person; films, rooms and dances follow from it"""
WANTED = (
    "performance-cloning",
    "pix2pix",
    "everybody-dance-now",
    "poses-in-the-wild",
    "cyclegan",
    "copy-then-refine",
    "limb-warp",
    "nearest-neighbour",
    "freestyle-reenactment",
)
"""all methods; those that are trained come in turn"""
DEFAULT = "copy-then-refine"
"""what `clone` takes, unless it is told otherwise"""
ANOTHER_ROOM = "phone_hlg_rotated_no_person.mp4"
"""a film of UNDERSTUDY_MEDIA with nobody in it"""
VERSIONS = {False: tuple(QUALITIES), True: (ANY, MARKED)}
"""treatments of filmed clips, which are few: one of each quality; of generated ones, which are many: two of any"""


def subjects_of(options: argparse.Namespace) -> tuple[list[Subject], list[Subject]]:
    """People who exist, people who are made up."""
    numbers = range(FIRST, FIRST + options.made_up)
    for_each(made_up, [(number, options.work, options.seconds, options.shown) for number in numbers], options.jobs)
    made = [made_up(number, options.work, options.seconds, options.shown) for number in numbers]
    if options.only_made_up:
        return [], made
    if not MEDIA.is_dir():
        raise UsageError(f"{MEDIA} is not there: set UNDERSTUDY_MEDIA, or ask for `--only-made-up`")
    return real_people(), made


def material(options: argparse.Namespace, real: Sequence[Subject], made: Sequence[Subject]) -> list[Part]:
    """All films and clones in numbers."""
    studio = Studio(options.work, options.steps, options.seed, options.device)
    clips: list[Clip] = []
    for people, taught in ((real, options.taught), (made, options.taught_made_up)):
        if people:
            recipes = {one.name: in_turn(options.recipes, k, taught) for k, one in enumerate(people)}
            clips += clips_of(studio, people, recipes, options.jobs)
    if real:
        clips += clips_elsewhere(studio, real, DEFAULT, MEDIA / ANOTHER_ROOM, options.jobs)
    measurer = Measurer(options.work, options.seed, options.device)
    wanted = [(clip, version) for clip in clips for version in VERSIONS[clip.generated]]
    for_each(measurer.measured, wanted, options.jobs)
    parts = []
    for one in itertools.starmap(measurer.measured, wanted):
        subject = one.clip.subject
        if len(one.sample.statistics):
            parts += [
                Part(part, subject.real, subject.place, one.clip.motion, one.crf, one.marked)
                for part in in_parts(one.sample, options.shown)
            ]
    return parts


def exists(part: Part) -> bool:
    """Somebody who exists, as filmed or in a clone that was not put elsewhere."""
    return part.real and part.motion != ELSEWHERE


def taught_with(part: Part) -> bool:
    """Whether a part is learnt from."""
    return part.motion != ELSEWHERE and not part.marked


def calibrates(part: Part) -> bool:
    """Whether a verdict on a part calibrates others, if there are people who exist."""
    return part.real and taught_with(part)


def calibrated_on(options: argparse.Namespace) -> Callable[[Part], bool]:
    """Which verdicts calibrate others: those on people who exist, if there are any."""
    return taught_with if options.only_made_up else calibrates


def of_unknown_method(parts: Sequence[Part], recipe: str, penalty: float) -> dict[str, Any]:
    """What is said of a method's clones of people who exist by detectors that know neither."""

    def known(part: Part) -> bool:
        return part.sample.recipe != recipe

    verdicts = left_out(
        parts,
        penalty,
        judges=calibrates,
        learns_from=lambda part: taught_with(part) and known(part),
        calibrates=lambda part: calibrates(part) and known(part),
    )
    found = [one for one in verdicts if not known(one.part)]
    filmed = of_kind(verdicts, generated=False)
    return {
        "recipe": recipe,
        **shares(found),
        "filmed": shares(filmed),
        "reliability": reliability([*found, *filmed]),
    }


def of_unknown_methods(parts: Sequence[Part], options: argparse.Namespace) -> list[dict[str, Any]]:
    """A row for each method of which there are clones of people who exist."""
    made = {part.sample.recipe for part in parts if exists(part)}
    return [of_unknown_method(parts, recipe, options.penalty) for recipe in options.recipes if recipe in made]


def of_other_material(parts: Sequence[Part], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Verdicts on people who exist by detectors that have seen something else."""
    seen: dict[str, dict[str, Callable[[Part], Any]]] = {
        "the same, others at the same place among them": {"place_of": lambda part: part.sample.person},
        "people who exist alone": {"learns_from": calibrates},
        "made-up people alone": {"learns_from": lambda part: not part.real and taught_with(part)},
        "everybody, of clones marked ones too": {
            "learns_from": lambda part: part.motion != ELSEWHERE,
            "calibrates": exists,
        },
    }
    rows = []
    for name, how in seen.items():
        verdicts = left_out(
            parts, options.penalty, judges=exists, **{"learns_from": taught_with, "calibrates": calibrates, **how}
        )
        rows.append({"learnt from": name, **accuracy(unmarked(verdicts)), **by_marks(verdicts)})
    return rows


def unmarked(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Those whose mark was not read before: what the detector is for."""
    return [one for one in verdicts if not one.part.marked]


def by_marks(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Clones without an invisible mark, and with one."""
    clones = of_kind(verdicts, generated=True)
    return {
        name: shares([one for one in clones if one.part.marked == marked])
        for name, marked in (("unmarked clones", False), ("marked clones", True))
    }


def as_users_ask(parts: Sequence[Part], people: Sequence[Subject], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Every clip of UNDERSTUDY_MEDIA, whole, by a detector that has seen nobody at that place."""
    rows = []
    detectors: dict[frozenset[str], Detector] = {}
    for path in sorted(MEDIA.glob("*.mp4")):
        inside = frozenset(one.place for one in people if any(film.path == path for film in one.films))
        if inside not in detectors:
            detectors[inside] = trained([part for part in parts if part.place not in inside], options, {})[0]
        row: dict[str, Any] = {"clip": path.name}
        try:
            found = detect(path, detector=detectors[inside], device=options.device, sandbox=False)
            probability = round(found.probability, 3)
            row |= {"probability": probability, "verdict": found.verdict, "unknowable": found.unknowable}
        except PoseError:
            row |= {"probability": None, "verdict": "nobody"}
        except MediaError as error:
            row |= {"probability": None, "verdict": str(error)}
        rows.append(row)
    return rows


def trained(parts: Sequence[Part], options: argparse.Namespace, record: dict[str, Any]) -> tuple[Detector, float]:
    """A detector of all parts, calibrated on verdicts on people who were left out; and what it was moved by."""
    used = calibrated_on(options)
    tried = left_out(parts, options.penalty, judges=used, learns_from=taught_with, calibrates=used)
    moved, calibration = fitted_calibration([one.judged for one in tried])
    network = network_of(
        weighed([part.sample for part in parts if taught_with(part)], options.penalty), TextureConfig(), moved
    )
    return Detector.of(network, TextureConfig(), calibration, record), moved


def check_work(options: argparse.Namespace) -> None:
    """What lies in the work folder was made with these settings, or it is not used."""
    asked = {name: getattr(options, name) for name in ("steps", "seconds", "shown", "seed")}
    asked["statistics"] = repr((DEPTHS, COUNT, TextureConfig(), CRF, SHRINK, LARGEST, QUALITIES))
    kept = options.work / "settings.json"
    if kept.exists() and read_json(kept) != asked:
        raise UsageError(f"{options.work} was begun with {read_json(kept)}, not {asked}: choose another --work")
    write_json(kept, asked)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("detector"), help="folder for films, actors, and clones")
    parser.add_argument("--output", type=Path, help="JSON to write; left out, only WORK/results.json is written")
    parser.add_argument("--save", type=Path, help="the detector to write, with what it is worth")
    parser.add_argument("--made-up", type=int, default=12, help="people who are made up")
    parser.add_argument("--only-made-up", action="store_true", help="leave the clips of UNDERSTUDY_MEDIA alone")
    parser.add_argument("--recipes", nargs="+", default=list(WANTED), choices=names_of_recipes())
    parser.add_argument("--taught", type=int, default=3, help="trained actors of everybody who exists, in turn")
    parser.add_argument("--taught-made-up", type=int, default=1, help="trained actors of everybody made up, in turn")
    parser.add_argument("--steps", type=int, default=200, help="of training, for each actor")
    parser.add_argument("--seconds", type=float, default=7.0, help="of each film of somebody made up")
    parser.add_argument("--shown", type=float, default=2.0, help="seconds at its end that drive, and length of parts")
    parser.add_argument("--penalty", type=float, default=PENALTY, help="of large weights")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes beside each other")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    options = parser.parse_args(arguments)
    if options.made_up < 2:
        parser.error("two people are needed, who dance for each other")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    check_work(options)
    described = machine(choose_device(options.device).type)
    people, made = subjects_of(options)
    parts = material(options, people, made)

    verdicts = left_out(parts, options.penalty, learns_from=taught_with, calibrates=calibrated_on(options))
    of_group = {
        EXIST: [one for one in verdicts if exists(one.part)],
        "made-up people": [one for one in verdicts if not one.part.real],
        "people who exist, put into another film": [one for one in verdicts if one.part.motion == ELSEWHERE],
    }
    content: dict[str, Any] = {
        "machine": described,
        "settings": {
            name: str(value) for name, value in vars(options).items() if name not in ("output", "save", "work")
        },
        "people": {"real": [one.name for one in people], "made up": [one.name for one in made]},
        "groups": {
            name: accuracy(unmarked(ones)) | by_marks(ones)
            for name, ones in of_group.items()
            if of_kind(ones, generated=False)
        },
        "recipes": {
            name: {
                recipe: shares([one for one in unmarked(ones) if one.part.sample.recipe == recipe])
                for recipe in options.recipes
            }
            for name, ones in of_group.items()
            if ones
        },
        "reliability": {
            name: reliability(unmarked(ones)) for name, ones in of_group.items() if of_kind(ones, generated=False)
        },
        "quality": by_quality(unmarked(of_group[EXIST] or verdicts)),
        "verdicts": [_in_json(one) for one in verdicts],
        "unknown": [],
        "material": [],
        "media": [],
    }
    if people:
        content["unknown"] = of_unknown_methods(parts, options)
        content["material"] = of_other_material(parts, options)
        content["media"] = as_users_ask(parts, people, options)
    record = {"trained_on": _trained_on(options, parts, people, made), "trust": sentences(content)}
    detector, moved = trained(parts, options, record)
    content |= {"calibration": {**vars(detector.calibration), "moved": moved}}
    write_json(options.work / "results.json", content | record)
    if options.output:
        write_json(options.output, content | record)
    if options.save:
        detector.save(options.save)
    print(printed(content))
    print("\n" + "\n".join(["", record["trained_on"], *record["trust"]]))
    return 0


def _in_json(verdict: Verdict) -> dict[str, Any]:
    part = verdict.part
    return {
        "person": part.sample.person,
        "recipe": part.sample.recipe,
        "motion": part.motion,
        "crf": part.crf,
        "marked": part.marked,
        "mean": round(verdict.mean, 3),
        "strangeness": round(verdict.strangeness, 3),
        "strange": verdict.strange,
        "probability": round(verdict.probability, 3),
    }


def _trained_on(
    options: argparse.Namespace, parts: Sequence[Part], people: Sequence[Subject], made: Sequence[Subject]
) -> str:
    pairs = sum(len(part.sample.statistics) for part in parts if taught_with(part))
    exist = f"{len(people)} people who exist at {len({one.place for one in people})} places and " if people else ""
    made_by = sorted({part.sample.recipe for part in parts if not part.real and part.sample.recipe})
    return (
        f"trained on {pairs} pairs of frames of {exist}{len(made)} made-up people, as filmed and as played by actors "
        f"that take no training or had about a minute of it, of {', '.join(options.recipes)} (the made-up people of "
        f"{', '.join(made_by)}); all clips encoded again at random (H.264, crf {CRF[0]} to {CRF[1]}, "
        f"{SHRINK[0]:g} to {SHRINK[1]:g} of their size), clones without marks"
    )


if __name__ == "__main__":
    raise SystemExit(main())
