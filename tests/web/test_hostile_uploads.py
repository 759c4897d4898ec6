"""Files that are small and become enormous, and words that are a page's own language: neither does anything here."""

from __future__ import annotations

import json
import shutil
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from studios import Served
from understudy.web import fragments
from understudy.web.fragments import Film
from understudy.web.state import Studio

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WORDS = (
    "<img src=x onerror='hacked=1'><script>hacked=1</script>${window.hacked=1}{{hacked}}{% raw %}\"' onclick='hacked=1"
)
IN_A_NAME = "<img src=x onerror=hacked=1>${window.hacked=1}{{hacked}}\"'"


def picture(width: int, height: int) -> bytes:
    """A valid PNG of one colour; some kilobytes for any size."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + (width + 7) // 8)
    content = b"".join(packer.compress(row) for _ in range(min(height, 9000))) + packer.flush()

    def part(kind: bytes, said: bytes) -> bytes:
        return struct.pack(">I", len(said)) + kind + said + struct.pack(">I", zlib.crc32(kind + said))

    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", content) + part(b"IEND", b"")


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    made = Studio(tmp_path / "studio", 1 << 20, 1 << 30, 1.0)
    yield made
    made.close()


def test_files_that_are_enormous_inside_are_looked_at_elsewhere(studio: Studio, served: Served) -> None:
    """Within our limits, and far beyond: each ends in words, the page answers meanwhile, and the file is gone."""
    for name, size in (("within", (8000, 8000)), ("beyond", (60_000, 60_000)), ("cut", (8000, 8000))):
        content = picture(*size)
        assert len(content) < 100_000
        path = studio.folder.new_upload(f"{name}.png")
        path.write_bytes(content if name != "cut" else content[: len(content) // 2])
        studio.queue.add("check", name, {"upload": path.name, "name": name, "detect": False})
    studio.runner.start()
    for _ in range(3000):
        assert served.answers()
        tasks = studio.queue.all()
        if all(task.status not in ("waiting", "running") for task in tasks):
            break
        time.sleep(0.05)
    ended = {task.title: task for task in tasks}
    assert ended["within"].status == "done" and "within" in ended["within"].answer["said"], ended
    for name in ("beyond", "cut"):
        assert ended[name].status in ("done", "failed") and (ended[name].reason or ended[name].answer), ended
    for task in tasks:
        told = json.dumps(task.answer) + task.reason
        assert str(studio.folder.root) not in told and str(task.asked["upload"]) not in told
    assert not (studio.folder.root / "uploads" / ended["within"].asked["upload"]).exists()


def test_words_arrive_as_words_in_every_piece_of_the_page(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, queue = studio.folder, studio.queue
    (folder.root / "people" / f"{IN_A_NAME}.performance").mkdir()
    (folder.root / "dances" / f"{IN_A_NAME}.performance").mkdir()
    (folder.root / "actors" / f"{IN_A_NAME}.actor").touch()
    monkeypatch.setattr(fragments, "_about", lambda *_: (WORDS, WORDS, WORDS))
    folder.note("people", IN_A_NAME, {"consent": WORDS, "footage": [WORDS]})
    folder.note("dances", IN_A_NAME, {"footage": [WORDS], "people": 2})
    folder.note("actors", IN_A_NAME, {"person": IN_A_NAME, "measured": {"dance": WORDS, "said": [WORDS]}})
    (folder.root / "reports" / "one.html").touch()
    found = {"person": "a", "dance": "b", "missed": 0.5, "limbs": {WORDS: 0.5}, "uncovered": [True], "shots": [WORDS]}
    folder.note("reports", "one", found | {"unseen": WORDS})
    number = queue.add("dance", WORDS, {})
    task = queue.take()
    assert task is not None
    queue.noted(number, WORDS)
    progress = {"label": WORDS, "done": 1, "total": 2, "unit": WORDS, "rate": 1.0, "left": 1.0, "note": WORDS}
    queue.going_on(number, progress)
    pieces = {
        "tasks": fragments.tasks(queue.all()),
        "live": fragments.live(queue.all(), folder, "dance"),
        "people": fragments.people(folder),
        "gallery": fragments.gallery(folder),
        "crowd": fragments.crowd(folder, IN_A_NAME),
        "coverage": fragments.coverage(folder, "a", "b"),
        "film": fragments.films(Film("films", IN_A_NAME)),
        "films": fragments.films(Film("films", IN_A_NAME), Film("dances", IN_A_NAME)),
    }
    queue.end(number, "failed", WORDS)
    pieces["failed"] = fragments.tasks(queue.all())
    for name, piece in pieces.items():
        assert "hacked" in piece, name  # it is there
        for bad in ("<img src=x", "<script", "onerror='", "\" onclick='", '=""\''):
            assert bad not in piece, name


@pytest.mark.skipif(CHROMIUM is None, reason="needs the browser Chromium")
def test_words_do_nothing_in_a_browser(served: Served) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra understudy[dev]")
    folder, queue = served.studio.folder, served.studio.queue
    person = folder.root / "people" / f"{IN_A_NAME}.performance"
    film = folder.root / "films" / f"{IN_A_NAME}.mp4"
    person.mkdir()
    film.touch()
    folder.note("people", IN_A_NAME, {"consent": WORDS, "footage": [WORDS]})
    done, failed = (queue.add("check", WORDS, {}) for _ in range(2))
    queue.end(done, "done", answer={"said": WORDS})
    queue.end(failed, "failed", WORDS)
    asked: list[str] = []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.set_default_timeout(60_000)
        page.goto(f"http://127.0.0.1:{served.port}/")
        page.get_by_text("Check a file", exact=True).first.wait_for()
        page.locator("#us-tasks .us-bad").filter(has_text="window.hacked").first.wait_for()
        page.get_by_text("Consent: <img src=x").first.wait_for()
        page.get_by_role("tab", name="4 Perform").click()
        page.get_by_label("Film", exact=True).first.click()
        page.get_by_role("option", name="hacked").first.click()
        page.locator("video").first.wait_for(state="attached")
        page.get_by_role("tab", name="Check a file").click()
        page.locator(".us-said").filter(has_text="window.hacked").wait_for()
        assert page.evaluate("typeof window.hacked") == "undefined"
        assert page.locator("img[src='x']").count() == 0 and page.locator("[onclick]").count() == 0
        browser.close()
    person.rmdir()
    film.unlink()
    (folder.root / "people" / f"{IN_A_NAME}.json").unlink()
    for number in (done, failed):
        queue.remove(number)
    own = (f"http://127.0.0.1:{served.port}/", "data:", "blob:")
    assert asked and [url for url in asked if not url.startswith(own)] == []


def test_everything_of_the_page_is_here(served: Served) -> None:
    """No address of another machine stands in what is loaded first."""
    content = served.ask("GET", "/").body.decode()
    assert "googleapis" not in content and "cdn" not in content.lower()
