"""Work beside the caller: a generator run ahead of its consumer, a function run behind its producer.

Ctrl-C and SIGTERM raise in the main thread wherever it is. In `queue.Queue`, which is written in Python, that may be
just after a lock was taken and before the block that gives it back: whoever then waits for the other thread waits for
ever. A `SimpleQueue` does each of its steps whole; one that holds a token for every free place bounds another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from queue import SimpleQueue
from typing import Generic, TypeVar

import cv2

T = TypeVar("T")


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


@contextmanager
def opencv_in_the_callers_thread() -> Iterator[None]:
    """OpenCV starts no threads of its own meanwhile: where ours keep the cores busy, its would only wait for them."""
    usual = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(usual)


def _places(count: int) -> SimpleQueue[None]:
    places: SimpleQueue[None] = SimpleQueue()
    for _ in range(count):
        places.put(None)
    return places


class ReadAhead(Generic[T]):
    """Iterates over `items`, which runs in its own thread from the first to the last statement.

    Args:
        items: a generator; an exception in it is raised in the consumer, after the items before it.
        ahead: items made before they are asked for.
    """

    def __init__(self, items: Generator[T, None, None], ahead: int) -> None:
        self._made: SimpleQueue[T | _End] = SimpleQueue()
        self._places = _places(ahead)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, args=(items,), daemon=True, name="read-ahead")
        try:
            self._thread.start()
        except BaseException:  # nobody gets to know of it who could stop it
            self._tell_to_stop()
            raise

    def __iter__(self) -> Iterator[T]:
        while not self._stopping:
            item = self._made.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            self._places.put(None)
            yield item

    def stop(self) -> None:
        """Ends the thread and waits for it; safe to call twice, and from the consumer only."""
        self._tell_to_stop()
        self._thread.join()
        self._made = SimpleQueue()

    def _tell_to_stop(self) -> None:
        self._stopping = True
        self._places.put(None)

    def _run(self, items: Generator[T, None, None]) -> None:
        error: BaseException | None = None
        try:
            with closing(items):
                for item in items:
                    self._places.get()
                    if self._stopping:
                        break
                    self._made.put(item)
        except BaseException as caught:  # noqa: BLE001 - handed to the consumer, which raises it
            error = caught
        self._made.put(_End(error))


class WriteBehind(Generic[T]):
    """Calls `consume` with each item in a thread, in order; an error in it is raised at the next put or finish.

    Args:
        consume: called in the thread only.
        behind: items that may wait; `put` blocks when there are more, so memory stays bounded.
    """

    def __init__(self, consume: Callable[[T], None], behind: int) -> None:
        self._consume = consume
        self._given: SimpleQueue[T | _End] = SimpleQueue()
        self._places = _places(behind)
        self._error: BaseException | None = None
        self._aborted = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="write-behind")
        self._thread.start()

    def put(self, item: T) -> None:
        """Hands over one item; raises what `consume` raised before."""
        self._raise_error()
        self._places.get()
        self._given.put(item)

    def finish(self) -> None:
        """Waits until every item is consumed; raises what `consume` raised."""
        self._end()
        self._raise_error()

    def abort(self) -> None:
        """Drops what waits, and waits for the item at work."""
        self._aborted = True
        self._end()

    def _end(self) -> None:
        if self._thread.is_alive():
            self._given.put(_End(None))
            self._thread.join()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while not isinstance(item := self._given.get(), _End):
            self._places.put(None)
            if self._aborted or self._error is not None:
                continue  # goes on emptying the queue, so that the producer never waits for a dead thread
            try:
                self._consume(item)
            except BaseException as caught:  # noqa: BLE001 - raised in the producer
                self._error = caught
