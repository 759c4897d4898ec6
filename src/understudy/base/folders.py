"""Where the program keeps what is its own: what it can make or fetch again, and what it cannot."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """`UNDERSTUDY_CACHE`, or else ~/.cache/understudy."""
    return _named("UNDERSTUDY_CACHE") or Path.home() / ".cache" / "understudy"


def weights_folder() -> Path:
    """`UNDERSTUDY_WEIGHTS`, which several users may share, or else "weights" in the cache."""
    return _named("UNDERSTUDY_WEIGHTS") or cache_folder() / "weights"


def config_folder() -> Path:
    """`UNDERSTUDY_CONFIG`, or else ~/.config/understudy: what cannot be made again."""
    return _named("UNDERSTUDY_CONFIG") or Path.home() / ".config" / "understudy"


def _named(variable: str) -> Path | None:
    """The folder that the environment names; None where it names none."""
    named = os.environ.get(variable)
    return Path(named).expanduser() if named else None
