"""The invisible mark: 64 bits in the brightness of a video, spread over picture and time so that nobody sees them.

Spread spectrum, as Cox, Kilian, Leighton and Shamoon have it ("Secure Spread Spectrum Watermarking for Multimedia",
1997), on a carrier in time. Two fields of small bright and dark cells turn into each other and back, every four
seconds; what does not move in a film cancels out, so the fields are found again in what some seconds of it have in
common with that turning. One field is always the same and says where, how large and when; the other carries the bits.
The fields come from a key that everybody knows, for everybody is to find them: who wants to can also forge or remove
them.
"""

from __future__ import annotations

import functools
import hashlib
import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from understudy.marks.error_code import BITS, CODED_BITS, encoded
from understudy.poses.similarity import edge_to_edge

VERSION, PRODUCT = 1, 0x5D1A
"""what a mark of ours begins with, 8 and 16 bits; by chance, 24 bits agree once in 17 million times"""
IDENTITY_BITS = 40
PERIOD = 4.0
"""seconds in which the fields turn once"""
TILE = 64
"""cells a side, after which the fields repeat"""
CELLS = 48
"""in the shorter side of a picture"""
SMALLEST = 2 * CELLS
"""pixels of the shorter side: below, cells are too small to be seen again"""
_KEY = b"understudy invisible mark 1"
_STEADY, _BUSY, _MOST = 0.6, 0.06, 1.6
"""amplitude in levels of 255: least, share of the deviation around, most"""
_SMALL_CELL, _STRONGER = 8.0, 1.6
"""pixels below which cells are made stronger, since encoders drop small things first, and by how much at most"""
_HOLD = 0.06
"""seconds for which a change is kept: time saved, and bytes"""
_SAMPLES = 4
"""a cell, where the amplitude is worked out"""
_NEAR = np.ones((5, 5), np.uint8)
_Field = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Payload:
    """What an invisible mark says."""

    identity: int
    """of the file, 40 bits; its manifest repeats it"""
    version: int = VERSION
    product: int = PRODUCT

    @property
    def ours(self) -> bool:
        return (self.version, self.product) == (VERSION, PRODUCT)

    @property
    def bits(self) -> npt.NDArray[np.int64]:
        """(64,) of 0 and 1."""
        whole = (self.version << 16 | self.product) << IDENTITY_BITS | self.identity
        return np.array([whole >> place & 1 for place in reversed(range(BITS))], np.int64) ^ _scrambling()

    @classmethod
    def of(cls, bits: npt.NDArray[np.int64]) -> Payload:
        """From (64,) of 0 and 1."""
        whole = int("".join(map(str, (bits ^ _scrambling()).tolist())), 2)
        head = whole >> IDENTITY_BITS
        return cls(whole & ((1 << IDENTITY_BITS) - 1), head >> 16, head & 0xFFFF)


@functools.cache
def finding_field() -> _Field:
    """(TILE, TILE) of -1 and 1: always the same."""
    return _signs("finding")


@functools.cache
def carriers() -> tuple[npt.NDArray[np.int64], _Field]:
    """Which coded bit each cell carries, and the sign by which it is multiplied; both (TILE, TILE)."""
    order = np.frombuffer(_stream("order", TILE * TILE * 8), "<u8").argsort(kind="stable")
    return (order % CODED_BITS).reshape(TILE, TILE), _signs("carrying")


def carrying_field(payload: Payload) -> _Field:
    """(TILE, TILE) of -1 and 1: the bits."""
    which, signs = carriers()
    return np.asarray((2 * encoded(payload.bits) - 1)[which] * signs, np.float32)


class InvisibleMark:
    """Adds a payload to the pictures of one video, one after the other.

    Args:
        size_hw: of its pictures.
    """

    def __init__(self, payload: Payload, size_hw: tuple[int, int]) -> None:
        self.payload = payload
        cell = min(size_hw) / CELLS
        height, width = (round(side / cell * _SAMPLES) for side in size_hw)
        self._least = _STEADY * min(max(_SMALL_CELL / cell, 1.0), _STRONGER)
        fields = finding_field(), carrying_field(payload)
        self._finding, self._carrying = (laid_out(field, (height, width), _SAMPLES) for field in fields)
        self._held: float | None = None
        # Every so many pixels one is looked at: how busy a place is needs no more, and this has to be quick.
        self._steps = [max(1, side // small) for side, small in zip(size_hw, (height, width), strict=True)]
        # Memory that is new has to be fetched from the system page by page, which takes longer than what is done there.
        seen_hw = [-(-side // step) for side, step in zip(size_hw, self._steps, strict=True)]
        self._seen, self._mean, self._square = (np.empty(seen_hw, np.float32) for _ in range(3))
        self._turned, self._other = (np.empty((height, width), np.float32) for _ in range(2))
        self._change = np.empty(size_hw, np.float32)

    def change(self, luma: npt.NDArray[np.uint8], seconds: float) -> npt.NDArray[np.float32]:
        """What is to be added to a picture's brightness.

        Args:
            luma: uint8 (H, W).
            seconds: of the picture, from the video's beginning.

        Returns:
            float32 (H, W), in levels of 255, mostly below 1; the next call may write into it.
        """
        if self._held is not None and 0 <= seconds - self._held < _HOLD:
            return self._change
        angle = 2 * math.pi * seconds / PERIOD
        turned = np.multiply(self._finding, math.cos(angle), out=self._turned)
        turned += np.multiply(self._carrying, math.sin(angle), out=self._other)
        turned *= self._amplitude(luma)
        cv2.resize(turned, self._change.shape[::-1], dst=self._change, interpolation=cv2.INTER_LINEAR)
        self._held = seconds
        return self._change

    def _amplitude(self, luma: npt.NDArray[np.uint8]) -> _Field:
        """Coarse: more where it is not seen, because much goes on there."""
        seen, mean, square = self._seen, self._mean, self._square
        np.copyto(seen, luma[:: self._steps[0], :: self._steps[1]])
        cv2.blur(seen, (5, 5), dst=mean)
        seen *= seen
        cv2.blur(seen, (5, 5), dst=square)
        mean *= mean
        square -= mean
        deviation = cv2.sqrt(np.maximum(square, 0.0, out=square), dst=square)
        # The least of the neighbourhood: next to an edge a flat wall stays flat.
        calm = cv2.blur(cv2.erode(deviation, _NEAR, dst=mean), (3, 3), dst=seen)
        calm *= _BUSY
        calm += self._least
        np.clip(calm, self._least, _MOST, out=calm)
        return np.asarray(cv2.resize(calm, self._other.shape[::-1], dst=self._other, interpolation=cv2.INTER_LINEAR))


def laid_out(field: _Field, size_hw: tuple[int, int], cell: float) -> _Field:
    """A field over a picture, from its upper left corner on, cells passing softly into each other.

    Args:
        field: (TILE, TILE).
        cell: side of one, in pixels.

    Returns:
        float32, size_hw.
    """
    rows, columns = (edge_to_edge(np.arange(side), shrink=cell) for side in size_hw)
    margin = 4  # what the interpolation looks at beyond the tile
    wrapped = np.pad(field, margin, mode="wrap")
    x, y = np.meshgrid(columns % TILE + margin, rows % TILE + margin)
    return np.asarray(cv2.remap(wrapped, x.astype(np.float32), y.astype(np.float32), cv2.INTER_CUBIC))


def _signs(name: str) -> _Field:
    bits = np.unpackbits(np.frombuffer(_stream(name, TILE * TILE // 8), np.uint8))
    return (2 * bits.reshape(TILE, TILE).astype(np.float32) - 1).astype(np.float32)


@functools.cache
def _scrambling() -> npt.NDArray[np.int64]:
    """(64,): so that no run of equal bits decodes as a mark."""
    return np.unpackbits(np.frombuffer(_stream("scrambling", BITS // 8), np.uint8)).astype(np.int64)


def _stream(name: str, length: int) -> bytes:
    return hashlib.shake_256(_KEY + name.encode()).digest(length)  # the same in every version of every library
