import dataclasses

import numpy as np
import pytest
import torch

from recipes.tiny_everybody_dance_now import NAME, STILL, TINY, footage_of, generated, learnt, played
from tiny import tiny_performance
from understudy.actor import Actor
from understudy.base import devices
from understudy.conditioning.face_crops import face_boxes
from understudy.consent import Consent
from understudy.errors import UsageError
from understudy.media.reading import VideoReader
from understudy.poses.pose import NOSE, Pose
from understudy.recipes import everybody_dance_now as recipe
from understudy.recipes.parts.player import moments
from understudy.verbs.clone import clone
from understudy.verbs.inspect import inspect
from understudy.verbs.perform import perform
from understudy.verbs.train import train


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


# -- generation ------------------------------------------------------------------------------------------------


def arms_up(pose, frame):
    xy = pose.xy.copy()
    xy[frame] = xy[frame, :, ::-1]
    return Pose(xy, pose.confidence, pose.size_hw)


def drifting(config, G):
    """G with weights large enough that what goes in can be seen in what comes out."""
    torch.manual_seed(1)
    recipe.initialise(G, 0.3)
    return {f"main/{name}": value.numpy() for name, value in G.state_dict().items()}


@pytest.mark.parametrize(("smoothing", "followed"), [(True, True), (False, False)])
def test_a_frame_depends_on_the_one_before_only_when_smoothing(trained, dance, smoothing, followed):
    config = dataclasses.replace(TINY, temporal_smoothing=smoothing, face=False)
    parts = (config, drifting(config, recipe.generator_for(config)), trained[0].statistics)
    one, two = (played(*parts, pose) for pose in (dance.poses[:3], arms_up(dance.poses[:3], 0)))
    assert not np.array_equal(one[0], two[0])
    assert (not np.array_equal(one[1], two[1])) == followed


@pytest.mark.parametrize("smoothing", [True, False])
def test_generation_gives_one_frame_a_pose_whatever_the_batch(trained, dance, smoothing):
    config = dataclasses.replace(TINY, temporal_smoothing=smoothing, face=False)
    parts = (config, drifting(config, recipe.generator_for(config)), trained[0].statistics)
    frames, one_by_one = (played(*parts, dance.poses, batch=batch) for batch in (5, 1))
    assert len(frames) == len(one_by_one) == 12
    assert np.abs(np.subtract(frames, one_by_one, dtype=np.int64)).mean() < 4


def test_a_player_paints_each_frame_as_soon_as_its_pose_is_there(trained, dance):
    player = recipe.RECIPE.player(trained[0].config, trained[0].weights, trained[0].statistics, "cpu")
    assert (player.latency, player.needs) == (0, ("poses",))
    taken = []

    def watched():
        for moment in moments(dance.poses):
            taken.append(moment)
            yield moment

    for count, _ in enumerate(player.play(watched(), batch=1), 1):
        assert len(taken) == count
    assert len(taken) == len(dance.poses)


def test_a_player_begins_anew_each_time(trained, dance):
    config = dataclasses.replace(TINY, face=False)
    parts = (config, drifting(config, recipe.generator_for(config)), trained[0].statistics)
    player = recipe.RECIPE.player(*parts, "cpu")
    broken_off = player.play(moments(dance.poses), batch=1)
    first = [next(broken_off) for _ in range(3)]
    again = list(player.play(moments(dance.poses[:3]), batch=1))
    assert np.array_equal(first, again)
    assert not np.array_equal(again[2], played(*parts, dance.poses[2:3], batch=1)[0])  # there z stands before it


@pytest.mark.parametrize("smoothing", [True, False])
def test_between_two_batches_nothing_is_left_in_half_precision(me, monkeypatch, smoothing):
    """Whoever looks at a frame before the next is asked for, must not have its own sums rounded."""
    monkeypatch.setattr(devices, "computes_in_bfloat16", lambda device: True)
    config = dataclasses.replace(TINY, temporal_smoothing=smoothing)
    footage = footage_of(me, config)
    painted = recipe.paint(recipe.generator_for(config).eval(), config, footage.colours, *footage.clip.all_joints())
    _, frames = next(painted)
    assert frames.dtype == torch.float32
    assert not torch.is_autocast_enabled("cpu")


def test_the_face_stage_changes_the_face_alone(trained, dance):
    result = trained[0]
    pose = dance.poses[:4]
    unseen = pose.confidence.copy()
    unseen[1, NOSE] = 0
    pose = Pose(pose.xy, unseen, pose.size_hw)
    with_face = generated(result, pose)
    without = played(dataclasses.replace(result.config, face=False), result.weights, result.statistics, pose)
    centres, sides, usable = face_boxes(torch.from_numpy(pose.xy), torch.from_numpy(pose.confidence > 0))
    assert usable.tolist() == [True, False, True, True]
    for frame, plain, (x, y), side, there in zip(with_face, without, centres, sides, usable, strict=True):
        changed = np.argwhere((frame != plain).any(2))
        assert (len(changed) > 0) == bool(there)
        assert (np.abs(changed - [float(y), float(x)]) <= float(side) / 2).all()


# -- the verbs -------------------------------------------------------------------------------------------------


def test_an_actor_that_paints_its_room_from_training_to_video(me, dance, tmp_path):
    config = dataclasses.replace(
        TINY, whole_frame=True, augmentation=STILL, local_enhancers=0, face=False, steps=(2, 0, 0)
    )
    output = tmp_path / "me.actor"
    train(me, output, config=config, consent="I am it", device="cpu", max_steps=1)
    with pytest.raises(UsageError, match="exists: train it further with `resume=True`"):
        train(me, output, config=config, consent="I am it", device="cpu")
    actor = train(me, output, config=config, resume=True, device="cpu")
    assert actor.paints_room and actor.record["steps"] == 2

    perform(output, dance, tmp_path / "out.mkv", compare=True, device="cpu")
    with VideoReader(tmp_path / "out.mkv") as reader:
        frames = list(reader)
    # where the square was filmed there is what G paints, around it the room as it was
    assert len(frames) == 12 and np.abs(frames[0][40:, 36:].astype(int) - 60).max() <= 2
    assert np.abs(frames[0][4:28, 4:28].astype(int) - 60).mean() > 5

    with pytest.raises(UsageError, match="`background` must be reference"):
        perform(output, dance, tmp_path / "other.mp4", background="driving", device="cpu")
    with pytest.raises(UsageError, match="`background` must be reference"):
        clone(me, dance, tmp_path / "c.mp4", recipe=NAME, preset="paper", background="green", consent="I am it")
    lines = str(inspect(output, tmp_path / "sheet.png"))
    assert "the reference's room along with the person" in lines and "everybody-dance-now" in lines


def test_a_painted_room_stays_where_it_is_when_the_driver_leaves_it(trained, me):
    actor = Actor.of(trained[0], me, NAME, "preview", Consent("I am it", ""))
    away = Pose(me.poses.xy + np.float32(20), me.poses.confidence, me.poses.size_hw)
    assert actor.windows(away, me.fps).any()
    room = dataclasses.replace(actor.config, whole_frame=True, augmentation=STILL)
    fixed = dataclasses.replace(actor, config=room)
    assert not fixed.windows(away, me.fps).any()
