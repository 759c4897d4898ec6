import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from understudy.errors import PoseError
from understudy.poses import pose as p
from understudy.poses.formats import read_poses, write_coco_wholebody, write_comfyui, write_openpose
from understudy.poses.pose import Pose

SIZE_HW = (480, 640)
# OpenPose's documented orders, written out by name
BODY25 = [
    "nose",
    "neck",
    "right shoulder",
    "right elbow",
    "right wrist",
    "left shoulder",
    "left elbow",
    "left wrist",
    "middle of hips",
    "right hip",
    "right knee",
    "right ankle",
    "left hip",
    "left knee",
    "left ankle",
    "right eye",
    "left eye",
    "right ear",
    "left ear",
    "left big toe",
    "left small toe",
    "left heel",
    "right big toe",
    "right small toe",
    "right heel",
]
COCO18 = list(p.OPENPOSE18_NAMES)


def moving(frames: int = 3) -> Pose:
    rng = np.random.default_rng(0)
    xy = rng.uniform(20, 460, (frames, p.POINTS, 2)).round(2)
    confidence = rng.uniform(0.1, 1, (frames, p.POINTS)).round(4)
    confidence[:, ::7] = 0
    return Pose(xy, confidence, SIZE_HW)


def flat(count: int, start: float = 10, confidence: float = 0.9) -> list[float]:
    """Point i at (start + i, start + 2 i)."""
    return [value for i in range(count) for value in (start + i, start + 2 * i, confidence)]


def frame(*people: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"version": 1.3, "people": list(people), **more}


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def assert_same(again: Pose, pose: Pose, points: slice = slice(None)) -> None:
    seen = pose.confidence[:, points] > 0
    assert again.size_hw == pose.size_hw
    assert np.array_equal(again.confidence[:, points] > 0, seen)
    assert np.allclose(again.xy[:, points][seen], pose.xy[:, points][seen], atol=2e-3)
    assert np.allclose(again.confidence[:, points], pose.confidence[:, points], atol=2e-5)


@pytest.mark.parametrize("names", [pytest.param(BODY25, id="BODY_25"), pytest.param(COCO18, id="COCO-18")])
def test_every_body_joint_lands_under_its_own_name(names: list[str], tmp_path: Path) -> None:
    file = write(tmp_path / "a.json", frame({"pose_keypoints_2d": flat(len(names))}))
    pose = read_poses(file, SIZE_HW)
    for index, name in enumerate(names):
        if name not in ("neck", "middle of hips"):
            point = getattr(p, name.upper().replace(" ", "_"))
            assert pose.xy[0, point].tolist() == [10 + index, 10 + 2 * index], name
            assert pose.confidence[0, point] == pytest.approx(0.9)
    assert int((pose.confidence > 0).sum()) == len(names) - 1 - ("middle of hips" in names)


@pytest.mark.parametrize(
    ("key", "count", "points", "kept"),
    [
        ("face_keypoints_2d", 70, p.FACE, 68),
        ("face_keypoints_2d", 68, p.FACE, 68),
        ("hand_left_keypoints_2d", 21, p.LEFT_HAND, 21),
        ("hand_right_keypoints_2d", 21, p.RIGHT_HAND, 21),
    ],
)
def test_face_and_hands(key: str, count: int, points: slice, kept: int, tmp_path: Path) -> None:
    person = {"pose_keypoints_2d": None, key: flat(count)}
    pose = read_poses(write(tmp_path / "a.json", frame(person)), SIZE_HW)
    assert np.allclose(pose.xy[0, points], np.array(flat(kept)).reshape(-1, 3)[:, :2])
    assert int((pose.confidence > 0).sum()) == kept


@pytest.mark.parametrize(
    ("key", "count", "points"),
    [
        ("keypoints", 17, p.BODY),
        ("keypoints", 133, slice(0, 133)),
        ("foot_kpts", 6, p.FEET),
        ("face_kpts", 68, p.FACE),
        ("lefthand_kpts", 21, p.LEFT_HAND),
        ("righthand_kpts", 21, p.RIGHT_HAND),
    ],
)
def test_coco_wholebody_parts(key: str, count: int, points: slice, tmp_path: Path) -> None:
    content = {"images": [{"id": 4, "height": 480, "width": 640}], "annotations": [{"image_id": 4, key: flat(count)}]}
    pose = read_poses(write(tmp_path / "a.json", content))
    assert pose.size_hw == SIZE_HW
    assert np.allclose(pose.xy[0, points], np.array(flat(count)).reshape(-1, 3)[:, :2])
    assert int((pose.confidence > 0).sum()) == count


def test_round_trips_keep_what_the_format_can_hold(tmp_path: Path) -> None:
    pose = moving()
    write_openpose(pose, tmp_path / "body25")
    assert_same(read_poses(tmp_path / "body25"), pose)
    write_coco_wholebody(pose, tmp_path / "coco.json")
    assert_same(read_poses(tmp_path / "coco.json"), pose)
    write_openpose(pose, tmp_path / "coco18", "COCO")
    write_comfyui(pose, tmp_path / "comfy.json")
    for path in (tmp_path / "coco18", tmp_path / "comfy.json"):
        again = read_poses(path)
        assert_same(again, pose, p.BODY)
        assert_same(again, pose, slice(p.FACE.start, 133))
        assert (again.confidence[:, p.FEET] == 0).all()


def test_frames_without_a_person_survive_every_round_trip(tmp_path: Path) -> None:
    pose = moving(4)
    confidence = pose.confidence.copy()
    confidence[[0, 2]] = 0
    pose = Pose(pose.xy, confidence, SIZE_HW)
    write_openpose(pose, tmp_path / "folder")
    write_comfyui(pose, tmp_path / "comfy.json")
    write_coco_wholebody(pose, tmp_path / "coco.json")
    for name in ("folder", "comfy.json", "coco.json"):
        assert read_poses(tmp_path / name).found.tolist() == [False, True, False, True]


def test_written_openpose_has_neck_and_hips_for_other_readers(tmp_path: Path) -> None:
    confidence = np.full((1, p.POINTS), 0.5)
    confidence[0, [p.LEFT_SHOULDER, p.LEFT_HIP]] = 0.9
    pose = Pose(moving(1).xy, confidence, SIZE_HW)
    write_openpose(pose, tmp_path / "out")
    (file,) = (tmp_path / "out").iterdir()
    content = json.loads(file.read_text())
    assert file.name == "frame_000000000000_keypoints.json"
    assert (content["canvas_width"], content["canvas_height"]) == (640, 480)
    person = content["people"][0]
    body = np.array(person["pose_keypoints_2d"]).reshape(25, 3)
    assert np.allclose(body[1, :2], pose.xy[0, [p.LEFT_SHOULDER, p.RIGHT_SHOULDER]].mean(axis=0), atol=1e-2)
    assert np.allclose(body[8, :2], pose.xy[0, [p.LEFT_HIP, p.RIGHT_HIP]].mean(axis=0), atol=1e-2)
    assert body[[1, 8], 2].tolist() == [0.5, 0.5]  # a middle is as sure as the less sure of the two
    assert len(person["face_keypoints_2d"]) == 210
    assert person["face_keypoints_2d"][-6:] == [0] * 6


def test_written_coco_says_where_the_person_is(tmp_path: Path) -> None:
    pose = moving(1)
    write_coco_wholebody(pose, tmp_path / "coco.json")
    (annotation,) = json.loads((tmp_path / "coco.json").read_text())["annotations"]
    seen = pose.xy[0][pose.confidence[0] > 0]
    low, high = seen.min(axis=0), seen.max(axis=0)
    assert annotation["bbox"] == pytest.approx([*low, *(high - low)], abs=1e-3)
    assert annotation["area"] == pytest.approx((high - low).prod(), rel=1e-5)
    assert annotation["num_keypoints"] == (pose.confidence[0, p.BODY] > 0).sum()


@pytest.mark.parametrize("whole", [pytest.param(True, id="one file"), pytest.param(False, id="a folder")])
def test_normalised_dwpose(whole: bool, tmp_path: Path) -> None:
    share = [value for i in range(18) for value in (0.02 * i + 0.1, 0.04 * i + 0.2, 1.0)]
    share[12:15] = [0, 0, 0]
    share[15:18] = [-1, -1, 1]
    frames = [
        frame({"pose_keypoints_2d": share, "hand_left_keypoints_2d": []}, canvas_width=640, canvas_height=480)
    ] * 2
    if whole:
        write(tmp_path / "poses.json", frames)
    else:
        for number, one in enumerate(frames):
            write(tmp_path / "poses.json" / f"{number}.json", one)
    pose = read_poses(tmp_path / "poses.json", size_hw=(100, 100))
    assert pose.size_hw == SIZE_HW
    assert pose.xy[1, p.NOSE].tolist() == pytest.approx([64, 96])
    assert pose.xy[1, p.LEFT_EAR].tolist() == pytest.approx([0.44 * 640, 0.88 * 480])
    assert (pose.confidence[:, [p.RIGHT_WRIST, p.LEFT_SHOULDER]] == 0).all()


def test_files_are_taken_in_natural_order(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in (10, 9, 8, 11):
        write(tmp_path / f"f{number}.json", frame({"pose_keypoints_2d": flat(18, start=number)}))
    (tmp_path / "notes.txt").write_text("not a pose")
    assert read_poses(tmp_path, SIZE_HW).xy[:, p.NOSE, 0].tolist() == [8, 9, 10, 11]
    assert not caplog.records


def test_a_missing_file_number_is_an_empty_frame(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in (1, 2, 5):
        write(tmp_path / f"v_{number:012d}_keypoints.json", frame({"pose_keypoints_2d": flat(18)}))
    assert read_poses(tmp_path, SIZE_HW).found.tolist() == [True, True, False, False, True]
    assert "begins with number 1, which becomes the first frame; 2 numbers after it are missing" in caplog.text


def test_numbers_too_far_apart_for_frames_are_an_order(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for milliseconds in (0, 400, 80_000_000_000):
        write(tmp_path / f"{milliseconds}.json", frame({"pose_keypoints_2d": flat(18)}))
    assert len(read_poses(tmp_path, SIZE_HW)) == 3
    assert "too far apart for frames" in caplog.text


def test_coco_frames_follow_their_file_names_and_keep_empty_ones(tmp_path: Path) -> None:
    images = [{"id": i, "file_name": f"{i}.jpg", "height": 480, "width": 640} for i in (10, 9, 11)]
    annotations = [{"image_id": i, "keypoints": flat(17, start=i)} for i in (11, 9)]
    pose = read_poses(write(tmp_path / "a.json", {"images": images, "annotations": annotations}))
    assert pose.xy[:, p.NOSE, 0].tolist() == [9, 0, 11]
    assert pose.found.tolist() == [True, False, True]


def test_coco_visibility_becomes_confidence(tmp_path: Path) -> None:
    keypoints = flat(17, confidence=2)
    keypoints[2], keypoints[5] = 1, 0
    content = {"images": [{"id": 1, "height": 9, "width": 9}], "annotations": [{"image_id": 1, "keypoints": keypoints}]}
    confidence = read_poses(write(tmp_path / "a.json", content)).confidence[0]
    assert confidence[:3].tolist() == [0.5, 0, 1]


def test_confidence_above_one_is_taken_as_one(tmp_path: Path) -> None:
    file = write(tmp_path / "a.json", frame({"pose_keypoints_2d": flat(18, confidence=1.3)}))
    assert read_poses(file, SIZE_HW).confidence.max() == 1


def at(x: float, height: float = 100, y: float = 50) -> dict[str, Any]:
    """A person whose eighteen joints lie on a line of that height."""
    values = [value for i in range(18) for value in (x + i % 3, y + i * height / 17, 0.9)]
    return {"pose_keypoints_2d": values}


def test_the_largest_and_steadiest_is_followed_through_changing_order(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frames = []
    for t in range(20):
        dancer, child, passer = at(100 + 3 * t), at(400 - 10 * t, height=60), at(30 * t, height=200, y=200)
        people = [dancer, child] if t % 2 else [child, dancer]
        frames.append(frame(*([passer] if t in (7, 8) else []), *([] if t == 12 else people)))
    pose = read_poses(write(tmp_path / "a.json", frames), SIZE_HW)
    expected = [100 + 3 * t if t != 12 else 0 for t in range(20)]
    assert pose.xy[:, p.NOSE, 0].tolist() == expected
    assert pose.found.sum() == 19
    assert "shows up to 3 people: took the one who fills most of it" in caplog.text
    assert "seen in 19 of 20 frames" in caplog.text


def test_a_person_by_number(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    frames = [frame(at(10), at(300)), frame(at(12)), frame(at(14), at(304))]
    file = write(tmp_path / "a.json", frames)
    pose = read_poses(file, SIZE_HW, person=1)
    assert pose.found.tolist() == [True, False, True]
    assert pose.xy[0, p.NOSE, 0] == 300
    with pytest.raises(PoseError, match=r"person 2 was asked for, but .* shows at most 2 in a frame"):
        read_poses(file, SIZE_HW, person=2)


def test_one_person_is_followed_across_a_cut_without_a_note(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = write(tmp_path / "a.json", [frame(at(10)), frame(at(500, height=300)), frame()])
    with caplog.at_level(logging.INFO):
        assert read_poses(file, SIZE_HW).found.tolist() == [True, True, False]
    assert not caplog.records


def test_several_people_of_whom_only_faces_are_seen(tmp_path: Path) -> None:
    face = {"face_keypoints_2d": flat(70)}
    assert not read_poses(write(tmp_path / "a.json", frame(face, face)), SIZE_HW).found.any()


BODY = {"pose_keypoints_2d": flat(18)}
IMAGE = {"id": 1, "height": 480, "width": 640}
KEYPOINTS = {"image_id": 1, "keypoints": flat(17)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("", "not valid JSON", id="empty file"),
        pytest.param('{"people": [', "not valid JSON", id="cut off"),
        pytest.param("\x00\x01\ufffe", "not valid JSON", id="binary"),
        pytest.param("[" * 100_000, "nested too deeply", id="deep"),
        pytest.param("3", "holds no poses that are known here", id="a number"),
        pytest.param({"frames": []}, "holds no poses that are known here", id="other keys"),
        pytest.param([], "holds no poses that are known here", id="empty list"),
        pytest.param([None, {}], "holds no poses that are known here", id="nothing but empty frames"),
        pytest.param([frame(BODY), 3], "frame 1 holds no poses that are known here", id="a frame that is a number"),
        pytest.param({"people": 3}, "holds no poses that are known here", id="people is a number"),
        pytest.param({"people": [3]}, "person 0 holds no poses", id="a person is a number"),
        pytest.param(frame(), "no person in any of the 1 frames", id="nobody"),
        pytest.param(frame({"pose_keypoints_2d": [0] * 54}), "no person in any of the 1 frames", id="all zero"),
        pytest.param(
            frame({"pose_keypoints_2d": flat(17)}),
            "pose_keypoints_2d has 51 numbers instead of 75 or 54",
            id="17 joints",
        ),
        pytest.param(
            frame({"face_keypoints_2d": flat(5)}), "face_keypoints_2d has 15 numbers instead of 210 or 204", id="face"
        ),
        pytest.param(
            frame({"hand_left_keypoints_2d": [[1, 2, 3]] * 21}), "must be a plain list of numbers", id="nested hand"
        ),
        pytest.param(frame({"pose_keypoints_2d": "abc"}), "must be a plain list of numbers", id="text"),
        pytest.param(frame({"pose_keypoints_2d": {"a": 1}}), "must be a plain list of numbers", id="object"),
        pytest.param(frame({"pose_keypoints_2d": [float("nan")] * 54}), "holds nan, which is no coord", id="NaN"),
        pytest.param(frame({"pose_keypoints_2d": [None] * 54}), "holds nan, which is no coord", id="null"),
        pytest.param(frame({"pose_keypoints_2d": [1e30] * 54}), r"holds 1e\+30, which is no coord", id="far away"),
        pytest.param(
            frame({"pose_keypoints_2d": [10**400] * 54}), "must be a plain list of numbers", id="huge integer"
        ),
        pytest.param(frame(BODY, canvas_width="a\nb", canvas_height=3), r"canvas_width is 'a\\nb'", id="text size"),
        pytest.param(frame(BODY, canvas_width=0, canvas_height=3), "canvas_width is 0", id="no width"),
        pytest.param(
            [frame(BODY, canvas_width=9, canvas_height=3), frame(BODY, canvas_width=3, canvas_height=9)],
            "frames of different sizes",
            id="two sizes",
        ),
        pytest.param(
            frame({"pose_keypoints_2d": [v for i in range(18) for v in (-0.5 + i / 30, -0.4 + i / 30, 1)]}),
            "coordinates from -1 to 1",
            id="keypoint_scale 4",
        ),
        pytest.param({"images": [], "annotations": []}, '"images" must not be empty', id="coco without images"),
        pytest.param({"images": [{}], "annotations": []}, 'needs an "id"', id="image without id"),
        pytest.param({"images": [IMAGE] * 2, "annotations": []}, 'have the same "id"', id="same id"),
        pytest.param({"images": [IMAGE], "annotations": [{}]}, 'needs an "image_id"', id="annotation without image"),
        pytest.param(
            {"images": [IMAGE], "annotations": [KEYPOINTS | {"image_id": 7}]}, "7 is not among", id="unknown image"
        ),
        pytest.param(
            {"images": [IMAGE], "annotations": [KEYPOINTS | {"foot_kpts": [1]}]},
            "foot_kpts has 1 numbers instead of 18",
            id="wrong feet",
        ),
        pytest.param({"images": [IMAGE], "annotations": []}, "no person in any of the 1 frames", id="coco nobody"),
        pytest.param({"images": [IMAGE | {"width": -4}], "annotations": []}, "width is -4", id="negative width"),
    ],
)
def test_bad_files_give_one_line(content: Any, message: str, tmp_path: Path) -> None:
    file = write(tmp_path / "poses.json", content)
    with pytest.raises(PoseError, match=message) as caught:
        read_poses(file, SIZE_HW)
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value)


def test_bad_file_in_a_folder_is_named(tmp_path: Path) -> None:
    write(tmp_path / "1.json", frame(BODY))
    write(tmp_path / "2.json", {"images": [IMAGE], "annotations": [KEYPOINTS]})
    with pytest.raises(PoseError, match=r"2\.json holds no poses that are known here"):
        read_poses(tmp_path, SIZE_HW)


def test_empty_folder_missing_path_and_unknown_size(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(PoseError, match=r"holds no \.json files"):
        read_poses(tmp_path / "empty")
    with pytest.raises(PoseError, match=r"cannot read .*nowhere"):
        read_poses(tmp_path / "nowhere")
    with pytest.raises(PoseError, match="does not say how large its frames are"):
        read_poses(write(tmp_path / "a.json", frame(BODY)))


def test_writing_does_not_delete_other_things(tmp_path: Path) -> None:
    write_openpose(moving(), tmp_path / "poses")
    write_openpose(moving(1), tmp_path / "poses")
    assert len(list((tmp_path / "poses").iterdir())) == 1
    (tmp_path / "poses" / "thesis.txt").write_text("years of work")
    with pytest.raises(PoseError, match="holds other things than poses"):
        write_openpose(moving(), tmp_path / "poses")
    assert (tmp_path / "poses" / "thesis.txt").exists()
