"""Which typeface has a letter: DejaVu Sans, which comes with matplotlib, or else one that is installed on this machine.

DejaVu Sans has Latin, Greek, Cyrillic, Arabic, Hebrew and many signs, but no Chinese, Japanese or Korean. A letter that
no installed typeface has is shown as "□", and a note says so once; nothing is left out, and nothing is transliterated.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

UNKNOWN_LETTER = "□"
STYLES = ("bold", "black", "heavy", "light", "thin", "italic", "oblique", "condensed", "mono", "serif", "color")
"""words in a file's name that make it a second choice"""
FOR_NO_LETTERS = ("lastresort", "blank")
"""words in the names of typefaces that show the same box for every letter, or nothing"""
_PROBE_SIZE = 16

log = logging.getLogger(__name__)


def runs(text: str) -> Iterator[tuple[str, Path]]:
    """The text in pieces, each with the font file that it is to be set in; joined they are the text.

    Control characters become spaces, bytes of a file's name that are no text "�", and letters that no typeface has "□".
    An accent that is not in its letter's typeface is left out.
    """
    begun, chosen = "", default_font()
    for letter in text:
        letter, path = _letter_and_font(letter, chosen)
        if path != chosen and begun:
            yield begun, chosen
            begun = ""
        begun, chosen = begun + letter, path
    if begun:
        yield begun, chosen


def families(text: str) -> tuple[str, list[str]]:
    """The text as `runs` has it, and the names of the families in which matplotlib can set it, the default first."""
    from matplotlib.font_manager import fontManager
    from matplotlib.ft2font import FT2Font

    pieces = list(runs(text))
    paths = list(dict.fromkeys([default_font(), *(path for _, path in pieces)]))
    for path in paths[1:]:
        fontManager.addfont(path)
    return "".join(piece for piece, _ in pieces), [FT2Font(str(path)).family_name for path in paths]


@lru_cache(maxsize=1)
def default_font() -> Path:
    """DejaVu Sans, which comes with matplotlib."""
    from matplotlib import get_data_path

    return Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


@lru_cache(maxsize=1)
def installed_fonts() -> tuple[Path, ...]:
    """Font files of this machine; plain upright ones first, and in the same order every time."""
    from matplotlib.font_manager import findSystemFonts

    def rank(path: Path) -> tuple[int, str, str]:
        name = path.stem.lower()
        second_choice = sum(word in name.replace("sansserif", "") for word in STYLES)
        return second_choice, name, str(path)

    found = [Path(path) for path in findSystemFonts()]
    return tuple(sorted((p for p in found if not any(word in p.stem.lower() for word in FOR_NO_LETTERS)), key=rank))


def _letter_and_font(letter: str, before: Path) -> tuple[str, Path]:
    kind = unicodedata.category(letter)
    if kind in ("Cc", "Zl", "Zp"):
        return " ", before
    if kind == "Cs":
        return "\ufffd", default_font()
    if kind in ("Mn", "Me", "Mc", "Cf"):  # accents, and signs that only say how their neighbours are joined
        return letter if ord(letter) in _letters_of(before) else "", before
    path = _font_with(letter)
    return (UNKNOWN_LETTER, default_font()) if path is None else (letter, path)


@lru_cache(maxsize=4096)
def _font_with(letter: str) -> Path | None:
    for path in (default_font(), *installed_fonts()):
        if ord(letter) in _letters_of(path) and (path == default_font() or _draws(path, letter)):
            return path
    _note_missing("pictographs" if unicodedata.category(letter) == "So" else _script_of(letter))
    return None


@lru_cache(maxsize=256)  # said once for each
def _note_missing(letters: str) -> None:
    log.warning(
        "no typeface on this machine has %s: they are shown as %s; install one, for example from Noto",
        letters,
        UNKNOWN_LETTER,
    )


def _script_of(letter: str) -> str:
    """For example "the letters called HANGUL": the first word of a letter's Unicode name is its script."""
    return f"the letters called {unicodedata.name(letter, 'unknown').split()[0]}"


@lru_cache(maxsize=4096)
def _letters_of(path: Path) -> npt.NDArray[np.uint32]:
    """The code points that a font has; none when it cannot be read."""
    from matplotlib.ft2font import FT2Font

    try:
        return np.fromiter(FT2Font(str(path)).get_charmap(), np.uint32)
    except (RuntimeError, OSError, ValueError):
        return np.zeros(0, np.uint32)


def _draws(path: Path, letter: str) -> bool:
    """Whether anything is seen: colour fonts have letters without outlines, and some cannot be had at every size."""
    from PIL import ImageFont

    try:
        return letter.isspace() or ImageFont.truetype(str(path), _PROBE_SIZE).getmask(letter).getbbox() is not None
    except (OSError, ValueError):
        return False
