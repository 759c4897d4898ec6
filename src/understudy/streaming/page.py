"""A page on this machine that shows live pictures: MJPEG, which browsers, OBS and stage programs read."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from understudy.errors import UsageError
from understudy.media.images import encoded_image
from understudy.streaming.cameras import Image

ADDRESS = "127.0.0.1"
QUALITY = 85
"""of each JPEG picture, 0-100"""
MOST_VIEWERS = 8
PATIENCE = 10.0
"""seconds that a viewer may take for one picture, before it is given up"""
BOUNDARY = "picture"
PAGE = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>understudy live</title>
<style>html,body{margin:0;height:100%;background:#111}img{display:block;width:100%;height:100%;object-fit:contain}</style>
<img src="/stream.mjpg" alt="The live performance">
</html>
"""


class LivePage:
    """Serves the newest picture at http://127.0.0.1:PORT/, to nobody but this machine.

    Args:
        port: 0 takes any that is free.

    Raises:
        UsageError: the port is taken.
    """

    from_the_start = True

    def __init__(self, port: int) -> None:
        self._changed = threading.Condition()
        self._frame: Image | None = None
        self._number = 0
        self._encoded: tuple[int, bytes] = (0, b"")
        self._closed = False
        self.viewers = 0
        page = self

        class Handler(_Handler):
            shown = page

        try:
            self._server = ThreadingHTTPServer((ADDRESS, port), Handler)
        except (OSError, OverflowError) as cause:
            reason = getattr(cause, "strerror", None) or str(cause)
            raise UsageError(f"`mjpeg={port}`: nothing can be served there ({reason}): choose another port") from None
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.address = f"http://{ADDRESS}:{self.port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True, name="live-page").start()

    def show(self, frame: Image, when: float) -> None:
        """See `Output.show`."""
        with self._changed:
            self._frame, self._number = frame, self._number + 1
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def newer(self, than: int) -> tuple[int, bytes] | None:
        """The number and the JPEG file of a picture newer than one; None when no more come. Encoded once for all."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._number > than)
            if self._closed or self._frame is None:
                return None
            number, frame = self._number, self._frame
            if self._encoded[0] == number:
                return self._encoded
        found = number, encoded_image(Path("live.jpg"), frame, QUALITY)
        with self._changed:
            self._encoded = max(self._encoded, found, key=lambda one: one[0])
        return found

    def enter(self) -> bool:
        """Counts a viewer in; False if there are too many."""
        with self._changed:
            if self.viewers >= MOST_VIEWERS:
                return False
            self.viewers += 1
            return True

    def leave(self) -> None:
        with self._changed:
            self.viewers -= 1


class _Handler(BaseHTTPRequestHandler):
    shown: LivePage
    timeout = PATIENCE
    server_version, sys_version = "understudy", ""

    def do_GET(self) -> None:
        """The page, or the stream; nothing else is there."""
        own = {f"{name}:{self.shown.port}" for name in (ADDRESS, "localhost")}
        if self.shown.port == 80:  # which browsers leave out
            own |= {ADDRESS, "localhost"}
        if self.headers.get("Host") not in own:  # another name that leads here: a page from elsewhere would look in
            self._say(403, b"")
        elif self.path == "/":
            self._say(200, PAGE, "text/html; charset=utf-8")
        elif self.path == "/stream.mjpg":
            self._stream()
        else:
            self._say(404, b"")

    def _say(self, status: int, content: bytes, kind: str = "text/plain") -> None:
        self.send_response(status)
        self._headers(kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _headers(self, kind: str) -> None:
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header(
            "Content-Security-Policy",
            "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        )

    def _stream(self) -> None:
        if not self.shown.enter():
            self._say(503, b"")
            return
        try:
            self.send_response(200)
            self._headers(f"multipart/x-mixed-replace; boundary={BOUNDARY}")
            self.end_headers()
            number = 0
            while (found := self.shown.newer(number)) is not None:
                number, file = found
                head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(file)}\r\n\r\n"
                self.wfile.write(head.encode() + file + b"\r\n")
        except OSError:
            pass  # the viewer has gone, or takes too long
        finally:
            self.shown.leave()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: it would stand between what the command says."""
