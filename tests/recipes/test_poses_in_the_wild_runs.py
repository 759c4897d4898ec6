import dataclasses
import json
import re
import signal

import cv2
import numpy as np
import pytest
from tiny_poses_in_the_wild import NAME, QUICK, QUIET, RECIPE, STAGES, TINY, generated, learnt, player_of

from tiny import tiny_performance
from understudy.actor import Actor
from understudy.cli import main as cli
from understudy.consent import Consent
from understudy.errors import Interrupted, TrainingError, UsageError
from understudy.media.reading import VideoReader
from understudy.poses.pose import NOSE
from understudy.poses.similarity import Similarity
from understudy.recipes import poses_in_the_wild as recipe
from understudy.recipes.parts.player import moments
from understudy.verbs.perform import perform
from understudy.verbs.train import train
from unplugged import saving_every_step, unplugged_behind


@pytest.fixture(scope="module")
def me(tmp_path_factory):
    return tiny_performance(tmp_path_factory.mktemp("me") / "me.performance", 1)


@pytest.fixture(scope="module")
def dance(tmp_path_factory):
    return tiny_performance(tmp_path_factory.mktemp("dance") / "dance.performance", 2, frames=16, missing=(5,))


@pytest.fixture(scope="module")
def trained(me, dance, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return learnt(TINY, me, [dance], folder), folder


def test_a_run_writes_a_folder_for_each_stage(trained):
    _, folder = trained
    assert sorted(p.name for p in folder.iterdir()) == sorted(STAGES)
    for stage, steps in zip(STAGES, TINY.steps, strict=True):
        inside = sorted(str(p.relative_to(folder / stage)) for p in (folder / stage).rglob("*") if p.is_file())
        picture = f"previews/step-{steps:07d}.png"
        assert inside == [f"checkpoints/step-{steps:08d}.safetensors", "losses.jsonl", picture, "run.json"]
        assert cv2.imread(str(folder / stage / picture)).shape[1] > 6 * 16


def test_a_run_records_all_that_its_numbers_hang_on(trained):
    settings = json.loads((trained[1] / "texture" / "run.json").read_text())["settings"]
    own = {"recipe", "config", "features", "seed", "flat_colour", "reference", "unpaired"}
    assert set(settings) == own | {"stage", "builds_on"}
    assert settings["recipe"] == NAME and settings["features"] == "random" and settings["unpaired"]
    assert RECIPE.read_config(settings["config"]) == TINY


# -- stages ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES)
def test_killed_in_any_stage_and_resumed_gives_the_weights_of_an_unbroken_run(
    trained, me, dance, tmp_path, monkeypatch, stage
):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        saving_every_step(patch, unplugged_behind(stage, 1))
        learnt(TINY, me, [dance], tmp_path)
    result = learnt(TINY, me, [dance], tmp_path, resume=True)
    assert result.record["stages"] == trained[0].record["stages"]
    assert all(np.array_equal(result.weights[name], trained[0].weights[name]) for name in result.weights)


@pytest.mark.parametrize(
    ("max_steps", "reached", "box_hw", "refine"),
    [(2, {"pose": 2}, (16, 16), False), (4, {"pose": 3, "pose-full": 1}, (32, 32), False),
     (7, {"pose": 3, "pose-full": 2, "texture": 2}, (32, 32), False),
     (9, {"pose": 3, "pose-full": 2, "texture": 3, "texture-full": 1}, (32, 32), True)],
)  # fmt: skip
def test_steps_count_over_all_stages_and_the_actor_plays_what_was_reached(
    me, dance, trained, tmp_path, caplog, max_steps, reached, box_hw, refine
):
    result = learnt(TINY, me, [dance], tmp_path, max_steps=max_steps)
    assert result.record["stages"] == reached
    assert (result.config.box_hw, result.config.refine) == (box_hw, refine)
    assert {name: (value.dtype.str, value.shape) for name, value in result.weights.items()} == recipe.contents(
        result.config
    )[0]
    assert ("the actor is without the stages that were not reached: " in caplog.text) == (len(reached) < 4)
    assert generated(result, me.poses[:1])[0].shape == (32, 32, 4)
    whole = learnt(TINY, me, [dance], tmp_path, resume=True)
    assert all(np.array_equal(whole.weights[name], trained[0].weights[name]) for name in whole.weights)


def test_the_room_at_half_the_size_is_played_at_half_the_size(me, dance, tmp_path):
    config = dataclasses.replace(TINY, whole_frame=True, augmentation=QUIET)
    result = learnt(config, me, [dance], tmp_path, max_steps=2)
    assert (result.config.size, result.config.box_hw) == (16, (16, 16))
    assert generated(result, me.poses[:1])[0].shape == (16, 16, 3)


def test_other_poses_cannot_be_resumed_with(trained, me, dance, tmp_path_factory):
    other = tiny_performance(tmp_path_factory.mktemp("other") / "other.performance", 5, frames=16)
    with pytest.raises(TrainingError, match="unpaired"):
        learnt(TINY, me, [other], trained[1], resume=True)


def test_ctrl_c_in_the_second_stage_saves_and_resumes_exactly(trained, me, dance, tmp_path, monkeypatch):
    def interrupted(*at):
        if at == ("texture", 2) and not interrupts:
            interrupts.append(at)
            signal.raise_signal(signal.SIGINT)  # at once, in this thread

    interrupts = []
    with monkeypatch.context() as patch, pytest.raises(Interrupted, match="stopped at step 2; saved"):
        saving_every_step(patch, interrupted)
        learnt(TINY, me, [dance], tmp_path)
    assert (tmp_path / "texture/checkpoints/step-00000002.safetensors").exists()
    result = learnt(TINY, me, [dance], tmp_path, resume=True)
    assert all(np.array_equal(result.weights[name], trained[0].weights[name]) for name in result.weights)


# -- generation ------------------------------------------------------------------------------------------------


def test_batches_do_not_show(trained, dance):
    result = trained[0]
    one, many = (np.stack(generated(result, dance.poses, batch=batch)).astype(int) for batch in (1, 8))
    assert np.abs(one - many).mean() < 0.5


def test_frames_are_cutouts_that_follow_the_person(trained, me):
    result = trained[0]
    moved = Similarity.shifted(6, 0).of_pose(me.poses, me.poses.size_hw)
    here, there = (np.stack(generated(result, pose)) for pose in (me.poses, moved))
    assert (here[..., :3] <= here[..., 3:]).all()  # premultiplied
    inside = slice(8, 24)
    assert np.abs(here[:, :, inside].astype(int) - there[:, :, 14:30]).mean() < 1


def test_nobody_is_painted_where_nobody_is_seen(trained, me):
    pose = dataclasses.replace(me.poses[:4], confidence=np.zeros((4, 133), np.float32))
    frames = generated(trained[0], pose)
    assert [frame.shape for frame in frames] == [(32, 32, 4)] * 4 and not np.any(frames)


def test_a_lost_joint_shows_in_the_frames_that_see_it(trained, me):
    """K = 2 poses around in stage I, and 2 frames of it around in stage II: four before and four after."""
    confidence = me.poses.confidence.copy()
    confidence[5, NOSE] = 0
    damaged = dataclasses.replace(me.poses, confidence=confidence)
    plain, hurt = (np.stack(generated(trained[0], pose)).astype(int) for pose in (me.poses, damaged))
    changed = [bool((one != other).any()) for one, other in zip(plain, hurt, strict=True)]
    assert changed == [1 <= t <= 9 for t in range(12)]


@pytest.mark.parametrize(
    ("changes", "latency"),
    [({}, 4), ({"past_only": True}, 2), ({"refine": False}, 2), ({"past_only": True, "refine": False}, 0)],
    ids=["both stages", "past only", "stage one", "stage one, past only"],
)
def test_the_whole_frame_as_a_box_is_played_with_a_few_moments_delay(me, tmp_path, changes, latency):
    alone = dataclasses.replace(QUICK, unpaired=False, steps=(1, 0, 1, 0), **changes)
    player = player_of(learnt(RECIPE.varied(alone, "w/ BG"), me, [], tmp_path))
    assert player.latency == latency
    given = []
    one_by_one = (given.append(moment) or moment for moment in moments(me.poses))
    waited = [len(given) for _ in player.play(one_by_one, batch=1)]
    assert waited == [min(12, t + 1 + latency) for t in range(12)]


def test_a_box_that_follows_takes_the_whole_dance_but_frames_come_out_as_they_are_painted(trained, me):
    player = player_of(trained[0])
    assert player.latency is None
    painted = []
    player.G_1.register_forward_hook(lambda network, given, frames: painted.append(len(frames)))
    frames = player.play(moments(me.poses), batch=2)
    next(frames)
    assert painted == [2, 2], "frames 0 to 3: two of them, with the two after each"
    assert len(list(frames)) == 11 and painted == [2] * 6


def test_playing_again_begins_anew(trained, me, dance):
    player = player_of(trained[0])
    first = list(player.play(moments(me.poses)))
    list(player.play(moments(dance.poses[:5])))
    assert np.array_equal(first, list(player.play(moments(me.poses))))
    assert list(player.play(iter(()))) == []


def test_the_actor_performs_over_any_background(trained, me, dance, tmp_path):
    actor = Actor.of(trained[0], me, "poses-in-the-wild", "preview", Consent("it is me", ""))
    actor.save(tmp_path / "me.actor")
    perform(tmp_path / "me.actor", dance, tmp_path / "out.mp4", background="#203040")
    with VideoReader(tmp_path / "out.mp4") as reader:
        frames = list(reader)
    assert len(frames) == len(dance)
    assert np.abs(frames[0][46, 38].astype(int) - (32, 48, 64)).max() < 8  # beside the square that is painted


def test_a_rung_can_be_trained_from_the_command_line(me, tmp_path, monkeypatch):
    quick = dataclasses.replace(QUICK, steps=(1, 0, 1, 0))
    monkeypatch.setitem(RECIPE.presets, "preview", lambda: quick)
    words = ["train", "--reference", str(me.path), "--output", str(tmp_path / "one.actor"), "--consent", "It is me"]
    with pytest.raises(SystemExit, match="0"):
        cli.main([*words, "--recipe", NAME, "--variant", "PL-Stage1-DA", "--device", "cpu"])
    config = Actor.load(tmp_path / "one.actor").config
    assert (config.augment, config.past_only, config.refine, config.unpaired) == (True, True, False, False)


@pytest.mark.parametrize(
    ("name", "variant", "said"),
    [
        (NAME, "PL", "`variant='PL'`: Poses in the Wild has no such variant; choose one of PL-Stage1, PL-Stage1-DA, "),
        ("pix2pix", "PL-Stage2", "`variant='PL-Stage2'`: pix2pix has no such variant; choose one of white skeleton"),
    ],
)
def test_rungs_that_there_are_not_are_said(me, tmp_path, name, variant, said):
    with pytest.raises(UsageError, match=re.escape(said)):
        train(me, tmp_path / "one.actor", recipe=name, variant=variant, consent="It is me", device="cpu")
