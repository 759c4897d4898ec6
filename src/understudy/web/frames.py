"""Pictures and points of tracked clips, for the page: read when asked for, a few clips kept open."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from understudy.errors import UsageError
from understudy.media.images import encoded_image
from understudy.performance import HEADER_FILE, Performance
from understudy.performance.fixes import history
from understudy.poses.edits import POINT_NAMES
from understudy.poses.pose import BODY, FEET
from understudy.tracking.doubts import Doubt, doubts
from understudy.web.folder import Folder, Kind

MOST_OPEN = 4
JOINTS = range(BODY.start, FEET.stop)
"""of the 133 points, those that can be taken hold of on the page"""
QUALITY = 88
"""of JPEG pictures, 0-100"""


class Frames:
    """Of one studio's people and dances. For any number of threads."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._open: OrderedDict[tuple[Path, int], tuple[Performance, tuple[Doubt, ...]]] = OrderedDict()

    def opened(self, kind: Kind, name: object) -> tuple[Performance, tuple[Doubt, ...]]:
        """A tracked clip as it is on disk now, and where it deserves a look.

        Raises:
            UsageError: there is none of that name.
            PerformanceError: it is damaged.
        """
        path = self.folder.find(kind, name)
        try:
            key = path, (path / HEADER_FILE).stat().st_mtime_ns
        except OSError:
            raise UsageError("it is being removed") from None
        with self._lock:
            if key not in self._open:
                self._keep(key, Performance.load(path))
            self._open.move_to_end(key)
            return self._open[key]

    def keep(self, performance: Performance) -> None:
        """Takes one that was corrected just now, so that it need not be read, and hashed, once more."""
        with self._lock, suppress(OSError):  # it is being removed
            self._keep((performance.path, (performance.path / HEADER_FILE).stat().st_mtime_ns), performance)

    def _keep(self, key: tuple[Path, int], performance: Performance) -> None:
        self._open[key] = performance, doubts(performance)
        while len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)

    def picture(self, kind: Kind, name: object, number: int) -> bytes:
        """One working frame as a JPEG file.

        Raises:
            UsageError: there is no such clip or frame.
        """
        performance, _ = self.opened(kind, name)
        if not 0 <= number < len(performance):
            raise UsageError("there is no such frame")
        frame = next(iter(performance.frames(number, number + 1)))
        return encoded_image(Path(f"{number}.jpg"), frame, QUALITY)

    def points(self, kind: Kind, name: object) -> dict[str, Any]:
        """All that the joint fixer draws and lists, as JSON can say it: places in working pixels, to a tenth."""
        performance, doubtful = self.opened(kind, name)
        joints = list(JOINTS)
        xy = np.round(performance.poses.xy[:, joints].astype(float), 1)
        sure = np.round(performance.poses.confidence[:, joints].astype(float), 2)
        entries = history(performance)
        return {
            "frames": len(performance),
            "fps": float(performance.fps),
            "size": performance.header.size_hw[0],
            "names": [POINT_NAMES[joint].replace("_", " ") for joint in joints],
            "xy": np.nan_to_num(xy).tolist(),
            "sure": sure.tolist(),
            "doubts": [
                {"first": one.first, "last": one.last, "points": list(one.points), "reason": one.reason}
                for one in doubtful
            ],
            "history": [{"said": str(entry.edit), "made": entry.made} for entry in entries],
            "fixed": sorted({frame for entry in entries if entry.made for frame in _frames_of(entry.edit)}),
        }


def _frames_of(edit: Any) -> range:
    if hasattr(edit, "frame"):
        return range(edit.frame, edit.frame + 1)
    return range(edit.first, edit.last + 1)
