"""Where poses in bulk come from: every kind of source, what is left out, and what is an error."""

import json
import logging
import shutil
from fractions import Fraction

import numpy as np
import pytest

from captures import small_rig
from tiny import tiny_performance, tiny_poses
from understudy.errors import PerformanceError, PoseError, UsageError
from understudy.performance import Performance, load_poses
from understudy.poses.formats import write_coco_wholebody, write_comfyui, write_openpose
from understudy.poses.pose import BODY, FACE, NOSE
from understudy.poses.similarity import Similarity
from understudy.retargeting.alignment import body_statistics
from understudy.synthetic.dances import PEOPLE, dance_poses
from understudy.unpaired.gathering import gather, poses_alone
from understudy.unpaired.pool import PosePool, PoseSequence


@pytest.fixture
def videos(tmp_path, monkeypatch):
    """Makes files that pass for videos; a stand-in tracks them. Gives the maker and what was tracked."""
    tracked = []

    def track(path):
        tracked.append(path.name)
        seed = int(path.read_text())
        if not seed:
            raise PoseError(f"in {path} nobody is found in half of the frames")
        folder = tmp_path / "cache" / f"{seed}.performance"
        return Performance.load(folder) if folder.exists() else tiny_performance(folder, seed)

    def make(path, seed):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(seed))
        return path

    monkeypatch.setattr("understudy.tracking.track.tracked", track)
    make.tracked = tracked
    return make


def names_of(sequences, folder=None):
    return [one.name if folder is None else one.name.removeprefix(f"{folder}/") for one in sequences]


def notes(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "understudy.unpaired.gathering"]


def test_of_a_performance_only_the_poses_are_read(tmp_path):
    whole = tiny_performance(tmp_path / "me.performance", 1, missing=(4,))
    for name in ("frames.mp4", "matte.mp4", "flow.safetensors", "background.png"):
        (whole.path / name).unlink()
    (one,) = gather([whole.path])
    assert (one.name, one.fps) == (str(whole.path), Fraction(25))
    np.testing.assert_array_equal(one.poses.xy, whole.poses.xy)
    np.testing.assert_array_equal(one.status, whole.status)
    header, poses, status = load_poses(whole.path)
    assert header == whole.header and len(poses) == len(status) == 12


@pytest.mark.parametrize(
    ("name", "write"),
    [("openpose", write_openpose), ("dance.json", write_comfyui), ("coco.json", write_coco_wholebody)],
)
def test_pose_files_of_every_format(tmp_path, name, write):
    poses = tiny_poses(9, 64, 1)
    poses.confidence[3] = 0
    write(poses, tmp_path / name)
    (one,) = gather([tmp_path / name])
    assert one.poses.size_hw == (64, 64) and one.fps == 30
    np.testing.assert_allclose(one.poses.xy[:3, BODY], poses.xy[:3, BODY], atol=0.01)
    assert one.status.tolist() == [2, 2, 2, 0, 2, 2, 2, 2, 2]


def test_pose_files_need_not_say_how_large_their_frames_are(tmp_path):
    poses = tiny_poses(6, 64, 1)
    write_openpose(poses, tmp_path / "dance")
    for file in (tmp_path / "dance").iterdir():
        content = json.loads(file.read_text())
        del content["canvas_width"], content["canvas_height"]
        file.write_text(json.dumps(content))
    (one,) = gather([tmp_path / "dance"])
    np.testing.assert_allclose(one.poses.xy[:, BODY], poses.xy[:, BODY], atol=0.01)
    assert one.poses.size_hw == tuple(np.rint(poses.xy[:, BODY].max(axis=(0, 1))[::-1]))


def test_shares_of_frames_without_a_size_are_refused(tmp_path):
    poses = tiny_poses(6, 64, 1)
    write_comfyui(Similarity(1 / 64, (0, 0)).of_pose(poses, (1, 1)), tmp_path / "shares.json")
    content = json.loads((tmp_path / "shares.json").read_text())
    for frame in content:
        del frame["canvas_width"], frame["canvas_height"]
    (tmp_path / "shares.json").write_text(json.dumps(content))
    with pytest.raises(PoseError, match=r"shares\.json gives places as shares of frames whose size it does not say"):
        gather([tmp_path / "shares.json"])


def test_motion_capture_is_played(tmp_path, videos):
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "slow.bvh").write_text(small_rig(frames=3, seconds=0.04))
    (tmp_path / "all" / "quick.bvh").write_text(small_rig(frames=3, seconds=0.5))
    quick, slow = gather([tmp_path / "all"])
    assert (slow.fps, len(slow.poses)) == (25, 3) and (quick.fps, len(quick.poses)) == (30, 31)
    assert slow.poses.found.all() and videos.tracked == []
    assert names_of(gather([tmp_path / "all" / "slow.bvh"])) == [str(tmp_path / "all" / "slow.bvh")]


def test_videos_are_tracked(tmp_path, videos):
    (one,) = gather([videos(tmp_path / "dance.mp4", 3)])
    assert one.name == str(tmp_path / "dance.mp4") and one.fps == Fraction(25)
    np.testing.assert_array_equal(one.poses.xy, tiny_poses(12, 32, 3).xy)


def test_folders_are_looked_through_in_the_order_of_names(tmp_path, videos):
    folder = tmp_path / "all"
    videos(folder / "b.mp4", 1)
    tiny_performance(folder / "a.performance", 2)
    write_comfyui(tiny_poses(5, 64, 3), folder / "sub" / "c.json")
    write_openpose(tiny_poses(5, 64, 4), folder / "sub" / "frames")
    videos(folder / "sub" / "deep" / "d.webm", 5)
    videos(folder / ".hidden.mp4", 6)
    videos(folder / "me.actor.run" / "previews" / "clone.mp4", 7)
    (folder / "me.actor.run" / "run.json").write_text("{}")
    (folder / "notes.txt").write_text("hello")
    (folder / "sub" / "loop").symlink_to(folder)
    found = ["a.performance", "b.mp4", "sub/c.json", "sub/deep/d.webm", "sub/frames"]
    assert names_of(gather([folder]), folder) == found
    assert names_of(gather([folder / "sub" / "deep", folder]), folder) == [found[3], *found[:3], found[4]]


@pytest.mark.parametrize(("word", "count"), [("choreography", 8), ("choreography:3", 3), ("choreography:1", 1)])
def test_the_word_choreography_gives_dances(word, count):
    dances = gather([word])
    assert names_of(dances) == [f"choreography {number}" for number in range(1, count + 1)]
    assert all(len(one) == 360 and one.fps == 30 and (one.status == 2).all() for one in dances)


def test_dances_differ_and_are_kept_in_memory():
    first, second = dance_poses(0), dance_poses(1)
    assert dance_poses(0) is first and not np.array_equal(first.xy, second.xy)
    own, again = body_statistics(first), body_statistics(dance_poses(PEOPLE))
    assert not np.array_equal(first.xy, dance_poses(PEOPLE).xy)  # the same body in another dance
    assert own.torso_length == pytest.approx(again.torso_length, rel=0.02)
    assert first.confidence[:, BODY].mean() > 0.8
    front = first.xy[:, 5, 0] > first.xy[:, 6, 0] + 10  # left shoulder on the right
    behind = first.xy[:, 5, 0] < first.xy[:, 6, 0] - 10
    assert first.confidence[front, NOSE].mean() > 0.95 and first.confidence[behind][:, FACE].mean() < 0.1


@pytest.mark.parametrize("word", ["choreography:", "choreography:0", "choreography:1001", "choreography:many"])
def test_other_counts_of_dances_are_refused(word):
    with pytest.raises(UsageError, match=f"{word}: say how many dances, from 1 to 1000, such as choreography:8"):
        gather([word])


# -- twins -------------------------------------------------------------------------------------------------------


def test_a_clip_that_is_given_twice_counts_once(tmp_path, videos, caplog):
    me = tiny_performance(tmp_path / "me.performance", 1)
    shutil.copytree(me.path, tmp_path / "copy.performance")
    poses = tmp_path / "poses.json"
    write_comfyui(tiny_poses(5, 64, 3), poses)
    (tmp_path / "x").mkdir()
    with caplog.at_level(logging.INFO):
        found = gather([me.path, poses, tmp_path / "copy.performance", tmp_path / "x" / ".." / "poses.json", me.path])
    assert names_of(found, tmp_path) == ["me.performance", "poses.json"]
    assert notes(caplog) == [
        f"given more than once, and counted once: {tmp_path}/x/../poses.json, {me.path}",
        f"given more than once, and counted once: {tmp_path}/copy.performance",
    ]


def test_many_twins_are_not_all_named(caplog):
    with caplog.at_level(logging.INFO):
        assert len(gather(["choreography:8", "choreography"])) == 8
    assert notes(caplog)[0].endswith("choreography 5 and 3 more")


def test_a_video_is_not_tracked_again_when_its_performance_is_there(tmp_path, videos, caplog):
    video = videos(tmp_path / "b" / "dance.mp4", 5)
    from understudy.base.files import sha256_of

    tracked = tiny_performance(tmp_path / "b" / "tracked.performance", 5)
    header = json.loads((tracked.path / "performance.json").read_text())
    (tracked.path / "performance.json").write_text(json.dumps(header | {"source_sha256": sha256_of(video)}))
    with caplog.at_level(logging.INFO):
        assert names_of(gather([tmp_path / "b"]), tmp_path) == ["b/tracked.performance"]
    assert videos.tracked == [] and notes(caplog)[-1].endswith(f"counted once: {video}")
    known = Performance.load(tracked.path)
    with caplog.at_level(logging.INFO):
        assert names_of(gather([video, "choreography:1"], known=[known])) == ["choreography 1"]
    assert videos.tracked == []


def test_known_clips_do_not_come_again(tmp_path):
    me = tiny_performance(tmp_path / "me.performance", 1)
    other = PoseSequence("other", tiny_poses(9, 64, 2), np.full(9, 2, np.uint8), Fraction(25))
    tiny_performance(tmp_path / "you.performance", 2)
    assert names_of(gather([me.path, tmp_path / "you.performance"], known=[me, other]), tmp_path) == ["you.performance"]


# -- what is wrong -----------------------------------------------------------------------------------------------


def test_one_bad_clip_among_many_is_named_and_left_out(tmp_path, videos, caplog):
    folder = tmp_path / "all"
    for seed in range(1, 4):
        tiny_performance(folder / f"{seed}.performance", seed)
    (folder / "2.performance" / "poses.safetensors").write_bytes(b"damaged")
    (folder / "half.performance").mkdir()
    shutil.copy(folder / "1.performance" / "frames.mp4", folder / "half.performance")  # not to be taken for a clip
    videos(folder / "nobody.mp4", 0)
    (folder / "package.json").write_text('{"name": "something else"}')
    (folder / "cut.json").write_text('[{"people": [')
    assert names_of(gather([folder]), folder) == ["1.performance", "3.performance"]
    said = {message.removeprefix(f"{folder}/").split(" is left out: ")[0]: message for message in notes(caplog)}
    assert list(said) == ["2.performance", "cut.json", "half.performance", "package.json", "nobody.mp4"]
    assert "poses.safetensors was changed or cut off" in said["2.performance"]
    assert "is half written or not a performance" in said["half.performance"]
    assert "holds no poses that are known here" in said["package.json"]
    assert "is not valid JSON" in said["cut.json"]
    assert "nobody is found" in said["nobody.mp4"]
    assert not any("\n" in message for message in said.values())


def test_poses_that_do_not_belong_to_their_header_are_left_out(tmp_path, caplog):
    me = tiny_performance(tmp_path / "me.performance", 1)
    header = json.loads((me.path / "performance.json").read_text())
    (me.path / "performance.json").write_text(json.dumps(header | {"frames": 99}))
    with pytest.raises(PoseError, match=r"me\.performance has 99 frames and 12 poses: track the video again"):
        gather([me.path])


def test_what_is_named_and_not_there_is_an_error(tmp_path):
    tiny_performance(tmp_path / "me.performance", 1)
    with pytest.raises(UsageError, match=r"there is no .*nowhere: give performances, videos, pose files, folders of"):
        gather([tmp_path / "me.performance", tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"the folder .*empty holds no performances, videos or pose files: check"):
        gather([tmp_path / "me.performance", tmp_path / "empty"])


def test_when_nothing_is_left_the_reason_is_the_error(tmp_path, videos):
    bad = [videos(tmp_path / f"{name}.mp4", 0) for name in "ab"]
    with pytest.raises(PoseError, match=r"^in .*a\.mp4 nobody is found in half of the frames$"):
        gather(bad[:1])
    with pytest.raises(PoseError, match=r"^none of 2 clips of poses can be read: first, in .*a\.mp4 nobody is found"):
        gather(bad)


def test_load_poses_says_what_is_wrong(tmp_path):
    with pytest.raises(PerformanceError, match="there is no performance"):
        load_poses(tmp_path / "nothing.performance")
    me = tiny_performance(tmp_path / "me.performance", 1)
    (me.path / "poses.safetensors").unlink()
    with pytest.raises(PerformanceError, match=r"damaged \(poses\.safetensors is missing\)"):
        load_poses(me.path)


def test_an_unreadable_folder_inside_is_left_out(tmp_path, monkeypatch, caplog):
    tiny_performance(tmp_path / "all" / "me.performance", 1)
    (tmp_path / "all" / "locked").mkdir()
    listed = type(tmp_path).iterdir

    def iterdir(path):
        if path.name == "locked":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(type(tmp_path), "iterdir", iterdir)
    assert len(gather([tmp_path / "all"])) == 1
    assert notes(caplog) == [f"{tmp_path}/all/locked is left out: Permission denied"]


def test_folders_that_hold_themselves_are_looked_through_once(tmp_path, caplog):
    tiny_performance(tmp_path / "all" / "deep" / "me.performance", 1)
    (tmp_path / "all" / "deep" / "again").symlink_to(tmp_path / "all", target_is_directory=True)
    with caplog.at_level(logging.INFO):
        assert names_of(gather([tmp_path / "all"]), tmp_path) == ["all/deep/me.performance"]
    assert notes(caplog) == []


def test_which_sources_are_poses_alone(tmp_path):
    me = tiny_performance(tmp_path / "me.performance", 1)
    (tmp_path / "half.performance").mkdir()
    (tmp_path / "folder").mkdir()
    alone = ["choreography", "choreography:4", tmp_path / "dance.json", tmp_path / "folder"]
    assert all(poses_alone(one) for one in alone)
    assert not any(poses_alone(one) for one in (me.path, tmp_path / "half.performance", "dance.mp4", "nowhere"))


def test_everything_together_makes_a_pool(tmp_path, videos):
    tiny_performance(tmp_path / "me.performance", 1)
    write_openpose(tiny_poses(9, 640, 2), tmp_path / "frames")
    found = gather([tmp_path / "me.performance", tmp_path / "frames", videos(tmp_path / "c.mp4", 3), "choreography:2"])
    pool = PosePool.of(found, body_statistics(tiny_poses(30, 128, 9)), 5, 0.1)
    assert len(pool) == 5 and pool.windows == 8 + 5 + 8 + 2 * 356
