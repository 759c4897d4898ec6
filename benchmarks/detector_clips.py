"""Clips that a fake detector learns from and is tested with: made-up people, filmed and cloned.

Everything is kept in the work folder, clip by clip, and not made again.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from understudy.actor import Actor
from understudy.consent import Consent
from understudy.devices import Device
from understudy.evaluation.contenders import contender, learnt, timed
from understudy.forensics.detector_data import (
    Footage,
    Treatment,
    cut_for_judging,
    cut_for_training,
    load_footage,
    random_treatment,
    save_footage,
    treated,
)
from understudy.performance import Performance
from understudy.performing import perform_to_file
from understudy.recipes import limb_warp
from understudy.synthetic.clip import write_clip
from understudy.synthetic.motion import choreography
from understudy.synthetic.pair import centred
from understudy.synthetic.people import make_person
from understudy.synthetic.scene import make_scene
from understudy.tracking.track import tracked
from understudy.video import probe

MADE_UP = Consent("nobody needs to agree: the person is made up", "")
FPS = Fraction(25)
SIZES_HW = ((512, 384), (384, 512), (576, 324))
INSTANT = "limb-warp"
"""of which every person has a clone: it takes no training"""
GOOD, POOR = Treatment(17, 1.0), Treatment(35, 1.0)


@dataclasses.dataclass(frozen=True)
class Clip:
    """One video, and what it is."""

    path: Path
    person: str
    role: str
    """training, validation or test"""
    recipe: str = ""
    """empty: filmed"""
    motion: str = ""
    """same or other"""

    @property
    def generated(self) -> bool:
        return bool(self.recipe)


@dataclasses.dataclass(frozen=True)
class Studio:
    """Films people, trains actors of them, lets these perform."""

    work: Path
    recipes: Sequence[str]
    minutes: float
    steps: int | None
    seconds: float
    """of a film: the first part is learnt, the last `shown` seconds are the person's own motion for clones"""
    shown: float
    seed: int
    device: Device

    def film(self, number: int) -> Path:
        path = self.work / f"person-{number}" / "film.mp4"
        if not path.exists():
            size_hw = SIZES_HW[number % len(SIZES_HW)]
            dance = centred(choreography(1000 + number, self.seconds, FPS))
            write_clip(path, make_person(number), dance, make_scene(number, size_hw))
        return path

    def actor(self, number: int, recipe: str) -> Actor:
        learnt_from = self._tracked(self.film(number), end=self.seconds - self.shown)
        return actor_of(self, learnt_from, recipe, self.work / f"person-{number}" / "actors")

    def moves(self, number: int) -> Performance:
        return self._tracked(self.film(number), start=self.seconds - self.shown)

    def clone(self, number: int, recipe: str, driver: int) -> Path:
        path = self.work / f"person-{number}" / f"{recipe}-as-{driver}.mp4"
        if not path.exists():
            perform_to_file(self.actor(number, recipe), self.moves(driver), path, device=self.device)
        return path

    def clips(self, people: Sequence[int], role: str, recipes_of: dict[int, Sequence[str]]) -> Iterator[Clip]:
        """The films of a group of people and their clones, in their own motion and in their neighbour's."""
        for place, number in enumerate(people):
            name = f"person-{number}"
            yield Clip(self.film(number), name, role)
            for recipe in recipes_of[number]:
                for motion, driver in (("same", number), ("other", people[(place + 1) % len(people)])):
                    yield Clip(self.clone(number, recipe, driver), name, role, recipe, motion)

    def _tracked(self, video: Path, **options: float) -> Performance:
        return tracked(video, cache=self.work / "tracked", **options)


def actor_of(studio: Studio, learnt_from: Performance, recipe: str, folder: Path) -> Actor:
    """Trained for the studio's budget, or taken from where it was trained before."""
    who = timed(contender(recipe, "preview", title=recipe))
    if recipe == INSTANT:
        who = dataclasses.replace(who, preset="fast", config=limb_warp.fast())
    return learnt(
        who,
        learnt_from,
        [],
        folder,
        MADE_UP,
        seed=studio.seed,
        max_minutes=None if studio.steps or not who.learns else studio.minutes,
        max_steps=studio.steps if who.learns else None,
        device=studio.device,
    )


class Cutter:
    """Encodes clips once more and cuts them to squares, once each."""

    def __init__(self, work: Path, size: int, seed: int):
        self._folder, self._size, self._seed = work / f"looks-{size}", size, seed

    def cut(self, clip: Clip, version: str) -> Footage:
        """version: a number for a random treatment, "good", "poor", or "as filmed" for none."""
        stem = f"{clip.person}.{clip.path.stem}.{version.replace(' ', '-')}"
        training = clip.role in ("training", "more")
        kept = self._folder / f"{stem}.safetensors"
        if not kept.exists():
            random = np.random.default_rng((self._seed, zlib.crc32(stem.encode())))
            path = clip.path
            if version != "as filmed":
                path = self._folder / f"{stem}.mp4"
                treatment = {"good": GOOD, "poor": POOR}.get(version) or random_treatment(random)
                treated(clip.path, path, treatment)
            if training:
                pairs = cut_for_training(path, self._size, random)
            else:
                pairs = cut_for_judging(path, self._size)
            seconds = float(probe(path).duration)
            save_footage(
                kept, Footage(pairs, clip.generated, clip.person, clip.recipe, clip.motion, seconds, clip.path.name)
            )
        return load_footage(kept)

    def in_parts(self, clip: Clip, version: str, seconds: float) -> list[Footage]:
        """For judging: a film in parts as long as the clones are, so that length says nothing either."""
        whole = self.cut(clip, version)
        if clip.generated or whole.seconds < 2 * seconds:
            return [whole]
        parts = int(whole.seconds // seconds)
        length = len(whole.pairs) // parts
        return [
            dataclasses.replace(
                whole, pairs=whole.pairs[length * part : length * (part + 1)], seconds=whole.seconds / parts
            )
            for part in range(parts)
        ]
