"""What leaves ComfyUI's Perform: pictures, mask, and a video that still says how it was made."""

from __future__ import annotations

import io as streams
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

import understudy
from clips import write_clip
from integrations.comfyui_host import Host
from tiny import tiny_performance
from tiny_actor import tiny_actor
from understudy.errors import PerformanceError, UsageError
from understudy.media.reading import VideoReader, probe
from understudy.performance import Performance

FRAMES = 12


@pytest.fixture
def actor(tmp_path: Path) -> Path:
    tiny_actor(original_size_hw=(47, 40), background=np.full((47, 40, 3), 60, np.uint8)).save(tmp_path / "me.actor")
    return tmp_path / "me.actor"


@pytest.fixture
def dance(tmp_path: Path) -> Performance:
    return tiny_performance(tmp_path / "dance.performance", seed=1, frames=FRAMES, missing=(0, 1, 2))


def test_images_mask_and_video_have_the_shapes_and_ranges_of_comfyui(
    comfy: Host, actor: Path, dance: Performance
) -> None:
    given = comfy.run("UnderstudyPerform", actor=actor, driving=dance.path, give="video, images and mask")
    images, mask, video = given.args
    assert images.shape == (FRAMES, 48, 40, 3) and images.dtype == torch.float32  # H.264 wants even sides
    assert mask.shape == (FRAMES, 48, 40) and mask.dtype == torch.float32
    assert float(images.min()) >= 0 and 0.5 < float(images.max()) <= 1
    assert float(mask.min()) == 0 and float(mask.max()) == 1
    assert not mask[:, 47].any() and mask[0].max() < mask[-1].max()  # nobody was found in the first frames
    assert not images.is_inference() and not mask.is_inference()
    with VideoReader(video.get_stream_source()) as frames:
        pairs = zip(frames, images, strict=True)
        assert all(np.array_equal(frame, image.mul(255).round().numpy()) for frame, image in pairs)
    (shown,) = given.ui.as_dict()["images"]
    assert (comfy.root / "temp" / shown["subfolder"] / shown["filename"]).is_file() and shown["type"] == "temp"


def test_what_was_not_asked_for_says_so_to_who_wants_it(comfy: Host, actor: Path, dance: Performance) -> None:
    images, mask, video = comfy.run("UnderstudyPerform", actor=actor, driving=dance.path, give="video").args
    blocker = comfy.part("comfy_execution.graph_utils").ExecutionBlocker
    assert isinstance(images, blocker) and isinstance(mask, blocker) and "`give`" in mask.message
    assert probe(video.get_stream_source()).frames == FRAMES


@pytest.mark.parametrize("into", ["file", "stream"])
def test_a_saved_video_keeps_its_marks(comfy: Host, actor: Path, dance: Performance, tmp_path: Path, into: str) -> None:
    """ComfyUI's own saving, into a new file with the workflow in its metadata, takes off what is signed."""
    video = comfy.run("UnderstudyPerform", actor=actor, driving=dance.path, give="video").args[2]
    saved, remade = tmp_path / "saved.mp4", tmp_path / "remade.mp4"
    if into == "file":
        video.save_to(str(saved), format="auto", codec="h264", metadata={"prompt": {"7": {}}})
    else:
        buffer = streams.BytesIO()
        video.save_to(buffer, format="mp4")
        saved.write_bytes(buffer.getvalue())
    assert saved.read_bytes() == Path(video.get_stream_source()).read_bytes()
    theirs = comfy.part("comfy_api.latest").InputImpl.VideoFromFile
    theirs(video.get_stream_source()).save_to(str(remade), metadata={"prompt": {"7": {}}})
    kept, lost = (understudy.verify([file], sandbox=False).files[0] for file in (saved, remade))
    assert (kept.verdict, lost.verdict) == ("generated", "unmarked")


def test_saved_in_another_codec_it_is_said_what_is_lost(
    comfy: Host, actor: Path, dance: Performance, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    video = comfy.run("UnderstudyPerform", actor=actor, driving=dance.path, give="video").args[2]
    video.save_to(str(tmp_path / "saved.mp4"), codec="av1")
    assert "only the invisible one is left" in caplog.text and (tmp_path / "saved.mp4").stat().st_size


def test_more_frames_than_memory_was_allowed_are_refused_before_anything_is_played(
    comfy: Host, actor: Path, dance: Performance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.verbs.perform.rendered", lambda *_: pytest.fail("it was played"))
    large = tiny_actor(original_size_hw=(4000, 3000), background=np.zeros((4000, 3000, 3), np.uint8))
    large.save(actor)
    with pytest.raises(UsageError, match=r"12 frames of 3000x4000 would take 1\.7 GB of memory, more than the 1 of"):
        comfy.run("UnderstudyPerform", actor=actor, driving=dance.path, most_gigabytes=1.0)


def test_a_driver_is_given_once_and_its_own_shot_has_no_mask(comfy: Host, actor: Path, dance: Performance) -> None:
    video = comfy.part("comfy_api.latest").InputImpl.VideoFromFile("nowhere.mp4")
    for given in ({}, {"driving": dance.path, "driving_video": video}):
        with pytest.raises(UsageError, match="one of the two"):
            comfy.run("UnderstudyPerform", actor=actor, **given)
    performing = comfy.part("performing")
    with pytest.raises(UsageError, match="no mask in the driver's own shot"):
        performing.masked(actor, dance.path, (48, 40), {"background": "driving"})


def test_a_picture_behind_is_looked_at_again_when_it_changed(comfy: Host, tmp_path: Path) -> None:
    node, picture = comfy.nodes["UnderstudyPerform"], tmp_path / "room.png"
    picture.write_bytes(b"one")
    before = node.fingerprint_inputs(background=str(picture), actor=None)
    picture.write_bytes(b"other")
    assert before != node.fingerprint_inputs(background=str(picture), actor=None)
    for word in ("reference", "driving", "#202030", None):
        assert node.fingerprint_inputs(background=word, actor=None) == ""


def test_a_video_from_a_node_is_its_file_or_is_written_once(comfy: Host, tmp_path: Path) -> None:
    latest, places = comfy.part("comfy_api.latest"), comfy.part("places")
    clip = write_clip(tmp_path / "clip.mp4", 30, 30)
    assert places.file_of(latest.InputImpl.VideoFromFile(str(clip))) == clip
    trimmed = comfy.part("comfy_api.latest._video").TrimmedVideo(str(clip), 0.5)
    images = torch.rand(10, 48, 64, 3)
    made = latest.InputImpl.VideoFromComponents(latest.Types.VideoComponents(images, Fraction(10)))
    in_memory = latest.InputImpl.VideoFromFile(streams.BytesIO(clip.read_bytes()))
    for video, frames in ((trimmed, 15), (made, 10), (in_memory, 30)):
        file = places.file_of(video)
        assert file.parent == comfy.root / "output" / "understudy" / "videos" and probe(file).frames == frames
        assert places.file_of(video) == file
    assert len(list((comfy.root / "output" / "understudy" / "videos").iterdir())) == 3
    assert not list((comfy.root / "temp" / "understudy").iterdir())


def test_names_stay_in_their_folder(comfy: Host) -> None:
    places = comfy.part("places")
    for asked in ("../../etc/passwd", "a/b\\c", "..", "\x00", "Zoë tanzt", "x" * 300):
        name = places.new_name(asked, "clip", 1)
        assert "/" not in name and "\\" not in name and not name.startswith(".") and len(name) < 80
    assert places.new_name("me", "", 1) != places.new_name("me", "", 2)
    with pytest.raises(UsageError, match="nothing was chosen"):
        places.chosen("actors", places.NONE, "")
    with pytest.raises(UsageError, match="there is no 'nowhere'"):
        places.found_at("nowhere")


def test_what_is_no_performance_or_actor_is_one_line(comfy: Host, tmp_path: Path) -> None:
    (tmp_path / "empty.performance").mkdir()
    node: Any
    for node, error in (("LoadPerformance", PerformanceError), ("LoadActor", understudy.UnderstudyError)):
        name = {"LoadPerformance": "performance_name", "LoadActor": "actor_name"}[node]
        with pytest.raises(error) as raised:
            comfy.run(
                f"Understudy{node}", path=str(tmp_path / "empty.performance"), **{name: comfy.part("places").NONE}
            )
        assert "\n" not in str(raised.value)
    with av.open(str(tmp_path / "x.mkv"), "w") as container:
        container.add_stream("libx264", rate=1)
