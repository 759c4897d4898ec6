"""The benchmark of kills sees what it looks for: planted jobs that break one promise each, and one that keeps all."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

PLANTED = """
import json, os, sys, time
from pathlib import Path
import kills
from kills_jobs import Job

told = None

def saving_every_step(path):
    global told
    told = path

def whole(folder, content):
    part = folder / "new"
    part.write_text(content)
    os.replace(part, folder / "out")

def run(what, material, folder):
    steps = folder / "steps"
    done = int(steps.read_text()) if steps.exists() and what != "twice" else 0
    if what == "no resume" and steps.exists():
        raise SystemExit(3)
    if what == "half":
        (folder / "out").write_text("a ha")
    if what == "leaves":
        (folder / f".out.{os.getpid()}-0123abcd.part").write_text("half")
    for step in range(done, 8):
        time.sleep(0.02)
        with told.open("a") as stream:
            stream.write(f"run {step}\\n")
        (folder / "next").write_text(str(step + 1))
        os.replace(folder / "next", steps)
    if what == "leaves":
        (folder / f".out.{os.getpid()}-0123abcd.part").unlink()
    if what == "other":
        (folder / "more").write_text("of it")
    whole(folder, f"by {os.getpid()}" if what == "differs" else "all of it")

kills.saving_every_step = saving_every_step
kills.digest = lambda output: output.read_text()
what, work = sys.argv[1], Path(sys.argv[2])
job = Job(what, lambda material, folder: run(what, material, folder), "out")
print(json.dumps(kills.killed(job, work, work, 6, 0)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
@pytest.mark.parametrize(
    ("what", "fault"),
    [
        ("keeps all", None),
        ("half", "out was there after a kill, and is another one"),
        ("differs", "the end differs from the unbroken one"),
        ("twice", "trained again although saved: run 0"),
        ("leaves", "other files than the unbroken"),
        ("no resume", "ended with status 256"),
    ],
)
def test_a_promise_that_is_not_kept_is_seen(tmp_path, what, fault):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(BENCHMARKS), *sys.path])}
    ended = subprocess.run(
        [sys.executable, "-c", PLANTED, what, str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    row = json.loads(ended.stdout)
    assert row["kills"] == 6 and row["steps"] == 8
    if fault is None:
        assert row["faults"] == [] and row["finished"] > 0
    else:
        assert any(one["fault"].startswith(fault) for one in row["faults"]), row
