"""Whether a network mends pictures live: as it was asked, or by what it takes here."""

import logging

import pytest
import torch

from tiny_actor import drawing_actor
from understudy import live
from understudy.base import load
from understudy.errors import UsageError
from understudy.streaming.mending import MOST_SECONDS, settle_mending


class Mender:
    mends = True

    def __init__(self, takes):
        self.takes, self.asked = takes, 0

    def mending_takes(self):
        self.asked += 1
        return self.takes


@pytest.mark.parametrize(("takes", "mends"), [(0.0, True), (MOST_SECONDS, True), (2 * MOST_SECONDS, False)])
def test_it_is_left_out_where_it_takes_too_long_and_that_is_told(takes, mends, caplog):
    player = Mender(takes)
    with caplog.at_level(logging.INFO):
        settle_mending(player, "auto")
    assert player.mends is mends and player.asked == 1
    assert ("takes 24 ms a frame here, more than 12" in caplog.text) is not mends


def test_it_is_measured_with_as_many_threads_as_playing_gets(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(load, "cores", lambda: 2)
    before, player, threads = torch.get_num_threads(), Mender(0.0), []
    torch.set_num_threads(2)
    try:
        player.mending_takes = lambda: threads.append(torch.get_num_threads()) or 0.0
        settle_mending(player, "auto")
        assert threads == [1] and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(("mend", "mends"), [("always", True), ("never", False)])
def test_who_has_said_it_is_not_contradicted_and_nothing_is_measured(mend, mends):
    player = Mender(1.0)
    settle_mending(player, mend)
    assert player.mends is mends and player.asked == 0


def test_players_that_cannot_be_without_their_network_are_left_alone():
    player = drawing_actor().prompt_player("cpu")
    settle_mending(player, "never")
    assert not hasattr(player, "mends")


def test_another_word_is_one_line():
    with pytest.raises(UsageError, match="mend"):
        live(drawing_actor(), driving="dance.mp4", mend="sometimes")
