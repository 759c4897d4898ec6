"""A picture framed at the driver's cut: scaled and shifted once for the whole clip, so that it ends where his does."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from understudy.compositing.backgrounds import Background
from understudy.performance import Performance
from understudy.performing.standing import HIPS, SHOULDERS
from understudy.poses import edges
from understudy.poses.pose import BODY, Pose
from understudy.poses.similarity import IDENTITY, Similarity
from understudy.retargeting.cut_off import CutOff

Image = npt.NDArray[np.uint8]

MOST_ENLARGED = 2.0
"""times the picture may be enlarged: beyond, it is a blur"""
SPAN = {"waist": (0.5, 1.1), "hips": (0.8, 1.7), "knees": (1.3, 2.5)}
"""trunk lengths below the neck at which a cut below each can lie: if a table hides the legs, the picture does not end
where they do"""
HEADROOM = 0.35
"""trunk lengths kept free above the highest face point: hair"""
RARELY = 0.02
"""share of frames in which arms and head may leave the picture"""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LowerEdge:
    """How a driver's picture ends below."""

    trunks: float
    """from the neck to the edge, in lengths of the trunk, upright"""
    share: float
    """of the picture's height that the trunk takes"""


@dataclass(frozen=True)
class Framing:
    """What is done to a picture, of every frame of a clip alike; by default nothing."""

    moved: Similarity | None = None
    """from the picture to the same one framed, of the same size"""
    room_moves: bool = True
    """whether what is behind the performer is moved along"""

    def of_spot(self, spot: Similarity) -> Similarity:
        """Where a performer is in the framed picture, from a place in the picture."""
        return spot if self.moved is None else self.moved @ spot

    def of_room(self, room: Image) -> Image:
        """What is behind, (H, W, C) uint8, as the framed picture shows it."""
        return room if self.moved is None or not self.room_moves else framed_picture(room, self.moved)


def lower_edge(driving: Performance, missing: CutOff) -> LowerEdge | None:
    """Where the driver's picture ends; None if nothing of his legs is missing, or his trunk is never seen.

    Args:
        driving: with hips, see `without_missing`.
        missing: what it lacks.
    """
    trunk = _trunk(driving.poses)
    if not missing.below or trunk is None:
        return None
    neck, length = trunk
    least, most = SPAN[missing.below]
    edge = edges.filmed_until(driving.header.crop, driving.header.original_size_hw)
    trunks = float(np.clip((edge - neck) / length, least, most))
    height = driving.header.original_size_hw[0] * driving.header.crop.scale
    return LowerEdge(trunks, length / height)


def framing_at(edge: LowerEdge, poses: Sequence[Pose], size_hw: tuple[int, int], background: Background) -> Framing:
    """How a picture is framed at a driver's cut, within itself and without a change of its size.

    Its lower edge is the cut of whoever is cut lowest, so that small people beside tall ones are seen, and people are
    as large in it as the driver is in his own. It is enlarged by no more than `MOST_ENLARGED`, and no more than leaves
    heads and arms inside: then it ends lower, and shows more.

    Args:
        edge: of the driver.
        poses: of everybody in the picture, in its pixels.
        size_hw: of the picture.
        background: behind them; it moves along, but for the driver's room, which ends where he does already.
    """
    return Framing(_similarity(edge, poses, size_hw), background.what != "driving")


def _similarity(edge: LowerEdge, poses: Sequence[Pose], size_hw: tuple[int, int]) -> Similarity:
    height, width = size_hw
    trunks = [(pose, trunk) for pose in poses if (trunk := _trunk(pose)) is not None]
    if not trunks:
        return IDENTITY
    cut = max(neck + edge.trunks * length for _, (neck, length) in trunks)
    cut = float(np.clip(cut, 1, height - 0.5))
    tallest = max(length for _, (_, length) in trunks)
    left, right, top = _reach(trunks)
    most = max(1.0, min(MOST_ENLARGED, width / max(right - left, 1)))
    wanted = min(edge.share * height / tallest, height / max(cut - top, 1))
    needed = height / (cut + 0.5)  # or the frame would begin above the picture
    scale = float(np.clip(max(wanted, needed), 1, most))
    if needed > most:
        log.info(
            "to end at the driver's cut, the picture would have to be enlarged %.1f times, of which %.1f are sensible: "
            "it ends lower and shows more",
            needed, most,
        )  # fmt: skip
    x = np.clip((left + right + 1) / 2 - width / scale / 2, -0.5, width - 0.5 - width / scale)
    y = np.clip(cut - height / scale, -0.5, height - 0.5 - height / scale)
    return Similarity.pinned(scale, (float(x), float(y)), (-0.5, -0.5))


def framed_picture(picture: Image, framing: Similarity) -> Image:
    """(H, W, C) uint8 through a framing, of the same size; what lies outside of it repeats its edges."""
    size = picture.shape[1], picture.shape[0]
    moved = cv2.warpAffine(picture, framing.matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def _trunk(pose: Pose) -> tuple[float, float] | None:
    """y of the neck and length of the trunk, medians over time; None if it is never seen whole."""
    seen = (pose.confidence[:, [*SHOULDERS, *HIPS]] > 0).all(axis=1)
    if not seen.any():
        return None
    neck, pelvis = (pose.xy[seen][:, points].mean(axis=1).astype(np.float64) for points in (SHOULDERS, HIPS))
    return float(np.median(neck[:, 1])), max(float(np.median(np.linalg.norm(pelvis - neck, axis=1))), 1e-3)


def _reach(trunks: Sequence[tuple[Pose, tuple[float, float]]]) -> tuple[float, float, float]:
    """Left, right and top of what heads, arms and hips take up nearly always, in pixels."""
    lefts, rights, tops = [], [], []
    upper = np.arange(BODY.start, HIPS[-1] + 1)
    for pose, (_, length) in trunks:
        seen = pose.confidence[:, upper] > 0
        there = seen.any(axis=1)
        xy = pose.xy[there][:, upper].astype(np.float64)
        hidden = ~seen[there]
        lefts.append(np.quantile(np.where(hidden, np.inf, xy[..., 0]).min(axis=1), RARELY) - HEADROOM / 2 * length)
        rights.append(
            np.quantile(np.where(hidden, -np.inf, xy[..., 0]).max(axis=1), 1 - RARELY) + HEADROOM / 2 * length
        )
        tops.append(np.quantile(np.where(hidden, np.inf, xy[..., 1]).min(axis=1), RARELY) - HEADROOM * length)
    return float(min(lefts)), float(max(rights)), float(min(tops))
