"""How long every stage takes, from video file to video file, and how many images a second training sees.

    python benchmarks/pipeline.py --output before.json
    python benchmarks/pipeline.py --against REVISION --output ratios.json

Prints a table as it goes and writes the same numbers, with minimum and maximum and the machine they were taken on, as
JSON. Against another revision it measures both in turns. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import against
import stages
import training_steps
from material import Material, config_of
from measuring import Comparison, Meter, Row, missing
from processes import stopped_by_sigterm
from revisions import commit_of
from stages import Bench
from understudy.base.devices import choose_device, keep_freed_memory
from understudy.base.files import write_json
from understudy.base.machine import machine
from understudy.errors import UnderstudyError

VERSION = 1
"""of the JSON's layout"""
MEDIA = ("av", "cv2")
TRACKING = (*MEDIA, "ai_edge_litert")
TRAINING = ("lightning_fabric",)
STAGES: dict[str, tuple[Callable[[Bench], Iterator[Any]], tuple[str, ...]]] = {
    "decode": (stages.decode, MEDIA),
    "track": (stages.track, TRACKING),
    "condition": (stages.condition, ()),
    "generate": (stages.generate, ()),
    "composite": (stages.composite, TRACKING),
    "encode": (stages.encode, TRACKING),
    "perform": (stages.perform, TRACKING),
    "train": (training_steps.train, TRAINING),
    "compare": (training_steps.compare, TRAINING),
}
"""in the order in which they run, with the packages that each needs"""
TRACKING_SIZE_HW, LEAST_TRACKING_RATE = (1920, 1080), 30.0
MOST_PERFORMING_MS, PERFORMING_SIZE = 80.0, 256


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    device = choose_device(options.device).type
    if options.against is not None:
        _in_turns(options, device)
        return 0
    record = {"version": VERSION, "time": datetime.now(timezone.utc).isoformat(timespec="seconds")}
    record |= {"machine": machine(device), "device": device, "seed": options.seed, "sizes": options.sizes}
    with tempfile.TemporaryDirectory(prefix="understudy-benchmark-") as folder:
        material = Material(
            Path(folder), options.clip, options.performance, options.frames, max(256, *options.sizes), options.seed
        )
        meter = Meter(options.repeats, device)
        configs = tuple(config_of(size) for size in options.sizes)
        bench = Bench(meter, material, configs, device, options.seed, options.synthetic_tensors)
        rows, comparisons, skipped = _measured(bench, options)
        record["clip"] = material.described()
    record["training_data"] = "random tensors" if options.synthetic_tensors else "the performance"
    bars = _bars(rows, record["clip"])
    record |= {
        "rows": [dataclasses.asdict(row) for row in rows],
        "comparisons": [dataclasses.asdict(one) for one in comparisons],
        "skipped": skipped,
        "bars": bars,
    }
    print(_summary(record))
    if options.output:
        write_json(options.output, record)
        print(f"written to {options.output}")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256], help="sides of the picture, pixels")
    parser.add_argument("--frames", type=int, help="frames measured (default: all of --clip, else 300)")
    parser.add_argument("--clip", type=Path, help="video to track (default: a real one of 1080x1920, or a made-up one)")
    parser.add_argument("--performance", type=Path, help="tracked folder to perform and to train on")
    parser.add_argument("--only", nargs="+", choices=STAGES, default=list(STAGES), help="stages (default: all)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    parser.add_argument("--repeats", type=int, help="measurements behind each median (default: 3)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--synthetic-tensors", action="store_true", help="train on random tensors; decodes nothing")
    parser.add_argument("--output", type=Path, help="JSON file")
    turns = parser.add_argument_group("in turns with another revision")
    turns.add_argument("--against", metavar="REVISION", help="commit, branch or tag, installed with its own versions")
    turns.add_argument("--rounds", type=int, help=f"measurements of each (default: {against.ROUNDS})")
    turns.add_argument(
        "--conditions", nargs="+", choices=against.CONDITIONS, help="other work meanwhile (default: both)"
    )
    turns.add_argument("--isa", nargs="+", choices=against.ISA, help="PyTorch's instructions (default: all)")
    turns.add_argument("--work", type=Path, help="where the other revision stays installed for the next time")
    options = parser.parse_args(arguments)
    of_turns = (options.rounds, options.conditions, options.isa, options.work)
    if options.against is None and any(given is not None for given in of_turns):
        parser.error("--rounds, --conditions, --isa and --work are for --against")
    if options.against is not None and options.repeats is not None:
        parser.error("--against measures once a round: say --rounds, not --repeats")
    options.repeats = 3 if options.repeats is None else options.repeats
    options.rounds = against.ROUNDS if options.rounds is None else options.rounds
    for size in options.sizes:
        try:
            config_of(size)
        except ValueError as error:
            parser.error(f"--sizes {size}: {error}")
    if options.repeats < 1 or (options.frames is not None and options.frames < 8):
        parser.error("--repeats must be at least 1, and --frames at least 8")
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    return options


def _in_turns(options: argparse.Namespace, device: str) -> None:
    """Hands over to `against`, with the clip that both revisions are to measure on."""
    arguments = ["--device", device, "--seed", str(options.seed), "--sizes", *map(str, options.sizes)]
    if options.only != list(STAGES):  # else each measures all that it knows
        arguments += ["--only", *options.only]
    if options.synthetic_tensors:
        arguments.append("--synthetic-tensors")
    if options.performance:
        arguments += ["--performance", str(options.performance.resolve())]
    facts = {"time": datetime.now(timezone.utc).isoformat(timespec="seconds"), "machine": machine(device)}
    facts |= {"device": device, "seed": options.seed, "sizes": options.sizes, "only": options.only, "clip": None}
    films = any("av" in _needed(name, STAGES[name][1], options) for name in options.only) and not missing(MEDIA)
    with stopped_by_sigterm(), tempfile.TemporaryDirectory(prefix="understudy-against-") as folder:
        commit_of(options.against)  # said before a clip is made
        if films:
            from footage import Footage

            footage = Footage(Path(folder), options.clip, options.frames, options.seed)
            arguments += ["--clip", str(footage.clip.resolve()), "--frames", str(footage.frames)]
            facts["clip"] = footage.described()
        against.compare(
            options.against,
            arguments,
            facts,
            options.rounds,
            options.conditions or list(against.CONDITIONS),
            options.isa or list(against.ISA),
            Path(folder),
            options.work,
            options.output,
        )


def _measured(bench: Bench, options: argparse.Namespace) -> tuple[list[Row], list[Comparison], list[dict[str, str]]]:
    rows: list[Row] = []
    comparisons: list[Comparison] = []
    skipped: list[dict[str, str]] = []
    for name, (stage, needs) in STAGES.items():
        if name not in options.only:
            continue
        lacking = missing(_needed(name, needs, options))
        if lacking:
            skipped.append({"stage": name, "reason": f"not installed here: {', '.join(lacking)}"})
            continue
        if bench.device == "cpu" and name not in ("decode", "track"):
            keep_freed_memory()  # as training and performing do themselves
        for result in stage(bench):
            print(_line(result), flush=True)
            (rows if isinstance(result, Row) else comparisons).append(result)
    return rows, comparisons, skipped


def _needed(name: str, needs: Sequence[str], options: argparse.Namespace) -> Sequence[str]:
    """Training decodes a performance, which is tracked here unless one was given."""
    if name not in ("train", "compare") or options.synthetic_tensors:
        return needs
    return (*needs, "av") if options.performance else (*needs, *TRACKING)


def _line(result: Row | Comparison) -> str:
    size = "" if result.size is None else str(result.size)
    if isinstance(result, Row):
        spread = f"{result.min:9.2f} .. {result.max:<9.2f}"
        memory = "" if result.peak_memory_mib is None else f"{result.peak_memory_mib:6d} MiB"
        gpu = "" if result.peak_gpu_mib is None else f", GPU {result.peak_gpu_mib} MiB"
        return (
            f"{result.stage:10} {result.case:40} {size:>4} {result.median:9.2f} {spread} {result.unit:9} {memory}{gpu}"
        )
    spread = f"{result.min_ratio:.2f} .. {result.max_ratio:.2f}"
    times = f"{result.median_a:.2f} against {result.median_b:.2f} {result.unit}"
    return (
        f"compare    {result.what:40} {size:>4} {result.a} is {result.ratio:.2f} ({spread}) times {result.b}: {times}"
    )


def _bars(rows: Sequence[Row], clip: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What the project promises, and whether this run kept it."""
    tracking = next((1000 / row.median for row in rows if (row.stage, row.case) == ("track", "whole")), None)
    if clip is None or tuple(clip["size_hw"]) != TRACKING_SIZE_HW:
        tracking = None
    asked = ("perform", "driver tracked before", PERFORMING_SIZE)
    performing = next((row.median for row in rows if (row.stage, row.case, row.size) == asked), None)
    return [
        {
            "bar": f"tracking a 1080x1920 clip at {LEAST_TRACKING_RATE:.0f} frames a second or better",
            "measured": tracking,
            "met": None if tracking is None else tracking >= LEAST_TRACKING_RATE,
        },
        {
            "bar": f"performing at 256x256 in {MOST_PERFORMING_MS:.0f} ms a frame or less, on two CPU cores",
            "measured": performing,
            "met": None if performing is None else performing <= MOST_PERFORMING_MS,
        },
    ]


def _summary(record: dict[str, Any]) -> str:
    lines = [f"skipped    {one['stage']}: {one['reason']}" for one in record["skipped"]]
    words = {True: "met", False: "NOT met", None: "not measured"}
    for bar in record["bars"]:
        value = "" if bar["measured"] is None else f" ({bar['measured']:.1f})"
        lines.append(f"bar        {bar['bar']}: {words[bar['met']]}{value}")
    where = record["machine"]
    lines.append(
        f"on         {where['gpu'] or where['cpu']}, {where['cores']} cores, load {where['load_before']} before"
    )
    if record["clip"]:
        lines.append(f"clip       {json.dumps(record['clip'])}")
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UnderstudyError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)
