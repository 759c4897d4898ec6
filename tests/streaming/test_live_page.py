"""The page on this machine: what it shows, and what it refuses."""

import http.client
import socket
import threading

import cv2
import numpy as np
import pytest

from understudy.errors import UsageError
from understudy.streaming import page as pages
from understudy.streaming.page import LivePage


@pytest.fixture
def page():
    served = LivePage(0)
    yield served
    served.close()


def asked(page, path, host=None, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=10)
    connection.request(method, path, headers={"Host": host or f"127.0.0.1:{page.port}"})
    return connection.getresponse()


def picture(level):
    return np.full((24, 32, 3), (level, 40, 200), np.uint8)


def next_picture(stream):
    """Reads one part of a stream of pictures."""
    head = {}
    assert stream.readline() == b"--picture\r\n"
    while line := stream.readline().strip():
        name, value = line.decode().split(": ")
        head[name] = value
    file = stream.read(int(head["Content-Length"]))
    assert stream.readline() == b"\r\n"
    return cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def test_the_page_shows_the_stream_and_loads_nothing_else(page):
    answer = asked(page, "/")
    assert answer.status == 200 and b'src="/stream.mjpg"' in answer.read()
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_stream_gives_the_newest_picture_to_everybody(page):
    page.show(picture(10), 0.0)
    page.show(picture(60), 0.0)
    streams = [asked(page, "/stream.mjpg") for _ in range(2)]
    for stream in streams:
        assert np.abs(next_picture(stream).astype(int) - picture(60)).max() < 8
    page.show(picture(120), 0.0)
    for stream in streams:
        assert np.abs(next_picture(stream).astype(int) - picture(120)).max() < 8


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil:{port}"]
)
def test_a_page_from_elsewhere_cannot_look_in_by_another_name(page, host):
    for path in ("/", "/stream.mjpg"):
        assert asked(page, path, host.format(port=page.port)).status == 403


@pytest.mark.parametrize("path", ["/../../etc/passwd", "/index.html", "/stream.mjpg?x=1", "/%2e%2e/", "http://x/"])
def test_nothing_else_is_there(page, path):
    assert asked(page, path).status == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "OPTIONS", "TRACE"])
def test_nothing_can_be_sent(page, method):
    assert asked(page, "/", method=method).status == 501


def test_localhost_is_this_machine_and_others_do_not_reach_it(page):
    assert asked(page, "/", f"localhost:{page.port}").status == 200
    assert page._server.server_address[0] == "127.0.0.1"


def test_viewers_are_counted_and_too_many_are_turned_away(page, monkeypatch):
    monkeypatch.setattr(pages, "MOST_VIEWERS", 1)
    page.show(picture(1), 0.0)
    first = asked(page, "/stream.mjpg")
    next_picture(first)
    assert asked(page, "/stream.mjpg").status == 503
    first.close()
    for level in range(200):  # who has gone is noticed when the next pictures are sent
        page.show(picture(level), 0.0)
        if not page.viewers:
            break
        threading.Event().wait(0.02)
    assert page.viewers == 0
    assert asked(page, "/stream.mjpg").status == 200


def test_a_port_that_is_taken_is_one_line(page):
    with pytest.raises(
        UsageError, match=rf"`mjpeg={page.port}`: nothing can be served there \(.+\): choose another port"
    ):
        LivePage(page.port)
    with pytest.raises(UsageError, match="`mjpeg=70000`"):
        LivePage(70000)


def test_a_stream_ends_when_the_page_is_closed():
    page = LivePage(0)
    page.show(picture(1), 0.0)
    stream = asked(page, "/stream.mjpg")
    next_picture(stream)
    page.close()
    assert stream.read() == b""
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", page.port), timeout=2):
        pass
