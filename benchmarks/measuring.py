"""How numbers are taken: warmed up, repeated, on the device's own clock, with the peak of memory beside them."""

from __future__ import annotations

import importlib.util
import math
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from unittest import mock

from understudy.base.machine import forget_peaks, peaks_mib

LEAST_SECONDS = 0.2
"""what a repeat lasts at least: quick things are called many times in each"""


@dataclass(frozen=True)
class Row:
    """One number of the table, over `repeats` measurements."""

    stage: str
    case: str
    unit: str
    """"ms/frame", "ms" or "images/s" """
    median: float
    min: float
    max: float
    repeats: int
    peak_memory_mib: int | None
    """of this process while it was measured; everything loaded before counts"""
    peak_gpu_mib: int | None = None
    size: int | None = None
    """pixels: side of the generator's picture, where that matters"""


@dataclass(frozen=True)
class Comparison:
    """A against B, in turns. The ratio says how many times the time of A is the time of B: above 1, A is faster."""

    what: str
    a: str
    b: str
    size: int
    unit: str
    median_a: float
    median_b: float
    ratio: float
    """median over the pairs"""
    min_ratio: float
    max_ratio: float
    repeats: int


class Meter:
    """Takes the measurements of one run.

    Args:
        repeats: measurements behind each median.
        device: "cpu", "cuda" or "mps"; work queued there is waited for before the clock is read.
    """

    def __init__(self, repeats: int, device: str) -> None:
        self.repeats, self.device = repeats, device

    def time(self, stage: str, case: str, frames: int, action: Callable[[], object], size: int | None = None) -> Row:
        """Milliseconds a frame of an action that does `frames` of them."""
        seconds, memory = self._repeated(action)
        return self.row(stage, case, "ms/frame", [1000 * each / frames for each in seconds], size, memory)

    def rate(self, stage: str, case: str, images: int, action: Callable[[], object], size: int) -> Row:
        """Images a second of an action that does `images` of them."""
        seconds, memory = self._repeated(action)
        return self.row(stage, case, "images/s", [images / each for each in seconds], size, memory)

    def row(
        self,
        stage: str,
        case: str,
        unit: str,
        values: Sequence[float],
        size: int | None = None,
        memory: tuple[int | None, int | None] = (None, None),
    ) -> Row:
        """A row of values that were measured already."""
        middle = statistics.median(values)
        return Row(stage, case, unit, middle, min(values), max(values), len(values), *memory, size)

    def compare(
        self,
        what: str,
        size: int,
        a: tuple[str, Callable[[], object]],
        b: tuple[str, Callable[[], object]],
        images: int,
    ) -> Comparison:
        """Two ways of the same work of `images` images, in turns, so that a machine that slows down slows both."""
        calls = [self._calls(action) for _, action in (a, b)]
        pairs = [
            [self._timed(action, count) for (_, action), count in zip((a, b), calls, strict=True)]
            for _ in range(self.repeats)
        ]
        return compared(what, size, a[0], b[0], pairs, images)

    def _repeated(self, action: Callable[[], object]) -> tuple[list[float], tuple[int | None, int | None]]:
        forget_peaks(self.device)
        calls = self._calls(action)
        return [self._timed(action, calls) for _ in range(self.repeats)], peaks_mib(self.device)

    def _calls(self, action: Callable[[], object]) -> int:
        """Warms up; says how many calls fill a repeat."""
        first = self._timed(action, 1)
        if first < 5 * LEAST_SECONDS:  # else the first call is warm-up enough, and a second one would take long
            first = self._timed(action, 1)
        return max(1, math.ceil(LEAST_SECONDS / first)) if first < LEAST_SECONDS else 1

    def _timed(self, action: Callable[[], object], calls: int) -> float:
        synchronise(self.device)
        started = time.perf_counter()
        for _ in range(calls):
            action()
        synchronise(self.device)
        return (time.perf_counter() - started) / calls


def compared(what: str, size: int, a: str, b: str, pairs: Sequence[Sequence[float]], images: int) -> Comparison:
    """A comparison from pairs of seconds."""
    ratios = [second / first for first, second in pairs]
    ms_a, ms_b = (1000 * statistics.median(column) / images for column in zip(*pairs, strict=True))
    middle = statistics.median(ratios)
    return Comparison(what, a, b, size, "ms/image", ms_a, ms_b, middle, min(ratios), max(ratios), len(pairs))


def synchronise(device: str) -> None:
    """Waits for what was queued on the device."""
    if device == "cpu":
        return
    import torch

    (torch.cuda if device == "cuda" else torch.mps).synchronize()


@contextmanager
def timed_calls(module: ModuleType, *names: str) -> Iterator[dict[str, float]]:
    """Adds up the seconds spent in functions of a module while the block runs."""
    seconds = dict.fromkeys(names, 0.0)

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*positional: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*positional, **named)
            finally:
                seconds[name] += time.perf_counter() - started

        return call

    with mock.patch.multiple(module, **{name: timed(name, getattr(module, name)) for name in names}):
        yield seconds


def alone(function: Callable[..., float], *arguments: Any, **environment: str) -> float:
    """What a function of an importable module returns in a fresh process of its own, with these variables set there."""
    with (
        mock.patch.dict(os.environ, environment),
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process,
    ):
        return process.submit(function, *arguments).result()


def missing(packages: Sequence[str]) -> list[str]:
    """Those of the packages that are not installed."""
    return [name for name in packages if importlib.util.find_spec(name) is None]
