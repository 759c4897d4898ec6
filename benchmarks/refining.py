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
from fidelity import MEDIA, PUBLISHED
from fidelity_tables import compact, table
from understudy.base.files import write_json
from understudy.consent import Consent
from understudy.evaluation.contenders import Contender, contender, learnt
from understudy.evaluation.evaluate import report, self_reenactment_test
from understudy.evaluation.results import Evaluation, Test
from understudy.evaluation.self_reenactment import Split, split
from understudy.recipes.parts.recipe import ENDLESS

FILMED = ("juggler.mp4", "lab_squats.mp4")
AS_IT_IS = {"size": 256, "steps": 0}
UNCHECKED = {**AS_IT_IS, "checked": False}
LEARNT = {"size": 256, "steps": ENDLESS, "pairs": 120}
WAYS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "one-mixed": ("limb-warp", "limb warp: one frame, mixed at changes", {"sources": 1, "fade": 2}),
    "limb-warp": ("limb-warp", "limb warp: four frames", {}),
    "instant": ("copy-then-refine", "copy, then refine: instant", AS_IT_IS),
}
ADAPTED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "preview": ("copy-then-refine", "copy, then refine: adapted", LEARNT),
}
WITHOUT: dict[str, tuple[str, str, dict[str, Any]]] = {
    "prior": ("copy-then-refine", "the prior, whatever the check says", UNCHECKED),
    "no-prior": ("copy-then-refine", "no prior, adapted", {**LEARNT, "knows_people": False, "checked": False}),
    "no-flow": ("copy-then-refine", "prior without flow", {**UNCHECKED, "most_flow": 1e-3}),
    "soft-choice": ("copy-then-refine", "prior, choice of 60 levels", {**UNCHECKED, "choice": 60.0}),
}
"""name -> recipe, title, and the numbers of the preset "fast" that differ"""
LARGE = "balance_cam1.mp4"
SIZES = (256, 512, 1024)
"""pixels of the picture, for a clip of 1080x1920; the network sees 256 of each"""


def ways_of(only: list[str]) -> dict[str, Contender]:
    parts = {"ways": WAYS, "learnt": ADAPTED, "without": WITHOUT}
    chosen = {name: way for part, ways in parts.items() if part in only for name, way in ways.items()}
    return {
        name: contender(recipe, "fast", name, title, **changes) for name, (recipe, title, changes) in chosen.items()
    }


def measured(
    work: Path, who: str, clip: tuple[Path, Split, Consent], ways: dict[str, Contender], minutes: float | None = None
) -> Test:
    """Every way learns the first part of a clip, for `minutes` if it learns at all, and plays the rest."""
    video, parts, consent = clip
    actors = []
    for way in ways.values():
        folder = work / "actors" / who
        limit = minutes if getattr(way.config, "steps", 0) else None
        actors.append((way, learnt(way, parts.training, [], folder, consent, max_minutes=limit)))
    return self_reenactment_test(video, parts.training, parts.held_out, actors, work, name=f"self-reenactment of {who}")


def sharpness_of_sizes(work: Path) -> Test:
    """The same method at several sizes, compared at the largest one."""
    video = MEDIA / LARGE
    parts = split(video, gap_seconds=0.05, cache=work / "tracked", size=max(SIZES))  # it lasts 1.7 seconds
    actors = []
    for size in SIZES:
        changes = {**UNCHECKED, "size": size}
        way = contender("copy-then-refine", "fast", f"size-{size}", f"copy, then refine, {size}x{size}", **changes)
        actors.append((way, learnt(way, parts.training, [], work / "actors" / video.stem, PUBLISHED)))
    return self_reenactment_test(video, parts.training, parts.held_out, actors, work, name=f"sizes, {video.stem}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("refining"), help="folder for clips, actors, and the report")
    parser.add_argument("--output", type=Path, help="JSON to write")
    parser.add_argument("--people", type=int, nargs="*", default=[1, 2, 3], help="seeds of made-up people")
    parser.add_argument("--clips", nargs="*", default=list(FILMED), help="real clips of UNDERSTUDY_MEDIA")
    parser.add_argument(
        "--only", nargs="*", default=["ways", "learnt", "without"], choices=["ways", "learnt", "without", "sizes"]
    )
    parser.add_argument("--minutes", type=float, default=4.0, help="of learning one person")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options.work.mkdir(parents=True, exist_ok=True)
    ways = ways_of(options.only)
    tests = []
    if "sizes" in options.only:
        tests.append(sharpness_of_sizes(options.work))
        print(table(tests[-1:]), flush=True)
    clips = clips_of(options.work, options.people, options.clips) if ways else {}
    for who, clip in clips.items():
        tests.append(measured(options.work, who, clip, ways, options.minutes))
        print(table(tests[-1:]), flush=True)
    settings = {"people": options.people, "minutes": options.minutes}
    page = report(options.work, "Copy, then refine", tests, settings, "cpu")
    if options.output:
        write_json(options.output, compact(Evaluation.load(options.work / "results.json")))
    print(f"\nreport: {page}")


if __name__ == "__main__":
    main()
