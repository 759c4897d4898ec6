"""How many steps a training will come to, and how long that takes, where its steps do not all cost the same."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable


class Estimate:
    """Goes by what the steps have cost since this part of a training began.

    Args:
        steps: at most.
        limit: seconds of training at most, over all parts.
        step, seconds: where this part begins.
        work: what the first n steps cost together, in any unit, as a function of n; None where all cost the same.
    """

    def __init__(self, steps: int, limit: float, step: int, seconds: float, work: Callable[[int], float] | None = None):
        self.steps, self.limit, self.step, self.seconds = steps, limit, step, seconds
        self.work = work or float

    def warm(self, step: int, seconds: float) -> None:
        """Leaves out all that was before: after its first step, in which PyTorch chooses and compiles its kernels.

        Of `preview` it was seen to take as long as twenty others, which would make all of them seem dearer for minutes.
        """
        self.step, self.seconds = step, seconds

    def at(self, step: int, seconds: float) -> tuple[int, float]:
        """Steps that there will have been in the end, and seconds until then; infinite before anything is known.

        A run that had to go back may stand where it began, or before.
        """
        done = self.work(step)
        if step <= self.step:
            return self.steps, float("inf")
        pace = (seconds - self.seconds) / (done - self.work(self.step))  # seconds for a unit of work
        whole, allowed = (self.work(self.steps) - done) * pace, max(0.0, self.limit - seconds)
        if whole <= allowed:
            return self.steps, whole
        reachable = done + allowed / max(pace, 1e-9)
        return max(step, bisect_right(range(self.steps + 1), reachable, key=self.work) - 1), allowed
