"""Several people at once: found, told apart, and named to the user."""

from itertools import islice

import numpy as np
import pytest

from clips import real_clip
from understudy.media.reading import VideoReader
from understudy.tracking import everybody
from understudy.tracking.blazepose import Body
from understudy.tracking.everybody import Everybody, others, surroundings
from understudy.tracking.regions import Region
from understudy.tracking.track import track


def test_two_real_people_keep_their_numbers():
    with VideoReader(real_clip("two_people_cam1.mp4"), long_side=640) as reader:
        frames = [frame for index, frame in enumerate(reader) if index % 5 == 0]
    followed, hips = Everybody(), []
    for frame in frames:
        bodies = followed(frame)
        assert sorted(bodies) == [0, 1]
        hips.append([bodies[number].xy[[23, 24]].mean(axis=0) for number in (0, 1)])
    assert (np.array(hips)[:, 0, 0] > np.array(hips)[:, 1, 0]).all(), "the one at the right stays there"
    left, top, width, height = others(frames[0], np.array(hips[0][0])[None] + [[-40, -60], [40, 60]])[0]
    assert left < hips[0][1][0] < left + width and top < hips[0][1][1] < top + height


def body(x, y, side=100.0):
    return Body(np.full((39, 2), (x, y)), np.ones(39), np.zeros((2, 2), np.float32), Region(x, y, side, side))


class Networks:
    """Finds everybody who is in `there`, and looks at whoever is nearest."""

    def __init__(self):
        self.there, self.looks = [], 0

    def detect(self, frame):
        self.looks += 1
        return [one.region for one in self.there]

    def look(self, frame, region):
        near = [one for one in self.there if abs(one.region.x - region.x) < 40]
        return near[0] if near else None


@pytest.fixture
def staged(monkeypatch):
    networks = Networks()
    monkeypatch.setattr(everybody, "PoseNetworks", lambda: networks)
    monkeypatch.setattr("understudy.tracking.blazepose.square_of", lambda hips, _: Region(hips[0], hips[1], 100, 100))
    return networks, Everybody()


def test_who_comes_is_found_and_who_goes_is_forgotten(staged):
    networks, followed = staged
    frame = np.zeros((9, 9, 3), np.uint8)
    networks.there = [body(100, 100)]
    assert list(followed(frame)) == [0]
    networks.there = [body(100, 100), body(300, 100)]
    seen = [sorted(followed(frame)) for _ in range(everybody.EVERY)]
    assert seen[0] == [0] and seen[-1] == [0, 1], "somebody new is seen at the next look at the whole picture"
    networks.there = [body(300, 100)]
    assert sorted(followed(frame)) == [1]
    networks.there = [body(300, 100), body(100, 100)]
    for _ in range(everybody.EVERY):
        bodies = followed(frame)
    assert sorted(bodies) == [1, 2], "who comes back has a new number"
    followed.forget()
    assert sorted(followed(frame)) == [3, 4]


def test_two_followers_of_one_person_become_one(staged):
    networks, followed = staged
    frame = np.zeros((9, 9, 3), np.uint8)
    networks.there = [body(100, 100), body(170, 100)]
    assert sorted(followed(frame)) == [0, 1]
    networks.there = [body(135, 100)]
    assert sorted(followed(frame)) == [0]


def test_while_nobody_is_lost_the_whole_picture_is_searched_now_and_then_only(staged):
    networks, followed = staged
    networks.there = [body(100, 100)]
    for _ in range(3 * everybody.EVERY):
        followed(np.zeros((9, 9, 3), np.uint8))
    assert networks.looks == 3


def test_surroundings_lie_within_the_picture():
    one = body(50, 60)
    one.xy[0], one.xy[1] = (10, 20), (90, 118)
    left, top, width, height = surroundings(one, (120, 100))
    assert (left, top) == (0, 5) and left + width == 100 and top + height == 120


def test_track_says_who_else_is_there_and_how_to_follow_them(tmp_path, caplog):
    clip = real_clip("two_people_cam1.mp4")
    with caplog.at_level("INFO"):
        right = track(clip, tmp_path / "one.performance", end=0.3, size=64)
    (line,) = (record.getMessage() for record in caplog.records if "followed the person" in record.getMessage())
    assert "one more is there; to follow that one: `understudy track" in line and "--end 0.3" in line
    region = tuple(int(number) for number in line.split("--region ")[1].split()[0].split(","))
    left = track(clip, tmp_path / "other.performance", end=0.3, size=64, region=region)
    middles = [
        np.median(made.header.crop.inverse.of_pose(made.poses, (1920, 1088)).xy[:, 11:13, 0]) for made in (right, left)
    ]
    assert middles[1] < middles[0] - 200


def test_who_is_too_small_to_be_followed_is_not_named(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("understudy.tracking.passes.others", lambda *_: [(3, 4, 5, 9)])
    with caplog.at_level("INFO"):
        track(real_clip("studio_squats_5fps.mp4"), tmp_path / "one.performance", end=1, size=64)
    (line,) = (record.getMessage() for record in caplog.records if "followed the person" in record.getMessage())
    assert "--region X,Y,W,H" in line


def test_somebody_else_is_looked_for_in_the_middle_of_what_was_tracked(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("understudy.tracking.passes.others", lambda frame, *_: asked.append(frame) or [])
    clip = real_clip("studio_squats_5fps.mp4")
    track(clip, tmp_path / "one.performance", start=2, end=4, size=64)
    frames = list(VideoReader(clip, start=2, end=4, long_side=640))
    assert len(asked) == 1 and np.array_equal(asked[0], frames[5]), "of ten frames at five a second, the sixth"


def test_of_one_person_alone_nobody_else_is_named():
    with VideoReader(real_clip("juggler.mp4"), long_side=640) as reader:
        (frame,) = islice(reader, 1)
    (only,) = Everybody()(frame).values()
    assert others(frame, only.xy[:33]) == []
