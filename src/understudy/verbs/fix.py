"""The verb `fix`: corrects tracked joints by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from understudy.errors import UsageError

if TYPE_CHECKING:
    from understudy.performance import Clip, Performance
    from understudy.performance.fixes import Entry
    from understudy.poses.edits import Edit
    from understudy.tracking.doubts import Doubt

Sides = Literal["arms", "legs", "shoulders", "hips", "all"]
Spot = tuple[float, float]


@dataclass(frozen=True)
class Fixed:
    """What `fix` leaves."""

    performance: Performance
    """as it is on disk now, with the corrected poses"""
    history: tuple[Entry, ...]
    """every correction, the first one first; those that were undone are its end"""
    doubts: tuple[Doubt, ...]
    """stretches of frames that deserve a look"""

    def __str__(self) -> str:
        made = [f"{number} {one.edit}{'' if one.made else ' (undone)'}" for number, one in enumerate(self.history, 1)]
        worth = [f"frames {one.first}-{one.last}: {one.reason}" for one in self.doubts]
        return "\n".join(
            [
                *(["corrected:", *made] if made else ["nothing was corrected by hand"]),
                *(["worth a look:", *worth] if worth else ["no frames look odd"]),
            ]
        )


def fix(
    performance: Clip,
    *,
    move: str | None = None,
    frame: int | None = None,
    to: Spot | None = None,
    exchange: Sides | None = None,
    delete: Sequence[str] = (),
    interpolate: Sequence[str] = (),
    from_frame: int | None = None,
    to_frame: int | None = None,
    undo: bool = False,
    redo: bool = False,
) -> Fixed:
    """Corrects joints of a performance by hand, or lists what was corrected and which frames deserve a look.

    Corrections are kept in the performance and can be undone; what was tracked stays beneath them. Whatever takes the
    performance takes its corrected poses. Points are called nose, left_eye, left_shoulder, left_elbow, left_wrist,
    left_hip, left_knee, left_ankle, left_big_toe, left_small_toe, left_heel and so on, or by their number in
    COCO-WholeBody, 0 to 132; left_arm, left_leg, left_hand, left_foot, face and all are several. "Left" is the
    person's own. A wrist takes its hand along, an ankle its foot.

    Args:
        performance: the folder that `track` wrote.
        move: the point to put somewhere else, with `frame` and `to`.
        frame: the frame to move it in, from 0.
        to: where to, X,Y in pixels of the performance's own square pictures (frames.mp4), from the upper left.
        exchange: left and right change places from `from_frame` to `to_frame`: "arms" are elbows and wrists with hands,
            "legs" knees and ankles with feet, "all" is everything.
        delete: points that are taken for not seen from `from_frame` to `to_frame`.
        interpolate: points that run straight between where they are in `from_frame` and in `to_frame`, which both stay.
        from_frame: the first frame, from 0.
        to_frame: the last frame; left out, the first alone.
        undo: take the last correction back.
        redo: make the correction again that was undone last.

    Returns:
        The performance, its corrections, and the frames that deserve a look.

    Raises:
        PerformanceError: there is no such performance, or it is damaged.
        UsageError: a correction that cannot be made, several at once, or nothing to undo.

    Example:
        print(fix("dance.performance"))
        fix("dance.performance", move="left_wrist", frame=120, to=(320, 240))
        fix("dance.performance", interpolate=["left_wrist"], from_frame=110, to_frame=120)

    Shell:
        $ understudy fix dance.performance
        $ understudy fix dance.performance --move left_wrist --frame 120 --to 320,240
        $ understudy fix dance.performance --interpolate left_wrist --from-frame 110 --to-frame 120
        $ understudy fix dance.performance --exchange legs --from-frame 30 --to-frame 31
        $ understudy fix dance.performance --undo
    """
    from understudy.performance import Performance
    from understudy.performance import fixes as by_hand
    from understudy.tracking.doubts import doubts

    edit = _asked(move, frame, to, exchange, delete, interpolate, from_frame, to_frame, undo, redo)
    clip = performance if isinstance(performance, Performance) else Performance.load(performance)
    if edit is not None:
        clip = by_hand.add(clip, edit)
    if undo:
        clip = by_hand.undo(clip)
    if redo:
        clip = by_hand.redo(clip)
    return Fixed(clip, by_hand.history(clip), doubts(clip))


def _asked(
    move: str | None,
    frame: int | None,
    to: Spot | None,
    exchange: Sides | None,
    delete: Sequence[str],
    interpolate: Sequence[str],
    from_frame: int | None,
    to_frame: int | None,
    undo: bool,
    redo: bool,
) -> Edit | None:
    """The one correction that is asked for, if any.

    Raises:
        UsageError: several things at once, or what belongs to one of them is missing or belongs to none.
    """
    from understudy.poses.edits import Delete, ExchangeSides, Interpolate, Move

    things = {
        "move": move is not None,
        "exchange": exchange is not None,
        "delete": bool(delete),
        "interpolate": bool(interpolate),
        "undo": undo,
        "redo": redo,
    }
    asked = [name for name, there in things.items() if there]
    if len(asked) > 1:
        raise UsageError(f"`{asked[0]}` and `{asked[1]}`: one thing at a time")
    if move is None and (frame is not None or to is not None):
        raise UsageError("`frame` and `to` belong to `move`: say which point is to move")
    span = exchange is not None or bool(delete) or bool(interpolate)
    if not span and (from_frame is not None or to_frame is not None):
        raise UsageError("`from_frame` and `to_frame` belong to `exchange`, `delete` and `interpolate`")
    if move is not None:
        points = _points([move])
        if len(points) > 1:
            raise UsageError(f"`move` takes one point at a time, and {move} is {len(points)}")
        if frame is None or to is None:
            raise UsageError("`move` needs `frame`, and `to`, where the point is to be")
        return Move(frame, points[0], float(to[0]), float(to[1]))
    if not span:
        return None
    if from_frame is None or (interpolate and to_frame is None):
        raise UsageError(f"`{asked[0]}` needs `from_frame`{' and `to_frame`' if interpolate else ''}")
    last = from_frame if to_frame is None else to_frame
    if exchange is not None:
        return ExchangeSides(from_frame, last, exchange)
    if delete:
        return Delete(_points(delete), from_frame, last)
    return Interpolate(_points(interpolate), from_frame, last)


def _points(names: Sequence[str]) -> tuple[int, ...]:
    from understudy.poses.edits import points_of

    try:
        return points_of(names)
    except ValueError as cause:
        raise UsageError(str(cause)) from None
