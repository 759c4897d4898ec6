"""The tab on which a file is asked how it was made."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import gradio as gr

from understudy.web.asking import Asking
from understudy.web.parts import PHOTOS, QUIET, VIDEOS, Fresh, arrived, drop, told, written

if TYPE_CHECKING:
    from understudy.web.state import Studio


def build(studio: Studio) -> list[Fresh]:
    """Builds the tab; what of it changes."""
    asking = Asking(studio.folder, studio.queue)
    token, name = gr.State(""), gr.State("")
    gr.Markdown("Was a video made by this program, or by another one that says so? Its marks are read here.")
    file = drop("A video or a picture", (*VIDEOS, *PHOTOS), records=False)
    detect = gr.Checkbox(
        False, label="Ask the detector, too: its opinion is no proof, and takes about as long as the video"
    )
    go = gr.Button("Check", variant="primary")
    said = written()

    def chosen(event: gr.EventData) -> tuple[str, str]:
        return arrived(event)

    file.upload(chosen, None, [token, name], **QUIET)

    @told(studio.folder)
    def ask(given: str, called: str, opinion: bool) -> tuple[str, str]:
        asking.check(given, called, opinion)
        return "", given

    go.click(ask, [token, name, detect], [token, file], **QUIET)

    def values() -> list[Any]:
        done = (task for task in studio.queue.all() if task.verb == "check" and task.status == "done")
        latest = next(done, None)
        words = "" if latest is None else html.escape(str(latest.answer.get("said", "")))
        return [f'<div class="us-said">{words}</div>' if words else ""]

    return [Fresh([said], values)]
