"""How far the camera turns, told by the room and not by the person."""

import json
import logging

import cv2
import numpy as np
import pytest

from clips import write_clip
from tiny import tiny_performance, tiny_poses
from understudy.covering.camera import camera_travel
from understudy.covering.oddities import say_oddities
from understudy.tracking.track import track

FRAMES, HIGH, WIDE = 24, 192, 256


def filmed(folder, step_xy=(0.0, 0.0), person_step=0.0, texture=80):
    """A person in a room that wanders through the picture by so many pixels a frame, tracked with given poses."""
    random = np.random.default_rng(3)
    room = cv2.resize(random.integers(0, 256, (40, 60, 3), np.uint8), (960, 640), interpolation=cv2.INTER_CUBIC)
    room = (128 + (room.astype(float) - 128) * texture / 128).clip(0, 255).astype(np.uint8)
    coat = random.integers(0, 256, (110, 40, 3), np.uint8)
    coat = cv2.resize(cv2.resize(coat, (10, 28)), (40, 110), interpolation=cv2.INTER_CUBIC)
    xy = tiny_poses(FRAMES, 160, 1).openpose18()[0] + (20, 16)
    pictures, mattes, people = [], [], []
    for number in range(FRAMES):
        left, top = 300 - round(step_xy[0] * number), 220 - round(step_xy[1] * number)
        picture, matte = room[top : top + HIGH, left : left + WIDE].copy(), np.zeros((HIGH, WIDE, 3), np.uint8)
        at = 80 + round(person_step * number)
        picture[40:150, at : at + 40], matte[40:150, at : at + 40] = coat, 255
        pictures.append(picture)
        mattes.append(matte)
        flat = [float(value) for x, y in xy[number] for value in (x + person_step * number, y, 0.9)]
        people.append({"people": [{"pose_keypoints_2d": flat}]})
    (folder / "poses").mkdir()
    for number, one in enumerate(people):
        (folder / "poses" / f"{number:06d}.json").write_text(json.dumps(one))
    video = write_clip(folder / "clip.mp4", pictures, 25)
    matte = write_clip(folder / "matte.mp4", mattes, 25)
    return track(video, folder / "x.performance", poses=folder / "poses", matte=matte, size=128)


@pytest.mark.parametrize("step", [(3.0, 0.0), (-2.0, 1.0)])
def test_a_camera_that_turns_is_measured(tmp_path, step, caplog):
    performance = filmed(tmp_path, step)
    expected = np.array(step) * (FRAMES - 1) / WIDE
    assert camera_travel(performance) == pytest.approx(tuple(expected), abs=0.03)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        say_oddities("reference", performance)
        assert "camera moves" not in caplog.text, "tracking has said that the room is blurred"
        say_oddities("driving", performance)
    share = f"{np.hypot(*camera_travel(performance)):.0%}"
    assert f"clip.mp4: the camera moves (the room wanders through the picture by {share} of its width)" in caplog.text


def test_a_person_who_walks_is_no_camera(tmp_path, caplog):
    performance = filmed(tmp_path, person_step=2.0)
    assert np.hypot(*camera_travel(performance)) < 0.01
    say_oddities("driving", performance)
    assert "camera" not in caplog.text


def test_a_plain_wall_says_nothing(tmp_path):
    assert camera_travel(filmed(tmp_path, (3.0, 0.0), texture=0)) == (0.0, 0.0)


def test_one_frame_has_not_moved(tmp_path):
    assert camera_travel(tiny_performance(tmp_path / "one.performance", frames=1)) == (0.0, 0.0)
