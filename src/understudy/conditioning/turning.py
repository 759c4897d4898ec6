"""What turning and bending do to trunk and head, which a line from neck to pelvis or from neck to ears cannot say.

Shoulders tilt and turn against the hips, so that the trunk has a transform for each end, mixed along the spine. A head
stays upright while its neck bends, and is as large bowed as raised.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.poses.pose import LEFT_EAR, LEFT_EYE, RIGHT_EAR, RIGHT_EYE

Floats = npt.NDArray[np.float32]
Points = npt.NDArray[np.floating[Any]]

DEPTH = 0.35
"""a trunk is this share of its height thick, however narrow its shoulders look from the side"""
SIDE_ON = 0.25
"""distances from neck to ears: ears or eyes that seem this far apart say as much of a head's turn as its neck does"""


def apparent_width(across: Points, spine: Points) -> float:
    """Pixels: how wide a trunk looks, from the vector (2,) between two shoulders or hips and that from neck to pelvis.

    From the side it is as wide as it is deep.
    """
    return float(np.hypot(np.linalg.norm(across), DEPTH * np.linalg.norm(spine)))


def turned(linear: Floats, across: tuple[Points, Points], spine: tuple[Points, Points]) -> Floats:
    """(2, 2): a trunk's transform with what turning and tilting does to one of its ends.

    Args:
        linear: (2, 2), from the wanted pose to the filmed one; turns the spine and gives it its length.
        across: wanted and filmed vector from the right shoulder or hip to the left one.
        spine: wanted and filmed vector from neck to pelvis.
    """
    length = float(np.linalg.norm(spine[0]))
    if length < 1e-6:
        return linear
    down = spine[0] / length
    beside = np.array([-down[1], down[0]])
    aside, along = float(across[0] @ beside), float(across[0] @ down)
    # Where the line between two shoulders ends up, told along the filmed spine and beside it
    there = np.linalg.solve(linear, across[1]) if abs(np.linalg.det(linear)) > 1e-6 else across[0]
    facing = 1.0 if aside * float(there @ beside) >= 0 else -1.0
    # From the side, in either picture, this line is a point and says nothing of a tilt
    narrower = min(abs(aside), abs(float(there @ beside)))
    clear = narrower**2 / (narrower**2 + (DEPTH * length) ** 2)
    tilt = clear * (facing * float(there @ down) - along) / aside if narrower > 1e-6 else 0.0
    ratio = apparent_width(across[1], spine[1]) / max(apparent_width(across[0], spine[0]), 1e-6)
    change = np.outer((ratio - 1) * beside + tilt * down, beside)
    return np.asarray(linear @ (np.eye(2) + change), np.float32)


def down_the_spine(grid_xy: Floats, neck: Points, pelvis: Points) -> Floats:
    """(H, W) from 0 at the neck's height and above to 1 at the pelvis' and below, for places (H, W, 2)."""
    spine = pelvis - neck
    share = ((grid_xy - neck) @ spine) / max(float(spine @ spine), 1e-6)
    return np.asarray(np.clip(share, 0, 1), np.float32)


def head_turn(wanted: Points, filmed: Points, seen: npt.NDArray[np.bool_], up: tuple[Points, Points]) -> Floats:
    """(2, 2): the rotation from a wanted head to a filmed one. A head does not shrink when it bows.

    From the lines between the ears, or the eyes, where they are seen well enough to have a direction; as far as not,
    from neck to ears, which tilts too when a person bends and the head stays upright.

    Args:
        wanted, filmed: (N, 2) poses.
        seen: (N,) which points are seen in both.
        up: wanted and filmed vector from neck to ears.
    """
    length = np.sqrt(np.linalg.norm(up[0]) * np.linalg.norm(up[1]))
    bent = _angle(up[1]) - _angle(up[0])
    across, share = bent, 0.0
    for right, left in ((RIGHT_EAR, LEFT_EAR), (RIGHT_EYE, LEFT_EYE)):
        if seen[[right, left]].all():
            here, there = wanted[left] - wanted[right], filmed[left] - filmed[right]
            across = _angle(there) - _angle(here)
            if np.cos(across - bent) < 0:  # one shows the face and the other the back of the head
                across += np.pi
            clear = np.linalg.norm(here) * np.linalg.norm(there)
            share = float(clear / (clear + (SIDE_ON * length) ** 2))
            break
    mean = (1 - share) * np.exp(1j * bent) + share * np.exp(1j * across)
    cos, sin = np.array([mean.real, mean.imag]) / max(abs(mean), 1e-6)
    return np.array([[cos, -sin], [sin, cos]], np.float32)


def _angle(vector: Points) -> float:
    return float(np.arctan2(vector[1], vector[0]))
