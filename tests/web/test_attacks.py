"""Attacks on the served page, one a row: each is refused, changes nothing, tells nothing, and the page goes on."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from studios import JOIN, PASSWORD, SECRET, TOKEN, USER, Answer, Served, basic
from understudy.web import guard

ELSEWHERE = "http://evil.example"
QUESTION = json.dumps({"fn_index": 0, "data": [""], "event_data": None, "session_hash": "attack"})


def refused(answer: Answer, *statuses: int) -> None:
    assert answer.status in statuses if statuses else answer.status >= 400, answer
    assert SECRET not in answer.body and b"root:" not in answer.body and b"Traceback" not in answer.body
    assert "access-control-allow-origin" not in answer.headers


# -- requests -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Attack:
    target: str
    method: str = "GET"
    headers: dict[str, str | None] = field(default_factory=dict)
    body: str = ""
    statuses: tuple[int, ...] = ()
    """that refuse it; none: any from 400 on"""


def get(target: str, *statuses: int, **headers: str | None) -> Attack:
    return Attack(target, headers={name.replace("_", "-"): value for name, value in headers.items()}, statuses=statuses)


def post(target: str, *statuses: int, body: str = "{}", **headers: str | None) -> Attack:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return Attack(target, "POST", said, body, statuses)


def asked(content: Any, *statuses: int) -> Attack:
    """A question whose data are these."""
    return post(JOIN, *statuses, body=json.dumps({"fn_index": 0, "session_hash": "attack", "data": content}))


PATHS = {
    "dots": get("/studio/media/films/../../../secret.txt", 404),
    "dots encoded": get("/studio/media/films/%2e%2e%2f%2e%2e%2f%2e%2e%2fsecret.txt", 404),
    "dots encoded twice": get("/studio/media/films/%252e%252e%252f%252e%252e%252fsecret.txt", 404),
    "dots in too long UTF-8": get("/studio/media/films/%c0%ae%c0%ae%c0%afsecret.txt", 404),
    "dots as a kind": get("/studio/media/../secret.txt", 404),
    "kind encoded": get("/studio/media/%2e%2e/secret", 404),
    "backslashes": get("/studio/media/films/..%5c..%5csecret.txt", 404),
    "NUL": get("/studio/media/films/Film%00.mp4", 404),
    "absolute": get("/studio/media/films//etc/passwd", 404),
    "absolute encoded": get("/studio/media/films/%2fetc%2fpasswd", 404),
    "wildcard": get("/studio/media/films/*", 404),
    "brackets": get("/studio/media/films/%5bF%5dilm", 404),
    "with suffix": get("/studio/media/films/Film.mp4", 404),
    "hidden": get("/studio/media/films/.hidden", 404),
    "trailing dot": get("/studio/media/films/Film.", 404),
    "trailing space": get("/studio/media/films/Film%20", 404),
    "other case": get("/studio/media/films/FILM", 404),
    "other stream of NTFS": get("/studio/media/films/Film::$DATA", 404),
    "turned letters": get("/studio/media/films/%E2%80%AEmliF", 404),
    "linked film": get("/studio/media/films/link", 404),
    "linked comparison": get("/studio/media/comparisons/Film", 404),
    "linked clip of a dance": get("/studio/media/dances/Waltz", 404),
    "linked film to keep": get("/studio/download/films/link", 404),
    "linked actor": get("/studio/download/actors/link", 404),
    "linked report": get("/studio/report/link", 404),
    "linked clip of a person": get("/studio/poses/people/linked", 404),
    "linked frames": get("/studio/frame/people/linked/0", 404),
    "linked picture of a task": get("/studio/picture/1", 404),
    "kind of uploads": get(f"/studio/media/uploads/{TOKEN}", 404),
    "kind to keep": get("/studio/download/scratch/1", 404),
    "kind with frames": get("/studio/frame/actors/Ann/0", 404),
    "table of tasks": get("/studio/download/../studio.sqlite", 404),
    "dots to keep": get("/studio/download/actors/%2e%2e%2f%2e%2e%2fsecret", 404),
    "dots in a report": get("/studio/report/%2e%2e%2f%2e%2e%2fsecret", 404),
    "slashes in poses": get("/studio/poses/people/..%2f..%2felsewhere", 404),
    "slashes in frames": get("/studio/frame/people/..%2f..%2felsewhere/0", 404),
    "empty clip": get("/studio/poses/people/Ann", 404),
    "negative frame": get("/studio/frame/people/Ann/-1", 404),
    "frame in other digits": get("/studio/frame/people/Ann/%D9%A1", 404),
    "huge frame": get(f"/studio/frame/people/Ann/{'9' * 4000}", 404),
    "negative task": get("/studio/picture/-1", 404),
    "dots as a task": get("/studio/picture/..%2f..%2fsecret.txt", 404),
    "task of another table": get("/studio/picture/1%20or%201=1", 404),
    "dots in assets": get("/assets/../../../../../../../../etc/passwd", 404),
    "dots in assets encoded": get("/assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd", 404),
    "dots in static": get("/static/..%2f..%2f..%2fetc%2fpasswd", 404),
    "nothing in static": get("/static/etc/passwd"),
    "absolute in svelte": get("/svelte//etc/passwd", 404),
    "another server": get("http://evil.example/", 404),
    "another server's root": get("//evil.example/", 404),
    "parameters": get("/studio/media/films/Film;/../../secret.txt", 404),
    "longer than any name": get(f"/studio/media/films/{'a' * 15000}", 404),
}
HOSTS = {
    "another name": get("/", 403, Host="evil.example"),
    "a name that leads here": get("/", 403, Host="evil.example:{port}"),
    "no name": get("/", 400, Host=None),
    "an empty name": get("/", 403, Host=""),
    "no port": get("/", 403, Host="127.0.0.1"),
    "another port": get("/", 403, Host="127.0.0.1:1"),
    "a name before ours": get("/", 403, Host="evil.example@127.0.0.1:{port}"),
    "a name behind ours": get("/", 403, Host="127.0.0.1:{port}.evil.example"),
    "ours with a dot": get("/", 403, Host="localhost.:{port}"),
    "zeros": get("/", 403, Host="0.0.0.0:{port}"),
    "the same as a number": get("/", 403, Host="2130706433:{port}"),
    "two names": get("/", 400, Host="127.0.0.1:{port}\r\nHost: evil.example"),
    "for a film": get("/studio/media/films/Film", 403, Host="evil.example:{port}"),
    "for a question": post(JOIN, 403, body=QUESTION, Host="evil.example:{port}"),
    "forwarded": get("/", 403, Host="evil.example", X_Forwarded_Host="127.0.0.1:{port}"),
}
PAGES = {
    "question of another page": post(JOIN, 403, body=QUESTION, Origin=ELSEWHERE),
    "question of a page without origin": post(JOIN, 403, body=QUESTION, Origin="null"),
    "question of another port": post(JOIN, 403, body=QUESTION, Origin="http://127.0.0.1:1"),
    "question of a longer port": post(JOIN, 403, body=QUESTION, Origin="http://127.0.0.1:{port}0"),
    "question of a longer name": post(JOIN, 403, body=QUESTION, Origin="http://127.0.0.1:{port}.evil.example"),
    "question of a name before ours": post(JOIN, 403, body=QUESTION, Origin="http://evil@127.0.0.1:{port}"),
    "question of another scheme": post(JOIN, 403, body=QUESTION, Origin="file://127.0.0.1:{port}"),
    "question of two origins": post(
        JOIN, 400, body=QUESTION, Origin="http://evil.example\r\nOrigin: http://127.0.0.1:{port}"
    ),
    "question from another site": post(JOIN, 403, body=QUESTION, Sec_Fetch_Site="cross-site"),
    "question from another port of the site": post(JOIN, 403, body=QUESTION, Sec_Fetch_Site="same-site"),
    "question linked from elsewhere": post(JOIN, 403, body=QUESTION, Referer=f"{ELSEWHERE}/page"),
    "question linked from a longer port": post(JOIN, 403, body=QUESTION, Referer="http://127.0.0.1:{port}0/"),
    "question sent as by a click": post(
        JOIN, 403, body=QUESTION, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate"
    ),
    "file of another page": Attack("/studio/upload?name=a.mp4", "PUT", {"Origin": ELSEWHERE}, "x", (403,)),
    "file from another site": Attack("/studio/upload?name=a.mp4", "PUT", {"Sec-Fetch-Site": "cross-site"}, "x", (403,)),
    "film in another page": get("/studio/media/films/Film", 403, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors"),
    "film linked in another page": get("/studio/media/films/Film", 403, Referer=f"{ELSEWHERE}/"),
    "film opened by another page": get(
        "/studio/media/films/Film", 403, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate"
    ),
    "page fetched by another page": get("/", 403, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="cors"),
    "page as a script": get("/config", 403, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors"),
    "settings of another page": get("/config", 403, Origin=ELSEWHERE),
}
METHODS = {
    "delete a film": Attack("/studio/media/films/Film", "DELETE", statuses=(404,)),
    "put a film": Attack("/studio/media/films/Film", "PUT", body="x", statuses=(404,)),
    "patch a film": Attack("/studio/media/films/Film", "PATCH", body="x", statuses=(404,)),
    "post a file": post("/studio/upload?name=a.mp4", 404, body="x"),
    "get the upload": get("/studio/upload?name=a.mp4", 404),
    "ask before asking": Attack(
        JOIN,
        "OPTIONS",
        {"Origin": ELSEWHERE, "Access-Control-Request-Method": "POST"},
        statuses=(403,),
    ),
    "ask before asking, without origin": Attack(
        JOIN, "OPTIONS", {"Access-Control-Request-Method": "POST"}, statuses=(404,)
    ),
    "options of all": Attack("*", "OPTIONS", statuses=(404,)),
    "trace": Attack("/", "TRACE", statuses=(404,)),
    "connect": Attack("evil.example:443", "CONNECT"),
    "unknown": Attack("/", "BREW", statuses=(404,)),
    "override": post("/studio/media/films/Film", 404, X_HTTP_Method_Override="DELETE"),
    "question by get": get(f"{JOIN}?data=[]", 404),
}
ROUTES = {
    "file": get("/gradio_api/file={secret}", 404),
    "file of ours": get("/gradio_api/file={root}/films/Film.mp4", 404),
    "file, old": get("/file={secret}", 404),
    "file, older": get("/gradio_api/file/{secret}", 404),
    "address as a file": get("/gradio_api/file=http://127.0.0.1:1/", 404),
    "proxy": get("/gradio_api/proxy=https://evil.example/", 404),
    "proxy, old": get("/proxy=http://169.254.169.254/latest/meta-data", 404),
    "upload": post("/gradio_api/upload", 404, body="--x--", Content_Type="multipart/form-data; boundary=x"),
    "upload progress": get("/gradio_api/upload_progress?upload_id=x", 404),
    "function of a component": post("/gradio_api/component_server", 404),
    "run": post("/gradio_api/run/predict", 404, body='{"data": []}'),
    "run, old": post("/run/predict", 404, body='{"data": []}'),
    "call": post("/gradio_api/call/ask", 404, body='{"data": []}'),
    "call, second version": post("/gradio_api/call/v2/ask", 404, body="{}"),
    "api": post("/gradio_api/api/ask", 404, body='{"data": []}'),
    "stream": post("/gradio_api/stream/x", 404),
    "playlist": get("/gradio_api/stream/a/b/1/playlist.m3u8", 404),
    "recording": post("/gradio_api/process_recording", 404, body="--x--"),
    "monitoring": get("/monitoring", 404),
    "monitoring with a key": get("/monitoring/summary", 404),
    "edit by words": post("/gradio_api/vibe-edit", 404, body='{"prompt": "x"}'),
    "code by words": get("/gradio_api/vibe-code", 404),
    "undo by words": post("/gradio_api/undo-vibe-edit", 404),
    "reload": get("/gradio_api/dev/reload", 404),
    "link": get("/gradio_api/deep_link?session_hash=x", 404),
    "component": get("/gradio_api/custom_component/1/client/component/..%2f..%2fpackage.json", 404),
    "component, plain": get("/gradio_api/custom_component/1/client/component/index.js", 404),
    "log in": post("/login", 404, body="username=a", Content_Type="application/x-www-form-urlencoded"),
    "token": get("/gradio_api/token", 404),
    "description": get("/gradio_api/openapi.json", 404),
    "documentation": get("/docs", 404),
    "runs": get("/gradio_api/runs", 404),
    "tools for models": get("/gradio_api/mcp/sse", 404),
    "profiling": get("/gradio_api/profiling/traces", 404),
    "icon": get("/pwa_icon", 404),
    "web socket": get(
        JOIN,
        404,
        Connection="Upgrade, close",
        Upgrade="websocket",
        Sec_WebSocket_Version="13",
        Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==",
    ),
}
QUESTIONS = {
    "file of the framework's": asked([{"path": "{secret}", "meta": {"_type": "gradio.FileData"}}], 400),
    "path": asked([{"path": "/etc/passwd"}], 400),
    "address": asked([{"url": "http://169.254.169.254/"}], 400),
    "kind of file": asked([{"meta": {"_type": "gradio.FileData"}}], 400),
    "file deep inside": asked([{"a": [[{"b": {"path": "/etc/passwd"}}]]}], 400),
    "file in an event": post(
        JOIN, 400, body='{"fn_index": 0, "data": [""], "event_data": {"path": "/"}, "session_hash": "a"}'
    ),
    "file named twice": post(JOIN, 400, body='{"data": [{"path": "/etc/passwd", "path": 1}], "fn_index": 0}'),
    "file in escapes": post(JOIN, 400, body='{"data": [{"p\\u0061th": "/etc/passwd"}], "fn_index": 0}'),
    "file in UTF-16": post(JOIN, 400, body='{"data": [{"path": "/"}]}'.encode("utf-16").decode("latin-1")),
    "deep": post(JOIN, 400, body='{"data": ' + "[" * 60 + "]" * 60 + "}"),
    "endlessly deep": post(JOIN, 400, body="[" * 500_000),
    "deep tables": post(JOIN, 400, body='{"a":' * 2000 + "1" + "}" * 2000),
    "no JSON": post(JOIN, 400, body="fn_index=0"),
    "no UTF-8": post(JOIN, 400, body='{"data": ["\udcff"]}'),
    "a form": post(JOIN, 415, body=QUESTION, Content_Type="application/x-www-form-urlencoded"),
    "plain text": post(JOIN, 415, body=QUESTION, Content_Type="text/plain"),
    "another kind behind ours": post(JOIN, 415, body=QUESTION, Content_Type="text/plain;application/json"),
    "no kind": post(JOIN, 415, body=QUESTION, Content_Type=None),
    "a list": post(JOIN, body="[]"),
    "nothing": post(JOIN, body="null"),
    "no session": post(JOIN, body='{"fn_index": 0, "data": [""]}'),
    "no function": post(JOIN, body='{"session_hash": "a", "data": [""]}'),
    "function that is not there": post(JOIN, body='{"fn_index": 9999, "session_hash": "a", "data": [""]}'),
    "function before the first": post(JOIN, body='{"fn_index": -1, "session_hash": "a", "data": [""]}'),
    "function by a name": post(JOIN, body='{"fn_index": "__class__", "session_hash": "a", "data": [""]}'),
    "huge number": post(JOIN, body='{"fn_index": 1' + "0" * 5000 + ', "session_hash": "a", "data": []}'),
}
SIZES = {
    "question of a length too large": post(JOIN, 413, body="{}", Content_Length=str(guard.MOST_QUESTION + 1)),
    "question of a negative length": post(JOIN, 400, body="{}", Content_Length="-1"),
    "question of two lengths": post(JOIN, 400, body="{}", Content_Length="2\r\nContent-Length: 3"),
    "question that is too large": post(JOIN, 413, body='{"data": ["' + "a" * guard.MOST_QUESTION + '"]}'),
    "file of a length too large": Attack(
        "/studio/upload?name=a.mp4", "PUT", {"Content-Length": str(1 << 40)}, "x", (413,)
    ),
    "file of a length beyond numbers": Attack(
        "/studio/upload?name=a.mp4", "PUT", {"Content-Length": "9" * 19}, "x", (413,)
    ),
    "nothing as a file": Attack("/studio/upload?name=a.mp4", "PUT", {"Content-Length": "0"}, "", (400,)),
    "file of another kind": Attack("/studio/upload?name=a.html", "PUT", {}, "<script>", (400,)),
    "file without a name": Attack("/studio/upload", "PUT", {}, "x", (400,)),
    "file called by a path": Attack("/studio/upload?name=../../../a.mp4%00.html", "PUT", {}, "x", (400,)),
    "long address": get("/?" + "a" * (guard.MOST_HEADERS + 1), 431),
    "long header": get("/", 431, X_Long="a" * (guard.MOST_HEADERS + 1)),
    "many headers": Attack("/", headers={f"X-{number}": "a" * 100 for number in range(200)}, statuses=(431,)),
}
TABLES = {
    "path": PATHS, "host": HOSTS, "page": PAGES, "method": METHODS, "route": ROUTES, "question": QUESTIONS,
    "size": SIZES,
}  # fmt: skip
ATTACKS = {f"{kind}: {name}": one for kind, table in TABLES.items() for name, one in table.items()}


@pytest.mark.parametrize("name", ATTACKS)
def test_it_is_refused_and_nothing_comes_of_it(unharmed: Served, name: str) -> None:
    attack = ATTACKS[name]

    def told(text: str) -> str:
        known = {"port": str(unharmed.port), "secret": str(unharmed.outside / "secret.txt"), "root": str(unharmed.root)}
        for word, value in known.items():
            text = text.replace("{" + word + "}", value)
        return text

    headers = {one: None if value is None else told(value) for one, value in attack.headers.items()}
    body = told(attack.body).encode("utf-8", "surrogateescape")
    if name == "question: file in UTF-16":
        body = attack.body.encode("latin-1")
    answer = unharmed.ask(attack.method, told(attack.target), headers, body)
    refused(answer, *attack.statuses)
    assert str(unharmed.outside).encode() not in answer.body


def test_there_are_many_and_what_is_honest_is_answered(served: Served) -> None:
    """Else all of them might be refused for something else that is wrong with them."""
    assert len(ATTACKS) > 150
    film = served.ask("GET", "/studio/media/films/Film")
    assert (film.status, film.body) == (200, b"a film")
    assert (
        film.headers["x-content-type-options"] == "nosniff"
        and "default-src 'self'" in film.headers["content-security-policy"]
    )
    own = f"http://127.0.0.1:{served.port}"
    assert served.ask("GET", "/", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}).status == 200
    assert served.ask("GET", "/", {"Host": f"LOCALHOST:{served.port}"}).status == 200
    for said in ({"Origin": own}, {"Referer": f"{own}/"}, {"Sec-Fetch-Site": "same-origin"}):
        assert served.ask("POST", JOIN, said, QUESTION).status == 200
    token = served.upload(b"x" * 100, "..%2f..%2fa.mp4")
    path = served.root / "uploads" / token
    assert path.read_bytes() == b"x" * 100 and path.parent == served.root / "uploads"
    path.unlink()


def test_nothing_of_this_machine_stands_in_the_page(served: Served) -> None:
    for target in ("/", "/config", "/gradio_api/info", "/manifest.json", "/?deep_link=..%2f..%2fsecret"):
        answer = served.ask("GET", target)
        assert answer.status == 200
        for told in (str(served.outside), str(Path.home()), os.getcwd(), SECRET.decode()):
            assert told.encode() not in answer.body
        assert "server" not in answer.headers


# -- with a password ------------------------------------------------------------------------------------------------


LOCKED = {
    "none": None,
    "another word": basic(f"{USER}:correct horse batterx"),
    "another name": basic(f"bob:{PASSWORD}"),
    "the name alone": basic(USER),
    "an empty one": basic(f"{USER}:"),
    "the word alone": basic(PASSWORD),
    "the beginning": basic(f"{USER}:{PASSWORD[:-1]}"),
    "more of it": basic(f"{USER}:{PASSWORD}x"),
    "other letters": basic(f"{USER}:{PASSWORD}".upper()),
    "not encoded": f"Basic {USER}:{PASSWORD}",
    "another scheme": basic(f"{USER}:{PASSWORD}").replace("Basic", "Bearer"),
    "rubbish": "Basic ====",
    "no letters": basic(f"{USER}:\x00\xff"),
    "twice": f"{basic('ann:wrong word')}\r\nAuthorization: {basic(f'{USER}:{PASSWORD}')}",
}


@pytest.mark.parametrize("said", LOCKED)
@pytest.mark.parametrize("target", ["/", "/studio/media/films/Film", "/gradio_api/startup-events"])
def test_nobody_comes_in_without_the_password(
    unharmed: Served, monkeypatch: pytest.MonkeyPatch, said: str, target: str
) -> None:
    monkeypatch.setattr(guard, "FAILURE_SECONDS", 0.0)
    answer = unharmed.ask("GET", target, {"Authorization": LOCKED[said]}, port=unharmed.locked)
    refused(answer, 400 if said == "twice" else 401)
    assert b"film" not in answer.body
    assert (
        unharmed.ask("GET", target, {"Authorization": basic(f"{USER}:{PASSWORD}")}, port=unharmed.locked).status == 200
    )


def test_the_password_does_not_help_other_pages(unharmed: Served) -> None:
    known = {"Authorization": basic(f"{USER}:{PASSWORD}")}
    refused(unharmed.ask("POST", JOIN, known | {"Origin": ELSEWHERE}, QUESTION, unharmed.locked), 403)
    refused(unharmed.ask("GET", "/gradio_api/file=/etc/passwd", known, port=unharmed.locked), 404)
