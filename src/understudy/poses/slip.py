"""What a tracker got wrong in some frames of a clip, and whether it was mended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from understudy.base.runs import runs
from understudy.base.stored import brief, whole, word

Done = Literal["mended", "left out", "kept"]
"""what was done: put right, or guessed over; taken for frames without anybody; or nothing"""
SHOWN = 12
"""ranges of frames that are named in a line; the rest is counted"""


@dataclass(frozen=True)
class Slip:
    """Frames with the same thing wrong in them."""

    kind: str
    """in words, such as "sides exchanged" """
    done: Done
    frames: tuple[tuple[int, int], ...]
    """first and last frame of every run, from 0, in order"""

    @classmethod
    def of(cls, kind: str, done: Done, wrong: npt.NDArray[np.bool_]) -> Slip:
        """From (T,) true where it is wrong."""
        return cls(kind, done, tuple((first, stop - 1) for first, stop in runs(wrong)))

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> Slip:
        """From JSON.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        frames = tuple((whole(first), whole(last)) for first, last in content["frames"])
        if content["done"] not in get_args(Done):
            raise ValueError(f"{brief(content['done'])} was done")
        return cls(word(content["kind"]), content["done"], frames)

    @property
    def count(self) -> int:
        """frames in all"""
        return sum(last - first + 1 for first, last in self.frames)

    def kept(self) -> Slip:
        """The same, with nothing done."""
        return replace(self, done="kept")

    def __str__(self) -> str:
        """For instance "sides exchanged, mended: frames 12-15, 40"."""
        ranges = [str(first) if first == last else f"{first}-{last}" for first, last in self.frames[:SHOWN]]
        more = f", and {len(self.frames) - SHOWN} more times" if len(self.frames) > SHOWN else ""
        word = "frame" if self.count == 1 else "frames"
        return f"{self.kind}, {self.done}: {word} {', '.join(ranges)}{more}"
