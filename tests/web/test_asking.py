"""What the page asks for, before it becomes a task: what is missing or wrong is one line, and nothing is asked then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tiny import tiny_performance
from understudy.consent import LONGEST
from understudy.errors import UnderstudyError, UsageError
from understudy.web import fragments
from understudy.web.asking import BACKGROUNDS, LONGEST_NUMBERS, Asking, methods, settable
from understudy.web.folder import Folder
from understudy.web.queue import Queue, Task

HERE_NO_MORE = "that file is not here any more: uploads are removed after an hour; choose it again"
JPEG = b"\xff\xd8\xff\xe0 and so on"
CONSENT = "I am the person in the clip"
USUAL = next(iter(methods()))


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Asking]:
    folder = Folder(tmp_path / "studio")
    folder.prepare()
    (folder.root / "people" / "Ann.performance").mkdir()
    for name in ("Waltz", "Bare", "Still"):
        (folder.root / "dances" / f"{name}.performance").mkdir()
    (folder.root / "dances" / "Waltz.mp4").write_bytes(b"a film")
    (folder.root / "dances" / "Still.mp4").write_bytes(JPEG)
    for name in "ABCDE":
        (folder.root / "actors" / f"{name}.actor").touch()
    queue = Queue(folder.root / "studio.sqlite")
    yield Asking(folder, queue)
    queue.close()


def upload(asking: Asking, name: str = "clip.mp4") -> str:
    path = asking.folder.new_upload(name)
    path.touch()
    return path.name


def disguised(asking: Asking) -> str:
    """A photograph that is called a video."""
    token = upload(asking)
    (asking.folder.root / "uploads" / token).write_bytes(JPEG)
    return token


def newest(asking: Asking) -> Task:
    return asking.queue.all()[0]


def perform(asking: Asking, **changes: Any) -> None:
    given: dict[str, Any] = {
        "actors": ["A"], "dance": "Waltz", "background": "White", "colour": "", "compare": True, "label": False,
    }  # fmt: skip
    asking.perform(**given | changes)


def each(asking: Asking, *assigned: Any, dance: str = "Waltz", people: Any = 6) -> None:
    """Everybody drives an actor of their own."""
    asking.folder.note("dances", dance, {"people": people})
    asking.perform([], dance, "White", "", True, False, True, *assigned)


def learn(asking: Asking, **changes: Any) -> str:
    given: dict[str, Any] = {
        "person": "Ann", "name": "", "recipe": USUAL, "preset": "instant", "minutes": None, "seed": 0,
    }  # fmt: skip
    return asking.learn(**given | changes)


NO_PERSON = "there is no person of that name here: choose one from the list"
NO_DANCE = "there is no dance of that name here: choose one from the list"
NO_ACTOR = "there is no actor of that name here: choose one from the list"
NO_MINUTES = "say more than 0 minutes, or leave the field empty: then it takes as long as it takes"
NO_NUMBERS = f"numbers are written as NAME=VALUE, one a line, {LONGEST_NUMBERS} characters at most"
SAY_WHO = "say who agreed to be learnt, and to what: for example “I am the person in the clip”"
WRONG: dict[str, tuple[Callable[[Asking], Any], str]] = {
    "person: no clip": (lambda a: a.person("", "Eve", CONSENT), "choose a clip of the person first, or record one"),
    "person: none at all": (
        lambda a: a.person(None, "Eve", CONSENT), "choose a clip of the person first, or record one"
    ),
    "person: clip that is gone": (lambda a: a.person("0" * 32 + ".mp4", "Eve", CONSENT), HERE_NO_MORE),
    "person: clip that is a list": (lambda a: a.person(["a"], "Eve", CONSENT), HERE_NO_MORE),
    "person: no consent": (lambda a: a.person(upload(a), "Eve", ""), SAY_WHO),
    "person: blank consent": (lambda a: a.person(upload(a), "Eve", " \n"), SAY_WHO),
    "person: consent that is no text": (lambda a: a.person(upload(a), "Eve", True), SAY_WHO),
    "person: endless consent": (
        lambda a: a.person(upload(a), "Eve", "x" * (LONGEST + 1)), f"the consent is longer than {LONGEST} characters"
    ),
    "person: a photograph": (
        lambda a: a.person(upload(a, "me.JPG"), "Eve", CONSENT),
        "a person is learnt from a video: of one photograph nothing can be learnt here",
    ),
    "dance: a photograph": (
        lambda a: a.dance(upload(a, "me.png"), "Tango"),
        "a photograph holds still: choose a video of somebody who moves",
    ),
    "person: a photograph called a video": (
        lambda a: a.person(disguised(a), "Eve", CONSENT),
        "a person is learnt from a video: of one photograph nothing can be learnt here",
    ),
    "dance: a photograph called a video": (
        lambda a: a.dance(disguised(a), "Tango"), "a photograph holds still: choose a video of somebody who moves"
    ),
    "dance: no clip": (lambda a: a.dance("", "Tango"), "choose a video of a dance first"),
    "dance: clip that is gone": (lambda a: a.dance("../a.mp4", "Tango"), HERE_NO_MORE),
    "coverage: nobody": (lambda a: a.coverage(None, "Waltz"), NO_PERSON),
    "coverage: another": (lambda a: a.coverage("../people/Ann", "Waltz"), NO_PERSON),
    "coverage: no dance": (lambda a: a.coverage("Ann", ["Waltz"]), NO_DANCE),
    "learn: nobody": (lambda a: learn(a, person=""), NO_PERSON),
    "learn: no method": (lambda a: learn(a, recipe=None), "choose a method"),
    "learn: method of pairs": (lambda a: learn(a, recipe="freestyle"), "choose a method"),
    "learn: methods": (lambda a: learn(a, recipe=[USUAL]), "choose a method"),
    "learn: no quality": (
        lambda a: learn(a, preset="best"), f"{USUAL} has no best: choose one of {', '.join(methods()[USUAL])}"
    ),
    "learn: qualities": (
        lambda a: learn(a, preset={}), f"{USUAL} has no {{}}: choose one of {', '.join(methods()[USUAL])}"
    ),
    "learn: no time": (lambda a: learn(a, minutes=0), NO_MINUTES),
    "learn: less than no time": (lambda a: learn(a, minutes=-1), NO_MINUTES),
    "learn: for years": (lambda a: learn(a, minutes=1e9), NO_MINUTES),
    "learn: for ever": (lambda a: learn(a, minutes=float("inf")), "minutes must be a number"),
    "learn: no number": (lambda a: learn(a, minutes=float("nan")), "minutes must be a number"),
    "learn: soon": (lambda a: learn(a, minutes="soon"), "minutes must be a number"),
    "learn: yes": (lambda a: learn(a, minutes=True), "minutes must be a number"),
    "learn: seed of a word": (lambda a: learn(a, seed="x"), "the seed must be a number"),
    "learn: endless seed": (lambda a: learn(a, seed=float("inf")), "the seed must be a number"),
    "learn: no such number": (
        lambda a: learn(a, numbers="frames=20\nfrmaes=3"),
        "`settings` frmaes: there is no such number; did you mean frames?",
    ),
    "learn: no value": (
        lambda a: learn(a, numbers="frames"), "`settings` frames: write NAME=VALUE, for example optimisation.batch=4"
    ),
    "learn: another type": (
        lambda a: learn(a, numbers="frames=many"), "`settings` frames=many: it must be a whole number"
    ),
    "learn: endless numbers": (lambda a: learn(a, numbers="frames=20\n" * 1000), NO_NUMBERS),
    "learn: a list of numbers": (lambda a: learn(a, numbers=["frames=20"]), NO_NUMBERS),
    "learn: a file as a number": (
        lambda a: learn(a, recipe="freestyle-reenactment", numbers="model=/etc/passwd"),
        "model names a file or a network, which only whoever runs the studio may",
    ),
    "perform: nobody": (lambda a: perform(a, actors=[]), "choose who dances"),
    "perform: none": (lambda a: perform(a, actors=None), "choose who dances"),
    "perform: a table": (lambda a: perform(a, actors={"A": 1}), "choose who dances"),
    "perform: no name": (lambda a: perform(a, actors=""), NO_ACTOR),
    "perform: many": (lambda a: perform(a, actors=list("ABCDE")), "4 actors at most have room on the stage"),
    "perform: another": (lambda a: perform(a, actors=["A", "../actors/B"]), NO_ACTOR),
    "perform: lists": (lambda a: perform(a, actors=[["A"]]), NO_ACTOR),
    "perform: no dance": (lambda a: perform(a, dance=None), NO_DANCE),
    "perform: no background": (lambda a: perform(a, background=None), "choose what is behind the performer"),
    "perform: a file behind": (lambda a: perform(a, background="/etc/passwd"), "choose what is behind the performer"),
    "perform: no colour": (
        lambda a: perform(a, background="A colour", colour=7), "choose what is behind the performer"
    ),
    "perform: a file as colour": (lambda a: perform(a, background="A colour", colour="a.png"), "choose a colour"),
    "perform: half a colour": (lambda a: perform(a, background="A colour", colour="#12345"), "choose a colour"),
    "perform: more than a colour": (lambda a: perform(a, background="A colour", colour="#123456\n"), "choose a colour"),
    "perform: points of a colour": (
        lambda a: perform(a, background="A colour", colour="rgb(1.1.1, 2, 3)"), "choose a colour"
    ),
    "everybody: no dance": (lambda a: a.everybody(None), NO_DANCE),
    "everybody: no video": (
        lambda a: a.everybody("Bare"), "the video of Bare is not here: bring it once more, on the tab Dance"
    ),
    "measure: nobody": (lambda a: a.measure("", "Waltz"), NO_ACTOR),
    "measure: another": (lambda a: a.measure("../actors/A", "Waltz"), NO_ACTOR),
    "measure: no dance": (lambda a: a.measure("A", {}), NO_DANCE),
    "measure: no video": (
        lambda a: a.measure("A", "Bare"), "the video of Bare is not here: bring it once more, on the tab Dance"
    ),
    "each: nobody": (lambda a: each(a), "choose an actor for one person of the dance at least"),
    "each: nobody who is there": (
        lambda a: each(a, "", "", "", "", "", "", "A"), "choose an actor for one person of the dance at least"
    ),
    "each: another": (lambda a: each(a, "A", "../actors/B"), NO_ACTOR),
    "each: lists": (lambda a: each(a, ["A"], {"B": 1}), NO_ACTOR),
    "each: too many": (lambda a: each(a, *"ABCDE"), "4 people at most can be given an actor: leave some of them out"),
    "each: no video": (
        lambda a: each(a, "A", dance="Bare"), "the video of Bare is not here: bring it once more, on the tab Dance"
    ),
    "perform: in a photograph": (
        lambda a: perform(a, dance="Still", background="The dancer's room"),
        "Still is a photograph, and no film to stand in: choose something else behind the performer",
    ),
    "check: no file": (lambda a: a.check("", "a", True), "choose a video or a picture first"),
    "check: file that is gone": (lambda a: a.check("0" * 32 + ".png", "a", True), HERE_NO_MORE),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_missing_or_wrong_is_said_and_nothing_is_asked_for(asking: Asking, name: str) -> None:
    ask, said = WRONG[name]
    with pytest.raises(UsageError) as caught:
        ask(asking)
    assert str(caught.value) == said and asking.queue.all() == []


@pytest.mark.parametrize("place", [{"x": 0.5, "y": 0.5}, {"x": "1", "y": 0, "seconds": 0}, [1, 2, 3], {"x": True}])
def test_a_place_pointed_at_is_three_numbers(asking: Asking, place: object) -> None:
    with pytest.raises(UsageError, match="the place pointed at must be a number"):
        asking.dance(upload(asking), "a", place)


@pytest.mark.parametrize("place", [(-0.1, 0, 0), (0, 1.1, 0), (0, 0, -1), (0, 0, 1e9)])
def test_a_place_pointed_at_is_in_the_picture(asking: Asking, place: tuple[float, float, float]) -> None:
    with pytest.raises(UsageError, match="point at the person in the picture"):
        asking.person(upload(asking), "a", CONSENT, dict(zip(("x", "y", "seconds"), place, strict=True)))


def test_what_is_right_becomes_a_task(asking: Asking) -> None:
    token = upload(asking)
    asking.person(token, "../Eve.mp4", f" {CONSENT} ")
    assert (newest(asking).verb, newest(asking).title) == ("person", "Look at Eve, and make a first actor")
    assert newest(asking).asked == {"upload": token, "name": "Eve", "consent": CONSENT, "pointed": None}
    asking.dance(token, None)
    assert newest(asking).asked == {"upload": token, "name": "dance", "pointed": None}
    at = {"x": 0.25, "y": 1, "seconds": 2.5}
    asking.dance(token, None, {**at, "more": "nothing"})
    assert newest(asking).asked["pointed"] == at
    asking.measure("A", "Waltz")
    assert (newest(asking).verb, newest(asking).asked) == ("measure", {"actor": "A", "dance": "Waltz"})
    asking.coverage("Ann", "Waltz")
    assert newest(asking).asked == {"person": "Ann", "dance": "Waltz"}
    assert learn(asking, minutes=2, seed=1e12) == "Ann instant"
    asked = newest(asking).asked
    assert (asked["minutes"], asked["recipe"], asked["preset"]) == (2.0, USUAL, "instant")
    assert asked["seed"] == int(1e12) % (1 << 31)
    assert asked["settings"] == []
    learn(asking, numbers=" frames = 20 \n\n swing=0.25\n")
    assert newest(asking).asked["settings"] == ["frames = 20", "swing=0.25"]
    asking.check(token, "<b>.mp4", 1)
    assert newest(asking).asked == {"upload": token, "name": "b", "detect": True}


@pytest.mark.parametrize(
    ("background", "colour", "behind"),
    [
        *((name, "", value) for name, value in BACKGROUNDS.items()),
        ("A colour", "#aBcDeF", "#aBcDeF"),
        ("A colour", "rgba(1, 2.4, 300, 1)", "#0102ff"),
        ("A colour", "rgb(1,2,3)", "#010203"),
    ],
)
def test_backgrounds_are_the_films_own(asking: Asking, background: str, colour: str, behind: str) -> None:
    perform(asking, actors="A", background=background, colour=colour)
    assert newest(asking).asked["background"] == behind


def test_a_dancers_room_is_missed_before_the_work(asking: Asking, tmp_path: Path) -> None:
    tiny_performance(asking.folder.root / "dances" / "Gone.performance")
    with pytest.raises(
        UsageError, match=r"^the video of Gone is not here, .* bring the video once more, on the tab Dan"
    ):
        perform(asking, dance="Gone", background="The dancer's room")
    with pytest.raises(UnderstudyError, match="Bare"):  # damaged: that is said at once, too
        perform(asking, dance="Bare", background="The dancer's room")
    assert asking.queue.all() == []
    perform(asking, dance="Gone", background="White")
    perform(asking, dance="Gone", background="The dancer's room", actors=["A", "B"])  # its still picture is kept
    assert len(asking.queue.all()) == 2


def test_films_for_comparing_are_of_one_actor(asking: Asking) -> None:
    perform(asking)
    assert (newest(asking).asked["film"], newest(asking).asked["compare"]) == ("A by Waltz", True)
    perform(asking, actors=["A", "B"])
    assert (newest(asking).asked["film"], newest(asking).asked["compare"]) == ("A and B by Waltz", False)


def test_each_person_of_a_dance_drives_an_actor(asking: Asking) -> None:
    asking.everybody("Waltz")
    assert (newest(asking).verb, newest(asking).asked) == ("everybody", {"dance": "Waltz"})
    each(asking, "A", "", "B", "A", people=4)
    asked = newest(asking).asked
    assert asked["assign"] == {"1": "A", "3": "B", "4": "A"} and asked["actors"] == ["A", "B"]  # which are in use
    assert (asked["film"], asked["compare"]) == ("A and B by Waltz", True)
    for people in (0, 1, -2, True, "many", None, 1e9, [2]):  # nobody was found beside one, or the note is damaged
        with pytest.raises(UsageError, match="choose who dances"):
            each(asking, "A", "B", people=people)


def test_what_waits_and_what_can_be_tried_again_keeps_its_name(asking: Asking) -> None:
    """Else two people would become one, with the consent of the other."""
    token = upload(asking)

    def names(key: str) -> list[str]:
        return [task.asked[key] for task in reversed(asking.queue.all())]

    for _ in range(2):
        asking.person(token, "Eve", CONSENT)
    failed = asking.queue.take()
    assert failed is not None
    asking.queue.end(failed.number, "failed", "because")
    asking.person(token, "EVE", CONSENT)
    asking.dance(token, "Eve")  # which is something else
    assert names("name") == ["Eve", "Eve 2", "EVE 3", "Eve"]
    assert [learn(asking, name="Zoe") for _ in range(3)] == ["Zoe", "Zoe 2", "Zoe 3"]


def test_films_of_long_names_find_one_each(asking: Asking) -> None:
    long = "a" * 58
    (asking.folder.root / "actors" / f"{long}.actor").touch()
    for _ in range(4):  # the third of them used to be looked for without an end
        perform(asking, actors=[long])
    films = [task.asked["film"] for task in asking.queue.all()]
    assert len(set(films)) == 4


def test_only_methods_that_learn_from_one_clip_are_offered() -> None:
    from understudy.recipes import every

    recipes = dict(every())
    assert {name for name, one in recipes.items() if one.needs == ("poses",)} == set(methods())
    assert all(presets == tuple(recipes[name].presets) for name, presets in methods().items())


def test_no_number_of_the_page_names_a_file() -> None:
    from understudy.recipes import recipe
    from understudy.recipes.parts.settings import numbers

    found = {one.name: one.kind for name in methods() for one in numbers(recipe(name).config)}
    assert {name for name, kind in found.items() if not settable(kind)} == {"face_network", "model", "vgg_layers"}
    for name, presets in methods().items():
        for preset in presets:
            assert "=" in fragments.numbers(name, preset) and "<dt>model=" not in fragments.numbers(name, preset)
    assert (
        fragments.numbers("os", "preview") == fragments.numbers(USUAL, ["preview"]) == fragments.numbers(None, {}) == ""
    )
