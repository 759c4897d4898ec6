"""The tab with all actors, each with who agreed to what, and all dances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from understudy.web import fragments
from understudy.web.parts import QUIET, Fresh, data_of, listing, told

if TYPE_CHECKING:
    from understudy.web.state import Studio


def build(studio: Studio) -> list[Fresh]:
    """Builds the tab; what of it changes."""
    shown = listing()

    @told(studio.folder)
    def remove(event: gr.EventData) -> str:
        said = data_of(event)
        if said.get("do") == "remove":
            studio.remove("dances" if said.get("kind") == "dances" else "actors", str(said.get("name")))
        return fragments.gallery(studio.folder)

    shown.click(remove, outputs=shown, **QUIET)

    def values() -> list[Any]:
        return [fragments.gallery(studio.folder)]

    return [Fresh([shown], values)]
