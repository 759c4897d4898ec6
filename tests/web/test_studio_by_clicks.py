"""The studio as somebody uses it: in a real browser, by clicks and keys, with a real clip, from nothing to a film."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from clips import real_clip

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra understudy[dev]")
pytest.importorskip("gradio", reason="needs the extra understudy[studio]")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.skipif(sys.platform == "win32", reason="the studio is closed by a signal"),
    pytest.mark.timeout(900),
]
CLOSED = "ERR_CONNECTION_REFUSED"
"""what the page finds while the program is closed, which one test does"""
LONG = 300_000
"""milliseconds, for what is computed on a busy machine"""


@dataclass
class Opened:
    """A studio that runs in a process of its own."""

    folder: Path
    address: str = ""
    said: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "understudy", "studio", str(self.folder), "--port", "0", "--no-browser"],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
                self.address = found[0]
                break
        threading.Thread(target=lambda: self.said.extend(self.process.stderr), daemon=True).start()

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(120)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    one = Opened(tmp_path_factory.mktemp("studio") / "my studio")
    one.start()
    assert one.address, one.said
    yield one
    assert one.process is not None
    if one.process.poll() is None:
        one.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(opened: Opened, browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    shown = context.new_page()
    shown.set_default_timeout(60_000)
    problems: list[str] = []
    shown.on("pageerror", lambda error: problems.append(str(error)))
    shown.on(
        "console", lambda one: problems.append(one.text) if one.type == "error" and CLOSED not in one.text else None
    )
    shown.on(
        "request",
        lambda one: problems.append(one.url) if not one.url.startswith((opened.address, "blob:", "data:")) else None,
    )
    shown.goto(opened.address)
    shown.get_by_text("understudy studio").first.wait_for()
    yield shown
    context.close()
    assert not problems


def tab(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def done(page: Any, title: str) -> None:
    """Waits until a task is done."""
    card = page.locator("#us-tasks .us-card", has_text=title).first
    card.locator(".us-good, .us-bad").first.wait_for(timeout=LONG)
    assert card.locator(".us-good").count(), card.inner_text()


def give(page: Any, number: int, clip: Path) -> None:
    """Chooses a file in the field of a tab."""
    page.locator(".us-drop").nth(number).locator("input[type=file]").set_input_files(str(clip))
    page.locator(".us-drop").nth(number).get_by_text(f"{clip.name} is here").wait_for()


def from_nothing_to_a_film(opened: Opened, page: Any) -> None:
    clip = real_clip("studio_squats_5fps.mp4")

    give(page, 0, clip)
    playwright.expect(page.get_by_label("What is the person called?")).to_have_value("studio_squats_5fps")
    page.get_by_role("button", name="Look at the clip").click()
    page.get_by_text("say who agreed to be learnt").wait_for()  # nothing begins without consent
    assert not list((opened.folder / "people").iterdir())
    page.get_by_label("What is the person called?").fill("Anna <b>")
    page.get_by_label("What is the person called?").blur()
    page.get_by_label("Who agreed to be learnt").fill("Anna agreed to this test")
    page.get_by_role("button", name="Look at the clip").click()
    page.locator(".us-live img").first.wait_for(timeout=LONG)  # the skeleton over the person, while it is tracked
    done(page, "Look at Anna b")
    page.get_by_text("Two minutes show more sides of a person").wait_for()
    page.get_by_text("Consent: Anna agreed to this test").wait_for()

    tab(page, "2 Dance")
    give(page, 1, clip)
    playwright.expect(page.get_by_label("What is the dance called?")).to_have_value("studio_squats_5fps")
    page.get_by_label("What is the dance called?").fill("squats")
    page.get_by_label("What is the dance called?").blur()
    page.get_by_role("button", name="Find the dancer").click()
    done(page, "Find the dancer in squats")
    page.get_by_role("button", name="Compare").click()
    done(page, "What Anna b has not shown of squats")
    page.get_by_text("It fits.").wait_for()  # who dances like herself misses nothing

    tab(page, "4 Perform")
    playwright.expect(page.get_by_label("Dance", exact=True).last).to_have_value("squats")
    page.get_by_role("button", name="Dance", exact=True).click()
    done(page, "Dance: Anna b by squats")
    film = page.locator(".us-film video").first
    film.wait_for()
    page.wait_for_function("document.querySelector('.us-film video').videoWidth > 0")
    assert film.evaluate("one => one.duration") == pytest.approx(65 / 5, abs=0.5)
    page.get_by_label("Dance, pose and film side by side").check()
    page.wait_for_function("document.querySelector('.us-film video').src.includes('comparisons')")

    tab(page, "Check a file")
    give(page, 2, opened.folder / "films" / "Anna b by squats.mp4")
    page.get_by_role("button", name="Check", exact=True).click()
    done(page, "Check Anna b by squats")
    said = page.locator(".us-said")
    said.get_by_text("Anna agreed to this test").wait_for()
    assert "says that it was generated" in said.inner_text()

    assert not list((opened.folder / "uploads").iterdir())


def joints_are_put_right_by_hand_and_by_keys(page: Any) -> None:
    tab(page, "Fix joints")
    page.get_by_text(re.compile(r"Frame \d+ of 64")).wait_for()
    page.get_by_label("Dance or person").click()
    page.get_by_role("option", name="the dance squats").click()
    page.wait_for_timeout(1500)  # as somebody needs to look
    stage = page.locator(".us-fixer canvas").first
    points = page.evaluate("fetch('/studio/poses/dances/squats').then(answer => answer.json())")
    frame = int(page.get_by_label("Frame", exact=True).input_value())
    wrist = points["names"].index("right wrist")
    assert points["sure"][frame][wrist] > 0
    x, y = points["xy"][frame][wrist]
    box = stage.bounding_box()
    scale = box["width"] / points["size"]

    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    page.mouse.move(box["x"] + x * scale, box["y"] + y * scale)
    page.mouse.down()
    page.mouse.move(box["x"] + (x + 20) * scale, box["y"] + (y - 10) * scale, steps=4)
    page.mouse.up()
    entry = page.locator(".us-history li")
    entry.first.wait_for()
    assert f"in frame {frame}" in entry.first.inner_text() and "wrist" in entry.first.inner_text()
    moved = page.evaluate("fetch('/studio/poses/dances/squats').then(answer => answer.json())")
    assert moved["xy"][frame][wrist] == pytest.approx([x + 20, y - 10], abs=2.0)
    assert moved["xy"][frame + 1] == points["xy"][frame + 1] and moved["fixed"] == [frame]

    stage.focus()
    page.keyboard.press("Shift+ArrowRight")
    playwright.expect(entry).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    playwright.expect(page.locator(".us-history .us-undone")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    playwright.expect(page.locator(".us-history .us-undone")).to_have_count(2)
    again = page.evaluate("fetch('/studio/poses/dances/squats').then(answer => answer.json())")
    assert again["xy"] == points["xy"]
    page.get_by_role("button", name="Next doubt").click()  # it is about the left wrist, which is lost: a click finds it
    assert points["sure"][frame][points["names"].index("left wrist")] == 0
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    page.mouse.click(box["x"] + 60 * scale, box["y"] + 90 * scale)
    playwright.expect(page.locator(".us-history li")).to_have_count(1)
    assert "to 60" in page.locator(".us-history li").inner_text()
    page.get_by_role("button", name="Undo").click()
    playwright.expect(page.locator(".us-history .us-undone")).to_have_count(1)
    page.get_by_role("button", name="Exchange legs").click()
    playwright.expect(page.locator(".us-history li")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()


def it_can_be_used_on_a_phone_and_in_the_dark(opened: Opened, browser: Any) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark", has_touch=True)
    shown = context.new_page()
    shown.goto(opened.address)
    shown.locator(".us-card").first.wait_for()
    assert shown.evaluate("document.documentElement.scrollWidth") <= 390
    for name in ("4 Perform", "Fix joints", "Gallery"):
        shown.locator(".overflow-menu > button").click()
        shown.locator(".overflow-dropdown").get_by_text(name).click()
        shown.wait_for_timeout(500)
        assert shown.evaluate("document.documentElement.scrollWidth") <= 390, name
    ground = shown.evaluate("getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, re.findall(r"\d+", ground)[:3])) < 150
    low = [one for one in shown.locator(".us-button:visible").all() if one.bounding_box()["height"] < 38]
    assert not low  # a finger is wide
    context.close()


def what_was_asked_for_outlives_the_page_and_the_program(opened: Opened, page: Any) -> None:
    tab(page, "3 Learn")
    page.get_by_label("At most so many minutes").fill("5")
    page.get_by_label("What is the actor called?").fill("long")
    page.get_by_role("button", name="Learn", exact=True).click()
    page.locator("#us-tasks .us-card", has_text="Learn long").get_by_text(re.compile(r"\d+/\d+")).wait_for(timeout=LONG)
    assert opened.stop() in (0, 128 + signal.SIGTERM)
    page.goto("about:blank")
    opened.start()
    page.goto(opened.address)
    card = page.locator("#us-tasks .us-card", has_text="Learn long")
    card.get_by_role("button", name="Stop").wait_for()
    card.get_by_text(re.compile(r"\d+/\d+")).wait_for(timeout=LONG)
    card.get_by_role("button", name="Stop").click()
    card.get_by_role("button", name="Go on").wait_for(timeout=LONG)
    assert "it can go on" in card.inner_text()


def test_the_studio_from_nothing_to_a_film(opened: Opened, browser: Any, page: Any) -> None:
    """One test, since each part goes on with what the one before has made."""
    from_nothing_to_a_film(opened, page)
    joints_are_put_right_by_hand_and_by_keys(page)
    it_can_be_used_on_a_phone_and_in_the_dark(opened, browser)
    what_was_asked_for_outlives_the_page_and_the_program(opened, page)
