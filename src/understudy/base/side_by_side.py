"""Items made at once, each on one core. Apart from `threads.py`: readers of videos import that, and need no PyTorch."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")
U = TypeVar("U")


def side_by_side(work: Callable[[T], U], items: Iterable[T], workers: int) -> Iterator[U]:
    """What `work` makes of every item, in order, several items at once, each on one core from beginning to end.

    Cores that share one item wait for each other at every step of it, and for any that another program holds.

    Args:
        work: called in threads, in which PyTorch takes one core; with one worker in the caller's own.
        items: asked for in the caller's thread, at most twice as many as there are workers before the first comes out.
        workers: items at work at once.
    """
    if workers == 1:
        yield from map(work, items)
        return
    cores, started = torch.get_num_threads(), threading.Barrier(workers + 1)

    def begin() -> None:
        torch.set_num_threads(1)
        torch.get_num_threads()  # the first to ask in a thread makes it take as many as was last said anywhere
        started.wait()

    pool = ThreadPoolExecutor(workers, "side-by-side", begin)
    try:
        waiting: deque[Future[U]] = deque()
        for _ in range(workers):
            pool.submit(lambda: None)
        started.wait()
        torch.set_num_threads(cores)
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) == 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
