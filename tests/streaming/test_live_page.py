"""The page on this machine: what it shows, and what it refuses."""

import http.client
import json
import re
import shutil
import socket
import threading

import cv2
import numpy as np
import pytest

from understudy.errors import UsageError
from understudy.streaming import page as pages
from understudy.streaming.controls import Controls
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
        UsageError, match=rf"`mjpeg={page.port}`: nothing can be served there \([^.]+\): choose another port"
    ):
        LivePage(page.port)
    with pytest.raises(UsageError, match=r"`mjpeg=70000`.*[^.]\): choose another port"):
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


# -- keys ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def keyed():
    controls = Controls(actors=2)
    served = LivePage(0, controls)
    yield served
    served.close()


def pressed(page, body=b'{"key": "mirror"}', headers=None, without=(), path="/key"):
    """The status of a press as the page itself sends it, but for some headers."""
    own = f"127.0.0.1:{page.port}"
    sent = {
        "Host": own, "Origin": f"http://{own}", "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json",
        "Content-Length": str(len(body)), pages.TOKEN_HEADER: page.token,
    }  # fmt: skip
    sent = {name: value for name, value in (sent | (headers or {})).items() if name not in without}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
    with socket.create_connection(("127.0.0.1", page.port), timeout=10) as raw:
        raw.sendall("\r\n".join(lines).encode("latin-1") + body)
        answer = b""
        while more := raw.recv(65536):
            answer += more
    head, _, said = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), said


def test_a_button_presses_a_key_and_is_answered_by_how_things_stand(keyed):
    status, said = pressed(keyed)
    assert status == 200 and json.loads(said) == {
        "actor": 1, "background": 1, "mirror": True, "freeze": False, "calibrate": 0,
    }  # fmt: skip
    assert pressed(keyed, b'{"key": "actor"}')[0] == 200 and keyed.controls.state.actor == 1
    assert pressed(keyed, without=["Origin", "Sec-Fetch-Site"])[0] == 200  # an older browser


def test_the_page_knows_its_token_and_runs_its_own_script_alone(keyed):
    answers = [asked(keyed, "/") for _ in range(2)]
    texts = [one.read().decode() for one in answers]
    for answer, text in zip(answers, texts, strict=True):
        policy = answer.headers["Content-Security-Policy"]
        nonce = re.search(r'<script nonce="([\w-]+)">', text)[1]
        assert f"script-src 'nonce-{nonce}'" in policy and "connect-src 'self'" in policy
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert keyed.token in text and '"m": "mirror"' in text
        assert not re.search("NONCE|KEYS|TOKEN", text)
    assert re.search(r'nonce="([\w-]+)"', texts[0])[1] != re.search(r'nonce="([\w-]+)"', texts[1])[1]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:{port}"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({pages.TOKEN_HEADER: "guess"}, 403),
        ({pages.TOKEN_HEADER: "gu\xe9ss"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Length": "x"}, 411),
        ({"Content-Length": "-1"}, 411),
        ({"Content-Length": "201"}, 413),
        ({"Content-Length": "9" * 30}, 411),
        ({"Transfer-Encoding": "chunked"}, 411),
    ],
    ids=str,
)
def test_others_cannot_press(keyed, headers, status):
    headers = {name: value.format(port=keyed.port) for name, value in headers.items()}
    assert pressed(keyed, headers=headers)[0] == status
    assert keyed.controls.state == Controls().state


@pytest.mark.parametrize("name", [pages.TOKEN_HEADER, "Content-Type", "Content-Length"])
def test_what_a_press_must_say(keyed, name):
    assert pressed(keyed, without=[name])[0] in (403, 411, 415)
    assert keyed.controls.state == Controls().state


def test_a_header_that_contradicts_another_is_refused(keyed):
    for name in ("Host", "Origin", "Content-Length", pages.TOKEN_HEADER):
        assert pressed(keyed, headers={f"{name.lower()}": "x"})[0] == 400
    assert keyed.controls.state == Controls().state


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"mirror"', b'{"key": "quit"}', b'{"key": 1}', b'{"key": "mirror", "x": 1}', b'{"key": null}',
     b'{"key": ["mirror"]}', b"[" * 150, b"\xff\xfe"],
)  # fmt: skip
def test_a_press_of_no_key_is_refused(keyed, body):
    assert pressed(keyed, body)[0] == 400
    assert keyed.controls.state == Controls().state


def test_elsewhere_and_on_a_page_without_keys_nothing_can_be_sent(keyed, page):
    assert pressed(keyed, path="/")[0] == pressed(keyed, path="/stream.mjpg")[0] == 404
    assert pressed(page)[0] == 404
    assert b"const keys = {}" in asked(page, "/").read()


def test_keys_and_buttons_press_in_a_real_browser(keyed):
    playwright = pytest.importorskip("playwright.sync_api")
    if not (program := shutil.which("chromium") or shutil.which("google-chrome")):
        pytest.skip("there is no browser here")
    keyed.show(picture(60), 0.0)
    said = []
    with playwright.sync_playwright() as machine:
        browser = machine.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda one: said.append(one.text))
        page.on("pageerror", lambda one: said.append(str(one)))
        page.goto(keyed.address, wait_until="domcontentloaded")
        status = page.locator("#said")
        page.get_by_role("button", name="mirror (m)").click()
        playwright.expect(status).to_contain_text("mirror on")
        page.keyboard.press("a")
        playwright.expect(status).to_contain_text("actor 2")
        page.keyboard.press("Control+f")
        page.keyboard.press("x")
        page.keyboard.press("M")
        playwright.expect(status).to_contain_text("mirror off")
        browser.close()
    assert keyed.controls.told() == {"actor": 2, "background": 1, "mirror": False, "freeze": False, "calibrate": 0}
    assert [one for one in said if "favicon" not in one and "404" not in one] == []
