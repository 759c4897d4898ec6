"""A studio that is really served, to tests: asked by raw sockets, so that nothing tidies up what is sent."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

JOIN = "/gradio_api/queue/join"
SECRET = b"nobody may read this: 8f1c"
USER, PASSWORD = "ann", "correct horse battery"
MOST_UPLOAD = 1 << 20
TOKEN = "0123456789abcdef0123456789abcdef.mp4"
"""of an upload that is a link to the secret"""
LINKS = (
    "films/link.mp4",
    "films/Film.compare.mp4",
    "dances/Waltz.mp4",
    "actors/link.actor",
    "reports/link.html",
    f"uploads/{TOKEN}",
    "people/Ann.json",
    "scratch/1.jpg",
)


def basic(said: str) -> str:
    """What a browser sends of a name and a password."""
    return "Basic " + base64.b64encode(said.encode()).decode()


def eventually(true: Callable[[], object]) -> None:
    """What another thread or process brings about; how long that takes is no matter of these tests."""
    for _ in range(3000):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("it has never come to that")


@dataclass(frozen=True)
class Answer:
    status: int
    """0: the connection was closed without one"""
    headers: dict[str, str]
    body: bytes


class Served:
    """A studio's server in a thread of this process, without anything that works through its queue.

    It listens twice: at `port` as for this machine, and at `locked` as with a password.
    """

    def __init__(self, root: Path) -> None:
        import uvicorn

        from understudy.web import server
        from understudy.web.guard import Guard, Password
        from understudy.web.state import Studio

        self.outside, self.root = root, root / "studio"
        (root / "secret.txt").write_bytes(SECRET)
        self.studio = Studio(self.root, MOST_UPLOAD, 1 << 40, 1.0)
        listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.port, self.locked = (one.getsockname()[1] for one in listening)
        self.guard = server.guarded(self.studio, self.port, None)
        self.locked_guard = Guard(self.guard.app, None, Password(USER, PASSWORD), MOST_UPLOAD)

        async def either(scope: Any, receive: Any, send: Any) -> None:
            locked = scope["type"] != "lifespan" and scope["server"][1] == self.locked
            await (self.locked_guard if locked else self.guard)(scope, receive, send)

        self._server = uvicorn.Server(server.settings(either))
        serving = self._server.serve(sockets=listening)
        self._thread = threading.Thread(target=lambda: asyncio.run(serving), daemon=True)

    def __enter__(self) -> Served:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the server has not started"
            self._thread.join(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(30)
        self.studio.close()

    def furnish(self) -> None:
        """People, dances and films to attack; links, which somebody has put there, to what nobody may read; a task."""
        for clip in ("people/Ann.performance", "dances/Waltz.performance"):
            (self.root / clip).mkdir()
        (self.root / "films" / "Film.mp4").write_bytes(b"a film")
        (self.root / "films" / ".hidden.mp4").write_bytes(SECRET)
        for link in LINKS:
            (self.root / link).symlink_to(self.outside / "secret.txt")
        elsewhere = self.outside / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "header.json").write_bytes(SECRET)
        (self.root / "people" / "linked.performance").symlink_to(elsewhere)
        self.studio.queue.add("check", "Check a file", {"upload": "gone.mp4", "name": "a file", "detect": False})

    # -- asking -------------------------------------------------------------------------------------------------

    def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str | None] | None = None,
        body: bytes | str = b"",
        port: int | None = None,
    ) -> Answer:
        """One request, as the page sends it but for what is given; a header that is None is left out."""
        port = port or self.port
        sent: dict[str, str | None] = {"Host": f"127.0.0.1:{port}", "Connection": "close"}
        content = body.encode() if isinstance(body, str) else body
        if content:
            sent |= {"Content-Length": str(len(content)), "Content-Type": "application/json"}
        sent |= headers or {}
        lines = [
            f"{method} {target} HTTP/1.1",
            *(f"{name}: {value}" for name, value in sent.items() if value is not None),
        ]
        return self.raw("\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + content, port)

    def raw(self, sent: bytes, port: int | None = None) -> Answer:
        """Whatever is sent; what comes back until the connection is closed."""
        with self.connected(port) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):  # it may be answered before all of it is there
                connection.sendall(sent)
            return answer_of(connection)

    @contextmanager
    def connected(self, port: int | None = None) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", port or self.port), 60) as connection:
            yield connection

    def answers(self) -> bool:
        """Whether it still does what it is there for."""
        return self.ask("GET", "/gradio_api/startup-events").status == 200

    def upload(self, content: bytes, name: str = "clip.mp4") -> str:
        """What the server calls it."""
        answer = self.ask("PUT", f"/studio/upload?name={name}", {"Content-Type": "video/mp4"}, content)
        assert answer.status == 200, answer
        return str(json.loads(answer.body)["token"])

    # -- what has come of it ------------------------------------------------------------------------------------

    def everything(self) -> dict[str, Any]:
        """All files in and around the studio's folder, and the queue."""
        found: dict[str, Any] = {}
        for path in sorted(self.outside.rglob("*")):
            if not path.name.startswith("studio.sqlite"):
                content = path.read_bytes() if path.is_file() and not path.is_symlink() else None
                found[path.relative_to(self.outside).as_posix()] = content
        return found | {"queue": [(task.number, task.status) for task in self.studio.queue.all()]}


class Session:
    """One open page, which asks the studio's own questions directly."""

    def __init__(self, served: Served) -> None:
        self.served, self.hash = served, secrets.token_hex(6)
        self.config = json.loads(served.ask("GET", "/config").body)
        self.events = {one["api_name"]: one for one in self.config["dependencies"]}

    def join(self, event: str, data: list[Any], said: Any = None, **more: Any) -> Answer:
        """Asks; what comes of it is not waited for."""
        asked = {"fn_index": self.events[event]["id"], "data": data, "event_data": said, "session_hash": self.hash}
        trigger = self.events[event]["targets"][0][0]
        return self.served.ask("POST", JOIN, {}, json.dumps(asked | {"trigger_id": trigger} | more))

    def act(self, event: str, data: list[Any], said: Any = None, **more: Any) -> dict[str, Any]:
        """Asks, and waits for the outcome: {"success": ..., "output": ...}."""
        joined = self.join(event, data, said, **more)
        if joined.status != 200:
            return {"success": False, "output": joined.body.decode()}
        with self.served.connected() as connection:
            target = f"/gradio_api/queue/data?session_hash={self.hash}"
            connection.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{self.served.port}\r\n\r\n".encode())
            for line in connection.makefile("rb"):
                if line.startswith(b"data: "):
                    told = json.loads(line[6:])
                    if told["msg"] == "process_completed":
                        return dict(told)
        raise AssertionError("the connection was closed before anything had come of it")

    def load(self) -> Session:
        """Shows all lists, as the page does when it is opened; what is chosen has to be in them."""
        event = next(one for one in self.events.values() if one["targets"][0][1] == "load")
        done = self.act(event["api_name"], [None] * len(event["inputs"]))
        assert done["success"], done
        return self


def answer_of(connection: socket.socket) -> Answer:
    """What comes back until the connection is closed."""
    got = b""
    with suppress(ConnectionResetError):
        while chunk := connection.recv(1 << 16):
            got += chunk
    head, _, body = got.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    status = int(first.split()[1]) if first.startswith("HTTP/1.1 ") else 0
    return Answer(status, {name.lower(): value for name, _, value in pairs}, body)
