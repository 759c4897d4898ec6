"""How well a reference covers a driver, measured on poses alone: eq. 8 of Aberman et al. 2018, section 4, limb by limb.

A network with a patch discriminator puts a frame together from parts it has seen, so what counts is whether each limb
of the driver occurs somewhere in the reference with about that length and direction, wherever in the frame.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from understudy.covering.shot_list import Shot, shot_list
from understudy.errors import PoseError
from understudy.poses.pose import DESCRIPTOR_LIMB_NAMES, FloatArray, Pose
from understudy.retargeting.alignment import Alignment, ScaleBy, align, body_statistics
from understudy.retargeting.pose_metrics import UNIT_FRAME, Descriptor, descriptor, pose_to_pose, pose_to_sequence
from understudy.retargeting.shots import as_one_shot

WORST_FRAMES = 6
WORST_FRAMES_APART = 0.5
"""seconds: a bad second is one entry of the list of worst frames, not sixty"""


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
        return np.asarray(~np.isnan(self.limb_distance).all(axis=1), np.bool_)

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
    driving = as_one_shot(driving)
    found = align(body_statistics(driving), body_statistics(reference), scale_by)
    alignment = replace(found, exchange_sides=False)  # what is missing is asked for as the driver does it
    aligned = alignment.of_pose(driving, reference.size_hw)
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
