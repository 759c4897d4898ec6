"""What an evaluation found: plain data, written as JSON, read by the report and the benchmarks."""

from __future__ import annotations

import math
import os
from dataclasses import asdict, dataclass
from typing import Any

from understudy.base.files import read_json, write_json
from understudy.errors import UsageError

VERSION = 1


@dataclass(frozen=True)
class Summary:
    """A measure over one region of all frames."""

    mean: float | None
    """None where it could not be computed"""
    low: float | None
    """of the 95 % interval; None for measures of a whole clip, such as FID"""
    high: float | None
    note: str = ""
    """why it could not be computed, or what to know about it"""


@dataclass(frozen=True)
class Measure:
    """One kind of error (or score) of one method."""

    title: str
    """for a table's head, with the unit: "RMSE (RGB 0-255)" """
    lower_is_better: bool
    regions: dict[str, Summary]
    """by region: "frame", "person", "face" """
    per_frame: dict[str, list[float | None]]
    """by region, one value a frame; None where the region is not in the frame; no key where there are none"""
    real: float | None = None
    """what the real clip has, where both directions count and nearer to it is better; None: see `lower_is_better`"""

    def rank(self, value: float) -> float:
        """By which values are compared: the lower the better."""
        if self.real is not None:
            # Half of it is as far from the real clip as twice
            return abs(math.log(max(value, 1e-9) / self.real))
        return value if self.lower_is_better else -value


@dataclass(frozen=True)
class Method:
    """One way of cloning, measured on one test."""

    name: str
    """"performance-cloning", "pix2pix", "cyclegan", "nearest-neighbour", "limb-warp"; of an ablation "paired-only" """
    title: str
    """for people: "Performance cloning", "Paired branch only" """
    clip: str
    """video of what it made, relative to the report's folder; square, `size` pixels"""
    measures: dict[str, Measure]
    """by name, see `measuring.MEASURES`; results of older versions lack some"""
    training: dict[str, Any]
    """the actor's record: steps, seconds, features, device, precision, seed, losses; data and augmentation"""
    milliseconds_a_frame: float | None
    """to generate"""
    peak_memory_mib: int | None
    """of the process while training and generating"""


@dataclass(frozen=True)
class Coverage:
    """How far the driver's limbs were from the reference's, and whether that told the error beforehand."""

    gamma: float
    """pixels at 256"""
    share_of_frames: float
    """with a limb beyond gamma"""
    distance: list[float | None]
    """pose-to-sequence distance (eq. 8), one a driving frame"""
    limbs: dict[str, list[float | None]]
    """by limb's name, its distance in every frame"""
    correlations: dict[str, dict[str, Summary]]
    """by method, then by what was correlated with what: Spearman's rho, with its interval"""


@dataclass(frozen=True)
class Test:
    """One clip that was cloned by several methods, with its truth."""

    __test__ = False  # for pytest

    name: str
    """"self-reenactment" or "cross-identity", and of which person when there are several"""
    explanation: str
    """one or two sentences: what drives, what is the truth"""
    fps: str
    """exact, as a fraction"""
    frames: int
    size: int
    """pixels: side of the square in which everything is measured"""
    truth_clip: str
    """video of the truth, relative to the report's folder"""
    driving_clip: str
    """video of the driver as seen by the methods; "" where that is the truth"""
    methods: list[Method]
    coverage: Coverage | None


@dataclass(frozen=True)
class Evaluation:
    """Everything a report shows."""

    title: str
    made: str
    """time, ISO 8601, UTC"""
    command: str
    """that repeats it"""
    machine: dict[str, Any]
    settings: dict[str, Any]
    """reference's file name and hash, preset, minutes, seed, share that trains, gap, counts of frames"""
    tests: list[Test]
    version: int = VERSION

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes JSON, atomically."""
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Evaluation:
        """Reads what `save` wrote.

        Raises:
            UsageError: it cannot be read, or is of another version.
        """
        content = read_json(path, UsageError)
        try:
            if content["version"] != VERSION:
                raise UsageError(f"{path} has version {content['version']}, and this program reads {VERSION}")
            tests = [_test(test) for test in content["tests"]]
            return cls(**(content | {"tests": tests}))
        except (KeyError, TypeError, AttributeError) as cause:
            raise UsageError(f"{path} is not the result of an evaluation ({cause}): give its results.json") from None


def _test(content: dict[str, Any]) -> Test:
    coverage = content["coverage"]
    return Test(
        **(
            content
            | {
                "methods": [_method(method) for method in content["methods"]],
                "coverage": None if coverage is None else _coverage(coverage),
            }
        )
    )


def _method(content: dict[str, Any]) -> Method:
    measures = {name: Measure(**(m | {"regions": _summaries(m["regions"])})) for name, m in content["measures"].items()}
    return Method(**(content | {"measures": measures}))


def _coverage(content: dict[str, Any]) -> Coverage:
    correlations = {name: _summaries(found) for name, found in content["correlations"].items()}
    return Coverage(**(content | {"correlations": correlations}))


def _summaries(content: dict[str, Any]) -> dict[str, Summary]:
    return {name: Summary(**summary) for name, summary in content.items()}
