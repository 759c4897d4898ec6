"""The tab with all actors, each with who agreed to what, and all dances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from understudy.web import fragments
from understudy.web.parts import Fresh, listing, removes

if TYPE_CHECKING:
    from understudy.web.state import Studio


def build(studio: Studio) -> list[Fresh]:
    """Builds the tab; what of it changes."""
    shown = listing()

    removes(studio, shown, ("actors", "dances"), shown, lambda: fragments.gallery(studio.folder))

    def values() -> list[Any]:
        return [fragments.gallery(studio.folder)]

    return [Fresh([shown], values)]
