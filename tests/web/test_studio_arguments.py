"""The verb `studio`: what it refuses before anything is made or served, and that it serves and ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from studios import eventually
from understudy.errors import UsageError
from understudy.web.queue import Queue
from understudy.web.runner import NOT_FOR_CHILDREN
from understudy.web.studio import PASSWORD, SHORTEST_PASSWORD, studio

LONG = "x" * SHORTEST_PASSWORD
REACHED = f"can be reached by others: add `auth='NAME'`, and set {PASSWORD} to a password"
SHORT = f"`auth` needs a password of {SHORTEST_PASSWORD} characters or more: set {PASSWORD} to it"
NO_NAME = "`auth` is a name, without a colon"
WRONG: list[tuple[dict[str, Any], str | None, str]] = [
    ({"host": "0.0.0.0"}, None, f"`host='0.0.0.0'` {REACHED}"),
    ({"host": "0.0.0.0"}, LONG, f"`host='0.0.0.0'` {REACHED}"),
    ({"host": ""}, None, f"`host=''` {REACHED}"),
    ({"host": "::"}, None, f"`host='::'` {REACHED}"),
    ({"host": "127.0.0.2"}, None, f"`host='127.0.0.2'` {REACHED}"),
    ({"host": "0.0.0.0", "auth": "ann"}, None, SHORT),
    ({"auth": "ann"}, "", SHORT),
    ({"auth": "ann"}, LONG[:-1], SHORT),
    ({"auth": ""}, LONG, NO_NAME),
    ({"auth": "a:b"}, LONG, NO_NAME),
    ({"port": -1}, None, "`port` must be from 0 to 65535, not -1"),
    ({"port": 65536}, None, "`port` must be from 0 to 65535, not 65536"),
    ({"upload_gb": 0}, None, "`upload_gb` must be more than 0, not 0"),
    ({"folder_gb": -2.5}, None, "`folder_gb` must be more than 0, not -2.5"),
    ({"task_hours": float("nan")}, None, "`task_hours` must be more than 0, not nan"),
    ({"task_hours": float("inf")}, None, "`task_hours` must be more than 0, not inf"),
]


@pytest.mark.parametrize(("given", "password", "said"), WRONG, ids=[str(one[0]) for one in WRONG])
def test_what_cannot_be_is_one_line_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], password: str | None, said: str
) -> None:
    monkeypatch.delenv(PASSWORD, raising=False)
    if password is not None:
        monkeypatch.setenv(PASSWORD, password)
    with pytest.raises(UsageError) as caught:
        studio(tmp_path / "studio", browser=False, **given)
    assert str(caught.value) == said and not (tmp_path / "studio").exists()


@pytest.mark.parametrize("missing", ["gradio", "uvicorn"])
def test_without_the_extra_it_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setitem(sys.modules, "gradio", ModuleType("gradio"))  # which takes seconds to be imported
    for name in ("GRADIO_ANALYTICS_ENABLED", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # so that they are as before afterwards
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(UsageError) as caught:
        studio(tmp_path / "studio", browser=False)
    said = f"the page needs the extra understudy[studio] ({missing} is missing): pip install 'understudy[studio]'"
    assert str(caught.value) == said and not (tmp_path / "studio").exists()


def test_the_password_is_not_for_tasks() -> None:
    assert PASSWORD in NOT_FOR_CHILDREN


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("gradio", reason="needs the extra understudy[studio]")
    from understudy.web import server
    from understudy.web.state import Studio

    made = Studio(tmp_path / "studio", 1, 1, 1.0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            UsageError, match=rf"^nothing can be served at 127.0.0.1:{port} \(.*\): choose another `port`$"
        ):
            server.serve(made, "127.0.0.1", port, None)
    for host in ("no.such.host.invalid", "192.0.2.1"):
        with pytest.raises(UsageError, match="choose another `port`"):
            server.serve(made, host, 0, None)
    made.close()


SERVING = """
import sys
from pathlib import Path
import studio_tasks
from understudy.web import runner, server, state

async def nothing(scope, receive, send):
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"nothing"})

server.application = lambda studio: nothing  # the page itself takes seconds
runner._START = studio_tasks.START
made = state.Studio(Path(sys.argv[1]), 1 << 20, 1 << 30, 1.0)
made.queue.add("hold", "hold", {})
server.serve(made, "127.0.0.1", 0, None, lambda address: print(address, flush=True))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_on_this_machine_alone_and_saves_when_it_is_told_to_end(tmp_path: Path, number: int) -> None:
    pytest.importorskip("gradio", reason="needs the extra understudy[studio]")
    scratch = tmp_path / "studio" / "scratch"
    asked = [sys.executable, "-c", SERVING, str(tmp_path / "studio")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True) as child:
        try:
            assert child.stdout is not None
            address = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/", child.stdout.readline().strip())
            assert address is not None
            eventually((scratch / "begun").exists)
            with socket.create_connection(("127.0.0.1", int(address[1]))) as connection:
                connection.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{address[1]}\r\n\r\n".encode())
                assert connection.recv(12) == b"HTTP/1.1 404"
                child.send_signal(number)  # an open connection keeps nobody from ending
                assert child.wait(60) == 0
        finally:
            child.kill()
        assert child.stderr is not None
        assert "Traceback" not in child.stderr.read()
    assert (scratch / "saved").exists()
    queue = Queue(tmp_path / "studio" / "studio.sqlite")
    assert [task.status for task in queue.all()] == ["running"]  # for the next start
    queue.close()
