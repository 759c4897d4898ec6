"""The tab on which a dance is brought, and held against what a person's clip shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from understudy.web import fragments
from understudy.web.asking import Asking
from understudy.web.parts import QUIET, VIDEOS, Fresh, choices, drop, takes, told, written

if TYPE_CHECKING:
    from understudy.web.state import Studio


def build(studio: Studio) -> list[Fresh]:
    """Builds the tab; what of it changes."""
    asking = Asking(studio.folder, studio.queue)
    token, pointed = gr.State(""), gr.State(None)
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
            gr.Markdown("**Do several people dance in it?** Then each can be danced by an actor of their own.")
            crowd = gr.Button("Find everybody in it")
            counted = written()

    takes(file, token, name, pointed)

    @told(studio.folder)
    def ask(given: str, called: str, who: Any) -> tuple[str, str, str, None]:
        asking.dance(given, called, who)
        return "", "", given, None

    go.click(ask, [token, name, pointed], [token, name, file, pointed], **QUIET)
    compare.click(told(studio.folder)(asking.coverage), [person, dance], None, **QUIET)

    crowd.click(told(studio.folder)(asking.everybody), dance, None, **QUIET)

    def report(who: Any, what: Any) -> tuple[str, str]:
        return fragments.coverage(studio.folder, who, what), fragments.crowd(studio.folder, what)

    for one in (person, dance):
        one.change(report, [person, dance], [found, counted], **QUIET)

    def values(who: Any, what: Any) -> list[Any]:
        return [
            choices(studio.folder, "people", who),
            choices(studio.folder, "dances", what),
            *report(who, what),
            fragments.live(studio.queue.all(), studio.folder, "dance", "everybody", "coverage"),
        ]

    return [Fresh([person, dance, found, counted, live], values, [person, dance])]
