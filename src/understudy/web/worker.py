"""The child process that does one task: it may write in the studio's folder and the caches, and reach nobody.

What people upload is decoded here. Whatever a broken decoder does is done without privileges, without a network, and
within limits of memory and time, as far as the system offers that (`base/confinement.py`).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.base.confinement import bound_memory, give_up
from understudy.base.folders import cache_folder, config_folder
from understudy.base.machine import says_memory_ran_out
from understudy.base.onlooker import Progress, looked_on_by
from understudy.base.telling import Lines, pass_on_notes, serve_parent
from understudy.errors import Interrupted, UnderstudyError

MEMORY_RAN_OUT = "memory ran out: a shorter clip needs less, and so does a lower quality"
MEMORY_SHARE = 0.8
"""of the machine's memory, that a task may ask for"""


def serve() -> None:
    """Reads a task as a line of JSON, does it, and tells, a line each: notes, progress, pictures, and how it ended."""
    told = _Told()
    asked = json.loads(sys.stdin.buffer.readline())
    serve_parent()
    root = Path(asked["folder"])
    tempfile.tempdir = str(root / "scratch")
    told.picture_file = root / "scratch" / f"{asked['number']}.jpg"
    os.environ["UNDERSTUDY_OFFLINE"] = "1"  # there is no network any more: what is missing is said at once
    for folder in (cache_folder(), config_folder()):
        folder.mkdir(parents=True, exist_ok=True)
    looks_only = asked["verb"] == "check"  # at anybody's file, which is no reason to write anywhere
    give_up([root / "uploads", root / "scratch"] if looks_only else [root, cache_folder(), config_folder()])
    bound_memory(int(MEMORY_SHARE * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")))
    try:
        with looked_on_by(told):
            _do(asked, root, told)
    except Interrupted:
        told.say("stopped", None)
        sys.exit(128 + signal.SIGTERM)


def _do(asked: dict[str, Any], root: Path, told: _Told) -> None:
    from understudy.web.tasks import done

    try:
        answer = done(asked["verb"], root, asked["asked"])
    except UnderstudyError as error:
        told.say("failed", {"reason": str(error)})
    except OSError as error:
        reason = MEMORY_RAN_OUT if says_memory_ran_out(error) else str(error.strerror or error)
        told.say("failed", {"reason": reason, "traceback": traceback.format_exc()})
    except Exception as error:  # noqa: BLE001 - whatever it was, the studio goes on, and its record says where it was
        reason = MEMORY_RAN_OUT if says_memory_ran_out(error) else f"{type(error).__name__}: {error}"
        told.say("failed", {"reason": reason, "traceback": traceback.format_exc()})
    else:
        told.say("done", answer)


class _Told:
    """What is said of the task; an onlooker."""

    picture_file: Path

    def __init__(self) -> None:
        self._lines = Lines()
        pass_on_notes(lambda note: self.say("note", note))

    def say(self, kind: str, said: Any) -> None:
        self._lines.say({"kind": kind, "said": said})

    def progress(self, progress: Progress) -> None:
        """See `Onlooker`."""
        self.say("progress", asdict(progress))

    def picture(self, picture: npt.NDArray[np.uint8]) -> None:
        """See `Onlooker`; the page reads the file."""
        import cv2

        from understudy.media.images import encoded_image

        height, width = picture.shape[:2]
        ratio = min(1.0, 640 / max(height, width))
        size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
        smaller = np.asarray(cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA), np.uint8)
        part = self.picture_file.with_suffix(".part")
        part.write_bytes(encoded_image(self.picture_file, smaller, 85))
        os.replace(part, self.picture_file)
        self.say("picture", None)
