import dataclasses
import json
import re

import numpy as np
import pytest
import torch

from tiny import session_for, tiny_performance
from understudy.base.files import load_tensors
from understudy.conditioning.clips import read_clip
from understudy.errors import TrainingError
from understudy.poses import pose as p
from understudy.recipes import performance_cloning
from understudy.recipes import pix2pix as recipe
from understudy.recipes.parts.groups import Augmentation, Optimisation
from understudy.recipes.parts.player import moments
from understudy.recipes.parts.settings import changed, numbers
from understudy.recipes.parts.trained import arrays_of
from understudy.recipes.parts.white_skeleton import standing

TINY = recipe.Config(
    size=32, width=4, depth=3, discriminator_width=4, joint_sigma=1.5, steps=6,
    optimisation=Optimisation(batch=2, ema_decay=0.9), augmentation=Augmentation(rotate=10, zoom=0.1, shift=0.05),
)  # fmt: skip


@pytest.fixture(scope="module")
def me(tmp_path_factory):
    return tiny_performance(tmp_path_factory.mktemp("me") / "me.performance", 1)


@pytest.fixture(scope="module")
def dance(tmp_path_factory):
    return tiny_performance(tmp_path_factory.mktemp("dance") / "dance.performance", 2, missing=(5,))


@pytest.fixture(scope="module")
def trained(me, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return learnt(me, folder), folder


def learnt(reference, folder, config=TINY, unpaired=(), **limits):
    return recipe.RECIPE.learn(session_for("pix2pix", config, reference, folder, unpaired, device="cpu", **limits))


def trainee_of(performance, config):
    session = session_for("pix2pix", config, performance, performance.path, device="cpu")
    clip = read_clip(performance, None, (16, 240, 16), 1, config.seen_above, config.size, 32, session.device)
    return recipe.Pix2Pix(session, clip)


def played(result, pose, batch=8):
    player = recipe.player(result.config, result.weights, result.statistics, "cpu")
    return list(player.play(moments(pose), batch))


@pytest.mark.parametrize("preset", [recipe.paper, recipe.fast, recipe.preview])
def test_every_preset_builds_and_survives_json(preset):
    config = preset()
    assert recipe.RECIPE.read_config(json.loads(json.dumps(dataclasses.asdict(config)))) == config
    recipe.generator_for(dataclasses.replace(config, width=2))


def test_the_paper_preset_has_the_paper_numbers():
    config = recipe.paper()
    assert (config.size, config.lambda_l1, config.dropout) == (256, 100, 0.5)
    assert config.optimisation == Optimisation(
        batch=1, learning_rate=2e-4, betas=(0.5, 0.999), initial_deviation=0.02, ema_decay=0
    )
    assert config.augmentation.amounts == (0, 0, 0)


@pytest.mark.parametrize("preset", ["fast", "preview"])
def test_what_is_not_compared_is_as_in_performance_cloning(preset):
    ours, theirs = getattr(recipe, preset)(), getattr(performance_cloning, preset)()
    our_values, their_values = ({number.name: number.value for number in numbers(one)} for one in (ours, theirs))
    differ = {name for name in our_values.keys() & their_values if our_values[name] != their_values[name]}
    assert differ == {"optimisation.batch", "epochs"}  # epochs are not used, as `steps` is given
    assert ours.steps == theirs.steps
    assert ours.optimisation.batch == theirs.optimisation.batch // 2  # half of theirs is paired


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 100}, "size 100 cannot be halved 8 times: use a multiple of 256"),
        ({"batch": 0}, "batch must be at least 1, not 0"),
        ({"ema_decay": 1.0}, "ema_decay must be at least 0 and below 1, not 1.0"),
    ],
)
def test_contradictions_are_refused(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        recipe.RECIPE.read_config(changes)


def test_one_pose_goes_in_and_one_frame_comes_out(me):
    trainee = trainee_of(me, TINY)
    x, y = trainee._pairs(0)
    assert x.shape == (2, 18, 32, 32) and y.shape == (2, 3, 32, 32)
    assert trainee.networks["generator"](x.float()).shape == (2, 3, 32, 32)
    assert trainee.networks["D"].layers[0].in_channels == 18 + 3


def test_pose_and_frame_of_a_pair_belong_together(me):
    """The figure is drawn along the joints: where their maps are high, the frame is not the flat colour."""
    trainee = trainee_of(me, TINY)
    for step in range(3):
        x, y = trainee._pairs(step)
        flat = torch.tensor([16, 240, 16]).view(1, 3, 1, 1) / 127.5 - 1
        person = (y - flat).abs().sum(1) > 0.3
        on_joints = x.float().amax(1) > x.float().amax() * 0.7
        assert person[on_joints].float().mean() > 0.8 > person.float().mean()


def test_a_run_writes_its_files_and_the_loss_falls(me, tmp_path):
    learnt(me, tmp_path, changed(TINY, {"steps": 60, "learning_rate": 2e-3}))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoints", "losses.jsonl", "previews", "run.json"]
    shown = sorted(file.name for file in (tmp_path / "previews").iterdir())  # earlier ones come by the clock
    assert shown[-2:] == ["step-0000060.mp4", "step-0000060.png"]
    logged = [json.loads(line) for line in (tmp_path / "losses.jsonl").read_text().splitlines()]
    assert set(logged[0]) == {"step", "seconds", "D", "gan", "l1"}
    assert logged[-1]["l1"] < 0.7 * logged[0]["l1"]


def test_the_record_says_how_it_was_made(trained):
    record = trained[0].record
    assert (record["steps"], record["features"], record["joined_at"], record["device"]) == (6, "none", None, "cpu")
    assert record["data"] == "12 pairs of the reference's poses and frames"
    assert record["augmentation"] == {"rotate": 10, "zoom": 0.1, "shift": 0.05}
    json.dumps(record)


def test_contents_are_what_training_leaves(trained):
    result, _ = trained
    weights, statistics = recipe.contents(result.config)
    assert weights == arrays_of(recipe.generator_for(TINY))
    assert {name: (value.dtype.str, value.shape) for name, value in result.weights.items()} == weights
    assert {name: (value.dtype.str, value.shape) for name, value in result.statistics.items()} == statistics


def test_generation_gives_one_frame_a_pose_whatever_the_batch(trained, dance):
    result, _ = trained
    frames = played(result, dance.poses, batch=5)
    assert len(frames) == 12
    assert frames[0].shape == (32, 32, 3) and frames[0].dtype == np.uint8
    one_by_one = played(result, dance.poses, batch=1)
    assert max(np.abs(a.astype(int) - b).max() for a, b in zip(frames, one_by_one, strict=True)) <= 4


def test_the_same_poses_always_give_the_same_frames(trained, dance):
    result, _ = trained
    assert result.config.dropout == 0.5
    once, twice = (played(result, dance.poses[:3]) for _ in range(2))
    assert np.array_equal(once, twice)


def test_a_resumed_run_ends_as_the_unbroken_one(trained, me, tmp_path):
    learnt(me, tmp_path, max_steps=3)
    learnt(me, tmp_path, resume=True)
    last = "checkpoints/step-00000006.safetensors"
    one, two = (load_tensors(folder / last, TrainingError)[0] for folder in (trained[1], tmp_path))
    assert one.keys() == two.keys()
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_driving_clips_change_nothing_and_that_is_said(trained, me, dance, tmp_path, caplog):
    result = learnt(me, tmp_path, unpaired=[dance])
    assert "pix2pix learns from the reference alone: nothing is learnt from dance.performance" in caplog.text
    assert all(np.array_equal(result.weights[name], trained[0].weights[name]) for name in result.weights)


def test_too_little_footage_is_said(tmp_path):
    short = tiny_performance(tmp_path / "short.performance", frames=2, missing=(1,))
    with pytest.raises(TrainingError, match="has 1 frame with a person in them; training needs at least 2"):
        learnt(short, tmp_path / "run")


# -- Figment's white skeleton as the condition -----------------------------------------------------------------------

WHITE = dataclasses.replace(TINY, condition="white skeleton", size=64, width=4)


def test_a_white_skeleton_lies_on_its_person(me):
    session = session_for("pix2pix", WHITE, me, me.path, device="cpu")
    clip = read_clip(me, None, (16, 240, 16), 1, WHITE.seen_above, 64, 32, session.device, all_points=True)
    trainee = recipe.Pix2Pix(session, clip)
    x, y = trainee._pairs(0)
    assert x.shape == (2, 3, 64, 64) and trainee.networks["D"].layers[0].in_channels == 6
    person = (y - torch.tensor([16, 240, 16]).view(1, 3, 1, 1) / 127.5 + 1).abs().sum(1) > 0.3
    white = x[:, 0].float() > 0.9
    assert white.any() and person[white].float().mean() > 1.5 * person.float().mean()


def test_a_training_on_white_skeletons_is_resumed_and_played(me, dance, tmp_path):
    result = learnt(me, tmp_path / "whole", WHITE)
    learnt(me, tmp_path / "halved", WHITE, max_steps=3)
    resumed = learnt(me, tmp_path / "halved", WHITE, resume=True)
    assert all(np.array_equal(result.weights[name], resumed.weights[name]) for name in result.weights)
    weights, statistics = recipe.contents(WHITE)
    assert {name: (value.dtype.str, value.shape) for name, value in result.weights.items()} == weights
    assert {name: (value.dtype.str, value.shape) for name, value in result.statistics.items()} == statistics
    frames = played(result, dance.poses, batch=5)
    assert len(frames) == 12 and frames[0].shape == (64, 64, 3)
    assert np.ptp(frames, axis=0).max() > 0  # another pose, another picture


def test_the_floor_and_the_height_are_measured_by_hand():
    xy = np.zeros((10, 133, 2))
    xy[:, p.NOSE, 1] = 20 - 0.5
    xy[:, [p.LEFT_ANKLE, p.RIGHT_ANKLE], 1] = np.array([89, 91]) - 0.5
    xy[:, [p.LEFT_HIP, p.RIGHT_HIP], 0] = np.array([38, 46]) - 0.5
    xy[:3, :, 1] -= 15  # jumps
    seen = np.ones((10, 133), bool)
    assert standing(xy, seen, 100) == pytest.approx([0.9, 0.7, 0.42])
    seen[:, p.NOSE] = False
    assert standing(xy, seen, 100).tolist() == [0, 0, 0]


def test_golden_losses(me):
    """A change that should not alter numbers must reproduce these; one that should says so and why."""
    trainee = trainee_of(me, TINY)
    torch.manual_seed(0)
    named = {name: float(value.detach()) for name, value in trainee.training_step(3).items()}
    assert named == pytest.approx(GOLDEN, rel=0.02)


GOLDEN = {"D": 0.6907, "gan": 0.6885, "l1": 77.368}
