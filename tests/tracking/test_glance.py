import numpy as np
import pytest
from filmed_dancer import FRAMES, filmed_dancer

from clips import cut_in_packet, numbered, write_clip
from understudy.media.reading import VideoReader
from understudy.poses.pose import POINTS, Pose
from understudy.tracking.glance import LOOKS, Glance, distance, glances


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    return filmed_dancer(tmp_path_factory.mktemp("filmed"))


@pytest.mark.parametrize("first", [0, 4])
def test_the_tracker_sees_the_person_where_the_truth_is(filmed, first):
    reader = VideoReader(filmed.video, start=first / 20)
    truth = filmed.pose[first:FRAMES]
    found = np.ones(len(truth), np.bool_)
    found[:3] = False
    looked = glances(reader, found, first)
    frames = [one.frame for one in looked]
    assert len(frames) == LOOKS and (frames[0], frames[-1]) == (3, len(truth) - 1)
    assert distance(truth, looked) < 0.03
    away = Pose(truth.xy + np.float32([100, 0]), truth.confidence, truth.size_hw)
    assert 0.2 < distance(away, looked) < 0.5


def test_nothing_is_seen_where_there_is_nobody_and_no_frame(tmp_path):
    frames = [numbered(k, (240, 320)) for k in range(20)]
    clip = write_clip(tmp_path / "bars.mp4", frames, 20, muxer_options={"movflags": "faststart"})
    assert glances(VideoReader(clip), np.ones(30, np.bool_), 0) == []
    assert glances(VideoReader(clip), np.zeros(20, np.bool_), 0) == []
    assert glances(VideoReader(cut_in_packet(clip, 3)), np.ones(20, np.bool_), 0) == []


def test_distance_needs_joints_in_common():
    pose = Pose(np.zeros((2, POINTS, 2)), np.ones((2, POINTS)), (100, 100))
    xy = np.stack([np.arange(17), np.arange(17) * 5], axis=-1).astype(np.float32)
    few, all_seen = np.arange(17) < 5, np.ones(17, np.bool_)
    assert distance(pose, []) is None
    assert distance(pose, [Glance(0, xy, few), Glance(1, xy, few)]) is None
    assert distance(pose, [Glance(0, xy, all_seen)]) is None
    assert distance(pose, [Glance(0, xy, all_seen), Glance(1, xy, all_seen)]) == pytest.approx(
        np.sqrt((xy**2).sum(axis=-1).mean()) / 80
    )
