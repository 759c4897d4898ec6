"""`forget`: somebody takes their consent back, and what was learnt of them is deleted."""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.base.arguments import StrPath

if TYPE_CHECKING:
    from understudy.actor import Actor
    from understudy.consent import Consent

log = logging.getLogger(__name__)

ELSEWHERE = """\
What may remain, and is for you to delete: the reference video itself{where}; performances tracked from it to places of
your own; networks exported from the actor; videos in which it performed, and pictures of them; copies and backups of
any of these, and whatever was uploaded or handed on. The other clips that the actor was trained with are somebody
else's, and stay."""


@dataclass(frozen=True)
class Forgotten:
    """What was deleted, and what may remain."""

    deleted: tuple[Path, ...]
    consent: Consent
    """which was taken back"""
    reference: Path | None
    """where the video lies that the actor was learnt from, as far as is known here; it stays"""

    def __str__(self) -> str:
        lines = ["deleted:", *(f"  {path}" for path in self.deleted)]
        lines.append(f"the consent was: {self.consent.text} ({self.consent.time})")
        where = f", {self.reference}" if self.reference else ""
        return "\n".join([*lines, ELSEWHERE.format(where=where)])


def forget(actor: StrPath, *, yes: bool = False) -> Forgotten:
    """Deletes an actor, its run folder, and what was remembered of the video that it was learnt from.

    An actor of the same reference that was set aside when this one replaced it (NAME.before.actor) goes too, and so
    do tracked performances of the reference in the cache. Deleted files are gone, not in a bin; a disk may still hold
    their content for a while.

    Args:
        actor: the actor's file.
        yes: do not ask; without it somebody at a terminal is asked, and nothing is deleted where nobody sits.

    Returns:
        What was deleted, and what may remain elsewhere.

    Raises:
        ActorError: it is no actor, or damaged.
        UsageError: nobody said yes.
        TrainingError: it is being trained at this moment.

    Example:
        print(forget("me.actor", yes=True))

    Shell:
        $ understudy forget me.actor --yes
    """
    from understudy.actor import Actor
    from understudy.errors import UsageError

    path = Path(actor)
    learnt = Actor.load(path)
    doomed = [*_files_of(path, learnt), *_remembered(learnt)]
    if not (yes or _agreed(doomed)):
        raise UsageError(f"nothing was deleted: `yes=True` deletes {len(doomed)} files and folders of {path.name}")
    reference = _reference_of(learnt)
    _delete(doomed)
    return Forgotten(tuple(doomed), learnt.consent, reference)


def _files_of(path: Path, learnt: Actor) -> Iterator[Path]:
    """The actor, its run folder, and those that were set aside if they are of the same reference."""
    from understudy.actor import Actor, run_folder_of
    from understudy.errors import ActorError

    before = path.with_name(f"{path.stem}.before{path.suffix}")
    places = [path]
    if before.is_file():
        try:
            if Actor.load(before).reference_sha256 == learnt.reference_sha256:
                places.append(before)
        except ActorError as error:
            log.warning("%s stays, since nobody can say whose it is: %s", before, error)
    for place in places:
        yield place
        if run_folder_of(place).is_dir():
            yield run_folder_of(place)


def _remembered(learnt: Actor) -> Iterator[Path]:
    """Of the cache: tracked performances of the reference, the note where its video lies, frames painted of them."""
    from understudy.base.folders import cache_folder
    from understudy.errors import PerformanceError
    from understudy.performance.header import HEADER_FILE, read_header
    from understudy.recipes.parts.remembered import folder_of
    from understudy.tracking.cache import note_of

    if not learnt.reference_sha256:
        return
    for folder in sorted((cache_folder() / "performances").glob("*.performance")):
        try:
            found = read_header(folder / HEADER_FILE).source_sha256  # of a damaged one too
        except PerformanceError:
            continue
        if found == learnt.reference_sha256:
            yield folder
    if note_of(learnt.reference_sha256).is_file():
        yield note_of(learnt.reference_sha256)
    if folder_of(cache_folder(), learnt.reference_sha256).is_dir():
        yield folder_of(cache_folder(), learnt.reference_sha256)


def _reference_of(learnt: Actor) -> Path | None:
    """Where the video lay when it was tracked, if it is still there."""
    from understudy.tracking.cache import noted_place

    place = noted_place(learnt.reference_sha256)
    return place if place is not None and place.is_file() else None


def _agreed(doomed: list[Path], answer: Callable[[str], str] = input) -> bool:
    from understudy.consent import said_yes, somebody_to_ask

    if not somebody_to_ask():
        return False
    listed = "\n".join(f"  {path}" for path in doomed)
    print(f"This deletes for good:\n{listed}", file=sys.stderr)
    return said_yes("Delete them? Type yes or no: ", answer)


def _delete(doomed: list[Path]) -> None:
    """Run folders first, so that whoever trains is noticed while all is still there."""
    from understudy.base.files import locked
    from understudy.errors import TrainingError

    with ExitStack() as held:
        for run in (path for path in doomed if path.name.endswith(".run")):
            held.enter_context(locked(run, TrainingError))
        for path in doomed:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
