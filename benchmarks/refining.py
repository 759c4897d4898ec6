"""What copy-then-refine gains over the warp that it begins with, and what each of its parts is good for.

    python benchmarks/refining.py --work refining --output mine.json
    python benchmarks/refining.py --work refining --output mine.json --only ways --people 1

Self-reenactment of made-up people and filmed ones: the first two thirds of each clip are the reference, the rest drives
and is the truth. "One frame, mixed at changes" is how the limb warp was until version 0.2.0, but for its edges. The
adapted network learns for `--minutes`; which of warp, prior and adapted network is played, the recipe decides by itself
from the reference alone, as it does for users, unless the row says otherwise.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

from features import clips_of
from fidelity_tables import compact, table
from understudy.base.files import write_json
from understudy.consent import Consent
from understudy.evaluation.contenders import Contender, contender, learnt
from understudy.evaluation.evaluate import report, self_reenactment_test
from understudy.evaluation.results import Evaluation, Test
from understudy.evaluation.self_reenactment import Split

FILMED = ("juggler.mp4", "lab_squats.mp4")
AS_IT_IS = {"size": 256, "steps": 0}
UNCHECKED = {**AS_IT_IS, "checked": False}
LEARNT = {"size": 256, "steps": 1_000_000, "pairs": 120}
WAYS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "one-mixed": ("limb-warp", "limb warp: one frame, mixed at changes", {"sources": 1, "fade": 2}),
    "limb-warp": ("limb-warp", "limb warp: four frames", {}),
    "instant": ("copy-then-refine", "copy, then refine: instant", AS_IT_IS),
    "prior": ("copy-then-refine", "the prior, whatever the check says", UNCHECKED),
    "preview": ("copy-then-refine", "copy, then refine: adapted", LEARNT),
}
WITHOUT: dict[str, tuple[str, str, dict[str, Any]]] = {
    "no-prior": ("copy-then-refine", "no prior, adapted", {**LEARNT, "knows_people": False, "checked": False}),
    "no-flow": ("copy-then-refine", "prior without flow", {**UNCHECKED, "most_flow": 1e-3}),
    "soft-choice": ("copy-then-refine", "prior, choice of 60 levels", {**UNCHECKED, "choice": 60.0}),
}
"""name -> recipe, title, and the numbers of the preset "fast" that differ"""


def ways_of(only: list[str]) -> dict[str, Contender]:
    chosen = {**(WAYS if "ways" in only else {}), **(WITHOUT if "without" in only else {})}
    return {
        name: contender(recipe, "fast", name, title, **changes) for name, (recipe, title, changes) in chosen.items()
    }


def measured(
    work: Path, who: str, clip: tuple[Path, Split, Consent], ways: dict[str, Contender], minutes: float
) -> Test:
    video, parts, consent = clip
    actors = []
    for way in ways.values():
        folder = work / "actors" / who
        limit = minutes if getattr(way.config, "steps", 0) else None
        actors.append((way, learnt(way, parts.training, [], folder, consent, max_minutes=limit)))
    return self_reenactment_test(video, parts.training, parts.held_out, actors, work, name=f"self-reenactment of {who}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("refining"), help="folder for clips, actors, and the report")
    parser.add_argument("--output", type=Path, help="JSON to write")
    parser.add_argument("--people", type=int, nargs="*", default=[1, 2, 3], help="seeds of made-up people")
    parser.add_argument("--only", nargs="*", default=["ways", "without"], choices=["ways", "without"])
    parser.add_argument("--minutes", type=float, default=4.0, help="of learning one person")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options.work.mkdir(parents=True, exist_ok=True)
    ways = ways_of(options.only)
    tests = []
    for who, clip in clips_of(options.work, options.people, FILMED).items():
        tests.append(measured(options.work, who, clip, ways, options.minutes))
        print(table(tests[-1:]), flush=True)
    settings = {"people": options.people, "minutes": options.minutes}
    page = report(options.work, "Copy, then refine", tests, settings, "cpu")
    if options.output:
        write_json(options.output, compact(Evaluation.load(options.work / "results.json")))
    print(f"\nreport: {page}")


if __name__ == "__main__":
    main()
