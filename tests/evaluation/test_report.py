from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from made_up_results import FRAMES, HOSTILE, LEVELS, SIZE, coverage, evaluation, without

from understudy import verify
from understudy.errors import MediaError, UnderstudyError, UsageError
from understudy.evaluation import report, report_clips, report_plots
from understudy.evaluation.report import facts, write_report
from understudy.evaluation.results import Evaluation, Measure, Summary
from understudy.marks.statement import COMPOSITE
from understudy.media.reading import VideoReader, VideoWriter

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Text, tags' attributes and table rows of a page; notices tags that do not close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.words.append(data)
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] = " ".join(f"{self.rows[-1][-1]} {data}".split())

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips: the truth, and for each method the truth made brighter, so that a tile tells whose it is."""
    folder = tmp_path_factory.mktemp("evaluation")
    (folder / "clips").mkdir()
    for number, name in enumerate(["truth", *LEVELS, HOSTILE.removesuffix(".mp4").replace("/", "")]):
        with VideoWriter(folder / "clips" / f"{name}.mp4", Fraction(12)) as writer:
            for frame in range(FRAMES):
                picture = np.full((SIZE, SIZE, 3), 40 + 30 * number, np.uint8)
                picture[:, frame : frame + 4] = 220
                writer.write(picture)
    return folder


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    path = write_report(evaluation(), folder)
    assert path == folder / "index.html"
    return path.read_text(encoding="utf-8")


def test_page_says_the_answer_first_and_from_the_data(html: str) -> None:
    text = Page(html).text
    answer = text[text.index("Self-reenactment: ") : text.index("The comparison")]
    for expected in (
        "Self-reenactment: Performance cloning has 0.50 times the error of Nearest neighbour and 0.80 times",
        "In 12 frames it is off by 10.0 of 255 colour steps (95 % interval 9.5 to 10.5) in the person's box.",
        "The paper has, on its own data, 0.58 and 0.75.",
        "It has the lowest error of all 4 methods; next is Paired <branch> only with 11.0.",
        "Of the two it is the better one in 100 % of the frames.",
        "By the 3 other measures nobody is better.",
        "Cross-identity: Performance cloning has 0.50 times the error of Nearest neighbour",
    ):
        assert expected in answer


def test_numbers_of_the_tables_are_those_of_the_data(html: str) -> None:
    rows = Page(html).rows
    assert ["test", "Performance cloning", "Nearest neighbour", "pix2pix", "Paired <branch> only"] in rows
    assert [
        "Self-reenactment",
        "★ 10.0 9.5 to 10.5",
        "20.0 19.5 to 20.5",
        "12.5 12.0 to 13.0",
        "11.0 10.5 to 11.5",
    ] in rows
    assert rows[2][:3] == ["Cross-identity", "★ 20.0 19.5 to 20.5", "40.0 39.5 to 40.5"]
    assert rows[2][4] == "\N{EN DASH}"
    assert ["actor 1", "★ 15.4", "26.4", "28.4", "20.8"] in rows
    assert ["mean", "★ 16.2", "28.1", "29.5", "21.8"] in rows
    (nearest,) = [row for row in rows if row[0] == "Nearest neighbour" and row[-1] == "0.58"]
    assert [cell.split()[0] for cell in nearest[1:3]] == ["0.50", "0.50"]
    (paired,) = [row for row in rows if row[0] == "Paired <branch> only" and row[-1] == "0.93"]
    assert [cell.split()[0] for cell in paired[1:3]] == ["0.91", "\N{EN DASH}"]
    assert ["face", "★ 5.0 1", "10.0 1", "6.2 1", "5.5 1"] in rows
    assert ["person", "★ 0.900", "0.800", "0.875", "0.890"] in rows
    assert ["frame", "n/a: needs <torchmetrics>"] in rows
    assert ["person", "0.500 2", "0.500 2", "n/a 2", "0.500 2"] not in rows  # of equals each is best
    assert ["person", "★ 0.500 2", "★ 0.500 2", "n/a 2", "★ 0.500 2"] in rows
    assert ["eq. 8 and the error", "0.62 0.41 to 0.77", "n/a 1"] in rows
    assert ["steps", "12", "12", "12", "12"] in rows
    assert ["losses: vgg", *["20.41"] * 4] in rows
    assert ["peak memory, MiB", "2140", "2140", "\N{EN DASH}", "2140"] in rows
    assert ["frames: train", "400"] in rows


def test_page_has_all_parts_in_order(html: str) -> None:
    text = Page(html).text
    parts = [
        "2 March 2026, 10:11 UTC",
        "The paper's own Table 1 (Aberman et al. 2018)",
        "Another data set:",
        "as a share of the others' error",
        "Held <out>.",
        "Side by side",
        "Truth, then Performance cloning, Nearest neighbour, pix2pix, Paired <branch> only.",
        "All measures",
        "Error over time",
        "Worst frames: 2 (11.0), 5 (11.0), 8 (11.0). Best frames: 0 (9.0), 3 (9.0), 6 (9.0).",
        "Evenly spread",
        "In 37 % of the driver's frames at least one limb",
        "Did coverage predict the error?",
        "Yes: frames farther from the reference have larger errors.",
        "More telling was speed and the error: 0.70 (95 % interval 0.50 to 0.80).",
        "Driver, truth, then Performance cloning",
        "To repeat it",
        f"understudy evaluate --reference '{HOSTILE}' && echo",
        "accelerator",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_page_needs_nothing_beside_it(html: str) -> None:
    bare = re.sub(r"base64,[^\"]*", "", html)
    assert not re.search(r"https?:|src=\"//|href|<script|<link|@import|url\(|srcset", bare)
    assert "default-src 'none'" in bare
    page = Page(html)
    sources = [attributes["src"] or "" for _, attributes in page.tags if "src" in attributes]
    assert sources and all(source.startswith(("data:image/", "data:video/mp4;base64,")) for source in sources)
    pictures, videos = ([attributes for tag, attributes in page.tags if tag == kind] for kind in ("img", "video"))
    assert pictures and all(attributes.get("alt") for attributes in pictures)
    assert videos and all({"loop", "muted", "playsinline", "controls"} <= attributes.keys() for attributes in videos)


def test_names_cannot_become_markup(html: str) -> None:
    assert "<b>" not in html and "<branch>" not in html and "<out>" not in html and "<torch" not in html
    assert Page(html).text.count(HOSTILE) == 3  # title, heading, command


def test_clips_show_driver_truth_and_methods(html: str, tmp_path: Path) -> None:
    videos = [attributes for tag, attributes in Page(html).tags if tag == "video"]
    assert len(videos) == 2
    for number, video in enumerate(videos):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(base64.b64decode((video["src"] or "").split(",", 1)[1]))
        with VideoReader(path) as reader:
            frames = list(reader)
        assert len(frames) == FRAMES
        assert frames[0].shape[:2] == (int(video["height"] or 0), int(video["width"] or 0))
    # truth at the upper left, ours beside it: 40 and 70 are their backgrounds
    tile = report_clips.DETAILS[0].tile
    path = tmp_path / "0.mp4"
    with VideoReader(path) as reader:
        first = next(iter(reader))
    assert first[tile // 2, tile - 20].mean() == pytest.approx(40, abs=6)
    assert first[tile // 2, 2 * tile - 20].mean() == pytest.approx(70, abs=6)


def test_contact_sheets_hold_differences(html: str) -> None:
    sheets = [
        attributes
        for tag, attributes in Page(html).tags
        if tag == "img" and (attributes["src"] or "").startswith("data:image/webp")
    ]
    assert len(sheets) == 6
    assert sheets[0]["alt"] == (
        "Worst frames of self-reenactment: frames 2, 5, 8; truth, each method, and the differences"
    )
    content = np.frombuffer(base64.b64decode((sheets[0]["src"] or "").split(",", 1)[1]), np.uint8)
    assert cv2.imdecode(content, cv2.IMREAD_COLOR) is not None


def test_results_of_before_there_was_a_perceptual_distance_are_read_and_drawn(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    evaluation().save(path)
    content = json.loads(path.read_text())
    for test in content["tests"]:
        for one in test["methods"]:
            for measure in one["measures"].values():
                del measure["real"]
    path.write_text(json.dumps(content))
    old = Evaluation.load(path)
    assert old == evaluation()
    text = Page(write_report(old, folder, tmp_path / "old.html").read_text()).text
    assert "RMSE (RGB 0-255), person's box" in text and "erceptual" not in text


def test_rmse_stands_below_what_leads(folder: Path, tmp_path: Path) -> None:
    found = evaluation()
    led = {"perceptual": Measure("Perceptual distance", True, {"person": Summary(0.5, 0.4, 0.6)}, {})}
    methods = [replace(one, measures=led | one.measures) for one in found.tests[0].methods]
    found = replace(found, tests=[replace(found.tests[0], methods=methods)])
    text = Page(write_report(found, folder, tmp_path / "led.html").read_text()).text
    assert text.index("Perceptual distance, person's box") < text.index("RMSE (RGB 0-255), person's box")


def test_difference_picture() -> None:
    truth = np.full((2, 2, 3), 100, np.uint8)
    made = truth.copy()
    made[0, 0] += 48
    made[1, 1] = 250
    assert report_clips.difference(made, truth).tolist() == [[128, 0], [0, 255]]


def test_pages_with_nothing_in_them(folder: Path, tmp_path: Path) -> None:
    empty = replace(evaluation(), tests=[], settings={}, machine={}, made="yesterday")
    text = Page(write_report(empty, folder, tmp_path / "empty.html").read_text()).text
    assert "No method could be measured." in text and "yesterday" in text
    bare = without("rmse", "ssim", "pck")
    nothing = replace(coverage(), distance=[None] * FRAMES, limbs={}, correlations={})
    bare = replace(bare, tests=[replace(bare.tests[0], coverage=nothing)])
    text = Page(write_report(bare, folder, tmp_path / "sub" / "bare.html").read_text()).text
    assert "Evenly spread" in text and "Worst frames" not in text
    assert "It could not be computed." in text


def small() -> Evaluation:
    found = evaluation()
    return replace(found, tests=[replace(found.tests[0], methods=found.tests[0].methods[:1], coverage=None)])


def test_page_keeps_to_its_size(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = write_report(small(), folder, tmp_path / "a.html").stat().st_size
    assert whole < report.LARGEST_PAGE
    monkeypatch.setattr(report, "LARGEST_PAGE", int(whole * 0.97))
    smaller = write_report(small(), folder, tmp_path / "b.html")
    assert smaller.stat().st_size <= 0.97 * whole
    assert "its pictures and clips were made smaller" in Page(smaller.read_text()).text


def test_page_that_cannot_be_small_enough_says_so(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(report, "LARGEST_PAGE", 1000)
    monkeypatch.setattr(report, "DETAILS", (report.DETAILS[0], report.DETAILS[-1]))
    page = write_report(small(), folder, tmp_path / "a.html").read_text()
    assert "<video" not in page
    assert "its clips were left out" in Page(page).text
    assert "even without clips" in caplog.text


def test_long_tests_show_their_worst_and_best_stretch() -> None:
    test = replace(evaluation().tests[0], frames=120)
    errors = np.ones(120)
    errors[60:80] = 9
    errors[100:110] = 0.5
    whole = report_clips._stretches(errors, test, 10)
    assert [(one.title, one.start, one.stop) for one in whole] == [("The whole test", 0, 120)]
    worst, best = report_clips._stretches(errors, test, 2)
    assert 60 <= worst.start <= 68 and worst.stop == worst.start + 12
    assert worst.title == f"The 1.0 seconds with the highest error, from {report_clips.clock(worst.start / 12)}"
    assert best.start in (98, 99, 100)
    (unknown,) = report_clips._stretches(np.array([]), test, 2)
    assert (unknown.title, unknown.stop) == ("The first 1.0 seconds", 12)


def test_worst_frames_are_apart() -> None:
    errors = np.array([np.nan, 9, 8, 7, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 6])
    chosen = report_clips.choose_frames(errors, 20)
    assert chosen["Worst frames"] == [1, 3, 19]
    assert chosen["Best frames"][0] == 4
    assert chosen["Evenly spread"] == [0, 5, 10, 14, 19]


@pytest.mark.parametrize(
    ("clip", "frames", "error", "message"),
    [
        ("../secret.mp4", FRAMES, UsageError, r"the clip \.\./secret\.mp4 of test self-reenactment is not inside of"),
        ("/etc/secret.mp4", FRAMES, UsageError, "is not inside of"),
        ("clips/none.mp4", FRAMES, MediaError, r"none\.mp4"),
        ("clips/truth.mp4", FRAMES + 1, MediaError, "has 12 frames and its test 13: evaluate again"),
    ],
    ids=["out of the folder", "absolute", "missing", "too short"],
)
def test_clips_that_cannot_be_shown(
    folder: Path, tmp_path: Path, clip: str, frames: int, error: type[UnderstudyError], message: str
) -> None:
    found = evaluation()
    test = replace(found.tests[0], truth_clip=clip, frames=frames, coverage=None)
    with pytest.raises(error, match=message):
        write_report(replace(found, tests=[test]), folder, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_facts_take_anything() -> None:
    nested = {"a_b": {"c": 1.23456, "d": [1, 2]}, "e": None, "f": True, "g": list(range(9)), "h": float("nan")}
    assert facts(nested) == [
        ("a b: c", "1.235"),
        ("a b: d", "1, 2"),
        ("e", "\N{EN DASH}"),
        ("f", "yes"),
        ("g", "0, 1, 2, 3, 4, 5, 6, 7, ... (9 in all)"),
        ("h", "nan"),
    ]


def test_plots_take_gaps_long_clips_and_dollar_signs() -> None:
    gaps = [float("nan")] * 3 + [float(value) for value in range(1500)]
    lines = {f"$method_{number}$": gaps for number in range(10)}
    plot = report_plots.over_time(lines, 30.0, "a_$b", {5: "worst"})
    styles = {(line.get_color(), line.get_marker()) for line in plot.axes[0].lines if len(line.get_xdata()) > 3}
    assert len(styles) == len(report_plots.STYLES)
    assert report.plot_uri(plot).startswith("data:image/png")
    assert report.plot_uri(report_plots.scatter(gaps, lines, "$")).startswith("data:image/png")


def test_clips_in_a_page_say_that_something_in_them_was_generated(html: str, tmp_path: Path) -> None:
    """The truth is beside it: a composite. Whose actors they were, a report does not know."""
    shown = re.findall(r"data:video/mp4;base64,([A-Za-z0-9+/=]+)", html)
    assert shown
    for number, video in enumerate(shown):
        (tmp_path / f"{number}.mp4").write_bytes(base64.b64decode(video))
    for one in verify(sorted(tmp_path.iterdir())).files:
        assert one.verdict == "generated" and one.manifest is not None and one.manifest.intact
        assert one.metadata == one.manifest.source_type and str(one.metadata).endswith("/" + COMPOSITE)
        assert one.manifest.ours is not None and one.manifest.ours["performers"] == []
