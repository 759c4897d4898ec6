"""Actors of layout 1, whose configs had no groups, still play as they did, and become actors of layout 2.

`assets/flat_config.actor` was trained and saved by understudy 0.1.0 (performance cloning at 32x32, 40 steps on
`tiny_performance(..., 1)`), and `assets/flat_config.png` holds, side by side, what it then painted of the first six
poses of `tiny_poses(12, 32, 2)`, in single precision.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tiny import tiny_performance, tiny_poses
from understudy.actor import VERSION, Actor
from understudy.base.files import load_tensors, save_tensors
from understudy.errors import ActorError
from understudy.media.images import read_image
from understudy.performing.driver import Driver
from understudy.performing.perform import perform_to_file
from understudy.recipes.parts.groups import Augmentation, Optimisation, Placement
from understudy.recipes.parts.player import moments
from understudy.retargeting.augmentation import PoseNoise

ASSETS = Path(__file__).parent / "assets"
OLD = ASSETS / "flat_config.actor"


@pytest.fixture(autouse=True)
def _in_float32(monkeypatch):
    """As the stored frames are, whatever this machine does quickest."""
    monkeypatch.setattr("understudy.base.devices.computes_in_bfloat16", lambda device: False)


def played(actor):
    return np.stack(list(actor.player("cpu").play(moments(tiny_poses(12, 32, 2)[:6]))))


def test_the_file_is_of_the_layout_before_groups():
    _, header = load_tensors(OLD, ActorError)
    assert header["version"] == 1 < VERSION
    assert header["config"]["rotate"] == 10 and header["config"]["pose_drop"] == 0.1
    assert not any(isinstance(value, dict) for value in header["config"].values())
    assert OLD.stat().st_size < 60_000


def test_flat_numbers_stand_in_their_groups():
    config = Actor.load(OLD).config
    assert config.placement == Placement(normalization="ground", scale_by="body", fit_limbs=True)
    assert config.optimisation == Optimisation(
        batch=4, learning_rate=0.002, betas=(0.4, 0.99), initial_deviation=0.02, ema_decay=0.9
    )
    assert config.augmentation == Augmentation(rotate=10, zoom=0.1, shift=0.05)
    assert config.pose_noise == PoseNoise(drop=0.1, jitter=0.02, stretch=0.2)
    assert (config.size, config.width, config.depth, config.steps, config.paired_only) == (32, 4, 3, 40, 0.34)
    assert (config.joint_sigma, config.lambda_vgg, config.features) == (1.5, 500, "random")
    assert config.mean_of_versions, "what all actors did before there was a choice"


def test_what_is_not_of_the_config_is_as_it_was():
    actor = Actor.load(OLD)
    assert (actor.recipe, actor.made_with, actor.reference_name) == ("performance-cloning", "0.1.0", "tiny1.mp4")
    assert (actor.record["steps"], actor.record["preset"], actor.record["seed"]) == (40, "preview", 7)
    assert actor.consent.text == "nobody needs to agree: it is a drawing"
    assert actor.ground is not None and actor.ground_printed is None  # of which it knew nothing
    assert not actor.paints_room


def test_it_plays_what_it_played():
    stored = np.stack(np.split(read_image(ASSETS / "flat_config.png").astype(int), 6, axis=1))
    frames = played(Actor.load(OLD)).astype(int)
    assert frames.shape == stored.shape == (6, 32, 32, 3)
    assert np.abs(frames - stored).max() <= 1
    assert np.ptp(stored, axis=0).max() > 20  # it does move


def test_saved_again_it_is_of_the_layout_of_today_and_the_same(tmp_path):
    actor = Actor.load(OLD)
    actor.save(tmp_path / "new.actor")
    _, header = load_tensors(tmp_path / "new.actor", ActorError)
    assert header["version"] == VERSION == 2
    assert header["config"]["augmentation"] == {"rotate": 10, "zoom": 0.1, "shift": 0.05}
    assert header["config"]["pose_noise"] == {"drop": 0.1, "jitter": 0.02, "stretch": 0.2}
    assert header["config"]["mean_of_versions"] is True
    again = Actor.load(tmp_path / "new.actor")
    assert again.config == actor.config and again.record == actor.record and again.ground == actor.ground
    np.testing.assert_array_equal(played(again), played(actor))


def test_features_are_called_as_they_are_today(tmp_path):
    tensors, header = load_tensors(OLD, ActorError)
    save_tensors(tmp_path / "me.actor", tensors, header | {"config": header["config"] | {"features": "imagenet"}})
    actor = Actor.load(tmp_path / "me.actor")
    assert actor.config == replace(Actor.load(OLD).config, features="vgg19")
    np.testing.assert_array_equal(played(actor), played(Actor.load(OLD)))


def test_it_performs_as_any_other(tmp_path):
    dance = tiny_performance(tmp_path / "dance.performance", 2)
    perform_to_file(Actor.load(OLD), Driver(dance), tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 12


def test_one_number_changed_leaves_the_others(tmp_path):
    actor = Actor.load(OLD).normalizing_by("similarity")
    assert actor.config == replace(
        Actor.load(OLD).config, placement=Placement(normalization="similarity", scale_by="body", fit_limbs=True)
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": 3}, "colour: there is no such number"),
        ({"batch": 3}, "batch must be even"),
        ({"pose_drop": 7}, "pose drop is a probability between 0 and 1, not 7"),
        ({"width": 8}, "its recipe needs <f4 (8, 36"),
    ],
)
def test_a_flat_config_that_is_not_right_is_refused_in_one_line(tmp_path, change, message):
    tensors, header = load_tensors(OLD, ActorError)
    save_tensors(tmp_path / "me.actor", tensors, header | {"config": header["config"] | change})
    with pytest.raises(ActorError) as caught:
        Actor.load(tmp_path / "me.actor")
    assert message in str(caught.value) and "\n" not in str(caught.value) and "me.actor" in str(caught.value)
