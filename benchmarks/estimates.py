"""How good the estimates of the time left are: runs one command of understudy and compares them with what came.

    python benchmarks/estimates.py train me.performance --output me.actor --max-steps 200 --consent "It is me"

Prints, for each stage that ran for long enough to say something, the largest error after a tenth of its time; the last
line is the same as JSON. What counts: |said - left| / left, as long as `LEAST_LEFT` seconds or more were left, since
estimates are told in whole seconds, every ten seconds.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from typing import Any, NamedTuple

from understudy.base.machine import machine

LINE, LEFT = re.compile(r"^(?P<stage>[^:]+): \d+(/\d+)? "), re.compile(r", (\d+) s left")
FROM_SHARE, LEAST_LEFT = 0.1, 10.0
"""of a stage's time, and seconds"""


class Said(NamedTuple):
    """One line of progress."""

    at: float
    """seconds since the command began"""
    stage: str
    left: float | None
    """seconds said to be left"""
    end: bool


def read(line: str, at: float) -> Said | None:
    """A line of stderr; None when it is no progress."""
    words = line.rstrip("\n")
    if (found := LINE.match(words)) is None:
        return None
    left = LEFT.search(words)
    return Said(at, found["stage"], float(left[1]) if left else None, words.endswith(", done"))


def errors(said: list[Said]) -> list[dict[str, Any]]:
    """For each stage that ended: its seconds, how many estimates counted, and the largest error of them (None: none).

    A stage begins where the one before it ended.
    """
    rows, begun = [], 0.0
    for number, last in enumerate(said):
        if not last.end:
            continue
        seconds = last.at - begun
        after = [one for one in said[:number] if one.at >= begun + FROM_SHARE * seconds and one.stage == last.stage]
        told = [(one.left, last.at - one.at) for one in after if one.left is not None]  # said, and what came
        counted = [(left, came) for left, came in told if came >= LEAST_LEFT]
        worst = max((abs(left - came) / came for left, came in counted), default=None)
        rows.append(
            {
                "stage": last.stage,
                "seconds": round(seconds, 1),
                "estimates": len(counted),
                "largest_error": None if worst is None else round(worst, 3),
            }
        )
        begun = last.at
    return rows


def main(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help"):
        print(__doc__)
        return 0
    load, started = os.getloadavg()[0], time.monotonic()
    command = [sys.executable, "-m", "understudy", *words]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert running.stderr is not None
    said = []
    for line in running.stderr:
        sys.stderr.write(line)
        if (one := read(line, time.monotonic() - started)) is not None:
            said.append(one)
    if running.wait() != 0:
        return running.returncode
    rows = errors(said)
    print("| stage | seconds | estimates | largest error |\n|---|---|---|---|")
    for row in rows:
        worst = "-" if row["largest_error"] is None else f"{100 * row['largest_error']:.0f} %"
        print(f"| {row['stage']} | {row['seconds']} | {row['estimates']} | {worst} |")
    print(
        json.dumps({"command": words[0], "machine": machine("cpu"), "load_before": load, "stages": rows}, default=str)
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
