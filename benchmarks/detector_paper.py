"""The fake detector of Everybody Dance Now on the clips that `detector.py` has left in its work folder.

    python benchmarks/detector_paper.py --work detector --output mine.json

The paper's network learns from pixels: its accuracy on people it has not seen, before cameras it has not seen, says
what a dozen people teach it. Groups of places are left out in turn; clips are encoded once more as in `detector.py`.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from detector import EXIST, WANTED
from detector_clips import ANY, Clip, Studio, clips_of, encoded_again, file_of, for_each, in_turn
from detector_folds import Part, Verdict, accuracy, of_kind, shares
from detector_people import real_people
from understudy.base.devices import choose_device
from understudy.base.files import write_json
from understudy.base.machine import machine
from understudy.errors import PoseError
from understudy.forensics.detector import judged_pairs
from understudy.forensics.detector_data import (
    Footage,
    centred,
    cut_pairs,
    load_footage,
    save_footage,
)
from understudy.forensics.paper_network import PaperConfig
from understudy.forensics.paper_training import Schedule, train_paper_detector
from understudy.forensics.texture_training import Sample
from understudy.media.reading import probe

MOST_PAIRS = 48
"""of one film, evenly taken: pairs of one person resemble each other"""


def footage_of(work: Path, clip: Clip, seed: int) -> Footage | None:
    """A clip encoded once more and cut; None where nobody is found. Kept in the work folder."""
    kept = file_of(clip, ANY, work / "squares")
    if not kept.exists():
        path, _ = encoded_again(clip, ANY, kept, seed)
        try:
            pairs, zones = cut_pairs(path, PaperConfig().size)
        except PoseError:
            pairs, zones = np.zeros((0, 2, 1, 1, 3), np.uint8), np.zeros((0, 1, 1), np.uint8)
        chosen = np.unique(np.linspace(0, max(0, len(pairs) - 1), MOST_PAIRS).astype(int))[: len(pairs)]
        save_footage(
            kept,
            Footage(
                pairs[chosen],
                zones[chosen],
                clip.generated,
                clip.subject.name,
                clip.recipe,
                clip.motion,
                float(probe(path).duration),
                clip.take.path.name,
            ),
        )
        path.unlink()
    footage = load_footage(kept)
    return footage if len(footage.pairs) else None


def verdict_of(network: Any, footage: Footage, clip: Clip, device: Any) -> Verdict:
    """By the paper's rule: the product of the pairs' probabilities, which is the sign of the mean log-odds."""
    size = PaperConfig().size
    odds = judged_pairs(network, centred(footage.pairs, size), centred(footage.zones, size), device)[0]
    sample = Sample(footage.generated, footage.person, footage.recipe, footage.seconds, np.zeros((0, 0), np.float32))
    part = Part(sample, clip.subject.real, clip.subject.place, clip.motion, 0)
    return Verdict(part, float(odds.mean()), probability=float(odds.mean() > 0))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("detector"), help="work folder of detector.py")
    parser.add_argument("--output", type=Path, help="JSON to write")
    parser.add_argument("--taught", type=int, default=3, help="as detector.py had it")
    parser.add_argument("--actor-steps", type=int, default=200, help="as detector.py had it")
    parser.add_argument("--steps", type=int, default=600, help="of each detector")
    parser.add_argument("--folds", type=int, default=3, help="groups of places")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    device = choose_device(options.device)
    described, people = machine(device.type), real_people()
    recipes = {one.name: in_turn(WANTED, k, options.taught) for k, one in enumerate(people)}
    studio = Studio(options.work, options.actor_steps, options.seed, options.device)
    clips = clips_of(studio, people, recipes, options.jobs)
    for_each(footage_of, [(options.work, clip, options.seed) for clip in clips], options.jobs)
    found = [(clip, footage_of(options.work, clip, options.seed)) for clip in clips]
    cut = [(clip, footage) for clip, footage in found if footage is not None]
    places = sorted({clip.subject.place for clip, _ in cut})
    verdicts = []
    for fold in range(options.folds):
        inside = set(places[fold :: options.folds])
        network = train_paper_detector(
            [footage for clip, footage in cut if clip.subject.place not in inside],
            PaperConfig(),
            Schedule(steps=options.steps),
            seed=options.seed,
            device=options.device,
        )
        verdicts += [
            verdict_of(network, footage, clip, device) for clip, footage in cut if clip.subject.place in inside
        ]
    content = {
        "machine": described,
        "settings": {name: str(value) for name, value in vars(options).items() if name not in ("output", "work")},
        EXIST: accuracy(verdicts),
        "recipes": {recipe: shares([one for one in verdicts if one.part.sample.recipe == recipe]) for recipe in WANTED},
        "filmed": shares(of_kind(verdicts, generated=False)),
    }
    print(content[EXIST])
    print(content["recipes"])
    if options.output:
        write_json(options.output, content)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
