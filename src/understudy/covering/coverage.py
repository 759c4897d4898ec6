"""How well a reference covers a driver: the pose metrics of Aberman et al. 2018, section 4.

A network with a patch discriminator puts a frame together from parts it has seen, so what counts is whether each limb
of the driver occurs somewhere in the reference with about that length and direction, wherever in the frame.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from understudy.covering.shot_list import Shot, shot_list
from understudy.errors import PoseError, UsageError
from understudy.poses.pose import DESCRIPTOR_LIMB_NAMES, DESCRIPTOR_LIMBS, FloatArray, Pose
from understudy.retargeting.alignment import Alignment, ScaleBy, align, body_statistics

if TYPE_CHECKING:
    from understudy.performance import Performance

LIMBS = len(DESCRIPTOR_LIMBS)
UNIT_FRAME = 256
"""Displacements are given in pixels of a frame whose longer side has this many pixels, as in the paper."""
FRAMES_AT_ONCE = 16
"""driving frames compared at a time: keeps the working arrays in the processor's cache, and memory small"""
WORST_FRAMES = 6
WORST_FRAMES_APART = 0.5
"""seconds: a bad second is one entry of the list of worst frames, not sixty"""


class Descriptor(NamedTuple):
    """Skeleton descriptors of T frames: where each limb ends as seen from where it begins."""

    displacement: FloatArray
    """(T, 12, 2) x to the right, y down, in pixels of a 256 frame; without meaning where not seen"""
    seen: npt.NDArray[np.bool_]
    """(T, 12) true where both ends of the limb are seen"""


def descriptor(pose: Pose) -> Descriptor:
    """The 12-limb descriptor of section 4, in the order of `pose.DESCRIPTOR_LIMBS`.

    It does not change when the person moves about in the frame. Its unit is a pixel of a frame whose longer side is
    256, whatever the size of `pose`'s frame, so that the paper's threshold gamma = 8 keeps its meaning.
    """
    xy, confidence = pose.openpose18()
    start, end = np.array(DESCRIPTOR_LIMBS).T
    unit = np.float32(UNIT_FRAME / max(pose.size_hw))
    return Descriptor((xy[:, end] - xy[:, start]) * unit, np.minimum(confidence[:, start], confidence[:, end]) > 0)


def pose_to_pose(a: Descriptor, b: Descriptor) -> FloatArray:
    """Eq. 7: the mean over limbs of the distance between the limbs of each frame of `a` and each frame of `b`.

    Returns:
        (len(a), len(b)) in pixels of a 256 frame, over the limbs seen in both; nan where they share none. Meant for a
        few frames against many: for 10,000 against 10,000 this matrix is 400 MB.
    """
    shared = a.seen.astype(np.float32) @ b.seen.T.astype(np.float32)
    total = np.zeros_like(shared)
    for limb in range(LIMBS):
        apart = np.square(a.displacement[:, limb, :1] - b.displacement[:, limb, 0])
        apart += np.square(a.displacement[:, limb, 1:] - b.displacement[:, limb, 1])
        np.sqrt(apart, out=apart)
        total += np.where(a.seen[:, limb, None] & b.seen[:, limb], apart, 0)
    distance: FloatArray = np.where(shared > 0, total / np.maximum(shared, 1), np.float32(np.nan))
    return distance


class SequenceDistance(NamedTuple):
    """How far the limbs of T driving frames are from the nearest ones of a reference."""

    distance: FloatArray
    """(T,) eq. 8: mean over limbs, in pixels of a 256 frame; nan where there is no limb to compare"""
    limb_distance: FloatArray
    """(T, 12) nan where the limb is not seen; infinite where no frame of the reference shows that limb"""
    frame: npt.NDArray[np.intp]
    """(T, 12) the reference frame with the nearest such limb; -1 where there is none"""


def pose_to_sequence(
    driving: Descriptor, reference: Descriptor, *, frames_at_once: int = FRAMES_AT_ONCE
) -> SequenceDistance:
    """Eq. 8: for each limb of each driving frame, the nearest limb of the same name in the whole reference.

    A limb that the driving frame does not show is left out of its mean; so is one that no reference frame shows, which
    would make it infinite (`limb_distance` says so instead). Exact: every pair is compared, in blocks.
    """
    frames = len(driving.seen)
    limb_distance = np.full((frames, LIMBS), np.nan, np.float32)
    nearest = np.full((frames, LIMBS), -1, np.intp)
    for limb in range(LIMBS):
        here = np.flatnonzero(driving.seen[:, limb])
        there = np.flatnonzero(reference.seen[:, limb])
        if not len(there):
            limb_distance[here, limb] = np.inf
            continue
        best, apart = _nearest(driving.displacement[here, limb], reference.displacement[there, limb], frames_at_once)
        limb_distance[here, limb] = apart
        nearest[here, limb] = there[best]
    counted = np.isfinite(limb_distance)
    total = np.where(counted, limb_distance, 0).sum(axis=1)
    count = counted.sum(axis=1)
    distance = np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
    return SequenceDistance(distance, limb_distance, nearest)


def _nearest(points: FloatArray, among: FloatArray, points_at_once: int) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """For each of (N, 2) points the index of the nearest of (M, 2), and its distance."""
    x, y = np.ascontiguousarray(among[:, 0]), np.ascontiguousarray(among[:, 1])
    best = np.empty(len(points), np.intp)
    apart = np.empty(len(points), np.float32)
    for start in range(0, len(points), points_at_once):
        block = points[start : start + points_at_once]
        squared = np.square(block[:, :1] - x)
        squared += np.square(block[:, 1:] - y)
        index = squared.argmin(axis=1)
        best[start : start + points_at_once] = index
        apart[start : start + points_at_once] = np.sqrt(np.take_along_axis(squared, index[:, None], axis=1)[:, 0])
    return best, apart


@dataclass(frozen=True)
class WorstFrame:
    """A driving frame that the reference covers badly."""

    frame: int
    """index into the driving performance"""
    seconds: float
    distance: float
    """eq. 8, pixels of a 256 frame"""
    uncovered: tuple[int, ...]
    """the limbs beyond gamma, indices into `pose.DESCRIPTOR_LIMBS`"""
    reference_frame: int
    """the reference frame with the smallest pose-to-pose distance (eq. 7)"""
    reference_distance: float
    """that distance, pixels of a 256 frame"""


@dataclass(frozen=True, eq=False)
class Coverage:
    """What `coverage` found. T is the number of driving frames; distances are in pixels of a 256 frame."""

    reference: str
    driving: str
    fps: Fraction
    """of the driver"""
    gamma: float
    alignment: Alignment
    distance: FloatArray
    """(T,) eq. 8; nan where nobody is seen"""
    limb_distance: FloatArray
    """(T, 12) see `SequenceDistance`"""
    never_filmed: tuple[int, ...]
    """limbs that the driver shows and no frame of the reference does"""
    worst: tuple[WorstFrame, ...]
    """worst first, at least half a second apart; only frames with a limb beyond gamma"""
    shots: tuple[Shot, ...]
    """what to film, most useful first"""

    @property
    def uncovered(self) -> npt.NDArray[np.bool_]:
        """(T, 12) true where the limb is seen and farther than gamma from all the reference shows."""
        return self.limb_distance > self.gamma  # nan compares as false

    @property
    def compared(self) -> npt.NDArray[np.bool_]:
        """(T,) true where at least one limb of the driver is seen: the shares below are shares of these frames."""
        seen: npt.NDArray[np.bool_] = ~np.isnan(self.limb_distance).all(axis=1)
        return seen

    @property
    def share_of_frames(self) -> float:
        """Share of driving frames with at least one limb beyond gamma, in [0, 1]."""
        return float(self.uncovered.any(axis=1).sum() / self.compared.sum())

    @property
    def share_per_limb(self) -> dict[str, float]:
        """For each limb the share, among the frames that show it, in which it is beyond gamma; nan = never shown."""
        shown = (~np.isnan(self.limb_distance)).sum(axis=0)
        beyond = self.uncovered.sum(axis=0)
        return {
            name: float(beyond[limb] / shown[limb]) if shown[limb] else float("nan")
            for limb, name in enumerate(DESCRIPTOR_LIMB_NAMES)
        }

    def summary(self) -> str:
        """The result in a few lines of text."""
        lines = [
            f"{self.share_of_frames:.0%} of the driver's {self.compared.sum()} frames show a limb as {self.reference} "
            f"never shows it (farther than {self.gamma:g} pixels of a {UNIT_FRAME} frame)",
        ]
        missed = sorted(((share, name) for name, share in self.share_per_limb.items() if share > 0), reverse=True)
        if missed:
            lines.append("most often missed: " + ", ".join(f"{name} {share:.0%}" for share, name in missed[:5]))
        if self.shots:
            lines.append("to cover this driver, film (left and right are the person's own):")
            lines += [f"  {number}. {shot.line()}" for number, shot in enumerate(self.shots, 1)]
            lines.append(f"with all of these filmed, {self.shots[-1].left:.0%} of the frames would still have a gap")
        return "\n".join(lines)


def coverage(
    reference: Performance | str | os.PathLike[str],
    driving: Performance | str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    gamma: float = 8.0,
    *,
    scale_by: ScaleBy = "body",
) -> Coverage:
    """Says how much of a driver's motion a reference can be expected to reproduce, and what to film for the rest.

    Args:
        reference: performance or video of the person. Videos are tracked first (and remembered).
        driving: performance or video of the motion.
        output: where to write the report, one HTML file; None = no report.
        gamma: a limb farther than this from all that the reference shows is unlikely to be reproduced; pixels of a
            256 frame (the paper takes 8).
        scale_by: how the driver is scaled, see `alignment.align`.

    Raises:
        UsageError: gamma is not above 0, or output does not end in .html.
        PoseError: one of the two never shows a whole torso.

    Example:
        found = coverage("me.mp4", "dance.mp4", "report.html")
        print(found.summary())
    """
    if not gamma > 0:
        raise UsageError(f"--gamma must be above 0 pixels, not {gamma:g}")
    if output is not None and Path(output).suffix.lower() not in (".html", ".htm"):
        raise UsageError(
            f"the coverage report is a web page: name it {Path(output).stem or 'report'}.html, not {output}"
        )
    reference, driving = _performance(reference), _performance(driving)
    found = measure(
        reference.poses,
        driving.poses,
        driving.fps,
        gamma,
        scale_by=scale_by,
        reference_name=reference.header.source_name,
        driving_name=driving.header.source_name,
    )
    if output is not None:
        from understudy.covering.report import write_report

        write_report(found, reference, driving, output)
    return found


def _performance(given: Performance | str | os.PathLike[str]) -> Performance:
    from understudy.performance import Performance

    if isinstance(given, Performance):
        return given
    from understudy.tracking.track import tracked

    return tracked(given)


def measure(
    reference: Pose,
    driving: Pose,
    fps: Fraction,
    gamma: float = 8.0,
    *,
    scale_by: ScaleBy = "body",
    reference_name: str = "the reference",
    driving_name: str = "the driver",
) -> Coverage:
    """As `coverage`, on poses alone; each in its own frame, `fps` is the driver's."""
    found = align(body_statistics(driving), body_statistics(reference), scale_by)
    alignment = replace(found, exchange_sides=False)  # what is missing is asked for as the driver does it
    aligned = alignment.apply_to_pose(driving, reference.size_hw)
    driving_limbs, reference_limbs = descriptor(aligned), descriptor(reference)
    if not driving_limbs.seen.any():
        raise PoseError(f"{driving_name} shows no limb in any of {len(driving)} frames: choose another driver")
    distances = pose_to_sequence(driving_limbs, reference_limbs)
    uncovered = distances.limb_distance > gamma
    return Coverage(
        reference=reference_name,
        driving=driving_name,
        fps=fps,
        gamma=gamma,
        alignment=alignment,
        distance=distances.distance,
        limb_distance=distances.limb_distance,
        never_filmed=tuple(int(limb) for limb in np.flatnonzero(np.isinf(distances.limb_distance).any(axis=0))),
        worst=_worst_frames(distances.distance, uncovered, driving_limbs, reference_limbs, fps),
        shots=shot_list(aligned, reference, driving_limbs, reference_limbs, distances.frame, uncovered, fps),
    )


def _worst_frames(
    distance: FloatArray,
    uncovered: npt.NDArray[np.bool_],
    driving: Descriptor,
    reference: Descriptor,
    fps: Fraction,
) -> tuple[WorstFrame, ...]:
    candidates = np.flatnonzero(uncovered.any(axis=1) & np.isfinite(distance))
    chosen: list[int] = []
    for frame in candidates[np.argsort(-distance[candidates], kind="stable")]:
        if all(abs(int(frame) - other) >= WORST_FRAMES_APART * fps for other in chosen):
            chosen.append(int(frame))
        if len(chosen) == WORST_FRAMES:
            break
    if not chosen:
        return ()
    apart = pose_to_pose(Descriptor(driving.displacement[chosen], driving.seen[chosen]), reference)
    nearest = np.nanargmin(apart, axis=1)
    return tuple(
        WorstFrame(
            frame=frame,
            seconds=float(frame / fps),
            distance=float(distance[frame]),
            uncovered=tuple(int(limb) for limb in np.flatnonzero(uncovered[frame])),
            reference_frame=int(nearest[row]),
            reference_distance=float(apart[row, nearest[row]]),
        )
        for row, frame in enumerate(chosen)
    )
