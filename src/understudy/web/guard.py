"""What stands before every request: who may ask, for what, and how much.

The page is for the browser on this machine. Other pages that are open in it are kept out (Host, Origin,
Sec-Fetch-Site), as are names that somebody has made lead here; on another address than this machine's own nobody
comes in without a password. Of the page's framework only what the page needs is reachable: its ways to fetch addresses,
to hand out files of the disk and to take files are not.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import ipaddress
import json
import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from understudy.texts import printable, shortened

log = logging.getLogger(__name__)

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_QUESTION = 1 << 20
"""bytes of what the page asks, files aside"""
MOST_AT_ONCE = 64
"""requests that are answered at the same time"""
MOST_HEADERS = 16 << 10
"""bytes of a request's headers together, the address included"""
FAILURE_SECONDS = 1.0
"""that a wrong password takes; nothing else that comes from the same address meanwhile is looked at"""
QUESTION_SECONDS = 20.0
"""in which a question has to arrive"""
ONCE = {"host", "origin", "authorization", "content-length", "content-type", "referer", "sec-fetch-site"}
"""headers of which no second one may contradict the first"""
DEEPEST = 40
"""levels of lists in lists, in what the page asks"""

GET = re.compile(
    r"/|/config|/theme\.css|/favicon\.ico|/robots\.txt|/manifest\.json|/assets/[\w./@-]+|/static/[\w./@-]+|/svelte/[\w./@-]+"
    r"|/gradio_api/queue/data|/gradio_api/heartbeat/\w+|/gradio_api/startup-events|/gradio_api/app_id|/gradio_api/info"
    r"|/studio/(media|picture|frame|poses|report|download)/[^/]+(/[^/]+){0,2}"
)
POST = re.compile(r"/gradio_api/queue/join|/gradio_api/reset|/gradio_api/cancel")
PUT = re.compile(r"/studio/upload")
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), microphone=(self), geolocation=()"),
)
POLICY = (
    b"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self'; "
    b"object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
REPORT_POLICY = b"default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
"""of reports: they hold pictures and words, and nothing that runs"""


@dataclass(frozen=True)
class Password:
    """Who may come in."""

    user: str
    word: str

    def fits(self, header: str) -> bool:
        """Whether an Authorization header says both."""
        kind, _, given = header.partition(" ")
        if kind.lower() != "basic":
            return False
        try:
            said = base64.b64decode(given, validate=True)
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(said, f"{self.user}:{self.word}".encode("utf-8", "surrogateescape"))


class Guard:
    """An ASGI application in front of another one.

    Args:
        app: what is guarded.
        hosts: what the Host header may say, with the port, in lower case; None: anything, since who may come in knows
            the password.
        password: that everybody has to say; None: nobody.
        most_upload: bytes of one file.
    """

    def __init__(self, app: App, hosts: frozenset[str] | None, password: Password | None, most_upload: int) -> None:
        self.app, self.hosts, self.password, self.most_upload = app, hosts, password, most_upload
        self._inside = 0
        self._guessing: set[str] = set()
        """addresses from which a wrong password has come just now"""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # web sockets: the page has none
            await send({"type": "websocket.close", "code": 1008})
            return
        if self._inside >= MOST_AT_ONCE:
            await _answer(send, 503, "too many requests at once")
            return
        self._inside += 1
        try:
            await self._let_in(scope, receive, send)
        except Exception as error:  # it has been answered by 500
            log.warning("a request to %s failed (%s)", shortened(printable(scope["path"])), type(error).__name__)
            log.debug("a request failed", exc_info=True)
        finally:
            self._inside -= 1

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        named = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        headers = dict(named)
        size = sum(len(name) + len(value) for name, value in scope["headers"])
        size += len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"")
        host = headers.get("host", "").lower()
        if size > MOST_HEADERS:
            await _answer(send, 431, "too much in the request's headers")
            return
        if any(sum(name == one for name, _ in named) > 1 for one in ONCE & headers.keys()):
            await _answer(send, 400, "the request contradicts itself")
            return
        if not host or (self.hosts is not None and host not in self.hosts):
            await _answer(send, 403, "this page is reached by its own address only")
            return
        if not _of_this_page(headers, host, scope["path"], scope["method"]):
            await _answer(send, 403, "other pages may not ask here")
            return
        if self.password is not None and not await self._known(self.password, scope, headers, send):
            return
        path, method = scope["path"], scope["method"]
        if ".." in path or "\\" in path or "\0" in path or "//" in path:
            await _answer(send, 404, "there is nothing of that name")
        elif method in ("GET", "HEAD") and GET.fullmatch(path):
            await self.app(scope, receive, _with_headers(send, path))
        elif method == "POST" and POST.fullmatch(path):
            await self._question(scope, receive, send, headers)
        elif method == "PUT" and PUT.fullmatch(path):
            if _length(headers) > self.most_upload:
                await _answer(send, 413, "the file is too large")
                return
            await self.app(scope, receive, _with_headers(send, path))
        else:
            await _answer(send, 404, "there is nothing of that name")

    async def _known(self, password: Password, scope: Scope, headers: dict[str, str], send: Send) -> bool:
        """Whether it is somebody who may come in; who may not is told so."""
        address, said = _neighbourhood(str((scope.get("client") or ("",))[0])), headers.get("authorization", "")
        if said and address in self._guessing:  # guesses take their time, and who waits for one holds up nobody else
            await _answer(send, 429, "a wrong password was given just now: wait a moment")
            return False
        if said and password.fits(said):
            return True
        if said:
            self._guessing.add(address)
            try:
                await asyncio.sleep(FAILURE_SECONDS)
            finally:
                self._guessing.discard(address)
        wanted = (b"www-authenticate", b'Basic realm="understudy studio", charset="UTF-8"')
        await _answer(send, 401, "a name and a password are needed", (wanted,))
        return False

    async def _question(self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str]) -> None:
        """What the page asks is small, and names no files and no addresses."""
        if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            await _answer(send, 415, "questions are JSON")
            return
        if _length(headers) > MOST_QUESTION:
            await _answer(send, 413, "the question is too large")
            return
        try:
            body = await asyncio.wait_for(_whole(receive), QUESTION_SECONDS)
        except asyncio.TimeoutError:
            await _answer(send, 408, "the question did not arrive")
            return
        if body is None:
            return
        if len(body) > MOST_QUESTION:
            await _answer(send, 413, "the question is too large")
            return
        try:
            said = json.loads(body or b"{}")
        except (ValueError, RecursionError):
            await _answer(send, 400, "the question is not JSON")
            return
        if not _harmless(said):
            await _answer(send, 400, "the question names files or addresses")
            return
        read = False

        async def again() -> Message:
            nonlocal read
            if read:
                return await receive()
            read = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, again, _with_headers(send, scope["path"]))


def _neighbourhood(address: str) -> str:
    """The address, or of IPv6 the network of it, of whose addresses one machine may have as many as it likes."""
    try:
        given = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return address if given.version == 4 else str(ipaddress.ip_network((given, 64), strict=False))


async def _whole(receive: Receive) -> bytes | None:
    """What is asked, or the first part of it that is too much; None where whoever asks has gone."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += bytes(message.get("body", b""))
        if len(body) > MOST_QUESTION or not message.get("more_body"):
            return body


def _of_this_page(headers: dict[str, str], host: str, path: str, method: str) -> bool:
    """Whether a browser asks on behalf of this page, or of whoever has typed its address."""
    origin = headers.get("origin")
    own = (f"http://{host}", f"https://{host}")
    if origin is not None and origin.lower() not in own:
        return False
    site, mode = headers.get("sec-fetch-site"), headers.get("sec-fetch-mode")
    if method == "GET" and path == "/" and (mode == "navigate" or site is None):
        return True  # a link to the page
    come_from = headers.get("referer", "").lower()  # all that browsers say which are old; the page itself says none
    if come_from and not come_from.startswith(tuple(f"{one}/" for one in own)):
        return False
    return site in ("same-origin", "none", None)


def _length(headers: dict[str, str]) -> int:
    said = headers.get("content-length", "0")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 19 else 1 << 62


def _harmless(said: Any) -> bool:
    """No file of the framework's is named anywhere in it, and it is of a depth that can be walked."""
    layer = [said]
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for one in layer:
            if isinstance(one, dict):
                if "path" in one or "url" in one or "meta" in one:
                    return False
                inner += one.values()
            elif isinstance(one, list):
                inner += one
        if not inner:
            return True
        layer = inner
    return False


def _with_headers(send: Send, path: str) -> Send:
    policy = REPORT_POLICY if path.startswith("/studio/report/") else POLICY

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = {name for name, _ in HEADERS} | {b"content-security-policy", b"access-control-allow-origin"}
            kept = [(name, value) for name, value in message["headers"] if name.lower() not in own | {b"server"}]
            message["headers"] = [*kept, *HEADERS, (b"content-security-policy", policy)]
        await send(message)

    return sent


async def _answer(send: Send, status: int, said: str, more: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    body = said.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *HEADERS, *more]})
    await send({"type": "http.response.body", "body": body})
