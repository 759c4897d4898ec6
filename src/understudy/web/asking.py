"""What the page asks for becomes a task here, checked: it is about what is in the lists, and has names that may be."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin

from understudy.consent import LONGEST
from understudy.errors import UsageError
from understudy.media.photographs import is_photograph
from understudy.web.folder import PHOTO_SUFFIXES, Folder, Kind, no_video, safe
from understudy.web.queue import Queue

MOST_ACTORS = 4
"""on one stage"""
MOST_PEOPLE = 6
"""of a dance, from the left, who can be given an actor of their own"""
LONGEST_NUMBERS = 4000
"""characters of a method's numbers together"""
MADE_BY: dict[Kind, tuple[str, str]] = {
    "people": ("person", "name"),
    "dances": ("dance", "name"),
    "actors": ("learn", "actor"),
    "films": ("perform", "film"),
}
"""by which verb, and what of that is the name"""
BACKGROUNDS = {
    "The person's room": "reference",
    "The dancer's room": "driving",
    "White": "white",
    "Black": "black",
    "Green, to be keyed out": "#00b140",
}


class Asking:
    """Turns what was chosen on the page into tasks.

    Every method raises UsageError where that cannot be; nothing is asked for then.
    """

    def __init__(self, folder: Folder, queue: Queue) -> None:
        self.folder, self.queue = folder, queue

    def person(self, token: object, name: object, consent: object, pointed: object = None) -> None:
        """A clip of a person is to be tracked."""
        if not token:
            raise UsageError("choose a clip of the person first, or record one")
        if not isinstance(consent, str) or not consent.strip():
            raise UsageError("say who agreed to be learnt, and to what: for example “I am the person in the clip”")
        if len(consent) > LONGEST:
            raise UsageError(f"the consent is longer than {LONGEST} characters")
        upload = self._video(token, "a person is learnt from a video: of one photograph nothing can be learnt here")
        free = self._free("people", _named(name, "person"))
        asked = {"upload": upload, "name": free, "consent": consent.strip(), "pointed": _pointed(pointed)}
        self.queue.add("person", f"Look at {free}, and make a first actor", asked)

    def dance(self, token: object, name: object, pointed: object = None) -> None:
        """A clip whose motion is to be danced is to be tracked."""
        if not token:
            raise UsageError("choose a video of a dance first")
        upload = self._video(token, "a photograph holds still: choose a video of somebody who moves")
        free = self._free("dances", _named(name, "dance"))
        asked = {"upload": upload, "name": free, "pointed": _pointed(pointed)}
        self.queue.add("dance", f"Find the dancer in {free}", asked)

    def everybody(self, dance: object) -> None:
        """All people of a dance are to be found, so that each can drive an actor."""
        self.folder.video_of(dance)
        self.queue.add("everybody", f"Find everybody in {dance}", {"dance": dance})

    def coverage(self, person: object, dance: object) -> None:
        """The two are to be compared."""
        self.folder.find("people", person)
        self.folder.find("dances", dance)
        self.queue.add("coverage", f"What {person} has not shown of {dance}", {"person": person, "dance": dance})

    def learn(
        self,
        person: object,
        name: object,
        recipe: object,
        preset: object,
        minutes: object,
        seed: object,
        numbers: object = "",
    ) -> str:
        """An actor is to be trained; its name.

        Args:
            numbers: of the method that are others than the quality's, NAME=VALUE, one a line.
        """
        self.folder.find("people", person)
        presets = methods().get(recipe) if isinstance(recipe, str) else None
        if presets is None:
            raise UsageError("choose a method")
        if not isinstance(preset, str) or preset not in presets:
            raise UsageError(f"{recipe} has no {preset}: choose one of {', '.join(presets)}")
        settings = _settings(str(recipe), preset, numbers)
        limit = None if minutes in (None, "") else _number(minutes, "minutes")
        if limit is not None and not 0 < limit <= 100_000:
            raise UsageError("say more than 0 minutes, or leave the field empty: then it takes as long as it takes")
        free = self._free("actors", _named(name or f"{person} {preset}", "actor"))
        asked = {
            "person": person,
            "actor": free,
            "recipe": recipe,
            "preset": preset,
            "minutes": limit,
            "seed": int(_number(seed or 0, "the seed")) % (1 << 31),
            "settings": settings,
        }
        self.queue.add("learn", f"Learn {free}", asked)
        return free

    def perform(
        self,
        actors: object,
        dance: object,
        background: object,
        colour: object,
        compare: object,
        label: object,
        each: object = False,
        *assigned: object,
    ) -> None:
        """Actors are to dance.

        Args:
            each: whether every person of the dance drives an actor of their own, if there are several; then `actors`
                says nothing.
            assigned: those actors, from left to right; nothing for who is left out.
        """
        assign = self._assigned(dance, assigned) if each and self.folder.people_in(dance) > 1 else {}
        cast = list(dict.fromkeys(assign.values())) or ([actors] if isinstance(actors, str) else actors)
        if not isinstance(cast, Sequence) or not cast:
            raise UsageError("choose who dances")
        if len(cast) > MOST_ACTORS:
            raise UsageError(f"{MOST_ACTORS} actors at most have room on the stage")
        for one in cast:
            self.folder.find("actors", one)
        self.folder.find("dances", dance)
        behind = colour if background == "A colour" else BACKGROUNDS.get(str(background))
        if not isinstance(behind, str):
            raise UsageError("choose what is behind the performer")
        if behind not in BACKGROUNDS.values():
            behind = _colour(behind)
        if behind == "driving" and len(cast) == 1 and not assign:  # several stand in a picture of the room
            self._check_shot(dance)
        film = self._free("films", f"{' and '.join(map(str, cast))} by {dance}")
        asked: dict[str, Any] = {
            "actors": list(cast),
            "dance": dance,
            "film": film,
            "background": behind,
            "compare": bool(compare) and (len(cast) == 1 or bool(assign)),
            "label": bool(label),
            "assign": assign,
        }
        self.queue.add("perform", f"Dance: {film}", asked)

    def measure(self, actor: object, dance: object) -> None:
        """An actor is to be held against another clip of its person."""
        self.folder.find("actors", actor)
        if is_photograph(self.folder.video_of(dance)):
            raise no_video(dance)
        self.queue.add("measure", f"How true is {actor}? By {dance}", {"actor": actor, "dance": dance})

    def _assigned(self, dance: object, assigned: Sequence[object]) -> dict[str, Any]:
        """An actor for each person who has one, by their number from the left."""
        there = assigned[: min(MOST_PEOPLE, self.folder.people_in(dance))]
        each = {str(number): one for number, one in enumerate(there, start=1) if one}
        if not each:
            raise UsageError("choose an actor for one person of the dance at least")
        for one in each.values():
            self.folder.find("actors", one)
        if len(each) > MOST_ACTORS:
            raise UsageError(f"{MOST_ACTORS} people at most can be given an actor: leave some of them out")
        self.folder.video_of(dance)
        return each

    def check(self, token: object, name: object, detect: object) -> None:
        """A file's marks are to be read."""
        if not token:
            raise UsageError("choose a video or a picture first")
        upload = self.folder.upload(token).name
        called = safe(str(name or "the file"))
        self.queue.add("check", f"Check {called}", {"upload": upload, "name": called, "detect": bool(detect)})

    def _video(self, token: object, otherwise: str) -> str:
        upload = self.folder.upload(token)
        if upload.suffix in PHOTO_SUFFIXES or is_photograph(upload):  # whatever it is called
            raise UsageError(otherwise)
        return upload.name

    def _check_shot(self, dance: object) -> None:
        """There is a film of the dance, in which somebody else can stand; said now, and not when all else is done."""
        from understudy.performing.driver import check_shot

        performance = self.folder.find("dances", dance)
        clip = self.folder.clip_of(performance)
        if clip is None:
            try:
                check_shot(performance)  # one that was tracked elsewhere, whose video may be where it was
            except UsageError:
                raise UsageError(
                    f"the video of {dance} is not here, so there is no room of the dancer's: choose something else "
                    "behind the performer, or bring the video once more, on the tab Dance"
                ) from None
        elif is_photograph(clip):
            raise UsageError(
                f"{dance} is a photograph, and no film to stand in: choose something else behind the performer"
            )

    def _free(self, kind: Kind, wanted: str) -> str:
        """A name that nothing has, nor will have when what waits, or can be tried again, is done.

        Two clips of one name would become one person, with the consent of the other.
        """
        verb, key = MADE_BY[kind]
        coming = {str(task.asked.get(key)) for task in self.queue.all() if task.verb == verb and task.status != "done"}
        return self.folder.free(kind, wanted, coming)


def methods() -> dict[str, tuple[str, ...]]:
    """The recipes that learn from a person's clip alone, the usual one first; the presets of each."""
    from understudy.recipes import every
    from understudy.verbs.checks import DEFAULT_RECIPE

    found = {name: tuple(one.presets) for name, one in every() if one.needs == ("poses",)}
    return {DEFAULT_RECIPE: found.pop(DEFAULT_RECIPE), **found}


def _settings(recipe: str, preset: str, numbers: object) -> list[str]:
    """Numbers as somebody wrote them, one a line, each of which the method has.

    Raises:
        UsageError: as `settings.changed`; or one that names a file, which nobody in a browser may.
    """
    from understudy.recipes import recipe as find
    from understudy.recipes.parts import settings

    if not numbers:
        return []
    if not isinstance(numbers, str) or len(numbers) > LONGEST_NUMBERS:
        raise UsageError(f"numbers are written as NAME=VALUE, one a line, {LONGEST_NUMBERS} characters at most")
    lines = [line.strip() for line in numbers.splitlines() if line.strip()]
    before = find(recipe).preset(preset)
    after = settings.changed(before, settings.assignments(lines))
    for one, other in zip(settings.numbers(before), settings.numbers(after), strict=True):
        if one.value != other.value and not settable(one.kind):
            raise UsageError(f"{one.name} names a file or a network, which only whoever runs the studio may")
    return lines


def settable(kind: Any) -> bool:
    """Whether a number of this type may be set on the page: not where any word will do, which may be a path."""
    return get_origin(kind) is Literal or (kind is not str and all(map(settable, get_args(kind))))


def _pointed(said: object) -> dict[str, float] | None:
    """Where the page says that somebody has pointed; None where nobody has.

    Raises:
        UsageError: that is no place in a picture.
    """
    if not said:
        return None
    given = said if isinstance(said, dict) else {}
    x, y, seconds = (_number(given.get(name), "the place pointed at") for name in ("x", "y", "seconds"))
    if not (0 <= x <= 1 and 0 <= y <= 1 and 0 <= seconds < 1e6):
        raise UsageError("point at the person in the picture")
    return {"x": x, "y": y, "seconds": seconds}


def _named(name: object, otherwise: str) -> str:
    return name[:200] if isinstance(name, str) and name.strip() else otherwise


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f"{what} must be a number")
    return float(value)


def _colour(text: str) -> str:
    """#rrggbb of what a colour picker gives: that, or rgba(r, g, b, a)."""
    if re.fullmatch("#[0-9a-fA-F]{6}", text):
        return text
    parts = re.fullmatch(r"rgba?\(([\d.]{1,9}), ?([\d.]{1,9}), ?([\d.]{1,9})(?:, ?[\d.]{1,9})?\)", text)
    if parts is None:
        raise UsageError("choose a colour")
    try:
        red, green, blue = (max(0, min(255, round(float(part)))) for part in parts.groups())
    except ValueError:
        raise UsageError("choose a colour") from None
    return f"#{red:02x}{green:02x}{blue:02x}"
