"""From one pose to another, limb by limb: where every pixel of the wanted picture lies in the one that was filmed.

Each part of the body moves by one affine transform, given by its joints in both poses; between parts the transforms are
blended by a Gaussian of the distance to them. P parts, in the order of `PARTS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from understudy.conditioning.bent_hands import past_the_wrist, tip_of_hand
from understudy.conditioning.turning import apparent_width, down_the_spine, head_turn, turned
from understudy.poses.pose import (
    FACE,
    LEFT_ANKLE,
    LEFT_BIG_TOE,
    LEFT_EAR,
    LEFT_ELBOW,
    LEFT_EYE,
    LEFT_HAND,
    LEFT_HEEL,
    LEFT_HIP,
    LEFT_KNEE,
    LEFT_SHOULDER,
    LEFT_WRIST,
    NOSE,
    POINTS,
    RIGHT_ANKLE,
    RIGHT_BIG_TOE,
    RIGHT_EAR,
    RIGHT_ELBOW,
    RIGHT_EYE,
    RIGHT_HAND,
    RIGHT_HEEL,
    RIGHT_HIP,
    RIGHT_KNEE,
    RIGHT_SHOULDER,
    RIGHT_WRIST,
)
from understudy.poses.similarity import Similarity

Floats = npt.NDArray[np.float32]
Points = npt.NDArray[np.floating[Any]]

NECK, PELVIS, EARS, CROWN, RIGHT_TIP, LEFT_TIP, RIGHT_BACK, LEFT_BACK = range(POINTS, POINTS + 8)
"""points made up from the 133: middles of shoulders, hips and ears; above the ears; the ends of the hands; the
heels, or ankles where heels are lost"""


@dataclass(frozen=True)
class Part:
    """A part of the body that moves as one."""

    name: str
    segments: tuple[tuple[int, int], ...]
    """what distance is measured to"""
    joints: tuple[int, int]
    """what gives the transform"""


PARTS = (
    Part(
        "trunk",
        (
            (NECK, PELVIS),
            (RIGHT_SHOULDER, LEFT_SHOULDER),
            (RIGHT_HIP, LEFT_HIP),
            (RIGHT_SHOULDER, RIGHT_HIP),
            (LEFT_SHOULDER, LEFT_HIP),
        ),
        (NECK, PELVIS),
    ),
    Part("head", ((NECK, EARS), (EARS, CROWN)), (NECK, EARS)),
    Part("right upper arm", ((RIGHT_SHOULDER, RIGHT_ELBOW),), (RIGHT_SHOULDER, RIGHT_ELBOW)),
    Part("right forearm", ((RIGHT_ELBOW, RIGHT_WRIST), (RIGHT_WRIST, RIGHT_TIP)), (RIGHT_ELBOW, RIGHT_WRIST)),
    Part("left upper arm", ((LEFT_SHOULDER, LEFT_ELBOW),), (LEFT_SHOULDER, LEFT_ELBOW)),
    Part("left forearm", ((LEFT_ELBOW, LEFT_WRIST), (LEFT_WRIST, LEFT_TIP)), (LEFT_ELBOW, LEFT_WRIST)),
    Part("right thigh", ((RIGHT_HIP, RIGHT_KNEE),), (RIGHT_HIP, RIGHT_KNEE)),
    Part("right shin", ((RIGHT_KNEE, RIGHT_ANKLE),), (RIGHT_KNEE, RIGHT_ANKLE)),
    Part("right foot", ((RIGHT_ANKLE, RIGHT_BIG_TOE), (RIGHT_BACK, RIGHT_BIG_TOE)), (RIGHT_ANKLE, RIGHT_BIG_TOE)),
    Part("left thigh", ((LEFT_HIP, LEFT_KNEE),), (LEFT_HIP, LEFT_KNEE)),
    Part("left shin", ((LEFT_KNEE, LEFT_ANKLE),), (LEFT_KNEE, LEFT_ANKLE)),
    Part("left foot", ((LEFT_ANKLE, LEFT_BIG_TOE), (LEFT_BACK, LEFT_BIG_TOE)), (LEFT_ANKLE, LEFT_BIG_TOE)),
)
_JOINTS = np.array([part.joints for part in PARTS])
TRUNK, HEAD = 0, 1
"""their places in `PARTS`"""
HIPS = len(PARTS)
"""place of the trunk's lower end among transforms; its upper end is at `TRUNK`"""


class LowerArm(NamedTuple):
    """A forearm and its hand, which has a transform of its own where its fingers are tracked."""

    forearm: int
    """place in `PARTS`, and among transforms"""
    hand: int
    """place among transforms"""
    elbow: int
    wrist: int
    tip: int
    fingers: slice
    """the hand's own points"""


LOWER_ARMS = (
    LowerArm(3, HIPS + 1, RIGHT_ELBOW, RIGHT_WRIST, RIGHT_TIP, RIGHT_HAND),
    LowerArm(5, HIPS + 2, LEFT_ELBOW, LEFT_WRIST, LEFT_TIP, LEFT_HAND),
)
GROUPS: dict[str, tuple[int, ...]] = {
    "trunk": (0, 1),
    "right arm": (2, 3),
    "left arm": (4, 5),
    "right leg": (6, 7, 8),
    "left leg": (9, 10, 11),
}
"""parts that are cut out together, as places in `PARTS`"""

RIGHT_JAW, LEFT_JAW = FACE.start, FACE.start + 16
"""the two ends of the face's outline, just below the ears"""
EAR_SPAN = 2.0
"""the ears lie this many times as far apart as the eyes, from wherever they are seen, since both lie across the head"""
EARS_FROM_NOSE, EARS_FROM_NECK = -1.0, 0.22
"""from the middle of the eyes to that of the ears, in steps from there to the nose and to the neck. Fitted to tracked
people: four in five are nearer than a tenth of the distance from neck to ears, turned heads too"""
HAND = 0.5
"""a hand whose fingers are lost reaches this share of the forearm's length beyond the wrist"""
LONGER_HAND = 1.25
"""a fist is no flat hand that is short: it is drawn out by no more than this"""
SKULL = 0.6
"""the crown lies this share of the distance from neck to ears above the ears"""
MOST_STRETCH = 2.5
"""a limb that points at the camera is short; drawing it out by more than this shows a smear"""
SHORT = 0.03
"""of the picture's side: a limb shorter than this has no direction to speak of"""


def with_made_up_points(xy: Points, confidence: Points) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Points (..., 133, 2) and confidence (..., 133) to (..., 141, 2) and seen (..., 141), made-up ones behind."""
    seen = confidence > 0

    def point(index: int) -> Points:
        return xy[..., index, :]

    def all_of(*indices: int) -> npt.NDArray[np.bool_]:
        return np.asarray(seen[..., list(indices)].all(axis=-1))

    neck = (point(RIGHT_SHOULDER) + point(LEFT_SHOULDER)) / 2
    pelvis = (point(RIGHT_HIP) + point(LEFT_HIP)) / 2
    shoulders = all_of(RIGHT_SHOULDER, LEFT_SHOULDER)
    ears, head = _middle_of_ears(xy, seen, neck, shoulders)
    crown = ears + SKULL * (ears - neck)
    tips = [
        tip_of_hand(xy, seen, arm.fingers, point(arm.wrist), HAND * (point(arm.wrist) - point(arm.elbow)))
        for arm in LOWER_ARMS
    ]
    backs = [
        np.where(seen[..., heel, None], point(heel), point(ankle))
        for heel, ankle in ((RIGHT_HEEL, RIGHT_ANKLE), (LEFT_HEEL, LEFT_ANKLE))
    ]
    made_up = np.stack([neck, pelvis, ears, crown, *tips, *backs], axis=-2)
    made_up_seen = np.stack(
        [
            shoulders,
            all_of(RIGHT_HIP, LEFT_HIP),
            head,
            head & shoulders,
            all_of(RIGHT_ELBOW, RIGHT_WRIST),
            all_of(LEFT_ELBOW, LEFT_WRIST),
            seen[..., RIGHT_HEEL] | seen[..., RIGHT_ANKLE],
            seen[..., LEFT_HEEL] | seen[..., LEFT_ANKLE],
        ],
        axis=-1,
    )
    return np.concatenate([xy, made_up], axis=-2).astype(np.float32), np.concatenate([seen, made_up_seen], axis=-1)


def _middle_of_ears(
    xy: Points, seen: npt.NDArray[np.bool_], neck: Points, neck_seen: npt.NDArray[np.bool_]
) -> tuple[Points, npt.NDArray[np.bool_]]:
    """(..., 2) the middle of the ears, or what comes nearest to it where one or both are lost, and whether any does.

    A head that turns loses an ear between two frames: all of these guess the same place, so that it does not jump.
    """
    ears, eyes, jaw = (
        (xy[..., right, :], xy[..., left, :])
        for right, left in ((RIGHT_EAR, LEFT_EAR), (RIGHT_EYE, LEFT_EYE), (RIGHT_JAW, LEFT_JAW))
    )
    right_ear, left_ear, right_jaw, left_jaw, nose, *both_eyes = (
        seen[..., index] for index in (RIGHT_EAR, LEFT_EAR, RIGHT_JAW, LEFT_JAW, NOSE, RIGHT_EYE, LEFT_EYE)
    )
    eyes_seen = both_eyes[0] & both_eyes[1]
    between, half = (eyes[0] + eyes[1]) / 2, EAR_SPAN / 2 * (eyes[1] - eyes[0])
    behind = between + EARS_FROM_NOSE * (xy[..., NOSE, :] - between) + EARS_FROM_NECK * (neck - between)
    guesses = (  # the best one first; from the side, where an eye is lost too, one ear lies before the other
        ((ears[0] + ears[1]) / 2, right_ear & left_ear),
        (ears[0] + half, right_ear & eyes_seen),
        (ears[1] - half, left_ear & eyes_seen),
        ((ears[0] + jaw[1]) / 2, right_ear & left_jaw),
        ((ears[1] + jaw[0]) / 2, left_ear & right_jaw),
        ((jaw[0] + jaw[1]) / 2, right_jaw & left_jaw),
        (ears[0], right_ear),
        (ears[1], left_ear),
        (behind, eyes_seen & nose & neck_seen),
        (between, eyes_seen),
    )
    places, usable = (np.stack(values) for values in zip(*guesses, strict=True))
    best = usable.argmax(axis=0)
    return np.take_along_axis(places, best[None, ..., None], axis=0)[0], np.asarray(usable.any(axis=0), np.bool_)


def parts_seen(seen: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """(P,) whether all points of each part are seen, from (141,)."""
    return np.array([seen[[*part.joints, *np.ravel(part.segments)]].all() for part in PARTS])


def part_transforms(wanted: Floats, filmed: Floats, seen: npt.NDArray[np.bool_], size: int) -> Floats:
    """(P + 3, 2, 3): for each part the affine transform from pixels of the wanted pose to pixels of the filmed one.

    The trunk has two, see `turning`: at `TRUNK` that of its shoulders, at `HIPS` that of its hips. The hands have
    theirs at the end, see `LOWER_ARMS`; one whose fingers are lost in both goes on as its forearm does.

    Args:
        wanted, filmed: (141, 2) pixels, see `with_made_up_points`.
        seen: (141,) which points are seen in both.
        size: side of the picture in pixels.
    """
    limbs = _along(wanted[_JOINTS], filmed[_JOINTS], size)
    spine = wanted[PELVIS] - wanted[NECK], filmed[PELVIS] - filmed[NECK]
    trunk = limbs[TRUNK][:, :2]
    ends = []
    for right, left, middle in ((RIGHT_SHOULDER, LEFT_SHOULDER, NECK), (RIGHT_HIP, LEFT_HIP, PELVIS)):
        across = wanted[left] - wanted[right], filmed[left] - filmed[right]
        ends.append(_about(turned(trunk, across, spine), wanted[middle], filmed[middle]))
    limbs[TRUNK] = ends[0]
    up = wanted[EARS] - wanted[NECK], filmed[EARS] - filmed[NECK]
    limbs[HEAD] = _about(head_turn(wanted, filmed, seen, up), wanted[EARS], filmed[EARS])
    hands = [_hand(wanted, filmed, arm, limbs[arm.forearm], size) for arm in LOWER_ARMS]
    return np.stack([*limbs, ends[1], *hands])


def _hand(wanted: Floats, filmed: Floats, arm: LowerArm, forearm: Floats, size: int) -> Floats:
    """(2, 3): a hand's transform, which leaves the wrist where the forearm's puts it.

    Where fingers are lost in one pose alone, its hand is taken to be straight: the other's still ends where it does.
    """
    if all(_is_straight(pose, arm) for pose in (wanted, filmed)):
        return forearm
    ends = [arm.wrist, arm.tip]
    (along,) = _along(wanted[ends][None], filmed[ends][None], size, LONGER_HAND)
    wrist = wanted[arm.wrist]
    return _about(along[:, :2], wrist, forearm[:, :2] @ wrist + forearm[:, 2])


def _along(wanted: Floats, filmed: Floats, size: int, most_longer: float = MOST_STRETCH) -> Floats:
    """Turns limbs and gives them their lengths; their thickness stays: none shrinks when it points at us.

    Args:
        wanted, filmed: (P, 2, 2) both joints of each.
        most_longer: times, that what was filmed is drawn out by.

    Returns:
        (P, 2, 3)
    """
    here, there = wanted[:, 1] - wanted[:, 0], filmed[:, 1] - filmed[:, 0]
    lengths = np.hypot(*here.T), np.hypot(*there.T)
    least = SHORT * size
    stretch = np.clip(np.maximum(lengths[1], least) / np.maximum(lengths[0], least), 1 / most_longer, MOST_STRETCH)
    points = np.minimum(*lengths) < 1e-3  # a point has no direction: it is not turned
    longer = np.where((lengths[0] > lengths[1])[:, None], here, there)
    longer[np.maximum(*lengths) == 0] = 0.0, 1.0
    here, there = (np.where(points[:, None], longer, one) for one in (here, there))
    u, v = (one / np.hypot(*one.T)[:, None] for one in (here, there))
    across_u, across_v = (one[:, ::-1] * (-1, 1) for one in (u, v))
    linear = stretch[:, None, None] * v[:, :, None] * u[:, None] + across_v[:, :, None] * across_u[:, None]
    moved = filmed.mean(axis=1) - np.einsum("pij,pj->pi", linear, wanted.mean(axis=1))
    return np.concatenate([linear, moved[..., None]], axis=2).astype(np.float32)


def _is_straight(points: Floats, arm: LowerArm) -> bool:
    """Whether a hand is as one whose fingers are lost: it goes on as its forearm does, by its share of it."""
    ahead = HAND * (points[arm.wrist] - points[arm.elbow])
    return bool(np.abs(points[arm.tip] - points[arm.wrist] - ahead).max() < 1e-3)


def trunk_beyond(points: Floats) -> float:
    """Pixels by which the trunk of a pose (141, 2) reaches farther from its segments than one that is flat.

    From the side they all lie on one line, half of the trunk's depth away from belly and back.
    """
    across = (points[RIGHT_SHOULDER] - points[LEFT_SHOULDER] + points[RIGHT_HIP] - points[LEFT_HIP]) / 2
    return (apparent_width(across, points[PELVIS] - points[NECK]) - float(np.linalg.norm(across))) / 2


def _about(linear: Points, here: Floats, there: Floats) -> Floats:
    """(2, 3): `linear`, with `here` going to `there`."""
    return np.asarray(np.concatenate([linear, (there - linear @ here)[:, None]], axis=1), np.float32)


def distances_to_parts(points: Floats, grid_xy: Floats) -> Floats:
    """(P, H, W): pixels from every place of (H, W, 2) to the nearest segment of each part of the pose (141, 2)."""
    pairs = np.array([segment for part in PARTS for segment in part.segments])
    (start_x, start_y), (end_x, end_y) = points[pairs[:, 0]].T[..., None, None], points[pairs[:, 1]].T[..., None, None]
    along_x, along_y = end_x - start_x, end_y - start_y
    x, y = grid_xy[..., 0] - start_x, grid_xy[..., 1] - start_y  # (segments, H, W)
    t = (x * along_x + y * along_y) / np.maximum(along_x * along_x + along_y * along_y, np.float32(1e-6))
    np.clip(t, 0, 1, out=t)
    x -= t * along_x
    y -= t * along_y
    squared = x * x + y * y
    starts = np.cumsum([0, *(len(part.segments) for part in PARTS[:-1])])
    return np.asarray(np.sqrt(np.minimum.reduceat(squared, starts, axis=0)), np.float32)


def picture_grid(size: int, step: int) -> Floats:
    """(size/step, size/step, 2): centres of step x step blocks of pixels."""
    line = np.arange(size // step, dtype=np.float32)
    blocks = np.stack(np.meshgrid(line, line), axis=-1)
    return Similarity.resized(step).of_points(blocks)


class Blending:
    """How the transforms of limbs are mixed at every place about a wanted pose, whichever pose was filmed.

    Args:
        grid_xy: (H, W, 2).
        nearness: (P, H, W) distance to the parts of the wanted pose, in their radii.
        parts: those that take part.
        softness: standard deviation of the Gaussian weights, in radii.
        wanted: (141, 2) the wanted pose.
    """

    def __init__(
        self, grid_xy: Floats, nearness: Floats, parts: tuple[int, ...], softness: float, wanted: Floats
    ) -> None:
        self._grid_xy, self._parts, self._wanted = grid_xy, parts, wanted
        own = nearness[list(parts)]
        squared = own * own
        weight = np.exp(-(squared - squared.min(axis=0)) / (2 * softness * softness))
        self._weight = weight / weight.sum(axis=0)
        self._known: dict[tuple[bool, ...], tuple[list[int], Floats]] = {}

    def places(self, transforms: Floats) -> Floats:
        """(H, W, 2): where every place of the grid lies in a filmed picture.

        Args:
            transforms: (P + 3, 2, 3), of `part_transforms`.
        """
        bent = tuple(bool((transforms[arm.hand] != transforms[arm.forearm]).any()) for arm in LOWER_ARMS)
        if bent not in self._known:
            self._known[bent] = self._weights(bent)
        followed, weight = self._known[bent]
        return mixed_places(self._grid_xy, weight, transforms[followed])

    def _weights(self, bent: tuple[bool, ...]) -> tuple[list[int], Floats]:
        """Places among transforms, and (Q, H, W) their weights: those of parts with two ends are shared by both.

        Args:
            bent: of `LOWER_ARMS`, those whose hands go their own way.
        """
        followed, weight = list(self._parts), self._weight

        def beyond(part: int, end: int, share: Floats) -> None:
            """Gives the part's other end its share of the part's weight."""
            nonlocal weight
            place = followed.index(part)
            weight = np.concatenate([weight, weight[place][None] * share])
            weight[place] *= 1 - share
            followed.append(end)

        if TRUNK in self._parts:
            beyond(TRUNK, HIPS, down_the_spine(self._grid_xy, self._wanted[NECK], self._wanted[PELVIS]))
        for arm, has_hand in zip(LOWER_ARMS, bent, strict=True):
            if has_hand and arm.forearm in self._parts:
                joints = self._wanted[[arm.elbow, arm.wrist, arm.tip]]
                beyond(arm.forearm, arm.hand, past_the_wrist(self._grid_xy, *joints))
        return followed, weight


def mixed_places(grid_xy: Floats, weight: Floats, transforms: Floats) -> Floats:
    """(H, W, 2): places (H, W, 2) moved by transforms (P, 2, 3), mixed at each by weights (P, H, W)."""
    mixed = np.tensordot(transforms.reshape(len(transforms), 6), weight, axes=(0, 0))  # (6, H, W)
    x, y = grid_xy[..., 0], grid_xy[..., 1]
    places = [mixed[row] * x + mixed[row + 1] * y + mixed[row + 2] for row in (0, 3)]
    return np.stack(places, axis=-1).astype(np.float32)
