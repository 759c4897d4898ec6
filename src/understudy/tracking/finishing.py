"""From poses to a performance: gaps filled, poses calmed, the square cut out, and everything written."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from understudy.base.arguments import StrPath
from understudy.base.files import sha256_of
from understudy.base.things import pasted
from understudy.media.reading import VideoReader
from understudy.performance import Performance, PerformanceWriter
from understudy.poses.pose import Pose
from understudy.poses.slip import Slip
from understudy.tracking import passes
from understudy.tracking.background import MAX_STILL_DIFFERENCE
from understudy.tracking.cache import remember_video
from understudy.tracking.crop import crop_of, person_square
from understudy.tracking.gaps import LONGEST_GAP, fill_gaps, require_person
from understudy.tracking.maps import Place, add_maps
from understudy.tracking.mattes import GivenMatte
from understudy.tracking.observe import Observations
from understudy.tracking.parsing_chosen import Choice
from understudy.tracking.passes import Footage, matte_source
from understudy.tracking.slips import counted
from understudy.tracking.smoothing import smooth_shots
from understudy.tracking.surface_chosen import SurfaceChoice

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Followed:
    """One person in every frame of a clip, as found."""

    poses: Pose
    """original pixels, with gaps"""
    slips: tuple[Slip, ...]
    tracker: str
    version: str
    observations: Observations | None = None
    """None of poses that were given"""
    longest_gap: Fraction = LONGEST_GAP
    """seconds over which poses are interpolated"""


@dataclass(frozen=True)
class Wanted:
    """What is made of it."""

    size: int = 256
    matte: StrPath = "auto"
    smooth: bool = True
    labels_of: Choice | None = None
    surface_of: SurfaceChoice | None = None


def finished(
    writer: PerformanceWriter, output: Path, clip: Footage, full: VideoReader, found: Followed, wanted: Wanted
) -> Performance:
    """Writes the performance of one person.

    Args:
        writer: of the folder `output`.
        full: of the clip, at its own size.

    Raises:
        MediaError: the matte or the maps cannot be read, or do not belong to the clip.
        PoseError: the person was found in fewer than half of the frames.
    """
    observations, size = found.observations, wanted.size
    _say_slips(found.slips, clip.path, output)
    completed, status = fill_gaps(found.poses, full.fps, found.longest_gap)
    require_person(status, full.fps)
    if wanted.smooth:
        completed = smooth_shots(completed, full.fps)
    square = person_square(completed)
    crop = crop_of(square, size)
    mattes = matte_source(wanted.matte, clip, observations, square, crop, size, full.info.size_hw)
    with closing(mattes):
        notes_are_new = observations is None  # else the first pass has read the same file, with the same notes
        again = clip.reader(say_notes=notes_are_new)
        beside = None if observations is None else observations.besides
        completed, status, median = passes.second_pass(again, mattes, completed, status, square, size, writer, beside)
        if isinstance(mattes, GivenMatte):
            mattes.check_end()
    background, inpainted, difference = median.result()
    if difference > MAX_STILL_DIFFERENCE:
        _log.warning(
            f"{clip.path.name}: the camera or the light changes (the frames differ from their background by "
            f"{difference:.0f} grey levels), so the recovered background is blurred; film from a stand"
        )
    working = crop.of_pose(completed, (size, size))
    first = round(Fraction(str(clip.start or 0)) * full.fps)
    place = Place(square, full.info.size_hw, clip.rotate, clip.start, clip.end, first)
    add_maps(writer, working, status, wanted.labels_of, wanted.surface_of, place)
    sha256 = sha256_of(clip.path)
    remember_video(clip.path, sha256)
    return writer.finish(
        poses=working,
        status=status,
        background=background,
        source_name=clip.path.name,
        source_sha256=sha256,
        crop=crop,
        tracker=found.tracker,
        tracker_version=found.version,
        landmarks=clip.landmarks,
        matte=str(wanted.matte) if wanted.matte in ("auto", "green", "none") else "given",
        smoothed=wanted.smooth,
        start=clip.start,
        end=clip.end,
        rotate=clip.rotate,
        double_rate=clip.double_rate,
        inpainted=inpainted,
        slips=found.slips,
        parsing="" if wanted.labels_of is None else wanted.labels_of.name,
        surface="" if wanted.surface_of is None else wanted.surface_of.name,
    )


def _say_slips(slips: tuple[Slip, ...], video: Path, output: Path) -> None:
    """One line, if a body could not have done what the poses show."""
    listed = f"`understudy inspect {pasted(output)}` lists them"
    mended = [slip for slip in slips if slip.done == "mended"]
    if mended:
        _log.info(f"{video.name}: the tracker slipped, and it was mended ({counted(mended)}); {listed}")
    kept = [slip for slip in slips if slip.done == "kept"]
    if kept:
        _log.warning(f"{video.name}: the poses do what no body does, and are kept so ({counted(kept)}); {listed}")
