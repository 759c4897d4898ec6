"""The reference's own frames: kept without loss, few when asked, and shown for the nearest pose."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from tiny import session_for, tiny_performance
from understudy.actor import Actor
from understudy.consent import Consent
from understudy.errors import ActorError, TrainingError
from understudy.performance import Performance
from understudy.poses.pose import Pose
from understudy.recipes import nearest_neighbour as recipe
from understudy.recipes.parts.kept_frames import KeptPictures, keep_frames, kept_poses, most_different, over_colour
from understudy.recipes.parts.player import moments


@pytest.fixture(scope="module")
def me(tmp_path_factory: pytest.TempPathFactory) -> Performance:
    return tiny_performance(tmp_path_factory.mktemp("nearest") / "me.performance", 1, frames=10, missing=(2, 9))


def gathered(reference, folder, config, **limits):
    return recipe.RECIPE.learn(session_for("nearest-neighbour", config, reference, folder, **limits))


def played(trained, pose):
    return list(recipe.player(trained.config, trained.weights, trained.statistics).play(moments(pose)))


@pytest.mark.parametrize("preset", [recipe.paper, recipe.fast, recipe.preview])
def test_every_preset_survives_json(preset):
    assert recipe.RECIPE.read_config(json.loads(json.dumps(asdict(preset())))) == preset()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": 4}, "size must be at least 8 pixels, not 4"),
        ({"metric": "dreams"}, 'metric must be "joints" or "limbs"'),
        ({"frames": 0}, "frames must be at least 1, not 0"),
    ],
)
def test_contradictions_in_a_config(values, message):
    with pytest.raises(ValueError, match=message):
        recipe.Config(**values)


def test_kept_frames_are_those_with_a_person_and_lose_nothing(me):
    weights = keep_frames(me, 32, 100)
    assert weights["moment"].tolist() == [0, 1, 3, 4, 5, 6, 7, 8]
    pictures = KeptPictures(weights, 32, [7, 2, 2])
    assert sorted(pictures) == [2, 7]
    for index, moment in ((2, 3), (7, 8)):
        np.testing.assert_array_equal(pictures[index][..., :3], next(me.frames(moment, moment + 1)))
        np.testing.assert_array_equal(pictures[index][..., 3], next(me.mattes(moment, moment + 1)))
    np.testing.assert_array_equal(kept_poses(weights, 32).xy, me.poses.xy[weights["moment"]])


def test_frames_of_another_size_are_resized_edge_to_edge_with_their_poses(me):
    weights = keep_frames(me, 16, 100)
    assert KeptPictures(weights, 16, [0])[0].shape == (16, 16, 4)
    large = KeptPictures(weights, 64, [0])[0].astype(int)
    assert (large[::2] != large[1::2]).any(), "pixels are not just repeated"
    np.testing.assert_allclose(kept_poses(weights, 16).xy, (me.poses.xy[weights["moment"]] + 0.5) / 2 - 0.5, atol=1e-4)


def test_few_frames_are_the_most_different_ones():
    xy = np.zeros((6, 18, 2), np.float32)
    xy[:, :, 1] = np.arange(18) * 3
    xy[:, 4, 0] = [0, 1, 0, 40, 41, 80]  # a wrist goes out in three steps
    pose = Pose.from_openpose18(xy, np.ones((6, 18), np.float32), (100, 100))
    assert most_different(pose, 3).tolist() == [0, 3, 5]
    assert most_different(pose, 9).tolist() == list(range(6))


def test_few_frames_are_copied_in_order(me):
    weights = keep_frames(me, 32, 3)
    assert len(weights["moment"]) == len(weights["xy"]) == 3
    shown = KeptPictures(weights, 32, range(3))
    for index, moment in enumerate(weights["moment"]):
        np.testing.assert_array_equal(shown[index][..., :3], next(me.frames(int(moment), int(moment) + 1)))


@pytest.mark.parametrize("metric", ["joints", "limbs"])
def test_its_own_poses_are_answered_with_its_own_frames(me, metric, tmp_path):
    config = recipe.Config(size=32, metric=metric)
    trained = gathered(me, tmp_path, config, max_steps=1, max_minutes=1, seed=4)
    assert (trained.record["steps"], trained.record["seed"], trained.record["frames"]) == (0, 4, 8)
    pose = kept_poses(trained.weights, 32)
    shown = played(trained, pose)
    assert len(shown) == 8
    for index, frame in enumerate(shown):
        own = KeptPictures(trained.weights, 32, [index])[index]
        np.testing.assert_array_equal(frame, over_colour(own, trained.statistics["flat_colour"]))


def test_where_nobody_dances_nobody_is_shown(me, tmp_path):
    trained = gathered(me, tmp_path, recipe.Config(size=32))
    nobody = Pose(np.zeros((1, 133, 2)), np.zeros((1, 133)), (32, 32))
    (frame,) = played(trained, nobody)
    assert (frame == trained.statistics["flat_colour"]).all()


def test_an_actor_keeps_it_all(me, tmp_path):
    trained = gathered(me, tmp_path, recipe.Config(size=32))
    path: Path = tmp_path / "me.actor"
    Actor.of(trained, me, "nearest-neighbour", "preview", Consent("I am it", "now")).save(path)
    loaded = Actor.load(path)
    pose = kept_poses(trained.weights, 32)
    assert np.ptp(next(loaded.player().play(moments(pose)))) > 0


def test_a_reference_without_a_person(tmp_path):
    nobody = tiny_performance(tmp_path / "n.performance", 1, frames=3, missing=(0, 1, 2))
    with pytest.raises(TrainingError, match="shows nobody in any of its 3 frames"):
        keep_frames(nobody, 32, 10)


def without_codec(film):
    """The same with the encoding called by a name that nobody knows."""
    return np.frombuffer(film.tobytes().replace(b"avc1", b"zzzz"), np.uint8)


def damaged(name, value):
    return lambda weights: weights | {name: value(weights[name])}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(damaged("frames_mp4", lambda a: a[:50]), "frames cannot be decoded", id="cut off"),
        pytest.param(damaged("matte_mp4", lambda a: np.zeros(99, np.uint8)), "cannot be decoded", id="no video"),
        pytest.param(damaged("moment", lambda a: a[:2]), "8 poses for 2 frames", id="few numbers"),
        pytest.param(damaged("confidence", lambda a: a + 2), "poses cannot be used", id="confidence"),
        pytest.param(damaged("xy", lambda a: a * 0 + 1e30), "more than 1000000 pixels away", id="far"),
        pytest.param(damaged("frames_mp4", without_codec), "encoding that is not known", id="unknown encoding"),
    ],
)
def test_damaged_weights_are_told(me, change, message):
    weights = change(keep_frames(me, 32, 100))
    with pytest.raises(ActorError, match=message):
        kept_poses(weights, 32)
        KeptPictures(weights, 32, [7])


def test_fewer_frames_than_poses_are_told(me):
    weights, fewer = keep_frames(me, 32, 100), keep_frames(me, 32, 3)
    with pytest.raises(ActorError, match="holds 0 of 1 frames that are needed"):
        KeptPictures(weights | {"frames_mp4": fewer["frames_mp4"]}, 32, [7])
