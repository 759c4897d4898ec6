"""All of it, with real processes on small actors: what is made, what stays, what fails, and what a kill leaves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jobs_folder import filled
from PIL import Image

import one_process
from clips import write_clip
from tiny import tiny_performance
from tiny_actor import tiny_actor
from understudy.base.files import locked
from understudy.cli import main as cli
from understudy.errors import MediaError, UnderstudyError, UsageError
from understudy.jobs import checks, one, workers
from understudy.jobs.asked import Job, every_pair
from understudy.jobs.batch import batch
from understudy.jobs.checks import checked
from understudy.media.reading import VideoReader
from understudy.performance import Crop, Performance, PerformanceWriter
from understudy.verbs.perform import perform

HIPS = slice(11, 13)
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes as Linux lists them")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two actors and two drivers, and the program in it."""
    monkeypatch.chdir(filled(tmp_path))
    return tmp_path


def legless(path: Path) -> None:
    """A performance that can be read, and can drive nobody: nobody's hips were found in any frame."""
    made = tiny_performance(path, 3, frames=6)
    made.poses.confidence[:, HIPS] = 0
    with PerformanceWriter(path, made.fps) as writer:
        for frame, matte in zip(made.frames(), made.mattes(), strict=True):
            writer.add(frame, matte, np.zeros((8, 8, 2), np.float32))
        writer.finish(
            poses=made.poses, status=made.status, background=made.background(), source_name="legless.mp4",
            source_sha256="0" * 64, crop=Crop(1.0, (0.0, 0.0)), tracker="drawn", tracker_version="1",
            landmarks="body", matte="drawn", smoothed=False,
        )  # fmt: skip


def stated(folder: Path) -> dict[str, str]:
    jobs = json.loads((folder / "batch.json").read_text())["jobs"]
    return {name: job["status"] for name, job in jobs.items()}


def identity(path: Path) -> tuple[int, int]:
    """Another one when it was written again."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


def test_good_jobs_are_made_beside_one_that_fails_and_the_next_run_does_what_is_missing(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    legless(here / "legless.performance")
    words = "batch --actors me.actor anna.actor --drivings dance.performance legless.performance --output-folder out"

    def run(more: str = "") -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            cli.main([*words.split(), *more.split()])
        return int(left.value.code or 0), *capsys.readouterr()

    code, said, notes = run("--workers 2")
    assert code == 1
    good = [f"{who}_by_dance.mp4" for who in ("me", "anna")]
    bad = [f"{who}_by_legless.mp4" for who in ("me", "anna")]
    assert stated(here / "out") == dict.fromkeys(good, "done") | dict.fromkeys(bad, "failed")
    assert sorted(path.name for path in (here / "out").iterdir()) == sorted([*good, "batch.json", ".lock"])
    for name in good:
        with VideoReader(here / "out" / name) as frames:
            assert len(list(frames)) == 6
    lines = said.splitlines()
    assert [line.split(": failed: ")[0] for line in lines[:-1]] == bad and "shoulders and both hips" in lines[0]
    assert lines[-1] == "batch: out (2 made, 2 failed; batch.json says which)"
    ends = [line for line in notes.splitlines() if " of 4: " in line]
    assert len(ends) == 4 and all(" left" in line for line in ends[:-1]) and " left" not in ends[-1]
    record = json.loads((here / "out" / "batch.json").read_text())["jobs"]
    assert record[good[0]]["seconds"] > 0 and record[bad[0]]["seconds"] > 0
    assert "both hips" in record[bad[0]]["reason"] and "traceback" not in record[bad[0]]

    monkeypatch.setattr(workers, "Here", one_process.Here)  # what is missing does not hang on who makes it
    before = {name: identity(here / "out" / name) for name in good}
    tiny_performance(here / "legless.performance", 3, frames=6)  # somebody has filmed it again
    tiny_actor(reference_name="other.mp4").save(here / "anna.actor")
    code, said, notes = run()
    assert code == 0 and said == "batch: out (3 made, 1 there before; batch.json says which)\n"
    assert "1 of 4 are there, whole and of the same: they stay" in notes
    assert identity(here / "out" / good[0]) == before[good[0]]  # neither its actor nor its driver has changed
    assert identity(here / "out" / good[1]) != before[good[1]]
    assert set(stated(here / "out").values()) == {"done"}


def test_a_job_makes_what_perform_makes_with_its_options(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {
        "background": "#102030",
        "compare": True,
        "fit": "whole",
        "marks": False,
        "label": "corner",
    }
    perform("me.actor", "dance.performance", "alone.mp4", **options)
    perform(["me.actor", "anna.actor"], "walk.performance", "both.mp4", layout="stage", marks=False)
    jobs: list[dict[str, Any]] = [
        {"actor": "me.actor", "driving": "dance.performance", "output": "one.mp4", **options},
        {"actor": ["me.actor", "anna.actor"], "driving": "walk.performance", "layout": "stage", "marks": False},
    ]
    Path("night.json").write_text(json.dumps({"jobs": jobs}))
    result = batch("night.json")
    assert result.made == (Path("night/one.mp4"), Path("night/me_and_anna_by_walk.mp4"))
    assert (result.kept, result.failed, result.record) == ((), {}, Path("night/batch.json"))
    for made, alone in (
        ("one.mp4", "alone.mp4"),
        ("one.compare.mp4", "alone.compare.mp4"),
        ("one.normalization.png", "alone.normalization.png"),
        ("me_and_anna_by_walk.mp4", "both.mp4"),
    ):
        assert (here / "night" / made).read_bytes() == (here / alone).read_bytes(), made

    # one that was damaged is made again, and so is one of other options; the other stays
    monkeypatch.setattr(workers, "Here", one_process.Here)
    stays = identity(Path("night/me_and_anna_by_walk.mp4"))
    for change in ("damage", "option"):
        if change == "damage":
            with Path("night/one.compare.mp4").open("r+b") as stream:
                stream.write(b"\0" * 100)
        else:
            jobs[0]["label"] = "none"
            Path("night.json").write_text(json.dumps({"jobs": jobs}))
        again = batch("night.json")
        assert (again.made, again.kept) == ((result.made[0],), (result.made[1],)), change
    assert identity(Path("night/me_and_anna_by_walk.mp4")) == stays
    # the same by other names is the same
    os.rename("me.actor", "moved.actor")
    os.rename("dance.performance", "moved.performance")
    jobs[0] |= {"actor": "moved.actor", "driving": "moved.performance"}
    jobs[1]["actor"][0] = "moved.actor"
    jobs[1]["output"] = "me_and_anna_by_walk.mp4"
    Path("night.json").write_text(json.dumps({"jobs": jobs}))
    assert batch("night.json").kept == result.made


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "background": ({"background": "purpleish"}, "`background='purpleish'` is neither"),
    "fit": ({"fit": "big"}, "`fit='big'`"),
    "layout": ({"layout": "tower"}, "`layout='tower'`"),
    "normalization": ({"normalization": "magic"}, "`normalization='magic'`"),
    "device": ({"device": "tpu"}, "`device='tpu'`"),
    "driving_start": ({"driving_start": 1.0}, "`driving_start` is for a video"),
    "no actor": ({"actor": "no.actor"}, "there is no actor"),
    "no driver": ({"driving": "no.mp4"}, "there is no video or performance"),
    "a text": ({"driving": "text.mp4"}, "is a text file"),
    "container": ({"output": "out.avi"}, "cannot write a video as"),
    "a key alone": ({"sign_key": "k.pem"}, "sign_cert"),
    "too long": ({"output": "x" * 250 + ".mp4"}, "is too long"),
}


DUO = {"actor": None, "driving": "duo.mp4", "assign": {"left": "me.actor", "right": "anna.actor"}}
PHOTO = {"actor": None, "person": "photo.png", "consent": "It is me"}
WRONG |= {
    "assign one tracked": ({**DUO, "driving": "dance.performance"}, "`assign` needs a video with several people"),
    "no such side": ({**DUO, "assign": {"up": "me.actor"}}, "'up'"),
    "a region of several": ({**DUO, "driving_region": [0, 0, 9, 9]}, "`driving_region` is of one person"),
    "a stage of several": ({**DUO, "layout": "stage"}, "leave `layout` out"),
    "fit of several": ({**DUO, "fit": "whole"}, "`fit` frames one performer"),
    "no assigned actor": ({**DUO, "assign": {"left": "no.actor"}}, "there is no actor"),
    "nobody agreed": ({**PHOTO, "consent": " "}, "onsent"),
    "agreement is not there": ({"actor": None, "person": "photo.png"}, '"consent" is missing'),
    "no photograph": ({**PHOTO, "person": "no.jpg"}, "there is no video or performance"),
    "motion for a person": ({**PHOTO, "person": "walk.bvh"}, "is motion alone, and shows nobody"),
    "no model": ({**PHOTO, "model": "no.freestyle"}, "no.freestyle"),
    "inpainter of a clip": ({**PHOTO, "person": "duo.mp4", "inpainter": "patches"}, "`inpainter` is for photographs"),
}


@pytest.mark.parametrize("name", WRONG)
def test_everything_is_looked_at_before_the_first_job_begins(here: Path, name: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("understudy.jobs.workers.work_through", lambda *_: pytest.fail("begun"))
    (here / "text.mp4").write_text("this is no video at all, but words\n" * 40)
    write_clip(here / "duo.mp4", 30)
    Image.new("RGB", (64, 96), (9, 90, 60)).save("photo.png")
    (here / "walk.bvh").write_text("HIERARCHY\nROOT Hips\n")
    change, said = WRONG[name]
    good = {"actor": "me.actor", "driving": "dance.performance", "output": "good.mp4"}
    wrong = {name: value for name, value in {**good, "output": "wrong.mp4", **change}.items() if value is not None}
    Path("jobs.json").write_text(json.dumps({"jobs": [good, wrong]}))
    with pytest.raises(UnderstudyError, match=r"^job 2 \(.*\): .*") as told:
        batch("jobs.json")
    assert said in str(told.value)
    assert not (here / "jobs").exists()


def test_a_video_that_is_asked_for_in_parts_is_looked_at(here: Path) -> None:
    write_clip(here / "dance.mp4", 30)
    for part, said in (({"driving_start": 9.0}, "9"), ({"driving_region": [0, 0, 9000, 50]}, "is not inside")):
        job = {"actor": "me.actor", "driving": "dance.mp4", **part}
        Path("jobs.json").write_text(json.dumps({"jobs": [job]}))
        with pytest.raises((UsageError, MediaError), match=f"job 1 .*{said}"):
            batch("jobs.json")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "add `output_folder='out'`"),
        ({"jobs": "jobs.json", "actors": ["me.actor"]}, "leave out `actors` and `drivings`"),
        ({"output_folder": "out", "workers": 0}, "`workers` must be at least 1, not 0"),
        ({"output_folder": "me.actor", "actors": ["me.actor"], "drivings": ["dance.performance"]}, "is a file"),
        ({"output_folder": "other", "actors": ["me.actor"], "drivings": ["dance.performance"]}, "batch.json is not wh"),
        ({"output_folder": "odd", "actors": ["me.actor"], "drivings": ["dance.performance"]}, "batch.json is not wh"),
    ],
)
def test_arguments_that_make_no_sense(here: Path, asked: dict[str, Any], said: str) -> None:
    for folder, content in (("other", {"of": "others"}), ("odd", {"batch": 1, "jobs": {"a": {}}, "earlier": {}})):
        (here / folder).mkdir()
        (here / folder / "batch.json").write_text(json.dumps(content))
    with pytest.raises(UsageError, match=said):
        batch(**asked)


def test_no_job_writes_over_what_another_is_made_from(here: Path) -> None:
    (here / "out").mkdir()
    (here / "out" / "me_by_dance.mp4").symlink_to(here / "anna.actor")
    with pytest.raises(UsageError, match=r"job 1 .*would overwrite what it is made from"):
        checked(every_pair(["me.actor", "anna.actor"], ["dance.performance"], Path("out")))


def test_two_at_one_folder(here: Path) -> None:
    with locked(here / "out"), pytest.raises(UsageError, match=r"another run is writing to out: .*`output_folder`"):
        batch(actors=["me.actor"], drivings=["dance.performance"], output_folder="out")


# -- tracking ----------------------------------------------------------------------------------------------------


def test_a_clip_is_tracked_with_what_all_its_actors_want_and_shown_to_each_as_it_would_be_alone(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "dance.mp4").write_bytes(b"")
    monkeypatch.setattr(checks._Looked, "_driving", staticmethod(lambda path: None))
    recipes = {"me.actor": "performance-cloning", "anna.actor": "limb-warp"}
    monkeypatch.setattr(checks._Looked, "_actor", staticmethod(lambda path: (recipes[path.name], False)))
    ready = checked(every_pair(list(recipes), ["dance.mp4", "walk.performance"], here / "out"))
    assert [found.landmarks for found in ready] == ["wholebody"] * 4
    assert [bool(found.clip) for found in ready] == [True, True, False, False]  # what is tracked already waits for none
    assert ready[0].clip == ready[1].clip and len({found.asked for found in ready}) == 4
    (alone,) = checked(every_pair(["me.actor"], ["dance.mp4"], here / "out"))
    assert alone.landmarks == "body"

    asked: list[Any] = []
    whole = Performance.load(here / "dance.performance")
    whole.header = replace(whole.header, landmarks="wholebody")
    whole.poses.confidence[:] = 1

    def driver_of(clip: Path, **how: Any) -> Performance:
        asked.append(how)
        return whole

    monkeypatch.setattr("understudy.synthetic.drivers.driver_of", driver_of)
    fingers = []
    monkeypatch.setattr(
        "understudy.verbs.perform.perform",
        lambda actors, driving, output, **_: fingers.append(bool(driving.poses.confidence[:, 23:].any())),
    )
    for found in ready[:2]:
        one.do(found.job, found.recipes, found.landmarks)
    assert asked == [{"landmarks": "wholebody"}] * 2 and fingers == [False, True]


def test_parts_of_a_clip_are_tracked_apart(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "dance.mp4").write_bytes(b"")
    monkeypatch.setattr(checks._Looked, "_driving", staticmethod(lambda path: None))
    monkeypatch.setattr(checks, "_check_part", lambda *_: None)
    jobs = [
        Job(number, (Path("me.actor"),), Path("dance.mp4"), here / f"{number}.mp4", options)
        for number, options in enumerate(({"driving_start": 1.0}, {"driving_start": 2.0}, {"driving_start": 1.0}), 1)
    ]
    clips = [found.clip for found in checked(jobs)]
    assert clips[0] == clips[2] != clips[1]


# -- kills -------------------------------------------------------------------------------------------------------


def until(seen: Any, seconds: float = 120) -> None:
    late = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < late, "it never came so far"
        time.sleep(0.02)


def processes_of(folder: Path) -> list[int]:
    """Those that have been told of `folder` in their current folder, but for this one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve() == folder.resolve() and int(process.name) != os.getpid():
                found.append(int(process.name))
        except OSError:
            continue
    return found


@linux
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_is_killed_goes_on_and_leaves_nothing_half(here: Path, number: signal.Signals) -> None:
    tiny_performance(here / "walk.performance", 2, frames=1000)  # long enough to be killed at it
    words = "batch --actors me.actor --drivings dance.performance walk.performance --output-folder out"
    command = [sys.executable, "-m", "understudy", *words.split()]
    first, second = here / "out" / "me_by_dance.mp4", here / "out" / "me_by_walk.mp4"
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: list((here / "out").glob(".me_by_walk.mp4.*.part.mp4")))
        before = identity(first)
        process.send_signal(number)
        _, notes = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)
    until(lambda: not processes_of(here), 20)
    assert not second.exists()
    expected = {first.name: "done", second.name: "running" if number == signal.SIGKILL else "waiting"}
    assert stated(here / "out") == expected
    if number != signal.SIGKILL:
        assert "the same command goes on from here" in notes and "Traceback" not in notes
        assert not list((here / "out").glob(".*.part*"))

    tiny_performance(here / "short.performance", 2, frames=6)
    shutil.rmtree(here / "walk.performance")
    os.rename(here / "short.performance", here / "walk.performance")
    assert subprocess.run(command, capture_output=True).returncode == 0
    assert identity(first) == before and stated(here / "out") == {first.name: "done", second.name: "done"}
    assert not list((here / "out").glob(".*.part*"))


@linux
def test_a_worker_that_is_killed_is_begun_once_more(here: Path) -> None:
    words = "batch --actors me.actor --drivings dance.performance --output-folder out"
    process = subprocess.Popen([sys.executable, "-m", "understudy", *words.split()], stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: set(processes_of(here)) - {process.pid})
        (child,) = set(processes_of(here)) - {process.pid}
        os.kill(child, signal.SIGKILL)
        _, notes = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0
    assert "me_by_dance.mp4: its process was ended by SIGKILL, as it is when memory runs out; it is tried once" in notes
    assert stated(here / "out") == {"me_by_dance.mp4": "done"} and (here / "out" / "me_by_dance.mp4").exists()
