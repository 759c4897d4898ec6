"""The verb behind `understudy poses`: poses from one kind of file to another."""

from __future__ import annotations

import logging
import os
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from understudy.base.arguments import StrPath
from understudy.errors import PoseError, UsageError

if TYPE_CHECKING:
    from understudy.poses.pose import Pose

PoseFormat = Literal["openpose", "openpose18", "comfyui", "coco"]
FORMATS: tuple[str, ...] = get_args(PoseFormat)
_BY_NAME = (
    "a name without suffix for a folder of OpenPose files, NAME.json for ComfyUI, NAME.coco.json for COCO-WholeBody"
)

log = logging.getLogger(__name__)


class _Read(NamedTuple):
    poses: Pose
    fps: Fraction | None
    """None: the files do not say"""


def convert_poses(
    given: StrPath,
    output: StrPath,
    *,
    to: PoseFormat | None = None,
    fps: float | None = None,
    size: str | None = None,
    person: str | int = "largest",
) -> Path:
    """Converts poses between OpenPose, ComfyUI and COCO-WholeBody, also out of a performance or a BVH file.

    What is given shows in its content; what is written in its name, or in `to`. Formats that lack points lose them:
    ComfyUI and "openpose18" have no feet. Points that are not seen are written as 0, 0, 0, and frames without anybody
    stay as empty frames. To make a performance of poses, `track` them together with their video.

    Args:
        given: a folder of OpenPose JSON with one file a frame (a missing number is a frame without anybody), a JSON
            file of OpenPose, AlphaPose, ComfyUI (in pixels or in shares of the canvas) or COCO-WholeBody, a performance
            (its poses, in pixels of its video), or a BVH file (played by an average body before a camera straight in
            front).
        output: a name without suffix for a folder of OpenPose files, NAME.json for ComfyUI, NAME.coco.json for
            COCO-WholeBody. Poses that are there already are replaced, other things are not.
        to: the format, where the name is not to say it: "openpose" (BODY_25), "openpose18" (COCO's 18 joints),
            "comfyui" or "coco".
        fps: frames a second of the result, out of a performance (frames are picked) or a BVH file (the motion is worked
            out for each); left out, every frame comes along. Pose files say no rate, so theirs cannot be changed.
        size: WIDTHxHEIGHT in pixels: of the frames, where pose files do not say it, or of the camera's picture for a
            BVH file (768x768 when left out).
        person: who, where files show several: "largest", who fills most of the clip, or the place in every frame's
            list, from 0.

    Returns:
        The path of what was written.

    Raises:
        PoseError, PerformanceError: what is given cannot be read, or shows nobody.
        UsageError: `output` would overwrite something else, or arguments that make no sense together.

    Example:
        convert_poses("me.performance", "me.json")
        convert_poses("openpose_frames", "dance.coco.json", size="1280x720")
        convert_poses("dance.bvh", "dance.json", fps=16, size="512x768")

    Shell:
        $ understudy poses me.performance me.json
        $ understudy poses openpose_frames dance.coco.json --size 1280x720
        $ understudy poses dance.bvh dance.json --size 512x768 --fps 16
    """
    path, target = Path(given), Path(output)
    kind = _kind_of(path)
    chosen = _format_of(target, to)
    _check_output(target, chosen, path)
    rate = _rate(fps)
    if person != "largest" and kind != "files":
        raise UsageError(f"`person`: {path} holds one person, so there is nobody to choose")
    if kind == "performance":
        read = _from_performance(path, rate, size)
    elif kind == "motion":
        read = _from_motion(path, rate, size)
    else:
        read = _from_files(path, rate, size, person)
    _write(read.poses, target, chosen)
    height, width = read.poses.size_hw
    every = "" if read.fps is None else f" at {float(read.fps):g} frames a second"
    found = int(read.poses.found.sum())
    log.info("%d frames of %dx%d%s, a person in %d of them", len(read.poses), width, height, every, found)
    return target


def _kind_of(path: Path) -> Literal["performance", "motion", "files"]:
    from understudy.base.things import VIDEOS, pasted
    from understudy.performance import HEADER_FILE
    from understudy.synthetic.bvh import is_bvh

    if not path.exists():
        raise UsageError(f"there is no {path}: give pose files, a performance or a BVH file")
    if path.suffix.lower() in VIDEOS and path.is_file():
        tracked = pasted(path.with_suffix(".performance").name)
        raise UsageError(f"{path} is a video: track it first (`understudy track {pasted(path)} --output {tracked}`)")
    if path.suffix == ".performance" or (path / HEADER_FILE).is_file():
        return "performance"
    return "motion" if is_bvh(path) else "files"


def _format_of(output: Path, to: str | None) -> str:
    if to is not None and to not in FORMATS:
        raise UsageError(f"`to={to!r}`: there is no such format; choose one of {', '.join(FORMATS)}")
    suffix = output.suffix.lower()
    if suffix == ".json":
        named = "coco" if output.stem.lower().endswith(".coco") else "comfyui"
    else:
        named = "openpose" if not suffix else ""
    if to is None and not named:
        raise UsageError(f"{output}: the name does not say what to write; use {_BY_NAME}, or say `to`")
    return to or named


def _check_output(output: Path, chosen: str, given: Path) -> None:
    """Nothing but poses is written over."""
    if output.exists() and os.path.samefile(given, output):
        raise UsageError(f"{output} is what the poses are made from: choose another name")
    if given.is_dir() and output.resolve().is_relative_to(given.resolve()):
        raise UsageError(f"{output} would lie among the files of {given}: choose another place")
    if chosen in ("openpose", "openpose18"):
        if output.suffix.lower() == ".json" or output.is_file():
            raise UsageError(f"OpenPose has a file for every frame: name a folder, not {output}")
    elif output.suffix.lower() != ".json":
        raise UsageError(f"{output}: poses of this format are one JSON file; name it {output.stem or 'poses'}.json")
    elif output.is_dir() or (output.exists() and not _holds_poses(output)):
        raise UsageError(f"{output} is there already and holds no poses: choose another name")


def _holds_poses(file: Path) -> bool:
    from understudy.base.files import read_json

    try:
        content = read_json(file, PoseError)
    except PoseError:
        return False
    first = content[0] if isinstance(content, list) and content else content
    return isinstance(first, dict) and ("people" in first or {"images", "annotations"} <= first.keys())


def _rate(fps: float | None) -> Fraction | None:
    from understudy.media.info import MAX_RATE, standard_rate

    if fps is None:
        return None
    if not 0 < fps <= MAX_RATE:
        raise UsageError(f"`fps` must be above 0 and at most {MAX_RATE}, not {fps:g}")
    return standard_rate(Fraction(fps), Fraction(2, 10_000))


def _size_hw(size: str | None) -> tuple[int, int] | None:
    if size is None:
        return None
    width, _, height = size.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and 64 <= int(width) <= 8192 and 64 <= int(height) <= 8192):
        raise UsageError(f"`size={size!r}`: give WIDTHxHEIGHT in pixels from 64 to 8192, for example 768x768")
    return int(height), int(width)


def _from_performance(path: Path, fps: Fraction | None, size: str | None) -> _Read:
    import numpy as np

    from understudy.performance import load_poses
    from understudy.poses.pose import Pose

    if size is not None:
        raise UsageError(f"`size`: the poses of {path} are in pixels of its video; leave it out")
    header, poses, _ = load_poses(path)
    poses = header.crop.inverse.of_pose(poses, header.original_size_hw)
    if fps is None:
        return _Read(poses, header.fps)
    count = max(1, round(len(poses) * fps / header.fps))
    taken = [min(len(poses) - 1, round(number * header.fps / fps)) for number in range(count)]
    return _Read(Pose(poses.xy[np.array(taken)], poses.confidence[np.array(taken)], poses.size_hw), fps)


def _from_motion(path: Path, fps: Fraction | None, size: str | None) -> _Read:
    from understudy.synthetic.drivers import SIZE_HW, played_poses

    return _Read(*played_poses(path, fps, _size_hw(size) or SIZE_HW))


def _from_files(path: Path, fps: Fraction | None, size: str | None, person: str | int) -> _Read:
    from understudy.poses.formats import read_poses

    if fps is not None:
        raise UsageError(f"`fps`: {path} does not say its rate, so another one cannot be made of it; leave it out")
    if person != "largest" and not str(person).isdecimal():
        raise UsageError(f"`person={person!r}`: give largest, or the place in every frame's list, from 0")
    size_hw = _size_hw(size)
    poses = read_poses(path, size_hw, "largest" if person == "largest" else int(person))
    if size_hw is not None and poses.size_hw != size_hw:
        height, width = poses.size_hw
        raise UsageError(f"`size={size!r}`: {path} says that its frames are {width}x{height}; leave it out")
    return _Read(poses, None)


def _write(poses: Pose, output: Path, chosen: str) -> None:
    from understudy.poses.formats import write_coco_wholebody, write_comfyui, write_openpose

    if chosen == "coco":
        write_coco_wholebody(poses, output)
    elif chosen == "comfyui":
        write_comfyui(poses, output)
    else:
        write_openpose(poses, output, "BODY_25" if chosen == "openpose" else "COCO")
