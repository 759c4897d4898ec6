"""Where several performers stand who each have a driver of their own: as these stood, all in one picture.

Pure geometry in numbers. Whole numbers are pixel centres.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from understudy.performing.ensemble_layout import MARGIN, RARE, Floats
from understudy.poses import pose as p
from understudy.poses.pose import Pose
from understudy.poses.similarity import Similarity

SHOULDERS, HIPS, ANKLES = (
    [p.LEFT_SHOULDER, p.RIGHT_SHOULDER],
    [p.LEFT_HIP, p.RIGHT_HIP],
    [p.LEFT_ANKLE, p.RIGHT_ANKLE],
)
SOLES = [*ANKLES, *range(p.FEET.start, p.FEET.stop)]


def place_of_driver(painted: Pose, filmed: Pose, shown: npt.NDArray[np.bool_]) -> Similarity:
    """What puts a performer where the driver stood: as large, on the same floor, going as far.

    Args:
        painted: (T) poses that are played, in pixels of the performer's own picture.
        filmed: the driver's, in pixels of the driving picture.
        shown: (T,) where both are to be seen.

    Returns:
        From pixels of the performer's own picture to pixels of the driving picture.
    """
    pairs = [_middles(painted, filmed, points, shown) for points in (SHOULDERS, HIPS, ANKLES)]
    own, theirs = (np.concatenate([pair[which] for pair in pairs]) for which in (0, 1))
    if not len(own):
        return Similarity(1.0, (0.0, 0.0))
    own_spread, their_spread = own - own.mean(axis=0), theirs - theirs.mean(axis=0)
    # least squares from the driver to the performer, as their poses were aligned: so steps are as long as the driver's
    scale = float((their_spread**2).sum() / max((their_spread * own_spread).sum(), 1e-9))
    across = next(pair for pair in (pairs[1], pairs[0], pairs[2]) if len(pair[0]))
    upright = next(pair for pair in (pairs[2], pairs[1], pairs[0]) if len(pair[0]))
    x, y = (np.median(pair[1] - scale * pair[0], axis=0)[axis] for axis, pair in enumerate((across, upright)))
    return Similarity(scale, (float(x), float(y)))


def _middles(painted: Pose, filmed: Pose, points: list[int], shown: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """(N, 2) each, the middle between two joints where both are seen in both.

    Middles, as left and right of a performer who was only filmed from the other side are exchanged.
    """
    seen = ((painted.confidence[:, points] > 0) & (filmed.confidence[:, points] > 0)).all(axis=1) & shown
    own, theirs = (pose.xy[seen][:, points].mean(axis=1).astype(np.float64) for pose in (painted, filmed))
    return own, theirs


def feet_of(filmed: Pose) -> Floats:
    """(T,) the lowest point of the feet that is seen in each frame, NaN where there is none."""
    seen = filmed.confidence[:, SOLES] > 0
    lowest = np.where(seen, filmed.xy[:, SOLES, 1], -np.inf).max(axis=1)
    return np.asarray(np.where(seen.any(axis=1), lowest, np.nan), np.float64)


def group_in_room(
    boxes: Sequence[Floats], places: Sequence[Similarity], own_hw: tuple[int, int], stage_hw: tuple[int, int]
) -> Similarity:
    """Puts all into a room in which only the first was filmed, or nobody.

    The first is as large there, and stands as high in the picture, as in the own one; the middle of all is in the
    middle. Where that leaves no room for somebody, all are made smaller, or moved up or down.

    Args:
        boxes: for each performer (T, 4) left, top, right, bottom of what is painted in the own picture; NaN where
            nothing is.
        places: from their pictures to the driving picture, as `place_of_driver` gives them.
        own_hw: size of the first one's picture.
        stage_hw: size of the room's picture.

    Returns:
        From pixels of the driving picture to pixels of the room's.
    """
    height, width = stage_hw
    as_alone = Similarity(height / own_hw[0], (0.0, 0.0))
    around = [_around(box, place) for box, place in zip(boxes, places, strict=True)]
    there = [one for one in around if one is not None]
    if not there:
        return as_alone @ places[0].inverse
    left, top = np.min(there, axis=0)[:2]
    right, bottom = np.max(there, axis=0)[2:]
    margin, scale = MARGIN * height, as_alone.scale / places[0].scale
    room_w, room_h = width - 2 * margin, height - 2 * margin
    scale = min(scale, room_w / max(right - left, 1.0), room_h / max(bottom - top, 1.0))
    floor = around[0][3] if around[0] is not None else bottom
    on_floor = as_alone.of_points(places[0].inverse.of_points(np.array([[0.0, floor]])))[0, 1]
    highest, lowest = margin - 0.5 + scale * (floor - top), height - 0.5 - margin - scale * (bottom - floor)
    y = max(highest, min(lowest, float(on_floor)))
    return Similarity.pinned(scale, (float(left + right) / 2, float(floor)), ((width - 1) / 2, y))


def _around(boxes: Floats, place: Similarity) -> Floats | None:
    """(4,) left, top, right, bottom of all that is ever painted, in pixels of the driving picture."""
    seen = boxes[~np.isnan(boxes[:, 0])]
    if not len(seen):
        return None
    low, high = place.of_points(seen[:, :2]), place.of_points(seen[:, 2:])
    return np.concatenate([np.quantile(low, RARE, axis=0), np.quantile(high, 1 - RARE, axis=0)])
