"""The limb warp's benchmark: what it compares, and on which clips."""

from pathlib import Path

import pytest

from understudy.evaluation.contenders import contender


@pytest.fixture(scope="module")
def limb_warp():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
        import limb_warp

        yield limb_warp


def test_its_ways_differ_in_their_numbers(limb_warp):
    ways = [contender("limb-warp", "fast", name, title, **changes) for name, (title, changes) in limb_warp.WAYS.items()]
    assert len({str(way.config) for way in ways}) == len({way.title for way in ways}) == len(limb_warp.WAYS)
    assert ways[0].config == contender("limb-warp", "fast").config


def test_clips_that_are_not_there_are_said_and_left_out(limb_warp, tmp_path, monkeypatch, caplog):
    import features

    there = limb_warp.FILMED[0]
    (tmp_path / there).write_bytes(b"")
    monkeypatch.setattr(features, "MEDIA", tmp_path)
    filmed = []
    monkeypatch.setattr(features, "make_person", filmed.append)
    monkeypatch.setattr(features, "write_clip", lambda path, *_: None)
    monkeypatch.setattr(features, "split", lambda video, cache, **how: how)
    found = limb_warp.clips_of(tmp_path, [3], limb_warp.FILMED)
    assert [how for _, how, _ in found.values()] == [{"size": 256, "landmarks": "body"}] * 2
    assert [video for video, _, _ in found.values()] == [tmp_path / "person-3.mp4", tmp_path / there]
    assert filmed == [3]
    assert caplog.text.count("set UNDERSTUDY_MEDIA") == len(limb_warp.FILMED) - 1
