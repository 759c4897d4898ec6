"""A clip whose camera lay on its side or hung upside down, turned when it is read: the same as one that never was."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clips import write_clip
from tiny import tiny_poses
from understudy.base.files import read_json, write_json
from understudy.performance import HEADER_FILE, Performance
from understudy.performing.comparison import driving_panels
from understudy.performing.driver import Driver
from understudy.tracking.passes import Footage
from understudy.tracking.track import track

FRAMES, RATE, SIZE_HW = 10, 10, (240, 160)
LOSSLESS = {"options": {"qp": "0"}, "pixel_format": "yuv444p"}


def pictures() -> list[np.ndarray]:
    """Slow noise, so that a turn shows everywhere."""
    random = np.random.default_rng(4)
    blocks = random.integers(0, 256, (FRAMES, SIZE_HW[0] // 16, SIZE_HW[1] // 16, 3), np.uint8)
    return list(blocks.repeat(16, axis=1).repeat(16, axis=2))


def material(folder: Path, quarters: int, audio: str | None = None) -> dict[str, Path]:
    """The video, poses and matte of one clip, all turned anticlockwise by so many quarters."""
    folder.mkdir()

    def film(name: str, frames: list[np.ndarray], **options: str | None) -> Path:
        return write_clip(folder / name, [np.rot90(one, quarters) for one in frames], RATE, **LOSSLESS, **options)

    height, width = SIZE_HW
    xy = tiny_poses(FRAMES, 160, 1).openpose18()[0] + (0, 40)
    turned = [xy, np.stack([xy[..., 1], width - 1 - xy[..., 0]], -1), (width - 1, height - 1) - xy]
    turned.append(np.stack([height - 1 - xy[..., 1], xy[..., 0]], -1))
    poses = folder / "poses"
    poses.mkdir()
    for number, points in enumerate(turned[quarters]):
        flat = [float(value) for x, y in points for value in (x, y, 0.9)]
        (poses / f"{number:06d}.json").write_text(json.dumps({"people": [{"pose_keypoints_2d": flat}]}))
    bars = [np.zeros((*SIZE_HW, 3), np.uint8) for _ in range(FRAMES)]
    for number, bar in enumerate(bars):
        bar[40:200, 40 + 4 * number : 100 + 4 * number] = 255
    return {"video": film("clip.mp4", pictures(), audio=audio), "poses": poses, "matte": film("matte.mp4", bars)}


def performance(folder: Path, given: dict[str, Path], **options: object) -> Performance:
    return track(given["video"], folder, poses=given["poses"], matte=given["matte"], size=64, **options)


@pytest.mark.parametrize("rotate", [90, 180, 270])
def test_poses_and_matte_are_turned_along(tmp_path: Path, rotate: int) -> None:
    part = {"start": 0.2, "end": 0.9}
    plain = performance(tmp_path / "plain.performance", material(tmp_path / "plain", 0), **part)
    turned = performance(
        tmp_path / "turned.performance", material(tmp_path / "turned", rotate // 90), rotate=rotate, **part
    )
    assert (plain.header.rotate, turned.header.rotate) == (0, rotate)
    assert len(turned) == len(plain) == 7 and turned.header.original_size_hw == SIZE_HW
    np.testing.assert_array_equal(turned.poses.confidence, plain.poses.confidence)
    seen = plain.poses.confidence > 0
    np.testing.assert_allclose(turned.poses.xy[seen], plain.poses.xy[seen], atol=1e-3)
    assert turned.header.crop == plain.header.crop
    for mine, other in ((turned.frames(), plain.frames()), (turned.mattes(), plain.mattes())):
        for one, two in zip(mine, other, strict=True):
            assert np.abs(one.astype(int) - two).mean() < 1  # kept by a codec
    np.testing.assert_allclose(turned.background(), plain.background(), atol=1)


def test_beside_a_clone_the_driver_is_shown_as_it_was_turned_and_heard(tmp_path: Path) -> None:
    given = material(tmp_path / "film", 2, audio="aac")
    part = {"start": 0.2, "end": 0.7, "rotate": 180, "poses": given["poses"], "matte": given["matte"], "size": 64}
    driver = Driver.of(given["video"], **part)
    assert driver.sound == driver.video == given["video"] and (driver.start, driver.end) == (0.2, 0.7)
    found_again = Driver.of(driver.performance.path)
    assert found_again.sound == given["video"]
    for one in (driver, found_again):
        for shown, wanted in zip(driving_panels(one), pictures()[2:7], strict=True):
            assert np.abs(shown.astype(int) - wanted).max() <= 4  # another colour space between


def test_a_performance_that_says_nothing_of_turns_was_not_turned(tmp_path: Path) -> None:
    made = performance(tmp_path / "old.performance", material(tmp_path / "film", 0))
    header = read_json(made.path / HEADER_FILE, ValueError)
    assert header.pop("rotate") == 0
    write_json(made.path / HEADER_FILE, header)
    assert Performance.load(made.path).header == made.header


def test_advice_names_the_same_part() -> None:
    clip = Footage(Path("my film.mp4"), 2.0, 7.5, strict=False, tolerate_damage=False, rotate=180)
    assert clip.chosen_with("--region 1,2,3,4") == (
        "`understudy track 'my film.mp4' --region 1,2,3,4 --start 2 --end 7.5 --rotate 180 "
        "--output 'my film.performance'`"
    )
    assert " --rotate 180 --size 512 " in replace(clip, size=512).chosen_with("")
    assert " --landmarks wholebody --" in replace(clip, landmarks="wholebody").chosen_with("")
    assert "landmarks" not in clip.chosen_with("")


def test_a_look_at_given_poses_is_at_the_turned_picture(tmp_path: Path, monkeypatch, caplog) -> None:
    """A tracker finds nobody who stands on the head."""
    seen = []

    def looked(reader, found, first):
        seen.append((reader.rotate, reader.size_hw))
        return []

    monkeypatch.setattr("understudy.tracking.given.glances", looked)
    monkeypatch.setattr("understudy.tracking.given.distance", lambda pose, looked: seen.append(pose.size_hw) or 2.0)
    given = material(tmp_path / "film", 1)
    with caplog.at_level(logging.WARNING):
        performance(tmp_path / "any.performance", given, rotate=90)
    assert seen[0] == (90, SIZE_HW) and set(seen[1:]) == {SIZE_HW}
    assert "2.0 body heights away" in caplog.text
