"""What else goes wrong on people's machines, done to the commands themselves: is it a line, and nothing half-written?

    python benchmarks/troubles.py --output mine.json
    python benchmarks/troubles.py --only "disk full" memory --commands perform

Each command is first run whole. Then with a disk that is full after a share of what that wrote, a read-only folder, a
limit on the size of files, limits on memory, a clock that is set back, a second process that writes the same, NaN in
the weights, and without a network. It ends well, with what the whole one made, or with exit code 2, one line that
begins with "error:", and no output. Anything else is a fault: another exit code, a traceback, something half-written.

Limits on memory lie between what the libraries take before there is work and what the whole command took: a process
that cannot load its libraries is ended by them.

Disks and networks are those of a namespace (`unshare`, Linux, as root or where users may); where that is
not to be had, their rows are left out, and the table says so.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import one_thread  # noqa: F401 - before whatever would begin threads
from kills import digest_of
from kills_jobs import make_material
from understudy.base.files import write_json
from understudy.base.machine import machine

OURS = re.compile(r"\..+\.\d+-[0-9a-f]{8}\.(part|old)(\.[^.]*)?")
"""names of what is half-written"""
SHARES = (0.02, 0.2, 0.4, 0.6, 0.8, 0.95)
"""of what the whole command wrote, that a disk has room for"""
FILE_KIB = (1, 16, 64)
"""largest files that may be written"""
DATA = (0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0)
"""limits on data in memory (RLIMIT_DATA): shares of what work takes beyond what loaded libraries take"""
LOADED = "import kills_jobs; kills_jobs.ready(); print(open('/proc/self/status').read())"
POLL_S = 0.01
"""between two looks at a process's memory"""
BACK = {"a day back, while it runs": (86_400, 2.0), "400 days back, from the start": (400 * 86_400, 0.0)}
"""seconds that the clock is set back, and from when on"""
TRAIN = (
    *("--recipe", "pix2pix", "--preset", "preview", "--max-steps", "4", "--device", "cpu"),
    *("--consent", "it is made up"),
    *("--set", "size=32", "--set", "width=4", "--set", "depth=3"),
    *("--set", "discriminator_width=4", "--set", "optimisation.batch=2"),
)
POISON = """
import functools, sys
from understudy.training import loop
loop.CHECKPOINT_COST, loop.run = 0.0, functools.partial(loop.run, checkpoint_seconds=0.0)
own = loop._Loop.step
def step(self, last):
    if self.at.step {when} {number}:
        with loop.torch.no_grad():
            next(iter(self.trainee.networks[self.trainee.shown].parameters())).fill_(float("nan"))
        {after}
    own(self, last)
loop._Loop.step = step
from understudy.cli.main import main
main(sys.argv[1:])
"""
"""the program, with a checkpoint behind each step, and NaN in the weights before some step"""


@dataclass(frozen=True)
class Command:
    """What a user types; `words` takes the material and the folder of outputs."""

    name: str
    words: Callable[[Path, Path], list[str]]
    output: str


COMMANDS = (
    Command(
        "track", lambda given, out: ["track", f"{given}/me.mp4", "--output", f"{out}/me.performance"], "me.performance"
    ),
    Command(
        "train",
        lambda given, out: ["train", "--reference", f"{given}/me.performance", "--output", f"{out}/me.actor", *TRAIN],
        "me.actor",
    ),
    Command("perform", lambda given, out: _perform(given, out / "out.mp4"), "out.mp4"),
    Command(
        "perform, pictures",
        lambda given, out: [*_perform(given, out / "frames"), "--background", "transparent"],
        "frames",
    ),
)


def _perform(given: Path, output: Path) -> list[str]:
    driving = ["--driving", f"{given}/other.performance"]
    return ["perform", "--actor", f"{given}/me.actor", *driving, "--output", str(output)]


@dataclass(frozen=True)
class Whole:
    """What came of a command that nothing troubled."""

    digest: str
    wrote: int
    """bytes"""
    data: int
    """bytes of data in memory, at most"""


def data_of(status: str) -> int:
    """Bytes of data, from what the system tells of a process."""
    found = re.search(r"VmData:\s+(\d+) kB", status)
    return 1024 * int(found[1]) if found else 0


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    said: str


class Trials:
    """Runs commands in circumstances.

    Args:
        given: the material.
        work: an empty folder.
    """

    def __init__(self, given: Path, work: Path):
        self.given, self.work, self.number = given, work, 0
        self.environment = os.environ | {"UNDERSTUDY_CONFIG": str(work / "config")}
        self.whole: dict[str, Whole] = {}
        """of each command"""

    @cached_property
    def loaded(self) -> int:
        """Bytes of data when all libraries are loaded."""
        here = {"cwd": Path(__file__).parent, "env": self.environment}
        told = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, **here)
        return data_of(told.stdout)

    def folder(self) -> Path:
        self.number += 1
        folder = self.work / str(self.number)
        folder.mkdir()
        return folder

    def begin(
        self,
        words: Sequence[str],
        before: Sequence[str] = (),
        program: Sequence[str] = ("-m", "understudy"),
        **more: str,
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*before, sys.executable, *program, *words],
            env=self.environment | more,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )

    def run(self, *words: Any, **options: Any) -> Ended:
        process = self.begin(*words, **options)
        said, _ = process.communicate()
        return Ended(process.returncode, said)

    def first(self, command: Command) -> None:
        """The whole one, with which all others are compared."""
        folder = self.folder()
        process, most = self.begin(command.words(self.given, folder)), 0
        while process.poll() is None:
            with suppress(OSError):
                most = max(most, data_of(Path(f"/proc/{process.pid}/status").read_text()))
            time.sleep(POLL_S)
        if process.returncode:
            raise SystemExit(f"{command.name} does not even work untroubled: {process.communicate()[0][-500:]}")
        wrote = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        self.whole[command.name] = Whole(self.digest(command, folder), wrote, most)

    def digest(self, command: Command, folder: Path) -> str:
        return digest_of(folder / command.output, self.work / "log")

    def judged(self, command: Command, ended: Ended, folder: Path, trouble: str) -> dict[str, Any]:
        """One row: what came of it, and the fault if it is one."""
        left = [path for path in folder.rglob("*") if OURS.fullmatch(path.name)]
        errors = [line for line in ended.said.splitlines() if line.startswith("error:")]
        output, fault = folder / command.output, ""
        if ended.code not in (0, 2):
            fault = f"exit code {ended.code}"
        elif "Traceback" in ended.said:
            fault = "a traceback"
        elif left:
            fault = f"left behind: {left[0].name}"
        elif ended.code == 2 and len(errors) != 1:
            fault = f"{len(errors)} lines of error"
        elif ended.code == 2 and output.exists():
            fault = "an output although it failed"
        elif ended.code == 0 and not output.exists():
            fault = "no output although it ended well"
        elif ended.code == 0 and not trouble.startswith("NaN"):
            same = self.digest(command, folder) == self.whole[command.name].digest
            fault = "" if same else "another output than without the trouble"
        row = {"trouble": trouble, "command": command.name, "code": ended.code, "error": (errors or [""])[0]}
        if fault:
            row |= {"fault": fault, "said": "\n".join(ended.said.splitlines()[-12:])}
        return row


def disk_full(trials: Trials, command: Command) -> Iterator[dict[str, Any]]:
    for share in SHARES:
        size = max(4096, round(share * trials.whole[command.name].wrote))
        yield mounted(trials, command, f"size={size}", "", f"disk full at {share:.0%}")


def read_only(trials: Trials, command: Command) -> Iterator[dict[str, Any]]:
    yield mounted(trials, command, "size=1m", "mount -o remount,ro {out} && ", "read-only folder")


def mounted(trials: Trials, command: Command, options: str, then: str, trouble: str) -> dict[str, Any]:
    """In a namespace with a disk of its own, whose content is copied out of it before it is gone."""
    folder, seen = trials.folder(), trials.folder()
    script = (
        f"mount -t tmpfs -o {options} none {folder} && {then.format(out=folder)}"
        f'"$@"; code=$?; cp -a {folder}/. {seen}/; exit $code'
    )
    ended = trials.run(command.words(trials.given, folder), (*namespace("--mount"), "sh", "-c", script, "sh"))
    return trials.judged(command, ended, seen, trouble)


def file_limit(trials: Trials, command: Command) -> Iterator[dict[str, Any]]:
    for kib in FILE_KIB:
        yield limited(trials, command, f"ulimit -f {kib * 2}", f"files of at most {kib} KiB")  # counted in 512 bytes


def memory(trials: Trials, command: Command) -> Iterator[dict[str, Any]]:
    loaded, most = trials.loaded, trials.whole[command.name].data
    for share in DATA:
        limit = loaded + share * (most - loaded)
        yield limited(trials, command, f"ulimit -d {limit / 1024:.0f}", f"memory of {limit / 2**20:.0f} MiB")


def limited(trials: Trials, command: Command, limit: str, trouble: str) -> dict[str, Any]:
    folder = trials.folder()
    ended = trials.run(command.words(trials.given, folder), ("sh", "-c", f'{limit} && exec "$@"', "sh"))
    return trials.judged(command, ended, folder, trouble)


def clock(trials: Trials, command: Command, library: Path) -> Iterator[dict[str, Any]]:
    for trouble, (back, after) in BACK.items():
        folder = trials.folder()
        ended = trials.run(
            command.words(trials.given, folder), LD_PRELOAD=str(library), BACK=str(back), AFTER=str(after)
        )
        row = trials.judged(command, ended, folder, f"clock {trouble}")
        if command.output in ("out.mp4", "frames") and row["code"] == 0 and "fault" not in row:
            verified = trials.run(["verify", str(folder / command.output)])
            if verified.code:
                row |= {"fault": "verify finds fault with it", "said": verified.said[:1500]}
        yield row


def two_writers(trials: Trials, command: Command) -> Iterator[dict[str, Any]]:
    folder = trials.folder()
    both = [trials.begin(command.words(trials.given, folder)) for _ in range(2)]
    ended = sorted(
        (Ended(one.wait(), said) for one in both for said in [one.communicate()[0]]), key=lambda one: one.code
    )
    row = trials.judged(command, ended[0], folder, "two writers")
    second = [line for line in ended[1].said.splitlines() if line.startswith("error:")]
    row["error"] = (second or [""])[0]
    if "fault" not in row and (ended[1].code not in (0, 2) or len(second) != ended[1].code / 2):
        row |= {"fault": f"the other ended with {ended[1].code}", "said": ended[1].said[-1500:]}
    yield row


def nan(trials: Trials, command: Command) -> Iterator[dict[str, Any]]:
    if command.name != "train":
        return
    once = POISON.format(when="==", number=2, after="loop._Loop.step = type(self).step = own")
    always = POISON.format(when=">=", number=2, after="pass")
    for name, program, code in (
        ("NaN in the weights once", once, 0),
        ("NaN in the weights again and again", always, 2),
    ):
        folder = trials.folder()
        ended = trials.run(command.words(trials.given, folder), program=("-c", program))
        row = trials.judged(command, ended, folder, name)
        if ended.code != code and "fault" not in row:
            row |= {"fault": f"exit code {ended.code}, not {code}", "said": ended.said[-1500:]}
        yield row


def no_network(trials: Trials, command: Command) -> Iterator[dict[str, Any]]:
    folder = trials.folder()
    ended = trials.run(command.words(trials.given, folder), namespace("--net"))
    row = trials.judged(command, ended, folder, "no network")
    if ended.code and "fault" not in row:
        row |= {"fault": "it needs a network", "said": ended.said[-1500:]}
    yield row


def namespace(kind: str) -> tuple[str, ...]:
    """Words before a command that give it a namespace; root needs no further one."""
    return ("unshare", kind) if os.geteuid() == 0 else ("unshare", "--map-root-user", kind)


def can(kind: str) -> bool:
    """Whether this machine gives such namespaces to whoever runs this."""
    try:
        return subprocess.run([*namespace(kind), "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def troubles(work: Path) -> dict[str, Callable[[Trials, Command], Iterator[dict[str, Any]]] | None]:
    """By name; None cannot be had here."""
    library = work / "set_back.so"
    written = Path(__file__).parent / "clock" / "set_back.c"
    try:
        compiled = (
            subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, written], check=False).returncode == 0
        )
    except OSError:
        compiled = False
    return {
        "disk full": disk_full if can("--mount") else None,
        "read-only": read_only if can("--mount") else None,
        "file limit": file_limit,
        "memory": memory,
        "clock": partial(clock, library=library) if compiled else None,
        "two writers": two_writers,
        "NaN": nan,
        "no network": no_network if can("--net") else None,
    }


NAMES = ("disk full", "read-only", "file limit", "memory", "clock", "two writers", "NaN", "no network")


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows for people: of each trouble and command how often it was a line, and how often it ended well."""
    lines = ["| trouble | command | runs | refused in a line | ended whole | faults |", "|---|---|---|---|---|---|"]
    for trouble, command in dict.fromkeys((row["group"], row["command"]) for row in rows):
        some = [row for row in rows if (row["group"], row["command"]) == (trouble, command)]
        faults = sum("fault" in row for row in some)
        refused = sum(row["code"] == 2 and "fault" not in row for row in some)
        lines.append(f"| {trouble} | {command} | {len(some)} | {refused} | {len(some) - refused - faults} | {faults} |")
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=list(NAMES), help="some troubles")
    names = [command.name for command in COMMANDS]
    parser.add_argument("--commands", nargs="+", choices=names, default=names, help="some commands")
    parser.add_argument("--output", type=Path, metavar="results.json", help="write the figures to this file")
    args = parser.parse_args(words)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="troubles-") as name:
        work = Path(name)
        given = work / "given"
        given.mkdir()
        make_material(given)
        trials, known = Trials(given, work), troubles(work)
        for command in COMMANDS:
            if command.name not in args.commands:
                continue
            trials.first(command)
            for group in args.only:
                tried = known[group]
                for row in () if tried is None else tried(trials, command):
                    rows.append({"group": group} | row)
                    print(
                        f"{row['trouble']}, {command.name}: {row.get('fault') or row['error'] or 'whole'}", flush=True
                    )
    if args.output is not None:
        write_json(args.output, {"machine": machine("cpu"), "not_tried": missing(known, args.only), "rows": rows})
    print(table(rows))
    for group in missing(known, args.only):
        print(f"{group}: not tried, this machine does not let us")
    return 1 if any("fault" in row for row in rows) else 0


def missing(known: dict[str, Any], asked: Sequence[str]) -> list[str]:
    """Troubles that were asked for and cannot be had here."""
    return [name for name in asked if known[name] is None]


if __name__ == "__main__":
    sys.exit(main())
