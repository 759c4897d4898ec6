"""c2pa with its own native library: by itself it looks first in the current folder, which others may have filled."""

from __future__ import annotations

import importlib
import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NAMES = ("libc2pa_c.so", "libc2pa_c.dylib", "c2pa_c.dll")
"""of the library, on Linux, macOS and Windows"""
_VARIABLE = "C2PA_LIBRARY_NAME"


@cache
def c2pa() -> Any:
    """The module.

    Raises:
        OSError: the current folder is gone, which it asks for while it is imported.
    """
    before = os.environ.get(_VARIABLE)
    own = _own()
    if own is not None:
        os.environ[_VARIABLE] = str(own)  # with all of its path, which none is put before
    try:
        return importlib.import_module("c2pa")
    finally:
        if own is not None:
            os.environ.pop(_VARIABLE)
            os.environ.update({} if before is None else {_VARIABLE: before})


def _own() -> Path | None:
    """Where the package has its library."""
    package = find_spec("c2pa")
    folders = [] if package is None else package.submodule_search_locations or []
    found = (path for folder in folders for name in NAMES for path in sorted(Path(folder).rglob(name)))
    return next((path.absolute() for path in found), None)
