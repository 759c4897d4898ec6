"""What the three trainings of freestyle reenactment are fed with, out of people's files; chance depends on the step."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from understudy.conditioning.pictures import as_values, pixels
from understudy.conditioning.stick_figure import palette as stick_palette
from understudy.conditioning.stick_figure import stick_figures
from understudy.poses.pose import FACE
from understudy.poses.similarity import Similarity
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
    without_hands,
)
from understudy.recipes.parts.freestyle_batches import B2FBatch, Batches, FRBatch, P2BBatch
from understudy.recipes.parts.freestyle_reenactment_config import B2F, FR, NAMES, P2B, Config
from understudy.recipes.parts.freestyle_samples import Pair, PersonFile
from understudy.recipes.parts.photograph import in_colours, palette_of
from understudy.recipes.parts.segments import segments_of
from understudy.tracking.face import WIDE, aligned, face_labels, face_matrix
from understudy.training.chance import Chance

Image = npt.NDArray[np.uint8]
Painter = Callable[[B2FBatch], Tensor]
"""a batch -> f^0 `(B, 3, H, W)` in [-1, 1]"""

VARIED = 10
"""stream of random numbers of all variations; the networks' own are 1 to 3"""
THICKNESS = 1 / 100
"""of the picture's height: of the stick figure's limbs"""
AROUND_FACE = 0.15
"""of a face's size, beyond its points"""

OPEN_FILES = 24
"""people's files that are kept in memory, of about a megabyte each"""
DEGREES, ZOOM = 10.0, 0.15
"""of the rotation and scale of inputs and output (Gafni et al. 2021, section 3.1.1, which prints no numbers)"""
SQUEEZED, RECOLOURED, WITHOUT = 0.7, 0.35, 0.12
"""odds of a squeeze, of another light, and of missing one of the copies"""


class PersonFiles:
    """People's files of a folder, read when asked for.

    Args:
        paths: of the files.
        pairs: in each file.
    """

    def __init__(self, paths: Sequence[Path], pairs: int) -> None:
        self.paths, self.pairs = paths, pairs
        self._open: OrderedDict[Path, PersonFile] = OrderedDict()

    def pair(self, number: int, *, shapes: bool = False) -> Pair:
        """One of `len(self)` pairs; `shapes`: without pictures, see `PersonFile.pair`."""
        path = self.paths[number // self.pairs]
        if path not in self._open:
            self._open[path] = PersonFile(path)
            if len(self._open) > OPEN_FILES:
                self._open.popitem(last=False)
        person = self._open[path]
        return person.pair(number % self.pairs % len(person), shapes=shapes)

    def __len__(self) -> int:
        return len(self.paths) * self.pairs


def varied_shape(pair: Pair, random: np.random.Generator, squeeze: float) -> Pair:
    """A pair for the label network: mirrored, turned and zoomed as a whole, the label maps alone squeezed."""
    if random.random() < 0.5:
        pair = mirrored_pair(pair)
    height, width = pair.wanted.labels.shape
    matrix, own = (turning(random, (height, width), DEGREES, ZOOM) for _ in range(2))
    share = (1 + squeeze) ** random.uniform(-1, 1) if random.random() < SQUEEZED else 1.0
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
    return np.concatenate([pair.copies, in_colours(palette, pair.wanted.labels)[None]])


def _without_hands(pair: Pair) -> Pair:
    reference, wanted = (replace(view, labels=without_hands(view.labels)) for view in (pair.reference, pair.wanted))
    return Pair(reference, wanted, pair.copies, without_hands(pair.copied_labels))


class PeopleBatches:
    """What the three trainings of `freestyle_training` are fed with; see `Batches` there.

    Args:
        people: files of pairs.
        config: of the recipe.
        seed: of everything random.
        painter: B2F as it was trained, for the faces that FR learns from: `painted(batch)` -> f^0; None before that.
    """

    def __init__(self, people: PersonFiles, config: Config, seed: int, painter: Painter | None = None) -> None:
        self.people, self.config, self.chance, self.painter = people, config, Chance(seed), painter

    def p2b(self, step: int) -> P2BBatch:
        """See `Batches.p2b`."""
        pairs = [
            varied_shape(pair, random, self.config.squeeze) for pair, random in self._drawn(P2B, step, shapes=True)
        ]
        wanted = [pair.wanted for pair in pairs]
        return P2BBatch(
            person_labels=_stacked(pair.reference.labels for pair in pairs),
            surface=surface_values(_stacked(view.surface for view in wanted)) * self.config.dense,
            stick=sticks(
                np.stack([view.xy for view in wanted]),
                np.stack([view.confidence for view in wanted]),
                wanted[0].labels.shape,
                self.config.p2b_shrink,
            ),
            labels=_stacked(view.labels for view in wanted),
            copied_labels=_stacked(pair.copied_labels for pair in pairs) if self.config.copies else None,
        )

    def b2f(self, step: int) -> B2FBatch:
        """See `Batches.b2f`."""
        pairs = [varied_looks(pair, random) for pair, random in self._drawn(B2F, step)]
        return self._looks(pairs)

    def fr(self, step: int) -> FRBatch:
        """See `Batches.fr`."""
        assert self.painter is not None, "B2F comes first"
        pairs = [varied_looks(pair, random) for pair, random in self._drawn(FR, step)]
        painted = pixels(self.painter(self._looks(pairs)))
        every = [_faces(pair, picture) for pair, picture in zip(pairs, painted, strict=True)]
        # Batch normalisation sees a whole batch: who shows no face gives way to others
        seen = [face for face in every if face[3]] or every
        faces = [seen[number % len(seen)] for number in range(len(every))]
        made, truth, reference = (
            as_values(torch.from_numpy(np.stack([face[kind] for face in faces]))).permute(0, 3, 1, 2)
            for kind in range(3)
        )
        return FRBatch(made, truth, reference, torch.tensor([float(face[3]) for face in faces]))

    def _looks(self, pairs: Sequence[Pair]) -> B2FBatch:
        wanted, size_hw = [pair.wanted for pair in pairs], pairs[0].wanted.labels.shape
        segments = np.stack([segments_of(pair.reference.frame, pair.reference.labels) for pair in pairs])
        copied = None
        if self.config.copies:
            copied = torch.from_numpy(np.stack([all_copies(pair) for pair in pairs])).permute(0, 1, 4, 2, 3) / 255
        return B2FBatch(
            labels=_stacked(view.labels for view in wanted),
            face_labels=_stacked(face_labels(view.xy, view.confidence, (size_hw[0], size_hw[1])) for view in wanted),
            segments=as_values(torch.from_numpy(segments)).permute(0, 1, 4, 2, 3),
            frame=as_values(_stacked(view.frame for view in wanted)).permute(0, 3, 1, 2),
            background=as_values(_stacked(view.background for view in wanted)).permute(0, 3, 1, 2),
            others=(_stacked(view.others for view in wanted)[:, None] > 127).float(),
            face_box=torch.tensor([face_box(view.xy, view.confidence) for view in wanted]),
            copied=copied,
        )

    def _drawn(self, name: str, step: int, shapes: bool = False) -> Iterator[tuple[Pair, np.random.Generator]]:
        stream = 1 + NAMES.index(name)
        random = self.chance.generator(VARIED, step, stream)
        for place in self.chance.draw(stream, step, self.config.batch_of(name), len(self.people)):
            pair = self.people.pair(int(place), shapes=shapes)
            yield (pair if self.config.hands else _without_hands(pair)), random


class BatchesAhead:
    """The same batches, each made while the step before is trained: decoding costs a third of a step.

    Args:
        batches: what makes them.
    """

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._pool = ThreadPoolExecutor(1, "batches")
        self._coming: dict[tuple[str, int], Future[Any]] = {}

    def p2b(self, step: int) -> P2BBatch:
        """See `Batches.p2b`."""
        return self._taken("p2b", step)  # type: ignore[no-any-return]

    def b2f(self, step: int) -> B2FBatch:
        """See `Batches.b2f`."""
        return self._taken("b2f", step)  # type: ignore[no-any-return]

    def fr(self, step: int) -> FRBatch:
        """See `Batches.fr`."""
        return self._taken("fr", step)  # type: ignore[no-any-return]

    def close(self) -> None:
        """Ends the thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _taken(self, name: str, step: int) -> Any:
        coming = self._coming.pop((name, step), None)
        made = coming.result() if coming else getattr(self._batches, name)(step)
        self._coming = {(name, step + 1): self._pool.submit(getattr(self._batches, name), step + 1)}
        return made


def sticks(
    xy: npt.NDArray[np.float32], confidence: npt.NDArray[np.float32], size_hw: tuple[int, ...], shrink: int
) -> Tensor:
    """Points (B, 133, 2) in pixels of H x W and confidence (B, 133) -> (B, 3, H / shrink, W / shrink): P^S, -1 to 1."""
    height, width = (side // shrink for side in size_hw)
    colours = as_values(torch.from_numpy(stick_palette()))
    smaller = np.asarray(Similarity.resized(1 / shrink).of_points(xy), np.float32)
    seen = torch.from_numpy(confidence) > 0
    return stick_figures(torch.from_numpy(smaller), seen, colours, (height, width), height * THICKNESS)


def surface_values(surface: Tensor) -> Tensor:
    """Surface maps (B, H, W, 3) uint8 -> (B, 3, H, W) in [0, 1]: P^D."""
    return surface.permute(0, 3, 1, 2).float() / torch.tensor([24.0, 255.0, 255.0]).view(1, 3, 1, 1)


def _stacked(maps: Iterable[Image]) -> Tensor:
    return torch.from_numpy(np.stack(list(maps)))


def face_box(xy: npt.NDArray[np.float32], confidence: npt.NDArray[np.float32]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom in pixels: a face's points, and forehead and chin; all 0 where none is seen."""
    if face_matrix(xy, confidence) is None:
        return 0.0, 0.0, 0.0, 0.0
    points = xy[FACE][confidence[FACE] > 0] if (confidence[FACE] > 0).sum() >= 8 else xy[:5][confidence[:5] > 0]
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    more = AROUND_FACE * max(right - left, bottom - top)
    return float(left - more), float(top - 2 * more), float(right + more), float(bottom + more)


def _faces(pair: Pair, painted: Image) -> tuple[Image, Image, Image, bool]:
    """c^0 of what was painted, the same of the true frame, c_I; and whether all of them show a face."""
    wanted, reference = pair.wanted, pair.reference
    there, here = (face_matrix(view.xy, view.confidence) for view in (wanted, reference))
    if there is None or here is None:
        nothing = np.zeros((WIDE, WIDE, 3), np.uint8)
        return nothing, nothing, nothing, False
    person = (wanted.labels > 0)[..., None]
    truth = np.where(person, wanted.frame, painted)
    return aligned(painted, there), aligned(truth, there), aligned(reference.frame, here), True
