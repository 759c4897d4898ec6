"""Poses that are given instead of tracked, brought to the frames and the picture of their video.

All that can be wrong with them is found here, before the first pass over the video.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from understudy.base.arguments import StrPath
from understudy.errors import PoseError
from understudy.media.info import BY_DEGREES, inspect
from understudy.media.opening import media_errors, open_input, video_stream
from understudy.media.reading import VideoReader
from understudy.poses.formats import PoseFiles, by_number, pose_of, read_pose_files
from understudy.poses.numbering import possible_first_numbers
from understudy.poses.parsing import Frame
from understudy.poses.pose import Pose
from understudy.tracking.canvas import Picture, on_picture, turned
from understudy.tracking.glance import Glance, distance, glances

_NEARLY_ALL = 0.9
"""of a clip's frames: files that follow one another without a gap, but fewer, are those of another clip"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Span:
    """Which frames of a clip are tracked: `count` from number `first` on, of `whole` in all."""

    first: int
    count: int
    whole: int

    @property
    def is_whole(self) -> bool:
        return self.first == 0 and self.count == self.whole


def given_poses(path: StrPath, reader: VideoReader, start: float | None, end: float | None) -> Pose:
    """The poses for the tracked frames, in pixels of the picture as shown.

    Args:
        path: a folder or file of poses, of the whole clip or of the tracked part, made on the picture that the file
            itself shows; where the reader turns that further, they are turned along.
        reader: of the tracked part, in its own size.
        start, end: seconds, the tracked part.

    Raises:
        PoseError: they cannot be read, or do not belong to the clip's frames or to its picture.
    """
    files = read_pose_files(path)
    frames = _frames_for(files, reader, start, end)
    file = inspect(reader.info.path)
    pose = pose_of(files, frames, file.info.size_hw)
    picture = Picture(file.info.size_hw, file.info.stored_hw, file.turn)
    judge = _Look(reader, pose.found, round((start or 0) * reader.fps))
    placed = on_picture(pose, files.size_hw is not None, picture, files.path, judge)
    return turned(placed, BY_DEGREES[reader.rotate])


class _Look:
    """How far poses are from what the tracker sees at a few frames; looks once, when it is asked."""

    def __init__(self, reader: VideoReader, found: npt.NDArray[np.bool_], first: int) -> None:
        self._reader, self._found, self._first = reader, found, first
        self._looked: list[Glance] | None = None

    def __call__(self, pose: Pose) -> float | None:
        if self._looked is None:
            self._looked = glances(self._reader, self._found, self._first)
        return distance(turned(pose, BY_DEGREES[self._reader.rotate]), self._looked)


def count_error(poses: int, frames: int, video: Path) -> PoseError:
    return PoseError(
        f"there are {poses} poses for the {frames} frames of {video}: give one pose per frame, and the `start` and "
        "`end` that they were made with"
    )


def _frames_for(files: PoseFiles, reader: VideoReader, start: float | None, end: float | None) -> list[Frame]:
    span = Span(round((start or 0) * reader.fps), reader.expected_frames, reader.info.frames)
    video = reader.info.path
    if not _fill(files, span):  # headers are not always right
        counted = _counted(reader, span, end)
        span = counted if _fill(files, counted) else span
    placed = placed_frames(files, span, video)
    if placed is None:
        raise _unplaceable(files, span, video)
    return placed


def _fill(files: PoseFiles, span: Span) -> bool:
    """Whether the files are as many frames as the clip or its tracked part has, with one more or less."""
    numbers = files.numbers
    frames = len(files.frames) if numbers is None else numbers[-1] - numbers[0] + 1
    return min(abs(frames - span.count), abs(frames - span.whole)) <= 1


def placed_frames(files: PoseFiles, span: Span, video: Path) -> list[Frame] | None:
    """The frames of the files for the tracked part: by their numbers, else one after another; None: they do not fit.

    Raises:
        PoseError: their numbers fit in two ways.
    """
    if files.numbers is None:
        return _in_order(files.frames, span)
    first = _first_number(files, files.numbers, span, video)
    if first is None:
        placed = _in_order(files.frames, span, room=0)
        if placed is not None:
            _log.warning("%s: the numbers of its files are not those of frames; taken one after another", files.path)
        return placed
    empty = span.count - sum(first <= number < first + span.count for number in files.numbers)
    if empty > 0:
        _log.warning("%s: %d of %d frames have no file: frames without anybody", files.path, empty, span.count)
    one_more = files.numbers[-1] - first == span.count  # than the header says
    return by_number(files, first, span.count + one_more)


def _in_order(frames: list[Frame], span: Span, room: int = 1) -> list[Frame] | None:
    if abs(len(frames) - span.count) <= room:
        return frames
    if abs(len(frames) - span.whole) <= room:
        return frames[span.first : span.first + span.count]
    return None


def _first_number(files: PoseFiles, numbers: Sequence[int], span: Span, video: Path) -> int | None:
    """The number that belongs to the first tracked frame; None where there is none.

    A part may have been numbered by itself or as in the whole clip. Numbers that run over as many frames as it has
    tell; else a way in which half of its frames would be without a file is none, as nothing could be made of it.
    """
    own = possible_first_numbers(numbers, span.count, files.from_zero)
    in_whole = {first + span.first for first in possible_first_numbers(numbers, span.whole, files.from_zero)}
    as_long = abs(numbers[-1] - numbers[0] + 1 - span.count) <= 1
    possible = own if own and as_long else own | in_whole
    if len(possible) > 1:
        possible = {first for first in possible if 2 * _found(files, first, span.count) >= span.count} or possible
    if len(possible) > 1:
        raise _two_ways(files, numbers, possible, span, video)
    first = next(iter(possible), None)
    return None if first is None or _is_cut_off(files, numbers, first, span) else first


def _found(files: PoseFiles, first: int, count: int) -> int:
    return sum(bool(frame.people) for frame in by_number(files, first, count))


def _is_cut_off(files: PoseFiles, numbers: Sequence[int], first: int, span: Span) -> bool:
    """Whether far fewer frames follow one another than the clip has, by a tool that leaves none out.

    They are those of another clip then, or of a part of it.
    """
    in_a_row = numbers[-1] - numbers[0] + 1 == len(numbers) and numbers[0] == first
    return in_a_row and not files.leaves_out_nobody and len(numbers) < _NEARLY_ALL * span.count - 2


def _two_ways(files: PoseFiles, numbers: Sequence[int], possible: set[int], span: Span, video: Path) -> PoseError:
    tracked = "" if span.is_whole else " from `start` to `end`"
    either = " or ".join(str(first) for first in sorted(possible))
    return PoseError(
        f"{files.path} is numbered {numbers[0]} to {numbers[-1]} and {video} has {span.count} frames{tracked}, so that "
        f"the first of them may have the number {either}: add the files that are missing at the start or at the end, "
        'with {"people": []} in them'
    )


def _unplaceable(files: PoseFiles, span: Span, video: Path) -> PoseError:
    if files.numbers is None or files.numbers[-1] - files.numbers[0] + 1 == len(files.frames):
        return count_error(len(files.frames), span.count, video)
    return PoseError(
        f"{files.path} is numbered {files.numbers[0]} to {files.numbers[-1]}, which are no numbers of the {span.count} "
        f"frames of {video}: number the files from 0, or give the `start` and `end` that they were made with"
    )


def _counted(reader: VideoReader, span: Span, end: float | None) -> Span:
    """The same part, with the clip's frames counted in its packets, which takes no decoding."""
    path = reader.info.path
    with open_input(path) as container, media_errors(path):
        stream = video_stream(path, container)
        base = stream.time_base or Fraction(0)
        times = [packet.pts * base for packet in container.demux(stream) if packet.pts is not None]
    if not times:
        return span
    whole = round((max(times) - min(times)) * reader.fps) + 1
    rest = max(0, whole - span.first)
    return Span(span.first, rest if end is None else min(span.count, rest), whole)
