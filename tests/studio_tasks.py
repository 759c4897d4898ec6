"""Harmless tasks for the studio's child processes: each does or says one thing, some of them one that it may not."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

from understudy.base import onlooker
from understudy.base.progress import progress_bar
from understudy.errors import UsageError
from understudy.web import tasks
from understudy.web.folder import Folder

START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); import studio_tasks; "
    "from understudy.web.worker import serve; serve()"
)
"""what a child runs instead of the studio's own line"""


def answer(folder: Folder, **asked: Any) -> dict[str, Any]:
    return asked


def refuse(folder: Folder, *, said: str) -> dict[str, Any]:
    raise UsageError(said.replace("{root}", str(folder.root)))


def stumble(folder: Folder) -> dict[str, Any]:
    return {}["nothing"]  # type: ignore[no-any-return]


def hold(folder: Folder, *, deaf: bool = False) -> dict[str, Any]:
    """Goes on until it is stopped; where it is deaf, it does not listen."""
    if deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    begun = folder.root / "scratch" / "begun"
    begun.write_text(str(int(begun.read_text()) + 1 if begun.exists() else 1))
    try:
        while True:
            time.sleep(0.02)
    finally:
        (folder.root / "scratch" / "saved").touch()


def die(folder: Folder, *, number: int) -> dict[str, Any]:
    os.kill(os.getpid(), number)
    return {}


def leave(folder: Folder, *, code: int) -> dict[str, Any]:
    os._exit(code)


def film(folder: Folder) -> dict[str, Any]:
    with progress_bar("filming", 3) as advance:
        for _ in range(3):
            onlooker.show(lambda: np.full((900, 1200, 3), (250, 10, 10), np.uint8))
            advance()
    return {"seen": True}


def say(folder: Folder, *, lines: list[str]) -> dict[str, Any]:
    """Those lines, as one who has taken over the child could."""
    told: Any = onlooker.present()
    for line in lines:
        os.write(told._lines._pipe.fileno(), line.encode("utf-8", "surrogatepass") + b"\n")
    return {"said": len(lines)}


def say_much(folder: Folder, *, mib: int) -> dict[str, Any]:
    """A line without an end."""
    told: Any = onlooker.present()
    for _ in range(mib):
        left = b"9" * (1 << 20)
        while left:
            left = left[os.write(told._lines._pipe.fileno(), left) :]
    os.write(told._lines._pipe.fileno(), b"\n")
    return {"said": mib}


def leave_somebody(folder: Folder) -> dict[str, Any]:
    """Starts a process that stays, with the pipe in its hands."""
    child = os.fork()
    if not child:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
        os._exit(0)
    (folder.root / "scratch" / "left").write_text(str(child))
    os._exit(0)


def look_around(folder: Folder, *, outside: str) -> dict[str, Any]:
    """What it may do."""
    found: dict[str, Any] = {"environment": json.dumps(dict(os.environ)), "offline": os.environ["UNDERSTUDY_OFFLINE"]}
    for name, path in (("inside", folder.root / "films" / "made"), ("outside", Path(outside))):
        try:
            path.write_text("written")
        except OSError as error:
            found[name] = type(error).__name__
        else:
            found[name] = "written"
    return found


tasks.VERBS.update(
    {one.__name__: one for one in (answer, refuse, stumble, hold, die, leave, film, say, say_much, leave_somebody)}
)
tasks.VERBS["look_around"] = look_around
tasks.VERBS["check"] = look_around  # which may write less than any other
