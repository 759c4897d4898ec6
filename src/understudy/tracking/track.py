"""Video in, Performance out: two passes over the clip, in constant memory, never half a result.

The first pass runs the tracker over the shrunk frames; then the poses are completed and smoothed and the square
around the person is chosen; the second pass cuts that square out and adds mattes, flow and background.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.files import sha256_of
from understudy.base.progress import progress_bar
from understudy.base.threads import ReadAhead
from understudy.errors import MediaError, PerformanceError, PoseError, UsageError
from understudy.media.reading import VideoReader
from understudy.performance import FLOW_SHRINK, MISSING, Crop, Performance, PerformanceWriter
from understudy.poses.formats import read_poses
from understudy.poses.pose import BODY, Pose
from understudy.tracking.background import MAX_STILL_DIFFERENCE, BackgroundMedian, sample_count, sample_frames
from understudy.tracking.cache import cache_folder, cache_key
from understudy.tracking.crop import crop_of, cut, person_square, reading_shrink
from understudy.tracking.detection import Tracker
from understudy.tracking.flow import BackwardFlow
from understudy.tracking.gaps import fill_gaps, require_person
from understudy.tracking.identity import same_person
from understudy.tracking.mattes import GivenMatte, KeyedMatte, MatteSource, NoMatte, Square, TrackedMatte
from understudy.tracking.mediapipe import MediaPipeTracker
from understudy.tracking.observe import Observations, Region, check_region, look_long_side, observe, place_in_words
from understudy.tracking.smoothing import smooth_pose

UInt8Array = npt.NDArray[np.uint8]
TrackerName = Literal["mediapipe", "rtmlib"]
Landmarks = Literal["body", "wholebody"]

SIZES = range(32, 1025)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Clip:
    """The part of a video that is tracked, and how it is read."""

    path: Path
    start: float | None
    end: float | None
    strict: bool
    tolerate_damage: bool

    def reader(self, long_side: int | None = None, say_notes: bool = True) -> VideoReader:
        return VideoReader(
            self.path,
            start=self.start,
            end=self.end,
            long_side=long_side,
            strict=self.strict,
            tolerate_damage=self.tolerate_damage,
            say_notes=say_notes,
        )

    def chosen_with(self, options: str) -> str:
        """What to type to track this clip differently; the commands that track by themselves lack those options."""
        return f"`understudy track {self.path} {options} --output {self.path.stem}.performance`"


def track(
    video: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    tracker: TrackerName = "mediapipe",
    landmarks: Landmarks = "body",
    poses: str | os.PathLike[str] | None = None,
    region: Region | None = None,
    start: float | None = None,
    end: float | None = None,
    matte: str | os.PathLike[str] = "auto",
    size: int = 256,
    smooth: bool = True,
    strict: bool = False,
    tolerate_damage: bool = False,
) -> Performance:
    """Tracks the person in a video and writes a performance.

    Args:
        video: the clip.
        output: folder to write, usually `something.performance`; it appears when everything is done.
        tracker: "mediapipe" works at once; "rtmlib" is better, needs `understudy[rtmpose]` and fetches weights once.
        landmarks: "body" (with feet), or "wholebody": face and hands too, at half the speed.
        poses: OpenPose folder or JSON, or COCO-WholeBody JSON, to use instead of a tracker.
        region: x, y, width, height in pixels of the picture that hold the person, when there are several.
        start: seconds into the clip.
        end: seconds into the clip.
        matte: "auto" (a segmentation network), "green" (a green or blue screen), "none", or a matte video, white
            where the person is.
        size: of the square working frames, pixels, a multiple of 8.
        smooth: take the jitter out of the poses (One Euro).
        strict: a video that is cut off is an error instead of a note.
        tolerate_damage: go on over packets that cannot be decoded, and count them.

    Returns:
        The performance, loaded.

    Raises:
        MediaError: the video or the matte cannot be read.
        PoseError: fewer than half of the frames have a person, or the poses do not belong to the video.
        PerformanceError: `output` is in use for something else.
        UsageError: arguments that contradict each other.

    Example:
        performance = track("me.mp4", "me.performance")
        print(len(performance), performance.header.found)
    """
    _check_options(tracker, landmarks, size)
    clip = _Clip(Path(video), start, end, strict, tolerate_damage)
    full = clip.reader()
    check_region(region, full.info.size_hw)
    with PerformanceWriter(output, full.fps) as writer:
        observations: Observations | None = None
        if poses is None:
            with closing(_make_tracker(tracker, landmarks)) as follower:
                look = clip.reader(look_long_side(full.info.size_hw, region))
                observations = observe(look, follower, region)
                tracker_version = follower.version
            tracked_poses = _of_one_person(observations, clip, full.fps)
        else:
            tracked_poses = _given_poses(poses, full, start)
            tracker_version = ""
        completed, status = fill_gaps(tracked_poses, full.fps)
        require_person(status)
        if smooth:
            completed = smooth_pose(completed, full.fps)
        square = person_square(completed)
        crop = crop_of(square, size)
        mattes = _matte_source(matte, clip, observations, square, crop, size, full.info.size_hw)
        with closing(mattes):
            notes_are_new = poses is not None  # else the first pass has read the same file, with the same notes
            shrink = reading_shrink(full.size_hw, square, size)
            shrunk = clip.reader(max(full.size_hw) // shrink, notes_are_new)
            completed, status, median = _second_pass(shrunk, mattes, completed, status, square, size, writer)
            if isinstance(mattes, GivenMatte):
                mattes.check_end()
        background, inpainted, difference = median.result()
        if difference > MAX_STILL_DIFFERENCE:
            _log.warning(
                f"{clip.path.name}: the camera or the light changes (the frames differ from their background by "
                f"{difference:.0f} grey levels), so the recovered background is blurred; film from a stand"
            )
        if observations is not None:
            observations.masks.close()
        return writer.finish(
            poses=completed.transformed(crop.scale, crop.translation_xy, (size, size)),
            status=status,
            background=background,
            source_name=clip.path.name,
            source_sha256=sha256_of(clip.path),
            crop=crop,
            tracker=tracker if poses is None else "given",
            tracker_version=tracker_version,
            landmarks=landmarks,
            matte=str(matte) if matte in ("auto", "green", "none") else "given",
            smoothed=smooth,
            start=start,
            end=end,
            inpainted=inpainted,
        )


def tracked(
    video_or_performance: str | os.PathLike[str] | Performance, *, cache: Path | None = None, **options: Any
) -> Performance:
    """A performance of a video, from the cache where the same content was tracked before with the same options.

    Args:
        video_or_performance: a video file; or a performance or its folder, which is returned as it is.
        cache: folder to keep performances in; None = `cache_folder()`.
        **options: those of `track`.

    Raises:
        UnderstudyError: as `track` and `Performance.load`.
    """
    if isinstance(video_or_performance, Performance):
        return video_or_performance
    path = Path(video_or_performance)
    if path.is_dir():
        return Performance.load(path)
    if not path.is_file():
        raise MediaError(f"there is no video or performance {path}: check the name")
    folder = (cache or cache_folder()) / "performances" / f"{cache_key(path, options)}.performance"
    if folder.exists():
        try:
            return Performance.load(folder)
        except PerformanceError as error:
            _log.warning(f"tracking {path.name} again: its cached performance cannot be used ({error})")
    return track(path, folder, **options)


def _check_options(tracker: str, landmarks: str, size: int) -> None:
    if tracker not in ("mediapipe", "rtmlib"):
        raise UsageError(f"there is no tracker {tracker!r}: use mediapipe or rtmlib")
    if landmarks not in ("body", "wholebody"):
        raise UsageError(f"there are no landmarks {landmarks!r}: use body or wholebody")
    if size not in SIZES or size % 8:
        raise UsageError(f"the working size must be a multiple of 8 from {SIZES[0]} to {SIZES[-1]}, not {size}")


def _make_tracker(name: TrackerName, landmarks: Landmarks) -> Tracker:
    if name == "rtmlib":
        from understudy.tracking.rtmlib import RtmlibTracker

        return RtmlibTracker(landmarks)
    return MediaPipeTracker(landmarks)


def _matte_source(
    matte: str | os.PathLike[str],
    clip: _Clip,
    observations: Observations | None,
    square: Square,
    crop: Crop,
    size: int,
    original_hw: tuple[int, int],
) -> MatteSource:
    if matte == "auto":
        return TrackedMatte(observations, crop, size)
    if matte == "green":
        return KeyedMatte()
    if matte == "none":
        return NoMatte()
    if not Path(matte).is_file():
        raise MediaError(f"there is no matte {matte}: give auto, green, none or a video file")
    return GivenMatte(Path(matte), square, original_hw, clip.start, clip.end, clip.tolerate_damage)


def _of_one_person(observations: Observations, clip: _Clip, fps: Fraction) -> Pose:
    """The poses without those of other people; says who was followed."""
    name, by_region = clip.path.name, clip.chosen_with("--region X,Y,W,H")
    poses, other = same_person(observations.poses, fps)
    if poses.found.any():
        place = place_in_words(poses)
        _log.info(f"{name}: followed the person {place}; to follow another one: {by_region}, and give that")
    if other.any():
        _log.warning(
            f"{name}: from {np.argmax(other) / float(fps):.1f} s on the tracker followed somebody else in "
            f"{other.sum()} frames, which count as not found; to keep it to one person: {by_region}, and give that"
        )
    for index in np.flatnonzero(other):
        observations.masks.drop(int(index))
    return poses


def _given_poses(path: str | os.PathLike[str], reader: VideoReader, start: float | None) -> Pose:
    original_hw = reader.info.size_hw

    poses = read_poses(path, size_hw=original_hw)
    if poses.size_hw != original_hw:
        scale = original_hw[0] / poses.size_hw[0]
        poses = poses.transformed(scale, (scale / 2 - 0.5, scale / 2 - 0.5), original_hw)
    expected, whole = reader.expected_frames, reader.info.frames
    if abs(len(poses) - expected) > 1 and abs(len(poses) - whole) <= 1:
        first = round((start or 0) * reader.fps)
        return poses[first : first + expected]
    if not 0.9 * expected - 2 < len(poses) < 1.1 * expected + 2:  # the header may be a little wrong; a folder is not
        raise _count_error(len(poses), expected, reader)
    return poses


def _count_error(poses: int, frames: int, reader: VideoReader) -> PoseError:
    return PoseError(
        f"there are {poses} poses for the {frames} frames of {reader.info.path}: give one pose per frame, and the "
        "--start and --end that they were made with"
    )


def _second_pass(
    reader: VideoReader,
    mattes: MatteSource,
    poses: Pose,
    status: npt.NDArray[np.uint8],
    square: Square,
    size: int,
    writer: PerformanceWriter,
) -> tuple[Pose, npt.NDArray[np.uint8], BackgroundMedian]:
    """Writes frames, mattes and flow; returns poses and status cut or stretched by the one frame they may differ."""
    median = BackgroundMedian()
    flow = BackwardFlow(FLOW_SHRINK)
    crop = crop_of(square, size)
    people = poses.transformed(crop.scale, crop.translation_xy, (size, size))
    prepared = ReadAhead(_prepared(reader, mattes, people, status, square, median), 4)
    try:
        with progress_bar(f"cutting {reader.info.path.name}", len(poses)) as advance:
            for working, matte in prepared:
                writer.add(working, matte, flow(working))
                advance()
    finally:
        prepared.stop()
    if abs(writer.count - len(poses)) > 1:
        raise _count_error(len(poses), writer.count, reader)
    keep = np.minimum(np.arange(writer.count), len(poses) - 1)
    return Pose(poses.xy[keep], poses.confidence[keep], poses.size_hw), status[keep], median


def _prepared(
    reader: VideoReader,
    mattes: MatteSource,
    people: Pose,
    status: npt.NDArray[np.uint8],
    square: Square,
    median: BackgroundMedian,
) -> Generator[tuple[UInt8Array, UInt8Array], None, None]:
    """(working frame, matte) of every frame; some whole frames go into the background's median on the way."""
    height, width = reader.info.size_hw
    size = people.size_hw[0]
    shrink = height // reader.size_hw[0]
    smaller = (square[0] // shrink, square[1] // shrink, square[2] // shrink)
    inside = cut(np.full(reader.size_hw, 255, np.uint8), smaller, size, beyond=0)
    sampled = sample_frames(np.flatnonzero(status != MISSING), sample_count((height, width)))
    with closing(reader.with_whole(sampled)) as frames:
        for index, (frame, whole) in enumerate(frames):
            known = min(index, len(people) - 1)
            person = people.xy[known, BODY][people.confidence[known, BODY] > 0] if status[known] != MISSING else None
            matte, working = mattes(frame, cut(frame, smaller, size), person)
            matte = np.minimum(matte, inside)
            if whole is not None:
                median.add(whole, _uncut(matte, square, (height, width)))
            yield working, matte


def _uncut(matte: UInt8Array, square: Square, size_hw: tuple[int, int]) -> UInt8Array:
    """The matte at its place in the whole picture."""
    left, top, side = square
    height, width = size_hw
    whole = np.zeros(size_hw, np.uint8)
    large = cv2.resize(matte, (side, side), interpolation=cv2.INTER_LINEAR)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + side, width), min(top + side, height)
    whole[y0:y1, x0:x1] = large[y0 - top : y1 - top, x0 - left : x1 - left]
    return whole
