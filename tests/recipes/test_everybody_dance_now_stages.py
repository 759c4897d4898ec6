import dataclasses
import re

import numpy as np
import pytest

from recipes.tiny_everybody_dance_now import NAME, STAGES, TINY, generated, learnt, main_trainee
from tiny import session_for, tiny_performance
from understudy.base.files import load_tensors
from understudy.errors import Interrupted, TrainingError
from understudy.training import loop as training
from unplugged import saving_every_step, unplugged_behind


@pytest.fixture(scope="module")
def me(tmp_path_factory):
    return tiny_performance(tmp_path_factory.mktemp("me") / "me.performance", 1)


@pytest.fixture(scope="module")
def trained(me, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return learnt(me, folder), folder


def last_checkpoints(folder):
    newest = {stage: sorted((folder / stage / "checkpoints").iterdir())[-1] for stage in STAGES}
    return {stage: load_tensors(path, TrainingError)[0] for stage, path in newest.items()}


@pytest.mark.parametrize("stage", STAGES)
def test_killed_in_any_stage_and_resumed_gives_the_weights_of_an_unbroken_run(
    trained, me, tmp_path, monkeypatch, stage
):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        saving_every_step(patch, unplugged_behind(stage, 1))
        learnt(me, tmp_path)
    with monkeypatch.context() as patch:
        saved = saving_every_step(patch)
        result = learnt(me, tmp_path, resume=True)
    every = [(one, step + 1) for one, steps in zip(STAGES, TINY.steps, strict=True) for step in range(steps)]
    assert list(dict.fromkeys(saved)) == every[every.index((stage, 1)) + 1 :]  # what was done is not done again
    assert all(np.array_equal(result.weights[name], trained[0].weights[name]) for name in result.weights)
    one, two = last_checkpoints(trained[1]), last_checkpoints(tmp_path)
    for stage in STAGES:
        assert one[stage].keys() == two[stage].keys()
        assert all(np.array_equal(one[stage][name], two[stage][name]) for name in one[stage])


@pytest.mark.parametrize(
    ("max_steps", "reached", "size", "face", "missing"),
    [(2, {"global": 2}, 16, False, "local, face"), (5, {"global": 3, "local": 2}, 32, False, "face"),
     (8, {"global": 3, "local": 4, "face": 1}, 32, True, None)],
)  # fmt: skip
def test_steps_count_over_all_stages_and_the_actor_plays_what_was_reached(
    me, trained, tmp_path, caplog, max_steps, reached, size, face, missing
):
    result = learnt(me, tmp_path, max_steps=max_steps)
    assert result.record["stages"] == reached
    assert (result.config.size, result.config.face) == (size, face)
    assert ("the actor is without the stages that were not reached: " in caplog.text) == (missing is not None)
    assert missing is None or f"not reached: {missing}" in caplog.text
    assert generated(result, me.poses[:1])[0].shape == (size, size, 3)
    whole = learnt(me, tmp_path, resume=True)
    assert all(np.array_equal(whole.weights[name], trained[0].weights[name]) for name in whole.weights)


def test_nothing_left_to_do_is_said_once(trained, me, caplog):
    result = learnt(me, trained[1], resume=True)
    assert caplog.text.count("nothing left to do") == 1
    assert all(np.array_equal(result.weights[name], trained[0].weights[name]) for name in result.weights)


def test_a_stage_begins_anew_when_what_it_builds_on_is_trained_further(me, tmp_path, caplog):
    config = dataclasses.replace(TINY, local_enhancers=0, steps=(4, 0, 2))

    def both(global_steps, resume):
        session = session_for(NAME, config, me, tmp_path, resume=resume, device="cpu")
        session.plan({"global": 1, "face": 1})
        session.stage("global", main_trainee(me, dataclasses.replace(config, face=False)), global_steps)
        return session.stage("face", main_trainee(me, config), 2)

    both(2, False)
    assert both(2, True).steps == 2 and "begins anew" not in caplog.text
    assert both(3, True).steps == 2
    assert "stage face begins anew: what it builds on has been trained further" in caplog.text


def test_a_new_run_forgets_the_stages_of_an_old_one(me, tmp_path):
    learnt(me, tmp_path)
    learnt(me, tmp_path, max_steps=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["global"]


def test_time_is_shared_by_the_stages(me, tmp_path, monkeypatch):
    asked = {}

    def run(trainee, folder, *, max_minutes, **_):
        asked[folder.name] = max_minutes
        used = {"global": 60.0, "local": 30.0}.get(folder.name, 1.0)
        weights = {name: value.numpy() for name, value in trainee.networks[trainee.shown].state_dict().items()}
        return training.Outcome(weights, 1, used, {})

    monkeypatch.setattr(training, "run", run)
    config = dataclasses.replace(TINY, shares=(0.2, 0.6, 0.2))
    learnt(me, tmp_path, config, max_minutes=10)
    # of 10 minutes a fifth; of the 9 that are left three quarters; then all of the rest
    assert asked == pytest.approx({"global": 2.0, "local": 6.75, "face": 8.5})


def test_other_settings_are_refused(trained, me):
    with pytest.raises(TrainingError, match=re.escape("config.lambda_fm was 10.0, is 3.0")):
        learnt(me, trained[1], dataclasses.replace(TINY, lambda_fm=3.0), resume=True)


def test_interrupted_is_told_by_the_stage(me, tmp_path, monkeypatch):
    class Stopped:
        signal = 2

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(training, "stop_signals", Stopped)
    with pytest.raises(Interrupted, match="stopped at step 0; saved, go on with `resume=True`"):
        learnt(me, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["global"]
