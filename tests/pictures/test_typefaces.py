"""Names in every script: a made typeface stands for one that is installed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from understudy.pictures import lettering, typefaces

NAME = "李明 dances"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What was found for letters before is looked up anew, here and in the tests after."""

    def forget() -> None:
        for remembering in (typefaces._font_with, typefaces._note_missing, lettering._coverage):
            remembering.cache_clear()

    forget()
    yield
    forget()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes it look as if just these font files were installed."""

    def install(*paths: Path) -> None:
        monkeypatch.setattr(typefaces, "installed_fonts", lambda: paths)

    return install


def typeface(path: Path, letters: str, drawn: bool = True) -> Path:
    """A font in which each of the letters is a filled square of half an em, or nothing at all."""
    names = [f"letter{number}" for number in range(len(letters))]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names])
    builder.setupCharacterMap({ord(letter): name for letter, name in zip(letters, names, strict=True)})
    pen = TTGlyphPen(None)
    if drawn:
        pen.moveTo((100, 0))
        for corner in ((100, 500), (600, 500), (600, 0)):
            pen.lineTo(corner)
        pen.closePath()
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), **{name: pen.glyph() for name in names}})
    builder.setupHorizontalMetrics({name: (700, 100) for name in [".notdef", *names]})
    builder.setupHorizontalHeader(ascent=900, descent=-200)
    builder.setupNameTable({"familyName": path.stem, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return path


def pieces(text: str) -> list[tuple[str, str]]:
    return [(piece, path.stem) for piece, path in typefaces.runs(text)]


def test_a_name_is_set_in_the_typefaces_that_have_its_letters(tmp_path, installed) -> None:
    installed(typeface(tmp_path / "Other.ttf", "明"), typeface(tmp_path / "Han.ttf", "李明a"))
    assert pieces(NAME) == [("李", "Han"), ("明", "Other"), (" dances", "DejaVuSans")]
    assert pieces("") == [] and pieces("Größe Жар Ωμέγα أحمد") == [("Größe Жар Ωμέγα أحمد", "DejaVuSans")]


def test_letters_of_another_typeface_are_drawn_where_they_belong(tmp_path, installed) -> None:
    installed(typeface(tmp_path / "Han.ttf", "李"))
    image = np.zeros((40, 200, 3), np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lettering.write(image, "李", (10, 5), 20, (255, 255, 255))
    rows, columns = np.nonzero(image[..., 0] > 127)
    base_line = 5 + 20 + 20 // 12
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (10, 10), "half an em, not the box of a missing letter"
    assert rows.max() == base_line - 1 and columns.min() == 10
    alone = lettering.text_width("dances", 20)
    assert alone + 14 < lettering.text_width("李 dances", 20) < alone + 14 + 10


def test_letters_that_nobody_has_are_boxes_and_that_is_said_once(installed, caplog) -> None:
    installed()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pieces(NAME) == [("□□ dances", "DejaVuSans")]
        assert lettering.text_width(NAME, 20) == lettering.text_width("□□ dances", 20)
        assert pieces("李 나 🎉") == [("□ □ □", "DejaVuSans")]
    assert [line.split(":")[0] for line in caplog.messages] == [
        "no typeface on this machine has the letters called CJK",
        "no typeface on this machine has the letters called HANGUL",
        "no typeface on this machine has pictographs",
    ]


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        pytest.param("two\nlines\tof\x00it", "two lines of it", id="control characters"),
        pytest.param("bad\udcff.mp4", "bad\ufffd.mp4", id="bytes that are no text"),
        pytest.param("e\u0301", "e\u0301", id="accent"),
        pytest.param("न\u0947", "□", id="accent of a letter that is missing"),
        pytest.param("🎉\u200d🎉", "□\u200d□", id="joined pictographs"),
    ],
)
def test_what_is_no_plain_letter(installed, text: str, drawn: str) -> None:
    installed()
    assert "".join(piece for piece, _ in pieces(text)) == drawn
    assert lettering.text_width(text, 12) > 0
    lettering.write(np.zeros((20, 50, 3), np.uint8), text, (0, 0), 12, (255, 255, 255))


def test_fonts_that_show_nothing_or_are_damaged_are_passed_over(tmp_path, installed) -> None:
    (tmp_path / "Damaged.ttf").write_bytes(b"OTTO damaged")
    empty, good = typeface(tmp_path / "Colour.ttf", "李", drawn=False), typeface(tmp_path / "Han.ttf", "李")
    installed(tmp_path / "Damaged.ttf", tmp_path / "gone.ttf", empty, good)
    assert pieces("李") == [("李", "Han")]


def test_plain_upright_fonts_come_first(tmp_path, monkeypatch) -> None:
    names = ["Han-Bold.ttc", "HanSerif.otf", "LastResort.otf", "Zhong.ttf", "SansSerif.ttf", "Han-Regular.ttc"]
    monkeypatch.setattr("matplotlib.font_manager.findSystemFonts", lambda: [f"/fonts/{name}" for name in names])
    found = typefaces.installed_fonts.__wrapped__()
    assert [path.name for path in found] == [
        "Han-Regular.ttc",
        "SansSerif.ttf",
        "Zhong.ttf",
        "Han-Bold.ttc",
        "HanSerif.otf",
    ]


def test_plots_are_given_families_that_they_can_draw(tmp_path, installed) -> None:
    from matplotlib.figure import Figure

    installed(typeface(tmp_path / "Han.ttf", "李"))
    text, families = typefaces.families("李明")
    assert (text, families) == ("李□", ["DejaVu Sans", "Han"])
    figure = Figure()
    figure.text(0, 0, text, fontfamily=families)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(tmp_path / "plot.png")
