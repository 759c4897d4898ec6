"""Killed at random moments, and begun again: is anything lost, left lying about, or different at the end?

    python benchmarks/kills.py --kills 100 --output mine.json
    python benchmarks/kills.py --only perform --kills 20 --seed 3

Every job is first done without interruption. Then it is begun, killed (SIGKILL) at a moment drawn from the whole of its
duration, begun again in what that left, perhaps killed again, and in the end let finish, again and again until so many
kills were dealt out. After each kill the output is whole or not there. At the end it is what the unbroken job made, to
the bit (of videos: their pictures), no step was trained twice whose checkpoint had been written, and the folder holds
the same files and no others.

Trainings write a checkpoint behind each step here, where users' do once a minute, so that the lost step can be counted.
Each is a process forked from one that has imported what it needs: killed is work, not the start of Python.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import one_thread  # noqa: F401 - before whatever would begin threads
from kills_jobs import JOBS, Job, digest, make_material, ready, saving_every_step
from understudy.base.files import write_json
from understudy.base.machine import machine

AGAIN = 0.5
"""chance that what was begun again is killed as well"""
PATIENCE_S = 600.0
"""for what is let finish"""


class Fault(Exception):
    """A promise that was not kept; its words say which."""


def child(work: Callable[[], object], log: Path, seconds: float | None = None) -> bool:
    """Does it in a child; kills that after so many seconds; says whether it had ended by then.

    Raises:
        Fault: it ended otherwise than well.
    """
    started = time.monotonic()
    process = os.fork()
    if process == 0:
        os.setsid()
        words = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(words, 1)
        os.dup2(words, 2)
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - told in the log
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    limit = PATIENCE_S if seconds is None else seconds
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            break
        if time.monotonic() - started >= limit:
            os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
            if seconds is None:
                raise Fault(f"not done within {PATIENCE_S:.0f} s")
            return False
        time.sleep(0.002)
    if status:
        lines = log.read_text(errors="replace").strip().splitlines() or ["nothing was said"]
        raise Fault(f"ended with status {status}: {lines[-1][:300]}")
    return True


def digest_of(output: Path, log: Path) -> str:
    """`digest` in a child: reading begins threads."""
    found = log.with_suffix(".digest")
    found.unlink(missing_ok=True)
    child(lambda: found.write_text(digest(output)), log)
    return found.read_text()


def files_of(folder: Path) -> list[str]:
    """Everything in it, by its path there."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def steps_told(told: Path) -> list[str]:
    """Lines that were written whole."""
    return told.read_text().split("\n")[:-1] if told.exists() else []


class Trial:
    """One job and its unbroken result.

    Args:
        job: what is done.
        material: what it is done with.
        work: an empty folder.
    """

    def __init__(self, job: Job, material: Path, work: Path):
        self.job, self.material, self.work, self.log = job, material, work, work / "log"
        self.temporary = work / "temporary"
        self.temporary.mkdir()
        whole = work / "whole"
        whole.mkdir()
        started = time.monotonic()
        self.begin(whole, work / "told-whole")
        self.seconds = time.monotonic() - started
        self.digest, self.files = digest_of(whole / job.output, self.log), files_of(whole)

    def begin(self, folder: Path, told: Path, seconds: float | None = None) -> bool:
        def work() -> None:
            tempfile.tempdir = str(self.temporary)
            saving_every_step(told)
            self.job.run(self.material, folder)

        return child(work, self.log, seconds)

    def chain(self, chance: random.Random, number: int, most: int) -> int:
        """Kills and begins again until the job is done; at most so many kills, which are counted.

        Raises:
            Fault: a promise was not kept.
        """
        folder, lives, kills = self.work / f"chain-{number}", 0, 0
        folder.mkdir()
        told = [self.work / f"told-{number}-0"]
        while kills < most and (kills == 0 or chance.random() < AGAIN):
            if self.begin(folder, told[-1], chance.uniform(0.0, self.seconds)):
                lives += 1
                if kills or lives == 10:
                    break
                shutil.rmtree(folder)  # it was quicker than the unbroken one
                folder.mkdir()
                told[-1].unlink(missing_ok=True)
                continue
            kills += 1
            self.check_output(folder)
            told.append(self.work / f"told-{number}-{kills}")
        self.begin(folder, told[-1])
        self.check_end(folder, told)
        shutil.rmtree(folder)
        return kills

    def check_output(self, folder: Path) -> None:
        """The output is the whole one, or not there."""
        output = folder / self.job.output
        if output.exists() and digest_of(output, self.log) != self.digest:
            raise Fault(f"{self.job.output} was there after a kill, and is another one")

    def check_end(self, folder: Path, told: Sequence[Path]) -> None:
        """Same bits, same files, no step twice, nothing temporary."""
        if digest_of(folder / self.job.output, self.log) != self.digest:
            raise Fault("the end differs from the unbroken one")
        lives = [set(steps_told(one)) for one in told]
        twice = [step for place, life in enumerate(lives) for step in life if any(step in old for old in lives[:place])]
        if twice:
            raise Fault(f"trained again although saved: {', '.join(sorted(twice)[:5])}")
        steps = set().union(*lives)
        missing = set(steps_told(self.work / "told-whole")) - steps
        if len(missing) > len(told) - 1:  # a kill may come between a checkpoint and the line that tells of it
            raise Fault(f"never trained: {', '.join(sorted(missing)[:5])}")
        sweep = files_of(folder)
        if sweep != self.files:
            more, fewer = set(sweep) - set(self.files), set(self.files) - set(sweep)
            raise Fault(f"other files than the unbroken: {sorted(more)[:5]} more, {sorted(fewer)[:5]} fewer")
        if left := files_of(self.temporary):
            raise Fault(f"left in the folder for temporary files: {left[:5]}")


def killed(job: Job, material: Path, work: Path, kills: int, seed: int) -> dict[str, Any]:
    """Deals out so many kills to a job; returns the row of the table."""
    chance = random.Random(f"{seed} {job.name}")
    trial = Trial(job, material, work)
    done, chains, faults = 0, 0, []
    while done < kills:
        chains += 1
        try:
            dealt = trial.chain(chance, chains, kills - done)
        except Fault as fault:
            faults.append({"chain": chains, "fault": str(fault)})
            dealt = 1
        done += dealt
        print(f"{job.name}: {done}/{kills} kills, {len(faults)} faults", file=sys.stderr, flush=True)
    return {
        "job": job.name,
        "kills": done,
        "finished": chains - len(faults),
        "faults": faults,
        "unbroken_seconds": round(trial.seconds, 2),
        "steps": len(set(steps_told(work / "told-whole"))),
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows for people."""
    lines = ["| job | unbroken | steps | kills | finished alike | faults |", "|---|---|---|---|---|---|"]
    for row in rows:
        lines.append(
            f"| {row['job']} | {row['unbroken_seconds']:.1f} s | {row['steps'] or '-'} | {row['kills']} | "
            f"{row['finished']} | {len(row['faults'])} |"
        )
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, metavar="N", help="of all jobs together")
    parser.add_argument("--only", nargs="+", choices=[job.name for job in JOBS], help="some jobs")
    parser.add_argument("--seed", type=int, default=0, help="another one gives other moments")
    parser.add_argument("--work", type=Path, help="an empty folder, kept; a temporary one when left out")
    parser.add_argument("--output", type=Path, metavar="results.json", help="write the figures to this file")
    args = parser.parse_args(words)
    jobs = [job for job in JOBS if args.only is None or job.name in args.only]
    if args.kills < len(jobs):
        parser.error(f"--kills is at least {len(jobs)}, one for each job")
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        work = args.work or Path(name)
        work.mkdir(parents=True, exist_ok=True)
        material = work / "material"
        material.mkdir(exist_ok=True)
        ready()
        child(lambda: make_material(material), work / "log")
        rows = []
        for place, job in enumerate(jobs):
            share = args.kills * (place + 1) // len(jobs) - args.kills * place // len(jobs)
            folder = work / str(place)
            folder.mkdir()
            rows.append(killed(job, material, folder, share, args.seed))
    if args.output is not None:
        write_json(args.output, {"seed": args.seed, "machine": machine("cpu"), "rows": rows})
    print(table(rows))
    for row in rows:
        for fault in row["faults"]:
            print(f"{row['job']}, chain {fault['chain']}: {fault['fault']}")
    return 1 if any(row["faults"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
