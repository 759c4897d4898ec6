"""Several people of one video, each as a performance of its own: followed in one pass, and remembered."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.base.arguments import Landmarks, Rotation, StrPath
from understudy.base.files import read_json, write_json
from understudy.base.folders import cache_folder
from understudy.base.onlooker import show
from understudy.base.progress import progress_bar
from understudy.base.threads import opencv_in_the_callers_thread
from understudy.errors import MediaError, PoseError, UnderstudyError
from understudy.media.reading import VideoReader
from understudy.performance import Performance, PerformanceWriter
from understudy.pictures.drawing import draw_pose
from understudy.poses import pose as p
from understudy.poses.pose import Pose
from understudy.tracking.blazepose import BlazePoseTracker
from understudy.tracking.cache import cache_key
from understudy.tracking.cuts import CutWatch
from understudy.tracking.detection import Detection, Mask
from understudy.tracking.finishing import Followed, Wanted, finished
from understudy.tracking.observe import (
    SAMPLES,
    MaskSpool,
    Observations,
    Sample,
    UInt8Array,
    View,
    look_long_side,
)
from understudy.tracking.passes import Footage
from understudy.tracking.pieces import Pieces
from understudy.tracking.sides import called, check_sides, name_of, numbers_of
from understudy.tracking.slips import mend_slips
from understudy.tracking.who_is_who import who_is_who

_log = logging.getLogger(__name__)

LONGEST_GAP = Fraction(3, 4)
"""seconds; whoever is interpolated over such a gap is mostly behind somebody else, where a wrong step is hardly seen,
and fading out and in again beside them would be"""
VERSION = 2
"""raised whenever the same video would give other people, so that they are tracked again"""


def tracked_people(
    video: StrPath,
    sides: Sequence[str] | None,
    *,
    start: float | None = None,
    end: float | None = None,
    rotate: Rotation = 0,
    tolerate_damage: bool = False,
    landmarks: Landmarks = "body",
    cache: Path | None = None,
) -> list[Performance]:
    """Performances of several people in one video, from the cache where they were tracked before.

    They are called by where they stand when all are first seen at once, see `sides.py`; who is there in less than half
    of the frames passes by, and does not count.

    Args:
        video: the video.
        sides: whom; None: everybody, from left to right.
        start, end, rotate, tolerate_damage, landmarks: as for `track`.
        cache: folder to keep performances in; None = `cache_folder()`.

    Returns:
        One for each of them, all with as many frames.

    Raises:
        MediaError, PoseError: as `track`.
        UsageError: somebody is named who is not there.
    """
    check_sides(sides or ())
    path = Path(video)
    if not path.is_file():
        raise MediaError(f"there is no video {path}: check the name")
    asked: dict[str, Any] = {
        "start": start,
        "end": end,
        "rotate": rotate or None,
        "tolerate_damage": tolerate_damage or None,
        "landmarks": landmarks,
        "people": VERSION,
    }
    memory = _Memory(path, asked, cache or cache_folder())
    remembered = memory.people(sides)
    if remembered is not None:
        return remembered
    clip = Footage(path, start, end, False, tolerate_damage, rotate, landmarks=landmarks)
    full = clip.reader()
    found = follow_everybody(clip, full)
    count = len(found)
    wanted = _wanted(sides, count, path.name)
    _say_who(path.name, wanted, count)
    made = []
    for number in wanted:
        _log.info("%s: cutting out %s", path.name, name_of(number, count))
        folder = memory.folder(number, count)
        with PerformanceWriter(folder, full.fps) as writer:
            made.append(finished(writer, folder, clip, full, found[number], Wanted()))
    memory.remember(count)
    return made


def _wanted(sides: Sequence[str] | None, count: int, name: str) -> list[int]:
    return list(range(count)) if sides is None else numbers_of(sides, count, name)


def _say_who(name: str, wanted: Sequence[int], count: int) -> None:
    left_out = [name_of(number, count) for number in range(count) if number not in wanted]
    more = f"; left out: {', '.join(left_out)}" if left_out else ""
    _log.info("%s: %d people, called %s%s", name, count, called(count), more)


class _Memory:
    """Where people of a video are kept."""

    def __init__(self, video: Path, asked: dict[str, Any], cache: Path) -> None:
        self._video, self._asked, self._cache = video, asked, cache
        self._count = cache / "people" / f"{cache_key(video, asked)}.json"

    def folder(self, number: int, count: int) -> Path:
        key = cache_key(self._video, {**self._asked, "who": f"{number} of {count}"})
        return self._cache / "performances" / f"{key}.performance"

    def remember(self, count: int) -> None:
        self._count.parent.mkdir(parents=True, exist_ok=True)
        write_json(self._count, {"count": count})

    def people(self, sides: Sequence[str] | None) -> list[Performance] | None:
        """Those that are asked for; None if one of them has to be tracked.

        Raises:
            UsageError: as `numbers_of`.
        """
        try:
            count = int(read_json(self._count)["count"])
        except (OSError, UnderstudyError, KeyError, TypeError, ValueError):
            return None
        numbers = _wanted(sides, count, self._video.name)
        try:
            people = [Performance.load(self.folder(number, count)) for number in numbers]
        except UnderstudyError:
            return None
        _say_who(self._video.name, numbers, count)
        return people


@dataclass
class _Seen:
    """Somebody in a piece of the clip: an entry for each of its frames."""

    xy: list[npt.NDArray[np.float32]] = field(default_factory=list)
    confidence: list[npt.NDArray[np.float32]] = field(default_factory=list)
    masks: list[int | None] = field(default_factory=list)
    """numbers in the spool"""


@dataclass(frozen=True)
class _Everything:
    """What one pass over the clip has seen."""

    pieces: Pieces
    seen: dict[int, _Seen]
    """by the number of the piece"""
    masks: MaskSpool
    samples: list[Sample]
    frames: int


def follow_everybody(clip: Footage, full: VideoReader) -> list[Followed]:
    """Everybody who is there in at least half of the frames, from left to right where all are first seen at once.

    Args:
        full: of the clip, at its own size.

    Raises:
        MediaError: there are no frames.
        PoseError: there is nobody.
    """
    with clip.reader(look_long_side(full.info.size_hw, None)) as reader, opencv_in_the_callers_thread():
        view = View.of(reader.size_hw, full.info.size_hw, None)
        everything = _everything(reader, view, clip.landmarks)
    size_hw = full.info.size_hw
    several = []
    for numbers in who_is_who(everything.pieces.pieces, full.fps):
        poses, masks = _of_one(everything, numbers, size_hw)
        if 2 * int(poses.found.sum()) >= everything.frames:
            several.append((poses, masks))
    if not several:
        raise PoseError(f"{clip.path.name}: nobody was found in at least half of the {everything.frames} frames")
    order = _from_left_to_right([poses for poses, _ in several])
    spools = [everything.masks.chosen(several[index][1]) for index in order]
    people = []
    for place, index in enumerate(order):
        found = several[index][0]
        poses, slips = mend_slips(found, full.fps)
        for frame in np.flatnonzero(found.found & ~poses.found):
            spools[place].drop(int(frame))
        beside = tuple(spool for other, spool in enumerate(spools) if other != place)
        samples = [sample for sample in everything.samples if poses.found[sample.number]]
        observations = Observations(poses, spools[place], view, samples, beside)
        tracker = BlazePoseTracker.name, BlazePoseTracker.version
        people.append(Followed(poses, slips, *tracker, observations, LONGEST_GAP))
    return people


def _everything(reader: VideoReader, view: View, landmarks: Landmarks) -> _Everything:
    pieces, masks = Pieces(landmarks, reader.fps), MaskSpool()
    seen: dict[int, _Seen] = {}
    samples: list[Sample] = []
    step = max(1, reader.expected_frames // SAMPLES)
    begins_shot = CutWatch()
    frames = 0
    with progress_bar(f"tracking everybody in {reader.info.path.name}", reader.expected_frames) as advance:
        for frame in reader:
            looked_at = view.cut(frame)
            if begins_shot(looked_at):
                pieces.forget()
            there = pieces(looked_at)
            show(_everybody_drawn, looked_at, list(there.values()))
            for number, one in there.items():
                mine = seen.setdefault(number, _Seen())
                mine.xy.append(np.where(one.confidence[:, None] > 0, view.to_original(one.xy), 0).astype(np.float32))
                mine.confidence.append(one.confidence)
                mine.masks.append(len(masks))
                masks.append(one.mask)
            frames += 1
            found = [one.mask for one in there.values() if one.mask is not None]
            if found and frames % step == 0 and len(samples) < 2 * SAMPLES:
                samples.append(Sample(frames - 1, looked_at, _all_of(found, (looked_at.shape[0], looked_at.shape[1]))))
            advance()
    if not frames:
        raise MediaError(f"{reader.info.path} has no frame in the range that was asked for")
    return _Everything(pieces, seen, masks, samples, frames)


def _everybody_drawn(frame: UInt8Array, there: Sequence[Detection]) -> UInt8Array:
    """For whoever looks on."""
    for one in there:
        frame = draw_pose(frame, one.xy, one.confidence)
    return frame


def _all_of(masks: Sequence[Mask], view_hw: tuple[int, int]) -> Mask:
    """Where anybody is: the room is to be learnt from where nobody stands."""
    together: UInt8Array = np.max([mask.laid(view_hw) for mask in masks], axis=0)
    return Mask(together)


def _of_one(everything: _Everything, numbers: Sequence[int], size_hw: tuple[int, int]) -> tuple[Pose, list[int | None]]:
    """The poses of one person in every frame, and the numbers of the masks."""
    xy = np.zeros((everything.frames, p.POINTS, 2), np.float32)
    confidence = np.zeros((everything.frames, p.POINTS), np.float32)
    masks: list[int | None] = [None] * everything.frames
    for number in numbers:
        piece, seen = everything.pieces.pieces[number], everything.seen[number]
        frames = slice(piece.first, piece.end)
        xy[frames], confidence[frames], masks[frames] = np.stack(seen.xy), np.stack(seen.confidence), seen.masks
    return Pose(xy, confidence, size_hw), masks


def _from_left_to_right(people: Sequence[Pose]) -> list[int]:
    """Who stands where in the first frame that shows all of them, or else where each is first seen."""
    found = np.stack([poses.found for poses in people])
    together = np.flatnonzero(found.all(axis=0))
    places = []
    for index, poses in enumerate(people):
        frame = together[0] if len(together) else np.argmax(found[index])
        places.append(float(poses.xy[frame, p.BODY][poses.confidence[frame, p.BODY] > 0, 0].mean()))
    return [int(index) for index in np.argsort(places, kind="stable")]
