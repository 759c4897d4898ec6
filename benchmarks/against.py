"""This tree against another revision of it, in turns: how many times as fast it is, and how sure that is.

    python benchmarks/pipeline.py --against REVISION --only track perform

The other revision is checked out and installed with the versions that it names itself. Each measurement is a process of
its own: `benchmarks/pipeline.py` of one tree and then that of the other, on the same clip, so that a machine that slows
down slows both. See README.md beside this file.
"""

from __future__ import annotations

import itertools
import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from processes import busy, finished
from revisions import ROOT, Tree, checked_out, commit_of, git
from understudy.base.files import read_json, write_json
from understudy.base.machine import cores
from understudy.errors import UnderstudyError, UsageError
from understudy.evaluation.intervals import mean_interval

VERSION = 1
"""of the JSON's layout"""
CONDITIONS = ("quiet", "busy")
ISA: dict[str, dict[str, str]] = {
    "native": {},
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"},
}
"""what each adds to the environment of a measurement"""
NO_BFLOAT16 = Path(__file__).resolve().parent / "avx2"
SIDES = ("this", "other")
ROUNDS = 5
FEW_ROUNDS = 3
"""with fewer an interval is little more than the two ends of what was measured"""


@dataclass(frozen=True)
class Measured:
    """What was measured, and how."""

    condition: str
    isa: str
    stage: str
    case: str
    size: int | None
    unit: str


@dataclass(frozen=True)
class Ratio(Measured):
    """One line of the table, over the rounds that have it from both trees."""

    this: float
    """median over the rounds, as is `other`"""
    other: float
    ratio: float | None
    """geometric mean over the rounds: this tree is so many times as fast; None where one of them measured 0"""
    low: float | None
    """of the 95 % interval; None for one round"""
    high: float | None
    min: float | None
    """of the rounds' ratios"""
    max: float | None
    rounds: int
    memory_this_mib: int | None
    """the highest peak of all rounds"""
    memory_other_mib: int | None


@dataclass(frozen=True)
class Alone(Measured):
    """A row that only one of the trees has."""

    only_in: str
    """"this" or "other" """


def compare(
    revision: str,
    arguments: Sequence[str],
    facts: Mapping[str, Any],
    rounds: int,
    conditions: Sequence[str],
    isa: Sequence[str],
    scratch: Path,
    work: Path | None,
    output: Path | None,
) -> None:
    """Builds the revision, measures in turns, and prints the table.

    Args:
        arguments: of every measurement; both trees have to understand them.
        facts: about machine and clip, for the JSON.
        scratch: an empty folder for what is thrown away.
        work: where the other tree stays for the next time; None to throw it away, too.
        output: JSON, written anew after every round.

    Raises:
        UnderstudyError: no such revision, it cannot be installed, or a measurement failed.
    """
    check_instructions(isa)
    commit = commit_of(revision)
    record: dict[str, Any] = {
        "version": VERSION,
        **facts,
        "revisions": {
            "this": {"commit": commit_of("HEAD"), "dirty": bool(git("status", "--porcelain"))},
            "other": {"name": revision, "commit": commit},
        },
        "rounds": rounds,
        "conditions": list(conditions),
        "isa": {name: ISA[name] for name in isa},
        "machines": {},
        "runs": [],
        "ratios": [],
        "only_in_one": [],
    }
    _write(output, record)  # a folder that cannot be written to is better known before the hours of measuring
    try:
        with checked_out(commit, work or scratch, scratch, keep=work is not None) as other:
            trees = {"this": Tree(ROOT, Path(sys.executable)), "other": other}
            for runs in in_turns(trees, arguments, rounds, list(itertools.product(conditions, isa)), scratch):
                for run in runs:
                    record["machines"].setdefault(run["side"], run.pop("machine"))
                record["runs"] += runs
                ratios, alone = compared(record["runs"])
                record["ratios"], record["only_in_one"] = [asdict(one) for one in ratios], [asdict(a) for a in alone]
                _write(output, record)
    finally:  # an interrupted comparison shows the rounds that it has
        if record["runs"]:
            print(table(record))
        if output:
            print(f"written to {output}")


def _write(output: Path | None, record: Mapping[str, Any]) -> None:
    if output is not None:
        write_json(output, record)


def check_instructions(isa: Sequence[str]) -> None:
    """Raises UsageError: AVX2 was asked for where no processor has it."""
    if "avx2" in isa and platform.machine().lower() not in ("x86_64", "amd64"):
        raise UsageError(f"`--isa avx2`: this processor ({platform.machine()}) is of another kind; use `--isa native`")


def in_turns(
    trees: Mapping[str, Tree],
    arguments: Sequence[str],
    rounds: int,
    ways: Sequence[tuple[str, str]],
    scratch: Path,
) -> Iterator[list[dict[str, Any]]]:
    """The runs of each round: both trees under every (condition, isa); who was second goes first in the next round."""
    started, done, total = time.monotonic(), 0, 2 * rounds * len(ways)
    for number in range(1, rounds + 1):
        runs = []
        for (condition, isa), side in itertools.product(ways, SIDES if number % 2 else SIDES[::-1]):
            began = time.monotonic()
            with busy(cores()) if condition == "busy" else nullcontext():
                measured = run_pipeline(trees[side], arguments, isa, scratch)
            done += 1
            seconds, left = time.monotonic() - began, (time.monotonic() - started) / done * (total - done)
            run = {"round": number, "condition": condition, "isa": isa, "side": side, "seconds": round(seconds, 1)}
            run |= {name: measured["machine"].get(name) for name in ("load_before", "instructions")}
            runs.append(run | {name: measured[name] for name in ("machine", "rows", "comparisons", "skipped")})
            print(
                f"round {number} of {rounds}, {condition}, {isa}: {side} tree in {seconds:.0f} s"
                f"{f'; about {_duration(left)} left' if done < total else ''}",
                flush=True,
            )
        yield runs


def run_pipeline(tree: Tree, arguments: Sequence[str], isa: str, scratch: Path) -> dict[str, Any]:
    """What one measurement of a tree's own benchmark wrote, in a process of its own.

    Raises:
        UnderstudyError: it failed.
    """
    output = scratch / "measured.json"
    command = [str(tree.python), "benchmarks/pipeline.py", *arguments, "--repeats", "1", "--output", str(output)]
    failure = finished(command, tree.folder, _environment(tree.folder, ISA[isa], scratch))
    if failure:
        which = "this tree" if tree.folder == ROOT else "the other revision"
        raise UnderstudyError(f"the benchmark of {which} failed: {failure}")
    measured: dict[str, Any] = read_json(output)
    output.unlink()
    return measured


def _environment(folder: Path, instructions: dict[str, str], scratch: Path) -> dict[str, str]:
    """Of a process of one tree: its own modules first, and nothing that holds PyTorch to other instructions."""
    ours = {name for names in ISA.values() for name in names}
    path = os.pathsep.join([*([str(NO_BFLOAT16)] if instructions else []), str(folder / "src")])
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    return environment | instructions | {"PYTHONPATH": path, "TMPDIR": str(scratch)}


def compared(runs: Sequence[Mapping[str, Any]]) -> tuple[list[Ratio], list[Alone]]:
    """Rows of whole rounds, paired by stage, case, size and unit; and the rows that have no partner in any round."""
    found: dict[tuple[Any, ...], dict[int, dict[str, Mapping[str, Any]]]] = {}
    for run in runs:
        for row in run["rows"]:
            what = (run["condition"], run["isa"], row["stage"], row["case"], row["size"], row["unit"])
            found.setdefault(what, {}).setdefault(run["round"], {})[run["side"]] = row
    ratios, alone = [], []
    for what, rounds in found.items():
        pairs = [(sides["this"], sides["other"]) for sides in rounds.values() if len(sides) == 2]
        if pairs:
            ratios.append(_ratio(what, pairs))
        else:
            sides = sorted({side for one in rounds.values() for side in one})
            alone += [Alone(*what, side) for side in sides]
    return ratios, alone


def _ratio(what: tuple[Any, ...], pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Ratio:
    this, other = ([row["median"] for row in column] for column in zip(*pairs, strict=True))
    peaks = [[row["peak_memory_mib"] for row in column] for column in zip(*pairs, strict=True)]
    memory = [max((peak for peak in column if peak is not None), default=None) for column in peaks]
    medians = (statistics.median(this), statistics.median(other))
    if min(*this, *other) <= 0:  # a part that one of the revisions does not have, or does elsewhere
        return Ratio(*what, *medians, None, None, None, None, None, len(pairs), *memory)
    unit = what[-1]
    times = [b / a if unit.startswith("ms") else a / b for a, b in zip(this, other, strict=True)]
    logs = mean_interval([math.log(each) for each in times], block=1)
    middle, low, high = (None if log is None else math.exp(log) for log in (logs.mean, logs.low, logs.high))
    return Ratio(*what, *medians, middle, low, high, min(times), max(times), len(pairs), *memory)


def table(record: Mapping[str, Any]) -> str:
    """The ratios for people, a block for each condition and set of instructions."""
    this, other = record["revisions"]["this"], record["revisions"]["other"]
    where = record["machine"]
    lines = [
        f"this       {this['commit'][:12]}{', with changes' if this['dirty'] else ''}",
        f"other      {other['commit'][:12]} ({other['name']})",
        f"on         {where['gpu'] or where['cpu']}, {where['cores']} cores, load {where['load_before']} before",
    ]
    head = f"{'':51} {'size':>4} {'this':>9} {'other':>9} {'':9} as fast  95 % interval   min .. max      MiB, both"
    for condition, isa in itertools.product(record["conditions"], record["isa"]):
        here = [Ratio(**one) for one in record["ratios"] if (one["condition"], one["isa"]) == (condition, isa)]
        alone = [Alone(**one) for one in record["only_in_one"] if (one["condition"], one["isa"]) == (condition, isa)]
        rounds = max((one.rounds for one in here), default=0)
        few = ", too few for more than a rough interval" if rounds < FEW_ROUNDS else ""
        lines += ["", f"{condition}, {isa}: {rounds} round{'s' if rounds > 1 else ''}{few}", head]
        lines += [_line(one) for one in here]
        lines += [f"only in {one.only_in:5} {one.stage} {one.case} {one.size or ''} {one.unit}" for one in alone]
    return "\n".join(lines)


def _line(one: Ratio) -> str:
    ratio = "    n/a" if one.ratio is None else f"{one.ratio:6.2f}x"
    memory = " / ".join("n/a" if peak is None else str(peak) for peak in (one.memory_this_mib, one.memory_other_mib))
    return (
        f"{one.stage:10} {one.case:40} {one.size or '':>4} {one.this:9.2f} {one.other:9.2f} {one.unit:9} {ratio}  "
        f"{_range(one.low, one.high):15} {_range(one.min, one.max):15} {memory}"
    ).rstrip()


def _range(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.2f} .. {high:.2f}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
