"""Where this machine listens, and to whom: to nobody but itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from understudy.errors import UsageError

ADDRESS = "127.0.0.1"


@contextmanager
def bound(option: str, port: int, to_do: str = "listen") -> Iterator[None]:
    """Within the block a port is taken.

    Args:
        option: what the port is called where users say it.
        to_do: what is done there.

    Raises:
        UsageError: it cannot be had.
    """
    try:
        yield
    except (OSError, OverflowError) as cause:
        reason = (getattr(cause, "strerror", None) or str(cause)).rstrip(".")
        raise UsageError(f"`{option}={port}`: nothing can {to_do} there ({reason}): choose another port") from None
