"""Videos are tracked once: performances are kept in a cache, found again by content, options and version."""

from __future__ import annotations

import hashlib
import json
import os
from importlib import metadata
from pathlib import Path
from typing import Any

from understudy.base.files import sha256_of
from understudy.performance import VERSION

TRACKING_VERSION = 3
"""raised whenever the same video would give another performance, so that cached ones are made again"""


def cache_folder() -> Path:
    """`UNDERSTUDY_CACHE`, or else ~/.cache/understudy."""
    named = os.environ.get("UNDERSTUDY_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "understudy"


def cache_key(video: Path, options: dict[str, Any]) -> str:
    """Names what a video tracked with these options would give."""
    described = {name: _described(value) for name, value in sorted(options.items()) if value is not None}
    content = {
        "video": sha256_of(video),
        "options": described,
        "tracking": TRACKING_VERSION,
        "layout": VERSION,
        "mediapipe": metadata.version("mediapipe"),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def _described(value: Any) -> Any:
    """Files and folders count by their content, anything else by its value."""
    if isinstance(value, (str, os.PathLike)) and os.path.exists(value):
        path = Path(value)
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        return [f"{file.name} {sha256_of(file)}" for file in files if file.is_file()]
    return value
