"""The tab on which an actor is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from understudy.web import fragments
from understudy.web.asking import LONGEST_NUMBERS, Asking, methods
from understudy.web.parts import QUIET, Fresh, choices, told, written

if TYPE_CHECKING:
    from understudy.web.state import Studio

QUALITIES = {
    "instant": "instant: seconds, nothing is trained",
    "preview": "preview: minutes",
    "fast": "fast: longer, larger pictures",
    "paper": "paper: the largest pictures, for hours",
}


def build(studio: Studio) -> list[Fresh]:
    """Builds the tab; what of it changes."""
    asking = Asking(studio.folder, studio.queue)
    offered = methods()
    usual = next(iter(offered))
    with gr.Row():
        with gr.Column():
            person = gr.Dropdown([], label="Person")
            preset = gr.Radio([(words, name) for name, words in QUALITIES.items()], value="preview", label="Quality")
            minutes = gr.Number(
                label="At most so many minutes",
                value=10,
                info="It can be stopped at any time and goes on later. Empty: as long as the quality takes.",
            )
            name = gr.Textbox(
                label="What is the actor called?", placeholder="left empty: person and quality", max_length=60
            )
            with gr.Accordion("More", open=False):
                recipe = gr.Dropdown(
                    list(offered),
                    value=usual,
                    label="Method",
                    info="copy-then-refine looks best; the others are papers'.",
                )
                seed = gr.Number(label="Seed", value=0, precision=0)
            with gr.Accordion("Numbers of the method", open=False):
                numbers = gr.Textbox(
                    label="Other numbers than the quality's",
                    info="NAME=VALUE, one a line, for example frames=400.",
                    lines=3,
                    max_lines=12,
                    max_length=LONGEST_NUMBERS,
                )
                listed = written(fragments.numbers(usual, "preview"))
            go = gr.Button("Learn", variant="primary")
        with gr.Column():
            gr.Markdown("Pictures appear here while it learns, from left to right: pose, what was learnt, the truth.")
            live = written()

    @told(studio.folder)
    def ask(who: Any, called: Any, how: Any, quality: Any, limit: Any, number: Any, others: Any) -> str:
        asking.learn(who, called, how, quality, None if quality == "instant" else limit, number, others)
        return ""

    go.click(ask, [person, name, recipe, preset, minutes, seed, numbers], name, **QUIET)

    def offer(how: Any) -> Any:
        presets = offered.get(str(how), ())
        return gr.update(choices=[(words, one) for one, words in QUALITIES.items() if one in presets], value="preview")

    recipe.change(offer, recipe, preset, **QUIET)
    for one in (recipe, preset):
        one.change(fragments.numbers, [recipe, preset], listed, **QUIET)

    def values(who: Any) -> list[Any]:
        return [choices(studio.folder, "people", who), fragments.live(studio.queue.all(), studio.folder, "learn")]

    return [Fresh([person, live], values, [person])]
