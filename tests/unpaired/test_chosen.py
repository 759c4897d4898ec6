"""What train and clone learn from besides the reference, for recipes that take poses alone and for others."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from tiny import tiny_performance, tiny_poses
from understudy.errors import MediaError, PerformanceError, PoseError, UsageError
from understudy.performance import Performance
from understudy.poses.formats import write_comfyui
from understudy.recipes import copy_then_refine, cyclegan, performance_cloning, pix2pix, poses_in_the_wild
from understudy.unpaired.chosen import chosen_unpaired, read_unpaired
from understudy.unpaired.pool import PoseSequence
from understudy.verbs.clone import clone as clone_verb
from understudy.verbs.train import train as train_verb

WILD, CLONING = "poses-in-the-wild", "performance-cloning"
NOTE = "no `unpaired` is given: motion is learnt from 8 made-up dances (choreography:8)"


class Stopped(Exception):
    """Instead of training."""


@pytest.fixture
def learnt_from(monkeypatch):
    """What the training of a recipe is given as unpaired."""
    given = []

    def train(session):
        given[:] = session.unpaired
        raise Stopped

    for module in (copy_then_refine, performance_cloning, cyclegan, pix2pix, poses_in_the_wild):
        monkeypatch.setattr(module, "RECIPE", replace(module.RECIPE, train=train))
    return given


@pytest.fixture
def folder(tmp_path):
    """me and dance, tracked; the poses of somebody else."""
    tiny_performance(tmp_path / "me.performance", 1)
    tiny_performance(tmp_path / "dance.performance", 2)
    write_comfyui(tiny_poses(6, 64, 3), tmp_path / "poses.json")
    return tmp_path


def train(folder, recipe, unpaired):
    with pytest.raises(Stopped):
        train_verb(
            folder / "me.performance", folder / "me.actor", unpaired=unpaired, recipe=recipe, consent="I am it",
            device="cpu",
        )  # fmt: skip


def clone(folder, recipe, unpaired=()):
    with pytest.raises(Stopped):
        clone_verb(
            folder / "me.performance", folder / "dance.performance", folder / "out.mp4", unpaired=unpaired,
            recipe=recipe, consent="I am it", device="cpu",
        )  # fmt: skip


def kinds(clips):
    return [(type(one), Path(one.path if isinstance(one, Performance) else one.name).name) for one in clips]


def notes(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "understudy.unpaired.chosen"]


@pytest.fixture
def translating_frames(monkeypatch):
    frames = cyclegan.RECIPE.preset("preview", "frames")
    monkeypatch.setitem(cyclegan.RECIPE.presets, "preview", lambda: frames)


@pytest.mark.parametrize("recipe", [CLONING, "cyclegan"])
def test_other_recipes_get_performances(folder, learnt_from, translating_frames, recipe, caplog):
    with caplog.at_level(logging.INFO):
        train(folder, recipe, [folder / "dance.performance"])
        assert kinds(learnt_from) == [(Performance, "dance.performance")]
        train(folder, recipe, [])
        assert learnt_from == []
        clone(folder, recipe)
        assert kinds(learnt_from) == [(Performance, "dance.performance")]
        tiny_performance(folder / "more.performance", 5)
        clone(folder, recipe, [folder / "more.performance"])
        assert kinds(learnt_from) == [(Performance, "dance.performance"), (Performance, "more.performance")]
    assert not notes(caplog)


@pytest.mark.parametrize("recipe", [None, "cyclegan", "pix2pix"])
def test_who_learns_from_the_reference_alone_is_not_given_the_driver(folder, learnt_from, recipe, caplog):
    with caplog.at_level(logging.INFO):
        train(folder, recipe, [])
        clone(folder, recipe)
    assert learnt_from == [] and not notes(caplog) and "alone" not in caplog.text
    train(folder, recipe, [folder / "dance.performance"])
    assert kinds(learnt_from) == [(Performance, "dance.performance")]
    assert "learns from the reference alone: nothing is learnt from dance.performance" in caplog.text


def test_poses_alone_are_enough_for_the_recipe_that_learns_from_them(folder, learnt_from, caplog):
    with caplog.at_level(logging.INFO):
        train(folder, WILD, [folder / "poses.json", folder / "dance.performance", Path("choreography:2")])
    found = ["poses.json", "dance.performance", "choreography 1", "choreography 2"]
    assert kinds(learnt_from) == [(PoseSequence, name) for name in found]
    assert not notes(caplog)


def test_without_unpaired_poses_there_are_made_up_dances(folder, learnt_from, caplog):
    with caplog.at_level(logging.INFO):
        train(folder, WILD, [])
    assert [one.name for one in learnt_from] == [f"choreography {number}" for number in range(1, 9)]
    assert notes(caplog) == [NOTE]


def test_a_clone_learns_from_its_drivers_poses_first(folder, learnt_from, caplog):
    with caplog.at_level(logging.INFO):
        clone(folder, WILD)
        assert kinds(learnt_from)[:2] == [(Performance, "dance.performance"), (PoseSequence, "choreography 1")]
        assert len(learnt_from) == 9 and notes(caplog) == [NOTE]
        clone(folder, WILD, [folder / "poses.json", folder / "dance.performance"])  # the driver again
    assert kinds(learnt_from) == [(Performance, "dance.performance"), (PoseSequence, "poses.json")]
    assert notes(caplog) == [NOTE]


def test_clips_that_are_loaded_need_no_dances(folder, learnt_from):
    dance = Performance.load(folder / "dance.performance")
    train(folder, WILD, [dance, PoseSequence.of(dance)])
    assert kinds(learnt_from) == [(Performance, "dance.performance"), (PoseSequence, "dance.performance")]


def test_a_training_without_an_unpaired_branch_needs_no_dances(caplog):
    config = replace(poses_in_the_wild.preview(), unpaired=False)
    learns_from = poses_in_the_wild.RECIPE.learns_from(config)
    with caplog.at_level(logging.INFO):
        assert learns_from is None and chosen_unpaired(WILD, learns_from, []) == []
    assert read_unpaired(learns_from, []) == [] and not notes(caplog)


@pytest.mark.parametrize("name", ["poses.json", "choreography:3", "sub"])
@pytest.mark.parametrize("verb", [train, clone])
@pytest.mark.parametrize(
    ("recipe", "from_what"), [(CLONING, f"{CLONING} learns from videos and performances"), (None, "the reference")]
)
def test_poses_alone_are_refused_where_more_is_needed(folder, name, verb, recipe, from_what):
    (folder / "sub").mkdir()
    given = name if name.startswith("choreography") else folder / name
    said = rf"`unpaired` {given}: .*{from_what}, not from poses alone, which `recipe="
    with pytest.raises(UsageError, match=rf"{said}'poses-in-the-wild'` takes$"):
        verb(folder, recipe, [given])
    assert not (folder / "me.actor.run").exists()


@pytest.mark.parametrize(
    ("recipe", "name", "error", "said"),
    [
        (WILD, "nowhere.mp4", UsageError, r"there is no nowhere\.mp4: give performances, videos"),
        (WILD, "choreography:0", UsageError, "say how many dances"),
        (CLONING, "nowhere.mp4", MediaError, r"there is no video or performance nowhere\.mp4"),
    ],
)
def test_what_is_not_there_is_said(folder, recipe, name, error, said):
    with pytest.raises(error, match=said):
        train(folder, recipe, [name])


def test_damaged_clips_end_only_what_cannot_do_without(folder, learnt_from, caplog):
    (folder / "dance.performance" / "poses.safetensors").write_bytes(b"")
    with pytest.raises(PerformanceError, match="damaged"):
        train(folder, CLONING, [folder / "dance.performance"])
    with pytest.raises(PoseError, match="damaged"):
        train(folder, WILD, [folder / "dance.performance"])
    train(folder, WILD, [folder / "dance.performance", folder / "poses.json"])
    assert kinds(learnt_from) == [(PoseSequence, "poses.json")]
    assert any("is left out" in record.getMessage() for record in caplog.records)


def test_motion_capture_is_danced_for_recipes_that_need_flow(folder, monkeypatch):
    (folder / "dance.bvh").write_text("a capture")
    monkeypatch.setattr("understudy.synthetic.drivers.driver_of", lambda path, **options: (path.name, options))
    assert chosen_unpaired(CLONING, "clips", [folder / "dance.bvh"]) == [folder / "dance.bvh"]
    assert read_unpaired("clips", [folder / "dance.bvh"], size=512) == [("dance.bvh", {"size": 512})]
