"""Where the program keeps what is its own: what it can make or fetch again, and what it cannot."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """`UNDERSTUDY_CACHE`, or else ~/.cache/understudy."""
    named = os.environ.get("UNDERSTUDY_CACHE")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "understudy"


def weights_folder() -> Path:
    """`UNDERSTUDY_WEIGHTS`, which several users may share, or else "weights" in the cache."""
    named = os.environ.get("UNDERSTUDY_WEIGHTS")
    return Path(named).expanduser() if named else cache_folder() / "weights"


def config_folder() -> Path:
    """`UNDERSTUDY_CONFIG`, or else ~/.config/understudy: what cannot be made again."""
    named = os.environ.get("UNDERSTUDY_CONFIG")
    return Path(named).expanduser() if named else Path.home() / ".config" / "understudy"
