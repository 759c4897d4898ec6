import dataclasses
import functools
import json
import multiprocessing
import random
import re
import signal
import time

import numpy as np
import pytest
import torch

from tiny import session_for, tiny_performance
from understudy import losses
from understudy.base.files import load_tensors
from understudy.conditioning.clips import read_clip
from understudy.conditioning.heatmaps import joint_statistics
from understudy.errors import TrainingError
from understudy.networks import perceptual
from understudy.performance import Performance
from understudy.recipes import performance_cloning as recipe
from understudy.recipes.parts.groups import Augmentation, Optimisation
from understudy.recipes.parts.player import moments
from understudy.recipes.parts.settings import changed
from understudy.retargeting.alignment import align, body_statistics
from understudy.training import loop

TINY = recipe.Config(
    size=32, width=4, depth=3, discriminator_width=4, joint_sigma=1.5, limb_sigma=3, features="random", steps=6,
    paired_only=0.34, optimisation=Optimisation(batch=4, ema_decay=0.9),
    augmentation=Augmentation(rotate=10, zoom=0.1, shift=0.05), mean_of_versions=True,
)  # fmt: skip
STILL = {"rotate": 0, "zoom": 0, "shift": 0}


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    return tiny_performance(folder / "me.performance", 1), tiny_performance(
        folder / "dance.performance", 2, missing=(5,)
    )


@pytest.fixture(scope="module")
def trained(pair, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return learnt(pair[0], folder, unpaired=[pair[1]]), folder


def learnt(reference, folder, config=TINY, unpaired=(), **limits):
    session = session_for("performance-cloning", config, reference, folder, unpaired, device="cpu", **limits)
    return recipe.RECIPE.learn(session)


def trainee_of(pair, config, unpaired=True):
    session = session_for("performance-cloning", config, pair[0], pair[0].path, device="cpu")
    body = body_statistics(pair[0].poses)
    options = (config.consecutive, config.seen_above, config.size, pair[0].header.size_hw[0], session.device)
    reference = read_clip(pair[0], None, (16, 240, 16), *options)
    others = [read_clip(pair[1], align(body_statistics(pair[1].poses), body), None, *options)] if unpaired else []
    return recipe.PerformanceCloning(session, reference, others)


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
    assert (config.size, config.consecutive, config.optimisation.batch, config.epochs) == (256, 2, 8, 150)
    assert (config.lambda_vgg, config.lambda_s, config.lambda_tc) == (10, 0.1, 10)
    assert (config.optimisation.learning_rate, config.optimisation.betas) == (2e-4, (0.5, 0.999))
    assert (*config.augmentation.amounts, config.optimisation.ema_decay) == (0, 0, 0, 0)
    assert not config.pose_noise and not config.mean_of_versions
    generator = recipe.generator_for(config)
    assert generator.down[0][0].in_channels == 2 * 18
    assert generator.up[-1][1].out_channels == 2 * 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 100}, "size 100 cannot be halved 8 times: use a multiple of 256"),
        ({"consecutive": 0}, "consecutive must be at least 1, not 0"),
        ({"batch": 5}, "batch must be even, half of it paired: not 5"),
        ({"lambda_gan": 0, "lambda_vgg": 0}, "one of lambda_gan, lambda_vgg and lambda_rgb must be above 0"),
        ({"paired_only": 2.0}, "paired_only is a share between 0 and 1, not 2.0"),
        ({"pose_drop": 2.0}, "pose drop is a probability between 0 and 1, not 2.0"),
        ({"ema_decay": 1.0}, "ema_decay must be at least 0 and below 1, not 1.0"),
    ],
)
def test_contradictions_are_refused(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        recipe.RECIPE.read_config(changes)


def test_discriminators_see_the_channels_of_the_paper(pair):
    trainee = trainee_of(pair, TINY)
    n, j = TINY.consecutive, 18
    assert trainee.networks["D_p"].layers[0].in_channels == n * (3 + j)
    assert trainee.networks["D_s"].layers[0].in_channels == n * 3


def test_damage_is_done_to_the_reference_poses_and_to_nothing_else(pair):
    config = changed(TINY, {"drop": 0.3, "jitter": 0.05, "stretch": 0.3})
    plain, damaged = trainee_of(pair, TINY), trainee_of(pair, config)
    assert torch.equal(plain.maps.mean, damaged.maps.mean)
    for step in range(2):
        (poses, x), (damaged_poses, same_x) = plain._paired(step), damaged._paired(step)
        assert torch.equal(x, same_x)
        assert poses.shape == damaged_poses.shape
        assert (poses - damaged_poses).abs().mean() > 0.05
        assert torch.equal(damaged_poses, damaged._paired(step)[0])
        assert all(torch.equal(a, b) for a, b in zip(plain._unpaired(step), damaged._unpaired(step), strict=True))
    drawn_as_one = trainee_of(pair, changed(TINY, {"jitter": 1e-9}))._paired(0)[0]
    assert torch.allclose(drawn_as_one, plain._paired(0)[0], atol=1e-3)


def test_the_unpaired_branch_joins_when_the_schedule_says(pair):
    trainee = trainee_of(pair, TINY)
    assert trainee.joins_at == 2
    assert set(trainee.training_step(1)) == {"D_p", "gan_p", "vgg"}
    assert set(trainee.training_step(2)) == {"D_p", "D_s", "gan_p", "vgg", "gan_s", "tc"}


def test_terms_of_weight_zero_are_left_out(pair):
    config = dataclasses.replace(TINY, lambda_gan=0, lambda_vgg=0, lambda_rgb=10, lambda_s=0)
    trainee = trainee_of(pair, config)
    before = [value.clone() for value in trainee.networks["D_p"].parameters()]
    assert trainee.training_step(3).keys() == {"rgb"}
    assert all(torch.equal(a, b) for a, b in zip(before, trainee.networks["D_p"].parameters(), strict=True))


def test_without_unpaired_data_the_paired_branch_trains_alone(pair):
    trainee = trainee_of(pair, TINY, unpaired=False)
    assert set(trainee.training_step(5)) == {"D_p", "gan_p", "vgg"}


@pytest.mark.parametrize("consecutive", [1, 2, 3])
def test_any_number_of_consecutive_frames(pair, consecutive):
    trainee = trainee_of(pair, dataclasses.replace(TINY, consecutive=consecutive))
    named = trainee.training_step(4)
    assert all(torch.isfinite(value) for value in named.values())
    assert (named["tc"] == 0) == (consecutive == 1)


def test_windows_with_a_missing_frame_are_left_out(pair):
    trainee = trainee_of(pair, TINY)
    assert trainee.unpaired[0].windows.tolist() == [0, 1, 2, 3, 6, 7, 8, 9, 10]


def test_real_frames_satisfy_their_own_flow(pair):
    """L_tc of an ideal generator: the driving frames themselves, warped by the stored flow, nearly fit the next."""
    trainee = trainee_of(pair, changed(TINY, STILL))
    reference = dataclasses.replace(
        trainee.reference, flow=torch.from_numpy(np.array(pair[0].flow())).permute(0, 3, 1, 2).contiguous()
    )
    later = torch.arange(1, 12)
    transform = reference.to_picture.expand(11, 2, 3)
    before, after = reference.frames_at(later - 1, transform, 32), reference.frames_at(later, transform, 32)
    flow = reference.flow_at(later, transform, 32)
    alpha = torch.ones(11, 1, 32, 32)
    warped = losses.temporal_coherence(alpha, before, after, flow).mean()
    backwards = losses.temporal_coherence(alpha, before, after, -flow).mean()
    assert warped < backwards


def test_a_run_writes_its_files_and_the_loss_falls(pair, tmp_path):
    learnt(pair[0], tmp_path, changed(TINY, {"steps": 60, "paired_only": 1.0, "learning_rate": 2e-3}))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoints", "losses.jsonl", "previews", "run.json"]
    previews = sorted(p.name for p in (tmp_path / "previews").iterdir())
    assert previews[-2:] == ["step-0000060.mp4", "step-0000060.png"], "earlier ones come by the clock"
    vgg = [json.loads(line)["vgg"] for line in (tmp_path / "losses.jsonl").read_text().splitlines()]
    assert vgg[-1] < 0.8 * vgg[0]


def test_the_record_says_how_it_was_made(trained):
    result, _ = trained
    assert result.record["steps"] == 6
    assert result.record["features"] == "random"
    assert result.record["device"] == "cpu"
    assert result.record["precision"] in ("bf16-mixed", "32-true")
    assert result.record["joined_at"] == 2
    assert result.statistics["joint_mean"].shape == (18,)
    assert result.statistics["flat_colour"].dtype == np.uint8


def test_without_vgg19_lite0_is_compared_and_the_record_says_so(pair, tmp_path, monkeypatch):
    monkeypatch.setenv("UNDERSTUDY_OFFLINE", "1")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    result = learnt(pair[0], tmp_path / "run", changed(TINY, {"features": "auto"}), max_steps=1)
    assert result.record["features"] == "lite0"
    assert json.loads((tmp_path / "run" / "run.json").read_text())["settings"]["features"] == "lite0"
    assert 0 < result.record["losses"]["vgg"] < 1e3


def test_generation_gives_one_frame_a_pose_whatever_the_batch(pair, trained):
    result, _ = trained
    frames = played(result, pair[1].poses, batch=5)
    assert len(frames) == 12
    assert frames[0].shape == (32, 32, 3) and frames[0].dtype == np.uint8
    one_by_one = played(result, pair[1].poses, batch=1)
    assert max(np.abs(a.astype(int) - b).max() for a, b in zip(frames, one_by_one, strict=True)) <= 4
    assert played(result, pair[1].poses[:1])[0].shape == (32, 32, 3)


@pytest.mark.parametrize("consecutive", [1, 2, 3])
def test_what_is_shown_is_the_mean_of_a_moments_versions(pair, consecutive):
    trainee = trainee_of(pair, dataclasses.replace(TINY, consecutive=consecutive))
    mean, last = (
        recipe._player(dataclasses.replace(trainee.config, mean_of_versions=chosen), generator, trainee.maps)
        for generator in [trainee.networks["generator"].eval()]
        for chosen in (True, False)
    )
    pose = trainee.reference.poses_in(32)[:4]
    windows = list(mean.windows(moments(pose)))
    shown, latest = list(mean.play(moments(pose))), list(last.play(moments(pose)))
    assert len(shown) == len(latest) == 4
    for moment, frame in enumerate(shown):
        versions = [windows[t][consecutive - 1 - (t - moment)] for t in range(moment, min(moment + consecutive, 4))]
        np.testing.assert_allclose(frame, np.mean(versions, axis=0), atol=0.5)
        np.testing.assert_array_equal(latest[moment], versions[0])


def test_too_little_footage_is_said(tmp_path):
    short = tiny_performance(tmp_path / "short.performance", frames=2)
    with pytest.raises(TrainingError, match="has 1 run of 2 frames with a person in them; training needs at least 2"):
        learnt(short, tmp_path / "run")


@pytest.mark.parametrize("consecutive", [1, 3])
def test_previews_fit_any_number_of_consecutive_frames(pair, tmp_path, consecutive):
    trainee = trainee_of(pair, dataclasses.replace(TINY, consecutive=consecutive))
    trainee.preview(trainee.networks["generator"].eval(), tmp_path, 1)
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".mp4", ".png"]


def test_it_is_said_when_the_driver_was_not_learnt_from(pair, tmp_path, caplog):
    absent = tiny_performance(tmp_path / "absent.performance", 3, missing=tuple(range(1, 12, 2)))
    result = learnt(pair[0], tmp_path / "run", unpaired=[pair[1], absent], max_steps=2)
    assert result.record["joined_at"] is None
    assert "the driving motion was not learnt from: that begins at step 2" in caplog.text
    assert "absent.performance is left out: it has no 2 frames on end with a person" in caplog.text
    alone = learnt(pair[0], tmp_path / "alone", max_steps=1)
    assert alone.record["joined_at"] is None
    assert caplog.text.count("not learnt from") == 1


def test_resuming_with_other_data_or_features_is_refused(pair, tmp_path, monkeypatch):
    def go_on(reference):
        learnt(reference, tmp_path / "run", max_steps=4, resume=True)

    learnt(pair[0], tmp_path / "run", max_steps=2)
    tracked_anew = tiny_performance(tmp_path / "me.performance", 1, missing=(3,))  # of the same source video
    assert tracked_anew.header.source_sha256 == pair[0].header.source_sha256
    with pytest.raises(TrainingError, match=r"reference was .*, is .*: repeat the `preset`"):
        go_on(tracked_anew)
    with monkeypatch.context() as patch, pytest.raises(TrainingError, match="features was random, is lite0"):
        patch.setattr(perceptual, "_choose", lambda features: ("lite0", None))
        go_on(pair[0])
    go_on(pair[0])


def test_frames_without_a_person_do_not_enter_the_statistics(pair, tmp_path):
    gappy = tiny_performance(tmp_path / "gappy.performance", 1, missing=(0, 1, 2, 3))
    trainee, whole = trainee_of((gappy, pair[1]), TINY), trainee_of(pair, TINY)
    shorter = dataclasses.replace(whole.reference, xy=whole.reference.xy[4:], seen=whole.reference.seen[4:])
    xy, seen = shorter.all_joints()
    mean, deviation = joint_statistics(xy, seen, (32, 32), TINY.joint_sigma)
    assert torch.equal(trainee.maps.mean, mean) and torch.equal(trainee.maps.deviation, deviation)
    assert not torch.equal(whole.maps.mean, mean)


def test_a_nan_in_the_generators_phase_is_skipped(pair, tmp_path, monkeypatch, caplog):
    calls = []

    def once_nan(logits):
        calls.append(1)
        return losses_of_g(logits) * (float("nan") if len(calls) == 3 else 1)

    losses_of_g = losses.generator_loss
    monkeypatch.setattr(losses, "generator_loss", once_nan)
    result = learnt(pair[0], tmp_path, unpaired=[pair[1]])
    assert "skipped: the loss gan_p is not a number" in caplog.text
    assert result.record["steps"] == 6
    assert all(np.isfinite(value).all() for value in result.weights.values())


def test_running_out_of_memory_is_said_in_a_line(pair, tmp_path, monkeypatch):
    def full(*_, **__):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    monkeypatch.setattr(recipe, "read_clip", full)
    with pytest.raises(TrainingError, match="memory ran out"):
        learnt(pair[0], tmp_path)


def test_golden_losses(pair):
    """A change that should not alter numbers must reproduce these; one that should says so and why."""
    trainee = trainee_of(pair, TINY)
    torch.manual_seed(0)
    named = {name: float(value.detach()) for name, value in trainee.training_step(3).items()}
    assert named == pytest.approx(GOLDEN, rel=0.02)


GOLDEN = {"D_p": 1.4127, "D_s": 1.3563, "gan_p": 0.6143, "vgg": 8.2071, "gan_s": 0.0702, "tc": 0.0445}

START = multiprocessing.get_context("forkserver")  # processes of their own, with PyTorch imported once for all of them
FRESH = multiprocessing.get_context("spawn")  # an interpreter of its own, whose sets and hashes are in another order


def _go_on(folder, me, dance):
    """In a process that may be killed at any time."""
    loop.CHECKPOINT_COST = 0.0
    loop.run = functools.partial(loop.run, checkpoint_seconds=0.05)
    config = dataclasses.replace(TINY, steps=40)
    learnt(Performance.load(me), folder, config, [Performance.load(dance)], resume=True)


def test_killed_three_times_and_resumed_gives_the_weights_of_an_unbroken_run(pair, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    START.set_forkserver_preload(["understudy.recipes.performance_cloning", "lightning_fabric", "pytest"])

    def start(folder, context=START):
        process = context.Process(target=_go_on, args=(folder, *(one.path for one in pair)))
        process.start()
        return process

    unbroken = start(tmp_path / "unbroken", FRESH)
    chance = random.Random(4)
    for _ in range(3):
        process = start(tmp_path / "killed")
        # Wait until it has gone on from where it was, then let it run for a random while
        begun = _newest(tmp_path / "killed")
        while process.is_alive() and _newest(tmp_path / "killed") == begun:
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 0.15))
        assert process.is_alive(), "it ended before it could be killed: more steps are needed"
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    for process in (start(tmp_path / "killed"), unbroken):
        process.join()
        assert process.exitcode == 0
    last = "checkpoints/step-00000040.safetensors"
    one, _ = load_tensors(tmp_path / "unbroken" / last)
    two, _ = load_tensors(tmp_path / "killed" / last)
    assert one.keys() == two.keys()
    assert all(np.array_equal(one[name], two[name]) for name in one)


def _newest(folder):
    return max((p.name for p in (folder / "checkpoints").glob("step-*")), default="")


def test_its_steps_are_dearer_where_both_branches_learn(pair):
    trainee = trainee_of(pair, TINY)
    assert 0 < trainee.joins_at < trainee.steps
    before, all_of_it = trainee.work(trainee.joins_at), trainee.work(trainee.steps)
    later = trainee.steps - trainee.joins_at
    assert before == trainee.joins_at and all_of_it - before == pytest.approx(1.7 * later)
    trainee.has_unpaired = False
    assert trainee.work(trainee.steps) == trainee.steps
