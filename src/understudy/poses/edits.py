"""Corrections of tracked joints by hand: what each says, what it does to a pose, and how files hold it.

Frames are counted from 0. A correction never looks at pictures: Pose in, Pose out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from understudy.base.stored import brief, number, whole, word
from understudy.poses import pose as p
from understudy.poses.pose import EXCHANGED, FARTHEST, POINTS, FloatArray, Pose

Sides = Literal["arms", "legs", "shoulders", "hips", "all"]
"""what changes sides together"""

_JOINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle", "left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel",
)  # fmt: skip
POINT_NAMES: tuple[str, ...] = (
    *_JOINTS,
    *(f"face_{point}" for point in range(p.FACE.stop - p.FACE.start)),
    *(f"{side}_hand_{point}" for side in ("left", "right") for point in range(21)),
)
"""of each of the 133 points"""
_LEFT_FOOT, _RIGHT_FOOT = range(p.LEFT_BIG_TOE, p.RIGHT_BIG_TOE), range(p.RIGHT_BIG_TOE, p.FEET.stop)
_LEFT_HAND, _RIGHT_HAND = (range(hand.start, hand.stop) for hand in (p.LEFT_HAND, p.RIGHT_HAND))
FOLLOWING: dict[int, range] = {
    p.LEFT_WRIST: _LEFT_HAND,
    p.RIGHT_WRIST: _RIGHT_HAND,
    p.LEFT_ANKLE: _LEFT_FOOT,
    p.RIGHT_ANKLE: _RIGHT_FOOT,
}
"""the points that go along with a joint: a hand's 21 with its wrist, a foot's three with its ankle"""
GROUPS: dict[str, tuple[int, ...]] = {
    "left_arm": (p.LEFT_SHOULDER, p.LEFT_ELBOW, p.LEFT_WRIST),
    "right_arm": (p.RIGHT_SHOULDER, p.RIGHT_ELBOW, p.RIGHT_WRIST),
    "left_leg": (p.LEFT_HIP, p.LEFT_KNEE, p.LEFT_ANKLE),
    "right_leg": (p.RIGHT_HIP, p.RIGHT_KNEE, p.RIGHT_ANKLE),
    "left_hand": tuple(_LEFT_HAND),
    "right_hand": tuple(_RIGHT_HAND),
    "left_foot": tuple(_LEFT_FOOT),
    "right_foot": tuple(_RIGHT_FOOT),
    "face": tuple(range(p.FACE.start, p.FACE.stop)),
    "all": tuple(range(POINTS)),
}
"""several points under one name"""
_EXCHANGED_WITH: dict[str, tuple[int, ...]] = {
    "arms": (p.LEFT_ELBOW, p.RIGHT_ELBOW, p.LEFT_WRIST, p.RIGHT_WRIST, *_LEFT_HAND, *_RIGHT_HAND),
    "legs": (p.LEFT_KNEE, p.RIGHT_KNEE, p.LEFT_ANKLE, p.RIGHT_ANKLE, *_LEFT_FOOT, *_RIGHT_FOOT),
    "shoulders": (p.LEFT_SHOULDER, p.RIGHT_SHOULDER),
    "hips": (p.LEFT_HIP, p.RIGHT_HIP),
    "all": tuple(range(POINTS)),
}


@dataclass(frozen=True)
class Move:
    """A point is put somewhere else in one frame, and is certain there (confidence 1).

    A wrist takes the 21 points of its hand along, an ankle the three of its foot, by the same step; they keep their
    confidence. Where the wrist or ankle was not seen, nothing says how far it moves, and they stay.
    """

    frame: int
    point: int
    """among the 133"""
    x: float
    """pixels of the pose's own frame, to the right; for a performance, working pixels"""
    y: float
    """likewise, down"""

    def _apply(self, xy: FloatArray, confidence: FloatArray) -> None:
        to = np.array([self.x, self.y], np.float32)
        if self.point in FOLLOWING and confidence[self.frame, self.point] > 0:
            xy[self.frame, FOLLOWING[self.point]] += to - xy[self.frame, self.point]
        xy[self.frame, self.point] = to
        confidence[self.frame, self.point] = 1

    def __str__(self) -> str:
        return f"{named([self.point])} to {self.x:g}, {self.y:g} in frame {self.frame}"


@dataclass(frozen=True)
class Delete:
    """Points are taken for not seen (confidence 0), a wrist with its hand and an ankle with its foot."""

    points: tuple[int, ...]
    """among the 133"""
    first: int
    last: int
    """included"""

    def _apply(self, xy: FloatArray, confidence: FloatArray) -> None:
        gone = {*self.points, *(also for point in self.points for also in FOLLOWING.get(point, ()))}
        confidence[self.first : self.last + 1, sorted(gone)] = 0

    def __str__(self) -> str:
        return f"{named(self.points)} deleted in {_frames(self.first, self.last)}"


@dataclass(frozen=True)
class ExchangeSides:
    """Left and right change places: elbows and wrists with hands, knees and ankles with feet, or one pair, or all."""

    first: int
    last: int
    """included"""
    which: Sides
    """"arms" leaves the shoulders and "legs" the hips where they are; "all" is all 133 points, those of the face too"""

    def _apply(self, xy: FloatArray, confidence: FloatArray) -> None:
        span, points = slice(self.first, self.last + 1), list(_EXCHANGED_WITH[self.which])
        others = [EXCHANGED[point] for point in points]
        xy[span, points] = xy[span, others]
        confidence[span, points] = confidence[span, others]

    def __str__(self) -> str:
        what = "left and right" if self.which == "all" else f"left and right {self.which}"
        return f"{what} exchanged in {_frames(self.first, self.last)}"


@dataclass(frozen=True)
class Interpolate:
    """Points run straight and evenly from where they are in one frame to where they are in another.

    Both frames hold and stay as they are. In between, a point is as certain as it is at its less certain end; one that
    is not seen at both ends is left alone. A wrist takes its hand along, and an ankle its foot: of their points, those
    that are seen at both ends run between these, and the others move by the same step as the wrist or ankle.
    """

    points: tuple[int, ...]
    """among the 133"""
    first: int
    last: int
    """at least two later, for else nothing lies between"""

    def _apply(self, xy: FloatArray, confidence: FloatArray) -> None:
        inside = slice(self.first + 1, self.last)
        for point in self.points:
            if not _seen_at_both(confidence, point, self.first, self.last):
                continue
            line = _line(xy, point, self.first, self.last)
            step = np.where(confidence[inside, point, None] > 0, line - xy[inside, point], 0)
            for also in FOLLOWING.get(point, ()):
                if also in self.points:
                    continue
                if _seen_at_both(confidence, also, self.first, self.last):
                    xy[inside, also] = _line(xy, also, self.first, self.last)
                    confidence[inside, also] = confidence[[self.first, self.last], also].min()
                else:
                    xy[inside, also] += step
            xy[inside, point] = line
            confidence[inside, point] = confidence[[self.first, self.last], point].min()

    def __str__(self) -> str:
        return f"{named(self.points)} interpolated between frames {self.first} and {self.last}"


Edit: TypeAlias = Move | Delete | ExchangeSides | Interpolate
KINDS: dict[str, type[Edit]] = {
    "move": Move,
    "delete": Delete,
    "exchange": ExchangeSides,
    "interpolate": Interpolate,
}
"""as files call them"""


def apply_edits(pose: Pose, edits: Sequence[Edit]) -> Pose:
    """The pose with the corrections made, one after another, each on what those before it left.

    Args:
        pose: T frames, left as they are.
        edits: `checked` for T frames.
    """
    xy, confidence = pose.xy.copy(), pose.confidence.copy()
    for edit in edits:
        edit._apply(xy, confidence)
    return Pose(xy, confidence, pose.size_hw)


def checked(edit: Edit, frames: int) -> Edit:
    """The same correction, if it can be made in a clip of so many frames.

    Raises:
        ValueError: a frame or a point that there is not, no number, a place farther away than any is, no such sides, a
            last frame before the first, or nothing between two frames.
    """
    read: dict[str, Callable[[Any], Any]] = {
        **dict.fromkeys(("frame", "first", "last"), lambda value: whole(value, 0, frames - 1)),
        **dict.fromkeys(("x", "y"), _place),
        "point": _point,
        "points": _points,
        "which": _sides,
    }
    plain = type(edit)(**{one.name: read[one.name](getattr(edit, one.name)) for one in fields(edit)})
    if isinstance(plain, Move):
        return plain
    if plain.last < plain.first:
        raise ValueError(f"frame {plain.last} lies before frame {plain.first}")
    if isinstance(plain, Interpolate) and plain.last - plain.first < 2:
        raise ValueError(f"nothing lies between frames {plain.first} and {plain.last}")
    return plain


def unseen_ends(pose: Pose, edit: Edit) -> tuple[int, ...]:
    """The points of an `Interpolate` that are not seen in both of its frames, so that it leaves them alone."""
    if not isinstance(edit, Interpolate):
        return ()
    ends = edit.first, edit.last
    return tuple(point for point in edit.points if not _seen_at_both(pose.confidence, point, *ends))


def content(edit: Edit) -> dict[str, Any]:
    """For JSON: its kind, and its fields."""
    kind = next(name for name, one in KINDS.items() if type(edit) is one)
    return {"kind": kind, **asdict(edit)}


def read_edit(stored: Mapping[str, Any], frames: int) -> Edit:
    """From JSON that anybody may have written, for a clip of so many frames.

    Raises:
        ValueError: as `checked`, or it is no correction.
    """
    if not isinstance(stored, dict) or "kind" not in stored:
        raise ValueError(f"{brief(stored)} is no correction")
    kind = KINDS.get(word(stored["kind"]))
    if kind is None:
        raise ValueError(f"a correction of the kind {brief(stored['kind'])}")
    said = {name: value for name, value in stored.items() if name != "kind"}
    if set(said) != {one.name for one in fields(kind)}:
        raise ValueError(f"a correction of the kind {stored['kind']!r} with {brief(sorted(said))}")
    return checked(kind(**said), frames)


def points_of(names: Sequence[int | str]) -> tuple[int, ...]:
    """The points that numbers and names mean: `POINT_NAMES`, and `GROUPS`; blanks stand for underscores too.

    Raises:
        ValueError: one that there is not.

    Example:
        >>> points_of(["left_wrist", "right foot", 0])
        (9, 20, 21, 22, 0)
    """
    found: dict[int, None] = {}
    for name in names:
        plain = str(name).strip().lower().replace(" ", "_")
        if plain in GROUPS:
            found |= dict.fromkeys(GROUPS[plain])
        elif plain in POINT_NAMES:
            found[POINT_NAMES.index(plain)] = None
        elif plain.isascii() and plain.isdigit() and int(plain[:6]) < POINTS:
            found[int(plain[:6])] = None
        else:
            raise ValueError(
                f"{brief(name)} is no point: take {', '.join(_JOINTS)}, {', '.join(GROUPS)}, or 0 to {POINTS - 1}"
            )
    return tuple(found)


def named(points: Sequence[int]) -> str:
    """In words, groups as such: (9, 20, 21, 22) are "left wrist, right foot"."""
    left = list(points)
    words = []
    for name, group in sorted(GROUPS.items(), key=lambda one: -len(one[1])):
        if set(group) <= set(left):
            words.append(name)
            left = [point for point in left if point not in group]
    return ", ".join([*(POINT_NAMES[point] for point in left), *words]).replace("_", " ")


def _frames(first: int, last: int) -> str:
    return f"frame {first}" if first == last else f"frames {first}-{last}"


def _seen_at_both(confidence: FloatArray, point: int, first: int, last: int) -> bool:
    return bool((confidence[[first, last], point] > 0).all())


def _line(xy: FloatArray, point: int, first: int, last: int) -> npt.NDArray[np.float32]:
    """(last - first - 1, 2) places on the way, without those of both frames."""
    share = np.arange(1, last - first, dtype=np.float32)[:, None] / (last - first)
    return np.asarray(xy[first, point] + share * (xy[last, point] - xy[first, point]), np.float32)


def _point(value: Any) -> int:
    return whole(value, 0, POINTS - 1)


def _points(values: Any) -> tuple[int, ...]:
    if not isinstance(values, list | tuple) or not 1 <= len(values) <= POINTS:
        raise ValueError(f"{brief(values)} are no points")
    points = tuple(_point(value) for value in values)
    if len(set(points)) < len(points):
        raise ValueError(f"{brief(points)} names a point twice")
    return points


def _place(value: Any) -> float:
    place = number(value)
    if abs(place) > FARTHEST:
        raise ValueError(f"a point more than {FARTHEST:.0f} pixels away")
    return place


def _sides(value: Any) -> Any:
    if not isinstance(value, str) or value not in get_args(Sides):
        raise ValueError(f"{brief(value)} are no sides: take {', '.join(get_args(Sides))}")
    return value
