"""Steps of a real training, measured from outside: the loop's own `step`, in every part of a schedule.

Reading, networks, precision and the loop are those of every training. In place of a whole schedule a few steps of each
of its parts are taken, and neither checkpoints nor previews are written.
"""

from __future__ import annotations

import math
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from typing import Any
from unittest import mock

import torch
from torch.utils.flop_counter import FlopCounterMode

from measuring import synchronise
from understudy.base.load import ThreadsByLoad
from understudy.base.stopping import Stop
from understudy.errors import TrainingError
from understudy.networks import vgg
from understudy.recipes import poses_in_the_wild
from understudy.recipes.copy_then_refine import CopyThenRefine
from understudy.recipes.cyclegan import CycleGAN
from understudy.recipes.everybody_dance_now import PoseToVideo
from understudy.recipes.parts.everybody_dance_now_faces import FaceGAN
from understudy.recipes.performance_cloning import PerformanceCloning
from understudy.training import loop as training
from understudy.training.estimate import Estimate

WARM_UP = 3
"""steps left out: networks, libraries and allocators find their ways in them"""
ROUNDS = 3
"""in which steps are timed; the middle one counts"""
COUNTED = training.LOG_EVERY_STEPS
"""steps in which synchronisations are counted: losses are read once in so many"""
BOTH = "both branches"


@dataclass(frozen=True)
class Part:
    """Steps of one stage that do the same work."""

    stage: str
    """its name; "" in a recipe that has but one"""
    part: str
    """what of the stage; "" where all its steps are alike"""
    size: int
    """pixels: height of the pictures that are made"""
    steps: int
    """of the schedule, for the clip that was learnt from"""
    seconds: float
    """a step, the median of the rounds"""
    min_seconds: float
    max_seconds: float
    flop: int
    """floating point operations of a step, see `flop_of`"""
    pictures: int
    """that a step makes, see `work_of`"""
    synchronisations: float | None
    """how often a step waits for the device; None where nobody counts it"""


class Enough(Exception):
    """All that was to be measured is."""


class Watch:
    """Measures the trainings that begin while its block runs.

    Args:
        device: "cpu", "cuda" or "mps": where they run.
        steps: timed in each part.
    """

    def __init__(self, device: str, steps: int) -> None:
        self.device, self.steps = device, steps
        self.parts: list[Part] = []
        self.prepared_s: float | None = None
        """seconds from the beginning of the block to the first step: reading, gathering"""

    @contextmanager
    def over_training(self) -> Iterator[None]:
        """Within the block a training takes a few steps of each part; one without further stages then ends."""
        began = time.perf_counter()

        def train(loop: Any, estimate: Estimate, stopped: Stop, advance: object, threads: ThreadsByLoad) -> None:
            if self.prepared_s is None:
                self.prepared_s = time.perf_counter() - began
            self._measure(loop, estimate.steps, stopped, threads)
            if "stage" not in loop.settings:  # what follows is no training
                raise Enough

        with mock.patch.object(training._Loop, "train", train), suppress(Enough):
            yield

    def _measure(self, loop: Any, steps: int, stopped: Stop, threads: ThreadsByLoad) -> None:
        loop.started = time.monotonic()
        for part, first, count in parts_of(loop.trainee, steps):
            numbers = cycle(range(first, first + count))

            def step(numbers: Iterator[int] = numbers) -> None:
                loop.at.step = next(numbers)
                loop.step(last=False)
                threads.follow()
                if loop.bad_steps:
                    raise TrainingError("a loss is not a number: what was timed is no whole step")
                if stopped.signal is not None:
                    raise KeyboardInterrupt

            seconds = timed(step, self.steps, self.device)
            size, pictures = work_of(loop.trainee, part)
            stage = loop.settings.get("stage", "")
            middle = (statistics.median(seconds), min(seconds), max(seconds))
            waits = synchronisations_of(step) if self.device == "cuda" else None
            self.parts.append(Part(stage, part, size, count, *middle, flop_of(step), pictures, waits))


def timed(step: Callable[[], object], steps: int, device: str) -> list[float]:
    """Seconds a step in each round, `steps` steps in all at least, after a warm-up.

    The device is waited for around a round and not around each step: steps of a training follow one another.
    """
    for _ in range(WARM_UP):
        step()
    seconds, each = [], math.ceil(steps / ROUNDS)
    for _ in range(ROUNDS):
        synchronise(device)
        began = time.perf_counter()
        for _ in range(each):
            step()
        synchronise(device)
        seconds.append((time.perf_counter() - began) / each)
    return seconds


def flop_of(step: Callable[[], object]) -> int:
    """Floating point operations of a step: convolutions and matrix products, forward and backward; a*b + c are two.

    Normalisations, activations, resampling and optimizers are not counted, and padding counts as if it were picture.
    """
    # VGG's first layer is computed with zeros among its weights where that is faster: they are no work
    with mock.patch.object(vgg, "_in_bfloat16", lambda _: False), FlopCounterMode(display=False) as counter:
        step()
    return int(counter.get_total_flops())


def synchronisations_of(
    step: Callable[[], object], mode: Callable[[str], object] = torch.cuda.set_sync_debug_mode
) -> float:
    """How often a step makes the host wait for the device, the mean of some; PyTorch warns of each.

    Args:
        mode: sets whether it does.
    """
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        mode("warn")
        try:
            for _ in range(COUNTED):
                step()
        finally:
            mode("default")
    return sum("called a synchronizing" in str(one.message) for one in said) / COUNTED


def parts_of(trainee: Any, steps: int) -> list[tuple[str, int, int]]:
    """What a stage of `steps` steps consists of: (name, first step, steps) of those that do the same work."""
    if isinstance(trainee, PerformanceCloning) and trainee.has_unpaired:
        before, after, joins_at = "paired branch", BOTH, trainee.joins_at
    elif isinstance(trainee, PoseToVideo) and trainee.coarse is not None:
        before, after, joins_at = "enhancer alone", "whole", trainee.joins_at
    elif isinstance(trainee, poses_in_the_wild.Stage) and trainee.coarse is not None:
        before, after = "enhancer alone", "whole"
        joins_at = math.ceil(trainee.config.enhancer_alone * trainee.steps)
    else:
        return [("", 0, steps)]
    joins_at = min(joins_at, steps)
    found = [(before, 0, joins_at), (after, joins_at, steps - joins_at)]
    return [one for one in found if one[2]]


def work_of(trainee: Any, part: str) -> tuple[int, int]:
    """Height in pixels and count of the pictures that a step makes: of the reference, and for other people's poses.

    With B windows or pictures a step (`optimisation.batch`):
    - performance-cloning: B/2 windows of N frames, and as many for other people's poses in both branches;
    - everybody-dance-now: B windows of 2 frames, or of 1 without smoothing; in the face stage B faces;
    - poses-in-the-wild: B windows of M frames, and B frames for other people's poses;
    - cyclegan: B of each domain, those not counted that only go back, or that are to stay as they are;
    - copy-then-refine: B crops, as pairs of two;
    - pix2pix: B.
    """
    config = trainee.config
    batch = config.optimisation.batch
    if isinstance(trainee, PerformanceCloning):
        return config.size, config.consecutive * (batch if part == BOTH else batch // 2)
    if isinstance(trainee, PoseToVideo):
        return trainee.size, config.consecutive * batch
    if isinstance(trainee, FaceGAN):
        return config.face_size, batch
    if isinstance(trainee, poses_in_the_wild.Stage):
        return config.box_hw[0] // trainee.shrink, batch * (config.judged + trainee.has_unpaired)
    if isinstance(trainee, CycleGAN):
        return config.size, 2 * batch
    if isinstance(trainee, CopyThenRefine):
        return config.crop, 2 * max(1, batch // 2)
    return config.size, batch
