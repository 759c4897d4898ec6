"""What many hours of driving video cost, on paper: core hours, time on many machines, room on disk, money.

    python benchmarks/costs.py
    python benchmarks/costs.py --a-core-hour 0.04 --a-gb-month 0.02 --hours 5000 --machines 20 --cores 32
    python benchmarks/costs.py --results mine          # of a folder with results of your own

What a frame takes was measured by other benchmarks, whose results lie beside this file. All the rest is multiplication.
Prices are for you to give: those that are taken unless others are said are round numbers, and nobody's offer.

It is taken for granted that a core of another machine does as much as one that was measured, and that eight jobs of two
threads on sixteen cores do eight times as much as one: neither was measured.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Rate:
    """What was measured of a frame."""

    name: str
    file: str
    """of the results, without its suffix: how it was measured stands in docs/results.md"""
    read: Callable[[dict[str, Any]], float]
    """milliseconds, out of that file"""


def _line(job: str) -> Callable[[dict[str, Any]], float]:
    return lambda found: next(row["ms_a_frame"] for row in found["lines"] if row["job"] == job)


def _quiet(found: dict[str, Any]) -> float:
    rows = [row for row in found["rows"] if row["tree"] == "this" and row["busy"] == 0]
    return statistics.median(rows[0]["ms_a_frame"])


def _network_of_256(found: dict[str, Any]) -> float:
    rows = [row for row in found["rows"] if row["stage"] == "perform" and row["size"] == 256]
    return next(float(row["median"]) for row in rows if row["case"] == "driver tracked before")


TRACKING = Rate("tracking", "long-clips-cpu", _line("track"))
PERFORMING = (
    Rate("default recipe, 256x256", "performing-cpu", _quiet),
    Rate("default recipe, 512x512", "performing-512-cpu", _quiet),
    Rate("performance cloning, 256x256", "pipeline-cpu", _network_of_256),
)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=1000, help="of driving video")
    parser.add_argument("--fps", type=float, default=25, help="of driving video")
    parser.add_argument("--machines", type=int, default=10)
    parser.add_argument("--cores", type=int, default=16, help="of each machine")
    parser.add_argument("--a-core-hour", type=float, default=0.05, help="assumed price of a core for an hour")
    parser.add_argument("--a-gb-month", type=float, default=0.02, help="assumed price of a GB for a month")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of what was measured")
    print("\n".join(table(parser.parse_args(arguments))))


def table(options: argparse.Namespace) -> Iterator[str]:
    """Lines of Markdown."""
    frames = options.hours * 3600 * options.fps
    of_video = f"{options.hours:g} hours at {options.fps:g} frames a second"
    yield f"| {of_video} | ms a frame | core hours | {options.machines} machines of {options.cores} cores | cost |"
    yield "|---|---|---|---|---|"

    def row(name: str, ms: str, core_hours: float) -> str:
        wall = core_hours / (options.machines * options.cores)
        return f"| {name} | {ms} | {core_hours:,.0f} | {wall:.1f} h | {core_hours * options.a_core_hour:,.0f} |"

    def taken(rate: Rate) -> tuple[float, float]:
        found = json.loads((options.results / f"{rate.file}.json").read_text())
        ms = rate.read(found)
        return ms, found["machine"]["cores"] * frames * ms / 3.6e6  # all cores were busy with it

    tracking_ms, tracking = taken(TRACKING)
    yield row(TRACKING.name, f"{tracking_ms:.0f}", tracking)
    for rate in PERFORMING:
        ms, performing = taken(rate)
        yield row(f"performing: {rate.name}", f"{ms:.0f}", performing)
        yield row(f"both: {rate.name}", f"{tracking_ms + ms:.0f}", tracking + performing)
    disk = json.loads((options.results / "long-clips-cpu.json").read_text())["bytes_a_frame_on_disk"]
    for name, size in disk.items():
        minute, all_gb = size * options.fps * 60 / 1e6, size * frames / 1e9
        price = all_gb * options.a_gb_month
        yield f"| on disk: {name} | {minute:.1f} MB a minute | {all_gb:,.0f} GB | | {price:,.0f} a month |"


if __name__ == "__main__":
    main()
