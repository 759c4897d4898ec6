"""What people do who do not wait, change their minds, or come back after the program was started anew."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from studios import Served, Session
from understudy.errors import UsageError
from understudy.web import tasks
from understudy.web.folder import Folder, Kind
from understudy.web.state import Studio

parts = pytest.importorskip("understudy.web.parts", reason="needs the extra understudy[studio]")


def test_a_page_that_was_open_finds_the_program_again(served: Served) -> None:
    """It asks for this until there is an answer, and loads itself anew if it is another than before."""
    assert served.ask("GET", "/gradio_api/app_id").status == 200


def test_corrections_that_follow_each_other_fast_are_all_made_one_by_one(served: Served) -> None:
    edit = Session(served).events["edit"]
    assert edit["trigger_mode"] == "multiple"


@pytest.mark.parametrize(
    ("before", "said", "after"),
    [
        ("", {"token": "t", "name": "a.mp4"}, ("t", "a")),
        ("a", {"token": "t", "name": "b.mp4", "instead": "a.mp4"}, ("t", "b")),
        ("Typed", {"token": "t", "name": "b.mp4", "instead": "a.mp4"}, ("t", "Typed")),
        ("unnamed", {"token": "t", "name": "b.mp4"}, ("t", "unnamed")),
        ("a", {"token": "", "name": "", "instead": "a.mp4"}, ("", "a")),
        ("", {"token": "", "name": ""}, ("", "")),
        ("a", None, ("", "a")),
    ],
)
def test_the_name_is_that_of_the_file_unless_one_was_typed(before: str, said: object, after: tuple[str, str]) -> None:
    assert parts.arrived_called(before, SimpleNamespace(_data=said)) == after


def test_a_person_of_whom_nobody_said_who_agreed_is_not_learnt(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "studio")
    folder.prepare()
    (folder.root / "people" / "Ann.performance").mkdir()
    with pytest.raises(UsageError, match=r"nobody has said who agreed that Ann is learnt, .* on the tab Person"):
        tasks.learn(folder, person="Ann", actor="Ann", recipe="copy-then-refine", preset="instant")


def test_what_was_begun_of_an_actor_goes_when_nothing_leads_to_it_any_more(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "studio")
    folder.prepare()
    actors = folder.root / "actors"
    for name in ("Ann", "An[n]", "Ann.b", "Eve"):
        (actors / f"{name}.actor.run").mkdir()
    (actors / "Ann.json").touch()
    (actors / "Eve.actor").touch()
    for name in ("Ann", "An[n]", "Eve", "", "../actors/Ann.b", "*"):
        folder.remove_begun(name)
    assert {path.name for path in actors.iterdir()} == {"Ann.b.actor.run", "Eve.actor", "Eve.actor.run"}


def test_a_training_that_is_forgotten_takes_what_was_begun_along(served: Served) -> None:
    queue, run = served.studio.queue, served.root / "actors" / "Begun.actor.run"
    number = queue.add("learn", "Learn Begun", {"person": "Ann", "actor": "Begun"})
    run.mkdir()
    queue.leave_out(number)
    assert Session(served).act("asked", [], {"do": "remove", "number": str(number)})["success"]
    assert not run.exists() and number not in [task.number for task in queue.all()]


def test_a_film_that_was_finished_is_shown_once_and_then_whatever_is_chosen(served: Served) -> None:
    queue, films = served.studio.queue, served.root / "films"
    (films / "New.mp4").touch()
    number = queue.add("perform", "Ann: Waltz", {})
    queue.end(number, "done", answer={"film": "New"})
    session = Session(served)
    load = next(one for one in session.events.values() if one["targets"][0][1] == "load")
    labels = {one["id"]: one["props"].get("label") for one in session.config["components"]}
    film_in, film_out = (
        next(at for at, one in enumerate(load[held]) if labels[one] == "Film") for held in ("inputs", "outputs")
    )

    def shown(chosen: str | None) -> object:
        queue.changed()
        given: list[str | None] = [None] * len(load["inputs"])
        given[film_in] = chosen
        done = session.act(load["api_name"], given)
        assert done["success"], done
        return done["output"]["data"][film_out]["value"]

    try:
        assert shown(None) == "New"
        assert shown("Film") == "Film"
    finally:
        (films / "New.mp4").unlink()
        queue.remove(number)


@pytest.mark.parametrize(
    ("kind", "name", "verb", "asked"),
    [
        ("people", "Ann", "learn", {"person": "Ann", "actor": "New"}),
        ("people", "Ann", "person", {"name": "Ann"}),
        ("dances", "Waltz", "perform", {"dance": "Waltz", "actors": [], "film": "New"}),
        ("actors", "Ann", "perform", {"dance": "Tango", "actors": ["Ann"], "film": "New"}),
        ("films", "Old", "perform", {"dance": "Tango", "actors": [], "film": "Old"}),
    ],
)
def test_what_a_task_needs_is_not_deleted(
    tmp_path: Path, kind: Kind, name: str, verb: str, asked: dict[str, Any]
) -> None:
    studio = Studio(tmp_path, 1 << 30, 1 << 30, 1.0)
    place = studio.folder.place(kind, name)
    if kind in ("people", "dances"):
        place.mkdir()
    else:
        place.touch()
    number = studio.queue.add(verb, "Something", asked)
    with pytest.raises(UsageError, match="“Something” needs it: stop that first"):
        studio.remove(kind, name)
    assert place.exists()
    studio.queue.leave_out(number)
    before = studio.queue.version
    studio.remove(kind, name)
    assert not place.exists() and studio.queue.version > before
    studio.queue.close()


def test_a_list_deletes_the_kind_that_its_button_names_and_no_other(tmp_path: Path) -> None:
    studio = Studio(tmp_path, 1 << 30, 1 << 30, 1.0)
    studio.folder.place("actors", "Ann").touch()
    for kind in ("people", "dances"):
        studio.folder.place(kind, "Ann").mkdir()
    handlers: list[Any] = []
    shown: Any = SimpleNamespace(click=lambda handler, **_: handlers.append(handler))
    parts.removes(studio, shown, ("actors", "dances"), shown, lambda: "what is left")

    def press(**said: str) -> None:
        assert handlers[0](SimpleNamespace(_data=said)) == "what is left"

    def there() -> list[str]:
        return [kind for kind in ("actors", "dances", "people") if studio.folder.names(kind)]

    press(do="something else", kind="dances", name="Ann")
    assert there() == ["actors", "dances", "people"]
    press(do="remove", kind="dances", name="Ann")
    assert there() == ["actors", "people"]
    press(do="remove", kind="people", name="Ann")  # which is not for this list: its first kind is meant
    assert there() == ["people"]
    studio.queue.close()
