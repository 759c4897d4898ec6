"""Another shot is noticed, and the tracker begins afresh there; what moves within a shot is none."""

import cv2
import numpy as np
import pytest
from filmed_dancer import SIZE_HW, filmed_dancer

from clips import real_clip, write_clip
from understudy.media.reading import VideoReader
from understudy.poses.pose import RIGHT_HIP, RIGHT_SHOULDER
from understudy.retargeting.shots import size_jumps
from understudy.tracking.blazepose import BlazePoseTracker
from understudy.tracking.cuts import CutWatch
from understudy.tracking.observe import observe


def begun(frames):
    watch = CutWatch()
    return [number for number, frame in enumerate(frames) if watch(frame)]


def room(seed, size_hw=(96, 128)):
    small = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), np.uint8)
    return cv2.resize(small, size_hw[::-1], interpolation=cv2.INTER_CUBIC)


def test_another_room_or_a_closer_look_begins_a_shot():
    one, two = room(1), room(2)
    closer = cv2.resize(one[20:68, 30:94], (128, 96))
    assert begun([one] * 6 + [two] * 6 + [one] * 6 + [closer] * 4) == [6, 12, 18]


def test_what_is_slow_or_small_begins_none():
    wide = room(3, (96, 400))
    swung = [wide[:, 12 * k : 12 * k + 128] for k in range(20)]
    assert begun(swung) == []
    faded = [(room(1) * (k / 12)).astype(np.uint8) for k in range(13)]
    assert begun(faded) == []
    noise = np.random.default_rng(0)
    noisy = [np.clip(room(1) + noise.normal(0, 20, (96, 128, 3)), 0, 255).astype(np.uint8) for _ in range(12)]
    assert begun(noisy) == []
    somebody = [room(1) for _ in range(12)]
    for number, frame in enumerate(somebody):
        frame[10:90, 9 * number : 9 * number + 30] = 255
    assert begun(somebody) == []


@pytest.mark.parametrize("name", ["outdoor_two_people.mp4", "studio_squats_5fps.mp4", "juggler.mp4"])
def test_a_real_clip_of_one_shot_has_one(name):
    with VideoReader(real_clip(name), long_side=160) as frames:
        assert begun(frames) == []


def test_the_tracker_is_told(tmp_path):
    clip = write_clip(tmp_path / "cut.mp4", [room(1)] * 6 + [room(2)] * 6, 10)
    told = []

    class Follower:
        name, version, seen = "none", "1", 0

        def __call__(self, frame):
            self.seen += 1

        def forget(self):
            told.append(self.seen)

    observe(VideoReader(clip), Follower(), None)
    assert told == [6], "before the first frame of the new shot"


def test_behind_a_cut_the_real_tracker_sees_the_new_size_at_once(tmp_path):
    """By itself MediaPipe looks for the person where it was, for a third of a second."""
    frames = list(VideoReader(filmed_dancer(tmp_path).video))
    high, wide = (int(length / 1.7) for length in SIZE_HW)
    left = (SIZE_HW[1] - wide) // 2
    closer = [cv2.resize(frame[:high, left : left + wide], SIZE_HW[::-1]) for frame in frames[8:]]
    clip = write_clip(tmp_path / "cut.mp4", frames[:8] + closer, 20)
    tracker = BlazePoseTracker()
    seen = observe(VideoReader(clip), tracker, None)
    tracker.close()
    seen.masks.close()
    trunk = np.linalg.norm(seen.poses.xy[:, RIGHT_SHOULDER] - seen.poses.xy[:, RIGHT_HIP], axis=-1)
    assert trunk[8] / trunk[7] == pytest.approx(1.7, rel=0.15)  # the hips are at the edge of the picture
    (jump,) = size_jumps(seen.poses)
    assert (jump.before, jump.frame) == (7, 8)
