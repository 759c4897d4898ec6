"""Several people of one video: who is who through a crossing, what they are called, and that it is remembered."""

import numpy as np
import pytest
from filmed_duo import FPS, filmed_duo

from clips import real_clip
from understudy.errors import MediaError, UsageError
from understudy.media.reading import VideoReader
from understudy.poses import pose as p
from understudy.tracking import several
from understudy.tracking.passes import Footage
from understudy.tracking.several import follow_everybody, tracked_people

LIMBS = slice(5, 17)


@pytest.fixture(scope="module")
def crossing(tmp_path_factory):
    path = tmp_path_factory.mktemp("duo") / "duo.mp4"
    return path, filmed_duo(path)


def footage(path):
    clip = Footage(path, None, None, False, False)
    return clip, clip.reader()


def check_who_is_who(path, truth):
    found = [one.poses for one in follow_everybody(*footage(path))]
    assert len(found) == 2
    trunk = np.linalg.norm(truth[0].xy[0, p.LEFT_SHOULDER] - truth[0].xy[0, p.LEFT_HIP])
    for own, poses in enumerate(found):
        seen = poses.found
        assert seen.mean() > 0.6 and seen[:10].all() and seen[-10:].all(), "seen before and after the crossing"
        far = [np.median(np.linalg.norm(poses.xy[:, LIMBS] - one.xy[:, LIMBS], axis=2), axis=1)[seen] for one in truth]
        apart = np.median(np.linalg.norm(truth[0].xy[:, LIMBS] - truth[1].xy[:, LIMBS], axis=2), axis=1)[seen]
        somebody_else = (far[1 - own] < far[own]) & (apart > 0.5 * trunk)
        assert somebody_else.sum() == 0, f"{somebody_else.sum()} frames are the other's"
        assert np.median(far[own]) < 0.1 * trunk and np.quantile(far[own], 0.9) < 0.3 * trunk


def test_two_who_cross_stay_who_they_are(crossing):
    check_who_is_who(*crossing)


def test_two_who_look_alike_cross(tmp_path):
    check_who_is_who(tmp_path / "twins.mp4", filmed_duo(tmp_path / "twins.mp4", (3, 3)))


def test_each_has_a_performance_of_the_same_length_which_is_remembered(crossing, tmp_path, monkeypatch, caplog):
    path, truth = crossing
    with caplog.at_level("INFO"):
        right, left = tracked_people(path, ["right", "left"], cache=tmp_path)
    assert "duo.mp4: 2 people, called left or right" in caplog.text and "left out" not in caplog.text
    assert len(left) == len(right) == len(truth[0])
    for performance, one in ((left, truth[0]), (right, truth[1])):
        filmed = performance.header.crop.inverse.of_pose(performance.poses, performance.header.original_size_hw)
        assert np.abs(filmed.xy[[0, -1]][:, [11, 12]] - one.xy[[0, -1]][:, [11, 12]]).mean() < 8
    # where both stand for a while, neither is left in the room
    frame = next(iter(VideoReader(path))).astype(int)
    for performance in (left, right):
        assert np.abs(performance.background().astype(int) - frame).mean() > 3
    assert np.abs(left.background().astype(int) - right.background()).mean() < 3
    monkeypatch.setattr(several, "follow_everybody", lambda *_: pytest.fail("tracked again"))
    caplog.clear()
    with caplog.at_level("INFO"):
        (again,) = tracked_people(path, ["2"], cache=tmp_path)
    assert again.path == right.path
    assert "2 people, called left or right; left out: left" in caplog.text
    assert [one.path for one in tracked_people(path, None, cache=tmp_path)] == [left.path, right.path]
    with pytest.raises(UsageError, match="nobody of them is 'centre'"):
        tracked_people(path, ["centre"], cache=tmp_path)


def test_of_one_alone_nobody_is_left(tmp_path):
    with pytest.raises(UsageError, match=r"studio_squats_5fps.mp4: one person was found, so that nobody is left"):
        tracked_people(real_clip("studio_squats_5fps.mp4"), ["left", "right"], cache=tmp_path)


def test_words_and_files_are_looked_at_before_anything_is_tracked(tmp_path):
    with pytest.raises(UsageError, match="there is no side 'upstage'"):
        tracked_people(tmp_path / "duo.mp4", ["upstage"])
    with pytest.raises(MediaError, match="there is no video"):
        tracked_people(tmp_path / "duo.mp4", ["left"])


def test_two_real_people_are_told_apart():
    left, right = (one.poses for one in follow_everybody(*footage(real_clip("two_people_cam1.mp4"))))
    assert left.found.all() and right.found.all()
    middles = [np.median(poses.xy[:, [11, 12]], axis=1) for poses in (left, right)]
    assert (middles[0][:, 0] < middles[1][:, 0] - 100).all() and (middles[0][:, 1] < middles[1][:, 1]).all()


def test_the_clip_of_the_tests_has_a_crossing(crossing):
    _, truth = crossing
    middles = [one.xy[:, [11, 12], 0].mean(axis=1) for one in truth]
    assert middles[0][0] < middles[1][0] - 100 and middles[0][-1] > middles[1][-1] + 100 and len(truth[0]) == 2.5 * FPS
