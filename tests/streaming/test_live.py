"""Live performances: who is measured, what is shown when, what is recorded, and what goes wrong in one line."""

from __future__ import annotations

import logging
import sys
import threading
import time
import types
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from clips import audio_packets, real_clip, write_clip
from tiny import tiny_poses
from tiny_actor import FLAT, LIMB_COLOUR, drawing_actor, tiny_actor
from understudy import live, verify
from understudy.base import load
from understudy.compositing.backgrounds import Background
from understudy.errors import ActorError, MediaError, UnderstudyError, UsageError
from understudy.marks.marking import Unmarked
from understudy.media.reading import VideoReader
from understudy.media.writing import VideoWriter
from understudy.performing.label import label_for
from understudy.poses.pose import Pose
from understudy.retargeting.alignment import body_statistics
from understudy.retargeting.global_normalization import ground_statistics
from understudy.streaming.cameras import Shot
from understudy.streaming.placing import Placing, nobody
from understudy.streaming.recording import Recording
from understudy.streaming.rooms import Room
from understudy.streaming.show import Pace, Role, Show, Summary, smaller
from understudy.tracking.detection import Detection
from understudy.verbs.live import _recording

SIDE, FPS = 64, Fraction(20)
DANCE = tiny_poses(40, SIDE, 3)


class Film:
    """Pictures that say by their brightness which they are, at once or as fast as they are looked at."""

    fps = FPS

    def __init__(self, count=40, pause=0.0, error=None):
        self.count, self.pause, self.error = count, pause, error

    def shots(self) -> Iterator[Shot]:
        for number in range(self.count):
            time.sleep(self.pause)
            frame = np.full((SIDE, SIDE, 3), number, np.uint8)
            frame[:, : SIDE // 2] = 255 - number
            yield Shot(frame, time.monotonic(), first=number == 0)
        if self.error:
            raise self.error


class Seer:
    """A tracker that knows the dance; nobody is there in `empty` frames."""

    name, version = "seer", "1"

    def __init__(self, empty=()):
        self.empty, self.forgotten, self.mirrored = empty, 0, []

    def __call__(self, frame):
        number = int(min(frame[0, 0, 0], frame[0, -1, 0]))
        self.mirrored.append(bool(frame[0, 0, 0] < frame[0, -1, 0]))
        if number in self.empty:
            return None
        return Detection(DANCE.xy[number], DANCE.confidence[number], None)

    def forget(self):
        self.forgotten += 1

    def close(self):
        pass


class Screen:
    from_the_start = True

    def __init__(self, wait=0.0):
        self.frames, self.wait = [], wait

    def show(self, frame, when):
        time.sleep(self.wait)
        self.frames.append(frame)


def role(actor):
    return Role(actor, actor.prompt_player("cpu"))


def show(actor=None, film=None, seer=None, screen=None, **options):
    screen = screen or Screen()
    options = {"backgrounds": [Background("reference")], "calibration": 0.0, **options}
    made = Show([role(actor or drawing_actor())], film or Film(pause=0.02), seer or Seer(), [screen], **options)
    return made.run(), screen.frames


def performed(frames, actor):
    """Those in which somebody is painted over the room."""
    return [frame for frame in frames if np.abs(frame.astype(int) - actor.background).max() > 60]


# -- placing ------------------------------------------------------------------------------------------------------


def test_nobody_is_placed_before_somebody_stood_there_for_long_enough():
    placing = Placing(tiny_actor(), seconds=1.0)
    times = [10 + number / 20 for number in range(40)]
    assert placing(nobody((SIDE, SIDE)), 5.0) is None and placing.remaining(5.0) == 1.0
    placed = [placing(DANCE[number : number + 1], now) for number, now in enumerate(times)]
    assert [one is None for one in placed] == [True] * 20 + [False] * 20
    assert placing.remaining(99.0) is None
    placing.begin()
    assert placing(DANCE[:1], 50.0) is None and placing.remaining(50.25) == 0.75


def test_who_passes_by_is_not_measured():
    placing = Placing(tiny_actor(), seconds=3.0)
    for number in range(8):
        assert placing(DANCE[number : number + 1], 10 + number / 20) is None
    for when in (11.0, 11.5, 12.0, 13.5, 20.0):
        assert placing(nobody((SIDE, SIDE)), when) is None
    assert placing.remaining(20.0) == 3.0 and placing.guess() is None
    placed = [placing(DANCE[number : number + 1], 30 + number / 10) for number in range(40)]
    assert [one is None for one in placed] == [True] * 30 + [False] * 10


def test_whoever_is_measured_stands_on_the_references_floor():
    actor = tiny_actor()
    reference = Pose(DANCE.xy / 2, DANCE.confidence, (32, 32))
    near = ground_statistics(reference, FPS)
    assert near is not None
    floors = {}
    for lower in (0.0, 4.0):
        ground = replace(near, close=near.close + lower, far=near.far + lower)
        placing = Placing(replace(actor, ground=ground), seconds=0.0)
        placed = [placing(DANCE[n : n + 1], n / 20) for n in range(40)]
        feet = [one.xy[0, [15, 16], 1].mean() for one in placed if one is not None]
        floors[lower] = float(np.median(feet))
    assert floors[4.0] - floors[0.0] == pytest.approx(4.0, abs=0.1)
    assert floors[0.0] == pytest.approx(float(np.median(reference.xy[:, [15, 16], 1])), abs=1.0)


def test_points_are_calmed_by_the_time_that_passed():
    lag = {}
    for step in (0.05, 0.25):  # after poses that all came at one rate
        placing = Placing(tiny_actor(), seconds=0.0, feet=False)
        for number in range(20):
            placing(DANCE[:1], 10 + number * 0.05)
        moved = Pose(DANCE.xy[:1] + np.float32(3), DANCE.confidence[:1], DANCE.size_hw)
        before, after = placing(DANCE[:1], 11.0), placing(moved, 11 + step)
        assert before is not None and after is not None
        lag[step] = float((after.xy - before.xy)[0, 5, 0])
    assert lag[0.25] > lag[0.05] > 0  # a quarter of a second later it has come nearly all of the way


def test_whoever_is_measured_stands_where_the_reference_stood_and_is_as_large():
    actor = tiny_actor()
    placing = Placing(actor, seconds=1.0)
    placed = [placing(DANCE[n : n + 1], n / 20) for n in range(40)]
    there = body_statistics(Pose.concatenate([one for one in placed if one is not None]))
    assert np.allclose(there.centre_xy, actor.body.centre_xy, atol=2.0)
    assert there.torso_length == pytest.approx(actor.body.torso_length, rel=0.3)


# -- the chain ----------------------------------------------------------------------------------------------------


def test_a_pose_is_made_when_it_will_be_asked_for():
    pace = Pace()
    waits = [pace.wait(now / 10) for now in range(60)]  # one is taken every tenth of a second
    assert waits[0] == 0 and waits == sorted(waits) and waits[-1] == pytest.approx(0.09, abs=1e-3)
    for _ in range(60):
        pace.looked(0.03)
    assert pace.wait(6.0) == pytest.approx(0.06, abs=1e-3)
    for _ in range(60):
        pace.looked(0.5)
    assert pace.wait(6.1) == 0


def test_playing_leaves_a_core_to_the_rest_of_the_chain(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(load, "cores", lambda: 2)
    playing, threads, before = role(drawing_actor()), [], torch.get_num_threads()

    def play(moments, batch):
        threads.append(torch.get_num_threads())
        yield from playing.actor.prompt_player("cpu").play(moments, batch=batch)

    monkeypatch.setattr(playing.player, "play", play)
    torch.set_num_threads(2)
    try:
        Show([playing], Film(5), Seer(), [], backgrounds=[Background("reference")], calibration=0.0).run()
        assert threads == [1] and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_dance_is_shown_as_it_happens():
    actor = drawing_actor()
    summary, frames = show(actor, Film(pause=0.08))  # long enough that networks begin late on a busy machine
    assert summary.frames >= 5 and len(performed(frames, actor)) >= 5
    assert frames[0].shape == (48, 40, 3)
    assert 0 < summary.delay_p50 <= summary.delay_p95
    # the four that are measured before the fifth is placed are no part of the performance
    assert summary.frames + summary.dropped <= 40 - 4


def test_what_comes_too_fast_is_left_out_and_nothing_is_late():
    summary, _ = show(film=Film(40, pause=0.01), screen=Screen(wait=0.1))
    assert summary.dropped > 10
    assert summary.delay_p95 < 3.0  # with nothing left out the last of them would be shown four seconds late


def test_who_goes_fades_and_the_room_is_left():
    actor = drawing_actor()
    _, frames = show(actor, Film(40, pause=0.03), Seer(empty=range(15, 40)))
    assert np.array_equal(frames[-1], actor.background)
    assert performed(frames, actor)


def test_the_label_is_painted_unless_it_is_not_wanted():
    actor = drawing_actor(background=np.zeros((48, 40, 3), np.uint8))
    badge = label_for((48, 40), [])
    corner = np.s_[badge.top : badge.top + badge.picture.shape[0], badge.left : badge.left + badge.picture.shape[1]]
    _, with_label = show(actor, label=badge)
    _, without = show(actor)
    assert with_label[-1][corner].max() > 150 > 100 > without[-1][corner].mean()


def test_a_camera_that_is_unplugged_ends_it_without_losing_what_was_shown(caplog):
    summary, _ = show(film=Film(40, 0.02, MediaError("camera 0 gives no more pictures")))
    assert summary.frames and caplog.messages == ["camera 0 gives no more pictures"]


def test_what_goes_wrong_in_a_thread_is_raised():
    with pytest.raises(MediaError, match="none at all"):
        show(film=Film(0, error=MediaError("none at all")))

    class Broken(Seer):
        def __call__(self, frame):
            raise ValueError("a tracker's fault")

    with pytest.raises(ValueError, match="a tracker's fault"):
        show(seer=Broken())
    assert not [one for one in threading.enumerate() if one.name.startswith("Thread") and "_watched" in one.name]


def test_it_ends_after_so_many_seconds_of_performance():
    began = time.monotonic()
    options = {"backgrounds": [Background()], "calibration": 0.0}
    made = Show([role(drawing_actor())], Film(10_000, 0.01), SeerAgain(), [Screen()], **options)
    summary = made.run(seconds=0.5)
    assert 0.5 <= summary.seconds <= time.monotonic() - began < 60


class SeerAgain(Seer):
    def __call__(self, frame):
        return Detection(DANCE.xy[0], DANCE.confidence[0], None)


def test_what_was_left_out_is_that_of_the_performance():
    summary, _ = show(film=Film(40, pause=0.01), screen=Screen(wait=0.0), calibration=30.0)
    assert summary.dropped == 0


def test_a_video_behind_plays_at_its_own_speed(tmp_path):
    path = tmp_path / "behind.mp4"
    with VideoWriter(path, FPS) as writer:
        for number in range(60):
            writer.write(np.full((48, 40, 3), 4 * number, np.uint8))
    room = Room(drawing_actor(), Background.of(path), FPS)
    first = room.now().mean()
    room._began -= 2.0  # seconds later
    assert first < 8 and room.now().mean() == pytest.approx(160, abs=12)


def test_nobody_at_all_is_said():
    summary, frames = show(seer=Seer(empty=range(40)))
    assert str(summary) == "nobody was shown: nobody stood before the camera for long enough, from head to foot"
    assert len(frames) > 5  # the room, with what is to be done


def test_a_summary_in_words():
    said = str(Summary(frames=100, seconds=5.0, delay_p50=0.1, delay_p95=0.15, dropped=7))
    assert said == (
        "20.0 frames a second for 5 s, 100 ms behind (95 of 100 at most 150 ms), 7 of the camera's pictures left out"
    )


def test_smaller_pictures_show_the_same_at_the_same_place():
    actor = tiny_actor(original_size_hw=(480, 400), background=np.zeros((480, 400, 3), np.uint8))
    small = smaller(actor, 120)
    assert small.original_size_hw == (120, 100) and small.background.shape == (120, 100, 3)
    centre, there = (one.from_picture.of_points(np.array([[x, x]])) for one, x in ((actor, 239.5), (small, 59.5)))
    assert np.allclose(centre, there, atol=0.1)
    assert smaller(actor, 4000).original_size_hw == (480, 400)


# -- what is recorded ---------------------------------------------------------------------------------------------


def test_a_recording_keeps_time(tmp_path):
    path = tmp_path / "out.mp4"
    with Recording(lambda rate: VideoWriter(path, rate), Fraction(10)) as recording:
        for level, when in ((0, 50.0), (80, 50.31), (160, 50.33), (240, 51.0)):
            recording.show(np.full((32, 32, 3), level, np.uint8), when)
    with VideoReader(path) as reader:
        levels = [round(float(frame.mean()) / 80) for frame in reader]
    assert levels == [0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 3]


def test_a_recording_without_a_picture_is_no_file_and_no_error(tmp_path):
    with Recording(lambda rate: VideoWriter(tmp_path / "out.mp4", rate), Fraction(60)) as recording:
        assert not recording.from_the_start
    assert not list(tmp_path.iterdir())


def test_a_quick_camera_is_recorded_at_thirty_frames_a_second(tmp_path):
    path = tmp_path / "out.mp4"
    with Recording(lambda rate: VideoWriter(path, rate), Fraction(60)) as recording:
        for when in (0.0, 0.1):
            recording.show(np.zeros((32, 32, 3), np.uint8), when)
    with VideoReader(path) as reader:
        assert reader.fps == 30 and len(list(reader)) == 4


class Heard(Film):
    """A film with the sound of a file, of which a second is over when the first picture is taken."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def position(self, taken):
        return taken - 6.0


def test_a_recording_has_the_sound_of_what_its_pictures_show(tmp_path):
    """From where the video was when the first picture was taken, packet by packet, and as long as the pictures."""
    clip, path = write_clip(tmp_path / "dance.mp4", 100, 25, audio="aac"), tmp_path / "out.mp4"
    show = types.SimpleNamespace(camera=Heard(clip), first_taken=7.0)
    with _recording(path, show, [drawing_actor()], filmed=True, marks=True) as recording:
        for when in (7.2, 9.2):
            recording.show(np.zeros((32, 32, 3), np.uint8), when)
    heard, whole = audio_packets(path), audio_packets(clip)
    begin = whole.index(heard[1])
    assert heard[1:] == whole[begin : begin + len(heard) - 1]
    assert begin * 1024 / 48000 == pytest.approx(1.0, abs=0.05)
    assert len(heard) * 1024 / 48000 == pytest.approx(2.0, abs=0.1)


def test_the_first_picture_of_the_performance_is_known_when_it_is_recorded():
    """By when what it shows was filmed, and not those before it, which say what is to be done."""
    known, screen = [], Screen()
    made = Show([role(drawing_actor())], Film(pause=0.02), Seer(), [screen], backgrounds=[Background("reference")])
    screen.show = lambda frame, when: known.append(made.first_taken)
    made.placing.seconds = 0.2
    before = time.monotonic()
    made.run()
    assert known[0] == 0.0 and before < known[-1] < time.monotonic()
    assert len({one for one in known if one}) == 1


# -- the verb -----------------------------------------------------------------------------------------------------


@pytest.fixture
def seen(monkeypatch):
    monkeypatch.setattr("understudy.tracking.blazepose.BlazePoseTracker", SeerAgain)
    monkeypatch.setattr("understudy.streaming.cameras.FileCamera", lambda path, loop: Film(30, 0.02))


def test_a_recording_is_marked_and_shows_the_performer(tmp_path, seen):
    path = tmp_path / "out.mp4"
    summary = live(drawing_actor(), driving="dance.mp4", output=path, calibration=0.0, device="cpu")
    assert summary.frames
    assert verify([path]).exit_code == 0
    with VideoReader(path) as reader:
        assert reader.fps == FPS and reader.size_hw == (48, 40)


@pytest.mark.parametrize(("background", "composite"), [("reference", True), ("black", False)])
def test_marks_say_whether_what_was_filmed_is_in_it(tmp_path, seen, monkeypatch, background, composite):
    said = []

    def marked(performers, composite, signing=None):
        said.append(composite)
        return Unmarked()

    monkeypatch.setattr("understudy.performing.marked_video.marking_of", marked)
    path = tmp_path / "out.mp4"
    live(drawing_actor(), driving="dance.mp4", output=path, background=background, calibration=0.0, device="cpu")
    assert said == [composite]


def test_where_it_is_to_be_seen_is_said(seen, caplog):
    caplog.set_level(logging.INFO, "understudy")
    live(drawing_actor(), driving="dance.mp4", mjpeg=0, calibration=0.0, device="cpu")
    assert caplog.messages[0].startswith("live at http://127.0.0.1:")


def test_a_virtual_camera_gets_the_pictures(seen, monkeypatch):
    sent = []

    class Camera:
        device = "a device"

        def __init__(self, width, height, fps):
            assert (width, height, fps) == (40, 48, 20.0)

        def send(self, frame):
            sent.append(frame)

        def close(self):
            sent.append("closed")

    monkeypatch.setitem(sys.modules, "pyvirtualcam", types.SimpleNamespace(Camera=Camera))
    live(drawing_actor(), driving="dance.mp4", virtual_camera=True, calibration=0.0, device="cpu")
    assert len(sent) > 5 and sent[-1] == "closed" and sent[0].shape == (48, 40, 3)


def test_no_virtual_camera_is_one_line(seen, monkeypatch):
    def none(**_):
        raise RuntimeError("no device\nfound")

    monkeypatch.setitem(sys.modules, "pyvirtualcam", types.SimpleNamespace(Camera=none))
    with pytest.raises(UsageError, match=r"^`virtual_camera=True`: no such device could be opened \(no device\): OBS"):
        live(drawing_actor(), driving="dance.mp4", virtual_camera=True)
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(UsageError, match=r"pip install 'understudy\[live\]'"):
        live(drawing_actor(), driving="dance.mp4", virtual_camera=True)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"camera": 0, "driving": "a.mp4"}, "`camera` and `driving` are different ways"),
        ({"loop": True}, "`loop` goes with `driving`"),
        ({"poses": "vmc", "camera": 1}, "`camera` and `poses` are different ways"),
        ({"poses": "kinect"}, "`poses='kinect'`: there is no such one; choose one of osc, vmc, mediapipe"),
        ({"websocket": 0}, "`websocket` goes with `poses='mediapipe'`"),
        ({"background": ["black", "transparent"]}, "`background='transparent'` cannot be had live"),
        ({"long_side": 8}, "`long_side=8`: at least 64"),
        ({"calibration": -1.0}, "`calibration` is at least 0"),
        ({"calibration": float("nan")}, "`calibration` is at least 0"),
        ({"seconds": 0.0}, "`seconds` above 0"),
        ({"background": "driving"}, "cannot be had live"),
        ({"background": "transparent"}, "cannot be had live"),
        ({"output": "out.avi"}, "cannot write a video as out.avi"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_said_before_anything_is_opened(asked, said):
    with pytest.raises(UsageError, match=said):
        live(tiny_actor(), **asked)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"driving": "nowhere.mp4"}, "nowhere.mp4"),
        ({"poses": "osc", "osc": 70000}, "`osc=70000`"),
        ({"poses": "osc", "osc": 0, "mjpeg": 70000}, "`mjpeg=70000`"),
    ],
    ids=str,
)
def test_what_cannot_be_opened_is_said_before_anything_is_made_ready(asked, said, monkeypatch):
    """To make an actor ready takes up to 20 seconds, and more than one may be there."""

    class NeverReady(type(drawing_actor())):
        def prompt_player(self, device="auto"):
            player = super().prompt_player(device)
            player.make_ready = lambda seconds: pytest.fail("made ready for nothing")
            return player

    with pytest.raises((UsageError, MediaError), match=said):
        live(NeverReady(**vars(drawing_actor())), device="cpu", **asked)


def test_where_nothing_can_be_written_is_said_before_a_camera_is_opened(tmp_path, monkeypatch):
    monkeypatch.setattr("understudy.verbs.live._camera", lambda *_: pytest.fail("opened for nothing"))
    (tmp_path / "file").touch()
    with pytest.raises(UnderstudyError, match="cannot make the folder "):
        live(drawing_actor(), output=tmp_path / "file" / "out.mp4")


def test_recipes_that_need_the_whole_dance_cannot_be_live(learnt_whole):
    with pytest.raises(ActorError, match="an actor of performance-cloning plays a dance as a whole and cannot be live"):
        live(learnt_whole, driving="dance.mp4")


@pytest.fixture
def learnt_whole():
    class Whole(type(drawing_actor())):
        def player(self, device="auto", frames=0):
            player = super().player(device, frames)
            player.latency = None
            return player

    return Whole(**vars(drawing_actor()))


@pytest.mark.parametrize("name", ["juggler.mp4"])
def test_a_real_person_is_danced(name, tmp_path):
    actor = drawing_actor(statistics={**tiny_actor().statistics, "flat_colour": np.array(FLAT, np.uint8)})
    path = tmp_path / "out.mp4"
    summary = live(actor, driving=real_clip(name), output=path, calibration=0.5, seconds=3.0, device="cpu")
    assert summary.frames >= 3
    with VideoReader(path) as reader:
        frames = list(reader)
    assert performed(frames[-10:], actor)


def test_networks_are_made_ready_while_somebody_is_measured():
    played = []

    class Watched(type(drawing_actor())):
        def painted(self, moments):
            for moment in moments:
                played.append(moment)
                yield from super().painted([moment])

    actor = Watched(**vars(drawing_actor()))
    summary, frames = show(actor, Film(30, 0.02), calibration=30.0)
    assert played and summary.frames == 0
    assert not any((frame == LIMB_COLOUR).all(axis=-1).any() for frame in frames)
