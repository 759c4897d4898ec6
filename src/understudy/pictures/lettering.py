"""Text on images: any script that a typeface is there for, at any size, broken into lines or cut off so that it fits.

Typefaces are chosen letter by letter, see typefaces.py; what one cannot show is "□". A piece of text in one typeface is
set by Pillow: where that has Raqm and FriBiDi (its own wheels do), Arabic letters join and run from right to left.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from understudy.pictures.typefaces import runs

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

Image = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]


def line_height(size: int) -> int:
    """Pixels from one line of text to the next, for letters of `size` pixels (the em)."""
    return size + (size + 2) // 3


def text_width(text: str, size: int) -> int:
    """Pixels that a line of text takes."""
    return int(_coverage(text, size).shape[1])


def longest_word(text: str, size: int) -> int:
    """Pixels that the widest single word takes: a line narrower than that must cut it."""
    return max((text_width(word, size) for word in text.split()), default=0)


def shortened(text: str, size: int, width: int) -> str:
    """The text, or as much of its beginning as fits in `width` pixels with "…" after it."""
    if text_width(text, size) <= width:
        return text
    kept = len(text)
    while kept and text_width(text[:kept].rstrip() + "…", size) > width:
        kept -= 1
    return text[:kept].rstrip() + "…" if kept else ""


def wrapped(text: str, size: int, width: int) -> list[str]:
    """Lines of at most `width` pixels, broken between words; a single word that is too wide is cut off."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return [shortened(line, size, width) for line in lines]


def write(image: Image, text: str, left_top: tuple[int, int], size: int, colour: Colour) -> None:
    """Sets one line of text into the image, in place; what lies outside of it is cut off."""
    left, top = left_top
    region = image[top : top + line_height(size), left:]
    coverage = _coverage(text, size)[: region.shape[0], : region.shape[1], None]
    region = region[: coverage.shape[0], : coverage.shape[1]]
    region[:] = np.rint(region * (1 - coverage) + np.array(colour) * coverage).astype(np.uint8)


def text_block(lines: list[str], size: int, colour: Colour, ground: Colour, centred: bool = False) -> Image:
    """An image just large enough for the lines; (0, 0, 3) for none."""
    width = max((text_width(line, size) for line in lines), default=0)
    block = np.full((len(lines) * line_height(size), width, 3), ground, np.uint8)
    for number, line in enumerate(lines):
        left = (width - text_width(line, size)) // 2 if centred else 0
        write(block, line, (left, number * line_height(size)), size, colour)
    return block


@lru_cache(maxsize=1024)  # the labels of a video are the same on every frame
def _coverage(text: str, size: int) -> npt.NDArray[np.float32]:
    """(line_height, width) in [0, 1]: how much of each pixel the letters cover, on a common base line."""
    from PIL import Image, ImageDraw

    if not text.strip():
        return np.zeros((line_height(size), 0), np.float32)
    pieces = [(piece, _font(path, size)) for piece, path in runs(text)]
    widths = [font.getlength(piece) for piece, font in pieces]
    canvas = Image.new("L", (ceil(sum(widths)) + 2 * size, line_height(size)))
    left = float(size)
    for (piece, font), width in zip(pieces, widths, strict=True):
        ImageDraw.Draw(canvas).text((left, size + size // 12), piece, fill=255, font=font, anchor="ls")
        left += width
    covered: npt.NDArray[np.float32] = np.asarray(canvas, np.float32) / np.float32(255)
    inked = np.flatnonzero(covered.any(axis=0))
    return covered[:, inked[0] : inked[-1] + 1] if len(inked) else covered[:, :0]


@lru_cache(maxsize=64)
def _font(path: Path, size: int) -> FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(str(path), size)
