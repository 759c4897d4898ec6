"""The study's page in a real browser: clicked, tapped and typed through, up to the file of votes that is counted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from clips import write_clip
from understudy.judging.page import study
from understudy.judging.results import study_results

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra understudy[dev]")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs the browser Chromium")

RED, BLUE = (220, 30, 30), (30, 30, 220)
FORBID_STORAGE = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no'); } })"


def upright(path: Path, colour: tuple[int, int, int]) -> Path:
    """A clip of which the upper half is coloured: a spoilt copy, upside down, is told from it without guessing."""
    frame = np.full((48, 64, 3), 20, np.uint8)
    frame[:24] = colour
    return write_clip(path, [frame] * 10, 10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    clips = [upright(folder / f"{name}.mp4", colour) for name, colour in (("ours", RED), ("theirs", BLUE))]
    study([*clips, *clips[::-1]], output=folder / "study", labels=["ours", "theirs", "theirs", "ours"])
    return folder / "study"


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("single")
    film, clone = upright(folder / "film.mp4", RED), upright(folder / "clone.mp4", BLUE)
    study(videos=[clone], real=[film], output=folder / "study", labels=["cloning"])
    return folder / "study"


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a study's page from disk, in a browser that has never seen it; errors in the page fail the test."""
    contexts, errors = [], []

    def open_page(folder: Path, script: str = "", **options: Any) -> Any:
        context = browser.new_context(accept_downloads=True, **{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.set_default_timeout(15000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: request.url.startswith(("file:", "blob:")) or errors.append(request.url))
        page.goto((folder / "for_judges" / "index.html").as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors


def seen(page: Any) -> list[str]:
    """What an attentive judge sees, from the pixels alone: red, blue or spoilt, for each video shown."""
    page.locator("#first:not([aria-disabled=true])").wait_for()
    found = []
    for canvas in page.locator("canvas").all():
        picture = cv2.imdecode(np.frombuffer(canvas.screenshot(), np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1].astype(int)
        half = len(picture) // 2
        upper, lower = picture[half // 2 : half - 8].mean((0, 1)), picture[half + 8 : -half // 2].mean((0, 1))
        found.append("spoilt" if lower.max() > upper.max() else "red" if upper[0] > upper[2] else "blue")
    return found


def judged(shown: list[str]) -> int:
    """Red is always preferred and called real, and what is spoilt never is."""
    if len(shown) == 1:
        return 0 if shown[0] == "red" else 1
    return 0 if shown[1] == "spoilt" or (shown[0] == "red" and shown[1] != "red") else 1


def click(page: Any, answer: int) -> None:
    page.locator(("#first", "#second")[answer]).click()


def vote_through(page: Any, answer: Callable[[Any, int], None] = click) -> int:
    """Answers what is left; returns how many that were."""
    count = 0
    while page.locator("#ask").is_visible():
        answer(page, judged(seen(page)))
        count += 1
    return count


def saved(page: Any, folder: Path) -> tuple[Path, dict[str, Any]]:
    with page.expect_download() as download:
        page.locator("#save").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name in page.locator("#saved").inner_text()
    return path, json.loads(path.read_text())


def test_pairs_are_clicked_through_to_the_result(opened: Callable[..., Any], pairs: Path, tmp_path: Path) -> None:
    page = opened(pairs)
    assert "3 pairs" in page.locator("#welcome").inner_text()
    page.locator("#start").click()
    assert page.locator("#count").inner_text() == "Pair 1 of 3"
    assert vote_through(page) == 3
    path, votes = saved(page, tmp_path)
    assert votes["understudy_study"] == 1 and votes["judge"] in path.name
    assert all(answer["seconds"] > 0 for answer in votes["answers"]) and votes["started"] < votes["finished"]
    assert json.loads(page.locator("#text").input_value()) == votes
    found = study_results([path], study=pairs)
    assert found.judges == (votes["judge"],) and not found.left_out
    assert [(one.first, one.second, one.wins) for one in found.comparisons] == [("ours", "theirs", (2, 0))]


def test_single_videos_are_tapped_through_on_a_phone(opened: Callable[..., Any], single: Path, tmp_path: Path) -> None:
    page = opened(single, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.locator("#start").tap()
    page.locator("#first:not([aria-disabled=true])").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert all(page.locator(name).bounding_box()["y"] < 800 for name in ("#first", "#second", "#back"))
    assert vote_through(page, lambda page, answer: page.locator(("#first", "#second")[answer]).tap()) == 3
    path, votes = saved(page, tmp_path)
    found = study_results([path], study=single)
    assert [(one.method, one.called_real, one.votes) for one in found.realism] == [("real", 1, 1), ("cloning", 0, 1)]
    assert not found.left_out and "left" not in votes["answers"][0]


@pytest.mark.parametrize("script", ["", FORBID_STORAGE], ids=["stored", "storage forbidden"])
def test_nothing_is_lost_on_reload(opened: Callable[..., Any], pairs: Path, tmp_path: Path, script: str) -> None:
    page = opened(pairs, script)
    assert page.locator("#forgetful").is_visible() == bool(script)
    judge = page.locator("#welcome .judge").inner_text()
    page.reload()
    assert page.locator("#welcome .judge").inner_text() == judge
    page.locator("#start").click()
    first = judged(seen(page))
    click(page, first)
    shown = seen(page)
    page.reload()
    assert page.locator("#count").inner_text() == "Pair 2 of 3"
    assert seen(page) == shown
    assert vote_through(page) == 2
    page.reload()
    _, votes = saved(page, tmp_path)
    assert votes["judge"] == judge and len(votes["answers"]) == 3
    assert (votes["answers"][0]["choice"] == votes["answers"][0]["left"]) == (first == 0)


def test_keys_answer_go_back_and_pause(opened: Callable[..., Any], pairs: Path, tmp_path: Path) -> None:
    page = opened(pairs)
    page.keyboard.press("2")  # nothing is asked yet
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for number, key in enumerate(("1", "2", "ArrowLeft")):
        assert page.locator("#count").inner_text() == f"Pair {number + 1} of 3"
        seen(page)
        page.keyboard.press(key)
    page.locator("#again").click()
    seen(page)
    page.keyboard.press("b")
    assert page.locator("#count").inner_text() == "Pair 2 of 3"
    assert page.locator("#second[aria-pressed=true]").is_visible()
    seen(page)
    page.keyboard.press("p")
    assert page.locator("#pause").inner_text() == "Play" and page.evaluate("player.paused")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#first[aria-pressed=true]").is_visible()  # the third, as it was answered
    page.locator("#next").click()
    _, votes = saved(page, tmp_path)
    assert [answer["choice"] == answer["left"] for answer in votes["answers"]] == [True, True, True]
    assert [answer["changed"] for answer in votes["answers"]] == [0, 1, 0]


def test_who_fails_the_check_is_left_out_and_the_next_judge_is_another(
    opened: Callable[..., Any], pairs: Path, tmp_path: Path
) -> None:
    page = opened(pairs)
    page.locator("#start").click()
    while page.locator("#ask").is_visible():
        shown = seen(page)
        click(page, shown.index("spoilt") if "spoilt" in shown else judged(shown))
    careless, first = saved(page, tmp_path)
    page.locator("summary").last.click()
    page.locator("#fresh").click()
    page.locator("#start").click()
    assert page.locator("#bar").get_attribute("value") == "0"
    vote_through(page)
    careful, second = saved(page, tmp_path)
    found = study_results([careless, careful], study=pairs)
    assert found.judges == (second["judge"],)
    assert found.left_out == {first["judge"]: "failed 1 of 1 attention check"}
    assert found.comparisons[0].wins == (2, 0)


def test_a_missing_video_is_named(opened: Callable[..., Any], pairs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    shutil.copytree(pairs, folder)
    (folder / "for_judges" / "clips").rename(folder / "elsewhere")
    page = opened(folder)
    page.locator("#start").click()
    page.locator("#broken").wait_for()
    assert "cannot be played: clips/v00" in page.locator("#broken").inner_text()
    page.keyboard.press("1")
    assert page.locator("#count").inner_text() == "Pair 1 of 3"
    (folder / "elsewhere").rename(folder / "for_judges" / "clips")
    page.locator("#retry").click()
    assert vote_through(page) == 3
