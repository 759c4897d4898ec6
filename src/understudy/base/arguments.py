"""What public functions are asked with: the words to choose from, and the checks that several of them make.

Nothing heavy is imported here, so that the command line can read the functions' signatures at once. Messages name a
parameter in backticks, with what was given as Python writes it; the command line makes an option of that.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, get_args

from understudy.errors import UsageError

StrPath: TypeAlias = str | os.PathLike[str]
Region = tuple[int, int, int, int]
"""left, top, width, height in pixels of the picture"""
Rotation = Literal[0, 90, 180, 270]
"""degrees clockwise"""

Device = Literal["auto", "cpu", "cuda", "mps"]
Preset = Literal["instant", "preview", "fast", "paper"]
TrainingPreset = Literal["preview", "fast", "paper"]
"""those that train a network"""
NormalizeBy = Literal["similarity", "ground", "ground-printed"]
"""one scale and translation a video, or one for every frame by the feet (`global_normalization`), steadier than its
paper prints it, or as printed"""
ScaleBy = Literal["hips", "body"]
Layout = Literal["side-by-side", "stage"]
Fit = Literal["placed", "whole"]
"""where the performer stands by itself, or so that all of it is in the picture"""
MissingLimbs = Literal["stand", "crop", "fade"]
"""what becomes of the legs that a driver does not show: they stand, are outside of the picture, or are faded out"""
Label = Literal["none", "corner"]
"""whether a video says to people that it was generated, too"""
PosesFrom = Literal["osc", "vmc", "mediapipe"]
"""what sends poses to a live performance"""
Mend = Literal["auto", "always", "never"]
"""whether a network mends what is warped live"""
TrackerName = Literal["blazepose", "rtmlib"]
Landmarks = Literal["body", "wholebody"]

FORMER_WORDS = {("features", "imagenet"): "vgg19"}
"""what a number of a config was called before, in actors and run folders of older versions"""


def word_of_today(name: str, value: Any) -> Any:
    """A value of a config as it is called now; all but a few former words stay as they are.

    Args:
        name: of the number, a path with dots, of which the last word counts.
    """
    return FORMER_WORDS.get((name.rpartition(".")[2], value), value) if isinstance(value, str) else value


def check_choice(name: str, given: object, choices: Iterable[str]) -> None:
    """One of the words that there are was given for the parameter `name`.

    Raises:
        UsageError: another one.
    """
    if given not in (choices := tuple(choices)):
        raise UsageError(f"`{name}={given!r}`: there is no such one; choose one of {', '.join(choices)}")


def check_rotation(name: str, given: object) -> None:
    """A picture can be turned by so many degrees.

    Raises:
        UsageError: no quarter turn.
    """
    if given not in get_args(Rotation):
        raise UsageError(f"`{name}={given!r}`: pictures are turned by 90, 180 or 270 degrees, clockwise")


def check_limits(max_minutes: float | None, max_steps: int | None = None) -> None:
    """Training may stop so early.

    Raises:
        UsageError: it would never begin.
    """
    if max_minutes is not None and not 0 < max_minutes < float("inf"):
        raise UsageError(f"`max_minutes` must be above 0, not {max_minutes:g}")
    if max_steps is not None and max_steps < 1:
        raise UsageError(f"`max_steps` must be at least 1, not {max_steps}")


def check_memory(memory_gb: float | None) -> None:
    """So much of the machine's memory may be taken; 0 leaves everything on the disk.

    Raises:
        UsageError: it is no such number.
    """
    if memory_gb is not None and not 0 <= memory_gb < float("inf"):
        raise UsageError(f"`memory_gb` must be at least 0, not {memory_gb:g}: how many gigabytes may frames take?")


def check_seed(seed: int) -> None:
    """Generators of random numbers take it.

    Raises:
        UsageError: it is below 0.
    """
    if seed < 0:
        raise UsageError(f"`seed` must be 0 or above, not {seed}")
