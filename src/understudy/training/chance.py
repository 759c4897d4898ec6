"""Randomness as a function of where it is asked for, so that a resumed run goes on exactly like an unbroken one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Chance:
    """Random numbers of one training. What is asked twice in the same place is answered twice alike.

    A stream is the number of an independent source of random numbers, from 1 on (0 is dropout's).
    """

    seed: int
    rank: int = 0
    """of this process among those that train together: each draws other items and other transforms"""
    ranks: int = 1

    def generator(self, stream: int, step: int, *beside: int) -> np.random.Generator:
        """A generator for one use in one step; `beside` tells several uses of a stream apart."""
        return np.random.default_rng(self._sequence(stream, step, *beside))

    def draw(self, stream: int, step: int, batch: int, count: int) -> npt.NDArray[np.int64]:
        """Indices `(batch,)` out of `count` items: all once an epoch, in an order that seed, stream and epoch fix."""
        first = (step * self.ranks + self.rank) * batch
        places = np.arange(first, first + batch)
        epochs = {int(epoch) for epoch in places // count}
        orders = {epoch: np.random.default_rng([self.seed, stream, epoch]).permutation(count) for epoch in epochs}
        return np.array([orders[place // count][place % count] for place in places.tolist()], dtype=np.int64)

    def epoch(self, batch: int, count: int) -> int:
        """Steps of `batch` items a process that it takes to draw all `count` items once."""
        return math.ceil(count / (batch * self.ranks))

    def of_step(self, step: int) -> int:
        """A seed for PyTorch's own generator, of which dropout is the only use within a step."""
        return int(self._sequence(0, step).generate_state(1, np.uint64)[0] >> np.uint64(1))

    def _sequence(self, *place: int) -> np.random.SeedSequence:
        # A spawn key and not one more number: that would be the first process's, of another use of the stream
        return np.random.SeedSequence([self.seed, *place], spawn_key=(self.rank,) if self.rank else ())
