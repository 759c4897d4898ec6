"""One training step of every stage of every preset at its true size: what memory holds and shapes allow, no more.

Left out unless asked for (`make test-slow`): "paper" takes minutes a preset on a CPU, and gigabytes.
"""

import dataclasses

import numpy as np
import pytest

import understudy
from tiny import tiny_performance
from understudy.poses.similarity import Similarity
from understudy.recipes import every
from understudy.recipes.parts.player import moments

NETWORKS_OF_THEIR_OWN = {("freestyle-reenactment", "paper")}
"""learnt by `train-freestyle`, not from a reference: tests/recipes/test_freestyle_training.py takes their steps"""
PRESETS = [
    (name, preset) for name, one in every() for preset in one.presets if (name, preset) not in NETWORKS_OF_THEIR_OWN
]


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    return [tiny_performance(folder / f"{seed}.performance", seed, frames=40, size=128) for seed in (1, 2)]


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_one_step_of_every_stage(clips, tmp_path, monkeypatch, name, preset):
    monkeypatch.setenv("UNDERSTUDY_OFFLINE", "1")
    made_by = dict(every())[name]
    config, limit = made_by.preset(preset), {"max_steps": 1}
    if getattr(config, "features", None) == "auto":
        config = dataclasses.replace(config, features="random")  # as large as the published ones of VGG-19
    if stages := getattr(config, "stages", ()):  # steps count over all of them, so each is given one by its config
        config, limit = dataclasses.replace(config, steps=(1,) * len(config.shares)), {}
    me, dance = clips
    unpaired = [dance] if made_by.learns_from(config) else []
    actor = understudy.train(me, tmp_path / "me.actor", unpaired=unpaired, config=config, consent="made up", **limit)
    assert actor.size == config.size
    assert actor.record.get("stages", {}) == dict.fromkeys(stages, 1)
    assert all(np.isfinite(array).all() for array in actor.weights.values() if array.dtype.kind == "f")
    size_hw = (actor.size, actor.size)
    pose = Similarity.resized(actor.size / actor.working_size).of_pose(dance.poses[:1], size_hw)
    (frame,) = actor.player().play(moments(pose))
    assert frame.shape[:2] == size_hw and frame.dtype == np.uint8


def test_every_preset_of_every_recipe_is_tried():
    assert {"performance-cloning", "everybody-dance-now", "poses-in-the-wild"} <= {name for name, _ in PRESETS}
    assert len(PRESETS) >= 3 * 7
