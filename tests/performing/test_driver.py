"""Who drives: what of a clip is played, seen and heard; the video of a performance is found again by its content."""

from dataclasses import replace
from pathlib import Path

import pytest
from test_perform import with_sound

from clips import numbered, write_clip
from tiny import tiny_performance
from understudy.base.files import read_json, sha256_of, write_json
from understudy.errors import MediaError, PerformanceError
from understudy.performance import Performance
from understudy.performing.driver import Driver
from understudy.tracking.cache import remember_video, video_of


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


def test_a_performance_of_no_known_video_has_neither(dance: Performance) -> None:
    assert Driver.of(dance) == Driver(dance)
    folder = Driver.of(dance.path)
    assert (folder.performance.path, folder.video, folder.sound) == (dance.path, None, None)


def test_the_chosen_part_is_that_of_the_performance(dance: Performance) -> None:
    assert (Driver(dance).start, Driver(dance).end) == (0.0, None)
    object.__setattr__(dance.header, "start", 1.5)
    object.__setattr__(dance.header, "end", 4.0)
    assert (Driver(dance).start, Driver(dance).end) == (1.5, 4.0)


def test_options_are_those_of_tracking(tmp_path: Path, dance: Performance, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def tracked(clip, **options):
        asked.append((clip, options))
        return dance

    monkeypatch.setattr("understudy.tracking.track.tracked", tracked)
    Driver.of(tmp_path, size=512)
    assert asked == [(tmp_path, {"cache": None, "size": 512})]


def test_nothing_is_no_driver(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="there is no video or performance"):
        Driver.of(tmp_path / "no.mp4")


@pytest.fixture
def clip(tmp_path, monkeypatch):
    """A video with sound, in a folder of its own, which nobody remembers."""
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path / "cache"))
    (tmp_path / "videos").mkdir()
    return write_clip(tmp_path / "videos" / "tiny1.mp4", 60, audio="aac")


@pytest.fixture
def performance(tmp_path, clip):
    made = tiny_performance(tmp_path / "work" / "dance.performance", 1)
    header = made.path / "performance.json"
    content = read_json(header, PerformanceError)
    write_json(header, {**content, "source_sha256": sha256_of(clip), "start": 0.5})
    return Performance.load(made.path)


def test_a_performance_is_seen_and_heard_where_its_video_is_remembered(clip, performance):
    assert Driver.of(performance) == Driver(performance), "nobody knows where it is"
    remember_video(clip, performance.header.source_sha256)
    driver = Driver.of(performance.path)
    assert (driver.video, driver.sound, driver.start) == (clip, clip, 0.5)


@pytest.mark.parametrize("beside", [True, False], ids=["beside it", "in the current folder"])
def test_and_where_it_lies_nearby_under_its_name(tmp_path, clip, performance, beside, monkeypatch):
    monkeypatch.chdir(tmp_path)
    moved = clip.rename((performance.path.parent if beside else tmp_path) / clip.name)
    found = video_of(performance)
    assert found is not None and found.samefile(moved)


def test_another_video_of_that_name_is_not_taken(clip, performance):
    remember_video(clip, performance.header.source_sha256)
    clip.write_bytes(clip.read_bytes() + b" ")
    assert video_of(performance) is None
    clip.unlink()
    assert video_of(performance) is None


def test_what_cannot_be_remembered_is_no_reason_to_lose_a_performance(tmp_path, clip, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path / "file"))
    remember_video(clip, "0" * 64)


def test_a_performance_of_nothing_known_is_motion_alone(performance):
    header = replace(performance.header, source_sha256="")
    unknown = Performance.load(performance.path)
    unknown.header = header
    assert video_of(unknown) is None
