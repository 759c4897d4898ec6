"""The whole way from a video file to a performance, with the real tracker on made-up and on real people."""

import logging
from contextlib import closing
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from filmed_dancer import FRAMES, SIZE_HW, filmed_dancer

import rooms
from clips import numbered, numbers_of, real_clip, write_clip
from understudy.errors import MediaError, PerformanceError, PoseError, UsageError
from understudy.media.reading import VideoReader, VideoWriter
from understudy.performance import FOUND, INTERPOLATED, MISSING
from understudy.poses import pose as p
from understudy.poses.formats import write_openpose
from understudy.poses.similarity import Similarity
from understudy.synthetic.clip import write_clip as film
from understudy.synthetic.motion import choreography
from understudy.synthetic.people import make_person
from understudy.synthetic.scene import make_scene
from understudy.tracking import passes
from understudy.tracking.cache import cache_folder, video_of
from understudy.tracking.detection import Detection, Mask
from understudy.tracking.mattes import GivenMatte
from understudy.tracking.passes import SAMPLES, Footage
from understudy.tracking.track import track


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    return filmed_dancer(tmp_path_factory.mktemp("filmed"))


@pytest.fixture(scope="module")
def performance(filmed):
    with rooms.copied():
        return track(filmed.video, filmed.video.with_name("dance.performance"), size=128)


def in_working_pixels(truth, performance):
    crop = performance.header.crop
    return crop.of_pose(truth.pose, performance.header.size_hw)


def test_a_made_up_dancer_is_tracked_where_the_truth_says(filmed, performance):
    header = performance.header
    assert (len(performance), header.found, header.original_size_hw) == (FRAMES, FRAMES, SIZE_HW)
    assert (header.tracker, header.tracker_version, header.fps) == ("blazepose", "0.10.21", Fraction(20))
    truth = in_working_pixels(filmed, performance)
    seen = (truth.confidence > 0) & (performance.poses.confidence > 0.3)
    seen[:, 17:] = False
    assert seen[:, 5:17].mean() > 0.8
    error = np.linalg.norm(truth.xy - performance.poses.xy, axis=-1)[seen]
    assert np.median(error) < 0.02 * 128
    assert np.percentile(error, 95) < 0.08 * 128


def test_the_person_fills_the_crop_and_the_matte(performance):
    assert (performance.status == FOUND).all()
    for frame, matte in zip(performance.frames(), performance.mattes(), strict=True):
        rows, columns = np.nonzero(matte > 127)
        assert max(np.ptp(rows), np.ptp(columns)) > 0.5 * 128
        assert rows.min() > 0 and rows.max() < 127
        assert frame.shape == (128, 128, 3)


def test_the_frames_are_the_picture_at_the_place_the_crop_says(filmed, performance):
    with VideoReader(filmed.video) as reader:
        whole = next(iter(reader))
    crop, frame = performance.header.crop, next(performance.frames())
    for x, y in ((40, 40), (64, 64), (80, 30)):
        column, row = (np.array([x, y]) - crop.translation_xy) / crop.scale
        assert 3 < column < SIZE_HW[1] - 3 and 3 < row < SIZE_HW[0] - 3
        around = whole[round(row) - 2 : round(row) + 3, round(column) - 2 : round(column) + 3]
        low, high = around.min(axis=(0, 1)).astype(int) - 25, around.max(axis=(0, 1)).astype(int) + 25
        assert ((frame[y, x] >= low) & (frame[y, x] <= high)).all()


def test_flow_and_background_come_along(performance):
    flow = performance.flow()
    assert flow.shape == (FRAMES, 32, 32, 2)
    assert not flow[0].any()
    assert np.isfinite(flow).all()
    assert performance.background().shape == (*SIZE_HW, 3)
    assert 0 <= performance.header.inpainted < 0.4
    room = make_scene(1, SIZE_HW).background.astype(int)
    assert np.median(np.abs(performance.background().astype(int) - room)) < 6


def test_nobody_for_a_while_is_kept_marked_and_bridged_when_short(filmed, tmp_path):
    with VideoReader(filmed.video) as reader:
        frames = list(reader)
    empty = make_scene(1, SIZE_HW).background
    frames[5:7] = [empty] * 2
    frames[12:] = [empty] * 4
    clip = write_clip(tmp_path / "gaps.mp4", frames, 20)
    performance = track(clip, tmp_path / "gaps.performance", size=64)
    assert len(performance) == FRAMES
    assert (performance.status[5:7] == INTERPOLATED).all()
    assert (performance.status[13:] == MISSING).all()
    assert performance.header.missing >= 3
    assert performance.poses.found[5:7].all()
    assert not performance.poses.found[13:].any()
    assert max(matte.max() for matte in performance.mattes(13)) == 0


def test_too_little_of_a_person_is_an_error_and_leaves_nothing(tmp_path):
    clip = write_clip(tmp_path / "empty.mp4", [make_scene(1, SIZE_HW).background] * 6, 20)
    with pytest.raises(PoseError, match="a person was found in 0 of 6 frames"):
        track(clip, tmp_path / "empty.performance")
    assert [path.name for path in tmp_path.iterdir()] == ["empty.mp4"]


def test_where_the_video_lies_is_remembered(filmed, performance):
    note = cache_folder() / "videos" / performance.header.source_sha256
    assert note.read_text(encoding="utf-8") == str(filmed.video) and video_of(performance) == filmed.video


def test_a_matte_in_colour_is_told_once_and_a_grey_one_is_not(tmp_path, caplog):
    grey = [np.full((48, 64, 3), level, np.uint8) for level in (0, 100, 200)]
    coloured = [
        np.concatenate([frame[:, :32], np.full((48, 32, 3), (200, 60, 40), np.uint8)], axis=1) for frame in grey
    ]
    for name, frames, told in (("grey", grey, 0), ("coloured", coloured, 1)):
        path = write_clip(tmp_path / f"{name}.mp4", frames, 20)
        with closing(GivenMatte(path, (0, 0, 48), (48, 64), None, None, False, 0)) as source:
            for _ in frames:
                source(np.zeros((24, 24, 3), np.uint8), None)
        notes = [record.message for record in caplog.records if "is in colour" in record.message]
        assert len(notes) == told


def test_a_screen_is_looked_for_all_over_the_part_that_is_tracked(tmp_path):
    numbers = write_clip(tmp_path / "numbers.mp4", [numbered(number) for number in range(40)], 20)
    whole, part = (Footage(numbers, *ends, False, False) for ends in ((None, None), (0.5, 1.5)))
    seen = numbers_of(whole.samples())
    assert len(seen) == SAMPLES and seen == sorted(set(seen)) and seen[0] < 5 and seen[-1] > 34
    seen = numbers_of(part.samples())
    assert len(set(seen)) == SAMPLES and min(seen) >= 10 and max(seen) < 30


def test_a_green_screen_is_keyed(filmed, tmp_path):
    scene = make_scene(1, SIZE_HW)
    green = replace(scene, background=np.broadcast_to(np.array([30, 190, 60], np.uint8), scene.background.shape).copy())
    clip = film(tmp_path / "green.mp4", make_person(3), choreography(2, 0.2, Fraction(20)), green)
    performance = track(clip.video, tmp_path / "green.performance", size=128, matte="green")
    assert performance.header.matte == "green"
    by_network = track(clip.video, tmp_path / "auto.performance", size=128)
    for keyed, found in zip(performance.mattes(), by_network.mattes(), strict=True):
        a, b = keyed > 127, found > 127
        assert (a & b).sum() / (a | b).sum() > 0.8


def test_no_matte_is_all_person_within_the_picture_and_none_beyond(filmed, tmp_path):
    with VideoReader(filmed.video, end=0.1) as reader:
        narrow = write_clip(tmp_path / "narrow.mp4", [frame[:, 90:270] for frame in reader], 20)
    performance = track(narrow, tmp_path / "none.performance", size=64, matte="none")
    crop = performance.header.crop
    left, right = (crop.scale * edge + crop.translation_xy[0] for edge in (-0.5, 179.5))
    assert left > 2 and right < 61  # the square is wider than the picture
    for matte in performance.mattes():
        assert not matte[:, : int(left)].any() and not matte[:, int(right) + 2 :].any()
        assert matte[4:60, int(left) + 2 : int(right) - 1].min() == 255


def write_mattes(path, count):
    with VideoWriter(path, Fraction(20)) as writer:
        for number in range(count):
            picture = np.zeros((*SIZE_HW, 3), np.uint8)
            picture[100:380, 100 + number : 260] = 255
            writer.write(picture)
    return path


@pytest.mark.parametrize("count", [FRAMES, FRAMES - 1, FRAMES + 1], ids=["as long", "one short", "one long"])
def test_a_matte_video_is_cut_like_the_picture(filmed, performance, tmp_path, count):
    mattes = write_mattes(tmp_path / "matte.mp4", count)
    given = track(filmed.video, tmp_path / "given.performance", size=128, matte=mattes)
    crop = given.header.crop
    left, right = (np.array([104, 259]) * crop.scale + crop.translation_xy[0])[[0, 1]]
    row = list(given.mattes())[4][64]
    np.testing.assert_allclose(np.flatnonzero(row > 127)[[0, -1]], [left, right], atol=1.5)
    assert given.header.matte == "given"


@pytest.mark.parametrize(
    ("count", "message"), [(FRAMES - 3, "shorter than the video"), (FRAMES + 3, "longer than the video")]
)
def test_a_matte_of_another_length_is_an_error(filmed, tmp_path, count, message):
    mattes = write_mattes(tmp_path / "matte.mp4", count)
    with pytest.raises(MediaError, match=message):
        track(filmed.video, tmp_path / "given.performance", size=64, matte=mattes)
    assert not (tmp_path / "given.performance").exists()


def test_given_poses_are_taken_as_they_are(filmed, tmp_path):
    write_openpose(filmed.pose, tmp_path / "poses")
    performance = track(filmed.video, tmp_path / "given.performance", size=128, poses=tmp_path / "poses", smooth=False)
    truth = in_working_pixels(filmed, performance)
    both = (performance.poses.confidence > 0) & (truth.confidence > 0)
    assert both[:, 5:17].mean() > 0.8
    np.testing.assert_allclose(performance.poses.xy[both], truth.xy[both], atol=0.1)
    assert (performance.header.tracker, performance.header.smoothed) == ("given", False)
    assert np.mean(next(performance.mattes()) > 127) > 0.05


def test_poses_of_the_whole_clip_fit_a_part_of_it(filmed, tmp_path):
    write_openpose(filmed.pose, tmp_path / "poses")
    options = {"size": 64, "poses": tmp_path / "poses", "smooth": False}
    part = track(filmed.video, tmp_path / "part.performance", start=0.2, end=0.6, **options)
    assert (len(part), part.header.start, part.header.end) == (8, 0.2, 0.6)
    truth = in_working_pixels(filmed, part)
    both = (part.poses.confidence > 0) & (truth.confidence[4:12] > 0)
    np.testing.assert_allclose(part.poses.xy[both], truth.xy[4:12][both], atol=0.1)


def test_given_poses_of_a_smaller_canvas_are_enlarged_edge_to_edge(filmed, tmp_path):
    half = Similarity(0.5, (-0.25, -0.25)).of_pose(filmed.pose, (SIZE_HW[0] // 2, SIZE_HW[1] // 2))
    write_openpose(half[:4], tmp_path / "poses")
    options = {"poses": tmp_path / "poses", "smooth": False, "matte": "none", "end": 0.2}
    performance = track(filmed.video, tmp_path / "given.performance", size=256, **options)
    truth = in_working_pixels(filmed, performance)
    both = (performance.poses.confidence > 0) & (truth.confidence[:4] > 0)
    assert both[:, 5:17].mean() > 0.8
    np.testing.assert_allclose(performance.poses.xy[both], truth.xy[:4][both], atol=0.02)


def test_face_and_hands_are_tracked_when_they_are_asked_for(filmed, tmp_path):
    plain, whole = (
        track(filmed.video, tmp_path / f"{landmarks}.performance", size=32, end=0.1, landmarks=landmarks)
        for landmarks in ("body", "wholebody")
    )
    assert (plain.header.landmarks, whole.header.landmarks) == ("body", "wholebody")
    for points in (p.FACE, p.LEFT_HAND, p.RIGHT_HAND):
        assert whole.poses.confidence[:, points].all() and not plain.poses.confidence[:, points].any()


class Wandering:
    """A tracker that knows the truth, but in two frames follows somebody beside the person, with a mask far off."""

    name, version = "wandering", "1"

    def __init__(self, pose):
        self.pose, self.frame = pose, -1

    def __call__(self, picture):
        self.frame += 1
        away = self.frame in (6, 7)
        mask = np.zeros(picture.shape[:2], np.uint8)
        mask[:20, -20:] = 255
        xy = self.pose.xy[self.frame] + np.float32([150 * away, 0])
        return Detection(xy, self.pose.confidence[self.frame], Mask(mask) if away else None)

    def close(self):
        pass


def test_of_somebody_else_neither_pose_nor_mask_is_kept(filmed, tmp_path, monkeypatch):
    """Bridged frames show the person: a mask of whom the tracker had jumped to would leave nothing of him."""
    monkeypatch.setattr(passes, "_make_tracker", lambda name, landmarks: Wandering(filmed.pose))
    performance = track(filmed.video, tmp_path / "x.performance", size=128)
    assert performance.status.tolist() == [FOUND] * 6 + [INTERPOLATED] * 2 + [FOUND] * (FRAMES - 8)
    covered = [float((matte > 127).mean()) for matte in performance.mattes()]
    assert min(covered[6:8]) > 0.7 * np.median(covered)


def test_poses_of_another_clip_are_an_error(filmed, tmp_path):
    write_openpose(filmed.pose[: FRAMES // 2], tmp_path / "poses")
    with pytest.raises(PoseError, match=f"there are {FRAMES // 2} poses for the {FRAMES} frames of .*dance.mp4"):
        track(filmed.video, tmp_path / "p.performance", poses=tmp_path / "poses")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        pytest.param({"size": 100}, UsageError, "multiple of 8 from 32 to 1024, not 100", id="size"),
        pytest.param({"size": 4096}, UsageError, "not 4096", id="too large"),
        pytest.param({"tracker": "openpose"}, UsageError, "`tracker='openpose'`: there is no such one", id="tracker"),
        pytest.param({"landmarks": "hands"}, UsageError, "`landmarks='hands'`: there is no such one", id="landmarks"),
        pytest.param(
            {"region": (300, 0, 200, 200)}, UsageError, "the region 300,0,200,200 is not inside", id="outside"
        ),
        pytest.param({"region": (0, 0, 20, 20)}, UsageError, "smaller than 32", id="tiny region"),
        pytest.param({"matte": "blue.mp4"}, MediaError, "no matte blue.mp4: give auto, green, none", id="matte"),
        pytest.param({"start": 5.0}, UsageError, "lasts 0.80 s", id="start"),
        pytest.param({"poses": "nothing.json"}, PoseError, "nothing.json", id="poses"),
    ],
)
def test_wrong_options_are_one_line(filmed, tmp_path, options, error, message):
    with pytest.raises(error, match=message) as raised:
        track(filmed.video, tmp_path / "x.performance", **options)
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_things_is_refused_before_any_work(filmed, tmp_path, monkeypatch):
    (tmp_path / "photo.jpg").write_bytes(b"x")
    monkeypatch.setattr(passes, "observe", lambda *_: pytest.fail("the tracker ran"))
    with pytest.raises(PerformanceError, match="other things in it"):
        track(filmed.video, tmp_path)


def test_ctrl_c_leaves_nothing(filmed, tmp_path, monkeypatch):
    def interrupted(self, frame):
        raise KeyboardInterrupt

    monkeypatch.setattr(passes.BackwardFlow, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        track(filmed.video, tmp_path / "x.performance", size=64)
    assert list(tmp_path.iterdir()) == []


def test_a_cut_file_is_noted_once_and_an_error_when_strict(tmp_path, filmed, caplog):
    from clips import cut_in_packet

    with VideoReader(filmed.video) as reader:
        whole = write_clip(tmp_path / "whole.mp4", list(reader), 20, muxer_options={"movflags": "faststart"})
    clip = cut_in_packet(whole, 12)
    caplog.set_level(logging.INFO)
    performance = track(clip, tmp_path / "cut.performance", size=64)
    assert len(performance) in (11, 12, 13)
    assert sum("is cut at" in record.getMessage() for record in caplog.records) == 1
    with pytest.raises(MediaError, match="is cut at"):
        track(clip, tmp_path / "strict.performance", size=64, strict=True)


def test_notes_about_the_matte_are_said_too(filmed, tmp_path, caplog):
    from clips import cut_in_packet

    frames = [np.full((*SIZE_HW, 3), 255, np.uint8)] * (FRAMES + 1)
    whole = write_clip(tmp_path / "matte.mp4", frames, 20, muxer_options={"movflags": "faststart"})
    mattes = cut_in_packet(whole, FRAMES)
    track(filmed.video, tmp_path / "x.performance", size=64, matte=mattes)
    said = [record.getMessage() for record in caplog.records if "is cut at" in record.getMessage()]
    assert len(said) == 1 and said[0].startswith(f"{mattes} is cut at 0.8")


def test_the_note_says_whom_it_followed(filmed, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    track(filmed.video, tmp_path / "x.performance", size=64, end=0.15)
    assert "followed the person in the middle, trunk at x=" in caplog.text
    command = f"`understudy track {filmed.video} --region X,Y,W,H --end 0.15 --size 64 --output dance.performance`"
    assert f"to follow another one: {command}, and give that" in caplog.text


def test_a_region_chooses_the_other_person(tmp_path):
    clip = real_clip("two_people_cam1.mp4")
    usual = track(clip, tmp_path / "a.performance", size=64, end=0.1)
    other = track(clip, tmp_path / "b.performance", size=64, end=0.1, region=(80, 300, 560, 800))
    places = []
    for performance in (usual, other):
        crop = performance.header.crop
        trunk = performance.poses.xy[:, [5, 6, 11, 12], 0].mean()
        places.append((trunk - crop.translation_xy[0]) / crop.scale)
    assert places[0] > 600  # the woman in front, at the right
    assert 200 < places[1] < 550  # the man behind her


def test_a_jump_to_somebody_else_is_noticed(filmed, tmp_path, caplog):
    with VideoReader(filmed.video) as reader:
        frames = list(reader)
    empty = make_scene(1, SIZE_HW).background
    left = [np.hstack([frame, empty, empty]) for frame in frames[:10]]
    right = [np.hstack([empty, empty, frame]) for frame in frames[10:]]
    clip = write_clip(tmp_path / "two.mp4", [*left, *right], 20)
    performance = track(clip, tmp_path / "a.performance", size=64)
    assert "s on the tracker followed somebody else in" in caplog.text
    assert performance.header.found in (10, 11)
    assert not performance.poses.found[11:].any()


def test_bars_are_nobody(tmp_path):
    clip = write_clip(tmp_path / "bars.mp4", [numbered(k, (240, 320)) for k in range(4)], 20)
    with pytest.raises(PoseError, match="0 of 4 frames"):
        track(clip, tmp_path / "bars.performance")
