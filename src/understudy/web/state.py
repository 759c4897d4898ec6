"""What the server and all tabs of the page share: one studio's folder, queue, and what works through that."""

from __future__ import annotations

from pathlib import Path

from understudy.errors import UsageError
from understudy.web.folder import Folder, Kind
from understudy.web.frames import Frames
from understudy.web.queue import Queue, Task
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

    def remove(self, kind: Kind, name: str) -> None:
        """Deletes something with all that belongs to it.

        Raises:
            UsageError: there is none of that name, or a task needs it.
        """
        for task in self.queue.all():
            if task.status in ("waiting", "running") and name in needed_by(task, kind):
                raise UsageError(f"“{task.title}” needs it: stop that first, or wait until it is done")
        self.folder.remove(kind, name)
        self.queue.changed()

    def close(self) -> None:
        """Ends what runs, in order."""
        self.runner.close()
        self.queue.close()


def needed_by(task: Task, kind: Kind) -> list[str]:
    """Names of what of a kind a task reads or writes."""
    asked = task.asked
    names: dict[Kind, list[object]] = {
        "people": [asked.get("person")] + ([asked.get("name")] if task.verb == "person" else []),
        "dances": [asked.get("dance")] + ([asked.get("name")] if task.verb == "dance" else []),
        "actors": [asked.get("actor"), *asked.get("actors", [])],
        "films": [asked.get("film")],
        "reports": [],
    }
    return [name for name in names[kind] if isinstance(name, str)]
