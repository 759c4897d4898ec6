"""The tab on which a person is brought: a clip, a name, who agreed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from understudy.web import fragments
from understudy.web.asking import Asking
from understudy.web.parts import QUIET, VIDEOS, Fresh, drop, listing, removes, takes, told, written

if TYPE_CHECKING:
    from understudy.web.state import Studio

GUIDE = """\
<ol class="us-steps us-quiet"><li>One person, from head to foot, the camera on a stand.</li>
<li>About two minutes: turn around, lift arms and legs, walk, bend.</li>
<li>Even light; clothes that differ from the wall.</li></ol>"""


def build(studio: Studio) -> list[Fresh]:
    """Builds the tab; what of it changes."""
    asking = Asking(studio.folder, studio.queue)
    token, pointed = gr.State(""), gr.State(None)
    with gr.Row():
        with gr.Column():
            written(GUIDE)
            file = drop("A video of one person", VIDEOS, records=True)
            name = gr.Textbox(label="What is the person called?", max_length=60)
            consent = gr.Textbox(
                label="Who agreed to be learnt, and to what?",
                placeholder="I am the person in the clip, and I agree that it is learnt from",
                info="It is stored in the actor and told by every film. Do not learn anybody who has not agreed.",
                max_length=2000,
            )
            go = gr.Button("Look at the clip, and make a first actor", variant="primary")
        with gr.Column():
            live = written()
            people = listing()

    takes(file, token, name, pointed)

    @told(studio.folder)
    def ask(given: str, called: str, said: str, who: Any) -> tuple[str, str, str, None]:
        asking.person(given, called, said, who)
        gr.Info("It is being looked at; the first actor is ready some seconds after that.")
        return "", "", given, None

    go.click(ask, [token, name, consent, pointed], [token, name, file, pointed], **QUIET)
    removes(studio, people, ("people",), people, lambda: fragments.people(studio.folder))

    def values() -> list[Any]:
        return [fragments.live(studio.queue.all(), studio.folder, "person"), fragments.people(studio.folder)]

    return [Fresh([live, people], values)]
