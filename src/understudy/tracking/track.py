"""Video in, Performance out, never half a result: the verb `track`, and `tracked`, which remembers what it gave.

The passes over the clip are in `passes.py`. Nothing heavy is imported up here, because the command line reads this.
"""

from __future__ import annotations

import logging
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from understudy.base.arguments import Landmarks, Region, Rotation, StrPath, TrackerName, check_choice, check_rotation
from understudy.errors import MediaError, PerformanceError, UsageError

if TYPE_CHECKING:
    from understudy.performance import Performance
    from understudy.tracking.observe import Observations

SIZES = range(32, 1025)
_log = logging.getLogger(__name__)


def track(
    video: StrPath,
    output: StrPath,
    *,
    tracker: TrackerName = "blazepose",
    landmarks: Landmarks = "body",
    poses: StrPath | None = None,
    region: Region | None = None,
    start: float | None = None,
    end: float | None = None,
    rotate: Rotation = 0,
    matte: StrPath = "auto",
    parsing: str | None = None,
    surface: str | None = None,
    inpainter: str | None = None,
    size: int = 256,
    smooth: bool = True,
    strict: bool = False,
    tolerate_damage: bool = False,
    double_rate: bool = False,
) -> Performance:
    """Finds the person in every frame of a video, or in a photograph; writes a performance.

    The others do this by themselves when they are given a video. Track one yourself to choose the part, the person
    or the tracker, or to look at the result (`inspect`) before training.

    Args:
        video: the video, or a photograph (JPEG, PNG, WebP, AVIF and others): a performance of one frame, whose room is
            made up where the person stands. HEIC needs the package pillow-heif.
        output: the performance to write, a folder, usually NAME.performance; it appears when everything is done.
        tracker: "blazepose" runs MediaPipe's networks, which are fetched once (34 MiB) unless MediaPipe is installed;
            "rtmlib" is better, needs the extra understudy[rtmpose], and fetches its own.
        landmarks: "body" (with feet), or "wholebody": face and hands too, at half the speed.
        poses: poses you already have, instead of a tracker: a folder or JSON file of OpenPose or AlphaPose, or a JSON
            file of COCO-WholeBody. Numbers in the names of files say which frame they are. A tracker's slips (left
            taken for right, joints that leap away for a moment) are mended, and those of given poses only listed.
        region: where the person is when there are several, in pixels of the picture, turned as `rotate` says: left,
            top, width, height.
        start: seconds into the video.
        end: seconds into the video.
        rotate: degrees clockwise by which the picture is turned first, for a camera that lay on its side or hung
            upside down; poses and a matte that are given belong to the video as it is, and are turned along.
        matte: how the person is cut out: "auto" (a segmentation network), "green" (filmed before a green or blue
            screen), "none", or a video (of a photograph: a picture) that is white where the person is.
        parsing: add label maps, which say what every pixel of the person shows: "auto" (no network needed),
            "lip:FILE" or "atr:FILE" (a network with these labels, as ONNX), "selfie" or "selfie:FILE" (MediaPipe's
            multiclass selfie segmenter, fetched once), or a folder of maps you have, PNG files with numbers of labels,
            one for every frame of the video; of a photograph the one file.
        surface: add surface maps, which say which place of the body every pixel shows (I, U and V, as DensePose has
            them): "auto" (a body of our own, laid into the poses), a DensePose network as TorchScript (FILE.pt: it is a
            program, give one that you trust), or maps you have, a video or a folder of PNG files.
        inpainter: of a photograph: what makes up the room where the person stands. "patches" (as without it) copies
            from the rest of the picture, "smooth" blurs over it, and "lama:FILE" and "migan:FILE" are networks as ONNX
            that you bring (extra understudy[rtmpose]); their weights' terms are theirs.
        size: of the square working frames, pixels, a multiple of 8.
        smooth: take the tracker's jitter out of the poses; `smooth=False` keeps it.
        strict: stop when the video is cut off, instead of using what is there.
        tolerate_damage: go on over damaged parts of the video, and count them.
        double_rate: of interlaced film take both half pictures of every frame, for twice as many frames a second.

    Returns:
        The performance, loaded.

    Raises:
        MediaError: the video, the matte or the maps cannot be read, or do not belong together.
        PoseError: fewer than half of the frames have a person (nobody is in the photograph), or the poses do not belong
            to the video.
        PerformanceError: `output` is in use for something else.
        UsageError: arguments that contradict each other.

    Example:
        performance = track("me.mp4", "me.performance")
        print(len(performance), performance.header.found)

    Shell:
        $ understudy track me.mp4 --output me.performance
        $ understudy track photo.jpg --output me.performance --landmarks wholebody
        $ understudy track me.mp4 --output me.performance --parsing --surface
        $ understudy track party.mp4 --output anna.performance --region 900,100,500,900 --start 5 --end 65
    """
    from understudy.compositing.inpainting import inpainter as chosen_inpainter
    from understudy.media.photographs import is_photograph
    from understudy.performance import PerformanceWriter
    from understudy.tracking.finishing import Followed, Wanted, finished
    from understudy.tracking.given import given_poses
    from understudy.tracking.mattes import check_matte
    from understudy.tracking.observe import check_region
    from understudy.tracking.parsing_chosen import check_usable, chosen
    from understudy.tracking.passes import Footage, first_pass
    from understudy.tracking.photograph import track_photograph
    from understudy.tracking.slips import mend_slips
    from understudy.tracking.surface_chosen import surface_chosen

    _check_options(tracker, landmarks, size)
    fill = None if inpainter is None else chosen_inpainter(inpainter)
    check_rotation("rotate", rotate)
    check_matte(matte, Path(video))
    labels_of = None if parsing is None else chosen(parsing)
    if labels_of is not None:
        check_usable(labels_of)
    surface_of = None if surface is None else surface_chosen(surface)
    if is_photograph(video):
        _check_timeless(Path(video), start, end, double_rate)
        return track_photograph(
            Path(video),
            output,
            tracker=tracker,
            landmarks=landmarks,
            poses=poses,
            region=region,
            rotate=rotate,
            matte=matte,
            parsing=labels_of,
            surface=surface_of,
            fill=fill,
            size=size,
        )
    if fill is not None:
        raise UsageError(
            f"`inpainter` is for photographs, and {video} is a video, whose frames show what is behind; leave it out"
        )
    chosen_size = other_than_usual({"size": size}).get("size")
    clip = Footage(Path(video), start, end, strict, tolerate_damage, rotate, double_rate, chosen_size, landmarks)
    full = clip.reader()
    check_region(region, full.info.size_hw)
    with PerformanceWriter(output, full.fps) as writer:
        observations: Observations | None = None
        if poses is None:
            observations, tracked_poses, slips, tracker_version = first_pass(clip, full, tracker, region)
        else:
            tracked_poses, tracker_version = given_poses(poses, full, start, end), ""
            slips = tuple(slip.kept() for slip in mend_slips(tracked_poses, full.fps)[1])
        found = Followed(tracked_poses, slips, tracker if poses is None else "given", tracker_version, observations)
        wanted = Wanted(size, matte, smooth, labels_of, surface_of)
        made = finished(writer, Path(output), clip, full, found, wanted)
    if observations is not None:
        observations.masks.close()
    return made


def tracked(video_or_performance: StrPath | Performance, *, cache: Path | None = None, **options: Any) -> Performance:
    """A performance of a video, from the cache where the same content was tracked before with the same options.

    Args:
        video_or_performance: a video file; or a performance or its folder, which is returned as it is.
        cache: folder to keep performances in; None = `cache_folder()`.
        **options: those of `track`.

    Raises:
        UnderstudyError: as `track` and `Performance.load`.
    """
    from understudy.base.folders import cache_folder
    from understudy.performance import Performance
    from understudy.tracking.cache import cache_key

    if isinstance(video_or_performance, Performance):
        return video_or_performance
    path = Path(video_or_performance)
    if path.is_dir():
        return Performance.load(path)
    if not path.is_file():
        raise MediaError(f"there is no video or performance {path}: check the name")
    folder = (cache or cache_folder()) / "performances" / f"{cache_key(path, other_than_usual(options))}.performance"
    if folder.exists():
        try:
            return Performance.load(folder)
        except PerformanceError as error:
            _log.warning(f"tracking {path.name} again: its cached performance cannot be used ({error})")
    return track(path, folder, **options)


def other_than_usual(options: dict[str, Any]) -> dict[str, Any]:
    """Those options of `track` that are not as it has them by itself."""
    usual = {name: one.default for name, one in signature(track).parameters.items()}
    return {name: value for name, value in options.items() if value != usual.get(name)}


def _check_timeless(photograph: Path, start: float | None, end: float | None, double_rate: bool) -> None:
    """Raises UsageError: a part, or another rate, of what is one picture."""
    for name, asked in (("start", start is not None), ("end", end is not None), ("double_rate", double_rate)):
        if asked:
            raise UsageError(f"`{name}`: {photograph} is a photograph, which has no time; leave it out")


def _check_options(tracker: str, landmarks: str, size: int) -> None:
    check_choice("tracker", tracker, get_args(TrackerName))
    check_choice("landmarks", landmarks, get_args(Landmarks))
    if size not in SIZES or size % 8:
        raise UsageError(f"`size` must be a multiple of 8 from {SIZES[0]} to {SIZES[-1]}, not {size}")
