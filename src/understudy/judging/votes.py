"""What a study asked, and what its judges answered: the two files, read and checked."""

from __future__ import annotations

import math
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from understudy.base.files import read_json, write_json
from understudy.errors import UsageError

VERSION = 1
"""of votes and of study.json"""
KEY_NAME = "study.json"

Kind = Literal["pairs", "single"]
CHOICES: dict[str, tuple[str, str]] = {"pairs": ("a", "b"), "single": ("real", "generated")}

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Item:
    """One question of a study, and what the judges are not told."""

    item: str
    """neutral name, as in the votes"""
    methods: tuple[str, ...]
    """of a pair: those of sides a and b; of a single video: its own"""
    files: tuple[str, ...]
    """names of the files they came from"""
    expected: str | None
    """of an attention check: the only right answer; None of all others"""


@dataclass(frozen=True)
class Key:
    """What study.json holds: who is who."""

    study: str
    """hash of the items and their videos"""
    kind: Kind
    items: tuple[Item, ...]

    def save(self, path: str | os.PathLike[str], **more: Any) -> None:
        """Writes JSON, with `more` beside it for people to read."""
        write_json(path, {"understudy_study": VERSION, **asdict(self), **more})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Key:
        """Reads what `save` wrote; takes the study's folder too.

        Raises:
            UsageError: it cannot be read, is no study or of another version.
        """
        path = Path(path)
        if path.is_dir():
            path = path / KEY_NAME
        content = read_json(path, UsageError)
        try:
            _check_version(path, content, "study")
            items = tuple(
                Item(_identifier(i["item"]), tuple(i["methods"]), tuple(i["files"]), i["expected"])
                for i in content["items"]
            )
            return cls(_identifier(content["study"]), _kind(content["kind"]), items)
        except (KeyError, TypeError, ValueError) as cause:
            raise UsageError(f"{path} is not the {KEY_NAME} of a study ({_reason(cause)})") from None


@dataclass(frozen=True)
class Answer:
    """One judge's answer to one question."""

    item: str
    choice: str
    """one of CHOICES"""
    left: str | None
    """of a pair: which side, a or b, was shown left or above"""
    seconds: float
    """for which the judge looked at it"""


@dataclass(frozen=True)
class Votes:
    """One judge's file."""

    path: Path
    study: str
    kind: Kind
    judge: str
    finished: str
    """time, ISO 8601"""
    answers: tuple[Answer, ...]


def read_votes(path: str | os.PathLike[str]) -> Votes:
    """Reads what a judge downloaded.

    Raises:
        UsageError: it cannot be read, is of another version, or is no file of votes.
    """
    path = Path(path)
    content = read_json(path, UsageError)
    try:
        _check_version(path, content, "votes")
        kind = _kind(content["kind"])
        answers = tuple(_answer(answer, kind) for answer in content["answers"])
        return Votes(
            path, _identifier(content["study"]), kind, _identifier(content["judge"]), str(content["finished"]), answers
        )
    except (KeyError, TypeError, ValueError) as cause:
        raise UsageError(f"{path} is not a file of votes ({_reason(cause)})") from None


def _answer(content: dict[str, Any], kind: Kind) -> Answer:
    choice, left = content["choice"], content.get("left")
    if choice not in CHOICES[kind]:
        raise ValueError(f"{choice!r} is no answer to {content['item']}")
    if kind == "pairs" and left not in CHOICES[kind]:
        raise ValueError(f"{left!r} cannot be left in {content['item']}")
    seconds = float(content["seconds"])
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"{seconds} seconds is no time for {content['item']}")
    return Answer(_identifier(content["item"]), choice, left, seconds)


def _check_version(path: Path, content: Any, what: str) -> None:
    if not isinstance(content, dict) or "understudy_study" not in content:
        raise ValueError("it does not say understudy_study")
    if content["understudy_study"] != VERSION:
        raise UsageError(
            f"the {what} in {path} have version {content['understudy_study']!r}, and this program reads {VERSION}"
        )


def _kind(value: Any) -> Kind:
    if value not in CHOICES:
        raise ValueError(f"{value!r} is no kind of study")
    return value  # type: ignore[no-any-return]


def _identifier(value: Any) -> str:
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise ValueError(f"{str(value)[:40]!r} is no name of a study, judge or item")
    return value


def _reason(cause: Exception) -> str:
    return f"it lacks {cause}" if isinstance(cause, KeyError) else str(cause)
