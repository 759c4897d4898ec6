"""Nothing takes the place of a trained actor but the run that made it, unless that is said; then it is kept once."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tiny import shrunk, tiny_performance
from tiny_actor import CONFIG
from understudy.actor import Actor
from understudy.errors import UnderstudyError, UsageError
from understudy.recipes import copy_then_refine, performance_cloning, poses_in_the_wild
from understudy.verbs.clone import clone
from understudy.verbs.outputs import set_aside
from understudy.verbs.train import train

ASKED = {"device": "cpu", "consent": "I am it"}


@pytest.fixture(autouse=True)
def small_presets(monkeypatch):
    for method in (copy_then_refine, poses_in_the_wild):
        small = shrunk(method.preview())
        monkeypatch.setitem(method.RECIPE.presets, "preview", lambda small=small: small)
    instant = replace(shrunk(copy_then_refine.instant()), steps=0)
    monkeypatch.setitem(copy_then_refine.RECIPE.presets, "instant", lambda: instant)
    monkeypatch.setitem(performance_cloning.RECIPE.presets, "preview", lambda: CONFIG)


@pytest.fixture
def me(tmp_path):
    return tiny_performance(tmp_path / "me.performance", 1, frames=32)


def untouched(path: Path):
    return path.read_bytes(), sorted(str(file) for file in path.with_name(path.name + ".run").rglob("*"))


@pytest.mark.parametrize("begun_with", ["performance-cloning", "copy-then-refine"])
@pytest.mark.parametrize(
    "other",
    [
        {"preset": "instant"},
        {"recipe": "limb-warp", "preset": "instant"},
        {"recipe": "nearest-neighbour", "preset": "preview"},
        {"recipe": "poses-in-the-wild", "preset": "preview", "max_steps": 1},
    ],
    ids=lambda other: other.get("recipe", "default") + " " + other["preset"],
)
def test_resuming_with_something_else_leaves_the_actor_as_it_was(tmp_path, me, begun_with, other):
    output = tmp_path / "me.actor"
    train(me, output, recipe=begun_with, preset="preview", max_steps=1, **ASKED)
    before = untouched(output)
    with pytest.raises(UsageError, match="`overwrite=True`"):
        train(me, output, resume=True, **other, **ASKED)
    assert untouched(output) == before
    train(me, output, recipe=begun_with, preset="preview", max_steps=2, resume=True, **ASKED)
    assert Actor.load(output).record["steps"] == 2


def test_an_interrupted_run_of_stages_is_not_gone_on_with_by_another_recipe(tmp_path, me):
    """And the other way round: the run folder's stages say whose they are."""
    output = tmp_path / "me.actor"
    train(me, output, recipe="poses-in-the-wild", preset="preview", max_steps=1, **ASKED)
    output.unlink()  # as if it had not come to an actor
    with pytest.raises(UsageError, match="begun with another recipe: go on with `recipe='poses-in-the-wild'`"):
        train(me, output, recipe="performance-cloning", preset="preview", resume=True, **ASKED)


def test_a_placement_said_anew_is_no_other_training(tmp_path, me):
    output = tmp_path / "me.actor"
    train(me, output, recipe="performance-cloning", preset="preview", max_steps=2, **ASKED)
    again = {"recipe": "performance-cloning", "preset": "preview", "resume": True, "normalization": "similarity"}
    train(me, output, max_steps=3, **again, **ASKED)
    assert Actor.load(output).record["steps"] == 3


def test_overwriting_begins_anew_and_keeps_what_was_there_once(tmp_path, me, caplog):
    output, before = tmp_path / "me.actor", tmp_path / "me.before.actor"
    train(me, output, recipe="performance-cloning", preset="preview", max_steps=2, **ASKED)
    first = output.read_bytes()
    train(me, output, preset="instant", overwrite=True, **ASKED)
    assert (Actor.load(output).recipe, before.read_bytes()) == ("copy-then-refine", first)
    assert f"what was there is kept: {before}" in caplog.text
    # It can be trained further under its new name
    more = train(me, before, recipe="performance-cloning", preset="preview", max_steps=3, resume=True, device="cpu")
    assert more.record["steps"] == 3
    train(me, output, recipe="performance-cloning", preset="preview", max_steps=1, overwrite=True, **ASKED)
    assert Actor.load(before).record["preset"] == "instant"
    assert not list((tmp_path / "me.before.actor.run").rglob("step-*"))


def test_clone_overwrites_as_train_does(tmp_path, me):
    output = tmp_path / "out.mkv"
    asked = {"recipe": "performance-cloning", "preset": "preview", "max_steps": 1, **ASKED}
    clone(me, me, output, **asked)
    with pytest.raises(UsageError, match="replace it with `overwrite=True`"):
        clone(me, me, output, **asked)
    clone(me, me, output, **asked, overwrite=True)
    assert (tmp_path / "out.before.actor").is_file() and (tmp_path / "out.actor").is_file()


def test_an_overwritten_run_is_the_one_that_is_gone_on_with(tmp_path, me):
    output = tmp_path / "me.actor"
    asked = {"recipe": "performance-cloning", "preset": "preview"}
    train(me, output, **asked, seed=1, max_steps=2, **ASKED)
    train(me, output, **asked, seed=2, max_steps=2, overwrite=True, **ASKED)
    resumed = train(me, output, **asked, seed=2, resume=True, **ASKED)
    whole = train(me, tmp_path / "whole.actor", **asked, seed=2, **ASKED)
    for name, weights in whole.weights.items():
        np.testing.assert_array_equal(weights, resumed.weights[name])


def test_a_run_without_an_actor_does_not_take_the_place_of_an_actor_that_was_set_aside(tmp_path):
    output, run = tmp_path / "me.actor", tmp_path / "me.actor.run"
    for name in ("me.before.actor", "me.actor.run/checkpoints/step-1", "me.actor.run/.lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    set_aside(output)
    assert (tmp_path / "me.before.actor").read_text() == "me.before.actor"
    assert [file.name for file in run.iterdir()] == [".lock"]
    set_aside(output)  # nothing is left to do
    (tmp_path / "me.before.actor").unlink()
    (run / "run.json").write_text("{}")
    set_aside(output)
    assert [file.name for file in (tmp_path / "me.before.actor.run").iterdir()] == ["run.json"]


def test_overwriting_and_going_on_are_not_asked_for_at_once(tmp_path, me):
    with pytest.raises(UsageError, match="`overwrite` begins anew and `resume` goes on: give one of them"):
        train(me, tmp_path / "me.actor", resume=True, overwrite=True, **ASKED)


@pytest.mark.parametrize("length", [245, 230])
def test_a_name_that_is_too_long_is_told_before_any_work(tmp_path, me, length):
    for name in ("x" * length + ".actor", "\u00e4" * (length // 2) + ".actor"):
        with pytest.raises(UnderstudyError, match=r"is too long \(\d+ bytes\): choose an `output` of at most 2\d\d"):
            train(me, tmp_path / name, preset="instant", **ASKED)
    assert not list(tmp_path.glob("x*")), "nothing was begun"
