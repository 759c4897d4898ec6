"""Copy-then-refine live: nothing is asked for before it can be used, and what is cut apart once stays so."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from tiny import tiny_poses
from understudy.recipes.parts import prompt
from understudy.recipes.parts.dressing import Dresser
from understudy.recipes.parts.player import moments
from understudy.recipes.parts.prompt import PromptPlayer

KEPT = tiny_poses(20, 32, 1)


class FakeDresser:
    def __init__(self, *_):
        self.begun, self.cut = 0, []

    def begin(self):
        self.begun += 1

    def dressing(self, xy, confidence, frames, distances):
        return xy[0, 0]

    def ready_frames(self, count):
        for frame in range(count):
            self.cut.append(frame)
            yield count - frame - 1


@pytest.fixture
def player(monkeypatch):
    monkeypatch.setattr(prompt, "Dresser", FakeDresser)
    monkeypatch.setattr(prompt, "ChoosingNow", lambda *_: lambda pose: ([0], [0.0]))
    at_side = lambda moment: SimpleNamespace(xy=moment.xy[None], confidence=moment.confidence[None])  # noqa: E731
    return PromptPlayer(None, KEPT, np.arange(20), None, at_side, lambda made, mends: iter(made))


def test_a_moment_is_asked_for_when_the_one_before_is_taken_and_not_earlier(player):
    asked, more = [], threading.Semaphore(0)

    def source():
        for number, moment in enumerate(moments(KEPT)):
            asked.append(number)
            more.release()
            yield moment

    frames = player.play(source(), 1)
    for number in range(3):
        assert next(frames) == KEPT.xy[number, 0, 0]
        assert more.acquire(timeout=10)
    assert more.acquire(timeout=10) and not more.acquire(timeout=0.1)  # one is made while this one is mended
    assert asked == [0, 1, 2, 3]
    assert len(list(frames)) == 17


def test_every_sequence_begins_anew_and_a_sequence_can_be_left(player):
    for _ in range(3):
        frames = player.play(moments(KEPT), 1)
        next(frames)
        frames.close()
    assert player._dresser.begun == 3
    assert not [one for one in threading.enumerate() if one.name == "read-ahead"]


def test_whether_it_is_mended_is_said_of_every_sequence_anew(player):
    said = []
    player._shown = lambda made, mends: said.append(mends) or iter(made)
    for mends in (True, False, True):
        player.mends = mends
        assert len(list(player.play(moments(KEPT), 1))) == 20
    assert said == [True, False, True]


@pytest.mark.parametrize(("with_it", "without", "expected"), [(0.05, 0.02, 0.03), (0.02, 0.02, 0.0), (0.01, 0.02, 0.0)])
def test_what_mending_takes_is_how_much_longer_a_frame_takes_with_it(player, monkeypatch, with_it, without, expected):
    """By a clock that making a frame moves; the first frame of either takes ten times as long and does not count."""
    now, made = [0.0], {True: 0, False: 0}

    def shown(some, mends):
        now[0] += (with_it if mends else without) * (10 if made[mends] == 0 else 1)
        made[mends] += 1
        return iter(some)

    monkeypatch.setattr(prompt.time, "perf_counter", lambda: now[0])
    player._shown = shown
    assert player.mending_takes() == pytest.approx(expected)
    assert made == {True: prompt.TRIALS, False: prompt.TRIALS}


def test_what_is_made_ready_ends_with_the_time(player, monkeypatch):
    player.make_ready(60.0)
    assert player._dresser.cut == list(range(20))
    player._dresser.cut.clear()
    player.make_ready(-1.0)
    assert player._dresser.cut == [0]


def test_a_network_that_changes_nothing_is_not_timed(player):
    player._shown = None  # would be asked for frames
    player._plain = True
    assert player.mending_takes() == 0.0


def test_what_is_finer_is_made_ready_after_what_is_cut_and_in_the_same_time(player, monkeypatch):
    now, order = [0.0], []

    def ready(name):
        def ready_frames(count):
            for frame in range(count):
                now[0] += 1.0
                order.append((name, frame))
                yield count - frame - 1

        return SimpleNamespace(ready_frames=ready_frames)

    monkeypatch.setattr(prompt.time, "monotonic", lambda: now[0])
    player._dresser, player._full_size = ready("cut"), ready("finer")
    player.make_ready(1000.0)
    assert order == [*(("cut", frame) for frame in range(20)), *(("finer", frame) for frame in range(20))]
    order.clear()
    player.make_ready(22.0)
    assert order[-1] == ("finer", 2) and len(order) == 23


@pytest.mark.parametrize(("count", "expected"), [(3, [0, 1, 2]), (4, [0, 1, 2, 3]), (10, [0, 2, 5, 7])])
def test_as_many_frames_are_cut_apart_as_stay_so_and_spread_evenly(count, expected):
    dresser, cut = Dresser.__new__(Dresser), []
    dresser._wardrobe = SimpleNamespace(most_cut=4, layers=cut.append)
    assert list(dresser.ready_frames(count)) == list(range(len(expected)))[::-1]
    assert cut == expected
