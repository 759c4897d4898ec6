"""What the server and all tabs of the page share: one studio's folder, queue, and what works through that."""

from __future__ import annotations

from pathlib import Path

from understudy.web.folder import Folder
from understudy.web.frames import Frames
from understudy.web.queue import Queue
from understudy.web.runner import Runner


class Studio:
    """One studio: its folder, its queue, and what works through that.

    Args:
        folder: of the studio, made if it is missing.
        most_upload, most_bytes: of one file, and of the folder.
        most_hours: that one task may take.

    Raises:
        UsageError: the folder cannot be used.
    """

    def __init__(self, folder: Path, most_upload: int, most_bytes: int, most_hours: float) -> None:
        self.folder = Folder(folder.absolute())
        self.folder.prepare()
        self.most_upload, self.most_bytes = most_upload, most_bytes
        self.queue = Queue(self.folder.root / "studio.sqlite")
        self.runner = Runner(self.folder, self.queue, most_hours, most_bytes)
        self.frames = Frames(self.folder)

    def close(self) -> None:
        """Ends what runs, in order."""
        self.runner.close()
        self.queue.close()
