"""What the limb warp gains from several frames a moment: made-up people and filmed ones, self-reenactment, no training.

    python benchmarks/limb_warp.py --work limb-warp --output mine.json

The first two thirds of each clip are kept, the rest drives and is the truth. One frame a moment, mixed with the next
one where the path jumps, is how the recipe was until version 0.2.0, but for its edges: it kept no alpha.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from features import clips_of
from fidelity_tables import compact, table
from refining import FILMED, measured
from understudy.base.files import write_json
from understudy.evaluation.contenders import contender
from understudy.evaluation.evaluate import report
from understudy.evaluation.results import Evaluation

WAYS = {
    "four-frames": ("four frames, one at every place", {}),
    "four-mixed": ("four frames, mixed", {"choice": 1e6}),
    "one-frame": ("one frame", {"sources": 1}),
    "one-mixed": ("one frame, mixed at changes", {"sources": 1, "fade": 2}),
}
"""titles, and the numbers of the config that differ"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("limb-warp"), help="folder for clips, actors, and the report")
    parser.add_argument("--output", type=Path, help="JSON to write")
    parser.add_argument("--people", type=int, nargs="*", default=[1, 2, 3], help="seeds of made-up people")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options.work.mkdir(parents=True, exist_ok=True)
    ways = {name: contender("limb-warp", "fast", name, title, **changes) for name, (title, changes) in WAYS.items()}
    tests = []
    for who, clip in clips_of(options.work, options.people, FILMED).items():
        tests.append(measured(options.work, who, clip, ways))
        print(table(tests[-1:]), flush=True)
    page = report(options.work, "What several frames a moment are good for", tests, {"people": options.people}, "cpu")
    if options.output:
        write_json(options.output, compact(Evaluation.load(options.work / "results.json")))
    print(f"\nreport: {page}")


if __name__ == "__main__":
    main()
