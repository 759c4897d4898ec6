"""Correcting a performance by hand: corrections are kept in its header, and whatever loads it gets the corrected poses.

What was tracked stays in the folder as it is, so that everything can be undone. `tracking.doubts` says where to look.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from understudy.base.files import write_json
from understudy.errors import UsageError
from understudy.performance.edit_list import MOST_EDITS, EditList
from understudy.performance.header import HEADER_FILE, POSES_FILE, Header, check_file, header_content, read_header
from understudy.performance.reading import Performance, tracked_poses
from understudy.poses.edits import Edit, apply_edits, checked, named, unseen_ends
from understudy.poses.pose import Pose


@dataclass(frozen=True)
class Entry:
    """One correction of a performance's history."""

    edit: Edit
    made: bool
    """whether it is in effect: else it was undone"""


def add(performance: Performance, *edits: Edit) -> Performance:
    """Makes corrections, one after another; corrections that were undone before are dropped.

    Args:
        performance: as loaded; it stays as it is.
        *edits: with places in working pixels (`performance.poses`), frames from 0.

    Returns:
        The performance as it is on disk now, with the corrected poses.

    Raises:
        UsageError: a correction that cannot be made in this clip, or too many; nothing is written then.
        PerformanceError: what is on disk is damaged.

    Example:
        from understudy.performance.fixes import add, undo
        from understudy.poses.edits import Move

        dance = add(Performance.load("dance.performance"), Move(120, 9, 320.0, 240.0))
        dance = undo(dance)
    """

    def added(header: Header, poses: Pose) -> EditList:
        fixes, poses = header.fixes, apply_edits(poses, header.fixes.made)
        for edit in edits:
            try:
                plain = checked(edit, header.frames)
            except ValueError as cause:
                raise UsageError(f"this cannot be corrected in {performance.path}: {cause}") from None
            if unseen := unseen_ends(poses, plain):
                raise UsageError(
                    f"nothing can be interpolated in {performance.path}: {named(unseen)} is not seen in both frames; "
                    "move it there first"
                )
            poses, fixes = apply_edits(poses, [plain]), fixes.with_new(plain)
        if fixes.done > MOST_EDITS:
            raise UsageError(f"{performance.path} would hold {fixes.done} corrections, and {MOST_EDITS} are the most")
        return fixes

    return _changed(performance, added)


def undo(performance: Performance) -> Performance:
    """Takes the last correction back; returns the performance as it is on disk now.

    Raises:
        UsageError: there is none.
        PerformanceError: what is on disk is damaged.
    """

    def undone(header: Header, _poses: Pose) -> EditList:
        if not header.fixes.made:
            raise UsageError(f"nothing is left to be undone in {performance.path}")
        return replace(header.fixes, done=header.fixes.done - 1)

    return _changed(performance, undone)


def redo(performance: Performance) -> Performance:
    """Makes the correction again that was undone last; returns the performance as it is on disk now.

    Raises:
        UsageError: there is none.
        PerformanceError: what is on disk is damaged.
    """

    def redone(header: Header, _poses: Pose) -> EditList:
        if not header.fixes.undone:
            raise UsageError(f"nothing was undone in {performance.path}, or something was corrected since")
        return replace(header.fixes, done=header.fixes.done + 1)

    return _changed(performance, redone)


def history(performance: Performance) -> tuple[Entry, ...]:
    """All corrections of a performance as it was loaded, the first one first; those that were undone are its end."""
    fixes = performance.header.fixes
    return tuple(Entry(edit, index < fixes.done) for index, edit in enumerate(fixes.edits))


def _changed(performance: Performance, change: Callable[[Header, Pose], EditList]) -> Performance:
    """Writes the header with other corrections; what others wrote meanwhile is read first, and nobody writes between.

    The poses are corrected before the header is written: what nothing could load is not kept.
    """
    path = performance.path
    with _alone(path):
        header = read_header(path / HEADER_FILE)
        check_file(path, header, POSES_FILE)
        tracked, status = tracked_poses(path, header)
        header = replace(header, fixes=change(header, tracked))
        poses, status = header.fixes.apply(tracked, status)
        try:
            poses.check_reach()
        except ValueError as cause:
            raise UsageError(f"this cannot be corrected in {path}: {cause}") from None
        write_json(path / HEADER_FILE, header_content(header))
    return Performance(path, header, poses, status)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One at a time in a folder; the lock is the folder's own, for another file in it would be one too many."""
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
