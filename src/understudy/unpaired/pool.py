"""Poses in bulk: clips without their pictures, brought to one body, and windows drawn from them.

What unpaired learning needs of other people (Ren et al. 2020, section 3.3) is how they move, from as many videos as
there are: the paper has 1,060 of 10 seconds. `gathering.gather` reads them; a pool of that many takes 80 MiB.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from understudy.base.progress import progress_bar
from understudy.errors import PoseError
from understudy.performance import INTERPOLATED, Performance
from understudy.poses.pose import BODY, POINTS, Pose
from understudy.poses.similarity import Similarity
from understudy.retargeting.alignment import Alignment, BodyStatistics, align, body_statistics
from understudy.retargeting.proportions import fit_limbs

KEPT = np.r_[0:23, 91:133]
"""of the 133 points: body, feet and hands; face points are dropped, because no recipe with a pool draws them"""
STEPS_A_TORSO = 1024
"""Points are stored in whole steps of this share of the torso's length; at 60 pixels that is 1/17 of a pixel."""
UNSEEN = np.iinfo(np.int16).min
"""as a stored x: not seen"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class PoseSequence:
    """A clip's poses without its pictures."""

    name: str
    """what to call it in messages"""
    poses: Pose
    status: npt.NDArray[np.uint8]
    """(T,) as in `Performance`: 0 missing, 1 interpolated, 2 found"""
    fps: Fraction

    def __post_init__(self) -> None:
        if self.status.shape != (len(self.poses),):
            raise ValueError(f"{len(self.poses)} poses need as many statuses, not {self.status.shape}")

    def __len__(self) -> int:
        return len(self.poses)

    @classmethod
    def of(cls, performance: Performance) -> PoseSequence:
        """The poses of a performance."""
        return cls(performance.path.name, performance.poses, performance.status, performance.fps)


Poses: TypeAlias = "PoseSequence | Performance"


class PosePool:
    """Windows of many clips' poses, in pixels of one reference's frame.

    Clips keep their own frame rates: a window shows what a driver of that rate would show.

    Example:
        pool = PosePool.of(sequences, body_statistics(reference.poses), consecutive=5, seen_above=0.1)
        xy, seen = pool.draw(np.random.default_rng([seed, step]), count=4)
    """

    def __init__(
        self,
        names: Sequence[str],
        points: npt.NDArray[np.int16],
        starts: npt.NDArray[np.int32],
        first: npt.NDArray[np.int64],
        grid: Similarity,
        consecutive: int,
    ) -> None:
        self.names = tuple(names)
        """of the clips that windows come from"""
        self.consecutive = consecutive
        self._points, self._starts, self._first = points, starts, first
        self._grid = grid
        """from the whole steps that are held to pixels of the reference's frame"""

    @classmethod
    def of(
        cls,
        sequences: Sequence[Poses],
        body: BodyStatistics,
        consecutive: int,
        seen_above: float,
        *,
        fit: bool = False,
    ) -> PosePool:
        """A pool of clips, each brought to the reference's place and size by one similarity (`alignment.align`).

        Clips without a single window, or whose body cannot be measured, are left out with a warning.

        Args:
            sequences: the clips, in the order that draws depend on.
            body: of the reference; its pixels are what draws come in.
            consecutive: N, frames a window; all of them show a person, found or filled in between found ones.
            seen_above: confidence above which a point counts as seen.
            fit: also give limbs the reference's lengths, as performing does with `fit_limbs`.

        Raises:
            PoseError: no clip has a window.
        """
        from understudy.conditioning.clips import windows  # here, because reading poses does without PyTorch

        if not body.torso_length:
            raise ValueError("the reference's torso length is not known")
        grid = Similarity(body.torso_length / STEPS_A_TORSO, body.centre_xy)
        names: list[str] = []
        points: list[npt.NDArray[np.int16]] = []
        starts: list[npt.NDArray[np.int32]] = []
        frames = exchanged = 0
        with progress_bar("aligning poses", len(sequences), "clips") as advance:
            for one in sequences:
                clip = one if isinstance(one, PoseSequence) else PoseSequence.of(one)
                found = windows(_usable(clip, seen_above), consecutive)
                try:
                    if not len(found):
                        raise PoseError(f"it has no {consecutive} frames on end with a person")
                    own = body_statistics(clip.poses)
                    alignment = align(own, body, "body", warn=False)
                    exchanged += alignment.exchange_sides
                except PoseError as error:
                    _log.warning("%s is left out: %s", clip.name, error)
                else:
                    names.append(clip.name)
                    poses = clip.poses
                    if fit:
                        poses = fit_limbs(alignment.of_pose(poses, poses.size_hw), alignment, own, body)
                        alignment = Alignment(1.0, (0.0, 0.0))
                    points.append(_stored(poses, alignment, seen_above, grid))
                    starts.append((found + frames).astype(np.int32))
                    frames += len(clip)
                advance()
        if not names:
            raise PoseError(
                f"none of {len(sequences)} clips of poses shows a person in {consecutive} frames on end: give others "
                "with `unpaired`, or the word choreography"
            )
        if exchanged:
            _log.warning(
                "%d of %d clips only show people from the side that the reference never shows: "
                "their left and right are exchanged",
                exchanged,
                len(names),
            )
        first = np.cumsum([0, *map(len, starts)])
        return cls(names, np.concatenate(points), np.concatenate(starts), first, grid, consecutive)

    def __len__(self) -> int:
        """Clips."""
        return len(self.names)

    @property
    def windows(self) -> int:
        """how many there are to draw, of all clips together"""
        return len(self._starts)

    @property
    def nbytes(self) -> int:
        """of all that is held"""
        return self._points.nbytes + self._starts.nbytes + self._first.nbytes

    def fingerprint(self) -> str:
        """Hash of everything that draws depend on."""
        origin, step = np.array(self._grid.translation_xy, np.float32), np.float32(self._grid.scale)
        digest = hashlib.sha256(f"{self.consecutive} {origin.tolist()} {float(step)}".encode())
        for array in (self._points, self._starts, self._first):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def draw(self, rng: np.random.Generator, count: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        """Windows of N frames: each clip is as likely as any other, long or short, and so is each window within it.

        Returns:
            (count, N, 133, 2) pixels of the reference's frame, 0 where not seen, and (count, N, 133) whether seen; face
            points never are.
        """
        clip = rng.integers(len(self.names), size=count)
        window = rng.integers(self._first[clip], self._first[clip + 1])
        cells = self._points[self._starts[window][:, None] + np.arange(self.consecutive)]  # (count, N, K, 2)
        seen = np.zeros((count, self.consecutive, POINTS), np.bool_)
        seen[..., KEPT] = cells[..., 0] != UNSEEN
        xy = np.zeros((count, self.consecutive, POINTS, 2), np.float32)
        xy[..., KEPT, :] = self._grid.of_points(cells.astype(np.float32))
        xy[~seen] = 0
        return xy, seen


def _usable(clip: PoseSequence, seen_above: float) -> npt.NDArray[np.bool_]:
    """(T,) whether a frame shows a person."""
    seen = np.asarray((clip.poses.confidence[:, BODY] > seen_above).any(axis=1), np.bool_)
    return seen & (clip.status >= INTERPOLATED)


def _stored(pose: Pose, alignment: Alignment, seen_above: float, grid: Similarity) -> npt.NDArray[np.int16]:
    """(T, K, 2) whole steps of `grid`; what lies further out than a picture ever reaches counts as not seen."""
    named = alignment.named(pose)
    steps = (grid.inverse @ alignment).of_points(named.xy[:, KEPT])
    np.rint(steps, out=steps)
    unseen = (named.confidence[:, KEPT] <= seen_above) | (np.abs(steps) > np.iinfo(np.int16).max).any(axis=-1)
    steps[unseen] = UNSEEN
    return steps.astype(np.int16)
