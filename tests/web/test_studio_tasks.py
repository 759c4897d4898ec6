"""What the studio's tasks answer, beside what their verbs do."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from understudy.web import tasks
from understudy.web.folder import Folder

PICTURE = np.full((16, 16, 3), 90, np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "studio")
    made.prepare()
    return made


def checked(folder: Folder, name: str, content: bytes) -> str:
    path = folder.new_upload(name)
    path.write_bytes(content)
    said = tasks.check(folder, upload=path.name, name="mine", detect=False)["said"]
    assert not path.exists() and path.name not in said
    return str(said)


@pytest.mark.parametrize("name", ["a.mp4", "a.png", "a.webp", "a.avi"])
@pytest.mark.parametrize("content", [b"hello\n", bytes(range(256)) * 40, b"RIFF\0\0\0\0WAVEfmt ", b""])
def test_a_file_that_is_no_media_is_said_to_be_none(folder: Folder, name: str, content: bytes) -> None:
    said = checked(folder, name, content)
    assert said == "mine is no picture and no video, or nothing can be read of it: there are no marks to look for."


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_picture_without_marks_is_one(folder: Folder, suffix: str) -> None:
    done, content = cv2.imencode(suffix, PICTURE)
    assert done
    for name in (f"a{suffix}", "a.mp4"):  # whatever it is called
        assert checked(folder, name, content.tobytes()).startswith("mine: no marks found\n")


def test_a_video_without_marks_is_one(folder: Folder, tmp_path: Path) -> None:
    file = str(tmp_path / "film.avi")
    writer = cv2.VideoWriter(file, cv2.VideoWriter.fourcc(*"MJPG"), 25, (16, 16))
    for _ in range(3):
        writer.write(PICTURE)
    writer.release()
    assert checked(folder, "a.mp4", Path(file).read_bytes()).startswith("mine: no marks found\n")
