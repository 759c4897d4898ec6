from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from understudy.errors import PoseError
from understudy.media.reading import VideoReader
from understudy.performance import FOUND, Performance
from understudy.poses import pose as p
from understudy.synthetic.clip import _working_flow, performance_from_render, read_truth, truth_path, write_clip
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.render import landmark_paths
from understudy.synthetic.scene import make_scene
from understudy.tracking.crop import crop_of

SIZE = (192, 144)


def test_a_clip_is_a_video_with_its_truth_beside_it(tmp_path: Path) -> None:
    person, motion, scene = make_person(1), choreography(1, 0.4, 30), make_scene(1, SIZE)
    path = tmp_path / "dance.mp4"
    truth = write_clip(path, person, motion, scene)
    assert len(list(VideoReader(path))) == len(motion) == len(truth.pose) == 12
    assert truth_path(path) == tmp_path / "dance.mp4.truth.safetensors"
    again = read_truth(path)
    assert again.pose.size_hw == SIZE
    assert np.array_equal(again.pose.xy, truth.pose.xy)
    assert np.array_equal(again.pose.confidence, truth.pose.confidence)
    np.testing.assert_allclose(truth.pose.xy, landmark_paths(person, motion, scene), atol=0.05)


def test_a_missing_truth_is_said(tmp_path: Path) -> None:
    with pytest.raises(PoseError, match=r"cannot read .*absent.mp4.truth.safetensors: No such file"):
        read_truth(tmp_path / "absent.mp4")


def test_a_performance_needs_no_tracker(tmp_path: Path) -> None:
    person, motion, scene = make_person(2), choreography(2, 1.2, 30)[20:], make_scene(2, (256, 192))
    made = performance_from_render(tmp_path / "exact.performance", person, motion, scene, size=128)
    performance = Performance.load(made.path)
    assert len(performance) == len(motion) and (performance.status == FOUND).all()
    assert performance.header.tracker == "exact" and performance.header.landmarks == "wholebody"
    assert np.array_equal(performance.background(), scene.background)
    frames, mattes = list(performance.frames()), list(performance.mattes())
    flow = np.asarray(performance.flow(), np.float32)
    assert flow.shape == (len(motion), 32, 32, 2) and not flow[0].any()
    joints = [p.LEFT_SHOULDER, p.RIGHT_HIP, p.LEFT_KNEE, p.NOSE]
    seen = performance.poses.confidence[:, joints] == 1
    assert seen.sum(axis=0).min() > 0.5 * len(frames)
    columns, rows = np.round(performance.poses.xy[:, joints]).astype(int).transpose(2, 0, 1)
    on_the_person = np.stack(mattes)[np.arange(len(frames))[:, None], rows, columns]
    assert on_the_person[seen].min() > 100
    # the flow is in working pixels: it explains how the frames change
    row, column = np.mgrid[:128, :128].astype(np.float32)
    errors = []
    for now in range(1, len(frames)):
        dense = cv2.resize(flow[now], (128, 128), interpolation=cv2.INTER_LINEAR)
        warped = cv2.remap(frames[now - 1], column + dense[..., 0], row + dense[..., 1], cv2.INTER_LINEAR)
        inside = cv2.erode((mattes[now] > 250).astype(np.uint8), np.ones((5, 5))).astype(bool)
        change = [np.abs(other.astype(int) - frames[now])[inside].mean() for other in (warped, frames[now - 1])]
        errors.append(change)
    moved, still = np.mean(errors, axis=0)
    assert moved < 0.7 * still


def test_cells_of_the_flow_lie_where_the_crop_has_them() -> None:
    """A flow that says where it is: each cell holds the position of its middle."""
    columns, rows = np.meshgrid(np.arange(160, dtype=np.float32), np.arange(120, dtype=np.float32))
    square, size = (16, 8, 96), 48
    crop, to_cells = crop_of(square, size), crop_of(square, size // 4)
    flow = _working_flow(np.dstack([columns, rows]), np.ones((120, 160), np.uint8), square, crop, size)
    middles = to_cells.inverse.of_points(np.stack(np.meshgrid(np.arange(12), np.arange(12)), axis=-1))
    np.testing.assert_allclose(flow / crop.scale, middles, atol=0.6)  # a blur of even width lies half a pixel aside
