"""Too much, too long and too slowly: what is sent without an end is ended, and places are free again behind it."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from studios import JOIN, MOST_UPLOAD, PASSWORD, TOKEN, USER, Served, answer_of, basic, eventually
from understudy.web import guard, server

UPLOAD = "PUT /studio/upload?name=a.mp4 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n"
ASK = f"POST {JOIN} HTTP/1.1\r\nHost: 127.0.0.1:{{port}}\r\nConnection: close\r\nContent-Type: application/json\r\n"


def chunks(number: int, size: int) -> bytes:
    """So many, of a body that says no length."""
    return (f"{size:x}\r\n".encode() + b"a" * size + b"\r\n") * number


def begun(connection: socket.socket, head: str, served: Served, content: bytes = b"") -> None:
    connection.sendall(head.format(port=served.port).encode() + b"\r\n" + content)


def uploads(served: Served) -> list[str]:
    return [path.name for path in (served.root / "uploads").iterdir() if path.name != TOKEN]


@pytest.mark.parametrize("size", [1000, 1 << 16])
def test_a_file_of_no_length_ends_where_files_are_too_large(unharmed: Served, size: int) -> None:
    content = chunks(MOST_UPLOAD // size + 2, size) + b"0\r\n\r\n"
    sent = (UPLOAD.format(port=unharmed.port) + "Transfer-Encoding: chunked\r\n\r\n").encode() + content
    answer = unharmed.raw(sent)
    assert answer.status in (400, 0) and not uploads(unharmed)  # 0: it was closed while more was sent


def test_a_question_of_no_length_ends_where_questions_are_too_large(unharmed: Served) -> None:
    content = chunks(guard.MOST_QUESTION // 60_000 + 2, 60_000) + b"0\r\n\r\n"
    answer = unharmed.raw((ASK.format(port=unharmed.port) + "Transfer-Encoding: chunked\r\n\r\n").encode() + content)
    assert answer.status in (413, 0)


def test_headers_without_an_end_are_ended(unharmed: Served) -> None:
    with unharmed.connected() as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{unharmed.port}\r\n".encode())
        closed = False
        for _ in range(2000):  # 2 MB; the server keeps much less
            try:
                connection.sendall(b"X-More: " + b"a" * 1000 + b"\r\n")
            except OSError:
                closed = True
                break
        assert closed or answer_of(connection).status in (400, 431)


@pytest.mark.parametrize(
    "lines", ["Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n"]
)
def test_bodies_of_two_lengths_hide_no_second_request(unharmed: Served, lines: str) -> None:
    hidden = f"DELETE /studio/media/films/Film HTTP/1.1\r\nHost: 127.0.0.1:{unharmed.port}\r\n\r\n"
    head = ASK.format(port=unharmed.port).replace("Connection: close\r\n", "Connection: close\r\n" + lines)
    answer = unharmed.raw(f"{head}\r\n0\r\n\r\n{hidden}".encode())
    assert answer.status in (400, 413, 422, 501) and answer.body.count(b"HTTP/1.1") == 0


@pytest.mark.parametrize(
    "rubbish", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 300, b"\r\n" * 9 + b"x", b"GET"]
)
def test_what_is_no_request_is_no_matter(unharmed: Served, rubbish: bytes) -> None:
    with unharmed.connected() as connection:
        connection.sendall(rubbish)
        connection.shutdown(socket.SHUT_WR)
        assert answer_of(connection).status in (0, 400)


def test_a_file_that_stalls_is_given_up(unharmed: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "STALLED_SECONDS", 0.2)
    with unharmed.connected() as connection:
        begun(connection, UPLOAD + "Content-Length: 1000\r\n", unharmed, b"a" * 10)
        assert answer_of(connection).status in (408, 0)
    assert not uploads(unharmed)


def test_a_file_that_drips_is_given_up(unharmed: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "STALLED_SECONDS", 0.5)
    with unharmed.connected() as connection:
        begun(connection, UPLOAD + "Content-Length: 100000\r\n", unharmed, b"a")
        connection.settimeout(0.05)
        got = b""
        for _ in range(10_000):
            try:
                connection.sendall(b"a")
                got = connection.recv(100)
                break
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            raise AssertionError("it went on dripping")
        assert b" 408 " in got or not got
    eventually(lambda: not uploads(unharmed))


@pytest.mark.parametrize("length", ["Content-Length: 800000\r\n", "Transfer-Encoding: chunked\r\n"])
def test_files_on_their_way_have_their_room_set_aside(
    unharmed: Served, monkeypatch: pytest.MonkeyPatch, length: str
) -> None:
    """Each alone would fit; all of them together would not."""
    monkeypatch.setattr(unharmed.studio, "most_bytes", unharmed.studio.folder.size() + 1_000_000)
    with unharmed.connected() as connection:
        begun(connection, UPLOAD + length, unharmed, b"")
        eventually(lambda: uploads(unharmed))
        refused = unharmed.ask("PUT", "/studio/upload?name=b.mp4", {}, b"x" * 300_000)
        assert refused.status == 400 and b"with what is on its way" in refused.body
        if "Length" in length:
            (unharmed.root / "uploads" / unharmed.upload(b"x" * 100_000)).unlink()
    eventually(lambda: not uploads(unharmed))
    (unharmed.root / "uploads" / unharmed.upload(b"x" * 300_000)).unlink()  # the room is free again


def test_a_file_whose_sender_leaves_is_forgotten(unharmed: Served) -> None:
    with unharmed.connected() as connection:
        begun(connection, UPLOAD + "Content-Length: 1000\r\n", unharmed, b"a" * 10)
        eventually(lambda: uploads(unharmed))
    eventually(lambda: not uploads(unharmed))


def test_a_question_that_stalls_is_given_up(unharmed: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "QUESTION_SECONDS", 0.2)
    with unharmed.connected() as connection:
        begun(connection, ASK + "Content-Length: 100\r\n", unharmed, b"{")
        assert answer_of(connection).status == 408


@pytest.mark.parametrize("begin", [b"", b"GET / HTTP/1.1\r\nHost: "])
def test_a_connection_that_asks_for_nothing_is_closed(
    unharmed: Served, monkeypatch: pytest.MonkeyPatch, begin: bytes
) -> None:
    monkeypatch.setattr(server, "ASKING_SECONDS", 0.2)
    with unharmed.connected() as connection:
        connection.sendall(begin)
        assert answer_of(connection).status in (0, 400)


def test_requests_beyond_the_places_are_turned_away_until_one_is_free(unharmed: Served) -> None:
    with ExitStack() as stack:
        for _ in range(guard.MOST_AT_ONCE):
            connection = stack.enter_context(unharmed.connected())
            begun(connection, ASK + "Content-Length: 100\r\n", unharmed, b"{")
        eventually(lambda: unharmed.ask("GET", "/").status == 503)
    eventually(unharmed.answers)


def test_who_guesses_keeps_nobody_out(unharmed: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """They used to take all places, and each to wait for those before it."""
    monkeypatch.setattr(guard, "FAILURE_SECONDS", 0.5)
    right = {"Authorization": basic(f"{USER}:{PASSWORD}")}
    with ExitStack() as stack:
        waiting = []
        for _ in range(guard.MOST_AT_ONCE + 10):
            connection = stack.enter_context(unharmed.connected(unharmed.locked))
            head = f"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: {basic('ann:wrong')}\r\n\r\n"
            connection.sendall(head.encode())
            waiting.append(connection)
        found = [answer_of(connection).status for connection in waiting]
    assert set(found) <= {401, 429}  # and not 503
    eventually(lambda: unharmed.ask("GET", "/favicon.ico", right, port=unharmed.locked).status == 200)


def test_a_right_password_that_is_one_of_many_guesses_is_not_looked_at(
    unharmed: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    unharmed.locked_guard._guessing.add("127.0.0.1")
    try:
        right = {"Authorization": basic(f"{USER}:{PASSWORD}")}
        assert unharmed.ask("GET", "/", right, port=unharmed.locked).status == 429
        assert unharmed.ask("GET", "/", port=unharmed.locked).status == 401  # the browser has not asked for it yet
        unharmed.locked_guard._guessing.clear()
        unharmed.locked_guard._guessing.add("10.0.0.1")  # somebody else's guess
        assert unharmed.ask("GET", "/", right, port=unharmed.locked).status == 200
        forged = right | {"X-Forwarded-For": "10.0.0.1"}
        assert unharmed.ask("GET", "/", forged, port=unharmed.locked).status == 200
    finally:
        unharmed.locked_guard._guessing.clear()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_who_has_many_addresses_has_no_more_guesses(address: str, network: str) -> None:
    assert guard._neighbourhood(address) == network
