"""A face by its points: five labels within it, and a crop in which eyes and mouth lie at fixed places.

Gafni et al. 2021, section 3.2 (the face labels that are added to what is painted) and 3.3 (the aligned crop that is
refined). Both take the 68 face points of COCO-WholeBody; who has only the points of the body gets a coarser crop, from
eyes and nose, and no labels.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.body.labels import FACE_LABELS
from understudy.poses.pose import FACE, LEFT_EAR, LEFT_EYE, NOSE, RIGHT_EAR, RIGHT_EYE, FloatArray
from understudy.poses.similarity import edge_to_edge

UInt8Array = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.floating[Any]]
Matrix = npt.NDArray[np.float64]
"""(2, 3): x, y, 1 of a picture's pixel to x, y of a crop's"""

MIN_CONFIDENCE = 0.3
"""of a point that counts as seen: trackers that rate face points rate those of the back of a head below it"""
WIDE, TIGHT = 224, 112
"""pixels: sides of the two crops; the wide one holds hair and chin, the tight one eyes, nose and mouth"""
_TIGHT_PLACES = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
)
"""Where the right eye, the left eye, the nose's tip and the corners of the mouth go in 112 x 112: the places that
SFace and most face recognition are trained on (Deng et al. 2019, "ArcFace")."""
WIDENING = 0.75
"""how many times smaller a face is in the wide crop, as a share of its side"""
RAISED = 10.0
"""pixels of the wide crop by which the face is raised, to make room for the chin"""
WORST_FIT = 0.5
"""Share of the spread of eyes, nose and mouth that may be off their places: 0.01 from the front, 0.16 at 60 degrees,
0.47 in profile, and 0.65 and more of the back of a head, whose points lie mirrored."""
SMALLEST = 2.0
"""pixels between eyes and mouth, below which nothing is to be seen in a face"""
ENOUGH = 0.6
"""share of the points of an eye, brow, nose or mouth that must be seen for it to be drawn"""
FEWEST = 3
"""of eyes, nose and corners of the mouth, without which nobody can say how a face is turned"""
BROW = 0.3
"""height of an eyebrow over its distance from the eye's middle: points are given of its upper edge alone"""
BORDER = 0.125
"""share of a crop's side, on each side, over which it fades into what it is put back on"""

HEAD_SPAN = 0.52
"""of the wide crop's side, that nose, eyes and ears span at most: of a profile, eyes and nose alone say too little"""

_NUMBER = {name: number for number, name in enumerate(FACE_LABELS)}
_BROWS = (slice(17, 22), slice(22, 27))
_EYES = (slice(36, 42), slice(42, 48))
_NOSE = slice(27, 36)
_POINT_ANCHORS = {2: 30, 3: 48, 4: 54}
"""by number in `face_places`: tip of the nose and corners of the mouth, among the 68"""
_OUTER_LIPS, _INNER_LIPS = slice(48, 60), slice(60, 68)
_FINENESS = 4
"""bits behind the point of the corners that OpenCV fills polygons between"""


def face_labels(xy: FloatArray, confidence: FloatArray, size_hw: tuple[int, int]) -> UInt8Array:
    """What each pixel of a face shows.

    Args:
        xy: (133, 2) pixels of the picture (whole numbers are pixel centres).
        confidence: (133,) in [0, 1].
        size_hw: of the picture, pixels.

    Returns:
        (H, W) uint8 numbers of `body.labels.FACE_LABELS`: 0 everywhere where the face is not seen, is seen from behind,
        or is too small to show anything.
    """
    found = np.zeros(size_hw, np.uint8)
    if face_matrix(xy, confidence) is None:
        return found
    face, seen = np.asarray(xy[FACE], np.float64), confidence[FACE] >= MIN_CONFIDENCE
    for brow, eye in zip(_BROWS, _EYES, strict=True):
        if _enough(seen[brow]) and _enough(seen[eye]):
            upper = face[brow][seen[brow]]
            lower = upper + BROW * (face[eye][seen[eye]].mean(axis=0) - upper.mean(axis=0))
            _fill(found, np.concatenate([upper, lower[::-1]]), "eyebrows")
    for eye in _EYES:
        if _enough(seen[eye]):
            _fill(found, face[eye][seen[eye]], "eyes")
    if _enough(seen[_NOSE]):
        _fill(found, cv2.convexHull(face[_NOSE][seen[_NOSE]].astype(np.float32))[:, 0], "nose")
    if _enough(seen[_OUTER_LIPS]):
        _fill(found, face[_OUTER_LIPS][seen[_OUTER_LIPS]], "lips")
        if (
            seen[_INNER_LIPS].all() and _opening(face[_INNER_LIPS]) > 1.0
        ):  # else the two edges are the line between lips
            _fill(found, face[_INNER_LIPS], "inner mouth")
    return found


def _enough(seen: npt.NDArray[np.bool_]) -> bool:
    """Whether so much of a part is seen that its outline can be drawn from the rest."""
    return bool(seen.mean() > ENOUGH)


def _opening(inner: Floats) -> float:
    """Pixels between the inner edges of the lips, on average over the mouth."""
    x, y = inner[:, 0], inner[:, 1]
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    return float(area / max(np.linalg.norm(inner[4] - inner[0]), 1.0))


def _fill(labels: UInt8Array, corners: Floats, name: str) -> None:
    fixed = np.round(corners * 2**_FINENESS).astype(np.int32)
    cv2.fillPoly(labels, [fixed], (_NUMBER[name],), lineType=cv2.LINE_8, shift=_FINENESS)


def face_places(side: int) -> Floats:
    """(5, 2) pixels: where right eye, left eye, tip of the nose and corners of the mouth lie in a crop.

    Args:
        side: 224 for the wide crop, or a multiple of it; 112 for the tight one.

    Raises:
        ValueError: another side.
    """
    if side == TIGHT:
        return _TIGHT_PLACES
    if side % WIDE:
        raise ValueError(f"faces are cut out at {TIGHT} or a multiple of {WIDE} pixels, not at {side}")
    ratio = WIDE / TIGHT
    large = edge_to_edge(_TIGHT_PLACES, ratio)
    middle = np.array([(WIDE - 1) / 2, large[:, 1].mean()])
    wide = middle + WIDENING * (large - middle) - (0.0, RAISED)
    return np.asarray(edge_to_edge(wide, side, WIDE))


def face_matrix(xy: FloatArray, confidence: FloatArray, side: int = WIDE) -> Matrix | None:
    """The turn, scale and shift that brings eyes, nose and mouth nearest to their places in a crop (least squares).

    Args:
        xy: (133, 2) pixels of the picture.
        confidence: (133,) in [0, 1].
        side: as for `face_places`.

    Returns:
        (2, 3), pixels of the picture to pixels of the crop; None where there is no face to be seen: too few points,
        the back of a head, or a face of less than two pixels.
    """
    places = face_places(side)
    found = _anchors(np.asarray(xy[FACE], np.float64), confidence[FACE] >= MIN_CONFIDENCE)
    if len(found) >= FEWEST:
        return _fitted(np.stack(list(found.values())), places[list(found)])
    head = [point for point in (NOSE, RIGHT_EYE, LEFT_EYE, RIGHT_EAR, LEFT_EAR) if confidence[point] >= MIN_CONFIDENCE]
    if head[:FEWEST] != [NOSE, RIGHT_EYE, LEFT_EYE]:
        return None
    points = np.asarray(xy[head], np.float64)
    fitted = _fitted(points[:FEWEST], places[[2, 0, 1]])
    return None if fitted is None else _no_larger_than_a_head(fitted, points, side)


def _anchors(face: Floats, seen: npt.NDArray[np.bool_]) -> dict[int, Floats]:
    """What is seen of right eye, left eye, tip of the nose and corners of the mouth, by their number."""
    eyes = {number: face[eye][seen[eye]].mean(axis=0) for number, eye in enumerate(_EYES) if _enough(seen[eye])}
    return eyes | {number: face[point] for number, point in _POINT_ANCHORS.items() if seen[point]}


def _fitted(points: Floats, places: Floats) -> Matrix | None:
    """Turn, scale and shift in closed form: with x + iy for a point, `place = a * point + b`."""
    given, wanted = points @ (1, 1j), places @ (1, 1j)
    middle, there = given.mean(), wanted.mean()
    given, wanted = given - middle, wanted - there
    spread = float((np.abs(given) ** 2).sum())
    if spread < SMALLEST**2:
        return None
    a = (given.conj() * wanted).sum() / spread
    off = float((np.abs(wanted - a * given) ** 2).sum() / (np.abs(wanted) ** 2).sum())
    if off > WORST_FIT or abs(a) < 1e-6:
        return None
    b = there - a * middle
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def _no_larger_than_a_head(matrix: Matrix, head: Floats, side: int) -> Matrix:
    """The same crop about the nose, which is the first point, of so much of the picture that the head fits in."""
    most = HEAD_SPAN * side * (1 if side != TIGHT else 1 / WIDENING)
    span = float(np.linalg.norm(head[:, None] - head, axis=-1).max()) * float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if span <= most:
        return matrix
    smaller = matrix[:, :2] * (most / span)
    nose = matrix[:, :2] @ head[0] + matrix[:, 2]
    return np.concatenate([smaller, (nose - smaller @ head[0])[:, None]], axis=1)


def aligned(picture: UInt8Array, matrix: Matrix, side: int = WIDE) -> UInt8Array:
    """The face of a picture, cut out, upright.

    Args:
        picture: (H, W, 3) or (H, W).
        matrix: of `face_matrix`, made for the same side.
        side: pixels.

    Returns:
        (side, side, 3) or (side, side); beyond the picture its last pixels go on.
    """
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < 0.5:  # each pixel of the crop stands for several: they are averaged first, since warping would skip them
        height, width = picture.shape[:2]
        small_hw = max(1, round(height * 2 * scale)), max(1, round(width * 2 * scale))
        picture = np.asarray(cv2.resize(picture, small_hw[::-1], interpolation=cv2.INTER_AREA), np.uint8)
        ratio = np.array([width / small_hw[1], height / small_hw[0]])
        shift = edge_to_edge(np.zeros(2), ratio)
        matrix = np.concatenate([matrix[:, :2] * ratio, (matrix[:, :2] @ shift + matrix[:, 2])[:, None]], axis=1)
    method = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    warped = cv2.warpAffine(picture, matrix, (side, side), flags=method, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def put_back(picture: UInt8Array, crop: UInt8Array, matrix: Matrix, weight: Floats | None = None) -> UInt8Array:
    """A picture with a face that was cut out by `aligned` laid over it again.

    Args:
        picture: (H, W, 3).
        crop: (side, side, 3), perhaps changed.
        matrix: with which it was cut out.
        weight: (side, side) in [0, 1], how much of the crop to take; None = all of it. In both cases it fades out
            towards the border, which leaves no seam.

    Returns:
        (H, W, 3), the picture exactly outside the crop.
    """
    side, (height, width) = len(crop), picture.shape[:2]
    share = border_fade(side) if weight is None else border_fade(side) * np.asarray(weight, np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (width, height)
    over = cv2.warpAffine(crop, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(share.astype(np.float32), matrix, size, flags=flags, borderValue=0)[..., None]
    return np.asarray(picture * (1 - alpha) + over * alpha + np.float32(0.5), np.uint8)


def border_fade(side: int) -> FloatArray:
    """(side, side) float32: 1 in the middle, falling smoothly to 0 at the edges."""
    position = (np.arange(side, dtype=np.float32) + 0.5) * (2 / side) - 1
    ramp = np.clip((1 - np.abs(position)) / (2 * BORDER), 0, 1)
    fade = ramp * ramp * (3 - 2 * ramp)
    return np.asarray(fade[:, None] * fade, np.float32)
