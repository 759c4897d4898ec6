"""Finds invisible marks again: after re-encoding, scaling, cropping, mirroring, at another rate."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from understudy.marks.error_code import CODED_BITS, decoded
from understudy.marks.invisible import CELLS, PERIOD, TILE, Payload, carriers, finding_field, laid_out
from understudy.poses.similarity import Similarity

SHORTEST = 2.0
"""seconds of film in which a mark can be found"""
RATE = 12.0
"""pictures looked at a second: the fields turn slowly"""
SHORT_SIDE = 4 * CELLS
"""pixels of the pictures looked at: four a cell"""
_SCALES = [1.006**step for step in range(-42, 45)]
"""cells sought: from 0.78 to 1.3 of the size that they would have if the picture were whole"""
_FINELY = [1.0015**step for step in range(-3, 4)]
"""around the best of them"""
_FINE = 2
"""samples a cell while seeking"""
_SURE = 6.5
"""deviations by which the place found stands out, before it is read: what is there by chance reaches about 5.5"""
FAINT = 13.0
"""deviations below which a bit of what was read may be wrong (benchmarks/invisible_mark.py)"""
_Complex = npt.NDArray[np.complex64]
_Field = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """An invisible mark."""

    payload: Payload
    strength: float
    """deviations by which it stands out"""
    scale: float
    """size of its cells, of what they have in a whole picture: above 1 where the picture was cropped"""
    mirrored: bool

    @property
    def faint(self) -> bool:
        """Whether a bit of the identity may be wrong."""
        return self.strength < FAINT


class _Place(NamedTuple):
    """Where the finding field may lie."""

    strength: float
    scale: float
    mirrored: bool
    corner: tuple[int, int]
    """of the tile, in samples"""


def find(pictures: Iterable[tuple[npt.NDArray[np.uint8], float]]) -> Found | None:
    """Looks for a mark in some seconds of film; ten are plenty.

    Args:
        pictures: brightness, uint8 (H, W), all of one size, and seconds, rising.
    """
    seen: list[_Field] = []
    times: list[float] = []
    for luma, seconds in pictures:
        if not times or seconds - times[-1] > 0.99 / RATE:
            seen.append(_looked_at(luma))
            times.append(seconds)
    if len(times) < 8 or times[-1] - times[0] < SHORTEST - 2 / RATE:
        return None
    common = _in_common(np.stack(seen), np.asarray(times))
    maps = common, np.ascontiguousarray(common[:, ::-1])
    rough = _strongest(maps, _SCALES, (False, True))
    best = _strongest(maps, [rough.scale * finely for finely in _FINELY], (rough.mirrored,))
    if best.strength < _SURE:
        return None
    payload = _read(_folded(maps[best.mirrored], best.scale), best.corner)
    return Found(payload, best.strength, best.scale, best.mirrored) if payload.ours else None


def small_enough(luma: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A picture in the size in which marks are sought, `SHORT_SIDE`."""
    shrink = SHORT_SIDE / min(luma.shape)
    height, width = (round(side * shrink) for side in luma.shape)
    way = cv2.INTER_AREA if shrink < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(luma, (width, height), interpolation=way))


def _looked_at(luma: npt.NDArray[np.uint8]) -> _Field:
    """A picture as small as the cells allow, without what is larger than they."""
    small = small_enough(luma).astype(np.float32)
    return np.asarray(small - cv2.GaussianBlur(small, (0, 0), 1.5 * SHORT_SIDE / CELLS))


def _in_common(pictures: _Field, times: npt.NDArray[np.float64]) -> _Complex:
    """What each place has in common with the turning: (T, H, W) -> complex (H, W), weighted by how still it is else."""
    moving = pictures - pictures.mean(axis=0)
    around = 2 * SHORT_SIDE // CELLS + 1
    deviation = np.sqrt(cv2.blur((moving**2).mean(axis=0), (around, around))) + 0.15
    limited = np.clip(moving, -3 * deviation, 3 * deviation)  # who passes by should not count for all the time
    turning = np.exp(-2j * np.pi * times / PERIOD).astype(np.complex64)
    common = np.tensordot(turning - turning.mean(), limited, axes=(0, 0))
    return np.asarray(common / deviation**2, np.complex64)


def _strongest(maps: tuple[_Complex, _Complex], scales: Sequence[float], turns: tuple[bool, ...]) -> _Place:
    places = (_sought(maps[mirrored], scale, mirrored) for mirrored in turns for scale in scales)
    return max(places, key=lambda place: place.strength)


def _sought(map_: _Complex, scale: float, mirrored: bool) -> _Place:
    """The likeliest place of the finding field among cells of this size."""
    likeness = np.abs(np.fft.ifft2(np.fft.fft2(_folded(map_, scale)) * _template()))
    row, column = np.unravel_index(int(likeness.argmax()), likeness.shape)
    deviation = math.sqrt(float((likeness**2).mean()) / 2)
    return _Place(float(likeness[row, column]) / max(deviation, 1e-12), scale, mirrored, (int(row), int(column)))


def _folded(map_: _Complex, scale: float) -> _Complex:
    """The map in samples of cells of this size, all repetitions of the tile on top of each other."""
    side = _FINE * TILE
    step = SHORT_SIDE / CELLS * scale / _FINE
    height, width = (max(1, round(length / step)) for length in map_.shape)
    warp = Similarity.resized(step).matrix  # exactly, whatever the rounding of the size
    smooth = [cv2.GaussianBlur(part, (0, 0), 0.4 * step) for part in (map_.real.copy(), map_.imag.copy())]
    real, imaginary = (
        cv2.warpAffine(part, warp, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP) for part in smooth
    )
    out = np.zeros((-(-height // side) * side, -(-width // side) * side), np.complex64)
    out[:height, :width] = real + 1j * imaginary
    return np.asarray(out.reshape(-1, side, out.shape[1] // side, side).sum(axis=(0, 2)))


@functools.cache
def _template() -> _Complex:
    field = laid_out(finding_field(), (_FINE * TILE, _FINE * TILE), _FINE)
    return np.conj(np.fft.fft2(field)).astype(np.complex64)


def _read(folded: _Complex, corner: tuple[int, int]) -> Payload:
    moved = np.roll(folded, (-corner[0], -corner[1]), axis=(0, 1))
    cells = moved.reshape(TILE, _FINE, TILE, _FINE).sum(axis=(1, 3))
    phase = np.angle((cells * finding_field()).sum())
    # The other field follows a quarter of a turn later.
    carried = (cells * np.exp(-1j * (phase - np.pi / 2))).real
    which, signs = carriers()
    likelihoods = np.bincount(which.ravel(), (carried * signs).ravel(), CODED_BITS)
    return Payload.of(decoded(np.asarray(likelihoods, np.float64)))
