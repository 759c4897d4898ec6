"""Does coverage predict quality? Aberman et al. 2018 (section 4) say that it does; here it is counted.

What is known before any frame is generated (how far the driver's poses are from the reference's) is correlated with
the errors that were measured afterwards, and so are other things that might tell as much or more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.evaluation.intervals import block_of, spearman_interval
from understudy.evaluation.metrics import UNIT_FRAME, Floats
from understudy.evaluation.results import Coverage, Summary
from understudy.poses.pose import DESCRIPTOR_LIMB_NAMES, Pose
from understudy.retargeting.nearest import nearest_frames
from understudy.retargeting.pose_metrics import descriptor, pose_to_sequence

PER_FRAME = {
    "coverage": "limbs' distance to the reference (eq. 8) and the frame's error",
    "worst_limb": "the worst limb's distance and the frame's error",
    "nearest_frame": "joints' distance to the nearest reference frame and the frame's error",
    "speed": "the driver's speed and the frame's error",
    "unseen": "share of unseen joints and the frame's error",
}
"""what a field of `Predictors` is called where it is correlated with a frame's error"""
LIMBS = "a limb's distance and the error around it, all limbs together"
WITHIN_LIMBS = "a limb's distance and the error around it, within each limb"
"""without what makes forearms differ from trunks"""


@dataclass(frozen=True, eq=False)
class Predictors:
    """What can be known of T driving frames before anything is generated; nan where it is not."""

    coverage: Floats
    """(T,) pose-to-sequence distance, eq. 8, pixels of a 256 frame"""
    limbs: Floats
    """(T, 12) its limbs; nan where not seen, infinite where no frame of the reference shows that limb"""
    nearest_frame: Floats
    """(T,) mean joint distance to the nearest reference frame, pixels of a 256 frame"""
    speed: Floats
    """(T,) mean over joints, pixels of a 256 frame a second; of a step's two frames the later one"""
    unseen: Floats
    """(T,) share of the 18 joints"""

    @property
    def worst_limb(self) -> Floats:
        """(T,) the largest limb distance."""
        known = ~np.isnan(self.limbs)
        largest = np.where(known, self.limbs, -np.inf).max(axis=1)
        worst: Floats = np.where(known.any(axis=1), largest, np.float32(np.nan))
        return worst


def predictors(reference: Pose, driving: Pose, fps: Fraction) -> Predictors:
    """Compares driving poses with all the reference shows.

    Args:
        reference: the poses an actor learnt from.
        driving: the poses he was asked to play, aligned to the reference's frame.
        fps: of the driver.

    Raises:
        ValueError: frames of different sizes, so that the poses were not aligned.
    """
    nearest = nearest_frames(driving, reference)
    distances = pose_to_sequence(descriptor(driving), descriptor(reference))
    unit = UNIT_FRAME / max(driving.size_hw)
    xy, confidence = driving.openpose18()
    seen = confidence > 0
    return Predictors(
        coverage=distances.distance,
        limbs=distances.limb_distance,
        nearest_frame=np.asarray(nearest.distance * unit, np.float32),
        speed=_speed(xy, seen) * np.float32(unit * fps),
        unseen=1 - seen.mean(axis=1, dtype=np.float32),
    )


def _speed(xy: Floats, seen: npt.NDArray[np.bool_]) -> Floats:
    """(T,) pixels a frame; nan for the first frame and where no joint is seen twice."""
    moved = np.linalg.norm(np.diff(xy, axis=0), axis=2)
    both = seen[1:] & seen[:-1]
    speed = np.full(len(xy), np.nan, np.float32)
    known = both.any(axis=1)
    speed[1:][known] = (moved * both).sum(axis=1)[known] / both.sum(axis=1)[known]
    return speed


def correlations(
    predicted: Predictors,
    errors: Sequence[float | None],
    limb_errors: npt.NDArray[np.floating[Any]] | None,
    fps: Fraction,
) -> dict[str, Summary]:
    """Spearman's rho of every predictor with the errors of one method; above 0 = far from the reference goes wrong.

    Args:
        predicted: of T frames.
        errors: T of them, such as `Measure.per_frame["person"]` of the RMSE; None where there is none.
        limb_errors: (T, 12) of `measuring.measure_clip`; None leaves the limbs out.
        fps: sets the blocks that are resampled for the intervals.

    Returns:
        By what is correlated with what, in words: those of `PER_FRAME`, then `LIMBS` and `WITHIN_LIMBS`.

    Raises:
        ValueError: another number of frames.
    """
    block = block_of(fps)
    error = np.array([np.nan if value is None else value for value in errors])
    found = {words: spearman_interval(getattr(predicted, name), error, block) for name, words in PER_FRAME.items()}
    if limb_errors is not None:
        distance, near = np.asarray(predicted.limbs, np.float64), np.asarray(limb_errors, np.float64)
        found[LIMBS] = spearman_interval(distance, near, block)
        known = ~(np.isnan(distance) | np.isnan(near))
        found[WITHIN_LIMBS] = spearman_interval(_within(distance, known), _within(near, known), block)
    return found


def _within(values: npt.NDArray[np.float64], known: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """(T, 12) each limb's values as mid-ranks among its own, between 0 and 1.

    Forearms and trunks differ in distance and in error anyway, and a correlation of that says nothing about frames.
    """
    from scipy.stats import rankdata

    ranks = np.full(values.shape, np.nan)
    for limb, seen in enumerate(known.T):
        if seen.sum() > 1:
            ranks[seen, limb] = (rankdata(values[seen, limb]) - 1) / (seen.sum() - 1)
    return ranks


def coverage_of(
    reference: Pose,
    driving: Pose,
    fps: Fraction,
    errors: Mapping[str, Sequence[float | None]],
    limb_errors: Mapping[str, npt.NDArray[np.floating[Any]]] | None = None,
    gamma: float = 8.0,
) -> Coverage:
    """What goes into the results: distances frame by frame, and what they told of each method's errors.

    Args:
        reference, driving, fps: as for `predictors`.
        errors: by method, T errors of frames.
        limb_errors: by method, (T, 12) errors around limbs; methods may be missing.
        gamma: pixels of a 256 frame, beyond which a limb is unlikely to be reproduced.

    Returns:
        Distances that are infinite, because the reference never shows that limb, are None in it, as those of unseen
        limbs are; the share of frames beyond gamma counts them.
    """
    predicted = predictors(reference, driving, fps)
    seen = ~np.isnan(predicted.limbs)
    beyond = seen & (predicted.limbs > gamma)
    frames = int(seen.any(axis=1).sum())
    near = limb_errors or {}
    return Coverage(
        gamma=gamma,
        share_of_frames=float(beyond.any(axis=1).sum() / frames) if frames else 0.0,
        distance=_listed(predicted.coverage),
        limbs={name: _listed(predicted.limbs[:, limb]) for limb, name in enumerate(DESCRIPTOR_LIMB_NAMES)},
        correlations={
            method: correlations(predicted, values, near.get(method), fps) for method, values in errors.items()
        },
    )


def _listed(values: Floats) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
