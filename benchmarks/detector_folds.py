"""What a fake detector is worth for people and places it has not seen: each is judged by one that learnt of others.

Whole places are left out, not people alone: a detector that has seen others in front of the same camera does better.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from detector_clips import QUALITIES
from understudy.forensics.calibration import Calibration, Judged, fitted_calibration
from understudy.forensics.texture_training import Sample, log_odds_of, strangeness_of, weighed
from understudy.forensics.verdict import verdict_of

BINS = (0.5, 0.65, 0.75, 0.85, 0.95, 1.0)
"""of how sure an answer is"""
DRAWS = 2000
"""of the bootstrap over places"""


@dataclasses.dataclass(frozen=True)
class Part:
    """Some seconds of a clip in numbers, and what it is."""

    sample: Sample
    real: bool
    """the person exists"""
    place: str
    motion: str
    crf: int
    marked: bool = False
    """it bears an invisible mark"""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What was said of a part by a detector that had seen nobody of that place."""

    part: Part
    mean: float
    """log-odds of its pairs"""
    strangeness: float = 0.0
    probability: float = 0.5
    """calibrated on other places"""
    strange: bool = False
    """stranger than anything at other places: nothing is said of it"""

    @property
    def says(self) -> str:
        """As `detect` has it: generated, real, or unsure."""
        return "unsure" if self.strange else verdict_of(self.probability)

    @property
    def right(self) -> bool:
        return (self.probability > 0.5) == self.part.sample.generated

    @property
    def judged(self) -> Judged:
        sample = self.part.sample
        return Judged(self.mean, sample.generated, sample.person, sample.seconds, self.strangeness)


def in_parts(sample: Sample, seconds: float) -> list[Sample]:
    """A long film in parts as long as clones are, so that length says nothing."""
    parts = max(1, int(sample.seconds // seconds))
    if sample.generated or parts == 1 or len(sample.statistics) < parts:
        return [sample]
    return [
        dataclasses.replace(sample, statistics=one, seconds=sample.seconds / parts)
        for one in np.array_split(sample.statistics, parts)
    ]


def left_out(
    parts: Sequence[Part],
    penalty: float,
    *,
    judges: Callable[[Part], bool] = lambda part: True,
    learns_from: Callable[[Part], bool] = lambda part: True,
    calibrates: Callable[[Part], bool] = lambda part: True,
    place_of: Callable[[Part], str] = lambda part: part.place,
) -> list[Verdict]:
    """Verdicts on everybody, place by place: the detector and its calibration are the work of other places' clips.

    Args:
        judges: whether a verdict on a part is asked for.
        learns_from: whether a part may be learnt from.
        calibrates: whether the verdict on a part may be used for the calibration of others.
        place_of: what is left out together.
    """
    found = []
    known = [part for part in parts if learns_from(part)]
    for place in sorted({place_of(part) for part in parts if judges(part) or calibrates(part)}):
        weighing = weighed([part.sample for part in known if place_of(part) != place], penalty)
        found += [
            Verdict(part, float(log_odds_of(weighing, part.sample).mean()), strangeness_of(weighing, part.sample))
            for part in parts
            if place_of(part) == place and (judges(part) or calibrates(part))
        ]
    tried = [verdict for verdict in found if calibrates(verdict.part)]
    return [verdict for verdict in _calibrated(found, tried, place_of) if judges(verdict.part)]


def _calibrated(
    verdicts: Sequence[Verdict], tried: Sequence[Verdict], place_of: Callable[[Part], str]
) -> Iterable[Verdict]:
    """Probabilities, for each place from a calibration on the others."""
    made: dict[str, tuple[float, Calibration] | None] = {}
    for verdict in verdicts:
        place = place_of(verdict.part)
        if place not in made:
            try:
                made[place] = fitted_calibration([one.judged for one in tried if place_of(one.part) != place])
            except ValueError:  # it takes clones for real: it knows nothing
                made[place] = None
        fitted = made[place]
        if fitted is None:
            yield verdict
            continue
        moved, calibration = fitted
        probability = calibration.probability(np.array([verdict.mean + moved]), verdict.part.sample.seconds)
        strange = calibration.is_strange(verdict.strangeness)
        yield dataclasses.replace(verdict, probability=probability, strange=strange)


# -- Tables --------------------------------------------------------------------------------------------------------


def of_kind(verdicts: Sequence[Verdict], *, generated: bool) -> list[Verdict]:
    return [one for one in verdicts if one.part.sample.generated == generated]


def weights_of(verdicts: Sequence[Verdict]) -> npt.NDArray[np.float64]:
    """Filmed and generated parts count alike, and every person among them; the sum is 1."""
    groups = [(one.part.sample.generated, one.part.sample.person) for one in verdicts]
    parts = Counter(groups)
    people = Counter(generated for generated, _ in parts)
    found: npt.NDArray[np.float64] = np.array([1 / people[group[0]] / parts[group] for group in groups])
    found /= found.sum()
    return found


def shares(verdicts: Sequence[Verdict]) -> dict[str, float | int]:
    """How many are called what, each person counting alike."""
    if not verdicts:
        return {"parts": 0}
    people: dict[str, list[Verdict]] = {}
    for one in verdicts:
        people.setdefault(one.part.sample.person, []).append(one)

    def share(true: Callable[[Verdict], bool]) -> float:
        return float(np.mean([np.mean([true(one) for one in ones]) for ones in people.values()]))

    return {
        "parts": len(verdicts),
        "people": len(people),
        "right": share(lambda one: one.right),
        "generated": share(lambda one: one.says == "generated"),
        "unsure": share(lambda one: one.says == "unsure"),
        "real": share(lambda one: one.says == "real"),
        "strange": share(lambda one: one.strange),
    }


def accuracy(verdicts: Sequence[Verdict], seed: int = 0) -> dict[str, Any]:
    """Filmed and generated ones in equal weight, people alike; the interval is a bootstrap over places."""
    filmed, generated = (of_kind(verdicts, generated=kind) for kind in (False, True))
    people = sorted({(one.part.place, one.part.sample.person) for one in verdicts})
    right = np.array(
        [
            [_share_right([one for one in kind if one.part.sample.person == person]) for kind in (filmed, generated)]
            for _, person in people
        ]
    )
    places = [[k for k, (place, _) in enumerate(people) if place == one] for one in sorted({one for one, _ in people})]
    random = np.random.default_rng(seed)
    drawn = [
        _of_both_kinds(right[np.concatenate([places[k] for k in random.integers(len(places), size=len(places))])])
        for _ in range(DRAWS)
    ]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return {
        "places": len(places),
        "filmed": shares(filmed),
        "generated": shares(generated),
        "right": _of_both_kinds(right),
        "interval": [float(low), float(high)],
        "area under the curve": area(verdicts),
    }


def _of_both_kinds(right: npt.NDArray[np.float64]) -> float:
    """Shares (people, 2) of filmed and of generated parts, some of which are missing."""
    return float(np.nanmean([np.mean(kind[~np.isnan(kind)]) for kind in right.T if not np.isnan(kind).all()]))


def _share_right(verdicts: Sequence[Verdict]) -> float:
    return float(np.mean([one.right for one in verdicts])) if verdicts else float("nan")


def area(verdicts: Sequence[Verdict]) -> float | None:
    """The probability that of a filmed and a generated part the generated one is the more suspicious."""
    filmed, generated = (np.array([one.mean for one in of_kind(verdicts, generated=kind)]) for kind in (False, True))
    if not len(filmed) or not len(generated):
        return None
    return float(np.mean((filmed[:, None] < generated[None]) + 0.5 * (filmed[:, None] == generated[None])))


def reliability(verdicts: Sequence[Verdict], seed: int = 0) -> list[dict[str, Any]]:
    """How sure it was where it said something, and how often right, of as much filmed as generated footage.

    Both together, and by what was said; the interval is a bootstrap over places.
    """
    verdicts = [one for one in verdicts if not one.strange]
    weight = dict(zip(map(id, verdicts), weights_of(verdicts), strict=True))
    rows = []
    for said in (None, "generated", "real"):
        for low, high in pairwise(BINS):
            inside = [
                one
                for one in verdicts
                if low <= _sure(one) and (_sure(one) < high or high == 1.0) and said in (None, _side(one))
            ]
            if inside:
                rows.append({"said": said or "either", "from": low, "to": high, **_how_right(inside, weight, seed)})
    return rows


def _how_right(inside: Sequence[Verdict], weight: Mapping[int, float], seed: int) -> dict[str, Any]:
    """weight: by the verdict's `id`."""
    places = sorted({one.part.place for one in inside})
    sums = np.array(  # of each place: weight, weight that is right
        [
            np.sum(
                [(weight[id(one)], weight[id(one)] * one.right) for one in inside if one.part.place == place], axis=0
            )
            for place in places
        ]
    )
    random = np.random.default_rng(seed)
    drawn = [sums[random.integers(len(places), size=len(places))].sum(axis=0) for _ in range(DRAWS)]
    whole = sums.sum(axis=0)
    return {
        "parts": len(inside),
        "places": len(places),
        "share of all": float(whole[0]),
        "sure": float(sum(weight[id(one)] * _sure(one) for one in inside) / whole[0]),
        "right": float(whole[1] / whole[0]),
        "interval": [float(bound) for bound in np.percentile([right / every for every, right in drawn], (2.5, 97.5))],
    }


def _sure(one: Verdict) -> float:
    return max(one.probability, 1 - one.probability)


def _side(one: Verdict) -> str:
    return "generated" if one.probability > 0.5 else "real"


def by_quality(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Right answers where clips were encoded well, and where poorly."""
    rows = []
    for low, high in QUALITIES.values():
        inside = [one for one in verdicts if low <= one.part.crf <= high]
        if inside:
            rows.append({"crf": [low, high], **accuracy(inside)})
    return rows
