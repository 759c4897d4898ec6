"""`forget`: what was learnt of somebody is deleted, and nothing else."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import understudy
from tiny import tiny_performance
from tiny_actor import tiny_actor
from understudy.actor import Actor, run_folder_of
from understudy.base.files import locked
from understudy.base.folders import cache_folder
from understudy.errors import ActorError, TrainingError, UsageError
from understudy.recipes.parts.remembered import Memory, folder_of
from understudy.tracking.cache import note_of
from understudy.verbs import forget as module

MINE, THEIRS = "a" * 64, "b" * 64


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path / "cache"))


def saved(path, sha256=MINE, run=True):
    from dataclasses import replace

    replace(tiny_actor(), reference_sha256=sha256).save(path)
    if run:
        (run_folder_of(path) / "checkpoints").mkdir(parents=True)
        (run_folder_of(path) / "checkpoints" / "step-00000001.safetensors").write_text("weights")
    return path


def remembered(name, sha256):
    folder = cache_folder() / "performances" / f"{name}.performance"
    folder.parent.mkdir(parents=True, exist_ok=True)
    tiny_performance(folder, 1)
    header = folder / "performance.json"
    before = understudy.Performance.load(folder).header.source_sha256
    header.write_text(header.read_text().replace(f'"{before}"', f'"{sha256}"'))
    assert understudy.Performance.load(folder).header.source_sha256 == sha256
    return folder


def test_everything_of_one_reference_goes_and_everything_else_stays(tmp_path):
    video = tmp_path / "me.mp4"
    video.write_text("the film")
    note_of(MINE).parent.mkdir(parents=True)
    note_of(MINE).write_text(str(video))
    actor, before = saved(tmp_path / "me.actor"), saved(tmp_path / "me.before.actor")
    others = [saved(tmp_path / "you.actor", THEIRS), tmp_path / "out.mp4"]
    others[1].write_text("a video")
    mine, theirs = remembered("one", MINE), remembered("two", THEIRS)
    painted, of_others = (folder_of(cache_folder(), sha256) for sha256 in (MINE, THEIRS))
    for folder in (painted, of_others):
        Memory(folder).keep("ab", np.zeros((4, 4, 4), np.uint8), {})
    found = understudy.forget(actor, yes=True)
    gone = [actor, run_folder_of(actor), before, run_folder_of(before), mine, note_of(MINE), painted]
    assert sorted(found.deleted) == sorted(gone) and not any(path.exists() for path in gone)
    assert all(path.exists() for path in [*others, run_folder_of(others[0]), theirs, video, of_others])
    said = str(found)
    assert str(actor) in said and tiny_actor().consent.text in said
    assert f"the reference video itself, {video}" in said and "whatever was uploaded" in said
    assert "networks exported from the actor" in said


def test_somebody_elses_actor_that_was_set_aside_stays(tmp_path):
    actor, before = saved(tmp_path / "me.actor"), saved(tmp_path / "me.before.actor", THEIRS)
    understudy.forget(actor, yes=True)
    assert before.exists() and run_folder_of(before).exists()


def test_one_that_nobody_can_read_stays_and_that_is_said(tmp_path, caplog):
    actor = saved(tmp_path / "me.actor")
    (tmp_path / "me.before.actor").write_text("nonsense")
    understudy.forget(actor, yes=True)
    assert (tmp_path / "me.before.actor").exists() and "nobody can say whose it is" in caplog.text


def test_nothing_goes_where_nobody_says_yes(tmp_path):
    actor = saved(tmp_path / "me.actor")
    with pytest.raises(UsageError, match=r"nothing was deleted: `yes=True` deletes 2 files and folders of me\.actor"):
        understudy.forget(actor)
    assert actor.exists() and run_folder_of(actor).exists()


@pytest.mark.parametrize(("said", "agreed"), [("yes", True), (" Y ", True), ("no", False), ("", False)])
def test_at_a_terminal_it_is_asked(monkeypatch, capsys, said, agreed):
    for name in ("stdin", "stderr"):
        monkeypatch.setattr(getattr(module.sys, name), "isatty", lambda: True)
    assert module._agreed([Path("me.actor")], answer=lambda _: said) is agreed
    assert "This deletes for good:\n  me.actor" in capsys.readouterr().err


def test_whoever_trains_it_is_not_disturbed(tmp_path):
    actor = saved(tmp_path / "me.actor")
    with locked(run_folder_of(actor)), pytest.raises(TrainingError, match="another run is writing to"):
        understudy.forget(actor, yes=True)
    assert actor.exists() and (run_folder_of(actor) / "checkpoints").exists()


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_text("no actor")], ids=["none", "other"])
def test_what_is_no_actor_is_left_alone(tmp_path, make):
    make(tmp_path / "me.actor")
    with pytest.raises(ActorError):
        understudy.forget(tmp_path / "me.actor", yes=True)


def test_an_actor_alone_goes(tmp_path):
    actor = saved(tmp_path / "me.actor", run=False)
    shutil.rmtree(cache_folder(), ignore_errors=True)
    assert understudy.forget(actor, yes=True).deleted == (actor,)
    with pytest.raises(ActorError, match="there is no actor"):
        Actor.load(actor)
