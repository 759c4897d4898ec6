"""Copy, then refine: nothing learnt is the warp, what is learnt is checked on moments held back, at any size."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tiny import session_for, shrunk, tiny_performance
from understudy.errors import TrainingError
from understudy.recipes import copy_then_refine as recipe
from understudy.recipes import limb_warp
from understudy.recipes.parts import full_size, prior
from understudy.recipes.parts.boxes import Box
from understudy.recipes.parts.dressing import Dressing
from understudy.recipes.parts.kept_frames import kept_poses
from understudy.recipes.parts.player import moments
from understudy.recipes.parts.refined import best, clearly_less, neutral, refiner_for, told
from understudy.recipes.parts.rehearsal import Rehearsal

SMALL = shrunk(recipe.RECIPE.preset("preview"))
NEW = replace(SMALL, knows_people=False)


@pytest.fixture(scope="module")
def me(tmp_path_factory):
    return tiny_performance(tmp_path_factory.mktemp("refine") / "me.performance", 1, frames=32, size=64)


def learnt(reference, folder, config=SMALL, **limits):
    return recipe.RECIPE.learn(session_for("copy-then-refine", config, reference, folder, device="cpu", **limits))


def played(method, trained, pose):
    return np.stack(list(method.player(trained.config, trained.weights, trained.statistics, "cpu").play(moments(pose))))


def with_network(trained, weights):
    return {**trained.weights, **{recipe.NETWORK + name: value.numpy() for name, value in weights.items()}}


def test_a_network_that_changes_nothing_is_the_limb_warp(me, tmp_path):
    trained = learnt(me, tmp_path / "a", replace(NEW, steps=0))
    weights = with_network(trained, neutral(refiner_for(SMALL).state_dict()))
    pose = kept_poses(weights, SMALL.size)
    plain = limb_warp.Config(size=SMALL.size)
    shown = list(recipe.player(trained.config, weights, trained.statistics, "cpu").play(moments(pose)))
    warped = list(limb_warp.player(plain, trained.weights, trained.statistics).play(moments(pose)))
    np.testing.assert_allclose(np.stack(shown).astype(int), np.stack(warped).astype(int), atol=2)


def test_instant_trains_nothing_and_says_what_it_kept_and_why(me, tmp_path, caplog):
    trained = learnt(me, tmp_path / "a", replace(SMALL, steps=0))
    assert trained.record["steps"] == 0
    assert trained.record["judged"].keys() == {"warp", "prior"}
    assert trained.record["kept"] == min(trained.record["judged"], key=trained.record["judged"].get)
    assert "kept: " in caplog.text and "held back" in caplog.text


def test_what_was_learnt_is_played_only_if_held_back_moments_say_so(me, tmp_path, monkeypatch):
    for winner in ("warp", "untrained", "adapted"):
        monkeypatch.setattr(recipe, "best", lambda *given, winner=winner: (winner, {winner: 0.1}))
        trained = learnt(me, tmp_path / winner, NEW)
        assert trained.record["kept"] == winner and trained.record["steps"] == 2
        last = trained.weights[recipe.NETWORK + "last.weight"]
        assert last.any() == (winner == "adapted"), "what was not trained begins with 0"
        assert (trained.weights[recipe.NETWORK + "last.bias"][-1] == -100) == (winner == "warp")


def test_the_judge_prefers_what_is_nearer_to_the_truth(me, tmp_path):
    """A network that paints everything over in black loses against one that does not."""
    blocks = recipe.rehearsed(SMALL, learnt(me, tmp_path / "a", NEW).weights, 2, 4, paired=False)
    good = refiner_for(SMALL).state_dict()
    bad = {name: value.clone() for name, value in good.items()}
    bad["last.bias"][-1], bad["last.bias"][-5:-2] = 50.0, -50.0
    chosen, figures = best(SMALL, {"prior": bad, "adapted": good}, blocks)
    assert chosen in ("warp", "adapted") and figures["prior"] > 1.2 * figures["adapted"]
    assert best(replace(SMALL, checked=False), {"prior": good, "adapted": bad}, blocks) == ("adapted", {})
    assert best(SMALL, {"prior": good}, []) == ("prior", {})


@pytest.mark.parametrize(
    ("ones", "less"),
    [
        ([0.9, 1.9, 2.9, 3.9], True),  # a little, every time
        ([0.5, 2.3, 2.5, 4.3], False),  # more in the mean, by chance
        ([1.0, 2.0, 3.0, 4.0], False),
        ([1.1, 2.1, 3.1, 4.1], False),
    ],
)
def test_better_is_what_chance_does_not_give(ones, less):
    assert clearly_less(ones, [1.0, 2.0, 3.0, 4.0]) is less
    assert clearly_less(ones[:1], [1.0]) is (ones[0] < 1)


def test_it_learns_which_source_to_trust(me, tmp_path):
    """Agreement prefers the first source by far, and the truth is always what the others show."""
    rehearsal = Rehearsal.empty(8, SMALL.sources, SMALL.side)
    rehearsal.sources[..., 3] = rehearsal.truth[..., 3] = rehearsal.filmed[:] = 255
    rehearsal.sources[:, 1:, :, :, 0], rehearsal.sources[:, 0, :, :, 2], rehearsal.truth[..., 0] = 200, 200, 200
    rehearsal.logits[:, 1:] = -3
    config = replace(NEW, steps=40, strange=0.0, optimisation=replace(NEW.optimisation, learning_rate=2e-3))
    session = session_for("copy-then-refine", config, me, tmp_path / "run", device="cpu")
    session.begin()
    trainee = recipe.CopyThenRefine(session, refiner_for(config), [rehearsal])
    first = {name: float(value.detach()) for name, value in trainee.training_step(0).items()}
    session.run(trainee, config.steps)
    last = {name: float(value.detach()) for name, value in trainee.training_step(0).items()}
    assert last["colours"] < 0.3 * first["colours"] and last["features"] < 0.5 * first["features"]


@pytest.mark.parametrize("variant", recipe.RECIPE.variants)
def test_every_variant_learns_and_plays(me, tmp_path, variant):
    trained = learnt(me, tmp_path / "a", recipe.RECIPE.varied(SMALL, variant))
    assert trained.record["steps"] == 2
    assert played(recipe, trained, kept_poses(trained.weights, SMALL.size)[:2]).shape == (2, 32, 32, 4)


def test_a_resumed_training_is_the_one_that_was_not_interrupted(me, tmp_path):
    config = replace(NEW, steps=4, checked=False)
    whole = learnt(me, tmp_path / "whole", config)
    learnt(me, tmp_path / "parts", config, max_steps=2)
    resumed = learnt(me, tmp_path / "parts", config, resume=True)
    assert whole.weights.keys() == resumed.weights.keys()
    for name, value in whole.weights.items():
        assert np.array_equal(value, resumed.weights[name]), name


def test_a_larger_picture_is_made_of_the_larger_frames(me, tmp_path, monkeypatch):
    """The network sees 32 pixels of 64: what is shown comes nearer to the larger frames than enlarging does."""
    large = replace(SMALL, size=64, steps=0)
    trained = learnt(me, tmp_path / "a", large)
    weights = with_network(trained, neutral(refiner_for(large).state_dict()))
    pose = kept_poses(weights, 64)
    shown = np.stack(list(recipe.player(large, weights, trained.statistics, "cpu").play(moments(pose))))
    warped = limb_warp.player(limb_warp.Config(size=64), trained.weights, trained.statistics).play(moments(pose))
    true = np.stack(list(warped)).astype(int)
    monkeypatch.setattr(full_size, "LITTLE", 2.0)  # so that nothing is looked up
    enlarged = np.stack(list(recipe.player(large, weights, trained.statistics, "cpu").play(moments(pose))))
    assert shown.shape[1:] == (64, 64, 4)
    assert np.abs(shown - true).mean() < 0.75 * np.abs(enlarged - true).mean()


def test_shown_the_person_alone_the_network_makes_the_same_of_it(me, tmp_path, monkeypatch):
    config = replace(recipe.RECIPE.preset("instant"), size=192, side=192)
    trained = learnt(me, tmp_path / "a", config)
    pose = kept_poses(trained.weights, 192)[:3]
    sizes = []
    part = Dressing.part
    monkeypatch.setattr(Dressing, "part", lambda one, box: sizes.append(box) or part(one, box))
    boxed = played(recipe, trained, pose)
    assert len(sizes) == 3 and all((box.bottom - box.top) * (box.right - box.left) < 0.8 * 192**2 for box in sizes)
    monkeypatch.setattr(Dressing, "person", lambda one, *_: Box(0, 0, 192, 192))
    whole = played(recipe, trained, pose)
    difference = np.abs(boxed.astype(int) - whole)
    assert whole[..., 3].max() > 200 and difference.mean() < 0.1 and (difference > 8).mean() < 0.002


def test_a_larger_picture_is_rehearsed_and_judged_at_the_networks_side(me, tmp_path):
    small = learnt(me, tmp_path / "small", replace(SMALL, steps=0)).record["judged"]
    large = learnt(me, tmp_path / "large", replace(SMALL, size=64, steps=0)).record["judged"]
    assert large == pytest.approx(small, rel=0.02)


def test_a_reference_too_short_to_rehearse_is_still_played(tmp_path, caplog):
    short = tiny_performance(tmp_path / "short.performance", 1, frames=3)
    trained = learnt(short, tmp_path / "a")
    assert "too short" in caplog.text and trained.record["steps"] == 0 and trained.record["kept"] == "prior"
    assert played(recipe, trained, kept_poses(trained.weights, SMALL.size)).shape == (3, 32, 32, 4)


def test_the_network_that_travels_along_is_small_and_of_this_shape():
    from importlib import resources

    file = resources.files("understudy.recipes.parts") / prior.FILE
    assert 1e5 < len(file.read_bytes()) < 6e6
    network = refiner_for(recipe.RECIPE.preset("paper"))
    prior.into(network)
    assert all(torch.isfinite(value).all() for value in network.state_dict().values())
    with pytest.raises(TrainingError, match=r"other sizes.*knows_people=false"):
        prior.into(refiner_for(replace(SMALL, sources=2)))


def test_a_prior_that_was_saved_is_read_again(tmp_path, monkeypatch):
    network = refiner_for(SMALL)
    torch.nn.init.normal_(network.last.weight)
    prior.save(tmp_path / prior.FILE, network, {"people": [1]})
    monkeypatch.setattr(prior.resources, "files", lambda package: tmp_path)
    again = refiner_for(SMALL)
    prior.into(again)
    assert torch.allclose(again.last.weight, network.last.weight, atol=2e-3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size": 100}, "size must be a multiple of 16"),
        ({"side": 512, "size": 256}, "crop, side and size must rise"),
        ({"sources": 0}, "sources must be at least 1"),
        ({"most_flow": 0.0}, "most_flow must be above 0"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        replace(recipe.Config(), **changes)


def test_what_is_said_in_the_end_names_every_figure():
    assert told("warp", {"warp": 0.1, "prior": 0.2}) == (
        "kept: the frames as they are warped, without the network; "
        "distances on moments held back: warp 0.100, prior 0.200"
    )
    assert told("prior", {"warp": 0.2, "prior": 0.11, "adapted": 0.1}).endswith("0.100 (the least is so by chance)")
    assert "too short" in told("prior", {})
