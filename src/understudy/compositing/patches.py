"""Large holes filled with what a picture shows elsewhere, patch by patch.

Wexler et al. 2007 ("Space-Time Completion of Video", section 3): every patch that touches the hole looks for the one
most like it outside, and all of them vote for what is in the hole, from coarse to fine. The search is PatchMatch's
(Barnes et al. 2009), all patches at once. What smooth filling leaves as a blur in the shape of a person becomes wall,
floor and grass; `seams` takes their steps of colour away.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.compositing.seams import MOST_PIXELS, correction

UInt8Array = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.floating[Any]]
Places = npt.NDArray[np.intp]
"""(N, 2) row and column of the first pixel of patches"""

SIDE = 7
"""pixels of a patch"""
WORKING = 320
"""pixels of the longer side at which patches are looked for: what is finer is copied along afterwards"""
COARSEST = 70
"""pixels of the longer side at which filling begins"""
MOST_SOURCES = 3000
"""patches that a first guess compares each place with"""
ROUNDS = 4
"""how often patches look, and vote, at each scale"""
LEVEL = 1500.0
"""Squared grey levels that patches from a picture's height further up or down cost: rooms and streets look alike from
left to right, and otherwise above than below."""
STEADINESS = 0.02
"""How much a first guess keeps to the colours that smooth filling gives: without, a wall ends in whatever stands there
at some other place."""
SPARED = 0.9
"""how much less a pixel counts for each pixel further inside the hole: what is known decides"""


def filled(picture: UInt8Array, holes: UInt8Array, barred: UInt8Array | None = None) -> UInt8Array:
    """A picture with its holes filled from the rest of it. The same picture is filled in the same way every time.

    Args:
        picture: (H, W, 3).
        holes: (H, W), not 0 where nothing is known.
        barred: (H, W), not 0 where nothing may be taken from, say other people.

    Returns:
        (H, W, 3): the picture exactly, outside the holes.

    Raises:
        ValueError: nothing is left to fill from.
    """
    if not holes.any():
        return np.asarray(picture.copy())
    height, width = holes.shape
    if (holes > 0).all():
        raise ValueError("a picture that is one hole has nothing to fill it from")
    shrink = max(1.0, max(height, width) / WORKING)
    small_size = max(SIDE, round(width / shrink)), max(SIDE, round(height / shrink))
    small = np.asarray(cv2.resize(picture, small_size, interpolation=cv2.INTER_AREA), np.float32)
    small_holes = _shrunk(holes, small_size)
    if small_holes.all():  # hardly anything is known
        return smoothly_filled(picture, holes)
    small_barred = small_holes if barred is None else small_holes | _shrunk(barred, small_size)
    made, offsets = _coarse_to_fine(small, small_holes, small_barred)
    return _at_full_size(picture, holes, made, offsets)


def _shrunk(mask: UInt8Array, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """True wherever any of it is."""
    return np.asarray(cv2.resize((mask > 0).astype(np.float32), size, interpolation=cv2.INTER_AREA)) > 0


def _coarse_to_fine(
    picture: Floats, holes: npt.NDArray[np.bool_], barred: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """(H, W, 3) filled, and (H, W, 2) how many rows and columns away each pixel of a hole was taken from."""
    random = np.random.default_rng(0)
    sizes = [(picture.shape[1], picture.shape[0])]
    while max(sizes[-1]) / 2 >= COARSEST and min(sizes[-1]) / 2 >= 2 * SIDE:
        sizes.append((round(sizes[-1][0] / 2), round(sizes[-1][1] / 2)))
    made, offsets = np.zeros_like(picture), np.zeros((*picture.shape[:2], 2), np.float32)
    sizes = [size for size in sizes if not _shrunk(holes.astype(np.uint8), size).all()]
    for number, size in enumerate(reversed(sizes)):
        image = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
        hole, bar = (_shrunk(mask.astype(np.uint8), size) for mask in (holes, barred))
        if number == 0:
            start, offsets = _from_the_border_inwards(image, hole, bar)
        else:
            ratio = np.array([size[1] / made.shape[0], size[0] / made.shape[1]], np.float32)
            offsets = np.asarray(cv2.resize(offsets, size, interpolation=cv2.INTER_NEAREST), np.float32) * ratio
            start = cv2.resize(made, size, interpolation=cv2.INTER_LINEAR)
        image = np.where(hole[..., None], np.asarray(start, np.float32), image)
        made, offsets = _one_scale(image, hole, bar, offsets, random)
    return made, offsets


def _from_the_border_inwards(
    image: Floats, hole: npt.NDArray[np.bool_], barred: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """A first guess, pixel for pixel: the middle of that patch which is most like what is known around it.

    All patches, or some that are spread evenly, are compared. (H, W, 3), and (H, W, 2) as of `_coarse_to_fine`.
    """
    half, (height, width) = SIDE // 2, hole.shape
    wide = np.pad(image, [(half, half), (half, half), (0, 0)], mode="edge")
    offsets = np.zeros((height, width, 2), np.float32)
    clean = cv2.dilate(barred.astype(np.uint8), np.ones((SIDE, SIDE), np.uint8)) == 0
    clean[:half] = clean[-half:] = False
    clean[:, :half] = clean[:, -half:] = False
    sources: Places = np.argwhere(clean)
    sources = sources[:: -(-len(sources) // MOST_SOURCES) or 1]
    smooth = spread_inwards(image, ~hole)
    if not len(sources):
        return smooth, offsets
    given = _patches(wide, sources).reshape(len(sources), -1)
    given_square = given**2
    left = hole.copy()
    while left.any():
        rim: Places = np.argwhere(left & (cv2.erode(left.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0))
        known = np.pad(~left, half, constant_values=False).astype(np.float32)
        weights = np.repeat(_patches(known[..., None], rim), 3, axis=1).reshape(len(rim), -1)
        wanted = _patches(wide, rim).reshape(len(rim), -1)
        square = (
            weights @ given_square.T - 2 * (weights * wanted) @ given.T + (weights * wanted**2).sum(axis=1)[:, None]
        )
        apart = square / np.maximum(weights.sum(axis=1) / 3, 1)[:, None]
        strange = smooth[rim[:, 0], rim[:, 1]][:, None] - image[sources[:, 0], sources[:, 1]]
        apart += STEADINESS * np.square(strange).sum(axis=-1)
        apart += LEVEL * np.abs(sources[:, 0] - rim[:, :1]) / height
        best = sources[apart.argmin(axis=1)]
        wide[rim[:, 0] + half, rim[:, 1] + half] = wide[best[:, 0] + half, best[:, 1] + half]
        offsets[rim[:, 0], rim[:, 1]] = best - rim
        left[rim[:, 0], rim[:, 1]] = False
    return wide[half:-half, half:-half], offsets


def _one_scale(
    image: Floats,
    hole: npt.NDArray[np.bool_],
    barred: npt.NDArray[np.bool_],
    offsets: Floats,
    random: np.random.Generator,
) -> tuple[Floats, Floats]:
    half = SIDE // 2
    kernel = np.ones((SIDE, SIDE), np.uint8)
    touched = cv2.dilate(hole.astype(np.uint8), kernel)[half : len(hole) - half, half : hole.shape[1] - half] > 0
    clean = cv2.dilate(barred.astype(np.uint8), kernel)[half : len(hole) - half, half : hole.shape[1] - half] == 0
    if not clean.any() or not touched.any():
        return image, offsets
    at: Places = np.argwhere(touched)
    sources: Places = np.argwhere(clean)
    depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3)
    trust = np.power(SPARED, depth).astype(np.float32)
    weights = _patches(trust[..., None], at)
    index = np.full(touched.shape, -1, np.intp)
    index[touched] = np.arange(len(at))
    taken = _valid(at + np.round(offsets[at[:, 0] + half, at[:, 1] + half]).astype(np.intp), clean, sources, random)
    for _ in range(ROUNDS):
        wanted = _patches(image, at)
        distance = _distance(image, wanted, weights, at, taken)
        for step in (1, 2, 4):
            for shift in ((step, 0), (-step, 0), (0, step), (0, -step)):
                beside = np.clip(at + shift, 0, np.array(touched.shape) - 1)
                neighbour = index[beside[:, 0], beside[:, 1]]
                candidate = taken[neighbour] - (beside - at)
                _improve(image, wanted, weights, at, taken, distance, candidate, clean, neighbour >= 0)
        reach = float(max(touched.shape))
        while reach >= 1:
            candidate = taken + np.round(random.uniform(-reach, reach, taken.shape)).astype(np.intp)
            _improve(image, wanted, weights, at, taken, distance, candidate, clean, None)
            reach /= 3
        made, decided = _voted(image, at, taken, distance, weights)
        image = np.where((hole & decided)[..., None], made, image)
    # What is copied differs from what is there by light and shade: so it does within
    rim = decided & ~hole & ~barred
    if rim.any():
        shade = spread_inwards(np.where(rim[..., None], image - made, 0), rim)
        image = np.where((hole & decided)[..., None], image + shade, image).astype(np.float32)
    offsets = np.zeros_like(offsets)
    found = np.zeros((*touched.shape, 2), np.float32)
    found[touched] = taken - at
    offsets[half : len(hole) - half, half : hole.shape[1] - half] = found
    border = [(half, half), (half, half), (0, 0)]
    return image, np.pad(found, border, mode="edge").astype(np.float32)


def _patches(image: Floats, at: Places) -> Floats:
    """(N, C, SIDE, SIDE)"""
    windows = np.lib.stride_tricks.sliding_window_view(image, (SIDE, SIDE), axis=(0, 1))
    return np.asarray(windows[at[:, 0], at[:, 1]])


def _valid(places: Places, clean: npt.NDArray[np.bool_], sources: Places, random: np.random.Generator) -> Places:
    """The places themselves where one may take from them, else any."""
    places = np.clip(places, 0, np.array(clean.shape) - 1)
    ok = clean[places[:, 0], places[:, 1]]
    return np.where(ok[:, None], places, sources[random.integers(0, len(sources), len(places))])


def _distance(image: Floats, wanted: Floats, weights: Floats, at: Places, places: Places) -> Floats:
    """(N,) weighted mean squared difference of patches, and how far up or down one goes for them."""
    difference = _patches(image, places)
    difference -= wanted
    np.square(difference, out=difference)
    apart = np.einsum("ncij,nij->n", difference, weights[:, 0]) / weights.sum(axis=(1, 2, 3))
    return np.asarray(apart + LEVEL * np.abs(places[:, 0] - at[:, 0]) / len(image))


def _improve(
    image: Floats,
    wanted: Floats,
    weights: Floats,
    at: Places,
    taken: Places,
    distance: Floats,
    candidate: Places,
    clean: npt.NDArray[np.bool_],
    possible: npt.NDArray[np.bool_] | None,
) -> None:
    """Takes the candidates that are nearer; `taken` and `distance` are changed."""
    inside = np.asarray(((candidate >= 0) & (candidate < np.array(clean.shape))).all(axis=1), np.bool_)
    if possible is not None:
        inside &= possible
    inside[inside] = clean[candidate[inside, 0], candidate[inside, 1]]
    inside &= (candidate != taken).any(axis=1)
    some = np.flatnonzero(inside)
    if not len(some):
        return
    found = _distance(image, wanted[some], weights[some], at[some], candidate[some])
    nearer = found < distance[some]
    taken[some[nearer]] = candidate[some[nearer]]
    distance[some[nearer]] = found[nearer]


def _voted(
    image: Floats, at: Places, taken: Places, distance: Floats, weights: Floats
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """What the patches say of each pixel, and where there are any; those that fit and that know much say more."""
    height, width = image.shape[:2]
    spread = max(float(np.percentile(distance, 40)) / 3, 1.0)
    say = np.exp(-distance / (2 * spread)) * weights.mean(axis=(1, 2, 3)) ** 2 + 1e-9
    rows = at[:, 0, None, None] + np.arange(SIDE)[:, None]
    columns = at[:, 1, None, None] + np.arange(SIDE)
    places = (rows * width + columns).ravel()
    every = np.broadcast_to(say[:, None, None], (len(at), SIDE, SIDE)).ravel()
    total = np.bincount(places, every, height * width)
    patches = _patches(image, taken)
    mixed = [np.bincount(places, every * patches[:, channel].ravel(), height * width) for channel in range(3)]
    made = (np.stack(mixed, axis=-1) / np.maximum(total, 1e-20)[:, None]).reshape(image.shape)
    return made.astype(np.float32), total.reshape(height, width) > 0


def spread_inwards(values: npt.NDArray[Any], known: npt.NDArray[np.bool_]) -> Floats:
    """Smoothly goes on from what is known: halved until nothing is unknown, and back (Gortler et al. 1996).

    Args:
        values: (H, W, 3); where it is not known, anything.
        known: (H, W), true somewhere.

    Returns:
        (H, W, 3) float32: the values themselves where they are known.
    """
    weight = known.astype(np.float32)
    levels = [(np.asarray(values, np.float32) * weight[..., None], weight)]
    while (levels[-1][1] <= 0).any() and max(levels[-1][1].shape) > 1:
        levels.append((cv2.pyrDown(levels[-1][0]), cv2.pyrDown(levels[-1][1])))
    total, weight = levels[-1]
    found = total / np.maximum(weight, 1e-12)[..., None]
    for total, weight in reversed(levels[:-1]):
        under = np.asarray(cv2.pyrUp(found, dstsize=weight.shape[::-1]))
        share = np.clip(weight, 0, 1)[..., None]
        found = total / np.maximum(weight, 1e-12)[..., None] * share + under * (1 - share)
    return np.asarray(found, np.float32)


def smoothly_filled(picture: UInt8Array, holes: UInt8Array) -> UInt8Array:
    """A picture with its holes blurred over from what is around them. Arguments as of `filled`."""
    made = np.clip(spread_inwards(picture, holes == 0) + 0.5, 0, 255).astype(np.uint8)
    return np.where((holes > 0)[..., None], made, picture)


def _at_full_size(picture: UInt8Array, holes: UInt8Array, made: Floats, offsets: Floats) -> UInt8Array:
    """What was made small, enlarged, with the detail of the places that it was taken from, and without seams."""
    height, width = holes.shape
    hidden = holes > 0
    copied, taken = _copied(picture, hidden, made, offsets)
    shrink = max(1.0, float(np.sqrt(hidden.sum() / MOST_PIXELS)))
    if shrink == 1:
        added = correction(picture, hidden, copied, taken)
    else:
        size = max(1, round(width / shrink)), max(1, round(height / shrink))
        small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        small_hidden = _shrunk(holes, size)
        added = correction(small, small_hidden, *_copied(small, small_hidden, made, offsets))
        added = np.asarray(cv2.resize(added, (width, height), interpolation=cv2.INTER_LINEAR))
    result: UInt8Array = picture.copy()
    result[hidden] = np.clip((copied + added)[hidden] + 0.5, 0, 255).astype(np.uint8)
    return result


def _copied(
    picture: UInt8Array, hidden: npt.NDArray[np.bool_], made: Floats, offsets: Floats
) -> tuple[Floats, npt.NDArray[np.intp]]:
    """(H, W, 3) the picture with its holes filled; (N, 2) row and column that each pixel of the holes came from."""
    height, width = hidden.shape
    large = np.asarray(cv2.resize(made, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    y, x = np.nonzero(hidden)
    ratio = np.array([height / made.shape[0], width / made.shape[1]])
    low_y = np.minimum((y / ratio[0]).astype(np.intp), made.shape[0] - 1)
    low_x = np.minimum((x / ratio[1]).astype(np.intp), made.shape[1] - 1)
    away = np.round(offsets[low_y, low_x] * ratio).astype(np.intp)
    from_y, from_x = np.clip(y + away[:, 0], 0, height - 1), np.clip(x + away[:, 1], 0, width - 1)
    copied = picture.astype(np.float32)
    detail = (picture[from_y, from_x] - large[from_y, from_x]) * ~hidden[from_y, from_x, None]
    copied[y, x] = np.clip(large[y, x] + detail, 0, 255)
    return copied, np.stack([from_y, from_x], axis=-1)
