"""The page: tabs in the order in which somebody new goes through them, and below them what is being done."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import gradio as gr

from understudy.errors import UsageError
from understudy.web import (
    check_tab,
    dance_tab,
    fix_tab,
    fragments,
    gallery_tab,
    learn_tab,
    perform_tab,
    person_tab,
)
from understudy.web.parts import QUIET, Fresh, data_of, listing, told

if TYPE_CHECKING:
    from understudy.web.state import Studio

LOOKS = fragments.static("looks.css")
EVERY = 1.0
"""seconds between two looks at what has changed"""
TABS = {
    "1 Person": person_tab,
    "2 Dance": dance_tab,
    "3 Learn": learn_tab,
    "4 Perform": perform_tab,
    "Fix joints": fix_tab,
    "Gallery": gallery_tab,
    "Check a file": check_tab,
}
HEAD = """\
<div class="us-head"><h1>understudy studio</h1>
<p>Film a person, choose a dance, and watch the person dance it. All of it happens on this computer.</p></div>"""


def theme() -> gr.themes.Base:
    """Looks without anything that is fetched."""
    fonts = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
    mono = ["ui-monospace", "Menlo", "Consolas", "monospace"]
    return gr.themes.Default(
        primary_hue="orange", neutral_hue="stone", radius_size="lg", font=fonts, font_mono=mono
    ).set(button_primary_background_fill="#c2410c", button_primary_background_fill_dark="#c2410c")


def page(studio: Studio) -> gr.Blocks:
    """All of the page."""
    blocks: gr.Blocks
    with gr.Blocks(title="understudy studio", analytics_enabled=False) as blocks:
        gr.HTML(HEAD, js_on_load=None, apply_default_css=False)
        fresh: list[Fresh] = []
        with gr.Tabs():
            for name, tab in TABS.items():
                with gr.Tab(name):
                    fresh += tab.build(studio)
        gr.Markdown("### What is being done")
        fresh.append(_tasks(studio))
        _keep_fresh(blocks, studio, fresh)
    blocks.queue(max_size=64, default_concurrency_limit=8, api_open=False)
    return blocks


def _tasks(studio: Studio) -> Fresh:
    shown = listing(elem_id="us-tasks")

    @told(studio.folder)
    def asked(event: gr.EventData) -> str:
        said = data_of(event)
        number = said.get("number")
        task = studio.queue.task(
            int(number) if isinstance(number, str) and re.fullmatch("[0-9]{1,12}", number) else None
        )
        if said.get("do") == "stop":
            studio.runner.stop(task.number)
        elif said.get("do") == "again":
            studio.queue.again(task.number)
        elif said.get("do") == "remove":
            studio.queue.remove(task.number)
            if task.verb == "learn" and task.status != "done":  # nothing leads to it any more
                studio.folder.remove_begun(str(task.asked["actor"]))
        else:
            raise UsageError("there is no such button")
        return fragments.tasks(studio.queue.all())

    shown.click(asked, outputs=shown, **QUIET)
    return Fresh([shown], lambda: [fragments.tasks(studio.queue.all())])


def _keep_fresh(blocks: gr.Blocks, studio: Studio, fresh: list[Fresh]) -> None:
    """Everything is shown anew when the page is opened, and when something has changed since."""
    seen = gr.State(-1)
    components = [component for one in fresh for component in one.components]
    chosen = [component for one in fresh for component in one.chosen]

    def now(before: int, *held: Any) -> list[Any]:
        version = studio.queue.version
        if version == before:
            return [before, *(gr.skip() for _ in components)]
        values: list[Any] = []
        left = list(held)
        for one in fresh:
            values += one.values(*left[: len(one.chosen)])
            del left[: len(one.chosen)]
        return [version, *values]

    timer = gr.Timer(EVERY)
    timer.tick(now, [seen, *chosen], [seen, *components], trigger_mode="once", **QUIET)
    blocks.load(now, [seen, *chosen], [seen, *components], **QUIET)
