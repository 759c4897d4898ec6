"""The two passes of tracking over a clip, in constant memory.

The first runs the tracker over the shrunk frames. The second, when the poses are complete and the square around the
person is chosen, cuts that square out and adds mattes, flow and background.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from understudy.base.arguments import Landmarks, Region, Rotation, StrPath, TrackerName
from understudy.base.onlooker import show
from understudy.base.progress import progress_bar
from understudy.base.things import pasted
from understudy.base.threads import ReadAhead, opencv_in_the_callers_thread
from understudy.errors import UsageError
from understudy.media.reading import VideoReader, probe
from understudy.media.squares import Square, cut
from understudy.performance import FLOW_SHRINK, MISSING, Crop, PerformanceWriter
from understudy.pictures.drawing import draw_pose
from understudy.poses.pose import BODY, Pose
from understudy.poses.slip import Slip
from understudy.tracking.background import BackgroundMedian, sample_count, sample_frames
from understudy.tracking.blazepose import BlazePoseTracker, PoseNetworks
from understudy.tracking.crop import crop_of
from understudy.tracking.detection import Tracker
from understudy.tracking.everybody import others
from understudy.tracking.flow import BackwardFlow
from understudy.tracking.given import count_error
from understudy.tracking.green_screen import GreenScreen
from understudy.tracking.identity import same_person
from understudy.tracking.mattes import GivenMatte, KeyedMatte, MatteSource, NoMatte, TrackedMatte, uncut
from understudy.tracking.observe import MIN_REGION, Observations, Sample, look_long_side, observe, place_in_words
from understudy.tracking.slips import mend_slips

UInt8Array = npt.NDArray[np.uint8]

_log = logging.getLogger(__name__)

SAMPLES = 9
"""frames in which a screen is looked for: a clip may begin in the dark, or with a title"""


@dataclass(frozen=True)
class Footage:
    """The part of a video that is tracked, and how it is read."""

    path: Path
    start: float | None
    end: float | None
    strict: bool
    tolerate_damage: bool
    rotate: Rotation = 0
    double_rate: bool = False
    size: int | None = None
    """of the working frames, if it is not the usual one"""
    landmarks: Landmarks = "body"
    """what of the person is sought"""

    def reader(self, long_side: int | None = None, say_notes: bool = True) -> VideoReader:
        return VideoReader(
            self.path,
            start=self.start,
            end=self.end,
            long_side=long_side,
            strict=self.strict,
            tolerate_damage=self.tolerate_damage,
            say_notes=say_notes,
            rotate=self.rotate,
            double_rate=self.double_rate,
        )

    def samples(self) -> Iterator[UInt8Array]:
        """(H, W, 3) RGB frames, a few that are spread evenly over the chosen part."""
        whole = float(probe(self.path).duration)
        first, last = self.start or 0.0, whole if self.end is None else min(self.end, whole)
        for moment in np.linspace(first, last, SAMPLES + 1)[:-1] + (last - first) / (2 * SAMPLES):
            begun = replace(self, start=float(moment), end=None, tolerate_damage=True)
            with suppress(UsageError), closing(begun.reader(say_notes=False)) as reader:  # shorter than it says
                yield from islice(reader, 1)

    def chosen_with(self, options: str) -> str:
        """What to type to track the same part of this clip differently."""
        part = {"start": self.start, "end": self.end, "rotate": self.rotate or None, "size": self.size}
        options = f"{options} --double-rate" if self.double_rate else options
        options = f"{options} --landmarks {self.landmarks}" if self.landmarks != "body" else options
        options = " ".join([options, *(f"--{name} {value:g}" for name, value in part.items() if value is not None)])
        output = pasted(self.path.stem + ".performance")
        return f"`understudy track {pasted(self.path)} {options} --output {output}`"


def first_pass(
    clip: Footage, full: VideoReader, tracker: TrackerName, region: Region | None
) -> tuple[Observations, Pose, tuple[Slip, ...], str]:
    """What the tracker saw, the poses of one person in original pixels, its slips, mended, and its version.

    Args:
        full: of the clip, at its own size.
    """
    with closing(_make_tracker(tracker, clip.landmarks)) as follower:
        look = clip.reader(look_long_side(full.info.size_hw, region))
        with opencv_in_the_callers_thread():
            observations = observe(look, follower, region)
        networks = follower.networks if isinstance(follower, BlazePoseTracker) and region is None else None
        return observations, *_of_one_person(observations, clip, full, networks), follower.version


def _make_tracker(name: TrackerName, landmarks: Landmarks) -> Tracker:
    if name == "rtmlib":
        from understudy.tracking.rtmlib import RtmlibTracker

        return RtmlibTracker(landmarks)
    return BlazePoseTracker(landmarks)


def matte_source(
    matte: StrPath,
    clip: Footage,
    observations: Observations | None,
    square: Square,
    crop: Crop,
    size: int,
    original_hw: tuple[int, int],
) -> MatteSource:
    if matte == "auto":
        return TrackedMatte(observations, crop, size)
    if matte == "green":
        screen = GreenScreen.found_in(cut(frame, square, size) for frame in clip.samples())
        return KeyedMatte(screen, TrackedMatte(observations, crop, size))
    if matte == "none":
        return NoMatte()
    return GivenMatte(Path(matte), square, original_hw, clip.start, clip.end, clip.tolerate_damage, clip.rotate)


def _somebody_else(samples: Sequence[Sample], poses: Pose, networks: PoseNetworks) -> list[Region]:
    """Surroundings, in original pixels, of those who are beside the person in the middle one of the frames kept."""
    shown = [sample for sample in samples if poses.found[sample.number]]
    if not shown:
        return []
    middle = shown[len(shown) // 2]
    scale = np.array(poses.size_hw[::-1]) / middle.frame.shape[1::-1]
    seen = poses.confidence[middle.number, BODY] > 0
    person = poses.xy[middle.number, BODY][seen] / scale
    corners = (np.multiply(one, (*scale, *scale)).round().astype(int) for one in others(middle.frame, person, networks))
    regions = [(int(left), int(top), int(width), int(height)) for left, top, width, height in corners]
    return [region for region in regions if min(region[2:]) >= MIN_REGION]


def _of_one_person(
    observations: Observations, clip: Footage, full: VideoReader, networks: PoseNetworks | None
) -> tuple[Pose, tuple[Slip, ...]]:
    """The poses without those of other people and without slips, and what was wrong; says who was followed.

    Args:
        networks: to look with for somebody else who could have been; None looks for nobody.
    """
    fps = full.fps
    name, by_region = clip.path.name, clip.chosen_with("--region X,Y,W,H")
    poses, other = same_person(observations.poses, fps)
    if poses.found.any():
        place = place_in_words(poses)
        there = [] if networks is None else _somebody_else(observations.samples, poses, networks)
        if there:
            told = "one more is" if len(there) == 1 else f"{len(there)} more are"
            another = clip.chosen_with(f"--region {','.join(map(str, there[0]))}")
            _log.info(f"{name}: followed the person {place}; {told} there; to follow that one: {another}")
        else:
            _log.info(f"{name}: followed the person {place}; to follow another one: {by_region}, and give that")
    if other.any():
        _log.warning(
            f"{name}: from {np.argmax(other) / float(fps):.1f} s on the tracker followed somebody else in "
            f"{other.sum()} frames, which count as not found; to keep it to one person: {by_region}, and give that"
        )
    poses, slips = mend_slips(poses, fps)
    for index in np.flatnonzero(observations.poses.found & ~poses.found):
        observations.masks.drop(int(index))
    somebody_else = Slip.of("somebody else followed", "left out", other)
    return poses, (somebody_else, *slips) if other.any() else slips


def second_pass(
    reader: VideoReader,
    mattes: MatteSource,
    poses: Pose,
    status: npt.NDArray[np.uint8],
    square: Square,
    size: int,
    writer: PerformanceWriter,
    beside: Callable[[int], UInt8Array | None] | None = None,
) -> tuple[Pose, npt.NDArray[np.uint8], BackgroundMedian]:
    """Writes frames, mattes and flow; returns poses and status cut or stretched by the one frame they may differ.

    Frames without anybody behind the clip's end are cut off too: a header may promise them.

    Args:
        beside: of the number of a frame, (H, W) where others are, who do not belong to the background either.
    """
    median = BackgroundMedian()
    flow = BackwardFlow(FLOW_SHRINK)
    crop = crop_of(square, size)
    people = crop.of_pose(poses, (size, size))
    prepared = ReadAhead(_prepared(reader, mattes, people, status, square, median, beside), 4)
    try:
        with (
            opencv_in_the_callers_thread(),
            progress_bar(f"cutting {reader.info.path.name}", len(poses)) as advance,
        ):
            for working, matte in prepared:
                seen = min(writer.count, len(people) - 1)
                show(_looked_at, working, matte, people[seen : seen + 1])
                writer.add(working, matte, flow(working))
                advance()
    finally:
        prepared.stop()
    last = np.flatnonzero(status != MISSING).max(initial=-1) + 1
    if len(poses) < writer.count - 1 or writer.count < last - 1:
        raise count_error(len(poses), writer.count, reader.info.path)
    keep = np.minimum(np.arange(writer.count), len(poses) - 1)
    return Pose(poses.xy[keep], poses.confidence[keep], poses.size_hw), status[keep], median


def _looked_at(frame: UInt8Array, matte: UInt8Array, person: Pose) -> UInt8Array:
    """For whoever looks on: the skeleton over the person, and what is not the person grey."""
    grey = frame.mean(axis=2, keepdims=True) * 0.35
    inside = matte[..., None] / 255
    picture = (inside * frame + (1 - inside) * grey).astype(np.uint8)
    return draw_pose(picture, person.xy[0], person.confidence[0])


def _prepared(
    reader: VideoReader,
    mattes: MatteSource,
    people: Pose,
    status: npt.NDArray[np.uint8],
    square: Square,
    median: BackgroundMedian,
    beside: Callable[[int], UInt8Array | None] | None,
) -> Generator[tuple[UInt8Array, UInt8Array], None, None]:
    """(working frame, matte) of every frame; some whole frames go into the background's median on the way."""
    height, width = reader.info.size_hw
    size = people.size_hw[0]
    inside = cut(np.full((height, width), 255, np.uint8), square, size, beyond=0)
    sampled = sample_frames(np.flatnonzero(status != MISSING), sample_count((height, width)))
    with closing(reader.squares(square, size, sampled)) as frames:
        for index, (shown, whole) in enumerate(frames):
            known = min(index, len(people) - 1)
            person = people.xy[known, BODY][people.confidence[known, BODY] > 0] if status[known] != MISSING else None
            matte, working = mattes(shown, person)
            matte = np.minimum(matte, inside)
            if whole is not None:
                people_there = uncut(matte, square, (height, width))
                others_there = None if beside is None else beside(index)
                median.add(whole, people_there if others_there is None else np.maximum(people_there, others_there))
            yield working, matte
