"""Where things lie: what is made in ComfyUI's output folder, what is passing in its temporary one.

Performances and actors are called NAME-0123456789, by a hash of all that they were made of. So nothing takes the place
of something else, and what is there already is not made again, also after ComfyUI was started anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import folder_paths
from comfy_api.latest import Input, InputImpl

HASH_DIGITS = 10
"""of a name; 40 bits"""
LONGEST_NAME = 60
"""characters of the part of a name that users choose"""
NONE = "(none: give a path)"
"""what a list of files shows where there are none"""


def made(kind: str) -> Path:
    """The folder of what is made and stays: "performances", "actors" or "videos"."""
    folder = _place(kind)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _place(kind: str) -> Path:
    return Path(folder_paths.get_output_directory()) / "understudy" / kind


def new_name(asked: str, otherwise: str, *facts: Any) -> str:
    """A name that says what was asked for, and ends in a hash of the facts.

    Args:
        asked: by the user; letters, digits, - and _ are taken of it, so that it names no other folder.
        otherwise: if nothing is left of that.
        facts: all that decides what the thing is; JSON-able.
    """
    words = [re.sub(r"[^\w-]+", "_", name).strip("_")[:LONGEST_NAME] for name in (asked, otherwise)]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
    return f"{words[0] or words[1] or 'unnamed'}-{digest[:HASH_DIGITS]}"


def there(kind: str, suffix: str) -> list[str]:
    """What can be chosen: names with that suffix in the folder of a kind, then in ComfyUI's input folder."""
    places = [place for place in (_place(kind), Path(folder_paths.get_input_directory())) if place.is_dir()]
    names = [entry.name for place in places for entry in sorted(place.iterdir())]
    return list(dict.fromkeys(name for name in names if name.endswith(suffix) and name[0] != ".")) or [NONE]


def chosen(kind: str, name: str | None, path: str | None) -> Path:
    """What a user chose by a path, or else from the list.

    Raises:
        UsageError: neither, or nothing is there.
    """
    from understudy.errors import UsageError

    if path and path.strip():
        return found_at(path)
    for place in (_place(kind), Path(folder_paths.get_input_directory())):
        if name and name != NONE and (place / Path(name).name).exists():
            return place / Path(name).name
    raise UsageError(f"nothing was chosen of the {kind}, or it is gone: choose one, or give its `path`")


def found_at(path: str) -> Path:
    """A path as users type it: whole, or from ComfyUI's input or output folder on.

    Raises:
        UsageError: nothing is there.
    """
    from understudy.errors import UsageError

    typed = Path(os.path.expanduser(path.strip().strip("'\"")))
    places = (Path(folder_paths.get_input_directory()), Path(folder_paths.get_output_directory()))
    for candidate in [typed] if typed.is_absolute() else [place / typed for place in places]:
        if candidate.exists():
            return candidate
    raise UsageError(f"there is no {path!r}: give a whole path, or one from ComfyUI's input or output folder on")


def state_of(path: Path) -> tuple[str, int, int]:
    """What changes when a file does, or the header of a performance: for `fingerprint_inputs`."""
    header = path / "performance.json"
    seen = (header if header.is_file() else path).stat()
    return str(path), seen.st_mtime_ns, seen.st_size


def file_of(video: Input.Video) -> Path:
    """The file of a VIDEO: its own, or one that is written of it, if it is a part of one or was made of pictures.

    What is written stays in the output folder under a name by its content, for a performance is heard by its video.
    """
    from understudy.base.files import sha256_of

    if isinstance(video, InputImpl.VideoFromFile):  # asked of any other, ComfyUI 0.3.75 cannot name a format
        lies = video.get_stream_source()
        if isinstance(lies, str) and _is_whole(video, lies):
            return Path(lies)
    with passing() as folder:
        video.save_to(str(folder / "video.mp4"))
        named = made("videos") / f"{new_name('', 'video', sha256_of(folder / 'video.mp4'))}.mp4"
        if not named.exists():
            copied_whole(folder / "video.mp4", named)
    return named


def _is_whole(video: Input.Video, lies: str) -> bool:
    """Whether nothing of the file was cut off; newer versions of ComfyUI trim and crop without saying so otherwise."""
    whole = InputImpl.VideoFromFile(lies)
    return (video.get_duration(), video.get_dimensions()) == (whole.get_duration(), whole.get_dimensions())


def copied_whole(file: Path, place: Path) -> None:
    """Copies a file, which appears under its name when all of it is there."""
    from understudy.base.files import atomic_file

    with atomic_file(place) as beside:
        shutil.copyfile(file, beside)


def passing_folder() -> Path:
    """A new folder in ComfyUI's temporary one, which ComfyUI empties when it starts."""
    folder = Path(folder_paths.get_temp_directory()) / "understudy"
    folder.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=folder))


@contextmanager
def passing() -> Iterator[Path]:
    """A new folder that is gone after the block."""
    folder = passing_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
