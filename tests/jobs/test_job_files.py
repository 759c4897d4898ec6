"""What a file of jobs may say, what everything is called, and the one line that anything else costs."""

from __future__ import annotations

import hashlib
import inspect
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from understudy.errors import UnderstudyError, UsageError
from understudy.jobs.asked import OF_PEOPLE, OPTIONS, Job, check_names, every_pair, files_of, jobs_of_file
from understudy.jobs.child import as_asked, job_of
from understudy.jobs.one import do
from understudy.verbs.perform import perform
from understudy.verbs.reenact import reenact

JOB = {"actor": "me.actor", "driving": "dance.mp4"}


def of_file(tmp_path: Path, content: str, name: str = "jobs.json") -> list[Job]:
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    return jobs_of_file(file, None)[0]


def test_a_job_may_have_every_option_of_perform() -> None:
    elsewhere = {"actor", "driving", "output"}
    assert OPTIONS.keys() == inspect.signature(perform).parameters.keys() - elsewhere - {"assign"}


FULL: dict[str, Any] = {
    "layout": "stage", "background": "#102030", "fit": "whole", "normalization": "ground", "missing_limbs": "crop",
    "compare": True, "driving_start": 2, "driving_end": 8.25, "driving_rotate": 270, "driving_region": [5, 6, 70, 80],
    "driving_poses": "theirs.json", "driving_matte": "green", "driving_tolerate_damage": True, "marks": False,
    "sign_cert": "c.pem", "sign_key": "k.pem", "label": "corner", "device": "cpu",
}  # fmt: skip


def test_what_a_job_says_is_read_and_reaches_its_process_as_it_was(tmp_path: Path) -> None:
    assert FULL.keys() == OPTIONS.keys()
    said = {"actor": ["me.actor", "sub/anna.actor"], "driving": "dance.mp4", "output": "both.mp4", **FULL}
    (job,) = of_file(tmp_path, json.dumps({"jobs": [said]}))
    assert job.actors == (tmp_path / "me.actor", tmp_path / "sub/anna.actor")
    assert job.driving == tmp_path / "dance.mp4" and job.output == tmp_path / "jobs" / "both.mp4"
    beside = {name: str(tmp_path / FULL[name]) for name in ("driving_poses", "sign_cert", "sign_key")}
    assert job.options == {**FULL, **beside, "driving_region": (5, 6, 70, 80)}
    assert type(job.options["driving_start"]) is float
    sent = json.loads(json.dumps(as_asked(job, ["limb-warp"] * 2, "wholebody")))
    assert job_of(sent) == job and (sent["recipes"], sent["landmarks"]) == (["limb-warp"] * 2, "wholebody")


def test_every_option_reaches_the_tracking_or_perform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracked: dict[str, Any] = {}
    performed: dict[str, Any] = {}
    found = SimpleNamespace(header=SimpleNamespace(source_sha256="0" * 64, landmarks="wholebody"))

    def driver_of(clip: Path, **how: Any) -> SimpleNamespace:
        tracked.update(how, clip=clip)
        return found

    def performs(actor: Any, driving: Any, output: Path, **options: Any) -> None:
        performed.update(options, actor=actor, driving=driving, output=output)
        output.write_bytes(b"made")

    monkeypatch.setattr("understudy.synthetic.drivers.driver_of", driver_of)
    monkeypatch.setattr("understudy.verbs.perform.perform", performs)
    options = {**FULL, "driving_region": (5, 6, 70, 80)}
    job = Job(1, (Path("me.actor"),), Path("dance.mp4"), tmp_path / "out.mp4", options)
    seen: list[bool] = []
    made = do(job, ["limb-warp"], "wholebody", lambda: seen.append(not performed))
    assert made == {"out.mp4": hashlib.sha256(b"made").hexdigest()} and seen == [True]
    assert tracked == {"clip": Path("dance.mp4"), "landmarks": "wholebody"} | {
        name.removeprefix("driving_"): value for name, value in options.items() if name.startswith("driving_")
    }
    assert performed == {"actor": job.actors, "driving": found, "output": job.output} | {
        name: value for name, value in options.items() if not name.startswith("driving_")
    }


def test_actors_for_people_of_a_video_and_people_in_photographs(tmp_path: Path) -> None:
    assigned = {"assign": {"left": "anna.actor", "2": "ben.actor"}, "driving": "duo.mp4"}
    shown = {"person": "me.jpg", "driving": "dance.mp4", "consent": "It is me", "inpainter": "lama:lama.onnx"}
    jobs = of_file(tmp_path, json.dumps({"jobs": [assigned, {**shown, "model": "my.freestyle"}]}))
    assert (jobs[0].by, jobs[0].sides) == ("assign", ("left", "2"))
    assert jobs[0].actors == (tmp_path / "anna.actor", tmp_path / "ben.actor")
    assert jobs[0].name == "anna_and_ben_by_duo.mp4" and jobs[1].name == "me_by_dance.mp4"
    assert (jobs[1].by, jobs[1].actors) == ("person", (tmp_path / "me.jpg",))
    named = {"model": str(tmp_path / "my.freestyle"), "inpainter": f"lama:{tmp_path / 'lama.onnx'}"}
    assert jobs[1].options == {"consent": "It is me", **named}
    for job in jobs:
        assert job_of(json.loads(json.dumps(as_asked(job, ["limb-warp"], "body")))) == job


def test_a_photograph_may_have_every_option_of_reenact() -> None:
    elsewhere = {"person", "driving", "output"}
    assert OPTIONS.keys() | OF_PEOPLE.keys() == inspect.signature(reenact).parameters.keys() - elsewhere


def test_people_are_tracked_before_they_are_danced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Any] = []

    def performs(actor: Any, driving: Any, output: Path, **options: Any) -> None:
        done.append((actor, driving, options))
        output.write_bytes(b"made")

    monkeypatch.setattr(
        "understudy.tracking.several.tracked_people",
        lambda driving, sides, **how: done.append((driving, sides, how)),
    )
    monkeypatch.setattr("understudy.verbs.perform.perform", performs)
    cast = (Path("anna.actor"), Path("ben.actor"))
    options = {"driving_start": 1.0, "background": "red"}
    job = Job(1, cast, Path("duo.mp4"), tmp_path / "out.mp4", options, "assign", ("left", "right"))
    assert do(job, ["limb-warp"] * 2, "body", lambda: done.append("tracked")).keys() == {"out.mp4"}
    assert done == [
        (Path("duo.mp4"), ("left", "right"), {"start": 1.0, "landmarks": "wholebody"}),
        "tracked",
        (None, Path("duo.mp4"), {"assign": {"left": cast[0], "right": cast[1]}, **options}),
    ]


@pytest.mark.parametrize("name", ["background", "driving_matte"])
def test_a_word_is_a_file_only_where_such_a_file_lies_beside_the_jobs(tmp_path: Path, name: str) -> None:
    (tmp_path / "driving").mkdir()  # a folder of clips is no background
    (tmp_path / "room.png").write_bytes(b"")
    for word, expected in (("driving", "driving"), ("room.png", str(tmp_path / "room.png")), ("no.png", "no.png")):
        (job,) = of_file(tmp_path, json.dumps({"jobs": [{**JOB, name: word}]}))
        assert job.options == {name: expected}


def test_one_job_a_line(tmp_path: Path) -> None:
    lines = [json.dumps(JOB), "", json.dumps({**JOB, "driving": "walk.bvh", "background": "transparent"})]
    jobs = of_file(tmp_path, "\n".join(lines), "night.jsonl")
    assert [job.number for job in jobs] == [1, 2]
    assert [job.output for job in jobs] == [
        tmp_path / "night" / "me_by_dance.mp4",
        tmp_path / "night" / "me_by_walk.webm",
    ]
    (tmp_path / "night.jsonl").write_text(f"{lines[0]}\n{{cut\n")
    with pytest.raises(UsageError, match=r"line 2 of .*night\.jsonl is not JSON"):
        jobs_of_file(tmp_path / "night.jsonl", None)


def test_the_output_folder_may_be_said(tmp_path: Path) -> None:
    (tmp_path / "jobs.json").write_text(json.dumps({"jobs": [JOB]}))
    jobs, folder = jobs_of_file(tmp_path / "jobs.json", tmp_path / "elsewhere")
    assert folder == tmp_path / "elsewhere" and jobs[0].output == folder / "me_by_dance.mp4"


MISTAKES = {
    "not JSON": ("{jobs", "jobs.json is not valid JSON"),
    "a list": (json.dumps([JOB]), 'is not a file of jobs: write {"jobs": '),
    "more than jobs": (json.dumps({"jobs": [JOB], "workers": 2}), "is not a file of jobs"),
    "empty": (json.dumps({"jobs": []}), "holds no jobs"),
    "no job": (json.dumps({"jobs": [JOB, "me"]}), 'job 2 of .*: "me" is no job'),
    "misspelt": (json.dumps({"jobs": [{**JOB, "backgroud": "red"}]}), "'backgroud': is it 'background'?"),
    "of others": (json.dumps({"jobs": [{**JOB, "preset": "fast"}]}), "there is no option 'preset'"),
    "no actor": (json.dumps({"jobs": [{"driving": "d.mp4"}]}), '"actor" is missing'),
    "nobody": (json.dumps({"jobs": [{**JOB, "actor": []}]}), '"actor" is missing'),
    "two ways": (json.dumps({"jobs": [{**JOB, "person": "a.jpg"}]}), '"actor" and "person" are two ways to say who'),
    "nobody assigned": (json.dumps({"jobs": [{"assign": {}, "driving": "d.mp4"}]}), '"assign" is an actor for each'),
    "assigned a list": (json.dumps({"jobs": [{"assign": ["a"], "driving": "d.mp4"}]}), '"assign" is an actor for each'),
    "assigned a number": (json.dumps({"jobs": [{"assign": {"left": 3}, "driving": "d.mp4"}]}), '"assign" is an actor'),
    "no photograph": (json.dumps({"jobs": [{"person": [], "driving": "d.mp4"}]}), '"person" is missing: a photograph'),
    "a model for an actor": (json.dumps({"jobs": [{**JOB, "model": "m"}]}), '"model" goes with "person": an actor kn'),
    "a number for an actor": (json.dumps({"jobs": [{**JOB, "actor": ["a.actor", 3]}]}), '"actor" is missing'),
    "no driving": (json.dumps({"jobs": [{"actor": "me.actor"}]}), '"driving" is missing'),
    "elsewhere": (json.dumps({"jobs": [{**JOB, "output": "../out.mp4"}]}), '"output" is a name in the output folder'),
    "no name": (json.dumps({"jobs": [{**JOB, "output": "a\0.mp4"}]}), '"output" is a name in the output folder'),
    "above": (json.dumps({"jobs": [{**JOB, "output": ".."}]}), "names that begin with a dot"),
    "a word for a switch": (json.dumps({"jobs": [{**JOB, "compare": "yes"}]}), '"compare" is true or false, not "yes"'),
    "a switch for seconds": (json.dumps({"jobs": [{**JOB, "driving_end": True}]}), '"driving_end" is a number of s'),
    "no number": ('{"jobs": [{"actor": "a", "driving": "b", "driving_end": NaN}]}', '"driving_end" is a number of s'),
    "half a degree": (json.dumps({"jobs": [{**JOB, "driving_rotate": 90.5}]}), "0, 90, 180 or 270, not 90.5"),
    "three numbers": (json.dumps({"jobs": [{**JOB, "driving_region": [1, 2, 3]}]}), "four whole numbers"),
    "nothing": (json.dumps({"jobs": [{**JOB, "background": None}]}), '"background" is a text, not null'),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_is_no_job_is_said_in_one_line(tmp_path: Path, mistake: str) -> None:
    content, said = MISTAKES[mistake]
    with pytest.raises(UsageError, match=said) as told:
        check_names(of_file(tmp_path, content))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("suffix", ["yaml", "yml", "toml"])
def test_other_kinds_of_files_are_told_what_is_read_instead(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(UsageError, match=rf"read from JSON, not from {suffix.upper()}: write \{{"):
        jobs_of_file(tmp_path / f"jobs.{suffix}", None)


@pytest.mark.parametrize("name", ["jobs.json", "jobs.jsonl"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"cannot read .*{name}: No such file"):
        jobs_of_file(tmp_path / name, None)


def test_every_actor_by_every_clip_in_an_order_that_tracks_early() -> None:
    jobs = every_pair(["me.actor", "x/anna.actor"], ["dance.mp4", "walk.performance"], Path("out"))
    assert [(job.number, job.output.name) for job in jobs] == [
        (1, "me_by_dance.mp4"), (2, "anna_by_dance.mp4"), (3, "me_by_walk.mp4"), (4, "anna_by_walk.mp4"),
    ]  # fmt: skip
    assert {job.output.parent for job in jobs} == {Path("out")}
    with pytest.raises(UsageError, match="nobody is there to perform: give `actors`"):
        every_pair([], ["dance.mp4"], Path("out"))
    with pytest.raises(UsageError, match="nothing to be performed: give `drivings`"):
        every_pair(["me.actor"], [], Path("out"))


@pytest.mark.parametrize(
    ("actors", "drivings", "twice"),
    [
        (["a/me.actor", "b/me.actor"], ["dance.mp4"], "me_by_dance.mp4"),
        (["me.actor"], ["dance.mp4", "dance.performance"], "me_by_dance.mp4"),
        (["me.actor", "Me.actor"], ["dance.mp4"], "Me_by_dance.mp4"),  # where file systems take them for the same
        (["Zo\u00eb.actor", "Zoe\u0308.actor"], ["dance.mp4"], "Zoe\u0308_by_dance.mp4"),
    ],
)
def test_names_that_collide_are_told_with_both_jobs(actors: list[str], drivings: list[str], twice: str) -> None:
    with pytest.raises(UsageError) as told:
        check_names(every_pair(actors, drivings, Path("out")))
    first, second = [f"{actor} by {driving}" for driving in drivings for actor in actors]
    assert str(told.value).startswith(f"{twice} would be written twice, of {first} and of {second}: ")


def test_comparisons_and_manifests_have_names_as_well() -> None:
    compared = Job(1, (Path("a"),), Path("d"), Path("out/a.webm"), {"compare": True})
    assert [path.name for path in files_of(compared)] == [
        "a.webm", "a.webm.c2pa", "a.compare.mp4", "a.normalization.png",
    ]  # fmt: skip
    other = Job(2, (Path("a"),), Path("d"), Path("out/a.compare.mp4"), {})
    with pytest.raises(UnderstudyError, match=r"a\.compare\.mp4 would be written twice"):
        check_names([compared, other])
    check_names([Job(1, (Path("a"),), Path("d"), Path("out/a.webm"), {}), other])
