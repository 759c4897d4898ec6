"""The tab on which actors dance, and films are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from understudy.tracking.sides import name_of
from understudy.web import fragments
from understudy.web.asking import BACKGROUNDS, MOST_PEOPLE, Asking
from understudy.web.folder import Folder
from understudy.web.fragments import Film, static
from understudy.web.parts import QUIET, Fresh, choices, removes, several, told, written

if TYPE_CHECKING:
    from understudy.web.state import Studio

NOBODY = ("Nobody", "")
ALONE, SIDE_BY_SIDE, OVER = "The film alone", "Dance, pose and film side by side", "The film over another"


def build(studio: Studio) -> list[Fresh]:
    """Builds the tab; what of it changes."""
    asking = Asking(studio.folder, studio.queue)
    with gr.Row():
        with gr.Column():
            actors = gr.Dropdown([], label="Who dances", multiselect=True, max_choices=4)
            dance = gr.Dropdown([], label="Dance")
            each = gr.Checkbox(False, label="Everybody in the dance drives an actor of their own", visible=False)
            assigned = [gr.Dropdown([NOBODY], value="", visible=False) for _ in range(MOST_PEOPLE)]
            background = gr.Radio([*BACKGROUNDS, "A colour"], value="The person's room", label="Behind the performer")
            colour = gr.ColorPicker("#202030", label="Colour", visible=False)
            compare = gr.Checkbox(True, label="Make a film for comparing, too")
            label = gr.Checkbox(False, label="Paint a small “AI” into a corner")
            go = gr.Button("Dance", variant="primary")
            live = written()
        with gr.Column():
            film = gr.Dropdown([], label="Film")
            how = gr.Radio([ALONE, SIDE_BY_SIDE, OVER], value=ALONE, label="Show")
            other = gr.Dropdown([], label="The other one", visible=False)
            player = gr.HTML(js_on_load=static("list.js") + static("compare.js"), apply_default_css=False)

    background.change(lambda one: gr.update(visible=one == "A colour"), background, colour, **QUIET)

    @told(studio.folder)
    def ask(*given: Any) -> None:
        asking.perform(*given)

    go.click(ask, [actors, dance, background, colour, compare, label, each, *assigned], None, **QUIET)

    def who(what: Any, own: Any, *chosen: Any) -> list[Any]:
        return _who(studio.folder, what, own, chosen)

    for changed in (dance.change, each.change):
        changed(who, [dance, each, *assigned], [actors, each, *assigned], **QUIET)

    def played(name: Any, shown: Any, under: Any) -> str:
        return fragments.films(*_films(studio, name, shown, under))

    shown_by = [film, how, other]
    for changed in (film.change, how.change, other.change):
        changed(played, shown_by, player, **QUIET)
    how.change(lambda one: gr.update(visible=one == OVER), how, other, **QUIET)

    removes(studio, player, ("films",), film, lambda: choices(studio.folder, "films"))

    def values(cast: Any, what: Any, name: Any, shown: Any, under: Any, last: Any, own: Any, *chosen: Any) -> list[Any]:
        folder = studio.folder
        newest = _newest(studio)
        if newest is not None and newest != last:  # once: then another one may be chosen
            name = newest
        others = [(f"the dance {one}", f"dances/{one}") for one in folder.names("dances")]
        others += [(one, f"films/{one}") for one in folder.names("films")]
        kept = under if under in [value for _, value in others] else others[0][1] if others else None
        dances = choices(folder, "dances", what)
        seen, *others_of_it = _who(folder, dances["value"], own, chosen)
        return [
            several(folder, "actors", cast) | seen,
            dances,
            choices(folder, "films", name),
            gr.update(choices=others, value=kept),
            fragments.live(studio.queue.all(), folder, "perform"),
            newest or last,
            *others_of_it,
        ]

    shown_last = gr.State()
    shown_in = [actors, dance, film, other, live, shown_last, each, *assigned]
    return [Fresh(shown_in, values, [actors, dance, film, how, other, shown_last, each, *assigned])]


def _who(folder: Folder, dance: Any, each: Any, chosen: Sequence[Any]) -> list[Any]:
    """What is asked about who dances: one list for all, or one for each of the people who were found in the dance."""
    count, names = folder.people_in(dance), folder.names("actors")
    own = bool(each) and count > 1
    fields = []
    for number, one in enumerate(chosen):
        side = name_of(number, count) if number < count else ""
        called = f"number {side} from the left" if side.isdecimal() else f"the one on the {side}"
        label = "In place of " + ("the one in the centre" if side == "centre" else called)
        kept = one if one in names else ""
        fields.append(gr.update(choices=[NOBODY, *names], value=kept, label=label, visible=own and number < count))
    return [gr.update(visible=not own), gr.update(visible=count > 1), *fields]


def _newest(studio: Studio) -> str | None:
    """A film that was finished just now is shown at once."""
    latest = studio.queue.all()[:1]
    if latest and latest[0].verb == "perform" and latest[0].status == "done":
        name = latest[0].answer.get("film")
        return name if name in studio.folder.names("films") else None
    return None


def _films(studio: Studio, name: Any, shown: Any, under: Any) -> tuple[Film | None, Film | None]:
    if name not in studio.folder.names("films"):
        return None, None
    if shown == SIDE_BY_SIDE and studio.folder.place("films", name).with_suffix(".compare.mp4").is_file():
        return Film("comparisons", name), None
    if shown == OVER and isinstance(under, str):
        kind, _, other = under.partition("/")
        if kind in ("films", "dances") and other in studio.folder.names(kind):  # type: ignore[arg-type]
            return Film("films", name), Film(kind, other)
    return Film("films", name), None
