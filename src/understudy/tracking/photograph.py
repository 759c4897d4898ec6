"""A photograph becomes a performance of one frame: the same files, without anything that needs time.

Nothing is smoothed, mended or filled, there is no flow, and what is behind the person is made up from the rest of the
picture. In return the person is looked at twice, the second time as large as the networks can see.
"""

from __future__ import annotations

import logging
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.arguments import Landmarks, Region, Rotation, StrPath, TrackerName
from understudy.base.files import sha256_of
from understudy.base.things import pasted
from understudy.compositing.inpainting import Inpainter, widened_matte, without_person
from understudy.errors import MediaError, PoseError
from understudy.media.info import BY_DEGREES
from understudy.media.photographs import is_photograph, read_photograph
from understudy.media.squares import cut
from understudy.performance import FLOW_SHRINK, FOUND, Crop, Performance, PerformanceWriter
from understudy.poses import pose as p
from understudy.poses.formats import read_poses
from understudy.poses.pose import BODY, Pose
from understudy.retargeting.cut_off import cut_off
from understudy.tracking.blazepose import BlazePoseTracker
from understudy.tracking.cache import remember_video
from understudy.tracking.canvas import stretched, turned
from understudy.tracking.crop import crop_of, dancing_square
from understudy.tracking.detection import Detection, Tracker
from understudy.tracking.green_screen import GreenScreen
from understudy.tracking.maps import Place, add_maps
from understudy.tracking.matte import refine
from understudy.tracking.mattes import CropSegmenter, uncut
from understudy.tracking.observe import LOOK_SIDE, View, check_region, place_in_words
from understudy.tracking.parsing_chosen import Choice
from understudy.tracking.surface_chosen import SurfaceChoice

UInt8Array = npt.NDArray[np.uint8]
Square = tuple[int, int, int]

FPS = Fraction(25)
"""a one-frame performance has no rate of its own; this one makes it as short as a frame of any video"""
LARGEST_LOOK = 2 * LOOK_SIDE
"""pixels: faces and hands are cut out of what is looked at, and have more to show there than in a frame of a video"""
AROUND = 1.3
"""side of the square of the second look, over the longer side of the person's box"""
SAME = 0.4
"""share of their union that the boxes of two looks have in common at least, if they are of one person"""
SEATED = 0.45
"""length of the thighs in the picture over that of the trunk, below which somebody who is upright sits"""
SURE = 0.5
"""confidence of a joint that a note is made of"""

_SHOULDERS, _HIPS = [p.LEFT_SHOULDER, p.RIGHT_SHOULDER], [p.LEFT_HIP, p.RIGHT_HIP]
_KNEES, _ANKLES = [p.LEFT_KNEE, p.RIGHT_KNEE], [p.LEFT_ANKLE, p.RIGHT_ANKLE]

_log = logging.getLogger(__name__)


def track_photograph(
    path: Path,
    output: StrPath,
    *,
    tracker: TrackerName,
    landmarks: Landmarks,
    poses: StrPath | None,
    region: Region | None,
    rotate: Rotation,
    matte: StrPath,
    parsing: Choice | None,
    surface: SurfaceChoice | None,
    fill: Inpainter | None,
    size: int,
) -> Performance:
    """What `track` does with a photograph; the arguments are its, and have been checked; which maps, is read.

    Raises:
        MediaError: the photograph or the matte cannot be read.
        PoseError: nobody is in it, or the poses given are not of one picture.
        PerformanceError: `output` is in use for something else.
        UsageError: the region is not in the picture.
    """
    picture = _turned_picture(read_photograph(path), rotate)
    size_hw = (picture.shape[0], picture.shape[1])
    check_region(region, size_hw)
    with PerformanceWriter(output, FPS) as writer:
        coarse: UInt8Array | None = None
        if poses is None:
            pose, coarse, version = _found_in(picture, path, tracker, landmarks, region)
        else:
            pose, version = _given(poses, path, size_hw, rotate), ""
        square = dancing_square(pose)
        crop = crop_of(square, size)
        working = cut(picture, square, size)
        person = crop.of_points(pose.xy[0, BODY][pose.confidence[0, BODY] > 0])
        fine, working = _matte(matte, picture, working, coarse, square, crop, rotate, person)
        fine = np.minimum(fine, cut(np.full(size_hw, 255, np.uint8), square, size, beyond=0))
        writer.add(working, fine, np.zeros((size // FLOW_SHRINK, size // FLOW_SHRINK, 2), np.float16))
        whole = uncut(fine, square, size_hw)
        background = without_person(picture, whole, fill=fill)
        for note in notes(pose):
            _log.warning(f"{path.name}: {note}")
        own, status = crop.of_pose(pose, (size, size)), np.array([FOUND], np.uint8)
        add_maps(writer, own, status, parsing, surface, Place(square, size_hw, rotate))
        sha256 = sha256_of(path)
        remember_video(path, sha256)
        return writer.finish(
            poses=own,
            status=status,
            background=background,
            source_name=path.name,
            source_sha256=sha256,
            crop=crop,
            tracker=tracker if poses is None else "given",
            tracker_version=version,
            landmarks=landmarks,
            matte=str(matte) if matte in ("auto", "green", "none") else "given",
            smoothed=False,
            rotate=rotate,
            inpainted=float((widened_matte(whole, 0.0)[0] > 0).mean()),
            parsing="" if parsing is None else parsing.name,
            surface="" if surface is None else surface.name,
        )


def _turned_picture(picture: UInt8Array, rotate: Rotation) -> UInt8Array:
    return np.ascontiguousarray(np.rot90(picture, -(rotate // 90)))


def _found_in(
    picture: UInt8Array, path: Path, tracker: TrackerName, landmarks: Landmarks, region: Region | None
) -> tuple[Pose, UInt8Array | None, str]:
    """The pose in pixels of the picture, a coarse matte of the whole picture's size if there is one, and a version."""
    with closing(_still_tracker(tracker, landmarks)) as look:
        found = _seen(picture, look, region)
        finest = "--size 1024 --landmarks wholebody --output NAME.performance"
        by_region = f"`understudy track {pasted(path)} --region X,Y,W,H {finest}`"
        if found is None:
            where = "in that part of " if region else "in "
            raise PoseError(
                f"nobody was found {where}{path}: give a photograph that shows the person larger, upright "
                f"and in better light, or say where the person is (and with --rotate how it is turned): {by_region}"
            )
        second = _seen(picture, look, _around(found[0], region))
        if second is not None and _overlap(_box(found[0]), _box(second[0])) >= SAME:
            found = second
        pose, mask = found
        _log.info(f"{path.name}: found the person {place_in_words(pose)}; to take another one: {by_region}")
        return pose, mask, look.version


def _still_tracker(name: TrackerName, landmarks: Landmarks) -> Tracker:
    if name == "rtmlib":
        from understudy.tracking.rtmlib import RtmlibTracker

        return RtmlibTracker(landmarks)
    return BlazePoseTracker(landmarks, still=True)


def _seen(picture: UInt8Array, look: Tracker, part: Region | None) -> tuple[Pose, UInt8Array | None] | None:
    """One look at a part of the picture, its longer side brought to 640 to 1280 pixels."""
    height, width = picture.shape[:2]
    left, top, wide, high = part or (0, 0, width, height)
    inside = picture[top : top + high, left : left + wide]
    ratio = min(max(max(inside.shape[:2]), LOOK_SIDE), LARGEST_LOOK) / max(inside.shape[:2])
    shown_hw = max(1, round(inside.shape[0] * ratio)), max(1, round(inside.shape[1] * ratio))
    method = cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC
    look.forget()
    detection: Detection | None = look(np.asarray(cv2.resize(inside, shown_hw[::-1], interpolation=method), np.uint8))
    if detection is None or not (detection.confidence[BODY] > 0).any():
        return None
    scale_xy = shown_hw[1] / inside.shape[1], shown_hw[0] / inside.shape[0]
    view = View(slice(0, shown_hw[1]), slice(0, shown_hw[0]), scale_xy)
    xy = np.where(detection.confidence[:, None] > 0, np.add(view.to_original(detection.xy), (left, top)), 0)
    mask = None
    if detection.mask is not None:
        mask = np.zeros((height, width), np.uint8)
        mask[top : top + high, left : left + wide] = cv2.resize(detection.mask.laid(shown_hw), inside.shape[1::-1])
    return Pose(xy[None].astype(np.float32), detection.confidence[None], (height, width)), mask


def _box(pose: Pose) -> npt.NDArray[np.float64]:
    """left, top, right, bottom"""
    seen = pose.xy[0, BODY][pose.confidence[0, BODY] > 0].astype(np.float64)
    return np.concatenate([seen.min(axis=0), seen.max(axis=0)])


def _around(pose: Pose, region: Region | None) -> Region:
    """The square about a person as far as it lies in the picture, and in the part that was asked for."""
    left, top, right, bottom = _box(pose)
    half = AROUND * max(right - left, bottom - top, 32.0) / 2
    middle = np.array([left + right, top + bottom]) / 2
    bounds = region or (0, 0, pose.size_hw[1], pose.size_hw[0])
    low = np.maximum(np.floor(middle - half), bounds[:2]).astype(int)
    high = np.minimum(np.ceil(middle + half), np.add(bounds[:2], bounds[2:])).astype(int)
    return int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])


def _overlap(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """Of two boxes, what they share over what they cover."""

    def area(box: npt.NDArray[np.float64]) -> float:
        return float(np.prod(np.maximum(box[2:] - box[:2], 0)))

    shared = area(np.concatenate([np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])]))
    return shared / max(area(one) + area(other) - shared, 1e-9)


def _given(poses: StrPath, path: Path, size_hw: tuple[int, int], rotate: Rotation) -> Pose:
    """The pose of the picture as it is turned; it was made on the picture as the file shows it."""
    unturned_hw = size_hw if rotate % 180 == 0 else size_hw[::-1]
    pose = read_poses(poses, unturned_hw)
    if len(pose) != 1:
        raise PoseError(f"{poses} holds poses of {len(pose)} frames, and {path.name} is one picture: give its own")
    if not pose.found.any():
        raise PoseError(f"{poses} shows nobody: give the pose of the person in {path.name}")
    return turned(stretched(pose, unturned_hw), BY_DEGREES[rotate])


def _matte(
    matte: StrPath,
    picture: UInt8Array,
    working: UInt8Array,
    coarse: UInt8Array | None,
    square: Square,
    crop: Crop,
    rotate: Rotation,
    person: npt.NDArray[np.float32],
) -> tuple[UInt8Array, UInt8Array]:
    """(S, S) matte and the (S, S, 3) working picture, from which a screen's tint has been taken."""
    size = len(working)
    if matte == "none":
        return np.full((size, size), 255, np.uint8), working
    if matte not in ("auto", "green"):
        return cut(_given_matte(Path(matte), picture, rotate), square, size, beyond=0), working
    if coarse is None:
        with closing(CropSegmenter()) as segmenter:
            tracked = refine(working, segmenter(working, person))
    else:
        tracked = refine(working, cut(coarse, square, size, beyond=0))
    if matte == "auto":
        return tracked, working
    screen = GreenScreen.found_in([working])
    keyed, clean = screen.key(working)
    within = screen.sheet(keyed)
    share = cv2.blur(within, (3, 3)).astype(np.float32) / 255
    mixed = np.asarray(share * keyed + (1 - share) * tracked + np.float32(0.5), np.uint8)
    return mixed, np.where((within > 0)[..., None], clean, working)


def _given_matte(path: Path, picture: UInt8Array, rotate: Rotation) -> UInt8Array:
    if not is_photograph(path):
        raise MediaError(f"the matte {path} is no picture: of a photograph give one that is white where the person is")
    matte = _turned_picture(read_photograph(path), rotate)[..., 1]
    height, width = picture.shape[:2]
    if abs(matte.shape[1] * height - width * matte.shape[0]) > 2 * max(width, height, *matte.shape):
        raise MediaError(
            f"the matte {path} is {matte.shape[1]}x{matte.shape[0]} and the photograph {width}x{height}: "
            "a matte must have the shape of its picture"
        )
    return np.asarray(cv2.resize(matte, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def notes(pose: Pose) -> list[str]:
    """What a photograph shows that a dance made of it will lack, as sentences without a full stop.

    Args:
        pose: one frame, in pixels of the whole photograph.
    """
    found = []
    missing = cut_off(pose, pose.size_hw[0] - 0.5)
    lacking = [f"the body below the {missing.never}"] if missing.never else []
    if missing.arms:
        lacking.append(missing.arms)
    if lacking:
        found.append(f"{' and '.join(lacking)} cannot be seen: what is not in the photograph has to be made up")
    if _is_seated(pose):
        found.append("the person sits: thighs and lap are seen shortened, and a standing dancer shows more of them")
    if _is_from_behind(pose):
        found.append("the person is seen from behind: the face has to be made up")
    return found


def _is_seated(pose: Pose) -> bool:
    xy, sure = pose.xy[0].astype(np.float64), pose.confidence[0] >= SURE
    if not sure[_SHOULDERS + _HIPS + _KNEES].all():
        return False
    trunk = xy[_HIPS].mean(axis=0) - xy[_SHOULDERS].mean(axis=0)
    length = float(np.linalg.norm(trunk))
    upright = trunk[1] > 0.7 * length
    down = (xy[_KNEES] - xy[_HIPS])[:, 1]  # of a bent knee that points sideways the thigh is long, and still level
    shins = (xy[_ANKLES] - xy[_KNEES])[:, 1][sure[_ANKLES]]
    return bool(upright and (down < SEATED * length).all() and (not len(shins) or (shins > 0.3 * length).any()))


def _is_from_behind(pose: Pose) -> bool:
    """Whether the person's left is on the left of the picture, of shoulders and hips alike, in somebody upright."""
    xy, sure = pose.xy[0].astype(np.float64), pose.confidence[0] >= SURE
    if not sure[_SHOULDERS + _HIPS].all():
        return False
    trunk = xy[_HIPS].mean(axis=0) - xy[_SHOULDERS].mean(axis=0)
    across = np.stack([xy[p.LEFT_SHOULDER] - xy[p.RIGHT_SHOULDER], xy[p.LEFT_HIP] - xy[p.RIGHT_HIP]])
    # with y down, across x trunk is above 0 from the front, whichever way the person is turned in the picture
    turn = (across[:, 0] * trunk[1] - across[:, 1] * trunk[0]) / max(float(trunk @ trunk), 1.0)
    return bool((turn < -0.1).all())
