"""Pieces of the page that are written anew while it is open: words and pictures about tasks, people, films.

The templates lie in `static/`; every value is escaped.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.base.runs import runs
from understudy.errors import UnderstudyError
from understudy.web.folder import Folder, Kind
from understudy.web.queue import Task

if TYPE_CHECKING:
    from jinja2 import Environment

COLOURS = ("#2563eb", "#c2410c", "#15803d", "#7c3aed", "#0f766e", "#a16207", "#be185d", "#475569")
MOST_POINTS = 200
"""of one line of a plot"""
MOST_TASKS = 12
"""that the page lists, beside those that wait and run"""


def static(name: str) -> str:
    """A file of the page, as it is."""
    return (files("understudy.web") / "static" / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("understudy.web", "static"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


def rendered(template: str, **values: Any) -> str:
    """Fills a template of `static/`; a missing value is an error."""
    helpers = {"doing": doing, "share": share, "took": took, "media": media, "runs": runs, "said": said}
    return _environment().get_template(template).render(**helpers, **values)


# -- tasks --------------------------------------------------------------------------------------------------------


def tasks(all_tasks: Sequence[Task]) -> str:
    """The list of what was asked for, what runs first."""
    now = [task for task in all_tasks if task.status in ("running", "waiting")]
    ended = [task for task in all_tasks if task.status not in ("running", "waiting")]
    return rendered("tasks.html", tasks=[*reversed(now), *ended[:MOST_TASKS]])


def doing(task: Task) -> str:
    """What a task is at, how fast, and how long it will take, in words."""
    progress = task.progress
    if "label" not in progress:
        return "begins"
    count = f"{progress['done']}/{progress['total']}" if progress["total"] else f"{progress['done']}"
    words = [f"{progress['label']}, {count} {progress['unit']}"]
    if progress["rate"] >= 0.05:
        words.append(f"{progress['rate']:.1f} a second")
    if progress["left"] is not None:
        words.append(f"{_clock(progress['left'])} left")
    return ", ".join(words)


def share(task: Task) -> float | None:
    """How much of its present step is done, in [0, 1]; None where nobody knows."""
    total = task.progress.get("total")
    return min(1.0, task.progress["done"] / total) if total else None


def took(task: Task) -> str:
    """How long it took."""
    return _clock((task.ended or 0.0) - (task.started or 0.0))


def _clock(seconds: float) -> str:
    if seconds < 90:
        return f"{max(0, seconds):.0f} s"
    return str(timedelta(seconds=round(seconds)))


def live(all_tasks: Sequence[Task], folder: Folder, *verbs: str) -> str:
    """What the running task looks like now, if it is one of these verbs."""
    task = next((one for one in all_tasks if one.status == "running" and one.verb in verbs), None)
    if task is None:
        return rendered("live.html", task=None)
    number, lines = task.progress.get("pictures", 0), []
    if task.verb == "learn":
        number = len(folder.previews(str(task.asked["actor"])))
        lines = losses(folder.run_of(str(task.asked["actor"])))
    picture = f"/studio/picture/{task.number}?n={number}" if number else ""
    return rendered("live.html", task=task, picture=picture, losses=lines)


def losses(run: Path) -> list[dict[str, str]]:
    """The losses of a training so far, each as the points of a line that fills its picture."""
    record = max(run.glob("**/losses.jsonl"), key=lambda path: path.stat().st_mtime, default=None)
    if record is None:
        return []
    rows = []
    with suppress(OSError):
        for line in record.read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                rows.append(json.loads(line))
    rows = rows[:: max(1, len(rows) // MOST_POINTS)]
    if len(rows) < 2:
        return []
    names = [name for name in rows[-1] if name not in ("step", "seconds")]
    return [
        _line(name, [row.get(name, 0.0) for row in rows], colour) for name, colour in zip(names, COLOURS, strict=False)
    ]


def _line(name: str, values: Sequence[float], colour: str) -> dict[str, str]:
    highest = max(*(abs(value) for value in values), 1e-12)
    last = max(1, len(values) - 1)
    points = " ".join(f"{100 * at / last:.1f},{33 - 32 * abs(value) / highest:.1f}" for at, value in enumerate(values))
    return {"name": name, "points": points, "colour": colour, "last": f"{values[-1]:.3g}"}


# -- what there is ------------------------------------------------------------------------------------------------


def people(folder: Folder) -> str:
    """Everybody who was filmed."""
    found = []
    for name in folder.names("people"):
        noted = folder.noted("people", name)
        found.append({"name": name, "consent": noted.get("consent"), "footage": noted.get("footage", [])})
    return rendered("people.html", people=found)


def gallery(folder: Folder) -> str:
    """All actors, with who agreed to what, and all dances."""
    actors = []
    for name in folder.names("actors"):
        with suppress(UnderstudyError, OSError):  # it is being written, or another version's
            path = folder.find("actors", name)
            about, consent, time = _about(path, path.stat().st_mtime_ns)
            noted = folder.noted("actors", name)
            of = str(noted.get("person", name))
            actors.append(
                {
                    "name": name,
                    "person": of if of in folder.names("people") else "",
                    "about": about,
                    "consent": consent,
                    "time": time[:10],
                    "measured": _measured(noted.get("measured")),
                }
            )
    dances = [
        {"name": name, "footage": folder.noted("dances", name).get("footage", [])} for name in folder.names("dances")
    ]
    return rendered("actors.html", actors=actors, dances=dances)


def _measured(kept: Any) -> dict[str, Any] | None:
    """How true an actor was found to be; None where nobody has looked, or the note is damaged."""
    whole = isinstance(kept, dict) and isinstance(kept.get("said"), list)
    return {"dance": kept.get("dance", ""), "said": kept["said"]} if whole else None


@lru_cache(maxsize=256)
def _about(path: Path, _changed: int) -> tuple[str, str, str]:
    """Of an actor, which may be hundreds of megabytes, the words that are shown: how it was made, consent, its time."""
    from understudy.actor import Actor

    actor = Actor.load(path)
    return f"{actor.recipe}, {actor.record.get('preset', '')}", actor.consent.text, actor.consent.time


def numbers(method: object, quality: object) -> str:
    """All numbers of a method that can be set on the page, as a quality has them; nothing where there is none."""
    from understudy.recipes import recipe
    from understudy.recipes.parts import settings
    from understudy.web.asking import methods, settable

    if not isinstance(method, str) or not isinstance(quality, str) or quality not in methods().get(method, ()):
        return ""
    found = settings.numbers(recipe(method).preset(quality))
    return rendered("numbers.html", numbers=[one for one in found if settable(one.kind)])


# -- coverage -----------------------------------------------------------------------------------------------------


def coverage(folder: Folder, person: object, dance: object) -> str:
    """What the latest report on the two says."""
    for name in folder.names("reports"):
        found = folder.noted("reports", name)
        if "limbs" in found and found["person"] == person and found["dance"] == dance:
            limbs = sorted(found["limbs"].items(), key=lambda one: -one[1])[:5]
            return rendered(
                "coverage.html",
                found={"unseen": ""} | found,  # which older reports do not say
                report=name,
                limbs=[(limb, missed) for limb, missed in limbs if missed >= 0.005],
            )
    return rendered("coverage.html", found=None, otherwise="Choose a person and a dance, and ask.")


def crowd(folder: Folder, dance: object) -> str:
    """How many people were found in a dance, and what that is good for; nothing where nobody has looked."""
    count = folder.people_in(dance)
    return rendered("crowd.html", count=count, dance=dance) if count else ""


# -- films --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Film:
    """Something that is played on the page."""

    kind: Kind | str
    """films, comparisons or dances"""
    name: str


def media(film: Film) -> str:
    """Its address."""
    from jinja2.utils import url_quote

    return f"/studio/media/{film.kind}/{url_quote(film.name, for_qs=True).replace('+', '%20')}"


def said(film: Film) -> str:
    """What it is, in words."""
    return f"the dance {film.name}" if film.kind == "dances" else film.name


def films(film: Film | None, other: Film | None = None) -> str:
    """A player, of one film or of two over each other."""
    return rendered("films.html", film=film, other=other)
