"""From the canvas that poses were made on to the picture of their video, where the two have different shapes.

Other tools shrink, stretch, pad and crop pictures, or do not turn them, and write at most the size of what they then
had. What that can have been is listed here, and what it cannot have been is crossed out: by the points that would lie
outside, then by a look at a few frames (`Judge`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from understudy.base.things import pasted
from understudy.errors import PoseError
from understudy.media.info import TURNS
from understudy.poses.pose import BODY, FloatArray, Pose
from understudy.poses.similarity import edge_to_edge

Size = tuple[int, int]
"""height, width in pixels"""

SAME_SHAPE = 0.01
"""Difference of two ratios of width to height up to which it does not matter how one became the other: half of it is
how far points at the border would be off, in picture sizes."""
FEW_OUTSIDE = 0.02
"""Share of points that may lie outside of a picture which poses are thought to have been made on."""
SUSPICIOUS_OUTSIDE = 0.1
MOST_OUTSIDE = 0.25
"""Share above which they are not of that picture: some detectors go on below it with legs that are cut off, but with
low confidence."""
_SURE = 0.3
AGREES = 0.08
"""Person heights between the joints of two detectors up to which they see the same person."""
AS_NEAR = 0.015
"""Person heights between two readings that do not matter: half of what two detectors differ by."""
DISTINCT = 1.2
"""Times as far from what is seen as the best: crossed out. Stretched instead of padded from 3:4 to a square is 1.27."""
CLEARLY = 2
"""Times as far from what is seen as another reading: not meant."""
FAR = 0.25
"""Person heights from what is seen at which a note is due."""
_BEYOND = 0.02
"""Of the picture's longer side: points so near to its border are not outside."""

_TURN_IN_WORDS = {
    "clockwise": "turned clockwise",
    "half": "turned upside down",
    "anticlockwise": "turned anticlockwise",
    "mirror": "mirrored",
    "flip": "flipped",
    "transpose": "turned and mirrored",
    "transverse": "turned and mirrored",
}

_log = logging.getLogger(__name__)


class Picture(NamedTuple):
    """What is known of a video's picture."""

    shown_hw: Size
    stored_hw: Size
    """before it is turned and its pixels are made square"""
    turn: str
    """how it is turned or mirrored, a key of TURNS"""

    @property
    def unturned_hw(self) -> Size:
        """With square pixels, but not turned."""
        return self.shown_hw if TURNS[self.turn][0] else self.shown_hw[::-1]


class Reading(NamedTuple):
    """One way to understand coordinates."""

    how: str
    """in words, with {} for the size of the picture as shown"""
    pose: Pose
    """in pixels of the picture as shown"""


Judge = Callable[[Pose], float | None]
"""How far poses are from the person in the video, in person heights; None where that cannot be seen."""


def on_picture(pose: Pose, stated: bool, picture: Picture, path: Path, judge: Judge) -> Pose:
    """The pose in pixels of the picture as shown; says so where more was needed than one scale.

    Args:
        pose: in pixels of the canvas, `pose.size_hw`.
        stated: the files say that size; else it is the picture's.
        picture: of the video.
        path: of the files, for messages.
        judge: asked only where the coordinates themselves do not tell.

    Raises:
        PoseError: it cannot be told, or the points contradict the size.
    """
    if not stated or _same_shape(pose.size_hw, picture.shown_hw):
        plain = stretched(pose, picture.shown_hw)
        _refuse_outside(plain, picture, path)
        _compare(plain, picture, path, judge)
        return plain
    known = _known_readings(pose, picture)
    readings = known or _guesses(pose, picture)
    possible = [one for one in readings if outside(one.pose) <= FEW_OUTSIDE]
    chosen = possible[0] if known and len(possible) == 1 else _seen(possible, judge)
    if chosen is None:
        raise _another_shape(pose, picture, path)
    _log.warning(
        "%s is for a canvas of %s: %s", path, _words(pose.size_hw), chosen.how.format(_words(picture.shown_hw))
    )
    return chosen.pose


def _seen(possible: Sequence[Reading], judge: Judge) -> Reading | None:
    """The reading by which the poses are where the person is; of those that hardly differ, the first."""
    known = [(one, away) for one in possible if (away := judge(one.pose)) is not None]
    best, least = min(known, key=lambda one: one[1], default=(None, np.inf))
    if best is None or least > AGREES:
        return None
    rivals = [one for one, away in known if away <= DISTINCT * least]
    return rivals[0] if all(_apart(one.pose, best.pose) <= AS_NEAR for one in rivals) else None


def _apart(one: Pose, other: Pose) -> float:
    """How far two readings of the same poses are from each other, in person heights."""
    seen = one.confidence[:, BODY] > 0
    heights = [
        float(np.ptp(xy[there], axis=0).max()) for xy, there in zip(one.xy[:, BODY], seen, strict=True) if there.any()
    ]
    away = np.linalg.norm(one.xy[:, BODY] - other.xy[:, BODY], axis=-1)[seen]
    return float(np.sqrt((away**2).mean()) / max(np.median(heights), 1e-6)) if heights else 0.0


def outside(pose: Pose) -> float:
    """Share of the points seen with some confidence that lie outside of the pose's own picture, 0 to 1."""
    height, width = pose.size_hw
    beyond = _BEYOND * max(height, width)
    sure = pose.confidence >= _SURE
    low = (pose.xy < -0.5 - beyond).any(axis=-1)
    high = (pose.xy > _wide_high(pose.size_hw) - 0.5 + beyond).any(axis=-1)
    return float(np.asarray(low | high, np.bool_)[sure].mean()) if sure.any() else 0.0


def stretched(pose: Pose, size_hw: Size) -> Pose:
    """As its picture is resized edge to edge, each axis by its own ratio."""
    if pose.size_hw == size_hw:
        return pose
    ratio = _wide_high(size_hw) / _wide_high(pose.size_hw)
    return Pose(edge_to_edge(pose.xy, ratio), pose.confidence, size_hw)


def turned(pose: Pose, turn: str) -> Pose:
    """As its picture is turned or mirrored, by a key of TURNS; who is mirrored has left and right exchanged."""
    if turn == "none":
        return pose
    a, b, c, d = TURNS[turn]
    height, width = pose.size_hw
    size = pose.size_hw if a else (width, height)
    x, y = np.moveaxis(pose.xy - (_wide_high(pose.size_hw) - 1) / 2, -1, 0)
    about_middle: FloatArray = np.stack([a * x + c * y, b * x + d * y], axis=-1)
    shown = Pose(about_middle + (_wide_high(size) - 1) / np.float32(2), pose.confidence, size)
    return shown if a * d - b * c > 0 else shown.sides_exchanged()


def _fitted(pose: Pose, size_hw: Size, scale: float, anchor: float) -> Pose:
    """Scaled alike on both axes; anchor 0 keeps the corner at the top left, 0.5 the middle."""
    rest = _wide_high(size_hw) - scale * _wide_high(pose.size_hw)
    return Pose(edge_to_edge(pose.xy, scale) + anchor * rest, pose.confidence, size_hw)


def _unturned(pose: Pose, picture: Picture) -> Pose:
    """Made on the picture as stored."""
    return turned(stretched(pose, picture.unturned_hw), picture.turn)


def _exchanged(pose: Pose, picture: Picture) -> Pose:
    return stretched(Pose(pose.xy, pose.confidence, pose.size_hw[::-1]), picture.shown_hw)


def _known_readings(pose: Pose, picture: Picture) -> list[Reading]:
    """All there can be, where the canvas has the shape of the picture as stored or lying on its side; else none."""
    shown, canvas = picture.shown_hw, pose.size_hw
    is_exchanged = _same_shape(canvas[::-1], shown)
    exchanged = Reading(
        "width and height are exchanged in it, and taken as those of the {} picture", _exchanged(pose, picture)
    )
    if picture.turn != "none" and (_same_shape(canvas, picture.stored_hw) or _same_shape(canvas, picture.unturned_hw)):
        how = f"made before the picture was turned, and is {_TURN_IN_WORDS[picture.turn]} with it to {{}}"
        return [Reading(how, _unturned(pose, picture)), *([exchanged] if is_exchanged else [])]
    if _same_shape(canvas, picture.stored_hw):
        return [Reading("made on pixels that are not square, and is stretched with them to {}", stretched(pose, shown))]
    if is_exchanged:
        sides = [
            Reading(
                f"made on the picture lying on its side, and is {_TURN_IN_WORDS[turn]} to {{}}",
                stretched(turned(pose, turn), shown),
            )
            for turn in ("clockwise", "anticlockwise")
        ]
        return [exchanged, *sides]
    return []


def _guesses(pose: Pose, picture: Picture) -> list[Reading]:
    """What tools do to pictures of which they want another shape; there is more, so that none is ever certain."""
    shown, canvas = picture.shown_hw, pose.size_hw
    across, down = shown[1] / canvas[1], shown[0] / canvas[0]
    fits = (
        ("stretched", stretched(pose, shown)),
        ("padded on both sides", _fitted(pose, shown, max(across, down), 0.5)),
        ("padded on one side", _fitted(pose, shown, max(across, down), 0.0)),
        ("cropped", _fitted(pose, shown, min(across, down), 0.5)),
    )
    return [Reading(f"the {{}} picture was {how} to that, as near as a look at it tells", one) for how, one in fits]


def _same_shape(one: Size, other: Size) -> bool:
    """Also of sizes that were rounded to whole or even numbers of pixels."""
    height, width = one
    rounding = max(abs(width - height * other[1] / other[0]) / 2, abs(height - width * other[0] / other[1]) / 2)
    return rounding <= 1 or abs(width / height * other[0] / other[1] - 1) <= SAME_SHAPE


def _refuse_outside(plain: Pose, picture: Picture, path: Path) -> None:
    share = outside(plain)
    lying = Pose(plain.xy, plain.confidence, plain.size_hw[::-1])
    shown, side = _words(plain.size_hw), _words(lying.size_hw)
    if share > SUSPICIOUS_OUTSIDE and outside(lying) <= FEW_OUTSIDE:
        raise PoseError(
            f"{path}: {share:.0%} of its points lie outside of the {shown} picture and none outside of one of {side}, "
            f"as if it was made before the picture was turned: {_mend(path, side)}"
        )
    if share > MOST_OUTSIDE:
        raise PoseError(
            f"{path}: {share:.0%} of its points lie outside of the {shown} picture: it was made on another one, or on "
            "one of another size; make it anew, or write canvas_width and canvas_height into it"
        )


def _compare(plain: Pose, picture: Picture, path: Path, judge: Judge) -> None:
    """Coordinates of the picture as stored can lie inside of the one that is shown, too."""
    away = judge(plain)
    if away is None or away <= AGREES / CLEARLY:
        return
    if picture.turn != "none" or picture.stored_hw != picture.shown_hw:
        as_stored = judge(_unturned(Pose(plain.xy, plain.confidence, picture.stored_hw), picture))
        if as_stored is not None and as_stored <= AGREES and as_stored * CLEARLY < away:
            raise _as_stored(picture, path)
    if away > FAR:
        _log.warning(
            "%s: a look at a few frames sees the person %.1f body heights away from its points: if it is not somebody "
            "else, the poses are of another clip or were made on another picture",
            path,
            away,
        )


def _as_stored(picture: Picture, path: Path) -> PoseError:
    stored, shown = _words(picture.stored_hw), _words(picture.shown_hw)
    what = "is turned" if picture.turn != "none" else "gets square pixels"
    return PoseError(
        f"{path} was made on the {stored} picture as stored, before it {what} and is {shown}: {_mend(path, stored)}"
    )


def _mend(path: Path, size: str) -> str:
    return (
        "make it on the picture as shown, or write canvas_width and canvas_height into it (`understudy poses "
        f"{pasted(path)} sized.json --size {size}`)"
    )


def _another_shape(pose: Pose, picture: Picture, path: Path) -> PoseError:
    share = outside(pose)
    beyond = f", and {share:.0%} of its points lie outside of that canvas" if share > FEW_OUTSIDE else ""
    return PoseError(
        f"{path} is for a canvas of {_words(pose.size_hw)} and the video shows {_words(picture.shown_hw)}{beyond}: it "
        "cannot be told how the one became the other, so make the poses on the video's own picture"
    )


def _wide_high(size_hw: Size) -> FloatArray:
    return np.array(size_hw[::-1], np.float32)


def _words(size_hw: Size) -> str:
    return f"{size_hw[1]}x{size_hw[0]}"
