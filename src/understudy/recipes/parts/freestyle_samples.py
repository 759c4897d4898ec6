"""What freestyle reenactment learns from, on disk: a person's views, and what one of them says of another.

One file a person, so that thousands of people never lie in memory at once, and what was computed once serves all three
networks and every resumption. Copies are made when a file is written, since they cost more than a training step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.base.files import load_tensors, save_tensors
from understudy.body.surface_mesh import CHART
from understudy.errors import TrainingError
from understudy.media.images import decoded_image, image_array
from understudy.people.view import View, decoded, encoded
from understudy.recipes.parts.photograph import Photograph

Image = npt.NDArray[np.uint8]

KIND, VERSION = "people", 3
FACING = 0.6
"""odds that a person's looks are taken from the view that shows most of the front, as photographs do"""
STORED_COPIES = 2
"""by surface and by limbs; the copy by colours is made when it is wanted"""


@dataclass(frozen=True, eq=False)
class Pair:
    """A view to be made, and the view that it is to be made of."""

    reference: View
    wanted: View
    copies: Image
    """(2, H, W, 4) premultiplied: `photograph.COPIES` but the colours"""
    copied_labels: Image
    """(H, W): what the reference shows there, as far as it does"""


def photograph_of(view: View) -> Photograph:
    """A view as a photograph: widened to a square, cut out along its labels."""
    height, width = view.labels.shape
    side = max(height, width)
    alpha = cv2.GaussianBlur(255 * (view.labels > 0).astype(np.uint8), (3, 3), 0.7)
    picture = squared(np.dstack([view.frame, alpha]), side)
    xy = view.xy + np.array(offset((height, width), side), np.float32)
    return Photograph(picture, squared(view.labels, side), squared(view.surface, side), xy, view.confidence)


def offset(size_hw: tuple[int, int], side: int) -> tuple[int, int]:
    """x, y of a view's first pixel in the middle of a square."""
    return (side - size_hw[1]) // 2, (side - size_hw[0]) // 2


def squared(picture: Image, side: int) -> Image:
    """(side, side, ...): a view in the middle of a square, nothing around."""
    x, y = offset((picture.shape[0], picture.shape[1]), side)
    wide = np.zeros((side, side, *picture.shape[2:]), np.uint8)
    wide[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
    return wide


def copies_of(photograph: Photograph, view: View) -> tuple[Image, Image]:
    """The photograph in a view's pose: pictures and labels, see `Pair`."""
    height, width = view.labels.shape
    side = photograph.size
    x, y = offset((height, width), side)
    along = photograph.along(view.xy + np.array((x, y), np.float32), view.confidence, squared(view.surface, side))
    copies = photograph.copies(along, squared(view.labels, side))[:STORED_COPIES]
    box = np.s_[..., y : y + height, x : x + width]
    return np.ascontiguousarray(np.moveaxis(np.moveaxis(copies, -1, 0)[box], 0, -1)), along.complete[box].copy()


def drawn_pairs(views: Sequence[View], random: np.random.Generator) -> list[tuple[int, int]]:
    """For every view, the one that it is to be made of: (reference, wanted); a single view is made of itself."""
    front = [int((view.surface[..., 0] == CHART["front"]).sum()) for view in views]
    pairs = []
    for wanted in range(len(views)):
        others = [number for number in range(len(views)) if number != wanted] or [wanted]
        facing = max(others, key=lambda number: front[number])
        pairs.append((facing if random.random() < FACING else int(random.choice(others)), wanted))
    return pairs


def write_person(path: Path, views: Sequence[View], pairs: Sequence[tuple[int, int]]) -> None:
    """One person's file.

    Raises:
        TrainingError: it cannot be written.
    """
    tensors: dict[str, npt.NDArray[Any]] = {"pairs": np.array(pairs, np.int64)}
    for number, view in enumerate(views):
        tensors |= {f"{number}/{name}": value for name, value in encoded(view).items()}
    photographs: dict[int, Photograph] = {}
    for row, (reference, wanted) in enumerate(pairs):
        if reference not in photographs:
            photographs[reference] = photograph_of(views[reference])
        copies, labels = copies_of(photographs[reference], views[wanted])
        for name, copy in zip((*range(STORED_COPIES), "labels"), (*copies, labels), strict=True):
            tensors[f"copies/{row}/{name}"] = image_array(copy)
    save_tensors(path, tensors, {"kind": KIND, "version": VERSION})


class PersonFile:
    """A file of `write_person`, from which pairs are read one at a time.

    Raises:
        TrainingError: it is damaged, or of another version.
    """

    def __init__(self, path: Path) -> None:
        self._tensors, header = load_tensors(path, TrainingError)
        if header.get("kind") != KIND or header.get("version") != VERSION:
            raise TrainingError(f"{path} holds no people of this version: delete its folder, it is made again")
        self._pairs = self._tensors["pairs"]

    def __len__(self) -> int:
        return len(self._pairs)

    def pair(self, number: int, *, shapes: bool = False) -> Pair:
        """One of them; `shapes`: labels, surfaces and points alone, all pictures a single black pixel."""
        reference, wanted = (self._view(int(view), shapes) for view in self._pairs[number])
        labels = _decoded(self._tensors[f"copies/{number}/labels"])
        if shapes:
            return Pair(reference, wanted, np.zeros((STORED_COPIES, 1, 1, 4), np.uint8), labels)
        copies = [_decoded(self._tensors[f"copies/{number}/{kind}"]) for kind in range(STORED_COPIES)]
        return Pair(reference, wanted, np.stack(copies), labels)

    def _view(self, number: int, shapes: bool) -> View:
        return decoded({one.name: self._tensors[f"{number}/{one.name}"] for one in fields(View)}, shapes=shapes)


def _decoded(data: Image) -> Image:
    try:
        return decoded_image(data)
    except ValueError as cause:
        raise TrainingError(f"a file of people cannot be used ({cause}): delete its folder, it is made again") from None
