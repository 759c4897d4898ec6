"""The words of the shot list: what a gap in the reference is called in plain English.

Left and right are the person's own throughout. Directions are told as a person would tell them (out to the side, across
the body, at the camera), because that is what somebody with a camera can act on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from understudy.poses.pose import DESCRIPTOR_LIMB_NAMES

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float32]

FRONT, BACK, TO_LEFT_EDGE, TO_RIGHT_EDGE = range(4)
"""how somebody stands to the camera"""
SIDEWAYS_VIEWS = (TO_LEFT_EDGE, TO_RIGHT_EDGE)
VIEWS = (
    "facing the camera",
    "with your back to the camera",
    "facing the left edge of the picture",
    "facing the right edge of the picture",
)

TO_CAMERA, OTHER_LENGTH, NEVER_FILMED, STANCE, SWEEP_OUT, SWEEP_IN = range(8, 14)
"""kinds of gap beyond the 8 directions, which go from 0 (outwards) over 2 (up) in steps of 45 degrees"""
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
    TO_CAMERA: "pointing at the camera or away from it, so looking short",
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
    TO_CAMERA: AROUND_THE_BODY[TO_CAMERA],
}
LEANING = {
    0: "lying over to the right, horizontally",
    1: "leaning over to the right, by about 45 degrees",
    2: "upright, swaying a little",
    3: "leaning over to the left, by about 45 degrees",
    4: "lying over to the left, horizontally",
    **dict.fromkeys((5, 6, 7), "upside down"),
    TO_CAMERA: "bent towards the camera or away from it, so looking short",
}
LEANING_SIDEWAYS = {
    **LEANING,
    0: "bent forward, horizontally",
    1: "bent forward, by about 45 degrees",
    3: "leaning backward, by about 45 degrees",
    4: "lying backward, horizontally",
}
SHOULDERS = {
    0: "level, swaying a little",
    1: "pulled up",
    2: "straight up, with the body tilted over",
    3: "pulled up and in",
    4: "drawn in across the body",
    5: "dropped and drawn in",
    6: "straight down, with the body tilted over",
    7: "dropped",
    TO_CAMERA: "turned towards the camera or away from it",
}
TRUNK, SHOULDER, BODY = "side of the trunk", "shoulder", "body"


@dataclass(frozen=True, eq=False)
class Gap:
    """Limbs of one name that the driver holds in one direction and the reference does not."""

    sides: tuple[str, ...]
    """"right", "left"; empty for the whole body"""
    part: str
    """"forearm", "arm", ..., as in `pose.DESCRIPTOR_LIMB_NAMES` without the side, or "body" """
    view: int
    kind: int
    where: BoolArray
    """(T, 12) true for the limbs and frames that belong to it"""
    together: bool = True
    """of two sides: at the same time rather than each by itself"""

    @property
    def frames(self) -> BoolArray:
        """(T,) true where the driver shows it."""
        return np.asarray(self.where.any(axis=1), np.bool_)


def words(gap: Gap, angles: FloatArray, usual_view: int) -> str:
    """What to film for a gap, without a full stop.

    Args:
        gap: what is missing.
        angles: degrees from straight down of its limbs, one for each true value of `gap.where`.
        usual_view: how the reference stands most of the time, which need not be said.
    """
    limbs = [name for limb, name in enumerate(DESCRIPTOR_LIMB_NAMES) if gap.where[:, limb].any()]
    if gap.kind == NEVER_FILMED:
        return f"Film the whole body: the reference never shows the {_listed(limbs)}"
    if gap.kind == OTHER_LENGTH:
        return (
            f"No take will help with the {_listed(limbs)}: the reference holds {'it' if len(limbs) == 1 else 'them'} "
            "like that, but longer or shorter, so the builds differ or the distance to the camera does"
        )
    if gap.kind == STANCE:
        return f"Stand and move {VIEWS[gap.view]}"
    what = f"{_subject(gap)} {_direction(gap)}"
    if gap.kind != TO_CAMERA and gap.part not in (TRUNK, SHOULDER):
        what += f" ({_range(angles)} from straight down)"
    return what if gap.view == usual_view else f"{what}, {VIEWS[gap.view]}"


def clock(seconds: float) -> str:
    """Minutes, seconds and tenths: `1:02.5`."""
    tenths = int(seconds * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"


def _subject(gap: Gap) -> str:
    if gap.part == TRUNK:
        return "Trunk"
    if len(set(gap.sides)) == 1:
        return f"{gap.sides[0].capitalize()} {gap.part}"
    return f"Both {gap.part}s" if gap.together else f"Each {gap.part} in turn,"


def _direction(gap: Gap) -> str:
    if gap.part == SHOULDER:
        return SHOULDERS[gap.kind]
    sideways = gap.view in SIDEWAYS_VIEWS
    if gap.part == TRUNK:
        return (LEANING_SIDEWAYS if sideways else LEANING)[gap.kind]
    return (SEEN_SIDEWAYS if sideways else AROUND_THE_BODY)[gap.kind]


def _range(angles: FloatArray) -> str:
    low, high = (int(5 * np.round(value / 5)) for value in np.quantile(angles, (0.1, 0.9)))
    return f"{low} to {high} degrees" if low != high else f"about {low} degrees"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
