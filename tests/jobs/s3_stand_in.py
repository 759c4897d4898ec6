"""The few requests of S3 that s3fs makes, answered by this machine for tests; nothing is checked but who asks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

KEY = "AKIDSTANDIN"
WHEN = datetime(2026, 1, 1, tzinfo=timezone.utc)


class Objects(dict[str, bytes]):
    """Content by "bucket/key", and what was asked: "GET bucket/key"."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.address = ""


@contextmanager
def standing_in() -> Iterator[Objects]:
    """Answers on this machine alone, until the block ends."""
    objects = Objects()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def _answer(self, code: int, content: bytes = b"", said: dict[str, str] | None = None, size: int = -1) -> None:
            self.send_response(code)
            for name, value in (said or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) if size < 0 else size))
            self.end_headers()
            self.wfile.write(content)

        def _wrong(self, code: int, what: str) -> None:
            text = f"<Error><Code>{what}</Code><Message>the secret is {KEY}</Message></Error>"
            self._answer(code, text.encode() if self.command != "HEAD" else b"")

        def _asked(self) -> tuple[str, dict[str, list[str]]]:
            address = urlsplit(self.path)
            key = unquote(address.path).strip("/")
            objects.asked.append(f"{self.command} {key}")
            return key, parse_qs(address.query, keep_blank_values=True)

        def _body(self) -> bytes:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if "x-amz-decoded-content-length" not in self.headers:
                return content
            whole = b""
            while content:  # in pieces, each after its length
                length, _, rest = content.partition(b"\r\n")
                size = int(length.partition(b";")[0], 16)
                whole, content = whole + rest[:size], rest[size + 2 :] if size else b""
            return whole

        def _may(self) -> bool:
            return KEY in self.headers.get("Authorization", "")

        def _told(self, key: str) -> dict[str, str]:
            tag = hashlib.md5(objects[key]).hexdigest()
            when = WHEN.strftime("%a, %d %b %Y %H:%M:%S GMT")
            return {"ETag": f'"{tag}"', "Last-Modified": when, "Content-Type": "binary/octet-stream"}

        def do_HEAD(self) -> None:
            key, _ = self._asked()
            if not self._may():
                self._wrong(403, "AccessDenied")
            elif key not in objects:
                self._answer(404)
            else:
                self._answer(200, said=self._told(key), size=len(objects[key]))

        def do_GET(self) -> None:
            key, query = self._asked()
            if not self._may():
                self._wrong(403, "AccessDenied")
            elif "/" not in key:
                self._list(key, query)
            elif key not in objects:
                self._wrong(404, "NoSuchKey")
            else:
                self._answer(200, objects[key], self._told(key))

        def _list(self, bucket: str, query: dict[str, list[str]]) -> None:
            prefix, delimiter = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
            entries, folders = "", set()
            for key in sorted(objects):
                holder, _, name = key.partition("/")
                if holder != bucket or not name.startswith(prefix):
                    continue
                below = name[len(prefix) :]
                if delimiter and delimiter in below:
                    folders.add(prefix + below.partition(delimiter)[0] + delimiter)
                    continue
                told = self._told(key)
                entries += (
                    f"<Contents><Key>{escape(name)}</Key><LastModified>{WHEN:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
                    f"<ETag>{told['ETag']}</ETag><Size>{len(objects[key])}</Size></Contents>"
                )
            entries += "".join(f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>" for one in folders)
            listed = f"<ListBucketResult><Name>{bucket}</Name><IsTruncated>false</IsTruncated>{entries}"
            self._answer(200, f"{listed}</ListBucketResult>".encode(), {"Content-Type": "application/xml"})

        def do_PUT(self) -> None:
            key, _ = self._asked()
            content = self._body()
            if not self._may():
                self._wrong(403, "AccessDenied")
                return
            objects[key] = content
            self._answer(200, said={"ETag": self._told(key)["ETag"]})

        def do_DELETE(self) -> None:
            key, _ = self._asked()
            objects.pop(key, None)
            self._answer(204)

        def do_POST(self) -> None:
            bucket, query = self._asked()
            body = self._body().decode()
            if "delete" in query:
                for part in body.split("<Key>")[1:]:
                    objects.pop(f"{bucket}/{part.partition('</Key>')[0]}", None)
            self._answer(200, b"<DeleteResult></DeleteResult>", {"Content-Type": "application/xml"})

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    objects.address = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield objects
    finally:
        server.shutdown()
        server.server_close()
