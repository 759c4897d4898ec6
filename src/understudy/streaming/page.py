"""A page on this machine that shows live pictures: MJPEG, which browsers, OBS and stage programs read."""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from understudy.media.images import encoded_image
from understudy.streaming.cameras import Image
from understudy.streaming.controls import ACTIONS, KEYS, Controls
from understudy.streaming.ports import ADDRESS, bound

QUALITY = 85
"""of each JPEG picture, 0-100"""
MOST_VIEWERS = 8
PATIENCE = 10.0
"""seconds that a viewer may take for one picture, before it is given up"""
BOUNDARY = "picture"
MOST_ASKED = 200
"""bytes of what a button sends"""
TOKEN_HEADER = "X-Understudy-Token"
"""a header that pages from elsewhere cannot set without asking first, and nobody says yes"""
ONCE = ("Host", "Origin", "Content-Length", "Content-Type", "Transfer-Encoding", TOKEN_HEADER)
"""headers of which no second one may contradict the first"""
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>understudy live</title>
<style>html,body{margin:0;height:100%;background:#111;color:#eee;font:16px sans-serif}
body{display:flex;flex-direction:column}img{flex:1;min-height:0;width:100%;object-fit:contain}
nav{padding:.4em;text-align:center}button{font:inherit;margin:.2em;padding:.3em .8em}</style>
<img src="/stream.mjpg" alt="The live performance">
<nav id="keys" hidden><span id="buttons"></span><span id="said" role="status"></span></nav>
<script nonce="NONCE">
const keys = KEYS, buttons = document.getElementById("buttons"), said = document.getElementById("said");
const press = async key => {
  const answer = await fetch("/key", {method: "POST", body: JSON.stringify({key}),
    headers: {"Content-Type": "application/json", "TOKEN_HEADER": "TOKEN"}});
  const now = answer.ok ? await answer.json() : {};
  const words = Object.entries(now).filter(one => one[0] != "calibrate")
    .map(([name, value]) => name + " " + (value === true ? "on" : value === false ? "off" : value));
  said.textContent = answer.ok ? words.join(", ") : "refused";
};
for (const [letter, key] of Object.entries(keys)) {
  const button = document.createElement("button");
  button.textContent = key + " (" + letter + ")";
  button.onclick = () => press(key);
  buttons.append(button);
}
document.getElementById("keys").hidden = !Object.keys(keys).length;
addEventListener("keydown", event => {
  const key = keys[event.key.toLowerCase()];
  if (key && !event.repeat && !event.ctrlKey && !event.altKey && !event.metaKey) press(key);
});
</script>
</html>
"""
"""NONCE, KEYS, TOKEN and TOKEN_HEADER are filled in"""


class LivePage:
    """Serves the newest picture at http://127.0.0.1:PORT/, to nobody but this machine.

    Args:
        port: 0 takes any that is free.
        controls: what its buttons and keys press; None: it has none.

    Raises:
        UsageError: the port is taken.
    """

    from_the_start = True

    def __init__(self, port: int, controls: Controls | None = None) -> None:
        self.controls = controls
        self.token = secrets.token_urlsafe(24)
        """what a press must say: only the page itself knows it"""
        self._changed = threading.Condition()
        self._frame: Image | None = None
        self._number = 0
        self._encoded: tuple[int, bytes] = (0, b"")
        self._closed = False
        self.viewers = 0
        page = self

        class Handler(_Handler):
            shown = page

        with bound("mjpeg", port, "be served"):
            self._server = ThreadingHTTPServer((ADDRESS, port), Handler)
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
        if not self._by_own_name():
            self._say(403, b"")
        elif self.path == "/":
            nonce = secrets.token_urlsafe(16)
            self._say(200, self._page(nonce), "text/html; charset=utf-8", nonce)
        elif self.path == "/stream.mjpg":
            self._stream()
        else:
            self._say(404, b"")

    def do_POST(self) -> None:
        """A key, pressed on the page: {"key": "mirror"}; answered by the state."""
        self.close_connection = True  # what is refused may have more behind it, which is not read
        controls = self.shown.controls
        refusal = self._refusal() if controls is not None and self.path == "/key" else 404
        if refusal or controls is None:
            self._say(refusal, b"")
            return
        try:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict) or set(said) != {"key"} or said["key"] not in ACTIONS:
            self._say(400, b"")
            return
        controls.press(said["key"])
        self._say(200, json.dumps(controls.told()).encode(), "application/json")

    def _refusal(self) -> int:
        """Why a press does not count, as a status; 0 where it does."""
        length, token = self.headers.get("Content-Length", ""), self.headers.get(TOKEN_HEADER, "")
        origin = self.headers.get("Origin")
        if any(len(self.headers.get_all(name, ())) > 1 for name in ONCE):
            return 400
        if not self._by_own_name() or (origin is not None and origin != f"http://{self.headers['Host']}"):
            return 403
        if self.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            return 403
        if not hmac.compare_digest(token.encode("utf-8", "replace"), self.shown.token.encode()):
            return 403
        if self.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
            return 415
        if not (length.isascii() and length.isdigit() and len(length) < 6) or "Transfer-Encoding" in self.headers:
            return 411
        return 413 if int(length) > MOST_ASKED else 0

    def _by_own_name(self) -> bool:
        """False by another name that leads here: a page from elsewhere would look in."""
        own = {f"{name}:{self.shown.port}" for name in (ADDRESS, "localhost")}
        if self.shown.port == 80:  # which browsers leave out
            own |= {ADDRESS, "localhost"}
        return self.headers.get("Host") in own

    def _page(self, nonce: str) -> bytes:
        keys = KEYS if self.shown.controls is not None else {}
        filled = PAGE.replace("TOKEN_HEADER", TOKEN_HEADER).replace("NONCE", nonce).replace("KEYS", json.dumps(keys))
        return filled.replace("TOKEN", self.shown.token).encode()

    def _say(self, status: int, content: bytes, kind: str = "text/plain", nonce: str = "") -> None:
        self.send_response(status)
        self._headers(kind, nonce)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _headers(self, kind: str, nonce: str = "") -> None:
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Referrer-Policy", "no-referrer")
        policy = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
        if nonce:
            policy += f"; script-src 'nonce-{nonce}'; connect-src 'self'"
        self.send_header("Content-Security-Policy", policy)

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
