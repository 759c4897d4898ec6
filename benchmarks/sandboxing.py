"""What the child process costs: `verify` and `detect` of one small clip, with and without it, in turns.

    python benchmarks/sandboxing.py --output mine.json
    python benchmarks/sandboxing.py --clip somebody.mp4 --runs 9 --output mine.json

Each run is a command of its own, from the start of Python to its end; the two ways follow each other, so that what
other programs do meets both. Without `--clip` a made-up person dances for two seconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from understudy.base.files import write_json
from understudy.base.machine import machine

COMMANDS = ("verify", "detect")
WAYS = {"in a child": (), "in this process": ("--no-sandbox",)}


def made_up(path: Path) -> Path:
    """Two seconds of somebody who is nobody, 384x288."""
    from understudy.synthetic.clip import write_clip
    from understudy.synthetic.motion import choreography
    from understudy.synthetic.people import make_person
    from understudy.synthetic.scene import make_scene

    write_clip(path, make_person(1), choreography(5, 2.0, Fraction(25)), make_scene(1, (288, 384)))
    return path


def seconds_of(command: str, options: Sequence[str], clip: Path) -> float:
    """By the clock; `verify` says by its exit code that the clip has no marks."""
    words = [sys.executable, "-m", "understudy", command, str(clip), *options]
    started = time.perf_counter()
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env=os.environ | {"OMP_WAIT_POLICY": "passive"}
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"{command} failed: {done.stderr}")
    return time.perf_counter() - started


def in_turns(clip: Path, runs: int) -> list[dict[str, Any]]:
    """A row for each command: medians of both ways, and of what the one takes beyond the other in each turn."""
    rows = []
    for command in COMMANDS:
        for options in WAYS.values():
            seconds_of(command, options, clip)  # files are in memory from here on
        taken: dict[str, list[float]] = {way: [] for way in WAYS}
        for turn in range(runs):
            for way in list(WAYS)[:: 1 if turn % 2 else -1]:
                taken[way].append(seconds_of(command, WAYS[way], clip))
        more = [child - here for child, here in zip(*taken.values(), strict=True)]
        rows.append(
            {
                "command": command,
                "medians": {way: round(statistics.median(some), 2) for way, some in taken.items()},
                "more": round(statistics.median(more), 2),
                "least_and_most_more": [round(min(more), 2), round(max(more), 2)],
                "seconds": {way: [round(one, 3) for one in some] for way, some in taken.items()},
            }
        )
    return rows


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows for people."""
    lines = ["| command | in a child | in this process | more |", "|---|---|---|---|"]
    for row in rows:
        child, here = row["medians"].values()
        least, most = row["least_and_most_more"]
        lines.append(
            f"| {row['command']} | {child:.2f} s | {here:.2f} s | {row['more']:.2f} s ({least:.2f} to {most:.2f}) |"
        )
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, help="left out, a made-up person of two seconds")
    parser.add_argument("--runs", type=int, default=9, metavar="N", help="of each command, each way")
    parser.add_argument("--output", type=Path, metavar="results.json", help="write the figures to this file")
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="sandboxing-") as folder:
        clip = asked.clip or made_up(Path(folder) / "somebody.mp4")
        rows = in_turns(clip, asked.runs)
    if asked.output is not None:
        write_json(asked.output, {**machine("cpu"), "seed": 1, "clip": clip.name, "runs": asked.runs, "rows": rows})
    print(table(rows))


if __name__ == "__main__":
    main()
