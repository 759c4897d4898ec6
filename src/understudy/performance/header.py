"""What performance.json says, and that the files it names are there and as they were written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

from understudy.base.arguments import Rotation
from understudy.base.files import read_json, sha256_of
from understudy.base.stored import brief, number, rate, whole, word
from understudy.base.things import pasted, what_is
from understudy.errors import PerformanceError
from understudy.media.images import MAX_SIDE
from understudy.performance.edit_list import EditList
from understudy.poses.similarity import Similarity
from understudy.poses.slip import Slip

VERSION = 1
"""of the folder's layout; another version is refused rather than misread"""
MISSING, INTERPOLATED, FOUND = 0, 1, 2
"""what `Performance.status` says of a frame's pose"""
FLOW_SHRINK = 4
"""working pixels per cell of the stored flow"""

UNSAID: dict[str, Any] = {"rotate": 0, "double_rate": False, "slips": (), "parsing": "", "surface": "", "fixes": None}
"""what headers of older versions do not say, and what it was then"""
HEADER_FILE = "performance.json"
FRAMES_FILE = "frames.mp4"
MATTE_FILE = "matte.mp4"
POSES_FILE = "poses.safetensors"
FLOW_FILE = "flow.safetensors"
BACKGROUND_FILE = "background.png"
CONTENT_FILES = (FRAMES_FILE, MATTE_FILE, POSES_FILE, FLOW_FILE, BACKGROUND_FILE)
LABELS_FILE = "labels.safetensors"
SURFACE_FILE = "surface.safetensors"

Crop = Similarity
"""Where the working frame lies in the original one: `working = scale * original + translation`"""


@dataclass(frozen=True)
class Header:
    """What performance.json holds."""

    version: int
    source_name: str
    """file name of the clip, without its folder"""
    source_sha256: str
    fps: Fraction
    frames: int
    size_hw: tuple[int, int]
    """of the working frames, pixels"""
    original_size_hw: tuple[int, int]
    """of the clip as displayed, pixels"""
    crop: Crop
    tracker: str
    tracker_version: str
    landmarks: str
    matte: str
    smoothed: bool
    found: int
    """frames in which the tracker saw the person"""
    interpolated: int
    """frames filled in from their neighbours"""
    missing: int
    """frames without a pose"""
    start: float | None
    """seconds into the clip; None = its beginning"""
    end: float | None
    inpainted: float
    """share of background.png that no frame ever showed, in [0, 1]"""
    flow_shrink: int
    """working pixels per cell of the flow"""
    files: dict[str, str]
    """SHA-256 of every other file in the folder"""
    rotate: Rotation = 0
    """degrees clockwise by which the clip was turned first"""
    double_rate: bool = False
    """whether the half pictures of interlaced film are frames"""
    slips: tuple[Slip, ...] = ()
    """what the tracker got wrong, mended or not; none where a version looked for none"""
    parsing: str = ""
    """what the label maps come from; empty where there are none"""
    surface: str = ""
    """what the surface maps come from; empty where there are none"""
    fixes: EditList = field(default_factory=EditList)
    """corrections made by hand, which are no part of the poses file"""

    @property
    def identity(self) -> str:
        """Says of which clip and by whose hand: the clip's SHA-256, and another name once joints were corrected."""
        fixes = self.fixes.sha256()
        return f"{self.source_sha256} corrected {fixes}" if fixes else self.source_sha256

    @property
    def content_files(self) -> tuple[str, ...]:
        """Names of the files that the folder holds beside this one."""
        optional = ((self.parsing, LABELS_FILE), (self.surface, SURFACE_FILE))
        return (*CONTENT_FILES, *(name for said, name in optional if said))


def check_is_performance(path: Path) -> None:
    """Raises PerformanceError: `path` is no folder of a performance, by its name and the names in it."""
    if not path.exists():
        raise PerformanceError(
            f"there is no performance {path}: make one with `understudy track VIDEO --output {pasted(path)}`"
        )
    if not path.is_dir():
        if (kind := what_is(path)) == "an actor":
            raise PerformanceError(f"{path} is an actor, not a performance: give what `understudy track` wrote")
        raise PerformanceError(
            f"{path} is {kind}, not a performance: "
            f"track it with `understudy track {pasted(path)} --output NAME.performance`"
        )
    if path.name.startswith(".") and ".part" in path.name:
        raise PerformanceError(f"{path} is a half-written performance: delete it and track the video again")
    if not (path / HEADER_FILE).is_file():
        kind = what_is(path)
        if kind in ("the run folder of a training", "a folder of pictures", "a folder of pose files"):
            raise PerformanceError(f"{path} is {kind}, not a performance: give what track wrote, or a video")
        raise PerformanceError(
            f"{path} is half written or not a performance (it has no {HEADER_FILE}): track the video again"
        )


def read_header(path: Path) -> Header:
    """Reads performance.json.

    Raises:
        PerformanceError: it is damaged, or of another version.
    """
    content = read_json(path, PerformanceError)
    version = content.get("version") if isinstance(content, dict) else None
    if version != VERSION:
        raise PerformanceError(f"{path} has version {version}, and this program reads {VERSION}: track the video again")
    try:
        content = {one.name: (UNSAID | content)[one.name] for one in fields(Header)}
        content |= {name: read(content[name]) for name, read in _READ.items()}
    except (KeyError, TypeError, ValueError, IndexError) as cause:
        raise PerformanceError(f"{path} is damaged ({type(cause).__name__}: {cause}): track the video again") from None
    try:
        fixes = EditList() if content["fixes"] is None else EditList.read(content["fixes"], content["frames"])
    except ValueError as cause:
        raise PerformanceError(f"{path} holds corrections that are none ({cause}): track the video again") from None
    return Header(**content | {"fixes": fixes})


def header_content(header: Header) -> dict[str, Any]:
    """What performance.json is to say; `read_header` reads it again."""
    return asdict(header) | {"fps": str(header.fps), "fixes": header.fixes.content()}


def _size_hw(values: Any) -> tuple[int, int]:
    height, width = values
    return whole(height, 1, MAX_SIDE), whole(width, 1, MAX_SIDE)


def _crop(values: Any) -> Crop:
    x, y = values["translation_xy"]
    return Crop(number(values["scale"]), (number(x), number(y)))


def _moment(value: Any) -> float | None:
    return None if value is None else number(value)


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{brief(value)} is neither true nor false")
    return value


def _rotate(value: Any) -> int:
    if value not in get_args(Rotation):
        raise ValueError(f"turned by {brief(value)} degrees")
    return int(value)


_WORDS = ("source_name", "source_sha256", "tracker", "tracker_version", "landmarks", "matte", "parsing", "surface")
_READ: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_WORDS, word),
    **dict.fromkeys(("found", "interpolated", "missing"), whole),
    **dict.fromkeys(("start", "end"), _moment),
    **dict.fromkeys(("smoothed", "double_rate"), _switch),
    **dict.fromkeys(("size_hw", "original_size_hw"), _size_hw),
    "fps": rate,
    "frames": lambda value: whole(value, 1),
    "crop": _crop,
    "inpainted": number,
    "flow_shrink": lambda value: whole(value, 1),
    "files": lambda value: {name: word(digest) for name, digest in dict(value).items()},
    "rotate": _rotate,
    "slips": lambda value: tuple(Slip.read(slip) for slip in value),
}
"""how each thing in a header is read"""


def check_file(path: Path, header: Header, name: str) -> None:
    """Raises PerformanceError: the file `name` of the performance `path` is not there, or not as it was written."""
    file = path / name
    if name not in header.files or not file.is_file():
        raise PerformanceError(f"{path} is damaged ({name} is missing): track the video again")
    if sha256_of(file) != header.files[name]:
        raise PerformanceError(f"{path} is damaged ({name} was changed or cut off): track the video again")
