"""The corrections that a performance holds, in order, and how many of them are made: the rest was undone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.base.stored import brief, whole
from understudy.poses.edits import Edit, apply_edits, content, read_edit
from understudy.poses.pose import Pose

MOST_EDITS = 5000
"""in one performance: hundreds of hours of work, and still applied within seconds"""


@dataclass(frozen=True)
class EditList:
    """Corrections with a cursor: those before it are made, those behind it can be made again."""

    edits: tuple[Edit, ...] = ()
    done: int = 0
    """how many of them are made, from the first"""

    @classmethod
    def read(cls, stored: Any, frames: int) -> EditList:
        """From JSON that anybody may have written, for a clip of so many frames.

        Raises:
            ValueError: it is something else, or holds what cannot be made in that clip.
        """
        if not isinstance(stored, dict) or set(stored) != {"done", "edits"} or not isinstance(stored["edits"], list):
            raise ValueError(f"{brief(stored)} is no list of corrections")
        if len(stored["edits"]) > MOST_EDITS:
            raise ValueError(f"{len(stored['edits'])} corrections, and {MOST_EDITS} are the most")
        done = whole(stored["done"], 0, len(stored["edits"]))
        return cls(tuple(read_edit(edit, frames) for edit in stored["edits"]), done)

    def content(self) -> dict[str, Any]:
        """For JSON; `read` reads it again."""
        return {"done": self.done, "edits": [content(edit) for edit in self.edits]}

    @property
    def made(self) -> tuple[Edit, ...]:
        """Those that are in effect."""
        return self.edits[: self.done]

    @property
    def undone(self) -> tuple[Edit, ...]:
        """Those that `redo` would make again, the next one first."""
        return self.edits[self.done :]

    def with_new(self, edit: Edit) -> EditList:
        """One more is made; what was undone before is dropped."""
        return EditList((*self.made, edit), self.done + 1)

    def sha256(self) -> str:
        """Hash of what is in effect; empty where nothing is."""
        made = [content(edit) for edit in self.made]
        return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest() if made else ""

    def apply(self, poses: Pose, status: npt.NDArray[np.uint8]) -> tuple[Pose, npt.NDArray[np.uint8]]:
        """Poses and status as corrected: the same objects where nothing is.

        A frame in which the tracker found nobody, and in which somebody has been put now, counts as interpolated (1):
        there is a pose, but the matte knows of nobody. One whose body was deleted counts as missing (0).

        Args:
            poses: T frames as tracked.
            status: (T,) of MISSING, INTERPOLATED, FOUND.
        """
        if not self.done:
            return poses, status
        corrected = apply_edits(poses, self.made)
        before, after = poses.found, corrected.found
        status = np.where(after & ~before, np.uint8(1), np.where(before & ~after, np.uint8(0), status))
        return corrected, np.asarray(status, np.uint8)
