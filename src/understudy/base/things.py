"""What a file or folder is, by its name and first bytes, for the one who gave it where something else was wanted."""

from __future__ import annotations

import shlex
from pathlib import Path

from understudy.base.arguments import StrPath

VIDEOS = frozenset(
    (
        *(".mp4", ".m4v", ".mov", ".qt", ".mkv", ".webm", ".avi", ".gif", ".apng", ".3gp"),
        *(".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".dv", ".flv", ".wmv", ".ogv"),
    )
)
"""suffixes of videos, in small letters"""
PICTURES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif"))


def what_is(path: StrPath) -> str:
    """In words, for a sentence that goes on with "not a ...": "an actor", "a video", "a folder of pictures".

    Says only what it can tell; of what it cannot, "a file" or "a folder". Never raises.
    """
    path = Path(path)
    try:
        return _folder(path) if path.is_dir() else _file(path)
    except OSError:
        return "something that cannot be read"


def _folder(path: Path) -> str:
    if (path / "performance.json").is_file():
        return "a performance"
    inside = {entry.name for entry in path.iterdir()}
    if not inside:
        return "an empty folder"
    if path.name.endswith(".run") or {"run.json", "consent.json"} & inside:
        return "the run folder of a training"
    shown = {Path(name).suffix.lower() for name in inside if not name.startswith(".")}
    if shown and shown <= PICTURES:
        return "a folder of pictures"
    return "a folder of pose files" if shown == {".json"} else "a folder"


def _file(path: Path) -> str:
    with open(path, "rb") as stream:
        head = stream.read(16)
    suffix = path.suffix.lower()
    if head[8:9] == b"{":  # as safetensors files begin, behind the length of their header
        return {".actor": "an actor", ".freestyle": "a model of train-freestyle"}.get(suffix, "a file of weights")
    if not head:
        return "an empty file"
    for kind, suffixes in (
        ("a video", VIDEOS),
        ("a picture", PICTURES),
        ("a motion capture", (".bvh",)),
        ("a file of poses", (".json",)),
    ):
        if suffix in suffixes:
            return kind
    damaged = {".actor": "a damaged actor", ".freestyle": "a damaged model of train-freestyle"}
    return damaged.get(suffix, "a file")


def pasted(path: StrPath) -> str:
    """A path as it is typed in a shell, for advice that is pasted: blanks and the like are quoted."""
    return shlex.quote(str(path))
