"""Where poses in bulk come from: performances, videos, pose files, folders full of them, and made-up dances.

One bad clip among a thousand is named and left out; what was named and is not there at all is an error.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from understudy.base.files import read_json, sha256_of
from understudy.base.progress import progress_bar
from understudy.base.things import VIDEOS
from understudy.errors import PoseError, UnderstudyError, UsageError
from understudy.performance import (
    FOUND,
    HEADER_FILE,
    MISSING,
    POSES_FILE,
    Performance,
    load_poses,
)
from understudy.poses.formats import read_poses
from understudy.poses.parsing import is_openpose
from understudy.poses.pose import Pose
from understudy.synthetic.bvh import is_bvh
from understudy.unpaired.pool import Poses, PoseSequence

StrPath: TypeAlias = "str | os.PathLike[str]"

CHOREOGRAPHY = "choreography"
"""the word for made-up dances"""
DANCES, MOST_DANCES = 8, 1000
POSE_FILE_FPS = Fraction(30)
"""pose files do not say their rate"""
LARGEST_FRAME_FILE = 1 << 20
"""bytes: no more are read to see whether a folder's JSON files are frames of one clip"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listed:
    """One clip, not yet read."""

    kind: Literal["performance", "video", "poses", "motion", "dance"]
    path: Path
    number: int = 0
    """of a dance, from 1"""

    @property
    def name(self) -> str:
        return f"{CHOREOGRAPHY} {self.number}" if self.kind == "dance" else str(self.path)


def gather(sources: Sequence[StrPath], *, known: Sequence[Poses] = ()) -> list[PoseSequence]:
    """Reads the poses of any number of clips.

    A clip that comes twice, under another name too, counts once; a clip that cannot be read is left out. Both are said.

    Args:
        sources: performances (only their poses are read), videos (tracked, and remembered), folders of OpenPose JSON
            with one file a frame, JSON files of OpenPose, ComfyUI or COCO-WholeBody, BVH files (played by a made-up
            body), folders full of any of these, and "choreography" or "choreography:COUNT": dances of made-up people,
            12 seconds each, 8 unless COUNT says otherwise.
        known: clips that are there already and are not to come again.

    Returns:
        In the order of the sources; within folders in that of their names.

    Raises:
        UsageError: a source that is not there, a folder with no clip in it, a COUNT that is no number from 1 to 1000.
        PoseError: not one clip could be read.

    Example:
        gather(["dances/", "me.performance", "choreography:20"])
    """
    clips = _without_twins([clip for given in sources for clip in clips_in(given)])
    read = _Reader(known)
    light = [clip for clip in clips if clip.kind != "video"]
    if light:
        with progress_bar("reading poses", len(light), "clips") as advance:
            for clip in light:
                read(clip)
                advance()
    for clip in clips:  # last, because what was tracked before need not be tracked again
        if clip.kind == "video":
            read(clip)
    if clips and len(read.failed) == len(clips):
        first = read.failed[0]
        raise PoseError(
            first if len(clips) == 1 else f"none of {len(clips)} clips of poses can be read: first, {first}"
        )
    _say_twins(read.twins)
    return [read.sequences[clip] for clip in clips if clip in read.sequences]


def poses_alone(given: StrPath) -> bool:
    """Whether what is given is something that only recipes which learn from poses alone can use."""
    path = Path(given)
    if _is_choreography(given):
        return True
    return _is_json(path) if not path.is_dir() else not _is_performance(path)


class _Reader:
    """Reads clips one by one; remembers what it has seen, and what it could not read."""

    def __init__(self, known: Sequence[Poses]) -> None:
        self.sequences: dict[Listed, PoseSequence] = {}
        self.failed: list[str] = []
        self.twins: list[str] = []
        self._contents = {one.poses.sha256() for one in known}
        self._films = {one.header.source_sha256 for one in known if isinstance(one, Performance)}

    def __call__(self, clip: Listed) -> None:
        try:
            sequence = self._read(clip)
        except (UnderstudyError, OSError) as error:
            self.failed.append(str(error))
            _log.warning("%s is left out: %s", clip.name, error)
            return
        content = sequence.poses.sha256() if sequence else ""
        if sequence is None or content in self._contents:
            self.twins.append(clip.name)
            return
        self._contents.add(content)
        self.sequences[clip] = sequence

    def _read(self, clip: Listed) -> PoseSequence | None:
        """None: a video that is there as a performance."""
        if clip.kind == "performance":
            header, poses, status = load_poses(clip.path)
            self._films.add(header.source_sha256)
            return PoseSequence(clip.name, poses, status, header.fps)
        if clip.kind == "video":
            if sha256_of(clip.path) in self._films:
                return None
            from understudy.tracking.track import tracked

            performance = tracked(clip.path)
            return PoseSequence(clip.name, performance.poses, performance.status, performance.fps)
        if clip.kind == "poses":
            return _found(clip.name, _from_pose_file(clip.path), POSE_FILE_FPS)
        if clip.kind == "motion":
            from understudy.synthetic.drivers import film_rate, played_poses

            return _found(clip.name, *played_poses(clip.path, film_rate(clip.path)))
        from understudy.synthetic.dances import FPS, dance_poses

        return _found(clip.name, dance_poses(clip.number - 1), FPS)


# -- what there is -----------------------------------------------------------------------------------------------


def clips_in(given: StrPath) -> list[Listed]:
    """What one of the sources names, without reading it.

    Raises:
        UsageError: as `gather`.
    """
    if _is_choreography(given):
        return [Listed("dance", Path(CHOREOGRAPHY), number + 1) for number in range(_dances(str(given)))]
    path = Path(given)
    if not path.exists():
        raise UsageError(
            f"there is no {path}: give performances, videos, pose files, folders of these, or the word {CHOREOGRAPHY}"
        )
    if path.is_file():
        return [Listed("poses" if _is_json(path) else "motion" if is_bvh(path) else "video", path)]
    found = list(_in_folder(path, set()))
    if not found:
        raise UsageError(f"the folder {path} holds no performances, videos or pose files: check the name")
    return found


def _in_folder(folder: Path, above: set[Path]) -> Iterator[Listed]:
    if _is_performance(folder):
        yield Listed("performance", folder)
        return
    here = folder.resolve()
    if here in above or (folder / "run.json").is_file():  # previews of a training run show nobody's own poses
        return
    try:
        inside = sorted(child for child in folder.iterdir() if not child.name.startswith("."))
    except OSError as error:
        _log.warning("%s is left out: %s", folder, error.strerror)
        return
    if _are_frames([child for child in inside if child.is_file() and _is_json(child)]):
        yield Listed("poses", folder)
        return
    for child in inside:
        if child.is_dir():
            yield from _in_folder(child, above | {here})
        elif _is_json(child):
            yield Listed("poses", child)
        elif is_bvh(child):
            yield Listed("motion", child)
        elif child.suffix.lower() in VIDEOS:
            yield Listed("video", child)


def _is_performance(folder: Path) -> bool:
    """Half-written and damaged ones too: to look for videos in these would find their pieces."""
    return folder.suffix == ".performance" or any((folder / name).is_file() for name in (HEADER_FILE, POSES_FILE))


def _is_json(path: Path) -> bool:
    return path.suffix.lower() == ".json"


def _are_frames(files: Sequence[Path]) -> bool:
    """Whether JSON files are the frames of one OpenPose clip; the first that can be read and is not empty tells."""
    for file in files:
        try:
            content = read_json(file) if file.stat().st_size <= LARGEST_FRAME_FILE else None
        except (UnderstudyError, OSError):
            continue
        if content is None or content == {}:  # a frame without anybody, or too large for one
            continue
        return is_openpose(content)
    return False


def _is_choreography(given: StrPath) -> bool:
    return str(given).partition(":")[0] == CHOREOGRAPHY


def _dances(word: str) -> int:
    _, colon, count = word.partition(":")
    if not colon:
        return DANCES
    if not count.isdecimal() or not 1 <= int(count[:9]) <= MOST_DANCES:
        raise UsageError(f"{word}: say how many dances, from 1 to {MOST_DANCES}, such as {CHOREOGRAPHY}:{DANCES}")
    return int(count)


# -- what is read ------------------------------------------------------------------------------------------------


def _found(name: str, poses: Pose, fps: Fraction) -> PoseSequence:
    return PoseSequence(name, poses, np.where(poses.found, FOUND, MISSING).astype(np.uint8), fps)


def _from_pose_file(path: Path) -> Pose:
    """As `read_poses`; where the size of the frames is not said, it is as large as the poses need."""
    poses = read_poses(path, size_hw=(1, 1))
    if poses.size_hw != (1, 1):
        return poses
    width, height = poses.xy[poses.confidence > 0].max(axis=0, initial=0)
    if max(width, height) <= 2:  # as `read_poses` tells shares of the frame from pixels
        raise PoseError(f"{path} gives places as shares of frames whose size it does not say: write them in pixels")
    return Pose(poses.xy, poses.confidence, (max(1, round(height)), max(1, round(width))))


def _without_twins(clips: Sequence[Listed]) -> list[Listed]:
    once: dict[tuple[Path, int], Listed] = {}
    twins = []
    for clip in clips:
        key = (clip.path.resolve(), clip.number)
        if key in once:
            twins.append(clip.name)
        once.setdefault(key, clip)
    _say_twins(twins)
    return list(once.values())


def _say_twins(names: Sequence[str]) -> None:
    if names:
        some = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        _log.info("given more than once, and counted once: %s", some)
