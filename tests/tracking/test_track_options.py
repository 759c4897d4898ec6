"""What `track` is given reaches the parts that it is for."""

import numpy as np
import pytest

from clips import numbered, write_clip
from tiny import tiny_poses
from understudy.media.reading import VideoReader
from understudy.tracking import passes
from understudy.tracking.track import track


class Stopped(Exception):
    """Where there is nothing more to see."""


def test_options_reach_the_reader_and_the_tracker(tmp_path, monkeypatch):
    clip = write_clip(tmp_path / "me.mp4", [numbered(k, (240, 320)) for k in range(10)], 10)
    opened, asked = [], []

    class Follower:
        def __init__(self, *named):
            asked.append(named)

        def close(self):
            pass

    def observing(reader, follower, region):
        asked.append((reader.size_hw, region))
        raise Stopped

    class Reader(VideoReader):
        def __init__(self, path, **options):
            opened.append(options)
            super().__init__(path, **options)

    monkeypatch.setattr(passes, "_make_tracker", Follower)
    monkeypatch.setattr(passes, "observe", observing)
    monkeypatch.setattr(passes, "VideoReader", Reader)
    chosen = {"start": 0.2, "end": 0.8, "strict": True, "tolerate_damage": True}
    with pytest.raises(Stopped):
        track(clip, tmp_path / "x", tracker="rtmlib", landmarks="wholebody", region=(10, 20, 80, 160), **chosen)
    assert asked == [("rtmlib", "wholebody"), ((240, 320), (10, 20, 80, 160))]
    assert [{name: options[name] for name in chosen} for options in opened] == [chosen] * 2
    asked.clear()
    with pytest.raises(Stopped):
        track(clip, tmp_path / "x")
    assert asked == [("blazepose", "body"), ((240, 320), None)]
    assert not any(opened[-1][name] for name in chosen)


@pytest.mark.parametrize("smooth", [True, False])
def test_poses_are_smoothed_unless_they_are_not_to_be(tmp_path, monkeypatch, smooth):
    clip = write_clip(tmp_path / "me.mp4", [numbered(k, (240, 320)) for k in range(10)], 10)
    poses, smoothed = tiny_poses(10, 240, 1), tiny_poses(10, 240, 2)
    calmed = []

    def square(pose):
        calmed.append(pose)
        raise Stopped

    monkeypatch.setattr(passes, "first_pass", lambda *_: (None, poses, (), "1"))
    monkeypatch.setattr("understudy.tracking.finishing.smooth_shots", lambda pose, fps: smoothed)
    monkeypatch.setattr("understudy.tracking.finishing.person_square", square)
    with pytest.raises(Stopped):
        track(clip, tmp_path / "x", smooth=smooth)
    np.testing.assert_array_equal(calmed[0].xy, (smoothed if smooth else poses).xy)
