"""What 8-bit integers cost and gain: an actor's networks for OpenVINO, in float32 and in integers, turn by turn.

    python benchmarks/integers.py --actor me.actor --performance me.performance --output integers.json

For each network: bytes on disk, milliseconds a picture (medians of runs that take turns, so that whatever else the
machine does hits both), and how far the integers are from float32 in levels of 255, over all pixels and over those that
are not within 8 levels of the flat colour, in moments from which no ranges were learnt.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import understudy
from understudy.actor import Actor
from understudy.base import openvino
from understudy.base.files import write_json
from understudy.base.machine import machine
from understudy.exporting.ranges import inputs_of
from understudy.performance import Performance
from understudy.recipes import recipe

TURNS = 12


def measured(actor: Actor, performance: Performance, folder: Path) -> list[dict[str, Any]]:
    """One row a network."""
    cuts = recipe(actor.recipe).cuts(actor.config, actor.weights, actor.statistics)
    inputs = inputs_of(actor, cuts, performance)
    whole = understudy.export(actor, folder / "whole.xml", runtime="openvino")
    integers = understudy.export(actor, folder / "integers.xml", runtime="openvino", int8=performance)
    rows = []
    for cut, given, *files in zip(cuts, inputs, whole, integers, strict=True):
        runs = [openvino.read(file.path) for file in files]
        seconds: list[list[float]] = [[], []]
        for turn in range(TURNS + 1):
            for run, taken in zip(runs, seconds, strict=True):
                started = time.perf_counter()
                run(given[turn % len(given)])
                taken.append(time.perf_counter() - started)
        said = [np.concatenate([run(one) for one in given[2::3]]) for run in runs]
        apart = np.abs(said[0] - said[1]).mean(axis=1) * 127.5
        row: dict[str, Any] = {"network": cut.name or "main", "moments": len(given[2::3])}
        for name, file, taken in zip(("float32", "int8"), files, seconds, strict=True):
            row[f"{name}_bytes"] = file.path.with_suffix(".bin").stat().st_size
            row[f"{name}_ms"] = 1000 * statistics.median(taken[1:])
        row["apart"] = float(apart.mean())
        if colour := cut.condition.get("flat_colour"):
            flat = np.array(colour, np.float32)[:, None, None] / 127.5 - 1
            person = np.abs(said[0][:, :3] - flat).max(axis=1) > 8 / 127.5
            row["apart_on_the_person"] = float(apart[person].mean())
        rows.append(row)
        print(row, flush=True)
    return rows


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actor", required=True, type=Path)
    parser.add_argument("--performance", required=True, type=Path)
    parser.add_argument("--output", type=Path, help="JSON file")
    asked = parser.parse_args(words)
    actor = Actor.load(asked.actor)
    with tempfile.TemporaryDirectory() as folder:
        rows = measured(actor, Performance.load(asked.performance), Path(folder))
    if asked.output is not None:
        how = {"recipe": actor.recipe, "preset": actor.record.get("preset"), "steps": actor.record.get("steps")}
        write_json(asked.output, {"machine": machine("cpu"), **how, "size": actor.size, "rows": rows})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
