"""A BVH file drives: what an actor makes of it, and what there is instead of the driver's video."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from captures import small_rig
from tiny import tiny_performance
from tiny_actor import CONFIG, drawing_actor
from understudy.actor import Actor
from understudy.covering.coverage import coverage
from understudy.errors import MediaError
from understudy.media.reading import VideoReader, probe
from understudy.recipes import performance_cloning
from understudy.synthetic.drivers import WALL
from understudy.verbs.clone import clone
from understudy.verbs.perform import perform
from understudy.verbs.train import train


@pytest.fixture
def capture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "arm.bvh"
    path.write_text(small_rig(frames=6, seconds=0.04))
    return path


def test_actors_perform_it(capture: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    output = perform(drawing_actor(), capture, tmp_path / "out.mp4", compare=True, device="cpu")
    info = probe(output)
    assert (info.frames, info.fps, info.has_audio, info.size_hw) == (6, 25, False, (48, 40))
    assert "arm.bvh is motion alone" in caplog.text and "out.mp4 is without sound" in caplog.text
    with VideoReader(tmp_path / "out.compare.mp4") as comparison:
        first = next(iter(comparison))
    dancer = first[:, : first.shape[0]].astype(int)  # the driver's panel is square
    assert np.abs(dancer[28:34, 2:8] - WALL).max() < 12 and np.abs(dancer - WALL)[24:].max() > 50, (
        "somebody before a wall"
    )
    assert (tmp_path / "out.normalization.png").is_file()


def test_its_room_is_a_wall(capture: Path, tmp_path: Path) -> None:
    output = perform([drawing_actor()] * 2, capture, tmp_path / "out.mp4", background="driving", device="cpu")
    with VideoReader(output) as video:
        assert np.abs(next(iter(video))[0, 0].astype(int) - WALL).max() < 6


def test_clones_learn_from_it_and_perform_it(capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(performance_cloning.RECIPE.presets, "preview", lambda: CONFIG)
    me = tiny_performance(tmp_path / "me.performance", 1)
    output = clone(me, capture, tmp_path / "out.mp4", recipe="performance-cloning", consent="I am it", device="cpu")
    assert probe(output).frames == 6
    assert Actor.load(tmp_path / "out.actor").record["steps"] == CONFIG.steps


def test_coverage_is_asked_of_it(capture: Path, tmp_path: Path) -> None:
    me = tiny_performance(tmp_path / "me.performance", 1)
    assert len(coverage(me, capture).distance) == 6


def test_it_shows_nobody_to_be_learnt(capture: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"cannot read .*arm\.bvh: it is a text file, not a video"):
        train(capture, tmp_path / "me.actor", consent="me", device="cpu")
