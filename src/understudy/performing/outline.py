"""Where the driver is seen in his own picture, so that he can be taken out of it, and what stands before him."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from understudy.compositing.inpainting import DILATE, SEEN
from understudy.performance import MISSING
from understudy.poses import pose as p
from understudy.poses.similarity import Similarity

if TYPE_CHECKING:
    from understudy.performance import Performance

UInt8Array = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Box = tuple[slice, slice]
"""rows and columns of the picture"""

COARSE = 1.5
"""pixels of the matte, which are several of the picture's, by which it is wider beside `DILATE`"""
AROUND = 2.5
"""times the widening that is cut out around the widened matte, to compare it with what is beside it"""
BESIDE_HIM = 0.6
"""trunk lengths that are cut out around it at least, so that a thing that he touches is in it whole"""
LIMBS = (
    *((p.LEFT_SHOULDER, p.LEFT_ELBOW, 0.1), (p.RIGHT_SHOULDER, p.RIGHT_ELBOW, 0.1)),
    *((p.LEFT_ELBOW, p.LEFT_WRIST, 0.08), (p.RIGHT_ELBOW, p.RIGHT_WRIST, 0.08)),
    *((p.LEFT_HIP, p.LEFT_KNEE, 0.14), (p.RIGHT_HIP, p.RIGHT_KNEE, 0.14)),
    *((p.LEFT_KNEE, p.LEFT_ANKLE, 0.1), (p.RIGHT_KNEE, p.RIGHT_ANKLE, 0.1)),
    *((p.LEFT_HEEL, p.LEFT_BIG_TOE, 0.06), (p.RIGHT_HEEL, p.RIGHT_BIG_TOE, 0.06)),
)
"""two points, and what is surely the person's around the bone between them: its width in lengths of the trunk"""
TRUNK = (p.LEFT_SHOULDER, p.RIGHT_SHOULDER, p.RIGHT_HIP, p.LEFT_HIP)
HEAD = 0.2
"""trunk lengths: radius about the middle of the face, that is surely the head"""
ALONE = 2.5
"""times as wide are limbs where there is no matte to go by"""
SURE = 0.5
"""confidence of joints, between which there is a limb for sure, or something before it"""
BEFORE = 0.08
"""of what is surely legs and trunk, that the matte must leave out: less is a fault of the matte"""
FREE = 25
"""of 255: matte below which a pixel does not show the person"""
BESIDE = 0.35
"""trunk lengths by which something before a limb may reach beyond it"""


@dataclass(frozen=True, eq=False)
class Outline:
    """The driver in one frame, in a box of his picture."""

    box: Box
    """where to look"""
    person: UInt8Array
    """(h, w) of the box, 255 where he may be seen"""
    widened: UInt8Array
    """(h, w) 255 there and around it"""
    reach: int
    """pixels by which it is wider"""
    before: UInt8Array | None = None
    """(h, w) how much of what stands before him is seen, 0-255; None: nothing does"""


class Outlines:
    """The outline of a driver at any moment, from mattes and poses.

    Mattes of the frames before and after count as well: a limb that one of them misses, or that was blurred by its
    motion, is not left standing.

    Example:
        outlines = Outlines(performance)
        for moment, matte in enumerate(around(performance.mattes())):
            outline = outlines.of(moment, matte)
    """

    def __init__(self, driving: Performance) -> None:
        header = driving.header
        self._poses, self._status = driving.poses, driving.status
        self._size_hw = header.original_size_hw
        self._from_working = header.crop.inverse
        self._by_pose_alone = header.matte == "none"
        self._trunk = trunk_length(driving.poses)
        self.trunk = self._from_working.scale * self._trunk
        """pixels of the picture"""

    def of(self, moment: int, matte: UInt8Array) -> Outline | None:
        """The outline; None where nobody was found, or nobody is in the picture.

        Args:
            moment: number of the frame.
            matte: (S, S) working pixels, of this frame and those beside it, see `around`.
        """
        if self._status[moment] == MISSING:
            return None
        seen = np.zeros_like(matte) if self._by_pose_alone else np.where(matte > SEEN, 255, 0).astype(np.uint8)
        wide = ALONE if self._by_pose_alone else 1.0
        seen = np.maximum(seen, self._limbs(moment, matte.shape, wide, 0.0))
        before = None if self._by_pose_alone else self._before(moment, matte)
        x, y, width, height = (float(side) for side in cv2.boundingRect(seen))
        if not width:
            return None
        scale = self._from_working.scale
        reach = max(2, round(scale * (DILATE * max(width, height) + COARSE)))
        (left, top), (right, bottom) = self._from_working.of_points(np.array([[x, y], [x + width, y + height]]))
        margin = reach + max(AROUND * reach, BESIDE_HIM * self.trunk)
        rows, columns = (
            slice(max(0, int(low - margin)), min(size, int(high + margin) + 1))
            for low, high, size in zip((top, left), (bottom, right), self._size_hw, strict=True)
        )
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return None
        box_hw = rows.stop - rows.start, columns.stop - columns.start
        to_box = Similarity.shifted(-columns.start, -rows.start) @ self._from_working
        person = _enlarged(seen, to_box, box_hw)
        person = np.where(person > 127, 255, 0).astype(np.uint8)
        away = cv2.distanceTransform(255 - person, cv2.DIST_L2, 5)
        widened = np.where(away <= reach, 255, 0).astype(np.uint8) if person.any() else person
        shown = None
        if before is not None:
            blurred = _enlarged(cv2.GaussianBlur(before, (0, 0), 1.0), to_box, box_hw)
            shown = cv2.subtract(blurred, 255 - blurred)  # its rim, where he shows through, is not kept
            person, widened = (np.where(shown > 250, 0, one).astype(np.uint8) for one in (person, widened))
        return Outline((rows, columns), person, widened, reach, shown)

    def small(self, outline: Outline | None, size_hw: tuple[int, int]) -> UInt8Array:
        """(h, w) not 0 where he is or may be, in his whole picture made smaller; 0 throughout where nobody was found.

        Args:
            outline: as `of` gives it.
            size_hw: of the small picture.
        """
        small = np.zeros(size_hw, np.uint8)
        if outline is None:
            return small
        ratio = size_hw[0] / self._size_hw[0]
        rows, columns = outline.box
        top, left = int(rows.start * ratio), int(columns.start * ratio)
        bottom, right = min(size_hw[0], int(rows.stop * ratio) + 1), min(size_hw[1], int(columns.stop * ratio) + 1)
        if bottom > top and right > left:
            part = cv2.resize(outline.widened, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
            wider = max(3, round(outline.reach * ratio))
            small[top:bottom, left:right] = np.where(part > 0, 255, 0)
            small = np.asarray(cv2.dilate(small, np.ones((2 * wider + 1, 2 * wider + 1), np.uint8)), np.uint8)
        return small

    def _limbs(
        self, moment: int, shape: tuple[int, ...], wide: float, sure: float, *, arms_and_head: bool = True
    ) -> UInt8Array:
        """(S, S) 255 where limbs are that are seen with more than this confidence."""
        drawn = np.zeros(shape[:2], np.uint8)
        xy = np.clip(self._poses.xy[moment], -1e4, 1e4)
        seen = self._poses.confidence[moment] > sure
        for start, end, width in LIMBS if arms_and_head else LIMBS[4:8]:
            if seen[start] and seen[end]:
                thick = max(1, round(width * wide * self._trunk))
                cv2.line(drawn, _pixel(xy[start]), _pixel(xy[end]), 255, thick)
        if seen[list(TRUNK)].all():
            cv2.fillConvexPoly(drawn, cv2.convexHull(np.rint(xy[list(TRUNK)]).astype(np.int32)), 255)
        face = slice(p.NOSE, p.RIGHT_EAR + 1)
        if arms_and_head and seen[face].any():
            middle = xy[face][seen[face]].mean(axis=0)
            cv2.circle(drawn, _pixel(middle), max(1, round(HEAD * wide * self._trunk)), 255, -1)
        return drawn

    def _before(self, moment: int, matte: UInt8Array) -> UInt8Array | None:
        """(S, S) 255 where something stands before legs or trunk: the matte leaves out what joints say is there."""
        body = self._limbs(moment, matte.shape, 1.0, SURE, arms_and_head=False)
        hole = np.where((body > 0) & (matte < FREE), 255, 0).astype(np.uint8)
        if np.count_nonzero(hole) < max(4, BEFORE * np.count_nonzero(body)):
            return None
        reach = max(1, round(BESIDE * self._trunk))
        near = cv2.dilate(hole, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
        return np.where((near > 0) & (matte < FREE), 255, 0).astype(np.uint8)


def around(mattes: Iterator[UInt8Array]) -> Generator[UInt8Array, None, None]:
    """Of every frame, what its matte or one of those beside it shows: (S, S) maxima."""
    before = here = next(mattes, None)
    if here is None or before is None:
        return
    for after in mattes:
        yield np.maximum(np.maximum(before, here), after)
        before, here = here, after
    yield np.maximum(before, here)


def trunk_length(poses: p.Pose) -> float:
    """Pixels from mid-shoulder to mid-hip, median over the frames that show both; a fifth of the frame if none does."""
    seen = (poses.confidence[:, list(TRUNK)] > 0).all(axis=1)
    if not seen.any():
        return poses.size_hw[0] / 5
    xy = poses.xy[seen]
    along = xy[:, [p.LEFT_SHOULDER, p.RIGHT_SHOULDER]].mean(axis=1) - xy[:, [p.LEFT_HIP, p.RIGHT_HIP]].mean(axis=1)
    return max(1.0, float(np.median(np.linalg.norm(along, axis=1))))


def _pixel(xy: npt.NDArray[np.float32]) -> tuple[int, int]:
    return round(float(xy[0])), round(float(xy[1]))


def _enlarged(small: UInt8Array, to_box: Similarity, box_hw: tuple[int, int]) -> UInt8Array:
    return np.asarray(cv2.warpAffine(small, to_box.matrix, box_hw[::-1], flags=cv2.INTER_LINEAR), np.uint8)
