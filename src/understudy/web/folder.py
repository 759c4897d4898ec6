"""Where the studio keeps what people bring and make: a folder of folders, whose files other commands can use, too.

people/NAME.performance     tracked, ready to be learnt from; NAME.json says who agreed
dances/NAME.performance     tracked; NAME.mp4 (or as it came) is the clip, for its sound and its room
actors/NAME.actor           with NAME.actor.run beside it
films/NAME.mp4              and NAME.compare.mp4
reports/                    what coverage found
uploads/                    what is on its way: gone when it was used, or after an hour
studio.sqlite               what was asked for, and what has become of it
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from understudy.base.files import read_json, write_json
from understudy.errors import UnderstudyError, UsageError
from understudy.texts import printable

Kind = Literal["people", "dances", "actors", "films", "reports"]
SUFFIX: dict[Kind, str] = {
    "people": ".performance",
    "dances": ".performance",
    "actors": ".actor",
    "films": ".mp4",
    "reports": ".html",
}
VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")
PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
UPLOAD_SECONDS = 3600.0
"""after which an upload that nothing uses is removed"""
LONGEST_NAME = 60
"""characters"""
MOST_NAME_BYTES = 150
"""of them, so that there is room for what is put to a name while its file is written"""
_TOKEN = re.compile(r"[0-9a-f]{32}\.[a-z0-9]{3,4}")
_UNSAFE = re.compile(r"[^\w \-()+.,']+")
_TAKEN = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
"""names that Windows keeps for itself"""


@dataclass(frozen=True)
class Folder:
    """One studio's folder. Nothing in it is ever named by a path: by a name in a list, or by an upload's token."""

    root: Path

    def prepare(self) -> None:
        """Makes what is missing of it.

        Raises:
            UsageError: it is something else, or cannot be written.
        """
        try:
            for name in (*get_args(Kind), "uploads", "scratch"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            raise UsageError(
                f"the studio cannot keep anything in {self.root} ({cause.strerror or cause}): choose another `folder`"
            ) from None

    def names(self, kind: Kind) -> list[str]:
        """What there is of a kind, the newest first."""
        suffix = SUFFIX[kind]
        found = [
            path
            for path in (self.root / kind).glob(f"*{suffix}")
            if not path.name.startswith(".") and not path.is_symlink()  # which could lead to any file of the disk
        ]
        if kind == "films":
            found = [path for path in found if not path.name.endswith(".compare.mp4")]
        if kind == "actors":
            found = [path for path in found if not path.name.endswith(".before.actor")]
        return [path.name.removesuffix(suffix) for path in sorted(found, key=_age)]

    def find(self, kind: Kind, name: object) -> Path:
        """The file or folder of a name that is in the list.

        Raises:
            UsageError: there is none of that name.
        """
        if not isinstance(name, str) or name not in self.names(kind):
            what = {"people": "person", "dances": "dance", "actors": "actor", "films": "film", "reports": "report"}
            raise UsageError(f"there is no {what[kind]} of that name here: choose one from the list")
        return self.root / kind / f"{name}{SUFFIX[kind]}"

    def free(self, kind: Kind, wanted: str, coming: Iterable[str] = ()) -> str:
        """A name that is not taken yet, nor one of those that are coming, as near to what is wanted as files can be."""
        name = safe(wanted)
        taken = {_alike(path.name.split(".")[0]) for path in (self.root / kind).iterdir()} | {*map(_alike, coming)}
        numbers = (name if number == 1 else f"{name} {number}" for number in range(1, 10_000))
        return next(one for one in numbers if _alike(one) not in taken)

    def place(self, kind: Kind, name: str) -> Path:
        """Where something of that name, which `free` gave, is to be written."""
        return self.root / kind / f"{name}{SUFFIX[kind]}"

    def clip_of(self, dance: Path) -> Path | None:
        """The clip that a dance was tracked from, if it is still here."""
        beside = (dance.with_suffix(suffix) for suffix in VIDEO_SUFFIXES)
        return next((path for path in beside if own_file(path)), None)

    def video_of(self, dance: object) -> Path:
        """The clip that a dance was tracked from.

        Raises:
            UsageError: there is no such dance, or its clip is not here any more.
        """
        clip = self.clip_of(self.find("dances", dance))
        if clip is None:
            raise no_video(dance)
        return clip

    def run_of(self, actor: str) -> Path:
        """The folder of an actor's training."""
        from understudy.actor import run_folder_of

        return run_folder_of(self.place("actors", actor))

    def previews(self, actor: str) -> list[Path]:
        """The pictures of its training so far, the newest first."""
        return sorted(self.run_of(actor).glob("**/previews/*.png"), key=_age)

    # -- uploads ------------------------------------------------------------------------------------------------

    def new_upload(self, file_name: str) -> Path:
        """Where a file is to be written that somebody sends.

        Raises:
            UsageError: it is called like nothing that the studio takes.
        """
        suffix = Path(printable(file_name)).suffix.lower()
        if suffix not in (*VIDEO_SUFFIXES, *PHOTO_SUFFIXES):
            raise UsageError(
                "the studio takes videos (.mp4, .mov, .mkv, .webm, .avi) and photographs (.jpg, .png, .webp)"
            )
        return self.root / "uploads" / f"{secrets.token_hex(16)}{suffix}"

    def upload(self, token: object) -> Path:
        """The file of an upload that is there.

        Raises:
            UsageError: there is none, or none any more.
        """
        if isinstance(token, str) and _TOKEN.fullmatch(token):
            path = self.root / "uploads" / token
            if own_file(path):
                return path
        raise UsageError("that file is not here any more: uploads are removed after an hour; choose it again")

    def sweep(self, used: set[str], now: float | None = None) -> None:
        """Removes uploads, also under the names that tasks gave them, an hour after the last that became of them.

        Args:
            used: names of files that a task waits to use, or uses.
        """
        clips = (*VIDEO_SUFFIXES, *PHOTO_SUFFIXES)
        self._clear("uploads", now, lambda path: path.name not in used)
        self._clear("scratch", now, lambda path: path.suffix in clips and path.name not in used)

    def sweep_scratch(self, used: set[str], now: float | None = None) -> None:
        """Removes what else tasks of more than an hour ago have left, which is pieces of what was uploaded.

        Not while one runs, which may have written something that long ago.
        """
        self._clear("scratch", now, lambda path: path.name not in used)

    def _clear(self, name: str, now: float | None, goes: Callable[[Path], bool]) -> None:
        late = (time.time() if now is None else now) - UPLOAD_SECONDS
        with suppress(OSError):
            for path in (self.root / name).iterdir():
                with suppress(OSError):
                    if goes(path) and path.lstat().st_ctime < late:
                        _delete(path)

    def without_place(self, text: str) -> str:
        """The text without the path of this folder, nor of the user's: pages are read by others, too, with `auth`."""
        home = os.path.expanduser("~")  # as it is where nobody knows
        for place, instead in ((f"{self.root}{os.sep}", ""), (str(self.root), "the studio"), (home, "~")):
            text = text.replace(place, instead) if len(place) > 1 else text
        return text

    # -- removing and space ---------------------------------------------------------------------------------------

    def remove(self, kind: Kind, name: str) -> None:
        """Deletes something with all that belongs to it.

        Raises:
            UsageError: there is none of that name.
        """
        path = self.find(kind, name)
        others = tuple(f"{other}." for other in self.names(kind) if other.startswith(f"{name}."))
        beside = [one for one in path.parent.glob(f"{_escaped(name)}.*") if not one.name.startswith(others)]
        for one in dict.fromkeys([path, *beside]):
            _delete(one)

    def remove_begun(self, name: str) -> None:
        """Deletes what was trained of an actor that there is not yet."""
        if name and name not in self.names("actors"):
            for path in (self.root / "actors").glob(f"{_escaped(name)}.*"):
                if path.name in (f"{name}.json", f"{name}.actor.run"):
                    _delete(path)

    def size(self) -> int:
        """Bytes of all that lies in it."""
        total = 0
        for folder, _, files in os.walk(self.root):
            for file in files:
                with suppress(OSError):
                    total += os.lstat(os.path.join(folder, file)).st_size
        return total

    # -- what belongs to a person ---------------------------------------------------------------------------------

    def note(self, kind: Kind, name: str, said: dict[str, Any]) -> None:
        """Keeps a little about something, in NAME.json beside it."""
        write_json(self.root / kind / f"{name}.json", said)

    def noted(self, kind: Kind, name: str) -> dict[str, Any]:
        """What was kept about it; nothing where that is damaged, which shall not take the page along."""
        path, read = self.root / kind / f"{name}.json", None
        with suppress(UnderstudyError):
            read = read_json(path) if own_file(path) else None
        return read if isinstance(read, dict) else {}

    def people_in(self, dance: object) -> int:
        """How many people dance in a clip in which everybody was looked for; 0 where nobody has looked."""
        found = self.noted("dances", dance).get("people") if dance in self.names("dances") else None
        return found if isinstance(found, int) and 0 < found < 1000 else 0


def no_video(dance: object) -> UsageError:
    """What is said where a dance has no film."""
    return UsageError(f"the video of {dance} is not here: bring it once more, on the tab Dance")


def own_file(path: Path) -> bool:
    """Whether a file lies there, and not a link to one that may lie anywhere."""
    return path.is_file() and not path.is_symlink()


def safe(wanted: str) -> str:
    """The text as a file may be called on any system, without a dot; "unnamed" where nothing is left.

    Example:
        >>> safe("../my dance: take 1.mp4")
        'my dance take 1'
    """
    name = unicodedata.normalize("NFC", printable(wanted))
    name = re.split(r"[/\\]", name)[-1]
    name = re.sub(r"\.(mp4|m4v|mov|mkv|webm|avi|jpe?g|png|webp|actor|performance)$", "", name, flags=re.IGNORECASE)
    name = _UNSAFE.sub("", name).replace(".", " ")
    name = " ".join(name.split()).strip(" -'")[:LONGEST_NAME]
    name = name.encode()[:MOST_NAME_BYTES].decode(errors="ignore").strip()
    return "unnamed" if not name or name.lower() in _TAKEN else name


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _alike(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _age(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except OSError:
        return 0.0


def _escaped(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name)
