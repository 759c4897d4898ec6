"""The verb `batch`: many actors, many driving clips, one command."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from understudy.base.arguments import StrPath
from understudy.base.files import locked
from understudy.base.ranks import check_alone
from understudy.errors import Interrupted, UnderstudyError, UsageError
from understudy.texts import shortened, shown

if TYPE_CHECKING:
    from understudy.jobs.checks import Checked
    from understudy.jobs.state import State

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BatchResult:
    """What has become of the jobs of a batch, in their order. As text it is a summary, failures with their reasons."""

    made: tuple[Path, ...]
    """videos that were made now"""
    kept: tuple[Path, ...]
    """videos that were there, whole and of the same actors, driving clip and options"""
    failed: dict[Path, str]
    """videos that could not be made, and why, in one line"""
    record: Path
    """the file that says all this, job by job"""

    @property
    def exit_code(self) -> int:
        """Of the command: 0, every video is there; 1, some failed."""
        return 1 if self.failed else 0

    def __str__(self) -> str:
        lines = [f"{path.name}: failed: {reason}" for path, reason in self.failed.items()]
        counts = [(len(self.made), "made"), (len(self.kept), "there before"), (len(self.failed), "failed")]
        said = ", ".join(f"{count} {what}" for count, what in counts if count)
        return "\n".join([*lines, f"batch: {self.record.parent} ({said}; {self.record.name} says which)"])


def batch(
    jobs: StrPath | None = None,
    *,
    actors: Sequence[StrPath] = (),
    drivings: Sequence[StrPath] = (),
    output_folder: StrPath | None = None,
    workers: int = 1,
) -> BatchResult:
    """Lets many actors perform many driving clips, one job after another; goes on where it was stopped.

    Everything about all jobs is looked at before the first begins. Then each is done in a process of its own, and one
    that fails does not stop the others. A driving video is tracked once, however many actors it drives.

    The same command again leaves alone what is finished: whole, and of the same actors, driving clip and options, by
    their content. It does what is missing, has failed or has changed. Whatever ends it, no half-written file has the
    name of a video. The file batch.json in the output folder says of every job whether it is waiting, running, done or
    failed, why, and how many seconds it took.

    Args:
        jobs: a file of jobs: JSON with a list of them under the name jobs, or .jsonl with one a line. A job has an
            actor or a list of them, a driving clip and, if it wants, any option of `perform` but `assign`, as Python
            calls it, and an output, which is a name in the output folder. Paths are seen from the folder in which the
            file lies.
        actors: without a file of jobs: actors, each of which performs every driving clip.
        drivings: without a file of jobs: videos, performances or motion captures (BVH), each of which drives every
            actor.
        output_folder: where the videos go, called me_by_dance.mp4. With a file of jobs it may be left out, and is then
            a folder beside it, called as the file without its suffix.
        workers: how many jobs are done at once, each with its share of the cores and memory of its own. On two cores
            two are hardly quicker than one, which already uses both.

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

    Shell:
        $ understudy batch --actors me.actor anna.actor --drivings dance.mp4 another.mp4 --output-folder out
        $ understudy batch jobs.json --workers 2
    """
    check_alone("batch")
    if workers < 1:
        raise UsageError(f"`workers` must be at least 1, not {workers}")
    from understudy.jobs.asked import every_pair, jobs_of_file
    from understudy.jobs.checks import checked
    from understudy.jobs.state import State

    if jobs is not None:
        if actors or drivings:
            raise UsageError("a file of jobs says who performs what: leave out `actors` and `drivings`")
        asked, folder = jobs_of_file(Path(jobs), None if output_folder is None else Path(output_folder))
    elif output_folder is None:
        raise UsageError("videos need a folder to be written to: add `output_folder='out'`")
    else:
        folder = Path(output_folder)
        asked = every_pair(actors, drivings, folder)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: choose another `output_folder`")
    ready = checked(asked)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnderstudyError(
            f"cannot make the folder {folder} ({error.strerror}): choose another `output_folder`"
        ) from None
    with locked(folder, UsageError, "output_folder"):
        state = State(folder, ready)
        return _done(ready, state, folder, workers)


def _done(ready: list[Checked], state: State, folder: Path, workers: int) -> BatchResult:
    from understudy.jobs.workers import work_through

    kept = state.of("done")
    to_do = [one for one in ready if one.job.name not in kept]
    if kept:
        log.info("%d of %d are there, whole and of the same: they stay", len(kept), len(ready))
    if to_do:
        log.info("%d to do, %d at once", len(to_do), min(workers, len(to_do)))
    said = _Said(state, len(ready), len(kept), workers)
    state.write()
    try:
        work_through(to_do, min(workers, max(1, len(to_do))), said)
    except (KeyboardInterrupt, Interrupted):
        log.info("the same command goes on from here")
        raise
    finally:
        for name in state.of("running"):
            state.entries[name].status = "waiting"
        with suppress(UnderstudyError):  # what is told is why it ended
            state.write()
    return BatchResult(
        made=tuple(folder / name for name in state.of("done") if name not in kept),
        kept=tuple(folder / name for name in kept),
        failed={folder / name: state.entries[name].reason for name in state.of("failed")},
        record=state.path,
    )


class _Said:
    """Writes down what has become of a job, and says a line of each that has ended."""

    def __init__(self, state: State, jobs: int, kept: int, workers: int) -> None:
        self._state, self._jobs, self._kept, self._workers = state, jobs, kept, workers
        self._began = time.monotonic()
        self._over = 0

    def __call__(
        self, one: Checked, status: Literal["running", "done", "failed"], seconds: float, told: dict[str, Any]
    ) -> None:
        entry = self._state.entries[one.job.name]
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
            log.info("%s: %s is done, %.0f s%s", of, one.job.output, seconds, self._left())
        else:
            log.warning("%s: %s failed: %s%s", of, one.job.output, entry.reason, self._left())

    def _left(self) -> str:
        """At the rate so far, what is still to be done."""
        to_do = self._jobs - self._kept - self._over
        if not to_do:
            return ""
        seconds = (time.monotonic() - self._began) / self._over * to_do
        return f"; about {seconds:.0f} s left" if seconds < 100 else f"; about {seconds / 60:.0f} min left"
