"""A performance that was corrected is performed again: only what changed is painted, and the video is the same."""

import logging
from dataclasses import replace

import numpy as np
import pytest

from tiny import session_for, shrunk, tiny_performance
from tiny_actor import tiny_actor
from understudy.actor import Actor
from understudy.base.folders import cache_folder
from understudy.consent import Consent
from understudy.performance.fixes import add
from understudy.performing.perform import generated, part_for
from understudy.performing.remembering import memory_of
from understudy.poses.edits import Move
from understudy.poses.pose import LEFT_WRIST
from understudy.recipes import copy_then_refine
from understudy.recipes.parts.remembered import Remembering

SMALL = replace(shrunk(copy_then_refine.RECIPE.preset("preview")), knows_people=False, steps=0)


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def actor(tmp_path):
    me = tiny_performance(tmp_path / "me.performance", 1, frames=32, size=64)
    session = session_for("copy-then-refine", SMALL, me, tmp_path / "run", device="cpu")
    trained = copy_then_refine.RECIPE.learn(session)
    return Actor.of(trained, me, "copy-then-refine", "preview", Consent("me", "2026-01-02T03:04:05+00:00"))


def painted(actor, driving):
    part = part_for(actor, driving)
    return np.stack(list(generated(actor, actor.player("cpu", 0), part, driving)))


def from_scratch(actor, driving):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("understudy.performing.perform.memory_of", lambda *_: None)
        return painted(actor, driving)


def test_a_correction_is_painted_and_the_rest_is_found(actor, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    dance = tiny_performance(tmp_path / "dance.performance", 2, frames=24, size=64)
    np.testing.assert_array_equal(painted(actor, dance), from_scratch(actor, dance))
    assert "painted before" not in caplog.text
    x, y = dance.poses.xy[20, LEFT_WRIST].tolist()
    corrected = add(dance, Move(20, LEFT_WRIST, x - 2.0, y + 1.0))
    expected = from_scratch(actor, corrected)
    assert (expected != from_scratch(actor, dance)).any()
    np.testing.assert_array_equal(painted(actor, corrected), expected)
    (said,) = [line for line in caplog.messages if "painted before" in line]
    assert int(said.split()[0]) >= 16 and said.endswith("of 24 frames were painted before, and not again")


def test_what_stands_for_a_video_or_for_nobody_is_not_kept(actor, tmp_path):
    mine = tiny_performance(tmp_path / "dance.performance", 2)
    of_a_video = tiny_performance(cache_folder() / "performances" / "x.performance", 2)
    assert memory_of(actor, mine).folder.parent == cache_folder() / "played"
    assert memory_of(actor, of_a_video) is None
    assert memory_of(replace(actor, reference_sha256=""), mine) is None


def test_players_that_know_nothing_of_it_paint_everything_again(tmp_path):
    dance = tiny_performance(tmp_path / "dance.performance", 2)
    actor = tiny_actor()
    assert not isinstance(actor.player("cpu"), Remembering)
    first = painted(actor, dance)
    np.testing.assert_array_equal(painted(actor, dance), first)
    assert not (cache_folder() / "played").exists()
