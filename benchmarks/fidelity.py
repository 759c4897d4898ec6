"""How true clones are: the five methods on made-up people, ablations, set size, and real clips where there are some.

    python benchmarks/fidelity.py --work fidelity --output mine.json
    python benchmarks/fidelity.py --work fidelity --output mine.json --only methods --people 1 2 3 --minutes 4
    python benchmarks/fidelity.py --work fidelity --output mine.json --only losses augmentation size frames --people 1
    python benchmarks/fidelity.py --work fidelity --output mine.json --like benchmarks/results/fidelity-cpu.json

The first training of each method ends by the clock, with nothing else running. Its number of steps is the budget of
that method from then on, for every person and every ablation of it, so that what else the machine does changes no
figure; with --like the steps come from an earlier run, which is then repeated exactly (on the CPU, with the same
libraries).

Every made-up person is tested twice: by self-reenactment (the first two thirds of a clip train, the rest drives and is
the truth), and in another made-up person's dance (the truth is the first person filmed in that dance). The same actors
play both, but for CycleGAN: in self-reenactment it is given poses, in the other test the driver's frames.

Prints tables as docs/results.md shows them, writes the numbers as JSON, and a report (index.html) into the work folder.
What is finished stays in the work folder and is not done again; Ctrl-C loses at most a minute of training.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from fidelity_tables import across_people, compact, table
from understudy.actor import Actor
from understudy.base.devices import Device, choose_device
from understudy.base.files import read_json, write_json
from understudy.consent import Consent
from understudy.evaluation.comparing import Player, asked_of, compare
from understudy.evaluation.contenders import Contender, contender, learnt, timed
from understudy.evaluation.evaluate import dancer, report, self_reenactment_test
from understudy.evaluation.results import Evaluation, Test
from understudy.evaluation.self_reenactment import Split, split
from understudy.evaluation.truth import Truth, square_of
from understudy.performance import Performance
from understudy.performing.perform import part_for
from understudy.recipes import recipe as recipe_of
from understudy.recipes.parts.settings import changed
from understudy.synthetic.pair import Pair, film_pair
from understudy.tracking.track import tracked

MADE_UP = Consent("nobody needs to agree: the person is made up", "")
PUBLISHED = Consent("published with a licence for research", "")
MEDIA = Path(os.environ.get("UNDERSTUDY_MEDIA", Path(__file__).parents[2] / "shared" / "media"))
STEPS = "steps.json"
PARTS = ("methods", "losses", "augmentation", "size", "frames", "everybody", "media")
DRIVERS = {1: 24, 2: 11, 3: 7}
"""who dances for whom: seeds of made-up people; another person's driver is the one 20 further"""
EVERYBODY = {"fbf": "FBF", "fbf-ts": "FBF+TS", "fbf-ts-fg": "FBF+TS+FG"}
"""variants of Everybody Dance Now, by the names of their actors"""
EVERYBODY_STEPS = {"fbf": (2170, 0, 0), "fbf-ts": (700, 0, 0), "fbf-ts-fg": (630, 0, 700)}
"""of the global, local and face stage: equal processor time, at 0.09 s a step without temporal smoothing, 0.28 s with
it, and 0.028 s a step of the face stage (one busy core, preset preview)"""
REFERENCE_SECONDS, DRIVING_SECONDS = 24.0, 8.0


@dataclasses.dataclass(frozen=True)
class Bench:
    """What every part gets."""

    work: Path
    preset: str
    minutes: float
    seed: int
    device: Device

    steps: dict[str, int]
    """of training, by the methods' names; those that are missing train for `minutes` and are added"""

    def actor(
        self, who: Contender, footage: Performance, unpaired: Sequence[Performance], person: str, budget: str = ""
    ) -> Actor:
        """A contender's actor, trained as long as the one whose name is `budget` (left out: the contender's own)."""
        name = budget or who.name
        steps = self.steps.get(name)
        actor = learnt(
            who,
            footage,
            unpaired,
            self.work / person / "actors",
            MADE_UP,
            seed=self.seed,
            max_minutes=None if steps or name in EVERYBODY_STEPS else self.minutes,
            max_steps=steps,
            device=self.device,
        )
        if steps is None and who.learns and name not in EVERYBODY_STEPS:
            self.steps[name] = int(actor.record["steps"])
            write_json(self.work / STEPS, self.steps)
        return actor

    def once(self, name: str, make: Callable[[], Test], actors: Sequence[tuple[Contender, Actor]]) -> Test:
        """A test's result, from the work folder where it was made before with these very actors."""
        kept = self.work / "tests" / f"{name}.json"
        if kept.exists():
            test = Evaluation.load(kept).tests[0]
            if {made(method.training) for method in test.methods} == {made(actor.record) for _, actor in actors}:
                return test
            logging.info("%s is tested again: actors were trained anew since", name)
        test = make()
        Evaluation(name, time.strftime("%FT%TZ", time.gmtime()), "", {}, {}, [test]).save(kept)
        return test


def varied(who: Contender, variant: str, **changes: Any) -> Contender:
    """A contender as a variant of its recipe has it, with numbers changed besides."""
    chosen = recipe_of(who.recipe)
    config = changed(chosen.varied(who.config, variant), changes)
    return dataclasses.replace(who, config=config, unpaired=chosen.learns_from(config) is not None)


def made(record: dict[str, Any]) -> str:
    """How an actor was trained, to be compared."""
    return json.dumps({key: value for key, value in record.items() if key != "asked"}, sort_keys=True)


@dataclasses.dataclass(frozen=True)
class Footage:
    """A made-up person's clips, tracked."""

    name: str
    pair: Pair
    parts: Split
    driving: Performance
    truth: Performance


def footage_of(bench: Bench, seed: int) -> Footage:
    name = f"person-{seed}"
    folder = bench.work / name
    pair = Pair(folder / "reference.mp4", folder / "driving.mp4", folder / "ground_truth.mp4")
    if not pair.ground_truth.exists():
        film_pair(
            folder,
            reference_seed=seed,
            driver_seed=DRIVERS.get(seed, seed + 20),
            reference_dance=20 + seed,
            driving_dance=40 + seed,
            reference_seconds=REFERENCE_SECONDS,
            driving_seconds=DRIVING_SECONDS,
        )
    cache = bench.work / "tracked"
    parts = split(pair.reference, cache=cache)
    return Footage(name, pair, parts, tracked(pair.driving, cache=cache), tracked(pair.ground_truth, cache=cache))


def both_tests(
    bench: Bench,
    footage: Footage,
    name: str,
    same: Sequence[tuple[Contender, Actor]],
    other: Sequence[tuple[Contender, Actor]],
) -> Iterator[Test]:
    """Self-reenactment, and the other person's dance."""
    parts, pair = footage.parts, footage.pair
    by_self, across = f"self-reenactment of {name}", f"cross-identity of {name}"
    yield bench.once(
        by_self,
        lambda: self_reenactment_test(
            pair.reference,
            parts.training,
            parts.held_out,
            same,
            bench.work,
            name=by_self,
            device=bench.device,
        ),
        same,
    )
    yield bench.once(across, lambda: cross_identity(bench, footage, across, other), other)


def cross_identity(bench: Bench, footage: Footage, name: str, actors: Sequence[tuple[Contender, Actor]]) -> Test:
    """Actors play another made-up person's dance, tracked like any driver; the truth was filmed."""
    first = actors[0][1]
    size = max(who.config.size for who, _ in actors if who.learns)
    truth = Truth(footage.pair.ground_truth, footage.truth, square_of(first.crop, first.working_size), size)
    players = [Player(who, actor, part_for(actor, footage.driving), footage.driving) for who, actor in actors]
    return compare(
        name,
        f"Another made-up person's dance of {len(footage.driving)} frames drives; the truth is the same dance filmed "
        f"with {footage.name}. Place and size of the two bodies have to be guessed from their poses.",
        players,
        truth,
        bench.work,
        asked=asked_of(first, footage.parts.training, footage.driving),
        driving=footage.driving,
        device=bench.device,
    )


def methods(bench: Bench, people: Sequence[int]) -> Iterator[Test]:
    """The five methods, and performance cloning without its unpaired branch."""
    for seed in people:
        footage = footage_of(bench, seed)
        ours = contender("performance-cloning", bench.preset)
        paired = dataclasses.replace(
            contender("performance-cloning", bench.preset, "paired-only", "Paired branch only"), unpaired=False
        )
        poses = contender("cyclegan", bench.preset, condition="poses")
        frames = contender("cyclegan", bench.preset, condition="frames")
        alike = [ours, paired, timed(contender("pix2pix", bench.preset)), contender("nearest-neighbour", bench.preset)]
        alike.append(contender("limb-warp", bench.preset))
        actors = [(who, trained(bench, footage, who)) for who in alike]
        cycle_poses = bench_actor(bench, footage, poses, "cyclegan-poses")
        cycle_frames = bench_actor(bench, footage, frames, "cyclegan-frames")
        yield from both_tests(
            bench, footage, footage.name, [*actors, (poses, cycle_poses)], [*actors, (frames, cycle_frames)]
        )


def trained(bench: Bench, footage: Footage, who: Contender) -> Actor:
    return bench.actor(who, footage.parts.training, [footage.driving], footage.name)


def bench_actor(bench: Bench, footage: Footage, who: Contender, file: str) -> Actor:
    """Of two contenders that share a name in the tables, each has a file of its own."""
    return trained(bench, footage, dataclasses.replace(who, name=file))


def losses(bench: Bench, people: Sequence[int]) -> Iterator[Test]:
    """The paper's Fig. 3, on the paired branch alone: L1 on RGB, eq. 1 on VGG features, and that with D_p."""
    footage = footage_of(bench, people[0])
    preset = bench.preset
    whole = contender("performance-cloning", preset, "paired-only", "VGG features, with D_p")
    light = "VGG features at a fifth of their weight, with D_p"
    ways = [
        whole,
        contender("performance-cloning", preset, "vgg-light-gan", light, lambda_vgg=100.0),
        varied(dataclasses.replace(whole, name="rgb-gan", title="L1 on RGB, with D_p"), "L1"),
        varied(dataclasses.replace(whole, name="rgb", title="L1 on RGB"), "L1, no D_p"),
        varied(dataclasses.replace(whole, name="vgg", title="VGG features"), "no D_p"),
    ]
    alone = [dataclasses.replace(who, unpaired=False) for who in ways]
    yield from _compared(bench, footage, "losses", alone, budget="paired-only")


def augmentation(bench: Bench, people: Sequence[int]) -> Iterator[Test]:
    """What random similarities and average weights, which no paper here has, do for us and for pix2pix."""
    footage = footage_of(bench, people[0])
    bare = {"rotate": 0.0, "zoom": 0.0, "shift": 0.0, "ema_decay": 0.0}
    actors = []
    for name in ("performance-cloning", "pix2pix"):
        who = timed(contender(name, bench.preset))
        without = timed(contender(name, bench.preset, f"{name}-bare", f"{who.title}, without both", **bare))
        for one in (who, without):
            actors.append((one, bench.actor(one, footage.parts.training, [footage.driving], footage.name, name)))
    yield from both_tests(bench, footage, f"{footage.name}, augmentation and averaging", actors, actors)


def everybody(bench: Bench, people: Sequence[int]) -> Iterator[Test]:
    """Table 3 of Everybody Dance Now: frame by frame, with temporal smoothing, with the face stage, at equal time.

    Steps are given, so `minutes` does not count here.
    """
    for seed in people[:2]:
        footage = footage_of(bench, seed)
        actors = []
        for name, variant in EVERYBODY.items():
            whole = contender("everybody-dance-now", bench.preset, name, variant)
            who = varied(whole, variant, steps=EVERYBODY_STEPS[name])
            actors.append((who, bench.actor(who, footage.parts.training, [], footage.name)))
        neighbour = contender("nearest-neighbour", bench.preset)
        actors.append((neighbour, trained(bench, footage, neighbour)))
        yield from both_tests(bench, footage, f"{footage.name}, Everybody Dance Now", actors, actors)


def frames(bench: Bench, people: Sequence[int]) -> Iterator[Test]:
    """How many consecutive frames the networks see."""
    footage = footage_of(bench, people[0])
    titles = {"n1": "N = 1", "performance-cloning": "N = 2 (the paper)", "n3": "N = 3"}
    ways = [
        varied(contender("performance-cloning", bench.preset, name, title), title.removesuffix(" (the paper)"))
        for name, title in titles.items()
    ]
    yield from _compared(bench, footage, "consecutive frames", ways, budget="performance-cloning")


def _compared(bench: Bench, footage: Footage, what: str, ways: Sequence[Contender], budget: str) -> Iterator[Test]:
    training = footage.parts.training
    pairs = [(who, bench.actor(who, training, [footage.driving], footage.name, budget)) for who in ways]
    yield from both_tests(bench, footage, f"{footage.name}, {what}", pairs, pairs)


def size(bench: Bench, people: Sequence[int]) -> Iterator[Test]:
    """A third of the training part, two thirds, all of it."""
    footage = footage_of(bench, people[0])
    reference, fps = footage.pair.reference, footage.parts.training.fps
    whole = len(footage.parts.training)
    pairs = []
    for name, title, share in (("third", "a third", 1 / 3), ("two-thirds", "two thirds", 2 / 3)):
        part = tracked(reference, cache=bench.work / "tracked", end=float(round(whole * share) / fps))
        who = contender("performance-cloning", bench.preset, name, f"{title} ({len(part)} frames)")
        pairs.append((who, bench.actor(who, part, [footage.driving], footage.name, budget=who.recipe)))
    ours = contender("performance-cloning", bench.preset, title=f"all ({whole} frames)")
    pairs.append((ours, trained(bench, footage, ours)))
    name = f"self-reenactment of {footage.name}, training frames"
    yield bench.once(
        name,
        lambda: self_reenactment_test(
            reference,
            footage.parts.training,
            footage.parts.held_out,
            pairs,
            bench.work,
            name=name,
            device=bench.device,
        ),
        pairs,
    )


def media(bench: Bench, people: Sequence[int]) -> Iterator[Test]:
    """A real man, 1.7 seconds: one second trains, half a second is held out."""
    for file in ("balance_cam1.mp4", "balance_cam3.mp4"):
        video = MEDIA / file
        if not video.exists():
            logging.warning("%s is not there: set UNDERSTUDY_MEDIA", video)
            continue
        parts = split(video, train_share=0.6, gap_seconds=0.1, cache=bench.work / "tracked")
        names = ("performance-cloning", "pix2pix", "nearest-neighbour", "limb-warp")
        contenders = [timed(contender(name, bench.preset)) for name in names]
        others = [dancer(bench.work)]
        pairs = [(who, bench.actor(who, parts.training, others, video.stem)) for who in contenders]
        name = f"self-reenactment of {video.stem}"

        def make(video: Path = video, parts: Split = parts, pairs: Any = pairs, name: str = name) -> Test:
            return self_reenactment_test(
                video,
                parts.training,
                parts.held_out,
                pairs,
                bench.work,
                name=name,
                device=bench.device,
            )

        yield bench.once(name, make, pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("fidelity"), help="folder for clips, actors, and the report")
    parser.add_argument("--output", type=Path, help="JSON to write; left out, only WORK/results.json is written")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="some of the parts")
    parser.add_argument("--people", type=int, nargs="+", default=[1, 2, 3], help="seeds of made-up people")
    parser.add_argument("--preset", default="preview", choices=("preview", "fast", "paper"))
    parser.add_argument("--minutes", type=float, default=3.0, help="of training, each method's first")
    parser.add_argument("--like", type=Path, help="JSON of an earlier run, whose numbers of steps are used")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    device = choose_device(options.device).type
    options.work.mkdir(parents=True, exist_ok=True)
    steps: dict[str, int] = read_json(options.work / STEPS) if (options.work / STEPS).exists() else {}
    if options.like:
        steps = read_json(options.like)["settings"]["steps"] | steps
    bench = Bench(options.work, options.preset, options.minutes, options.seed, options.device, steps)
    parts = {
        "methods": methods,
        "losses": losses,
        "augmentation": augmentation,
        "size": size,
        "frames": frames,
        "everybody": everybody,
        "media": media,
    }
    tests = []
    for name in options.only:
        for test in parts[name](bench, options.people):
            tests.append(test)
            print(table([test]), flush=True)
    settings = {
        "people": options.people,
        "preset": options.preset,
        "minutes": options.minutes,
        "steps": steps,
        "seed": options.seed,
        "reference_seconds": REFERENCE_SECONDS,
        "driving_seconds": DRIVING_SECONDS,
    }
    page = report(bench.work, "How true are clones of made-up people?", tests, settings, device)
    if options.output:
        write_json(options.output, compact(Evaluation.load(bench.work / "results.json")))
    print(table(tests))
    for kind in ("self-reenactment", "cross-identity"):
        print(across_people(tests, kind, "perceptual", 3))
        print(across_people(tests, kind))
        print(across_people(tests, kind, "temporal", 2))
    print(f"\nreport: {page}")


if __name__ == "__main__":
    main()
