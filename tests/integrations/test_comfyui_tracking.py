"""Real footage through ComfyUI's nodes: tracked, looked at, an actor at once, and performed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import understudy
from clips import real_clip
from integrations.comfyui_host import Host
from tiny import tiny_performance
from understudy.errors import UsageError
from understudy.media.reading import probe
from understudy.performance import Performance

SECONDS = 0.8
"""four frames of a clip of five a second"""


def test_a_real_person_is_tracked_learnt_and_performed(comfy: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = real_clip("studio_squats_5fps.mp4")
    video = comfy.part("comfy_api.latest").InputImpl.VideoFromFile(str(clip))
    asked: dict[str, Any] = {"landmarks": "body", "size": 128, "end": SECONDS}
    performance, sheet, summary = comfy.run("UnderstudyTrack", video=video, name="squats", **asked).args
    assert Performance.load(performance).header.found == 4 and "4 of 4 frames" in summary
    assert performance.parent == comfy.root / "output" / "understudy" / "performances"
    assert sheet.shape[0] == 1 and sheet.shape[3] == 3 and sheet.std() > 0.05

    with monkeypatch.context() as no_more:
        no_more.setattr(understudy, "track", lambda *_, **__: pytest.fail("it was tracked before"))
        again = comfy.run("UnderstudyTrack", path=str(clip), name="squats", **asked)
        assert again.args[0] == performance
    (picture,) = again.ui["images"]
    assert (comfy.root / "temp" / picture["subfolder"] / picture["filename"]).is_file()

    given = {"reference": performance, "consent": "published for research", "recipe": "limb-warp"}
    actor = comfy.run("UnderstudyTrain", **given).args[0]
    images, _, film = comfy.run("UnderstudyPerform", actor=actor, driving=performance).args
    assert images.shape == (4, 1280, 720, 3) and images.std() > 0.05
    assert probe(film.get_stream_source()).frames == 4

    text, drawn, missed = comfy.run("UnderstudyCoverage", reference=performance, driving=performance).args
    assert missed == 0 and "studio_squats_5fps.mp4" in text and drawn.shape[0] == 1


def test_a_video_is_given_once_and_a_region_is_four_numbers(comfy: Host, tmp_path: Path) -> None:
    video = comfy.part("comfy_api.latest").InputImpl.VideoFromFile("nowhere.mp4")
    for given in ({}, {"path": " "}, {"video": video, "path": "nowhere.mp4"}):
        with pytest.raises(UsageError, match="one of the two"):
            comfy.run("UnderstudyTrack", **given)
    for region in ("1,2,3", "a,b,c,d", "1,2,3,-4"):
        with pytest.raises(UsageError, match="left, top, width, height"):
            comfy.run("UnderstudyTrack", video=video, region=region)


def test_what_lies_on_the_disk_can_be_chosen_and_is_read_again_when_it_changed(comfy: Host, tmp_path: Path) -> None:
    node = comfy.nodes["UnderstudyLoadPerformance"]
    assert node.define_schema().inputs[0].given["options"] == [comfy.part("places").NONE]
    made = comfy.root / "output" / "understudy" / "performances" / "me.performance"
    tiny_performance(made)
    made.with_name(".half.performance").mkdir()
    tiny_performance(comfy.root / "input" / "brought.performance")
    assert node.define_schema().inputs[0].given["options"] == ["me.performance", "brought.performance"]
    assert comfy.run("UnderstudyLoadPerformance", performance_name="me.performance").args[0] == made
    brought = comfy.run("UnderstudyLoadPerformance", performance_name="me.performance", path="brought.performance")
    assert brought.args[0] == comfy.root / "input" / "brought.performance"
    before = node.fingerprint_inputs(performance_name="me.performance")
    assert node.fingerprint_inputs(performance_name="me.performance") == before
    tiny_performance(made, seed=3)
    assert node.fingerprint_inputs(performance_name="me.performance") != before
