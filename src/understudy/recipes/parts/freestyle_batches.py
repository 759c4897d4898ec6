"""Batches for the three networks of freestyle reenactment, out of people's files. Chance depends on the step alone."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from understudy.recipes.parts.freestyle_augmentation import (
    in_other_light,
    mirrored,
    mirrored_labels,
    moved,
    moved_points,
    recoloured,
    recolouring,
    squeezed,
    turning,
)
from understudy.recipes.parts.freestyle_samples import Pair, PersonFile
from understudy.recipes.parts.photograph import palette_of

Image = npt.NDArray[np.uint8]

OPEN_FILES = 24
"""people's files that are kept in memory, of about a megabyte each"""
DEGREES, ZOOM = 10.0, 0.15
"""of the rotation and scale of inputs and output (Gafni et al. 2021, section 3.1.1, which prints no numbers)"""
SQUEEZE = 0.3
"""widths of label maps are multiplied by 1 / (1 + this) to 1 + this"""
SQUEEZED, RECOLOURED, WITHOUT = 0.7, 0.35, 0.12
"""odds of a squeeze, of another light, and of missing one of the copies"""


@dataclass(frozen=True)
class PersonFiles:
    """People's files of a folder, read when asked for.

    Attributes:
        paths: of the files.
        pairs: in each file.
    """

    paths: Sequence[Path]
    pairs: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "_open", OrderedDict())

    def pair(self, number: int) -> Pair:
        """One of `len(self)` pairs."""
        path = self.paths[number // self.pairs]
        opened: OrderedDict[Path, PersonFile] = self._open  # type: ignore[attr-defined]
        if path not in opened:
            opened[path] = PersonFile(path)
            if len(opened) > OPEN_FILES:
                opened.popitem(last=False)
        person = opened[path]
        return person.pair(number % self.pairs % len(person))

    def __len__(self) -> int:
        return len(self.paths) * self.pairs


def varied_shape(pair: Pair, random: np.random.Generator) -> Pair:
    """A pair for the label network: mirrored, turned and zoomed as a whole, the label maps alone squeezed."""
    if random.random() < 0.5:
        pair = mirrored_pair(pair)
    height, width = pair.wanted.labels.shape
    matrix, own = (turning(random, (height, width), DEGREES, ZOOM) for _ in range(2))
    share = (1 + SQUEEZE) ** random.uniform(-1, 1) if random.random() < SQUEEZED else 1.0
    wanted, reference = pair.wanted, pair.reference
    return Pair(
        replace(reference, labels=moved(squeezed(reference.labels, share), own)),
        replace(
            wanted,
            labels=moved(squeezed(wanted.labels, share), matrix),
            surface=moved(wanted.surface, matrix),
            xy=moved_points(wanted.xy, matrix),
        ),
        pair.copies,
        moved(squeezed(pair.copied_labels, share), matrix),
    )


def varied_looks(pair: Pair, random: np.random.Generator) -> Pair:
    """A pair for the frame network: mirrored, in another light, and sometimes without one of the copies."""
    if random.random() < 0.5:
        pair = mirrored_pair(pair)
    table = recolouring(random, RECOLOURED)
    copies = np.stack([recoloured(copy, table) for copy in pair.copies])
    if random.random() < WITHOUT:
        copies[int(random.integers(len(copies)))] = 0
    return Pair(in_other_light(pair.reference, table), in_other_light(pair.wanted, table), copies, pair.copied_labels)


def mirrored_pair(pair: Pair) -> Pair:
    """Both views and all copies in a mirror."""
    copies = np.ascontiguousarray(pair.copies[:, :, ::-1])
    return Pair(mirrored(pair.reference), mirrored(pair.wanted), copies, mirrored_labels(pair.copied_labels))


def all_copies(pair: Pair) -> Image:
    """(3, H, W, 4) premultiplied: `photograph.COPIES`."""
    palette = palette_of(pair.reference.frame, pair.reference.labels)
    labels = pair.wanted.labels
    colours = np.dstack([palette[labels], np.full(labels.shape, 255, np.uint8)]) * (labels > 0)[..., None]
    return np.concatenate([pair.copies, colours[None].astype(np.uint8)])


def at_size(picture: Image, size_hw: tuple[int, int]) -> Image:
    """Labels or a surface map at another size, nothing mixed."""
    if picture.shape[:2] == size_hw:
        return picture
    return np.asarray(cv2.resize(picture, size_hw[::-1], interpolation=cv2.INTER_NEAREST), np.uint8)
