"""Processes that work through jobs: two at once, no clip tracked twice, one that dies tried again, none left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from understudy.base.machine import cores
from understudy.jobs import workers
from understudy.jobs.asked import Job
from understudy.jobs.checks import Checked
from understudy.jobs.workers import Here, environment, work_through

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")

# A child that does as the name of its actor says, and writes down when it has done what. No heavy imports: it is there
# at once.
CHILD = """
import json, os, signal, sys, time
asked = json.loads(sys.stdin.buffer.readline())
output, (what,) = asked["output"], asked["actors"]
def note(word):
    with open(asked["options"]["log"], "a") as stream:
        stream.write(f"{word} {os.path.basename(output)} {os.getpid()}\\n")
def say(kind, said):
    print(json.dumps({"kind": kind, "said": said}), flush=True)
note("begins")
if what == "never tracks":
    say("failed", {"reason": "nobody in it"})
    sys.exit()
while what == "waits for 3" and "begins 3" not in open(asked["options"]["log"]).read():
    time.sleep(0.02)
note("tracked")
say("tracked", None)
if what == "dies" or (what == "dies once" and not os.path.exists(output)):
    open(output, "w").close()
    os.kill(os.getpid(), signal.SIGKILL)
if what == "leaves":
    sys.exit(3)
if what == "waits":
    time.sleep(60)
if what == "fails":
    say("failed", {"reason": "no legs"})
else:
    say("done", {"files": {output: "whole"}})
note("ends")
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(workers, "_START", CHILD)
    return tmp_path / "log"


def jobs_of(log: Path, *asked: tuple[str, str]) -> list[Checked]:
    """Of (what the child does, its clip)."""
    return [
        Checked(
            job=Job(number, (Path(what),), Path("d"), log.parent / f"{number}.mp4", {"log": str(log)}),
            recipes=("limb-warp",),
            landmarks="wholebody",
            clip=clip,
            asked="",
        )
        for number, (what, clip) in enumerate(asked, 1)
    ]


class Told(list[tuple[int, str, str]]):
    """What has become of which job, and why."""

    def __call__(self, one: Checked, status: str, seconds: float, told: dict[str, Any]) -> None:
        self.append((one.job.number, status, told.get("reason", "")))

    @property
    def ends(self) -> list[tuple[int, str, str]]:
        return sorted(one for one in self if one[1] != "running")


def steps(log: Path) -> list[tuple[str, str]]:
    return [(word, name.removesuffix(".mp4")) for word, name, _ in map(str.split, log.read_text().splitlines())]


def test_one_worker_does_one_job_after_the_other(log: Path) -> None:
    told = Told()
    work_through(jobs_of(log, ("plays", ""), ("fails", ""), ("plays", "")), Here(1), told)
    assert told == [
        (1, "running", ""), (1, "done", ""), (2, "running", ""), (2, "failed", "no legs"),
        (3, "running", ""), (3, "done", ""),
    ]  # fmt: skip
    assert steps(log) == [(word, number) for number in "123" for word in ("begins", "tracked", "ends")]


def test_two_at_once_and_never_two_that_track_the_same(log: Path) -> None:
    told = Told()
    work_through(
        jobs_of(log, ("waits for 3", "dance"), ("plays", "dance"), ("plays", "walk"), ("plays", "")), Here(2), told
    )
    assert told.ends == [(number, "done", "") for number in (1, 2, 3, 4)]
    seen = steps(log)
    assert seen.index(("begins", "2")) > seen.index(("tracked", "1"))  # the same clip waits; another one does not
    assert min(seen.index(("begins", "2")), seen.index(("begins", "4"))) > min(
        seen.index(("ends", "1")), seen.index(("ends", "3"))
    )  # and never three


def test_what_cannot_be_tracked_is_tried_once_for_all_that_it_would_drive(log: Path) -> None:
    told = Told()
    work_through(jobs_of(log, ("never tracks", "empty"), ("plays", "empty"), ("plays", "walk")), Here(1), told)
    assert told.ends == [(1, "failed", "nobody in it"), (2, "failed", "nobody in it"), (3, "done", "")]
    assert ("begins", "2") not in steps(log)


@posix
def test_a_process_that_is_killed_is_tried_once_more_and_nothing_else_is_lost(
    log: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told = Told()
    work_through(jobs_of(log, ("dies once", ""), ("dies", ""), ("leaves", ""), ("plays", "")), Here(2), told)
    killed = "its process was ended by SIGKILL, as it is when memory runs out, 2 times"
    left = "its process ended without an answer (exit code 3), 2 times"
    assert told.ends == [(1, "done", ""), (2, "failed", killed), (3, "failed", left), (4, "done", "")]
    begun = [number for word, number in steps(log) if word == "begins"]
    assert {number: begun.count(number) for number in "1234"} == {"1": 2, "2": 2, "3": 2, "4": 1}
    assert "1.mp4: its process was ended by SIGKILL, as it is when memory runs out; it is tried once" in caplog.text


@posix
def test_ctrl_c_ends_every_process(log: Path) -> None:
    """In a process of its own: a Ctrl-C in this one would be for pytest."""
    program = (
        "import signal, sys\n"
        "from pathlib import Path\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "import test_workers as tests\n"
        "tests.workers._START = tests.CHILD\n"
        "jobs = tests.jobs_of(Path(sys.argv[2]), ('waits', 'a'), ('waits', 'b'), ('plays', ''))\n"
        "try: tests.work_through(jobs, tests.Here(2), tests.Told())\n"
        "except KeyboardInterrupt: print('interrupted')\n"
    )
    asked = [sys.executable, "-c", program, str(Path(__file__).parent), str(log)]
    ours = subprocess.Popen(asked, stdout=subprocess.PIPE, text=True)
    while not log.exists() or log.read_text().count("tracked") < 2:
        assert ours.poll() is None
        time.sleep(0.02)
    ours.send_signal(signal.SIGINT)
    said, _ = ours.communicate(timeout=60)
    assert said == "interrupted\n"
    children = [int(line.split()[2]) for line in log.read_text().splitlines() if line.startswith("begins")]
    assert len(children) == 2
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


@posix
def test_no_process_outlives_one_that_was_killed(tmp_path: Path) -> None:
    """The real child, which waits for its parent in a thread."""
    program = (
        "import os, subprocess, sys, time\n"
        "code = 'import os, threading, time\\n'\n"
        "code += 'from understudy.base.telling import leave_with_parent\\n'\n"
        "code += 'threading.Thread(target=leave_with_parent, daemon=True).start(); time.sleep(60)'\n"
        "child = subprocess.Popen([sys.executable, '-c', code], stdin=subprocess.PIPE, start_new_session=True)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    os.kill(child, 0)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for _ in range(500):
        state = Path(f"/proc/{child}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] in "ZX":
            return
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    pytest.fail("it lives")


def test_each_has_its_share_of_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    assert "OMP_NUM_THREADS" not in environment(1)  # as many as there are, fewer while others are busy
    assert environment(cores())["OMP_NUM_THREADS"] == environment(10_000)["OMP_NUM_THREADS"] == "1"
    assert environment(1)["OMP_WAIT_POLICY"] == "passive"
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert environment(2)["OMP_NUM_THREADS"] == "7"
    assert environment(2, 3)["OMP_NUM_THREADS"] == environment(1, 3)["MKL_NUM_THREADS"] == "3"


def test_no_module_of_the_current_folder_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(5)\n")
    monkeypatch.chdir(tmp_path)
    path = json.dumps([one for one in sys.path if one])
    command = [sys.executable, "-I", "-c", workers._START.replace("serve()", "print(serve.__name__)"), path]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "serve\n"
