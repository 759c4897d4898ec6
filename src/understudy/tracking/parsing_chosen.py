"""Which parser a user chose: one word, and the file or folder that it names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from understudy.base.weights import SELFIE, at_hand, may_fetch
from understudy.errors import UsageError

if TYPE_CHECKING:
    from understudy.base.arguments import Rotation
    from understudy.tracking.looks import Looks
    from understudy.tracking.parsing import Parser

Numbering = Literal["vip", "lip", "atr"]
_NUMBERINGS: dict[str, Numbering] = {"vip": "vip", "lip": "lip", "atr": "atr"}


class Choice(NamedTuple):
    """What `parsing` named.

    Attributes:
        kind: "auto", "network", "selfie" or "maps".
        numbering: of labels: "vip", "lip" or "atr".
        path: of the file or folder; None with "auto".
    """

    kind: str
    numbering: Numbering
    path: Path | None

    @property
    def name(self) -> str:
        """What a performance says its label maps are of: "auto", "selfie", "lip", "atr" or "given"."""
        return {"network": self.numbering, "maps": "given"}.get(self.kind, self.kind)


def chosen(parsing: str) -> Choice:
    """Reads what a user typed, and looks whether it is there.

    Args:
        parsing: "auto"; "lip:FILE" or "atr:FILE", an ONNX network with labels numbered so; "selfie", MediaPipe's
            multiclass selfie segmenter, fetched once, or "selfie:FILE"; FOLDER (or "lip:FOLDER", "atr:FOLDER"), label
            maps as PNG, one a frame; of a photograph FILE.png, likewise.

    Raises:
        UsageError: none of these.
        TrainingError: what was fetched is not what was published.

    Example:
        >>> chosen("auto").kind
        'auto'
    """
    if parsing == "auto":
        return Choice("auto", "vip", None)
    if parsing == "selfie":
        segmenter = at_hand(SELFIE, may_fetch())
        if segmenter is None:
            raise UsageError(
                f"the weights of {SELFIE.title} are not at {SELFIE.path}, and cannot be fetched: "
                f"fetch {SELFIE.address} yourself and give it as selfie:FILE, or take auto"
            )
        return Choice("selfie", "vip", segmenter)
    head, colon, rest = parsing.partition(":")
    said = head if colon and head in (*_NUMBERINGS, "selfie") else ""
    path = Path(rest) if said else Path(parsing)
    numbering = _NUMBERINGS.get(said, "vip")
    if said != "selfie" and (path.is_dir() or (path.is_file() and path.suffix.lower() == ".png")):
        return Choice("maps", numbering, path)
    if not path.exists():
        raise UsageError(
            f"`parsing` names {path}, which is not there: "
            "give auto, lip:FILE, atr:FILE, selfie, selfie:FILE or a folder of maps"
        )
    if said == "selfie" and path.is_file():
        return Choice("selfie", "vip", path)
    if said and path.is_file():
        return Choice("network", numbering, path)
    raise UsageError(
        f"`parsing` names the file {path} and not what it is: write lip:{path}, atr:{path} or selfie:{path}"
    )


def check_usable(choice: Choice) -> None:
    """Opens what a choice names, so that it is known before a clip is tracked whether it can be used.

    Raises:
        UsageError, MediaError: it cannot.
    """
    from understudy.tracking.parsing_files import maps_in_order
    from understudy.tracking.parsing_networks import SelfieClasses, onnx_session

    if choice.path is None:
        return
    if choice.kind == "selfie":
        SelfieClasses(choice.path)
    elif choice.kind == "network":
        onnx_session(choice.path)
    else:
        maps_in_order(choice.path)


def parser_of(
    choice: Choice,
    square: tuple[int, int, int],
    size: int,
    original_hw: tuple[int, int],
    rotate: Rotation = 0,
    looks: Looks | None = None,
    first: int = 0,
    to_end: bool = True,
) -> Parser:
    """The parser for the working frames of one clip.

    Args:
        choice: from `chosen`.
        square, size, original_hw, rotate, first, to_end: as of `parsing_files.GivenMaps`.
        looks: what the person wears, where a parser asks; None learns it from every frame.

    Raises:
        UsageError, MediaError: the file or folder cannot be used.
    """
    from understudy.tracking.parsing import BuiltInParser
    from understudy.tracking.parsing_files import GivenMaps
    from understudy.tracking.parsing_networks import OnnxParser, SelfieClasses, SelfieParser, onnx_session

    if choice.path is None:
        return BuiltInParser(looks)
    if choice.kind == "selfie":
        return SelfieParser(SelfieClasses(choice.path), looks)
    if choice.kind == "network":
        return OnnxParser(onnx_session(choice.path), choice.numbering, str(choice.path))
    return GivenMaps(choice.path, choice.numbering, square, size, original_hw, rotate, first, to_end)
