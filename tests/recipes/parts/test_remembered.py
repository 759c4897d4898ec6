"""Frames that were painted before: the same bits as if all were painted, and only what changed is painted again."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tiny import session_for, shrunk, tiny_performance
from understudy.poses.edits import Move, apply_edits
from understudy.poses.pose import LEFT_WRIST, Pose
from understudy.recipes import copy_then_refine as recipe
from understudy.recipes.parts import remembered
from understudy.recipes.parts.kept_frames import kept_poses
from understudy.recipes.parts.player import moments
from understudy.recipes.parts.refined import refiner_for
from understudy.recipes.parts.remembered import Memory, Remembering, digest, folder_of, painted_by

SMALL = replace(shrunk(recipe.RECIPE.preset("preview")), knows_people=False, steps=0)
CHANGED = 10


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """An actor whose network does something."""
    folder = tmp_path_factory.mktemp("remembered")
    me = tiny_performance(folder / "me.performance", 1, frames=32, size=64)
    found = recipe.RECIPE.learn(session_for("copy-then-refine", SMALL, me, folder / "run", device="cpu"))
    torch.manual_seed(5)
    network = {recipe.NETWORK + name: value.numpy() for name, value in refiner_for(SMALL).state_dict().items()}
    for name in ("last.weight", "last.bias"):
        shape = network[recipe.NETWORK + name].shape
        network[recipe.NETWORK + name] = np.random.default_rng(3).normal(0, 0.3, shape).astype(np.float32)
    return replace(found, weights={**found.weights, **network})


@pytest.fixture(scope="module")
def dance(trained):
    return kept_poses(trained.weights, SMALL.size)


@pytest.fixture(scope="module")
def corrected(dance):
    x, y = dance.xy[CHANGED, LEFT_WRIST].tolist()
    return apply_edits(dance, [Move(CHANGED, LEFT_WRIST, x + 4.0, y - 3.0)])


def player(trained, **changes):
    return recipe.player(trained.config, {**trained.weights, **changes}, trained.statistics, "cpu")


def from_scratch(trained, pose):
    return np.stack(list(player(trained).play(moments(pose))))


def remembering(trained, pose, folder, **changes):
    memory = Memory(folder)
    return np.stack(list(player(trained, **changes).play_remembering(moments(pose), memory))), memory


def test_nothing_is_painted_twice_and_every_bit_is_the_same(trained, dance, tmp_path):
    assert isinstance(player(trained), Remembering)
    expected = from_scratch(trained, dance)
    assert expected.any() and len({frame.tobytes() for frame in expected}) > 10
    for found in (0, len(dance)):
        frames, memory = remembering(trained, dance, tmp_path / "played" / "me")
        np.testing.assert_array_equal(frames, expected)
        assert (memory.found, memory.painted) == (found, len(dance) - found)


def test_only_what_a_correction_changes_is_painted_again(trained, dance, corrected, tmp_path):
    before, expected = from_scratch(trained, dance), from_scratch(trained, corrected)
    differ = np.flatnonzero((before != expected).any(axis=(1, 2, 3)))
    assert differ.min() == CHANGED and differ.max() > CHANGED  # what is held of a moment lives on in later ones
    folder = tmp_path / "played" / "me"
    remembering(trained, dance, folder)
    frames, memory = remembering(trained, corrected, folder)
    np.testing.assert_array_equal(frames, expected)
    assert CHANGED <= memory.found < len(dance)
    assert memory.painted >= len(differ)
    frames, memory = remembering(trained, dance, folder)  # undone
    np.testing.assert_array_equal(frames, before)
    assert memory.painted == 0


def test_a_step_to_the_side_is_seen_too(trained, dance, tmp_path):
    """No limb changes, and so neither do the frames that are chosen nor how far away they are."""
    xy = dance.xy.copy()
    xy[CHANGED] += (3, 0)
    aside = Pose(xy, dance.confidence, dance.size_hw)
    expected = from_scratch(trained, aside)
    assert (expected[CHANGED] != from_scratch(trained, dance)[CHANGED]).any()
    remembering(trained, dance, tmp_path / "played" / "me")
    frames, _ = remembering(trained, aside, tmp_path / "played" / "me")
    np.testing.assert_array_equal(frames, expected)


def test_it_goes_on_from_a_frame_that_was_found(trained, dance, corrected, tmp_path):
    """A longer dance begins as a shorter one: what follows is painted from what the last frame found left behind."""
    folder = tmp_path / "played" / "me"
    remembering(trained, dance[:CHANGED], folder)
    frames, memory = remembering(trained, dance, folder)
    np.testing.assert_array_equal(frames, from_scratch(trained, dance))
    assert memory.found >= CHANGED - 4  # the way through the reference's frames may have another end


def test_another_actor_paints_its_own(trained, dance, tmp_path):
    folder, name = tmp_path / "played" / "me", recipe.NETWORK + "last.bias"
    remembering(trained, dance, folder)
    other = trained.weights[name] + np.float32(0.5)
    frames, memory = remembering(trained, dance, folder, **{name: other})
    assert memory.found == 0
    np.testing.assert_array_equal(frames, np.stack(list(player(trained, **{name: other}).play(moments(dance)))))


def test_what_paints_is_known_to_the_letter(trained, monkeypatch):
    config, weights, cpu = trained.config, trained.weights, torch.device("cpu")
    usual = painted_by(config, weights, cpu, "PyTorch")
    assert painted_by(config, dict(weights), cpu, "PyTorch") == usual
    assert painted_by(config, weights, cpu, "OpenVINO") != usual
    assert painted_by(config, weights, torch.device("meta"), "PyTorch") != usual
    assert painted_by(replace(config, sources=1), weights, cpu, "PyTorch") != usual
    monkeypatch.setattr(remembered, "_program", lambda: "another")
    assert painted_by(config, weights, cpu, "PyTorch") != usual


def test_other_threads_and_another_engine_are_other_painters(trained, monkeypatch):
    one = player(trained)
    usual = one._paints()
    monkeypatch.setattr(torch, "get_num_threads", lambda: 77)
    assert one._paints() != usual


def test_what_began_as_one_thing_and_was_painted_by_another_is_not_kept(trained, dance, tmp_path, monkeypatch):
    one, memory = player(trained), Memory(tmp_path / "played" / "me")
    counted = iter(range(10**6))
    monkeypatch.setattr(one, "_paints", lambda: f"engine {next(counted)}")
    list(one.play_remembering(moments(dance[:4]), memory))
    assert not list(tmp_path.rglob("*.safetensors"))


def test_damaged_frames_are_painted_again(trained, dance, tmp_path):
    folder = tmp_path / "played" / "me"
    remembering(trained, dance, folder)
    files = sorted(folder.rglob("*.safetensors"))
    assert len(files) == len(dance)
    for file in files[::2]:
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)
    files[1].write_bytes(b"")
    frames, memory = remembering(trained, dance, folder)
    np.testing.assert_array_equal(frames, from_scratch(trained, dance))
    assert memory.painted >= len(files[::2])


def test_a_frame_of_another_size_is_no_frame(tmp_path):
    memory = Memory(tmp_path / "played" / "me")
    memory.keep("ab", np.full((4, 4, 4), 7, np.uint8), {"held": np.ones(3, np.float32)})
    frame, carried = memory.find("ab", (4, 4))
    assert (frame == 7).all() and carried["held"].tolist() == [1, 1, 1]
    assert memory.find("ab", (8, 8)) is None
    assert memory.find("ab", (4, 2)) is None or memory.find("ab", (4, 2))[0].shape == (4, 2, 4)
    assert memory.find("cd", (4, 4)) is None


def test_the_disk_is_held_to_a_budget_and_the_oldest_go(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 4)).astype(np.uint8)  # 16 KiB that cannot be packed
    root = tmp_path / "played"
    mine, theirs = Memory(root / "me", 200_000), Memory(root / "them", 200_000)
    for number in range(40):
        (mine if number % 2 else theirs).keep(f"{number:02d}", noise, {})
    kept = sorted(file.stem for file in root.rglob("*.safetensors"))
    assert (
        sum(file.stat().st_size for file in root.rglob("*.safetensors")) <= 300_000
    )  # a quarter more for each that writes
    assert kept and kept[-1] == "39" and "00" not in kept


def test_a_disk_that_cannot_be_written_costs_nothing_but_the_gain(trained, dance, tmp_path):
    (tmp_path / "played").write_text("a file where a folder is wanted")
    frames, memory = remembering(trained, dance[:6], tmp_path / "played" / "me")
    np.testing.assert_array_equal(frames, from_scratch(trained, dance[:6]))
    assert memory.found == 0


def test_a_folder_is_a_name_whatever_an_actor_says(tmp_path):
    for said in ("../../etc", "ab" * 32, "/root", ""):
        assert folder_of(tmp_path, said).parent == tmp_path / "played"
    assert folder_of(tmp_path, "a") != folder_of(tmp_path, "b")


def test_digests_tell_apart_what_differs():
    one = np.arange(6, dtype=np.float32)
    every = [(one,), (one.reshape(2, 3),), (one.astype(np.float64),), (one[::-1],), ("a", "b"), ("ab",), ("ab", one)]
    assert len({digest(*parts) for parts in every}) == len(every)
    assert digest(one) == digest(one.copy())
