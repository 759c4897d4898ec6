"""Poses from files: which frame of the video each belongs to, found out before a frame is decoded."""

import json
from pathlib import Path

import pytest

from clips import numbered, write_clip
from understudy.errors import PoseError
from understudy.media.reading import VideoReader
from understudy.performance import FOUND, MISSING
from understudy.poses import pose as p
from understudy.tracking.given import given_poses
from understudy.tracking.track import track

FRAMES, RATE, SIZE_HW = 40, 20, (96, 128)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    pictures = [numbered(k, SIZE_HW) for k in range(FRAMES)]
    return write_clip(tmp_path_factory.mktemp("given") / "clip.mp4", pictures, RATE)


def frame(mark):
    """Somebody whose nose is at x = 20 + mark."""
    body = [value for i in range(18) for value in (20 + mark + i % 3, 10 + 4 * i, 0.9)]
    return {"people": [{"pose_keypoints_2d": body}]}


def folder_of(folder, numbers, name="{:06d}.json", first=0, shown=None):
    """A file for every number; what it shows says which frame of the clip it is."""
    folder.mkdir()
    for number in numbers:
        mark = shown(number) if shown else number - first
        (folder / name.format(number)).write_text(json.dumps(frame(mark)))
    return folder


def placed(path, clip, start=None, end=None):
    """The frames of the clip that the poses show, one for each tracked frame; None where nobody is seen."""
    reader = VideoReader(clip, start=start, end=end)
    pose = given_poses(path, reader, start, end)
    assert len(pose) == reader.expected_frames
    return [round(float(x)) - 20 if seen else None for x, seen in zip(pose.xy[:, p.NOSE, 0], pose.found, strict=True)]


OPENPOSE = "clip_{:012d}_keypoints.json"
EVERY = list(range(FRAMES))


@pytest.mark.parametrize("first", [0, 1], ids=["from 0", "from 1"])
@pytest.mark.parametrize(
    "missing",
    [
        pytest.param([], id="none"),
        pytest.param([20], id="one in the middle"),
        pytest.param([7, 8, 20, 30], id="several"),
        pytest.param([0], id="the first"),
        pytest.param([0, 1, 2, 15], id="some at the start"),
        pytest.param([38, 15], id="near the end"),
    ],
)
def test_a_missing_file_is_an_empty_frame(clip, tmp_path, first, missing):
    shown = [number for number in EVERY if number not in missing]
    name = OPENPOSE if first == 0 else "{:06d}.json"
    path = folder_of(tmp_path / "poses", [number + first for number in shown], name, first)
    assert placed(path, clip) == [number if number in shown else None for number in EVERY]


def test_the_last_files_may_be_missing_too(clip, tmp_path):
    path = folder_of(tmp_path / "poses", EVERY[:-3])
    assert placed(path, clip) == [*EVERY[:-3], None, None, None]


def test_any_first_number_when_no_file_is_missing(clip, tmp_path):
    path = folder_of(tmp_path / "poses", range(1001, 1041), first=1001)
    assert placed(path, clip) == EVERY


@pytest.mark.parametrize("numbers", [range(1, 40), range(3, 39), range(1001, 1038)], ids=["1-39", "3-38", "1001-1037"])
def test_what_cannot_be_placed_is_refused(clip, tmp_path, numbers):
    path = folder_of(tmp_path / "poses", numbers)
    with pytest.raises(PoseError, match=f"is numbered {numbers[0]} to {numbers[-1]}|there are 37 poses") as caught:
        placed(path, clip)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("added", "first"), [(0, 0), (40, 1)], ids=["the first", "the last"])
def test_the_advice_of_the_refusal_helps(clip, tmp_path, added, first):
    path = folder_of(tmp_path / "poses", range(1, 40), first=first)
    with pytest.raises(PoseError, match="the first of them may have the number 0 or 1: add the files"):
        placed(path, clip)
    (path / f"{added:06d}.json").write_text('{"people": []}')
    assert placed(path, clip) == ([None, *EVERY[1:]] if first == 0 else [*EVERY[:-1], None])


def test_numbers_that_are_times_are_an_order(clip, tmp_path, caplog):
    path = folder_of(tmp_path / "poses", range(0, 2000, 50), name="{:d}.json", shown=lambda number: number // 50)
    assert placed(path, clip) == EVERY
    assert "are not those of frames; taken one after another" in caplog.text


@pytest.mark.parametrize(
    ("numbers", "name", "first"),
    [
        pytest.param(EVERY, OPENPOSE, 0, id="the whole clip's"),
        pytest.param([n for n in EVERY if n not in (0, 12)], OPENPOSE, 0, id="the whole clip's, two missing"),
        pytest.param(range(1, 41), "{}.json", 1, id="the whole clip's, from 1"),
        pytest.param(range(10, 30), "{}.json", 0, id="the part's, numbered as in the clip"),
        pytest.param([n for n in range(10, 30) if n != 12], OPENPOSE, 0, id="the same, one missing"),
        pytest.param([n for n in range(20) if n != 2], "{}.json", -10, id="the part's, numbered by itself"),
        pytest.param(range(1, 21), "{}.json", -9, id="the same from 1"),
    ],
)
def test_a_part_of_the_clip(clip, tmp_path, numbers, name, first):
    path = folder_of(tmp_path / "poses", numbers, name, first)
    missing = {12} if len(numbers) in (19, 38) else set()
    assert placed(path, clip, 0.5, 1.5) == [number if number not in missing else None for number in range(10, 30)]


def test_a_part_of_whom_nobody_knows_where_it_is(clip, tmp_path):
    path = folder_of(tmp_path / "poses", range(16))
    with pytest.raises(PoseError, match=r"20 frames from `start` to `end`, so that .* may have the number 0 or 4: add"):
        placed(path, clip, 0.2, 1.2)


@pytest.mark.parametrize("count", [FRAMES - 1, FRAMES, FRAMES + 1])
def test_lists_follow_one_another(clip, tmp_path, count):
    (tmp_path / "poses.json").write_text(json.dumps([frame(number) for number in range(count)]))
    pose = given_poses(tmp_path / "poses.json", VideoReader(clip), None, None)
    assert pose.xy[:, p.NOSE, 0].tolist() == [20 + number for number in range(count)]


def test_a_header_that_promises_more_frames_is_not_believed(tmp_path, caplog):
    """An FLV file's length is that of its sound, and of a long one only the first packets are looked at."""
    count = 520
    pictures = [numbered(k % 16, SIZE_HW) for k in range(count)]
    long = write_clip(tmp_path / "long.flv", pictures, RATE, audio="aac", audio_seconds=1.08 * count / RATE)
    assert VideoReader(long).info.frames > count + 20
    (tmp_path / "poses.json").write_text(json.dumps([frame(number / 10) for number in range(count)]))
    folder_of(tmp_path / "poses", range(count), shown=lambda number: number / 10)
    for path in (tmp_path / "poses.json", tmp_path / "poses"):
        assert len(given_poses(path, VideoReader(long), None, None)) == count
    assert not caplog.records
    performance = track(long, tmp_path / "x.performance", poses=tmp_path / "poses.json", matte="none", size=32)
    assert (performance.status == FOUND).all() and len(performance) == count


def unreadable(*_):
    pytest.fail("a frame was decoded")


@pytest.mark.parametrize("numbers", [range(20), range(1, 40), range(1001, 1038)], ids=["another clip", "0 or 1", "far"])
@pytest.mark.parametrize("whole", [True, False], ids=["a list", "a folder"])
def test_refused_before_a_frame_is_decoded(clip, tmp_path, monkeypatch, numbers, whole):
    path = folder_of(tmp_path / "poses", numbers)
    if whole:
        path = tmp_path / "poses.json"
        path.write_text(json.dumps([frame(number) for number in numbers[: FRAMES - 3]]))
    for way in ("with_whole", "squares"):
        monkeypatch.setattr(VideoReader, way, unreadable)
    with pytest.raises(PoseError) as caught:
        track(clip, tmp_path / "x.performance", poses=path, matte="none", size=32)
    assert "\n" not in str(caught.value) and str(clip) in str(caught.value)
    assert not (tmp_path / "x.performance").exists()


def test_the_performance_has_the_empty_frames(clip, tmp_path):
    path = folder_of(tmp_path / "poses", range(12, 40), OPENPOSE)
    performance = track(clip, tmp_path / "x.performance", poses=path, matte="none", size=32, smooth=False)
    assert performance.status.tolist() == [MISSING] * 12 + [FOUND] * 28


def test_pictures_without_anybody_are_not_in_alphaposes_list(clip, tmp_path):
    shown = [number for number in EVERY if number not in (0, 1, 18)][:-12]
    results = [
        {
            "image_id": f"{number}.jpg",
            "keypoints": [v for i in range(17) for v in (20 + number, 5 * i + 3, 1)],
            "score": 1,
        }
        for number in shown
    ]
    path = Path(tmp_path / "alphapose-results.json")
    path.write_text(json.dumps(results))
    assert placed(path, clip) == [number if number in shown else None for number in EVERY]
