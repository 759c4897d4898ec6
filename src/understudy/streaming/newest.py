"""Hand-overs between threads that are never late: what nobody took in time is dropped."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Newest(Generic[T]):
    """One place, which holds what is newest.

    Attributes:
        dropped: how many items were replaced before anybody took them.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._closed = False
        self._error: BaseException | None = None
        self.dropped = 0

    def put(self, item: T) -> bool:
        """Replaces what is there; False once it is closed."""
        with self._changed:
            if self._closed:
                return False
            self.dropped += self._item is not None
            self._item = item
            self._changed.notify_all()
            return True

    def take(self, seconds: float | None = None) -> T | None:
        """What is newest, waited for; None once nothing more comes, or after so many seconds, see `over`.

        Raises:
            what it was closed with.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed, seconds)
            item, self._item = self._item, None
            self._changed.notify_all()
            if item is None and self._error is not None:
                raise self._error
            return item

    def wait_until_taken(self) -> None:
        """Until nothing lies there, or nothing more comes."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is None or self._closed)

    def close(self, error: BaseException | None = None) -> None:
        """Nothing more comes; what is there may still be taken. Safe to call twice: the first error stays."""
        with self._changed:
            self._error = self._error or error
            self._closed = True
            self._changed.notify_all()

    @property
    def over(self) -> bool:
        """Whether nothing is there and nothing more comes."""
        with self._changed:
            return self._closed and self._item is None
