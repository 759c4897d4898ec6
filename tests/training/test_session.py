"""What a training gives its recipe: device, chance, limits, settings, stages and a record, whatever the recipe is."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from tiny import session_for, tiny_performance
from understudy.errors import TrainingError
from understudy.recipes.parts.groups import Optimisation
from understudy.training import loop
from understudy.training.run_folder import fingerprint
from understudy.training.step import descend


@dataclass(frozen=True)
class Config:
    """Of a recipe that fits a line."""

    size: int = 32
    optimisation: Optimisation = Optimisation(learning_rate=0.01, betas=(0.4, 0.8), ema_decay=0.9)


class Line:
    """Learns y = 3 x from numbers that the session's chance gives; its first weights are the session's too."""

    shown = "line"

    def __init__(self, session):
        self.session = session
        session.begin()
        line = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Dropout(0.1))
        self.model, optimizer = session.fitted(line)
        self.networks, self.optimizers = {"line": line}, {"line": optimizer}

    def training_step(self, step):
        x = torch.from_numpy(self.session.chance.generator(1, step).normal(size=(8, 1, 1, 1)).astype(np.float32))
        error = (self.model(x) - 3 * x).square().mean()
        descend(self.session.fabric, self.optimizers["line"], {"error": error})
        return {"error": error}

    def preview(self, generator, folder, step):
        (folder / f"{step}.txt").write_text("seen")


@pytest.fixture(scope="module")
def me(tmp_path_factory):
    return tiny_performance(tmp_path_factory.mktemp("me") / "me.performance", 1)


@pytest.fixture
def session(me, tmp_path):
    """A function: limits -> a session of the same folder."""

    def make(folder="run", config=Config(), **limits):
        return session_for("line", config, me, tmp_path / folder, **{"device": "cpu"} | limits)

    return make


def same(one, two):
    return one.keys() == two.keys() and all(np.array_equal(one[name], two[name]) for name in one)


# -- what it knows from the beginning --------------------------------------------------------------------------


def test_settings_are_what_a_resumed_run_must_have_been_begun_with(session, me):
    found = session(seed=4).settings
    assert found == {
        "recipe": "line",
        "config": {
            "size": 32,
            "optimisation": {
                "batch": 1, "learning_rate": 0.01, "betas": (0.4, 0.8), "initial_deviation": 0.02, "ema_decay": 0.9,
            },
        },
        "seed": 4,
        "reference": fingerprint(me),
    }  # fmt: skip
    json.dumps(found)


def test_what_it_was_given_is_handed_on(session, me, tmp_path):
    one = session_for("line", Config(), me, tmp_path, (me, me), seed=3, device="cpu")
    assert (one.reference, one.unpaired, one.folder, one.seed) == (me, [me, me], tmp_path, 3)
    assert (one.chance.seed, one.chance.rank, one.chance.ranks) == (3, 0, 1)
    assert (one.resume, one.max_minutes, one.max_steps) == (False, None, None)
    assert one.unpaired is not session_for("line", Config(), me, tmp_path, one.unpaired).unpaired


def test_a_device_is_begun_when_it_is_asked_for(session, monkeypatch):
    begun = []
    launch = loop.launch
    monkeypatch.setattr(loop, "launch", lambda device: begun.append(device) or launch(device))
    one = session()
    assert begun == []
    assert one.device.type == "cpu" and one.fabric is one.fabric
    assert begun == ["cpu"]


# -- networks --------------------------------------------------------------------------------------------------


def test_first_weights_follow_the_seed(session):
    weights = []
    for seed in (4, 4, 5):
        torch.rand(3)  # whatever was drawn before
        session(seed=seed).begin()
        weights.append(nn.Linear(3, 3).weight)
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def test_optimizers_have_the_numbers_of_the_config(session):
    some = [nn.Linear(2, 2), nn.Linear(3, 3)]
    group = session().adam(*some).param_groups[0]
    assert (group["lr"], group["betas"], group["fused"]) == (0.01, (0.4, 0.8), True)
    weights = list(nn.ModuleList(some).parameters())
    assert len(weights) == 4 and list(map(id, group["params"])) == list(map(id, weights))


def test_a_network_is_fitted_to_the_device_and_stays_itself(session):
    network = nn.Conv2d(2, 4, 3)
    one = session()
    wrapped, optimizer = one.fitted(network)
    assert network.weight.is_contiguous(memory_format=torch.channels_last)
    before = network.weight.detach().clone()
    one.fabric.backward(wrapped(torch.ones(1, 2, 5, 5)).mean())
    optimizer.step()
    assert not torch.equal(network.weight, before)


# -- one stage -------------------------------------------------------------------------------------------------


def test_a_run_is_recorded(session):
    one = session(seed=6)
    outcome = one.run(Line(one), 12)
    assert outcome.steps == 12 and (one.folder / "previews" / "12.txt").exists()
    record = one.record
    assert record == {
        "steps": 12, "joined_at": None, "seconds": record["seconds"], "features": "none", "device": "cpu",
        "precision": loop.precision_on(one.device), "processes": 1, "seed": 6, "losses": outcome.losses,
    }  # fmt: skip
    assert record["seconds"] >= 0 and set(record["losses"]) == {"error"}
    kept = json.loads((one.folder / "run.json").read_text())["settings"]
    assert kept == json.loads(json.dumps(one.settings))


@pytest.mark.parametrize(("limits", "steps"), [({}, 9), ({"max_steps": 4}, 4), ({"max_steps": 20}, 9)], ids=str)
def test_steps_are_limited_from_without_as_well(session, limits, steps):
    one = session(**limits)
    assert one.run(Line(one), 9).steps == steps


def test_time_is_limited(session):
    one = session(max_minutes=1e-9)
    assert one.run(Line(one), 9).steps == 1


def test_a_resumed_run_ends_as_the_unbroken_one(session):
    whole, broken, resumed = session("whole"), session("broken", max_steps=5), session("broken", resume=True)
    expected = whole.run(Line(whole), 12).weights
    broken.run(Line(broken), 12)
    assert same(resumed.run(Line(resumed), 12).weights, expected)
    other = session("other", seed=1)
    assert not same(other.run(Line(other), 12).weights, expected)


def test_the_average_of_weights_is_shown_as_the_config_says(session):
    last, mean = session("last", Config(optimisation=Optimisation(learning_rate=0.01))), session("mean")
    outcomes = {}
    for name, one in (("last", last), ("mean", mean)):
        line = Line(one)
        shown = one.run(line, 6).weights
        outcomes[name] = same(shown, {key: value.numpy() for key, value in line.networks["line"].state_dict().items()})
    assert outcomes == {"last": True, "mean": False}


@pytest.mark.parametrize("change", [{"seed": 1}, {"config": Config(size=64)}], ids=str)
def test_a_run_begun_otherwise_is_not_gone_on_with(session, change):
    first = session(max_steps=2)
    first.run(Line(first), 4)
    with pytest.raises(TrainingError, match="begun with other settings"):
        again = session(resume=True, **change)
        again.run(Line(again), 4)


def test_what_a_recipe_adds_to_the_settings_must_be_the_same_too(session):
    for learns_from, resume in (("a", False), ("b", True)):
        one = session(resume=resume, max_steps=3 if resume else 2)
        one.settings["unpaired"] = [learns_from]
        if not resume:
            one.run(Line(one), 4)
    with pytest.raises(TrainingError, match="unpaired"):
        one.run(Line(one), 4)


# -- stages ----------------------------------------------------------------------------------------------------


def in_stages(one, steps=(4, 3)):
    one.plan({"rough": 0.5, "fine": 0.5})
    return [one.stage(name, Line(one), count) for name, count in zip(("rough", "fine"), steps, strict=True)]


def test_stages_are_one_training(session):
    one = session(seed=2)
    rough, fine = in_stages(one)
    assert (rough.steps, fine.steps) == (4, 3) and not one.exhausted
    assert {folder.name for folder in one.folder.iterdir()} == {"rough", "fine"}
    record = one.record
    assert (record["steps"], record["stages"]) == (7, {"rough": 4, "fine": 3})
    assert set(record["losses"]) == {"rough error", "fine error"}
    assert (record["device"], record["seed"]) == ("cpu", 2)


@pytest.mark.parametrize(("after", "anew"), [(None, True), (("rough",), True), ((), False)])
def test_a_stage_begins_anew_only_behind_what_it_builds_on(session, caplog, after, anew):
    for rough, resume in ((2, False), (3, True)):
        one = session(resume=resume)
        one.plan({"rough": 0.5, "fine": 0.5})
        one.stage("rough", Line(one), rough)
        fine = one.stage("fine", Line(one), 2, after)
    assert fine.steps == 2 and ("stage fine begins anew" in caplog.text) == anew


def test_steps_of_all_stages_together_are_limited(session, caplog):
    one = session(max_steps=4)
    rough, fine = in_stages(one)
    assert rough.steps == 4 and fine is None and one.exhausted
    one.tell_what_is_left()
    assert "the actor is without the stages that were not reached: fine" in caplog.text
    assert one.record["stages"] == {"rough": 4}


def test_a_stage_that_is_done_is_not_done_again(session, caplog):
    first, again = session(), session(resume=True)
    expected = [outcome.weights for outcome in in_stages(first)]
    caplog.clear()
    assert [same(outcome.weights, one) for outcome, one in zip(in_stages(again), expected, strict=True)] == [True] * 2
    again.tell_what_is_left()
    assert "nothing left to do: all stages are done" in caplog.text
    first.tell_what_is_left()
    assert caplog.text.count("nothing left to do: all stages") == 1


def test_nothing_is_planned_or_run_by_itself(session):
    with pytest.raises(AssertionError, match="comes first"):
        _ = session().record
    with pytest.raises(AssertionError, match="comes first"):
        _ = session().exhausted
