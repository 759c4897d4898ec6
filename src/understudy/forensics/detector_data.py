"""What a detector learns from: clips, real and generated, after the same random treatment.

A generated file differs from a camera's in how often and how well it was compressed, which says nothing of its
content. So each clip, of either kind, is shrunk and encoded once more, by numbers drawn without looking at its kind.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.arguments import Region
from understudy.base.files import load_tensors, save_tensors
from understudy.errors import DetectorError, PoseError
from understudy.forensics.looking import MARGIN, Finder, looks, nobody_in
from understudy.media.brightness import Change, changed_picture
from understudy.media.reading import VideoReader, VideoWriter

SPARE = 1 / 8
"""of the side: squares of footage are so much larger, for random crops"""
CRF = (16, 36)
"""qualities of H.264, from hardly visible to poor"""
SHRINK = (0.55, 1.0)


@dataclass(frozen=True)
class Treatment:
    """How a clip is encoded once more."""

    crf: int
    """quality of H.264, lower is better"""
    shrink: float
    """of height and width, at most 1"""


def random_treatment(random: np.random.Generator, crf: tuple[int, int] = CRF) -> Treatment:
    """One for any clip: it is given nothing by which it could tell real from generated.

    Args:
        crf: from and to.
    """
    return Treatment(int(random.integers(crf[0], crf[1] + 1)), float(random.uniform(*SHRINK)))


def treated(
    clip: str | os.PathLike[str],
    output: str | os.PathLike[str],
    treatment: Treatment,
    *,
    start: float | None = None,
    end: float | None = None,
    region: Region | None = None,
    longest: int | None = None,
    change: Change | None = None,
) -> None:
    """Writes a part of a clip again: shrunk, H.264 at the given quality, without sound.

    Args:
        start, end: seconds into the clip.
        region: what of the picture is kept.
        longest: pixels: a longer side than this is brought to it first.
        change: what is added to the brightness of every frame before all else, as invisible marks do.

    Raises:
        MediaError: the clip cannot be read or written.
    """
    with VideoReader(Path(clip), start=start, end=end) as reader:
        left, top, width, height = region or (0, 0, reader.size_hw[1], reader.size_hw[0])
        shrink = treatment.shrink * min(1.0, (longest or math.inf) / max(width, height))
        size = max(2, round(width * shrink)), max(2, round(height * shrink))
        with VideoWriter(Path(output), reader.fps, crf=treatment.crf) as writer:
            for number, frame in enumerate(reader):
                if change is not None:
                    frame = changed_picture(frame, change, float(number / reader.fps))
                kept = frame[top : top + height, left : left + width]
                small = cv2.resize(kept, size, interpolation=cv2.INTER_AREA) if shrink < 1 else kept
                writer.write(np.ascontiguousarray(small, np.uint8))


@dataclass(frozen=True)
class Footage:
    """Pairs of frames of one clip, and what it is."""

    pairs: npt.NDArray[np.uint8]
    """(P, 2, S, S, 3) RGB, from `cut_pairs`"""
    zones: npt.NDArray[np.uint8]
    """(P, S, S), see `looking`"""
    generated: bool
    person: str
    recipe: str
    """that generated it; empty for real clips"""
    motion: str
    """"same" or "other": whose motion a generated clip shows; empty for real clips"""
    seconds: float
    """of the clip"""
    clip: str = ""
    """file name"""


def cut_pairs(
    clip: Path, size: int, *, finder: Finder | None = None
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """The pairs of a clip in which the person is found, with room to crop: their middle is what a user's video gives.

    Returns:
        (P, 2, S, S, 3) RGB and their zones (P, S, S), S = size * (1 + SPARE).

    Raises:
        PoseError: the person is found nowhere.
    """
    wide = looks(clip, round(size * (1 + SPARE)), margin=MARGIN * (1 + SPARE), finder=finder)
    found = [look.squares for look in wide if look.squares]
    if not found:
        raise PoseError(nobody_in(clip))
    pairs, zones = zip(*found, strict=True)
    return np.stack(pairs), np.stack(zones)


def centred(squares: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
    """The middle of pairs (P, 2, S, S, 3), or of zones (P, S, S): S becomes `size`."""
    side = squares.shape[2]
    inside = slice((side - size) // 2, (side - size) // 2 + size)
    return squares[:, :, inside, inside] if squares.ndim == 5 else squares[:, inside, inside]


KEPT = ("generated", "person", "recipe", "motion", "seconds", "clip")


def save_footage(path: Path, footage: Footage) -> None:
    """One file a clip, atomically."""
    said = {name: getattr(footage, name) for name in KEPT}
    save_tensors(path, {"pairs": footage.pairs, "zones": footage.zones}, said)


def load_footage(path: Path) -> Footage:
    """Reads a file of `save_footage`.

    Raises:
        DetectorError: missing or damaged.
    """
    tensors, said = load_tensors(path, DetectorError)
    return Footage(tensors["pairs"], tensors["zones"], **said)


@dataclass(frozen=True)
class Augmentation:
    """How pairs are altered at random, real and generated ones alike."""

    recolour: float = 0.5
    """probability that red, green and blue change places: the few people's clothes are no sign of anything"""
    gain: float = 0.25
    """brightness is multiplied by 1 +- this, each colour by half of that more"""
    gamma: float = 0.25
    """exponents of contrast from 1 / (1 + this) to 1 + this"""
    noise: float = 10.0
    """of 255: half of the pairs get grain with a standard deviation of up to this, new in every frame"""
    focus: float = 0.8
    """pixels: a third of the pairs is blurred by a Gaussian of up to this standard deviation, a third sharpened by the
    same, so that softness alone tells nothing"""


def augmented(
    pair: npt.NDArray[np.uint8],
    zones: npt.NDArray[np.uint8],
    size: int,
    how: Augmentation,
    random: np.random.Generator,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """A pair cropped, mirrored, recoloured, refocused, grained: both frames by one draw, but for the grain.

    Args:
        pair: (2, S, S, 3) RGB.
        zones: (S, S).

    Returns:
        (2, size, size, 3) in [-1, 1], and zones (size, size).
    """
    top, left = random.integers(0, pair.shape[1] - size + 1, 2)
    cropped = pair[:, top : top + size, left : left + size]
    inside = zones[top : top + size, left : left + size]
    if random.random() < how.recolour:
        cropped = cropped[..., random.permutation(3)]
    if random.random() < 0.5:
        cropped, inside = cropped[:, :, ::-1], inside[:, ::-1]
    levels = np.linspace(0, 1, 256)[:, None] ** (1 + how.gamma) ** random.uniform(-1, 1)
    light = (1 + how.gain * random.uniform(-1, 1)) * (1 + how.gain / 2 * random.uniform(-1, 1, 3))
    table = (2 * np.clip(levels * light, 0, 1) - 1).astype(np.float32)[None]
    shown = cv2.LUT(np.ascontiguousarray(cropped).reshape(2 * size, size, 3), table).reshape(2, size, size, 3)
    shown = _refocused(shown, how.focus * random.uniform(0, 1), int(random.integers(3)))
    deviation = max(0.0, random.uniform(-1, 1)) * how.noise / 127.5
    if deviation:
        shown += np.float32(deviation) * random.standard_normal(shown.shape, np.float32)
        np.clip(shown, -1, 1, out=shown)
    return np.asarray(shown, np.float32), np.ascontiguousarray(inside)


def _refocused(frames: npt.NDArray[np.float32], deviation: float, way: int) -> npt.NDArray[np.float32]:
    """way: 0 as they are, 1 blurred, 2 sharpened by what a blur takes away."""
    if way == 0 or deviation < 0.2:
        return frames
    soft = np.stack([cv2.GaussianBlur(frame, (0, 0), deviation) for frame in frames])
    return np.asarray(soft if way == 1 else np.clip(2 * frames - soft, -1, 1), np.float32)


class Draw:
    """Draws training pairs, as many real as generated, and no person or recipe more often than another.

    Args:
        clips: real ones and generated ones.

    Raises:
        DetectorError: one of the two kinds is missing.
    """

    def __init__(self, clips: Sequence[Footage], seed: int):
        self._random = np.random.default_rng(seed)
        groups: tuple[dict[tuple[str, ...], list[Footage]], dict[tuple[str, ...], list[Footage]]] = ({}, {})
        for clip in clips:
            groups[clip.generated].setdefault((clip.recipe, clip.person), []).append(clip)
        if not all(groups):
            raise DetectorError(
                f"a detector learns from real and generated clips, and was given {len(groups[0])} people really "
                f"filmed and {len(groups[1])} generated: add the missing kind"
            )
        self._groups = groups
        self._recipes = sorted({recipe for recipe, _ in groups[True]})

    def batch(
        self, pairs: int, size: int, how: Augmentation
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """(B, 2, size, size, 3) in [-1, 1], zones (B, size, size), and (B,), 1 = generated: half of each, altered."""
        shown, zones, truth = [], [], []
        for index in range(pairs):
            generated = index % 2 == 1
            clip = self._choose(self._keys(generated), self._groups[generated])
            place = self._random.integers(len(clip.pairs))
            pair, inside = augmented(clip.pairs[place], clip.zones[place], size, how, self._random)
            shown.append(pair)
            zones.append(inside)
            truth.append(float(generated))
        return np.stack(shown), np.stack(zones), np.asarray(truth, np.float32)

    def _keys(self, generated: bool) -> list[tuple[str, ...]]:
        keys = list(self._groups[generated])
        if not generated:
            return keys
        recipe = self._recipes[self._random.integers(len(self._recipes))]
        return [key for key in keys if key[0] == recipe]

    def _choose(self, keys: list[tuple[str, ...]], groups: dict[tuple[str, ...], list[Footage]]) -> Footage:
        group = groups[keys[self._random.integers(len(keys))]]
        return group[self._random.integers(len(group))]
