"""What a worker of a Ray cluster runs: it has one job done by a child process, as one machine does, and tells of it.

What goes back and forth is JSON alone.
"""

from __future__ import annotations

import hashlib
import json
import platform
import threading
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import gettempdir
from typing import Any

from understudy.base.children import how_it_ended
from understudy.base.files import scratch_folder
from understudy.base.folders import cache_folder
from understudy.base.machine import version_of
from understudy.errors import UnderstudyError, UsageError
from understudy.jobs.one import content_of
from understudy.jobs.stores import Store, fetched
from understudy.jobs.workers import begun, end, environment, told_by

LISTENS_SECONDS = 0.2
"""after which a worker that is asked to end notices that"""


def task(asked_text: str) -> Iterator[str]:
    """Does what was asked; tells lines of JSON, [kind, what is said], as a child does, and "began" and "gone" besides.

    Without a job it says whether this machine could do one.
    """
    asked = json.loads(asked_text)
    try:
        _check_versions(asked["versions"])
        if "job" in asked:
            for kind, said in _done(asked):
                yield json.dumps([kind, said])
    except UnderstudyError as error:
        yield json.dumps(["failed", {"reason": str(error), "of_machine": True}])
    except OSError as error:
        reason = f"{platform.node()}: {error.filename or ''} {error.strerror or type(error).__name__}"
        yield json.dumps(["failed", {"reason": reason, "of_machine": True}])


def _check_versions(wanted: dict[str, str | None]) -> None:
    for name, version in wanted.items():
        if version_of(name) != version:
            raise UsageError(
                f"{platform.node()}, a machine of the cluster, has {name} {version_of(name) or 'not at all'}, and the "
                f"machine that asks has {version}: install the same on all, or results differ"
            )


def _done(asked: dict[str, Any]) -> Generator[tuple[str, Any], None, None]:
    job = asked["job"]
    places = {path: str(_here(path, asked)) for path in (*job["actors"], job["driving"])}
    with scratch_folder(Path(gettempdir(), "understudy-job")) as scratch, ExitStack() as tracking:
        output = scratch / Path(job["output"]).name
        moved = {"actors": [places[path] for path in job["actors"]], "driving": places[job["driving"]]}
        if asked["clip"]:
            tracking.enter_context(_alone_at(_name_of(asked["clip"])))
        yield "began", platform.node()
        process = begun({**job, **moved, "output": str(output)}, environment(1, asked["threads"]))
        answer = None
        try:
            for kind, said in _listened(process):
                if kind == "tracked":
                    tracking.close()
                if kind == "done":
                    answer = "done", {"files": _put(output.parent, said["files"], asked["folder"])}
                elif kind == "failed":
                    answer = "failed", said
                else:
                    yield kind, said
        finally:
            end([process])
        yield answer or ("gone", how_it_ended(process.returncode))


def _listened(process: Any) -> Iterator[tuple[str, Any]]:
    """As `told_by`; who is cancelled hears it soon, which a read that waits would not."""
    heard: SimpleQueue[tuple[str, Any] | None] = SimpleQueue()

    def listen() -> None:
        for line in told_by(process):
            heard.put(line)
        heard.put(None)

    threading.Thread(target=listen, daemon=True, name="listens").start()
    while True:
        with suppress(Empty):
            line = heard.get(timeout=LISTENS_SECONDS)
            if line is None:
                return
            yield line


def _here(path: str, asked: dict[str, Any]) -> Path:
    """Where something lies on this machine, fetched if need be; it is what the machine that asks has by that name."""
    if path in asked["addresses"]:
        found = fetched(asked["addresses"][path])
    else:
        found = Path(asked["current"], path)
        if not found.exists():
            raise UsageError(
                f"{platform.node()}, a machine of the cluster, has no {path}: lay it into a folder that all machines "
                "share, or give its address, such as s3://bucket/name"
            )
    if content_of(found) != asked["contents"][path]:
        raise UsageError(
            f"{path} is another one on {platform.node()}, a machine of the cluster, than where it is asked"
        )
    return found


def _put(folder: Path, files: dict[str, str], store_name: str) -> dict[str, str]:
    store = Store(store_name)
    if store.is_folder and not Path(store.address).is_dir():
        raise UsageError(
            f"{platform.node()}, a machine of the cluster, has no folder {store.address}: the output folder has to be "
            "one that all machines share, or an address such as s3://bucket/folder"
        )
    return {name: store.put(folder / name) for name in files}


def _name_of(clip: str) -> str:
    """A file name for a clip."""
    return hashlib.sha256(clip.encode()).hexdigest()[:32]


@contextmanager
def _alone_at(name: str) -> Iterator[None]:
    """Of the jobs on this machine that one clip drives, the first tracks it, and the others wait for that."""
    from filelock import FileLock

    folder = cache_folder() / "tracking"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{name}.lock"):
        yield
