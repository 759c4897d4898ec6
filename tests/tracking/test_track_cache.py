"""A clip is tracked once: the cache and what it knows."""

import pytest
from filmed_dancer import filmed_dancer

from understudy.errors import MediaError, PerformanceError, UnderstudyError
from understudy.performance import Performance
from understudy.tracking import track as track_module
from understudy.tracking.cache import cache_key
from understudy.tracking.track import track, tracked


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    return filmed_dancer(tmp_path_factory.mktemp("filmed"))


@pytest.fixture(scope="module")
def performance(filmed):
    return track(filmed.video, filmed.video.with_name("dance.performance"), size=128)


@pytest.fixture
def counted(monkeypatch):
    """Counts how often something is really tracked."""
    calls = []
    real = track_module.track

    def counting(*args, **options):
        calls.append(args)
        return real(*args, **options)

    monkeypatch.setattr(track_module, "track", counting)
    return calls


def test_the_cache_knows_content_and_options(filmed, tmp_path, counted, caplog):
    cache, options = tmp_path / "cache", {"size": 64, "end": 0.15}
    first = tracked(filmed.video, cache=cache, **options)
    copy = tmp_path / "renamed.mp4"
    copy.write_bytes(filmed.video.read_bytes())
    assert tracked(copy, cache=cache, **options).path == first.path
    assert len(counted) == 1
    assert tracked(copy, cache=cache, size=32, end=0.15).path != first.path
    assert len(counted) == 2
    (first.path / "matte.mp4").write_bytes(b"gone")
    again = tracked(filmed.video, cache=cache, **options)
    assert len(counted) == 3
    assert "its cached performance cannot be used" in caplog.text
    assert Performance.load(again.path).header.files == again.header.files


def test_the_cache_knows_the_content_of_files_and_folders_among_the_options(filmed, tmp_path):
    def key(**options):
        return cache_key(filmed.video, options)

    poses, matte = tmp_path / "poses", tmp_path / "matte.mp4"
    poses.mkdir()
    (poses / "1.json").write_text("one")
    matte.write_text("white")
    keys = [key(), key(size=64), key(poses=poses), key(matte=matte), key(poses=poses, matte=matte)]
    (poses / "1.json").write_text("two")
    matte.write_text("black")
    keys += [key(poses=poses), key(matte=matte)]
    assert len(set(keys)) == len(keys)
    moved = poses.rename(tmp_path / "elsewhere")
    assert key(poses=moved) == keys[5] and key(poses=None) == keys[0]


def test_performances_pass_through(performance, counted):
    assert tracked(performance) is performance
    assert tracked(performance.path).header == performance.header
    assert counted == []


def test_the_cache_can_be_named(filmed, tmp_path, monkeypatch):
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path / "elsewhere"))
    path = tracked(filmed.video, size=32, end=0.15).path
    assert path.is_relative_to(tmp_path / "elsewhere")


def test_neither_video_nor_performance(tmp_path):
    with pytest.raises(MediaError, match="no video or performance"):
        tracked(tmp_path / "nothing.mp4")
    with pytest.raises(PerformanceError, match=r"no performance\.json"):
        tracked(tmp_path)


@pytest.mark.parametrize(
    ("option", "said"),
    [("poses", "cannot read .*nothing"), ("matte", "there is no matte")],
)
def test_a_file_that_is_not_there_is_said_so(filmed, tmp_path, option, said):
    """Also where it was given as a path: what nobody can read has no content to be known by."""
    with pytest.raises(UnderstudyError, match=said):
        tracked(filmed.video, cache=tmp_path, **{option: tmp_path / "nothing.json"})
