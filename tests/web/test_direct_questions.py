"""The page's own questions, asked by somebody who has read its source: with names, numbers and tables of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from studios import SECRET, TOKEN, Served, Session
from understudy.web import server
from understudy.web.asking import MOST_PEOPLE
from understudy.web.queue import MOST_WAITING

NOWHERE = "../../../secret"
HUGE = "a" * 300_000
MARKUP = "<img src=x onerror=hacked()>${hacked()}{{hacked}}"
LIKE_OTHERS = ["Film", "The film alone", None]

LEARN = ["Ann", "", "copy-then-refine", "instant", 1, 0, ""]
PERFORM = [["Ann"], "Waltz", "White", "#202030", True, False, False, *[""] * MOST_PEOPLE]
FIX = {"kind": "dances", "name": "Waltz", "act": "undo"}


def changed(values: list[Any], at: int, value: Any) -> list[Any]:
    return [*values[:at], value, *values[at + 1 :]]


QUESTIONS: dict[str, tuple[str, list[Any], Any]] = {
    "no upload of a person": ("ask", [None, "Eve", "I agree"], None),
    "upload of a person that is sent along": ("ask", [TOKEN, "Eve", "I agree"], None),
    "no upload of a dance": ("ask_1", [None, "Tango"], None),
    "no upload to check": ("ask_4", [None, None, True], None),
    "upload that is a path": ("ask_4", ["../../secret.txt", "a", True], None),
    "compare a person that is not there": ("coverage", ["Eve", "Waltz"], None),
    "compare a path": ("coverage", [NOWHERE, "Waltz"], None),
    "compare with a path": ("coverage", ["Ann", NOWHERE], None),
    "compare a link": ("coverage", ["linked", "Waltz"], None),
    "compare numbers": ("coverage", [7, True], None),
    "compare nobody": ("coverage", [None, None], None),
    "compare lists": ("coverage", [["Ann"], ["Waltz"]], None),
    "compare tables": ("coverage", [{"Ann": 1}, {}], None),
    "compare something huge": ("coverage", [HUGE, HUGE], None),
    "compare markup": ("coverage", [MARKUP, MARKUP], None),
    "compare with too little": ("coverage", [], None),
    "compare with too much": ("coverage", ["Ann"] * 5, None),
    "report on a path": ("report", [NOWHERE, NOWHERE], None),
    "learn a path": ("ask_2", changed(LEARN, 0, NOWHERE), None),
    "learn a link": ("ask_2", changed(LEARN, 0, "linked"), None),
    "learn by a module": ("ask_2", changed(LEARN, 2, "os"), None),
    "learn by a method of pairs": ("ask_2", changed(LEARN, 2, "../freestyle"), None),
    "learn by a list": ("ask_2", changed(LEARN, 2, [["copy-then-refine"]]), None),
    "learn by a table": ("ask_2", changed(LEARN, 2, {}), None),
    "learn in another quality": ("ask_2", changed(LEARN, 3, "infinite"), None),
    "learn in a list of qualities": ("ask_2", changed(LEARN, 3, ["instant"]), None),
    "learn for a negative time": ("ask_2", changed(changed(LEARN, 3, "preview"), 4, -1), None),
    "learn for ever": ("ask_2", changed(changed(LEARN, 3, "preview"), 4, 1e300), None),
    "learn for a word": ("ask_2", changed(changed(LEARN, 3, "preview"), 4, "soon"), None),
    "learn from a word": ("ask_2", changed(LEARN, 5, "seed"), None),
    "learn from numbers that are none": ("ask_2", changed(LEARN, 6, "../../secret"), None),
    "learn from a list of numbers": ("ask_2", changed(LEARN, 6, [NOWHERE]), None),
    "learn from a network of another": (
        "ask_2",
        changed(changed(LEARN, 2, "freestyle-reenactment"), 6, f"model={NOWHERE}"),
        None,
    ),
    "list the numbers of a module": ("numbers", ["os", "preview"], None),
    "list the numbers of a path": ("numbers", [NOWHERE, {}], None),
    "dance by a path": ("ask_3", changed(PERFORM, 0, [NOWHERE]), None),
    "dance by a link": ("ask_3", changed(PERFORM, 0, ["link"]), None),
    "dance by nobody": ("ask_3", changed(PERFORM, 0, []), None),
    "dance by many": ("ask_3", changed(PERFORM, 0, ["Ann"] * 5), None),
    "dance by lists": ("ask_3", changed(PERFORM, 0, [[["Ann"]]]), None),
    "dance a path": ("ask_3", changed(PERFORM, 1, NOWHERE), None),
    "dance before a file": ("ask_3", changed(PERFORM, 2, "/etc/passwd"), None),
    "dance before a colour that is a file": ("ask_3", changed(changed(PERFORM, 2, "A colour"), 3, "/etc/hosts"), None),
    "dance each by a path": ("ask_3", [*PERFORM[:6], True, NOWHERE, *[""] * (MOST_PEOPLE - 1)], None),
    "dance each by lists": ("ask_3", [*PERFORM[:6], "yes", *[["Ann"]] * MOST_PEOPLE], None),
    "dance by more than there can be": ("ask_3", [*PERFORM, *["Ann"] * 99], None),
    "ask who is in a path": ("who", [NOWHERE, True, *[NOWHERE] * MOST_PEOPLE], None),
    "ask who is in a list": ("who", [["Waltz"], {}, *[["Ann"]] * MOST_PEOPLE], None),
    "find everybody in a path": ("everybody", [NOWHERE], None),
    "find everybody in a link's video": ("everybody", ["Waltz"], None),
    "measure a path": ("measure", [NOWHERE, "Waltz"], None),
    "measure by a list": ("measure", [["link"], {}], None),
    "play a path": ("played", changed(LIKE_OTHERS, 0, NOWHERE), None),
    "play a link": ("played", changed(LIKE_OTHERS, 0, "link"), None),
    "play over a path": ("played", ["Film", "The film over another", f"films/{NOWHERE}"], None),
    "play over another kind": ("played", ["Film", "The film over another", "uploads/" + TOKEN], None),
    "play over a number": ("played", ["Film", "The film over another", 7], None),
    "fix a path": ("edit", [], FIX | {"name": NOWHERE}),
    "fix a link": ("edit", [], FIX | {"kind": "people", "name": "linked"}),
    "fix another kind": ("edit", [], FIX | {"kind": "films", "name": "Film"}),
    "fix a number": ("edit", [], FIX | {"name": 7}),
    "fix what is empty": ("edit", [], FIX),
    "fix by another act": ("edit", [], FIX | {"act": "__init__"}),
    "fix without a word": ("edit", [], None),
    "fix by a list": ("edit", [], [1, 2]),
    "delete a person by a path": ("remove", [], {"do": "remove", "name": NOWHERE}),
    "delete a linked person": ("remove", [], {"do": "remove", "name": "linked"}),
    "delete by an empty name": ("remove", [], {"do": "remove", "name": ""}),
    "delete by a wildcard": ("remove", [], {"do": "remove", "name": "*"}),
    "delete by a number": ("remove", [], {"do": "remove", "name": 7}),
    "delete a film by a path": ("remove_1", [], {"do": "remove", "name": "../people/Ann"}),
    "delete a linked film": ("remove_1", [], {"do": "remove", "name": "link"}),
    "delete another kind": ("remove_2", [], {"do": "remove", "kind": "..", "name": "secret"}),
    "delete people in the gallery": ("remove_2", [], {"do": "remove", "kind": "people", "name": "Ann"}),
    "stop a task that is not there": ("asked", [], {"do": "stop", "number": "99999"}),
    "stop a task before the first": ("asked", [], {"do": "stop", "number": "-1"}),
    "stop a task of words": ("asked", [], {"do": "stop", "number": "1 or 1=1"}),
    "stop a task in other digits": ("asked", [], {"do": "stop", "number": "\u00b9"}),
    "stop a task beyond numbers": ("asked", [], {"do": "stop", "number": "9" * 9999}),
    "stop a task by a list": ("asked", [], {"do": "stop", "number": [1]}),
    "another button of a task": ("asked", [], {"do": "drop table tasks", "number": "1"}),
    "try a task again that waits": ("asked", [], {"do": "again", "number": "1"}),
    "forget a task that waits": ("asked", [], {"do": "remove", "number": "1"}),
    "no number of a task": ("asked", [], {"do": "stop"}),
}


@pytest.fixture(scope="module")
def opened(served: Served) -> Session:
    return Session(served).load()


@pytest.fixture
def emptied(served: Served) -> Iterator[Served]:
    """What a test asks for is forgotten behind it."""
    before = [task.number for task in served.studio.queue.all()]
    yield served
    for task in served.studio.queue.all():
        if task.number not in before:
            served.studio.queue.leave_out(task.number)
            served.studio.queue.remove(task.number)
    for path in (served.root / "uploads").iterdir():
        if path.name != TOKEN:
            path.unlink()


@pytest.mark.parametrize("name", QUESTIONS)
def test_nothing_comes_of_it(unharmed: Served, opened: Session, name: str) -> None:
    event, values, said = QUESTIONS[name]
    told = json.dumps(opened.act(event, values, said))
    assert SECRET.decode() not in told and str(unharmed.outside) not in told and "Traceback" not in told


def test_the_same_questions_about_what_is_there_are_answered(emptied: Served, opened: Session) -> None:
    """Else all of them might be refused for another reason."""
    token = emptied.upload(b"x" * 50)
    assert opened.act("chosen_2", [], {"token": token, "name": "my clip.mp4"})["success"]
    for event, values in (("ask_4", [None, None, False]), ("coverage", ["Ann", "Waltz"]), ("ask_2", LEARN)):
        done = opened.act(event, values)
        assert done["success"], done
    asked = [(task.verb, task.asked.get("name")) for task in emptied.studio.queue.all()[:3]]
    assert asked == [("learn", None), ("coverage", None), ("check", "my clip")]
    shown = opened.act("played", LIKE_OTHERS)
    assert "/studio/media/films/Film" in json.dumps(shown)


@pytest.mark.parametrize("token", ["../../secret.txt", TOKEN, "studio.sqlite", "", None, 7, ["x"], {"a": 1}, HUGE])
@pytest.mark.parametrize(("chosen", "ask"), [("chosen", "ask"), ("chosen_1", "ask_1"), ("chosen_2", "ask_4")])
def test_a_token_that_the_server_did_not_give_is_none(unharmed: Served, chosen: str, ask: str, token: Any) -> None:
    session = Session(unharmed)
    values = {"chosen": [""], "chosen_1": [""], "chosen_2": []}[chosen]
    session.act(chosen, values, {"token": token, "name": NOWHERE})
    data = {"ask": [None, "Eve", "I agree"], "ask_1": [None, "Tango"], "ask_4": [None, None, False]}[ask]
    done = session.act(ask, data)
    assert not done["success"] and SECRET.decode() not in json.dumps(done)


def test_a_token_is_its_sessions_own(emptied: Served) -> None:
    first, other = Session(emptied), Session(emptied)
    first.act("chosen_2", [], {"token": emptied.upload(b"x"), "name": "mine"})
    assert not other.act("ask_4", [None, None, False])["success"]
    assert first.act("ask_4", [None, None, False])["success"]


def test_what_a_file_is_called_becomes_a_harmless_name(emptied: Served) -> None:
    session = Session(emptied)
    token = emptied.upload(b"x")
    session.act("chosen_2", [], {"token": token, "name": "../../<script>${1}{{2}}`id`\x1b[31m\u202e$(x).mp4"})
    assert session.act("ask_4", [None, None, False])["success"]
    task = emptied.studio.queue.all()[0]
    assert task.asked["upload"] == token and task.asked["name"] == "script12id31m(x)"


def test_no_more_wait_than_may(emptied: Served, opened: Session) -> None:
    done = [opened.act("coverage", ["Ann", "Waltz"])["success"] for _ in range(MOST_WAITING + 4)]
    waiting = [task for task in emptied.studio.queue.all() if task.status == "waiting"]
    assert len(waiting) == MOST_WAITING and done.count(False) >= 4 and not done[-1]


def test_uploads_that_are_too_many_at_once_are_turned_away(unharmed: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_UPLOADS", 0)
    answer = unharmed.ask("PUT", "/studio/upload?name=a.mp4", {}, b"x")
    assert answer.status == 503 and answer.body.startswith(b"other files are on their way")
