"""POSE_KEYPOINT there and back, as comfyui_controlnet_aux has it, and what is none."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from clips import write_clip
from integrations.comfyui_host import Host
from tiny import tiny_performance
from understudy.errors import PoseError
from understudy.performance import Performance

PARTS = {
    "pose_keypoints_2d": 18, "face_keypoints_2d": 70, "hand_left_keypoints_2d": 21, "hand_right_keypoints_2d": 21,
}  # fmt: skip


@pytest.fixture
def dance(tmp_path: Path) -> Performance:
    return tiny_performance(tmp_path / "dance.performance", seed=1, frames=8, missing=(0,))


@pytest.fixture
def keypoints(comfy: Host, dance: Performance) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = comfy.run("UnderstudyPosesToKeypoints", performance=dance.path).args[0]
    return frames


def original(performance: Performance) -> np.ndarray:
    """(T, 18, 2) in pixels of the video."""
    header = performance.header
    return header.crop.inverse.of_pose(performance.poses, header.original_size_hw).openpose18()[0]


def test_every_frame_is_a_dict_of_openpose(dance: Performance, keypoints: list[dict[str, Any]]) -> None:
    assert len(keypoints) == len(dance)
    for frame in keypoints:
        assert frame["canvas_height"] == 48 and frame["canvas_width"] == 40
        for person in frame["people"]:
            assert {name: len(person[name]) // 3 for name in PARTS if person.get(name)}.items() <= PARTS.items()
    got = np.array([frame["people"][0]["pose_keypoints_2d"] for frame in keypoints[1:]]).reshape(-1, 18, 3)
    assert np.allclose(got[..., :2], original(dance)[1:], atol=2e-3) and (got[..., 2] > 0).all()


def test_fewer_frames_a_second(comfy: Host, dance: Performance) -> None:
    assert len(comfy.run("UnderstudyPosesToKeypoints", performance=dance.path, fps=12.0).args[0]) == 4


@pytest.mark.parametrize("form", ["as given", "shares in arrays", "with a video"])
def test_poses_of_another_pack_become_a_performance(
    comfy: Host, dance: Performance, keypoints: list[dict[str, Any]], tmp_path: Path, form: str
) -> None:
    given: dict[str, Any] = {"fps": 25.0}
    for frame in keypoints:
        for person in frame["people"]:
            person.update(face_keypoints_2d=None, hand_left_keypoints_2d=None, hand_right_keypoints_2d=None)
            flat = np.array(person["pose_keypoints_2d"]).reshape(18, 3)
            person["pose_keypoints_2d"] = flat.ravel().tolist()
            if form == "shares in arrays":
                person["pose_keypoints_2d"] = torch.from_numpy((flat / [40, 48, 1]).ravel())
    if form == "with a video":
        clip = write_clip(tmp_path / "clip.mp4", [np.full((48, 40, 3), 60, np.uint8)] * 8, 25)
        given = {"video": comfy.part("comfy_api.latest").InputImpl.VideoFromFile(str(clip))}
    node = comfy.run("UnderstudyKeypointsToPerformance", pose_keypoint=keypoints, size=64, name="moved", **given)
    performance, sheet, summary = node.args
    made = Performance.load(performance)
    assert performance.name.startswith("moved-") and made.fps == 25 and len(made) == 8
    assert made.header.tracker == "given" and "given" in summary
    assert sheet.ndim == 4 and sheet.shape[0] == 1 and sheet.shape[3] == 3 and 0 <= sheet.min() <= sheet.max() <= 1
    assert np.abs(original(made)[2:6] - original(dance)[2:6]).max() < 2  # pixels: they are smoothed
    assert not list((comfy.root / "temp" / "understudy").glob("*/poses.json"))
    again = comfy.run("UnderstudyKeypointsToPerformance", pose_keypoint=keypoints, size=64, name="moved", **given)
    assert again.args[0] == performance


def frame_with(**changes: Any) -> list[dict[str, Any]]:
    person = {"pose_keypoints_2d": [1.0, 2.0, 1.0] * 18}
    return [{"people": [person], "canvas_width": 64, "canvas_height": 48, **changes}]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param("poses", "no POSE_KEYPOINT", id="text"),
        pytest.param([], "no POSE_KEYPOINT", id="nothing"),
        pytest.param([None], "no POSE_KEYPOINT", id="no frames"),
        pytest.param(frame_with(canvas_width=10**9), "`canvas_width`", id="enormous"),
        pytest.param(frame_with(canvas_height=math.nan), "`canvas_width`", id="no size"),
        pytest.param(frame_with(canvas_height="48"), "`canvas_width`", id="size in words"),
        pytest.param(
            frame_with(people=[{"pose_keypoints_2d": [math.nan] * 54}]),
            "POSE_KEYPOINT, frame 0, person 0",
            id="no numbers",
        ),
        pytest.param(
            frame_with(people=[{"pose_keypoints_2d": [1.0] * 10}]), "10 numbers instead", id="of another count"
        ),
        pytest.param(frame_with(people=[{"pose_keypoints_2d": [object()]}]), "which is no number", id="things"),
        pytest.param(frame_with(people=[]), "no person", id="nobody"),
        pytest.param(frame_with(people=7), "holds no poses", id="not a list"),
    ],
)
def test_what_is_no_pose_keypoint_is_refused_in_one_line(comfy: Host, given: Any, said: str) -> None:
    with pytest.raises(PoseError, match=said) as refused:
        comfy.run("UnderstudyKeypointsToPerformance", pose_keypoint=given, size=64)
    assert "\n" not in str(refused.value)
    assert not list((comfy.root / "output" / "understudy").glob("performances/*.performance"))
