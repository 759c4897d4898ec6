"""From the content of a pose file to people: OpenPose and ComfyUI, AlphaPose, COCO-WholeBody; still as in the file.

Sources: OpenPose's documentation of its output format, AlphaPose's of its own (`docs/output.md`) and of Halpe's points;
the annotation format of COCO-WholeBody (Jin et al. 2020).
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from understudy.base.files import read_json
from understudy.errors import PoseError
from understudy.poses.numbering import natural_key
from understudy.poses.pose import BODY, FACE, FEET, LEFT_HAND, OPENPOSE18_FROM_BODY, POINTS, RIGHT_HAND

Table = npt.NDArray[np.float64]
"""(133, 3): x, y, confidence of one person, as in the file"""

BODY25_FROM_POINTS = (
    *((joint, point) for joint, point in OPENPOSE18_FROM_BODY if joint < 8),
    *((joint + 1, point) for joint, point in OPENPOSE18_FROM_BODY if joint >= 8),
    *zip(range(19, 25), range(FEET.start, FEET.stop), strict=True),
)
"""(index among OpenPose's 25, index among the 133): as the 18, with the middle of the hips put in at 8, and feet in
COCO-WholeBody's own order (left big toe, left small toe, left heel, then right) at the end."""

_HALPE26_FROM_POINTS = (
    *((joint, joint) for joint in range(BODY.stop)),
    *zip((20, 22, 24, 21, 23, 25), range(FEET.start, FEET.stop), strict=True),
)
"""(index among Halpe's 26, index among the 133): head, neck and hips at 17 to 19 are left out; feet are left, right"""
_HALPE136_FROM_POINTS = (*_HALPE26_FROM_POINTS, *zip(range(26, 136), range(FACE.start, POINTS), strict=True))
_SAME = tuple((point, point) for point in range(POINTS))
_ALPHAPOSE = {17: _SAME[:17], 26: _HALPE26_FROM_POINTS, POINTS: _SAME, 136: _HALPE136_FROM_POINTS}

OPENPOSE_BODY = "pose_keypoints_2d"
_OPENPOSE_PARTS = {
    "face_keypoints_2d": (FACE, (70, 68)),
    "hand_left_keypoints_2d": (LEFT_HAND, (21,)),
    "hand_right_keypoints_2d": (RIGHT_HAND, (21,)),
}
COCO_PARTS = {
    "foot_kpts": (FEET, (6,)),
    "face_kpts": (FACE, (68,)),
    "lefthand_kpts": (LEFT_HAND, (21,)),
    "righthand_kpts": (RIGHT_HAND, (21,)),
}


class Frame(NamedTuple):
    people: list[Table]
    size_hw: tuple[int, int] | None


NOBODY = Frame([], None)


class Parsed(NamedTuple):
    frames: list[Frame]
    names: list[str] | None
    """of the picture of every frame, where the file gives them"""
    by_alphapose: bool = False


def parse_file(file: Path) -> Parsed:
    """All frames of one file, in natural order of their names, else as they come.

    Raises:
        PoseError: another format, or damage; names the frame or the annotation.
    """
    content = read_json(file, PoseError)
    where = str(file)
    if isinstance(content, dict):
        if is_openpose(content):
            return Parsed([parse_frame(content, where)], None)
        if "annotations" in content and "images" in content:
            return _coco(content, where)
        if content and all(is_openpose(one) for one in content.values()):
            names = sorted(content, key=natural_key)
            return Parsed([parse_frame(content[name], f"{where}, {brief(name)}") for name in names], names, True)
    if isinstance(content, list):
        if any(is_openpose(one) for one in content):
            return Parsed([parse_frame(one, f"{where}, frame {number}") for number, one in enumerate(content)], None)
        if any(_is_result(one) for one in content):
            return _alphapose_list(content, where)
    raise _unknown(where)


def parse_frame(content: Any, where: str) -> Frame:
    """One frame as OpenPose writes it, and those that imitate it; `{}` and `null` are a frame without anybody."""
    if content is None or content == {}:
        return NOBODY
    if isinstance(content, list) and len(content) == 1:  # ComfyUI's list, saved once for every frame
        (content,) = content
    if not is_openpose(content):
        raise _unknown(where)
    people = content["people"] if "people" in content else content["bodies"]
    if not isinstance(people, list):
        raise _unknown(where)
    tables = [_openpose_table(one, f"{where}, person {number}") for number, one in enumerate(people)]
    return Frame(tables, _size_in(content, "canvas_height", "canvas_width", where))


def is_openpose(content: Any) -> bool:
    """Whether it is one frame of OpenPose, or of AlphaPose in one of the two forms after OpenPose."""
    return isinstance(content, dict) and ("people" in content or "bodies" in content)


def by_alphapose(content: Any) -> bool:
    """Whether a frame says that AlphaPose wrote it."""
    return isinstance(content, dict) and str(content.get("version")).startswith("AlphaPose")


def _is_result(content: Any) -> bool:
    return isinstance(content, dict) and {"image_id", "keypoints"} <= content.keys()


def _unknown(where: str) -> PoseError:
    return PoseError(
        f'{where} holds no poses that are known here: OpenPose has "people" in it, AlphaPose "image_id" and '
        '"keypoints", COCO-WholeBody "images" and "annotations"'
    )


def _openpose_table(person: Any, where: str) -> Table:
    if not isinstance(person, dict):
        raise _unknown(where)
    person = _with_new_keys(person)
    table = np.zeros((POINTS, 3))
    body = _points(person.get(OPENPOSE_BODY), (25, 18), where, OPENPOSE_BODY)
    if body is not None:
        _put(table, body, BODY25_FROM_POINTS if len(body) == 25 else OPENPOSE18_FROM_BODY)
    _fill_parts(table, person, _OPENPOSE_PARTS, where)
    return table


def _with_new_keys(person: dict[str, Any]) -> dict[str, Any]:
    """OpenPose up to 1.2 wrote keys without _2d, and AlphaPose's form "cmu" calls the body joints."""
    old = {key.removesuffix("_2d"): key for key in (OPENPOSE_BODY, *_OPENPOSE_PARTS)} | {"joints": OPENPOSE_BODY}
    return {new: person[key] for key, new in old.items() if key in person} | person


def _alphapose_list(results: Sequence[Any], where: str) -> Parsed:
    """AlphaPose's default, and COCO's format of results: a person after the other, each with the name of the image."""
    frames: dict[str, Frame] = {}
    for number, one in enumerate(results):
        here = f"{where}, result {number}"
        if not _is_result(one) or not isinstance(one["image_id"], int | str):
            raise PoseError(f'{here}: needs an "image_id" and "keypoints"')
        points = _points(one["keypoints"], tuple(_ALPHAPOSE), here, "keypoints")
        table = np.zeros((POINTS, 3))
        if points is not None:
            _put(table, points, _ALPHAPOSE[len(points)])
        frames.setdefault(str(one["image_id"]), Frame([], None)).people.append(table)
    names = sorted(frames, key=natural_key)
    return Parsed([frames[name] for name in names], names, True)


def _coco(content: dict[str, Any], where: str) -> Parsed:
    images, annotations = content["images"], content["annotations"]
    if not isinstance(images, list) or not isinstance(annotations, list) or not images:
        raise PoseError(f'{where}: "images" and "annotations" must be lists, and "images" must not be empty')
    if not all(isinstance(one, dict) and isinstance(one.get("id"), int | str) for one in images):
        raise PoseError(f'{where}: every one of "images" needs an "id"')
    named = all(isinstance(one.get("file_name"), str) for one in images)
    if named:
        images = sorted(images, key=lambda one: natural_key(one["file_name"]))
    frames = {one["id"]: Frame([], _size_in(one, "height", "width", where)) for one in images}
    if len(frames) != len(images):
        raise PoseError(f'{where}: two of "images" have the same "id"')
    for number, one in enumerate(annotations):
        here = f"{where}, annotation {number}"
        if not isinstance(one, dict) or not isinstance(one.get("image_id"), int | str):
            raise PoseError(f'{here}: needs an "image_id"')
        if one["image_id"] not in frames:
            raise PoseError(f'{here}: its "image_id" {brief(one["image_id"])} is not among the "images"')
        frames[one["image_id"]].people.append(_coco_table(one, here))
    _as_confidence([table for frame in frames.values() for table in frame.people])
    return Parsed(list(frames.values()), [one["file_name"] for one in images] if named else None)


def _coco_table(annotation: dict[str, Any], where: str) -> Table:
    table = np.zeros((POINTS, 3))
    body = _points(annotation.get("keypoints"), (17, POINTS), where, "keypoints")
    if body is not None:
        table[: len(body)] = body
    _fill_parts(table, annotation, COCO_PARTS, where)
    return table


def _as_confidence(tables: Sequence[Table]) -> None:
    """Halves the third column in place when it is COCO's visibility (0, 1, 2) and no confidence."""
    values = np.unique(np.concatenate([table[:, 2] for table in tables])) if tables else np.zeros(0)
    if 2 in values and np.isin(values, (0, 1, 2)).all():
        for table in tables:
            table[:, 2] /= 2


def _put(table: Table, points: Table, order: Iterable[tuple[int, int]]) -> None:
    for joint, point in order:
        table[point] = points[joint]


def _fill_parts(
    table: Table, content: dict[str, Any], parts: Mapping[str, tuple[slice, tuple[int, ...]]], where: str
) -> None:
    for key, (points, counts) in parts.items():
        part = _points(content.get(key), counts, where, key)
        if part is not None:
            table[points] = part[: points.stop - points.start]


def _points(values: Any, counts: tuple[int, ...], where: str, what: str) -> Table | None:
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


def _first_bad(numbers: Table) -> str:
    return f"{numbers[~(np.abs(numbers) <= 1e6)][0]:g}"


def _size_in(content: dict[str, Any], height_key: str, width_key: str, where: str) -> tuple[int, int] | None:
    height, width = content.get(height_key), content.get(width_key)
    if height is None or width is None:
        return None
    for key, value in ((height_key, height), (width_key, width)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 1e6:
            raise PoseError(f"{where}: {key} is {brief(value)}, which is no size in pixels")
    return round(height), round(width)


def brief(value: object) -> str:
    """One line of a few words, whatever a file holds."""
    return reprlib.repr(value)
