"""Damaged files by the thousand, each given to understudy in a child process of its own: does it refuse them in a line?

    python benchmarks/fuzz.py --kind all --mutants 10000 --output mine.json
    python benchmarks/fuzz.py --kind bvh --only 4711 --seed 1

A mutant is read, or refused by an UnderstudyError of one line. Everything else is a fault: another exception, a signal,
more than 20 s or 1 GiB, an output under its final name after an error, and words that would steer a terminal. Mutants
that were faults are kept in the folder that is named at the end; `--only` tries one of them again and says all of it.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import one_thread  # noqa: F401 - before whatever would begin threads
from fuzz_subjects import SUBJECTS, Subject
from understudy.base.machine import machine
from understudy.errors import UnderstudyError

LONGEST_MESSAGE = 2000
"""characters; the two paths in it may be long, what a file holds must not be told in full"""
STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""what no message and no printed line holds: control characters, line ends, and halves of characters"""
NO_MEMORY = re.compile("not enough memory|memory ran out", re.I)
"""refusals that the limit may have caused; without one, more would have been taken"""
SAYS_EVERY = 10.0
"""seconds between two lines of progress"""


@dataclass(frozen=True)
class Limits:
    """Of one child."""

    seconds: float = 20.0
    memory: int = 1 << 30
    """bytes that may have been in memory at once; what the parent has loaded counts"""
    address_space: int = 3 << 30
    """bytes of data that may be asked for beyond what the parent has; then the system refuses"""


@dataclass(frozen=True)
class Result:
    """What came of one mutant."""

    number: int
    outcome: str
    """"read", "refused", or what kind of fault"""
    detail: str
    """the message of an error, or where it was raised"""
    seconds: float
    peak: int
    """bytes"""

    @property
    def is_fault(self) -> bool:
        return self.outcome not in ("read", "refused")


def fuzzed(
    subject: Subject, whole: Path, scratch: Path, kept: Path, numbers: Sequence[int], seed: str, limits: Limits
) -> Iterator[Result]:
    """Tries mutants one after the other.

    Args:
        subject: ready.
        whole: folder of what it made.
        scratch: where one mutant at a time lies.
        kept: those that were faults, by their numbers.
        numbers: of the mutants; one and the same number is the same mutant.
        seed: of all.
    """
    gc.collect()
    gc.freeze()  # the children would copy what the collector touches
    for number in numbers:
        place = scratch / str(number)
        given, out = place / "given", place / "out"
        given.mkdir(parents=True)
        out.mkdir()
        said, status, usage, seconds = in_child(
            lambda number=number, given=given, out=out: _tried(subject, whole, given, out, f"{seed} {number}"), limits
        )
        result = judged(number, said, status, seconds, 1024 * usage.ru_maxrss, left_in(out), limits)
        if result.is_fault:
            shutil.move(place, kept / str(number))
        else:
            shutil.rmtree(place)
        yield result


def in_child(work: Any, limits: Limits) -> tuple[dict[str, Any] | None, int, Any, float]:
    """What `work` returned in a child (None: nothing), the child's status and use of the system, and its seconds."""
    read, write = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            _limit(limits)
            with os.fdopen(write, "w") as told:
                told.write(json.dumps(work()))
        finally:
            os._exit(0)  # whatever the mutant did to this process; nothing that was said is a fault as well
    os.close(write)
    heard = b""
    while True:
        left = limits.seconds - (time.monotonic() - started)
        ready, _, _ = select.select([read], [], [], max(0.0, left))
        chunk = os.read(read, 1 << 16) if ready else b""
        heard += chunk
        if not ready:
            os.kill(child, signal.SIGKILL)
        if not chunk:
            break
    os.close(read)
    _, status, usage = os.wait4(child, 0)
    seconds = time.monotonic() - started
    try:
        return json.loads(heard), status, usage, seconds
    except ValueError:
        return None, status, usage, seconds


def _limit(limits: Limits) -> None:
    with open("/proc/self/status") as stream:
        (data,) = re.findall(r"VmData:\s+(\d+) kB", stream.read())
    most = 1024 * int(data) + limits.address_space
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    seconds = int(2 * limits.seconds) + 1  # several threads may each be at work
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)


def _tried(subject: Subject, whole: Path, given: Path, out: Path, seed: str) -> dict[str, Any]:
    chance = random.Random(seed)
    try:
        mutant = subject.damage(chance, whole, given)
    except Exception:  # noqa: BLE001 - told by the parent
        return {"outcome": "no mutant", "detail": traceback.format_exc()[-1500:]}
    try:
        lines = subject.use(mutant, out, chance)
    except UnderstudyError as error:
        return {"outcome": "refused", "detail": str(error)[: LONGEST_MESSAGE + 1]}
    except BaseException as error:  # noqa: BLE001 - every other one is what is looked for
        places = traceback.extract_tb(error.__traceback__)
        where = " < ".join(f"{Path(one.filename).name}:{one.lineno}" for one in reversed(places[-4:]))
        return {"outcome": "exception", "detail": f"{type(error).__name__} at {where}: {str(error)[:300]}"}
    return {"outcome": "read", "detail": "", "steering": [line[:200] for line in lines if STEERING.search(line)]}


def left_in(folder: Path) -> list[str]:
    """Names of outputs; those of half-written ones begin with a dot."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def judged(
    number: int, said: dict[str, Any] | None, status: int, seconds: float, peak: int, left: list[str], limits: Limits
) -> Result:
    """The outcome of one child.

    Args:
        said: what `_tried` returned; None: the child ended before.
        status: as `os.wait4` gives it.
        peak: bytes.
        left: names of outputs.
    """
    outcome, detail = (said["outcome"], said["detail"]) if said else ("died", f"status {status}")
    result = Result(number, outcome, detail, seconds, peak)
    if seconds >= limits.seconds:
        return replace(result, outcome="too slow")
    if os.WIFSIGNALED(status):
        return replace(result, outcome="signal", detail=f"signal {os.WTERMSIG(status)}")
    if peak > limits.memory:
        return replace(result, outcome="too much memory", detail=f"{peak >> 20} MiB; {outcome}: {detail}")
    if outcome != "read" and left:
        return replace(result, outcome="output left", detail=f"{', '.join(left)} after {outcome}: {detail}")
    if outcome == "refused" and (STEERING.search(detail) or not detail or len(detail) > LONGEST_MESSAGE):
        return replace(result, outcome="message", detail=repr(detail[:300]))
    if said and said.get("steering"):
        return replace(result, outcome="printed", detail=repr(said["steering"][0]))
    return result


def fuzz_kind(
    kind: str, numbers: Sequence[int], seed: int, kept: Path, limits: Limits, minutes: float | None = None
) -> dict[str, Any]:
    """Makes whole files of a kind, and tries mutants of them; returns the row of the table and its faults.

    Args:
        minutes: after which no other mutant is tried; None: all are.
    """
    subject = SUBJECTS[kind]
    subject.ready()
    counts: Counter[str] = Counter()
    faults, peak, slowest, memory = [], 0, 0.0, 0
    started = said = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        whole, scratch = Path(name) / "whole", Path(name) / "mutants"
        whole.mkdir()
        made, *_ = in_child(lambda: _made(subject, whole), Limits(seconds=300.0))
        if made != {}:
            raise SystemExit(f"{kind}: the whole files could not be made: {made}")
        if unread := _not_read(subject, whole, scratch):
            raise SystemExit(f"{kind}: a whole file cannot be read: {unread}")
        for result in fuzzed(subject, whole, scratch, kept, numbers, f"{seed} {kind}", limits):
            counts[result.outcome] += 1
            peak, slowest = max(peak, result.peak), max(slowest, result.seconds)
            memory += result.outcome == "refused" and bool(NO_MEMORY.search(result.detail))
            if result.is_fault:
                faults.append(asdict(result))
            if minutes is not None and time.monotonic() - started >= 60 * minutes:
                break
            if time.monotonic() - said >= SAYS_EVERY:
                said, done = time.monotonic(), sum(counts.values())
                left = (said - started) * (len(numbers) - done) / done
                print(f"{kind}: {done}/{len(numbers)}, {len(faults)} faults, {left:.0f} s left", file=sys.stderr)
    return {
        "kind": kind,
        "mutants": sum(counts.values()),
        "read": counts["read"],
        "refused": counts["refused"],
        "refused_for_memory": memory,
        "faults": {outcome: count for outcome, count in counts.items() if outcome not in ("read", "refused")},
        "slowest_seconds": round(slowest, 2),
        "peak_mib": peak >> 20,
        "seconds": round(time.monotonic() - started, 1),
        "first_faults": faults[:30],
    }


def _made(subject: Subject, whole: Path) -> dict[str, str]:
    try:
        subject.make(whole)
    except Exception:  # noqa: BLE001 - told by the parent
        return {"error": traceback.format_exc()[-1500:]}
    return {}


def _not_read(subject: Subject, whole: Path, scratch: Path) -> str:
    """What goes wrong with whole files, which all have to be read; empty where nothing does."""
    for number, path in enumerate(sorted(whole.iterdir())):
        if path.suffix == ".c2pa":
            continue
        copied = scratch / "whole" / str(number)
        shutil.copytree(whole, copied / "given")
        (copied / "out").mkdir()
        untouched = replace(subject, damage=lambda chance, whole, given, name=path.name: given / name)
        said, status, *_ = in_child(
            lambda copied=copied, one=untouched: _tried(one, whole, copied / "given", copied / "out", "0"), Limits()
        )
        if said is None or said["outcome"] != "read":
            return f"{path.name}: {said or status}"
    shutil.rmtree(scratch / "whole")
    return ""


def versions() -> dict[str, Any]:
    """Of PyAV, and of the FFmpeg within it."""
    import av

    libraries = {name: ".".join(map(str, number)) for name, number in av.library_versions.items()}
    return {"av": av.__version__, "ffmpeg": av.ffmpeg_version_info, **libraries}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows for people."""
    lines = ["| kind | mutants | read | refused | faults | slowest | most memory |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        faults = ", ".join(f"{count} {outcome}" for outcome, count in row["faults"].items()) or "0"
        lines.append(
            f"| {row['kind']} | {row['mutants']:,} | {row['read']:,} | {row['refused']:,} | {faults} | "
            f"{row['slowest_seconds']:.1f} s | {row['peak_mib']:,} MiB |"
        )
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=[*SUBJECTS, "all"], default="all", help="which files are damaged")
    parser.add_argument("--mutants", type=int, default=10_000, metavar="N", help="of each kind")
    parser.add_argument("--minutes", type=float, help="stop each kind after so many, however many were tried by then")
    parser.add_argument("--seed", type=int, default=1, help="another one gives other mutants")
    parser.add_argument("--only", type=int, metavar="INDEX", help="try this mutant alone")
    parser.add_argument("--kept", type=Path, help="where faults are kept; a new temporary folder when left out")
    parser.add_argument("--output", type=Path, metavar="results.json", help="write the figures to this file")
    args = parser.parse_args(words)
    if args.mutants < 1 or (args.only is not None and args.kind == "all"):
        parser.error("--mutants is at least 1, and --only goes with one --kind")
    kept = args.kept or Path(tempfile.mkdtemp(prefix="fuzz-faults-"))
    if args.kind == "all":
        rows = [_in_its_own_process(kind, args, kept) for kind in SUBJECTS]
    else:
        (kept / args.kind).mkdir(parents=True, exist_ok=True)
        numbers = range(args.mutants) if args.only is None else [args.only]
        rows = [fuzz_kind(args.kind, numbers, args.seed, kept / args.kind, Limits(), args.minutes)]
    if args.output is not None:
        record = {"seed": args.seed, "machine": machine("cpu"), "versions": versions(), "rows": rows}
        args.output.write_text(json.dumps(record, indent=2, default=str) + "\n", encoding="utf-8")
    print(table(rows))
    faults = [(row["kind"], fault) for row in rows for fault in row["first_faults"]]
    for kind, fault in faults:
        print(f"{kind} {fault['number']}: {fault['outcome']}: {fault['detail']}")
    if faults:
        print(f"kept in {kept}; again: --kind KIND --seed {args.seed} --only NUMBER")
    return 1 if faults else 0


def _in_its_own_process(kind: str, args: argparse.Namespace, kept: Path) -> dict[str, Any]:
    """Each kind has a parent that has imported no more than it needs."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        part = Path(folder) / "part.json"
        options = ["--mutants", args.mutants, "--seed", args.seed, "--kept", kept, "--output", part]
        options += [] if args.minutes is None else ["--minutes", args.minutes]
        command = [sys.executable, __file__, "--kind", kind, *map(str, options)]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        if not part.is_file():
            raise SystemExit(f"{kind}: ended without a result")
        row: dict[str, Any] = json.loads(part.read_text(encoding="utf-8"))["rows"][0]
        return row


if __name__ == "__main__":
    sys.exit(main())
