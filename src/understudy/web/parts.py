"""What all tabs of the page are built from: fields that take a file, lists with buttons, errors in one line."""

from __future__ import annotations

import functools
import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from understudy.errors import UnderstudyError
from understudy.web.folder import PHOTO_SUFFIXES, VIDEO_SUFFIXES, Folder, Kind, safe
from understudy.web.fragments import rendered, static
from understudy.web.wording import in_page_words

if TYPE_CHECKING:
    from understudy.web.state import Studio

VIDEOS = ("video/*", *VIDEO_SUFFIXES)
PHOTOS = ("image/jpeg", "image/png", "image/webp", *PHOTO_SUFFIXES)
ERROR_SECONDS = 15
"""for which an error stays on the page"""
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""of events that nobody has to wait for"""


@dataclass(frozen=True)
class Fresh:
    """What of a tab changes while the page is open."""

    components: Sequence[Any]
    values: Callable[..., Sequence[Any]]
    """what they show now; is called with what `chosen` hold"""
    chosen: Sequence[Any] = ()
    """components that the values hang on"""


def told(folder: Folder) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The same, with errors that users cause as a line on the page, in its words, without where the studio lies."""

    def teller(work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        def done(*given: Any) -> Any:
            try:
                return work(*given)
            except UnderstudyError as error:
                said = html.escape(in_page_words(folder.without_place(str(error))))
                raise gr.Error(said, duration=ERROR_SECONDS, print_exception=False) from None

        return done

    return teller


def drop(what: str, accepts: Sequence[str], records: bool) -> gr.HTML:
    """A field for one file, chosen, dropped or recorded; its `upload` event has `token` and `name`."""
    template = rendered("drop.html", what=what, accept=",".join(accepts), records=records)
    return gr.HTML(html_template=template, js_on_load=static("drop.js"), apply_default_css=False)


def listing(value: str = "", label: str = "", elem_id: str | None = None) -> gr.HTML:
    """A list whose buttons tell by a `click` event what is to be done, see `static/list.js`."""
    return gr.HTML(value, js_on_load=static("list.js"), apply_default_css=False, label=label, elem_id=elem_id)


def written(value: str = "") -> gr.HTML:
    """Words and pictures, without buttons."""
    return gr.HTML(value, js_on_load=None, apply_default_css=False)


def choices(folder: Folder, kind: Kind, chosen: Any = None) -> Any:
    """A list of what there is of a kind; what is chosen stays, and where nothing is, the newest is."""
    names = folder.names(kind)
    value = chosen if chosen in names else names[0] if names else None
    return gr.update(choices=names, value=value)


def several(folder: Folder, kind: Kind, chosen: Any) -> Any:
    """The same, where several may be chosen."""
    names = folder.names(kind)
    kept = [one for one in chosen or [] if one in names]
    return gr.update(choices=names, value=kept or names[:1])


def removes(
    studio: Studio, shown: gr.HTML, kinds: Sequence[Kind], output: gr.components.Component, left: Callable[[], Any]
) -> None:
    """Lets a list's buttons delete what they name.

    Args:
        kinds: that may be deleted there; a button that names none of them means the first.
        output, left: what shows what is there, and what that is afterwards.
    """

    @told(studio.folder)
    def remove(event: gr.EventData) -> Any:
        said = data_of(event)
        if said.get("do") == "remove":
            kind = next((one for one in kinds if one == said.get("kind")), kinds[0])
            studio.remove(kind, str(said.get("name")))
        return left()

    shown.click(remove, outputs=output, **QUIET)


def data_of(event: gr.EventData) -> dict[str, Any]:
    """What the page's own scripts say with an event; nothing where it is not what they say."""
    said = getattr(event, "_data", None)
    return said if isinstance(said, dict) else {}


def arrived(event: gr.EventData) -> tuple[str, str]:
    """Token and name of a file that a field has taken: no more of them than there can be, for both are kept."""
    said = data_of(event)
    return str(said.get("token", ""))[:64], str(said.get("name", ""))[:200]


def takes(file: gr.HTML, token: gr.State, name: gr.Textbox, pointed: gr.State) -> None:
    """Keeps what a field tells: the file, its name where none was said before, and whom somebody has pointed at."""

    def chosen(before: str, event: gr.EventData) -> tuple[str, str]:
        return arrived_called(before, event)

    file.upload(chosen, name, [token, name], **QUIET)
    file.select(place_of, None, pointed, **QUIET)


def place_of(event: gr.EventData) -> dict[str, Any] | None:
    """Where somebody has pointed in a clip, see `static/drop.js`; None: at nobody any more."""
    said = data_of(event)
    place = {name: said.get(name) for name in ("x", "y", "seconds")}
    return place if all(isinstance(value, int | float) for value in place.values()) else None


def arrived_called(before: str, event: gr.EventData) -> tuple[str, str]:
    """Token of a file that a field has taken, and a name for it: what was typed, else what the file is called."""
    token, called = arrived(event)
    instead = str(data_of(event).get("instead", ""))[:200]
    if not token or (before and not (instead and before == safe(instead))):
        return token, before
    return token, safe(called)
