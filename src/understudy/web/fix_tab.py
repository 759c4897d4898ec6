"""The tab on which wrong joints are put right: the joint fixer of `static/fixer.js`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import gradio as gr

from understudy.base.stored import number
from understudy.errors import UnderstudyError, UsageError
from understudy.performance import HEADER_FILE, fixes
from understudy.poses.edits import Delete, Edit, ExchangeSides, Interpolate, Move
from understudy.web.folder import Kind
from understudy.web.fragments import static
from understudy.web.frames import JOINTS
from understudy.web.parts import QUIET, Fresh, data_of, told

if TYPE_CHECKING:
    from understudy.web.state import Studio

GUIDE = """\
Red stretches deserve a look. Take hold of a joint that is wrong and drag it; or choose a stretch, and exchange left
and right, draw a joint's way straight from its begin to its end, or say that it is not seen. Every correction can be
undone, and films and trainings from now on see it. By keys: <kbd>[</kbd> <kbd>]</kbd> choose a joint, arrows move it,
<kbd>,</kbd> <kbd>.</kbd> step through frames."""


def build(studio: Studio) -> list[Fresh]:
    """Builds the tab; what of it changes."""
    which = gr.Dropdown([], label="Dance or person")
    gr.Markdown(GUIDE)
    fixer = gr.HTML("", html_template=static("fixer.html"), js_on_load=static("fixer.js"), apply_default_css=False)

    which.change(lambda one: _shown(studio, *(one or "/").split("/", 1)), which, fixer, **QUIET)

    @told(studio.folder)
    def edit(event: gr.EventData) -> str:
        said = data_of(event)
        kind, name = _asked(said)
        performance, _ = studio.frames.opened(kind, name)
        act = said.get("act")
        if act == "undo":
            performance = fixes.undo(performance)
        elif act == "redo":
            performance = fixes.redo(performance)
        else:
            performance = fixes.add(performance, _edit(said, performance.header.size_hw))
        studio.frames.keep(performance)
        studio.queue.changed()
        return _shown(studio, kind, name)

    # every one of them, one after another: two at the same time would each be made without the other
    fixer.edit(edit, outputs=fixer, trigger_mode="multiple", concurrency_limit=1, **QUIET)

    def values(chosen: Any) -> list[Any]:
        found = [(f"the dance {one}", f"dances/{one}") for one in studio.folder.names("dances")]
        found += [(f"the person {one}", f"people/{one}") for one in studio.folder.names("people")]
        kept = chosen if chosen in [value for _, value in found] else found[0][1] if found else None
        kind, _, name = (kept or "").partition("/")
        return [gr.update(choices=found, value=kept), _shown(studio, kind, name)]

    return [Fresh([which, fixer], values, [which])]


def _shown(studio: Studio, kind: str, name: str) -> str:
    """What the script shows: another text with every correction, whoever made it; nothing where there is none."""
    with suppress(UnderstudyError, OSError):
        path = studio.folder.find("people" if kind == "people" else "dances", name)
        return f"{kind}\n{name}\n{(path / HEADER_FILE).stat().st_mtime_ns}"
    return ""


def _asked(said: dict[str, Any]) -> tuple[Kind, str]:
    kind, name = said.get("kind"), said.get("name")
    if kind == "dances" and isinstance(name, str):
        return "dances", name
    if kind == "people" and isinstance(name, str):
        return "people", name
    raise UsageError("choose a dance or a person first")


def _edit(said: dict[str, Any], size_hw: tuple[int, int]) -> Edit:
    """What the script asks for; whether it can be done in this clip is for `fixes.add` to say."""
    height, width = size_hw
    try:
        if said.get("act") == "move":
            x, y = _within(said["x"], width), _within(said["y"], height)
            return Move(_whole(said["frame"]), _joint(said["point"]), x, y)
        first, last = _whole(said["first"]), _whole(said["last"])
        if said.get("act") == "exchange":
            return ExchangeSides(first, last, said["which"])
        points = tuple(_joint(point) for point in said["points"])
        if said.get("act") == "delete":
            return Delete(points, first, last)
        if said.get("act") == "interpolate":
            return Interpolate(points, first, last)
    except (KeyError, TypeError, ValueError, OverflowError):
        pass
    raise UsageError("this is no correction that there is")


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError
    return value


def _within(value: Any, side: int) -> float:
    """A place along one side of the picture; one beyond its edges is at the edge."""
    return max(0.0, min(float(side - 1), number(value)))


def _joint(value: Any) -> int:
    if _whole(value) not in JOINTS:
        raise ValueError
    return int(value)
