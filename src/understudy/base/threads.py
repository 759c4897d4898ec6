"""Work beside the caller: a generator run ahead of its consumer, a function run behind its producer."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Generic, TypeVar

T = TypeVar("T")


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class ReadAhead(Generic[T]):
    """Iterates over `items`, which runs in its own thread from the first to the last statement.

    Args:
        items: a generator; an exception in it is raised in the consumer, after the items before it.
        ahead: items made before they are asked for.
    """

    def __init__(self, items: Generator[T, None, None], ahead: int) -> None:
        self._queue: queue.Queue[T | _End] = queue.Queue(ahead)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(items,), daemon=True, name="read-ahead")
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        while not self._stopping.is_set():
            item = self._queue.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item

    def stop(self) -> None:
        """Ends the thread and waits for it; safe to call twice, and from the consumer only."""
        self._stopping.set()
        while self._thread.is_alive():
            self._drain()  # a full queue would keep the thread waiting
            self._thread.join(timeout=0.01)
        self._drain()

    def _drain(self) -> None:
        while True:
            try:
                self._queue.get_nowait()
            except queue.Empty:
                return

    def _run(self, items: Generator[T, None, None]) -> None:
        error: BaseException | None = None
        try:
            with closing(items):
                for item in items:
                    if not self._put(item):
                        break
        except BaseException as caught:  # noqa: BLE001 - handed to the consumer, which raises it
            error = caught
        self._put(_End(error))

    def _put(self, item: T | _End) -> bool:
        while not self._stopping.is_set():
            try:
                self._queue.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False


class WriteBehind(Generic[T]):
    """Calls `consume` with each item in a thread, in order; an error in it is raised at the next put or finish.

    Args:
        consume: called in the thread only.
        behind: items that may wait; `put` blocks when there are more, so memory stays bounded.
    """

    def __init__(self, consume: Callable[[T], None], behind: int) -> None:
        self._consume = consume
        self._queue: queue.Queue[T | _End] = queue.Queue(behind)
        self._error: BaseException | None = None
        self._aborted = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="write-behind")
        self._thread.start()

    def put(self, item: T) -> None:
        """Hands over one item; raises what `consume` raised before."""
        self._raise_error()
        self._queue.put(item)

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
            self._queue.put(_End(None))
            self._thread.join()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while not isinstance(item := self._queue.get(), _End):
            if self._aborted or self._error is not None:
                continue  # goes on emptying the queue, so that the producer never waits for a dead thread
            try:
                self._consume(item)
            except BaseException as caught:  # noqa: BLE001 - raised in the producer
                self._error = caught
