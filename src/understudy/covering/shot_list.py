"""A shot list: which limb directions to film so that a reference covers a driver.

Every limb beyond gamma is put into a group by its direction and by how the driver stands to the camera; groups that one
take would fill are merged, and what is left is told in words, most useful first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from understudy.covering.shot_words import (
    BACK,
    BODY,
    FRONT,
    NEVER_FILMED,
    OTHER_LENGTH,
    SHOULDER,
    STANCE,
    SWEEP_IN,
    SWEEP_OUT,
    TO_CAMERA,
    TO_LEFT_EDGE,
    TO_RIGHT_EDGE,
    TRUNK,
    VIEWS,
    BoolArray,
    FloatArray,
    Gap,
    clock,
    words,
)
from understudy.poses.pose import DESCRIPTOR_LIMB_NAMES, Pose

if TYPE_CHECKING:
    from understudy.retargeting.pose_metrics import Descriptor

IntArray = npt.NDArray[np.intp]

MOST_SHOTS = 8
LEAST_SHARE = 0.01
"""of the driver's frames: a gap smaller than this is not worth a take"""
SHORT = 0.5
"""of its full length: a limb that looks shorter than this points at the camera or away from it"""
FULL = 0.85
"""of its full length: a limb that looks longer than this lies flat in the picture"""
OTHER_BUILD = 1.1
"""times the reference's full length: a limb that looks longer than this belongs to a differently built person"""
SAME_DIRECTION = np.cos(np.radians(15))
SIDEWAYS = 0.25
"""shoulders this close together, in torso lengths, belong to a person who stands sideways"""
OVERLAP = 0.5
"""two gaps whose frames overlap by this much (intersection over union) are one movement"""
MOSTLY = 0.8
FULL_LENGTH_QUANTILE = 0.9

FILMED_VIEW = 0.05
"""of the reference's frames: a way of standing that it shows more rarely counts as not filmed"""
OUTWARD, INWARD = (7, 0, 1), (3, 4, 5)
WHOLE = {frozenset({"upper arm", "forearm"}): "arm", frozenset({"thigh", "shin"}): "leg"}
TURNED_TRUNK = (2, TO_CAMERA, OTHER_LENGTH)
"""how an upright trunk differs from the reference's when the driver turns; shoulders differ in any direction"""


@dataclass(frozen=True)
class Shot:
    """One line of the list."""

    what: str
    """what to film, or what to know where filming will not help"""
    share: float
    """share of the driver's frames that show this, in [0, 1]"""
    left: float
    """share of the driver's frames that still have a gap once this line and all above are filmed, in [0, 1]"""
    seconds: float
    """where in the driver to see it"""

    def line(self) -> str:
        """The whole advice as one line of text."""
        share = f"{self.share:.0%}" if self.share >= 0.01 else "under 1%"
        return f"{self.what} - in {share} of the driver's frames, see {clock(self.seconds)}"


def shot_list(
    driving: Pose,
    reference: Pose,
    driving_limbs: Descriptor,
    reference_limbs: Descriptor,
    nearest: IntArray,
    uncovered: BoolArray,
    fps: Fraction,
) -> tuple[Shot, ...]:
    """At most 8 lines, those that help most frames first.

    Args:
        driving: T poses aligned to the reference.
        reference: poses of the reference.
        driving_limbs: descriptors of the driver.
        reference_limbs: descriptors of the reference.
        nearest: (T, 12) the reference frame with the nearest limb, -1 = the reference never shows it.
        uncovered: (T, 12) the limbs to cover.
        fps: of the driver.
    """
    compared = int(driving_limbs.seen.any(axis=1).sum())
    view, reference_view = _views(driving), _views(reference)
    filmed = np.bincount(reference_view[reference.found], minlength=len(VIEWS)) / max(reference.found.sum(), 1)
    kind, angle = _kinds(driving_limbs, reference_limbs, nearest, uncovered, view)
    gaps = _merged(_gaps(kind, view, np.flatnonzero(filmed >= FILMED_VIEW).tolist()))
    gaps = [gap for gap in gaps if gap.frames.sum() >= LEAST_SHARE * compared]
    gaps.sort(key=lambda gap: -int(gap.frames.sum()))
    last = [gap for gap in gaps if gap.kind == OTHER_LENGTH]
    gaps = [gap for gap in gaps if gap.kind != OTHER_LENGTH][: MOST_SHOTS - len(last)] + last
    shots = []
    open_gaps = uncovered.copy()
    for gap in gaps:
        if gap.kind != OTHER_LENGTH:
            open_gaps &= ~gap.where
        shown = np.flatnonzero(gap.frames)
        shots.append(
            Shot(
                what=words(gap, angle[gap.where], usual_view=int(filmed.argmax())),
                share=len(shown) / compared,
                left=float(open_gaps.any(axis=1).sum() / compared),
                seconds=float(shown[len(shown) // 2] / fps),
            )
        )
    return tuple(shots)


def _views(driving: Pose) -> IntArray:
    """(T,) how the driver stands to the camera; FRONT where it cannot be told."""
    xy, confidence = driving.openpose18()
    across = xy[:, 5, 0] - xy[:, 2, 0]  # left shoulder minus right shoulder: positive for a person who faces the camera
    torso = np.linalg.norm((xy[:, 8] + xy[:, 11]) / 2 - xy[:, 1], axis=-1)
    known = confidence[:, [2, 5, 8, 11]].min(axis=1) > 0
    torso_length = np.quantile(torso[known], FULL_LENGTH_QUANTILE) if known.any() else 0.0
    view = np.where(across < 0, BACK, FRONT)
    sideways = (np.abs(across) < SIDEWAYS * torso_length) & (confidence[:, 0] > 0)
    view = np.where(sideways, np.where(xy[:, 0, 0] < xy[:, 1, 0], TO_LEFT_EDGE, TO_RIGHT_EDGE), view)
    return np.where(known, view, FRONT).astype(np.intp)


def _kinds(
    driving: Descriptor, reference: Descriptor, nearest: IntArray, uncovered: BoolArray, view: IntArray
) -> tuple[IntArray, FloatArray]:
    """(T, 12) the kind of gap, -1 = none; and (T, 12) degrees from straight down."""
    kind = np.full(uncovered.shape, -1, np.intp)
    angle = np.zeros(uncovered.shape, np.float32)
    for limb, name in enumerate(DESCRIPTOR_LIMB_NAMES):
        vector = driving.displacement[:, limb]
        length = np.linalg.norm(vector, axis=-1)
        full = _full_length(length[driving.seen[:, limb]])
        reference_length = np.linalg.norm(reference.displacement[reference.seen[:, limb], limb], axis=-1)
        like = reference.displacement[nearest[:, limb], limb]
        like_length = np.linalg.norm(like, axis=-1)
        along = (vector * like).sum(axis=-1) >= SAME_DIRECTION * length * like_length
        longer = along & (length > like_length) & (length > OTHER_BUILD * _full_length(reference_length))
        shorter = along & (length < like_length)
        foreshortened = (length < SHORT * full) | (shorter & (length < FULL * full))
        pointing = _head_from_hips(driving) if name.endswith(TRUNK) else vector
        outward = _outward(name, view) * pointing[:, 0]
        direction = np.round(np.degrees(np.arctan2(-pointing[:, 1], outward)) / 45).astype(np.intp) % 8
        limb_kind = np.where(foreshortened, TO_CAMERA, np.where(longer | shorter, OTHER_LENGTH, direction))
        limb_kind = np.where(nearest[:, limb] < 0, NEVER_FILMED, limb_kind)
        kind[:, limb] = np.where(uncovered[:, limb], limb_kind, -1)
        angle[:, limb] = np.degrees(np.arctan2(np.abs(vector[:, 0]), vector[:, 1]))
    return kind, angle


def _full_length(lengths: FloatArray) -> float:
    return float(np.quantile(lengths, FULL_LENGTH_QUANTILE)) if len(lengths) else 0.0


def _head_from_hips(driving: Descriptor) -> FloatArray:
    """(T, 2) where the trunk leans to: from the middle of the hips (or the one that is seen) to the neck."""
    sides = [limb for limb, name in enumerate(DESCRIPTOR_LIMB_NAMES) if name.endswith(TRUNK)]
    weight = driving.seen[:, sides, None]
    head: FloatArray = -(driving.displacement[:, sides] * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1)
    return head


def _outward(name: str, view: IntArray) -> IntArray:
    """(T,) +1 where x grows away from the body (sideways: forward; trunk: to the own right), else -1."""
    away = np.array([-1, 1, -1, 1])[view]  # the own right, or sideways the front, in the picture
    mirrored = name.startswith("left") and not name.endswith(TRUNK)
    return np.where(view <= BACK, -away, away) if mirrored else away


def _gaps(kind: IntArray, view: IntArray, filmed_views: Collection[int]) -> list[Gap]:
    """One gap for each limb, kind and view that occur; the two kinds that no direction mends are told for all views."""
    view_T1 = view[:, None]
    gaps = []
    for limb, name in enumerate(DESCRIPTOR_LIMB_NAMES):
        side, part = name.split(" ", 1)
        this_limb = np.arange(len(DESCRIPTOR_LIMB_NAMES)) == limb
        for this_kind in np.unique(kind[:, limb][kind[:, limb] >= 0]):
            where = (kind == this_kind) & this_limb
            for this_view in np.unique(view[where.any(axis=1)]):
                here = where & (view_T1 == this_view)
                turned = part == SHOULDER or (part == TRUNK and this_kind in TURNED_TRUNK)
                if turned and this_view not in filmed_views and this_kind != NEVER_FILMED:
                    gaps.append(Gap((), BODY, int(this_view), STANCE, here))
                else:
                    which = FRONT if this_kind in (OTHER_LENGTH, NEVER_FILMED) else int(this_view)
                    gaps.append(Gap((side,), part, which, int(this_kind), here))
    return gaps


def _merged(gaps: list[Gap]) -> list[Gap]:
    """Merges, in this order: upper and lower limb, right and left, neighbouring angles, shoulders that lean along."""
    merges: tuple[Callable[[Gap, Gap], Gap | None], ...] = (_whole_limb, _pair, _sweep, _lean)
    for merge in merges:
        kept: list[Gap] = []
        for gap in gaps:
            for index, other in enumerate(kept):
                both = merge(other, gap)
                if both is not None:
                    kept[index] = both
                    break
            else:
                kept.append(gap)
        gaps = kept
    return gaps


def _whole_limb(a: Gap, b: Gap) -> Gap | None:
    whole = WHOLE.get(frozenset({a.part, b.part}))
    alike = (a.sides, a.view, a.kind) == (b.sides, b.view, b.kind) and a.kind <= TO_CAMERA
    if whole is None or not alike or _overlap(a, b) < OVERLAP:
        return None
    return replace(a, part=whole, where=a.where | b.where)


def _pair(a: Gap, b: Gap) -> Gap | None:
    same_part = (a.part, a.view) == (b.part, b.view) or a.kind in (OTHER_LENGTH, NEVER_FILMED)
    if a.kind != b.kind or not same_part:
        return None
    return replace(
        a, sides=a.sides + b.sides, where=a.where | b.where, together=a.together and _overlap(a, b) >= OVERLAP
    )


def _sweep(a: Gap, b: Gap) -> Gap | None:
    if (a.part, a.view, set(a.sides)) != (b.part, b.view, set(b.sides)) or a.part in (TRUNK, SHOULDER):
        return None
    for sweep, directions in ((SWEEP_OUT, OUTWARD), (SWEEP_IN, INWARD)):
        if {a.kind, b.kind} <= {sweep, *directions}:
            where = a.where | b.where
            larger = a if a.where.sum() >= b.where.sum() else b
            kind = larger.kind if larger.where.sum() >= MOSTLY * where.sum() else sweep
            return replace(a, kind=kind, where=where, together=a.together and b.together)
    return None


def _lean(a: Gap, b: Gap) -> Gap | None:
    """Shoulders ride on the trunk: where both have a gap at once, the trunk's line says it all."""
    if (a.part, b.part) != (TRUNK, SHOULDER) or a.view != b.view or a.kind > TO_CAMERA or b.kind > TO_CAMERA:
        return None
    return replace(a, where=a.where | b.where) if _overlap(a, b) >= OVERLAP else None


def _overlap(a: Gap, b: Gap) -> float:
    return float((a.frames & b.frames).sum() / (a.frames | b.frames).sum())
