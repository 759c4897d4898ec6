"""Who a fake detector learns from and is tried on: people who are made up, and those of the clips in UNDERSTUDY_MEDIA.

Everybody is filmed in one or more takes. An actor is trained of one of them, and a take that it has not seen (where the
person's clip is long enough) is what the person dances for clones: their own and a neighbour's.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from understudy.base.arguments import Region
from understudy.synthetic.clip import write_clip
from understudy.synthetic.motion import choreography
from understudy.synthetic.pair import centred
from understudy.synthetic.people import make_person
from understudy.synthetic.scene import make_scene

MEDIA = Path(os.environ.get("UNDERSTUDY_MEDIA", Path(__file__).parents[2] / "shared" / "media"))
FPS = Fraction(25)
SIZES_HW = ((512, 384), (384, 512), (576, 324))
"""of films of made-up people, in turn"""


@dataclass(frozen=True)
class Take:
    """A part of a video with one person in it."""

    path: Path
    start: float | None = None
    """seconds"""
    end: float | None = None
    region: Region | None = None
    """where the person is, if others are in the picture, too"""


@dataclass(frozen=True)
class Subject:
    """Somebody who is filmed and cloned."""

    name: str
    films: tuple[Take, ...]
    """all that shows the person as filmed"""
    learnt_from: Take
    """what actors are trained of"""
    moves: Take
    """what the person dances for clones"""
    place: str
    """where and with which camera: who is filmed at one place does not help to judge another there"""
    real: bool

    @property
    def in_files(self) -> str:
        """The name, as names of files have it."""
        return self.name.replace(" ", "-")


def made_up(number: int, folder: Path, seconds: float, shown: float) -> Subject:
    """Somebody of our own, filmed if that was not done before: all but the last `shown` seconds are learnt from."""
    path = folder / f"person-{number}" / "film.mp4"
    if not path.exists():
        dance = centred(choreography(1000 + number, seconds, FPS))
        write_clip(path, make_person(number), dance, make_scene(number, SIZES_HW[number % len(SIZES_HW)]))
    split = seconds - shown
    name = f"person-{number}"
    return Subject(name, (Take(path),), Take(path, end=split), Take(path, start=split), name, real=False)


def real_people(media: Path = MEDIA) -> list[Subject]:
    """Everybody in the clips of UNDERSTUDY_MEDIA who is seen whole; neighbours in the list are filmed at similar rates.

    A man who is in four clips is one person. The woman in front of him in two_people_cam1.mp4 is left out: she looks
    rendered, so one cannot say that she is real.
    """
    beam = [media / f"balance_cam{camera}.mp4" for camera in (1, 3, 4)]
    pair, outdoor, walk = (
        media / f"{name}.mp4" for name in ("two_people_cam1", "outdoor_two_people", "lab_walk_edit_list")
    )
    people = [
        Subject(
            "man on a beam",
            (*map(Take, beam), Take(pair, end=1.1, region=(150, 250, 560, 1050))),
            Take(beam[0]),
            Take(beam[1]),
            "gymnasium",
            real=True,
        ),
        _of(media / "juggler.mp4", "juggler", "lawn", 0, 8.2, 10.2),
        _of(media / "lab_squats.mp4", "woman squatting in a lab", "lab", 0, 6, 8, filmed_until=13),
        Subject("woman walking in a lab", (Take(walk),), Take(walk), Take(walk), "lab", real=True),
        _of(outdoor, "man on a roof", "yard", 0, 2.4, 3.8, region=(380, 0, 560, 480)),
        _of(outdoor, "woman walking by", "yard", 2.0, 3.6, 4.7, region=(540, 480, 1000, 480)),
        _of(media / "studio_squats_5fps.mp4", "woman squatting in a studio", "studio", 0, 9, 13),
    ]
    queue = media / "one_by_one.mp4"
    for number, (start, end) in enumerate(((8, 18), (25, 43), (53.4, 68), (77, 85.2), (95, 117), (127, 134.6)), 1):
        split = min(start + 8, end - 3)
        people.append(_of(queue, f"number {number} at the table", "table", start, split, split + 3, filmed_until=end))
    return people


def _of(
    path: Path,
    name: str,
    place: str,
    start: float,
    split: float,
    end: float,
    *,
    filmed_until: float | None = None,
    region: Region | None = None,
) -> Subject:
    """Learnt from one part, dancing in the next."""
    whole = Take(path, start, filmed_until or end, region)
    return Subject(name, (whole,), Take(path, start, split, region), Take(path, split, end, region), place, real=True)
