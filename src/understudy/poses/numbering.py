"""Which frame of a clip a pose file belongs to, by the number in its name.

Tools that write one file per frame leave the file away where they saw nobody, and begin to count at 0 (OpenPose and
AlphaPose on a video) or at 1 (both on pictures that FFmpeg numbered). Nothing here knows about poses or files: names
and numbers in, numbers out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

_KEYPOINTS = "_keypoints"
_OPENPOSE_OF_A_VIDEO = re.compile(r"(.*_)?\d{12}_keypoints")
_COUNTED_FROM = (0, 1)
_MOST_DIGITS = 18
"""of a number in a name"""


def natural_key(name: str) -> list[tuple[int, str]]:
    """Sorts frame2 before frame10."""
    parts = (part for part in re.split(r"(\d+)", name) if part)
    return [(int(part), "") if _is_number(part) else (-1, part) for part in parts]


def _is_number(part: str) -> bool:
    """Whether digits are few enough to number something; of thousands, Python makes no number."""
    return part.isdecimal() and len(part) <= _MOST_DIGITS


def numbers_in(names: Sequence[str]) -> list[int] | None:
    """The frame number in each file name; None where the names are not numbered.

    All names must be alike but for the numbers in them. Of several numbers it is the one that differs in every name.

    Example:
        >>> numbers_in(["take2_0007_keypoints.json", "take2_0009_keypoints.json"])
        [7, 9]
        >>> numbers_in(["left.json", "right.json"]) is None
        True
    """
    parts = [_parts(name) for name in names]
    if not parts or len({tuple(one[0::2]) for one in parts}) != 1:
        return None
    if not all(_is_number(part) for one in parts for part in one[1::2]):
        return None
    columns = [[int(one[place]) for one in parts] for place in range(1, len(parts[0]), 2)]
    if len(parts) == 1:
        return columns[-1] if columns else None
    different = [column for column in columns if len(set(column)) == len(column)]
    return different[0] if len(different) == 1 else None


def odd_one(names: Sequence[str]) -> tuple[str, str] | None:
    """A name unlike most others, which are alike but for their numbers, and one of those; None: there is none."""
    patterns = [tuple(_parts(name)[0::2]) for name in names]
    usual, count = Counter(patterns).most_common(1)[0]
    if count == len(names) or 2 * count <= len(names) or len(usual) < 2:
        return None
    odd = next(name for name, pattern in zip(names, patterns, strict=True) if pattern != usual)
    return odd, names[patterns.index(usual)]


def _parts(name: str) -> list[str]:
    """Text and numbers by turns, text first."""
    return re.split(r"(\d+)", PurePath(name).stem.removesuffix(_KEYPOINTS))


def counts_from_zero(names: Sequence[str], by_alphapose: bool = False) -> bool:
    """Whether names are those that a tool gives to the frames of a video, of which the first has the number 0.

    OpenPose writes VIDEO_000000000012_keypoints.json; AlphaPose 12.json, or 12.jpg in its list, without zeros in front.
    """
    stems = [PurePath(name).stem for name in names]
    if by_alphapose and all(_is_number(stem) and str(int(stem)) == stem for stem in stems):
        return True
    return bool(stems) and all(_OPENPOSE_OF_A_VIDEO.fullmatch(stem) for stem in stems)


def possible_first_numbers(numbers: Sequence[int], frames: int, from_zero: bool = False) -> set[int]:
    """The numbers that the first frame of a clip may have, so that every number belongs to one of its frames.

    Where the numbers run over as many frames as the clip has (or one more, as headers are not always right), the first
    file is the first frame, whatever its number. Where they are fewer, files are missing at the start or at the end,
    and counting begins at 0 or at 1: the last number shows which, unless both would fit.

    Args:
        numbers: at least one, in any order.
        frames: of the clip.
        from_zero: the names are those of a tool that counts from 0.

    Returns:
        None of them, one, or 0 and 1 where nothing tells.

    Example:
        >>> possible_first_numbers([2, 3, 5], frames=6), possible_first_numbers([2, 3, 6], frames=6)
        ({0, 1}, {1})
    """
    low, high = min(numbers), max(numbers)
    span = high - low + 1
    if span > frames + 1:
        return set()
    if span >= frames:
        return {low}
    if from_zero and high < frames:
        return {0}
    return {first for first in _COUNTED_FROM if (first == low or low > 0) and high - first < frames}
