"""Some of the page by hand, in a real browser, with a tiny dance: nothing is computed, so that it takes seconds."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from studios import Served
from tiny import tiny_performance

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra understudy[dev]")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs the browser Chromium")


@pytest.fixture
def furnished(served: Served) -> Iterator[Served]:
    """With a dance of two, which is gone behind the test."""
    folder, queue = served.studio.folder, served.studio.queue
    before = {task.number for task in queue.all()}
    tiny_performance(folder.root / "dances" / "Duo.performance", size=64)
    (folder.root / "dances" / "Duo.mp4").touch()
    folder.note("dances", "Duo", {"people": 2})
    for name in ("Ann", "Ben"):
        (folder.root / "actors" / f"{name}.actor").touch()
    queue.changed()
    yield served
    folder.remove("dances", "Duo")
    for name in ("Ann", "Ben"):
        folder.remove("actors", name)
    for number in {task.number for task in queue.all()} - before:
        queue.leave_out(number)
        queue.remove(number)


@pytest.fixture
def page(furnished: Served) -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 1280, "height": 900})
        shown.set_default_timeout(60_000)
        shown.goto(f"http://127.0.0.1:{furnished.port}/")
        shown.get_by_text("understudy studio").first.wait_for()
        yield shown
        browser.close()


def joints_stay_in_the_picture(page: Any) -> None:
    page.get_by_role("tab", name="Fix joints").click()
    page.get_by_text(re.compile(r"Frame \d+ of 11")).wait_for()
    frame = int(page.get_by_label("Frame", exact=True).input_value())
    points = page.evaluate("fetch('/studio/poses/dances/Duo').then(answer => answer.json())")
    wrist = points["names"].index("right wrist")
    stage = page.locator(".us-fixer canvas").first
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    scale = box["width"] / points["size"]
    x, y = points["xy"][frame][wrist]
    page.mouse.move(box["x"] + x * scale, box["y"] + y * scale)
    page.mouse.down()
    page.mouse.move(box["x"] - 50, box["y"] + box["height"] + 20, steps=3)
    page.mouse.up()
    page.locator(".us-history li", has_text="to 0, 63 in frame").wait_for()
    stage.focus()
    page.keyboard.press("Shift+ArrowLeft")  # and by keys
    page.keyboard.press("Shift+ArrowDown")
    playwright.expect(page.locator(".us-history li")).to_have_count(2)
    assert "to 0, 63 in frame" in page.locator(".us-history li").last.inner_text()


def numbers_of_a_method_are_listed_and_checked(page: Any) -> None:
    page.get_by_role("tab", name="3 Learn").click()
    page.get_by_role("button", name="Numbers of the method").click()
    page.locator(".us-numbers dt", has_text="swing=").wait_for()
    field = page.get_by_label("Other numbers than the quality's")
    field.fill("frmaes=3")
    field.blur()
    page.get_by_role("button", name="Learn", exact=True).click()
    page.get_by_text("frmaes: there is no such number; did you mean frames?").first.wait_for()


def each_of_two_drives_an_actor(page: Any, served: Served) -> None:
    page.get_by_role("tab", name="4 Perform").click()
    everybody = page.get_by_label("Everybody in the dance drives an actor of their own")
    playwright.expect(page.get_by_label("Who dances")).to_be_visible()
    everybody.check()
    playwright.expect(page.get_by_label("Who dances")).to_be_hidden()
    page.get_by_label("In place of the one on the right").click()
    page.get_by_role("option", name="Ben").last.click()
    playwright.expect(page.get_by_label("In place of the one on the right")).to_have_value("Ben")
    assert page.locator("label:visible, span:visible").get_by_text("number 3 from the left").count() == 0
    page.get_by_role("button", name="Dance", exact=True).click()
    page.locator("#us-tasks .us-card", has_text="Dance: Ben by Duo").wait_for()
    assert served.studio.queue.all()[0].asked["assign"] == {"2": "Ben"}


def test_the_page_by_hand(furnished: Served, page: Any) -> None:
    """One test: the page takes seconds to be opened."""
    joints_stay_in_the_picture(page)
    numbers_of_a_method_are_listed_and_checked(page)
    each_of_two_drives_an_actor(page, furnished)
