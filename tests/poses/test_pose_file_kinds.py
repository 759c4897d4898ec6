"""Pose files as other tools and older versions write them; the numbers are made up here, the forms are theirs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from understudy.errors import PoseError
from understudy.poses import pose as p
from understudy.poses.formats import read_pose_files, read_poses

SIZE_HW = (480, 640)


def flat(count: int, start: float = 10) -> list[float]:
    """Point i at (start + i, start + 2 i)."""
    return [value for i in range(count) for value in (start + i, start + 2 * i, 0.9)]


def person(start: float = 10) -> dict[str, Any]:
    return {"pose_keypoints_2d": flat(18, start)}


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def test_keys_of_old_openpose(tmp_path: Path) -> None:
    old = {
        "pose_keypoints": flat(18),
        "face_keypoints": flat(70),
        "hand_left_keypoints": flat(21),
        "hand_right_keypoints": flat(21, start=200),
    }
    new = {f"{key}_2d": values for key, values in old.items()}
    poses = [
        read_poses(write(tmp_path / f"{name}.json", {"version": 1.1, "people": [one]}), SIZE_HW)
        for name, one in (("old", old), ("new", new))
    ]
    assert poses[0].confidence[0, p.RIGHT_HAND].all()
    np.testing.assert_array_equal(poses[0].xy, poses[1].xy)
    np.testing.assert_array_equal(poses[0].confidence, poses[1].confidence)


@pytest.mark.parametrize("empty", [{}, None, {"people": []}], ids=["{}", "null", "no people"])
@pytest.mark.parametrize("whole", [True, False], ids=["one file", "a folder"])
def test_empty_frames(empty: Any, whole: bool, tmp_path: Path) -> None:
    frames = [empty, {"people": [person()]}, empty]
    if whole:
        write(tmp_path / "poses", frames)
    else:
        for number, one in enumerate(frames):
            write(tmp_path / "poses" / f"{number}.json", one)
    assert read_poses(tmp_path / "poses", SIZE_HW).found.tolist() == [False, True, False]


def test_lists_of_one_frame_in_a_folder(tmp_path: Path) -> None:
    for number in range(3):
        write(
            tmp_path / f"pose_{number:05d}.json", [{"people": [person(number)], "canvas_width": 9, "canvas_height": 7}]
        )
    pose = read_poses(tmp_path)
    assert (pose.xy[:, p.NOSE, 0].tolist(), pose.size_hw) == ([0, 1, 2], (7, 9))


HALPE_FEET = (p.LEFT_BIG_TOE, p.RIGHT_BIG_TOE, p.LEFT_SMALL_TOE, p.RIGHT_SMALL_TOE, p.LEFT_HEEL, p.RIGHT_HEEL)


@pytest.mark.parametrize("count", [17, 26, 133, 136])
def test_alphapose_list(count: int, tmp_path: Path) -> None:
    """Pictures without anybody are not in it, people of one follow one another, pictures come in any order."""
    results = [
        {
            "image_id": f"{number}.jpg",
            "category_id": 1,
            "keypoints": flat(count, start),
            "score": 2.9,
            "box": [1, 2, 3, 4],
        }
        for number, start in ((10, 100), (2, 20), (2, 300), (3, 30))
    ]
    file = write(tmp_path / "alphapose-results.json", results)
    files = read_pose_files(file)
    assert (files.numbers, files.from_zero, files.leaves_out_nobody) == ([2, 3, 10], True, True)
    assert [len(frame.people) for frame in files.frames] == [2, 1, 1]
    pose = read_poses(file, SIZE_HW, person=0)
    assert pose.xy[[0, 1, 8], p.NOSE, 0].tolist() == [20, 30, 100]
    assert pose.found.tolist() == [True, True, *[False] * 6, True]
    assert pose.xy[0, p.RIGHT_ANKLE, 0] == 36
    if count in (26, 136):
        assert pose.xy[0, list(HALPE_FEET), 0].tolist() == [40, 41, 42, 43, 44, 45]
    if count == 136:
        assert pose.xy[0, [p.FACE.start, p.LEFT_HAND.start, p.RIGHT_HAND.start], 0].tolist() == [46, 114, 135]
    assert int((pose.confidence[0] > 0).sum()) == {17: 17, 26: 23, 133: 133, 136: 133}[count]


@pytest.mark.parametrize("form", ["open", "cmu"])
def test_alphapose_in_the_forms_after_openpose(form: str, tmp_path: Path) -> None:
    def picture(start: float) -> dict[str, Any]:
        inside = {"people": [person(start)]} if form == "open" else {"bodies": [{"joints": flat(18, start)}]}
        return {"version": "AlphaPose v0.3", **inside}

    pictures = {f"{number}.jpg": picture(number) for number in (12, 9, 10)}
    for name, one in pictures.items():
        write(tmp_path / "sep-json" / name.replace(".jpg", ".json"), one)
    write(tmp_path / "alphapose-results.json", pictures)
    for path in (tmp_path / "alphapose-results.json", tmp_path / "sep-json"):
        files = read_pose_files(path)
        assert (files.numbers, files.from_zero, files.leaves_out_nobody) == ([9, 10, 12], True, True)
        assert read_poses(path, SIZE_HW).xy[:, p.NOSE, 0].tolist() == [9, 10, 0, 12]


def test_images_that_coco_does_not_list_are_empty_frames(tmp_path: Path) -> None:
    images = [{"id": i, "file_name": f"f_{i:04d}.jpg", "height": 480, "width": 640} for i in (4, 2)]
    annotations = [{"image_id": i, "keypoints": flat(17, start=i)} for i in (4, 2)]
    pose = read_poses(write(tmp_path / "a.json", {"images": images, "annotations": annotations}))
    assert pose.xy[:, p.NOSE, 0].tolist() == [2, 0, 4]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            [{"image_id": "1.jpg", "keypoints": [1, 2]}], "keypoints has 2 numbers instead of 51 or 78", id="2"
        ),
        pytest.param([{"image_id": "1.jpg", "keypoints": flat(17)}, {}], "result 1: needs an", id="an empty result"),
        pytest.param([{"image_id": [1], "keypoints": flat(17)}], "result 0: needs an", id="a list for a name"),
        pytest.param({"1.jpg": {"people": 3}}, "'1.jpg' holds no poses", id="people is a number"),
    ],
)
def test_bad_alphapose_files_give_one_line(content: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(PoseError, match=message) as caught:
        read_poses(write(tmp_path / "a.json", content), SIZE_HW)
    assert "\n" not in str(caught.value)


def test_a_file_of_another_kind_among_numbered_ones_is_refused(tmp_path: Path) -> None:
    """Taken as a frame without anybody it would hide that a number is missing."""
    for name in ("0", "1", "3", "info"):
        write(tmp_path / f"{name}.json", {"people": [person()]} if name != "info" else {})
    with pytest.raises(
        PoseError, match=r"holds info\.json beside files with names like 0\.json, so its numbers cannot"
    ):
        read_poses(tmp_path, SIZE_HW)
