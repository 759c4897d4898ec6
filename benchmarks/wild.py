"""What each part of Human Motion Transfer from Poses in the Wild is worth, on made-up people.

    python benchmarks/wild.py --work fidelity --output mine.json
    python benchmarks/wild.py --work fidelity --only ladder --people 1 2 --minutes 4
    python benchmarks/wild.py --work trial --only foreground --people 1 --steps 20

ladder: the paper's table 5. Five rungs, each with one more part of the method: PL-Stage1, with augmented poses (DA),
with frames before and after (F), with the second stage, and with unpaired poses (UL). Every training gets the same
time: what that is in steps is measured first (see pacing.py), on a machine that should do nothing else then.

foreground: the paper's table 1. A person learnt with the room around, the same cut out of the result by the tracker's
segmentation, and the person learnt alone. The first is held against the true frames, the others against the true
person over the same flat colour.

study: pages for human judges, pairs and single videos, from the clips of the ladder and of benchmarks/robustness.py.

People are filmed and tracked as benchmarks/fidelity.py does it; its work folder may be given, and what is there is
taken. What is finished stays in the work folder and is not done again.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fidelity import Bench, Footage, both_tests, footage_of
from pacing import PROPOSED, actor_of, rungs
from robustness import truth_for
from understudy.actor import Actor
from understudy.base.devices import choose_device
from understudy.base.files import write_json
from understudy.base.machine import machine
from understudy.errors import PoseError, UnderstudyError, UsageError
from understudy.evaluation.contenders import Contender, contender
from understudy.evaluation.measuring import measure_clip
from understudy.evaluation.playing import Recorder, played
from understudy.evaluation.results import Evaluation, Method, Test
from understudy.evaluation.self_reenactment import part_of
from understudy.evaluation.true_clip import TruthMeasures
from understudy.evaluation.truth import Truth
from understudy.judging.page import study
from understudy.media.images import write_image
from understudy.media.reading import VideoReader
from understudy.pictures.drawing import contact_sheet
from understudy.tracking.track import tracked
from wild_tables import (
    ALONE,
    ROOM,
    SEGMENTED,
    foreground_rows,
    foreground_table,
    ladder_rows,
    ladder_table,
    name_of,
)

PARTS = ("ladder", "foreground", "study")
FLAT = (0, 177, 64)
"""RGB of what the person stands before when the room is left out"""
STILL = {"rotate": 0.0, "zoom": 0.0, "shift": 0.0}
"""who learns the room must know where it is"""
KINDS = ("self-reenactment", "cross-identity")


@dataclass(frozen=True)
class OverFlat(Truth):
    """A clip whose person was cut out by the tracker and put over a flat colour."""

    def frames(self) -> Iterator[npt.NDArray[np.uint8]]:
        for frame, matte in zip(super().frames(), self.mattes(), strict=True):
            alpha = matte[..., None] / np.float32(255)
            yield np.asarray(alpha * frame + (1 - alpha) * np.float32(FLAT) + 0.5, np.uint8)


def ladder(bench: Bench, people: Sequence[int]) -> Iterator[Test]:
    for seed in people:
        footage = footage_of(bench, seed)
        actors = [(who, actor_of(bench, footage, who)) for who in rungs(bench.preset)]
        yield from both_tests(bench, footage, f"{footage.name}, ladder", actors, actors)


def ways_of(recipe: str, preset: str) -> list[Contender]:
    """A recipe with the room and without, or only without if it cannot paint rooms."""
    alone = contender(recipe, preset)
    if not hasattr(alone.config, "whole_frame"):
        return [alone]
    still: dict[str, Any] = dict(STILL)
    if hasattr(alone.config, "box_hw"):
        still["box_hw"] = (alone.config.size, alone.config.size)
    return [
        contender(recipe, preset, f"{recipe}-room", whole_frame=True, **still),
        dataclasses.replace(alone, config=dataclasses.replace(alone.config, whole_frame=False)),
    ]


def foreground(bench: Bench, people: Sequence[int]) -> Iterator[Test]:
    for seed in people:
        footage = footage_of(bench, seed)
        ways = [who for recipe in ("everybody-dance-now", PROPOSED) for who in ways_of(recipe, bench.preset)]
        actors = [(who, actor_of(bench, footage, who)) for who in ways]
        name = f"background or foreground of {footage.name}"
        yield bench.once(name, partial(_foreground_test, bench, name, footage, actors), actors)


def _foreground_test(bench: Bench, name: str, footage: Footage, actors: Sequence[tuple[Contender, Actor]]) -> Test:
    truth = truth_for(footage, actors)
    flat_truth = OverFlat(truth.video, truth.performance, truth.square, truth.size)
    clips = bench.work / "clips" / name
    clips.mkdir(parents=True, exist_ok=True)
    with TruthMeasures(truth, track_output=False) as in_room, TruthMeasures(flat_truth, track_output=False) as flat:
        methods = []
        for who, actor in actors:
            part = part_of(truth, actor)
            if not actor.paints_room:
                before_flat = dataclasses.replace(actor, background=np.full_like(actor.background, FLAT))
                frames = played(before_flat, part, truth, device=bench.device)
                methods.append(_method(bench, who, actor, ALONE, frames, flat, clips))
                continue
            frames = played(actor, part, truth, device=bench.device)
            methods.append(_method(bench, who, actor, ROOM, frames, in_room, clips))
            try:
                found = tracked(bench.work / methods[-1].clip, cache=bench.work / "tracked")
            except PoseError as error:
                logging.warning("nothing can be cut out of %s: %s", methods[-1].clip, error)
                continue
            cut_out = OverFlat(bench.work / methods[-1].clip, found, (0, 0, truth.size), truth.size)
            methods.append(_method(bench, who, actor, SEGMENTED, cut_out.frames(), flat, clips))
        _record(flat_truth, clips / "truth.mp4")
    return Test(
        name=name,
        explanation=f"Learnt with the room or without; played over the same flat colour, but for {ROOM!r}.",
        fps=str(truth.fps),
        frames=len(truth),
        size=truth.size,
        truth_clip=str((clips / "truth.mp4").relative_to(bench.work)),
        driving_clip="",
        methods=methods,
        coverage=None,
    )


def _record(truth: Truth, clip: Path) -> None:
    for _ in Recorder(truth.frames(), clip, truth.fps):
        pass


def _method(
    bench: Bench,
    who: Contender,
    actor: Actor,
    way: str,
    frames: Iterator[npt.NDArray[np.uint8]],
    truth: TruthMeasures,
    clips: Path,
) -> Method:
    name = name_of(who.recipe, way)
    logging.info("playing and measuring %s", name)
    recorder = Recorder(frames, clips / f"{name}.mp4", truth.truth.fps)
    measures = measure_clip(recorder, truth, track_output=False).measures
    return Method(
        name=name,
        title=f"{who.title}, {way}",
        clip=str((clips / f"{name}.mp4").relative_to(bench.work)),
        measures=measures,
        training={key: value for key, value in actor.record.items() if key != "asked"},
        milliseconds_a_frame=recorder.milliseconds_a_frame,
        peak_memory_mib=actor.record.get("peak_memory_mib"),
    )


def sheet(bench: Bench, test: Test, output: Path) -> None:
    """What a test looks like: the truth and every method at five moments."""
    clips = [test.truth_clip, *(method.clip for method in test.methods)]
    moments = [round((number + 0.5) * test.frames / 5) for number in range(5)]
    rows = []
    for clip in clips:
        frames = list(VideoReader(bench.work / clip, say_notes=False))
        rows.append([frames[min(moment, len(frames) - 1)] for moment in moments])
    titles = ["truth", *(method.title for method in test.methods)]
    write_image(output, contact_sheet(rows, titles, [f"frame {moment}" for moment in moments], cell_hw=(192, 192)))


def studies(bench: Bench, people: Sequence[int]) -> list[Path]:
    """Pages for judges: the whole method against the ladder's foot, Everybody Dance Now, and the truth.

    Raises:
        UsageError: no clips to judge yet.
    """
    pairs: list[tuple[Path, str]] = []
    singles: list[tuple[Path, str]] = []
    real: list[Path] = []
    for seed in people:
        for kind in KINDS:
            test = _kept(bench, f"{kind} of person-{seed}, ladder")
            if test is None:
                continue
            first, *_, whole = test.methods
            truth = bench.work / test.truth_clip
            mine = (bench.work / whole.clip, whole.title)
            pairs += [mine, (bench.work / first.clip, first.title), mine, (truth, "truth")]
            singles += [(bench.work / method.clip, method.title) for method in (first, whole)]
            real.append(truth)
        for damage in ("", " dropped 0.2", " jittered 0.05"):
            clips = [
                bench.work / "clips" / f"robustness of person-{seed}" / f"{recipe}{damage}.mp4"
                for recipe in (PROPOSED, "everybody-dance-now")
            ]
            if all(clip.exists() for clip in clips):
                worse = ", damaged poses" if damage else ""
                pairs += [(clips[0], f"poses in the wild{worse}"), (clips[1], f"Everybody Dance Now{worse}")]
    if not pairs:
        raise UsageError("--only study: there are no clips to judge; run --only ladder first, or robustness.py")
    pages = []
    pairs_folder, single_folder = bench.work / "study-pairs", bench.work / "study-single"
    if _is_new(pairs_folder):
        labels = [label for _, label in pairs]
        pages.append(study([clip for clip, _ in pairs], labels=labels, output=pairs_folder, seed=bench.seed).page)
    if singles and _is_new(single_folder):
        labels = [label for _, label in singles]
        clips = [clip for clip, _ in singles]
        pages.append(study(videos=clips, real=real, labels=labels, output=single_folder, seed=bench.seed).page)
    return pages


def _is_new(folder: Path) -> bool:
    if folder.exists():
        logging.info("%s was made before: remove it to have it made again", folder)
    return not folder.exists()


def _kept(bench: Bench, name: str) -> Test | None:
    path = bench.work / "tests" / f"{name}.json"
    return Evaluation.load(path).tests[0] if path.exists() else None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("fidelity"), help="folder for clips and actors; fidelity's")
    parser.add_argument("--output", type=Path, help="JSON to write; left out, WORK/wild.json")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="some of the parts")
    parser.add_argument("--people", type=int, nargs="+", default=[1, 2], help="seeds of made-up people")
    parser.add_argument("--preset", default="preview", choices=("preview", "fast", "paper"))
    parser.add_argument("--minutes", type=float, default=3.0, help="of each training")
    parser.add_argument("--steps", type=int, help="of each training instead, for a trial")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    device = choose_device(options.device).type
    options.work.mkdir(parents=True, exist_ok=True)
    bench = Bench(options.work, options.preset, options.minutes, options.seed, options.device, {})
    if options.steps:
        bench = dataclasses.replace(bench, steps=_Every(options.steps))
    content: dict[str, Any] = {
        "settings": {
            "people": options.people,
            "preset": options.preset,
            "minutes": None if options.steps else options.minutes,
            "seed": options.seed,
        },
        "machine": machine(device),
        "paper": "Ren et al. 2020, tables 5 and 1: measured on its own data sets, not on these people",
    }
    shown: list[str] = []
    if "ladder" in options.only:
        tests = list(ladder(bench, options.people))
        for kind in KINDS:
            of_kind = [test for test in tests if test.name.startswith(kind)]
            rows = ladder_rows(of_kind)
            sheet(bench, of_kind[0], options.work / f"ladder_{kind}.png")
            content[f"ladder, {kind}"] = _plain(rows)
            shown.append(ladder_table(kind, rows))
    if "foreground" in options.only:
        tests = list(foreground(bench, options.people))
        rows = foreground_rows(tests)
        sheet(bench, tests[0], options.work / "foreground.png")
        content["foreground"] = _plain(rows)
        shown.append(foreground_table(rows))
    write_json(options.output or options.work / "wild.json", content)
    print("\n".join(shown))
    if "study" in options.only:
        for page in studies(bench, options.people):
            print(f"for the judges: {page}")
    return 0


class _Every(dict[str, int]):
    """The same number of steps, whatever the training is called."""

    def __init__(self, steps: int) -> None:
        self._steps = steps

    def get(self, name: str, default: Any = None) -> Any:
        return self._steps

    def __contains__(self, name: object) -> bool:
        return True


def _plain(value: Any) -> Any:
    """Summaries as JSON holds them."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UnderstudyError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
