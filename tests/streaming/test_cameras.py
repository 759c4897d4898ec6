"""Live pictures from files at their own rate, and from cameras that are none."""

from fractions import Fraction

import numpy as np
import pytest

from understudy.errors import MediaError
from understudy.media.writing import VideoWriter
from understudy.streaming import cameras
from understudy.streaming.cameras import FileCamera, Webcam, WithSound, small
from understudy.tracking.observe import LOOK_SIDE


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with VideoWriter(path, Fraction(10)) as writer:
        for level in range(4):
            writer.write(np.full((36, 64, 3), 60 * level, np.uint8))
    return path


class Clock:
    """Time that passes where somebody sleeps, and with every picture looked at."""

    def __init__(self, a_look=0.0):
        self.now, self.a_look = 100.0, a_look

    def sleep(self, seconds):
        self.now += seconds

    def __call__(self):
        self.now += self.a_look
        return self.now


def test_a_file_is_shown_at_its_own_rate(film):
    clock = Clock()
    camera = FileCamera(film, sleep=clock.sleep, clock=clock)
    shots = list(camera.shots())
    assert camera.fps == 10 and [round(shot.taken - 100, 6) for shot in shots] == [0.0, 0.1, 0.2, 0.3]
    assert [round(float(shot.frame.mean()) / 60) for shot in shots] == [0, 1, 2, 3]
    assert [shot.first for shot in shots] == [True, False, False, False]


def test_a_loop_begins_again_in_time(film):
    clock = Clock()
    shots = FileCamera(film, loop=True, sleep=clock.sleep, clock=clock).shots()
    seen = [next(shots) for _ in range(9)]
    assert [round(shot.taken - 100, 6) for shot in seen] == [round(number / 10, 6) for number in range(9)]
    assert [number for number, shot in enumerate(seen) if shot.first] == [0, 4, 8]


def test_where_the_sound_is_when_a_picture_is_taken_is_known_in_every_round(film):
    clock = Clock()
    camera = FileCamera(film, loop=True, sleep=clock.sleep, clock=clock)
    shots, known = camera.shots(), []
    for _ in range(6):
        known.append(round(camera.position(next(shots).taken), 6))
    assert known == [0.0, 0.1, 0.2, 0.3, 0.0, 0.1]
    assert camera.position(0.0) == 0.0 and isinstance(camera, WithSound)


def test_where_the_sound_is_stays_known_when_the_next_round_has_begun(film):
    clock = Clock()
    camera = FileCamera(film, loop=True, sleep=clock.sleep, clock=clock)
    shots = camera.shots()
    taken = [next(shots).taken for _ in range(9)]
    assert [round(camera.position(each), 6) for each in taken[1:4]] == [0.1, 0.2, 0.3]


def test_the_sound_of_a_picture_that_came_late_is_its_own(film):
    clock = Clock(a_look=0.2)
    camera = FileCamera(film, sleep=clock.sleep, clock=clock)
    assert [round(camera.position(shot.taken), 6) for shot in camera.shots()] == [0.0, 0.1, 0.2, 0.3]


def test_a_file_that_is_late_does_not_wait(film):
    clock = Clock(a_look=0.2)
    taken = [shot.taken for shot in FileCamera(film, sleep=clock.sleep, clock=clock).shots()]
    assert np.allclose(np.diff(taken), 0.4)  # two looks at the clock, and no sleep


def test_no_camera_is_one_line(monkeypatch):
    class Nothing:
        def __init__(self, number):
            pass

        def isOpened(self):
            return False

    monkeypatch.setattr(cameras.cv2, "VideoCapture", Nothing)
    with pytest.raises(MediaError, match=r"^there is no camera 3 that can be opened: .*`driving='dance.mp4'`$"):
        Webcam(3)


def test_of_no_camera_nothing_is_told_but_that_line(capfd):
    """OpenCV itself writes several lines of what it has tried."""
    level = cameras.cv2.utils.logging.getLogLevel()
    with pytest.raises(MediaError, match="no camera 99"):
        Webcam(99)
    assert capfd.readouterr() == ("", "")
    assert cameras.cv2.utils.logging.getLogLevel() == level


class Plugged:
    """Three pictures, blue on the left, and then none."""

    fps, released = 25.0, False

    def __init__(self, number):
        self.left = 3

    def isOpened(self):
        return True

    def set(self, name, value):
        return True

    def get(self, name):
        return self.fps

    def read(self):
        self.left -= 1
        picture = np.zeros((LOOK_SIDE, 2 * LOOK_SIDE, 3), np.uint8)
        picture[:, :LOOK_SIDE] = 255, 0, 0
        return self.left >= 0, picture

    def release(self):
        Plugged.released = True


@pytest.mark.parametrize(("told", "fps"), [(25.0, 25), (0.0, 30), (-1.0, 30), (29.97, 30)])
def test_a_camera_gives_small_pictures_in_rgb_until_it_is_unplugged(monkeypatch, told, fps):
    monkeypatch.setattr(cameras.cv2, "VideoCapture", Plugged)
    monkeypatch.setattr(Plugged, "fps", told)
    camera, shots = Webcam(0), []
    with pytest.raises(MediaError, match="camera 0 gives no more pictures"):
        shots.extend(camera.shots())
    camera = Webcam(0)
    stream = camera.shots()
    shots = [next(stream) for _ in range(3)]
    assert camera.fps == fps and Plugged.released
    assert [shot.first for shot in shots] == [True, False, False]
    assert shots[0].frame.shape == (LOOK_SIDE // 2, LOOK_SIDE, 3)
    assert shots[0].frame[0, 0].tolist() == [0, 0, 255] and shots[0].frame[0, -1].tolist() == [0, 0, 0]


def test_small_pictures_stay():
    picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    assert small(picture) is picture
