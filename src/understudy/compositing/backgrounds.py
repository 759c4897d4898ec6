"""What stands behind the performer: the reference's room, the driver's, a colour, a picture, a video or nothing."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.arguments import StrPath
from understudy.errors import UsageError

Image = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

COLOURS: dict[str, Colour] = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "grey": (128, 128, 128),
    "gray": (128, 128, 128),
    "red": (255, 0, 0),
    "yellow": (255, 255, 0),
    "magenta": (255, 0, 255),
    "cyan": (0, 255, 255),
    "green": (0, 177, 64),  # the studio's key green and blue: what compositors expect under these names
    "blue": (0, 71, 187),
}
_CHOICES = (
    "reference, inpainted, driving, transparent, a colour ("
    + ", ".join(COLOURS)
    + ", #rrggbb or r,g,b), or an image or video file"
)


@dataclass(frozen=True)
class Background:
    """What stands behind the performer.

    Example:
        Background.of("#202030").frames((1080, 1920), fps, reference=room, driving=performance.background)
    """

    what: Literal["reference", "driving", "transparent"] | Colour | Path = "reference"
    """the room of the reference clip, the driver's, nothing, a colour, or a picture or video that can be read"""

    @classmethod
    def of(cls, given: StrPath) -> Background:
        """Reads the argument `background`: a word, a colour, or the name of a picture or video, which is looked into.

        Raises:
            UsageError: it is none of these, or names a file that does not exist.
            MediaError: the file cannot be read, which is better known before hours of training than after.
        """
        words = str(given).strip()
        if words.lower() == "inpainted":  # of a photograph, which has no room but the one that was filled in
            return cls("reference")
        for word in ("reference", "driving", "transparent"):
            if words.lower() == word:
                return cls(word)
        if words.lower() in COLOURS:
            return cls(COLOURS[words.lower()])
        if words.startswith("#"):
            return cls(_hexadecimal(words))
        if re.fullmatch(r"\s*\d+\s*,\s*\d+\s*,\s*\d+\s*", words):
            red, green, blue = (int(part) for part in words.split(","))
            if max(red, green, blue) > 255:
                raise UsageError(f"`background={words!r}`: each part of r,g,b must be between 0 and 255")
            return cls((red, green, blue))
        if Path(given).is_file():
            found = cls(Path(given))
            found.shape_hw((1, 1))  # which reads it
            return found
        raise UsageError(f"`background={words!r}` is neither a colour nor an existing file: use {_CHOICES}")

    @property
    def transparent(self) -> bool:
        return self.what == "transparent"

    @property
    def filmed(self) -> bool:
        """Whether it shows something, unless that was drawn: pictures and videos may have been."""
        return isinstance(self.what, Path) or self.what in ("reference", "driving")

    @property
    def moving(self) -> bool:
        """Whether it is a video."""
        from understudy.media.reading import is_image

        return isinstance(self.what, Path) and not is_image(self.what)

    def shape_hw(self, driving_hw: tuple[int, int]) -> tuple[int, int] | None:
        """Height and width, of which only the ratio counts; None of what has no shape, or that of whoever is shown.

        Args:
            driving_hw: those of the driver's clip.

        Raises:
            MediaError: the file cannot be read.
        """
        if isinstance(self.what, Path):
            from understudy.media.reading import is_image, probe, read_image

            if is_image(self.what):
                height, width, _ = read_image(self.what).shape
                return height, width
            return probe(self.what).size_hw
        return driving_hw if self.what == "driving" else None

    def check_room(self, paints_room: bool) -> None:
        """A room that was learnt along with the person cannot be exchanged.

        Raises:
            UsageError: another background was asked for.
        """
        if paints_room and self.what != "reference":
            raise UsageError(
                "`background` must be reference: this actor paints the room of its reference along with the person; "
                "an actor of `preset` fast or preview is cut out and can stand anywhere"
            )

    def frames(
        self, size_hw: tuple[int, int], fps: Fraction, *, reference: Image, driving: Callable[[], Image]
    ) -> Iterator[Image]:
        """Endless backgrounds, each a fresh (H, W, 3) uint8 array that may be drawn on; (H, W, 4) zeros if transparent.

        Args:
            size_hw, fps: of the output video. Pictures and videos fill it (cut where the shape differs); a video keeps
                its own speed and starts again when it ends.
            reference, driving: the still backgrounds of both clips, (h, w, 3) RGB; the second is asked for only if
                used.
        """
        if self.what == "transparent":
            return (np.zeros((*size_hw, 4), np.uint8) for _ in itertools.count())
        if isinstance(self.what, tuple):
            return _still(np.broadcast_to(np.array(self.what, np.uint8), (*size_hw, 3)))
        if isinstance(self.what, Path):
            from understudy.media.reading import read_image

            if self.moving:
                return _looped(self.what, size_hw, fps)
            return _still(cover(read_image(self.what), size_hw))
        return _still(cover(reference if self.what == "reference" else driving(), size_hw))


REFERENCE = Background()
"""the room of the reference clip"""


def _hexadecimal(words: str) -> Colour:
    digits = words[1:]
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    if not re.fullmatch(r"[0-9a-fA-F]{6}", digits):
        raise UsageError(f"`background={words!r}`: write a colour as #rrggbb, for example #00b140")
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def cover(image: Image, size_hw: tuple[int, int]) -> Image:
    """Scales (h, w, 3) so that it fills `size_hw` and cuts what stands over, evenly on both sides."""
    (height, width), (h, w) = size_hw, image.shape[:2]
    if (h, w) == (height, width):
        return image
    scale = max(height / h, width / w)
    scaled_hw = max(height, round(h * scale)), max(width, round(w * scale))
    shrinks = scale < 1
    scaled = cv2.resize(image, scaled_hw[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    top, left = (scaled_hw[0] - height) // 2, (scaled_hw[1] - width) // 2
    return np.ascontiguousarray(scaled[top : top + height, left : left + width])


def _still(image: Image) -> Iterator[Image]:
    return (image.copy() for _ in itertools.count())


def _looped(path: Path, size_hw: tuple[int, int], fps: Fraction) -> Iterator[Image]:
    from understudy.media.reading import VideoReader, probe

    source_hw = probe(path).size_hw
    scale = max(size_hw[0] / source_hw[0], size_hw[1] / source_hw[1])
    needed = int(np.ceil(max(source_hw) * scale)) if scale < 1 else None
    while True:
        with VideoReader(path, long_side=needed, tolerate_damage=True) as reader:  # it comes after all the work
            shown = 0
            for number, frame in enumerate(reader, start=1):
                fitted = None
                while Fraction(shown) / fps < Fraction(number) / reader.fps:  # until this frame's time is over
                    fitted = cover(frame, size_hw) if fitted is None else fitted
                    yield fitted.copy()
                    shown += 1
