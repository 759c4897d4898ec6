"""The tab with all actors, each with who agreed to what and how true it is, and all dances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from understudy.web import fragments
from understudy.web.asking import Asking
from understudy.web.parts import QUIET, Fresh, choices, listing, removes, told, written

if TYPE_CHECKING:
    from understudy.web.state import Studio


def build(studio: Studio) -> list[Fresh]:
    """Builds the tab; what of it changes."""
    asking = Asking(studio.folder, studio.queue)
    shown = listing()
    gr.Markdown("### How true is an actor?\nIt dances another clip of its own person, and is held against it.")
    with gr.Row():
        actor = gr.Dropdown([], label="Actor", min_width=260)
        dance = gr.Dropdown(
            [],
            label="Another clip of the same person",
            info="Bring it on the tab Dance: by the same camera at the same place, and not what was learnt from.",
            min_width=260,
        )
    go = gr.Button("Measure")
    live = written()

    go.click(told(studio.folder)(asking.measure), [actor, dance], None, **QUIET)

    removes(studio, shown, ("actors", "dances"), shown, lambda: fragments.gallery(studio.folder))

    def values(who: Any, what: Any) -> list[Any]:
        folder = studio.folder
        return [
            fragments.gallery(folder),
            choices(folder, "actors", who),
            choices(folder, "dances", what),
            fragments.live(studio.queue.all(), folder, "measure"),
        ]

    return [Fresh([shown, actor, dance, live], values, [actor, dance])]
