"""What the limb warp gains from several frames a moment: made-up people and filmed ones, self-reenactment, no training.

    python benchmarks/limb_warp.py --work limb-warp --output mine.json

The first two thirds of each clip are kept, the rest drives and is the truth. One frame a moment, mixed with the next
one where the path jumps, is how the recipe was until version 0.2.0, but for its edges: it kept no alpha.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from fidelity_tables import compact, table
from understudy.base.files import write_json
from understudy.consent import Consent
from understudy.evaluation.contenders import contender, learnt
from understudy.evaluation.evaluate import report, self_reenactment_test
from understudy.evaluation.results import Evaluation, Test
from understudy.evaluation.self_reenactment import split
from understudy.synthetic.pair import film_pair

MEDIA = Path(os.environ.get("UNDERSTUDY_MEDIA", Path(__file__).parents[2] / "shared" / "media"))
FILMED = ("juggler.mp4", "lab_squats.mp4")
WAYS = {
    "four-frames": ("four frames, one at every place", {}),
    "four-mixed": ("four frames, mixed", {"choice": 1e6}),
    "one-frame": ("one frame", {"sources": 1}),
    "one-mixed": ("one frame, mixed at changes", {"sources": 1, "fade": 2}),
}
"""titles, and the numbers of the config that differ"""
CONSENT = Consent("made up, or published with a licence for research", "")


def clips(work: Path, people: Sequence[int]) -> Iterator[Path]:
    for seed in people:
        folder = work / f"person-{seed}"
        if not (folder / "ground_truth.mp4").exists():
            film_pair(
                folder,
                reference_seed=seed,
                driver_seed=seed + 20,
                reference_dance=20 + seed,
                driving_dance=40 + seed,
                reference_seconds=24.0,
                driving_seconds=1.0,
            )
        yield folder / "reference.mp4"
    for name in FILMED:
        if (MEDIA / name).exists():
            yield MEDIA / name
        else:
            logging.warning("%s is not there: set UNDERSTUDY_MEDIA", MEDIA / name)


def measured(work: Path, video: Path) -> Test:
    who = video.parent.name if video.stem == "reference" else video.stem
    parts = split(video, cache=work / "tracked")
    actors = []
    for name, (title, changes) in WAYS.items():
        way = contender("limb-warp", "fast", name, title, **changes)
        actors.append((way, learnt(way, parts.training, [], work / "actors" / who, CONSENT)))
    return self_reenactment_test(video, parts.training, parts.held_out, actors, work, name=f"self-reenactment of {who}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("limb-warp"), help="folder for clips, actors, and the report")
    parser.add_argument("--output", type=Path, help="JSON to write")
    parser.add_argument("--people", type=int, nargs="*", default=[1, 2, 3], help="seeds of made-up people")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options.work.mkdir(parents=True, exist_ok=True)
    tests = []
    for video in clips(options.work, options.people):
        tests.append(measured(options.work, video))
        print(table(tests[-1:]), flush=True)
    page = report(options.work, "What several frames a moment are good for", tests, {"people": options.people}, "cpu")
    if options.output:
        write_json(options.output, compact(Evaluation.load(options.work / "results.json")))
    print(f"\nreport: {page}")


if __name__ == "__main__":
    main()
