"""Who drives: what of a clip is played, seen and heard."""

from pathlib import Path

import pytest
from test_perform import with_sound

from clips import numbered, write_clip
from tiny import tiny_performance
from understudy.errors import MediaError
from understudy.performance import Performance
from understudy.performing.driver import Driver


@pytest.fixture
def dance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Performance:
    """What every video is tracked as."""
    performance = tiny_performance(tmp_path / "dance.performance", 1)
    monkeypatch.setattr("understudy.tracking.track.track", lambda video, folder, **options: performance)
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path / "cache"))
    return performance


def test_a_video_is_seen_and_heard_if_it_has_sound(tmp_path: Path, dance: Performance) -> None:
    loud, silent = with_sound(tmp_path / "loud.mp4", 0.2), write_clip(tmp_path / "silent.mp4", [numbered(1)] * 3, 25)
    assert Driver.of(loud) == Driver(dance, loud, loud)
    assert Driver.of(str(silent)) == Driver(dance, silent, None)


def test_a_performance_has_neither(dance: Performance) -> None:
    assert Driver.of(dance) == Driver(dance)
    folder = Driver.of(dance.path)
    assert (folder.performance.path, folder.video, folder.sound) == (dance.path, None, None)


def test_the_chosen_part_is_that_of_the_performance(dance: Performance) -> None:
    assert (Driver(dance).start, Driver(dance).end) == (0.0, None)
    object.__setattr__(dance.header, "start", 1.5)
    object.__setattr__(dance.header, "end", 4.0)
    assert (Driver(dance).start, Driver(dance).end) == (1.5, 4.0)


def test_options_are_those_of_tracking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr("understudy.tracking.track.tracked", lambda clip, **options: asked.append((clip, options)))
    Driver.of(tmp_path, size=512)
    assert asked == [(tmp_path, {"cache": None, "size": 512})]


def test_nothing_is_no_driver(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="there is no video or performance"):
        Driver.of(tmp_path / "no.mp4")
