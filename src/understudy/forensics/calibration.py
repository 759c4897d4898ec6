"""From what a detector says of pairs of frames to a probability that a video was generated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


def sum_of_log_odds(log_odds: npt.NDArray[Any]) -> float:
    """Above 0: generated. The paper's product of probabilities, prod p against prod (1 - p), in logarithms."""
    return float(np.asarray(log_odds, np.float64).sum())


@dataclass(frozen=True)
class Calibration:
    """From log-odds of pairs to a probability that a video was generated, if half of all videos were.

    probability = sigmoid(m * min(1, t / seconds) / temperature), m the mean log-odds of the video's pairs and t its
    length: the sum over pairs, brought to the scale on which clips that were not trained on were right as often as
    they were sure. Longer videos than those give no more certainty, because nothing says by how much they should, and
    no answer is surer than the number of people allows.
    """

    temperature: float = 1.0
    """fitted on clips of people who were not trained on; above 0"""
    seconds: float = 1.0
    """length of those clips"""
    people: int = 0
    """their number, n: probabilities stay within 1 / (n + 2) and 1 - 1 / (n + 2); 0 = not calibrated, no limit"""
    strangest: float = 0.0
    """how strange to the network the strangest of those that were filmed was (`Weighing.strangeness`): of what is
    stranger it cannot know; 0 = no limit"""

    def __post_init__(self) -> None:
        if not (
            0 < self.temperature < math.inf
            and 0 < self.seconds < math.inf
            and self.people >= 0
            and 0 <= self.strangest < math.inf
        ):
            raise ValueError(f"a calibration needs numbers above 0: {self}")

    def probability(self, log_odds: npt.NDArray[Any], seconds: float) -> float:
        """log_odds (P,) of the pairs of a clip of so many seconds -> in (0, 1); 0.5 = cannot tell."""
        evidence = float(np.mean(log_odds)) * min(1.0, seconds / self.seconds) / self.temperature
        least = 1 / (self.people + 2) if self.people else 0.0
        return min(max(sigmoid(evidence), least), 1 - least)

    def is_strange(self, strangeness: float) -> bool:
        """Whether nothing can be known of a clip."""
        return 0 < self.strangest < strangeness


def sigmoid(x: float) -> float:
    """1 / (1 + e^-x), without overflow."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else 1 - 1 / (1 + math.exp(x))


@dataclass(frozen=True)
class Judged:
    """What a detector said of a clip of somebody it was not trained on."""

    mean: float
    """log-odds of its pairs"""
    generated: bool
    """what it really is"""
    person: str
    seconds: float
    strangeness: float = 0.0


def fitted_calibration(clips: Sequence[Judged]) -> tuple[float, Calibration]:
    """The line under which the mean log-odds of clips are likeliest (Platt 1999), real and generated alike in weight.

    Clips of one person resemble each other, so every person counts alike, too. Aims are (n + 1) / (n + 2) and
    1 / (n + 2) instead of 1 and 0 (Platt 1999), n the clips of that kind: clips that are told apart without a mistake
    would otherwise ask for certainty.

    Returns:
        What has to be added to the log-odds of every pair, so that 0 is where both kinds are as likely; and what makes
        probabilities of the sums.

    Raises:
        ValueError: one of the two kinds is missing, or the generated ones are taken for the more real.
    """
    truth, means = np.array([clip.generated for clip in clips], bool), np.array([clip.mean for clip in clips])
    if not truth.any() or truth.all():
        count = int(truth.sum())
        raise ValueError(
            f"a calibration needs real and generated clips, and was given {len(clips) - count} and {count}"
        )
    weights, aims = np.zeros(len(clips)), np.zeros(len(clips))
    for kind in (False, True):
        people = np.array([clip.person for clip in clips])
        names, places, counts = np.unique(people[truth == kind], return_inverse=True, return_counts=True)
        weights[truth == kind] = 0.5 / len(names) / counts[places]
        count = int((truth == kind).sum())
        aims[truth == kind] = (count + 1) / (count + 2) if kind else 1 / (count + 2)
    slope, offset = _likeliest(means, aims, weights)
    if slope <= 0:
        raise ValueError("the detector takes generated clips for the more real ones: it has learnt nothing")
    seconds = float(np.median([clip.seconds for clip in clips]))
    strangest = max(clip.strangeness for clip in clips if not clip.generated)
    return offset / slope, Calibration(1 / slope, seconds, len({clip.person for clip in clips}), strangest)


def _likeliest(
    means: npt.NDArray[np.float64], aims: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]
) -> tuple[float, float]:
    """Slope and offset of logistic regression on one number, by Newton's method on a number of about 1."""
    scale = float(np.sqrt((weights * means**2).sum())) or 1.0
    columns = np.stack([means / scale, np.ones_like(means)], axis=1)
    found = np.zeros(2)
    for _ in range(100):
        probability = 1 / (1 + np.exp(-np.clip(columns @ found, -30, 30)))
        slopes = columns.T @ (weights * (probability - aims))
        curvature = (columns * (weights * probability * (1 - probability))[:, None]).T @ columns
        step = np.linalg.solve(curvature + 1e-9 * np.eye(2), slopes)
        found -= np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-10:
            break
    return float(found[0]) / scale, float(found[1])
