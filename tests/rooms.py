"""How the room behind somebody who was tracked is filled, where no frame has shown it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from understudy.compositing.patches import filled, smoothly_filled
from understudy.tracking import background


@contextmanager
def smooth() -> Iterator[None]:
    """Smoothly, as it is where little is known of the room."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(background, "filled", smoothly_filled)
        yield


@contextmanager
def copied() -> Iterator[None]:
    """As users have it, with patches from elsewhere in it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(background, "filled", filled)
        yield
