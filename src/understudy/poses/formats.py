"""Poses that people already have: OpenPose and ComfyUI JSON, COCO-WholeBody JSON; read and written.

What a file is shows in its content, not in its name:

- OpenPose: one object with "people" per frame, in a folder of files; body as BODY_25 or COCO-18, hands 21 + 21, face 70
  (or the 68 without pupils).
- ComfyUI and DWPose: the same objects in one JSON list, with "canvas_width" and "canvas_height", body as COCO-18,
  coordinates in pixels or as a share of the frame.
- COCO-WholeBody: one object with "images" and "annotations".

Sources: OpenPose's documentation of its output format; the annotation format of COCO-WholeBody (Jin et al. 2020).
"""

from __future__ import annotations

import json
import logging
import os
import re
import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from understudy.base.files import atomic_file, atomic_folder, read_json
from understudy.errors import PoseError
from understudy.poses.choice import Person, choose_person
from understudy.poses.pose import (
    BODY,
    FACE,
    FEET,
    LEFT_HAND,
    OPENPOSE18_FROM_BODY,
    OPENPOSE18_NECK,
    POINTS,
    RIGHT_HAND,
    FloatArray,
    Pose,
)

BODY25_FROM_POINTS = (
    *((joint, point) for joint, point in OPENPOSE18_FROM_BODY if joint < 8),
    *((joint + 1, point) for joint, point in OPENPOSE18_FROM_BODY if joint >= 8),
    *zip(range(19, 25), range(FEET.start, FEET.stop), strict=True),
)
"""(index among OpenPose's 25, index among the 133): as the 18, with the middle of the hips put in at 8, and feet in
COCO-WholeBody's own order (left big toe, left small toe, left heel, then right) at the end."""
_MIDDLE_OF_HIPS = 8

_OPENPOSE_PARTS = {
    "face_keypoints_2d": (FACE, (70, 68)),
    "hand_left_keypoints_2d": (LEFT_HAND, (21,)),
    "hand_right_keypoints_2d": (RIGHT_HAND, (21,)),
}
_COCO_PARTS = {
    "foot_kpts": (FEET, (6,)),
    "face_kpts": (FACE, (68,)),
    "lefthand_kpts": (LEFT_HAND, (21,)),
    "righthand_kpts": (RIGHT_HAND, (21,)),
}

_log = logging.getLogger(__name__)
_Table = npt.NDArray[np.float64]


class _Frame(NamedTuple):
    people: list[_Table]
    """of each person (133, 3): x, y, confidence as in the file"""
    size_hw: tuple[int, int] | None


def read_poses(
    path: str | os.PathLike[str],
    size_hw: tuple[int, int] | None = None,
    person: int | Literal["largest"] = "largest",
) -> Pose:
    """Reads the poses of one person, whatever of the formats above they are in; files of a folder in natural order.

    A point at (0, 0) or (-1, -1), or with confidence 0, is not seen; frames without people stay, with nothing seen.
    COCO's visibility 2 becomes confidence 1 and visibility 1 (hidden, but labelled) 0.5.

    Args:
        path: a folder with one JSON file per frame, or one JSON file.
        size_hw: height and width in pixels of the frames; used where the files do not say.
        person: who, where there are several: the place in every frame's list, from 0, or "largest", who fills most of
            the clip (see `pose_choice.choose_person`).

    Returns:
        T frames; `size_hw` is that of the files where they say it, which may differ from the argument.

    Raises:
        PoseError: nothing there, another format, a damaged file, a number that is not finite, no people, no such
            person, or a frame size that is neither in the files nor given.
    """
    path = Path(path)
    frames = _frames_of(path)
    sizes = {frame.size_hw for frame in frames if frame.size_hw is not None}
    if len(sizes) > 1:
        some = " and ".join(f"{width}x{height}" for height, width in sorted(sizes)[:2])
        raise PoseError(f"{path} has frames of different sizes ({some}): split it into one part per size")
    size = sizes.pop() if sizes else size_hw
    if size is None:
        raise PoseError(f"{path} does not say how large its frames are: give the video too, or the height and width")
    _turn_into_pixels([table for frame in frames for table in frame.people], size, path)
    people = [[_as_person(table) for table in frame.people] for frame in frames]
    if not any((confidence > 0).any() for frame in people for _, confidence in frame):
        raise PoseError(f"no person in any of the {len(frames)} frames of {path}: are these the right poses?")
    xy = np.zeros((len(frames), POINTS, 2), np.float32)
    confidence = np.zeros((len(frames), POINTS), np.float32)
    for number, index in enumerate(choose_person(people, person, str(path))):
        if index is not None:
            xy[number], confidence[number] = people[number][index]
    return Pose(xy, confidence, size)


def write_openpose(pose: Pose, folder: str | os.PathLike[str], body: Literal["BODY_25", "COCO"] = "BODY_25") -> None:
    """Writes one OpenPose JSON file per frame, with canvas_width and canvas_height added, into a new folder.

    BODY_25 keeps all 133 points; COCO (18 joints) has no feet. Neck and middle of the hips are midpoints, and the
    pupils are written as not seen.

    Raises:
        PoseError: the folder holds other files, which would be lost.
        UnderstudyError: it cannot be written.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(_is_foreign(file) for file in folder.iterdir())):
        raise PoseError(f"{folder} is there already and holds other things than poses: choose a new folder")
    with atomic_folder(folder) as temporary:
        for number, frame in enumerate(_openpose_frames(pose, body)):
            (temporary / f"frame_{number:012d}_keypoints.json").write_text(json.dumps(frame), encoding="utf-8")


def write_comfyui(pose: Pose, file: str | os.PathLike[str]) -> None:
    """Writes one JSON list of frames as ComfyUI's pose nodes do: COCO-18, hands and face in pixels, canvas size.

    Raises:
        UnderstudyError: it cannot be written.
    """
    with atomic_file(file) as temporary:
        temporary.write_text(json.dumps(_openpose_frames(pose, "COCO")), encoding="utf-8")


def write_coco_wholebody(pose: Pose, file: str | os.PathLike[str]) -> None:
    """Writes COCO-WholeBody JSON: an image per frame, and an annotation for each frame in which anything is seen.

    Raises:
        UnderstudyError: it cannot be written.
    """
    height, width = pose.size_hw
    images = [
        {"id": number, "file_name": f"frame_{number:012d}.png", "height": height, "width": width}
        for number in range(len(pose))
    ]
    annotations: list[dict[str, Any]] = []
    for number, table in enumerate(_tables(pose)):
        seen = table[table[:, 2] > 0, :2]
        if len(seen) == 0:
            continue
        low, size = seen.min(axis=0), np.ptp(seen, axis=0)
        annotation: dict[str, Any] = {
            "id": len(annotations),
            "image_id": number,
            "category_id": 1,
            "iscrowd": 0,
            "bbox": [round(float(value), 3) for value in (*low, *size)],
            "area": round(float(size.prod()), 3),
            "num_keypoints": int((table[BODY, 2] > 0).sum()),
            "keypoints": _flat(table[BODY]),
        }
        for key, (points, _) in _COCO_PARTS.items():
            annotation[key] = _flat(table[points])
            annotation[key.replace("_kpts", "_valid")] = bool((table[points, 2] > 0).any())
        annotations.append(annotation)
    categories = [{"id": 1, "name": "person", "supercategory": "person"}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    with atomic_file(file) as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")


def _frames_of(path: Path) -> list[_Frame]:
    try:
        files = [file for file in path.iterdir() if _is_json(file)] if path.is_dir() else [path]
    except OSError as error:
        raise PoseError(f"cannot read the folder {path}: {error.strerror}") from None
    if not files:
        raise PoseError(f"the folder {path} holds no .json files: give a folder with one OpenPose file per frame")
    if len(files) == 1:
        return _frames_in_file(files[0])
    files.sort(key=_natural_key)
    _note_jumps(files, path)
    return [_openpose_frame(read_json(file, PoseError), str(file)) for file in files]


def _frames_in_file(file: Path) -> list[_Frame]:
    content = read_json(file, PoseError)
    if isinstance(content, dict) and "people" in content:
        return [_openpose_frame(content, str(file))]
    if isinstance(content, dict) and "annotations" in content and "images" in content:
        return _coco_frames(content, str(file))
    if isinstance(content, list) and content and all(isinstance(one, dict) and "people" in one for one in content):
        return [_openpose_frame(one, f"{file}, frame {number}") for number, one in enumerate(content)]
    raise _unknown(str(file))


def _unknown(where: str) -> PoseError:
    return PoseError(
        f'{where} holds no poses that are known here: OpenPose has "people" in it, COCO-WholeBody "images" and '
        '"annotations"'
    )


def _openpose_frame(content: Any, where: str) -> _Frame:
    if not isinstance(content, dict) or not isinstance(content.get("people"), list):
        raise _unknown(where)
    people: list[_Table] = []
    for number, one in enumerate(content["people"]):
        here = f"{where}, person {number}"
        if not isinstance(one, dict):
            raise _unknown(here)
        table = np.zeros((POINTS, 3))
        body = _points(one.get("pose_keypoints_2d"), (25, 18), here, "pose_keypoints_2d")
        if body is not None:
            order = BODY25_FROM_POINTS if len(body) == 25 else OPENPOSE18_FROM_BODY
            for joint, point in order:
                table[point] = body[joint]
        _fill_parts(table, one, _OPENPOSE_PARTS, here)
        people.append(table)
    return _Frame(people, _size_in(content, "canvas_height", "canvas_width", where))


def _coco_frames(content: dict[str, Any], where: str) -> list[_Frame]:
    images, annotations = content["images"], content["annotations"]
    if not isinstance(images, list) or not isinstance(annotations, list) or not images:
        raise PoseError(f'{where}: "images" and "annotations" must be lists, and "images" must not be empty')
    if not all(isinstance(one, dict) and isinstance(one.get("id"), int | str) for one in images):
        raise PoseError(f'{where}: every one of "images" needs an "id"')
    if all(isinstance(one.get("file_name"), str) for one in images):
        images = sorted(images, key=lambda one: _natural_key(Path(one["file_name"])))
    frames = {one["id"]: _Frame([], _size_in(one, "height", "width", where)) for one in images}
    if len(frames) != len(images):
        raise PoseError(f'{where}: two of "images" have the same "id"')
    for number, one in enumerate(annotations):
        here = f"{where}, annotation {number}"
        if not isinstance(one, dict) or not isinstance(one.get("image_id"), int | str):
            raise PoseError(f'{here}: needs an "image_id"')
        if one["image_id"] not in frames:
            raise PoseError(f'{here}: its "image_id" {_brief(one["image_id"])} is not among the "images"')
        frames[one["image_id"]].people.append(_coco_table(one, here))
    _as_confidence([table for frame in frames.values() for table in frame.people])
    return list(frames.values())


def _coco_table(annotation: dict[str, Any], where: str) -> _Table:
    table = np.zeros((POINTS, 3))
    body = _points(annotation.get("keypoints"), (17, POINTS), where, "keypoints")
    if body is not None:
        table[: len(body)] = body
    _fill_parts(table, annotation, _COCO_PARTS, where)
    return table


def _as_confidence(tables: Sequence[_Table]) -> None:
    """Halves the third column in place when it is COCO's visibility (0, 1, 2) and no confidence."""
    values = np.unique(np.concatenate([table[:, 2] for table in tables])) if tables else np.zeros(0)
    if 2 in values and np.isin(values, (0, 1, 2)).all():
        for table in tables:
            table[:, 2] /= 2


def _fill_parts(
    table: _Table, content: dict[str, Any], parts: Mapping[str, tuple[slice, tuple[int, ...]]], where: str
) -> None:
    for key, (points, counts) in parts.items():
        part = _points(content.get(key), counts, where, key)
        if part is not None:
            table[points] = part[: points.stop - points.start]


def _points(values: Any, counts: tuple[int, ...], where: str, what: str) -> _Table | None:
    """(n, 3) of a flat list x, y, confidence, ...; None where there is no list or an empty one."""
    if values is None or values == []:
        return None
    try:
        numbers = np.asarray(values, np.float64)
    except (TypeError, ValueError, OverflowError):
        numbers = np.zeros((0, 0))
    if numbers.ndim != 1:
        raise PoseError(f"{where}: {what} must be a plain list of numbers (x, y, confidence per point)")
    if len(numbers) not in [3 * count for count in counts]:
        wanted = " or ".join(str(3 * count) for count in counts)
        raise PoseError(f"{where}: {what} has {numbers.size} numbers instead of {wanted} (x, y, confidence per point)")
    if not np.isfinite(numbers).all() or np.abs(numbers).max() > 1e6:
        raise PoseError(f"{where}: {what} holds {_first_bad(numbers)}, which is no coordinate: make these poses again")
    return numbers.reshape(-1, 3)


def _first_bad(numbers: _Table) -> str:
    return f"{numbers[~(np.abs(numbers) <= 1e6)][0]:g}"


def _size_in(content: dict[str, Any], height_key: str, width_key: str, where: str) -> tuple[int, int] | None:
    height, width = content.get(height_key), content.get(width_key)
    if height is None or width is None:
        return None
    for key, value in ((height_key, height), (width_key, width)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 1e6:
            raise PoseError(f"{where}: {key} is {_brief(value)}, which is no size in pixels")
    return round(height), round(width)


def _turn_into_pixels(tables: Sequence[_Table], size_hw: tuple[int, int], path: Path) -> None:
    """Marks what is not seen, and turns shares of the frame into pixels, in place; a clip is in one of the two."""
    for table in tables:
        placeless = (table[:, :2] == 0).all(axis=1) | (table[:, :2] == -1).all(axis=1)
        table[placeless | (table[:, 2] <= 0)] = 0
    seen = np.concatenate([table[table[:, 2] > 0, :2] for table in tables]) if tables else np.zeros((0, 2))
    if len(seen) == 0 or np.abs(seen).max() > 2:  # no person fits into two pixels
        return
    if (seen < -0.1).any(axis=1).mean() > 0.1:
        raise PoseError(
            f"{path} has coordinates from -1 to 1: write them in pixels or from 0 to 1 (OpenPose: --keypoint_scale 0)"
        )
    for table in tables:
        table[:, :2] *= (size_hw[1], size_hw[0])


def _as_person(table: _Table) -> Person:
    return table[:, :2].astype(np.float32), np.clip(table[:, 2], 0, 1).astype(np.float32)


def _tables(pose: Pose) -> list[FloatArray]:
    """Per frame (133, 3): x, y, confidence, all 0 where a point is not seen."""
    seen = pose.confidence > 0
    return list(np.concatenate([pose.xy, pose.confidence[..., None]], axis=-1) * seen[..., None])


def _openpose_frames(pose: Pose, body: Literal["BODY_25", "COCO"]) -> list[dict[str, Any]]:
    height, width = pose.size_hw
    frames: list[dict[str, Any]] = []
    for table in _tables(pose):
        people = [_openpose_person(table, body)] if table[:, 2].any() else []
        frames.append({"version": 1.3, "people": people, "canvas_width": width, "canvas_height": height})
    return frames


def _openpose_person(table: FloatArray, body: Literal["BODY_25", "COCO"]) -> dict[str, Any]:
    order = BODY25_FROM_POINTS if body == "BODY_25" else OPENPOSE18_FROM_BODY
    joints = np.zeros((25 if body == "BODY_25" else 18, 3), np.float32)
    for joint, point in order:
        joints[joint] = table[point]
    joints[OPENPOSE18_NECK] = _midpoint(joints[2], joints[5])
    if body == "BODY_25":
        joints[_MIDDLE_OF_HIPS] = _midpoint(joints[9], joints[12])
    return {
        "person_id": [-1],
        "pose_keypoints_2d": _flat(joints),
        "face_keypoints_2d": _flat(np.concatenate([table[FACE], np.zeros((2, 3), np.float32)])),
        "hand_left_keypoints_2d": _flat(table[LEFT_HAND]),
        "hand_right_keypoints_2d": _flat(table[RIGHT_HAND]),
    }


def _midpoint(first: FloatArray, second: FloatArray) -> FloatArray:
    if min(first[2], second[2]) == 0:
        return np.zeros(3, np.float32)
    middle = (first + second) / 2
    middle[2] = min(first[2], second[2])
    return middle


def _flat(table: FloatArray) -> list[float]:
    """x, y, confidence, ... to a thousandth of a pixel; long clips are large, so zeros take one letter."""
    digits = (3, 3, 5) * len(table)
    return [round(value, places) if value else 0 for value, places in zip(table.ravel().tolist(), digits, strict=True)]


def _brief(value: object) -> str:
    return reprlib.repr(value)  # one line of a few words, whatever a file holds


def _is_json(file: Path) -> bool:
    return file.suffix.lower() == ".json" and not file.name.startswith(".")


def _is_foreign(file: Path) -> bool:
    return not file.name.endswith("_keypoints.json")


def _natural_key(file: Path) -> list[tuple[int, str]]:
    """Sorts frame2 before frame10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", str(file)) if part]


def _note_jumps(files: Sequence[Path], path: Path) -> None:
    numbers = [int(found[-1]) for file in files if (found := re.findall(r"\d+", file.stem.removesuffix("_keypoints")))]
    missing = max(numbers) - min(numbers) + 1 - len(set(numbers)) if len(numbers) == len(files) else 0
    if missing > 0:
        _log.warning(
            "%s: %d numbers are missing between its files; the files are taken as one frame after another",
            path,
            missing,
        )
