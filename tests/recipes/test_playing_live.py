"""Players that play each moment as it comes."""

from dataclasses import replace
from queue import SimpleQueue

import numpy as np
import pytest

from tiny import tiny_poses
from understudy.poses.pose import Pose
from understudy.recipes.copy_then_refine import NETWORK
from understudy.recipes.parts.player import Mending, moments
from understudy.recipes.parts.refined import neutral, refiner_for
from understudy.recipes.parts.source_choice import ChoosingNow


@pytest.mark.parametrize("prompt", [False, True])
def test_the_default_recipe_plays_live_what_it_plays_along_the_whole_dance(prompt, learnt_small):
    learnt = learnt_small("copy-then-refine")
    maker = learnt.recipe.prompt_player if prompt else learnt.recipe.player
    player = maker(learnt.trained.config, learnt.trained.weights, learnt.trained.statistics, "cpu")
    assert player.latency == (0 if prompt else None)
    frames = list(player.play(moments(tiny_poses(8, 32, 2))))
    shorter = list(player.play(moments(tiny_poses(8, 32, 2)[:5])))
    assert len(frames) == 8 and np.ptp(frames, axis=0).max() > 0
    if prompt:  # what comes later changes nothing
        assert all(np.array_equal(one, other) for one, other in zip(frames, shorter, strict=False))


def test_a_frame_is_there_before_the_next_moment_is(learnt_small):
    learnt = learnt_small("copy-then-refine")
    player = learnt.recipe.prompt_player(
        learnt.trained.config, learnt.trained.weights, learnt.trained.statistics, "cpu"
    )
    coming: SimpleQueue = SimpleQueue()
    frames = player.play(iter(coming.get, None))
    for moment in moments(tiny_poses(3, 32, 2)):
        coming.put(moment)
        assert next(frames).shape == (32, 32, 4)  # and does not wait for ever
    coming.put(None)
    assert list(frames) == []


def test_frames_chosen_at_once_stay_until_another_is_worth_a_jump():
    class Choice:
        candidates, swing, sources, apart, jump = 4, 1.0, 1, 0, 30.0

    kept = tiny_poses(12, 256, 4)
    moved = Pose(kept.xy + np.where(np.arange(133)[None, :, None] == 10, 6.0, 0.0), kept.confidence, kept.size_hw)
    both = Pose.concatenate([kept[:1], moved[:1]])
    choosing = ChoosingNow(Choice(), both, np.array([0, 100]))
    chosen = [int(choosing(pose)[0][0]) for pose in [kept[:1], *[moved[:1]] * 12]]
    assert chosen[0] == 0 and chosen[1] == 0 and chosen[-1] == 1  # a while later it has paid
    assert chosen == sorted(chosen)


def test_frames_of_one_moment_were_filmed_apart():
    class Choice:
        candidates, swing, sources, apart, jump = 4, 1.0, 3, 10, 30.0

    kept = Pose.concatenate([tiny_poses(1, 256, 4)] * 6)  # all alike
    filmed_at = np.array([0, 5, 8, 20, 25, 40])
    choosing = ChoosingNow(Choice(), kept, filmed_at)
    for _ in range(3):
        frames, distances = choosing(kept[:1])
        assert np.abs(np.subtract.outer(filmed_at[frames], filmed_at[frames]))[~np.eye(3, dtype=bool)].min() > 10
        assert distances.shape == (3,)


def test_live_the_network_can_be_left_out(learnt_small):
    """Then frames are those of a network that changes nothing."""
    learnt = learnt_small("copy-then-refine")
    weights = dict(learnt.trained.weights)
    weights["network/last.weight"] = weights["network/last.weight"] + np.float32(0.05)
    made = {}
    for name, mends, quiet in (("mended", True, False), ("left out", False, False), ("quiet", True, True)):
        if quiet:
            last = {key: np.zeros_like(weights[key]) for key in weights if key.startswith("network/last.")}
            last["network/last.bias"][-1] = -100.0
            weights |= last
        player = learnt.recipe.prompt_player(learnt.trained.config, weights, learnt.trained.statistics, "cpu")
        assert isinstance(player, Mending) and player.mends and player.mending_takes() >= 0
        player.mends = mends
        made[name] = np.stack(list(player.play(moments(tiny_poses(4, 32, 2)))))
    np.testing.assert_array_equal(made["left out"], made["quiet"])
    assert (made["left out"] != made["mended"]).any()


def test_live_a_larger_picture_has_the_detail_of_its_frames(learnt_small):
    """Of a network that sees half of the side, and where one frame is chosen: the same as along the whole dance."""
    learnt = learnt_small("copy-then-refine")
    config = replace(learnt.trained.config, size=64, side=32, sources=1)
    quiet = {NETWORK + name: one.numpy() for name, one in neutral(refiner_for(config).state_dict()).items()}
    weights = {**learnt.trained.weights, **quiet, "xy": 2 * learnt.trained.weights["xy"]}
    whole, live = (
        make(config, weights, learnt.trained.statistics, "cpu")
        for make in (learnt.recipe.player, learnt.recipe.prompt_player)
    )
    live.make_ready(60.0)
    shown, again = (next(iter(player.play(moments(whole.kept[:1])))) for player in (whole, live))
    assert shown.shape == (64, 64, 4) and shown.any()
    np.testing.assert_array_equal(shown, again)
    details = live._full_size._details
    assert any(one is not None for one in details.values())
    details.update(dict.fromkeys(details))  # as if nothing were finer than what the network sees
    assert (next(iter(live.play(moments(whole.kept[:1])))) != shown).any()
