import dataclasses
import json
import re

import numpy as np
import pytest
import torch

from tiny import session_for, tiny_performance
from understudy import losses
from understudy.actor import Actor
from understudy.base.files import load_tensors
from understudy.conditioning.clips import read_clip
from understudy.conditioning.pictures import pixels
from understudy.consent import Consent
from understudy.errors import ActorError, TrainingError
from understudy.performing.perform import driving_frames
from understudy.poses.pose import OPENPOSE18_LIMBS
from understudy.recipes import cyclegan as recipe
from understudy.recipes import performance_cloning
from understudy.recipes.parts.cyclegan_domains import aligned_clip, stick_figures
from understudy.recipes.parts.groups import Augmentation, Optimisation
from understudy.recipes.parts.player import moments
from understudy.recipes.parts.settings import changed
from understudy.retargeting.alignment import align, body_statistics

POSES = recipe.Config(
    size=32, width=4, blocks=1, discriminator_width=4, limb_sigma=1, history=2, steps=8,
    optimisation=Optimisation(ema_decay=0.9), augmentation=Augmentation(rotate=10, zoom=0.1, shift=0.05),
)  # fmt: skip
FRAMES = dataclasses.replace(POSES, condition="frames")
STILL = {"rotate": 0, "zoom": 0, "shift": 0}
BOTH = pytest.mark.parametrize("config", [POSES, FRAMES], ids=["poses", "frames"])


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    return tiny_performance(folder / "me.performance", 1), tiny_performance(
        folder / "dance.performance", 2, missing=(5,)
    )


@pytest.fixture(scope="module")
def trained(pair, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return {
        config.condition: learnt(pair[0], folder / config.condition, config, drivers_of(pair, config))
        for config in (POSES, FRAMES)
    }, folder


def learnt(reference, folder, config, unpaired=(), **limits):
    return recipe.RECIPE.learn(session_for("cyclegan", config, reference, folder, unpaired, device="cpu", **limits))


def drivers_of(pair, config):
    return pair[1:] if config.condition == "frames" else []


def trainee_of(pair, config):
    session = session_for("cyclegan", config, pair[0], pair[0].path, pair[1:], device="cpu")
    reference = read_clip(pair[0], None, (16, 240, 16), 1, config.seen_above, config.size, 32, session.device)
    colour = {"driving_colour": np.array((240, 16, 240), np.uint8)}
    driver = aligned_clip(config, colour, pair[1], body_statistics(pair[0].poses), 32, session.device)
    return recipe.CycleGAN(session, reference, [driver])


def player_of(result):
    return recipe.player(result.config, result.weights, result.statistics, "cpu")


def driven(pair, result):
    return driving_frames(Actor.of(result, pair[0], "cyclegan", "preview", Consent("made up", "")), pair[1])


@pytest.mark.parametrize("preset", [recipe.paper, recipe.fast, recipe.preview])
def test_every_preset_builds_and_survives_json(preset):
    config = preset()
    assert recipe.RECIPE.read_config(json.loads(json.dumps(dataclasses.asdict(config)))) == config
    recipe.generator_for(dataclasses.replace(config, width=2))


def test_the_paper_preset_has_the_paper_numbers():
    config = recipe.paper()
    assert (config.size, config.width, config.blocks, config.history) == (256, 64, 9, 50)
    assert (config.lambda_cycle, config.lambda_identity, config.epochs) == (10, 5, 200)
    assert config.optimisation == Optimisation(
        batch=1, learning_rate=2e-4, betas=(0.5, 0.999), initial_deviation=0.02, ema_decay=0
    )
    assert config.augmentation.amounts == (0, 0, 0)


@pytest.mark.parametrize("preset", ["fast", "preview"])
def test_augmentation_and_budget_are_as_in_performance_cloning(preset):
    ours, theirs = getattr(recipe, preset)(), getattr(performance_cloning, preset)()
    for name in ("size", "steps", "augmentation", "placement"):
        assert getattr(ours, name) == getattr(theirs, name)
    for name in ("ema_decay", "learning_rate"):
        assert getattr(ours.optimisation, name) == getattr(theirs.optimisation, name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"condition": "words"}, "condition is 'words': it must be frames or poses"),
        ({"size": 100}, "size must be a multiple of 8 from 32 up, not 100"),
        ({"blocks": 0}, "blocks must be at least 1, not 0"),
        ({"batch": 0}, "batch must be at least 1, not 0"),
        ({"history": -1}, "history must be at least 0, not -1"),
        ({"ema_decay": 1.0}, "ema_decay must be at least 0 and below 1, not 1.0"),
    ],
)
def test_contradictions_are_refused(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        recipe.RECIPE.read_config(changes)


@pytest.mark.parametrize("halvings", [0, 1])
def test_the_decay_leaves_the_loops_own_rate_alone(pair, halvings):
    """In the last step a weight moves by a quarter of the rate, which the loop may have halved after a NaN."""
    trainee = trainee_of(pair, POSES)
    for optimizer in trainee.optimizers.values():
        optimizer.param_groups[0]["lr"] *= 0.5**halvings
    weight = trainee.networks["generator"].layers[1].weight
    before = weight.detach().clone()
    trainee.training_step(7)
    # Adam's first step moves every weight with a gradient by the learning rate
    rate = POSES.optimisation.learning_rate * 0.5**halvings
    assert (weight - before).abs().max().item() == pytest.approx(rate / 4, rel=1e-2)
    assert all(o.param_groups[0]["lr"] == rate for o in trainee.optimizers.values())


def test_the_domains_share_no_order(pair):
    trainee = trainee_of(pair, changed(POSES, STILL))
    order = {
        choice: [int(trainee._drawn(trainee.reference, choice, 9, step)[0]) for step in range(12)]
        for choice in (recipe.CHOICE_A, recipe.CHOICE_B)
    }
    assert sorted(order[recipe.CHOICE_A]) == sorted(order[recipe.CHOICE_B]) == list(range(12))
    assert order[recipe.CHOICE_A] != order[recipe.CHOICE_B]


@BOTH
def test_losses_are_those_of_the_condition(pair, config):
    named = trainee_of(pair, config).training_step(0)
    common = {"D_A", "D_B", "gan_G", "gan_F", "cycle_A", "cycle_B"}
    assert set(named) == common | ({"identity_A", "identity_B"} if config is FRAMES else set())


def test_the_losses_are_the_papers(pair):
    trainee = trainee_of(pair, FRAMES)
    a, b = trainee._domain_a(0), trainee._domain_b(0)
    with torch.no_grad():
        fake_b, fake_a = trainee.G(a), trainee.F(b)
        expected = {
            "D_B": 0.5 * ((trainee.D_B(b) - 1).square().mean() + trainee.D_B(fake_b).square().mean()),
            "cycle_A": 10 * (trainee.F(fake_b) - a).abs().mean(),
            "cycle_B": 10 * (trainee.G(fake_a) - b).abs().mean(),
            "identity_B": 5 * (trainee.G(b) - b).abs().mean(),
        }
    named = trainee.training_step(0)
    assert {name: named[name].item() for name in expected} == pytest.approx(
        {name: value.item() for name, value in expected.items()}, rel=0.02
    )


def test_stick_figures_draw_what_is_seen():
    xy = torch.full((2, 18, 2), 8.0)
    xy[:, 1], xy[:, 2] = torch.tensor([4.0, 16.0]), torch.tensor([28.0, 16.0])  # a shoulder, from left to right
    seen = torch.zeros(2, 18, dtype=torch.bool)
    seen[0, [1, 2]] = True
    one, none = stick_figures(xy, seen, 32, 1.0)
    assert one.shape == (3, 32, 32)
    assert torch.equal(none, -torch.ones(3, 32, 32))
    bright = one.amax(0)
    assert bright[16, 4:29].min() > 0.9
    assert bright[10].max() < -0.99 and bright[16, 0] < -0.9


def test_every_limb_has_a_colour_of_its_own():
    xy = torch.rand(1, 18, 2) * 32
    seen = torch.zeros(17, 18, dtype=torch.bool)
    for limb, ends in enumerate(OPENPOSE18_LIMBS):
        seen[limb, list(ends)] = True
    colours = stick_figures(xy.expand(17, 18, 2), seen, 32, 4.0).amax(dim=(2, 3))
    assert (torch.cdist(colours, colours) + torch.eye(17)).min() > 0.1


def test_driving_frames_lie_where_the_aligned_poses_are(pair, trained):
    """The figure is drawn along its joints: aligned frames show it at the aligned joints, over the driver's colour."""
    result = trained[0]["frames"]
    frames = np.stack(list(driven(pair, result)))
    assert frames.shape == (12, 32, 32, 3) and frames.dtype == np.uint8
    person = np.abs(frames - result.statistics["driving_colour"].astype(float)).sum(-1) > 60
    scale_by = result.config.placement.scale_by
    alignment = align(body_statistics(pair[1].poses), body_statistics(pair[0].poses), scale_by)
    assert abs(alignment.scale - 1) > 0.01 or max(map(abs, alignment.translation_xy)) > 0.3  # else this proves nothing
    xy, _ = alignment.of_pose(pair[1].poses, (32, 32)).openpose18()
    assert _share_on(person, xy) > 0.95
    rows = person.any(2)
    height = np.mean([np.flatnonzero(row)[-1] - np.flatnonzero(row)[0] for row in rows])
    span = np.ptp(xy[:, :, 1], axis=1).mean()
    assert height == pytest.approx(span + 3, abs=1.5)


def _share_on(person, xy):
    x, y = xy.round().astype(int).transpose(2, 0, 1).clip(0, 31)
    return person[np.arange(len(xy))[:, None], y, x].mean()


def test_training_sees_what_driving_frames_gives(pair, trained):
    result = trained[0]["frames"]
    trainee = trainee_of(pair, changed(FRAMES, STILL))
    clip = dataclasses.replace(trainee.drivers[0], colour=tuple(result.statistics["driving_colour"].tolist()))
    seen = np.stack(list(pixels(clip.frames_at(torch.arange(12), clip.to_picture.expand(12, 2, 3), 32))))
    inside = np.abs(seen - np.stack(list(driven(pair, result))).astype(int)).max(-1) < 3
    assert inside[:, 8:24, 14:18].mean() > 0.9  # where the person covers whatever colour is behind


@BOTH
def test_a_run_writes_its_files_and_the_loss_falls(pair, tmp_path, config):
    learnt(pair[0], tmp_path, changed(config, {"steps": 50, "learning_rate": 3e-3}), drivers_of(pair, config))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoints", "losses.jsonl", "previews", "run.json"]
    assert sorted(p.name for p in (tmp_path / "previews").iterdir()) == ["step-0000050.mp4", "step-0000050.png"]
    logged = [json.loads(line) for line in (tmp_path / "losses.jsonl").read_text().splitlines()]
    first, last = (line["cycle_A"] + line["cycle_B"] for line in (logged[0], logged[-1]))
    assert last < 0.7 * first


@BOTH
def test_a_resumed_run_ends_as_the_unbroken_one(pair, trained, tmp_path, config):
    """Broken off when the history is full and changing; it is part of what must be equal."""
    learnt(pair[0], tmp_path, config, drivers_of(pair, config), max_steps=5)
    learnt(pair[0], tmp_path, config, drivers_of(pair, config), resume=True)
    last = "checkpoints/step-00000008.safetensors"
    one, two = (load_tensors(f / last, TrainingError)[0] for f in (trained[1] / config.condition, tmp_path))
    assert one.keys() == two.keys()
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert one["network/history_A/pictures"].shape == (2, 3, 32, 32)
    assert int(one["network/history_A/filled"]) == 2
    assert one["network/history_B/pictures"].any()


@BOTH
def test_the_record_says_how_it_was_made(trained, config):
    record = trained[0][config.condition].record
    assert (record["steps"], record["features"], record["joined_at"], record["device"]) == (8, "none", None, "cpu")
    of_a = "11 frames of the driver" if config is FRAMES else "12 poses of the reference"
    assert record["data"] == f"unpaired: {of_a}, 12 frames of the reference"
    assert record["augmentation"] == {"rotate": 10, "zoom": 0.1, "shift": 0.05}
    json.dumps(record)


@BOTH
def test_contents_are_what_training_leaves(trained, config):
    result = trained[0][config.condition]
    weights, statistics = recipe.contents(config)
    assert {name: (value.dtype.str, value.shape) for name, value in result.weights.items()} == weights
    assert {name: (value.dtype.str, value.shape) for name, value in result.statistics.items()} == statistics


@BOTH
def test_generation_gives_one_frame_each_whatever_the_batch(pair, trained, config):
    result = trained[0][config.condition]
    player = player_of(result)

    def played(batch):
        frames = driven(pair, result) if "frames" in player.needs else None
        return list(player.play(moments(pair[1].poses, frames), batch))

    frames, one_by_one = played(5), played(1)
    assert len(frames) == len(one_by_one) == 12
    assert frames[0].shape == (32, 32, 3) and frames[0].dtype == np.uint8
    assert max(np.abs(a.astype(int) - b).max() for a, b in zip(frames, one_by_one, strict=True)) <= 6


def test_each_condition_plays_what_it_needs_and_nothing_else(pair, trained):
    frames, poses = (player_of(trained[0][condition]) for condition in ("frames", "poses"))
    assert (frames.needs, poses.needs) == (("frames",), ("poses",))
    with pytest.raises(ActorError, match="translates a driver's frames and cannot play poses: give it a video"):
        next(frames.play(moments(pair[1].poses)))
    some, other = pair[1].poses[:3], pair[1].poses[3:6]
    pictures = list(driven(pair, trained[0]["frames"]))
    seen = [list(poses.play(moments(some, given))) for given in (None, pictures)]
    assert np.array_equal(*seen)
    translated = [list(frames.play(moments(pose, pictures[:3]))) for pose in (some, other)]
    assert np.array_equal(*translated)


def test_frames_need_a_driver(pair, tmp_path):
    with pytest.raises(TrainingError, match="give a driving clip, or set condition to poses"):
        learnt(pair[0], tmp_path, FRAMES)


def test_with_poses_driving_clips_change_nothing_and_that_is_said(pair, trained, tmp_path, caplog):
    result = learnt(pair[0], tmp_path, POSES, [pair[1]])
    assert "CycleGAN learns from the reference alone: nothing is learnt from dance.performance" in caplog.text
    expected = trained[0]["poses"].weights
    assert all(np.array_equal(result.weights[name], expected[name]) for name in expected)


@pytest.mark.parametrize("empty", ["reference", "driver"])
def test_clips_without_a_person_are_named(pair, tmp_path, empty):
    nobody = tiny_performance(tmp_path / "nobody.performance", frames=3, missing=(0, 1, 2))
    clips = (nobody, pair[1]) if empty == "reference" else (pair[0], nobody)
    with pytest.raises(TrainingError, match=r"tiny\d\.mp4 has no frame with a person in it"):
        learnt(clips[0], tmp_path / "run", FRAMES, clips[1:])


def test_a_nan_in_the_generators_phase_is_skipped(pair, tmp_path, monkeypatch, caplog):
    calls, fool = [], losses.least_squares_generator_loss

    def once_nan(values):
        calls.append(1)
        return fool(values) * (float("nan") if len(calls) == 3 else 1)

    monkeypatch.setattr(losses, "least_squares_generator_loss", once_nan)
    result = learnt(pair[0], tmp_path, POSES)
    assert "skipped: the loss gan_G is not a number" in caplog.text
    assert result.record["steps"] == 8
    assert all(np.isfinite(value).all() for value in result.weights.values())


@BOTH
def test_golden_losses(pair, config):
    """A change that should not alter numbers must reproduce these; one that should says so and why."""
    named = {name: float(value.detach()) for name, value in trainee_of(pair, config).training_step(3).items()}
    assert named == pytest.approx(GOLDEN[config.condition], rel=0.02)


GOLDEN = {
    "poses": {"D_A": 0.6005, "D_B": 0.5708, "gan_G": 1.261, "gan_F": 0.881, "cycle_A": 9.4064, "cycle_B": 8.0869},
    "frames": {
        "D_A": 0.4612, "D_B": 0.5679, "gan_G": 1.3088, "gan_F": 0.9333, "cycle_A": 7.0365, "cycle_B": 8.0869,
        "identity_A": 3.6575, "identity_B": 4.078,
    },
}  # fmt: skip
