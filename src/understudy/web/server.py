"""The studio's server: the page of `page.py`, files by their names, uploads; all of it behind `guard.py`."""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from understudy.errors import UnderstudyError, UsageError
from understudy.web.folder import Folder, Kind, own_file
from understudy.web.guard import App, Guard, Password
from understudy.web.state import Studio
from understudy.web.wording import in_page_words

log = logging.getLogger(__name__)

MOST_UPLOADS = 3
"""at the same time"""
STALLED_SECONDS = 60.0
"""without a byte of an upload, after which it is given up"""
SLOWEST = 4096
"""bytes a second of an upload on the whole, once so long has passed: three slow ones would keep out all others"""
ASKING_SECONDS = 20.0
"""in which a connection has to have asked for something, headers and all"""
SPARE_BYTES = 2 << 30
"""of the disk, that uploads leave free"""
TRACKED: tuple[Kind, ...] = ("people", "dances")
TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/mp4",  # which browsers play, where they refuse video/quicktime
    ".mkv": "video/webm",
    ".webm": "video/webm",
    ".avi": "video/x-msvideo",
}


def application(studio: Studio) -> FastAPI:
    """All that answers, without the guard."""
    import gradio

    from understudy.web.page import LOOKS, page, theme

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, routes=list[BaseRoute](Files(studio).routes()))
    mounted: FastAPI = gradio.mount_gradio_app(
        app,
        page(studio),
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=theme(),
        css=LOOKS,
    )
    return mounted


def serve(
    studio: Studio, host: str, port: int, password: Password | None, said: Callable[[str], None] = lambda address: None
) -> None:
    """Until Ctrl-C or SIGTERM; training that runs then is saved and goes on with the next start.

    Args:
        studio: what is served.
        host, port: where; port 0 takes any that is free.
        password: that everybody has to say; None: nobody.
        said: is told the address, when the page can be opened.

    Raises:
        UsageError: nothing can be served there.
    """
    import socket

    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as cause:
        listening.close()
        reason = getattr(cause, "strerror", None) or str(cause)
        raise UsageError(f"nothing can be served at {host}:{port} ({reason}): choose another `port`") from None
    port = int(listening.getsockname()[1])
    app: App = guarded(studio, port, password)
    server = uvicorn.Server(settings(app))
    studio.runner.start()
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"

    async def run() -> None:
        starting = asyncio.create_task(_tell_when_started(server, lambda: said(address)))
        await server.serve(sockets=[listening])
        starting.cancel()

    try:
        with _outliving_sigterm(), _quiet_at_the_end(server):
            asyncio.run(run())
    except KeyboardInterrupt:  # which the server has heard, and has closed
        pass
    finally:
        listening.close()
        log.info("the studio is closed; what was running goes on with the next start")
        studio.close()


@contextmanager
def _outliving_sigterm() -> Iterator[None]:
    """The server hears it, ends, and raises it once more: that would end all before what runs is saved."""
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:  # the command line has its own way
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _quiet_at_the_end(server: uvicorn.Server) -> Iterator[None]:
    """Pages that are open when it ends are cut off, which would be told as errors."""

    def told(_: logging.LogRecord) -> bool:
        return not server.should_exit

    errors = logging.getLogger("uvicorn.error")
    errors.addFilter(told)
    try:
        yield
    finally:
        errors.removeFilter(told)


def settings(app: App) -> uvicorn.Config:
    """How it is served. Who asks is who has connected: headers that say otherwise are anybody's to write."""
    return uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        proxy_headers=False,
        log_level="error",
        server_header=False,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=2,
    )


class Connection(H11Protocol):
    """One that is closed if it asks for nothing: those that are open are limited by the system."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.loop.call_later(ASKING_SECONDS, self._close_if_silent)

    def _close_if_silent(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()


async def _tell_when_started(server: uvicorn.Server, said: Callable[[], None]) -> None:
    while not server.started:
        await asyncio.sleep(0.05)
    said()


def guarded(studio: Studio, port: int, password: Password | None) -> Guard:
    """What is served at a port of this machine, or, with a password, of any."""
    own = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    if port == 80:  # which browsers leave out
        own |= {"127.0.0.1", "localhost", "[::1]"}
    hosts = None if password is not None else frozenset(own)
    return Guard(application(studio), hosts, password, studio.most_upload)


class Files:
    """What the page shows and takes beside its own questions: films, pictures, points, reports, uploads."""

    def __init__(self, studio: Studio) -> None:
        self.studio, self.folder = studio, studio.folder
        self._uploads = 0
        self._coming: dict[Path, int] = {}
        """bytes that each upload under way may still bring"""
        self._one_by_one = asyncio.Lock()

    def routes(self) -> list[Route]:
        get: dict[str, Callable[[Request], Response]] = {
            "/studio/media/{kind}/{name}": self.media,
            "/studio/download/{kind}/{name}": self.download,
            "/studio/picture/{number}": self.picture,
            "/studio/frame/{kind}/{name}/{number}": self.frame,
            "/studio/poses/{kind}/{name}": self.poses,
            "/studio/report/{name}": self.report,
        }
        shown = [Route(path, _answered(work, self.folder), methods=["GET"]) for path, work in get.items()]
        return [*shown, Route("/studio/upload", self.upload, methods=["PUT"])]

    def media(self, request: Request) -> Response:
        """A film, its comparison, or the clip of a dance; any part of it."""
        path = self._media(request.path_params["kind"], request.path_params["name"])
        return FileResponse(path, media_type=TYPES[path.suffix])

    def download(self, request: Request) -> Response:
        """The same, to be kept; and actors."""
        kind, name = request.path_params["kind"], request.path_params["name"]
        path = self.folder.find("actors", name) if kind == "actors" else self._media(kind, name)
        return FileResponse(path, media_type="application/octet-stream", filename=path.name)

    def _media(self, kind: str, name: str) -> Path:
        if kind == "films":
            return self.folder.find("films", name)
        if kind == "comparisons":
            path = self.folder.find("films", name).with_suffix(".compare.mp4")
        elif kind == "dances":
            path = self.folder.clip_of(self.folder.find("dances", name)) or Path()
        else:
            raise UsageError("there is nothing of that kind")
        if not own_file(path):
            raise UsageError("there is none")
        return path

    def picture(self, request: Request) -> Response:
        """What a task looks like now."""
        task = self.studio.queue.task(_number(request.path_params["number"]))
        path = self.folder.root / "scratch" / f"{task.number}.jpg"
        if task.verb == "learn":
            path = next(iter(self.folder.previews(str(task.asked["actor"]))), path)
        if not own_file(path):
            raise UsageError("there is no picture yet")
        kind = "image/png" if path.suffix == ".png" else "image/jpeg"
        return Response(path.read_bytes(), media_type=kind, headers={"Cache-Control": "no-store"})

    def frame(self, request: Request) -> Response:
        """One working frame of a person's clip or a dance."""
        asked = request.path_params
        picture = self.studio.frames.picture(_tracked(asked["kind"]), asked["name"], _number(asked["number"]))
        return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=600"})

    def poses(self, request: Request) -> Response:
        """Joints, doubts and corrections, for the joint fixer."""
        asked = request.path_params
        points = self.studio.frames.points(_tracked(asked["kind"]), asked["name"])
        return JSONResponse(points, headers={"Cache-Control": "no-store"})

    def report(self, request: Request) -> Response:
        """The page of a coverage report."""
        return FileResponse(self.folder.find("reports", request.path_params["name"]), media_type="text/html")

    async def upload(self, request: Request) -> Response:
        """Takes a file; what the page is to call it from now on is answered."""
        if self._uploads >= MOST_UPLOADS:
            return PlainTextResponse("other files are on their way: wait until they are here", 503)
        self._uploads += 1
        try:
            path = self.folder.new_upload(request.query_params.get("name", "")[:200])
            try:
                await self._take(request, path)
            finally:
                self._coming.pop(path, None)
        except UnderstudyError as error:
            return PlainTextResponse(str(error), 400)
        except (ClientDisconnect, asyncio.TimeoutError):  # the latter is an OSError, too, from Python 3.11 on
            return PlainTextResponse("it did not arrive", 408)
        except OSError as error:
            return PlainTextResponse(f"it cannot be kept: {error.strerror or 'the disk is full'}", 507)
        finally:
            self._uploads -= 1
        return JSONResponse({"token": path.name})

    async def _take(self, request: Request, path: Path) -> None:
        part, taken, began = path.with_suffix(".part"), 0, time.monotonic()
        most = await self._room_for(path, request.headers.get("content-length", ""))
        chunks = request.stream().__aiter__()
        try:
            with open(part, "xb") as file:
                while True:
                    try:
                        chunk = await asyncio.wait_for(chunks.__anext__(), STALLED_SECONDS)
                    except StopAsyncIteration:
                        break
                    taken += len(chunk)
                    if taken < SLOWEST * (time.monotonic() - began - STALLED_SECONDS):
                        raise asyncio.TimeoutError
                    if taken > most:
                        raise UsageError(_too_large(self.studio.most_upload, taken))
                    await run_in_threadpool(file.write, chunk)
                    self._coming[path] = max(0, self._coming[path] - len(chunk))
            if not taken:
                raise UsageError("the file is empty")
            part.replace(path)
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    async def _room_for(self, path: Path, announced: str) -> int:
        """Bytes that an upload may have, which are set aside for it: no other may bring them meanwhile.

        Args:
            announced: how many it says that it has; one that does not say may have all that is left.
        """
        async with self._one_by_one:
            coming = sum(self._coming.values())  # before the folder is looked at: what arrives meanwhile counts twice
            held = await run_in_threadpool(self.folder.size)
            free = min(shutil.disk_usage(path.parent).free - SPARE_BYTES, self.studio.most_bytes - held)
            most = max(0, min(self.studio.most_upload, free - coming))
            self._coming[path] = min(int(announced), most) if announced.isdecimal() else most
        return most


def _too_large(most: int, taken: int) -> str:
    if taken > most:
        return (
            f"the file is larger than {most / 1e9:.1f} GB, the most that the studio takes: shorten it, or compress it"
        )
    return (
        "the disk, or the studio's share of it, is full, with what is on its way: delete what you do not need any more"
    )


def _answered(work: Callable[[Request], Response], folder: Folder) -> Callable[[Request], Awaitable[Response]]:
    """Errors that users cause are told in a line."""

    async def answer(request: Request) -> Response:
        try:
            return await run_in_threadpool(work, request)
        except UnderstudyError as error:
            return PlainTextResponse(in_page_words(folder.without_place(str(error))), 404)
        except OSError:
            return PlainTextResponse("it cannot be read", 404)

    return answer


def _tracked(kind: str) -> Kind:
    for one in TRACKED:
        if kind == one:
            return one
    raise UsageError("there is nothing of that kind")


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise UsageError("there is nothing of that number")
    return int(text)
