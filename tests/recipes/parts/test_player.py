"""What every player keeps to: a frame a moment, the same in any batch and every time, and no later than it says."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

from tiny import tiny_poses
from understudy.base import engines
from understudy.poses.pose import Pose
from understudy.recipes import names
from understudy.recipes.parts.player import Moment, batches, moments, pose_of

SIZE, FRAMES = 32, 12
CASES = [
    # of freestyle reenactment there is one size, which takes a while a frame: see `test_freestyle_player`
    *((name, None) for name in names() if name != "freestyle-reenactment"),
    ("cyclegan", "frames"),
    ("everybody-dance-now", "FBF"),
    ("nearest-neighbour", "by limbs"),
    ("performance-cloning", "N = 3"),
    ("poses-in-the-wild", "w/ BG"),
    ("poses-in-the-wild", "PL-Stage1"),
]


@pytest.fixture(params=CASES, ids=lambda case: " ".join(filter(None, case)))
def player(request, learnt_small):
    return learnt_small(*request.param).player()


@pytest.fixture(autouse=True)
def _in_float32(monkeypatch):
    """Where bfloat16 is quicker, its rounding differs between sizes of a batch by more than a level."""
    monkeypatch.setattr("understudy.base.devices.computes_in_bfloat16", lambda device: False)


def dance(player, frames=FRAMES, seed=2):
    """Moments of somebody's poses, with frames if the player needs them."""
    pictures = np.random.default_rng(seed).integers(0, 256, (frames, SIZE, SIZE, 3), np.uint8)
    return list(moments(tiny_poses(frames, SIZE, seed), pictures if "frames" in player.needs else None))


# -- every player ----------------------------------------------------------------------------------------------


def test_frames_are_the_same_in_batches_of_any_size(player):
    one, three, eight = (np.stack(list(player.play(dance(player), batch))).astype(int) for batch in (1, 3, 8))
    assert one.shape[:3] == (FRAMES, SIZE, SIZE) and one.shape[3] in (3, 4)
    assert np.ptp(one, axis=0).max() > 0  # who moves does not look the same all the time
    assert np.abs(three - one).max() <= 1 and np.abs(eight - one).max() <= 1


NETWORKS = {"pix2pix": 1, "cyclegan": 1, "performance-cloning": 1, "poses-in-the-wild": 2, "everybody-dance-now": 2}
"""that run for every frame; the default recipe asks its own only where that changes something"""


@pytest.mark.parametrize("name", [*NETWORKS, "copy-then-refine"])
def test_another_engine_paints_the_same_frames(name, learnt_small, monkeypatch, tmp_path):
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path))
    monkeypatch.setattr(engines, "WORTH_A_TRIAL", 0.0)
    found = {"PyTorch": {"ms": 9.0, "loading_s": 0.0}, "OpenVINO": {"ms": 1.0, "loading_s": 0.0}}
    monkeypatch.setattr(engines.Engines, "trial", lambda self: found)
    monkeypatch.setattr("understudy.base.load.busy_seconds", lambda: None)
    monkeypatch.setattr("understudy.recipes.copy_then_refine.changes_nothing", lambda *_: False)
    chosen = []
    usual = engines.Quicker._chosen

    def seen(self, given):
        chosen.append(usual(self, given))
        return chosen[-1]

    monkeypatch.setattr(engines.Quicker, "_chosen", seen)
    asked = dance(learnt_small(name).player())
    usually = np.stack(list(learnt_small(name).player().play(asked, 5))).astype(int)
    assert not chosen
    shown = np.stack(list(learnt_small(name).player(FRAMES).play(asked, 5))).astype(int)  # the last batch is shorter
    assert [engine for engine, _ in chosen] == ["OpenVINO"] * NETWORKS.get(name, 1)
    apart = np.abs(shown - usually)
    assert apart[0].max() <= 1  # what is painted from the frame before may drift from there
    assert apart.mean() < 0.1 and apart.max() <= 5


def test_frames_are_bytes_and_nothing_gives_nothing(player):
    assert {frame.dtype for frame in player.play(dance(player))} == {np.dtype(np.uint8)}
    assert len(list(player.play(dance(player, 1)))) == 1
    assert list(player.play([])) == []


def test_every_sequence_is_played_from_its_beginning(player):
    """Whatever was played before, and even if that was broken off."""
    once = list(player.play(dance(player)))
    other = player.play(dance(player, seed=5), batch=3)
    for _ in range(4):
        next(other)
    again = list(player.play(dance(player)))
    assert np.array_equal(once, again)
    other.close()


def test_a_frame_comes_as_late_as_the_player_says(player):
    taken = 0

    def counted():
        nonlocal taken
        for moment in dance(player):
            taken += 1
            yield moment

    late = FRAMES if player.latency is None else player.latency
    for moment, _ in enumerate(player.play(counted(), batch=1)):
        assert taken == min(moment + 1 + late, FRAMES)
    assert moment == FRAMES - 1


def test_moments_are_let_go_of(player):
    if player.latency is None:
        assert player.needs == ("poses",)  # all poses of a dance may be held, never all frames
        return
    alive: weakref.WeakSet[Moment] = weakref.WeakSet()

    def watched():
        for moment in dance(player, 40):
            again = Moment(moment.xy, moment.confidence, moment.frame)
            alive.add(again)
            yield again
            del again

    most = 0
    for _ in player.play(watched(), batch=1):
        most = max(most, len(alive))
    assert 0 < most <= player.latency + 6


@pytest.mark.parametrize(
    ("name", "variant", "latency"),
    [
        ("performance-cloning", None, 1),
        ("performance-cloning", "N = 1", 0),
        ("performance-cloning", "N = 3", 2),
        ("pix2pix", None, 0),
        ("cyclegan", None, 0),
        ("everybody-dance-now", None, 0),
        ("nearest-neighbour", None, 0),
        ("limb-warp", None, None),
        ("poses-in-the-wild", None, None),
        ("poses-in-the-wild", "w/ BG", 4),
    ],
)
def test_how_late_each_recipe_is(learnt_small, name, variant, latency):
    assert learnt_small(name, variant).player().latency == latency


# -- moments ---------------------------------------------------------------------------------------------------


def test_moments_are_poses_one_by_one_and_become_poses_again():
    pose = tiny_poses(3, SIZE, 1)
    found = list(moments(pose))
    assert len(found) == 3 and all(moment.frame is None for moment in found)
    np.testing.assert_array_equal(found[1].xy, pose.xy[1])
    np.testing.assert_array_equal(found[1].confidence, pose.confidence[1])
    again = pose_of(iter(found), SIZE)
    np.testing.assert_array_equal(again.xy, pose.xy)
    np.testing.assert_array_equal(again.confidence, pose.confidence)
    assert again.size_hw == (SIZE, SIZE)


def test_moments_carry_the_frames_that_go_with_them():
    pictures = np.arange(3, dtype=np.uint8)[:, None, None, None].repeat(3, 3)
    found = list(moments(tiny_poses(3, SIZE, 1), iter(pictures)))
    assert [int(moment.frame[0, 0, 0]) for moment in found] == [0, 1, 2]


def test_no_moments_are_poses_of_no_frames():
    none = pose_of([], SIZE)
    assert isinstance(none, Pose) and len(none) == 0 and none.xy.shape == (0, 133, 2)
    assert list(moments(none)) == []


def test_batches_are_full_but_the_last_and_take_no_more_than_they_give():
    taken = []
    numbers = (taken.append(number) or number for number in range(7))
    found = batches(numbers, 3)
    assert next(found) == [0, 1, 2] and taken == [0, 1, 2]
    assert list(found) == [[3, 4, 5], [6]]
    assert list(batches([], 3)) == []
