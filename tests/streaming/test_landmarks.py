"""MediaPipe's landmarks as JSON, and the web socket that takes them."""

import contextlib
import json
import random
import socket
import sys
import threading
import types

import pytest

from understudy.errors import UsageError
from understudy.poses import pose as p
from understudy.streaming import landmarks
from understudy.streaming.landmarks import LandmarkError, LandmarkSocket, pose_of_json


def people(count=1, **changes):
    """`count` people whose 33 landmarks lie in a row, as the tasks for the web give them."""
    one = [{"x": 0.01 * number, "y": 0.5, "z": -0.1, "visibility": 0.9} | changes for number in range(33)]
    return [one] * count


def said(**more):
    return json.dumps({"landmarks": people(), "worldLandmarks": people(), "segmentationMasks": None} | more)


# -- messages -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [said(), said(landmarks=people(3)), json.dumps({"poseLandmarks": people()[0]}), json.dumps(people()[0])],
    ids=["task", "several people", "older solutions", "a list"],
)
def test_landmarks_become_points(text):
    pose = pose_of_json(text)
    assert pose.size_hw == (720, 1280)
    assert pose.xy[0, p.LEFT_WRIST] == pytest.approx([0.15 * 1280 - 0.5, 359.5], abs=1e-3)
    assert pose.xy[0, p.RIGHT_BIG_TOE] == pytest.approx([0.32 * 1280 - 0.5, 359.5], abs=1e-3)
    assert pose.confidence[0, p.NOSE] == pytest.approx(0.9)
    assert not pose.confidence[0, [p.LEFT_SMALL_TOE, 30, 100]].any()  # which MediaPipe does not have


def test_the_pictures_shape_counts():
    assert pose_of_json(said(width=480, height=640)).size_hw == (720, 540)


def test_what_is_hidden_is_not_drawn_and_a_visibility_that_is_none_is_clipped():
    assert not pose_of_json(json.dumps(people(visibility=0.2))).found.any()
    assert pose_of_json(json.dumps(people(visibility=3.5))).confidence[0, p.NOSE] == 1.0
    without = [{"x": 0.5, "y": 0.5}] * 33
    assert pose_of_json(json.dumps(without)).confidence[0, p.NOSE] == 1.0


@pytest.mark.parametrize("text", ['{"landmarks": []}', "[]", '{"landmarks": [[]]}', '{"poseLandmarks": []}'])
def test_nobody_is_there(text):
    assert not pose_of_json(text).found.any()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "7",
        '"landmarks"',
        "{}",
        '{"landmarks": null}',
        '{"landmarks": {"0": 1}}',
        '{"landmarks": [[1, 2, 3]]}',
        json.dumps(people()[0][:32]),
        json.dumps(people()[0] + people()[0]),
        json.dumps(people(x=None)),
        json.dumps(people(x="0.5")),
        json.dumps(people(x=True)),
        json.dumps(people(y=float("nan"))),
        json.dumps(people(y=float("inf"))),
        json.dumps(people(x=1e308)),
        json.dumps(people(x=10**400)),
        json.dumps(people(x=7.0)),
        json.dumps(people(visibility=None)),
        said(width=0, height=0),
        said(width=1, height=-1),
        said(width="wide", height=1),
        said(width=1e6, height=1),
        said(width=640),
        "[" * 100_000,
        b"\xff\xfe\x00",
    ],
    ids=lambda text: str(text)[:30],
)
def test_what_is_no_landmarks_is_refused(text):
    with pytest.raises(LandmarkError):
        pose_of_json(text)


def test_bytes_by_chance_raise_nothing_else():
    chance, whole = random.Random(2), said().encode()
    for _ in range(400):
        text = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            text[chance.randrange(len(text))] = chance.choice(b'0159.-+e"[]{},:ntu\xff ')
        with contextlib.suppress(LandmarkError):
            pose_of_json(bytes(text))


# -- the socket ---------------------------------------------------------------------------------------------------


@pytest.fixture
def served():
    pytest.importorskip("websockets")
    put, came = [], threading.Semaphore(0)

    def take(pose):
        put.append(pose)
        came.release()

    one = LandmarkSocket(0, take)
    one.put, one.came = put, came
    yield one
    one.close()


def connected(served, **options):
    from websockets.sync.client import connect

    return connect(f"ws://127.0.0.1:{served.port}/", open_timeout=10, **options)


def test_a_page_of_this_machine_sends_landmarks(served):
    for origin in (None, "http://localhost:8000", "http://127.0.0.1"):
        with connected(served, origin=origin) as page:
            page.send("rubbish")
            page.send(said())
            assert served.came.acquire(timeout=10)
    assert len(served.put) == 3 and served.refused == 3
    assert served.put[0].found.all()


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://localhost.evil.example", "http://127.0.0.1:80@evil.example", "file://"],
)
def test_pages_from_elsewhere_are_not_let_in(served, origin):
    from websockets.exceptions import InvalidStatus

    with pytest.raises(InvalidStatus) as refused, connected(served, origin=origin):
        pass
    assert refused.value.response.status_code == 403 and not served.put


def test_a_message_that_is_too_large_ends_the_connection_and_not_the_rest(served):
    from websockets.exceptions import ConnectionClosed

    with connected(served) as page, pytest.raises(ConnectionClosed):
        page.send("[" + " " * landmarks.MOST_BYTES)
        page.recv(timeout=10)
    with connected(served) as page:
        page.send(said())
        assert served.came.acquire(timeout=10)


def test_what_comes_too_fast_is_dropped(served, monkeypatch):
    monkeypatch.setattr(landmarks, "MOST_A_SECOND", 2)
    monkeypatch.setattr(landmarks.time, "monotonic", lambda: 100.0)
    with connected(served) as page:
        for _ in range(5):
            page.send(said())
    for _ in range(200):
        if served.refused == 3:
            break
        threading.Event().wait(0.02)
    assert served.refused == 3 and len(served.put) == 2


def test_too_many_connections_are_turned_away(served, monkeypatch):
    from websockets.exceptions import ConnectionClosed

    monkeypatch.setattr(landmarks, "MOST_CONNECTIONS", 1)
    with connected(served) as first:
        first.send(said())
        assert served.came.acquire(timeout=10)
        with connected(served) as second, pytest.raises(ConnectionClosed) as closed:
            second.recv(timeout=10)
        assert closed.value.rcvd.code == 1013


def test_whoever_is_turned_away_and_does_not_answer_holds_up_nobody(served, monkeypatch):
    """A connection is closed by two: the one that is asked to may be silent."""
    monkeypatch.setattr(landmarks, "MOST_CONNECTIONS", 0)
    asked, answers = threading.Event(), threading.Event()

    def close(code, reason=""):
        asked.set()
        answers.wait(10)

    turned_away = threading.Thread(target=served._listen, args=(types.SimpleNamespace(close=close),))
    turned_away.start()
    assert asked.wait(10)
    free = served._lock.acquire(timeout=1)
    answers.set()
    turned_away.join()
    assert free
    served._lock.release()


def test_what_is_connected_is_closed_with_it_whatever_the_version_of_the_library(served, monkeypatch):
    """Before 17, the library's `shutdown` closed no connection, whose threads then kept the program from ending."""
    from websockets.exceptions import ConnectionClosed

    with connected(served) as page:
        page.send(said())
        assert served.came.acquire(timeout=10)
        with monkeypatch.context() as patch:
            patch.setattr(served._server, "shutdown", lambda: None)
            served.close()
        with pytest.raises(ConnectionClosed) as closed:
            page.recv(timeout=10)
        assert closed.value.rcvd.code == 1001


def test_bytes_that_are_no_web_socket_break_nothing(served):
    for rubbish in (b"\0" * 5000, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", served.port), timeout=10) as raw:
            raw.sendall(rubbish)
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(4096):
                pass
    with connected(served) as page:
        page.send(said())
        assert served.came.acquire(timeout=10)


def test_it_listens_on_this_machine_alone_and_a_port_that_is_taken_is_one_line(served):
    assert served._server.socket.getsockname()[0] == "127.0.0.1"
    with pytest.raises(UsageError, match=rf"`websocket={served.port}`: nothing can listen there"):
        LandmarkSocket(served.port, print)
    with pytest.raises(UsageError, match="`websocket=70000`"):
        LandmarkSocket(70000, print)


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "websockets.sync.server", None)
    with pytest.raises(UsageError, match=r"pip install 'understudy\[live\]'"):
        LandmarkSocket(0, print)
