"""Poses that people already have: OpenPose, ComfyUI, AlphaPose and COCO-WholeBody JSON; read and written.

What a file is shows in its content, not in its name:

- OpenPose: one object with "people" per frame, in a folder of files; body as BODY_25 or COCO-18, hands 21 + 21, face 70
  (or the 68 without pupils). Up to version 1.2 the keys end without "_2d".
- ComfyUI and DWPose: the same objects in one JSON list, with "canvas_width" and "canvas_height", body as COCO-18,
  coordinates in pixels or as a share of the frame.
- AlphaPose: one JSON list of people, each with the "image_id" of its picture; or, in its forms after OpenPose, an
  object per picture in one file or in the folder "sep-json". Pictures without anybody are left out.
- COCO-WholeBody: one object with "images" and "annotations".
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from understudy.base.files import atomic_file, atomic_folder, read_json
from understudy.errors import PoseError
from understudy.poses.choice import Person, choose_person
from understudy.poses.numbering import counts_from_zero, natural_key, numbers_in, odd_one
from understudy.poses.parsing import (
    BODY25_FROM_POINTS,
    COCO_PARTS,
    NOBODY,
    Frame,
    Table,
    by_alphapose,
    parse_file,
    parse_frame,
)
from understudy.poses.pose import (
    BODY,
    FACE,
    LEFT_HAND,
    OPENPOSE18_FROM_BODY,
    OPENPOSE18_NECK,
    POINTS,
    RIGHT_HAND,
    FloatArray,
    Pose,
)
from understudy.poses.units import turn_into_pixels

_MIDDLE_OF_HIPS = 8
_MOST_EMPTY = 20
"""Times as many empty frames as files for which numbers are still believed; above that they are times, say."""

_log = logging.getLogger(__name__)


class PoseFiles(NamedTuple):
    """What a folder or a file of poses holds, before anybody is chosen or anything is scaled."""

    path: Path
    frames: list[Frame]
    numbers: list[int] | None
    """of the frames, rising, by the names of their files or pictures; None: they have none and follow one another"""
    from_zero: bool
    """the names are those that a tool gives to the frames of a video, the first of which is 0"""
    leaves_out_nobody: bool
    """made by a tool that writes nothing for a frame in which it sees nobody"""

    @property
    def size_hw(self) -> tuple[int, int] | None:
        """Height and width of the frames in pixels, where the files say it.

        Raises:
            PoseError: they say different ones.
        """
        sizes = {frame.size_hw for frame in self.frames if frame.size_hw is not None}
        if len(sizes) > 1:
            some = " and ".join(f"{width}x{height}" for height, width in sorted(sizes)[:2])
            raise PoseError(f"{self.path} has frames of different sizes ({some}): split it into one part per size")
        return sizes.pop() if sizes else None


def read_poses(
    path: str | os.PathLike[str],
    size_hw: tuple[int, int] | None = None,
    person: int | Literal["largest"] = "largest",
) -> Pose:
    """Reads the poses of one person, whatever of the formats above they are in.

    The numbers in the names of files (or of the pictures that a list names) place the frames, so that a number without
    a file is a frame with nothing seen; the lowest number is the first frame. Without numbers they follow one another
    in natural order. A point at (0, 0) or (-1, -1), or with confidence 0, is not seen; frames without people stay, with
    nothing seen. COCO's visibility 2 becomes confidence 1 and visibility 1 (hidden, but labelled) 0.5.

    Args:
        path: a folder with one JSON file per frame, or one JSON file.
        size_hw: height and width in pixels of the frames; used where the files do not say.
        person: who, where there are several: the place in every frame's list, from 0, or "largest", who fills most of
            the clip (see `pose_choice.choose_person`).

    Returns:
        T frames; `size_hw` is that of the files where they say it, which may differ from the argument.

    Raises:
        PoseError: nothing there, another format, a damaged file, a number that is not finite, no people, no such
            person, units that contradict each other, or a frame size that is neither in the files nor given.
    """
    files = read_pose_files(path)
    return pose_of(files, _in_a_row(files), size_hw, person)


def read_pose_files(path: str | os.PathLike[str]) -> PoseFiles:
    """All frames of a folder or file, with their numbers where they have some.

    Raises:
        PoseError: nothing there, another format, or a damaged file.
    """
    path = Path(path)
    try:
        files = [file for file in path.iterdir() if _is_json(file)] if path.is_dir() else [path]
    except OSError as error:
        raise PoseError(f"cannot read the folder {path}: {error.strerror}") from None
    if not files:
        raise PoseError(f"the folder {path} holds no .json files: give a folder with one OpenPose file per frame")
    if len(files) == 1:
        parsed = parse_file(files[0])
        frames, names, alphapose = parsed.frames, parsed.names, parsed.by_alphapose
    else:
        files.sort(key=lambda file: natural_key(str(file)))
        contents = [read_json(file, PoseError) for file in files]
        frames = [parse_frame(content, str(file)) for content, file in zip(contents, files, strict=True)]
        _refuse_odd_one(files, path)
        names, alphapose = [file.name for file in files], any(by_alphapose(content) for content in contents)
    numbers = numbers_in(names) if names is not None else None
    if names is None or numbers is None:
        return PoseFiles(path, frames, None, False, alphapose)
    order = np.argsort(numbers)
    frames, numbers = [frames[index] for index in order], [numbers[index] for index in order]
    return PoseFiles(path, frames, numbers, counts_from_zero(names, alphapose), alphapose)


def _refuse_odd_one(files: Sequence[Path], path: Path) -> None:
    """A file of another kind has no place among numbered ones, and would keep their numbers from being understood."""
    found = odd_one([file.name for file in files])
    if found is not None:
        odd, usual = found
        raise PoseError(
            f"{path} holds {odd} beside files with names like {usual}, so its numbers cannot be trusted: leave nothing "
            "in it but the files of one clip"
        )


def by_number(files: PoseFiles, first: int, count: int) -> list[Frame]:
    """`count` frames of which the first has the number `first`; numbers without a file are frames without anybody.

    Args:
        files: with numbers.
    """
    assert files.numbers is not None
    placed = dict(zip(files.numbers, files.frames, strict=True))
    return [placed.get(number, NOBODY) for number in range(first, first + count)]


def pose_of(
    files: PoseFiles,
    frames: Sequence[Frame],
    size_hw: tuple[int, int] | None,
    person: int | Literal["largest"] = "largest",
) -> Pose:
    """The poses of one person in those frames of the files, in the pixels of the size that the files say.

    Raises:
        PoseError: as `read_poses`.
    """
    path = files.path
    size = files.size_hw or size_hw
    if size is None:
        raise PoseError(f"{path} does not say how large its frames are: give the video too, or the height and width")
    turn_into_pixels([table for frame in frames for table in frame.people], size, path)
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
        for key, (points, _) in COCO_PARTS.items():
            annotation[key] = _flat(table[points])
            annotation[key.replace("_kpts", "_valid")] = bool((table[points, 2] > 0).any())
        annotations.append(annotation)
    categories = [{"id": 1, "name": "person", "supercategory": "person"}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    with atomic_file(file) as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")


def _in_a_row(files: PoseFiles) -> list[Frame]:
    """From the lowest number to the highest, where no clip says how many frames there are; says what it took."""
    if files.numbers is None:
        return files.frames
    first, count = files.numbers[0], files.numbers[-1] - files.numbers[0] + 1
    missing = count - len(files.frames)
    if missing > _MOST_EMPTY * len(files.frames):
        _log.warning("%s: its numbers are too far apart for frames; they are taken one after another", files.path)
        return files.frames
    if missing or (first and files.from_zero):
        _log.warning(
            "%s: it begins with number %d, which becomes the first frame; %d numbers after it are missing and become "
            "frames without anybody",
            files.path,
            first,
            missing,
        )
    return by_number(files, first, count)


def _as_person(table: Table) -> Person:
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
    middle: FloatArray = (first + second) / np.float32(2)
    middle[2] = min(first[2], second[2])
    return middle


def _flat(table: FloatArray) -> list[float]:
    """x, y, confidence, ... to a thousandth of a pixel; long clips are large, so zeros take one letter."""
    digits = (3, 3, 5) * len(table)
    return [round(value, places) if value else 0 for value, places in zip(table.ravel().tolist(), digits, strict=True)]


def _is_json(file: Path) -> bool:
    return file.suffix.lower() == ".json" and not file.name.startswith(".")


def _is_foreign(file: Path) -> bool:
    return not file.name.endswith("_keypoints.json")
