"""A rectangle of fixed shape that follows a person: the smallest around what is seen, calm enough that motion is kept.

A picture that a person fills wastes no pixel of a network on what is cut away later. The same rule makes the boxes of
the clip that is learnt and of the poses that are played, so that a person looks alike in both.

Positions are in pixels, whole numbers are pixel centres. Lengths of the body are in torsos, from shoulder to hip.
Source: Ren et al. 2020, "Human Motion Transfer from Poses in the Wild", section 4.1, which crops each frame with the
smallest rectangle around the person.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.poses import pose as p
from understudy.poses.similarity import Similarity
from understudy.retargeting.window import HAND, distance_to_nearest, envelope

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SETTLE_SECONDS = 0.25
"""of the maximum and of the mean that calm a box: it grows twice as long before it must"""
SCALE_SECONDS = 1.0
"""before and after each moment, over which the person's size is measured: no joint that errs for an instant sets it"""
FARTHEST = 3.6
"""torsos from the trunk's middle: what lies farther away is no part of this body but an error of the tracker"""
PRESENT_JOINTS = 3
"""of the body: fewer are no person to put a box around"""

SHOWN_SHARE = 1 / 20
"""of a clip's frames, in which a point must be seen to count as shown"""
BELOW_NECK = {p.LEFT_HIP: 1.0, p.RIGHT_HIP: 1.0, p.LEFT_KNEE: 1.85, p.RIGHT_KNEE: 1.85} | {
    p.LEFT_ANKLE: 2.7,
    p.RIGHT_ANKLE: 2.7,
}
"""torsos: where joints of somebody who stands are, if a clip never shows them"""

LENGTHS: tuple[tuple[int, int, float], ...] = (
    (p.LEFT_SHOULDER, p.LEFT_HIP, 1.0),
    (p.RIGHT_SHOULDER, p.RIGHT_HIP, 1.0),
    (p.LEFT_HIP, p.LEFT_KNEE, 0.85),
    (p.RIGHT_HIP, p.RIGHT_KNEE, 0.85),
    (p.LEFT_KNEE, p.LEFT_ANKLE, 0.85),
    (p.RIGHT_KNEE, p.RIGHT_ANKLE, 0.85),
    (p.LEFT_SHOULDER, p.LEFT_ELBOW, 0.6),
    (p.RIGHT_SHOULDER, p.RIGHT_ELBOW, 0.6),
)
"""limbs that tell how large a torso is in the picture, with their usual lengths in torsos"""
RADII: tuple[tuple[slice, float], ...] = (
    (slice(p.NOSE, p.RIGHT_EAR + 1), 0.3),
    (slice(p.LEFT_SHOULDER, p.RIGHT_SHOULDER + 1), 0.2),
    (slice(p.LEFT_ELBOW, p.RIGHT_ELBOW + 1), 0.17),
    (slice(p.LEFT_WRIST, p.RIGHT_WRIST + 1), 0.25),
    (slice(p.LEFT_HIP, p.RIGHT_HIP + 1), 0.3),
    (slice(p.LEFT_KNEE, p.RIGHT_KNEE + 1), 0.3),
    (slice(p.LEFT_ANKLE, p.RIGHT_ANKLE + 1), 0.3),
    (p.FEET, 0.15),
    (p.FACE, 0.1),
    (p.LEFT_HAND, 0.1),
    (p.RIGHT_HAND, 0.1),
)
"""torsos: how far flesh, hair, clothes and shoes reach from points"""
HAIR = 0.55
"""torsos: how far the top of the head lies beyond the middle of the face, with hair"""


@dataclass(frozen=True)
class Boxes:
    """One rectangle a frame, in pixels of the frame that the poses are in."""

    centre_xy: Floats
    """(T, 2) pixels"""
    height: Floats
    """(T,) pixels, above 0"""
    aspect: float
    """width over height"""

    def __len__(self) -> int:
        return len(self.height)

    def to_box(self, box_hw: tuple[int, int]) -> npt.NDArray[np.float32]:
        """`(T, 2, 3)` transforms from the frame's pixels to those of a picture of `box_hw`, edges on edges.

        The scale is that of the height; a shape that is not quite `aspect` shows a little more or less at the sides.
        """
        height, width = box_hw
        middle = (width - 1) / 2, (height - 1) / 2
        frames = zip((height / self.height).tolist(), self.centre_xy.tolist(), strict=True)
        matrices = [Similarity.pinned(scale, centre, middle).matrix for scale, centre in frames]
        return np.array(matrices, np.float32).reshape(-1, 2, 3)


def shown_points(seen: npt.NDArray[Any]) -> Bools:
    """(133,) bool: the points that a clip shows, seen in at least a twentieth of its frames with a person.

    Args:
        seen: (T, 133) bool.
    """
    seen = np.asarray(seen, bool)
    present = _present(seen)
    share: Bools = seen[present].sum(axis=0) >= max(1.0, SHOWN_SHARE * present.sum())
    return share


def person_boxes(
    pose_xy: npt.NDArray[Any],
    seen: npt.NDArray[Any],
    fps: Fraction,
    aspect: float,
    points: npt.NDArray[Any] | None = None,
) -> Boxes:
    """The boxes of a clip: around every joint that is seen, with room for hair, hands, shoes and clothes.

    Boxes move calmly and are nowhere smaller than needed. A joint that is lost for a while is held at its place on the
    body. Frames without a person hold the box of the nearest one; a clip without any has boxes of one pixel at the
    origin.

    Args:
        pose_xy: (T, 133, 2) pixels.
        seen: (T, 133) bool.
        fps: of the poses.
        aspect: width / height of the boxes.
        points: (133,) bool, what a box is put around, `shown_points` of the clip that is learnt: so that a driver of
            whom less is seen, or more, gets boxes in which the person is as large. Hips, knees and ankles are guessed
            if the clip never shows them. None is `shown_points` of this clip.
    """
    xy, seen = np.asarray(pose_xy, np.float64), np.asarray(seen, bool)
    present = _present(seen)
    if not present.any():
        return Boxes(np.zeros((len(xy), 2)), np.ones(len(xy)), aspect)
    torso = _torso(xy, seen & present[:, None], fps)
    wanted = shown_points(seen) if points is None else np.asarray(points, bool)
    low, high = _reach(*_completed(xy, _plausible(xy, seen, torso), torso, wanted), torso)
    nearest = distance_to_nearest(present & np.isfinite(low).all(axis=1))[1]
    settle = max(1, round(float(fps) * SETTLE_SECONDS))
    left, top = (-envelope(-low[nearest, axis], settle) for axis in (0, 1))
    right, bottom = (envelope(high[nearest, axis], settle) for axis in (0, 1))
    centre = np.stack([left + right, top + bottom], axis=1) / 2
    return Boxes(centre, np.maximum(bottom - top, (right - left) / aspect), aspect)


def _present(seen: Bools) -> Bools:
    """(T,): whether there is enough of a body to put a box around."""
    present: Bools = seen[:, p.BODY].sum(axis=1) >= PRESENT_JOINTS
    return present


def _torso(xy: Floats, seen: Bools, fps: Fraction) -> Floats:
    """(T,) pixels: how long a torso is that is seen in full, by the limbs that are foreshortened least."""
    lengths = np.full((len(LENGTHS), len(xy)), np.nan)
    for row, (a, b, share) in enumerate(LENGTHS):
        both = seen[:, a] & seen[:, b]
        lengths[row, both] = np.linalg.norm(xy[both, a] - xy[both, b], axis=1) / share
    known = np.isfinite(lengths).any(axis=0)
    if not known.any():  # a head, say: as if it were two thirds of a torso high
        spread = max(float(np.ptp(xy[t, seen[t]], axis=0).max()) for t in np.flatnonzero(seen.any(axis=1)))
        return np.full(len(xy), max(1.0, 1.5 * spread))
    # The second longest, where there are as many: one joint that errs makes at most a limb or two too long
    ordered = np.sort(np.where(np.isfinite(lengths), lengths, -np.inf), axis=0)
    second = np.where(np.isfinite(ordered[-2]), ordered[-2], ordered[-1])
    frames = np.arange(len(xy))
    filled = np.interp(frames, frames[known], second[known])
    reach = max(1, round(float(fps) * SCALE_SECONDS))
    around = np.lib.stride_tricks.sliding_window_view(np.pad(filled, reach, mode="edge"), 2 * reach + 1)
    torso: Floats = np.maximum(1.0, np.quantile(around, 0.75, axis=1))
    return torso


def _plausible(xy: Floats, seen: Bools, torso: Floats) -> Bools:
    """(T, 133): `seen`, without points too far from the middle of the trunk, or of the body where there is none."""
    trunk = [p.LEFT_SHOULDER, p.RIGHT_SHOULDER, p.LEFT_HIP, p.RIGHT_HIP]
    middle = np.median(xy[:, trunk], axis=1)
    for t in np.flatnonzero(~seen[:, trunk].all(axis=1) & seen[:, p.BODY].any(axis=1)):
        core = xy[t, trunk][seen[t, trunk]] if seen[t, trunk].any() else xy[t, p.BODY][seen[t, p.BODY]]
        middle[t] = np.median(core, axis=0)
    near: Bools = seen & (np.linalg.norm(xy - middle[:, None], axis=2) <= FARTHEST * torso[:, None])
    return near


def _completed(xy: Floats, seen: Bools, torso: Floats, wanted: Bools) -> tuple[Floats, Bools]:
    """Points that are `wanted` (133,), and where they are: unseen joints of the body where they last were on it."""
    shoulders = [p.LEFT_SHOULDER, p.RIGHT_SHOULDER]
    anchored = seen[:, shoulders].all(axis=1)
    neck = xy[:, shoulders].mean(axis=1)
    hips = [p.LEFT_HIP, p.RIGHT_HIP]
    frames = np.arange(len(xy))
    places, there = xy.copy(), seen & wanted
    for joint in np.flatnonzero(wanted[: p.FEET.stop] & ~seen[:, : p.FEET.stop].all(axis=0)):
        gaps, known = anchored & ~seen[:, joint], anchored & seen[:, joint]
        if known.any():
            offset = (xy[known, joint] - neck[known]) / torso[known, None]
            at = np.stack([np.interp(frames[gaps], frames[known], values) for values in offset.T], axis=1)
        elif joint in BELOW_NECK:
            trunk = np.where(seen[:, hips].all(1, keepdims=True), xy[:, hips].mean(axis=1) - neck, np.array([0.0, 1.0]))
            at = BELOW_NECK[int(joint)] * (trunk / np.maximum(np.linalg.norm(trunk, axis=1), 1e-6)[:, None])[gaps]
        else:
            continue
        places[gaps, joint] = neck[gaps] + torso[gaps, None] * at
        there[gaps, joint] = True
    return places, there


def _reach(xy: Floats, seen: Bools, torso: Floats) -> tuple[Floats, Floats]:
    """(T, 2) smallest and largest x and y that the person covers."""
    radius = np.zeros(xy.shape[1])
    for points, share in RADII:
        radius[points] = share
    every = [(xy, seen, torso[:, None] * radius)]
    head = slice(p.NOSE, p.RIGHT_EAR + 1)
    shoulders = [p.LEFT_SHOULDER, p.RIGHT_SHOULDER]
    face = (xy[:, head] * seen[:, head, None]).sum(1) / np.maximum(seen[:, head].sum(1), 1)[:, None]
    up = face - xy[:, shoulders].mean(axis=1)
    up = np.where(seen[:, shoulders].all(1, keepdims=True), up, np.array([0.0, -1.0]))
    up /= np.maximum(np.linalg.norm(up, axis=1), 1e-6)[:, None]
    crown = face + 0.5 * HAIR * torso[:, None] * up
    every.append((crown[:, None], np.asarray(seen[:, head].any(axis=1, keepdims=True)), 0.5 * HAIR * torso[:, None]))
    for elbow, wrist in ((p.LEFT_ELBOW, p.LEFT_WRIST), (p.RIGHT_ELBOW, p.RIGHT_WRIST)):
        fingers = xy[:, wrist] + HAND * (xy[:, wrist] - xy[:, elbow])
        every.append((fingers[:, None], (seen[:, elbow] & seen[:, wrist])[:, None], 0.1 * torso[:, None]))
    centre, there, room = (np.concatenate(parts, axis=1) for parts in zip(*every, strict=True))
    low = np.where(there[..., None], centre - room[..., None], np.inf).min(axis=1)
    high = np.where(there[..., None], centre + room[..., None], -np.inf).max(axis=1)
    return low, high
