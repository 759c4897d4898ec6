"""The tab on which a dance is brought, and held against what a person's clip shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from understudy.web import fragments
from understudy.web.asking import Asking
from understudy.web.parts import QUIET, VIDEOS, Fresh, arrived_called, choices, drop, told, written

if TYPE_CHECKING:
    from understudy.web.state import Studio


def build(studio: Studio) -> list[Fresh]:
    """Builds the tab; what of it changes."""
    asking = Asking(studio.folder, studio.queue)
    token = gr.State("")
    with gr.Row():
        with gr.Column():
            file = drop("A video of somebody who dances", VIDEOS, records=True)
            name = gr.Textbox(label="What is the dance called?", max_length=60)
            go = gr.Button("Find the dancer", variant="primary")
            live = written()
        with gr.Column():
            gr.Markdown("**Does the person's clip show what the dance needs?** Ask before anything is trained.")
            dance = gr.Dropdown([], label="Dance")
            person = gr.Dropdown([], label="Person")
            compare = gr.Button("Compare")
            found = written()

    def chosen(before: str, event: gr.EventData) -> tuple[str, str]:
        return arrived_called(before, event)

    file.upload(chosen, name, [token, name], **QUIET)

    @told(studio.folder)
    def ask(given: str, called: str) -> tuple[str, str, str]:
        asking.dance(given, called)
        return "", "", given

    go.click(ask, [token, name], [token, name, file], **QUIET)
    compare.click(told(studio.folder)(asking.coverage), [person, dance], None, **QUIET)

    def report(who: Any, what: Any) -> str:
        return fragments.coverage(studio.folder, who, what)

    for one in (person, dance):
        one.change(report, [person, dance], found, **QUIET)

    def values(who: Any, what: Any) -> list[Any]:
        return [
            choices(studio.folder, "people", who),
            choices(studio.folder, "dances", what),
            report(who, what),
            fragments.live(studio.queue.all(), studio.folder, "dance", "coverage"),
        ]

    return [Fresh([person, dance, found, live], values, [person, dance])]
