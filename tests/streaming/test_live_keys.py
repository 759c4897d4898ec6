"""What is done while a live performance goes on, and poses that come in the place of pictures."""

import logging
import socket
import threading
import time
import types
from fractions import Fraction

import cv2
import numpy as np
import pytest

from tiny import tiny_performance, tiny_poses
from tiny_actor import LIMB_COLOUR, drawing_actor, tiny_actor
from understudy import live
from understudy.compositing.backgrounds import Background
from understudy.errors import UsageError
from understudy.poses import pose as p
from understudy.poses.pose import Pose
from understudy.retargeting.global_normalization import GroundStatistics
from understudy.streaming import window as windows
from understudy.streaming.cameras import Sighting
from understudy.streaming.controls import ACTIONS, Controls, State
from understudy.streaming.instructions import stand_like_this
from understudy.streaming.placing import Placing, nobody
from understudy.streaming.pose_stream import QUIET, PoseStream
from understudy.streaming.rooms import fitted
from understudy.streaming.show import Role, Show
from understudy.streaming.tracked import TrackedDance

SIDE, FPS = 64, Fraction(20)
DANCE = tiny_poses(40, SIDE, 3)


# -- controls -----------------------------------------------------------------------------------------------------


def test_keys_go_round_and_back():
    controls = Controls(actors=2, backgrounds=3, mirror=True)
    for action in ("actor", "background", "background", "mirror", "freeze", "calibrate"):
        assert controls.press(action)
    assert controls.state == State(actor=1, background=2, mirror=False, freeze=False, calibrate=1)
    assert controls.press("actor") and controls.press("background") and controls.state.actor == 0
    assert controls.told() == {"actor": 1, "background": 1, "mirror": False, "freeze": False, "calibrate": 1}


@pytest.mark.parametrize("action", ["", "quit", "Mirror", "__class__"])
def test_what_is_no_key_does_nothing(action):
    controls = Controls()
    assert not controls.press(action) and controls.state == State()


# -- a dance that is known ----------------------------------------------------------------------------------------


class Steps:
    """Poses one by one, each when the one before was shown; a key may be pressed before any of them."""

    fps = FPS

    def __init__(self, controls=None, presses=None, count=40, dance=DANCE):
        self.controls, self.presses, self.count, self.dance = controls, presses or {}, count, dance
        self.screen = Screen()
        self.began = time.monotonic() - 100  # what comes is late, and so nobody waits for it

    def shots(self):
        for number in range(self.count):
            if action := self.presses.get(number):
                self.controls.press(action)
            shown = self.screen.count
            yield Sighting(self.dance[number % 40 : number % 40 + 1], self.began + number / 20, first=number == 0)
            self.screen.wait_for_more_than(shown)


class Screen:
    from_the_start = True

    def __init__(self):
        self.frames, self.changed = [], threading.Condition()

    @property
    def count(self):
        return len(self.frames)

    def wait_for_more_than(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: self.count > count, 20)

    def show(self, frame, when):
        with self.changed:
            self.frames.append(frame)
            self.changed.notify_all()


def shown(presses=None, actors=None, backgrounds=("black",), count=40, **options):
    actors = actors or [drawing_actor()]
    controls = Controls(len(actors), len(backgrounds), mirror=options.pop("mirror", False))
    steps = Steps(controls, presses, count)
    roles = [Role(actor, actor.prompt_player("cpu")) for actor in actors]
    rooms = [Background.of(each) for each in backgrounds]
    options = {"dance": DANCE, **options}
    made = Show(roles, steps, None, [steps.screen], backgrounds=rooms, controls=controls, **options)
    summary = made.run()
    return steps.screen.frames, summary


def limbs(frame):
    return (np.abs(frame.astype(int) - LIMB_COLOUR).sum(axis=-1) < 60).sum()


def test_a_known_dance_is_danced_at_once_and_whole():
    frames, summary = shown()
    assert summary.frames == len(frames) == 40 and summary.dropped == 0
    assert all(limbs(frame) for frame in frames[10:])


def test_the_next_background_and_round():
    frames, _ = shown({10: "background", 20: "background"}, backgrounds=("black", "white"))
    assert [round(float(frame[0].mean())) for frame in (frames[9], frames[10], frames[19], frames[20])] == [
        0,
        255,
        255,
        0,
    ]


def test_the_next_actor_stands_in_her_own_room_within_the_same_picture():
    other = drawing_actor(original_size_hw=(24, 40), background=np.full((24, 40, 3), 200, np.uint8))
    here = drawing_actor(background=np.full((48, 40, 3), 60, np.uint8))
    frames, summary = shown({10: "actor", 25: "actor"}, actors=[here, other], backgrounds=("reference",))
    assert summary.frames == 40 and {frame.shape for frame in frames} == {(48, 40, 3)}
    tops = [round(float(frame[1, 0].mean())) for frame in frames]
    middles = [round(float(frame[24, 0].mean())) for frame in frames]
    assert set(tops[:10]) == set(tops[25:]) == {60} and set(tops[10:25]) == {0}  # bars above and below
    assert set(middles[10:25]) == {200}
    assert all(limbs(frame) for frame in frames[12:])


def test_freezing_keeps_the_performer_and_not_the_picture_rate():
    frames, _ = shown({15: "freeze", 25: "freeze"})
    assert all(np.array_equal(frames[15], frame) for frame in frames[16:25])
    assert not np.array_equal(frames[15], frames[30])


def test_a_mirror_image_is_the_other_way_round():
    actor = drawing_actor()
    straight, _ = shown(actors=[actor], feet=False)
    mirrored, _ = shown(actors=[actor], feet=False, mirror=True)
    half, _ = shown({20: "mirror"}, actors=[actor], feet=False)
    assert not np.array_equal(straight[30], mirrored[30])
    assert np.array_equal(half[19], straight[19]) and not np.array_equal(half[20], straight[20])
    assert np.array_equal(half[39], mirrored[39])


def test_measuring_anew_asks_whoever_stands_there_to_stand():
    frames, summary = shown({20: "calibrate"}, dance=None, calibration=0.0, actors=[drawing_actor()])
    # the four that are measured before the fifth is placed, twice
    assert summary.frames == 40 - 8 and len(frames) == 40
    assert all(limbs(frames[number]) == 0 for number in (0, 3, 20, 23))
    assert limbs(frames[15]) and limbs(frames[35])


# -- placing ------------------------------------------------------------------------------------------------------


def test_a_mirror_image_lies_about_where_the_reference_stands():
    actor = tiny_actor()
    straight, mirror = Placing(actor, 0.0, feet=False), Placing(actor, 0.0, feet=False)
    for one in (straight, mirror):
        one.know(DANCE, FPS)
    there, back = straight(DANCE[:1], 0.0), mirror(DANCE[:1], 0.0, mirror=True)
    centre = actor.body.centre_xy[0]
    turned = there.sides_exchanged()
    seen = turned.confidence[0] > 0
    if not actor.placement.fit_limbs:
        assert back.xy[0, seen, 0] == pytest.approx(2 * centre - turned.xy[0, seen, 0], abs=0.01)
    assert back.xy[0, p.LEFT_SHOULDER, 0] == pytest.approx(2 * centre - there.xy[0, p.RIGHT_SHOULDER, 0], abs=0.5)
    assert back.xy[0, seen, 1] == pytest.approx(turned.xy[0, seen, 1], abs=0.5)


def test_whoever_stands_there_is_as_tall_as_the_reference_and_stands_on_its_floor():
    ground = GroundStatistics(close=28.0, far=26.0, close_height=21.0, far_height=19.0)
    placing = Placing(tiny_actor(ground=ground), 1.0, feet=False)
    still = Pose(np.repeat(DANCE.xy[:1], 40, 0), np.repeat(DANCE.confidence[:1], 40, 0), DANCE.size_hw)
    placed = [placing(still[n : n + 1], n / 20) for n in range(40)][-1]
    ankles = placed.xy[0, [p.LEFT_ANKLE, p.RIGHT_ANKLE]]
    own = DANCE.xy[0, [p.LEFT_ANKLE, p.RIGHT_ANKLE]]
    scale = 20.0 / np.linalg.norm(DANCE.xy[0, p.NOSE] - own.mean(axis=0))
    head = placing._alignment.of_points(DANCE.xy[0, p.NOSE])
    feet = placing._alignment.of_points(own.mean(axis=0))
    assert placing._alignment.scale == pytest.approx(scale, rel=1e-3)
    assert np.linalg.norm(head - feet) == pytest.approx(20.0, rel=1e-3)
    assert placing._alignment.of_points(own)[:, 1].max() == pytest.approx(27.0, abs=0.05)
    assert ankles[:, 1].max() < 32


def test_a_point_of_a_trunk_is_nobody_and_another_picture_begins_anew():
    placing = Placing(tiny_actor(), 1.0)
    collapsed = Pose(np.full((1, 133, 2), 30, np.float32), np.ones((1, 133), np.float32), (SIDE, SIDE))
    for when in (0.0, 0.5, 1.5):
        assert placing(collapsed, when) is None
    assert placing.remaining(1.5) == 1.0
    placing(DANCE[:1], 2.0)
    placing(Pose(DANCE.xy[:1], DANCE.confidence[:1], (SIDE, 2 * SIDE)), 2.5)
    assert placing.remaining(2.5) == 1.0 and len(placing._watched) == 1


def test_a_figure_says_how_to_stand():
    picture = np.zeros((48, 40, 3), np.uint8)
    stand_like_this(picture, tiny_actor())
    assert not picture.any()  # nobody knows where the floor is
    stand_like_this(picture, tiny_actor(ground=GroundStatistics(28.0, 26.0, 21.0, 19.0)))
    rows = np.flatnonzero(picture.max(axis=(1, 2)) > 60)
    assert 3 <= rows[0] <= 8 and 26 <= rows[-1] <= 29  # from the head, 20 above the feet at 27


def test_a_picture_is_fitted_whole():
    picture = np.full((10, 20, 3), 9, np.uint8)
    fit = fitted(picture, (40, 40))
    assert fit.shape == (40, 40, 3) and (fit[:10] == 0).all() and (fit[10:30] == 9).all() and (fit[30:] == 0).all()
    assert fitted(picture, (10, 20)) is picture


# -- poses in -----------------------------------------------------------------------------------------------------


def test_a_performance_is_danced_at_its_own_speed(tmp_path):
    tiny_performance(tmp_path / "dance.performance", frames=5)
    now, waited = [100.0], []

    def sleep(seconds):
        waited.append(seconds)
        now[0] += seconds

    dance = TrackedDance(tmp_path / "dance.performance", loop=True, sleep=sleep, clock=lambda: now[0])
    came = [one for one, _ in zip(dance.shots(), range(7), strict=False)]
    assert [one.first for one in came] == [True, False, False, False, False, True, False]
    assert [one.taken for one in came] == pytest.approx([100 + number / 25 for number in range(7)])
    assert np.array_equal(came[6].pose.xy, dance.poses.xy[1:2])
    once = TrackedDance(tmp_path / "dance.performance", sleep=sleep, clock=lambda: now[0])
    assert len(list(once.shots())) == 5


def test_a_stream_of_poses_gives_the_newest_and_nobody_once_it_is_quiet():
    now = [0.0]
    stream = PoseStream(clock=lambda: now[0])
    stream.put(DANCE[:1])
    stream.put(DANCE[1:2])
    shots = stream.shots()
    first = next(shots)
    assert np.array_equal(first.pose.xy, DANCE.xy[1:2])
    now[0] += QUIET
    quiet = next(shots)
    assert not quiet.pose.found.any() and quiet.pose.size_hw == (SIDE, SIDE)
    stream.put(DANCE[2:3])
    assert next(shots).first  # somebody else may have come meanwhile
    stream.close()
    assert list(shots) == []


def test_poses_by_osc_are_danced_from_end_to_end(monkeypatch, caplog):
    from test_osc import bundle, message

    from understudy.streaming.osc_poses import JOINTS

    caplog.set_level(logging.INFO, "understudy")
    shares = (DANCE.xy + 0.5) / SIDE
    stop = threading.Event()

    def send():
        while not (said := [one for one in caplog.messages if "UDP port" in one]):
            if stop.wait(0.02):
                return
        port = int(said[0].rpartition(" ")[2])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            number = 0
            while not stop.wait(0.02):
                points = shares[number % 40]
                joints = {name: points[joint] for name, joint in JOINTS.items() if DANCE.confidence[0, joint] > 0}
                told = [message(f"/understudy/joint/{name}", *map(float, xy)) for name, xy in joints.items()]
                out.sendto(bundle(message("/understudy/aspect", 1.0), *told), ("127.0.0.1", port))
                out.sendto(b"rubbish!", ("127.0.0.1", port))
                number += 1

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    try:
        summary = live(drawing_actor(), poses="osc", osc=0, mjpeg=0, calibration=0.1, seconds=0.5, device="cpu")
    finally:
        stop.set()
        sender.join()
    assert summary.frames
    assert "not understood" in caplog.messages[-1]


@pytest.mark.parametrize(("poses", "said"), [("vmc", "UDP port"), ("mediapipe", "ws://127.0.0.1:")])
def test_other_streams_say_where_they_listen_and_end(poses, said, monkeypatch, caplog):
    if poses == "mediapipe":
        pytest.importorskip("websockets")
    monkeypatch.setattr(Controls, "ended", True, raising=False)
    monkeypatch.setattr("understudy.streaming.show.Show.run", lambda self, seconds: "over")
    caplog.set_level(logging.INFO, "understudy")
    ports = {"osc": 0} if poses == "vmc" else {"websocket": 0, "osc": 0}
    assert live(drawing_actor(), poses=poses, mjpeg=0, device="cpu", **ports) == "over"
    assert any(said in one for one in caplog.messages)


# -- the window ---------------------------------------------------------------------------------------------------


@pytest.fixture
def screen(monkeypatch):
    state = types.SimpleNamespace(shown=[], typed=-1, open=True)
    monkeypatch.setattr(windows.cv2, "namedWindow", lambda *_: None)
    monkeypatch.setattr(windows.cv2, "imshow", lambda _, frame: state.shown.append(frame))
    monkeypatch.setattr(windows.cv2, "waitKey", lambda _: state.typed)
    monkeypatch.setattr(windows.cv2, "getWindowProperty", lambda *_: 1.0 if state.open else 0.0)
    monkeypatch.setattr(windows.cv2, "destroyWindow", lambda _: None)
    return state


def test_a_window_shows_colours_as_they_are_and_its_keys_press(screen):
    controls = Controls(actors=2)
    window = windows.Window(controls)
    for typed in (-1, ord("a"), ord("M"), ord("x"), 200):
        screen.typed = typed
        window.show(np.full((4, 4, 3), (10, 20, 30), np.uint8), 0.0)
    assert screen.shown[0][0, 0].tolist() == [30, 20, 10]
    assert controls.state == State(actor=1, mirror=True) and not controls.ended
    window.close()


@pytest.mark.parametrize("how", ["q", "escape", "closed"])
def test_a_window_that_is_closed_ends_it(screen, how):
    controls = Controls()
    screen.typed, screen.open = {"q": (ord("q"), True), "escape": (27, True), "closed": (-1, False)}[how]
    windows.Window(controls).show(np.zeros((4, 4, 3), np.uint8), 0.0)
    assert controls.ended


def test_an_opencv_without_windows_is_one_line(monkeypatch):
    def none(*_):
        raise cv2.error("The function is not implemented")

    monkeypatch.setattr(windows.cv2, "namedWindow", none)
    with pytest.raises(UsageError, match="OpenCV opens no window here"):
        windows.Window(Controls())


def test_actions_are_those_of_the_keys():
    assert set(ACTIONS) == {"actor", "background", "mirror", "freeze", "calibrate"}
    assert not nobody((4, 4)).found.any()
