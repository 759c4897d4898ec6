"""A shot list: which limb directions to film so that a reference covers a driver.

Left and right are the person's own throughout. A gap is a limb (or an arm, a leg, a pair) that the driver holds in some
direction and the reference never does; directions are told as a person would: out to the side, across the body, at the
camera. Gaps that one take would fill are merged.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from understudy.pose import DESCRIPTOR_LIMB_NAMES, Pose

if TYPE_CHECKING:
    from understudy.retargeting.coverage import Descriptor

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.intp]
FloatArray = npt.NDArray[np.float32]

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

FRONT, BACK, TO_LEFT_EDGE, TO_RIGHT_EDGE = range(4)
STANCES = {
    BACK: "Stand and move with your back to the camera",
    TO_LEFT_EDGE: "Stand and move sideways, facing the left edge of the picture",
    TO_RIGHT_EDGE: "Stand and move sideways, facing the right edge of the picture",
}
VIEWS = (
    "",
    ", with your back to the camera",
    ", standing sideways and facing the left edge of the picture",
    ", standing sideways and facing the right edge of the picture",
)
TO_CAMERA, OTHER_LENGTH, NEVER_FILMED, STANCE, SWEEP_OUT, SWEEP_IN = range(8, 14)
"""kinds of gap beyond the 8 directions below, which go from `out` over `up` in steps of 45 degrees"""
OUTWARD, INWARD = (7, 0, 1), (3, 4, 5)
AROUND_THE_BODY = {
    0: "straight out to the side, horizontally",
    1: "out to the side and raised",
    2: "straight up",
    3: "raised across the body",
    4: "straight across the body, horizontally",
    5: "across the body and low",
    6: "almost straight down",
    7: "out to the side and low",
    SWEEP_OUT: "out to the side, sweeping slowly",
    SWEEP_IN: "across the body, sweeping slowly",
}
SEEN_SIDEWAYS = {
    0: "straight forward, horizontally",
    1: "forward and raised",
    2: "straight up",
    3: "backward and raised",
    4: "straight backward, horizontally",
    5: "backward and low",
    6: "almost straight down",
    7: "forward and low",
    SWEEP_OUT: "forward, sweeping slowly",
    SWEEP_IN: "backward, sweeping slowly",
}
LIMB_PARTS = ("upper arm", "forearm", "arm", "thigh", "shin", "leg")
LEANING = (
    "lying over to the right, horizontally",
    "leaning over to the right, by about 45 degrees",
    "upright, swaying a little",
    "leaning over to the left, by about 45 degrees",
    "lying over to the left, horizontally",
    *["upside down"] * 3,
)
LEANING_SIDEWAYS = (
    "bent forward, horizontally",
    "bent forward, by about 45 degrees",
    "upright, swaying a little",
    "leaning backward, by about 45 degrees",
    "lying backward, horizontally",
    *["upside down"] * 3,
)
TURNED = {
    *(("shoulder", kind) for kind in (0, TO_CAMERA, OTHER_LENGTH)),
    *(("side of the trunk", kind) for kind in (2, TO_CAMERA, OTHER_LENGTH)),
}
"""what turning round does to shoulders and trunk, so that it needs no line of its own for each of them"""
WHOLE = {frozenset({"upper arm", "forearm"}): "arm", frozenset({"thigh", "shin"}): "leg"}
SHOULDERS = (
    "square and level, swaying a little",
    "pulled up",
    "straight up, with the body tilted over",
    "pulled up and in",
    "drawn in across the body",
    "dropped and drawn in",
    "straight down, with the body tilted over",
    "dropped",
)


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


def clock(seconds: float) -> str:
    """Minutes, seconds and tenths: `1:02.5`."""
    tenths = int(seconds * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"


@dataclass(frozen=True, eq=False)
class Gap:
    """Limbs of one name that the reference lacks in one direction."""

    sides: tuple[str, ...]
    part: str
    view: int
    kind: int
    where: BoolArray
    """(T, 12) true for the limbs and frames that belong to it"""
    together: bool = True
    """two sides: at the same time rather than one after the other"""

    @property
    def frames(self) -> BoolArray:
        """(T,) true where the driver shows it."""
        frames: BoolArray = self.where.any(axis=1)
        return frames


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
    view = _views(driving)
    kind, angle = _kinds(driving_limbs, reference_limbs, nearest, uncovered, view)
    gaps = [
        gap
        for gap in _merged(_gaps(kind, view, frozenset(_views(reference))))
        if gap.frames.sum() >= LEAST_SHARE * compared
    ]
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
                what=_text(gap, angle[gap.where]),
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
        sign = _outward(name, view)
        trunk = name.endswith("trunk")
        up = vector[:, 1] if trunk else -vector[:, 1]  # the trunk is told by where the head is, not the hips
        direction = np.round(np.degrees(np.arctan2(up, sign * vector[:, 0])) / 45).astype(np.intp) % 8
        limb_kind = np.where(foreshortened, TO_CAMERA, np.where(longer | shorter, OTHER_LENGTH, direction))
        limb_kind = np.where(nearest[:, limb] < 0, NEVER_FILMED, limb_kind)
        kind[:, limb] = np.where(uncovered[:, limb], limb_kind, -1)
        angle[:, limb] = np.degrees(np.arctan2(np.abs(vector[:, 0]), vector[:, 1]))
    return kind, angle


def _full_length(lengths: FloatArray) -> float:
    return float(np.quantile(lengths, FULL_LENGTH_QUANTILE)) if len(lengths) else 0.0


def _outward(name: str, view: IntArray) -> IntArray:
    """(T,) +1 where x grows away from the body (sideways: forward; trunk: as the head goes to its right), else -1."""
    away = np.array([-1, 1, -1, 1])[view]  # the own right, or sideways the front, in the picture
    if name.endswith("trunk"):
        return -away
    return np.where(view <= BACK, -away, away) if name.startswith("left") else away


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
                if this_view not in {FRONT, *filmed_views} and (part, this_kind) in TURNED:
                    gaps.append(Gap((), "body", int(this_view), STANCE, here))
                else:
                    which = FRONT if this_kind in (OTHER_LENGTH, NEVER_FILMED) else int(this_view)
                    gaps.append(Gap((side,), part, which, int(this_kind), here))
    return gaps


def _merged(gaps: list[Gap]) -> list[Gap]:
    """Upper and lower limb that move together become an arm or a leg, right and left a pair, near angles a sweep."""
    for merge in (_whole_limb, _pair, _sweep):
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
    if (a.part, a.view, set(a.sides)) != (b.part, b.view, set(b.sides)) or a.part not in LIMB_PARTS:
        return None
    for sweep, directions in ((SWEEP_OUT, OUTWARD), (SWEEP_IN, INWARD)):
        if {a.kind, b.kind} <= {sweep, *directions}:
            where = a.where | b.where
            larger = a if a.where.sum() >= b.where.sum() else b
            kind = larger.kind if larger.where.sum() >= MOSTLY * where.sum() else sweep
            return replace(a, kind=kind, where=where, together=a.together and b.together)
    return None


def _overlap(a: Gap, b: Gap) -> float:
    return float((a.frames & b.frames).sum() / (a.frames | b.frames).sum())


def _text(gap: Gap, angles: FloatArray) -> str:
    limbs = [name for limb, name in enumerate(DESCRIPTOR_LIMB_NAMES) if gap.where[:, limb].any()]
    if gap.kind == NEVER_FILMED:
        return f"Film the whole body: the reference never shows the {_listed(limbs)}"
    if gap.kind == OTHER_LENGTH:
        return (
            f"No take will help here: the driver's {_listed(limbs)} looks longer or shorter than the reference's in a "
            "direction that is filmed; the builds differ, or how far the two stand from the camera"
        )
    if gap.kind == STANCE:
        return STANCES[gap.view]
    what = f"{_subject(gap)} {_direction(gap)}"
    if gap.kind != TO_CAMERA and gap.part in LIMB_PARTS:
        what += f" ({_range(angles)} from straight down)"
    return what + VIEWS[gap.view]


def _subject(gap: Gap) -> str:
    if gap.part.endswith("trunk"):
        return "Trunk"
    if len(set(gap.sides)) == 1:
        return f"{gap.sides[0].capitalize()} {gap.part}"
    return f"Both {gap.part}s" if gap.together else f"Each {gap.part}, one after the other,"


def _direction(gap: Gap) -> str:
    sideways = gap.view in (TO_LEFT_EDGE, TO_RIGHT_EDGE)
    if gap.part.endswith("trunk"):
        if gap.kind == TO_CAMERA:
            return "bent towards the camera or away from it, so looking short"
        return (LEANING_SIDEWAYS if sideways else LEANING)[gap.kind]
    if gap.part == "shoulder":
        return "turned towards the camera or away from it" if gap.kind == TO_CAMERA else SHOULDERS[gap.kind]
    if gap.kind == TO_CAMERA:
        return "pointing at the camera or away from it, so looking short"
    return (SEEN_SIDEWAYS if sideways else AROUND_THE_BODY)[gap.kind]


def _range(angles: FloatArray) -> str:
    low, high = (int(5 * np.round(value / 5)) for value in np.quantile(angles, (0.1, 0.9)))
    return f"{low} to {high} degrees" if low != high else f"about {low} degrees"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
