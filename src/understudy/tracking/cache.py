"""Videos are tracked once: performances are kept in a cache, found again by content, options and version."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from understudy.base.files import atomic_file, sha256_of
from understudy.base.folders import cache_folder
from understudy.errors import UnderstudyError
from understudy.performance import VERSION, Performance

TRACKING_VERSION = 8
"""raised whenever the same video would give another performance, so that cached ones are made again"""


def cache_key(video: Path, options: dict[str, Any]) -> str:
    """Names what a video tracked with these options would give."""
    described = {name: _described(value) for name, value in sorted(options.items()) if value is not None}
    content = {
        "video": sha256_of(video),
        "options": described,
        "tracking": TRACKING_VERSION,
        "layout": VERSION,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def remember_video(video: Path, sha256: str) -> None:
    """Notes where a video lies, in the user's own cache: a performance says which video it is of, and not where.

    That it cannot be noted, on a disk that is full or read-only, is no reason to lose what was tracked.
    """
    with suppress(OSError, UnderstudyError), atomic_file(note_of(sha256)) as temporary:
        temporary.write_text(str(video.absolute()), encoding="utf-8")


def video_of(performance: Performance) -> Path | None:
    """The video that a performance was tracked from, where it was then or beside the performance; None if it is gone.

    A file counts by its content, whatever it is called.
    """
    header = performance.header
    if not header.source_sha256:
        return None
    places = [performance.path.parent / header.source_name, Path(header.source_name)]
    noted = noted_place(header.source_sha256)
    if noted is not None:
        places.insert(0, noted)
    for place in places:
        try:
            if place.is_file() and sha256_of(place) == header.source_sha256:
                return place
        except OSError:
            continue
    return None


def noted_place(sha256: str) -> Path | None:
    """Where the video with this content lay when it was tracked; None without such a note."""
    with suppress(OSError, UnicodeDecodeError):
        return Path(note_of(sha256).read_text(encoding="utf-8"))
    return None


def note_of(sha256: str) -> Path:
    """The file that says where the video with this content lay when it was tracked."""
    return cache_folder() / "videos" / sha256


def _described(value: Any) -> Any:
    """Files and folders count by their content, those of "lip:FILE" too; anything else by its value."""
    kind, colon, named = value.partition(":") if isinstance(value, str) else ("", "", "")
    if colon and not os.path.exists(value) and os.path.exists(named):
        return [kind, _described(named)]
    if isinstance(value, (str, os.PathLike)) and os.path.exists(value):
        path = Path(value)
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        return [f"{file.name} {sha256_of(file)}" for file in files if file.is_file()]
    return os.fspath(value) if isinstance(value, os.PathLike) else value  # not there: whoever reads it says so
