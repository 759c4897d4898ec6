"""The verb `batch`: many actors, many driving clips, one command."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from understudy.base.arguments import StrPath
from understudy.base.files import locked, remove
from understudy.base.ranks import check_alone
from understudy.errors import Interrupted, UnderstudyError, UsageError
from understudy.texts import shortened, shown

if TYPE_CHECKING:
    from understudy.jobs.checks import Checked
    from understudy.jobs.state import State
    from understudy.jobs.stores import Store
    from understudy.jobs.workers import Place

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BatchResult:
    """What has become of the jobs of a batch, in their order. As text it is a summary, failures with their reasons."""

    made: tuple[Path | str, ...]
    """videos that were made now: paths, or addresses where the output folder is one"""
    kept: tuple[Path | str, ...]
    """videos that were there, whole and of the same actors, driving clip and options"""
    failed: dict[Path | str, str]
    """videos that could not be made, and why, in one line"""
    record: Path | str
    """the file that says all this, job by job"""

    @property
    def exit_code(self) -> int:
        """Of the command: 0, every video is there; 1, some failed."""
        return 1 if self.failed else 0

    def __str__(self) -> str:
        lines = [f"{_split(path)[1]}: failed: {reason}" for path, reason in self.failed.items()]
        counts = [(len(self.made), "made"), (len(self.kept), "there before"), (len(self.failed), "failed")]
        said = ", ".join(f"{count} {what}" for count, what in counts if count)
        folder, record = _split(self.record)
        return "\n".join([*lines, f"batch: {folder} ({said}; {record} says which)"])


def _split(place: Path | str) -> tuple[str, str]:
    """The folder of a path or an address, and the name in it."""
    if isinstance(place, Path):
        return str(place.parent), place.name
    folder, _, name = place.rpartition("/")
    return folder, name


def batch(
    jobs: StrPath | None = None,
    *,
    actors: Sequence[StrPath] = (),
    drivings: Sequence[StrPath] = (),
    output_folder: StrPath | None = None,
    workers: int | None = None,
    threads: int | None = None,
    ray: str | None = None,
) -> BatchResult:
    """Lets many actors perform many driving clips, one job after another; goes on where it was stopped.

    Everything about all jobs is looked at before the first begins. Then each is done in a process of its own, and one
    that fails does not stop the others. A driving video is tracked once, however many actors it drives.

    The same command again leaves alone what is finished: whole, and of the same actors, driving clip and options, by
    their content. It does what is missing, has failed or has changed. Whatever ends it, no half-written file has the
    name of a video. The file batch.json in the output folder says of every job whether it is waiting, running, done or
    failed, why, and how many seconds it took.

    Actors, driving clips and the output folder may lie elsewhere, and are then named by their address, such as
    s3://bucket/me.actor: what is there is fetched whole, and once; videos are put there whole.

    Args:
        jobs: a file of jobs: JSON with a list of them under the name jobs, or .jsonl with one a line. A job has an
            actor or a list of them, or assign with an actor for each person of the driving clip, or person with
            photographs; a driving clip; if it wants, any option of `perform` by its name in Python; and an output,
            which is a name in the output folder. Paths are seen from the folder in which the file lies.
        actors: without a file of jobs: actors, each of which performs every driving clip.
        drivings: without a file of jobs: videos, performances or motion captures (BVH), each of which drives every
            actor.
        output_folder: where the videos go, called me_by_dance.mp4. With a file of jobs it may be left out, and is then
            a folder beside it, called as the file without its suffix.
        workers: how many jobs are done at once, each with memory of its own; left out, one, or on a cluster as many as
            its cores are enough for. On two cores two are hardly quicker than one, which already uses both.
        threads: how many threads each job takes. With the same number, the same kind of processor makes the same video
            bit by bit, signed marks aside. Left out, as many as are its share of the cores; on a cluster 2.
        ray: the Ray cluster whose machines do the jobs: the address of its head, host:port, or "auto", if this machine
            belongs to one. All have understudy in the same version, and see the files by the same paths or by
            addresses. A worker or machine that is gone loses nothing but what it was at.

    Returns:
        What was made, what was there, and what failed.

    Raises:
        UnderstudyError: a job that cannot be done, which is told with its name before any has begun.
        UsageError: arguments that contradict each other, or two jobs that would write the same file.
        Interrupted: SIGTERM, where the caller makes that of it; as after Ctrl-C, the next call goes on.

    Example:
        result = batch(actors=["me.actor", "anna.actor"], drivings=["dance.mp4"], output_folder="out")
        print(result.made, result.failed)
        # jobs.json: {"jobs": [{"actor": "me.actor", "driving": "dance.mp4", "compare": true}]}
        batch("jobs.json")
        batch("jobs.json", output_folder="s3://bucket/out", ray="auto")

    Shell:
        $ understudy batch --actors me.actor anna.actor --drivings dance.mp4 another.mp4 --output-folder out
        $ understudy batch jobs.json --workers 2
        $ understudy batch jobs.json --output-folder s3://bucket/out --ray auto
    """
    check_alone("batch")
    for name, number in (("workers", workers), ("threads", threads)):
        if number is not None and number < 1:
            raise UsageError(f"`{name}` must be at least 1, not {number}")
    from understudy.jobs.asked import every_pair, jobs_of_file
    from understudy.jobs.checks import checked
    from understudy.jobs.stores import Elsewhere, Store, mirror_of

    elsewhere = Elsewhere()
    store = None if output_folder is None else Store(output_folder)
    if store is not None:
        output_folder = store.address if store.is_folder else mirror_of(store.address)
    if jobs is not None:
        if actors or drivings:
            raise UsageError("a file of jobs says who performs what: leave out `actors` and `drivings`")
        place = None if output_folder is None else Path(output_folder)
        asked, folder = jobs_of_file(Path(jobs), place, elsewhere.place)
    elif output_folder is None:
        raise UsageError("videos need a folder to be written to: add `output_folder='out'`")
    else:
        folder = Path(output_folder)
        asked = every_pair(actors, drivings, folder, elsewhere.place)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: choose another `output_folder`")
    elsewhere.fetch()
    ready = checked(asked)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnderstudyError(
            f"cannot make the folder {folder} ({error.strerror}): choose another `output_folder`"
        ) from None
    with locked(folder, UsageError, "output_folder"):
        outputs = _Outputs(folder, store or Store(folder), ray is not None)
        state = outputs.state(ready)
        to_do = [one for one in ready if one.job.name not in state.of("done")]
        with _place(ray, workers, threads, len(to_do), outputs, elsewhere.addresses) as place_of_jobs:
            return _done(ready, to_do, state, place_of_jobs, outputs)


class _Outputs:
    """Where videos go, and how they come there: a folder of this machine, one that machines share, or an address."""

    def __init__(self, folder: Path, store: Store, shared: bool) -> None:
        from understudy.jobs.stores import sweep_uploads

        self.folder, self.store, self.shared = folder, store, shared
        if self.store.is_folder:
            sweep_uploads(folder)

    def state(self, ready: list[Checked]) -> State:
        """What has become of the jobs so far."""
        from understudy.jobs.state import FILE, State

        if self.store.is_folder:
            return State(self.folder, ready)
        if not self.store.get(FILE, self.folder / FILE):
            (self.folder / FILE).unlink(missing_ok=True)
        return State(self.folder, ready, self.store.content, self.store.put)

    def kept(self, files: dict[str, str]) -> dict[str, str]:
        """Has what was made lie where it belongs; returns content by name.

        Raises:
            UnderstudyError: it cannot be put there; or machines of a cluster do not share the folder.
        """
        from understudy.jobs.cluster import seen_here

        if self.shared:
            seen_here(self.store, files)
            return files
        if self.store.is_folder:
            return files
        put = {name: self.store.put(self.folder / name) for name in files}
        for name in files:
            remove(self.folder / name)
        return put

    def place(self, name: str) -> Path | str:
        """Where something of that name lies: a path, or an address."""
        return self.folder / name if self.store.is_folder else self.store.name(name)


@contextmanager
def _place(
    ray: str | None,
    workers: int | None,
    threads: int | None,
    to_do: int,
    outputs: _Outputs,
    addresses: dict[Path, str],
) -> Iterator[Place]:
    """Where jobs are done; a cluster is not looked for if there is nothing to do."""
    from understudy.jobs.cluster import Cluster, threads_of
    from understudy.jobs.workers import Here

    if ray is None or not to_do:
        yield Here(min(workers or 1, max(1, to_do)), threads)
        return
    if outputs.store.address.startswith("memory:") or any(one.startswith("memory:") for one in addresses.values()):
        raise UsageError("memory:// is one program's own, and no machine of a cluster sees it: give another address")
    cluster = Cluster(ray, threads_of(threads), workers, outputs.store, addresses)
    try:
        yield cluster
    finally:
        cluster.leave()


def _done(ready: list[Checked], to_do: list[Checked], state: State, place: Place, outputs: _Outputs) -> BatchResult:
    from understudy.jobs.workers import work_through

    kept = state.of("done")
    if kept:
        log.info("%d of %d are there, whole and of the same: they stay", len(kept), len(ready))
    if to_do:
        log.info("%d to do", len(to_do))
    said = _Said(state, len(ready), len(kept), outputs)
    state.write()
    try:
        work_through(to_do, place, said)
    except (KeyboardInterrupt, Interrupted):
        log.info("the same command goes on from here")
        raise
    finally:
        for name in state.of("running"):
            state.entries[name].status = "waiting"
        with suppress(UnderstudyError):  # what is told is why it ended
            state.write()
    return BatchResult(
        made=tuple(outputs.place(name) for name in state.of("done") if name not in kept),
        kept=tuple(outputs.place(name) for name in kept),
        failed={outputs.place(name): state.entries[name].reason for name in state.of("failed")},
        record=outputs.place(state.path.name),
    )


class _Said:
    """Writes down what has become of a job, and says a line of each that has ended."""

    def __init__(self, state: State, jobs: int, kept: int, outputs: _Outputs) -> None:
        self._state, self._jobs, self._kept, self._outputs = state, jobs, kept, outputs
        self._began = time.monotonic()
        self._over = 0

    def __call__(
        self, one: Checked, status: Literal["running", "done", "failed"], seconds: float, told: dict[str, Any]
    ) -> None:
        entry = self._state.entries[one.job.name]
        if status == "done":
            try:
                told = {"files": self._outputs.kept(told["files"])}
            except UnderstudyError as error:
                status, told = "failed", {"reason": str(error)}
        entry.status = status
        if status != "running":
            entry.seconds = seconds
            entry.files = told.get("files", {})
            entry.reason = shortened(shown(str(told.get("reason", ""))))
            entry.traceback = [str(line) for line in told.get("traceback", [])]
        self._state.write()
        if status == "running":
            return
        self._over += 1
        of = f"{self._kept + self._over} of {self._jobs}"
        if status == "done":
            log.info("%s: %s is done, %.0f s%s", of, self._outputs.place(one.job.name), seconds, self._left())
        else:
            log.warning("%s: %s failed: %s%s", of, self._outputs.place(one.job.name), entry.reason, self._left())

    def _left(self) -> str:
        """At the rate so far, what is still to be done."""
        to_do = self._jobs - self._kept - self._over
        if not to_do:
            return ""
        seconds = (time.monotonic() - self._began) / self._over * to_do
        return f"; about {seconds:.0f} s left" if seconds < 100 else f"; about {seconds / 60:.0f} min left"
