"""Plays copy-then-refine live: frames are chosen by what was, and made ready before anybody waits for them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from threading import Semaphore

import numpy as np
import numpy.typing as npt

from understudy.base.progress import progress_bar
from understudy.base.threads import ReadAhead
from understudy.poses.pose import Pose
from understudy.recipes.parts.dressing import Dresser, Dressing, Warping
from understudy.recipes.parts.full_size import FullSize
from understudy.recipes.parts.person_alone import PersonAlone
from understudy.recipes.parts.player import BATCH, Frame, Moment, Need
from understudy.recipes.parts.source_choice import ChoosingNow

CUT_LIVE = 256 << 16
"""pixels of cut frames that are kept while somebody dances live: 256 frames of 256x256, 1.5 MiB each"""

TRIALS = 6
"""of a frame with the network and without it, by which is told what it takes; the first is not counted"""


class PromptPlayer:
    """Plays as `RefiningPlayer` does, each moment as soon as it is there.

    To cut a frame of the reference apart takes as long as to warp two, and live there is no time for it. What was cut
    stays from one sequence to the next.

    Args:
        config: with `size` the side of the network's pictures.
        kept: poses of the reference's frames, in pixels of those.
        moment: (K,) when each of them was filmed.
        pictures: those frames.
        at_side: a moment's pose, in pixels of the network's pictures.
        shown: what becomes of dressings, with the network or without it.
        full_size: which enlarges what is shown; None: nothing is enlarged.
        plain: whether the network changes nothing, and is asked nothing.
    """

    latency: int | None = 0
    needs: tuple[Need, ...] = ("poses",)

    def __init__(
        self,
        config: Warping,
        kept: Pose,
        moment: npt.NDArray[np.generic],
        pictures: PersonAlone,
        at_side: Callable[[Moment], Pose],
        shown: Callable[[Iterable[Dressing], bool], Iterator[Frame]],
        full_size: FullSize | None = None,
        plain: bool = False,
    ) -> None:
        self._config, self._kept, self._moment = config, kept, moment
        self._at_side, self._shown = at_side, shown
        self._dresser, self._full_size = Dresser(config, kept, pictures, CUT_LIVE, full_size is not None), full_size
        self.mends, self._plain = True, plain

    def make_ready(self, seconds: float) -> None:
        """Cuts frames apart and finds what is finer in them, as many as stay ready or as can be in so much time.

        Others are made ready when they are asked for.
        """
        until, count = time.monotonic() + seconds, len(self._kept)
        with progress_bar("making ready", None) as advance:
            for work in (self._dresser, self._full_size):
                for _ in () if work is None else work.ready_frames(count):
                    advance()
                    if time.monotonic() > until:
                        return

    def mending_takes(self) -> float:
        """See `Mending`: of one of the reference's own moments, half of several times at most."""
        if self._plain:
            return 0.0
        middle = len(self._kept) // 2
        pose = self._kept[middle : middle + 1]
        choosing = ChoosingNow(self._config, self._kept, self._moment)
        self._dresser.begin()
        one = self._dresser.dressing(pose.xy[0], pose.confidence[0], *choosing(pose))
        taken: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(TRIALS):
            for mends, seconds in taken.items():
                began = time.perf_counter()
                next(iter(self._shown([one], mends)))
                seconds.append(time.perf_counter() - began)
        with_it, without = (statistics.median(taken[mends][1:]) for mends in (True, False))  # the first makes it ready
        return max(0.0, with_it - without)

    def play(self, moments: Iterable[Moment], batch: int = BATCH) -> Iterator[Frame]:
        """See `Player.play`."""
        choosing = ChoosingNow(self._config, self._kept, self._moment)
        self._dresser.begin()

        turn = Semaphore(1)

        def dressed() -> Generator[Dressing, None, None]:
            source = iter(moments)
            while True:
                turn.acquire()  # not before the one before is being mended: until then a newer pose may come
                moment = next(source, None)
                if moment is None:
                    return
                pose = self._at_side(moment)
                yield self._dresser.dressing(pose.xy[0], pose.confidence[0], *choosing(pose))

        def taken(made: Iterable[Dressing]) -> Iterator[Dressing]:
            for one in made:
                turn.release()
                yield one

        ahead = ReadAhead(dressed(), 1)
        try:
            yield from self._shown(taken(ahead), self.mends)
        finally:
            turn.release()
            ahead.stop()
