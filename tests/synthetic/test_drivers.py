"""Motion capture as a driver: who dances it, where, how fast, and that it is remembered."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from captures import small_rig
from understudy.errors import MediaError, PoseError
from understudy.poses import pose as p
from understudy.synthetic.drivers import driver_of, film_rate, played_poses

CLIPS = Path(os.environ.get("UNDERSTUDY_MOTION", Path(__file__).resolve().parents[3] / "shared" / "motion"))


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "arm.BVH"
    path.write_text(small_rig(frames=5, seconds=0.04))
    return path


def test_the_body_stands_upright_and_faces_the_camera(capture: Path) -> None:
    pose, fps = played_poses(capture)
    assert (len(pose), fps, pose.size_hw) == (5, 25, (768, 768))
    xy = pose.xy[0]
    for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        left, right = (xy[getattr(p, f"{side}_{name.upper()}")] for side in ("LEFT", "RIGHT"))
        assert left[0] > right[0] and left[1] == pytest.approx(right[1], abs=2), name
        assert (left[0] + right[0]) / 2 == pytest.approx(767 / 2, abs=2), "in the middle"
    down = [xy[point][1] for point in (p.NOSE, p.LEFT_SHOULDER, p.LEFT_HIP, p.LEFT_KNEE, p.LEFT_ANKLE, p.LEFT_BIG_TOE)]
    assert down == sorted(down) and 0.45 * 768 < down[-1] - down[0] < 0.6 * 768
    assert (pose.confidence[:, : p.FEET.stop] == 1).all() and (pose.confidence[:, p.LEFT_HAND] == 1).all()
    reach = np.linalg.norm(pose.xy[:, p.LEFT_WRIST] - pose.xy[:, p.LEFT_ELBOW], axis=1)
    assert reach[0] > 3 * reach[-1], "the left forearm comes to point at the camera"
    steps = np.linalg.norm(np.diff(pose.xy[:, : p.FEET.stop], axis=0), axis=-1)
    assert steps[:, [point for point in range(p.FEET.stop) if point != p.LEFT_WRIST]].max() < 3


def test_rate_and_picture_can_be_chosen(capture: Path) -> None:
    pose, fps = played_poses(capture, Fraction(50), (128, 96))
    assert (len(pose), fps, pose.size_hw) == (9, 50, (128, 96))


@pytest.mark.parametrize(("seconds", "rate"), [(1 / 24, None), (0.0333333, None), (0.01, 30), (0.1, 30)])
def test_a_driver_has_a_films_rate(tmp_path: Path, seconds: float, rate: int | None) -> None:
    (tmp_path / "a.bvh").write_text(small_rig(seconds=seconds))
    assert film_rate(tmp_path / "a.bvh") == rate


def test_a_driver_is_filmed_once(capture: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    driver = driver_of(capture, cache=tmp_path, size=64)
    assert (len(driver), driver.fps, driver.header.source_name, driver.header.size_hw) == (5, 25, "arm.BVH", (64, 64))
    assert (driver.status == 2).all() and (driver.poses.confidence[:, p.BODY] == 1).all()
    assert "arm.BVH is motion alone: a made-up person dances it before a grey wall" in caplog.text
    matte = np.stack(list(driver.mattes())) > 127
    x, y = np.round(driver.poses.xy[0, [p.LEFT_HIP, p.RIGHT_HIP, p.LEFT_SHOULDER]]).astype(int).T
    assert matte[0, y, x].all() and 0.05 < matte.mean() < 0.4
    flow = driver.flow()
    assert np.abs(flow[0]).max() == 0 and np.abs(flow[1:]).max() > 0.5, "the arm moves, so there is flow"
    assert np.ptp(driver.background().reshape(-1, 3), axis=0).max() == 0

    written = (driver.path / "performance.json").stat().st_mtime_ns
    assert driver_of(capture, cache=tmp_path, size=64).path == driver.path
    assert (driver.path / "performance.json").stat().st_mtime_ns == written
    (driver.path / "flow.safetensors").unlink()
    assert len(driver_of(capture, cache=tmp_path, size=64)) == 5 and "filming arm.BVH again" in caplog.text


def test_everything_else_is_tracked(capture: Path, tmp_path: Path) -> None:
    driver = driver_of(capture, cache=tmp_path, size=64)
    assert driver_of(driver) is driver
    assert driver_of(driver.path).header == driver.header
    with pytest.raises(MediaError, match=r"there is no video or performance .*gone\.bvh"):
        driver_of(tmp_path / "gone.bvh")
    (tmp_path / "bad.bvh").write_text("hello")
    with pytest.raises(PoseError, match=r"bad\.bvh is not a BVH file"):
        driver_of(tmp_path / "bad.bvh", cache=tmp_path)


@pytest.mark.parametrize("name", ["dab", "jesse_dance", "jumping", "jumping_jacks"])
def test_real_captures_are_seen_whole_and_without_jumps(name: str) -> None:
    path = CLIPS / f"{name}.bvh"
    if not path.is_file():
        pytest.skip(f"needs the motion capture {name}.bvh; set UNDERSTUDY_MOTION to the folder that holds it")
    pose, fps = played_poses(path)
    joints = slice(5, p.FEET.stop)
    assert (pose.confidence[:, joints] == 1).all(), "nothing leaves the picture"
    ankles = pose.xy[:, [p.LEFT_ANKLE, p.RIGHT_ANKLE], 1].max(axis=1)
    assert (ankles > pose.xy[:, [p.LEFT_HIP, p.RIGHT_HIP], 1].mean(axis=1)).all(), "feet below the hips"
    assert np.median(pose.xy[:, p.LEFT_SHOULDER, 0] - pose.xy[:, p.RIGHT_SHOULDER, 0]) > 30, "facing the camera"
    speed = np.linalg.norm(np.diff(pose.xy[:, joints], axis=0), axis=-1).max() * float(fps) / (0.55 * 768)
    assert speed < 8, "body heights a second"
