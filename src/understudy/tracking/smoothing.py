"""The One Euro filter over poses: a point at rest stops trembling, a fast one is hardly touched.

Source: Casiez, Roussel, Vogel: "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive
Systems", CHI 2012. Numbers in brackets are those of its equations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from understudy.poses.pose import BODY, FloatArray, Pose
from understudy.retargeting.shots import size_jumps


@dataclass(frozen=True)
class OneEuro:
    """How strongly to smooth. Speeds are in person heights, so that the same numbers fit every size and distance.

    On made-up motion with jitter of 0.3 % of the person's height (what trackers give), these defaults applied in both
    directions left an error of 0.10 % at rest and 0.38 % in limbs that swing at 1.2 Hz; in one direction only, as for
    a live picture, the fast limbs lag behind by 0.98 %.
    """

    min_cutoff: float = 1.0
    """Hz; cutoff at rest: lower is calmer. 1 Hz is the paper's starting point; `math.inf` switches smoothing off"""
    beta: float = 20.0
    """Hz per (person height / second): how quickly the cutoff rises with speed; higher lags less"""
    derivative_cutoff: float = 1.0
    """Hz; cutoff of the speed estimate itself, 1 Hz as in the paper"""

    def __post_init__(self) -> None:
        if self.min_cutoff <= 0 or self.beta < 0 or self.derivative_cutoff <= 0:
            raise ValueError(f"cutoffs must be above 0 Hz and beta at least 0, not {self}")


class OneEuroFilter:
    """Smooths J points frame by frame, in the order of time; keeps only the last frame.

    A point that is not seen is passed through and forgotten: it starts afresh where it is seen again, so that nothing
    is dragged from one side of a gap to the other.
    """

    def __init__(self, fps: Fraction, unit: float, settings: OneEuro = OneEuro()) -> None:
        """
        Args:
            fps: frames per second.
            unit: pixels per unit of speed: the person's height in the picture.
            settings: how strongly.

        Raises:
            ValueError: a rate or unit that is not above 0.
        """
        if fps <= 0 or unit <= 0:
            raise ValueError(f"fps and unit must be above 0, not {fps} and {unit}")
        self._step = float(1 / Fraction(fps))
        self._unit = unit
        self._settings = settings
        self._xy: FloatArray | None = None
        self._speed: FloatArray | None = None
        self._seen: npt.NDArray[np.bool_] | None = None

    def __call__(self, xy: FloatArray, seen: npt.NDArray[np.bool_], seconds: float | None = None) -> FloatArray:
        """The smoothed points of the next frame: (J, 2) pixels and (J,) seen -> (J, 2) pixels.

        Args:
            xy, seen: of the frame.
            seconds: since the frame before, where they do not come at one rate; None: as `fps` says.
        """
        if seconds is not None:
            self._step = max(seconds, 1e-3)
        if self._xy is None or self._speed is None or self._seen is None:
            smooth, speed = xy.copy(), np.zeros_like(xy)
        else:
            known = (seen & self._seen)[:, None]
            smooth, speed = self._step_of(xy, self._xy, self._speed)
            smooth, speed = np.where(known, smooth, xy), np.where(known, speed, np.float32(0))
        self._xy, self._speed, self._seen = smooth, speed, seen.copy()
        return np.asarray(smooth.copy())

    def _step_of(self, xy: FloatArray, last_xy: FloatArray, last_speed: FloatArray) -> tuple[FloatArray, FloatArray]:
        settings = self._settings
        raw_speed = (xy - last_xy) / np.float32(self._step * self._unit)
        speed = last_speed + _alpha(np.float32(settings.derivative_cutoff), self._step) * (raw_speed - last_speed)
        # x and y share one cutoff: a cutoff each would bend diagonal movements towards the axes
        magnitude = np.linalg.norm(speed, axis=-1, keepdims=True)
        cutoff = np.float32(settings.min_cutoff) + np.float32(settings.beta) * magnitude  # (5)
        return last_xy + _alpha(cutoff, self._step) * (xy - last_xy), speed  # (1)


def smooth_shots(pose: Pose, fps: Fraction, settings: OneEuro = OneEuro()) -> Pose:
    """As `smooth_pose`, but where the camera cuts or its zoom jumps, each side by itself: nobody moved there."""
    cuts = [0, *(jump.frame for jump in size_jumps(pose)), len(pose)]
    shots = [smooth_pose(pose[begin:end], fps, settings) for begin, end in pairwise(cuts)]
    return Pose.concatenate(shots) if len(shots) > 1 else shots[0]


def smooth_pose(pose: Pose, fps: Fraction, settings: OneEuro = OneEuro()) -> Pose:
    """Smooths a whole clip without making it late; confidence and missing points stay as they are.

    The filter runs once forwards and once backwards in time and the two are averaged, because the lags of the two
    directions cancel. Fill short gaps before: every point starts afresh after a frame in which it is not seen.

    Args:
        pose: T frames.
        fps: frames per second.
        settings: how strongly; `OneEuro(min_cutoff=math.inf)` changes nothing.

    Raises:
        ValueError: a rate that is not above 0.
    """
    unit = person_height(pose)
    if len(pose) < 2 or unit == 0 or math.isinf(settings.min_cutoff):
        return pose
    seen = pose.confidence > 0
    forwards = _run(pose.xy, seen, OneEuroFilter(fps, unit, settings))
    backwards = _run(pose.xy[::-1], seen[::-1], OneEuroFilter(fps, unit, settings))[::-1]
    return Pose((forwards + backwards) / np.float32(2), pose.confidence, pose.size_hw)


def person_height(pose: Pose) -> float:
    """Pixels: the median over the frames of the longer side of the box around the body joints seen; 0 for nobody."""
    seen = pose.confidence[:, BODY, None] > 0
    xy = pose.xy[:, BODY]
    low = np.where(seen, xy, np.inf).min(axis=1)
    high = np.where(seen, xy, -np.inf).max(axis=1)
    found = pose.found
    if not found.any():
        return 0.0
    return float(np.median((high[found] - low[found]).max(axis=1)))


def _run(xy: FloatArray, seen: npt.NDArray[np.bool_], step: OneEuroFilter) -> FloatArray:
    return np.stack([step(xy_t, seen_t) for xy_t, seen_t in zip(xy, seen, strict=True)])


def _alpha(cutoff: npt.NDArray[np.float32] | np.float32, step: float) -> npt.NDArray[np.float32]:
    """(3) the weight of the new sample, for a cutoff in Hz and a time step in seconds; (4) tau = 1 / (2 pi cutoff)."""
    ratio = np.asarray(cutoff, np.float32) * np.float32(2 * math.pi * step)
    weight: npt.NDArray[np.float32] = ratio / (1 + ratio)
    return weight
