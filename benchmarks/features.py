"""What the perceptual loss of a preview should compare, features of Lite0 or random ones, in equal time.

    python benchmarks/features.py --work features --output mine.json
    python benchmarks/features.py --work features --output mine.json --like benchmarks/results/features-cpu.json

First training steps of both are timed by turns, in seconds of one core, and of each the quickest counts: what else the
machine does then changes little. Then each recipe learns the first part of every clip, in as many steps of its schedule
as the same --seconds allow, and plays the rest. With --like the steps are those of an earlier run. Clips: made-up
people, and real ones of the folder UNDERSTUDY_MEDIA.

Prints tables, writes the numbers as JSON, and a report with the pictures (index.html) into the work folder, where
actors stay: what was trained is not trained again.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from fidelity import MADE_UP, MEDIA, PUBLISHED
from fidelity_tables import compact
from understudy.base.arguments import Landmarks
from understudy.base.devices import choose_device
from understudy.base.files import read_json, write_json
from understudy.consent import Consent
from understudy.evaluation.contenders import Contender, contender, learnt
from understudy.evaluation.evaluate import dancer, report, self_reenactment_test
from understudy.evaluation.results import Evaluation, Test
from understudy.evaluation.self_reenactment import Split, split
from understudy.recipes import recipe
from understudy.synthetic.clip import write_clip
from understudy.synthetic.motion import choreography
from understudy.synthetic.pair import FPS, SIZE_HW, centred
from understudy.synthetic.people import make_person
from understudy.synthetic.scene import make_scene
from understudy.training import loop
from understudy.training.session import Session

RECIPES = ("performance-cloning", "everybody-dance-now", "poses-in-the-wild")
FEATURES = ("random", "lite0")
SECONDS = 12.0
"""of a made-up person's clip"""
ROUNDS, TIMED_STEPS = 5, 5
COLUMNS = {"perceptual": 3, "joint_distance": 1, "rmse": 1, "ssim": 3, "sharpness": 2, "temporal": 2}
"""measures that are shown, where there are such, and their digits"""


class Stopwatch(Session):
    """Trains nothing: times some steps of every stage, spread over its schedule."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.times: list[tuple[float, float]] = []
        """steps of the schedule that a timed one stands for, and its seconds of one core"""

    def run(self, trainee: loop.Trainee, steps: int, work: Callable[[int], float] | None = None) -> loop.Outcome:
        """In the place of `loop.run`, and with an outcome like its."""
        trainee.training_step(0)  # the first one is slow
        for part in range(TIMED_STEPS):
            started = time.process_time()
            trainee.training_step(part * (steps - 1) // (TIMED_STEPS - 1))
            self.times.append((steps / TIMED_STEPS, time.process_time() - started))
        state = trainee.networks[trainee.shown].state_dict()
        self._outcome = loop.Outcome({name: value.numpy() for name, value in state.items()}, steps, 1.0, {})
        return self._outcome

    def stage(self, name: str, trainee: loop.Trainee, steps: int) -> loop.Outcome | None:
        """The same for one stage out of several."""
        self._planned.outcomes[name] = outcome = self.run(trainee, steps)
        return outcome


def with_features(name: str, features: str) -> Contender:
    """A recipe's preview that compares these features."""
    title = f"{recipe(name).title}, {features}"
    return contender(name, "preview", f"{name}-{features}", title, features=features)


def shortened(who: Contender, share: float) -> Contender:
    """The same with a share of its steps in every stage."""
    steps = who.config.steps
    fewer = round(share * steps) if isinstance(steps, int) else tuple(round(share * stage) for stage in steps)
    return dataclasses.replace(who, config=dataclasses.replace(who.config, steps=fewer))


def costs(name: str, parts: Split, others: Sequence[Any], seed: int) -> dict[str, float]:
    """Seconds of one core that the whole preview takes, by features."""
    found: dict[str, list[list[tuple[float, float]]]] = {features: [] for features in FEATURES}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for _ in range(ROUNDS):
        for features in FEATURES:
            who = with_features(name, features)
            with tempfile.TemporaryDirectory() as folder:
                unpaired = others if who.unpaired else []
                watch = Stopwatch(name, who.config, parts.training, unpaired, Path(folder), seed=seed, device="cpu")
                recipe(name).learn(watch)
            found[features].append(watch.times)
    torch.set_num_threads(threads)
    return {
        features: round(sum(stands_for * min(seconds) for stands_for, seconds in by_step(rounds)), 1)
        for features, rounds in found.items()
    }


def by_step(rounds: Sequence[Sequence[tuple[float, float]]]) -> list[tuple[float, list[float]]]:
    """For every timed step what it stands for, and its seconds in each round."""
    return [(step[0][0], [seconds for _, seconds in step]) for step in zip(*rounds, strict=True)]


def clips_of(
    work: Path, people: Sequence[int], media: Sequence[str], size: int = 256, landmarks: Landmarks = "body"
) -> dict[str, tuple[Path, Split, Consent]]:
    """By name: the video, its two parts as tracked, and the consent."""
    videos = []
    for seed in people:
        video = work / f"person-{seed}.mp4"
        if not video.exists():
            dance = centred(choreography(20 + seed, SECONDS, FPS))
            write_clip(video, make_person(seed), dance, make_scene(seed, SIZE_HW))
        videos.append((video, MADE_UP))
    for name in media:
        if (MEDIA / name).exists():
            videos.append((MEDIA / name, PUBLISHED))
        else:
            logging.warning("%s is not there: set UNDERSTUDY_MEDIA", MEDIA / name)
    return {
        video.stem: (video, split(video, cache=work / "tracked", size=size, landmarks=landmarks), consent)
        for video, consent in videos
    }


def table(test: Test) -> str:
    """Markdown: a row for each recipe and its features, all of the person's box."""
    shown = [name for name in COLUMNS if name in test.methods[0].measures]
    lines = [f"\n**{test.name}** ({test.frames} frames)\n", f"| | steps | {' | '.join(shown)} |"]
    lines.append("|---" * (len(shown) + 2) + "|")
    for method in test.methods:
        cells = []
        for name in shown:
            regions = method.measures[name].regions
            mean = regions["person" if "person" in regions else next(iter(regions))].mean
            cells.append("n/a" if mean is None else f"{mean:.{COLUMNS[name]}f}")
        lines.append(f"| {method.title} | {method.training['steps']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("features"), help="folder for clips, actors, and the report")
    parser.add_argument("--output", type=Path, help="JSON to write")
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=RECIPES)
    parser.add_argument("--people", type=int, nargs="*", default=[1], help="seeds of made-up people")
    parser.add_argument("--media", nargs="*", default=["juggler.mp4"], help="real clips")
    parser.add_argument("--seconds", type=float, default=100.0, help="of one core, for each training")
    parser.add_argument("--like", type=Path, help="JSON of an earlier run, whose costs are taken")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options.work.mkdir(parents=True, exist_ok=True)
    clips, others = clips_of(options.work, options.people, options.media), [dancer(options.work)]
    known: dict[str, dict[str, float]] = read_json(options.like)["settings"]["whole_preview"] if options.like else {}
    first = next(iter(clips.values()))[1]
    whole = {name: known.get(name) or costs(name, first, others, options.seed) for name in options.recipes}
    print("seconds of one core for the whole preview:", whole, flush=True)

    tests = []
    for clip, (video, parts, consent) in clips.items():
        pairs = []
        for name in options.recipes:
            for features in FEATURES:
                who = shortened(with_features(name, features), options.seconds / whole[name][features])
                folder = options.work / "actors" / clip
                pairs.append((who, learnt(who, parts.training, others, folder, consent, seed=options.seed)))
        named = f"self-reenactment of {clip}"
        tests.append(self_reenactment_test(video, parts.training, parts.held_out, pairs, options.work, name=named))
        print(table(tests[-1]), flush=True)
    settings = {"whole_preview": whole, "seconds": options.seconds, "seed": options.seed, "made_up_seconds": SECONDS}
    page = report(options.work, "Features of perceptual losses", tests, settings, choose_device("auto").type)
    if options.output:
        write_json(options.output, compact(Evaluation.load(options.work / "results.json")))
    print(f"\nreport: {page}")


if __name__ == "__main__":
    main()
