"""A filmed person cut into trunk, arms and legs, so that each can be warped without dragging the others along.

An arm before the trunk is the hard part of warping: where it was, the trunk must be made up, and where it goes to, it
must cover the trunk. Groups are told apart by their distance to the limbs, measured in each limb's own thickness, and
by their colours where these are known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from understudy.conditioning.limb_warps import GROUPS, PARTS, TRUNK, distances_to_parts, picture_grid, trunk_beyond
from understudy.poses.pose import LEFT_ANKLE, LEFT_HIP, LEFT_SHOULDER, RIGHT_ANKLE, RIGHT_HIP, RIGHT_SHOULDER
from understudy.recipes.parts.boxes import Box, box_about
from understudy.recipes.parts.hanging_cloth import THIGHS_AND_SHINS, Hanging, depths
from understudy.recipes.parts.limb_colours import LimbColours

Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

THICKNESS_QUANTILE = 0.85
"""of the distances between a part's pixels and its middle line: most of it, without skirts and hair"""
SOFTNESS = 0.12
"""thicknesses over which one group's picture gives way to another's"""
OVERLAP = 0.4
"""thicknesses by which a group reaches under the one before it, so that no gap opens as soon as they part"""

COLOUR = 0.14
"""thicknesses by which a colour e times as likely brings a pixel nearer to a group"""
SURE = 3.0
"""logarithm of how much likelier a colour may count on one group than on another"""
GRAIN = 0.002
"""of the picture's side: standard deviation over which colours are averaged, since single pixels are noise"""

RIM = 0.006
"""of the picture's side: so near to what covers it a group's pixels are mixed with its, and are made up from around"""

ARMS, LEGS = ("right arm", "left arm"), ("right leg", "left leg")
ARM_PARTS = [part for arm in ARMS for part in GROUPS[arm]]
HARDLY = 0.01
"""share of a group's place in the picture: of what shows less of itself all is made up, in the colours that it has"""
FOREARMS = {arm: GROUPS[arm][1] for arm in ARMS}
MIDDLE, CROSSED, TOLD = 0.5, 30, 1.0
"""thicknesses from a forearm's middle line, pixels of it (of a 256 picture) before or behind a trunk, and the mean
logarithm of how much likelier their colours are on the one than on the other, from which they say which is in front"""
CROSSING = 1.3
"""thicknesses from both arms within which they cross"""
CLOTH = "cloth"
"""name of the group of what hangs over both legs"""
BESIDE = 1.4
"""thicknesses of a bare leg beyond which what is there hangs beside it, below the hem too, which is not straight"""
HEM = 2.0
"""`SOFTNESS` over which cloth gives way to the legs below it, in thighs"""


class Layer(NamedTuple):
    """One group of parts, cut out."""

    parts: tuple[int, ...]
    """places in `limb_warps.PARTS`"""
    picture: Image
    """(S, S, 4) uint8: premultiplied RGB and alpha"""
    filmed: Image
    """(S, S) uint8: 255 where the group itself was filmed, 0 where it was hidden and is made up from around"""
    hangs: bool = False
    """whether it is cloth that hangs over both legs, see `hanging_cloth`"""


def thicknesses(people: Iterable[tuple[Image, Floats]], size: int) -> Floats:
    """(P,) pixels: how far each part reaches from its middle line, learnt from mattes; the trunk's as if it were flat.

    Args:
        people: pictures (S, S, 4) with their mattes, and the points (141, 2) of each.
        size: S.
    """
    grid = picture_grid(size, 2)
    found = [[np.zeros(0, np.float32)] for _ in PARTS]
    for picture, points in people:
        distance = distances_to_parts(points, grid)[:, picture[::2, ::2, 3] > 127]
        nearest = distance.argmin(axis=0)
        distance[TRUNK] -= trunk_beyond(points)
        for part, own in enumerate(found):
            own.append(distance[part, nearest == part])
    return np.array([_thickness(np.concatenate(own), size) for own in found], np.float32)


def nearness(points: Floats, thickness: Floats, grid_xy: Floats) -> Floats:
    """(P, H, W): thicknesses from every place of (H, W, 2) to the parts of a pose (141, 2).

    Args:
        thickness: (P,) pixels, of `thicknesses`.
    """
    return distances_to_parts(points, grid_xy) / seen_from_there(points, thickness)[:, None, None]


def seen_from_there(points: Floats, thickness: Floats) -> Floats:
    """(P,) pixels: the thicknesses as this pose shows them, that of a trunk from the side with its depth."""
    shown: Floats = thickness.copy()
    shown[TRUNK] += trunk_beyond(points)
    return shown


def _thickness(distances: npt.NDArray[Any], size: int) -> float:
    return max(2.0, float(np.quantile(distances, THICKNESS_QUANTILE))) if len(distances) else size / 32


def whole(picture: Image) -> list[Layer]:
    """The person in one piece."""
    alpha = np.asarray(picture[..., 3] / np.float32(255), np.float32)
    cutout = premultiplied(picture[..., :3], alpha)
    return [Layer(tuple(range(len(PARTS))), cutout, np.full(picture.shape[:2], 255, np.uint8))]


def cut(
    picture: Image,
    points: Floats,
    seen: npt.NDArray[np.bool_],
    thickness: Floats,
    cloth: Hanging | None = None,
    colours: LimbColours | None = None,
) -> list[Layer]:
    """The groups of one picture, the farthest from the camera first.

    Args:
        picture: (S, S, 4) RGB and matte.
        points: (141, 2) pixels.
        seen: (P,) whether each part is seen.
        thickness: (P,) pixels, of `thicknesses`.
        cloth: what hangs over both legs.
        colours: of the parts, which say more exactly than distances where one ends and another begins.
    """
    box = box_about(picture[..., 3], math.ceil(CROSSING * float(thickness[ARM_PARTS].max())))
    if box is None:
        return []
    corner = np.array([box.left, box.top], np.float32)
    layers = _cut_tightly(picture[box.at()], points - corner, seen, thickness, cloth, colours, picture.shape[0])
    return [
        layer._replace(picture=_put(layer.picture, box, picture), filmed=_put(layer.filmed, box, picture, 255))
        for layer in layers
    ]


def _put(part: Image, box: Box, picture: Image, beyond: int = 0) -> Image:
    """A part of a picture in its place, on a canvas as large as that."""
    canvas = np.full((*picture.shape[:2], *part.shape[2:]), beyond, np.uint8)
    canvas[box.at()] = part
    return canvas


def _cut_tightly(
    picture: Image,
    points: Floats,
    seen: npt.NDArray[np.bool_],
    thickness: Floats,
    cloth: Hanging | None,
    colours: LimbColours | None,
    size: int,
) -> list[Layer]:
    """`cut` of the part (H, W, 4) of a picture that holds the person; `size` is the whole picture's side."""
    size_hw = picture.shape[0], picture.shape[1]
    grid = picture_grid(size, 2)[: size_hw[0] // 2, : size_hw[1] // 2]
    distance = nearness(points, thickness, grid)
    distance[~seen] = 1e3
    near = {name: enlarged(distance[list(parts)].min(axis=0), size_hw) for name, parts in GROUPS.items()}
    likely = {} if colours is None else colours.log_likelihoods(picture, distance)
    between = trunk_outline(points, seen, size_hw)
    order = back_to_front(points)
    told = {}
    for arm, forearm in FOREARMS.items():
        core = (enlarged(distance[forearm], size_hw) < MIDDLE) & (between > 0) & (picture[..., 3] > 127)
        told[arm] = shown_before_trunk(likely, arm, core, size)
        order = moved(order, arm, told[arm])
    arms = [order.index(name) for name in ARMS]
    if abs(arms[0] - arms[1]) == 1 and in_front(picture, near) == order[min(arms)]:
        order[arms[0]], order[arms[1]] = order[arms[1]], order[arms[0]]
    whose = colour_advantages(likely, size)
    own = {name: np.ones(size_hw, np.float32) for name in order}
    reach = {name: np.ones(size_hw, np.float32) for name in order}
    for place, back in enumerate(order):
        for front in order[place + 1 :]:
            advantage = whose(front, back)
            if front == "trunk" and back in LEGS:  # trousers at the pelvis stay with it, or a raised leg leaves a hole
                advantage = np.maximum(advantage, np.float32(0))
            wins = soft(near[back] - near[front] + advantage)
            # An arm before the chest or the other arm: the middle line of what it hides may be the nearer one
            if back == "trunk" or (back in ARMS and front in ARMS):
                wins = np.maximum(wins, soft(1 - near[front] + advantage))
            if front == "trunk" and told.get(back) is False:  # a hand behind the back
                wins = np.maximum(wins, np.asarray(between * soft(np.asarray(advantage)), np.float32))
            own[front] *= wins
            own[back] *= 1 - wins
            reach[front] *= wins
            reach[back] *= 1 - soft(near[back] - near[front] - OVERLAP + advantage)
    groups = dict(GROUPS)
    # Of what would be cut to either leg, cloth takes all above its hem, and beside the bare legs what is below it too
    if cloth and seen[list(THIGHS_AND_SHINS)].any():
        above = soft((cloth.hem - enlarged(depths(points, seen, grid), size_hw)) * HEM)
        for leg in LEGS:
            parts = list(GROUPS[leg])
            bare = distance[parts]
            bare[:2] *= (thickness[parts[:2]] / cloth.bare)[:, None, None]
            near[leg] = enlarged(bare.min(axis=0), size_hw)
        above = np.maximum(above, soft(np.minimum(*(near[leg] for leg in LEGS)) - np.float32(BESIDE)))
        groups[CLOTH] = (TRUNK, *THIGHS_AND_SHINS)
        order.insert(1 + max(map(order.index, LEGS)), CLOTH)
        near[CLOTH] = enlarged(distance[list(THIGHS_AND_SHINS)].min(axis=0), size_hw) + (1 - above)
        for shares in (own, reach):
            shares[CLOTH] = above * np.maximum(*(shares[leg] for leg in LEGS))
            for leg in LEGS:
                shares[leg] *= 1 - above
    total = np.maximum(sum(own.values()), np.float32(1e-3))
    matte = np.asarray(picture[..., 3] / np.float32(255), np.float32)
    rgb = picture[..., :3].astype(np.float32)
    rim = np.ones((2 * round(RIM * size) + 1,) * 2, np.uint8)
    layers = []
    for place, name in enumerate(order):
        mine = np.asarray(own[name] / total, np.float32)
        covered = sum((own[other] for other in order[place + 1 :]), np.zeros_like(total)) / total
        within = np.maximum(mine, reach[name] * grown(matte * mine, matte, 2 * OVERLAP * float(thickness.max())))
        hidden = np.maximum(soft(1 - near[name]), between) if name == "trunk" else soft(1 - near[name])
        alpha = matte * np.maximum(within, covered * hidden)
        if alpha.max() < 0.5:
            continue
        filmed = np.asarray(255 * mine + 0.5, np.uint8)
        mine *= 1 - np.minimum(cv2.dilate(np.asarray(covered * matte, np.float32), rim), 1)
        cutout = np.zeros(picture.shape, np.uint8)
        box = box_about(alpha)
        assert box is not None
        shown = box.at()
        mine, matte_here = mine[shown], matte[shown]
        known = matte_here * mine * (mine > 0.5)
        learnt = colours is not None and name in GROUPS and colours.known[list(GROUPS[name])].any()
        if colours is not None and learnt and known.sum() < HARDLY * matte_here.sum():
            around = enlarged(colours.usual(distance, name), size_hw)[shown]
        else:
            around = from_around(rgb[shown], known, size)
        share = cv2.merge([mine] * 3)
        cutout[shown] = premultiplied(share * rgb[shown] + (1 - share) * around, alpha[shown])
        layers.append(Layer(groups[name], cutout, filmed, name == CLOTH))
    return layers


def shown_before_trunk(likely: dict[str, Floats], arm: str, core: npt.NDArray[np.bool_], size: int) -> bool | None:
    """Whether the picture has an arm's colours or the trunk's where the forearm's middle line crosses the trunk.

    Args:
        likely: (H, W) log-likelihoods of the colours on each group; empty if none are known.
        core: (H, W) near the middle line, and on the trunk.
        size: side of the whole picture.

    Returns:
        None where there is no crossing, or colours tell nothing.
    """
    if not likely:
        return None
    more = (likely[arm] - likely["trunk"])[core]
    more = np.clip(more[np.isfinite(more)], -SURE, SURE)
    if len(more) < CROSSED * (size / 256) ** 2 or abs(more.mean()) < TOLD:
        return None
    return bool(more.mean() > 0)


def moved(order: list[str], arm: str, before: bool | None) -> list[str]:
    """The groups from back to front, with an arm put right before or behind the trunk, unless it is where it should."""
    if before is None or (order.index(arm) > order.index("trunk")) == before:
        return order
    others = [name for name in order if name != arm]
    others.insert(others.index("trunk") + before, arm)
    return others


def colour_advantages(likely: dict[str, Floats], size: int) -> Callable[[str, str], Floats | float]:
    """For two groups, (H, W) thicknesses: how much nearer to the first than to the second colours make every pixel."""
    if not likely:
        return lambda front, back: 0.0

    def advantage(front: str, back: str) -> Floats:
        more = np.clip(np.nan_to_num(likely[front] - likely[back]), -SURE, SURE)
        return np.asarray(COLOUR * cv2.GaussianBlur(more, (0, 0), GRAIN * size), np.float32)

    return advantage


def trunk_outline(points: Floats, seen: npt.NDArray[np.bool_], size_hw: tuple[int, int]) -> Floats:
    """(H, W) 1 between shoulders and hips, where the trunk is however far its lines are; else 0."""
    inside = np.zeros(size_hw, np.uint8)
    if seen[TRUNK]:
        corners = points[[LEFT_SHOULDER, RIGHT_SHOULDER, RIGHT_HIP, LEFT_HIP]]
        cv2.fillConvexPoly(inside, cv2.convexHull(np.rint(corners).astype(np.int32)), 1)
    return np.asarray(inside, np.float32)


def grown(own: Floats, matte: Floats, by: float) -> Floats:
    """(S, S) 1 on a group's own pixels and as many pixels farther as the person goes on without a gap, else 0.

    Across a gap lies another limb, whose edge would stay behind as a sliver.
    """
    person = (matte > 0.5).astype(np.uint8)
    inside = (own > 0.5).astype(np.uint8)
    for _ in range(round(by)):
        inside = cv2.dilate(inside, np.ones((3, 3), np.uint8)) & person
    return np.asarray(cv2.dilate(inside, np.ones((3, 3), np.uint8)), np.float32)  # with the soft edge of the matte


def back_to_front(points: Floats) -> list[str]:
    """The groups of a pose, those that hide the others last.

    Seen from the front, arms are before the trunk, and from behind, they are behind it, unless colours say otherwise
    (`shown_before_trunk`); legs always are (what is worn above hangs over them). The leg whose foot is lower in the
    picture is nearer to a camera that stands upright.
    """
    legs = ["left leg", "right leg"]
    if points[LEFT_ANKLE, 1] > points[RIGHT_ANKLE, 1]:
        legs.reverse()
    from_front = points[LEFT_SHOULDER, 0] >= points[RIGHT_SHOULDER, 0]
    arms = ["right arm", "left arm"]
    return [*legs, "trunk", *arms] if from_front else [*arms, *legs, "trunk"]


def in_front(picture: Image, near: dict[str, Floats]) -> str | None:
    """Which arm hides the other where they cross: the one whose outline goes on there. None where they do not cross.

    Args:
        picture: (S, S, 4) RGB and matte.
        near: (S, S) thicknesses to each group.
    """
    one, other = ARMS
    crossing = cv2.boundingRect(((near[one] < CROSSING) & (near[other] < CROSSING)).astype(np.uint8))
    left, top, width, height = crossing
    if min(width, height) < 4:
        return None
    box = slice(top, top + height), slice(left, left + width)
    grey = cv2.cvtColor(picture[box][..., :3], cv2.COLOR_RGB2GRAY).astype(np.float32)
    slope_y, slope_x = np.gradient(cv2.GaussianBlur(grey, (0, 0), 0.8))
    outlines = []
    for mine, its in ((near[one][box], near[other][box]), (near[other][box], near[one][box])):
        away_y, away_x = np.gradient(mine)
        across = np.abs(slope_x * away_x + slope_y * away_y) / np.maximum(np.hypot(away_x, away_y), 1e-6)
        edge = (np.abs(mine - 1) < 0.4) & (its < 0.7)
        if edge.sum() < 4:
            return None
        outlines.append(float(across[edge].mean()))
    return one if outlines[0] > outlines[1] else other


def from_around(rgb: Floats, weight: Floats, size: int) -> Floats:
    """(H, W, 3): everywhere the colours of the nearest places with weight, blurred the more the farther they are.

    Args:
        rgb: (H, W, 3), a part of a picture with all places that have weight; H and W are even.
        weight: (H, W).
        size: side of the whole picture, which says how far is far.
    """
    half = (rgb.shape[1] // 2, rgb.shape[0] // 2)
    known = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    seen = cv2.resize(cv2.multiply(rgb, cv2.merge([weight] * 3)), half, interpolation=cv2.INTER_AREA)
    colours, total = np.zeros_like(seen), np.zeros_like(known)
    for share in (256, 96, 32):
        near, blurred = (
            cv2.GaussianBlur(one, (0, 0), size / share, borderType=cv2.BORDER_CONSTANT) for one in (known, seen)
        )
        add = np.minimum(near * 20, 1) * (1 - total)
        colours += cv2.multiply(blurred, cv2.merge([add / np.maximum(near, 1e-4)] * 3))
        total += add
    colours = cv2.divide(colours, cv2.merge([np.maximum(total, 1e-3)] * 3))
    return enlarged(np.asarray(colours, np.float32), (rgb.shape[0], rgb.shape[1]))


def soft(advantage: Floats) -> Floats:
    """From 0 to 1 where a signed difference in thicknesses passes 0."""
    return np.asarray(1 / (1 + np.exp(np.clip(-advantage / SOFTNESS, -30, 30))), np.float32)


def premultiplied(rgb: npt.NDArray[Any], alpha: Floats) -> Image:
    """(H, W, 4) uint8 from RGB 0-255 and alpha 0-1."""
    levels = [cv2.multiply(rgb, cv2.merge([alpha] * 3), dtype=cv2.CV_32F), 255 * alpha]
    return np.asarray(cv2.merge([np.asarray(cv2.convertScaleAbs(one), np.uint8) for one in levels]), np.uint8)


def enlarged(coarse: Floats, size_hw: tuple[int, int]) -> Floats:
    """A coarse grid at the picture's size."""
    return np.asarray(cv2.resize(coarse, size_hw[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
