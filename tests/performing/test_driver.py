"""What goes along with a driver: the video of a performance is found again by its content, and its range with it."""

from dataclasses import replace

import pytest

from clips import write_clip
from tiny import tiny_performance
from understudy.base.files import read_json, sha256_of, write_json
from understudy.errors import PerformanceError
from understudy.performance import Performance
from understudy.performing.driver import Driver
from understudy.tracking.cache import remember_video, video_of


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
