"""Marks a file as generated, before it takes its name: metadata first, the signature last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from understudy.base.arguments import StrPath
from understudy.base.files import prepared_file
from understudy.errors import UnderstudyError, UsageError
from understudy.marks import manifest, xmp
from understudy.marks.invisible import SMALLEST, InvisibleMark, Payload
from understudy.marks.signing import Signing, signing
from understudy.marks.statement import Statement

_ONE_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a4944415478da63600000000200"
    "01e527defc0000000049454e44ae426082"
)
"""a PNG file"""


@dataclass
class Marking:
    """What `VideoWriter` asks of who marks its files; one for each file."""

    statement: Statement
    signing: Signing
    _mark: InvisibleMark | None = field(default=None, init=False)

    @property
    def tags(self) -> dict[str, str]:
        """For the container's own metadata."""
        return {"comment": self.statement.comment, xmp.TAG: xmp.packet(self.statement)}

    @property
    def texts(self) -> dict[str, str]:
        """For the text chunks of a PNG file, by keyword."""
        return {"Comment": self.statement.comment, xmp.PNG_KEYWORD: xmp.packet(self.statement)}

    def change(self, luma: npt.NDArray[np.uint8], seconds: float) -> npt.NDArray[np.float32] | None:
        """What the invisible mark adds to the brightness of a picture; None for pictures too small to bear one."""
        if min(luma.shape) < SMALLEST:
            return None
        if self._mark is None:
            payload = Payload(self.statement.identity(luma))
            self._mark = InvisibleMark(payload, (luma.shape[0], luma.shape[1]))
        return self._mark.change(luma, seconds)

    @property
    def invisible(self) -> Payload | None:
        """What the invisible mark says, once a picture was marked that is large enough."""
        return None if self._mark is None else self._mark.payload

    def png(self, picture: bytes) -> bytes:
        """A PNG file with its texts in it -> the same, signed."""
        return manifest.sign_png(picture, self._told, self.signing)

    @property
    def _told(self) -> Statement:
        return replace(self.statement, invisible=None if self.invisible is None else self.invisible.identity)

    def file(self, finished: Path, named: Path) -> Callable[[], None]:
        """Marks a video that is finished and will be called `named`; returns what is to be done when it is.

        Raises:
            UnderstudyError: it cannot be signed, or not be written.
        """
        suffix = named.suffix.lower()
        if suffix in manifest.KINDS:
            xmp.append_box(finished, xmp.packet(self.statement))
            manifest.sign_file(finished, self._told, self.signing)
            return lambda: None
        content = manifest.manifest_of(finished, manifest.KINDS_BESIDE[suffix], self._told, self.signing)
        finish = prepared_file(manifest.beside(named), content)
        manifest.beside(named).unlink(missing_ok=True)  # of another video than the one that comes
        return finish


class Repeatable:
    """Marks a video by its metadata alone, so that the same pictures are the same file every time.

    A manifest holds a time and numbers drawn by chance: no two are alike. An invisible mark that somebody else's video
    bears would be disturbed by a second one.
    """

    tags: dict[str, str] = {}
    texts: dict[str, str] = {}

    def __init__(self, statement: Statement) -> None:
        self._statement = statement

    def change(self, luma: npt.NDArray[np.uint8], seconds: float) -> npt.NDArray[np.float32] | None:
        return None

    def png(self, picture: bytes) -> bytes:
        return picture

    def file(self, finished: Path, named: Path) -> Callable[[], None]:
        """Of MP4 and QuickTime files, which are all that is written so."""
        xmp.append_box(finished, xmp.packet(self._statement))
        return lambda: None


class Unmarked:
    """Marks nothing, and takes away what an earlier video of the same name had beside it."""

    tags: dict[str, str] = {}
    texts: dict[str, str] = {}

    def change(self, luma: npt.NDArray[np.uint8], seconds: float) -> npt.NDArray[np.float32] | None:
        return None

    def png(self, picture: bytes) -> bytes:
        return picture

    def file(self, finished: Path, named: Path) -> Callable[[], None]:
        return lambda: manifest.beside(named).unlink(missing_ok=True)


def checked_signing(sign_cert: StrPath | None = None, sign_key: StrPath | None = None) -> Signing:
    """The key that signs, tried on a picture of one pixel: better known before hours of work than after.

    Args:
        sign_cert, sign_key: see `signing`.

    Raises:
        UsageError: it cannot be used, or what it signs is not taken by readers.
    """
    chosen = signing(sign_cert, sign_key)
    try:
        manifest.sign_png(_ONE_PIXEL, Statement((), False, "0"), chosen)
    except UnderstudyError as error:
        raise UsageError(f"nothing can be signed with {chosen.whose} ({error})") from None
    return chosen
