"""Poses from one kind of file to another: what each keeps, how much of it, and what is never written over."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from captures import small_rig
from tiny import tiny_performance
from understudy.errors import UnderstudyError
from understudy.performance import Crop, Performance, PerformanceWriter
from understudy.poses import pose as p
from understudy.poses.formats import read_poses, write_coco_wholebody, write_comfyui, write_openpose
from understudy.poses.pose import Pose
from understudy.verbs.poses import convert_poses

SIZE_HW = (480, 640)
WITHOUT_FEET = [*range(p.BODY.stop), *range(p.FACE.start, p.POINTS)]


def moving(frames: int = 6) -> Pose:
    """Points all over the picture, some not seen, and nobody in frame 2."""
    random = np.random.default_rng(0)
    confidence = random.uniform(0.1, 1, (frames, p.POINTS)).round(4)
    confidence[:, ::7] = 0
    confidence[2] = 0
    return Pose(random.uniform(20, 460, (frames, p.POINTS, 2)).round(2), confidence, SIZE_HW)


def assert_same(again: Pose, pose: Pose, points: list[int]) -> None:
    seen = pose.confidence[:, points] > 0
    assert again.size_hw == pose.size_hw and len(again) == len(pose)
    assert np.array_equal(again.confidence[:, points] > 0, seen)
    assert np.allclose(again.xy[:, points][seen], pose.xy[:, points][seen], atol=2e-3)
    assert np.allclose(again.confidence[:, points], pose.confidence[:, points], atol=2e-5)


WAYS = [
    pytest.param(("a", "b.json", "c.coco.json", "d"), WITHOUT_FEET, id="OpenPose to ComfyUI to COCO and back"),
    pytest.param(("a", "b.coco.json", "c"), list(range(p.POINTS)), id="OpenPose to COCO and back"),
    pytest.param(("a.json", "b", "c.coco.json", "d.json"), WITHOUT_FEET, id="ComfyUI to OpenPose to COCO and back"),
    pytest.param(("a.coco.json", "b.json", "c", "d.coco.json"), WITHOUT_FEET, id="COCO to ComfyUI to OpenPose"),
]


@pytest.mark.parametrize(("names", "kept"), WAYS)
def test_round_trips(tmp_path: Path, names: tuple[str, ...], kept: list[int]) -> None:
    pose, first = moving(), tmp_path / names[0]
    writer = write_openpose if not first.suffix else write_coco_wholebody if ".coco" in names[0] else write_comfyui
    writer(pose, first)
    for before, after in pairwise(names):
        assert convert_poses(tmp_path / before, tmp_path / after) == tmp_path / after
        again = read_poses(tmp_path / after)
        assert_same(again, pose, kept)
        assert not again.confidence[2].any(), "the frame without anybody"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names), "nothing is left beside the results"


@pytest.mark.parametrize(
    ("to", "points"),
    [("openpose", 25), ("openpose18", 18), ("comfyui", 18), ("coco", 17)],
    ids=lambda value: str(value),
)
def test_the_format_can_be_said(tmp_path: Path, to: str, points: int) -> None:
    write_comfyui(moving(), tmp_path / "a.json")
    output = convert_poses(tmp_path / "a.json", tmp_path / ("b.out" if "openpose" in to else "b.json"), to=to)  # type: ignore[arg-type]
    file = sorted(output.iterdir())[0] if output.is_dir() else output
    content = json.loads(file.read_text())
    if to == "coco":
        numbers = content["annotations"][0]["keypoints"]
    else:
        numbers = (content if isinstance(content, dict) else content[0])["people"][0]["pose_keypoints_2d"]
    assert len(numbers) == 3 * points
    assert_same(read_poses(output), moving(), WITHOUT_FEET)


def filmed(folder: Path, pose: Pose, crop: Crop, fps: Fraction) -> Performance:
    """A performance whose poses are those of the video, in pixels of a crop."""
    with PerformanceWriter(folder, fps) as writer:
        for _ in range(len(pose)):
            writer.add(np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32), np.uint8), np.zeros((8, 8, 2), np.float16))
        return writer.finish(
            poses=crop.of_pose(pose, (32, 32)),
            status=np.where(pose.found, 2, 0).astype(np.uint8),
            background=np.zeros((*pose.size_hw, 3), np.uint8), source_name="me.mp4", source_sha256="0" * 64, crop=crop,
            tracker="drawn", tracker_version="1", landmarks="wholebody", matte="drawn", smoothed=False,
        )  # fmt: skip


def test_a_performances_poses_are_in_pixels_of_its_video(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    me = filmed(tmp_path / "me.performance", moving(), Crop(0.1, (-3.45, 2.55)), Fraction(30000, 1001))
    assert_same(read_poses(convert_poses(me.path, tmp_path / "me.coco.json")), moving(), list(range(p.POINTS)))
    assert "6 frames of 640x480 at 29.97 frames a second, a person in 5 of them" in caplog.text


def test_a_tracked_performance_comes_out_as_it_was_tracked(tmp_path: Path) -> None:
    me = tiny_performance(tmp_path / "me.performance", missing=(3,))
    again = read_poses(convert_poses(me.path, tmp_path / "me.json"))
    assert (len(again), again.size_hw) == (12, me.header.original_size_hw)
    np.testing.assert_allclose(again.xy[:, p.NOSE], me.poses.xy[:, p.NOSE], atol=2e-3)


@pytest.mark.parametrize(
    ("fps", "taken"),
    [(12.5, [0, 2, 4]), (25, [0, 1, 2, 3, 4, 5]), (50, [0, 0, 1, 2, 2, 2, 3, 4, 4, 4, 5, 5]), (1, [0])],
)
def test_another_rate_picks_frames_of_a_performance(tmp_path: Path, fps: float, taken: list[int]) -> None:
    pose = moving()
    pose = Pose(pose.xy, np.maximum(pose.confidence, 0.1), pose.size_hw)
    me = filmed(tmp_path / "me.performance", pose, Crop(1.0, (0.0, 0.0)), Fraction(25))
    again = read_poses(convert_poses(me.path, tmp_path / "me.json", fps=fps))
    np.testing.assert_allclose(again.xy[:, p.NOSE], pose.xy[taken, p.NOSE], atol=2e-3)


@pytest.mark.parametrize(
    ("fps", "size", "frames", "size_hw"),
    [(None, None, 5, (768, 768)), (50, "512x640", 9, (640, 512)), (29.97, "96X96", 5, (96, 96))],
)
def test_motion_capture(
    tmp_path: Path, fps: float | None, size: str | None, frames: int, size_hw: tuple[int, int]
) -> None:
    (tmp_path / "arm.bvh").write_text(small_rig(frames=5, seconds=0.04))
    pose = read_poses(convert_poses(tmp_path / "arm.bvh", tmp_path / "arm.json", fps=fps, size=size))
    assert (len(pose), pose.size_hw) == (frames, size_hw)
    assert pose.found.all() and pose.xy[0, p.LEFT_WRIST, 0] > pose.xy[0, p.RIGHT_WRIST, 0]


def bare(path: Path, *people: Pose, shares: bool = False) -> Path:
    """ComfyUI's JSON of several people, without the size of the canvas."""
    write_comfyui(people[0], path)
    content = json.loads(path.read_text())
    for other in people[1:]:
        write_comfyui(other, path)
        for frame, more in zip(content, json.loads(path.read_text()), strict=True):
            frame["people"] += more["people"]
    for frame in content:
        del frame["canvas_width"], frame["canvas_height"]
        for person in frame["people"]:
            for key, numbers in person.items():
                if shares and key.endswith("_2d"):
                    numbers[::3], numbers[1::3] = [x / 640 for x in numbers[::3]], [y / 480 for y in numbers[1::3]]
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("shares", [False, True], ids=["pixels", "shares"])
def test_the_size_of_the_canvas_can_be_said(tmp_path: Path, shares: bool) -> None:
    given = bare(tmp_path / "a.json", moving(), shares=shares)
    assert_same(read_poses(convert_poses(given, tmp_path / "b.coco.json", size="640x480")), moving(), WITHOUT_FEET)


def test_one_of_several_people_can_be_chosen(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pose = moving()
    still = np.repeat(pose.xy[:1], len(pose), axis=0) + np.arange(len(pose), dtype=np.float32)[:, None, None]
    large = Pose(still, np.repeat(pose.confidence[:1], len(pose), axis=0), SIZE_HW)
    small = Pose(large.xy / 4 + 9, large.confidence, SIZE_HW)
    given = bare(tmp_path / "a.json", small, large)
    for person, taken in (("largest", large), ("0", small), (1, large)):
        output = convert_poses(given, tmp_path / "b.json", size="640x480", person=person)
        assert_same(read_poses(output), taken, WITHOUT_FEET)
    assert "shows up to 2 people: took the one who fills most of it" in caplog.text


def test_poses_are_replaced_and_other_things_are_not(tmp_path: Path) -> None:
    write_openpose(moving(), tmp_path / "given")
    for name in ("a.json", "a.coco.json", "folder"):
        for _ in range(2):
            convert_poses(tmp_path / "given", tmp_path / name)
    (tmp_path / "folder" / "photo.png").touch()
    (tmp_path / "notes.json").write_text('{"mine": 1}')
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder.json").mkdir()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for name, message in {
        "folder": "holds other things than poses",
        "notes.json": "is there already and holds no poses",
        "broken.json": "is there already and holds no poses",
        "file": "name a folder, not",
        "folder.json": "is there already and holds no poses",
        "given": "is what the poses are made from",
        "given/more.json": "would lie among the files of",
    }.items():
        with pytest.raises(UnderstudyError, match=message):
            convert_poses(tmp_path / "given", tmp_path / name)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_result_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_openpose(moving(), tmp_path / "given")
    output = convert_poses(tmp_path / "given", tmp_path / "a.json")
    before = output.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(output))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UnderstudyError, match=r"cannot write .*a\.json"):
        convert_poses(tmp_path / "given", output)
    assert output.read_bytes() == before and sorted(os.listdir(tmp_path)) == ["a.json", "given"]


MISTAKES = {
    "nothing there": ("gone.json", "b.json", {}, r"there is no .*gone\.json: give pose files, a performance or a BVH"),
    "a video": ("me.mp4", "b.json", {}, r"me\.mp4 is a video: track it first \(`understudy track .*me\.performance`\)"),
    "no poses": ("no.json", "b.json", {}, "holds no poses that are known here"),
    "not BVH": ("no.bvh", "b.json", {}, "is not a BVH file"),
    "half a performance": ("half.performance", "b.json", {}, "half written or not a performance"),
    "a name that says nothing": ("a.json", "b.txt", {}, "does not say what to write; use a name without suffix"),
    "an unknown format": ("a.json", "b.json", {"to": "bvh"}, "`to='bvh'`: there is no such format; choose one of"),
    "OpenPose as a file": (
        "a.json",
        "b.json",
        {"to": "openpose"},
        "OpenPose has a file for every frame: name a folder",
    ),
    "COCO as a folder": ("a.json", "b", {"to": "coco"}, r"one JSON file; name it b\.json"),
    "a rate for pose files": ("a.json", "b.coco.json", {"fps": 25}, "does not say its rate"),
    "no rate": ("me.performance", "b.json", {"fps": 0}, "`fps` must be above 0 and at most 240, not 0"),
    "a rate that is no number": ("me.performance", "b.json", {"fps": float("nan")}, "`fps` must be above 0"),
    "a size that is none": ("a.json", "b.coco.json", {"size": "640"}, "`size='640'`: give WIDTHxHEIGHT in pixels"),
    "a size of nothing": ("arm.bvh", "b.json", {"size": "0x64"}, "give WIDTHxHEIGHT in pixels from 64 to 8192"),
    "another size": ("a.json", "b.coco.json", {"size": "64x64"}, "says that its frames are 640x480; leave it out"),
    "a size for a performance": ("me.performance", "b.json", {"size": "64x64"}, "are in pixels of its video"),
    "no size": ("bare.json", "b.coco.json", {}, "does not say how large its frames are"),
    "a person who is no number": (
        "a.json",
        "b.coco.json",
        {"person": "Li"},
        "`person='Li'`: give largest, or the place",
    ),
    "a person too many": ("a.json", "b.coco.json", {"person": 3}, "person 3 was asked for"),
    "a person of one": ("me.performance", "b.json", {"person": "1"}, "holds one person, so there is nobody to choose"),
}


@pytest.mark.parametrize(("given", "output", "options", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_one_line(tmp_path: Path, given: str, output: str, options: dict, message: str) -> None:
    write_comfyui(moving(), tmp_path / "a.json")
    bare(tmp_path / "bare.json", moving())
    tiny_performance(tmp_path / "me.performance", frames=2)
    (tmp_path / "half.performance").mkdir()
    (tmp_path / "arm.bvh").write_text(small_rig())
    for name in ("me.mp4", "no.bvh"):
        (tmp_path / name).write_text("nothing")
    (tmp_path / "no.json").write_text("{}")
    with pytest.raises(UnderstudyError, match=message) as raised:
        convert_poses(tmp_path / given, tmp_path / output, **options)
    assert "\n" not in str(raised.value) and not (tmp_path / output).exists()
